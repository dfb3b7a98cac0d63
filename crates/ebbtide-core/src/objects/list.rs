//! Lists whose elements have identities, so that an edit names an element and not a place.

use super::snapshot::{AuthorIndex, Stamp};
use crate::ids::{ChangesetNumber, ServerVersion};
use crate::value::{Value, ValueRef};

/// The identity of a list element: its author, and a number that the author uses once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ElementId {
    /// Who inserted it.
    pub author: AuthorIndex,
    /// Which changeset of the author inserted it, and which of its insertions it was: [`ElementId::sequence_of`].
    pub sequence: u64,
}

/// Bits of an element's number that count within its changeset.
const SEQUENCE_SHIFT: u32 = 24;

impl ElementId {
    /// The number of the element that is a changeset's insertion at this position among all of its insertions.
    pub fn sequence_of(changeset: ChangesetNumber, position: u64) -> u64 {
        changeset.0 << SEQUENCE_SHIFT | position
    }

    /// The changeset and the position of a number.
    pub fn origin_of(sequence: u64) -> (ChangesetNumber, u64) {
        (ChangesetNumber(sequence >> SEQUENCE_SHIFT), sequence & ((1 << SEQUENCE_SHIFT) - 1))
    }
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
