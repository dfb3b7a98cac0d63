//! Property values: [`Value`] owns, [`ValueRef`] borrows from a page.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::decimal::Decimal;
use crate::ids::{ClassIndex, ObjectKey};
use crate::number::Number;
use crate::objects::{Dictionary, List, Set};

/// One value of a property or a list element.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    /// No value; also a link to nothing.
    #[default]
    Null,
    /// `bool`
    Bool(bool),
    /// `int`: 64-bit signed
    Int(i64),
    /// `float`: 32-bit floating point
    Float(f32),
    /// `double`: 64-bit floating point
    Double(f64),
    /// `decimal128`
    Decimal(Decimal),
    /// `string`
    String(String),
    /// `data`: bytes
    Data(Vec<u8>),
    /// `date`: milliseconds since the Unix epoch
    Date(i64),
    /// `objectId`: 12 bytes
    ObjectId([u8; 12]),
    /// `uuid`: 16 bytes
    Uuid([u8; 16]),
    /// A link to an object of the property's target class in the same snapshot.
    Link(ObjectKey),
    /// In a `mixed`: a link to an object of any class in the same snapshot.
    TypedLink(ClassIndex, ObjectKey),
    /// In a `mixed`: a list of values.
    Array(Vec<Value>),
    /// In a `mixed`: values by key.
    Map(BTreeMap<String, Value>),
}

