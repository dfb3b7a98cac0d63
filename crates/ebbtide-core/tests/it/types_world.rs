//! A schema with every type in every place, and random edits of all of it.

use ebbtide_core::objects::{Embedding, Synced};
use ebbtide_core::replica::{LogEntry, Replica};
use ebbtide_core::{
    ClassIndex, ClassKind, ClassSchema, ClientId, Collection, ColumnIndex, Decimal, Millis, ObjectKey, Property,
    PropertyType, Schema, Snapshot, Transaction, Value, ValueRef, WriteError,
};
use proptest::prelude::*;

use crate::world::{link, property};

pub const THING: ClassIndex = ClassIndex(0);
pub const OTHER: ClassIndex = ClassIndex(1);
pub const PART: ClassIndex = ClassIndex(2);
pub const INNER: ClassIndex = ClassIndex(3);
pub const NOTE: ClassIndex = ClassIndex(4);

/// The column of a property.
pub fn column(class: ClassIndex, name: &str) -> ColumnIndex {
    with_notes().class(class).column(name).unwrap_or_else(|| panic!("no property {name}"))
}

pub fn many(collection: Collection, property: Property) -> Property {
    Property { collection, ..property }
}

fn class(name: &str, kind: ClassKind, properties: Vec<Property>) -> ClassSchema {
    let primary_key = (properties[0].name == "_id").then_some(ColumnIndex(0));
    ClassSchema { name: name.into(), kind, primary_key, properties }
}

fn links(name: &str, target: &str, collection: Collection) -> Property {
    Property { optional: collection == Collection::Dictionary, ..link(name, target, collection) }
}

/// What a synced realm may have.
pub fn schema() -> Schema {
    use Collection::{Dictionary, List, None, Set};
    use PropertyType::{Bool, Data, Date, Decimal, Double, Float, Int, Mixed, ObjectId, String, Uuid};
    let mixed = |name: &str| property(name, Mixed, true);
    Schema::of([
        class(
            "Thing",
            ClassKind::TopLevel,
            vec![
                property("_id", Int, false),
                property("count", Int, false),
                property("maybe", Int, true),
                property("float", Float, false),
                property("decimal", Decimal, true),
                property("bool", Bool, true),
                property("date", Date, true),
                property("data", Data, true),
                property("oid", ObjectId, true),
                property("uuid", Uuid, false),
                mixed("mixed"),
                link("other", "Other", None),
                many(List, property("doubles", Double, true)),
                many(List, property("decimals", Decimal, false)),
                many(List, mixed("mixeds")),
                links("things", "Thing", List),
                many(Set, property("ints", Int, false)),
                many(Set, property("strings", String, true)),
                links("friends", "Thing", Set),
                many(Set, mixed("bag")),
                many(Dictionary, property("counts", Int, true)),
                many(Dictionary, property("floats", Float, false)),
                links("by_name", "Other", Dictionary),
                many(Dictionary, mixed("anything")),
                link("part", "Part", None),
                links("parts", "Part", List),
                links("parts_by_name", "Part", Dictionary),
            ],
        ),
        class(
            "Other",
            ClassKind::TopLevel,
            vec![
                property("_id", Int, false),
                mixed("mixed"),
                links("others", "Other", Set),
                link("part", "Part", None),
            ],
        ),
        class(
            "Part",
            ClassKind::Embedded,
            vec![
                property("n", Int, false),
                mixed("mixed"),
                link("thing", "Thing", None),
                link("part", "Part", None),
                links("inners", "Inner", List),
            ],
        ),
        class(
            "Inner",
            ClassKind::Embedded,
            vec![
                property("text", String, true),
                many(Set, mixed("bag")),
                links("friends", "Other", Set),
                links("inners", "Inner", Dictionary),
            ],
        ),
    ])
}

/// And with a class without primary key, which only a local realm may have.
pub fn with_notes() -> Schema {
    let mut schema = schema();
    let note = vec![
        property("text", PropertyType::String, true),
        link("next", "Note", Collection::None),
        link("part", "Part", Collection::None),
        many(Collection::Set, property("bag", PropertyType::Mixed, true)),
    ];
    schema.classes.push(class("Note", ClassKind::TopLevel, note).into());
    schema
}

/// An object: one that stands by itself, and steps down into embedded ones.
#[derive(Clone, Debug)]
pub struct Who {
    pub class: u8,
    pub id: u8,
    pub down: Vec<u8>,
}

