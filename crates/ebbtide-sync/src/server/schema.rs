//! How a server's schema grows: additions become an entry of the history, written by the server itself, so that every
//! replica and every replay learns them at the same place.

use ebbtide_core::changeset::{Builder, Changeset, Instruction};
use ebbtide_core::ids::ChangesetNumber;
use ebbtide_core::schema::{ClassKind, SchemaConflict, SchemaDifference, compare, validate};
use ebbtide_core::{ChainHash, ClientId, EditTime, Schema, ServerVersion};

use super::refusal::Refusal;
use crate::wire::{CHANGESET_BYTES_MAX, Code};

/// Refuses a schema that contradicts the server's; says class, property and both types.
pub fn schema_conflicts(difference: &SchemaDifference) -> Result<(), Refusal> {
    if difference.conflicts.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = difference.conflicts.iter().map(describe).collect();
    Err(Refusal::reset(Code::INVALID_SCHEMA_CHANGE, words.join(" ")))
}

fn describe(conflict: &SchemaConflict) -> String {
    match conflict {
        SchemaConflict::ClassMissing { class } => format!("Class '{class}' is missing."),
        SchemaConflict::PropertyMissing { class, property } => format!("Property '{class}.{property}' is missing."),
        SchemaConflict::TypeChanged { class, property, from, to } => {
            format!("Property '{class}.{property}' is of type '{from}' on the server and '{to}' on the client.")
        }
        SchemaConflict::OptionalityChanged { class, property, now_optional } => {
            let (server, client) = if *now_optional { ("required", "optional") } else { ("optional", "required") };
            format!("Property '{class}.{property}' is {server} on the server and {client} on the client.")
        }
        SchemaConflict::KindChanged { class, to } => {
            let (server, client) = match to {
                ClassKind::Embedded => ("stands by itself", "is embedded"),
                ClassKind::TopLevel => ("is embedded", "stands by itself"),
            };
            format!("Class '{class}' {server} on the server and {client} on the client.")
        }
        SchemaConflict::PrimaryKeyChanged { class, from, to } => {
            format!("The primary key of class '{class}' is '{from}' on the server and '{to}' on the client.")
        }
    }
}

/// The changeset that gives the server's schema what a wanted one has beyond it; `None` if that is nothing.
pub fn schema_entry(
    current: &Schema,
    wanted: &Schema,
    at: ServerVersion,
    time: EditTime,
) -> Result<Option<Changeset>, Refusal> {
    let difference = compare(current, wanted);
    schema_conflicts(&difference)?;
    let mut grown = current.clone();
    let mut changes = Builder::new(ClientId::default());
    for class in difference.added_classes {
        grown.classes.push(class.clone().into());
        changes.push(Instruction::AddClass(class));
    }
    for (class, property) in difference.added_properties {
        let index = grown.class_index(&class).expect("invariant: a property is added to a class that is there");
        std::sync::Arc::make_mut(&mut grown.classes[index.index()]).properties.push(property.clone());
        let class = changes.name(&class);
        changes.push(Instruction::AddProperty { class, property });
    }
    if changes.is_empty() {
        return Ok(None);
    }
    validate(&grown).map_err(|error| Refusal::fatal(Code::INVALID_SCHEMA_CHANGE, error.to_string()))?;
    if let Some(class) = grown.classes.iter().find(|class| class.primary_key.is_none() && !class.is_embedded()) {
        let reason = format!("Class '{}' has no primary key, which syncing needs.", class.name);
        return Err(Refusal::fatal(Code::INVALID_SCHEMA_CHANGE, reason));
    }
    let entry = changes.finish(ChangesetNumber(at.0 + 1), at, ChainHash::default(), time);
    if entry.encode().len() > CHANGESET_BYTES_MAX {
        let reason = format!("What the schema adds has more than {CHANGESET_BYTES_MAX} bytes; add it in parts.");
        return Err(Refusal::fatal(Code::INVALID_SCHEMA_CHANGE, reason));
    }
    Ok(Some(entry))
}
