//! A tab: the shipped engine and connection, and the app that listens.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ebbtide_core::batch::Batch;
use ebbtide_core::{Millis, Snapshot, Value};
use ebbtide_sync::client::{
    AttachId, BatchId, Connection, ConnectionEffect, ConnectionEvent, ConnectionOptions, Effect, Engine, Event, Look,
    OpenOptions, ResetPhase, WaitId,
};
use ebbtide_sync::wire::{ClientMessage, Code, Token};

use super::device::Job;
use super::listener::Listener;
use super::schema::NOTE;
use super::step::{Awaiting, Manner};
use crate::store::MemoryStore;

const ATTACH: AttachId = AttachId(1);

/// What a tab asks of the world around it.
#[derive(Debug)]
pub enum Wish {
    /// The disk is to do something.
    Disk(Job),
    /// A socket is to be opened.
    OpenSocket(u64),
    /// A frame is to be sent.
    Frame(u64, Vec<u8>),
    /// A socket is closed.
    CloseSocket(u64),
    /// The leader is asked for all that the server has now.
    AskLeader(WaitId),
    /// What another tab has asked for is there, or is not.
    AnswerTab(u32, WaitId, Result<(), String>),
    /// The store is to be backed up and cleared.
    BackUp,
    /// A wait was answered.
    Answered(Awaited, Result<(), String>),
    /// So many changesets were dropped by a reset; these notes are gone.
    Discarded(usize, BTreeSet<i64>),
    /// Something for the story.
    Say(String),
}

/// What a tab waits for, and what was there when it began to.
#[derive(Clone, Debug)]
pub struct Awaited {
    /// What.
    pub what: Awaiting,
    /// The notes that it is about.
    pub notes: BTreeSet<i64>,
    /// How often the server had been harmed.
    pub harms: u64,
}

/// One tab with one realm open.
#[derive(Debug)]
pub struct Tab {
    /// Its name in the story; never used again.
    pub name: u32,
    /// The engine.
    pub engine: Engine,
    /// The connection.
    pub connection: Connection,
    /// What the tab will be told, in order.
    pub answers: VecDeque<Event>,
    /// Whether another tab has said that it wrote.
    pub nudged: bool,
    /// The batch that is on its way to the disk, and the last note in it.
    pub batch: Option<(BatchId, Batch, i64)>,
    /// The look that is on its way to the disk.
    pub look: Option<Look>,
    /// The last note that the tab has written.
    pub last_note: i64,
    /// Whether a socket is wanted.
    pub attached: bool,
    /// Whether the engine has said that it is closed.
    pub closed: bool,
    /// Whether the store has failed it.
    pub failed: bool,
    /// Whether it is frozen.
    pub frozen: bool,
    /// Whether another tab has the lead, and this one has not heard of it: what it says may be true no more.
    pub deposed: bool,
    /// Who has asked for what the server has now, by the wait that was begun for it.
    asked: BTreeMap<u64, (u32, WaitId)>,
    listener: Listener,
    waits: BTreeMap<u64, Awaited>,
    waits_begun: u64,
    manner: Manner,
    checked: Option<(Snapshot, Snapshot, usize)>,
    told_before: bool,
}

impl Tab {
    /// Opens a tab on a store.
    pub fn open(name: u32, now: Millis, options: OpenOptions, store: &MemoryStore, manner: Manner) -> Tab {
        let token = Token("token".into());
        let connection =
            Connection::open(ConnectionOptions { token, client_info: "simulation".into(), seed: options.seed });
        let engine = Engine::open(now, options, store.load()).unwrap_or_else(|error| panic!("cannot open: {error}"));
        let listener = Listener::new(engine.current());
        Tab {
            name,
            engine,
            connection,
            answers: VecDeque::new(),
            nudged: false,
            batch: None,
            look: None,
            last_note: 0,
            attached: false,
            closed: false,
            failed: false,
            frozen: false,
            deposed: false,
            asked: BTreeMap::new(),
            listener,
            waits: BTreeMap::new(),
            waits_begun: 0,
            manner,
            checked: None,
            told_before: false,
        }
    }

    /// How the app answers the callbacks of a reset from here on.
    pub fn answer(&mut self, manner: Manner) {
        self.manner = manner;
    }

    /// Tells the engine something, and carries out what follows.
    pub fn tell(&mut self, now: Millis, store: &MemoryStore, event: Event) -> Vec<Wish> {
        let pending = self.engine.pending_count();
        self.engine.handle(now, event);
        self.settle(now, store, pending)
    }

