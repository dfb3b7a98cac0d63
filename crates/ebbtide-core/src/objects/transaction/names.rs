//! Things of a snapshot as instructions name them.

use super::{Transaction, WriteError};
use crate::changeset::{ElementRef, NameIndex, ObjectId, ObjectRef, Operand, SlotRef};
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::objects::{ElementId, Slot};
use crate::value::{PrimaryKey, Value, ValueRef};

/// The positions of the names of classes and properties in the changeset, as far as they are used.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    classes: Vec<ClassNames>,
}

#[derive(Clone, Debug, Default)]
struct ClassNames {
    class: Option<NameIndex>,
    properties: Vec<Option<NameIndex>>,
}

impl Names {
    fn of(&mut self, class: ClassIndex) -> &mut ClassNames {
        if self.classes.len() <= class.index() {
            self.classes.resize_with(class.index() + 1, ClassNames::default);
        }
        &mut self.classes[class.index()]
    }
}

impl Transaction {
    /// An object by name: by its primary key, by its place in its owner, or in a class without either by its key.
    pub(super) fn object(&mut self, class: ClassIndex, key: ObjectKey) -> Result<ObjectRef, WriteError> {
        self.settle();
        let schema = self.snapshot.schema.classes.get(class.index()).ok_or(WriteError::NoSuchProperty)?.clone();
        let row = self.snapshot.table(class).row(key).ok_or(WriteError::NoSuchObject)?;
        let id = match schema.primary_key {
            Some(column) => ObjectId::Primary(
                PrimaryKey::from_ref(row.value(column)).expect("a primary key column holds primary keys"),
            ),
            None if schema.is_embedded() => self.embedded(class, key)?,
            None => ObjectId::Local(key),
        };
        Ok(ObjectRef { class: self.class_name(class), id })
    }

    fn embedded(&mut self, class: ClassIndex, key: ObjectKey) -> Result<ObjectId, WriteError> {
        let created = self.snapshot.table(class).row(key).ok_or(WriteError::NoSuchObject)?.created();
        let backlink = self.snapshot.table(class).backlinks(key).next();
        let (owner_class, column, owner, _) = backlink.ok_or(WriteError::NoSuchObject)?;
        let slot = match self.snapshot.table(owner_class).get(owner, column) {
            Some(ValueRef::List(list)) => {
                match self.slots.in_list((class, key), list).ok_or(WriteError::NoSuchObject)? {
                    Slot::Element(element) => SlotRef::Element(self.element_ref(element)),
                    Slot::Single | Slot::Key(_) => return Err(WriteError::NoSuchObject),
                }
            }
            Some(ValueRef::Dictionary(dictionary)) => {
                match self.slots.in_dictionary((class, key), dictionary).ok_or(WriteError::NoSuchObject)? {
                    Slot::Key(name) => SlotRef::Key(name),
                    Slot::Single | Slot::Element(_) => return Err(WriteError::NoSuchObject),
                }
            }
            _ => SlotRef::Single,
        };
        Ok(ObjectId::Embedded {
            owner: Box::new(self.object(owner_class, owner)?),
            property: self.property_name(owner_class, column),
            slot,
            created: created.time,
            author: self.client_ref(created.author),
        })
    }

    /// A value by name. Links lead to objects that exist.
    pub(super) fn operand(
        &mut self,
        class: ClassIndex,
        column: ColumnIndex,
        value: &Value,
    ) -> Result<Operand, WriteError> {
        Ok(match value {
            Value::Link(target) => {
                let target_class = self.snapshot.link_target(class, column).ok_or(WriteError::NoSuchProperty)?;
                Operand::Link(self.object(target_class, *target)?)
            }
            Value::TypedLink(target_class, target) => {
                let is_embedded =
                    self.snapshot.schema.classes.get(target_class.index()).is_some_and(|class| class.is_embedded());
                if is_embedded {
                    return Err(self.wrong_type(class, column));
                }
                Operand::Link(self.object(*target_class, *target)?)
            }
            Value::Array(values) => {
                let operands = values.iter().map(|value| self.operand(class, column, value));
                Operand::Array(operands.collect::<Result<_, _>>()?)
            }
            Value::Map(values) => {
                let operands = values.iter().map(|(key, value)| Ok((key.clone(), self.operand(class, column, value)?)));
                Operand::Map(operands.collect::<Result<_, WriteError>>()?)
            }
            value => Operand::Value(value.clone()),
        })
    }

    pub(super) fn class_name(&mut self, class: ClassIndex) -> NameIndex {
        let names = self.names.of(class);
        *names.class.get_or_insert_with(|| self.builder.name(&self.snapshot.schema.class(class).name))
    }

    pub(super) fn property_name(&mut self, class: ClassIndex, column: ColumnIndex) -> NameIndex {
        let schema = self.snapshot.schema.class(class);
        let names = self.names.of(class);
        names.properties.resize(schema.properties.len(), None);
        *names.properties[column.index()].get_or_insert_with(|| self.builder.name(&schema.property(column).name))
    }

    pub(super) fn element_ref(&mut self, id: ElementId) -> ElementRef {
        ElementRef { client: self.client_ref(id.author), sequence: id.sequence }
    }

    fn client_ref(&mut self, author: crate::objects::AuthorIndex) -> u32 {
        let client = self.snapshot.authors.id(author);
        self.builder.client(client)
    }
}
