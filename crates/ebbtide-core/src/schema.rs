//! Schemas: classes and properties, their validation, their comparison and their encoding.
//!
//! Positions are append-only within a store: a class or property, once there, keeps its index.

use std::sync::Arc;

use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{ClassIndex, ColumnIndex};
use crate::limits;

/// In the place of a primary key's position plus one: the class is embedded, and such a class has no primary key.
const EMBEDDED: u64 = limits::PROPERTIES as u64 + 1;

/// How the name of a deleted class begins. No application can name a class like that.
const DELETED: char = '\0';

/// The type of a property's value, or of its elements.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PropertyType {
    /// true or false
    Bool,
    /// 64-bit signed
    Int,
    /// 32-bit floating point
    Float,
    /// 64-bit floating point
    Double,
    /// decimal floating point of 34 digits
    Decimal,
    /// UTF-8
    String,
    /// bytes
    Data,
    /// milliseconds since the Unix epoch
    Date,
    /// 12 bytes
    ObjectId,
    /// 16 bytes
    Uuid,
    /// a link to an object of [`Property::target`]
    Link,
    /// a value of any type, links to any class and collections in collections included
    Mixed,
}

/// Whether a property holds one value or many.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Collection {
    /// One value.
    None,
    /// An ordered list.
    List,
    /// A set: no value twice, in the order of the values.
    Set,
    /// Values by key.
    Dictionary,
}

/// Which index is kept over a property. A hint of the local store; not part of what two schemas must agree on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum IndexKind {
    /// None.
    #[default]
    None,
    /// One over the values.
    General,
    /// One over the words of the values, for `TEXT`.
    FullText,
}

/// Whether objects of a class stand by themselves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum ClassKind {
    /// They do.
    #[default]
    TopLevel,
    /// Each belongs to one object, list element or dictionary entry, and goes with it.
    Embedded,
}

/// One property of a class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Property {
    /// Its name, unique in the class.
    pub name: String,
    /// The type of its value or elements.
    pub kind: PropertyType,
    /// One value or many.
    pub collection: Collection,
    /// Whether null is allowed (for lists: among the elements). Links are always optional, list elements that are links never.
    pub optional: bool,
    /// The class linked to, for [`PropertyType::Link`].
    pub target: Option<String>,
    /// Which index is kept.
    pub indexed: IndexKind,
}

/// One class of objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClassSchema {
    /// Its name, unique in the schema.
    pub name: String,
    /// Whether its objects stand by themselves.
    pub kind: ClassKind,
    /// The property that identifies its objects.
    pub primary_key: Option<ColumnIndex>,
    /// Its properties; the position is the [`ColumnIndex`].
    pub properties: Vec<Property>,
}

/// All classes of a realm; the position is the [`ClassIndex`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Schema {
    /// The classes.
    pub classes: Vec<Arc<ClassSchema>>,
}

/// Why a schema is refused. The text says what, where and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaError {
    /// All that is wrong, one sentence each.
    pub problems: Vec<String>,
}

impl std::fmt::Display for SchemaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Schema validation failed due to the following errors:")?;
        for problem in &self.problems {
            write!(f, "\n- {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SchemaError {}

/// What another schema adds to one, and where the two cannot live together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SchemaDifference {
    /// Classes that only the other has.
    pub added_classes: Vec<ClassSchema>,
    /// Properties that only the other has, with their class's name.
    pub added_properties: Vec<(String, Property)>,
    /// Classes and properties of both that differ in what may not change.
    pub conflicts: Vec<SchemaConflict>,
    /// Classes and properties that only the first has.
    pub missing: Vec<SchemaConflict>,
}

/// One difference that cannot be reconciled, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SchemaConflict {
    /// A class that one side lacks.
    ClassMissing {
        /// The class.
        class: String,
    },
    /// A property that one side lacks.
    PropertyMissing {
        /// The class.
        class: String,
        /// The property.
        property: String,
    },
    /// A property whose type, target or collection differs.
    TypeChanged {
        /// The class.
        class: String,
        /// The property.
        property: String,
        /// Its type in the first schema, in [`Property::type_words`].
        from: String,
        /// Its type in the other.
        to: String,
    },
    /// A property that is optional in one and required in the other.
    OptionalityChanged {
        /// The class.
        class: String,
        /// The property.
        property: String,
        /// What it is in the other schema.
        now_optional: bool,
    },
    /// A class that is embedded in one and stands by itself in the other.
    KindChanged {
        /// The class.
        class: String,
        /// What it is in the other schema.
        to: ClassKind,
    },
    /// A different primary key.
    PrimaryKeyChanged {
        /// The class.
        class: String,
        /// The first schema's, empty for none.
        from: String,
        /// The other's, empty for none.
        to: String,
    },
}

