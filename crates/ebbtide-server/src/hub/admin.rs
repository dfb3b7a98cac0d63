//! What an operator may do to a realm, as functions of values; the hub and the command line both use them.

use std::collections::BTreeMap;

use ebbtide_core::objects::Row;
use ebbtide_core::{ClassIndex, ClassSchema, ColumnIndex, Epoch, ObjectKey, Salt, ServerVersion, Snapshot, ValueRef};
use ebbtide_sync::server::{Position, Realm, RealmRecord, SchemaChange, reshape};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{ClassState, ClientState, RealmState};
use crate::edge::hex;
use crate::limits::OBJECTS_LISTED_MAX;

/// Some objects of a class.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectsPage {
    /// The class.
    pub class: String,
    /// How many objects it has.
    pub total: usize,
    /// Some of them.
    pub objects: Vec<Value>,
}

/// The record of the same realm in a new epoch: nobody is known, no history before it is kept.
pub fn new_epoch(record: &RealmRecord, epoch: Epoch, salt: Salt) -> RealmRecord {
    let start = Position { version: record.head.version, salt };
    RealmRecord { epoch, head: start, floor: start, clients: BTreeMap::new() }
}

/// The state under a changed schema, for destructive changes.
pub fn reshaped(state: &Snapshot, change: &SchemaChange) -> Result<Snapshot, String> {
    let schema = change.apply(state.schema()).map_err(|error| error.to_string())?;
    reshape(state, &schema).map_err(|error| error.to_string())
}

/// The version up to which history goes when `keep` entries stay.
pub fn trim_point(record: &RealmRecord, keep: u64) -> ServerVersion {
    ServerVersion(record.head.version.0.saturating_sub(keep).max(record.floor.version.0))
}

impl RealmState {
    /// What a realm looks like.
    pub fn of(name: &str, realm: &Realm, sessions: usize) -> RealmState {
        let record = realm.record();
        let client = |(id, client): (&ebbtide_core::ClientId, &ebbtide_sync::server::ClientRecord)| ClientState {
            client: hex(&id.0),
            user: client.user.clone(),
            number: client.number.0,
            seen: client.seen.0,
            seen_at: client.seen_at.0,
        };
        RealmState {
            realm: name.to_string(),
            epoch: hex(&record.epoch.0),
            head: record.head.version.0,
            floor: record.floor.version.0,
            sessions,
            clients: record.clients.iter().map(client).collect(),
            classes: classes(realm.state()),
        }
    }
}

fn classes(state: &Snapshot) -> Vec<ClassState> {
    let class = |(index, class): (usize, &std::sync::Arc<ClassSchema>)| ClassState {
        name: class.name.clone(),
        primary_key: class.primary_key_property().map(|property| property.name.clone()),
        objects: state.table(ebbtide_core::ClassIndex(index as u32)).len(),
        properties: class
            .properties
            .iter()
            .map(|p| (p.name.clone(), format!("{}{}", p.type_text(), if p.optional { "?" } else { "" })))
            .collect(),
    };
    state.schema().classes.iter().enumerate().map(class).collect()
}

/// Objects of a class as JSON, by position in the order of their creation.
pub fn objects(state: &Snapshot, class: &str, from: usize) -> Result<ObjectsPage, String> {
    let index = state.schema().class_index(class).ok_or_else(|| format!("there is no class '{class}'"))?;
    let table = state.table(index);
    let rows = table.rows().skip(from).take(OBJECTS_LISTED_MAX);
    let object = |row: Row<'_>| json_row(state, index, row);
    Ok(ObjectsPage { class: class.to_string(), total: table.len(), objects: rows.map(object).collect() })
}

fn json_row(state: &Snapshot, class: ClassIndex, row: Row<'_>) -> Value {
    let value = |(column, property): (usize, &ebbtide_core::Property)| {
        let value = json_value(state, property.target.as_deref(), row.value(ColumnIndex(column as u32)));
        (property.name.clone(), value)
    };
    Value::Object(state.schema().class(class).properties.iter().enumerate().map(value).collect::<Map<_, _>>())
}

/// A value as JSON: what JSON has as itself, the rest as in MongoDB's extended JSON; a link as its target's key.
fn json_value(state: &Snapshot, target: Option<&str>, value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Bool(v) => json!(v),
        ValueRef::Int(v) if v.unsigned_abs() <= 1 << 53 => json!(v),
        ValueRef::Int(v) => json!({ "$numberLong": v.to_string() }),
        ValueRef::Float(v) => json_value(state, target, ValueRef::Double(f64::from(v))),
        ValueRef::Decimal(v) => json!({ "$numberDecimal": v.to_string() }),
        ValueRef::Double(v) if v.is_finite() => json!(v),
        ValueRef::Double(v) => json!({ "$numberDouble": v.to_string() }),
        ValueRef::String(v) => json!(v),
        ValueRef::Data(v) => json!({ "$data": hex(v) }),
        ValueRef::Date(v) => json!({ "$date": v }),
        ValueRef::ObjectId(v) => json!({ "$oid": hex(&v) }),
        ValueRef::Uuid(v) => json!({ "$uuid": hex(&v) }),
        ValueRef::Link(key) => {
            let class = target.and_then(|target| state.schema().class_index(target));
            match class {
                Some(class) if state.schema().class(class).is_embedded() => {
                    state.table(class).row(key).map_or(Value::Null, |row| json_row(state, class, row))
                }
                class => json_link(state, class, key),
            }
        }
        ValueRef::TypedLink(class, key) => json_link(state, Some(class), key),
        ValueRef::Array(values) => {
            Value::Array(values.iter().map(|value| json_value(state, target, value.as_ref())).collect())
        }
        ValueRef::Map(values) => {
            let entry = |(key, value): (&String, &ebbtide_core::Value)| {
                (key.clone(), json_value(state, target, value.as_ref()))
            };
            Value::Object(values.iter().map(entry).collect())
        }
        ValueRef::List(list) => Value::Array(list.iter().map(|value| json_value(state, target, value)).collect()),
        ValueRef::Set(set) => Value::Array(set.iter().map(|value| json_value(state, target, value)).collect()),
        ValueRef::Dictionary(dictionary) => {
            let entry = |(key, value): (&str, ValueRef<'_>)| (key.to_string(), json_value(state, target, value));
            Value::Object(dictionary.iter().map(entry).collect())
        }
    }
}

fn json_link(state: &Snapshot, class: Option<ClassIndex>, key: ObjectKey) -> Value {
    let primary_key = class.and_then(|class| state.primary_key(class, key));
    json!({ "$link": primary_key.map(|key| json_value(state, None, key.as_ref())) })
}
