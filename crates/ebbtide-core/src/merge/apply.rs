//! Applies the instructions of a changeset one by one.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{place, position_after};
use crate::changeset::{Changeset, ElementRef, Field, Instruction, NameIndex, ObjectId, ObjectRef, Operand};
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey, ServerVersion};
use crate::objects::{Element, ElementId, KeySource, List, Snapshot, Stamp, Tombstone};
use crate::schema::{ClassSchema, Collection, Property};
use crate::value::{PrimaryKey, Value};

/// Applies a changeset. `at` is its place in the server's history: [`ServerVersion::PENDING`] for one that the server has
/// not ordered yet, zero in a local realm, which keeps no tombstones.
pub fn apply(snapshot: &mut Snapshot, changeset: &Changeset, at: ServerVersion, keys: &mut KeySource<'_>) {
    let author = snapshot.author(changeset.client);
    let stamp = Stamp { time: changeset.time, author };
    let mut applier = Applier { snapshot, changeset, at, keys, stamp, columns: BTreeMap::new() };
    for instruction in changeset.instructions() {
        applier.apply(instruction);
    }
}

struct Applier<'a, 'k> {
    snapshot: &'a mut Snapshot,
    changeset: &'a Changeset,
    at: ServerVersion,
    keys: &'a mut KeySource<'k>,
    stamp: Stamp,
    columns: BTreeMap<(ClassIndex, NameIndex), ColumnIndex>,
}

/// An object's list property that exists.
struct Place {
    class: ClassIndex,
    key: ObjectKey,
    column: ColumnIndex,
}

impl Applier<'_, '_> {
    fn apply(&mut self, instruction: Instruction) {
        match instruction {
            Instruction::AddClass(class) => self.add_class(class),
            Instruction::AddProperty { class, property } => self.add_property(class, property),
            Instruction::CreateObject { object, fields } => self.create(&object, &fields),
            Instruction::DeleteObject { object } => self.delete(object),
            Instruction::Set { object, field } => {
                if let Some((class, key)) = self.find(&object) {
                    self.set(class, key, &field);
                }
            }
            Instruction::ListInsert { object, property, sequence, after, index, operand } => {
                if let Some(place) = self.list(&object, property) {
                    self.list_insert(&place, sequence, after, index as usize, &operand);
                }
            }
            Instruction::ListSet { object, property, element, operand } => {
                if let Some(place) = self.list(&object, property) {
                    self.list_set(&place, element, &operand);
                }
            }
            Instruction::ListMove { object, property, element, after, index } => {
                if let Some(place) = self.list(&object, property) {
                    self.list_move(&place, element, after, index as usize);
                }
            }
            Instruction::ListRemove { object, property, element } => {
                if let Some(place) = self.list(&object, property) {
                    self.list_remove(&place, element);
                }
            }
            Instruction::ListClear { object, property, elements } => {
                if let Some(place) = self.list(&object, property) {
                    self.list_clear(&place, &elements);
                }
            }
        }
    }

    /// Adds a class, or to the class of that name the properties it lacks.
    fn add_class(&mut self, class: ClassSchema) {
        let Some(index) = self.snapshot.schema().class_index(&class.name) else {
            self.snapshot.add_class(class);
            return;
        };
        for property in class.properties {
            if self.snapshot.schema().class(index).column(&property.name).is_none() {
                self.snapshot.add_property(index, property);
            }
        }
    }

    fn add_property(&mut self, class: NameIndex, property: Property) {
        let Some(index) = self.class(class) else { return };
        if self.snapshot.schema().class(index).column(&property.name).is_none() {
            self.snapshot.add_property(index, property);
        }
    }

