//! A schema with every type in every place, and random edits of all of it.

use ebbtide_core::objects::Synced;
use ebbtide_core::replica::{LogEntry, Replica};
use ebbtide_core::{
    ClassIndex, ClassKind, ClassSchema, ClientId, Collection, ColumnIndex, Millis, ObjectKey, Property, PropertyType,
    Schema, Snapshot, ValueRef,
};
pub use ebbtide_testkit::edits::Edit;
use ebbtide_testkit::edits::{Action, Cast, Sense, Who};
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

/// What edits of a realm are about: it may lack the class of notes.
fn cast(snapshot: &Snapshot) -> Cast {
    let has_notes = snapshot.schema().class_index("Note").is_some();
    let classes = if has_notes { &["Thing", "Other", "Note"] } else { &["Thing", "Other", "Thing"] };
    Cast { classes, sense: Sense::Any }
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

/// Commits edits as one transaction, and checks what must hold after each.
pub fn write(replica: &mut Replica, now: u64, edits: &[Edit]) -> Option<LogEntry> {
    let mut transaction = replica.begin(Millis(now));
    for edit in edits {
        let before = transaction.snapshot().canonical();
        let cast = cast(transaction.snapshot());
        let done = edit.carry_out(&mut transaction, &cast);
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
