//! Servers that lie, err or babble: the realm stays whole, the app hears a clear error, nothing spins.

use ebbtide_core::{ChainHash, ChangesetNumber, Epoch, Millis, Salt, ServerVersion};
use ebbtide_sync::client::{Effect, Engine, Event, ResetMode, SessionState};
use ebbtide_sync::wire::*;
use ebbtide_testkit::{Kennel, MemoryStore, World};
use proptest::prelude::*;

/// An engine on a store, and a script in the place of a server.
struct Scripted {
    engine: Engine,
    store: MemoryStore,
    now: u64,
    sessions: u32,
    effects: Vec<Effect>,
    sent: Vec<ClientMessage>,
}

impl Scripted {
    /// A client that has some dogs and is bound to SYNC.
    fn bound() -> Scripted {
        let mut world = World::with_devices(1);
        for id in 0..5 {
            world.write_dog(0, id, "Rex");
        }
        world.settle();
        world.disconnect(0);
        world.write_dog(0, 9, "pending");
        world.settle();
        let mut device = world.devices.remove(0);
        let engine = device.engine.take().unwrap();
        let mut scripted = Scripted {
            engine,
            store: device.store,
            now: world.now,
            sessions: 1_000,
            effects: Vec::new(),
            sent: Vec::new(),
        };
        scripted.link();
        scripted
    }

    fn session(&self) -> SessionId {
        SessionId(self.sessions)
    }

    fn link(&mut self) {
        self.sessions += 1;
        let session = self.session();
        self.tell(Event::LinkUp { session });
    }

    fn tell(&mut self, event: Event) {
        self.engine.handle(Millis(self.now), event);
        let mut effects = 0;
        while let Some(effect) = self.engine.poll() {
            effects += 1;
            assert!(effects < 1_000, "the engine does not come to rest");
            match &effect {
                Effect::Commit(id, batch) => {
                    self.store.commit(batch).unwrap();
                    self.engine.handle(Millis(self.now), Event::Committed(*id));
                }
                Effect::Send(message) => self.sent.push(message.clone()),
                Effect::Relink => {
                    self.sessions += 1;
                    let session = self.session();
                    self.engine.handle(Millis(self.now), Event::LinkUp { session });
                }
                Effect::ResetBefore { .. } => self.engine.handle(Millis(self.now), Event::ResetBeforeDone(Ok(()))),
                Effect::ResetAfter { .. } => self.engine.handle(Millis(self.now), Event::ResetAfterDone(Ok(()))),
                _ => {}
            }
            self.effects.push(effect);
        }
    }

    fn hear(&mut self, message: ServerMessage) {
        self.tell(Event::Message(message));
    }

    /// The last BIND and the answer that accepts it.
    fn accept(&mut self) -> Cursor {
        let bind = self.sent.iter().rev().find_map(|message| match message {
            ClientMessage::Bind { cursor: Some(cursor), last, .. } => Some((*cursor, *last)),
            _ => None,
        });
        let (cursor, last) = bind.expect("the client binds to sync");
        let confirmed = last.filter(|_| self.engine.pending_count() == 0);
        let last = confirmed.or(self.first_confirmed());
        let session = self.session();
        self.hear(ServerMessage::Bound { session, epoch: cursor.epoch, head: cursor.version, last, now: None });
        cursor
    }

    /// What the server had acknowledged before the pending dog.
    fn first_confirmed(&self) -> Option<UploadCursor> {
        let replica = ebbtide_core::replica::Replica::load(&self.store.load()).unwrap();
        let pending = replica.pending().next()?;
        let number = ChangesetNumber(pending.changeset.number.0 - 1);
        (number.0 > 0).then_some(UploadCursor { number, hash: pending.changeset.parent })
    }

    fn errors(&self) -> usize {
        self.effects.iter().filter(|effect| matches!(effect, Effect::SyncError(_))).count()
    }

    fn resets(&self) -> bool {
        self.sent.iter().any(|message| matches!(message, ClientMessage::Bind { purpose: Purpose::Fresh { .. }, .. }))
    }