    /// Tells the connection something, and carries out what follows.
    pub fn tell_connection(&mut self, now: Millis, store: &MemoryStore, event: ConnectionEvent) -> Vec<Wish> {
        let pending = self.engine.pending_count();
        self.connection.handle(now, event);
        self.settle(now, store, pending)
    }

    /// Wants a connection, or no longer.
    pub fn attach(&mut self, now: Millis, store: &MemoryStore, wanted: bool) -> Vec<Wish> {
        if self.attached == wanted {
            return Vec::new();
        }
        self.attached = wanted;
        let event = if wanted { ConnectionEvent::Attach(ATTACH) } else { ConnectionEvent::Detach(ATTACH) };
        let mut wishes = self.tell_connection(now, store, event);
        if !wanted {
            wishes.extend(self.tell(now, store, Event::LinkDown { reason: "detached".into() }));
        }
        wishes
    }

    /// Lets the app do something with the engine, and carries out what follows.
    pub fn act(&mut self, now: Millis, store: &MemoryStore, act: impl FnOnce(&mut Engine)) -> Vec<Wish> {
        let pending = self.engine.pending_count();
        act(&mut self.engine);
        self.settle(now, store, pending)
    }

    /// Begins a wait.
    pub fn wait(&mut self, now: Millis, store: &MemoryStore, awaited: Awaited) -> Vec<Wish> {
        self.waits_begun += 1;
        let id = WaitId(self.waits_begun);
        let event = match awaited.what {
            Awaiting::Durable => Event::WaitDurable(id),
            Awaiting::Upload => Event::WaitUpload(id),
            Awaiting::Download => Event::WaitDownload(id),
        };
        self.waits.insert(id.0, awaited);
        self.tell(now, store, event)
    }

    /// Another tab asks for all that the server has now.
    pub fn ask(&mut self, now: Millis, store: &MemoryStore, asker: (u32, WaitId)) -> Vec<Wish> {
        self.waits_begun += 1;
        self.asked.insert(self.waits_begun, asker);
        self.tell(now, store, Event::WaitDownload(WaitId(self.waits_begun)))
    }

    /// How many waits are not answered.
    pub fn waiting(&self) -> usize {
        self.waits.len()
    }

    /// The state that the app sees, if no transaction is open.
    pub fn shown(&self) -> &Snapshot {
        self.engine.replica().current()
    }

    /// Carries out effects until there are none. Every engine call is a turn: listeners are told once at most.
    fn settle(&mut self, now: Millis, store: &MemoryStore, pending: usize) -> Vec<Wish> {
        let mut wishes = Vec::new();
        let mut inbox: VecDeque<Event> = VecDeque::new();
        let mut pending = pending;
        loop {
            let mut told = 0;
            while let Some(effect) = self.engine.poll() {
                if let Effect::Changed { .. } = effect {
                    told += 1;
                }
                self.carry_out(now, store, effect, pending, &mut wishes);
            }
            assert!(told <= 1, "listeners were told {told} times in one turn");
            self.check();
            while let Some(effect) = self.connection.poll() {
                match effect {
                    ConnectionEffect::OpenSocket(socket) => wishes.push(Wish::OpenSocket(socket)),
                    ConnectionEffect::SendFrame(socket, frame) => wishes.push(Wish::Frame(socket, frame)),
                    ConnectionEffect::CloseSocket(socket, _) => wishes.push(Wish::CloseSocket(socket)),
                    ConnectionEffect::Deliver(_, message) => inbox.push_back(Event::Message(message)),
                    ConnectionEffect::LinkUp(_, session) => inbox.push_back(Event::LinkUp { session }),
                    ConnectionEffect::LinkDown(_, reason) => inbox.push_back(Event::LinkDown { reason }),
                    ConnectionEffect::NeedToken => {
                        let event = ConnectionEvent::TokenRefreshed(Token("another token".into()));
                        self.connection.handle(now, event);
                    }
                    ConnectionEffect::StateChanged { .. } => {}
                    ConnectionEffect::Problem { code, message, .. } => {
                        let harmless = [202, 203].contains(&code.0);
                        assert!(harmless, "the connection has a problem: {} {message}", code.0);
                    }
                }
            }
            let Some(event) = inbox.pop_front() else { return wishes };
            pending = self.engine.pending_count();
            self.engine.handle(now, event);
        }
    }