/// What is done to one of the properties to which it can be done.
#[derive(Clone, Debug)]
pub enum Action {
    Set(u16),
    SetDefault(u16),
    Increment(i8),
    Insert(u8, u16),
    Replace(u8, u16),
    Move(u8, u8),
    Remove(u8),
    ClearList,
    Add(u16),
    Discard(u16),
    ClearSet,
    Put(u8, u16),
    Drop(u8),
    ClearDictionary,
}

/// One edit; one that makes no sense on a state is refused and changes nothing.
#[derive(Clone, Debug)]
pub enum Edit {
    Create(u8, u8),
    Delete(Who),
    Do(Who, u8, Action),
}

pub fn edit() -> impl Strategy<Value = Edit> {
    let who = (0u8..3, 0u8..4, prop_oneof![
        3 => Just(Vec::new()), 3 => prop::collection::vec(any::<u8>(), 1..2), 2 => prop::collection::vec(any::<u8>(), 2..5)
    ])
        .prop_map(|(class, id, down)| Who { class, id, down });
    let action = prop_oneof![
        6 => any::<u16>().prop_map(Action::Set),
        1 => any::<u16>().prop_map(Action::SetDefault),
        2 => any::<i8>().prop_map(Action::Increment),
        6 => (0u8..4, any::<u16>()).prop_map(|(at, what)| Action::Insert(at, what)),
        2 => (0u8..4, any::<u16>()).prop_map(|(at, what)| Action::Replace(at, what)),
        2 => (0u8..4, 0u8..4).prop_map(|(from, to)| Action::Move(from, to)),
        2 => (0u8..4).prop_map(Action::Remove),
        1 => Just(Action::ClearList),
        6 => any::<u16>().prop_map(Action::Add),
        3 => any::<u16>().prop_map(Action::Discard),
        1 => Just(Action::ClearSet),
        6 => (0u8..3, any::<u16>()).prop_map(|(key, what)| Action::Put(key, what)),
        2 => (0u8..3).prop_map(Action::Drop),
        1 => Just(Action::ClearDictionary),
    ];
    prop_oneof![
        3 => (0u8..3, 0u8..4).prop_map(|(class, id)| Edit::Create(class, id)),
        2 => who.clone().prop_map(Edit::Delete),
        14 => (who, any::<u8>(), action).prop_map(|(who, column, action)| Edit::Do(who, column, action)),
    ]
}

/// The embedded objects that an object owns, in the order of its properties.
pub fn children(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey) -> Vec<(ClassIndex, ObjectKey)> {
    let row = snapshot.table(class).row(key).unwrap();
    let mut found = Vec::new();
    for (index, property) in snapshot.schema().class(class).properties.iter().enumerate() {
        let target = property.target.as_deref().and_then(|target| snapshot.schema().class_index(target));
        if property.kind == PropertyType::Link {
            row.value(ColumnIndex(index as u32)).each_link(target, &mut |target, key| found.push((target, key)));
        }
    }
    found.retain(|(class, _)| snapshot.schema().class(*class).is_embedded());
    found
}

pub fn find(snapshot: &Snapshot, who: &Who) -> Option<(ClassIndex, ObjectKey)> {
    let class = top_level(snapshot, who.class);
    let mut at = match snapshot.schema().class(class).primary_key {
        Some(_) => (class, snapshot.find(class, &Value::Int(i64::from(who.id)))?),
        None => (class, snapshot.table(class).keys().nth(usize::from(who.id))?),
    };
    for step in &who.down {
        let below = children(snapshot, at.0, at.1);
        let Some(child) = below.get(usize::from(*step) % below.len().max(1)) else { break };
        at = *child;
    }
    Some(at)
}

fn top_level(snapshot: &Snapshot, class: u8) -> ClassIndex {
    let all = [THING, OTHER, NOTE];
    all[usize::from(class) % (snapshot.schema().classes.len() - 2)]
}

