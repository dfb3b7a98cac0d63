//! The engine of one realm.

use std::collections::VecDeque;

use ebbtide_core::batch::{Durability, LoadedStore};
use ebbtide_core::mutants::{Mutant, mutant};
use ebbtide_core::objects::Synced;
use ebbtide_core::replica::{Committed, Replica};
use ebbtide_core::{ClientId, Millis, Schema, Snapshot, Transaction, schema};

use super::error::{EngineError, OpenError, StoreFailure};
use super::event::{BatchId, Direction, Effect, Event, Origin, Progress, SessionState, WaitId};
use super::flush::Replaced;
use super::image::Image;
use super::migration::Migrating;
use super::open::{self, Opened, check_synced_schema};
use super::options::{OpenOptions, Role};
use super::others::Looks;
use super::session::Session;
use super::state::State;
use super::waits::Wait;
use crate::wire::Code;

/// Events that wait for an open transaction at most; the server is asked to begin again if more come.
const DEFERRED_MAX: usize = 256;

/// One realm: its state in memory, what is to be stored, and its conversation with the server.
///
/// Memory moves first, in the call that asks for it; the disk follows in the same order through [`Effect::Commit`]; the
/// server is told nothing that the disk does not have. After every call, take effects from [`Engine::poll`] until there
/// are none.
///
/// A transaction that stays open holds back what would change the state under it: messages and reset steps wait.
#[derive(Debug)]
pub struct Engine {
    pub(super) state: State,
    pub(super) session: Option<Session>,
    pub(super) transaction: Option<Transaction>,
    /// By how much the open transaction raises the schema version.
    pub(super) raised: u64,
    pub(super) migrating: Option<Migrating>,
    deferred: VecDeque<Event>,
    pub(super) looks: Looks,
    read_only: bool,
    pub(super) life: Life,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    Open,
    /// What is committed is still to be stored.
    Closing,
    Closed,
}

/// Which batches are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Batches {
    All,
    /// Those that somebody waits for: the app, the server, or whoever closes the realm.
    Awaited,
}

impl Engine {
    /// Opens a realm from what its store holds. A store without a head is a realm that does not exist yet.
    pub fn open(now: Millis, options: OpenOptions, loaded: LoadedStore) -> Result<Engine, OpenError> {
        let read_only = options.read_only;
        Ok(Engine::of(open::open(now, options, loaded)?, read_only))
    }

    /// Opens a realm from what it was when it was closed.
    pub fn reopen(now: Millis, options: OpenOptions, image: Image) -> Result<Engine, OpenError> {
        let read_only = options.read_only;
        Ok(Engine::of(open::reopen(now, options, image)?, read_only))
    }

    /// Opens a local realm that has no store yet as a copy of another.
    pub fn begin_as(now: Millis, options: OpenOptions, copy: Replica) -> Result<Engine, OpenError> {
        let read_only = options.read_only;
        Ok(Engine::of(open::begin_as(now, options, copy)?, read_only))
    }

    fn of(opened: Opened, read_only: bool) -> Engine {
        let Opened { state, session, migration } = opened;
        let (transaction, migrating) = migration.unzip();
        let deferred = VecDeque::new();
        let (looks, life) = (Looks::default(), Life::Open);
        Engine { state, session, transaction, raised: 0, migrating, deferred, looks, read_only, life }
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, now: Millis, event: Event) {
        if let Some(session) = &mut self.session {
            session.keep_time(now);
        }
        match event {
            Event::Committed(id) => self.committed(now, id),
            Event::CommitFailed(id, failure) => self.commit_failed(id, failure),
            event @ (Event::Seen(_) | Event::Overtaken(..)) if self.transaction.is_none() => {
                self.handle_now(now, event)
            }
            _ if self.life != Life::Open => {}
            Event::LinkDown { .. } => {
                // What waits was said on this link, and its session number may be another's on the next.
                self.deferred.retain(|event| !matches!(event, Event::Message(_)));
                self.handle_now(now, event);
            }
            Event::Follow => {
                // A lead that waits for the transaction to end is gone before it was taken.
                self.deferred.retain(|event| *event != Event::Lead || mutant(Mutant::StaleLead));
                self.handle_now(now, event);
            }
            event if self.transaction.is_some() && moves_state(&event) => self.defer(event),
            event => self.handle_now(now, event),
        }
        self.drive(now);
    }

