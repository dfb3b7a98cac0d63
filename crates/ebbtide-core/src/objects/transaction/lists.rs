//! Writing to lists.

use super::{Transaction, WriteError};
use crate::changeset::Instruction;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::limits;
use crate::objects::{Element, ElementId, List};
use crate::schema::Collection;
use crate::value::Value;

impl Transaction {
    /// Inserts an element at a position of a list.
    pub fn list_insert(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
        value: Value,
    ) -> Result<(), WriteError> {
        self.check_insertion(class, key, column, index)?;
        self.check(class, column, value.as_ref())?;
        let object = self.object(class, key)?;
        let operand = self.operand(class, column, &value)?;
        let after = index.checked_sub(1).map(|before| self.element(class, key, column, before));
        let id = self.draw_element();
        let instruction = Instruction::ListInsert {
            object,
            property: self.property_name(class, column),
            sequence: id.sequence,
            after: after.map(|after| self.element_ref(after)),
            index: index as u32,
            operand,
        };
        let version = self.version();
        let element = Element { id, after, placed: self.stamp, version, stamp: self.stamp, value };
        self.snapshot.list_insert(class, key, column, index, element);
        self.builder.push(instruction);
        Ok(())
    }

    /// Sets the value of an element.
    pub fn list_set(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
        value: Value,
    ) -> Result<(), WriteError> {
        self.check_index(class, key, column, index)?;
        self.check(class, column, value.as_ref())?;
        let object = self.object(class, key)?;
        let operand = self.operand(class, column, &value)?;
        let element = self.element(class, key, column, index);
        let element = self.element_ref(element);
        let property = self.property_name(class, column);
        self.snapshot.list_set(class, key, column, index, value, self.stamp);
        self.builder.push(Instruction::ListSet { object, property, element, operand });
        Ok(())
    }

    /// Moves an element; `to` is its position afterwards.
    pub fn list_move(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        from: usize,
        to: usize,
    ) -> Result<(), WriteError> {
        self.check_index(class, key, column, from)?;
        self.check_index(class, key, column, to)?;
        if from == to {
            return Ok(());
        }
        let object = self.object(class, key)?;
        let property = self.property_name(class, column);
        let element = self.element(class, key, column, from);
        let before = if to > from { Some(to) } else { to.checked_sub(1) };
        let after = before.map(|before| self.element(class, key, column, before));
        let instruction = Instruction::ListMove {
            object,
            property,
            element: self.element_ref(element),
            after: after.map(|after| self.element_ref(after)),
            index: to as u32,
        };
        self.snapshot.list_move(class, key, column, from, to, (after, self.stamp, self.version()));
        self.builder.push(instruction);
        Ok(())
    }

    /// Removes an element.
    pub fn list_remove(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
    ) -> Result<(), WriteError> {
        self.check_index(class, key, column, index)?;
        let object = self.object(class, key)?;
        let element = self.element(class, key, column, index);
        let element = self.element_ref(element);
        let property = self.property_name(class, column);
        self.snapshot.list_remove(class, key, column, index);
        self.builder.push(Instruction::ListRemove { object, property, element });
        Ok(())
    }

    /// Removes all elements.
    pub fn list_clear(&mut self, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Result<(), WriteError> {
        let len = self.list_len(class, key, column)?;
        if len == 0 {
            return Ok(());
        }
        let object = self.object(class, key)?;
        let property = self.property_name(class, column);
        let ids: Vec<ElementId> = (0..len).map(|index| self.element(class, key, column, index)).collect();
        let elements = ids.into_iter().map(|id| self.element_ref(id)).collect();
        self.snapshot.list_replace(class, key, column, List::default());
        self.builder.push(Instruction::ListClear { object, property, elements });
        Ok(())
    }

    /// Checks that an element can be put at a position.
    pub(super) fn check_insertion(
        &self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
    ) -> Result<(), WriteError> {
        let len = self.list_len(class, key, column)?;
        if index > len {
            return Err(WriteError::OutOfRange { index, len });
        }
        if len >= limits::LIST_ELEMENTS {
            return Err(WriteError::TooLarge { what: "list's length", limit: limits::LIST_ELEMENTS });
        }
        Ok(())
    }

    /// An identity for a new element of a list.
    pub(super) fn draw_element(&mut self) -> ElementId {
        let sequence = ElementId::sequence_of(self.context.number, self.elements);
        let id = ElementId { author: self.stamp.author, sequence };
        self.elements += 1;
        id
    }

    pub(super) fn check_index(
        &self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
    ) -> Result<(), WriteError> {
        let len = self.list_len(class, key, column)?;
        if index < len { Ok(()) } else { Err(WriteError::OutOfRange { index, len }) }
    }

    /// The identity of an element that is there.
    pub(super) fn element(&self, class: ClassIndex, key: ObjectKey, column: ColumnIndex, index: usize) -> ElementId {
        let list = self.snapshot.list(class, key, column).expect("the list was just found");
        list.elements()[index].id
    }

    fn list_len(&self, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Result<usize, WriteError> {
        self.check_property(class, column, Collection::List)?;
        self.snapshot.list(class, key, column).map(|list| list.len()).ok_or(WriteError::NoSuchObject)
    }
}
