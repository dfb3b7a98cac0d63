//! Destructive schema changes: the state is written anew under another schema. The history that led to it cannot be
//! continued, so a new epoch begins with the result.

use std::collections::BTreeMap;

use ebbtide_core::objects::{Embedding, Synced, WriteContext};
use ebbtide_core::schema::{SchemaError, validate};
use ebbtide_core::{
    ChainHash, ChangesetNumber, ClassIndex, ClassSchema, ClientId, Collection, ColumnIndex, Decimal, EditTime,
    ObjectKey, Property, PropertyType, Schema, ServerVersion, Snapshot, Transaction, Value, ValueRef, WriteError,
};

/// One change of a schema by the operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SchemaChange {
    /// Adds a class.
    AddClass(ClassSchema),
    /// Adds a property to a class.
    AddProperty {
        /// The class.
        class: String,
        /// The property.
        property: Property,
    },
    /// Drops a class, its objects, and all properties that link to it.
    DropClass {
        /// The class.
        class: String,
    },
    /// Drops a property and its values.
    DropProperty {
        /// The class.
        class: String,
        /// The property.
        property: String,
    },
    /// Gives a property another type. Values that have an equal one there keep it; others become null, zero or empty.
    ChangeType {
        /// The class.
        class: String,
        /// The property as it is to be.
        property: Property,
    },
    /// Makes another property the primary key.
    ChangePrimaryKey {
        /// The class.
        class: String,
        /// The property.
        property: String,
    },
}

/// Why a schema change is refused. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ReshapeError {
    /// There is no such class.
    NoSuchClass(String),
    /// There is no such property: class and name.
    NoSuchProperty(String, String),
    /// There is one already.
    Exists(String),
    /// The primary key cannot be dropped or become of another type before another one is chosen.
    IsPrimaryKey(String, String),
    /// The values of the property cannot tell the objects apart.
    NotUnique(String, String),
    /// What would come out is no schema.
    Schema(SchemaError),
}

impl std::fmt::Display for ReshapeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReshapeError::NoSuchClass(class) => write!(f, "There is no class '{class}'."),
            ReshapeError::NoSuchProperty(class, property) => write!(f, "There is no property '{class}.{property}'."),
            ReshapeError::Exists(what) => write!(f, "'{what}' is there already."),
            ReshapeError::IsPrimaryKey(class, property) => {
                write!(f, "'{class}.{property}' is the primary key: choose another one first.")
            }
            ReshapeError::NotUnique(class, property) => {
                write!(f, "'{class}.{property}' cannot be the primary key: two objects have the same value, or none.")
            }
            ReshapeError::Schema(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for ReshapeError {}

impl SchemaChange {
    /// Whether clients that know the old schema can go on with the new one.
    pub fn is_additive(&self) -> bool {
        match self {
            SchemaChange::AddClass(_) | SchemaChange::AddProperty { .. } => true,
            SchemaChange::DropClass { .. }
            | SchemaChange::DropProperty { .. }
            | SchemaChange::ChangeType { .. }
            | SchemaChange::ChangePrimaryKey { .. } => false,
        }
    }

    /// The schema after the change.
    pub fn apply(&self, schema: &Schema) -> Result<Schema, ReshapeError> {
        let mut classes: Vec<ClassSchema> = schema.classes.iter().map(|class| ClassSchema::clone(class)).collect();
        match self {
            SchemaChange::AddClass(class) => {
                if schema.class_index(&class.name).is_some() {
                    return Err(ReshapeError::Exists(class.name.clone()));
                }
                classes.push(class.clone());
            }
            SchemaChange::AddProperty { class, property } => {
                let class = find_class(&mut classes, class)?;
                if class.column(&property.name).is_some() {
                    return Err(ReshapeError::Exists(format!("{}.{}", class.name, property.name)));
                }
                class.properties.push(property.clone());
            }
            SchemaChange::DropClass { class } => drop_class(&mut classes, class)?,
            SchemaChange::DropProperty { class, property } => {
                let class = find_class(&mut classes, class)?;
                let column = find_column(class, property)?;
                refuse_key(class, column)?;
                drop_column(class, column);
            }
            SchemaChange::ChangeType { class, property } => {
                let class = find_class(&mut classes, class)?;
                let column = find_column(class, &property.name)?;
                refuse_key(class, column)?;
                class.properties[column.index()] = property.clone();
            }
            SchemaChange::ChangePrimaryKey { class, property } => {
                let class = find_class(&mut classes, class)?;
                class.primary_key = Some(find_column(class, property)?);
            }
        }
        let schema = Schema::of(classes);
        validate(&schema).map_err(ReshapeError::Schema)?;
        Ok(schema)
    }
}

fn find_class<'a>(classes: &'a mut [ClassSchema], name: &str) -> Result<&'a mut ClassSchema, ReshapeError> {
    classes.iter_mut().find(|class| class.name == name).ok_or_else(|| ReshapeError::NoSuchClass(name.to_string()))
}

