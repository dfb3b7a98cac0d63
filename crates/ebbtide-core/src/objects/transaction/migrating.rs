//! What only a local realm's own schema changes do: deleting classes, changing primary keys, embedding objects that stood
//! by themselves.

use std::sync::Arc;

use super::{KeyRule, Transaction, WriteContext, WriteError};
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::limits;
use crate::objects::{KeySource, Snapshot, Stamp, Table};
use crate::schema::{ClassKind, ClassSchema, Property, Schema};
use crate::value::{Value, ValueRef};

/// What becomes of objects that cannot be embedded as they are: those without an owner, and those with several.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Constraints {
    /// They are refused.
    #[default]
    Refuse,
    /// The former go, and of the latter each owner gets its own.
    Resolve,
}

impl Transaction {
    /// Begins a migration on a state that has the new schema already: primary keys may be changed, and several objects may
    /// have the same for a while.
    pub fn migrate(on: &Snapshot, context: WriteContext) -> Transaction {
        Transaction { keys: KeyRule::Free, ..Transaction::begin(on, context) }
    }

    /// The first class two objects of which have the same primary key, and the key's property. None outside a migration.
    pub fn duplicate_key(&self) -> Option<(String, String)> {
        let mut classes = self.snapshot.schema.classes.iter().zip(&self.snapshot.tables);
        let (class, _) = classes.find(|(_, table)| !table.has_distinct_keys())?;
        Some((class.name.clone(), class.primary_key_property()?.name.clone()))
    }

    /// Deletes a class of a local realm with all its objects. What is left keeps its place and can be found by no name.
    pub fn delete_class(&mut self, class: ClassIndex) -> Result<(), WriteError> {
        let schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?.clone();
        let links_here = |property: &Property| property.target.as_ref() == Some(&schema.name);
        let others = self.snapshot.schema.classes.iter().filter(|other| other.name != schema.name);
        if others.into_iter().any(|other| other.properties.iter().any(links_here)) {
            return Err(WriteError::ClassLinked { class: schema.name.clone() });
        }
        self.delete_all(class)?;
        self.settle();
        let left = ClassSchema::deleted(class);
        self.snapshot.tables[class.index()] = Arc::new(Table::new(&left));
        Arc::make_mut(&mut self.snapshot.schema).classes[class.index()] = Arc::new(left);
        Ok(())
    }

    /// Deletes all objects of a class.
    pub fn delete_all(&mut self, class: ClassIndex) -> Result<(), WriteError> {
        self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?;
        let keys: Vec<ObjectKey> = self.snapshot.table(class).keys().collect();
        for key in keys {
            // An object may have gone with another of its class.
            if self.snapshot.table(class).contains(key) {
                self.delete(class, key)?;
            }
        }
        Ok(())
    }

    /// Makes those classes embedded that are so in the wanted schema: each object must have one owner, or is given one.
    /// Says in Realm's words why that cannot be.
    pub fn embed_classes(&mut self, wanted: &Schema, constraints: Constraints) -> Result<(), String> {
        self.settle();
        for class in wanted.classes.iter().filter(|class| class.is_embedded()) {
            let Some(index) = self.snapshot.schema.class_index(&class.name) else { continue };
            if !self.snapshot.schema.class(index).is_embedded() {
                self.embed_class(index, constraints)?;
            }
        }
        for (index, class) in self.snapshot.schema.classes.iter().enumerate().filter(|(_, class)| class.is_embedded()) {
            let class_index = ClassIndex(index as u32);
            if self.snapshot.table(class_index).keys().any(|key| self.snapshot.owners(class_index, key).is_none()) {
                return Err(format!(
                    "Cannot convert '{}' to embedded: at least one object would have no owner but itself, or more than {} owners, one in another.",
                    class.name,
                    limits::EMBEDDED_DEPTH
                ));
            }
        }
        Ok(())
    }

