//! A store in memory with the promises of IndexedDB and no others: a batch is kept whole or not at all, a strict one
//! survives everything, a relaxed one may be forgotten together with all that came after it.

use std::collections::BTreeMap;

use ebbtide_core::batch::{Batch, Changes, Durability, Head, LoadedStore, LogChange, MetaKey, StagedChange};
use ebbtide_core::mutants::{Mutant, mutant};
use ebbtide_core::{LogPosition, RecordId};
use ebbtide_sync::client::{BatchId, Event, Look, Seen};

/// A store in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    /// The states since the last strict batch, oldest first; the last is the present one. Never empty after a commit.
    states: Vec<State>,
    commits: u64,
    refuse: Option<StoreRefusal>,
}

/// Why the double refuses a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreRefusal {
    /// The store has another head than the batch expects.
    HeadMoved,
    /// The test wants it so.
    AsTold,
}

#[derive(Clone, Debug, Default)]
struct State {
    head: Option<Head>,
    meta: BTreeMap<MetaKey, Vec<u8>>,
    pages: BTreeMap<RecordId, Vec<u8>>,
    log: BTreeMap<LogPosition, Vec<u8>>,
    staging: BTreeMap<u32, Vec<u8>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Commits a batch, or refuses it and keeps nothing of it.
    pub fn commit(&mut self, batch: &Batch) -> Result<(), StoreRefusal> {
        if let Some(refusal) = self.refuse {
            return Err(refusal);
        }
        let mut state = self.states.last().cloned().unwrap_or_default();
        if state.head != batch.expected && !mutant(Mutant::HeadUnchecked) {
            return Err(StoreRefusal::HeadMoved);
        }
        let half = mutant(Mutant::BatchSplit).then(|| {
            let mut half = state.clone();
            half.apply(&Batch { pages: Vec::new(), dropped_pages: Vec::new(), meta: Vec::new(), ..batch.clone() });
            half
        });
        state.apply(batch);
        match batch.durability {
            Durability::Strict => self.states = half.into_iter().chain([state]).collect(),
            Durability::Relaxed => {
                if self.states.is_empty() {
                    self.states.push(State::default());
                }
                self.states.extend(half.into_iter().chain([state]));
            }
        }
        self.commits += 1;
        Ok(())
    }

    /// What an opening reads.
    pub fn load(&self) -> LoadedStore {
        self.states.last().map(State::load).unwrap_or_default()
    }

    /// Commits a batch and answers as an edge does whose engine shares the store: what others have made of it instead, if it
    /// has another head. A refusal that a test wants is the caller's to word.
    pub fn answer_commit(&mut self, id: BatchId, batch: &Batch) -> Result<Event, StoreRefusal> {
        match self.commit(batch) {
            Ok(()) => Ok(Event::Committed(id)),
            Err(StoreRefusal::HeadMoved) => {
                let look = batch.expected.map_or(Look::Whole, Look::Since);
                Ok(Event::Overtaken(id, Box::new(self.look(look))))
            }
            Err(refusal @ StoreRefusal::AsTold) => Err(refusal),
        }
    }

    /// What a look finds.
    pub fn look(&self, look: Look) -> Seen {
        match look {
            Look::Since(head) => Seen::Since(self.changes_since(&head).expect("whoever knows a head knows a store")),
            Look::Whole => Seen::Whole(self.load()),
        }
    }

    /// What somebody reads who knows the store by an earlier head; `None` if there is no store.
    fn changes_since(&self, known: &Head) -> Option<Changes> {
        let state = self.states.last()?;
        let head = state.head?;
        let root = head.has_other_root(known).then(|| state.meta.get(&MetaKey::Root).cloned()).flatten();
        let log = state.log.range(head.log_from(known)..);
        let log = log.map(|(position, block)| (*position, block.clone())).collect();
        Some(Changes { head: head.encode(), root, log })
    }

    /// What an opening reads after the worst power failure.
    pub fn load_strict(&self) -> LoadedStore {
        self.states.first().map(State::load).unwrap_or_default()
    }

    /// A copy of the store as it is, all of it there for good.
    pub fn copied(&self) -> MemoryStore {
        MemoryStore { states: self.states.last().cloned().into_iter().collect(), ..self.clone() }
    }

