//! The loop: an event comes in, the engine is told, its effects are carried out.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use ebbtide_core::Snapshot;
use ebbtide_core::batch::Batch;
use ebbtide_core::query::Names;
use ebbtide_sync::client::{
    BatchId, ConnectionEvent, Effect, Engine, Event, Look, Role, Seen, StoreFailure, StoreFailureKind, WaitId,
};
use futures_channel::oneshot;
use wasm_bindgen_futures::spawn_local;

use super::session::Session;
use crate::api::{self, App};
use crate::error::{Fault, KeyProblem, Result};
use crate::host::Host;
use crate::idb::Beyond;
use crate::images::{self, ClosedRealm};
use crate::observers::{Change, Observers};
use crate::outbox::{Call, Outbox};
use crate::refusal::failure_code;
use crate::slot::{Home, StoreSlot};
use crate::tabs::{self, Tab};
use crate::timer::Alarm;
use crate::{clock, generation, poison, task};

/// An open realm.
pub(crate) struct Driver {
    path: String,
    pub(super) engine: RefCell<Engine>,
    observers: RefCell<Observers>,
    /// What else the app calls its properties.
    names: RefCell<Rc<Names>>,
    pub(super) outbox: Rc<Outbox>,
    slot: StoreSlot,
    /// What the realm is to other tabs that have it open; nothing until its store is open, or if it has none.
    pub(super) tab: RefCell<Option<Rc<Tab>>>,
    pub(super) role: Cell<Role>,
    /// How it syncs.
    pub(super) session: Option<Session>,
    waits: RefCell<BTreeMap<WaitId, oneshot::Sender<Result<()>>>>,
    next_wait: Cell<u64>,
    lane: Cell<u64>,
    scheduled: Cell<bool>,
    /// Whether what waits to be stored has a task of its own.
    stores_soon: Cell<bool>,
    phase: Cell<Phase>,
    /// Why nothing can be stored any more: then no wait can end well.
    failed: RefCell<Option<Fault>>,
    closers: RefCell<Vec<oneshot::Sender<()>>>,
    alarm: Alarm,
    pub(super) this: Weak<Driver>,
}

/// How long a realm is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Open,
    /// No more calls; what is committed is being stored.
    Closing,
    Closed,
}

/// What a realm syncs through.
pub(crate) struct SyncHandle {
    pub(crate) app: Rc<App>,
    pub(crate) user_id: String,
}

impl Driver {
    /// Starts to run an engine. A realm without a store keeps everything in memory.
    pub(crate) fn start(
        path: &str,
        engine: Engine,
        host: Host,
        slot: StoreSlot,
        sync: Option<SyncHandle>,
    ) -> Result<Rc<Driver>> {
        let app_id = sync.as_ref().map(|sync| sync.app.id().to_owned());
        let session = sync.map(|sync| sync.app.link(&sync.user_id)).transpose()?.map(Session::new);
        let role = engine.role();
        let driver = Rc::new_cyclic(|this: &Weak<Driver>| Driver {
            path: path.to_owned(),
            engine: RefCell::new(engine),
            observers: RefCell::default(),
            names: RefCell::default(),
            outbox: Outbox::new(path, app_id, host, this.clone()),
            slot,
            tab: RefCell::default(),
            role: Cell::new(role),
            session,
            waits: RefCell::default(),
            next_wait: Cell::new(1),
            lane: Cell::new(0),
            scheduled: Cell::new(false),
            stores_soon: Cell::new(false),
            phase: Cell::new(Phase::Open),
            failed: RefCell::default(),
            closers: RefCell::default(),
            alarm: Alarm::default(),
            this: this.clone(),
        });
        if role == Role::Leads {
            driver.attach();
        }
        driver.schedule();
        Ok(driver)
    }

    /// What else the app calls its properties.
    pub(crate) fn names(&self) -> Rc<Names> {
        Rc::clone(&self.names.borrow())
    }

    /// Takes note of the app's names for properties.
    pub(crate) fn set_names(&self, names: Names) {
        self.names.replace(Rc::new(names));
    }

    /// The realm's path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Takes note of the lane that the engine's object keys are from.
    pub(crate) fn set_lane(&self, lane: u64) {
        self.lane.set(lane);
    }

    /// Refuses calls to a realm that is closed or has panicked.
    pub(crate) fn check(&self) -> Result<()> {
        poison::check()?;
        match self.phase.get() {
            Phase::Open => Ok(()),
            Phase::Closing | Phase::Closed => Err(Fault::RealmClosed),
        }
    }