/// One value, borrowed from a page.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// See [`Value::Null`].
    Null,
    /// See [`Value::Bool`].
    Bool(bool),
    /// See [`Value::Int`].
    Int(i64),
    /// See [`Value::Float`].
    Float(f32),
    /// See [`Value::Double`].
    Double(f64),
    /// See [`Value::Decimal`].
    Decimal(Decimal),
    /// See [`Value::String`].
    String(&'a str),
    /// See [`Value::Data`].
    Data(&'a [u8]),
    /// See [`Value::Date`].
    Date(i64),
    /// See [`Value::ObjectId`].
    ObjectId([u8; 12]),
    /// See [`Value::Uuid`].
    Uuid([u8; 16]),
    /// See [`Value::Link`].
    Link(ObjectKey),
    /// See [`Value::TypedLink`].
    TypedLink(ClassIndex, ObjectKey),
    /// See [`Value::Array`].
    Array(&'a [Value]),
    /// See [`Value::Map`].
    Map(&'a BTreeMap<String, Value>),
    /// A list property as a whole.
    List(&'a List),
    /// A set property as a whole.
    Set(&'a Set),
    /// A dictionary property as a whole.
    Dictionary(&'a Dictionary),
}

impl Value {
    /// The value with the links to one object taken out: they leave lists and become null elsewhere.
    pub(crate) fn without_link(&self, class: ClassIndex, key: ObjectKey) -> Value {
        match self {
            Value::Link(link) if *link == key => Value::Null,
            Value::TypedLink(..) if self.links_to(class, key) => Value::Null,
            Value::Array(values) => {
                let left = values.iter().filter(|value| !value.links_to(class, key));
                Value::Array(left.map(|value| value.without_link(class, key)).collect())
            }
            Value::Map(values) => {
                Value::Map(values.iter().map(|(name, value)| (name.clone(), value.without_link(class, key))).collect())
            }
            value => value.clone(),
        }
    }

    /// Whether the value of a mixed is itself a link to an object.
    pub(crate) fn links_to(&self, class: ClassIndex, key: ObjectKey) -> bool {
        matches!(self, Value::TypedLink(of, link) if (*of, *link) == (class, key))
    }

    /// How deep arrays and maps lie in one another: 0 for a plain value.
    pub fn depth(&self) -> usize {
        match self {
            Value::Array(values) => 1 + values.iter().map(Value::depth).max().unwrap_or(0),
            Value::Map(values) => 1 + values.values().map(Value::depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Borrows.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Bool(v) => ValueRef::Bool(*v),
            Value::Int(v) => ValueRef::Int(*v),
            Value::Float(v) => ValueRef::Float(*v),
            Value::Double(v) => ValueRef::Double(*v),
            Value::Decimal(v) => ValueRef::Decimal(*v),
            Value::String(v) => ValueRef::String(v),
            Value::Data(v) => ValueRef::Data(v),
            Value::Date(v) => ValueRef::Date(*v),
            Value::ObjectId(v) => ValueRef::ObjectId(*v),
            Value::Uuid(v) => ValueRef::Uuid(*v),
            Value::Link(v) => ValueRef::Link(*v),
            Value::TypedLink(class, key) => ValueRef::TypedLink(*class, *key),
            Value::Array(v) => ValueRef::Array(v),
            Value::Map(v) => ValueRef::Map(v),
        }
    }

    /// Whether this is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl ValueRef<'_> {
    /// See [`Value::depth`].
    pub fn depth(&self) -> usize {
        match self {
            ValueRef::Array(values) => 1 + values.iter().map(Value::depth).max().unwrap_or(0),
            ValueRef::Map(values) => 1 + values.values().map(Value::depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Copies. A collection property as a whole is not a value and gives `Null`.
    pub fn to_owned(&self) -> Value {
        match *self {
            ValueRef::Null | ValueRef::List(_) | ValueRef::Set(_) | ValueRef::Dictionary(_) => Value::Null,
            ValueRef::Bool(v) => Value::Bool(v),
            ValueRef::Int(v) => Value::Int(v),
            ValueRef::Float(v) => Value::Float(v),
            ValueRef::Double(v) => Value::Double(v),
            ValueRef::Decimal(v) => Value::Decimal(v),
            ValueRef::String(v) => Value::String(v.to_string()),
            ValueRef::Data(v) => Value::Data(v.to_vec()),
            ValueRef::Date(v) => Value::Date(v),
            ValueRef::ObjectId(v) => Value::ObjectId(v),
            ValueRef::Uuid(v) => Value::Uuid(v),
            ValueRef::Link(v) => Value::Link(v),
            ValueRef::TypedLink(class, key) => Value::TypedLink(class, key),
            ValueRef::Array(v) => Value::Array(v.to_vec()),
            ValueRef::Map(v) => Value::Map(v.clone()),
        }
    }

    /// Whether this is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, ValueRef::Null)
    }

    fn rank(&self) -> u8 {
        match self {
            ValueRef::Null => 0,
            ValueRef::Bool(_) => 1,
            ValueRef::Int(_) | ValueRef::Float(_) | ValueRef::Double(_) | ValueRef::Decimal(_) => 2,
            ValueRef::String(_) => 4,
            ValueRef::Data(_) => 5,
            ValueRef::Date(_) => 6,
            ValueRef::ObjectId(_) => 7,
            ValueRef::Uuid(_) => 8,
            ValueRef::Link(_) => 9,
            ValueRef::TypedLink(..) => 10,
            ValueRef::Array(_) => 11,
            ValueRef::Map(_) => 12,
            ValueRef::List(_) | ValueRef::Set(_) | ValueRef::Dictionary(_) => 13,
        }
    }

    /// A total order within and across types: nulls first, then bools, numbers by their values with NaN before all others,
    /// strings by code point, and so on. Zeros of different sign and equal numbers of different types are equal;
    /// collection properties as a whole are not ordered and equal each other.
    pub fn total_cmp(&self, other: &ValueRef<'_>) -> Ordering {
        match (self, other) {
            (ValueRef::Bool(a), ValueRef::Bool(b)) => a.cmp(b),
            (ValueRef::Int(a), ValueRef::Int(b)) | (ValueRef::Date(a), ValueRef::Date(b)) => a.cmp(b),
            (ValueRef::String(a), ValueRef::String(b)) => a.cmp(b),
            (ValueRef::Data(a), ValueRef::Data(b)) => a.cmp(b),
            (ValueRef::ObjectId(a), ValueRef::ObjectId(b)) => a.cmp(b),
            (ValueRef::Uuid(a), ValueRef::Uuid(b)) => a.cmp(b),
            (ValueRef::Link(a), ValueRef::Link(b)) => a.cmp(b),
            (ValueRef::TypedLink(c, a), ValueRef::TypedLink(d, b)) => (c, a).cmp(&(d, b)),
            (ValueRef::Array(a), ValueRef::Array(b)) => order_of(a.iter(), b.iter()),
            (ValueRef::Map(a), ValueRef::Map(b)) => {
                a.keys().cmp(b.keys()).then_with(|| order_of(a.values(), b.values()))
            }
            _ => match (Number::of(*self), Number::of(*other)) {
                (Some(a), Some(b)) => a.total_order(b),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }

    /// Whether both are the same value to the bit: of one type, NaN equals NaN, and zeros of different sign differ.
    pub fn same(&self, other: &ValueRef<'_>) -> bool {
        match (self, other) {
            (ValueRef::Float(a), ValueRef::Float(b)) => a.to_bits() == b.to_bits(),
            (ValueRef::Double(a), ValueRef::Double(b)) => a.to_bits() == b.to_bits(),
            (ValueRef::Decimal(a), ValueRef::Decimal(b)) => a == b,
            (ValueRef::Array(a), ValueRef::Array(b)) => {
                a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| a.as_ref().same(&b.as_ref()))
            }
            (ValueRef::Map(a), ValueRef::Map(b)) => {
                a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| a.0 == b.0 && a.1.as_ref().same(&b.1.as_ref()))
            }
            (ValueRef::List(a), ValueRef::List(b)) => a.same_values(b),
            (ValueRef::Set(a), ValueRef::Set(b)) => a.same_values(b),
            (ValueRef::Dictionary(a), ValueRef::Dictionary(b)) => a.same_values(b),
            (ValueRef::Int(a), ValueRef::Int(b)) => a == b,
            _ => !(self.is_number() && other.is_number()) && self.total_cmp(other) == Ordering::Equal,
        }
    }

    /// Visits the links in a value, those inside arrays and maps included. `target` is the class of the property's links.
    pub fn each_link(&self, target: Option<ClassIndex>, visit: &mut impl FnMut(ClassIndex, ObjectKey)) {
        match self {
            ValueRef::Link(key) => {
                if let Some(target) = target {
                    visit(target, *key);
                }
            }
            ValueRef::TypedLink(class, key) => visit(*class, *key),
            ValueRef::Array(values) => values.iter().for_each(|value| value.as_ref().each_link(target, visit)),
            ValueRef::Map(values) => values.values().for_each(|value| value.as_ref().each_link(target, visit)),
            ValueRef::List(list) => list.iter().for_each(|value| value.each_link(target, visit)),
            ValueRef::Set(set) => set.iter().for_each(|value| value.each_link(target, visit)),
            ValueRef::Dictionary(dictionary) => dictionary.iter().for_each(|(_, value)| value.each_link(target, visit)),
            ValueRef::Null
            | ValueRef::Bool(_)
            | ValueRef::Int(_)
            | ValueRef::Float(_)
            | ValueRef::Double(_)
            | ValueRef::Decimal(_)
            | ValueRef::String(_)
            | ValueRef::Data(_)
            | ValueRef::Date(_)
            | ValueRef::ObjectId(_)
            | ValueRef::Uuid(_) => {}
        }
    }

    fn is_number(&self) -> bool {
        self.rank() == 2
    }
}

fn order_of<'a>(a: impl Iterator<Item = &'a Value>, b: impl Iterator<Item = &'a Value>) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match a.as_ref().total_cmp(&b.as_ref()) {
                Ordering::Equal => {}
                order => return order,
            },
        }
    }
}

/// The value of a primary key as an ordered map key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PrimaryKey {
    /// A null key; one object at most.
    Null,
    /// `int`
    Int(i64),
    /// `string`
    String(String),
    /// `objectId`
    ObjectId([u8; 12]),
    /// `uuid`
    Uuid([u8; 16]),
}

impl PrimaryKey {
    /// The key for a value, or `None` if a value of this type cannot be a primary key.
    pub fn from_value(value: &Value) -> Option<PrimaryKey> {
        PrimaryKey::from_ref(value.as_ref())
    }

    /// The key for a borrowed value, or `None` if a value of this type cannot be a primary key.
    pub fn from_ref(value: ValueRef<'_>) -> Option<PrimaryKey> {
        Some(match value {
            ValueRef::Null => PrimaryKey::Null,
            ValueRef::Int(v) => PrimaryKey::Int(v),
            ValueRef::String(v) => PrimaryKey::String(v.to_string()),
            ValueRef::ObjectId(v) => PrimaryKey::ObjectId(v),
            ValueRef::Uuid(v) => PrimaryKey::Uuid(v),
            ValueRef::Bool(_)
            | ValueRef::Float(_)
            | ValueRef::Double(_)
            | ValueRef::Decimal(_)
            | ValueRef::Data(_)
            | ValueRef::Date(_)
            | ValueRef::Link(_)
            | ValueRef::TypedLink(..)
            | ValueRef::Array(_)
            | ValueRef::Map(_)
            | ValueRef::List(_)
            | ValueRef::Set(_)
            | ValueRef::Dictionary(_) => return None,
        })
    }

    /// The key as a property value.
    pub fn to_value(&self) -> Value {
        match self {
            PrimaryKey::Null => Value::Null,
            PrimaryKey::Int(v) => Value::Int(*v),
            PrimaryKey::String(v) => Value::String(v.clone()),
            PrimaryKey::ObjectId(v) => Value::ObjectId(*v),
            PrimaryKey::Uuid(v) => Value::Uuid(*v),
        }
    }
}
