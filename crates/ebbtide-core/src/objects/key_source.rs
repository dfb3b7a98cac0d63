//! Where keys of new rows come from.

use std::collections::BTreeMap;

use super::edit_collection::{Place, Slot};
use super::list::ElementId;
use super::snapshot::{Snapshot, Stamp};
use crate::clock::EditTime;
use crate::ids::ObjectKey;
use crate::value::{PrimaryKey, ValueRef};

/// Where keys of new rows come from. A row that another state of the same store already has gets that state's key, so
/// that whoever holds it still holds the same object; others get the next number.
#[derive(Clone, Debug)]
pub struct KeySource<'a> {
    next: ObjectKey,
    /// The next key of lane 0, as far as it was seen here.
    main: ObjectKey,
    known: Vec<&'a Snapshot>,
    /// The times that changesets had in the known states which have others now.
    former: BTreeMap<EditTime, EditTime>,
}

impl<'a> KeySource<'a> {
    /// Keys from `next` on, and those of the states in `known`, which are looked up by class name and primary key.
    pub fn new(next: ObjectKey, known: Vec<&'a Snapshot>) -> KeySource<'a> {
        KeySource { next, main: ObjectKey::first_of(0), known, former: BTreeMap::new() }
    }

    /// The same if changesets have got other times than they had in the known states: by the time that each has now.
    pub(crate) fn with_former_times(self, former: BTreeMap<EditTime, EditTime>) -> KeySource<'a> {
        KeySource { former, ..self }
    }

    /// A key of lane 0 that is above all of that lane that were reserved.
    pub(crate) fn main(&self) -> ObjectKey {
        self.main
    }

    /// The next key that nobody has.
    pub fn next(&self) -> ObjectKey {
        self.next
    }

    /// The key for an object.
    pub(crate) fn key_for(&mut self, class: &str, primary_key: &PrimaryKey) -> ObjectKey {
        for snapshot in &self.known {
            let Some(index) = snapshot.schema().class_index(class) else { continue };
            if let Some(key) = snapshot.table(index).find_key(primary_key) {
                return key;
            }
        }
        self.draw()
    }

    /// The key for an embedded object that `author` put into a place at a time. A known state has the same object if its
    /// owner has the same key there. The key may be that of the object that is in the place now, which the same author has put
    /// there within the same transaction; that one then goes.
    pub(crate) fn embedded_key(&mut self, into: &Snapshot, owner: Place, slot: &Slot, created: Stamp) -> ObjectKey {
        let Some(target) = into.link_target(owner.0, owner.2) else { return self.draw() };
        let time = self.former.get(&created.time).copied().unwrap_or(created.time);
        let then = Stamp { time, ..created };
        let known = self.known.iter().find_map(|known| known_embedded(known, into, owner, slot, then));
        let is_there = |known| matches!(into.in_slot(owner, slot), Some(ValueRef::Link(there)) if there == known);
        match known {
            Some(known) if !into.table(target).contains(known) || is_there(known) => known,
            _ => self.draw(),
        }
    }

    /// A key that nobody has.
    pub(crate) fn draw(&mut self) -> ObjectKey {
        let key = ObjectKey(self.next.0.max(1));
        self.next = ObjectKey(key.0 + 1);
        key
    }

    /// Takes note that a key is in use.
    pub(crate) fn reserve(&mut self, key: ObjectKey) {
        let after = ObjectKey(key.0 + 1);
        if key.lane() == self.next.lane() {
            self.next = self.next.max(after);
        }
        if key.lane() == 0 {
            self.main = self.main.max(after);
        }
    }
}

fn known_embedded(
    known: &Snapshot,
    into: &Snapshot,
    (class, key, column): Place,
    slot: &Slot,
    created: Stamp,
) -> Option<ObjectKey> {
    if class.index() >= known.schema().classes.len() || column.index() >= known.schema().class(class).properties.len() {
        return None;
    }
    let target = known.link_target(class, column)?;
    let slot = match slot {
        Slot::Element(id) => {
            let author = known.authors().find(into.authors().id(id.author))?;
            Slot::Element(ElementId { author, ..*id })
        }
        slot => slot.clone(),
    };
    let Some(ValueRef::Link(key)) = known.in_slot((class, key, column), &slot) else { return None };
    let stamp = known.table(target).row(key)?.created();
    let is_it = stamp.time == created.time && known.authors().id(stamp.author) == into.authors().id(created.author);
    is_it.then_some(key)
}