impl std::fmt::Display for SchemaConflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SchemaConflict::ClassMissing { class } => write!(f, "Class '{class}' has been removed."),
            SchemaConflict::PropertyMissing { class, property } => {
                write!(f, "Property '{class}.{property}' has been removed.")
            }
            SchemaConflict::TypeChanged { class, property, from, to } => {
                write!(f, "Property '{class}.{property}' has been changed from '{from}' to '{to}'.")
            }
            SchemaConflict::OptionalityChanged { class, property, now_optional: true } => {
                write!(f, "Property '{class}.{property}' has been made optional.")
            }
            SchemaConflict::OptionalityChanged { class, property, now_optional: false } => {
                write!(f, "Property '{class}.{property}' has been made required.")
            }
            SchemaConflict::PrimaryKeyChanged { class, from, .. } if from.is_empty() => {
                write!(f, "Primary Key for class '{class}' has been added.")
            }
            SchemaConflict::PrimaryKeyChanged { class, to, .. } if to.is_empty() => {
                write!(f, "Primary Key for class '{class}' has been removed.")
            }
            SchemaConflict::KindChanged { class, to } => {
                let (from, to) = match to {
                    ClassKind::Embedded => ("TopLevel", "Embedded"),
                    ClassKind::TopLevel => ("Embedded", "TopLevel"),
                };
                write!(f, "Class '{class}' has been changed from {from} to {to}.")
            }
            SchemaConflict::PrimaryKeyChanged { class, from, to } => {
                write!(f, "Primary Key for class '{class}' has changed from '{from}' to '{to}'.")
            }
        }
    }
}

impl PropertyType {
    /// The type's name in the shorthand grammar; links read `object`.
    pub fn name(self) -> &'static str {
        match self {
            PropertyType::Bool => "bool",
            PropertyType::Int => "int",
            PropertyType::Float => "float",
            PropertyType::Double => "double",
            PropertyType::Decimal => "decimal128",
            PropertyType::String => "string",
            PropertyType::Data => "data",
            PropertyType::Date => "date",
            PropertyType::ObjectId => "objectId",
            PropertyType::Uuid => "uuid",
            PropertyType::Link => "object",
            PropertyType::Mixed => "mixed",
        }
    }

    /// Whether a property of this type may be a primary key.
    pub fn can_be_primary_key(self) -> bool {
        match self {
            PropertyType::Int | PropertyType::String | PropertyType::ObjectId | PropertyType::Uuid => true,
            PropertyType::Bool
            | PropertyType::Float
            | PropertyType::Double
            | PropertyType::Decimal
            | PropertyType::Data
            | PropertyType::Date
            | PropertyType::Link
            | PropertyType::Mixed => false,
        }
    }

    fn code(self) -> u8 {
        match self {
            PropertyType::Bool => 1,
            PropertyType::Int => 2,
            PropertyType::Double => 3,
            PropertyType::String => 4,
            PropertyType::Data => 5,
            PropertyType::Date => 6,
            PropertyType::ObjectId => 7,
            PropertyType::Uuid => 8,
            PropertyType::Link => 9,
            PropertyType::Float => 10,
            PropertyType::Decimal => 11,
            PropertyType::Mixed => 12,
        }
    }

    fn from_code(code: u8) -> Option<PropertyType> {
        Some(match code {
            1 => PropertyType::Bool,
            2 => PropertyType::Int,
            3 => PropertyType::Double,
            4 => PropertyType::String,
            5 => PropertyType::Data,
            6 => PropertyType::Date,
            7 => PropertyType::ObjectId,
            8 => PropertyType::Uuid,
            9 => PropertyType::Link,
            10 => PropertyType::Float,
            11 => PropertyType::Decimal,
            12 => PropertyType::Mixed,
            _ => return None,
        })
    }
}

