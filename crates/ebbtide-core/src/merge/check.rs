//! Whether a changeset fits a schema: what a server asks before it takes one in.

use crate::changeset::{Changeset, Field, Instruction, NameIndex, ObjectId, ObjectRef, Operand, SlotRef};
use crate::objects::Transaction;
use crate::schema::{ClassSchema, Collection, Property, PropertyType, Schema};

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
            Instruction::Increment { object, property, .. } => {
                let class = self.object(object)?;
                let property = self.collection(class, *property, Collection::None)?;
                let is_key = class.primary_key_property().is_some_and(|key| key.name == property.name);
                if property.kind == PropertyType::Int && !is_key {
                    Ok(())
                } else {
                    violation(format!("'{}.{}' cannot be incremented", class.name, property.name))
                }
            }
            Instruction::ListInsert { object, property, operand, .. }
            | Instruction::ListSet { object, property, operand, .. } => {
                self.element(object, *property, Collection::List, operand)
            }
            Instruction::SetInsert { object, property, operand }
            | Instruction::SetRemove { object, property, operand } => {
                self.element(object, *property, Collection::Set, operand)
            }
            Instruction::DictionarySet { object, property, key, operand } => {
                check_name(key)?;
                self.element(object, *property, Collection::Dictionary, operand)
            }
            Instruction::ListMove { object, property, .. }
            | Instruction::ListRemove { object, property, .. }
            | Instruction::ListClear { object, property, .. } => {
                self.collection(self.object(object)?, *property, Collection::List).map(drop)
            }
            Instruction::SetClear { object, property } => {
                self.collection(self.object(object)?, *property, Collection::Set).map(drop)
            }
            Instruction::DictionaryRemove { object, property, .. }
            | Instruction::DictionaryClear { object, property } => {
                self.collection(self.object(object)?, *property, Collection::Dictionary).map(drop)
            }
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
            (ObjectId::Embedded { owner, property, slot, .. }, None) if class.is_embedded() => {
                let property = self.property(self.object(owner)?, *property)?;
                let collection = match slot {
                    SlotRef::Single => Collection::None,
                    SlotRef::Element(_) => Collection::List,
                    SlotRef::Key(_) => Collection::Dictionary,
                };
                if property.collection == collection && property.target.as_deref() == Some(name) {
                    Ok(class)
                } else {
                    violation(format!("'{}' does not hold objects of the embedded class '{name}'", property.name))
                }
            }
            _ => violation(format!("an object of class '{name}' is not named by its primary key")),
        }
    }

    fn element(
        &self,
        object: &ObjectRef,
        property: NameIndex,
        of: Collection,
        operand: &Operand,
    ) -> Result<(), Violation> {
        let class = self.object(object)?;
        let property = self.collection(class, property, of)?;
        self.operand(class, property, operand)
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
            return violation(format!("'{}.{}' is a collection", class.name, property.name));
        }
        if class.primary_key_property().is_some_and(|key| key.name == property.name) {
            return violation(format!("'{}.{}' is the primary key", class.name, property.name));
        }
        self.operand(class, property, &field.operand)
    }

    fn collection(&self, class: &'a ClassSchema, name: NameIndex, of: Collection) -> Result<&'a Property, Violation> {
        let property = self.property(class, name)?;
        if property.collection == of {
            return Ok(property);
        }
        let wanted = match of {
            Collection::None => "a single value",
            Collection::List => "a list",
            Collection::Set => "a set",
            Collection::Dictionary => "a dictionary",
        };
        violation(format!("'{}.{}' is not {wanted}", class.name, property.name))
    }

    fn operand(&self, class: &ClassSchema, property: &Property, operand: &Operand) -> Result<(), Violation> {
        if self.fits(property, operand)? {
            return Ok(());
        }
        violation(format!("a value for '{}.{}' is not of type '{}'", class.name, property.name, property.type_text()))
    }

    fn fits(&self, property: &Property, operand: &Operand) -> Result<bool, Violation> {
        let is_mixed = property.kind == PropertyType::Mixed;
        Ok(match operand {
            Operand::Value(value) => Transaction::accepts(property, value.as_ref()),
            Operand::Link(object) => {
                let target = self.object(object)?;
                !target.is_embedded() && (is_mixed || property.target.as_deref() == Some(&*target.name))
            }
            Operand::New => {
                let target = property.target.as_deref().and_then(|target| self.schema.class_index(target));
                target.is_some_and(|target| self.schema.class(target).is_embedded())
            }
            Operand::Array(operands) => {
                is_mixed
                    && property.collection != Collection::Set
                    && operands.iter().try_fold(true, |all, operand| Ok(all && self.fits(property, operand)?))?
            }
            Operand::Map(operands) => {
                is_mixed
                    && property.collection != Collection::Set
                    && operands.iter().try_fold(true, |all, (key, operand)| {
                        check_name(key)?;
                        Ok(all && self.fits(property, operand)?)
                    })?
            }
        })
    }
}

fn check_name(key: &str) -> Result<(), Violation> {
    if Transaction::accepts_name(key) {
        Ok(())
    } else {
        violation("a dictionary has a key with '.' in it or '$' before")
    }
}

fn violation<T>(reason: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { reason: reason.into() })
}