    /// The next thing to do. Effects are to be carried out in order.
    pub fn poll(&mut self) -> Option<Effect> {
        self.next_effect(Batches::All)
    }

    /// The same, but for a batch that nobody waits for: what is written before it begins goes along with it. Once there is
    /// nothing else to do, [`Engine::has_batch`] says whether there is one.
    pub fn poll_awaited(&mut self) -> Option<Effect> {
        self.next_effect(Batches::Awaited)
    }

    /// Whether there is something to be stored that is not under way.
    pub fn has_batch(&self) -> bool {
        self.may_store() && self.state.disk.has_batch()
    }

    fn next_effect(&mut self, batches: Batches) -> Option<Effect> {
        if let Some(effect) = self.state.effects.pop_front() {
            return Some(effect);
        }
        if self.life == Life::Open {
            if let Some(change) = self.state.take_change() {
                return Some(change);
            }
            if let Some(progress) = self.session.as_mut().and_then(|session| session.take_progress(&self.state)) {
                return Some(progress);
            }
        }
        if let Some(look) = self.looks.next(self.state.disk.head(), self.state.disk.failure()) {
            return Some(Effect::Look(look));
        }
        if let Some(commit) = self.next_batch(batches) {
            return Some(commit);
        }
        if self.life == Life::Closing && self.state.disk.is_idle() {
            self.life = Life::Closed;
            return Some(Effect::Closed);
        }
        None
    }

    /// When to call with [`Event::Timer`], if nothing else happens.
    pub fn next_deadline(&self) -> Option<Millis> {
        match self.life {
            // What the time has come for is done when the transaction ends.
            Life::Open if self.deferred.contains(&Event::Timer) => None,
            Life::Open => self.session.as_ref().and_then(Session::next_deadline),
            Life::Closing | Life::Closed => None,
        }
    }

    /// The visible state; inside a transaction, the transaction's.
    pub fn current(&self) -> &Snapshot {
        self.transaction.as_ref().map_or(self.state.replica.current(), Transaction::snapshot)
    }

    /// A number that changes whenever the visible state changes, also inside a transaction.
    pub fn version(&self) -> u64 {
        self.state.version
    }

    /// The last committed state. It never changes.
    pub fn frozen(&self) -> Snapshot {
        self.state.replica.current().clone()
    }

    /// Begins a transaction.
    pub fn begin_write(&mut self, now: Millis) -> Result<(), EngineError> {
        self.check_writable()?;
        if self.transaction.is_some() {
            return Err(EngineError::InTransaction);
        }
        let now = Millis(now.0.saturating_sub(self.state.ahead_ms));
        self.transaction = Some(self.state.replica.begin(now));
        Ok(())
    }

    /// Whether a transaction has been begun.
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// The transaction that has been begun, to write with: the version is raised.
    pub fn transaction(&mut self) -> Result<&mut Transaction, EngineError> {
        let transaction = self.transaction.as_mut().ok_or(EngineError::NotInTransaction)?;
        self.state.version += 1;
        Ok(transaction)
    }

    /// Makes the transaction's state the visible one. On an error the transaction is cancelled and nothing has changed.
    pub fn commit_write(&mut self, now: Millis) -> Result<(), EngineError> {
        self.check_not_migrating()?;
        let transaction = self.transaction.take().ok_or(EngineError::NotInTransaction)?;
        let result = self.commit(transaction);
        self.catch_up(now);
        result
    }

    /// Drops the transaction.
    pub fn cancel_write(&mut self, now: Millis) -> Result<(), EngineError> {
        self.check_not_migrating()?;
        self.transaction.take().ok_or(EngineError::NotInTransaction)?;
        self.raised = 0;
        self.state.version += 1;
        self.catch_up(now);
        Ok(())
    }

