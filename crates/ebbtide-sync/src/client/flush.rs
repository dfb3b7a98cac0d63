//! What is not on disk yet, and how it gets there: one batch at a time, in the order in which memory moved.
//!
//! Three counts tell how far each stage is: `moved` (memory) >= `kept` (on disk) >= `strict` (there for good).

use ebbtide_core::LogPosition;
use ebbtide_core::batch::{Batch, Durability, Head, LogChange, MetaKey, StagedChange};
use ebbtide_core::limits::LOG_ENTRY_BYTES;
use ebbtide_core::replica::{Cursor, HistoryBody, HistoryEntry, Identity, LogEntry, Replica, encode_block};

use super::error::StoreFailure;
use super::event::BatchId;
use super::mark::FreshRecord;
use super::options::Role;

/// Bytes of log, pending changesets aside, over which a checkpoint writes the changed pages.
const LOG_BYTES_MAX: usize = 1024 * 1024;
/// So many times what the log takes may the pages take that a checkpoint writes in its place: a few changes all over a large
/// realm would otherwise write all of it.
const PAGES_PER_LOG: usize = 8;

/// What is on disk for good, as far as others may be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kept {
    pub(crate) identity: Identity,
    pub(crate) cursor: Option<Cursor>,
}

/// The way to the disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    head: Option<Head>,
    batches: u64,
    in_flight: Option<InFlight>,
    waiting: Waiting,
    /// Bytes of all entries in the log.
    log_bytes: usize,
    moved: u64,
    kept: u64,
    strict: u64,
    durable: Kept,
    failure: Option<StoreFailure>,
}

#[derive(Clone, Debug)]
struct InFlight {
    id: BatchId,
    durability: Durability,
    moved: u64,
    holds: Kept,
    expected: Option<Head>,
    /// What it holds, in case it does not get there.
    waiting: Waiting,
}

/// What puts another state in the place of the store's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Replaced {
    /// The server's state, for the first time.
    FirstDownload,
    /// The server's state, in a reset.
    Reset,
    /// A migration, or the deletion of a class.
    Migration,
    /// Our own changesets, which have got other times, or some of which the state has already.
    Pending,
}

/// What the next batch has to hold.
#[derive(Clone, Debug, Default)]
struct Waiting {
    /// Bytes of our changesets that the log does not have; the replica has them.
    own: Option<usize>,
    server: Vec<HistoryEntry>,
    server_bytes: usize,
    chunks: Vec<(u32, Vec<u8>)>,
    drop_staged: bool,
    record: bool,
    checkpoint: bool,
    replaced: Option<Replaced>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.own.is_none()
            && self.server.is_empty()
            && self.chunks.is_empty()
            && !self.drop_staged
            && !self.record
            && !self.checkpoint
    }

    fn entry_bytes(&self) -> usize {
        self.own.unwrap_or(0) + self.server_bytes
    }

    /// What is to be written if `later` came after this, and neither is in the store.
    fn then(mut self, later: Waiting) -> Waiting {
        if later.drop_staged {
            self.chunks.clear();
        }
        self.server.extend(later.server);
        self.chunks.extend(later.chunks);
        Waiting {
            own: match (self.own, later.own) {
                (None, None) => None,
                (first, second) => Some(first.unwrap_or(0) + second.unwrap_or(0)),
            },
            server: self.server,
            server_bytes: self.server_bytes + later.server_bytes,
            chunks: self.chunks,
            drop_staged: self.drop_staged || later.drop_staged,
            record: self.record || later.record,
            checkpoint: self.checkpoint || later.checkpoint,
            replaced: later.replaced.or(self.replaced),
        }
    }
}

impl Disk {
    /// A store that does not exist: its first batch creates it.
    pub(crate) fn create(replica: &Replica) -> Disk {
        let durable = Kept { identity: Identity::new(replica.identity().client), cursor: None };
        let mut disk = Disk::at(None, durable);
        disk.checkpoint();
        disk
    }

    /// A store that was read. A power failure may still take the last of it back.
    pub(crate) fn open(head: Head, log_bytes: usize, replica: &Replica) -> Disk {
        let durable = Kept { identity: replica.identity(), cursor: replica.cursor() };
        Disk { log_bytes, moved: 1, kept: 1, ..Disk::at(Some(head), durable) }
    }

    fn at(head: Option<Head>, durable: Kept) -> Disk {
        Disk {
            head,
            batches: 0,
            in_flight: None,
            waiting: Waiting::default(),
            log_bytes: 0,
            moved: 0,
            kept: 0,
            strict: 0,
            durable,
            failure: None,
        }
    }

    /// Which state the store is in, once all is written; `None` if nothing ever was or can be.
    pub(crate) fn settled_head(&self) -> Option<Head> {
        if self.failure.is_none() && self.is_idle() { self.head } else { None }
    }

    /// Bytes of all entries in the log.
    pub(crate) fn log_bytes(&self) -> usize {
        self.log_bytes
    }

    /// How far memory is.
    pub(crate) fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether everything up to this count is on disk.
    pub(crate) fn is_kept(&self, moved: u64) -> bool {
        self.kept >= moved
    }

