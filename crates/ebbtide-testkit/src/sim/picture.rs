//! A realm's content as text: one line an object, which a snapshot and the naive model both give.

use std::collections::BTreeMap;

use ebbtide_core::value::PrimaryKey;
use ebbtide_core::{ClassIndex, ColumnIndex, ObjectKey, Snapshot, Value, ValueRef};

/// The objects that stand by themselves, by class and primary key, each as text.
pub type Picture = BTreeMap<(String, PrimaryKey), String>;

/// What a snapshot shows.
pub fn picture(snapshot: &Snapshot) -> Picture {
    let mut picture = Picture::new();
    for (index, class) in snapshot.schema().classes.iter().enumerate().filter(|(_, class)| !class.is_embedded()) {
        let (index, key_column) = (ClassIndex(index as u32), class.primary_key.expect("synced classes have a key"));
        for row in snapshot.table(index).rows() {
            let key = PrimaryKey::from_ref(row.value(key_column)).expect("a primary key is one");
            picture.insert((class.name.clone(), key), object(snapshot, index, row.key()));
        }
    }
    picture
}

/// The first thing in which two pictures differ.
pub fn difference(left: &Picture, right: &Picture) -> Option<String> {
    for (id, text) in left {
        match right.get(id) {
            None => return Some(format!("{id:?} is missing, which is\n    {text}")),
            Some(other) if other != text => return Some(format!("{id:?} is\n    {text}\n  and\n    {other}")),
            Some(_) => {}
        }
    }
    let extra = right.iter().find(|(id, _)| !left.contains_key(*id))?;
    Some(format!("{:?} is there in addition, which is\n    {}", extra.0, extra.1))
}

fn object(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey) -> String {
    let schema = snapshot.schema().class(class);
    let row = snapshot.table(class).row(key).expect("the object is there");
    let cells = schema.properties.iter().enumerate().map(|(index, property)| {
        let target = property.target.as_deref().and_then(|target| snapshot.schema().class_index(target));
        let text = |value: ValueRef<'_>| cell(snapshot, target, value);
        let value = match row.value(ColumnIndex(index as u32)) {
            ValueRef::List(list) => list_text(list.iter().map(text)),
            ValueRef::Set(set) => set_text(set.iter().map(text).collect()),
            ValueRef::Dictionary(dictionary) => map_text(dictionary.iter().map(|(key, value)| (key, text(value)))),
            value => text(value),
        };
        (property.name.as_str(), value)
    });
    object_text(cells.collect())
}

fn cell(snapshot: &Snapshot, target: Option<ClassIndex>, value: ValueRef<'_>) -> String {
    let link = |class: ClassIndex, key: ObjectKey| {
        let name = &snapshot.schema().class(class).name;
        let primary_key = snapshot.primary_key(class, key).as_ref().and_then(PrimaryKey::from_value);
        link_text(name, &primary_key.expect("what is linked to is there"))
    };
    match (value, target) {
        (ValueRef::Link(key), Some(class)) if snapshot.schema().class(class).is_embedded() => {
            object(snapshot, class, key)
        }
        (ValueRef::Link(key), Some(class)) => link(class, key),
        (ValueRef::TypedLink(class, key), _) => link(class, key),
        (ValueRef::Array(values), _) => list_text(values.iter().map(|value| cell(snapshot, target, value.as_ref()))),
        (ValueRef::Map(values), _) => {
            map_text(values.iter().map(|(key, value)| (key.as_str(), cell(snapshot, target, value.as_ref()))))
        }
        (value, _) => plain_text(&value.to_owned()),
    }
}

pub(super) fn plain_text(value: &Value) -> String {
    match value {
        Value::Float(value) => format!("float {value} ({:x})", value.to_bits()),
        Value::Double(value) => format!("double {value} ({:x})", value.to_bits()),
        value => format!("{value:?}"),
    }
}

pub(super) fn link_text(class: &str, key: &PrimaryKey) -> String {
    format!("-> {class} {key:?}")
}

pub(super) fn list_text(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}

/// The order of a set's values is that of its links' keys, which differ between stores.
pub(super) fn set_text(mut values: Vec<String>) -> String {
    values.sort();
    format!("<{}>", values.join(", "))
}

pub(super) fn map_text<'a>(values: impl Iterator<Item = (&'a str, String)>) -> String {
    format!("{{{}}}", values.map(|(key, value)| format!("{key:?}: {value}")).collect::<Vec<_>>().join(", "))
}

pub(super) fn object_text(mut cells: Vec<(&str, String)>) -> String {
    cells.sort();
    format!("({})", cells.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join("; "))
}
