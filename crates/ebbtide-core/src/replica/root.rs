//! The replica on disk: a root record that lists the page records of the base, and the log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::log::{LogEntry, decode_cursor, encode_cursor};
use super::others::{damaged, read_log};
use super::replica_state::{Authorship, Identity, Record, Records, Replica};
use crate::batch::{CorruptStore, Head, LoadedStore, checksum_of, open_sealed, seal};
use crate::clock::{Clock, EditTime};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{ChainHash, ChangesetNumber, ClientId, LogPosition, ObjectKey, RecordId};
use crate::objects::{Group, Saved, Snapshot, Synced};
use crate::page::{Manifest, assemble, decode_group, encode_group};

/// What a store writes so that its pages hold the base as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The root record.
    pub root: Vec<u8>,
    /// Page records to write.
    pub pages: Vec<(RecordId, Vec<u8>)>,
    /// Page records that nothing refers to any more.
    pub dropped: Vec<RecordId>,
    /// All that the log still has to hold: our changesets that the server has not confirmed.
    pub log: Vec<LogEntry>,
}

/// The root record: all but pages and log.
pub(super) struct Root {
    pub(super) synced: Synced,
    pub(super) schema_version: u64,
    pub(super) identity: Identity,
    pub(super) cursor: Option<super::Cursor>,
    pub(super) clock: EditTime,
    pub(super) next_key: ObjectKey,
    pub(super) next_record: RecordId,
    pub(super) log_start: LogPosition,
    pub(super) manifest: Manifest,
    /// For each class its records in ascending order.
    pub(super) records: Vec<Vec<Saved>>,
}

impl Replica {
    /// Writes the base down: only the groups of pages that were changed since they were last written. The log begins anew
    /// at `log_start`.
    pub fn checkpoint(&mut self, log_start: LogPosition) -> Checkpoint {
        let before = self.records.clone();
        let state = self.to_store().clone();
        let there = before.by_checksum();
        let mut pages = Vec::new();
        let mut kept = BTreeSet::new();
        let mut records = Vec::with_capacity(state.tables.len());
        for table in &state.tables {
            let mut saved = Vec::with_capacity(table.groups().len());
            for group in table.groups().values() {
                let record = before.holding(group).unwrap_or_else(|| {
                    let bytes = encode_group(group);
                    let checksum = checksum_of(&bytes);
                    let record = there.get(&checksum).copied().unwrap_or_else(|| self.records.add(&bytes, checksum));
                    if !before.known.contains_key(&record) {
                        pages.push((record, bytes));
                    }
                    let saved = Saved { record, checksum };
                    group.set_saved(saved);
                    saved
                });
                kept.insert(record.record);
                saved.push(record);
            }
            records.push(saved);
        }
        let dropped = self.records.known.keys().filter(|record| !kept.contains(record)).copied().collect();
        self.records.known.retain(|record, _| kept.contains(record));
        self.records.of = Authorship::Shared;
        let log = self.pending().map(|own| LogEntry::Local(own.bytes.clone())).collect();
        let root = self.encode_root(&state, log_start, &records);
        if let Some(sealed) = &mut self.sealed {
            sealed.records = Some(before);
        }
        Checkpoint { root, pages, dropped, log }
    }

    /// Reads a realm back: pages, then log.
    pub fn load(store: &LoadedStore) -> Result<Replica, CorruptStore> {
        Replica::load_in_lane(store.clone(), 0)
    }

    /// The same for an engine that draws the keys of new objects from a lane of its own. Each record is let go as soon as it
    /// is decoded, so that the store and the realm are never in memory both.
    pub fn load_in_lane(store: LoadedStore, lane: u64) -> Result<Replica, CorruptStore> {
        let missing = |record: String| CorruptStore::Missing { record };
        let root = store.root.as_deref().ok_or_else(|| missing("root record".to_string()))?;
        let root = open_sealed("root record", root, Root::decode)?;
        let log_start = root.log_start;
        let mut pages: BTreeMap<RecordId, Vec<u8>> = store.pages.into_iter().collect();
        let mut known = BTreeMap::new();
        let mut tables = Vec::with_capacity(root.records.len());
        for (class, records) in root.manifest.schema.classes.iter().zip(&root.records) {
            let mut groups = Vec::with_capacity(records.len());
            for saved in records {
                let name = format!("page record {} of class '{}'", saved.record.0, class.name);
                let bytes = pages.remove(&saved.record).ok_or_else(|| missing(name.clone()))?;
                if checksum_of(&bytes) != saved.checksum {
                    let reason = "it is not the one that the root record names".to_string();
                    return Err(CorruptStore::Damaged { record: name, reason });
                }
                let decoded = decode_group(&name, &bytes, class, root.manifest.authors.ids().len())?;
                groups.push(Arc::new(Group::loaded(decoded, *saved)));
                known.insert(saved.record, Record { bytes: bytes.len(), checksum: saved.checksum });
            }
            tables.push(groups);
        }
        drop(pages);
        let base = assemble(root.manifest, tables)?;
        // Above all keys that objects have, whatever the root says: copies once named too low a one, or one of another lane.
        let named = if root.next_key.lane() == 0 { root.next_key } else { ObjectKey::first_of(0) };
        let next_key = named.max(base.key_after(0));
        let replica = Replica {
            current: base.clone(),
            base,
            pending: VecDeque::new(),
            unlogged: 0,
            identity: root.identity,
            cursor: root.cursor,
            clock: Clock::at(root.clock),
            next_key,
            main_key: next_key,
            synced: root.synced,
            schema_version: root.schema_version,
            records: Records { known, next: root.next_record, of: Authorship::Shared },
            sealed: None,
            former: None,
        };
        let mut replica = replica.in_lane(lane);
        let head = store.head.as_deref().ok_or_else(|| missing("head record".to_string()))?;
        let entries = read_log(&store.log, (log_start, Head::decode(head)?.next_position))?;
        drop(store.log);
        replica.reload(entries).map_err(damaged)?;
        Ok(replica)
    }