    /// Waits until the session binds again.
    fn wait(&mut self) {
        let Millis(deadline) = self.engine.next_deadline().expect("the client tries again");
        assert!(deadline > self.now, "the client would spin");
        self.now = deadline;
        self.tell(Event::Timer);
    }
}

fn entry(version: u64, body: EntryBody) -> Entry {
    Entry { version: ServerVersion(version), salt: Salt(version), body }
}

/// Downloads that do not continue what the client has, or cannot be read.
fn lies(session: SessionId, at: Cursor) -> Vec<(&'static str, ServerMessage)> {
    let version = at.version.0;
    let upto = |version: u64| Cursor { epoch: at.epoch, version: ServerVersion(version), salt: Salt(version) };
    let download = |entries, upto| ServerMessage::Download { session, entries, upto };
    vec![
        ("an old entry", download(vec![entry(version, EntryBody::Full(vec![]))], upto(version + 1))),
        (
            "garbage for a changeset",
            download(vec![entry(version + 1, EntryBody::Full(vec![1, 2, 3]))], upto(version + 1)),
        ),
        (
            "a changeset of ours that is none",
            download(vec![entry(version + 1, EntryBody::Own(ChangesetNumber(99)))], upto(version + 1)),
        ),
        ("a cursor that goes back", download(vec![], upto(version - 1))),
        ("another history", download(vec![], Cursor { epoch: Epoch([9; 16]), ..upto(version + 1) })),
        (
            "an acknowledgement of nothing",
            ServerMessage::Acked { session, number: ChangesetNumber(1_000), version: ServerVersion(1) },
        ),
        (
            "a snapshot that nobody asked for",
            ServerMessage::Snapshot { session, at, index: 0, count: 1, total_bytes: 1, bytes: vec![0] },
        ),
        ("BOUND again", ServerMessage::Bound { session, epoch: at.epoch, head: at.version, last: None, now: None }),
    ]
}

#[test]
fn a_lie_is_told_the_app_and_tried_again_and_the_third_ends_in_a_reset() {
    for lie in 0..8 {
        let mut scripted = Scripted::bound();
        let state = scripted.engine.current().canonical();
        for attempt in 1..=3 {
            let cursor = scripted.accept();
            let (name, message) = lies(scripted.session(), cursor).remove(lie);
            scripted.hear(message);
            assert_eq!(scripted.engine.current().canonical(), state, "{name}");
            if attempt < 3 {
                assert_eq!(scripted.errors(), attempt, "{name}");
                assert!(!scripted.resets(), "{name}");
                scripted.wait();
            }
        }
        assert!(scripted.resets());
        assert_eq!(scripted.engine.pending_count(), 1);
    }
}

#[test]
fn a_server_that_claims_another_history_of_ours_is_not_believed_blindly() {
    type Claim = fn(&Scripted, Cursor) -> ServerMessage;
    let claims: [(u16, Claim); 5] = [
        (211, |s, at| bound(s, Epoch([9; 16]), at.version, None)),
        (209, |s, at| bound(s, at.epoch, ServerVersion(at.version.0 - 1), None)),
        (210, |s, at| bound(s, at.epoch, at.version, Some((99, [0; 16])))),
        (210, |s, at| bound(s, at.epoch, at.version, Some((5, [0; 16])))),
        (210, |s, at| bound(s, at.epoch, at.version, None)),
    ];
    for (code, claim) in claims {
        let mut scripted = Scripted::bound();
        let cursor = scripted
            .sent
            .iter()
            .rev()
            .find_map(|message| match message {
                ClientMessage::Bind { cursor, .. } => *cursor,
                _ => None,
            })
            .unwrap();
        let message = claim(&scripted, cursor);
        scripted.hear(message);
        let told = scripted.effects.iter().find_map(|effect| match effect {
            Effect::ResetProgress(progress) => Some(progress.code),
            _ => None,
        });
        assert_eq!(told, Some(code));
    }
}

fn bound(scripted: &Scripted, epoch: Epoch, head: ServerVersion, last: Option<(u64, [u8; 16])>) -> ServerMessage {
    let last = last.map(|(number, hash)| UploadCursor { number: ChangesetNumber(number), hash: ChainHash(hash) });
    ServerMessage::Bound { session: scripted.session(), epoch, head, last, now: None }
}

