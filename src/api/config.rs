//! Configurations and schemas as JavaScript writes them. They cross through serde: they are few and small.

use std::sync::Arc;

use ebbtide_core::ColumnIndex;
use ebbtide_core::schema::{ClassKind, ClassSchema, Collection, IndexKind, Property, PropertyType, Schema};
use ebbtide_sync::client::{Migration, ResetMode};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use crate::error::{Fault, Result};

/// How a realm is opened.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CoreConfig {
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) schema: Option<Vec<CoreClass>>,
    #[serde(default)]
    pub(crate) schema_version: Option<f64>,
    #[serde(default)]
    pub(crate) migration: CoreMigration,
    /// Whether what is stored is to be deleted first.
    #[serde(default)]
    pub(crate) replace: bool,
    #[serde(default)]
    pub(crate) resolve_embedded_constraints: bool,
    #[serde(default)]
    pub(crate) encryption_key: Option<Vec<u8>>,
    #[serde(default)]
    pub(crate) read_only: bool,
    #[serde(default)]
    pub(crate) in_memory: bool,
    #[serde(default)]
    pub(crate) sync: Option<CoreSync>,
}

/// What becomes of a realm whose schema is another than the wanted one.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CoreMigration {
    #[default]
    Automatic,
    Callback,
    StartOver,
}

/// What a realm syncs with.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CoreSync {
    pub(crate) user_id: String,
    pub(crate) realm: String,
    pub(crate) reset_mode: CoreResetMode,
}

/// The reset modes by their names.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CoreResetMode {
    Manual,
    #[serde(alias = "discardLocal")]
    DiscardUnsyncedChanges,
    RecoverUnsyncedChanges,
    RecoverOrDiscardUnsyncedChanges,
}