    fn create(&mut self, object: &ObjectRef, fields: &[Field]) {
        let Some(class) = self.class(object.class) else { return };
        let schema = self.snapshot.schema().class(class);
        let key = match (&object.id, schema.primary_key_property()) {
            (ObjectId::Primary(primary_key), Some(property)) => {
                if !crate::objects::Transaction::accepts_key(property, primary_key)
                    || self.is_buried(class, primary_key)
                {
                    return;
                }
                match self.snapshot.table(class).find_key(primary_key) {
                    Some(key) => key,
                    None => {
                        let key = self.keys.key_for(&schema.name, primary_key);
                        self.snapshot.unbury(class, primary_key);
                        self.snapshot.insert_row(class, key, Some(primary_key.clone()), self.stamp);
                        key
                    }
                }
            }
            // Keys are names within one store only: what comes from a server cannot use them.
            (ObjectId::Local(key), None) if self.at == ServerVersion(0) && (1..u64::MAX).contains(&key.0) => {
                if !self.snapshot.table(class).contains(*key) {
                    self.keys.reserve(*key);
                    self.snapshot.insert_row(class, *key, None, self.stamp);
                }
                *key
            }
            _ => return,
        };
        for field in fields {
            self.set(class, key, field);
        }
    }

    /// Whether the object was deleted by somebody whose deletion the author of this changeset had not seen.
    fn is_buried(&self, class: ClassIndex, primary_key: &PrimaryKey) -> bool {
        self.snapshot.table(class).tombstone(primary_key).is_some_and(|tombstone| {
            let seen = tombstone.version <= self.changeset.base;
            let own = self.snapshot.authors().id(tombstone.author) == self.changeset.client
                && tombstone.number <= self.changeset.number;
            !seen && !own
        })
    }

    fn delete(&mut self, object: ObjectRef) {
        let Some(class) = self.class(object.class) else { return };
        if let Some(key) = self.key(class, &object.id) {
            self.snapshot.remove_row(class, key);
        }
        if let ObjectId::Primary(primary_key) = object.id
            && self.at != ServerVersion(0)
        {
            let number = self.changeset.number;
            self.snapshot.bury(class, primary_key, Tombstone { version: self.at, author: self.stamp.author, number });
        }
    }

    fn set(&mut self, class: ClassIndex, key: ObjectKey, field: &Field) {
        let Some(column) = self.column(class, field.property) else { return };
        let schema = self.snapshot.schema().class(class);
        if schema.primary_key == Some(column) || schema.property(column).collection != Collection::None {
            return;
        }
        let row = self.snapshot.table(class).row(key).expect("the object was just found");
        let current = row.stamp(column);
        let stamp = if field.is_default { Stamp::UNSET } else { self.stamp };
        if self.snapshot.later(current, stamp) {
            return;
        }
        if let Some(value) = self.value(class, column, &field.operand) {
            self.snapshot.set_cell(class, key, column, &value, stamp);
        }
    }

    fn list_insert(&mut self, at: &Place, sequence: u64, after: Option<ElementRef>, index: usize, operand: &Operand) {
        let id = ElementId { author: self.stamp.author, sequence };
        let Some(value) = self.value(at.class, at.column, operand) else { return };
        let list = self.snapshot.list(at.class, at.key, at.column).expect("the list was just found");
        let gone_link = value.is_null() && matches!(operand, Operand::Link(_));
        if list.position(id).is_some() || gone_link || list.len() >= crate::limits::LIST_ELEMENTS {
            return;
        }
        let after = after.map(|after| self.element(after));
        let element =
            Element { id, after: after.flatten(), placed: self.stamp, version: self.at, stamp: self.stamp, value };
        let index = place(self.snapshot, list, &element, position_after(list, after, index), self.changeset.base);
        self.snapshot.list_insert(at.class, at.key, at.column, index, element);
    }

    fn list_set(&mut self, at: &Place, element: ElementRef, operand: &Operand) {
        let Some(index) = self.position(at, element) else { return };
        let list = self.snapshot.list(at.class, at.key, at.column).expect("the list was just found");
        if self.snapshot.later(list.elements()[index].stamp, self.stamp) {
            return;
        }
        let Some(value) = self.value(at.class, at.column, operand) else { return };
        if value.is_null() && matches!(operand, Operand::Link(_)) {
            self.snapshot.list_remove(at.class, at.key, at.column, index);
        } else {
            self.snapshot.list_set(at.class, at.key, at.column, index, value, self.stamp);
        }
    }

