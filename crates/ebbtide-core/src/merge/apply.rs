//! Applies the instructions of a changeset one by one.

use std::collections::BTreeMap;

use super::apply_collection::is_gone;
use crate::changeset::{Changeset, ElementRef, Field, Instruction, NameIndex, ObjectId, ObjectRef, Operand, SlotRef};
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey, ServerVersion};
use crate::mutants::{Mutant, mutant};
use crate::objects::{ElementId, KeySource, Place, Slot, Snapshot, Stamp, Tombstone};
use crate::schema::{ClassSchema, Collection, Property, PropertyType, validate};
use crate::value::{PrimaryKey, Value, ValueRef};

/// Applies a changeset. `at` is its place in the server's history: [`ServerVersion::PENDING`] for one that the server has
/// not ordered yet, zero in a local realm, which keeps no tombstones.
pub fn apply(snapshot: &mut Snapshot, changeset: &Changeset, at: ServerVersion, keys: &mut KeySource<'_>) {
    let author = snapshot.author(changeset.client);
    let stamp = Stamp { time: changeset.time, author };
    let (columns, highest) = (BTreeMap::new(), BTreeMap::new());
    let mut applier = Applier { snapshot, changeset, at, keys, stamp, columns, highest, grows: None };
    for instruction in changeset.instructions() {
        applier.apply(instruction);
    }
    snapshot.settle();
}

pub(super) struct Applier<'a, 'k> {
    pub(super) snapshot: &'a mut Snapshot,
    pub(super) changeset: &'a Changeset,
    pub(super) at: ServerVersion,
    pub(super) keys: &'a mut KeySource<'k>,
    pub(super) stamp: Stamp,
    columns: BTreeMap<(ClassIndex, NameIndex), ColumnIndex>,
    /// For each list that was inserted into, a number above which no element of the author's is in it.
    pub(super) highest: BTreeMap<Place, u64>,
    /// Whether what the changeset adds to the schema may be added; `None` until that is asked.
    grows: Option<Growth>,
}

/// Whether a schema may become what a changeset makes of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Growth {
    Sound,
    Unsound,
}

impl Applier<'_, '_> {
    fn apply(&mut self, instruction: Instruction) {
        match instruction {
            Instruction::AddClass(class) => {
                if self.growth() == Growth::Sound {
                    add_class(self.snapshot, class);
                }
            }
            Instruction::AddProperty { class, property } => {
                if self.growth() == Growth::Sound {
                    add_property(self.snapshot, self.changeset.name(class), property);
                }
            }
            Instruction::CreateObject { object, fields } => self.create(&object, &fields),
            Instruction::DeleteObject { object } => self.delete(object),
            Instruction::Set { object, field } => {
                if let Some((class, key)) = self.find(&object) {
                    self.set(class, key, &field);
                }
            }
            Instruction::Increment { object, property, by } => {
                if let Some(at) = self.collection(&object, property, Collection::None) {
                    self.increment(at, by);
                }
            }
            Instruction::ListInsert { object, property, sequence, after, index, operand } => {
                if let Some(at) = self.collection(&object, property, Collection::List) {
                    self.list_insert(at, sequence, after, index as usize, &operand);
                }
            }
            Instruction::ListSet { object, property, element, operand } => {
                if let Some(at) = self.collection(&object, property, Collection::List) {
                    self.list_set(at, element, &operand);
                }
            }
            Instruction::ListMove { object, property, element, after, index } => {
                if let Some(at) = self.collection(&object, property, Collection::List) {
                    self.list_move(at, element, after, index as usize);
                }
            }
            Instruction::ListRemove { object, property, element } => {
                if let Some(at) = self.collection(&object, property, Collection::List) {
                    self.list_remove(at, element);
                }
            }
            Instruction::ListClear { object, property, elements } => {
                if let Some(at) = self.collection(&object, property, Collection::List) {
                    self.list_clear(at, &elements);
                }
            }
            Instruction::SetInsert { object, property, operand } => {
                if let Some(at) = self.collection(&object, property, Collection::Set) {
                    self.set_insert(at, &operand);
                }
            }
            Instruction::SetRemove { object, property, operand } => {
                if let Some(at) = self.collection(&object, property, Collection::Set) {
                    self.set_remove(at, &operand);
                }
            }
            Instruction::SetClear { object, property } => {
                if let Some(at) = self.collection(&object, property, Collection::Set) {
                    self.set_clear(at);
                }
            }
            Instruction::DictionarySet { object, property, key, operand } => {
                if let Some(at) = self.collection(&object, property, Collection::Dictionary) {
                    self.dictionary_set(at, &key, &operand);
                }
            }
            Instruction::DictionaryRemove { object, property, key } => {
                if let Some(at) = self.collection(&object, property, Collection::Dictionary) {
                    self.dictionary_remove(at, &key);
                }
            }
            Instruction::DictionaryClear { object, property } => {
                if let Some(at) = self.collection(&object, property, Collection::Dictionary) {
                    self.dictionary_clear(at);
                }
            }
        }
    }

