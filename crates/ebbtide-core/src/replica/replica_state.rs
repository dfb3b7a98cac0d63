//! The replica and its transitions.

use std::collections::{BTreeMap, VecDeque};

use super::Cursor;
use super::log::{HistoryBody, HistoryEntry};
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
    /// The hash of its last changeset; nil before the first, and in a local realm, whose chain no server checks.
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

/// A realm's base, pending and current.
#[derive(Clone, Debug)]
pub struct Replica {
    pub(super) base: Snapshot,
    pub(super) pending: VecDeque<Pending>,
    /// How many of pending, at its end, the log does not have.
    pub(super) unlogged: usize,
    pub(super) current: Snapshot,
    pub(super) identity: Identity,
    pub(super) cursor: Option<Cursor>,
    pub(super) clock: Clock,
    pub(super) next_key: ObjectKey,
    /// The next key of lane 0, for the store, where our lane is another.
    pub(super) main_key: ObjectKey,
    pub(super) synced: Synced,
    pub(super) schema_version: u64,
    pub(super) records: Records,
    pub(super) sealed: Option<Sealed>,
    /// Who we were, as far as the log had it, before the last reset.
    pub(super) former: Option<Identity>,
}

/// The page records that the store has, or will have after the last checkpoint.
#[derive(Clone, Debug)]
pub(super) struct Records {
    pub(super) known: BTreeMap<RecordId, Record>,
    pub(super) next: RecordId,
    pub(super) of: Authorship,
}

/// A page record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Record {
    /// How many bytes it has; zero if nobody here has seen it.
    pub(super) bytes: usize,
    pub(super) checksum: u64,
}

/// Whether page records that the store has can be part of a root of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Authorship {
    /// They number authors, classes and properties as we do.
    Shared,
    /// They number them in another way.
    Foreign,
}

/// What becomes of the replica when the batch under way is in the store.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    /// How many of our changesets the log then has in addition.
    pub(super) own: usize,
    /// The visible state at that time.
    pub(super) current: Snapshot,
    /// The page records as they are if the batch does not get there, if it has others.
    pub(super) records: Option<Records>,
}

/// What came of a write transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Committed {
    /// Nothing was written.
    Nothing,
    /// A changeset of so many bytes, for the log.
    Changeset(usize),
    /// A class is gone, which no log can tell: only a checkpoint keeps the state.
    Reshaped,
}

