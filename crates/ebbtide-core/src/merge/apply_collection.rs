//! What instructions do to lists, sets and dictionaries.

use std::collections::BTreeSet;

use super::apply::Applier;
use super::place::{place, position_after};
use crate::changeset::{ElementRef, Operand};
use crate::ids::ServerVersion;
use crate::limits::LIST_ELEMENTS;
use crate::mutants::{Mutant, mutant};
use crate::objects::{Dictionary, Element, ElementId, List, Place, Set, Slot, Stamp};
use crate::value::{Value, ValueRef};

impl Applier<'_, '_> {
    pub(super) fn list_insert(
        &mut self,
        at: Place,
        sequence: u64,
        after: Option<ElementRef>,
        index: usize,
        operand: &Operand,
    ) {
        let id = ElementId { author: self.stamp.author, sequence };
        if self.is_in_list(at, id) || self.list(at).len() >= LIST_ELEMENTS {
            return;
        }
        let Some(value) = self.value(at, &Slot::Element(id), operand) else { return };
        if is_gone(&value, operand) {
            return;
        }
        let after = after.map(|after| self.predecessor(after));
        let list = self.list(at);
        let element = Element { id, after, placed: self.stamp, version: self.at, stamp: self.stamp, value };
        let index = place(self.snapshot, list, &element, position_after(list, after, index), self.changeset.base);
        self.snapshot.list_insert(at.0, at.1, at.2, index, element);
    }

    /// Whether an element of the author's that is about to be inserted is there already. A changeset's insertions count up, so
    /// that the list is looked through for the first of them only.
    fn is_in_list(&mut self, at: Place, id: ElementId) -> bool {
        // The log of a local realm has nothing twice.
        if self.at == ServerVersion(0) {
            return false;
        }
        let highest = self.highest.get(&at).copied().unwrap_or_else(|| {
            let own = self.list(at).elements().iter().filter(|element| element.id.author == id.author);
            own.map(|element| element.id.sequence).max().unwrap_or_default()
        });
        self.highest.insert(at, highest.max(id.sequence));
        id.sequence <= highest && self.list(at).position(id).is_some()
    }

    pub(super) fn list_set(&mut self, at: Place, element: ElementRef, operand: &Operand) {
        let Some(index) = self.position(at, element) else { return };
        let present = &self.list(at).elements()[index];
        let id = present.id;
        if self.snapshot.later(present.stamp, self.stamp) {
            return;
        }
        let Some(value) = self.value(at, &Slot::Element(id), operand) else { return };
        if is_gone(&value, operand) {
            self.snapshot.list_remove(at.0, at.1, at.2, index);
        } else {
            self.snapshot.list_set(at.0, at.1, at.2, index, value, self.stamp);
        }
    }

    pub(super) fn list_move(&mut self, at: Place, element: ElementRef, after: Option<ElementRef>, index: usize) {
        let Some(from) = self.position(at, element) else { return };
        if self.snapshot.later(self.list(at).elements()[from].placed, self.stamp) && !mutant(Mutant::MoveIgnoresTime) {
            return;
        }
        let after = after.map(|after| self.predecessor(after));
        let list = self.list(at);
        let to = position_after(list, after, index);
        let to = if to > from { to - 1 } else { to };
        let to = to.min(list.len() - 1);
        let placed = (after, self.stamp, self.at);
        self.snapshot.list_move(at.0, at.1, at.2, from, to, placed);
    }

    pub(super) fn list_remove(&mut self, at: Place, element: ElementRef) {
        if let Some(index) = self.position(at, element) {
            self.snapshot.list_remove(at.0, at.1, at.2, index);
        }
    }

    /// Removes all at once: one by one, each would move all that stand behind it.
    pub(super) fn list_clear(&mut self, at: Place, elements: &[ElementRef]) {
        let gone: BTreeSet<ElementId> = elements.iter().filter_map(|element| self.element(*element)).collect();
        let list = self.list(at);
        let left: Vec<Element> = list
            .elements()
            .iter()
            .filter(|left| !gone.contains(&left.id) && !mutant(Mutant::ClearTakesUnseen))
            .cloned()
            .collect();
        if left.len() < list.len() {
            self.snapshot.list_replace(at.0, at.1, at.2, List { elements: left.into() });
        }
    }