    /// Whether all that the changeset adds gives a sound schema; what does not is dropped as a whole, since one addition may
    /// link to a later one.
    fn growth(&mut self) -> Growth {
        if let Some(growth) = self.grows {
            return growth;
        }
        let mut grown = Snapshot::empty(self.snapshot.schema());
        for instruction in self.changeset.instructions() {
            match instruction {
                Instruction::AddClass(class) => add_class(&mut grown, class),
                Instruction::AddProperty { class, property } => {
                    add_property(&mut grown, self.changeset.name(class), property);
                }
                _ => {}
            }
        }
        let growth = if validate(grown.schema()).is_ok() { Growth::Sound } else { Growth::Unsound };
        self.grows = Some(growth);
        growth
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
            (ObjectId::Local(key), None)
                if !schema.is_embedded() && self.at == ServerVersion(0) && (1..u64::MAX).contains(&key.0) =>
            {
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
            !seen && !own && !mutant(Mutant::DroppedTombstone)
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
        let stamp = if field.is_default && !mutant(Mutant::DefaultBeatsChoice) { Stamp::UNSET } else { self.stamp };
        if self.snapshot.later(current, stamp) {
            return;
        }
        if let Some(value) = self.value((class, key, column), &Slot::Single, &field.operand) {
            self.snapshot.set_cell(class, key, column, value.as_ref(), stamp);
        }
    }

    /// Adds to an int. The value's stamp stays, so that a later edit of the whole value still wins over an earlier one.
    fn increment(&mut self, (class, key, column): Place, by: i64) {
        let twice = mutant(Mutant::IncrementTwice) && self.at == ServerVersion::PENDING;
        let by = if twice { by.wrapping_mul(2) } else { by };
        let row = self.snapshot.table(class).row(key).expect("the object was just found");
        let stamp = row.stamp(column);
        let schema = self.snapshot.schema().class(class);
        if let ValueRef::Int(value) = row.value(column)
            && schema.property(column).kind == PropertyType::Int
            && schema.primary_key != Some(column)
        {
            self.snapshot.set_cell(class, key, column, ValueRef::Int(value.wrapping_add(by)), stamp);
        }
    }

    /// The value of an operand, if the property can hold it. A link to an object that is not there is null; for a new
    /// embedded object, which goes into `slot`, a row is made.
    pub(super) fn value(&mut self, at: Place, slot: &Slot, operand: &Operand) -> Option<Value> {
        let (class, _, column) = at;
        if *operand == Operand::New {
            let target = self.snapshot.link_target(class, column)?;
            if !self.snapshot.schema().class(target).is_embedded() {
                return None;
            }
            let key = self.keys.embedded_key(self.snapshot, at, slot, self.stamp);
            if self.snapshot.table(target).contains(key) {
                self.snapshot.renew_row(target, key, self.stamp);
            } else {
                self.snapshot.insert_row(target, key, None, self.stamp);
            }
            return Some(Value::Link(key));
        }
        let value = self.plain_value(class, column, operand)?;
        let property = self.snapshot.schema().class(class).property(column);
        let is_null_link = value.is_null() && matches!(operand, Operand::Link(_)) && property.has_links();
        (is_null_link || crate::objects::Transaction::accepts(property, value.as_ref())).then_some(value)
    }

    fn plain_value(&self, class: ClassIndex, column: ColumnIndex, operand: &Operand) -> Option<Value> {
        let schema = self.snapshot.schema();
        Some(match operand {
            Operand::Value(value) => value.clone(),
            Operand::Link(object) => {
                let target = self.class(object.class)?;
                let wanted = schema.class(class).property(column).target.as_deref();
                if wanted.is_some_and(|wanted| wanted != schema.class(target).name)
                    || schema.class(target).is_embedded()
                {
                    return None;
                }
                let link = |key| if wanted.is_some() { Value::Link(key) } else { Value::TypedLink(target, key) };
                self.key(target, &object.id).map_or(Value::Null, link)
            }
            Operand::New => return None,
            Operand::Array(operands) => {
                let values = operands.iter().map(|operand| Some((operand, self.plain_value(class, column, operand)?)));
                let values = values.collect::<Option<Vec<_>>>()?.into_iter();
                Value::Array(
                    values.filter(|(operand, value)| !is_gone(value, operand)).map(|(_, value)| value).collect(),
                )
            }
            Operand::Map(operands) => {
                let values = operands
                    .iter()
                    .map(|(key, operand)| Some((key.clone(), self.plain_value(class, column, operand)?)));
                Value::Map(values.collect::<Option<_>>()?)
            }
        })
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
                let schema = self.snapshot.schema().class(class);
                let keyless = schema.primary_key.is_none() && !schema.is_embedded();
                (keyless && self.snapshot.table(class).contains(*key)).then_some(*key)
            }
            ObjectId::Embedded { owner, property, slot, created, author } => {
                let (owner_class, owner) = self.find(owner)?;
                let column = self.snapshot.schema().class(owner_class).column(self.changeset.name(*property))?;
                let is_embedded = self.snapshot.schema().class(class).is_embedded();
                if !is_embedded || self.snapshot.link_target(owner_class, column) != Some(class) {
                    return None;
                }
                let slot = match slot {
                    SlotRef::Single => Slot::Single,
                    SlotRef::Element(element) => Slot::Element(self.element(*element)?),
                    SlotRef::Key(name) => Slot::Key(name.clone()),
                };
                let found = self.snapshot.in_slot((owner_class, owner, column), &slot);
                let Some(ValueRef::Link(key)) = found else { return None };
                let stamp = self.snapshot.table(class).row(key)?.created();
                let is_it = stamp.time == *created
                    && self.snapshot.authors().id(stamp.author) == self.changeset.clients[*author as usize];
                (is_it || mutant(Mutant::EmbeddedByPlace)).then_some(key)
            }
        }
    }

    fn find(&self, object: &ObjectRef) -> Option<(ClassIndex, ObjectKey)> {
        let class = self.class(object.class)?;
        Some((class, self.key(class, &object.id)?))
    }

    /// A property of an object, both of which exist, if it is a collection of a kind.
    fn collection(&mut self, object: &ObjectRef, property: NameIndex, of: Collection) -> Option<Place> {
        let (class, key) = self.find(object)?;
        let column = self.column(class, property)?;
        let is_one = self.snapshot.schema().class(class).property(column).collection == of;
        is_one.then_some((class, key, column))
    }

    pub(super) fn element(&self, element: ElementRef) -> Option<ElementId> {
        let client = self.changeset.clients[element.client as usize];
        let author = self.snapshot.authors().find(client)?;
        Some(ElementId { author, sequence: element.sequence })
    }

    /// An element that another is put after. It keeps its name where nobody knows its author: it may never have arrived, or
    /// be gone with a reset, and others who know the author are to come to the same order.
    pub(super) fn predecessor(&mut self, element: ElementRef) -> ElementId {
        let author = self.snapshot.author(self.changeset.clients[element.client as usize]);
        ElementId { author, sequence: element.sequence }
    }
}

/// Adds a class, or to the class of that name the properties it lacks.
fn add_class(snapshot: &mut Snapshot, class: ClassSchema) {
    if snapshot.schema().class_index(&class.name).is_none() {
        snapshot.add_class(class);
        return;
    }
    for property in class.properties {
        add_property(snapshot, &class.name, property);
    }
}

fn add_property(snapshot: &mut Snapshot, class: &str, property: Property) {
    let Some(index) = snapshot.schema().class_index(class) else { return };
    if snapshot.schema().class(index).column(&property.name).is_none() {
        snapshot.add_property(index, property);
    }
}