/// A value for a property out of a small pool; links lead to objects that are there.
pub fn value(snapshot: &Snapshot, property: &Property, what: u16) -> Value {
    let small = i64::from(what >> 4 & 3);
    let link = |class: ClassIndex| snapshot.find(class, &Value::Int(small));
    if what & 15 == 0 && property.optional {
        return Value::Null;
    }
    match property.kind {
        PropertyType::Bool => Value::Bool(small & 1 == 1),
        PropertyType::Int => Value::Int(small),
        PropertyType::Float => Value::Float([0.0, -0.0, 1.5, f32::NAN][small as usize]),
        PropertyType::Double => Value::Double([0.0, -0.0, 1.5, f64::NAN][small as usize]),
        PropertyType::Decimal => Value::Decimal(Decimal::parse(["0", "1.50", "1.5", "NaN"][small as usize]).unwrap()),
        PropertyType::String => Value::String(["", "a", "b", "\u{e9}"][small as usize].into()),
        PropertyType::Data => Value::Data(vec![small as u8; small as usize]),
        PropertyType::Date => Value::Date(small - 1),
        PropertyType::ObjectId => Value::ObjectId([small as u8; 12]),
        PropertyType::Uuid => Value::Uuid([small as u8; 16]),
        PropertyType::Link => {
            let target = snapshot.schema().class_index(property.target.as_deref().unwrap()).unwrap();
            link(target).map_or(Value::Null, Value::Link)
        }
        PropertyType::Mixed => mixed(snapshot, what, 2),
    }
}

/// Any value of a mixed: each type, links to both classes, lists and dictionaries of them.
fn mixed(snapshot: &Snapshot, what: u16, nested: u8) -> Value {
    let kinds = [
        PropertyType::Bool,
        PropertyType::Int,
        PropertyType::Float,
        PropertyType::Double,
        PropertyType::Decimal,
        PropertyType::String,
        PropertyType::Data,
        PropertyType::Date,
        PropertyType::ObjectId,
        PropertyType::Uuid,
    ];
    let kind = usize::from(what & 15);
    let small = i64::from(what >> 4 & 3);
    let inner = |by: u16| mixed(snapshot, (what >> 3).wrapping_add(by), nested - 1);
    let link = |class: ClassIndex| {
        snapshot.find(class, &Value::Int(small)).map_or(Value::Null, |key| Value::TypedLink(class, key))
    };
    match kind {
        0..=9 => value(snapshot, &property("", kinds[kind], false), what & !15 | 1),
        10 | 11 => link(THING),
        12 | 13 => link(OTHER),
        14 if nested > 0 => Value::Array(vec![inner(10), inner(what >> 8)]),
        15 if nested > 0 => Value::Map([("a".into(), inner(12)), ("b".into(), inner(what >> 8))].into()),
        _ => Value::Null,
    }
}

/// Carries an edit out.
pub fn carry_out(t: &mut Transaction, edit: &Edit) -> Result<(), WriteError> {
    match edit {
        Edit::Create(class, id) => {
            let class = top_level(t.snapshot(), *class);
            let key = t.snapshot().schema().class(class).primary_key.map(|_| Value::Int(i64::from(*id)));
            t.create(class, key).map(drop)
        }
        Edit::Delete(who) => {
            let (class, key) = find(t.snapshot(), who).ok_or(WriteError::NoSuchObject)?;
            t.delete(class, key)
        }
        Edit::Do(who, column, action) => {
            let (class, key) = find(t.snapshot(), who).ok_or(WriteError::NoSuchObject)?;
            let schema = ClassSchema::clone(t.snapshot().schema().class(class));
            let fits = |property: &&Property| match action {
                Action::Set(_) | Action::SetDefault(_) => property.collection == Collection::None,
                Action::Increment(_) => property.kind == PropertyType::Int && property.collection == Collection::None,
                Action::Insert(..) | Action::Replace(..) | Action::Move(..) | Action::Remove(_) | Action::ClearList => {
                    property.collection == Collection::List
                }
                Action::Add(_) | Action::Discard(_) | Action::ClearSet => property.collection == Collection::Set,
                Action::Put(..) | Action::Drop(_) | Action::ClearDictionary => {
                    property.collection == Collection::Dictionary
                }
            };
            let fitting: Vec<&Property> = schema.properties.iter().filter(fits).collect();
            let Some(property) = fitting.get(usize::from(*column) % fitting.len().max(1)) else { return Ok(()) };
            act(t, (class, key, schema.column(&property.name).unwrap()), property, action)
        }
    }
}

