//! What is not on disk yet, and how it gets there: one batch at a time, in the order in which memory moved.
//!
//! Three counts tell how far each stage is: `moved` (memory) >= `kept` (on disk) >= `strict` (there for good).

use ebbtide_core::LogPosition;
use ebbtide_core::batch::{Batch, Durability, Head, LogChange, MetaKey, StagedChange};
use ebbtide_core::limits::LOG_ENTRY_BYTES;
use ebbtide_core::replica::{Cursor, HistoryBody, Identity, LogEntry, Replica, encode_block};

use super::error::StoreFailure;
use super::event::BatchId;
use super::mark::FreshRecord;

/// Bytes of log, pending changesets aside, over which a checkpoint writes the changed pages.
const LOG_BYTES_MAX: usize = 1024 * 1024;

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
}

/// What the next batch has to hold.
#[derive(Clone, Debug, Default)]
struct Waiting {
    entries: Vec<LogEntry>,
    entry_bytes: usize,
    chunks: Vec<(u32, Vec<u8>)>,
    drop_staged: bool,
    record: bool,
    checkpoint: bool,
    generation: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.chunks.is_empty() && !self.drop_staged && !self.record && !self.checkpoint
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

    /// Takes entries for the log.
    pub(crate) fn log(&mut self, entries: Vec<LogEntry>) {
        for entry in entries {
            self.waiting.entry_bytes += match &entry {
                LogEntry::Local(bytes) => bytes.len(),
                LogEntry::Server(entry) => match &entry.body {
                    HistoryBody::Full(bytes) => bytes.len(),
                    HistoryBody::Own(_) | HistoryBody::Nothing => 32,
                },
            };
            self.waiting.entries.push(entry);
        }
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
    pub(crate) fn replace(&mut self) {
        self.waiting.generation = true;
        self.drop_staged();
        self.touch_record();
        self.checkpoint();
    }

    /// The next batch, if there is something to write, or something written that must be made strict.
    pub(crate) fn flush(
        &mut self,
        replica: &mut Replica,
        record: Option<&FreshRecord>,
        durability: Durability,
    ) -> Option<(BatchId, Batch)> {
        let barrier = durability == Durability::Strict && self.strict < self.moved;
        if self.in_flight.is_some() || self.failure.is_some() || (self.waiting.is_empty() && !barrier) {
            return None;
        }
        let mut head = self.head.unwrap_or(Head { next_position: LogPosition(1), ..Head::default() });
        head.generation += u64::from(self.waiting.generation || self.head.is_none());
        let mut waiting = std::mem::take(&mut self.waiting);
        let mut batch = Batch::new(durability, self.head, head);
        if waiting.checkpoint || self.wants_checkpoint(&waiting, replica) {
            let checkpoint = replica.checkpoint(head.next_position);
            batch.meta.push((MetaKey::Root, Some(checkpoint.root)));
            batch.pages = checkpoint.pages;
            batch.dropped_pages = checkpoint.dropped;
            batch.log = LogChange::Clear;
            waiting.entries = checkpoint.log;
            self.log_bytes = pending_bytes(replica);
        } else {
            self.log_bytes += waiting.entry_bytes;
        }
        if !waiting.entries.is_empty() {
            batch.append = Some((head.next_position, encode_block(head.next_position, &waiting.entries)));
            batch.head.next_position.0 += waiting.entries.len() as u64;
        }
        if waiting.record {
            let bytes = record.filter(|record| !record.is_empty()).map(FreshRecord::encode);
            batch.meta.push((MetaKey::Reset, bytes));
        }
        if waiting.drop_staged {
            batch.staged = StagedChange::Clear;
        }
        batch.staging = waiting.chunks;
        self.batches += 1;
        let id = BatchId(self.batches);
        let holds = Kept { identity: replica.identity(), cursor: replica.cursor() };
        self.in_flight = Some(InFlight { id, durability, moved: self.moved, holds });
        self.head = Some(batch.head);
        Some((id, batch))
    }

    /// Takes note that the batch under way is on disk.
    pub(crate) fn committed(&mut self, id: BatchId) {
        let Some(done) = self.in_flight.take_if(|batch| batch.id == id) else { return };
        self.kept = done.moved;
        if done.durability == Durability::Strict {
            self.strict = done.moved;
            self.durable = done.holds;
        }
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
        let large = replica.pending().len() == 0 && waiting.entry_bytes > LOG_ENTRY_BYTES;
        let log_bytes = self.log_bytes + waiting.entry_bytes;
        large || (log_bytes > LOG_BYTES_MAX && log_bytes - pending_bytes(replica).min(log_bytes) > LOG_BYTES_MAX)
    }
}

/// What the log must hold in any case.
fn pending_bytes(replica: &Replica) -> usize {
    replica.pending().map(|own| own.bytes.len()).sum()
}