    /// A value goes to the later of insertion and removal.
    pub(super) fn set_insert(&mut self, at: Place, operand: &Operand) {
        let Some(value) = self.set_value(at, operand) else { return };
        let set = self.set_of(at);
        let is_full = set.len() >= LIST_ELEMENTS && !set.contains(value.as_ref());
        if !is_full && !self.is_earlier_in_set(at, value.as_ref()) {
            self.snapshot.set_insert(at, value, self.stamp);
        }
    }

    pub(super) fn set_remove(&mut self, at: Place, operand: &Operand) {
        let Some(value) = self.set_value(at, operand) else { return };
        if !self.is_earlier_in_set(at, value.as_ref()) {
            self.snapshot.set_remove(at, value.as_ref(), self.remembered());
        }
    }

    /// A clearing removes what was put in before it, also what arrives after it.
    pub(super) fn set_clear(&mut self, at: Place) {
        if !self.is_earlier_than(self.set_of(at).cleared) {
            self.snapshot.set_clear(at, self.stamp, self.remembered());
        }
    }

    /// A key goes to the later edit of its value; removing it is one.
    pub(super) fn dictionary_set(&mut self, at: Place, key: &str, operand: &Operand) {
        let dictionary = self.dictionary(at);
        let is_full = dictionary.len() >= LIST_ELEMENTS && dictionary.get(key).is_none();
        if is_full || self.is_earlier_in_dictionary(at, key) {
            return;
        }
        if let Some(value) = self.value(at, &Slot::Key(key.to_string()), operand) {
            self.snapshot.dictionary_set(at, key, value, self.stamp);
        }
    }

    pub(super) fn dictionary_remove(&mut self, at: Place, key: &str) {
        if !self.is_earlier_in_dictionary(at, key) {
            self.snapshot.dictionary_remove(at, key, self.remembered());
        }
    }

    pub(super) fn dictionary_clear(&mut self, at: Place) {
        if !self.is_earlier_than(self.dictionary(at).cleared) {
            self.snapshot.dictionary_clear(at, self.stamp, self.remembered());
        }
    }

    /// The value of an operand, if a set can hold it: no collection, and no link to an object that is gone, since such links
    /// leave sets.
    fn set_value(&mut self, at: Place, operand: &Operand) -> Option<Value> {
        if *operand == Operand::New {
            return None;
        }
        let value = self.value(at, &Slot::Single, operand)?;
        (!is_gone(&value, operand) && value.depth() == 0).then_some(value)
    }

    fn is_earlier_in_set(&self, at: Place, value: ValueRef<'_>) -> bool {
        let set = self.set_of(at);
        let present = match set.position(value) {
            Ok(index) => Some(set.elements()[index].stamp),
            Err(_) => set.removed(value),
        };
        self.is_earlier_than(present) || self.is_earlier_than(set.cleared)
    }

    fn is_earlier_in_dictionary(&self, at: Place, key: &str) -> bool {
        let dictionary = self.dictionary(at);
        self.is_earlier_than(dictionary.stamp(key)) || self.is_earlier_than(dictionary.cleared)
    }

    fn is_earlier_than(&self, present: Option<Stamp>) -> bool {
        present.is_some_and(|present| self.snapshot.later(present, self.stamp))
    }

    /// The stamp under which a removal is remembered: a local realm has no concurrent authors, and remembers none.
    fn remembered(&self) -> Option<Stamp> {
        (self.at != ServerVersion(0) && !mutant(Mutant::RemovalForgotten)).then_some(self.stamp)
    }

    fn list(&self, at: Place) -> &List {
        self.snapshot.list(at.0, at.1, at.2).expect("the list was just found")
    }

    fn set_of(&self, at: Place) -> &Set {
        self.snapshot.set_of(at).expect("the set was just found")
    }

    fn dictionary(&self, at: Place) -> &Dictionary {
        self.snapshot.dictionary(at).expect("the dictionary was just found")
    }

    fn position(&self, at: Place, element: ElementRef) -> Option<usize> {
        let id = self.element(element)?;
        match self.snapshot.table(at.0).get(at.1, at.2)? {
            ValueRef::List(list) => list.position(id),
            _ => None,
        }
    }
}

/// Whether a value was a link to an object that is gone: lists and sets do not keep it.
pub(super) fn is_gone(value: &Value, operand: &Operand) -> bool {
    value.is_null() && matches!(operand, Operand::Link(_))
}