    /// Whether everything up to this count is there for good.
    pub(crate) fn is_strict(&self, moved: u64) -> bool {
        self.strict >= moved
    }

    /// What is there for good.
    pub(crate) fn durable(&self) -> Kept {
        self.durable
    }

    /// Why nothing more can be stored, if so.
    pub(crate) fn failure(&self) -> Option<&StoreFailure> {
        self.failure.as_ref()
    }

    /// Whether nothing is under way or waiting.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_none() && (self.failure.is_some() || self.waiting.is_empty())
    }

    /// Whether something is to be written, and nothing in the way of it.
    pub(crate) fn has_batch(&self) -> bool {
        self.in_flight.is_none() && self.failure.is_none() && !self.waiting.is_empty()
    }

    /// Takes note of a changeset of ours that the log is to have.
    pub(crate) fn log_own(&mut self, bytes: usize) {
        self.waiting.own = Some(self.waiting.own.unwrap_or(0) + bytes);
        self.moved += 1;
    }

    /// Takes entries of the server's for the log.
    pub(crate) fn log(&mut self, entries: Vec<HistoryEntry>) {
        for entry in &entries {
            self.waiting.server_bytes += match &entry.body {
                HistoryBody::Full(bytes) => bytes.len(),
                HistoryBody::Own(_) | HistoryBody::Nothing => 32,
            };
        }
        self.waiting.server.extend(entries);
        self.moved += 1;
    }

    /// Takes a chunk of a fresh state.
    pub(crate) fn stage(&mut self, index: u32, chunk: Vec<u8>) {
        self.waiting.chunks.push((index, chunk));
        self.moved += 1;
    }

    /// Drops what was staged.
    pub(crate) fn drop_staged(&mut self) {
        self.waiting.chunks.clear();
        self.waiting.drop_staged = true;
        self.moved += 1;
    }

    /// Has the record of a reset or first download written as it then is.
    pub(crate) fn touch_record(&mut self) {
        self.waiting.record = true;
        self.moved += 1;
    }

    /// Has the base written as it then is.
    pub(crate) fn checkpoint(&mut self) {
        self.waiting.checkpoint = true;
        self.moved += 1;
    }

    /// Has another base written: what was logged and staged belongs to the past.
    pub(crate) fn replace(&mut self, replaced: Replaced) {
        self.waiting.replaced = Some(replaced);
        self.drop_staged();
        self.touch_record();
        self.checkpoint();
    }

    /// What puts another state in the place of the store's, if that is still to be stored.
    pub(crate) fn replaced(&self) -> Option<Replaced> {
        let under_way = self.in_flight.as_ref().and_then(|batch| batch.waiting.replaced);
        self.waiting.replaced.or(under_way)
    }

    /// The head that the store has, if no batch is under way that changes it.
    pub(crate) fn head(&self) -> Option<Head> {
        self.head.filter(|_| self.in_flight.is_none())
    }

    /// Entries of the server's that wait for the log, if no batch is under way.
    pub(crate) fn unlogged(&self) -> &[HistoryEntry] {
        &self.waiting.server
    }

    /// Whether pages are to be written.
    pub(crate) fn wants_pages(&self) -> bool {
        self.waiting.checkpoint
    }

    /// Takes note that the batch under way is not in the store, because others have written to it; all that it held waits
    /// again. Gives the head that it expected; `None` if it was not under way.
    pub(crate) fn overtaken(&mut self, id: BatchId) -> Option<Option<Head>> {
        let batch = self.in_flight.take_if(|batch| batch.id == id)?;
        let later = std::mem::take(&mut self.waiting);
        self.waiting = batch.waiting.then(later);
        self.head = batch.expected;
        Some(batch.expected)
    }

    /// Takes note that others have brought the store to a head, and that memory has what they wrote.
    pub(crate) fn follow(&mut self, head: Head, log: Followed, replica: &Replica) {
        let place = |head: &Head| (head.generation, head.roots, head.next_position);
        if self.head.is_none_or(|ours| place(&ours) < place(&head)) {
            self.head = Some(head);
        }
        match log {
            Followed::Appended(bytes) => self.log_bytes += bytes,
            Followed::Anew(bytes) => self.log_bytes = bytes,
        }
        // Our changesets may have other numbers now, and so other lengths.
        self.waiting.own = (replica.unlogged().len() > 0).then(|| unlogged_bytes(replica));
        self.moved += 1;
        if self.waiting.is_empty() {
            self.kept = self.moved;
        }
    }

    /// Takes note that memory has been made what the store is as a whole: what was to be written of another state is not.
    pub(crate) fn restart(&mut self, head: Head, log_bytes: usize, replica: &Replica) {
        self.waiting = Waiting::default();
        // What is there for good of one state says nothing of another, which is told to nobody before a strict batch has
        // confirmed it. Of the same state there is for good what there was: others may have written the rest relaxed.
        if self.head.is_none_or(|ours| ours.generation != head.generation) {
            self.durable = Kept { identity: replica.logged(), cursor: replica.cursor() };
        }
        self.head = None;
        self.follow(head, Followed::Anew(log_bytes), replica);
    }

    /// Whether so much of the log has been confirmed that pages are cheaper.
    pub(crate) fn has_long_log(&self, replica: &Replica) -> bool {
        is_long(self.log_bytes, replica)
    }

    /// The next batch, if there is something to write, or something written that must be made strict.
    pub(crate) fn flush(
        &mut self,
        replica: &mut Replica,
        record: Option<&FreshRecord>,
        durability: Durability,
        role: Role,
    ) -> Option<(BatchId, Batch)> {
        let barrier = durability == Durability::Strict && self.strict < self.moved;
        if self.in_flight.is_some() || self.failure.is_some() || (self.waiting.is_empty() && !barrier) {
            return None;
        }
        let expected = self.head;
        let mut head = expected.unwrap_or(Head { next_position: LogPosition(1), ..Head::default() });
        head.generation += u64::from(self.waiting.replaced.is_some() || expected.is_none());
        let waiting = std::mem::take(&mut self.waiting);
        let mut batch = Batch::new(durability, expected, head);
        replica.seal();
        let entries = if waiting.checkpoint || (role == Role::Leads && self.wants_checkpoint(&waiting, replica)) {
            let checkpoint = replica.checkpoint(head.next_position);
            batch.meta.push((MetaKey::Root, Some(checkpoint.root)));
            batch.pages = checkpoint.pages;
            batch.dropped_pages = checkpoint.dropped;
            batch.log = LogChange::Clear;
            batch.head.roots += 1;
            self.log_bytes = pending_bytes(replica);
            checkpoint.log
        } else {
            self.log_bytes += waiting.entry_bytes();
            let own = replica.unlogged().map(|own| LogEntry::Local(own.bytes.clone()));
            own.chain(waiting.server.iter().cloned().map(LogEntry::Server)).collect()
        };
        if !entries.is_empty() {
            batch.append = Some((head.next_position, encode_block(head.next_position, &entries)));
            batch.head.next_position.0 += entries.len() as u64;
        }
        if waiting.record {
            let bytes = record.filter(|record| !record.is_empty()).map(FreshRecord::encode);
            batch.meta.push((MetaKey::Reset, bytes));
        }
        if waiting.drop_staged {
            batch.staged = StagedChange::Clear;
        }
        batch.staging = waiting.chunks.clone();
        self.batches += 1;
        let id = BatchId(self.batches);
        let holds = Kept { identity: replica.identity(), cursor: replica.cursor() };
        self.in_flight = Some(InFlight { id, durability, moved: self.moved, holds, expected, waiting });
        self.head = Some(batch.head);
        Some((id, batch))
    }

    /// Takes note that the batch under way is on disk. False if it was not under way.
    pub(crate) fn committed(&mut self, id: BatchId) -> bool {
        let Some(done) = self.in_flight.take_if(|batch| batch.id == id) else { return false };
        self.kept = done.moved;
        if done.durability == Durability::Strict {
            self.strict = done.moved;
            self.durable = done.holds;
        }
        true
    }

    /// Takes note that nothing more can be written.
    pub(crate) fn fail(&mut self, failure: StoreFailure) {
        self.in_flight = None;
        self.failure = Some(failure);
    }

    /// Takes note that the batch under way is not on disk. Nothing more is written from here on. False if it was not
    /// under way.
    pub(crate) fn failed(&mut self, id: BatchId, failure: StoreFailure) -> bool {
        let under_way = self.in_flight.take_if(|batch| batch.id == id).is_some();
        if under_way {
            self.failure = Some(failure);
        }
        under_way
    }

    /// Whether a commit is so large, or so much of the log has been confirmed, that pages are cheaper.
    fn wants_checkpoint(&self, waiting: &Waiting, replica: &Replica) -> bool {
        let entry_bytes = waiting.entry_bytes();
        let large = replica.pending().len() == 0 && entry_bytes > LOG_ENTRY_BYTES;
        let log_bytes = self.log_bytes + entry_bytes;
        (large && pays(log_bytes, replica)) || is_long(log_bytes, replica)
    }
}

/// Whether so much of a log has been confirmed that pages are cheaper.
fn is_long(log_bytes: usize, replica: &Replica) -> bool {
    // What is pending need not be added up for a log that is short with it.
    if log_bytes <= LOG_BYTES_MAX {
        return false;
    }
    let confirmed = log_bytes.saturating_sub(pending_bytes(replica));
    confirmed > LOG_BYTES_MAX && pays(confirmed, replica)
}

/// Whether a checkpoint is worth what it writes, to be rid of so many bytes of log.
fn pays(log_bytes: usize, replica: &Replica) -> bool {
    replica.unsaved_bytes() / PAGES_PER_LOG <= log_bytes
}

/// What others have made of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Followed {
    /// It is longer by so many bytes.
    Appended(usize),
    /// It has begun anew and has so many bytes.
    Anew(usize),
}

fn unlogged_bytes(replica: &Replica) -> usize {
    replica.unlogged().map(|own| own.bytes.len()).sum()
}

/// What the log must hold in any case.
fn pending_bytes(replica: &Replica) -> usize {
    replica.pending().map(|own| own.bytes.len()).sum()
}
