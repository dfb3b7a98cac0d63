//! Writing to sets and dictionaries.

use super::{Transaction, WriteError};
use crate::changeset::Instruction;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::limits;
use crate::objects::{Stamp, Synced};
use crate::schema::Collection;
use crate::value::{Value, ValueRef};

/// Checks that a dictionary can have a key.
pub(super) fn check_key(key: &str) -> Result<(), WriteError> {
    if key.len() > limits::KEY_BYTES {
        return Err(WriteError::TooLarge { what: "key's number of bytes", limit: limits::KEY_BYTES });
    }
    if !Transaction::accepts_name(key) {
        return Err(WriteError::BadKey { key: key.to_string() });
    }
    Ok(())
}

impl Transaction {
    /// Whether a dictionary can have a key.
    pub(crate) fn accepts_name(key: &str) -> bool {
        key.len() <= limits::KEY_BYTES && !key.starts_with('$') && !key.contains('.')
    }

    /// Puts a value into a set. Gives whether it was not there before.
    pub fn set_insert(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: Value,
    ) -> Result<bool, WriteError> {
        self.check_property(class, column, Collection::Set)?;
        self.check(class, column, value.as_ref())?;
        if value.depth() > 0 {
            return Err(self.wrong_type(class, column));
        }
        let at = (class, key, column);
        let set = self.snapshot.set_of(at).ok_or(WriteError::NoSuchObject)?;
        let is_new = !set.contains(value.as_ref());
        if is_new && set.len() >= limits::LIST_ELEMENTS {
            return Err(WriteError::TooLarge { what: "set's size", limit: limits::LIST_ELEMENTS });
        }
        let object = self.object(class, key)?;
        let operand = self.operand(class, column, &value)?;
        let property = self.property_name(class, column);
        self.snapshot.set_insert(at, value, self.stamp);
        self.builder.push(Instruction::SetInsert { object, property, operand });
        Ok(is_new)
    }

    /// Takes a value out of a set. Gives whether it was there.
    pub fn set_remove(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: &Value,
    ) -> Result<bool, WriteError> {
        self.check_property(class, column, Collection::Set)?;
        let at = (class, key, column);
        let set = self.snapshot.set_of(at).ok_or(WriteError::NoSuchObject)?;
        if !set.contains(value.as_ref()) {
            return Ok(false);
        }
        let object = self.object(class, key)?;
        let operand = self.operand(class, column, value)?;
        let property = self.property_name(class, column);
        self.snapshot.set_remove(at, value.as_ref(), self.remembered());
        self.builder.push(Instruction::SetRemove { object, property, operand });
        Ok(true)
    }

    /// Takes all values out of a set.
    pub fn set_clear(&mut self, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Result<(), WriteError> {
        self.check_property(class, column, Collection::Set)?;
        let at = (class, key, column);
        self.snapshot.set_of(at).ok_or(WriteError::NoSuchObject)?;
        let object = self.object(class, key)?;
        let property = self.property_name(class, column);
        self.snapshot.set_clear(at, self.stamp, self.remembered());
        self.builder.push(Instruction::SetClear { object, property });
        Ok(())
    }

    /// Sets the value of a key of a dictionary. Embedded objects are set by [`Transaction::embed`].
    pub fn dictionary_set(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        name: &str,
        value: Value,
    ) -> Result<(), WriteError> {
        self.check_entry(class, key, column, name)?;
        self.check(class, column, value.as_ref())?;
        let object = self.object(class, key)?;
        let operand = self.operand(class, column, &value)?;
        let property = self.property_name(class, column);
        self.snapshot.dictionary_set((class, key, column), name, value, self.stamp);
        self.builder.push(Instruction::DictionarySet { object, property, key: name.to_string(), operand });
        Ok(())
    }

    /// Removes a key of a dictionary. Gives whether it was there.
    pub fn dictionary_remove(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        name: &str,
    ) -> Result<bool, WriteError> {
        self.check_property(class, column, Collection::Dictionary)?;
        let at = (class, key, column);
        let dictionary = self.snapshot.dictionary(at).ok_or(WriteError::NoSuchObject)?;
        if dictionary.get(name).is_none() {
            return Ok(false);
        }
        let object = self.object(class, key)?;
        let property = self.property_name(class, column);
        self.snapshot.dictionary_remove(at, name, self.remembered());
        self.builder.push(Instruction::DictionaryRemove { object, property, key: name.to_string() });
        Ok(true)
    }

    /// Removes all keys of a dictionary.
    pub fn dictionary_clear(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
    ) -> Result<(), WriteError> {
        self.check_property(class, column, Collection::Dictionary)?;
        let at = (class, key, column);
        self.snapshot.dictionary(at).ok_or(WriteError::NoSuchObject)?;
        let object = self.object(class, key)?;
        let property = self.property_name(class, column);
        self.snapshot.dictionary_clear(at, self.stamp, self.remembered());
        self.builder.push(Instruction::DictionaryClear { object, property });
        Ok(())
    }

    /// Checks that a dictionary can get a key.
    pub(super) fn check_entry(
        &self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        name: &str,
    ) -> Result<(), WriteError> {
        self.check_property(class, column, Collection::Dictionary)?;
        check_key(name)?;
        match self.snapshot.table(class).get(key, column) {
            Some(ValueRef::Dictionary(dictionary))
                if dictionary.len() >= limits::LIST_ELEMENTS && dictionary.get(name).is_none() =>
            {
                Err(WriteError::TooLarge { what: "dictionary's size", limit: limits::LIST_ELEMENTS })
            }
            Some(_) => Ok(()),
            None => Err(WriteError::NoSuchObject),
        }
    }

    /// The stamp under which a removal is remembered: a local realm has no concurrent authors, and remembers none.
    fn remembered(&self) -> Option<Stamp> {
        match self.context.synced {
            Synced::Yes => Some(self.stamp),
            Synced::No => None,
        }
    }
}