/// A class.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CoreClass {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    primary_key: Option<String>,
    #[serde(default)]
    embedded: bool,
    properties: Vec<CoreProperty>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CoreProperty {
    name: String,
    r#type: CoreType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collection: Option<CoreCollection>,
    #[serde(default)]
    optional: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object_type: Option<String>,
    #[serde(default)]
    indexed: CoreIndex,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum CoreIndex {
    #[default]
    None,
    General,
    FullText,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum CoreType {
    Bool,
    Int,
    Float,
    Double,
    Decimal128,
    String,
    Data,
    Date,
    ObjectId,
    Uuid,
    Link,
    Mixed,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum CoreCollection {
    List,
    Set,
    Dictionary,
}

/// Reads a configuration.
pub(crate) fn config_from_js(config: JsValue) -> Result<CoreConfig> {
    let config: CoreConfig = serde_wasm_bindgen::from_value(config)
        .map_err(|e| Fault::InvalidConfig { message: format!("The realm's configuration is not understood: {e}") })?;
    if config.path.is_empty() {
        let message = "The path cannot be empty. Provide a path or remove the field.".to_owned();
        return Err(Fault::InvalidConfig { message });
    }
    Ok(config)
}

/// Reads a list of classes.
pub(crate) fn classes_from_js(classes: JsValue) -> Result<Schema> {
    let classes: Vec<CoreClass> = serde_wasm_bindgen::from_value(classes)
        .map_err(|e| Fault::InvalidSchema { message: format!("The schema is not understood: {e}") })?;
    schema_of(&classes)
}

/// The schema that a list of classes describes.
pub(crate) fn schema_of(classes: &[CoreClass]) -> Result<Schema> {
    let classes = classes.iter().map(class_of).collect::<Result<Vec<_>>>()?;
    Ok(Schema { classes })
}

/// A schema as JavaScript reads it.
pub(crate) fn schema_to_js(schema: &Schema) -> Result<JsValue> {
    let classes: Vec<CoreClass> = schema.classes.iter().map(|class| core_class(class)).collect();
    serde_wasm_bindgen::to_value(&classes).map_err(|e| Fault::InvalidSchema { message: e.to_string() })
}

impl From<CoreMigration> for Migration {
    fn from(migration: CoreMigration) -> Migration {
        match migration {
            CoreMigration::Automatic => Migration::Automatic,
            CoreMigration::Callback => Migration::Callback,
            CoreMigration::StartOver => Migration::StartOver,
        }
    }
}

impl From<CoreResetMode> for ResetMode {
    fn from(mode: CoreResetMode) -> ResetMode {
        match mode {
            CoreResetMode::Manual => ResetMode::Manual,
            CoreResetMode::DiscardUnsyncedChanges => ResetMode::DiscardUnsyncedChanges,
            CoreResetMode::RecoverUnsyncedChanges => ResetMode::RecoverUnsyncedChanges,
            CoreResetMode::RecoverOrDiscardUnsyncedChanges => ResetMode::RecoverOrDiscardUnsyncedChanges,
        }
    }
}

fn class_of(class: &CoreClass) -> Result<Arc<ClassSchema>> {
    if class.name.contains('\0') {
        let message = format!("The name of class '{}' must not contain a NUL character.", class.name.escape_default());
        return Err(Fault::InvalidSchema { message });
    }
    let properties: Vec<Property> = class.properties.iter().map(property_of).collect();
    let primary_key = match &class.primary_key {
        None => None,
        Some(name) => match properties.iter().position(|property| property.name == *name) {
            Some(position) => Some(ColumnIndex(position as u32)),
            None => {
                let message =
                    format!("The primary key '{name}' of class '{}' is not one of its properties.", class.name);
                return Err(Fault::InvalidSchema { message });
            }
        },
    };
    let kind = if class.embedded { ClassKind::Embedded } else { ClassKind::TopLevel };
    Ok(Arc::new(ClassSchema { name: class.name.clone(), kind, primary_key, properties }))
}

fn property_of(property: &CoreProperty) -> Property {
    Property {
        name: property.name.clone(),
        kind: match property.r#type {
            CoreType::Bool => PropertyType::Bool,
            CoreType::Int => PropertyType::Int,
            CoreType::Float => PropertyType::Float,
            CoreType::Double => PropertyType::Double,
            CoreType::Decimal128 => PropertyType::Decimal,
            CoreType::Mixed => PropertyType::Mixed,
            CoreType::String => PropertyType::String,
            CoreType::Data => PropertyType::Data,
            CoreType::Date => PropertyType::Date,
            CoreType::ObjectId => PropertyType::ObjectId,
            CoreType::Uuid => PropertyType::Uuid,
            CoreType::Link => PropertyType::Link,
        },
        collection: match property.collection {
            None => Collection::None,
            Some(CoreCollection::List) => Collection::List,
            Some(CoreCollection::Set) => Collection::Set,
            Some(CoreCollection::Dictionary) => Collection::Dictionary,
        },
        optional: property.optional,
        target: property.object_type.clone(),
        indexed: match property.indexed {
            CoreIndex::None => IndexKind::None,
            CoreIndex::General => IndexKind::General,
            CoreIndex::FullText => IndexKind::FullText,
        },
    }
}

fn core_class(class: &ClassSchema) -> CoreClass {
    CoreClass {
        name: class.name.clone(),
        primary_key: class.primary_key_property().map(|property| property.name.clone()),
        embedded: class.is_embedded(),
        properties: class.properties.iter().map(core_property).collect(),
    }
}

fn core_property(property: &Property) -> CoreProperty {
    CoreProperty {
        name: property.name.clone(),
        r#type: match property.kind {
            PropertyType::Bool => CoreType::Bool,
            PropertyType::Int => CoreType::Int,
            PropertyType::Float => CoreType::Float,
            PropertyType::Double => CoreType::Double,
            PropertyType::Decimal => CoreType::Decimal128,
            PropertyType::Mixed => CoreType::Mixed,
            PropertyType::String => CoreType::String,
            PropertyType::Data => CoreType::Data,
            PropertyType::Date => CoreType::Date,
            PropertyType::ObjectId => CoreType::ObjectId,
            PropertyType::Uuid => CoreType::Uuid,
            PropertyType::Link => CoreType::Link,
        },
        collection: match property.collection {
            Collection::None => None,
            Collection::List => Some(CoreCollection::List),
            Collection::Set => Some(CoreCollection::Set),
            Collection::Dictionary => Some(CoreCollection::Dictionary),
        },
        optional: property.optional,
        object_type: property.target.clone(),
        indexed: match property.indexed {
            IndexKind::None => CoreIndex::None,
            IndexKind::General => CoreIndex::General,
            IndexKind::FullText => CoreIndex::FullText,
        },
    }
}
