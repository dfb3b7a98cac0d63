//! A write transaction: local writes, checked, applied at once and recorded as instructions.

use std::collections::BTreeSet;

use super::edit::KeySource;
use super::list::{Element, ElementId};
use super::snapshot::{AuthorIndex, Snapshot, Stamp};
use super::table::Tombstone;
use crate::changeset::{Builder, Changeset, ElementRef, Field, Instruction, ObjectId, ObjectRef, Operand};
use crate::clock::EditTime;
use crate::ids::{ChainHash, ChangesetNumber, ClassIndex, ClientId, ColumnIndex, ObjectKey, ServerVersion};
use crate::limits;
use crate::schema::{Collection, Property, PropertyType};
use crate::value::{PrimaryKey, Value};

/// Who writes, when, and on what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WriteContext {
    /// The author.
    pub client: ClientId,
    /// The number that the changeset will have.
    pub number: ChangesetNumber,
    /// The server version that the author has seen; zero in a local realm, which keeps no tombstones.
    pub base: ServerVersion,
    /// The hash of the author's changeset before.
    pub parent: ChainHash,
    /// The time of all edits of the transaction.
    pub time: EditTime,
    /// The first key that nobody has.
    pub next_key: ObjectKey,
    /// Whether the realm is synced.
    pub synced: Synced,
}

/// Whether a realm is synced: a local one keeps no tombstones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Synced {
    /// Its changesets go to a server.
    Yes,
    /// They do not.
    No,
}

/// Why a write is refused. Nothing was changed.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The object is not or no longer there.
    NoSuchObject,
    /// The class or property is not there.
    NoSuchProperty,
    /// An object with that primary key exists.
    DuplicateKey {
        /// The class.
        class: String,
        /// The object that has the key.
        existing: ObjectKey,
    },
    /// The class has a primary key and none was given, or the other way round.
    PrimaryKeyExpected {
        /// The class.
        class: String,
    },
    /// A primary key cannot be changed.
    PrimaryKeyFixed {
        /// Class and property.
        property: String,
    },
    /// Another class has properties that link to the class that was to be deleted.
    ClassLinked {
        /// The class.
        class: String,
    },
    /// A value of the wrong type.
    WrongType {
        /// Class and property.
        property: String,
        /// The property's type, in the shorthand grammar.
        expected: String,
    },
    /// A position outside the list.
    OutOfRange {
        /// The position.
        index: usize,
        /// The list's length.
        len: usize,
    },
    /// A value, a list or the whole transaction exceeds a limit.
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WriteError::NoSuchObject => {
                write!(f, "Accessing object which has been invalidated or deleted.")
            }
            WriteError::NoSuchProperty => write!(f, "The class or property does not exist in the schema."),
            WriteError::DuplicateKey { class, .. } => {
                write!(f, "Attempting to create an object of type '{class}' with an existing primary key value.")
            }
            WriteError::PrimaryKeyExpected { class } => {
                write!(f, "Objects of type '{class}' are created with a primary key exactly if their class has one.")
            }
            WriteError::PrimaryKeyFixed { property } => {
                write!(f, "Primary key property '{property}' cannot be changed after the object is created.")
            }
            WriteError::ClassLinked { class } => {
                write!(f, "Cannot remove class_{class} that is target of outside links")
            }
            WriteError::WrongType { property, expected } => {
                write!(f, "Expected '{property}' to be of type '{expected}'.")
            }
            WriteError::OutOfRange { index, len } => {
                write!(f, "Requested index {index} calling on a list when its length is {len}.")
            }
            WriteError::TooLarge { what, limit } => write!(f, "The {what} exceeds the limit of {limit}."),
        }
    }
}

impl std::error::Error for WriteError {}

/// Whether the primary key of an object that exists may be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum KeyRule {
    /// It may not.
    Fixed,
    /// It may, and several objects may have the same for a while: inside a migration.
    Free,
}

/// A write transaction. Dropping it forgets all that it did.
#[derive(Clone, Debug)]
pub struct Transaction {
    snapshot: Snapshot,
    builder: Builder,
    context: WriteContext,
    stamp: Stamp,
    next_key: ObjectKey,
    elements: u64,
    keys: KeyRule,
    retired: BTreeSet<ClassIndex>,
}

impl Transaction {
    /// Begins on a state.
    pub fn begin(on: &Snapshot, context: WriteContext) -> Transaction {
        let mut snapshot = on.clone();
        let author = snapshot.author(context.client);
        Transaction {
            snapshot,
            builder: Builder::new(context.client),
            context,
            stamp: Stamp { time: context.time, author },
            next_key: context.next_key,
            elements: 0,
            keys: KeyRule::Fixed,
            retired: BTreeSet::new(),
        }
    }

