//! Reading a realm's history: the newest entries from memory, older ones from storage. Only what is durable is in here.

use std::collections::VecDeque;
use std::sync::{Arc, RwLock};

use ebbtide_core::ServerVersion;
use ebbtide_sync::server::HistoryEntry;

use crate::limits::RECENT_BYTES_MAX;
use crate::storage::{Storage, StorageError};

/// The history of one realm.
pub struct History {
    realm: String,
    storage: Arc<dyn Storage>,
    recent: RwLock<Recent>,
}

#[derive(Default)]
struct Recent {
    entries: VecDeque<Arc<HistoryEntry>>,
    bytes: usize,
}

impl History {
    /// A history whose newest entries are these.
    pub fn new(realm: &str, storage: Arc<dyn Storage>, recent: Vec<HistoryEntry>) -> History {
        let history = History { realm: realm.to_string(), storage, recent: RwLock::default() };
        history.push(recent);
        history
    }

    /// Adds entries that are durable now.
    pub fn push(&self, entries: Vec<HistoryEntry>) {
        let mut recent = self.recent.write().expect("invariant: no panic while the recent history is locked");
        for entry in entries {
            recent.bytes += entry.changeset.len();
            recent.entries.push_back(Arc::new(entry));
        }
        while recent.bytes > RECENT_BYTES_MAX && recent.entries.len() > 1 {
            if let Some(dropped) = recent.entries.pop_front() {
                recent.bytes -= dropped.changeset.len();
            }
        }
    }

    /// Forgets what is in memory: storage no longer has it, or has something else.
    pub fn clear(&self) {
        *self.recent.write().expect("invariant: no panic while the recent history is locked") = Recent::default();
    }

    /// Entries after a version, in order, at least one if there is one, about `bytes_max` of them. The first may be
    /// later than asked for if the history was trimmed.
    pub async fn read_after(
        self: &Arc<History>,
        after: ServerVersion,
        bytes_max: usize,
    ) -> Result<Vec<Arc<HistoryEntry>>, StorageError> {
        if let Some(found) = self.recent_after(after, bytes_max) {
            return Ok(found);
        }
        let this = Arc::clone(self);
        let read = move || this.storage.read_after(&this.realm, after, bytes_max);
        let entries = tokio::task::spawn_blocking(read).await;
        let entries = entries.map_err(|error| StorageError::Engine(error.to_string()))??;
        Ok(entries.into_iter().map(Arc::new).collect())
    }

    fn recent_after(&self, after: ServerVersion, bytes_max: usize) -> Option<Vec<Arc<HistoryEntry>>> {
        let recent = self.recent.read().expect("invariant: no panic while the recent history is locked");
        let first = recent.entries.front()?.at.version;
        if after.0 + 1 < first.0 {
            return None;
        }
        let skip = usize::try_from(after.0 + 1 - first.0).ok()?;
        let mut bytes = 0;
        let fits = |entry: &&Arc<HistoryEntry>| {
            let is_first = bytes == 0;
            bytes += entry.changeset.len();
            is_first || bytes <= bytes_max
        };
        Some(recent.entries.iter().skip(skip).take_while(fits).cloned().collect())
    }
}
