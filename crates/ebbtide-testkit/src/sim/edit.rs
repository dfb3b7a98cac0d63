//! Edits of every kind, as small numbers, so that a story can be told again and made shorter.

use std::fmt;

use ebbtide_core::objects::Embedding;
use ebbtide_core::{
    ClassIndex, ClassSchema, Collection, ColumnIndex, Decimal, ObjectKey, Property, PropertyType, Snapshot,
    Transaction, Value, ValueRef, WriteError,
};

use super::random::Random;

/// An object: one that stands by itself, and steps down into embedded ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    class: u8,
    id: u8,
    down: Vec<u8>,
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

/// The classes whose objects stand by themselves and are edited.
const CLASSES: [&str; 3] = ["Thing", "Other", "Later"];
const KEYS: [&str; 3] = ["", "k", "long key"];

/// What most edits of a story are about, so that they meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Focus {
    /// Nothing: every edit is about something else.
    Nothing,
    /// One single value of one object.
    Value(u8),
    /// One list of it.
    List(u8),
    /// One set of it.
    Set(u8),
    /// One dictionary of it.
    Dictionary(u8),
    /// One embedded object of it.
    Embedded,
    /// The object itself: deleting and creating it.
    Existence,
}

impl Focus {
    /// Any focus.
    pub fn any(random: &mut Random) -> Focus {
        let property = random.below(256) as u8;
        match random.below(8) {
            0 => Focus::Nothing,
            1 => Focus::Value(property),
            2 | 3 => Focus::List(property),
            4 => Focus::Set(property),
            5 => Focus::Dictionary(property),
            6 => Focus::Embedded,
            _ => Focus::Existence,
        }
    }

    /// An edit of what the focus is on.
    fn edit(self, random: &mut Random) -> Option<Edit> {
        /// The place of the property `part` among the single values.
        const PART: u8 = 11;
        let who = || Who { class: 0, id: 0, down: Vec::new() };
        let what = random.number() as u16;
        let (at, to) = (random.below(3) as u8, random.below(3) as u8);
        let (property, action) = match self {
            Focus::Nothing => return None,
            Focus::Value(property) => (
                property,
                match random.below(4) {
                    0 => Action::SetDefault(what),
                    1 => Action::Increment(what as i8),
                    _ => Action::Set(what),
                },
            ),
            Focus::List(property) => (
                property,
                match random.below(10) {
                    0 => Action::Replace(at, what),
                    1..=3 => Action::Move(at, to),
                    4 => Action::Remove(at),
                    5 => Action::ClearList,
                    _ => Action::Insert(at, what),
                },
            ),
            Focus::Set(property) => (
                property,
                match random.below(8) {
                    0 => Action::ClearSet,
                    1..=3 => Action::Discard(what),
                    _ => Action::Add(what),
                },
            ),
            Focus::Dictionary(property) => (
                property,
                match random.below(8) {
                    0 => Action::ClearDictionary,
                    1..=3 => Action::Drop(at),
                    _ => Action::Put(at, what),
                },
            ),
            Focus::Embedded if random.once_in(2) => (PART, Action::Set(what | 1)),
            Focus::Embedded => {
                let inside = Who { down: vec![0], ..who() };
                return Some(Edit::Do(inside, random.below(3) as u8, Action::Set(what)));
            }
            Focus::Existence if random.once_in(2) => return Some(Edit::Delete(who())),
            Focus::Existence => return Some(Edit::Create(0, 0)),
        };
        Some(Edit::Do(who(), property, action))
    }
}

impl Edit {
    /// What a story begins with that is to have something to meet at.
    pub fn beginning(focus: Focus) -> Vec<Edit> {
        let mut edits = vec![Edit::Create(0, 0), Edit::Create(0, 1), Edit::Create(1, 0), Edit::Create(1, 1)];
        if let Focus::List(property) = focus {
            let insert = |what| Edit::Do(Who { class: 0, id: 0, down: Vec::new() }, property, Action::Insert(0, what));
            edits.extend([1, 17, 33].map(insert));
        }
        edits
    }

