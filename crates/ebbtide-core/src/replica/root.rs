//! The replica on disk: a root record that lists the page records of the base, and the log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::log::{LogEntry, decode_block, decode_cursor, encode_cursor};
use super::replica_state::{Identity, Replica};
use crate::batch::{CorruptStore, Head, LoadedStore, checksum_of, open_sealed, seal};
use crate::clock::{Clock, EditTime};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{ChainHash, ChangesetNumber, ClientId, LogPosition, ObjectKey, RecordId};
use crate::objects::{Group, Saved, Synced};
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
struct Root {
    synced: Synced,
    schema_version: u64,
    identity: Identity,
    cursor: Option<super::Cursor>,
    clock: EditTime,
    next_key: ObjectKey,
    next_record: RecordId,
    log_start: LogPosition,
    manifest: Manifest,
    /// For each class its records in ascending order.
    records: Vec<Vec<Saved>>,
}

impl Replica {
    /// Writes the base down: only the groups of pages that were changed since they were last written. The log begins anew
    /// at `log_start`.
    pub fn checkpoint(&mut self, log_start: LogPosition) -> Checkpoint {
        let mut pages = Vec::new();
        let mut kept = BTreeSet::new();
        let mut records = Vec::with_capacity(self.base.tables.len());
        for table in &self.base.tables {
            for group in table.groups.values() {
                if group.saved().is_none() {
                    let record = self.next_record;
                    self.next_record = RecordId(record.0 + 1);
                    let bytes = encode_group(group);
                    self.records.insert(record, bytes.len());
                    group.set_saved(Saved { record, checksum: checksum_of(&bytes) });
                    pages.push((record, bytes));
                }
            }
            let saved: Vec<Saved> = table.groups.values().filter_map(|group| group.saved()).collect();
            let sound = |saved: &Saved| self.records.contains_key(&saved.record);
            debug_assert!(saved.iter().all(sound), "a saved group's record is in the store or about to be");
            kept.extend(saved.iter().map(|saved| saved.record));
            records.push(saved);
        }
        let dropped = self.records.keys().filter(|record| !kept.contains(record)).copied().collect();
        self.records.retain(|record, _| kept.contains(record));
        let log = self.pending.iter().map(|own| LogEntry::Local(own.bytes.clone())).collect();
        Checkpoint { root: self.encode_root(log_start, &records), pages, dropped, log }
    }

    /// Reads a realm back: pages, then log.
    pub fn load(store: &LoadedStore) -> Result<Replica, CorruptStore> {
        let missing = |record: String| CorruptStore::Missing { record };
        let root = store.root.as_deref().ok_or_else(|| missing("root record".to_string()))?;
        let root = open_sealed("root record", root, Root::decode)?;
        let log_start = root.log_start;
        let pages: BTreeMap<RecordId, &[u8]> = store.pages.iter().map(|(id, bytes)| (*id, bytes.as_slice())).collect();
        let mut tables = Vec::with_capacity(root.records.len());
        for (class, records) in root.manifest.schema.classes.iter().zip(&root.records) {
            let mut groups = Vec::with_capacity(records.len());
            for saved in records {
                let name = format!("page record {} of class '{}'", saved.record.0, class.name);
                let bytes = pages.get(&saved.record).ok_or_else(|| missing(name.clone()))?;
                if checksum_of(bytes) != saved.checksum {
                    let reason = "it is not the one that the root record names".to_string();
                    return Err(CorruptStore::Damaged { record: name, reason });
                }
                let decoded = decode_group(&name, bytes, class, root.manifest.authors.ids().len())?;
                groups.push(Arc::new(Group::loaded(decoded, *saved)));
            }
            tables.push(groups);
        }
        let bytes_of = |saved: &Saved| (saved.record, pages.get(&saved.record).map_or(0, |bytes| bytes.len()));
        let records = root.records.iter().flatten().map(bytes_of).collect();
        let base = assemble(root.manifest, tables)?;
        let mut replica = Replica {
            current: base.clone(),
            base,
            pending: VecDeque::new(),
            identity: root.identity,
            cursor: root.cursor,
            clock: Clock::at(root.clock),
            next_key: root.next_key,
            synced: root.synced,
            schema_version: root.schema_version,
            records,
            next_record: root.next_record,
        };
        let entries = read_log(store, log_start)?;
        let damaged = |error: DecodeError| CorruptStore::Damaged { record: "log".into(), reason: error.to_string() };
        replica.reload(entries).map_err(damaged)?;
        Ok(replica)
    }

    /// How many bytes the page records take that the store has, or will have after the last checkpoint.
    pub fn page_bytes(&self) -> usize {
        self.records.values().sum()
    }

    /// How many bytes root and pages would take after a checkpoint.
    pub fn checkpoint_bytes(&self) -> usize {
        let group_bytes = |group: &Arc<Group>| match group.saved() {
            Some(saved) => self.records.get(&saved.record).copied().unwrap_or(0),
            None => encode_group(group).len(),
        };
        let pages: usize = self.base.tables.iter().flat_map(|table| table.groups.values()).map(group_bytes).sum();
        pages + self.root_bytes()
    }

    /// How many bytes the root record takes, about.
    pub fn root_bytes(&self) -> usize {
        let none = vec![Vec::new(); self.base.tables.len()];
        self.encode_root(LogPosition(1), &none).len()
    }

    fn encode_root(&self, log_start: LogPosition, records: &[Vec<Saved>]) -> Vec<u8> {
        seal(|out| {
            out.bool(self.synced == Synced::Yes);
            out.varint(self.schema_version);
            // The identity as it was before the pending changesets, which the log repeats.
            let identity = match self.pending.front() {
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
            out.varint(self.next_key.0);
            out.varint(self.next_record.0);
            out.varint(log_start.0);
            Manifest::of(&self.base).encode(out);
            for records in records {
                encode_records(records, out);
            }
        })
    }
}

/// The entries of the log, from where the root says it begins to where the head says it ends, with none missing.
fn read_log(store: &LoadedStore, start: LogPosition) -> Result<Vec<LogEntry>, CorruptStore> {
    let missing = |record: String| CorruptStore::Missing { record };
    let head = store.head.as_deref().ok_or_else(|| missing("head record".to_string()))?;
    let end = Head::decode(head)?.next_position;
    let mut entries = Vec::new();
    let mut next = start;
    for (first, block) in &store.log {
        if *first != next {
            return Err(missing(format!("log block {}", next.0)));
        }
        entries.extend(decode_block(*first, block)?);
        next = LogPosition(start.0 + entries.len() as u64);
    }
    if next != end {
        return Err(missing(format!("log block {}", next.0)));
    }
    Ok(entries)
}

fn encode_records(records: &[Saved], out: &mut Writer) {
    out.varint(records.len() as u64);
    for saved in records {
        out.varint(saved.record.0);
        out.u64(saved.checksum);
    }
}

impl Root {
    fn decode(input: &mut Reader<'_>) -> Result<Root, DecodeError> {
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
