//! Where an inserted list element goes.

use crate::ids::ServerVersion;
use crate::mutants::{Mutant, mutant};
use crate::objects::{Element, ElementId, List, Snapshot};

/// The position after an element: `None` is the front; an element that is not there leaves the position that the author
/// saw, clipped to the list.
pub(super) fn position_after(list: &List, after: Option<ElementId>, index: usize) -> usize {
    match after {
        None => 0,
        Some(id) => list
            .position(id)
            .map_or(index.min(list.len()), |position| position + usize::from(!mutant(Mutant::InsertBefore))),
    }
}

/// The position for a new element, given the one right after the element it names.
///
/// Others may have inserted after the same element without the author having seen it. Those that did so earlier keep
/// their place before the new element, together with all that was inserted after them, so that two people's runs stand
/// one after the other in the order of time and never interleave.
pub(super) fn place(snapshot: &Snapshot, list: &List, new: &Element, from: usize, seen: ServerVersion) -> usize {
    let mut index = from;
    let mut passed: Vec<ElementId> = Vec::new();
    while let Some(next) = list.elements().get(index) {
        let follows_passed = next.after.is_some_and(|after| passed.contains(&after));
        // Who has moved an element has put it there, whoever inserted it first.
        let unseen = next.version > seen && next.placed.author != new.placed.author;
        let sibling = next.after == new.after && unseen && snapshot.later(new.placed, next.placed);
        if !follows_passed && !sibling {
            break;
        }
        passed.push(next.id);
        index += 1;
    }
    index
}
