//! The whole state in chunks, kept for a while so that an interrupted download can go on where it stopped.

use std::sync::Arc;
use std::time::Instant;

use ebbtide_core::{Snapshot, page};
use ebbtide_sync::wire::{CHUNK_BYTES_MAX, Cursor, FreshResume};

use crate::limits::{BOOTSTRAP_KEPT, BOOTSTRAPS_CACHED};

/// A state in chunks.
#[derive(Debug)]
pub struct Bootstrap {
    at: Cursor,
    chunks: Vec<Vec<u8>>,
    total_bytes: u64,
}

impl Bootstrap {
    /// The state at a cursor.
    pub fn new(at: Cursor, state: &Snapshot) -> Bootstrap {
        let chunks = page::export(state, CHUNK_BYTES_MAX);
        let total_bytes = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        Bootstrap { at, chunks, total_bytes }
    }

    /// Where the state stands.
    pub fn at(&self) -> Cursor {
        self.at
    }

    /// How many chunks there are: one at least.
    pub fn count(&self) -> u32 {
        u32::try_from(self.chunks.len()).expect("invariant: a state has fewer than 4 billion chunks")
    }

    /// Bytes of all chunks.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// One chunk.
    pub fn chunk(&self, index: u32) -> &[u8] {
        &self.chunks[index as usize]
    }

    /// Bytes from a chunk on.
    pub fn bytes_from(&self, index: u32) -> u64 {
        self.chunks.iter().skip(index as usize).map(|chunk| chunk.len() as u64).sum()
    }
}

/// The bootstraps of a realm that somebody may still be downloading.
#[derive(Default)]
pub(super) struct Bootstraps {
    kept: Vec<(Arc<Bootstrap>, Instant)>,
}

impl Bootstraps {
    /// The very snapshot that a client has a part of, or one at the present head.
    pub fn get(&mut self, head: Cursor, state: &Snapshot, resume: Option<FreshResume>) -> Arc<Bootstrap> {
        self.expire();
        let wanted = resume.map(|resume| resume.at);
        let found = self.kept.iter_mut().find(|(kept, _)| Some(kept.at) == wanted && kept.at.epoch == head.epoch);
        if let Some((kept, used)) = found {
            *used = Instant::now();
            return Arc::clone(kept);
        }
        if let Some((kept, used)) = self.kept.iter_mut().find(|(kept, _)| kept.at == head) {
            *used = Instant::now();
            return Arc::clone(kept);
        }
        let made = Arc::new(Bootstrap::new(head, state));
        self.kept.push((Arc::clone(&made), Instant::now()));
        self.kept.sort_by_key(|(_, used)| std::cmp::Reverse(*used));
        self.kept.truncate(BOOTSTRAPS_CACHED);
        made
    }

    /// Drops what nobody used for long.
    pub fn expire(&mut self) {
        self.kept.retain(|(_, used)| used.elapsed() < BOOTSTRAP_KEPT);
    }

    /// Drops everything: the history they belong to has ended, or no longer reaches them.
    pub fn clear(&mut self) {
        self.kept.clear();
    }
}
