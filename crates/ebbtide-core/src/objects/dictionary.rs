//! Dictionaries: values by key, kept in the order of the keys.

use super::chunks::{Chunks, Marked};
use super::list::{each_link_mark, leads_to, link_mark};
use super::snapshot::Stamp;
use crate::ids::{ClassIndex, ObjectKey};
use crate::limits::LIST_ELEMENTS;
use crate::value::{Value, ValueRef};

/// One entry of a dictionary.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// When its value was set.
    pub stamp: Stamp,
}

impl Entry {
    /// What is left of a removed one.
    pub(crate) fn removed(key: &str, stamp: Stamp) -> Entry {
        Entry { key: key.to_string(), value: Value::Null, stamp }
    }
}

impl Marked for Entry {
    fn marks(&self, see: &mut dyn FnMut(u64)) {
        each_link_mark(&self.value, see);
    }
}

/// The entries of one dictionary property, ascending by key.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Dictionary {
    pub(crate) entries: Chunks<Entry>,
    /// Keys that were removed, ascending, with null for a value, so that an earlier edit that arrives later does not bring one back. Empty in a
    /// local realm.
    pub(crate) removed: Chunks<Entry>,
    /// When the dictionary was cleared last, to the same end; `None` in a local realm.
    pub(crate) cleared: Option<Stamp>,
}

impl Dictionary {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<ValueRef<'_>> {
        self.position(key).ok().map(|index| self.entries[index].value.as_ref())
    }

    /// The entry at a position in the order of the keys.
    pub fn at(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// Keys and values in the order of the keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, ValueRef<'_>)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_ref()))
    }

    /// The entries in the order of the keys.
    pub fn entries(&self) -> &Chunks<Entry> {
        &self.entries
    }

    /// Where a key is, or would be.
    pub fn position(&self, key: &str) -> Result<usize, usize> {
        self.entries.search(|entry| entry.key.as_str().cmp(key))
    }

    /// The entries whose values are or have in them a link to an object.
    pub(crate) fn linking(&self, target: (ClassIndex, ObjectKey)) -> impl Iterator<Item = &Entry> {
        let found = self.entries.marked(link_mark(target.1), move |entry| leads_to(entry.value.as_ref(), target));
        found.map(|index| &self.entries[index])
    }

    /// Where a removed key is remembered, or would be.
    fn removed_at(&self, key: &str) -> Result<usize, usize> {
        self.removed.search(|gone| gone.key.as_str().cmp(key))
    }

    /// When a key's value was set or the key removed; `None` if neither has been.
    pub(crate) fn stamp(&self, key: &str) -> Option<Stamp> {
        match self.position(key) {
            Ok(index) => Some(self.entries[index].stamp),
            Err(_) => self.removed_at(key).ok().map(|index| self.removed[index].stamp),
        }
    }

    /// Whether both have the same keys and values.
    pub fn same_values(&self, other: &Dictionary) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a.0 == b.0 && a.1.same(&b.1))
    }

    /// Sets the value of a key, and gives the one it had.
    pub(crate) fn set(&mut self, key: &str, value: Value, stamp: Stamp) -> Option<Value> {
        if let Ok(index) = self.removed_at(key) {
            self.removed.remove(index);
        }
        match self.position(key) {
            Ok(index) => Some(self.entries.change(index, |entry| {
                entry.stamp = stamp;
                std::mem::replace(&mut entry.value, value)
            })),
            Err(index) => {
                self.entries.insert(index, Entry { key: key.to_string(), value, stamp });
                None
            }
        }
    }

    /// Removes a key, and remembers that if asked to, as long as there is room. Gives the value it had.
    pub(crate) fn remove(&mut self, key: &str, remember: Option<Stamp>) -> Option<Value> {
        let gone = self.position(key).ok().map(|index| self.entries.remove(index).value);
        if let Some(stamp) = remember {
            match self.removed_at(key) {
                Ok(index) => self.removed.change(index, |gone| gone.stamp = stamp),
                Err(_) if self.removed.len() >= LIST_ELEMENTS => {}
                Err(index) => self.removed.insert(index, Entry::removed(key, stamp)),
            }
        }
        gone
    }
}