fn find_column(class: &ClassSchema, name: &str) -> Result<ColumnIndex, ReshapeError> {
    class.column(name).ok_or_else(|| ReshapeError::NoSuchProperty(class.name.clone(), name.to_string()))
}

fn refuse_key(class: &ClassSchema, column: ColumnIndex) -> Result<(), ReshapeError> {
    if class.primary_key == Some(column) {
        return Err(ReshapeError::IsPrimaryKey(class.name.clone(), class.property(column).name.clone()));
    }
    Ok(())
}

fn drop_column(class: &mut ClassSchema, column: ColumnIndex) {
    class.properties.remove(column.index());
    class.primary_key = class.primary_key.map(|key| if key > column { ColumnIndex(key.0 - 1) } else { key });
}

fn drop_class(classes: &mut Vec<ClassSchema>, name: &str) -> Result<(), ReshapeError> {
    find_class(classes, name)?;
    classes.retain(|class| class.name != name);
    for class in classes {
        let links = |property: &Property| property.target.as_deref() == Some(name);
        while let Some(column) = class.properties.iter().position(links) {
            drop_column(class, ColumnIndex(column as u32));
        }
    }
    Ok(())
}

/// The objects of `state` under another schema, by class and property name. All values count as defaults afterwards, so
/// that any edit wins over them, also one that was made offline before.
pub fn reshape(state: &Snapshot, schema: &Schema) -> Result<Snapshot, ReshapeError> {
    let context = WriteContext {
        client: ClientId::default(),
        number: ChangesetNumber(1),
        base: ServerVersion(0),
        parent: ChainHash::default(),
        time: EditTime(1),
        next_key: ObjectKey(1),
        synced: Synced::No,
    };
    let mut writing =
        Writing { state, tx: Transaction::begin(&Snapshot::empty(schema), context), keys: BTreeMap::new() };
    // Embedded objects come with their owners.
    let standing = || schema.classes.iter().enumerate().filter(|(_, class)| !class.is_embedded());
    for (index, class) in standing() {
        if let Some(old) = state.schema().class_index(&class.name) {
            writing.create(old, ClassIndex(index as u32), class)?;
        }
    }
    for (index, class) in standing() {
        if let Some(old) = state.schema().class_index(&class.name) {
            writing.fill(old, ClassIndex(index as u32), class);
        }
    }
    Ok(writing.tx.snapshot().clone())
}

struct Writing<'a> {
    state: &'a Snapshot,
    tx: Transaction,
    /// From class name and old key to the new key.
    keys: BTreeMap<(String, ObjectKey), ObjectKey>,
}

