//! Lists whose elements have identities, so that an edit names an element and not a place.

use super::chunks::{Chunks, Marked};
use super::snapshot::{AuthorIndex, Stamp};
use crate::ids::{ChangesetNumber, ClassIndex, ObjectKey, ServerVersion};
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

    /// What an element is looked for by.
    fn mark(self) -> u64 {
        self.sequence ^ u64::from(self.author.0) << 48
    }
}

impl Marked for Element {
    fn marks(&self, see: &mut dyn FnMut(u64)) {
        see(self.id.mark());
        each_link_mark(&self.value, see);
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
    pub(crate) elements: Chunks<Element>,
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
    pub fn elements(&self) -> &Chunks<Element> {
        &self.elements
    }

    /// Where an element is. What is near the end is found first, since that is where most edits are.
    pub fn position(&self, id: ElementId) -> Option<usize> {
        self.elements.marked(id.mark(), move |element| element.id == id).next()
    }

    /// The positions of the elements that are or have in them a link to an object, from the last to the first.
    pub(crate) fn linking(&self, target: (ClassIndex, ObjectKey)) -> Vec<usize> {
        self.elements.marked(link_mark(target.1), |element| leads_to(element.value.as_ref(), target)).collect()
    }

    /// Whether both have the same values in the same order, identities aside.
    pub fn same_values(&self, other: &List) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a.same(&b))
    }
}

/// What the holder of a link to an object is looked for by.
pub(super) fn link_mark(key: ObjectKey) -> u64 {
    !key.0
}

/// The marks of the links in a value.
pub(super) fn each_link_mark(value: &Value, see: &mut dyn FnMut(u64)) {
    value.as_ref().each_link(Some(ClassIndex(0)), &mut |_, key| see(link_mark(key)));
}

/// Whether a value is or has in it a link to an object; a link that names no class leads to one of the object's class.
pub(crate) fn leads_to(value: ValueRef<'_>, (class, key): (ClassIndex, ObjectKey)) -> bool {
    let mut found = false;
    value.each_link(Some(class), &mut |target, link| found |= (target, link) == (class, key));
    found
}
