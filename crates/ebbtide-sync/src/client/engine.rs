//! The engine of one realm.

use ebbtide_core::batch::LoadedStore;
use ebbtide_core::{ClientId, Millis, Schema, Snapshot, Transaction};

use super::error::{EngineError, OpenError};
use super::event::{Effect, Event, Progress, SessionState};
use super::options::OpenOptions;

/// One realm: its state in memory, what is to be stored, and its conversation with the server.
///
/// Memory moves first, in the call that asks for it; the disk follows in the same order through [`Effect::Commit`]; the
/// server is told nothing that the disk does not have. After every call, take effects from [`Engine::poll`] until there are none.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Opens a realm from what its store holds. A store without a root is a realm that does not exist yet.
    pub fn open(now: Millis, options: OpenOptions, loaded: LoadedStore) -> Result<Engine, OpenError> {
        let _ = (now, options, loaded);
        unimplemented!()
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, now: Millis, event: Event) {
        let _ = (now, event);
        unimplemented!()
    }

    /// The next thing to do. Effects are to be carried out in order; [`Effect::Changed`] tells of at most one change per
    /// listener and drain.
    pub fn poll(&mut self) -> Option<Effect> {
        unimplemented!()
    }

    /// When to call with [`Event::Timer`], if nothing else happens.
    pub fn next_deadline(&self) -> Option<Millis> {
        unimplemented!()
    }

    /// The visible state; inside a transaction, the transaction's.
    pub fn current(&self) -> &Snapshot {
        unimplemented!()
    }

    /// A number that changes whenever the visible state changes, also inside a transaction.
    pub fn version(&self) -> u64 {
        unimplemented!()
    }

    /// The last committed state. It never changes.
    pub fn frozen(&self) -> Snapshot {
        unimplemented!()
    }

    /// Begins a transaction.
    pub fn begin_write(&mut self, now: Millis) -> Result<(), EngineError> {
        let _ = now;
        unimplemented!()
    }

    /// Whether a transaction has been begun.
    pub fn in_transaction(&self) -> bool {
        unimplemented!()
    }

    /// The transaction that has been begun.
    pub fn transaction(&mut self) -> Result<&mut Transaction, EngineError> {
        unimplemented!()
    }

    /// Makes the transaction's state the visible one. On an error the transaction is cancelled and nothing has changed.
    pub fn commit_write(&mut self, now: Millis) -> Result<(), EngineError> {
        let _ = now;
        unimplemented!()
    }

    /// Drops the transaction.
    pub fn cancel_write(&mut self) -> Result<(), EngineError> {
        unimplemented!()
    }

    /// Adds classes and properties outside a transaction, as one commit of its own; raises the schema version.
    pub fn update_schema(&mut self, now: Millis, wanted: &Schema, version: Option<u64>) -> Result<(), EngineError> {
        let _ = (now, wanted, version);
        unimplemented!()
    }

    /// The schema version of the realm.
    pub fn schema_version(&self) -> u64 {
        unimplemented!()
    }

    /// Whether the session tries to sync; `Inactive` for local realms.
    pub fn session_state(&self) -> SessionState {
        unimplemented!()
    }

    /// Whether the state has been downloaded once, so that the realm may be shown. Always true for local realms.
    pub fn is_bootstrapped(&self) -> bool {
        unimplemented!()
    }

    /// How far data has got.
    pub fn progress(&self) -> Progress {
        unimplemented!()
    }

    /// Who this store is to the server; `None` for local realms.
    pub fn client_id(&self) -> Option<ClientId> {
        unimplemented!()
    }

    /// Whether everything committed so far is on disk.
    pub fn is_flushed(&self) -> bool {
        unimplemented!()
    }
}