    /// Any edit; most are about what the focus is on.
    pub fn any(random: &mut Random, focus: Focus) -> Edit {
        if let Some(edit) = focus.edit(random).filter(|_| !random.once_in(4)) {
            return edit;
        }
        match random.below(20) {
            0..=3 => Edit::Create(random.below(CLASSES.len()) as u8, random.below(3) as u8),
            4 | 5 => Edit::Delete(Who::any(random)),
            _ => {
                let what = random.number() as u16;
                let (at, to) = (random.below(4) as u8, random.below(4) as u8);
                let action = match random.below(32) {
                    0..=5 => Action::Set(what),
                    6 => Action::SetDefault(what),
                    7 | 8 => Action::Increment(what as i8),
                    9..=13 => Action::Insert(at, what),
                    14 | 15 => Action::Replace(at, what),
                    16 | 17 => Action::Move(at, to),
                    18 => Action::Remove(at),
                    19 => Action::ClearList,
                    20..=23 => Action::Add(what),
                    24 | 25 => Action::Discard(what),
                    26 => Action::ClearSet,
                    27..=29 => Action::Put(at % 3, what),
                    30 => Action::Drop(at % 3),
                    _ => Action::ClearDictionary,
                };
                Edit::Do(Who::any(random), random.below(256) as u8, action)
            }
        }
    }

    /// Carries it out.
    pub fn carry_out(&self, t: &mut Transaction) -> Result<(), WriteError> {
        match self {
            Edit::Create(class, id) => {
                let class = class_of(t.snapshot(), *class).ok_or(WriteError::NoSuchObject)?;
                let key = key_of(t.snapshot().schema().class(class), *id);
                t.create(class, Some(key)).map(drop)
            }
            Edit::Delete(who) => {
                let (class, key) = who.find(t.snapshot()).ok_or(WriteError::NoSuchObject)?;
                t.delete(class, key)
            }
            Edit::Do(who, property, action) => {
                let (class, key) = who.find(t.snapshot()).ok_or(WriteError::NoSuchObject)?;
                let schema = ClassSchema::clone(t.snapshot().schema().class(class));
                let fitting: Vec<&Property> = schema.properties.iter().skip(1).filter(|p| action.fits(p)).collect();
                let Some(property) = fitting.get(usize::from(*property) % fitting.len().max(1)) else { return Ok(()) };
                let column = schema.column(&property.name).expect("the property is one of the class");
                act(t, (class, key, column), property, *action)
            }
        }
    }
}

impl Who {
    fn any(random: &mut Random) -> Who {
        let deep = [0, 0, 0, 1, 1, 2][random.below(6)];
        let down = (0..deep).map(|_| random.below(256) as u8).collect();
        Who { class: [0, 0, 0, 1, 1, 2][random.below(6)], id: random.below(3) as u8, down }
    }

    fn find(&self, snapshot: &Snapshot) -> Option<(ClassIndex, ObjectKey)> {
        let class = class_of(snapshot, self.class)?;
        let key = key_of(snapshot.schema().class(class), self.id);
        let mut at = (class, snapshot.find(class, &key)?);
        for step in &self.down {
            let below = children(snapshot, at.0, at.1);
            let Some(child) = below.get(usize::from(*step) % below.len().max(1)) else { break };
            at = *child;
        }
        Some(at)
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

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Edit::Create(class, id) => write!(f, "create {} {id}", CLASSES[usize::from(*class)]),
            Edit::Delete(who) => write!(f, "delete {who}"),
            Edit::Do(who, property, action) => write!(f, "{action:?} in property {property} of {who}"),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", CLASSES[usize::from(self.class)], self.id)?;
        self.down.iter().try_for_each(|step| write!(f, " > {step}"))
    }
}

fn class_of(snapshot: &Snapshot, class: u8) -> Option<ClassIndex> {
    snapshot.schema().class_index(CLASSES[usize::from(class)])
}

