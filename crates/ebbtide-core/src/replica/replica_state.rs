//! The replica and its transitions.

use std::collections::{BTreeMap, VecDeque};

use super::Cursor;
use super::log::{HistoryBody, HistoryEntry, LogEntry};
use crate::changeset::Changeset;
use crate::clock::{Clock, Millis};
use crate::codec::DecodeError;
use crate::ids::{ChainHash, ChangesetNumber, ClientId, ObjectKey, RecordId, ServerVersion};
use crate::limits::CHANGESET_BYTES;
use crate::merge::apply;
use crate::migration::reshape;
use crate::objects::{KeySource, Snapshot, Synced, Transaction, WriteContext, WriteError};
use crate::reset::Plan;
use crate::schema::{Schema, compare};

/// Who writes: a store as the author of a chain of changesets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The author.
    pub client: ClientId,
    /// The number of its last changeset; zero before the first.
    pub last_number: ChangesetNumber,
    /// The hash of its last changeset; nil before the first, and in local realms, whose changesets nobody else sees.
    pub last_hash: ChainHash,
}

/// One of our changesets that the server has not confirmed.
#[derive(Clone, PartialEq, Debug)]
pub struct Pending {
    /// It.
    pub changeset: Changeset,
    /// It, encoded.
    pub bytes: Vec<u8>,
}

/// A download that was decoded and can be applied.
#[derive(Clone, PartialEq, Debug)]
pub struct Download {
    entries: Vec<(HistoryEntry, Option<Changeset>)>,
}

/// How a transaction that was committed is to be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Committed {
    /// Nothing was written.
    Nothing,
    /// By this entry of the log.
    Entry(LogEntry),
    /// By a checkpoint: so much was written that no changeset was recorded. Only in a local realm.
    Pages,
}

impl Committed {
    /// The entry of the log.
    pub fn entry(self) -> Option<LogEntry> {
        match self {
            Committed::Entry(entry) => Some(entry),
            Committed::Nothing | Committed::Pages => None,
        }
    }
}

/// A realm's base, pending and current.
#[derive(Clone, Debug)]
pub struct Replica {
    pub(super) base: Snapshot,
    pub(super) pending: VecDeque<Pending>,
    pub(super) current: Snapshot,
    pub(super) identity: Identity,
    pub(super) cursor: Option<Cursor>,
    pub(super) clock: Clock,
    pub(super) next_key: ObjectKey,
    pub(super) synced: Synced,
    pub(super) schema_version: u64,
    /// The page records that the store has, or will have after the last checkpoint, with their numbers of bytes.
    pub(super) records: BTreeMap<RecordId, usize>,
    pub(super) next_record: RecordId,
}

impl Identity {
    /// An author that has written nothing.
    pub fn new(client: ClientId) -> Identity {
        Identity { client, last_number: ChangesetNumber(0), last_hash: ChainHash::default() }
    }
}

impl Replica {
    /// A realm without objects.
    pub fn new(schema: &Schema, schema_version: u64, client: ClientId, synced: Synced) -> Replica {
        let mut base = Snapshot::empty(schema);
        base.author(client);
        Replica {
            current: base.clone(),
            base,
            pending: VecDeque::new(),
            identity: Identity::new(client),
            cursor: None,
            clock: Clock::default(),
            next_key: ObjectKey(1),
            synced,
            schema_version,
            records: BTreeMap::new(),
            next_record: RecordId(1),
        }
    }

    /// What the server has confirmed.
    pub fn base(&self) -> &Snapshot {
        &self.base
    }

    /// What the app sees.
    pub fn current(&self) -> &Snapshot {
        &self.current
    }