    /// Looks at the engine.
    pub(crate) fn engine<T>(&self, look: impl FnOnce(&Engine) -> T) -> Result<T> {
        self.check()?;
        Ok(look(&self.engine.borrow()))
    }

    /// Changes the engine by a call of the app's; what follows from it is carried out in the next microtask.
    pub(crate) fn change<T, E: Into<Fault>>(
        &self,
        change: impl FnOnce(&mut Engine) -> std::result::Result<T, E>,
    ) -> Result<T> {
        self.check()?;
        let outcome = change(&mut self.engine_mut()).map_err(Into::into);
        self.schedule();
        outcome
    }

    /// Like [`Driver::change`], for the many small steps inside a transaction, from which nothing follows before its end.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&mut Engine) -> Result<T>) -> Result<T> {
        self.check()?;
        write(&mut self.engine_mut())
    }

    /// The engine, to be changed: what JavaScript knows of addresses ends.
    fn engine_mut(&self) -> RefMut<'_, Engine> {
        generation::pass();
        self.engine.borrow_mut()
    }

    /// The listeners' registry.
    pub(crate) fn observers(&self) -> &RefCell<Observers> {
        &self.observers
    }

    /// Tells the engine what happened; what follows is carried out in the next microtask.
    pub(crate) fn handle(&self, event: Event) {
        if poison::check().is_err() || self.phase.get() == Phase::Closed {
            return;
        }
        self.engine_mut().handle(clock::now(), event);
        self.schedule();
    }

    /// Begins a wait; its end comes through the receiver, which may be dropped.
    pub(crate) fn wait(&self, begin: impl FnOnce(WaitId) -> Event) -> (WaitId, oneshot::Receiver<Result<()>>) {
        let id = WaitId(self.next_wait.replace(self.next_wait.get() + 1));
        let (tell, told) = oneshot::channel();
        self.waits.borrow_mut().insert(id, tell);
        self.handle(begin(id));
        (id, told)
    }

    /// Ends a wait that nobody waits for any more.
    pub(crate) fn cancel_wait(&self, id: WaitId) {
        self.waits.borrow_mut().remove(&id);
        if let Some(tab) = self.tab() {
            tab.forget_question(id);
        }
        self.handle(Event::CancelWait(id));
    }

    /// Tells the app of a storage error that the engine does not know of.
    pub(crate) fn tell_storage_error(&self, fault: Fault) {
        self.outbox.push(Call::StorageError(fault));
        self.schedule();
    }

    /// Begins to open a store that was given as one to be opened.
    pub(crate) fn begin_opening(&self) {
        let store = self.slot.store();
        let this = self.this.clone();
        spawn_local(async move {
            if let (Err(fault), Some(driver)) = (store.await, this.upgrade()) {
                driver.storage_failed(fault);
            }
        });
    }

    /// Tells the app, once, that nothing can be stored any more.
    pub(crate) fn storage_failed(&self, fault: Fault) {
        if self.failed.borrow().is_none() {
            self.failed.replace(Some(fault.clone()));
            self.tell_storage_error(fault);
        }
    }

    /// Whether the realm has been given up.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase.get() == Phase::Closed
    }

    /// The realm as it is when it has been closed, if it can be opened again from that.
    pub(crate) fn closed_realm(&self) -> Option<ClosedRealm> {
        let Home::Store { key } = self.slot.home() else { return None };
        if self.failed.borrow().is_some() {
            return None;
        }
        let image = self.engine.borrow().image()?;
        Some(ClosedRealm { image, lane: self.lane.get(), key: key.clone() })
    }

    /// What is wrong with a key that the realm is to be opened with.
    pub(crate) fn key_problem(&self, given: Option<&[u8]>) -> Option<KeyProblem> {
        match self.slot.home() {
            Home::Memory => None,
            Home::Store { key } if key.as_deref() == given => None,
            Home::Store { key } => Some(KeyProblem::of(key.as_ref(), given)),
        }
    }

    /// Whether the realm syncs.
    pub(crate) fn is_synced(&self) -> bool {
        self.session.is_some()
    }

    /// Stores what is committed, then gives up the store, the lock and the connection.
    pub(crate) fn close(&self) -> impl Future<Output = ()> + use<> {
        let (tell, told) = oneshot::channel();
        if self.phase.get() != Phase::Closed {
            self.closers.borrow_mut().push(tell);
            if self.phase.replace(Phase::Closing) == Phase::Open {
                self.handle(Event::Close);
            }
        }
        async move {
            let _ = told.await;
        }
    }

    pub(super) fn schedule(&self) {
        if self.scheduled.replace(true) {
            return;
        }
        let this = self.this.clone();
        spawn_local(async move {
            if let Some(driver) = this.upgrade() {
                driver.scheduled.set(false);
                driver.drain();
            }
        });
    }

    /// Does all that is to be done at once; what nobody waits for to be stored is in a task of its own.
    fn drain(&self) {
        self.carry_out_all(Engine::poll_awaited);
        if poison::check().is_ok() && self.engine.borrow().has_batch() && !self.stores_soon.replace(true) {
            // It is held until then: the app may lose a realm right after it has written.
            let driver = self.this.upgrade();
            task::next(move || {
                if let Some(driver) = driver {
                    driver.stores_soon.set(false);
                    driver.carry_out_all(Engine::poll);
                }
            });
        }
    }

    fn carry_out_all(&self, poll: impl Fn(&mut Engine) -> Option<Effect>) {
        if poison::check().is_err() {
            return;
        }
        loop {
            let effect = poll(&mut self.engine_mut());
            match effect {
                Some(effect @ Effect::Changed { .. }) => {
                    self.carry_out(effect);
                    // Listeners do not wait until the batch is made.
                    self.outbox.deliver();
                }
                Some(effect) => self.carry_out(effect),
                None => break,
            }
        }
        let deadline = match self.phase.get() {
            Phase::Open | Phase::Closing => self.engine.borrow().next_deadline(),
            Phase::Closed => None,
        };
        let this = self.this.clone();
        self.alarm.set(deadline, move || {
            if let Some(driver) = this.upgrade() {
                driver.alarm.rang();
                driver.handle(Event::Timer);
            }
        });
        self.outbox.deliver();
        if let Some(tab) = self.tab() {
            tab.watch_leader();
        }
    }

    fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Commit(id, batch) => self.commit(id, batch),
            Effect::Send(message) => self.tell_link(|attached| ConnectionEvent::Send(attached, message)),
            Effect::Look(look) => self.look(look),
            Effect::AskLeader(id) => self.ask_leader(id),
            Effect::Unlink => self.tell_link(ConnectionEvent::Unlink),
            Effect::Relink => self.tell_link(ConnectionEvent::Relink),
            Effect::Changed { before, after, compare, origin } => {
                let version = self.version_of(&after);
                let change = Change::new(&before, &after, compare, origin, version);
                let notices = self.observers.borrow_mut().notices(&change);
                self.outbox.push(Call::Notices(notices));
            }
            Effect::SyncError(error) => self.outbox.push(Call::SyncError(error)),
            Effect::ResetBefore { before } => {
                let version = self.engine.borrow().version();
                self.outbox.push(Call::ResetBefore(before, version));
            }
            Effect::ResetAfter { before } => self.outbox.push(Call::ResetAfter(before)),
            Effect::ResetProgress(progress) => self.outbox.push(Call::ResetProgress(Box::new(progress))),
            Effect::BackUpThenClear { cause, message } => self.outbox.push(Call::RecordBackup { cause, message }),
            Effect::WaitDone(id, outcome) => {
                if let Some(tell) = self.waits.borrow_mut().remove(&id) {
                    let failed = self.failed.borrow().clone();
                    let outcome = outcome.map_err(|message| failed.unwrap_or(Fault::SessionStopped { message }));
                    self.outbox.push(Call::EndWait(tell, outcome));
                }
            }
            Effect::Progress { direction, transferred, transferable } => {
                self.progressed(direction, transferred, transferable);
            }
            // The app asks for the state when it wants to know it.
            Effect::SessionState(_) => self.tell_session(),
            Effect::StoreFailed(failure) => {
                self.storage_failed(fault_of(&failure));
            }
            Effect::Closed => self.closed(),
        }
    }

    /// The version of a state if it is what the app sees now.
    fn version_of(&self, state: &Snapshot) -> Option<u64> {
        let engine = self.engine.borrow();
        engine.current().ptr_eq(state).then(|| engine.version())
    }

    fn commit(&self, id: BatchId, batch: Batch) {
        let this = self.this.clone();
        let store = self.slot.store();
        spawn_local(async move {
            let under_way = Cell::new(id);
            let next = |beyond| this.upgrade()?.overtaken(&under_way, beyond);
            let outcome = match store.await {
                Ok(Some(guard)) => guard.commit_or(batch, next).await,
                Ok(None) => Ok(true),
                Err(fault) => Err(fault),
            };
            let Some(driver) = this.upgrade() else { return };
            let outcome = match (outcome, tabs::missing()) {
                // Who cannot share a realm finds out here that somebody else has it.
                (Ok(false), Some(why)) => Err(Fault::RealmOpenElsewhere { path: driver.path.clone(), why }),
                (outcome, _) => outcome,
            };
            driver.handle(match outcome {
                Ok(true) => {
                    if let Some(tab) = driver.tab() {
                        tab.tell_written();
                    }
                    Event::Committed(under_way.get())
                }
                // The engine knows already.
                Ok(false) => return,
                Err(fault) => {
                    let failure = failure_of(&fault);
                    driver.storage_failed(fault);
                    Event::CommitFailed(under_way.get(), failure)
                }
            });
        });
    }

    /// The batch under way is not on disk, because of what others have written: gives the one that is to be written on top
    /// of that, if it can be made at once.
    fn overtaken(&self, under_way: &Cell<BatchId>, beyond: Beyond) -> Option<Batch> {
        if tabs::missing().is_some() {
            return None;
        }
        self.handle(Event::Overtaken(under_way.get(), Box::new(seen(beyond))));
        loop {
            poison::check().ok()?;
            let effect = self.engine_mut().poll()?;
            match effect {
                Effect::Commit(id, batch) => {
                    under_way.set(id);
                    return Some(batch);
                }
                other => self.carry_out(other),
            }
        }
    }

    fn look(&self, look: Look) {
        let this = self.this.clone();
        let store = self.slot.store();
        spawn_local(async move {
            let beyond = match store.await {
                Ok(Some(guard)) => guard.look(look).await,
                Ok(None) => return,
                Err(fault) => Err(fault),
            };
            let Some(driver) = this.upgrade() else { return };
            let seen = match beyond {
                Ok(beyond) => seen(beyond),
                Err(fault) => {
                    let failure = failure_of(&fault);
                    driver.storage_failed(fault);
                    Seen::Failed(failure)
                }
            };
            driver.handle(Event::Seen(Box::new(seen)));
        });
    }

    fn closed(&self) {
        self.phase.set(Phase::Closed);
        // Whoever has opened the path meanwhile began with what is here, and is ahead of it now.
        if !api::is_open(&self.path)
            && let Some(realm) = self.closed_realm()
        {
            images::keep(&self.path, realm);
        }
        self.detach();
        let tab = self.tab.take();
        for (_, tell) in std::mem::take(&mut *self.waits.borrow_mut()) {
            let _ = tell.send(Err(Fault::RealmClosed));
        }
        self.observers.borrow_mut().clear();
        let store = self.slot.store();
        let closers = std::mem::take(&mut *self.closers.borrow_mut());
        let outbox = Rc::clone(&self.outbox);
        spawn_local(async move {
            if let Some(tab) = tab {
                tab.end().await;
            }
            if let Ok(Some(guard)) = store.await {
                guard.release().await;
            }
            outbox.end();
            for closer in closers {
                let _ = closer.send(());
            }
        });
    }
}

impl Drop for Driver {
    /// A realm that the app has lost without closing it gives its connection up; the store and the locks go with it.
    fn drop(&mut self) {
        generation::pass();
        self.detach();
    }
}

fn seen(beyond: Beyond) -> Seen {
    match beyond {
        Beyond::Since(changes) => Seen::Since(changes),
        Beyond::Whole(loaded) => Seen::Whole(loaded),
    }
}

/// What the engine is told of a failed commit.
fn failure_of(fault: &Fault) -> StoreFailure {
    let kind = match fault {
        Fault::QuotaExceeded { .. } => StoreFailureKind::Quota,
        Fault::StoreClosed { .. } | Fault::RealmOpenElsewhere { .. } => StoreFailureKind::Closed,
        Fault::StoreConflict { .. } => StoreFailureKind::Conflict,
        _ => StoreFailureKind::Other,
    };
    StoreFailure { kind, message: fault.message() }
}

/// What the app is told of it.
fn fault_of(failure: &StoreFailure) -> Fault {
    Fault::StoreFailed { code: failure_code(failure), message: failure.message.clone() }
}