impl Property {
    /// A property of one value that is never null, without an index.
    pub fn required(name: &str, kind: PropertyType) -> Property {
        let name = name.to_string();
        Property { name, kind, collection: Collection::None, optional: false, target: None, indexed: IndexKind::None }
    }

    /// The type in the shorthand grammar, optionality left out: `int`, `Dog`, `string[]`.
    pub fn type_text(&self) -> String {
        let element = match &self.target {
            Some(target) => target.clone(),
            None => self.kind.name().to_string(),
        };
        match self.collection {
            Collection::None => element,
            Collection::List => format!("{element}[]"),
            Collection::Set => format!("{element}<>"),
            Collection::Dictionary => format!("{element}{{}}"),
        }
    }

    /// The type as Realm's messages about changed schemas have it, optionality left out: `int`, `<Dog>`, `array<int>`.
    pub fn type_words(&self) -> String {
        let element = match (&self.target, self.kind) {
            (Some(target), _) => target.as_str(),
            (None, PropertyType::ObjectId) => "object id",
            (None, PropertyType::Decimal) => "decimal",
            (None, kind) => kind.name(),
        };
        match (self.collection, self.is_link()) {
            (Collection::None, true) => format!("<{element}>"),
            (Collection::None, false) => element.to_string(),
            (Collection::List, _) => format!("array<{element}>"),
            (Collection::Set, _) => format!("set<{element}>"),
            (Collection::Dictionary, _) => format!("dictionary<string, {element}>"),
        }
    }

    /// Whether the property holds one link.
    pub fn is_link(&self) -> bool {
        self.kind == PropertyType::Link && self.collection == Collection::None
    }

    /// Whether the property or its elements are links, or can hold some.
    pub fn has_links(&self) -> bool {
        matches!(self.kind, PropertyType::Link | PropertyType::Mixed)
    }

    /// Writes the property.
    pub fn encode(&self, out: &mut Writer) {
        out.string(&self.name);
        out.u8(self.kind.code());
        out.u8(match self.collection {
            Collection::None => 0,
            Collection::List => 1,
            Collection::Set => 2,
            Collection::Dictionary => 3,
        });
        out.bool(self.optional);
        out.u8(match self.indexed {
            IndexKind::None => 0,
            IndexKind::General => 1,
            IndexKind::FullText => 2,
        });
        out.string(self.target.as_deref().unwrap_or(""));
    }

    /// Reads a property.
    pub fn decode(input: &mut Reader<'_>) -> Result<Property, DecodeError> {
        let name = input.string(limits::NAME_BYTES)?.to_string();
        let kind = PropertyType::from_code(input.u8()?).ok_or_else(|| input.invalid("property type"))?;
        let collection = match input.u8()? {
            0 => Collection::None,
            1 => Collection::List,
            2 => Collection::Set,
            3 => Collection::Dictionary,
            _ => return Err(input.invalid("collection kind")),
        };
        let optional = input.bool()?;
        let indexed = match input.u8()? {
            0 => IndexKind::None,
            1 => IndexKind::General,
            2 => IndexKind::FullText,
            _ => return Err(input.invalid("index kind")),
        };
        let target = input.string(limits::NAME_BYTES)?;
        let target = if target.is_empty() { None } else { Some(target.to_string()) };
        if target.is_some() != (kind == PropertyType::Link) {
            return Err(input.invalid("link target"));
        }
        Ok(Property { name, kind, collection, optional, target, indexed })
    }
}

impl ClassSchema {
    /// What is left of a class of a local realm that was deleted: its place, under a name that no class can have.
    pub(crate) fn deleted(index: ClassIndex) -> ClassSchema {
        let name = format!("{DELETED}{}", index.0);
        ClassSchema { name, kind: ClassKind::TopLevel, primary_key: None, properties: Vec::new() }
    }

    /// Whether this is what is left of a class that was deleted.
    pub fn is_deleted(&self) -> bool {
        self.name.starts_with(DELETED)
    }

    /// The position of a property.
    pub fn column(&self, name: &str) -> Option<ColumnIndex> {
        self.properties.iter().position(|p| p.name == name).map(|i| ColumnIndex(i as u32))
    }