impl Writing<'_> {
    fn create(&mut self, old: ClassIndex, class: ClassIndex, schema: &ClassSchema) -> Result<(), ReshapeError> {
        let source = self.state.schema().class(old);
        let key_column = schema.primary_key_property().map(|property| (property, source.column(&property.name)));
        for row in self.state.table(old).rows() {
            let key = match key_column {
                None => None,
                Some((_, None)) => Some(Value::Null),
                Some((_, Some(column))) => Some(row.value(column).to_owned()),
            };
            let created = self.tx.create(class, key).map_err(|error| self.refused(&error, schema))?;
            self.keys.insert((schema.name.clone(), row.key()), created);
        }
        Ok(())
    }

    fn refused(&self, _error: &WriteError, class: &ClassSchema) -> ReshapeError {
        let property = class.primary_key_property().map_or(String::new(), |property| property.name.clone());
        ReshapeError::NotUnique(class.name.clone(), property)
    }

    fn fill(&mut self, old: ClassIndex, class: ClassIndex, schema: &ClassSchema) {
        let state = self.state;
        for row in state.table(old).rows() {
            let key = self.keys[&(schema.name.clone(), row.key())];
            self.fill_row(old, row.key(), class, key);
        }
    }

    /// Sets the properties of one object, and of the embedded objects in it. A value that the new type cannot hold leaves its
    /// collection, or stays what a new object has.
    fn fill_row(&mut self, old: ClassIndex, old_key: ObjectKey, class: ClassIndex, key: ObjectKey) {
        let state = self.state;
        let source = state.schema().class(old);
        let schema = ClassSchema::clone(self.tx.snapshot().schema().class(class));
        let Some(row) = state.table(old).row(old_key) else { return };
        for (index, property) in schema.properties.iter().enumerate() {
            let column = ColumnIndex(index as u32);
            let Some(from) = source.column(&property.name) else { continue };
            if schema.primary_key == Some(column) {
                continue;
            }
            let before = source.property(from);
            let at = Cell { class, key, column };
            match (row.value(from), property.collection) {
                (ValueRef::List(list), Collection::List) => {
                    let mut next = 0;
                    for value in list.iter() {
                        let written = match self.embedded(value, before, property) {
                            Some(child) => self.embed(at, Embedding::Insert(next), child),
                            None => self
                                .convert(value, before, property)
                                .is_some_and(|value| self.tx.list_insert(class, key, column, next, value).is_ok()),
                        };
                        next += usize::from(written);
                    }
                }
                (ValueRef::Set(set), Collection::Set) => {
                    for value in
                        set.iter().filter_map(|value| self.convert(value, before, property)).collect::<Vec<_>>()
                    {
                        let _ = self.tx.set_insert(class, key, column, value);
                    }
                }
                (ValueRef::Dictionary(dictionary), Collection::Dictionary) => {
                    for (name, value) in dictionary.iter() {
                        if let Some(child) = self.embedded(value, before, property) {
                            self.embed(at, Embedding::Key(name), child);
                        } else if let Some(value) = self.convert(value, before, property) {
                            let _ = self.tx.dictionary_set(class, key, column, name, value);
                        }
                    }
                }
                (ValueRef::List(_) | ValueRef::Set(_) | ValueRef::Dictionary(_), _)
                | (_, Collection::List | Collection::Set | Collection::Dictionary) => {}
                (value, Collection::None) => {
                    if let Some(child) = self.embedded(value, before, property) {
                        self.embed(at, Embedding::Property, child);
                    } else if let Some(value) = self.convert(value, before, property) {
                        let _ = self.tx.set_default(class, key, column, value);
                    }
                }
            }
        }
    }

    /// The embedded object that a value leads to, if the property still holds objects of its class.
    fn embedded(
        &self,
        value: ValueRef<'_>,
        before: &Property,
        property: &Property,
    ) -> Option<(ClassIndex, ObjectKey, ClassIndex)> {
        let (ValueRef::Link(key), Some(target)) = (value, property.target.as_ref()) else { return None };
        let schema = self.tx.snapshot().schema();
        let (old, new) = (self.state.schema().class_index(target)?, schema.class_index(target)?);
        let is_embedded = schema.class(new).is_embedded() && before.target.as_ref() == Some(target);
        is_embedded.then_some((old, key, new))
    }

    fn embed(&mut self, at: Cell, place: Embedding<'_>, child: (ClassIndex, ObjectKey, ClassIndex)) -> bool {
        let (old, old_key, class) = child;
        let Ok(key) = self.tx.embed(at.class, at.key, at.column, place) else { return false };
        self.fill_row(old, old_key, class, key);
        true
    }

    fn convert(&self, value: ValueRef<'_>, before: &Property, property: &Property) -> Option<Value> {
        match value {
            ValueRef::Link(key) => {
                let target = property.target.as_ref()?;
                if before.target.as_ref() != Some(target) {
                    return None;
                }
                self.keys.get(&(target.clone(), key)).map(|key| Value::Link(*key))
            }
            ValueRef::TypedLink(class, key) => {
                let name = &self.state.schema().class(class).name;
                let class = self.tx.snapshot().schema().class_index(name)?;
                let key = self.keys.get(&(name.clone(), key))?;
                (property.kind == PropertyType::Mixed).then_some(Value::TypedLink(class, *key))
            }
            ValueRef::Array(values) => {
                let inner = |value: &Value| self.convert(value.as_ref(), before, property).unwrap_or_default();
                Some(Value::Array(values.iter().map(inner).collect()))
            }
            ValueRef::Map(values) => {
                let inner = |value: &Value| self.convert(value.as_ref(), before, property).unwrap_or_default();
                Some(Value::Map(values.iter().map(|(key, value)| (key.clone(), inner(value))).collect()))
            }
            value => convert_plain(value, property),
        }
    }
}

