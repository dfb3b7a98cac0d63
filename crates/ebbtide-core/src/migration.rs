//! The migration of a local realm: the same objects under another schema.
//!
//! Positions of classes and properties are append-only while a log refers to a snapshot; a migration may move them,
//! because what it gives is written as a whole and begins a log of its own.

use std::sync::Arc;

use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::objects::{Column, Group, Page, Snapshot, Stamp, Table};
use crate::schema::{ClassKind, ClassSchema, Collection, Property, Schema, SchemaConflict};
use crate::value::{Value, ValueRef};

/// What in a change from one schema to another takes a migration, one sentence each: by class name, and in a class first
/// what becomes of the properties that are there. Classes and indexes may come and go without one.
pub fn reasons(stored: &Schema, wanted: &Schema) -> Vec<String> {
    let mut classes: Vec<&ClassSchema> = wanted.classes.iter().map(|class| &**class).collect();
    classes.sort_by(|a, b| a.name.cmp(&b.name));
    let mut reasons = Vec::new();
    for class in classes {
        let Some(index) = stored.class_index(&class.name) else { continue };
        class_reasons(stored.class(index), class, &mut reasons);
    }
    reasons
}

/// The objects of a snapshot under another schema. Classes that it lacks stay as they are. Of a class in both, a property
/// that it lacks goes; one of another type begins anew; one that was optional and is required has its type's zero where
/// it was null. Pages of classes that stay the same are shared.
pub fn reshape(from: &Snapshot, wanted: &Schema) -> Snapshot {
    let mut to = from.clone();
    let mut schema = Schema::default();
    let mut is_moved = false;
    for (index, stored) in from.schema().classes.iter().enumerate() {
        let Some(class) = wanted.class_index(&stored.name).map(|index| wanted.class(index)) else {
            schema.classes.push(Arc::clone(stored));
            continue;
        };
        // Whether objects can be embedded is seen when the app has had its say.
        let kind = if stored.is_embedded() { class.kind } else { ClassKind::TopLevel };
        let class = &ClassSchema { kind, ..class.clone() };
        let plan = Plan::new(stored, class);
        if !plan.keeps_rows(stored) {
            let table = from.table(ClassIndex(index as u32));
            let groups = table.groups().values().map(|group| Arc::new(plan.group(group))).collect();
            to.tables[index] = Arc::new(Table::from_groups(&plan.class, groups, table.tombstones.clone()));
            is_moved = true;
        }
        schema.classes.push(Arc::new(plan.class));
    }
    to.schema = Arc::new(schema);
    for class in &wanted.classes {
        if from.schema().class_index(&class.name).is_none() {
            to.add_class(ClassSchema::clone(class));
        }
    }
    if is_moved {
        to.index_backlinks();
        remove_orphans(&mut to);
    }
    to
}

/// Embedded objects go with the property that held them.
fn remove_orphans(snapshot: &mut Snapshot) {
    for index in (0..snapshot.tables.len()).map(|index| ClassIndex(index as u32)) {
        if !snapshot.schema().class(index).is_embedded() {
            continue;
        }
        let table = snapshot.table(index);
        let orphans: Vec<ObjectKey> = table.keys().filter(|key| table.backlinks(*key).next().is_none()).collect();
        for key in orphans {
            if snapshot.table(index).contains(key) {
                snapshot.remove_row(index, key);
            }
        }
    }
    snapshot.settle();
}

/// Where the columns of a reshaped class come from.
struct Plan {
    class: ClassSchema,
    sources: Vec<Source>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// It is there; null stays null.
    Kept(ColumnIndex),
    /// It is there, and what is null gets a value.
    Filled(ColumnIndex),
    /// It begins anew.
    New,
}

impl Plan {
    /// What is there keeps its order; what is added follows.
    fn new(stored: &ClassSchema, wanted: &ClassSchema) -> Plan {
        let mut properties = Vec::with_capacity(wanted.properties.len());
        let mut sources = Vec::with_capacity(wanted.properties.len());
        for (index, before) in stored.properties.iter().enumerate() {
            let Some(after) = wanted.column(&before.name).map(|column| wanted.property(column)) else { continue };
            let column = ColumnIndex(index as u32);
            sources.push(match (has_same_type(before, after), before.optional && !after.optional) {
                (false, _) => Source::New,
                (true, true) => Source::Filled(column),
                (true, false) => Source::Kept(column),
            });
            properties.push(after.clone());
        }
        for property in &wanted.properties {
            if stored.column(&property.name).is_none() {
                sources.push(Source::New);
                properties.push(property.clone());
            }
        }
        let key = wanted.primary_key_property().map(|key| key.name.clone());
        let primary_key = key.and_then(|key| properties.iter().position(|property| property.name == key));
        let primary_key = primary_key.map(|position| ColumnIndex(position as u32));
        Plan { class: ClassSchema { properties, primary_key, ..wanted.clone() }, sources }
    }