    fn embed_class(&mut self, class: ClassIndex, constraints: Constraints) -> Result<(), String> {
        let name = self.snapshot.schema.class(class).name.clone();
        let keys: Vec<ObjectKey> = self.snapshot.table(class).keys().collect();
        for key in keys {
            let links: Vec<_> = self.snapshot.table(class).backlinks(key).collect();
            for (source, column, ..) in &links {
                let source = self.snapshot.schema.class(*source);
                let property = source.property(*column);
                if property.target.is_none() {
                    return Err(format!(
                        "Cannot convert '{name}' to embedded: there is an incoming link from the Mixed property '{}.{}', which does not support linking to embedded objects.",
                        source.name, property.name
                    ));
                }
            }
            let count: u32 = links.iter().map(|(.., count)| count).sum();
            match (count, constraints) {
                (1, _) => {}
                (0, Constraints::Refuse) => {
                    return Err(format!(
                        "Cannot convert '{name}' to embedded: at least one object has no incoming links and would be deleted."
                    ));
                }
                (_, Constraints::Refuse) => {
                    return Err(format!(
                        "Cannot convert '{name}' to embedded: at least one object has more than one incoming link."
                    ));
                }
                (0, Constraints::Resolve) => self.snapshot.remove_row(class, key),
                (_, Constraints::Resolve) => {
                    let mut is_first = true;
                    for (source, column, owner, _) in links {
                        self.divide((class, key), (source, owner, column), &mut is_first);
                    }
                }
            }
        }
        // What belonged to objects that have gone goes too.
        loop {
            let table = self.snapshot.table(class);
            let gone: Vec<ObjectKey> = table.keys().filter(|key| table.backlinks(*key).next().is_none()).collect();
            if gone.is_empty() {
                break;
            }
            gone.into_iter().for_each(|key| self.snapshot.remove_row(class, key));
        }
        let schema = Arc::make_mut(&mut self.snapshot.schema);
        Arc::make_mut(&mut schema.classes[class.index()]).kind = ClassKind::Embedded;
        Ok(())
    }

    /// Gives every link of a property to an object a copy of its own, but for the first of all.
    fn divide(
        &mut self,
        (class, key): (ClassIndex, ObjectKey),
        (source, owner, column): (ClassIndex, ObjectKey, ColumnIndex),
        is_first: &mut bool,
    ) {
        let row = self.snapshot.table(source).row(owner).expect("the source of a backlink exists");
        match row.value(column) {
            ValueRef::List(list) => {
                let places = list.linking((class, key));
                for at in places.into_iter().rev() {
                    if let Some((copy, stamp)) = self.own_copy(class, key, is_first) {
                        self.snapshot.list_set(source, owner, column, at, copy, stamp);
                    }
                }
            }
            ValueRef::Dictionary(dictionary) => {
                let names: Vec<String> = dictionary.linking((class, key)).map(|entry| entry.key.clone()).collect();
                for name in names.into_iter().rev() {
                    if let Some((copy, stamp)) = self.own_copy(class, key, is_first) {
                        self.snapshot.dictionary_set((source, owner, column), &name, copy, stamp);
                    }
                }
            }
            _ => {
                if let Some((copy, stamp)) = self.own_copy(class, key, is_first) {
                    self.snapshot.set_cell(source, owner, column, copy.as_ref(), stamp);
                }
            }
        }
    }

    fn own_copy(&mut self, class: ClassIndex, key: ObjectKey, is_first: &mut bool) -> Option<(Value, Stamp)> {
        if std::mem::replace(is_first, false) {
            return None;
        }
        Some((Value::Link(self.copy_row(class, key)), self.stamp))
    }

    /// A copy of an object, with copies of the embedded objects that it owns.
    fn copy_row(&mut self, class: ClassIndex, key: ObjectKey) -> ObjectKey {
        let mut keys = KeySource::new(self.next_key, Vec::new());
        let copy = keys.draw();
        self.next_key = keys.next();
        let schema = Arc::clone(&self.snapshot.schema.classes[class.index()]);
        self.snapshot.insert_row(class, copy, None, self.stamp);
        for column in (0..schema.properties.len()).map(|column| ColumnIndex(column as u32)) {
            let row = self.snapshot.table(class).row(key).expect("the object was just looked at");
            let (at, stamp) = ((class, copy, column), row.stamp(column));
            let owned =
                self.snapshot.link_target(class, column).filter(|to| self.snapshot.schema.class(*to).is_embedded());
            match row.value(column) {
                ValueRef::List(list) => {
                    let mut list = list.clone();
                    list.elements.change_all(|element| element.value = self.copy_owned(owned, &element.value));
                    self.snapshot.list_replace(class, copy, column, list);
                }
                ValueRef::Set(set) => {
                    let set = set.clone();
                    self.snapshot.set_replace(at, set);
                }
                ValueRef::Dictionary(dictionary) => {
                    let mut dictionary = dictionary.clone();
                    dictionary.entries.change_all(|entry| entry.value = self.copy_owned(owned, &entry.value));
                    self.snapshot.dictionary_replace(at, dictionary);
                }
                value => {
                    let value = value.to_owned();
                    let value = self.copy_owned(owned, &value);
                    self.snapshot.set_cell(class, copy, column, value.as_ref(), stamp);
                }
            }
        }
        copy
    }

    fn copy_owned(&mut self, class: Option<ClassIndex>, value: &Value) -> Value {
        match (class, value) {
            (Some(class), Value::Link(key)) => Value::Link(self.copy_row(class, *key)),
            (_, value) => value.clone(),
        }
    }
}