/// A property of an object in the new state.
#[derive(Clone, Copy)]
struct Cell {
    class: ClassIndex,
    key: ObjectKey,
    column: ColumnIndex,
}

/// The equal value of another type, where there is one.
fn convert_plain(value: ValueRef<'_>, property: &Property) -> Option<Value> {
    let kind = property.kind;
    Some(match (value, kind) {
        (ValueRef::Null, _) => return property.optional.then_some(Value::Null),
        (ValueRef::Bool(v), PropertyType::Int) => Value::Int(i64::from(v)),
        (ValueRef::Bool(v), PropertyType::String) => Value::String(v.to_string()),
        (ValueRef::Int(v), PropertyType::Double) => Value::Double(v as f64),
        (ValueRef::Int(v), PropertyType::Float) => Value::Float(v as f32),
        (ValueRef::Int(v), PropertyType::Decimal) => Value::Decimal(Decimal::from_int(v)),
        (ValueRef::Float(v), PropertyType::Double) => Value::Double(f64::from(v)),
        (ValueRef::Double(v), PropertyType::Float) => Value::Float(v as f32),
        (ValueRef::Double(v), PropertyType::Decimal) => Value::Decimal(Decimal::from_double(v)),
        (ValueRef::Decimal(v), PropertyType::Double) => Value::Double(v.to_double()),
        (ValueRef::Decimal(v), PropertyType::String) => Value::String(v.to_string()),
        (ValueRef::Float(v), PropertyType::Decimal) => Value::Decimal(Decimal::parse(&v.to_string())?),
        (ValueRef::Float(v), PropertyType::Int) if v.fract() == 0.0 && v.abs() < 9e15 => Value::Int(v as i64),
        (ValueRef::Float(v), PropertyType::String) => Value::String(v.to_string()),
        (ValueRef::String(v), PropertyType::Float) => Value::Float(v.trim().parse().ok()?),
        (ValueRef::String(v), PropertyType::Decimal) => Value::Decimal(Decimal::parse(v.trim())?),
        (ValueRef::Int(v), PropertyType::String) => Value::String(v.to_string()),
        (ValueRef::Int(v), PropertyType::Bool) if v == 0 || v == 1 => Value::Bool(v == 1),
        (ValueRef::Double(v), PropertyType::Int) if v.fract() == 0.0 && v.abs() < 9e15 => Value::Int(v as i64),
        (ValueRef::Double(v), PropertyType::String) => Value::String(v.to_string()),
        (ValueRef::String(v), PropertyType::Int) => Value::Int(v.trim().parse().ok()?),
        (ValueRef::String(v), PropertyType::Double) => Value::Double(v.trim().parse().ok()?),
        (ValueRef::String(v), PropertyType::Bool) => Value::Bool(v.trim().parse().ok()?),
        (ValueRef::String(v), PropertyType::Data) => Value::Data(v.as_bytes().to_vec()),
        (ValueRef::Data(v), PropertyType::String) => Value::String(std::str::from_utf8(v).ok()?.to_string()),
        (ValueRef::Uuid(v), PropertyType::String) => Value::String(ebbtide_core::ClientId(v).to_string()),
        (value, _) => value.to_owned(),
    })
}