    /// Adds classes and properties that the schema has and the realm lacks, outside a transaction; raises the schema
    /// version.
    pub fn update_schema(&mut self, now: Millis, wanted: &Schema, version: Option<u64>) -> Result<(), EngineError> {
        self.check_writable()?;
        if self.transaction.is_some() {
            return Err(EngineError::InTransaction);
        }
        self.check_extension(wanted)?;
        if self.state.replica.synced() == Synced::Yes
            && let Err(error) = check_synced_schema(Some(wanted))
        {
            return Err(EngineError::SchemaMismatch(vec![error.to_string()]));
        }
        self.state.changing(Origin::Local);
        let raised = version.filter(|version| *version > self.state.replica.schema_version());
        if let Some(version) = raised {
            self.state.replica.set_schema_version(version);
        }
        let grown = self.state.replica.extend_schema(wanted);
        if grown || raised.is_some() {
            self.state.disk.checkpoint();
        }
        if let Some(session) = self.session.as_mut().filter(|_| grown) {
            session.rebind(&mut self.state);
        }
        self.drive(now);
        Ok(())
    }

    /// Refuses a schema that contradicts itself, or from which what there is differs in more than it lacks.
    pub(super) fn check_extension(&self, wanted: &Schema) -> Result<(), EngineError> {
        if let Err(error) = schema::validate(wanted) {
            return Err(EngineError::SchemaMismatch(error.problems));
        }
        let conflicts = schema::compare(self.current().schema(), wanted).conflicts;
        if conflicts.is_empty() {
            return Ok(());
        }
        Err(EngineError::SchemaMismatch(conflicts.iter().map(ToString::to_string).collect()))
    }

    /// The schema version of the realm; inside a transaction or a migration, the one that it will have.
    pub fn schema_version(&self) -> u64 {
        match &self.migrating {
            Some(migrating) => migrating.version,
            None => self.state.replica.schema_version() + self.raised,
        }
    }

    /// The schema version of the last committed state.
    pub fn recorded_schema_version(&self) -> u64 {
        self.state.replica.schema_version()
    }

    /// Whether the session tries to sync; `Inactive` for local realms.
    pub fn session_state(&self) -> SessionState {
        self.session.as_ref().map_or(SessionState::Inactive, Session::state)
    }

    /// Whether the state has been downloaded once, so that the realm may be shown. Always true for local realms.
    pub fn is_bootstrapped(&self) -> bool {
        self.session.is_none() || self.state.replica.cursor().is_some()
    }

    /// How far data has got.
    pub fn progress(&self) -> Progress {
        self.session.as_ref().map_or(Progress::default(), |session| session.progress(&self.state))
    }

    /// How many of our changesets the server has not confirmed.
    pub fn pending_count(&self) -> usize {
        self.state.replica.pending().len()
    }

    /// Who this store is as an author of changesets.
    pub fn client_id(&self) -> ClientId {
        self.state.replica.identity().client
    }

    /// Whether everything committed so far is on disk.
    pub fn is_flushed(&self) -> bool {
        self.state.disk.is_kept(self.state.disk.moved())
    }

    pub(super) fn check_writable(&self) -> Result<(), EngineError> {
        if self.life != Life::Open {
            return Err(EngineError::Closed);
        }
        if self.read_only {
            return Err(EngineError::ReadOnly);
        }
        match self.state.disk.failure() {
            Some(failure) => Err(EngineError::StoreFailed(failure.clone())),
            None => Ok(()),
        }
    }

    fn commit(&mut self, transaction: Transaction) -> Result<(), EngineError> {
        if let Some(failure) = self.state.disk.failure() {
            self.state.version += 1;
            return Err(EngineError::StoreFailed(failure.clone()));
        }
        let raised = std::mem::take(&mut self.raised);
        if transaction.is_empty() && raised == 0 {
            return Ok(());
        }
        self.state.changing(Origin::Local);
        let committed = self.state.replica.commit(transaction).map_err(EngineError::Write)?;
        if raised > 0 {
            let version = self.state.replica.schema_version() + raised;
            self.state.replica.set_schema_version(version);
            self.state.disk.checkpoint();
        }
        match committed {
            Committed::Nothing => {}
            Committed::Changeset(bytes) => self.state.disk.log_own(bytes),
            Committed::Reshaped => self.state.disk.replace(Replaced::Migration),
        }
        if let Some(session) = &mut self.session {
            session.moved(Direction::Upload);
        }
        Ok(())
    }