#[test]
fn a_fresh_state_that_is_damaged_is_tried_again_a_bounded_number_of_times_and_then_left_to_the_app() {
    let mut scripted = Scripted::bound();
    let state = scripted.engine.current().canonical();
    let session = scripted.session();
    scripted.hear(ServerMessage::Error(ErrorMessage {
        session: Some(session),
        code: Code::DIVERGING_HISTORIES,
        action: Action::ClientReset,
        reason: "because".into(),
        backoff_ms: 0,
    }));
    let at = Cursor { epoch: Epoch([9; 16]), version: ServerVersion(3), salt: Salt(3) };
    let mut attempts = 0;
    while scripted.engine.session_state() == SessionState::Active {
        attempts += 1;
        assert!(attempts < 20, "the client never stops");
        let session = scripted.session();
        scripted.hear(ServerMessage::Bound { session, epoch: at.epoch, head: at.version, last: None, now: None });
        let bytes = vec![attempts as u8; 10];
        scripted.hear(ServerMessage::Snapshot { session, at, index: 0, count: 1, total_bytes: 10, bytes });
        if scripted.engine.session_state() == SessionState::Active {
            scripted.wait();
        }
    }
    assert_eq!(attempts, 5);
    assert_eq!(scripted.errors(), 1);
    assert_eq!(scripted.engine.current().canonical(), state);
    assert!(scripted.store.load().staging.is_empty());
}

#[test]
fn chunks_out_of_order_or_beyond_what_was_announced_start_over() {
    let at = Cursor { epoch: Epoch([9; 16]), version: ServerVersion(3), salt: Salt(3) };
    for (index, total_bytes) in [(1, 100), (0, 5)] {
        let mut scripted = Scripted::bound();
        scripted.tell(Event::SimulateError { code: 211, message: "as if".into(), fatal: true });
        let session = scripted.session();
        scripted.hear(ServerMessage::Bound { session, epoch: at.epoch, head: at.version, last: None, now: None });
        scripted.hear(ServerMessage::Snapshot { session, at, index, count: 3, total_bytes, bytes: vec![7; 10] });
        assert!(scripted.store.load().staging.is_empty());
        scripted.wait();
        assert_eq!(scripted.engine.session_state(), SessionState::Active);
    }
}

#[test]
fn a_server_that_does_not_answer_is_asked_again() {
    let mut scripted = Scripted::bound();
    let binds = |s: &Scripted| s.sent.iter().filter(|message| matches!(message, ClientMessage::Bind { .. })).count();
    assert_eq!(binds(&scripted), 1);
    scripted.wait();
    scripted.wait();
    assert_eq!(binds(&scripted), 2);
    // Accepted, but the upload is never acknowledged.
    scripted.accept();
    assert!(matches!(scripted.sent.last(), Some(ClientMessage::Upload { .. })));
    scripted.wait();
    scripted.wait();
    assert_eq!(binds(&scripted), 3);
}

#[test]
fn a_fatal_error_ends_the_session_and_resuming_begins_again() {
    let mut scripted = Scripted::bound();
    let session = scripted.session();
    scripted.hear(ServerMessage::Error(ErrorMessage {
        session: Some(session),
        code: Code::PERMISSION_DENIED,
        action: Action::SessionFatal,
        reason: "you may not".into(),
        backoff_ms: 0,
    }));
    assert_eq!(scripted.engine.session_state(), SessionState::Inactive);
    assert!(scripted.effects.iter().any(|effect| matches!(
        effect,
        Effect::SyncError(error) if error.fatal && error.code == 1037 && error.message == "you may not"
    )));
    scripted.tell(Event::Resume);
    assert_eq!(scripted.engine.session_state(), SessionState::Active);
    scripted.accept();
}