fn act(
    t: &mut Transaction,
    (class, key, column): (ClassIndex, ObjectKey, ColumnIndex),
    property: &Property,
    action: &Action,
) -> Result<(), WriteError> {
    let target = property.target.as_deref().and_then(|target| t.snapshot().schema().class_index(target));
    let embeds = target.is_some_and(|target| t.snapshot().schema().class(target).is_embedded());
    let of = |t: &Transaction, what: u16| value(t.snapshot(), property, what);
    let name = |key: u8| ["", "k", "long key"][usize::from(key)];
    let mut embed = |at: Embedding<'_>| t.embed(class, key, column, at).map(drop);
    match *action {
        Action::Set(what) if embeds && what & 3 != 0 => embed(Embedding::Property),
        Action::Set(_) if embeds => t.set(class, key, column, Value::Null),
        Action::Set(what) => t.set(class, key, column, of(t, what)),
        Action::SetDefault(_) if embeds => Ok(()),
        Action::SetDefault(what) => t.set_default(class, key, column, of(t, what)),
        Action::Increment(by) => t.increment(class, key, column, i64::from(by)),
        Action::Insert(at, _) if embeds => embed(Embedding::Insert(usize::from(at))),
        Action::Insert(at, what) => t.list_insert(class, key, column, usize::from(at), of(t, what)),
        Action::Replace(at, _) if embeds => embed(Embedding::Replace(usize::from(at))),
        Action::Replace(at, what) => t.list_set(class, key, column, usize::from(at), of(t, what)),
        Action::Move(from, to) => t.list_move(class, key, column, usize::from(from), usize::from(to)),
        Action::Remove(at) => t.list_remove(class, key, column, usize::from(at)),
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

/// Commits edits as one transaction, and checks what must hold after each.
pub fn write(replica: &mut Replica, now: u64, edits: &[Edit]) -> Option<LogEntry> {
    let mut transaction = replica.begin(Millis(now));
    for edit in edits {
        let before = transaction.snapshot().canonical();
        let done = carry_out(&mut transaction, edit);
        transaction.snapshot().audit().unwrap_or_else(|what| panic!("{what} after {edit:?}"));
        assert!(done.is_ok() || transaction.snapshot().canonical() == before, "what is refused changes nothing");
    }
    replica.commit(transaction).unwrap();
    crate::world::log(replica)
}

pub fn replica(client: u8) -> Replica {
    Replica::new(&schema(), 0, ClientId([client; 16]), Synced::Yes)
}

/// A realm of its own, with a class without primary key.
pub fn local() -> Replica {
    Replica::new(&with_notes(), 0, ClientId([1; 16]), Synced::No)
}

/// The embedded objects of a state: where each is, who made it when, and its key.
pub fn embedded(snapshot: &Snapshot) -> Vec<(String, ObjectKey)> {
    fn walk(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey, path: &str, out: &mut Vec<(String, ObjectKey)>) {
        let schema = snapshot.schema().class(class);
        let row = snapshot.table(class).row(key).unwrap();
        let mut step = |slot: String, target: ClassIndex, value: ValueRef<'_>| {
            if let ValueRef::Link(child) = value {
                let created = snapshot.table(target).row(child).unwrap().created();
                let author = snapshot.authors().id(created.author);
                let path = format!("{path}/{slot}@{}:{author}", created.time.0);
                walk(snapshot, target, child, &path, out);
                out.push((path, child));
            }
        };
        for (index, property) in schema.properties.iter().enumerate() {
            let target = property.target.as_deref().and_then(|target| snapshot.schema().class_index(target));
            let Some(target) = target.filter(|target| snapshot.schema().class(*target).is_embedded()) else { continue };
            let name = &property.name;
            match row.value(ColumnIndex(index as u32)) {
                ValueRef::List(list) => list.elements().iter().for_each(|element| {
                    let author = snapshot.authors().id(element.id.author);
                    let slot = format!("{name}[{author}:{}]", element.id.sequence);
                    step(slot, target, element.value.as_ref());
                }),
                ValueRef::Dictionary(dictionary) => {
                    dictionary.iter().for_each(|(key, value)| step(format!("{name}[{key:?}]"), target, value));
                }
                value => step(name.clone(), target, value),
            }
        }
    }
    let mut out = Vec::new();
    for (index, class) in snapshot.schema().classes.iter().enumerate().filter(|(_, class)| !class.is_embedded()) {
        let class_index = ClassIndex(index as u32);
        for key in snapshot.table(class_index).keys() {
            let id = snapshot.primary_key(class_index, key);
            walk(snapshot, class_index, key, &format!("{} {id:?}", class.name), &mut out);
        }
    }
    out.sort();
    out
}

/// Checks that the embedded objects that are in both states have the same keys.
pub fn check_same_keys(before: &Snapshot, after: &Snapshot) {
    let earlier: std::collections::BTreeMap<_, _> = embedded(before).into_iter().collect();
    for (path, key) in embedded(after) {
        if let Some(known) = earlier.get(&path) {
            assert_eq!(*known, key, "{path}");
        }
    }
}