fn key_of(class: &ClassSchema, id: u8) -> Value {
    match class.primary_key_property().map(|key| key.kind) {
        Some(PropertyType::String) => Value::String(["a", "b", "c"][usize::from(id)].into()),
        Some(PropertyType::Uuid) => Value::Uuid([id; 16]),
        _ => Value::Int(i64::from(id)),
    }
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

/// A value for a property out of a small pool; links lead to objects that are there.
fn value(snapshot: &Snapshot, property: &Property, what: u16) -> Value {
    let small = i64::from(what >> 4 & 3);
    if what & 15 == 0 && property.optional {
        return Value::Null;
    }
    match property.kind {
        PropertyType::Bool => Value::Bool(small & 1 == 1),
        PropertyType::Int => Value::Int(small),
        PropertyType::Float => Value::Float([0.0, -0.0, 1.5, f32::NAN][small as usize]),
        PropertyType::Double => Value::Double([0.0, -0.0, 1.5, f64::NAN][small as usize]),
        PropertyType::Decimal => {
            Value::Decimal(Decimal::parse(["0", "1.50", "1.5", "NaN"][small as usize]).expect("they are decimals"))
        }
        PropertyType::String => Value::String(["", "a", "b", "\u{e9}"][small as usize].into()),
        PropertyType::Data => Value::Data(vec![small as u8; small as usize]),
        PropertyType::Date => Value::Date(small - 1),
        PropertyType::ObjectId => Value::ObjectId([small as u8; 12]),
        PropertyType::Uuid => Value::Uuid([small as u8; 16]),
        PropertyType::Link => {
            let target = property.target.as_deref().and_then(|target| snapshot.schema().class_index(target));
            linked(snapshot, target, small).map_or(Value::Null, |(_, key)| Value::Link(key))
        }
        PropertyType::Mixed => mixed(snapshot, what, 2),
    }
}

fn linked(snapshot: &Snapshot, target: Option<ClassIndex>, small: i64) -> Option<(ClassIndex, ObjectKey)> {
    let target = target?;
    let class = snapshot.schema().class(target);
    let key = if class.is_embedded() { None } else { snapshot.find(target, &key_of(class, (small % 3) as u8)) };
    key.map(|key| (target, key))
}

/// Any value of a mixed: each type, links to two classes, lists and dictionaries of them.
fn mixed(snapshot: &Snapshot, what: u16, nested: u8) -> Value {
    use PropertyType::{Bool, Data, Date, Decimal, Double, Float, Int, ObjectId, String, Uuid};
    const KINDS: [PropertyType; 10] = [Bool, Int, Float, Double, Decimal, String, Data, Date, ObjectId, Uuid];
    let small = i64::from(what >> 4 & 3);
    let inner = |by: u16| mixed(snapshot, (what >> 3).wrapping_add(by), nested - 1);
    let link = |class: u8| {
        let found = linked(snapshot, class_of(snapshot, class), small);
        found.map_or(Value::Null, |(class, key)| Value::TypedLink(class, key))
    };
    match usize::from(what & 15) {
        kind @ 0..=9 => {
            let plain = Property {
                name: std::string::String::new(),
                kind: KINDS[kind],
                collection: Collection::None,
                optional: false,
                target: None,
                indexed: ebbtide_core::IndexKind::None,
            };
            value(snapshot, &plain, what & !15 | 1)
        }
        10 | 11 => link(0),
        12 | 13 => link(1),
        14 if nested > 0 => Value::Array(vec![inner(10), inner(what >> 8)]),
        15 if nested > 0 => Value::Map([("a".into(), inner(12)), ("b".into(), inner(what >> 8))].into()),
        _ => Value::Null,
    }
}

fn act(
    t: &mut Transaction,
    (class, key, column): (ClassIndex, ObjectKey, ColumnIndex),
    property: &Property,
    action: Action,
) -> Result<(), WriteError> {
    let target = property.target.as_deref().and_then(|target| t.snapshot().schema().class_index(target));
    let embeds = target.is_some_and(|target| t.snapshot().schema().class(target).is_embedded());
    let of = |t: &Transaction, what: u16| value(t.snapshot(), property, what);
    let name = |key: u8| KEYS[usize::from(key)];
    let length = match t.snapshot().table(class).get(key, column) {
        Some(ValueRef::List(list)) => list.len(),
        _ => 0,
    };
    let place = |at: u8| usize::from(at) % (length + 1);
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