    /// A property by position.
    pub fn property(&self, column: ColumnIndex) -> &Property {
        &self.properties[column.index()]
    }

    /// Whether its objects belong to others.
    pub fn is_embedded(&self) -> bool {
        self.kind == ClassKind::Embedded
    }

    /// The primary key property.
    pub fn primary_key_property(&self) -> Option<&Property> {
        self.primary_key.map(|column| self.property(column))
    }

    /// Writes the class.
    pub fn encode(&self, out: &mut Writer) {
        out.string(&self.name);
        out.varint(match self.kind {
            ClassKind::Embedded => EMBEDDED,
            ClassKind::TopLevel => self.primary_key.map_or(0, |column| u64::from(column.0) + 1),
        });
        out.varint(self.properties.len() as u64);
        for property in &self.properties {
            property.encode(out);
        }
    }

    /// Reads a class.
    pub fn decode(input: &mut Reader<'_>) -> Result<ClassSchema, DecodeError> {
        let name = input.string(limits::NAME_BYTES)?.to_string();
        let primary_key = input.varint()?;
        let count = input.count(limits::PROPERTIES)?;
        let properties = (0..count).map(|_| Property::decode(input)).collect::<Result<Vec<_>, _>>()?;
        let kind = if primary_key == EMBEDDED { ClassKind::Embedded } else { ClassKind::TopLevel };
        let primary_key = match primary_key {
            0 | EMBEDDED => None,
            n if n <= properties.len() as u64 => Some(ColumnIndex((n - 1) as u32)),
            _ => return Err(input.invalid("primary key")),
        };
        Ok(ClassSchema { name, kind, primary_key, properties })
    }
}

impl Schema {
    /// A schema of these classes.
    pub fn of(classes: impl IntoIterator<Item = ClassSchema>) -> Schema {
        Schema { classes: classes.into_iter().map(Arc::new).collect() }
    }

    /// The position of a class.
    pub fn class_index(&self, name: &str) -> Option<ClassIndex> {
        self.classes.iter().position(|c| c.name == name).map(|i| ClassIndex(i as u32))
    }

    /// A class by position.
    pub fn class(&self, index: ClassIndex) -> &ClassSchema {
        &self.classes[index.index()]
    }

    /// Writes the schema.
    pub fn encode(&self, out: &mut Writer) {
        out.varint(self.classes.len() as u64);
        for class in &self.classes {
            class.encode(out);
        }
    }