    /// Our changesets that the server has not confirmed, oldest first.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &Pending> {
        self.pending.iter()
    }

    /// Who we are.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Where in the server's history the base stands; `None` before the first download.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// Whether the realm is synced.
    pub fn synced(&self) -> Synced {
        self.synced
    }

    /// The app's number for its schema.
    pub fn schema_version(&self) -> u64 {
        self.schema_version
    }

    /// Sets the app's number for its schema.
    pub fn set_schema_version(&mut self, version: u64) {
        self.schema_version = version;
    }

    /// Adds what a schema has and ours lacks. Base and current get it in the same order, so that positions stay the same
    /// in both. Gives whether anything was added. What differs otherwise is left to the caller's check.
    pub fn extend_schema(&mut self, wanted: &Schema) -> bool {
        let difference = compare(self.base.schema(), wanted);
        for snapshot in [&mut self.base, &mut self.current] {
            for class in &difference.added_classes {
                snapshot.add_class(class.clone());
            }
            for (class, property) in &difference.added_properties {
                let index = snapshot.schema().class_index(class).expect("the property's class is in both schemas");
                snapshot.add_property(index, property.clone());
            }
        }
        !difference.added_classes.is_empty() || !difference.added_properties.is_empty()
    }

    /// Begins a write transaction on what the app sees.
    pub fn begin(&mut self, now: Millis) -> Transaction {
        let context = self.context(now);
        Transaction::begin(&self.current, context)
    }

    /// Begins the migration of a local realm to another schema.
    pub fn begin_migration(&mut self, now: Millis, wanted: &Schema) -> Transaction {
        let context = self.context(now);
        Transaction::migrate(&reshape(&self.base, wanted), context)
    }

    /// Ends the migration of a local realm: the state and the schema's version are new, and only a checkpoint can keep
    /// them, for no log leads there.
    pub fn migrate(&mut self, transaction: Transaction, schema_version: u64) -> Result<(), WriteError> {
        let (snapshot, changeset, next_key) = transaction.finish()?;
        if let Some(changeset) = changeset {
            self.identity.last_number = changeset.number;
        }
        self.next_key = next_key;
        self.base = snapshot;
        self.current = self.base.clone();
        self.schema_version = schema_version;
        Ok(())
    }

    /// A local realm without objects in the place of this one: its first checkpoint drops what the store has.
    pub fn start_over(&self, schema: &Schema, schema_version: u64, client: ClientId) -> Replica {
        let fresh = Replica::new(schema, schema_version, client, Synced::No);
        Replica { records: self.records.clone(), next_record: self.next_record, ..fresh }
    }

    /// What the app sees as a realm of its own, for another store: without a log, under another author. A synced one stays
    /// in step with its server only if nothing is pending.
    pub fn copy(&self, client: ClientId, synced: Synced) -> Replica {
        let mut base = self.current.unsaved();
        base.author(client);
        if synced == Synced::No {
            base.forget_tombstones();
        }
        let fresh = Replica::new(&Schema::default(), self.schema_version, client, synced);
        let cursor = if synced == Synced::Yes { self.cursor } else { None };
        Replica { current: base.clone(), base, cursor, clock: self.clock, next_key: self.next_key, ..fresh }
    }

    /// Has the next checkpoint write every page anew.
    pub fn rewrite(&mut self) {
        let was_current = self.current.ptr_eq(&self.base);
        self.base = self.base.unsaved();
        if was_current {
            self.current = self.base.clone();
        }
    }

    fn context(&mut self, now: Millis) -> WriteContext {
        WriteContext {
            client: self.identity.client,
            number: ChangesetNumber(self.identity.last_number.0 + 1),
            base: self.cursor.map_or(ServerVersion(0), |cursor| cursor.version),
            parent: self.identity.last_hash,
            time: self.clock.tick(now),
            next_key: self.next_key,
            synced: self.synced,
        }
    }

    /// Ends a write transaction begun on the state that is still current. Gives how it is to be kept. An error changes nothing;
    /// the changeset of a synced realm that would not fit a frame is one.
    pub fn commit(&mut self, transaction: Transaction) -> Result<Committed, WriteError> {
        let is_large = transaction.is_large();
        let (snapshot, changeset, next_key) = transaction.finish()?;
        let Some(changeset) = changeset else {
            // A class without objects may have been deleted.
            if self.synced == Synced::No && snapshot.schema() != self.current.schema() {
                self.base = snapshot;
                self.current = self.base.clone();
            }
            return Ok(Committed::Nothing);
        };
        let bytes = if is_large { Vec::new() } else { changeset.encode() };
        if self.synced == Synced::Yes && bytes.len() > CHANGESET_BYTES {
            let what = "number of bytes in a transaction of a synced realm";
            return Err(WriteError::TooLarge { what, limit: CHANGESET_BYTES });
        }
        self.identity.last_number = changeset.number;
        self.next_key = next_key;
        self.current = snapshot;
        match self.synced {
            Synced::No => self.base = self.current.clone(),
            Synced::Yes => {
                self.identity.last_hash = Changeset::hash_of(&bytes);
                self.pending.push_back(Pending { changeset, bytes: bytes.clone() });
            }
        }
        Ok(if is_large { Committed::Pages } else { Committed::Entry(LogEntry::Local(bytes)) })
    }

    /// Decodes what a server sent.
    pub fn prepare(&self, entries: Vec<HistoryEntry>) -> Result<Download, DecodeError> {
        let decode = |entry: HistoryEntry| {
            let changeset = match &entry.body {
                HistoryBody::Full(bytes) => Some(Changeset::decode(bytes)?),
                HistoryBody::Own(_) | HistoryBody::Nothing => None,
            };
            Ok((entry, changeset))
        };
        Ok(Download { entries: entries.into_iter().map(decode).collect::<Result<Vec<_>, _>>()? })
    }

    /// Takes a download in: the base gets its entries, our own leave pending, current is replayed. Gives the log entries
    /// to keep.
    pub fn receive(&mut self, download: Download) -> Vec<LogEntry> {
        let before = self.current.clone();
        let mut keys = KeySource::new(self.next_key, vec![&before]);
        for (entry, changeset) in &download.entries {
            let at = entry.at.version;
            match (&entry.body, changeset) {
                (HistoryBody::Own(number), _) => {
                    while let Some(own) = self.pending.pop_front_if(|own| own.changeset.number <= *number) {
                        apply(&mut self.base, &own.changeset, at, &mut keys);
                    }
                }
                (_, Some(changeset)) => {
                    self.clock.observe(changeset.time);
                    apply(&mut self.base, changeset, at, &mut keys);
                }
                (_, None) => {}
            }
            self.cursor = Some(entry.at);
        }
        self.current = replay(&self.base, self.pending.iter().map(|own| &own.changeset), &mut keys);
        self.next_key = keys.next();
        download.entries.into_iter().map(|(entry, _)| LogEntry::Server(entry)).collect()
    }

    /// Takes the outcome of a reset or a bootstrap in.
    pub fn install(&mut self, plan: Plan) {
        self.base = plan.base;
        self.pending = plan.pending;
        self.current = plan.current;
        self.identity = plan.identity;
        self.cursor = Some(plan.cursor);
        self.next_key = plan.next_key;
        self.clock.observe(plan.latest);
        self.base.author(self.identity.client);
    }

    /// The first key that nobody has.
    pub fn next_key(&self) -> ObjectKey {
        self.next_key
    }

    /// Takes the log in, at opening.
    pub(super) fn reload(&mut self, entries: Vec<LogEntry>) -> Result<(), DecodeError> {
        let mut received = Vec::new();
        for entry in entries {
            match entry {
                LogEntry::Server(entry) => received.push(entry),
                LogEntry::Local(bytes) => {
                    self.reload_received(&mut received)?;
                    self.reload_local(bytes)?;
                }
            }
        }
        self.reload_received(&mut received)
    }

    fn reload_received(&mut self, received: &mut Vec<HistoryEntry>) -> Result<(), DecodeError> {
        if !received.is_empty() {
            let download = self.prepare(std::mem::take(received))?;
            self.receive(download);
        }
        Ok(())
    }

    fn reload_local(&mut self, bytes: Vec<u8>) -> Result<(), DecodeError> {
        let changeset = Changeset::decode(&bytes)?;
        self.clock.observe(changeset.time);
        self.identity.last_number = changeset.number;
        let mut keys = KeySource::new(self.next_key, Vec::new());
        match self.synced {
            Synced::No => {
                // The current state is let go first, so that the base is changed in place.
                self.current = Snapshot::default();
                apply(&mut self.base, &changeset, ServerVersion(0), &mut keys);
                self.current = self.base.clone();
            }
            Synced::Yes => {
                self.identity.last_hash = Changeset::hash_of(&bytes);
                apply(&mut self.current, &changeset, ServerVersion::PENDING, &mut keys);
                self.pending.push_back(Pending { changeset, bytes });
            }
        }
        self.next_key = keys.next();
        Ok(())
    }
}

/// The state after changesets that the server has not ordered, on one that it has.
pub(crate) fn replay<'a>(
    base: &Snapshot,
    pending: impl IntoIterator<Item = &'a Changeset>,
    keys: &mut KeySource<'_>,
) -> Snapshot {
    let mut current = base.clone();
    for changeset in pending {
        apply(&mut current, changeset, ServerVersion::PENDING, keys);
    }
    current
}
