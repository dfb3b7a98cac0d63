//! Schema changes as JSON:
//!
//! ```json
//! {"op": "add-class", "class": "Task", "primaryKey": "_id", "properties": {"_id": "int", "title": "string?"}}
//! {"op": "add-class", "class": "Address", "embedded": true, "properties": {"street": "string"}}
//! {"op": "add-property", "class": "Task", "property": "done", "type": "bool"}
//! {"op": "drop-class", "class": "Task"}
//! {"op": "drop-property", "class": "Task", "property": "done"}
//! {"op": "change-type", "class": "Task", "property": "count", "type": "string"}
//! {"op": "change-primary-key", "class": "Task", "property": "code"}
//! ```
//!
//! Types are those of the shorthand grammar: `int`, `string?`, `double[]`, `int<>`, `mixed{}`, `Dog`, `Dog[]`.

use std::collections::BTreeMap;

use ebbtide_core::{ClassKind, ClassSchema, Collection, Property, PropertyType};
use ebbtide_sync::server::SchemaChange;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
enum Operation {
    AddClass {
        class: String,
        #[serde(rename = "primaryKey", default = "id")]
        primary_key: String,
        #[serde(default)]
        embedded: bool,
        properties: BTreeMap<String, String>,
    },
    AddProperty {
        class: String,
        property: String,
        r#type: String,
    },
    DropClass {
        class: String,
    },
    DropProperty {
        class: String,
        property: String,
    },
    ChangeType {
        class: String,
        property: String,
        r#type: String,
    },
    ChangePrimaryKey {
        class: String,
        property: String,
    },
}

fn id() -> String {
    "_id".to_string()
}

/// Reads a schema change.
pub fn parse_change(json: &Value) -> Result<SchemaChange, String> {
    let change: Operation = serde_json::from_value(json.clone()).map_err(|error| {
        format!("the schema change cannot be read: {error}; it is like {{\"op\":\"drop-property\",\"class\":\"Task\",\"property\":\"done\"}}")
    })?;
    Ok(match change {
        Operation::AddClass { class, primary_key, embedded, properties } => {
            let parsed = properties.iter().map(|(name, text)| parse_property(name, text));
            let properties = parsed.collect::<Result<Vec<_>, _>>()?;
            let kind = if embedded { ClassKind::Embedded } else { ClassKind::TopLevel };
            let mut made = ClassSchema { kind, name: class, primary_key: None, properties };
            if !embedded {
                let key = made.column(&primary_key);
                made.primary_key = Some(key.ok_or_else(|| format!("the primary key '{primary_key}' is no property"))?);
            }
            SchemaChange::AddClass(made)
        }
        Operation::AddProperty { class, property, r#type } => {
            SchemaChange::AddProperty { class, property: parse_property(&property, &r#type)? }
        }
        Operation::DropClass { class } => SchemaChange::DropClass { class },
        Operation::DropProperty { class, property } => SchemaChange::DropProperty { class, property },
        Operation::ChangeType { class, property, r#type } => {
            SchemaChange::ChangeType { class, property: parse_property(&property, &r#type)? }
        }
        Operation::ChangePrimaryKey { class, property } => SchemaChange::ChangePrimaryKey { class, property },
    })
}

/// Reads a property's type in the shorthand grammar.
pub fn parse_property(name: &str, text: &str) -> Result<Property, String> {
    let suffixes = [("[]", Collection::List), ("<>", Collection::Set), ("{}", Collection::Dictionary)];
    let suffix = suffixes.iter().find_map(|(suffix, kind)| Some((text.strip_suffix(suffix)?, *kind)));
    let (element, collection) = suffix.unwrap_or((text, Collection::None));
    let (element, optional) = match element.strip_suffix('?') {
        Some(element) => (element, true),
        None => (element, false),
    };
    let kind = match element {
        "bool" => PropertyType::Bool,
        "int" => PropertyType::Int,
        "float" => PropertyType::Float,
        "double" => PropertyType::Double,
        "decimal128" => PropertyType::Decimal,
        "mixed" => PropertyType::Mixed,
        "string" => PropertyType::String,
        "data" => PropertyType::Data,
        "date" => PropertyType::Date,
        "objectId" => PropertyType::ObjectId,
        "uuid" => PropertyType::Uuid,
        "" => return Err(format!("property '{name}' has no type")),
        class if class.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => PropertyType::Link,
        _ => return Err(format!("'{text}' is no type of a property")),
    };
    let is_link = kind == PropertyType::Link;
    Ok(Property {
        name: name.to_string(),
        kind,
        collection,
        optional: optional
            || kind == PropertyType::Mixed
            || (is_link && matches!(collection, Collection::None | Collection::Dictionary)),
        target: is_link.then(|| element.to_string()),
        indexed: ebbtide_core::IndexKind::None,
    })
}

#[cfg(test)]
mod tests {
    use ebbtide_core::Schema;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_in_every_collection_is_read_as_it_is_written() {
        let elements = ["bool", "int", "float", "double", "decimal128", "string", "data", "date", "objectId", "uuid"];
        for element in elements {
            for suffix in ["", "[]", "<>", "{}"] {
                for optional in ["", "?"] {
                    let property = parse_property("p", &format!("{element}{optional}{suffix}")).expect("a type");
                    assert_eq!(property.type_text(), format!("{element}{suffix}"));
                    assert_eq!(property.optional, optional == "?");
                }
            }
        }
        for (text, optional) in
            [("Dog", true), ("Dog[]", false), ("Dog<>", false), ("Dog{}", true), ("mixed", true), ("mixed[]", true)]
        {
            let property = parse_property("p", text).expect("a type");
            assert_eq!((property.type_text().as_str(), property.optional), (text, optional));
            assert_eq!(property.target.as_deref(), text.starts_with("Dog").then_some("Dog"));
        }
        for bad in ["", "[]", "?", "int??", "int[][]", "a b", "<>int"] {
            assert!(parse_property("p", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn embedded_classes_are_added_without_a_primary_key() {
        let change =
            json!({"op": "add-class", "class": "Address", "embedded": true, "properties": {"street": "string"}});
        let change = parse_change(&change).expect("a change");
        let schema = change.apply(&Schema::default()).expect("a schema");
        assert!(schema.classes[0].is_embedded() && schema.classes[0].primary_key.is_none());
        let keyless = json!({"op": "add-class", "class": "Address", "properties": {"street": "string"}});
        assert_eq!(parse_change(&keyless), Err("the primary key '_id' is no property".to_string()));
    }
}