impl Default for Records {
    fn default() -> Records {
        Records { known: BTreeMap::new(), next: RecordId(1), of: Authorship::Shared }
    }
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
            unlogged: 0,
            identity: Identity::new(client),
            cursor: None,
            clock: Clock::default(),
            next_key: ObjectKey::first_of(0),
            main_key: ObjectKey::first_of(0),
            synced,
            schema_version,
            records: Records::default(),
            sealed: None,
            former: None,
        }
    }

    /// The same realm for an engine that is not alone on its store: keys of new objects are from this lane, above those that
    /// objects have.
    pub fn in_lane(mut self, lane: u64) -> Replica {
        let from = self.next_key.lane();
        if from == 0 {
            self.main_key = self.main_key.max(self.next_key);
        }
        if lane != from {
            let counted = if lane == 0 { self.main_key } else { ObjectKey::first_of(lane) };
            self.next_key = counted.max(self.base.key_after(lane)).max(self.current.key_after(lane));
        }
        self
    }

    /// What the server has confirmed; in a local realm, what the log has.
    pub fn base(&self) -> &Snapshot {
        &self.base
    }

    /// What the app sees.
    pub fn current(&self) -> &Snapshot {
        &self.current
    }

    /// Our changesets that the server has not confirmed, oldest first; none in a local realm.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &Pending> {
        let count = match self.synced {
            Synced::Yes => self.pending.len(),
            Synced::No => 0,
        };
        self.pending.range(..count)
    }

    /// Our changesets that the log does not have, oldest first.
    pub fn unlogged(&self) -> impl ExactSizeIterator<Item = &Pending> {
        self.pending.range(self.pending.len() - self.unlogged..)
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
        let sealed = self.sealed.as_mut().map(|sealed| &mut sealed.current);
        for snapshot in [&mut self.base, &mut self.current].into_iter().chain(sealed) {
            snapshot.extend(&difference);
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
        Transaction::migrate(&reshape(&self.current, wanted), context)
    }

    /// Ends the migration of a local realm: the state and the schema's version are new, and only a checkpoint can keep
    /// them, for no log leads there.
    pub fn migrate(&mut self, transaction: Transaction, schema_version: u64) -> Result<(), WriteError> {
        let (snapshot, changeset, next_key) = transaction.finish()?;
        if let Some(changeset) = changeset {
            self.identity.last_number = changeset.number;
        }
        self.next_key = next_key;
        self.reshape(snapshot);
        self.schema_version = schema_version;
        Ok(())
    }

    /// A local realm without objects in the place of this one: its first checkpoint drops what the store has.
    pub fn start_over(&self, schema: &Schema, schema_version: u64, client: ClientId) -> Replica {
        let fresh = Replica::new(schema, schema_version, client, Synced::No);
        let records = Records { of: Authorship::Foreign, ..self.records.clone() };
        Replica { records, next_key: self.next_key, main_key: self.main_key, ..fresh }
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
        let (next_key, main_key) = (self.next_key, self.main_key);
        Replica { current: base.clone(), base, cursor, clock: self.clock, next_key, main_key, ..fresh }
    }

    /// Has the next checkpoint write every page anew.
    pub fn rewrite(&mut self) {
        let was_current = self.current.ptr_eq(&self.base);
        self.base = self.base.unsaved();
        self.current = if was_current { self.base.clone() } else { self.current.unsaved() };
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

    /// Ends a write transaction begun on the state that is still current. An error changes nothing; the changeset of a synced
    /// realm that would not fit a frame is one.
    pub fn commit(&mut self, transaction: Transaction) -> Result<Committed, WriteError> {
        let (snapshot, changeset, next_key) = transaction.finish()?;
        let reshaped = self.synced == Synced::No && !snapshot.has_schema_of(&self.current);
        let Some(changeset) = changeset else {
            if reshaped {
                self.reshape(snapshot);
                return Ok(Committed::Reshaped);
            }
            return Ok(Committed::Nothing);
        };
        let bytes = changeset.encode();
        if self.synced == Synced::Yes && bytes.len() > CHANGESET_BYTES {
            let what = "number of bytes in a transaction of a synced realm";
            return Err(WriteError::TooLarge { what, limit: CHANGESET_BYTES });
        }
        self.identity.last_number = changeset.number;
        self.identity.last_hash = self.hash_of(&bytes);
        self.next_key = next_key;
        if reshaped {
            self.reshape(snapshot);
            return Ok(Committed::Reshaped);
        }
        self.current = snapshot;
        let count = bytes.len();
        self.pending.push_back(Pending { changeset, bytes });
        self.unlogged += 1;
        Ok(Committed::Changeset(count))
    }

    /// What the next changeset names as the hash of this one.
    pub(super) fn hash_of(&self, changeset: &[u8]) -> ChainHash {
        match self.synced {
            Synced::Yes => Changeset::hash_of(changeset),
            Synced::No => ChainHash::default(),
        }
    }

    /// Puts a state of a local realm in the place of all that was.
    fn reshape(&mut self, state: Snapshot) {
        self.base = state;
        self.current = self.base.clone();
        self.pending.clear();
        self.unlogged = 0;
        self.sealed = None;
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

    /// Takes a download in: the base gets its entries, our own leave pending, current is replayed. Gives the entries for
    /// the log to keep.
    pub fn receive(&mut self, download: Download) -> Vec<HistoryEntry> {
        let before = self.current.clone();
        let mut keys = KeySource::new(self.next_key, vec![&before]);
        for (entry, changeset) in &download.entries {
            self.integrate(entry, changeset.as_ref(), &mut keys);
        }
        self.replay(&mut keys);
        download.entries.into_iter().map(|(entry, _)| entry).collect()
    }

    /// Takes an entry of the server's into the base.
    pub(super) fn integrate(&mut self, entry: &HistoryEntry, changeset: Option<&Changeset>, keys: &mut KeySource<'_>) {
        let at = entry.at.version;
        match (&entry.body, changeset) {
            (HistoryBody::Own(number), _) => {
                while let Some(own) = self.pending.pop_front_if(|own| own.changeset.number <= *number) {
                    apply(&mut self.base, &own.changeset, at, keys);
                }
            }
            (_, Some(changeset)) => {
                self.clock.observe(changeset.time);
                apply(&mut self.base, changeset, at, keys);
            }
            (_, None) => {}
        }
        self.cursor = Some(entry.at);
    }

    /// Makes what the app sees out of base and pending.
    pub(super) fn replay(&mut self, keys: &mut KeySource<'_>) {
        let at = match self.synced {
            Synced::Yes => ServerVersion::PENDING,
            Synced::No => ServerVersion(0),
        };
        let mut current = self.base.clone();
        for own in &self.pending {
            apply(&mut current, &own.changeset, at, keys);
        }
        self.current = current;
        self.keep_keys(keys);
    }

    /// Takes note of the keys that were given.
    pub(super) fn keep_keys(&mut self, keys: &KeySource<'_>) {
        self.next_key = keys.next();
        self.main_key = self.main_key.max(keys.main());
    }

    /// Takes the outcome of a reset or a bootstrap in.
    pub fn install(&mut self, plan: Plan) {
        if plan.identity.client != self.identity.client {
            self.former = Some(self.logged());
        }
        self.base = plan.base;
        self.pending = plan.pending;
        self.unlogged = self.unlogged.min(self.pending.len());
        if let Some(sealed) = &mut self.sealed {
            sealed.own = sealed.own.min(self.unlogged);
        }
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