#[test]
fn a_deadline_that_passes_in_a_transaction_waits_for_its_end() {
    let mut scripted = Scripted::bound();
    scripted.engine.begin_write(Millis(scripted.now)).unwrap();
    scripted.wait();
    assert_eq!(scripted.engine.next_deadline(), None);
    scripted.engine.cancel_write(Millis(scripted.now)).unwrap();
    scripted.tell(Event::Resume);
    assert!(scripted.effects.iter().any(|effect| matches!(effect, Effect::Unlink)), "the server has not answered");
    assert!(scripted.engine.next_deadline().is_some_and(|deadline| deadline > Millis(scripted.now)));
}

#[test]
fn what_was_said_on_a_lost_link_is_not_taken_for_words_of_the_next() {
    let mut scripted = Scripted::bound();
    let upto = scripted.accept();
    let session = scripted.session();
    scripted.engine.begin_write(Millis(scripted.now)).unwrap();
    scripted.hear(ServerMessage::Download { session, entries: Vec::new(), upto });
    scripted.tell(Event::LinkDown { reason: "cut".into() });
    // Every connection numbers its sessions from one.
    scripted.tell(Event::LinkUp { session });
    scripted.engine.cancel_write(Millis(scripted.now)).unwrap();
    scripted.tell(Event::Timer);
    assert_eq!(scripted.errors(), 0);
    assert!(scripted.effects.iter().all(|effect| !matches!(effect, Effect::Unlink)));
}

fn any_message() -> impl Strategy<Value = (u8, Vec<u8>)> {
    (0..10_u8, proptest::collection::vec(any::<u8>(), 0..24))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever a server says, in whatever order: no panic, no spin, and what was written here stays readable.
    #[test]
    fn babble_never_panics_and_never_loses_what_is_on_disk(script in proptest::collection::vec(any_message(), 1..40)) {
        let mut scripted = Scripted::bound();
        let at = Cursor { epoch: Epoch([1; 16]), version: ServerVersion(6), salt: Salt(3) };
        for (kind, bytes) in script {
            let session = scripted.session();
            let small = bytes.first().copied().unwrap_or(0);
            let version = ServerVersion(u64::from(small));
            let upto = Cursor { version, ..at };
            match kind {
                0 => { scripted.hear(ServerMessage::Bound { session, epoch: at.epoch, head: version, last: None, now: None }); }
                1 => { scripted.hear(ServerMessage::Snapshot {
                    session, at, index: u32::from(small % 4), count: 4, total_bytes: 60, bytes
                }); }
                2 => {
                    let body = EntryBody::Full(bytes);
                    scripted.hear(ServerMessage::Download { session, entries: vec![entry(version.0, body)], upto });
                }
                3 => {
                    let body = EntryBody::Own(ChangesetNumber(u64::from(small % 8)));
                    scripted.hear(ServerMessage::Download { session, entries: vec![entry(version.0, body)], upto });
                }
                4 => { scripted.hear(ServerMessage::Acked { session, number: ChangesetNumber(u64::from(small)), version }); }
                5 => { scripted.hear(ServerMessage::Mark { session, id: u64::from(small) }); }
                6 => {
                    let action = match small % 6 {
                        0 => Action::Warning,
                        1 => Action::Transient,
                        2 => Action::RefreshToken,
                        3 => Action::ClientReset,
                        4 => Action::ClientResetNoRecovery,
                        _ => Action::SessionFatal,
                    };
                    let code = Code(200 + u16::from(small % 40));
                    let (reason, session) = ("babble".into(), Some(session));
                    scripted.hear(ServerMessage::Error(ErrorMessage { session, code, action, reason, backoff_ms: 0 }));
                }
                7 => { scripted.tell(Event::LinkDown { reason: String::new() }); scripted.link(); }
                8 => { if scripted.engine.next_deadline().is_some() {
                    scripted.now = scripted.now.max(scripted.engine.next_deadline().unwrap().0);
                    scripted.tell(Event::Timer);
                } }
                _ => { if let Ok(message) = ServerMessage::decode(&bytes) { scripted.hear(message); } }
            }
        }
        let engine = Engine::open(
            Millis(scripted.now), Kennel::options(5, ResetMode::DiscardUnsyncedChanges), scripted.store.load(),
        ).unwrap();
        prop_assert_eq!(engine.current().canonical(), scripted.engine.current().canonical());
    }
}
