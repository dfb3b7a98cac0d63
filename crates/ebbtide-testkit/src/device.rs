//! One device: the shipped engine on a store double, driven step by step.

use std::collections::VecDeque;

use ebbtide_core::batch::Batch;
use ebbtide_core::replica::Replica;
use ebbtide_core::{Millis, Snapshot};
use ebbtide_sync::client::{
    BatchId, Effect, Engine, Event, OpenOptions, ResetPhase, StoreFailure, StoreFailureKind, SyncError, WaitId,
};
use ebbtide_sync::wire::{ClientMessage, ServerMessage, SessionId};

use crate::sim::check_claim;
use crate::store::MemoryStore;

/// How a device's app answers the callbacks of a reset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// At once.
    Ok,
    /// By throwing.
    Throw(String),
    /// Never.
    Silence,
}

/// What an app notes of what it is told.
#[derive(Clone, Debug)]
pub enum Noted {
    /// A change, as listeners get it.
    Changed(Snapshot, Snapshot),
    /// A sync error.
    Error(SyncError),
    /// The callback before a reset.
    Before(Snapshot),
    /// The callback after a reset.
    After(Snapshot),
    /// A phase of a reset, and the code of its cause.
    Phase(ResetPhase, u16),
    /// An answered wait.
    Wait(WaitId, Result<(), String>),
    /// The store is to be backed up and cleared.
    BackUp,
    /// The store has failed.
    StoreFailed,
    /// The realm is closed.
    Closed,
}

/// One device with one realm.
#[derive(Debug)]
pub struct Device {
    /// The engine; `None` while the page is dead.
    pub engine: Option<Engine>,
    /// Its store.
    pub store: MemoryStore,
    /// What the app was told, in order.
    pub noted: Vec<Noted>,
    /// How the app answers the callbacks of a reset.
    pub before_reply: Reply,
    /// The same after it.
    pub after_reply: Reply,
    /// Whether there is a connection.
    pub online: bool,
    /// How the page opens the realm the next time.
    pub options: OpenOptions,
    pub(crate) session: Option<SessionId>,
    sessions_used: u32,
    pub(crate) news: VecDeque<Event>,
    pub(crate) inbox: VecDeque<ServerMessage>,
    pub(crate) outbox: VecDeque<ClientMessage>,
    commit: Option<(BatchId, Batch)>,
    /// What listeners have seen last.
    seen: Option<Snapshot>,
    pub(crate) lives: u8,
    turns: u64,
}

impl Device {
    /// A device whose page is not open yet.
    pub fn new(options: OpenOptions) -> Device {
        Device {
            engine: None,
            store: MemoryStore::new(),
            noted: Vec::new(),
            before_reply: Reply::Ok,
            after_reply: Reply::Ok,
            online: true,
            options,
            session: None,
            sessions_used: 0,
            news: VecDeque::new(),
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            commit: None,
            seen: None,
            lives: 0,
            turns: 0,
        }
    }

    /// Opens the page: reads the store.
    pub fn open(&mut self, now: Millis) {
        self.lives += 1;
        let mut options = self.options.clone();
        options.seed[31] = self.lives;
        self.engine = Some(Engine::open(now, options, self.store.load()).expect("the store can be opened"));
        if self.online {
            self.connect();
        }
    }

    /// Kills the page: all that is not on disk is gone.
    pub fn crash(&mut self) {
        self.engine = None;
        self.seen = None;
        self.session = None;
        self.commit = None;
        self.news.clear();
        self.inbox.clear();
        self.outbox.clear();
    }