    /// How many batches were committed.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// How many relaxed batches could be forgotten.
    pub fn forgettable(&self) -> usize {
        self.states.len().saturating_sub(1)
    }

    /// The power fails: at most the last `batches` relaxed ones are forgotten, never a strict one.
    pub fn forget(&mut self, batches: usize) {
        let keep = self.states.len().saturating_sub(batches).max(1);
        self.states.truncate(keep);
    }

    /// From now on every batch is refused.
    pub fn refuse(&mut self) {
        self.refuse = Some(StoreRefusal::AsTold);
    }

    /// From now on batches are taken again.
    pub fn accept(&mut self) {
        self.refuse = None;
    }

    /// How many bytes all records have.
    pub fn bytes(&self) -> usize {
        self.states.last().map_or(0, State::bytes)
    }
}

impl State {
    fn apply(&mut self, batch: &Batch) {
        self.head = Some(batch.head);
        for (key, record) in &batch.meta {
            match record {
                Some(record) => {
                    self.meta.insert(*key, record.clone());
                }
                None => {
                    self.meta.remove(key);
                }
            }
        }
        for record in &batch.dropped_pages {
            self.pages.remove(record);
        }
        for (record, bytes) in &batch.pages {
            self.pages.insert(*record, bytes.clone());
        }
        match batch.log {
            LogChange::Keep => {}
            LogChange::Clear => self.log.clear(),
        }
        if let Some((position, block)) = &batch.append {
            let earlier = self.log.insert(*position, block.clone());
            assert!(earlier.is_none(), "the log block at {position:?} would be overwritten");
        }
        match batch.staged {
            StagedChange::Keep => {}
            StagedChange::Clear => self.staging.clear(),
        }
        for (index, chunk) in &batch.staging {
            self.staging.insert(*index, chunk.clone());
        }
    }

    fn load(&self) -> LoadedStore {
        LoadedStore {
            head: self.head.map(|head| head.encode()),
            root: self.meta.get(&MetaKey::Root).cloned(),
            reset: self.meta.get(&MetaKey::Reset).cloned(),
            pages: self.pages.iter().map(|(key, bytes)| (*key, bytes.clone())).collect(),
            log: self.log.iter().map(|(key, bytes)| (*key, bytes.clone())).collect(),
            staging: self.staging.iter().map(|(key, bytes)| (*key, bytes.clone())).collect(),
        }
    }

    fn bytes(&self) -> usize {
        let meta: usize = self.meta.values().map(Vec::len).sum();
        let pages: usize = self.pages.values().map(Vec::len).sum();
        let log: usize = self.log.values().map(Vec::len).sum();
        let staging: usize = self.staging.values().map(Vec::len).sum();
        meta + pages + log + staging
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(durability: Durability, expected: Option<u64>, next: u64) -> Batch {
        let head = |next| Head { generation: 1, fence: 0, next_position: LogPosition(next), roots: 1 };
        let mut batch = Batch::new(durability, expected.map(head), head(next));
        batch.append = Some((LogPosition(next), vec![next as u8]));
        batch
    }

    #[test]
    fn relaxed_batches_may_be_forgotten_and_strict_ones_never() {
        let mut store = MemoryStore::new();
        store.commit(&batch(Durability::Strict, None, 1)).unwrap();
        store.commit(&batch(Durability::Relaxed, Some(1), 2)).unwrap();
        store.commit(&batch(Durability::Relaxed, Some(2), 3)).unwrap();
        assert_eq!(store.forgettable(), 2);
        store.forget(1);
        assert_eq!(store.load().log.len(), 2);
        store.forget(9);
        assert_eq!(store.load().log.len(), 1);
    }

    #[test]
    fn a_batch_on_a_head_that_has_moved_is_refused_whole() {
        let mut store = MemoryStore::new();
        store.commit(&batch(Durability::Strict, None, 1)).unwrap();
        assert_eq!(store.commit(&batch(Durability::Strict, None, 2)), Err(StoreRefusal::HeadMoved));
        assert_eq!(store.load().log.len(), 1);
    }
}
