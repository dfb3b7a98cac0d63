//! Whether a changeset fits a schema: what a server asks before it takes one in.

use crate::changeset::{Changeset, Field, Instruction, NameIndex, ObjectId, ObjectRef, Operand};
use crate::objects::Transaction;
use crate::schema::{ClassSchema, Collection, Property, Schema};

/// Why a changeset does not fit. Names classes and properties, never values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// What is wrong.
    pub reason: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Violation {}

/// Checks that every class and property exists, that every value has its property's type, and that a client does not
/// write what only a server may.
pub fn check(schema: &Schema, changeset: &Changeset) -> Result<(), Violation> {
    let checker = Checker { schema, changeset };
    for instruction in changeset.instructions() {
        checker.instruction(&instruction)?;
    }
    Ok(())
}

struct Checker<'a> {
    schema: &'a Schema,
    changeset: &'a Changeset,
}

impl<'a> Checker<'a> {
    fn instruction(&self, instruction: &Instruction) -> Result<(), Violation> {
        match instruction {
            Instruction::AddClass(_) | Instruction::AddProperty { .. } => {
                violation("a client may not change the schema in a changeset")
            }
            Instruction::CreateObject { object, fields } => {
                let class = self.object(object)?;
                fields.iter().try_for_each(|field| self.field(class, field))
            }
            Instruction::DeleteObject { object } => self.object(object).map(drop),
            Instruction::Set { object, field } => self.field(self.object(object)?, field),
            Instruction::ListInsert { object, property, operand, .. }
            | Instruction::ListSet { object, property, operand, .. } => {
                let class = self.object(object)?;
                let property = self.list(class, *property)?;
                self.operand(class, property, operand)
            }
            Instruction::ListMove { object, property, .. }
            | Instruction::ListRemove { object, property, .. }
            | Instruction::ListClear { object, property, .. } => self.list(self.object(object)?, *property).map(drop),
        }
    }

    fn object(&self, object: &ObjectRef) -> Result<&'a ClassSchema, Violation> {
        let name = self.changeset.name(object.class);
        let Some(index) = self.schema.class_index(name) else {
            return violation(format!("there is no class '{name}'"));
        };
        let class = self.schema.class(index);
        match (&object.id, class.primary_key_property()) {
            (ObjectId::Primary(key), Some(property)) if Transaction::accepts_key(property, key) => Ok(class),
            _ => violation(format!("an object of class '{name}' is not named by its primary key")),
        }
    }

    fn property(&self, class: &'a ClassSchema, name: NameIndex) -> Result<&'a Property, Violation> {
        let name = self.changeset.name(name);
        match class.column(name) {
            Some(column) => Ok(class.property(column)),
            None => violation(format!("there is no property '{}.{name}'", class.name)),
        }
    }

    fn field(&self, class: &'a ClassSchema, field: &Field) -> Result<(), Violation> {
        let property = self.property(class, field.property)?;
        if property.collection != Collection::None {
            return violation(format!("'{}.{}' is a list", class.name, property.name));
        }
        if class.primary_key_property().is_some_and(|key| key.name == property.name) {
            return violation(format!("'{}.{}' is the primary key", class.name, property.name));
        }
        self.operand(class, property, &field.operand)
    }

    fn list(&self, class: &'a ClassSchema, name: NameIndex) -> Result<&'a Property, Violation> {
        let property = self.property(class, name)?;
        if property.collection == Collection::List {
            Ok(property)
        } else {
            violation(format!("'{}.{}' is no list", class.name, property.name))
        }
    }

    fn operand(&self, class: &ClassSchema, property: &Property, operand: &Operand) -> Result<(), Violation> {
        let fits = match operand {
            Operand::Value(value) => Transaction::accepts(property, value),
            Operand::Link(object) => {
                self.object(object)?;
                property.target.as_deref() == Some(self.changeset.name(object.class))
            }
        };
        if fits {
            Ok(())
        } else {
            violation(format!(
                "a value for '{}.{}' is not of type '{}'",
                class.name,
                property.name,
                property.type_text()
            ))
        }
    }
}

fn violation<T>(reason: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { reason: reason.into() })
}
