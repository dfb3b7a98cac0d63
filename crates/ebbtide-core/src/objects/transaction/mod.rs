//! A write transaction: local writes, checked, applied at once and recorded as instructions.

mod collections;
mod embedded;
#[cfg(test)]
mod fixture;
mod lists;
mod marks;
mod migrating;
mod names;
mod nested;
mod slots;

pub use embedded::Embedding;
use marks::Mark;
pub use migrating::Constraints;
use nested::Late;
pub use nested::{NestedEdit, Step};

use super::key_source::KeySource;
use super::snapshot::{Snapshot, Stamp};
use super::table::Tombstone;
use crate::changeset::{Builder, Changeset, Field, FieldSource, Instruction, ObjectId, ObjectRef};
use crate::clock::EditTime;
use crate::ids::{ChainHash, ChangesetNumber, ClassIndex, ClientId, ColumnIndex, ObjectKey, ServerVersion};
use crate::limits;
use crate::schema::{Collection, Property, PropertyType};
use crate::value::{PrimaryKey, Value, ValueRef};

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
    /// The collection inside a value, or the position in it, is not or no longer there.
    NoSuchCollection,
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
    /// An embedded object cannot be created by itself.
    Embedded {
        /// The class.
        class: String,
    },
    /// An increment of a property that has no value.
    NoNumber {
        /// Class and property.
        property: String,
    },
    /// A key that a dictionary cannot have.
    BadKey {
        /// The key.
        key: String,
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
            WriteError::NoSuchCollection => write!(f, "This collection is no longer there."),
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
            WriteError::Embedded { class } => {
                write!(f, "Embedded objects cannot be created directly. '{class}' needs an owner.")
            }
            WriteError::NoNumber { property } => write!(f, "Cannot increment '{property}': it has no value."),
            WriteError::BadKey { key } => {
                write!(f, "Dictionary::insert: key must not start with '$' or contain '.': '{key}'")
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

/// One value of a new object.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// The property.
    pub column: ColumnIndex,
    /// Its value.
    pub value: ValueRef<'a>,
    /// Where it comes from.
    pub source: FieldSource,
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
    names: names::Names,
    slots: slots::Slots,
    marks: Vec<Mark>,
    late: Option<Late>,
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
            names: names::Names::default(),
            slots: slots::Slots::default(),
            marks: Vec::new(),
            late: None,
        }
    }

    /// Where in the history the transaction stands: beyond all, or, in a realm without one, before all.
    fn version(&self) -> ServerVersion {
        match self.context.synced {
            Synced::Yes => ServerVersion::PENDING,
            Synced::No => ServerVersion(0),
        }
    }

    /// The state as written so far.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.builder.is_empty() && self.late.is_none()
    }

    /// Creates an object whose values are null, zero or empty until set.
    pub fn create(&mut self, class: ClassIndex, primary_key: Option<Value>) -> Result<ObjectKey, WriteError> {
        let (key, id) = self.draw_object(class, primary_key)?;
        self.snapshot.insert_row(class, key, primary_key_of(&id), self.stamp);
        let class = self.class_name(class);
        self.builder.push(Instruction::CreateObject { object: ObjectRef { class, id }, fields: Vec::new() });
        Ok(key)
    }

    /// Creates an object with the values of some of its properties, none of which is a collection. An error changes nothing.
    pub fn create_with(
        &mut self,
        class: ClassIndex,
        primary_key: Option<Value>,
        cells: &[Cell<'_>],
    ) -> Result<ObjectKey, WriteError> {
        let schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?.clone();
        // Only links need another form in the changeset.
        let mut links = Vec::new();
        for Cell { column, value, .. } in cells {
            self.check_property(class, *column, Collection::None)?;
            self.check(class, *column, *value)?;
            if schema.primary_key == Some(*column) {
                return Err(WriteError::PrimaryKeyFixed { property: self.full_name(class, *column) });
            }
            if schema.property(*column).has_links() {
                links.push(self.operand(class, *column, &value.to_owned())?);
            }
        }
        let (key, id) = self.draw_object(class, primary_key)?;
        self.snapshot.insert_filled_row(class, key, primary_key_of(&id), self.stamp, cells);
        let object = ObjectRef { class: self.class_name(class), id };
        self.builder.push_creation(&object, cells.len());
        let mut links = links.into_iter();
        for Cell { column, value, source } in cells {
            let property = self.property_name(class, *column);
            match schema.property(*column).has_links().then(|| links.next()).flatten() {
                Some(operand) => self.builder.push_operand(property, *source, &operand),
                None => self.builder.push_field(property, *source, *value),
            }
        }
        Ok(key)
    }

    /// A key and a name for a new object.
    fn draw_object(
        &mut self,
        class: ClassIndex,
        primary_key: Option<Value>,
    ) -> Result<(ObjectKey, ObjectId), WriteError> {
        self.settle();
        let schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?.clone();
        if schema.is_embedded() {
            return Err(WriteError::Embedded { class: schema.name.clone() });
        }
        self.check_keys()?;
        let mut keys = KeySource::new(self.next_key, Vec::new());
        let (key, id) = match (schema.primary_key, primary_key) {
            (Some(column), Some(value)) => {
                self.check(class, column, value.as_ref())?;
                let expected = || WriteError::PrimaryKeyExpected { class: schema.name.clone() };
                let primary_key = PrimaryKey::from_value(&value).ok_or_else(expected)?;
                if let Some(existing) = self.snapshot.table(class).find_key(&primary_key) {
                    return Err(WriteError::DuplicateKey { class: schema.name.clone(), existing });
                }
                self.snapshot.unbury(class, &primary_key);
                (keys.draw(), ObjectId::Primary(primary_key))
            }
            (None, None) => {
                let key = keys.draw();
                (key, ObjectId::Local(key))
            }
            _ => return Err(WriteError::PrimaryKeyExpected { class: schema.name.clone() }),
        };
        self.next_key = keys.next();
        Ok((key, id))
    }

    /// Checks that the lane has a key left for one object more, and one after it.
    fn check_keys(&self) -> Result<(), WriteError> {
        let limit = ObjectKey::last_of(self.next_key.lane());
        if self.next_key < limit {
            return Ok(());
        }
        let limit = (limit.0 - ObjectKey::first_of(limit.lane()).0) as usize;
        Err(WriteError::TooLarge { what: "number of objects ever created in one store", limit })
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

    /// Sets a property that is no collection. Embedded objects are set by [`Transaction::embed`]. A link that is there
    /// already stays as it is, and is no change.
    pub fn set(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: Value,
    ) -> Result<(), WriteError> {
        let is_same = |present: ValueRef<'_>| present.same(&value.as_ref());
        if matches!(value, Value::Link(_) | Value::TypedLink(..))
            && self.snapshot.table(class).get(key, column).is_some_and(is_same)
        {
            return Ok(());
        }
        self.set_stamped(class, key, column, value, self.stamp)
    }

    /// Sets a property to the schema's default: any edit, even an earlier one, wins over it, so that a value that was set stays.
    pub fn set_default(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: Value,
    ) -> Result<(), WriteError> {
        self.set_stamped(class, key, column, value, Stamp::UNSET)
    }

    /// Adds to an int: increments of several authors add up.
    pub fn increment(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        by: i64,
    ) -> Result<(), WriteError> {
        self.check_property(class, column, Collection::None)?;
        if self.snapshot.schema.class(class).property(column).kind != PropertyType::Int {
            return Err(self.wrong_type(class, column));
        }
        let value = match self.snapshot.table(class).get(key, column).ok_or(WriteError::NoSuchObject)? {
            ValueRef::Int(value) => value.wrapping_add(by),
            ValueRef::Null => return Err(WriteError::NoNumber { property: self.full_name(class, column) }),
            _ => return Err(self.wrong_type(class, column)),
        };
        if self.snapshot.schema.class(class).primary_key == Some(column) {
            return Err(WriteError::PrimaryKeyFixed { property: self.full_name(class, column) });
        }
        let object = self.object(class, key)?;
        let property = self.property_name(class, column);
        let stamp = self.snapshot.table(class).row(key).expect("the object was just found").stamp(column);
        self.snapshot.set_cell(class, key, column, ValueRef::Int(value), stamp);
        self.builder.push(Instruction::Increment { object, property, by });
        Ok(())
    }

    /// Ends the transaction: the next state, the changeset unless nothing was written, and the next free key.
    ///
    /// Fails, changing nothing, if a synced realm would have more instructions than a changeset may.
    pub fn finish(mut self) -> Result<(Snapshot, Option<Changeset>, ObjectKey), WriteError> {
        self.settle();
        self.snapshot.settle();
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
    pub(crate) fn accepts(property: &Property, value: ValueRef<'_>) -> bool {
        match (property.kind, value) {
            (_, ValueRef::Null) => property.optional,
            (PropertyType::Bool, ValueRef::Bool(_))
            | (PropertyType::Int, ValueRef::Int(_))
            | (PropertyType::Float, ValueRef::Float(_))
            | (PropertyType::Double, ValueRef::Double(_))
            | (PropertyType::Decimal, ValueRef::Decimal(_))
            | (PropertyType::String, ValueRef::String(_))
            | (PropertyType::Data, ValueRef::Data(_))
            | (PropertyType::Date, ValueRef::Date(_))
            | (PropertyType::ObjectId, ValueRef::ObjectId(_))
            | (PropertyType::Uuid, ValueRef::Uuid(_))
            | (PropertyType::Link, ValueRef::Link(_)) => true,
            (
                PropertyType::Mixed,
                ValueRef::Link(_) | ValueRef::List(_) | ValueRef::Set(_) | ValueRef::Dictionary(_),
            ) => false,
            (PropertyType::Mixed, value) => value.depth() <= limits::NESTED_COLLECTIONS,
            _ => false,
        }
    }

    /// Whether a primary key property can hold a key.
    pub(crate) fn accepts_key(property: &Property, key: &PrimaryKey) -> bool {
        Transaction::accepts(property, key.to_value().as_ref())
    }

    fn set_stamped(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: Value,
        stamp: Stamp,
    ) -> Result<(), WriteError> {
        self.check_property(class, column, Collection::None)?;
        self.check(class, column, value.as_ref())?;
        let schema = self.snapshot.schema.class(class);
        if schema.primary_key == Some(column) && self.keys == KeyRule::Fixed {
            return Err(WriteError::PrimaryKeyFixed { property: self.full_name(class, column) });
        }
        let object = self.object(class, key)?;
        let operand = self.operand(class, column, &value)?;
        let row = self.snapshot.table(class).row(key).ok_or(WriteError::NoSuchObject)?;
        if self.snapshot.later(row.stamp(column), stamp) {
            return Ok(());
        }
        let property = self.property_name(class, column);
        self.snapshot.set_cell(class, key, column, value.as_ref(), stamp);
        let field = Field { property, operand, is_default: stamp == Stamp::UNSET };
        self.builder.push(Instruction::Set { object, field });
        Ok(())
    }

    /// Checks that a property is there and holds one value or many.
    fn check_property(&self, class: ClassIndex, column: ColumnIndex, is: Collection) -> Result<(), WriteError> {
        let class_schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?;
        let property = class_schema.properties.get(column.index()).ok_or(WriteError::NoSuchProperty)?;
        if property.collection == is { Ok(()) } else { Err(self.wrong_type(class, column)) }
    }

    /// Checks that a value, or an element, is of the property's type, and within the limits.
    fn check(&self, class: ClassIndex, column: ColumnIndex, value: ValueRef<'_>) -> Result<(), WriteError> {
        let class_schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?;
        let property = class_schema.properties.get(column.index()).ok_or(WriteError::NoSuchProperty)?;
        let is_embedded = !matches!(value, ValueRef::Null) && self.is_embedding(class, column);
        if !Transaction::accepts(property, value) || is_embedded {
            return Err(self.wrong_type(class, column));
        }
        check_size(value)
    }

    /// Whether a property holds embedded objects.
    fn is_embedding(&self, class: ClassIndex, column: ColumnIndex) -> bool {
        let target = self.snapshot.link_target(class, column);
        target.is_some_and(|target| self.snapshot.schema.class(target).is_embedded())
    }

    fn full_name(&self, class: ClassIndex, column: ColumnIndex) -> String {
        let class = self.snapshot.schema.class(class);
        format!("{}.{}", class.name, class.property(column).name)
    }

    fn wrong_type(&self, class: ClassIndex, column: ColumnIndex) -> WriteError {
        let expected = self.snapshot.schema.class(class).property(column).type_text();
        WriteError::WrongType { property: self.full_name(class, column), expected }
    }
}

fn check_count(count: usize) -> Result<(), WriteError> {
    if count > limits::LIST_ELEMENTS {
        return Err(WriteError::TooLarge {
            what: "number of values in a mixed collection",
            limit: limits::LIST_ELEMENTS,
        });
    }
    Ok(())
}

fn primary_key_of(id: &ObjectId) -> Option<PrimaryKey> {
    match id {
        ObjectId::Primary(primary_key) => Some(primary_key.clone()),
        ObjectId::Local(_) | ObjectId::Embedded { .. } => None,
    }
}

fn check_size(value: ValueRef<'_>) -> Result<(), WriteError> {
    let bytes = match value {
        ValueRef::String(text) => text.len(),
        ValueRef::Data(data) => data.len(),
        ValueRef::Array(values) => {
            check_count(values.len())?;
            values.iter().map(Value::as_ref).try_for_each(check_size)?;
            0
        }
        ValueRef::Map(values) => {
            check_count(values.len())?;
            values.keys().try_for_each(|key| collections::check_key(key))?;
            values.values().map(Value::as_ref).try_for_each(check_size)?;
            0
        }
        _ => 0,
    };
    if bytes > limits::VALUE_BYTES {
        return Err(WriteError::TooLarge { what: "value's number of bytes", limit: limits::VALUE_BYTES });
    }
    Ok(())
}
