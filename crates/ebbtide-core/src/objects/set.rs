//! Sets: no value twice, kept in the order of the values.

use std::cmp::Ordering;

use super::chunks::{Chunks, Marked};
use super::snapshot::Stamp;
use crate::limits::LIST_ELEMENTS;
use crate::value::{Value, ValueRef};

/// One element of a set, or what is left of one that was removed.
#[derive(Clone, PartialEq, Debug)]
pub struct SetElement {
    /// Its value.
    pub value: Value,
    /// When it was put in, or removed.
    pub stamp: Stamp,
}

/// Elements of sets are found by their order.
impl Marked for SetElement {
    fn marks(&self, _see: &mut dyn FnMut(u64)) {}
}

/// The elements of one set property, ascending by [`ValueRef::total_cmp`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Set {
    pub(crate) elements: Chunks<SetElement>,
    /// Elements that were removed, so that an earlier insertion that arrives later does not bring one back. Empty in a
    /// local realm. The memory of a link goes with the object that it led to.
    pub(crate) removed: Chunks<SetElement>,
    /// When the set was cleared last, to the same end; `None` in a local realm.
    pub(crate) cleared: Option<Stamp>,
}

impl Set {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The value at a position in the order of the values.
    pub fn get(&self, index: usize) -> Option<ValueRef<'_>> {
        self.elements.get(index).map(|element| element.value.as_ref())
    }

    /// The values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ValueRef<'_>> {
        self.elements.iter().map(|element| element.value.as_ref())
    }

    /// The elements in order.
    pub fn elements(&self) -> &Chunks<SetElement> {
        &self.elements
    }

    /// Where a value is, or would be.
    pub fn position(&self, value: ValueRef<'_>) -> Result<usize, usize> {
        find(&self.elements, value)
    }

    /// Whether a value is in the set.
    pub fn contains(&self, value: ValueRef<'_>) -> bool {
        self.position(value).is_ok()
    }

    /// When a value that is not in the set was removed from it by itself.
    pub(crate) fn removed(&self, value: ValueRef<'_>) -> Option<Stamp> {
        find(&self.removed, value).ok().map(|index| self.removed[index].stamp)
    }

    /// Elements that were removed and are remembered.
    pub(crate) fn remembered(&self) -> &Chunks<SetElement> {
        &self.removed
    }

    /// Whether both have the same values.
    pub fn same_values(&self, other: &Set) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a.same(&b))
    }

    /// Puts a value in, or gives the one that is there a stamp.
    pub(crate) fn insert(&mut self, value: Value, stamp: Stamp) {
        self.forget(value.as_ref());
        match self.position(value.as_ref()) {
            Ok(index) => self.elements.change(index, |element| element.stamp = stamp),
            Err(index) => self.elements.insert(index, SetElement { value, stamp }),
        }
    }

    /// Forgets that a value was removed.
    pub(crate) fn forget(&mut self, value: ValueRef<'_>) {
        if let Ok(index) = find(&self.removed, value) {
            self.removed.remove(index);
        }
    }

    /// Takes a value out, and remembers that if asked to, as long as there is room.
    pub(crate) fn remove(&mut self, value: ValueRef<'_>, remember: Option<Stamp>) -> Option<Value> {
        let gone = self.position(value).ok().map(|index| self.elements.remove(index).value);
        if let Some(stamp) = remember {
            match find(&self.removed, value) {
                Ok(index) => self.removed.change(index, |element| element.stamp = stamp),
                Err(_) if self.removed.len() >= LIST_ELEMENTS => {}
                Err(index) => self.removed.insert(index, SetElement { value: value.to_owned(), stamp }),
            }
        }
        gone
    }
}

fn find(elements: &Chunks<SetElement>, value: ValueRef<'_>) -> Result<usize, usize> {
    elements.search(|element| element.value.as_ref().total_cmp(&value))
}

/// Whether elements ascend with no two equal: what a set that was read must fulfil.
pub(crate) fn ascends(elements: &Chunks<SetElement>) -> bool {
    elements.is_sorted_by(|a, b| a.value.as_ref().total_cmp(&b.value.as_ref()) == Ordering::Less)
}