    /// Takes up what waited for the transaction to end.
    pub(super) fn catch_up(&mut self, now: Millis) {
        if let Some(session) = &mut self.session {
            session.keep_time(now);
        }
        while let Some(event) = self.deferred.pop_front() {
            self.handle_now(now, event);
        }
        self.drive(now);
    }

    fn defer(&mut self, event: Event) {
        let messages = self.deferred.iter().filter(|event| matches!(event, Event::Message(_))).count();
        if messages >= DEFERRED_MAX {
            self.deferred.retain(|event| !matches!(event, Event::Message(_)));
            if let Some(session) = &mut self.session {
                session.rebind(&mut self.state);
            }
        } else {
            self.deferred.push_back(event);
        }
    }

    fn handle_now(&mut self, now: Millis, event: Event) {
        let state = &mut self.state;
        match (event, &mut self.session) {
            (Event::Committed(_) | Event::CommitFailed(..), _) => {}
            (Event::Lead, _) => self.lead(),
            (Event::Follow, _) => self.follow(),
            (Event::Nudged, _) => self.looks.nudge(),
            (Event::Seen(seen), _) => self.seen(now, *seen),
            (Event::Overtaken(id, seen), _) => self.overtaken(now, id, *seen),
            (Event::LeaderAnswered(id, result), _) => self.leader_answered(id, result),
            (Event::Close, _) => self.close(now),
            (Event::WaitDurable(id), _) => self.wait_durable(id),
            (Event::CancelWait(id), _) => state.waits.cancel(id),
            (Event::WaitUpload(id), Some(session)) => session.wait_upload(state, id),
            (Event::WaitDownload(id), Some(session)) => session.wait_download(state, id),
            (Event::WaitUpload(id) | Event::WaitDownload(id), None) => {
                state.effect(Effect::WaitDone(id, Err("This realm does not sync.".to_string())));
            }
            (Event::Message(message), Some(session)) => session.message(state, now, message),
            (Event::LinkUp { session: number }, Some(session)) => session.link_up(state, number),
            (Event::LinkDown { .. }, Some(session)) => session.link_down(state),
            (Event::Timer, Some(session)) => session.timer(state, now),
            (Event::Pause, Some(session)) => session.pause(state),
            (Event::Resume, Some(session)) => session.resume(state),
            (Event::ResetBeforeDone(result), Some(session)) => session.before_done(state, now, result),
            (Event::ResetAfterDone(result), Some(session)) => session.after_done(state, now, result),
            (Event::SimulateError { code, message, fatal }, Some(session)) => {
                session.simulate(state, now, Code(code), message, fatal);
            }
            (
                Event::Message(_)
                | Event::LinkUp { .. }
                | Event::LinkDown { .. }
                | Event::Timer
                | Event::Pause
                | Event::Resume
                | Event::ResetBeforeDone(_)
                | Event::ResetAfterDone(_)
                | Event::SimulateError { .. },
                None,
            ) => {}
        }
    }

    pub(super) fn drive(&mut self, now: Millis) {
        if self.life == Life::Open
            && let Some(session) = &mut self.session
        {
            session.drive(&mut self.state, now);
        }
    }

    fn may_store(&self) -> bool {
        !self.read_only && !self.looks.must_see_all()
    }

