//! Edits of every kind, as small numbers: they can be drawn by chance, told again, and made fewer.

use ebbtide_core::objects::Embedding;
use ebbtide_core::{
    ClassIndex, ClassSchema, Collection, ColumnIndex, Decimal, ObjectKey, Property, PropertyType, Snapshot,
    Transaction, Value, ValueRef, WriteError,
};

/// What edits are about.
#[derive(Clone, Copy, Debug)]
pub struct Cast {
    /// The classes whose objects stand by themselves and are edited.
    pub classes: &'static [&'static str],
    /// How sensible the edits are.
    pub sense: Sense,
}

/// How sensible edits are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sense {
    /// They name places that lists have, and leave primary keys alone.
    Sensible,
    /// They may ask for what is refused.
    Any,
}

/// An object: one that stands by itself, and steps down into embedded ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    /// Its class, by its place in the cast.
    pub class: u8,
    /// Which object of the class.
    pub id: u8,
    /// Into which of the embedded objects, step by step.
    pub down: Vec<u8>,
}

/// What is done to one of the properties to which it can be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Sets the value.
    Set(u16),
    /// Sets the schema's default.
    SetDefault(u16),
    /// Adds.
    Increment(i8),
    /// Puts an element into a list.
    Insert(u8, u16),
    /// Replaces one.
    Replace(u8, u16),
    /// Moves one.
    Move(u8, u8),
    /// Removes one.
    Remove(u8),
    /// Empties the list.
    ClearList,
    /// Puts a value into a set.
    Add(u16),
    /// Takes one out.
    Discard(u16),
    /// Empties the set.
    ClearSet,
    /// Sets a key of a dictionary.
    Put(u8, u16),
    /// Removes one.
    Drop(u8),
    /// Empties the dictionary.
    ClearDictionary,
}

/// One edit. One that makes no sense on a state is refused and changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// An object of a class, by numbers.
    Create(u8, u8),
    /// Deletes.
    Delete(Who),
    /// Edits one of the properties that an action fits.
    Do(Who, u8, Action),
}

const KEYS: [&str; 3] = ["", "k", "long key"];

impl Cast {
    fn class(&self, snapshot: &Snapshot, class: u8) -> Option<ClassIndex> {
        snapshot.schema().class_index(self.classes[usize::from(class)])
    }

    /// The object with a number: by its primary key, or in a class without one by its place.
    fn object(&self, snapshot: &Snapshot, class: ClassIndex, id: u8) -> Option<ObjectKey> {
        match key_of(snapshot.schema().class(class), id) {
            Some(key) => snapshot.find(class, &key),
            None => snapshot.table(class).keys().nth(usize::from(id)),
        }
    }

    fn find(&self, snapshot: &Snapshot, who: &Who) -> Option<(ClassIndex, ObjectKey)> {
        let class = self.class(snapshot, who.class)?;
        let mut at = (class, self.object(snapshot, class, who.id)?);
        for step in &who.down {
            let below = children(snapshot, at.0, at.1);
            let Some(child) = below.get(usize::from(*step) % below.len().max(1)) else { break };
            at = *child;
        }
        Some(at)
    }

    /// A value for a property out of a small pool; links lead to objects that are there.
    fn value(&self, snapshot: &Snapshot, property: &Property, what: u16) -> Value {
        let small = i64::from(what >> 4 & 3);
        if what & 15 == 0 && property.optional {
            return Value::Null;
        }
        if property.kind == PropertyType::Mixed {
            return self.mixed(snapshot, what, 2);
        }
        plain_value(snapshot, property, small)
    }

