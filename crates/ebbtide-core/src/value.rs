//! Property values: [`Value`] owns, [`ValueRef`] borrows from a page.

use std::cmp::Ordering;

use crate::ids::ObjectKey;
use crate::objects::List;

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
    /// `double`: 64-bit floating point
    Double(f64),
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
    /// See [`Value::Double`].
    Double(f64),
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
    /// A list property as a whole.
    List(&'a List),
}

impl Value {
    /// Borrows.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Bool(v) => ValueRef::Bool(*v),
            Value::Int(v) => ValueRef::Int(*v),
            Value::Double(v) => ValueRef::Double(*v),
            Value::String(v) => ValueRef::String(v),
            Value::Data(v) => ValueRef::Data(v),
            Value::Date(v) => ValueRef::Date(*v),
            Value::ObjectId(v) => ValueRef::ObjectId(*v),
            Value::Uuid(v) => ValueRef::Uuid(*v),
            Value::Link(v) => ValueRef::Link(*v),
        }
    }

    /// Whether this is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl ValueRef<'_> {
    /// Copies. A list as a whole is not a value and gives `Null`.
    pub fn to_owned(&self) -> Value {
        match *self {
            ValueRef::Null | ValueRef::List(_) => Value::Null,
            ValueRef::Bool(v) => Value::Bool(v),
            ValueRef::Int(v) => Value::Int(v),
            ValueRef::Double(v) => Value::Double(v),
            ValueRef::String(v) => Value::String(v.to_string()),
            ValueRef::Data(v) => Value::Data(v.to_vec()),
            ValueRef::Date(v) => Value::Date(v),
            ValueRef::ObjectId(v) => Value::ObjectId(v),
            ValueRef::Uuid(v) => Value::Uuid(v),
            ValueRef::Link(v) => Value::Link(v),
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
            ValueRef::Int(_) => 2,
            ValueRef::Double(_) => 3,
            ValueRef::String(_) => 4,
            ValueRef::Data(_) => 5,
            ValueRef::Date(_) => 6,
            ValueRef::ObjectId(_) => 7,
            ValueRef::Uuid(_) => 8,
            ValueRef::Link(_) => 9,
            ValueRef::List(_) => 10,
        }
    }

    /// A total order within and across types: nulls first, NaN before all other doubles, strings by code point.
    /// Two zeros of different sign are equal; lists as a whole are not ordered and equal each other.
    pub fn total_cmp(&self, other: &ValueRef<'_>) -> Ordering {
        match (self, other) {
            (ValueRef::Bool(a), ValueRef::Bool(b)) => a.cmp(b),
            (ValueRef::Int(a), ValueRef::Int(b)) | (ValueRef::Date(a), ValueRef::Date(b)) => a.cmp(b),
            (ValueRef::Double(a), ValueRef::Double(b)) => match (a.is_nan(), b.is_nan()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            },
            (ValueRef::String(a), ValueRef::String(b)) => a.cmp(b),
            (ValueRef::Data(a), ValueRef::Data(b)) => a.cmp(b),
            (ValueRef::ObjectId(a), ValueRef::ObjectId(b)) => a.cmp(b),
            (ValueRef::Uuid(a), ValueRef::Uuid(b)) => a.cmp(b),
            (ValueRef::Link(a), ValueRef::Link(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// Whether both are the same value to the bit: NaN equals NaN, and zeros of different sign differ.
    pub fn same(&self, other: &ValueRef<'_>) -> bool {
        match (self, other) {
            (ValueRef::Double(a), ValueRef::Double(b)) => a.to_bits() == b.to_bits(),
            (ValueRef::List(a), ValueRef::List(b)) => a.same_values(b),
            _ => self.total_cmp(other) == Ordering::Equal,
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
            | ValueRef::Double(_)
            | ValueRef::Data(_)
            | ValueRef::Date(_)
            | ValueRef::Link(_)
            | ValueRef::List(_) => return None,
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
