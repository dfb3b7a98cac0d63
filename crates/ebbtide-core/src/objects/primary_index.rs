//! The index from primary keys to objects. Ints, the usual kind, are kept as such: a fifth of the memory of keys of any
//! type, and compared in one step.

use super::map::CowMap;
use crate::ids::ObjectKey;
use crate::value::PrimaryKey;

/// Primary keys with their objects, cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrimaryIndex {
    ints: CowMap<i64, ObjectKey>,
    others: CowMap<PrimaryKey, ObjectKey>,
}

impl PrimaryIndex {
    /// An index of entries of distinct keys that come in ascending order.
    pub(crate) fn from_sorted(ints: Vec<(i64, ObjectKey)>, others: Vec<(PrimaryKey, ObjectKey)>) -> PrimaryIndex {
        PrimaryIndex { ints: CowMap::from_sorted(ints), others: CowMap::from_sorted(others) }
    }

    /// The object with a key.
    pub(crate) fn get(&self, primary_key: &PrimaryKey) -> Option<ObjectKey> {
        match primary_key {
            PrimaryKey::Int(int) => self.ints.get_int(*int),
            other => self.others.get(other),
        }
        .copied()
    }

    /// Adds a key.
    pub(crate) fn insert(&mut self, primary_key: PrimaryKey, key: ObjectKey) {
        match primary_key {
            PrimaryKey::Int(int) => drop(self.ints.insert(int, key)),
            other => drop(self.others.insert(other, key)),
        }
    }

    /// Removes a key.
    pub(crate) fn remove(&mut self, primary_key: &PrimaryKey) {
        match primary_key {
            PrimaryKey::Int(int) => drop(self.ints.remove(int)),
            other => drop(self.others.remove(other)),
        }
    }
}