    /// Any value of a mixed: each type, links to two classes, lists and dictionaries of them.
    fn mixed(&self, snapshot: &Snapshot, what: u16, nested: u8) -> Value {
        use PropertyType::{Bool, Data, Date, Decimal, Double, Float, Int, ObjectId, String, Uuid};
        const KINDS: [PropertyType; 10] = [Bool, Int, Float, Double, Decimal, String, Data, Date, ObjectId, Uuid];
        let small = i64::from(what >> 4 & 3);
        let inner = |by: u16| self.mixed(snapshot, (what >> 3).wrapping_add(by), nested - 1);
        let link = |class: u8| {
            let found = linked(snapshot, self.class(snapshot, class), small);
            found.map_or(Value::Null, |(class, key)| Value::TypedLink(class, key))
        };
        match usize::from(what & 15) {
            kind @ 0..=9 => {
                let plain = Property::required("", KINDS[kind]);
                plain_value(snapshot, &plain, small)
            }
            10 | 11 => link(0),
            12 | 13 => link(1),
            14 if nested > 0 => Value::Array(vec![inner(10), inner(what >> 8)]),
            15 if nested > 0 => Value::Map([("a".into(), inner(12)), ("b".into(), inner(what >> 8))].into()),
            _ => Value::Null,
        }
    }

    fn act(
        &self,
        t: &mut Transaction,
        (class, key, column): (ClassIndex, ObjectKey, ColumnIndex),
        property: &Property,
        action: Action,
    ) -> Result<(), WriteError> {
        let target = property.target.as_deref().and_then(|target| t.snapshot().schema().class_index(target));
        let embeds = target.is_some_and(|target| t.snapshot().schema().class(target).is_embedded());
        let of = |t: &Transaction, what: u16| self.value(t.snapshot(), property, what);
        let name = |key: u8| KEYS[usize::from(key)];
        let length = match t.snapshot().table(class).get(key, column) {
            Some(ValueRef::List(list)) => list.len(),
            _ => 0,
        };
        let place = |at: u8| match self.sense {
            Sense::Sensible => usize::from(at) % (length + 1),
            Sense::Any => usize::from(at),
        };
        let mut embed = |at: Embedding<'_>| t.embed(class, key, column, at).map(drop);
        match action {
            Action::Set(what) if embeds && what & 3 != 0 => embed(Embedding::Property),
            Action::Set(_) if embeds => t.set(class, key, column, Value::Null),
            Action::Set(what) => t.set(class, key, column, of(t, what)),
            Action::SetDefault(_) if embeds => Ok(()),
            Action::SetDefault(what) => t.set_default(class, key, column, of(t, what)),
            Action::Increment(by) => t.increment(class, key, column, i64::from(by)),
            Action::Insert(at, _) if embeds => embed(Embedding::Insert(place(at))),
            Action::Insert(at, what) => t.list_insert(class, key, column, place(at), of(t, what)),
            Action::Replace(at, _) if embeds => embed(Embedding::Replace(place(at))),
            Action::Replace(at, what) => t.list_set(class, key, column, place(at), of(t, what)),
            Action::Move(from, to) => t.list_move(class, key, column, place(from), place(to)),
            Action::Remove(at) => t.list_remove(class, key, column, place(at)),
            Action::ClearList => t.list_clear(class, key, column),
            Action::Add(what) => t.set_insert(class, key, column, of(t, what)).map(drop),
            Action::Discard(what) => t.set_remove(class, key, column, &of(t, what)).map(drop),
            Action::ClearSet => t.set_clear(class, key, column),
            Action::Put(at, what) if embeds && what & 3 != 0 => embed(Embedding::Key(name(at))),
            Action::Put(at, _) if embeds => t.dictionary_set(class, key, column, name(at), Value::Null),
            Action::Put(at, what) => t.dictionary_set(class, key, column, name(at), of(t, what)),
            Action::Drop(at) => t.dictionary_remove(class, key, column, name(at)).map(drop),
            Action::ClearDictionary => t.dictionary_clear(class, key, column),
        }
    }
}