    /// The engine of an open page.
    pub fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("the page is open")
    }

    /// Tells the engine.
    pub fn tell(&mut self, now: Millis, event: Event) {
        if let Some(engine) = &mut self.engine {
            engine.handle(now, event);
        }
    }

    /// The changes that listeners were told.
    pub fn changes(&self) -> usize {
        self.noted.iter().filter(|noted| matches!(noted, Noted::Changed(..))).count()
    }

    /// The sync errors that the app was told.
    pub fn errors(&self) -> Vec<SyncError> {
        let errors = self.noted.iter().filter_map(|noted| match noted {
            Noted::Error(error) => Some(error.clone()),
            _ => None,
        });
        errors.collect()
    }

    /// How often the callbacks before and after a reset were called.
    pub fn callbacks(&self) -> (usize, usize) {
        let count = |wanted: fn(&Noted) -> bool| self.noted.iter().filter(|noted| wanted(noted)).count();
        (count(|noted| matches!(noted, Noted::Before(_))), count(|noted| matches!(noted, Noted::After(_))))
    }

    /// The phases that resets went through, repeats left out.
    pub fn phases(&self) -> Vec<ResetPhase> {
        let mut phases: Vec<ResetPhase> = Vec::new();
        for noted in &self.noted {
            if let Noted::Phase(phase, _) = noted
                && phases.last() != Some(phase)
            {
                phases.push(*phase);
            }
        }
        phases
    }

    pub(crate) fn connect(&mut self) {
        self.sessions_used += 1;
        let session = SessionId(self.sessions_used);
        self.session = Some(session);
        self.news.push_back(Event::LinkUp { session });
    }

    /// Does one thing that the engine asks for, or tells it one thing. False if there is nothing to do.
    pub(crate) fn step(&mut self, now: Millis) -> bool {
        if self.engine.is_none() {
            return false;
        }
        self.turns += 1;
        // A disk is sometimes faster than what else happens and sometimes slower.
        let disk_waits = self.turns.is_multiple_of(3);
        disk_waits && self.turn(now) || self.store_batch() || self.turn(now)
    }

    /// Commits the batch under way.
    fn store_batch(&mut self) -> bool {
        let Some((id, batch)) = self.commit.take() else { return false };
        let event = match self.store.commit(&batch) {
            Ok(()) => Event::Committed(id),
            Err(refusal) => {
                let message = format!("{refusal:?}");
                Event::CommitFailed(id, StoreFailure { kind: StoreFailureKind::Quota, message })
            }
        };
        self.news.push_back(event);
        true
    }

    /// Carries out an effect, or tells the engine something.
    fn turn(&mut self, now: Millis) -> bool {
        if let Some(effect) = self.engine().poll() {
            self.carry_out(effect);
            return true;
        }
        if let Some(event) = self.news.pop_front() {
            self.tell(now, event);
            return true;
        }
        if let Some(message) = self.inbox.pop_front() {
            self.tell(now, Event::Message(message));
            return true;
        }
        false
    }

    fn carry_out(&mut self, effect: Effect) {
        let answer = |reply: &Reply| match reply {
            Reply::Ok => Some(Ok(())),
            Reply::Throw(reason) => Some(Err(reason.clone())),
            Reply::Silence => None,
        };
        match effect {
            Effect::Commit(id, batch) => {
                assert!(self.commit.is_none(), "two batches under way");
                self.commit = Some((id, batch));
            }
            Effect::Send(message) => {
                if self.session.is_some() && message.session() == self.session {
                    self.check_durable(&message);
                    self.outbox.push_back(message);
                }
            }
            Effect::Look(_) | Effect::AskLeader(_) => {}
            Effect::Unlink => self.unlink(),
            Effect::Relink => {
                self.unlink();
                if self.online {
                    self.connect();
                }
            }
            Effect::Changed { before, after, .. } => {
                if let Some(seen) = &self.seen {
                    assert_eq!(seen.canonical(), before.canonical(), "listeners were not told of a change");
                }
                self.seen = Some(after.clone());
                self.noted.push(Noted::Changed(before, after));
            }
            Effect::SyncError(error) => self.noted.push(Noted::Error(error)),
            Effect::ResetBefore { before } => {
                self.noted.push(Noted::Before(before));
                self.news.extend(answer(&self.before_reply).map(Event::ResetBeforeDone));
            }
            Effect::ResetAfter { before } => {
                self.noted.push(Noted::After(before));
                self.news.extend(answer(&self.after_reply).map(Event::ResetAfterDone));
            }
            Effect::ResetProgress(progress) => self.noted.push(Noted::Phase(progress.phase, progress.code)),
            Effect::BackUpThenClear { .. } => self.noted.push(Noted::BackUp),
            Effect::WaitDone(id, result) => self.noted.push(Noted::Wait(id, result)),
            Effect::StoreFailed(_) => self.noted.push(Noted::StoreFailed),
            Effect::Closed => self.noted.push(Noted::Closed),
            Effect::Progress { transferred, transferable, .. } => {
                assert!(transferred <= transferable, "more was transferred than there is");
            }
            Effect::SessionState(_) => {}
        }
    }

    /// Nothing is claimed to the server that a power failure could take back; who is alone binds with exactly what is there.
    fn check_durable(&self, message: &ClientMessage) {
        check_claim(&self.store, message);
        if let ClientMessage::Bind { cursor: Some(cursor), .. } = message {
            let durable = Replica::load(&self.store.load_strict()).expect("there is something for good");
            assert_eq!(durable.cursor(), Some(*cursor));
        }
    }

    fn unlink(&mut self) {
        if let Some(session) = self.session.take() {
            self.outbox.push_back(ClientMessage::Unbind { session });
        }
    }
}