    fn carry_out(&mut self, now: Millis, store: &MemoryStore, effect: Effect, pending: usize, wishes: &mut Vec<Wish>) {
        match effect {
            Effect::Commit(id, batch) => {
                assert!(self.batch.is_none(), "two batches under way");
                self.batch = Some((id, batch, self.last_note));
                wishes.push(Wish::Disk(Job::Commit));
            }
            Effect::Look(look) => {
                assert!(self.look.is_none(), "two looks under way");
                self.look = Some(look);
                wishes.push(Wish::Disk(Job::Look));
            }
            Effect::AskLeader(id) => wishes.push(Wish::AskLeader(id)),
            Effect::Send(message) => {
                if !self.deposed {
                    super::check::check_claim(store, &message);
                }
                if let ClientMessage::Upload { changesets, .. } = &message {
                    wishes.push(Wish::Say(format!("uploads {} changesets", changesets.len())));
                }
                self.connection.handle(now, ConnectionEvent::Send(ATTACH, message));
            }
            Effect::Unlink => self.connection.handle(now, ConnectionEvent::Unlink(ATTACH)),
            Effect::Relink => self.connection.handle(now, ConnectionEvent::Relink(ATTACH)),
            Effect::Changed { before, after, compare, .. } => self.listener.follow(&before, &after, compare),
            Effect::SyncError(error) => {
                // The server sends what can be taken in.
                assert!(error.wire_code != Code::BAD_CHANGESET || error.fatal, "an honest server: {}", error.message);
                wishes.push(Wish::Say(format!("sync error {}: {}", error.wire_code.0, error.message)));
            }
            Effect::ResetBefore { before } => {
                assert_eq!(before.canonical(), self.shown().canonical(), "the state before a reset is another");
                self.told_before = true;
                match self.manner {
                    Manner::Ok | Manner::ThrowAfter => self.answers.push_back(Event::ResetBeforeDone(Ok(()))),
                    Manner::ThrowBefore => {
                        self.answers.push_back(Event::ResetBeforeDone(Err("the app throws".into())));
                    }
                    Manner::Silence => {}
                }
            }
            Effect::ResetAfter { .. } => match self.manner {
                Manner::Ok | Manner::ThrowBefore => self.answers.push_back(Event::ResetAfterDone(Ok(()))),
                Manner::ThrowAfter => self.answers.push_back(Event::ResetAfterDone(Err("the app throws".into()))),
                Manner::Silence => {}
            },
            Effect::ResetProgress(progress) => {
                wishes.push(Wish::Say(format!("reset for {}: {:?}", progress.code, progress.phase)));
                if progress.phase == ResetPhase::Swapping {
                    assert!(self.told_before, "a swap without the callback before it");
                    self.told_before = false;
                    let report = progress.report.expect("a swap has a report");
                    // A commit that lets a waiting swap go on adds one to what there was.
                    let counts = report.discarded_changesets;
                    assert!((pending..=pending + 1).contains(&counts), "the report does not count what was dropped");
                    let (mut was, is) = (notes_of(self.listener.seen()), notes_of(self.shown()));
                    if counts > pending {
                        was.insert(self.last_note);
                    }
                    wishes.push(Wish::Discarded(report.discarded_changesets, was.difference(&is).copied().collect()));
                }
            }
            Effect::BackUpThenClear { .. } => wishes.push(Wish::BackUp),
            Effect::WaitDone(id, result) => {
                if let Some((asker, asked)) = self.asked.remove(&id.0) {
                    wishes.push(Wish::AnswerTab(asker, asked, result));
                } else if let Some(awaited) = self.waits.remove(&id.0) {
                    wishes.push(Wish::Answered(awaited, result));
                }
            }
            Effect::Progress { transferred, transferable, .. } => {
                assert!(transferred <= transferable, "more was transferred than there is");
            }
            Effect::SessionState(_) => {}
            Effect::StoreFailed(_) => {
                self.failed = true;
                wishes.push(Wish::Say("the store has failed".into()));
            }
            Effect::Closed => self.closed = true,
        }
    }

    /// What must hold after every turn.
    fn check(&mut self) {
        let replica = self.engine.replica();
        let (base, current, pending) = (replica.base(), replica.current(), replica.pending().len());
        let is_same = |(b, c, p): &(Snapshot, Snapshot, usize)| b.ptr_eq(base) && c.ptr_eq(current) && *p == pending;
        if !self.checked.as_ref().is_some_and(is_same) {
            super::check::check_replica(replica);
            self.checked = Some((base.clone(), current.clone(), pending));
        }
        super::check::check_standing(&self.engine.standing());
    }
}

/// The notes in a state.
pub fn notes_of(snapshot: &Snapshot) -> BTreeSet<i64> {
    let Some(class) = snapshot.schema().class_index(NOTE) else { return BTreeSet::new() };
    let id = |row: ebbtide_core::objects::Row<'_>| match row.value(ebbtide_core::ColumnIndex(0)).to_owned() {
        Value::Int(id) => id,
        other => panic!("a note is called {other:?}"),
    };
    snapshot.table(class).rows().map(id).collect()
}