    /// Begins a migration on a state that has the new schema already: primary keys may be changed.
    pub fn migrate(on: &Snapshot, context: WriteContext) -> Transaction {
        Transaction { keys: KeyRule::Free, ..Transaction::begin(on, context) }
    }

    /// The state as written so far.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.builder.is_empty() && self.retired.is_empty()
    }

    /// The classes that were deleted. They keep their places, without objects, for as long as the realm is open.
    pub fn retired(&self) -> &BTreeSet<ClassIndex> {
        &self.retired
    }

    /// The first class two objects of which have the same primary key, and the key's property. None outside a migration.
    pub fn duplicate_key(&self) -> Option<(String, String)> {
        let classes = self.snapshot.schema.classes.iter().zip(&self.snapshot.tables);
        let (class, _) = classes.into_iter().find(|(_, table)| !table.has_distinct_keys())?;
        Some((class.name.clone(), class.primary_key_property()?.name.clone()))
    }

    /// Deletes a class with all its objects.
    pub fn delete_class(&mut self, class: ClassIndex) -> Result<(), WriteError> {
        let schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?.clone();
        let links_here = |property: &Property| property.target.as_ref() == Some(&schema.name);
        for (index, other) in self.snapshot.schema.classes.iter().enumerate() {
            let index = ClassIndex(index as u32);
            if index != class && !self.retired.contains(&index) && other.properties.iter().any(links_here) {
                return Err(WriteError::ClassLinked { class: schema.name.clone() });
            }
        }
        self.delete_all(class)?;
        self.retired.insert(class);
        Ok(())
    }

    /// Deletes all objects of a class.
    pub fn delete_all(&mut self, class: ClassIndex) -> Result<(), WriteError> {
        self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?;
        let keys: Vec<ObjectKey> = self.snapshot.table(class).keys().collect();
        keys.into_iter().try_for_each(|key| self.delete(class, key))
    }

    /// Creates an object whose values are null, zero or empty until set.
    pub fn create(&mut self, class: ClassIndex, primary_key: Option<Value>) -> Result<ObjectKey, WriteError> {
        let schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?.clone();
        let mut keys = KeySource::new(self.next_key, Vec::new());
        let (key, id) = match (schema.primary_key, primary_key) {
            (Some(column), Some(value)) => {
                self.check(class, column, &value)?;
                let expected = || WriteError::PrimaryKeyExpected { class: schema.name.clone() };
                let primary_key = PrimaryKey::from_value(&value).ok_or_else(expected)?;
                if let Some(existing) = self.snapshot.table(class).find_key(&primary_key) {
                    return Err(WriteError::DuplicateKey { class: schema.name.clone(), existing });
                }
                (keys.draw(), ObjectId::Primary(primary_key))
            }
            (None, None) => {
                let key = keys.draw();
                (key, ObjectId::Local(key))
            }
            _ => return Err(WriteError::PrimaryKeyExpected { class: schema.name.clone() }),
        };
        self.next_key = keys.next();
        let primary_key = match &id {
            ObjectId::Primary(primary_key) => {
                self.snapshot.unbury(class, primary_key);
                Some(primary_key.clone())
            }
            ObjectId::Local(_) => None,
        };
        self.snapshot.insert_row(class, key, primary_key, self.stamp);
        let class = self.builder.name(&schema.name);
        self.builder.push(Instruction::CreateObject { object: ObjectRef { class, id }, fields: Vec::new() });
        Ok(key)
    }

    /// Deletes an object.
    pub fn delete(&mut self, class: ClassIndex, key: ObjectKey) -> Result<(), WriteError> {
        let object = self.object(class, key)?;
        self.snapshot.remove_row(class, key);
        if let (ObjectId::Primary(primary_key), Synced::Yes) = (&object.id, self.context.synced) {
            let tombstone =
                Tombstone { version: ServerVersion::PENDING, author: self.stamp.author, number: self.context.number };
            self.snapshot.bury(class, primary_key.clone(), tombstone);
        }
        self.builder.push(Instruction::DeleteObject { object });
        Ok(())
    }

    /// Sets a property that is no list.
    pub fn set(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: Value,
    ) -> Result<(), WriteError> {
        self.set_stamped(class, key, column, value, self.stamp)
    }

    /// Sets a property to the schema's default: any edit, even an earlier one, wins over it.
    pub fn set_default(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: Value,
    ) -> Result<(), WriteError> {
        self.set_stamped(class, key, column, value, Stamp::UNSET)
    }

    /// Inserts an element at a position of a list.
    pub fn list_insert(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
        value: Value,
    ) -> Result<(), WriteError> {
        let len = self.list_len(class, key, column)?;
        if index > len {
            return Err(WriteError::OutOfRange { index, len });
        }
        if len >= limits::LIST_ELEMENTS {
            return Err(WriteError::TooLarge { what: "list's length", limit: limits::LIST_ELEMENTS });
        }
        self.check(class, column, &value)?;
        let object = self.object(class, key)?;
        let operand = self.operand(class, column, &value)?;
        let after = index.checked_sub(1).map(|before| self.element(class, key, column, before));
        let id = ElementId { author: self.stamp.author, sequence: self.context.number.0 << 24 | self.elements };
        self.elements += 1;
        let instruction = Instruction::ListInsert {
            object,
            property: self.property_name(class, column),
            sequence: id.sequence,
            after: after.map(|after| self.element_ref(after)),
            index: index as u32,
            operand,
        };
        let version = ServerVersion::PENDING;
        let element = Element { id, after, placed: self.stamp, version, stamp: self.stamp, value };
        self.snapshot.list_insert(class, key, column, index, element);
        self.builder.push(instruction);
        Ok(())
    }

    /// Sets the value of an element.
    pub fn list_set(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
        value: Value,
    ) -> Result<(), WriteError> {
        self.check_index(class, key, column, index)?;
        self.check(class, column, &value)?;
        let object = self.object(class, key)?;
        let operand = self.operand(class, column, &value)?;
        let element = self.element(class, key, column, index);
        let element = self.element_ref(element);
        let property = self.property_name(class, column);
        self.snapshot.list_set(class, key, column, index, value, self.stamp);
        self.builder.push(Instruction::ListSet { object, property, element, operand });
        Ok(())
    }

    /// Moves an element; `to` is its position afterwards.
    pub fn list_move(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        from: usize,
        to: usize,
    ) -> Result<(), WriteError> {
        self.check_index(class, key, column, from)?;
        self.check_index(class, key, column, to)?;
        if from == to {
            return Ok(());
        }
        let object = self.object(class, key)?;
        let property = self.property_name(class, column);
        let element = self.element(class, key, column, from);
        let before = if to > from { Some(to) } else { to.checked_sub(1) };
        let after = before.map(|before| self.element(class, key, column, before));
        let instruction = Instruction::ListMove {
            object,
            property,
            element: self.element_ref(element),
            after: after.map(|after| self.element_ref(after)),
            index: to as u32,
        };
        self.snapshot.list_move(class, key, column, from, to, (after, self.stamp, ServerVersion::PENDING));
        self.builder.push(instruction);
        Ok(())
    }

    /// Removes an element.
    pub fn list_remove(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
    ) -> Result<(), WriteError> {
        self.check_index(class, key, column, index)?;
        let object = self.object(class, key)?;
        let element = self.element(class, key, column, index);
        let element = self.element_ref(element);
        let property = self.property_name(class, column);
        self.snapshot.list_remove(class, key, column, index);
        self.builder.push(Instruction::ListRemove { object, property, element });
        Ok(())
    }

    /// Removes all elements.
    pub fn list_clear(&mut self, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Result<(), WriteError> {
        let len = self.list_len(class, key, column)?;
        if len == 0 {
            return Ok(());
        }
        let object = self.object(class, key)?;
        let property = self.property_name(class, column);
        let ids: Vec<ElementId> = (0..len).map(|index| self.element(class, key, column, index)).collect();
        let elements = ids.into_iter().map(|id| self.element_ref(id)).collect();
        self.snapshot.list_replace(class, key, column, super::List::default());
        self.builder.push(Instruction::ListClear { object, property, elements });
        Ok(())
    }

    /// Ends the transaction: the next state, the changeset unless nothing was written, and the next free key.
    ///
    /// Fails, changing nothing, if a synced realm would have more instructions than a changeset may.
    pub fn finish(self) -> Result<(Snapshot, Option<Changeset>, ObjectKey), WriteError> {
        if self.builder.is_empty() {
            return Ok((self.snapshot, None, self.next_key));
        }
        if self.builder.len() > limits::CHANGESET_INSTRUCTIONS && self.context.synced == Synced::Yes {
            let limit = limits::CHANGESET_INSTRUCTIONS;
            return Err(WriteError::TooLarge { what: "number of changes in a transaction", limit });
        }
        let WriteContext { number, base, parent, time, .. } = self.context;
        let changeset = self.builder.finish(number, base, parent, time);
        Ok((self.snapshot, Some(changeset), self.next_key))
    }

    /// Whether a property, or for a list its element, can hold a value.
    pub(crate) fn accepts(property: &Property, value: &Value) -> bool {
        match (property.kind, value) {
            (_, Value::Null) => property.optional,
            (PropertyType::Bool, Value::Bool(_))
            | (PropertyType::Int, Value::Int(_))
            | (PropertyType::Double, Value::Double(_))
            | (PropertyType::String, Value::String(_))
            | (PropertyType::Data, Value::Data(_))
            | (PropertyType::Date, Value::Date(_))
            | (PropertyType::ObjectId, Value::ObjectId(_))
            | (PropertyType::Uuid, Value::Uuid(_))
            | (PropertyType::Link, Value::Link(_)) => true,
            _ => false,
        }
    }

    /// Whether a primary key property can hold a key.
    pub(crate) fn accepts_key(property: &Property, key: &PrimaryKey) -> bool {
        Transaction::accepts(property, &key.to_value())
    }

    fn set_stamped(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: Value,
        stamp: Stamp,
    ) -> Result<(), WriteError> {
        self.check(class, column, &value)?;
        let schema = self.snapshot.schema.class(class);
        if schema.property(column).collection != Collection::None {
            return Err(self.wrong_type(class, column));
        }
        if schema.primary_key == Some(column) && self.keys == KeyRule::Fixed {
            return Err(WriteError::PrimaryKeyFixed { property: self.full_name(class, column) });
        }
        let object = self.object(class, key)?;
        let operand = self.operand(class, column, &value)?;
        let property = self.property_name(class, column);
        self.snapshot.set_cell(class, key, column, &value, stamp);
        let field = Field { property, operand, is_default: stamp == Stamp::UNSET };
        self.builder.push(Instruction::Set { object, field });
        Ok(())
    }

    fn check(&self, class: ClassIndex, column: ColumnIndex, value: &Value) -> Result<(), WriteError> {
        let property = self
            .snapshot
            .schema
            .classes
            .get(class.index())
            .and_then(|class| class.properties.get(column.index()))
            .ok_or(WriteError::NoSuchProperty)?;
        if !Transaction::accepts(property, value) {
            return Err(self.wrong_type(class, column));
        }
        let bytes = match value {
            Value::String(text) => text.len(),
            Value::Data(data) => data.len(),
            _ => 0,
        };
        if bytes > limits::VALUE_BYTES {
            return Err(WriteError::TooLarge { what: "value's number of bytes", limit: limits::VALUE_BYTES });
        }
        Ok(())
    }

    fn full_name(&self, class: ClassIndex, column: ColumnIndex) -> String {
        let class = self.snapshot.schema.class(class);
        format!("{}.{}", class.name, class.property(column).name)
    }

    fn wrong_type(&self, class: ClassIndex, column: ColumnIndex) -> WriteError {
        let expected = self.snapshot.schema.class(class).property(column).type_text();
        WriteError::WrongType { property: self.full_name(class, column), expected }
    }

    fn object(&mut self, class: ClassIndex, key: ObjectKey) -> Result<ObjectRef, WriteError> {
        let schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?.clone();
        let row = self.snapshot.table(class).row(key).ok_or(WriteError::NoSuchObject)?;
        let id = match schema.primary_key {
            Some(column) => ObjectId::Primary(
                PrimaryKey::from_ref(row.value(column)).expect("a primary key column holds primary keys"),
            ),
            None => ObjectId::Local(key),
        };
        Ok(ObjectRef { class: self.builder.name(&schema.name), id })
    }

    fn operand(&mut self, class: ClassIndex, column: ColumnIndex, value: &Value) -> Result<Operand, WriteError> {
        match value {
            Value::Link(target) => {
                let target_class = self.snapshot.link_target(class, column).ok_or(WriteError::NoSuchProperty)?;
                self.object(target_class, *target).map(Operand::Link)
            }
            value => Ok(Operand::Value(value.clone())),
        }
    }

    fn property_name(&mut self, class: ClassIndex, column: ColumnIndex) -> crate::changeset::NameIndex {
        let schema = self.snapshot.schema.classes[class.index()].clone();
        self.builder.name(&schema.property(column).name)
    }

    fn list_len(&self, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Result<usize, WriteError> {
        let class_schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?;
        let property = class_schema.properties.get(column.index()).ok_or(WriteError::NoSuchProperty)?;
        if property.collection != Collection::List {
            return Err(self.wrong_type(class, column));
        }
        self.snapshot.list(class, key, column).map(|list| list.len()).ok_or(WriteError::NoSuchObject)
    }

    fn check_index(
        &self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
    ) -> Result<(), WriteError> {
        let len = self.list_len(class, key, column)?;
        if index < len { Ok(()) } else { Err(WriteError::OutOfRange { index, len }) }
    }

    fn element(&self, class: ClassIndex, key: ObjectKey, column: ColumnIndex, index: usize) -> ElementId {
        let list = self.snapshot.list(class, key, column).expect("the list was just found");
        list.elements()[index].id
    }

    fn element_ref(&mut self, id: ElementId) -> ElementRef {
        let ElementId { author: AuthorIndex(_), sequence } = id;
        let client = self.snapshot.authors.id(id.author);
        ElementRef { client: self.builder.client(client), sequence }
    }
}