    /// How many bytes the page records take that the store has, or will have after the last checkpoint.
    pub fn page_bytes(&self) -> usize {
        self.records.known.values().map(|record| record.bytes).sum()
    }

    /// How many bytes of pages a checkpoint would write, about: groups that were changed are taken to be as large as those that
    /// the store has are on average.
    pub fn unsaved_bytes(&self) -> usize {
        let groups = self.to_store().tables.iter().flat_map(|table| table.groups().values());
        let changed = groups.filter(|group| self.records.holding(group).is_none()).count();
        // Divided first: the product does not fit the 32 bits that a module in a browser has for it.
        changed * (self.page_bytes() / self.records.known.len().max(1))
    }

    /// The state that pages hold: a synced realm keeps its pending changesets in the log.
    fn to_store(&self) -> &Snapshot {
        match self.synced {
            Synced::Yes => &self.base,
            Synced::No => &self.current,
        }
    }

    /// How many bytes root and pages would take after a checkpoint.
    pub fn checkpoint_bytes(&self) -> usize {
        let group_bytes = |group: &Arc<Group>| match self.records.holding(group) {
            Some(saved) => self.records.known.get(&saved.record).map_or(0, |record| record.bytes),
            None => encode_group(group).len(),
        };
        let pages: usize = self.base.tables.iter().flat_map(|table| table.groups().values()).map(group_bytes).sum();
        pages + self.root_bytes()
    }

    /// How many bytes the root record takes, about.
    pub fn root_bytes(&self) -> usize {
        let none = vec![Vec::new(); self.base.tables.len()];
        self.encode_root(&self.base, LogPosition(1), &none).len()
    }

    fn encode_root(&self, state: &Snapshot, log_start: LogPosition, records: &[Vec<Saved>]) -> Vec<u8> {
        seal(|out| {
            out.bool(self.synced == Synced::Yes);
            out.varint(self.schema_version);
            // The identity as it was before the pending changesets, which the log repeats.
            let identity = match self.pending().next() {
                Some(own) => Identity {
                    client: self.identity.client,
                    last_number: ChangesetNumber(own.changeset.number.0 - 1),
                    last_hash: own.changeset.parent,
                },
                None => self.identity,
            };
            out.raw(&identity.client.0);
            out.varint(identity.last_number.0);
            out.raw(&identity.last_hash.0);
            out.option(self.cursor, |out, cursor| encode_cursor(cursor, out));
            out.u64(self.clock.last().0);
            out.varint(if self.next_key.lane() == 0 { self.next_key.0 } else { self.main_key.0 });
            out.varint(self.records.next.0);
            out.varint(log_start.0);
            Manifest::of(state).encode(out);
            for records in records {
                encode_records(records, out);
            }
        })
    }
}

impl Records {
    /// The record that holds a group as it is, if the store has one.
    fn holding(&self, group: &Group) -> Option<Saved> {
        let holds =
            |saved: &Saved| self.known.get(&saved.record).is_some_and(|record| record.checksum == saved.checksum);
        group.saved().filter(|saved| self.of == Authorship::Shared && holds(saved))
    }

    /// The records that could hold a group of ours, by what is in them.
    fn by_checksum(&self) -> BTreeMap<u64, RecordId> {
        match self.of {
            Authorship::Shared => self.known.iter().map(|(id, record)| (record.checksum, *id)).collect(),
            Authorship::Foreign => BTreeMap::new(),
        }
    }

    fn add(&mut self, bytes: &[u8], checksum: u64) -> RecordId {
        let record = self.next;
        self.next = RecordId(record.0 + 1);
        self.known.insert(record, Record { bytes: bytes.len(), checksum });
        record
    }
}

fn encode_records(records: &[Saved], out: &mut Writer) {
    out.varint(records.len() as u64);
    for saved in records {
        out.varint(saved.record.0);
        out.u64(saved.checksum);
    }
}

impl Root {
    pub(super) fn decode(input: &mut Reader<'_>) -> Result<Root, DecodeError> {
        let synced = if input.bool()? { Synced::Yes } else { Synced::No };
        let schema_version = input.varint()?;
        let client = ClientId(input.array()?);
        let last_number = ChangesetNumber(input.varint()?);
        let last_hash = ChainHash(input.array()?);
        let cursor = input.option(decode_cursor)?;
        let clock = EditTime(input.u64()?);
        let next_key = ObjectKey(input.varint()?);
        let next_record = RecordId(input.varint()?);
        let log_start = LogPosition(input.varint()?);
        let manifest = Manifest::decode(input)?;
        let mut records = Vec::with_capacity(manifest.tables.len());
        for table in &manifest.tables {
            let count = input.count(usize::MAX)?;
            if count != table.groups {
                return Err(input.invalid("as many records as the manifest says"));
            }
            let saved =
                |input: &mut Reader<'_>| Ok(Saved { record: RecordId(input.varint()?), checksum: input.u64()? });
            records.push((0..count).map(|_| saved(input)).collect::<Result<Vec<_>, _>>()?);
        }
        let identity = Identity { client, last_number, last_hash };
        Ok(Root {
            synced,
            schema_version,
            identity,
            cursor,
            clock,
            next_key,
            next_record,
            log_start,
            manifest,
            records,
        })
    }
}
