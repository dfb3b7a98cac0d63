//! Where keys of new rows come from.

use super::edit_collection::Slot;
use super::snapshot::{Snapshot, Stamp};
use crate::ids::{ClassIndex, ClientId, ColumnIndex, ObjectKey};
use crate::value::{PrimaryKey, ValueRef};

/// Where keys of new rows come from. A row that another state of the same store already has gets that state's key, so
/// that whoever holds it still holds the same object; others get the next number.
#[derive(Clone, Debug)]
pub struct KeySource<'a> {
    next: ObjectKey,
    known: Vec<&'a Snapshot>,
}

impl<'a> KeySource<'a> {
    /// Keys from `next` on, and those of the states in `known`, which are looked up by class name and primary key.
    pub fn new(next: ObjectKey, known: Vec<&'a Snapshot>) -> KeySource<'a> {
        KeySource { next, known }
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
    /// owner has the same key there.
    pub(crate) fn embedded_key(
        &mut self,
        into: &Snapshot,
        owner: (ClassIndex, ObjectKey, ColumnIndex),
        slot: &Slot,
        created: Stamp,
    ) -> ObjectKey {
        let (class, key, column) = owner;
        let Some(target) = into.link_target(class, column) else { return self.draw() };
        let author = into.authors().id(created.author);
        let known = self.known.iter().find_map(|known| known_embedded(known, owner, slot, (created, author)));
        match known {
            Some(known) if !into.table(target).contains(known) && key != known => known,
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
        self.next = self.next.max(ObjectKey(key.0 + 1));
    }
}

fn known_embedded(
    known: &Snapshot,
    (class, key, column): (ClassIndex, ObjectKey, ColumnIndex),
    slot: &Slot,
    (created, author): (Stamp, ClientId),
) -> Option<ObjectKey> {
    if class.index() >= known.schema().classes.len() || column.index() >= known.schema().class(class).properties.len() {
        return None;
    }
    let target = known.link_target(class, column)?;
    let value = known.table(class).get(key, column)?;
    let found = match (slot, value) {
        (Slot::Single, value) => value,
        (Slot::Element(id), ValueRef::List(list)) => list.get(list.position(*id)?)?,
        (Slot::Key(name), ValueRef::Dictionary(dictionary)) => dictionary.get(name)?,
        (Slot::Element(_) | Slot::Key(_), _) => return None,
    };
    let ValueRef::Link(key) = found else { return None };
    let stamp = known.table(target).row(key)?.created();
    (stamp.time == created.time && known.authors().id(stamp.author) == author).then_some(key)
}