    fn list_move(&mut self, at: &Place, element: ElementRef, after: Option<ElementRef>, index: usize) {
        let Some(from) = self.position(at, element) else { return };
        let list = self.snapshot.list(at.class, at.key, at.column).expect("the list was just found");
        if self.snapshot.later(list.elements()[from].placed, self.stamp) {
            return;
        }
        let after = after.map(|after| self.element(after));
        let to = position_after(list, after, index);
        let to = if to > from { to - 1 } else { to };
        let placed = (after.flatten(), self.stamp, self.at);
        self.snapshot.list_move(at.class, at.key, at.column, from, to.min(list.len() - 1), placed);
    }

    fn list_remove(&mut self, at: &Place, element: ElementRef) {
        if let Some(index) = self.position(at, element) {
            self.snapshot.list_remove(at.class, at.key, at.column, index);
        }
    }

    /// Removes all at once: one by one, each would move all that stand behind it.
    fn list_clear(&mut self, at: &Place, elements: &[ElementRef]) {
        let gone: BTreeSet<ElementId> = elements.iter().filter_map(|element| self.element(*element)).collect();
        let list = self.snapshot.list(at.class, at.key, at.column).expect("the list was just found");
        let left: Vec<Element> = list.elements().iter().filter(|left| !gone.contains(&left.id)).cloned().collect();
        if left.len() < list.len() {
            self.snapshot.list_replace(at.class, at.key, at.column, List { elements: left });
        }
    }

    /// The value of an operand, if the property can hold it. A link to an object that is not there is null.
    fn value(&self, class: ClassIndex, column: ColumnIndex, operand: &Operand) -> Option<Value> {
        let property = self.snapshot.schema().class(class).property(column);
        match operand {
            Operand::Value(value) => crate::objects::Transaction::accepts(property, value).then(|| value.clone()),
            Operand::Link(object) => {
                let target = self.class(object.class)?;
                if property.target.as_deref() != Some(&*self.snapshot.schema().class(target).name) {
                    return None;
                }
                Some(self.key(target, &object.id).map_or(Value::Null, Value::Link))
            }
        }
    }

    fn class(&self, name: NameIndex) -> Option<ClassIndex> {
        self.snapshot.schema().class_index(self.changeset.name(name))
    }

    fn column(&mut self, class: ClassIndex, name: NameIndex) -> Option<ColumnIndex> {
        if let Some(column) = self.columns.get(&(class, name)) {
            return Some(*column);
        }
        let column = self.snapshot.schema().class(class).column(self.changeset.name(name))?;
        self.columns.insert((class, name), column);
        Some(column)
    }

    fn key(&self, class: ClassIndex, id: &ObjectId) -> Option<ObjectKey> {
        match id {
            ObjectId::Primary(primary_key) => self.snapshot.table(class).find_key(primary_key),
            ObjectId::Local(key) => {
                let keyless = self.snapshot.schema().class(class).primary_key.is_none();
                (keyless && self.snapshot.table(class).contains(*key)).then_some(*key)
            }
        }
    }

    fn find(&self, object: &ObjectRef) -> Option<(ClassIndex, ObjectKey)> {
        let class = self.class(object.class)?;
        Some((class, self.key(class, &object.id)?))
    }

    fn list(&mut self, object: &ObjectRef, property: NameIndex) -> Option<Place> {
        let (class, key) = self.find(object)?;
        let column = self.column(class, property)?;
        let is_list = self.snapshot.schema().class(class).property(column).collection == Collection::List;
        is_list.then_some(Place { class, key, column })
    }

    fn element(&self, element: ElementRef) -> Option<ElementId> {
        let client = self.changeset.clients[element.client as usize];
        let author = self.snapshot.authors().find(client)?;
        Some(ElementId { author, sequence: element.sequence })
    }

    fn position(&self, at: &Place, element: ElementRef) -> Option<usize> {
        let id = self.element(element)?;
        self.snapshot.list(at.class, at.key, at.column)?.position(id)
    }
}