    /// Reads a schema. What it says is checked by [`validate`], not here.
    pub fn decode(input: &mut Reader<'_>) -> Result<Schema, DecodeError> {
        let count = input.count(limits::CLASSES)?;
        let classes = (0..count).map(|_| ClassSchema::decode(input).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        Ok(Schema { classes })
    }
}

/// Checks a schema by itself: names, types, link targets, primary keys.
pub fn validate(schema: &Schema) -> Result<(), SchemaError> {
    let mut problems = Vec::new();
    if schema.classes.len() > limits::CLASSES {
        problems.push(format!("There are {} classes; at most {} are allowed.", schema.classes.len(), limits::CLASSES));
    }
    for (position, class) in schema.classes.iter().enumerate() {
        if schema.classes[..position].iter().any(|earlier| earlier.name == class.name) {
            problems.push(format!("Type '{}' appears more than once in the schema.", class.name));
        }
        validate_class(schema, class, &mut problems);
    }
    if problems.is_empty() { Ok(()) } else { Err(SchemaError { problems }) }
}

fn validate_class(schema: &Schema, class: &ClassSchema, problems: &mut Vec<String>) {
    let name = &class.name;
    if name.is_empty() || name.len() > limits::NAME_BYTES {
        problems.push(format!("Class name '{name}' must have 1 to {} bytes.", limits::NAME_BYTES));
    }
    if class.properties.len() > limits::PROPERTIES {
        problems.push(format!("Class '{name}' has more than {} properties.", limits::PROPERTIES));
    }
    for (position, property) in class.properties.iter().enumerate() {
        let full = format!("{name}.{}", property.name);
        if property.name.is_empty() || property.name.len() > limits::NAME_BYTES {
            problems.push(format!("Property name '{full}' must have 1 to {} bytes.", limits::NAME_BYTES));
        }
        if class.properties[..position].iter().any(|earlier| earlier.name == property.name) {
            problems.push(format!("Property '{full}' appears more than once in the schema."));
        }
        validate_links(schema, property, &full, problems);
    }
    if class.is_embedded() && class.primary_key.is_some() {
        problems.push(format!("Embedded object type '{name}' cannot have a primary key."));
    }
    if let Some(property) = class.primary_key_property() {
        let full = format!("{name}.{}", property.name);
        if property.collection != Collection::None || !property.kind.can_be_primary_key() {
            problems
                .push(format!("Property '{full}' of type '{}' cannot be made the primary key.", property.type_text()));
        }
    }
}

fn validate_links(schema: &Schema, property: &Property, full: &str, problems: &mut Vec<String>) {
    match (&property.target, property.kind) {
        (Some(target), PropertyType::Link) => {
            if schema.class_index(target).is_none() {
                problems.push(format!("Property '{full}' of type 'object' has unknown object type '{target}'"));
            }
            let (kind, must_be_nullable) = match property.collection {
                Collection::None => ("object", true),
                Collection::Dictionary => ("dictionary", true),
                Collection::List => ("array", false),
                Collection::Set => ("set", false),
            };
            if must_be_nullable && !property.optional {
                problems.push(format!("Property '{full}' of type '{kind}' must be nullable."));
            }
            if !must_be_nullable && property.optional {
                problems.push(format!("Property '{full}' of type '{kind}' cannot be nullable."));
            }
            let is_embedded = schema.class_index(target).is_some_and(|target| schema.class(target).is_embedded());
            if is_embedded && property.collection == Collection::Set {
                problems.push(format!("Set property '{full}' cannot contain embedded object type '{target}'."));
            }
        }
        (None, PropertyType::Link) => {
            problems.push(format!("Property '{full}' of type 'object' must name the class it links to."));
        }
        (None, PropertyType::Mixed) if !property.optional => {
            problems.push(format!("Property '{full}' of type 'mixed' must be nullable."));
        }
        (Some(_), _) => problems.push(format!("Property '{full}' is no link and must not name a class.")),
        (None, _) => {}
    }
}

/// Compares two schemas by name, the order of classes and properties aside.
pub fn compare(first: &Schema, other: &Schema) -> SchemaDifference {
    let mut difference = SchemaDifference::default();
    for class in &other.classes {
        match first.class_index(&class.name) {
            None => difference.added_classes.push(ClassSchema::clone(class)),
            Some(index) => compare_class(first.class(index), class, &mut difference),
        }
    }
    for class in &first.classes {
        if other.class_index(&class.name).is_none() {
            difference.missing.push(SchemaConflict::ClassMissing { class: class.name.clone() });
        }
    }
    difference
}

fn compare_class(first: &ClassSchema, other: &ClassSchema, difference: &mut SchemaDifference) {
    let class = || first.name.clone();
    if first.kind != other.kind {
        difference.conflicts.push(SchemaConflict::KindChanged { class: class(), to: other.kind });
    }
    let key = |c: &ClassSchema| c.primary_key_property().map_or(String::new(), |p| p.name.clone());
    if key(first) != key(other) {
        let conflict = SchemaConflict::PrimaryKeyChanged { class: class(), from: key(first), to: key(other) };
        difference.conflicts.push(conflict);
    }
    for property in &other.properties {
        let Some(column) = first.column(&property.name) else {
            difference.added_properties.push((class(), property.clone()));
            continue;
        };
        let ours = first.property(column);
        let name = property.name.clone();
        if ours.type_words() != property.type_words() {
            let (from, to) = (ours.type_words(), property.type_words());
            difference.conflicts.push(SchemaConflict::TypeChanged { class: class(), property: name, from, to });
        } else if ours.optional != property.optional {
            let now_optional = property.optional;
            difference.conflicts.push(SchemaConflict::OptionalityChanged {
                class: class(),
                property: name,
                now_optional,
            });
        }
    }
    for property in &first.properties {
        if other.column(&property.name).is_none() {
            let property = property.name.clone();
            difference.missing.push(SchemaConflict::PropertyMissing { class: class(), property });
        }
    }
}
