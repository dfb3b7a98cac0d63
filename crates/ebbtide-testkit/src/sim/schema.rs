//! The schema of the simulated app: every type in every place, in three versions, each of which adds to the one before.

use ebbtide_core::{ClassKind, ClassSchema, Collection, ColumnIndex, IndexKind, Property, PropertyType, Schema};

/// The class of which every transaction creates one object, so that no write can be lost unnoticed.
pub const NOTE: &str = "Note";
/// How many versions of the app there are.
pub const VERSIONS: usize = 3;
/// The property that a breaking change of the server's schema takes away.
pub const BREAKABLE: (&str, &str) = ("Other", "others");

fn property(name: &str, kind: PropertyType, collection: Collection, optional: bool) -> Property {
    Property { name: name.into(), kind, collection, optional, target: None, indexed: IndexKind::None }
}

fn link(name: &str, target: &str, collection: Collection) -> Property {
    let optional = matches!(collection, Collection::None | Collection::Dictionary);
    Property { target: Some(target.into()), ..property(name, PropertyType::Link, collection, optional) }
}

fn class(name: &str, kind: ClassKind, properties: Vec<Property>) -> ClassSchema {
    let primary_key = (kind == ClassKind::TopLevel).then_some(ColumnIndex(0));
    ClassSchema { name: name.into(), kind, primary_key, properties }
}

/// The schema of a version of the app, from 0.
pub fn schema(version: usize) -> Schema {
    use Collection::{Dictionary, List, None, Set};
    use PropertyType::{Bool, Data, Date, Decimal, Double, Float, Int, Mixed, ObjectId, String, Uuid};
    let mut thing = vec![
        property("_id", Int, None, false),
        property("count", Int, None, false),
        property("maybe", Int, None, true),
        property("name", String, None, false),
        property("float", Float, None, false),
        property("decimal", Decimal, None, true),
        property("bool", Bool, None, true),
        property("date", Date, None, true),
        property("data", Data, None, true),
        property("oid", ObjectId, None, true),
        property("mixed", Mixed, None, true),
        link("other", "Other", None),
        property("doubles", Double, List, true),
        property("mixeds", Mixed, List, true),
        link("things", "Thing", List),
        property("strings", String, Set, true),
        link("friends", "Thing", Set),
        property("bag", Mixed, Set, true),
        property("counts", Int, Dictionary, true),
        link("by_name", "Other", Dictionary),
        property("anything", Mixed, Dictionary, true),
        link("part", "Part", None),
        link("parts", "Part", List),
        link("parts_by_name", "Part", Dictionary),
    ];
    let mut part = vec![
        property("n", Int, None, false),
        property("mixed", Mixed, None, true),
        link("thing", "Thing", None),
        link("inners", "Inner", List),
    ];
    if version >= 1 {
        thing.push(property("extra", Uuid, None, true));
        thing.push(property("extras", Mixed, List, true));
    }
    if version >= 2 {
        part.push(property("words", String, Set, false));
    }
    let other = vec![
        property("_id", String, None, false),
        property("text", String, None, true),
        link("others", "Other", Set),
        link("part", "Part", None),
    ];
    let inner = vec![property("text", String, None, true), link("friends", "Other", Set)];
    let mut classes = vec![
        class("Thing", ClassKind::TopLevel, thing),
        class("Other", ClassKind::TopLevel, other),
        class("Part", ClassKind::Embedded, part),
        class("Inner", ClassKind::Embedded, inner),
        class(NOTE, ClassKind::TopLevel, vec![property("_id", Int, None, false)]),
    ];
    if version >= 1 {
        let later = vec![property("_id", Uuid, None, false), property("n", Int, None, true), link("to", "Thing", List)];
        classes.push(class("Later", ClassKind::TopLevel, later));
    }
    Schema::of(classes)
}
