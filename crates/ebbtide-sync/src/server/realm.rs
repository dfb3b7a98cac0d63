//! A realm on the server, in memory: its record and its materialised state.

use ebbtide_core::objects::KeySource;
use ebbtide_core::{ObjectKey, Schema, ServerVersion, Snapshot};

use super::integrate::Step;
use super::record::{HistoryEntry, Position, RealmRecord};
use ebbtide_core::changeset::Changeset;
use ebbtide_core::codec::DecodeError;
use ebbtide_core::merge;

/// A realm on the server: the state is always the history up to the head, applied.
#[derive(Clone, Debug)]
pub struct Realm {
    record: RealmRecord,
    state: Snapshot,
    next_key: ObjectKey,
}

impl Realm {
    /// A realm whose state stands at the record's head, or at an earlier version from which [`Realm::replay`] goes on.
    pub fn new(record: RealmRecord, state: Snapshot) -> Realm {
        let next_key = first_free_key(&state);
        Realm { record, state, next_key }
    }

    /// Brings a state that was saved at an earlier version to where the entries lead.
    pub fn replay(&mut self, entries: &[HistoryEntry]) -> Result<(), DecodeError> {
        let mut keys = KeySource::new(self.next_key, Vec::new());
        for entry in entries {
            let changeset = Changeset::decode(&entry.changeset)?;
            merge::apply(&mut self.state, &changeset, entry.at.version, &mut keys);
        }
        self.next_key = keys.next();
        Ok(())
    }

    /// Takes note that the state was saved as it is. Whoever loads it draws the next key from its rows; doing the same
    /// here gives later rows the same keys on both sides, so that a snapshot of a version has the same bytes on both.
    pub fn saved(&mut self) {
        self.next_key = first_free_key(&self.state);
    }

    /// What is stored about it.
    pub fn record(&self) -> &RealmRecord {
        &self.record
    }

    /// Its objects.
    pub fn state(&self) -> &Snapshot {
        &self.state
    }

    /// Its schema.
    pub fn schema(&self) -> &Schema {
        self.state.schema()
    }

    /// The key that the next new row gets.
    pub(super) fn next_key(&self) -> ObjectKey {
        self.next_key
    }

    /// Moves on by a step that is durable now.
    pub fn advance(&mut self, step: Step) {
        assert_eq!(step.from, self.record.head, "invariant: a step continues the head it was made on");
        self.record.head = step.head;
        self.record.clients.extend(step.append.clients);
        for client in &step.append.forgotten {
            self.record.clients.remove(client);
        }
        self.state = step.state;
        self.next_key = step.next_key;
    }

    /// Takes note that the history up to here is no longer kept.
    pub fn trimmed(&mut self, floor: Position) {
        assert!(floor.version <= self.record.head.version, "invariant: what is not there cannot be trimmed");
        self.record.floor = floor;
    }

    /// Takes note of a client's position, which is written down some time later.
    pub fn note_seen(&mut self, client: ebbtide_core::ClientId, seen: ServerVersion, now: ebbtide_core::Millis) {
        let head = self.record.head.version;
        if let Some(record) = self.record.clients.get_mut(&client) {
            record.seen = record.seen.max(seen.min(head));
            record.seen_at = record.seen_at.max(now);
        }
    }
}

fn first_free_key(state: &Snapshot) -> ObjectKey {
    let classes = 0..state.schema().classes.len() as u32;
    let last = classes.filter_map(|class| state.table(ebbtide_core::ClassIndex(class)).keys().max()).max();
    ObjectKey(last.map_or(1, |key| key.0 + 1))
}