    fn next_batch(&mut self, batches: Batches) -> Option<Effect> {
        if !self.may_store() {
            return None;
        }
        let session = self.session.as_ref();
        let awaited = self.state.waits.any(|wait| matches!(wait, Wait::Durable { .. }));
        let open = self.life == Life::Open;
        let strict = awaited || session.is_some_and(|session| open && session.wants_strict(self.state.role));
        if open && !strict && batches == Batches::Awaited {
            return None;
        }
        let durability = if strict { Durability::Strict } else { Durability::Relaxed };
        let record = session.map(Session::record);
        let (id, batch) = self.state.disk.flush(&mut self.state.replica, record, durability, self.state.role)?;
        Some(Effect::Commit(id, batch))
    }

    fn committed(&mut self, now: Millis, id: BatchId) {
        let state = &mut self.state;
        if state.disk.committed(id) {
            state.replica.saved();
        }
        let disk = &state.disk;
        state.waits.settle(&mut state.effects, &Ok(()), |wait| match wait {
            Wait::Durable { moved } => disk.is_strict(*moved),
            Wait::DownloadStored { moved } => disk.is_kept(*moved),
            Wait::Upload { .. }
            | Wait::DownloadAsked
            | Wait::DownloadMarked { .. }
            | Wait::LeaderAsked
            | Wait::DownloadLooked { .. } => false,
        });
        if self.life == Life::Open
            && let Some(session) = &mut self.session
        {
            session.stored(state);
            session.drive(state, now);
        }
    }

    fn commit_failed(&mut self, id: BatchId, failure: StoreFailure) {
        let state = &mut self.state;
        if !state.disk.failed(id, failure.clone()) {
            return;
        }
        self.store_failed(failure);
    }

    /// Nothing more can be written.
    pub(super) fn store_failed(&mut self, failure: StoreFailure) {
        let state = &mut self.state;
        let result = Err(failure.message.clone());
        // The failure comes before the waits that it ends.
        state.effect(Effect::StoreFailed(failure));
        state.waits.settle(&mut state.effects, &result, |_| true);
        if let Some(session) = &mut self.session {
            session.store_failed(state);
        }
    }

    fn wait_durable(&mut self, id: WaitId) {
        let state = &mut self.state;
        let moved = state.disk.moved();
        if let Some(failure) = state.disk.failure() {
            let result = Err(failure.message.clone());
            state.effect(Effect::WaitDone(id, result));
        } else if state.disk.is_strict(moved) || self.read_only {
            state.effect(Effect::WaitDone(id, Ok(())));
        } else {
            state.waits.add(id, Wait::Durable { moved });
        }
    }

    fn close(&mut self, now: Millis) {
        self.transaction = None;
        self.migrating = None;
        self.raised = 0;
        self.life = Life::Closing;
        // What the store has answered is still needed to flush; all else comes too late.
        let from_store = |event: &Event| matches!(event, Event::Seen(_) | Event::Overtaken(..));
        let deferred = std::mem::take(&mut self.deferred);
        deferred
            .into_iter()
            .filter(from_store)
            .filter(|_| !mutant(Mutant::ClosingForgets))
            .for_each(|event| self.handle_now(now, event));
        let state = &mut self.state;
        if let Some(session) = self.session.as_mut().filter(|_| state.role == Role::Leads) {
            session.unlink(state);
        }
        let closed = Err("The realm was closed.".to_string());
        state.waits.settle(&mut state.effects, &closed, |wait| !matches!(wait, Wait::Durable { .. }));
    }
}

/// Whether an event could change the state under an open transaction.
fn moves_state(event: &Event) -> bool {
    match event {
        Event::Message(_)
        | Event::Timer
        | Event::ResetBeforeDone(_)
        | Event::ResetAfterDone(_)
        | Event::Lead
        | Event::Seen(_)
        | Event::Overtaken(..)
        | Event::SimulateError { .. } => true,
        Event::Committed(_)
        | Event::CommitFailed(..)
        | Event::Follow
        | Event::Nudged
        | Event::LeaderAnswered(..)
        | Event::LinkUp { .. }
        | Event::LinkDown { .. }
        | Event::Pause
        | Event::Resume
        | Event::WaitUpload(_)
        | Event::WaitDownload(_)
        | Event::CancelWait(_)
        | Event::WaitDurable(_)
        | Event::Close => false,
    }
}