    /// Whether the rows stay as they are.
    fn keeps_rows(&self, stored: &ClassSchema) -> bool {
        let in_place = |(index, source): (usize, &Source)| *source == Source::Kept(ColumnIndex(index as u32));
        self.sources.len() == stored.properties.len()
            && self.sources.iter().enumerate().all(in_place)
            && self.class.primary_key == stored.primary_key
    }

    fn group(&self, group: &Group) -> Group {
        Group::of(group.pages().map(|page| Arc::new(self.page(page))).collect())
    }

    fn page(&self, page: &Page) -> Page {
        let columns = self.class.properties.iter().zip(&self.sources).map(|(property, source)| match source {
            Source::Kept(column) => Arc::clone(&page.columns[column.index()]),
            Source::Filled(column) => Arc::new(filled(page.column(*column), property, &page.stamps)),
            Source::New => Arc::new(unset(property, &page.stamps)),
        });
        Page::of(page.keys.clone(), page.stamps.clone(), columns.collect())
    }
}

/// A column whose values nobody has set.
fn unset(property: &Property, stamps: &[Stamp]) -> Column {
    let mut column = Column::new(property);
    for (row, stamp) in stamps.iter().enumerate() {
        column.insert(row, !property.optional, *stamp);
    }
    column
}

/// A column with the type's zero in the place of every null.
fn filled(column: &Column, property: &Property, stamps: &[Stamp]) -> Column {
    let mut filled = column.clone();
    let zero = zero(property);
    for (row, stamp) in stamps.iter().enumerate() {
        match column.value(row) {
            ValueRef::Null => {
                filled.set_value(row, zero.as_ref());
                filled.set_stamp(row, Stamp::UNSET, stamps);
            }
            ValueRef::Set(set) if set.contains(ValueRef::Null) => {
                let set = filled.set_mut(row);
                set.remove(ValueRef::Null, None);
                set.insert(zero.clone(), *stamp);
            }
            ValueRef::Dictionary(dictionary) if dictionary.iter().any(|(_, value)| is_null(value)) => {
                filled.dictionary_mut(row).entries.change_all(|entry| {
                    if entry.value == Value::Null {
                        entry.value = zero.clone();
                    }
                });
            }
            ValueRef::List(list) if list.iter().any(is_null) => {
                filled.list_mut(row).elements.change_all(|element| {
                    if element.value == Value::Null {
                        element.value = zero.clone();
                    }
                });
            }
            _ => {}
        }
    }
    filled
}

fn is_null(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Null)
}

/// What a required value of a type is before anybody sets it.
fn zero(property: &Property) -> Value {
    let one = Property { collection: Collection::None, optional: false, ..property.clone() };
    unset(&one, &[Stamp::UNSET]).value(0).to_owned()
}

fn has_same_type(a: &Property, b: &Property) -> bool {
    (a.kind, a.collection, &a.target) == (b.kind, b.collection, &b.target)
}

fn class_reasons(stored: &ClassSchema, wanted: &ClassSchema, reasons: &mut Vec<String>) {
    let class = &stored.name;
    if stored.kind != wanted.kind {
        reasons.push(SchemaConflict::KindChanged { class: class.clone(), to: wanted.kind }.to_string());
    }
    for before in &stored.properties {
        let property = &before.name;
        let Some(after) = wanted.column(property).map(|column| wanted.property(column)) else {
            reasons.push(format!("Property '{class}.{property}' has been removed."));
            continue;
        };
        if !has_same_type(before, after) {
            let (from, to) = (before.type_words(), after.type_words());
            reasons.push(format!("Property '{class}.{property}' has been changed from '{from}' to '{to}'."));
        } else if before.optional != after.optional {
            let now = if after.optional { "optional" } else { "required" };
            reasons.push(format!("Property '{class}.{property}' has been made {now}."));
        }
    }
    for property in wanted.properties.iter().filter(|property| stored.column(&property.name).is_none()) {
        reasons.push(format!("Property '{class}.{}' has been added.", property.name));
    }
    let key = |class: &ClassSchema| class.primary_key_property().map_or(String::new(), |key| key.name.clone());
    if key(stored) != key(wanted) {
        let change = SchemaConflict::PrimaryKeyChanged { class: class.clone(), from: key(stored), to: key(wanted) };
        reasons.push(change.to_string());
    }
}

#[cfg(test)]
mod tests;
