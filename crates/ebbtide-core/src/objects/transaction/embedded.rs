//! Creating embedded objects, each in its place.

use super::{Transaction, WriteError};
use crate::changeset::{Field, Instruction, Operand};
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::limits;
use crate::objects::{Element, KeySource, Slot};
use crate::schema::Collection;
use crate::value::Value;

/// Where an embedded object is put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Embedding<'a> {
    /// It becomes the property's value.
    Property,
    /// It is inserted into the list at a position.
    Insert(usize),
    /// It takes the place of an element of the list.
    Replace(usize),
    /// It becomes the value of a key of the dictionary.
    Key(&'a str),
}

impl Transaction {
    /// Creates an embedded object in its place; what was there goes. Its values are null, zero or empty until set. Gives its
    /// key.
    pub fn embed(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        at: Embedding<'_>,
    ) -> Result<ObjectKey, WriteError> {
        match at {
            Embedding::Property => self.check_property(class, column, Collection::None)?,
            Embedding::Insert(index) => self.check_insertion(class, key, column, index)?,
            Embedding::Replace(index) => self.check_index(class, key, column, index)?,
            Embedding::Key(name) => self.check_entry(class, key, column, name)?,
        }
        if !self.is_embedding(class, column) {
            return Err(self.wrong_type(class, column));
        }
        let target = self.snapshot.link_target(class, column).ok_or(WriteError::NoSuchProperty)?;
        let object = self.object(class, key)?;
        if object.depth() >= limits::EMBEDDED_DEPTH {
            return Err(WriteError::TooLarge { what: "depth of embedded objects", limit: limits::EMBEDDED_DEPTH });
        }
        self.check_keys()?;
        let property = self.property_name(class, column);
        let mut keys = KeySource::new(self.next_key, Vec::new());
        let created = keys.draw();
        self.next_key = keys.next();
        self.snapshot.insert_row(target, created, None, self.stamp);
        let value = Value::Link(created);
        let operand = Operand::New;
        let instruction = match at {
            Embedding::Property => {
                self.snapshot.set_cell(class, key, column, value.as_ref(), self.stamp);
                Instruction::Set { object, field: Field { property, operand, is_default: false } }
            }
            Embedding::Insert(index) => {
                let after = index.checked_sub(1).map(|before| self.element(class, key, column, before));
                let id = self.draw_element();
                let (stamp, version) = (self.stamp, self.version());
                let element = Element { id, after, placed: stamp, version, stamp, value };
                self.snapshot.list_insert(class, key, column, index, element);
                self.slots.note(target, created, Slot::Element(id));
                let after = after.map(|after| self.element_ref(after));
                Instruction::ListInsert { object, property, sequence: id.sequence, after, index: index as u32, operand }
            }
            Embedding::Replace(index) => {
                let id = self.element(class, key, column, index);
                self.slots.note(target, created, Slot::Element(id));
                let element = self.element_ref(id);
                self.snapshot.list_set(class, key, column, index, value, self.stamp);
                Instruction::ListSet { object, property, element, operand }
            }
            Embedding::Key(name) => {
                self.snapshot.dictionary_set((class, key, column), name, value, self.stamp);
                self.slots.note(target, created, Slot::Key(name.to_string()));
                Instruction::DictionarySet { object, property, key: name.to_string(), operand }
            }
        };
        self.builder.push(instruction);
        Ok(created)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::transaction::fixture::{OWNER, PART, begin};

    #[test]
    fn a_lane_of_keys_that_is_used_up_is_said_to_be_and_no_other_begun() {
        let mut transaction = begin();
        transaction.next_key = ObjectKey(ObjectKey::last_of(0).0 - 1);
        let last = transaction.create(OWNER, None).expect("the last key");
        assert_eq!(last.lane(), 0);
        let before = transaction.snapshot().canonical();
        let used_up =
            |error| matches!(error, WriteError::TooLarge { what: "number of objects ever created in one store", .. });
        assert!(used_up(transaction.create(OWNER, None).expect_err("no key is left")));
        assert!(used_up(transaction.embed(OWNER, last, PART, Embedding::Property).expect_err("no key is left")));
        assert_eq!(transaction.snapshot().canonical(), before);
    }
}
