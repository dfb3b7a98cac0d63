//! Lists whose elements have identities, so that an edit names an element and not a place.

use super::snapshot::{AuthorIndex, Stamp};
use crate::ids::ServerVersion;
use crate::value::{Value, ValueRef};

/// The identity of a list element: its author, and a number that the author uses once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ElementId {
    /// Who inserted it.
    pub author: AuthorIndex,
    /// The changeset's number << 24 | the position of the insertion in it.
    pub sequence: u64,
}

/// One element of a list.
#[derive(Clone, PartialEq, Debug)]
pub struct Element {
    /// Its identity.
    pub id: ElementId,
    /// The element after which it was inserted; `None` for the front.
    pub after: Option<ElementId>,
    /// When it was inserted or moved.
    pub placed: Stamp,
    /// Where in the server's history that happened: tells whether the author of a later insertion had seen it.
    pub version: ServerVersion,
    /// When its value was set.
    pub stamp: Stamp,
    /// Its value.
    pub value: Value,
}

/// The elements of one list property.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct List {
    pub(crate) elements: Vec<Element>,
}

impl List {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The value at a position.
    pub fn get(&self, index: usize) -> Option<ValueRef<'_>> {
        self.elements.get(index).map(|element| element.value.as_ref())
    }

    /// The values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ValueRef<'_>> {
        self.elements.iter().map(|element| element.value.as_ref())
    }

    /// The elements in order.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// Where an element is. What is near the end is found first, since that is where most edits are.
    pub fn position(&self, id: ElementId) -> Option<usize> {
        self.elements.iter().rposition(|element| element.id == id)
    }

    /// Whether both have the same values in the same order, identities aside.
    pub fn same_values(&self, other: &List) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a.same(&b))
    }
}