impl Edit {
    /// Carries it out.
    pub fn carry_out(&self, t: &mut Transaction, cast: &Cast) -> Result<(), WriteError> {
        match self {
            Edit::Create(class, id) => {
                let class = cast.class(t.snapshot(), *class).ok_or(WriteError::NoSuchObject)?;
                let key = key_of(t.snapshot().schema().class(class), *id);
                t.create(class, key).map(drop)
            }
            Edit::Delete(who) => {
                let (class, key) = cast.find(t.snapshot(), who).ok_or(WriteError::NoSuchObject)?;
                t.delete(class, key)
            }
            Edit::Do(who, property, action) => {
                let (class, key) = cast.find(t.snapshot(), who).ok_or(WriteError::NoSuchObject)?;
                let schema = ClassSchema::clone(t.snapshot().schema().class(class));
                let left_alone = usize::from(cast.sense == Sense::Sensible);
                let editable = schema.properties.iter().skip(left_alone);
                let fitting: Vec<&Property> = editable.filter(|property| action.fits(property)).collect();
                let Some(property) = fitting.get(usize::from(*property) % fitting.len().max(1)) else { return Ok(()) };
                let column = schema.column(&property.name).expect("the property is one of the class");
                cast.act(t, (class, key, column), property, *action)
            }
        }
    }
}

impl Action {
    fn fits(self, property: &Property) -> bool {
        match self {
            Action::Set(_) | Action::SetDefault(_) => property.collection == Collection::None,
            Action::Increment(_) => property.kind == PropertyType::Int && property.collection == Collection::None,
            Action::Insert(..) | Action::Replace(..) | Action::Move(..) | Action::Remove(_) | Action::ClearList => {
                property.collection == Collection::List
            }
            Action::Add(_) | Action::Discard(_) | Action::ClearSet => property.collection == Collection::Set,
            Action::Put(..) | Action::Drop(_) | Action::ClearDictionary => {
                property.collection == Collection::Dictionary
            }
        }
    }
}

/// The primary key that an object with a number has, if its class has one.
fn key_of(class: &ClassSchema, id: u8) -> Option<Value> {
    Some(match class.primary_key_property()?.kind {
        PropertyType::String => Value::String(["a", "b", "c", "d"][usize::from(id)].into()),
        PropertyType::Uuid => Value::Uuid([id; 16]),
        _ => Value::Int(i64::from(id)),
    })
}

/// The embedded objects that an object owns, in the order of its properties.
fn children(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey) -> Vec<(ClassIndex, ObjectKey)> {
    let row = snapshot.table(class).row(key).expect("the object was just found");
    let mut found = Vec::new();
    for (index, property) in snapshot.schema().class(class).properties.iter().enumerate() {
        let target = property.target.as_deref().and_then(|target| snapshot.schema().class_index(target));
        if property.kind == PropertyType::Link {
            let mut visit = |target, key| found.push((target, key));
            row.value(ColumnIndex(index as u32)).each_link(target, &mut visit);
        }
    }
    found.retain(|(class, _)| snapshot.schema().class(*class).is_embedded());
    found
}

fn plain_value(snapshot: &Snapshot, property: &Property, small: i64) -> Value {
    let decimal = |text: &str| Value::Decimal(Decimal::parse(text).expect("it is a decimal"));
    match property.kind {
        PropertyType::Bool => Value::Bool(small & 1 == 1),
        PropertyType::Int => Value::Int(small),
        PropertyType::Float => Value::Float([0.0, -0.0, 1.5, f32::NAN][small as usize]),
        PropertyType::Double => Value::Double([0.0, -0.0, 1.5, f64::NAN][small as usize]),
        PropertyType::Decimal => decimal(["0", "1.50", "1.5", "NaN"][small as usize]),
        PropertyType::String => Value::String(["", "a", "b", "\u{e9}"][small as usize].into()),
        PropertyType::Data => Value::Data(vec![small as u8; small as usize]),
        PropertyType::Date => Value::Date(small - 1),
        PropertyType::ObjectId => Value::ObjectId([small as u8; 12]),
        PropertyType::Uuid => Value::Uuid([small as u8; 16]),
        PropertyType::Link => {
            let target = property.target.as_deref().and_then(|target| snapshot.schema().class_index(target));
            linked(snapshot, target, small).map_or(Value::Null, |(_, key)| Value::Link(key))
        }
        PropertyType::Mixed => Value::Null,
    }
}

fn linked(snapshot: &Snapshot, target: Option<ClassIndex>, small: i64) -> Option<(ClassIndex, ObjectKey)> {
    let target = target?;
    let key = key_of(snapshot.schema().class(target), (small % 3) as u8)?;
    Some((target, snapshot.find(target, &key)?))
}
