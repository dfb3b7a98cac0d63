//! A realm that was closed, as it is in memory: what it takes to open it again without reading the disk.

use ebbtide_core::ClientId;
use ebbtide_core::batch::{Batch, Durability, Head};
use ebbtide_core::objects::Synced;
use ebbtide_core::replica::Replica;

use super::engine::{Engine, Life};
use super::error::EngineError;
use super::flush::Disk;
use super::options::Role;
use super::session::Session;

/// A realm that was closed, as it is in memory. Good for as long as nobody else has written to the store: whoever opens
/// it again finds out at the first commit, which names the head that it expects.
#[derive(Clone, Debug)]
pub struct Image {
    pub(super) replica: Replica,
    pub(super) head: Head,
    pub(super) log_bytes: usize,
}

impl Image {
    /// How many bytes the store has, about.
    pub fn bytes(&self) -> usize {
        self.replica.page_bytes() + self.log_bytes
    }

    /// Which state the store is in.
    pub fn head(&self) -> Head {
        self.head
    }
}

impl Engine {
    /// What is left of a closed engine: nothing if not all of it is on disk, or if a first download or a reset is under
    /// way.
    pub fn image(&self) -> Option<Image> {
        if self.life == Life::Open || self.session.as_ref().map(Session::record).is_some_and(|r| !r.is_empty()) {
            return None;
        }
        let head = self.state.disk.settled_head()?;
        Some(Image { replica: self.state.replica.clone(), head, log_bytes: self.state.disk.log_bytes() })
    }

    /// The batch that makes an empty store a copy of this realm as the app sees it, under an author of its own.
    pub fn copy(&self, client: ClientId, synced: Synced) -> Result<Batch, EngineError> {
        let mut copy = self.copied(client, synced)?;
        let mut disk = Disk::create(&copy);
        let (_, batch) =
            disk.flush(&mut copy, None, Durability::Strict, Role::Leads).expect("a new store has its root to write");
        Ok(batch)
    }

    /// This realm as the app sees it, under an author of its own: what `Engine::begin_as` takes.
    pub fn copied(&self, client: ClientId, synced: Synced) -> Result<Replica, EngineError> {
        if self.transaction.is_some() {
            return Err(EngineError::InTransaction);
        }
        if synced == Synced::Yes && self.pending_count() > 0 {
            return Err(EngineError::Pending);
        }
        Ok(self.state.replica.copy(client, synced))
    }

    /// Has everything written anew.
    pub fn compact(&mut self) -> Result<(), EngineError> {
        self.check_writable()?;
        if self.transaction.is_some() {
            return Err(EngineError::InTransaction);
        }
        self.state.replica.rewrite();
        self.state.disk.checkpoint();
        Ok(())
    }

    /// How many bytes the store has, and how many it would have if everything were written anew.
    pub fn usage(&self) -> (usize, usize) {
        let replica = &self.state.replica;
        let total = replica.root_bytes() + replica.page_bytes() + self.state.disk.log_bytes();
        let pending: usize = replica.pending().map(|own| own.bytes.len()).sum();
        (total, total.min(replica.checkpoint_bytes() + pending))
    }
}
