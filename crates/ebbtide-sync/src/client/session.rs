//! A realm's session with its server: when it speaks, what it has been told, what it does about errors.
//!
//! ```text
//!           LinkUp            disk is strict            BOUND
//!   Down ----------> Up ----------------------> Binding -----> Bound (SYNC) or Fresh (FRESH)
//!    ^               ^                             |             |
//!    | LinkDown      | LinkUp                      v             v   error, pause, reset
//!    +-- (any)       +---- Asked <-- Relink -- Unlinked <--------+
//! ```

use ebbtide_core::mutants::{Mutant, mutant};
use ebbtide_core::replica::{Cursor, News};
use ebbtide_core::{ChangesetNumber, Millis, ServerVersion};

use super::backoff::Backoff;
use super::clock::LastTime;
use super::error::{SyncError, SyncErrorKind};
use super::event::{Direction, Effect, Progress, SessionState, WaitId};
use super::fresh::Staging;
use super::mark::FreshRecord;
use super::options::{Role, SyncOptions};
use super::reset::Reset;
use super::state::State;
use super::upload::UploadWindow;
use super::waits::Wait;
use crate::wire::{
    Action, ClientMessage, Code, ErrorMessage, FreshResume, Purpose, ServerMessage, SessionId, UploadCursor,
};

/// How long the server may take to answer what it must answer.
const ANSWER_MS: u64 = 30_000;
/// How often in a row the server may send what cannot be taken in.
pub(super) const STRIKES_MAX: u32 = 3;

/// A realm's session with its server.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) options: SyncOptions,
    pub(super) activity: Activity,
    pub(super) link: Link,
    /// What must be on disk for good before the next BIND.
    pub(super) bind_after: u64,
    hold_until: Option<Millis>,
    answer_by: Option<Millis>,
    clock: LastTime,
    backoff: Backoff,
    /// What the server sent in a row that could not be taken in.
    pub(super) strikes: u32,
    pub(super) window: UploadWindow,
    /// Our last changeset that the server has, as far as we know.
    pub(super) acknowledged: ChangesetNumber,
    /// The last entry that the server knows us to have.
    pub(super) told_version: ServerVersion,
    /// Whether the last BIND was refused because the server has more of us than it said.
    pub(super) doubted: bool,
    /// The server's last entry when it was bound, and our last changeset that it had then.
    pub(super) had: (ServerVersion, ChangesetNumber),
    marks: u64,
    pub(super) staging: Staging,
    pub(super) record: FreshRecord,
    pub(super) reset: Reset,
    pub(super) uploaded: u64,
    pub(super) downloaded: u64,
    pub(super) downloadable: u64,
    moved_up: bool,
    moved_down: bool,
}

/// Whether a session tries to sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Activity {
    Active,
    Paused,
    /// An error ended it.
    Failed,
    /// A reset waits for the app.
    Manual,
}

/// Whether and how far the server listens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Link {
    Down,
    Up(SessionId),
    Binding(SessionId, Bound),
    Bound(SessionId),
    Fresh(SessionId),
    /// The session number was given up.
    Unlinked,
    /// Another was asked for.
    Asked,
}

/// What BIND asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bound {
    Sync,
    Fresh,
}

impl Session {
    pub(crate) fn new(options: SyncOptions, state: &State) -> Session {
        let pending = state.replica.pending().len() as u64;
        let confirmed = ChangesetNumber(state.replica.identity().last_number.0 - pending);
        Session {
            options,
            activity: Activity::Active,
            link: Link::Down,
            bind_after: 0,
            hold_until: None,
            answer_by: None,
            clock: LastTime::default(),
            backoff: Backoff::default(),
            strikes: 0,
            window: UploadWindow::after(confirmed),
            acknowledged: confirmed,
            told_version: ServerVersion(0),
            doubted: false,
            had: (ServerVersion(0), ChangesetNumber(0)),
            marks: 0,
            staging: Staging::default(),
            record: FreshRecord::default(),
            reset: Reset::None,
            uploaded: 0,
            downloaded: 0,
            downloadable: 0,
            moved_up: false,
            moved_down: false,
        }
    }

    /// Takes the lead, with what the store remembers of a fresh state on its way in.
    pub(crate) fn lead(&mut self, state: &mut State, now: Millis, record: FreshRecord, staging: Staging) {
        self.record = record;
        self.staging = staging;
        self.doubted = false;
        self.bind_after = state.disk.moved();
        state.waits.update(|wait| {
            if let Wait::LeaderAsked | Wait::DownloadLooked { .. } = wait {
                *wait = Wait::DownloadAsked;
            }
        });
        self.resume_reset(state, now);
    }

    /// Loses the lead: what the server was told and what a reset has begun is the next leader's.
    pub(crate) fn follow(&mut self, state: &mut State) {
        self.link_down(state);
        self.hold_until = None;
        self.staging = Staging::default();
        self.record = FreshRecord::default();
        self.reset = Reset::None;
        if self.activity == Activity::Manual {
            self.activity = Activity::Active;
        }
    }

    /// Forgets what it has said and begun, as if it had just taken the lead.
    pub(crate) fn begin_anew(&mut self, state: &mut State) {
        self.unlink(state);
        self.staging = Staging::default();
        self.record = FreshRecord::default();
        self.reset = Reset::None;
    }

    /// Takes note of what others have done to the store.
    pub(crate) fn others_have(&mut self, state: &mut State, news: &News) {
        self.drops_too(news.passed_over);
        if let Some(moved) = &news.renumbered {
            state.waits.update(|wait| {
                if let Wait::Upload { number } = wait {
                    *number = moved.number(*number);
                }
            });
        }
        if let Some(number) = news.confirmed {
            if number > self.acknowledged {
                self.uploaded += news.confirmed_bytes as u64;
            }
            self.acknowledge(state, number);
        }
        self.moved(Direction::Upload);
    }

    /// Begins another author's chain: the server has nothing of it, and what waits for uploads waits for all of it.
    pub(super) fn begin_chain(&mut self, state: &mut State) {
        self.acknowledged = ChangesetNumber(0);
        self.window = UploadWindow::after(ChangesetNumber(0));
        let number = state.replica.identity().last_number;
        state.waits.update(|wait| {
            if let Wait::Upload { number: until } = wait {
                *until = number;
            }
        });
    }

    /// Takes note that the store has another author now: somebody has reset it.
    pub(crate) fn has_other_author(&mut self, state: &mut State) {
        self.begin_chain(state);
        // What was waited for may have been dropped with the old author.
        let is_there = |wait: &Wait| matches!(wait, Wait::Upload { number: until } if until.0 == 0);
        state.waits.settle(&mut state.effects, &Ok(()), is_there);
    }

    pub(crate) fn state(&self) -> SessionState {
        match self.activity {
            Activity::Active => SessionState::Active,
            Activity::Paused | Activity::Failed | Activity::Manual => SessionState::Inactive,
        }
    }

    /// Whether what is stored now is to be told to the server soon, or belongs to a reset.
    pub(crate) fn wants_strict(&self, role: Role) -> bool {
        if role == Role::Follows {
            return false;
        }
        let linked = match self.link {
            Link::Up(_) | Link::Binding(..) | Link::Bound(_) | Link::Fresh(_) | Link::Asked => true,
            Link::Down | Link::Unlinked => false,
        };
        (linked && self.activity == Activity::Active) || self.reset.is_under_way()
    }

    /// Takes note of the time: what waits for one follows a clock that goes back.
    pub(crate) fn keep_time(&mut self, now: Millis) {
        let deadlines = [self.hold_until.as_mut(), self.answer_by.as_mut(), self.reset.deadline_mut()];
        self.clock.follow(now, deadlines.into_iter().flatten());
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        let hold = self.hold_until.filter(|_| self.activity == Activity::Active && self.link != Link::Down);
        [hold, self.answer_by, self.reset.deadline()].into_iter().flatten().min()
    }

    pub(crate) fn progress(&self, state: &State) -> Progress {
        let left: usize = state
            .replica
            .pending()
            .filter(|own| own.changeset.number > self.acknowledged)
            .map(|own| own.bytes.len())
            .sum();
        Progress {
            uploaded: self.uploaded,
            uploadable: self.uploaded + left as u64,
            downloaded: self.downloaded,
            downloadable: self.downloaded + self.downloadable,
        }
    }

    pub(crate) fn moved(&mut self, direction: Direction) {
        match direction {
            Direction::Upload => self.moved_up = true,
            Direction::Download => self.moved_down = true,
        }
    }

    pub(crate) fn take_progress(&mut self, state: &State) -> Option<Effect> {
        if std::mem::take(&mut self.moved_up) {
            let Progress { uploaded, uploadable, .. } = self.progress(state);
            let (transferred, transferable) = (uploaded, uploadable);
            return Some(Effect::Progress { direction: Direction::Upload, transferred, transferable });
        }
        if std::mem::take(&mut self.moved_down) {
            let Progress { downloaded, downloadable, .. } = self.progress(state);
            let (transferred, transferable) = (downloaded, downloadable);
            return Some(Effect::Progress { direction: Direction::Download, transferred, transferable });
        }
        None
    }

    pub(crate) fn link_up(&mut self, state: &mut State, session: SessionId) {
        self.link = Link::Up(session);
        self.bind_after = self.bind_after.max(state.disk.moved());
    }

    pub(crate) fn link_down(&mut self, state: &mut State) {
        self.link = Link::Down;
        self.answer_by = None;
        self.forget_marks(state);
    }

    /// Marks that were sent on a link that is gone are asked for again on the next.
    fn forget_marks(&mut self, state: &mut State) {
        state.waits.update(|wait| {
            if let Wait::DownloadMarked { .. } = wait {
                *wait = Wait::DownloadAsked;
            }
        });
    }

    pub(crate) fn pause(&mut self, state: &mut State) {
        if self.activity == Activity::Active {
            self.set_activity(state, Activity::Paused);
        }
    }

    pub(crate) fn resume(&mut self, state: &mut State) {
        match self.activity {
            Activity::Paused | Activity::Failed if state.disk.failure().is_none() => {
                self.strikes = 0;
                self.hold_until = None;
                self.set_activity(state, Activity::Active);
            }
            Activity::Active | Activity::Paused | Activity::Failed | Activity::Manual => {}
        }
    }

    pub(super) fn set_activity(&mut self, state: &mut State, activity: Activity) {
        let before = self.state();
        self.activity = activity;
        if self.state() != before {
            state.effect(Effect::SessionState(self.state()));
        }
        if self.state() == SessionState::Inactive {
            self.unlink(state);
        }
    }

    /// Gives the session number up, so that nothing of what is under way counts any more.
    pub(super) fn unlink(&mut self, state: &mut State) {
        match self.link {
            Link::Down | Link::Unlinked => {}
            Link::Up(_) | Link::Binding(..) | Link::Bound(_) | Link::Fresh(_) | Link::Asked => {
                self.link = Link::Unlinked;
                self.answer_by = None;
                self.forget_marks(state);
                state.effect(Effect::Unlink);
            }
        }
    }

    /// Binds again after a while.
    pub(super) fn hold(&mut self, state: &mut State, now: Millis, asked_ms: u64) {
        self.unlink(state);
        let wait = self.backoff.fail(&mut state.draws, asked_ms);
        self.hold_until = Some(Millis(now.0.saturating_add(wait)));
    }

    /// Does what can be done now: asks for a link, binds, uploads.
    pub(crate) fn drive(&mut self, state: &mut State, now: Millis) {
        if state.role == Role::Follows {
            if self.activity == Activity::Active {
                ask_leader(state);
            }
            return;
        }
        self.step_reset(state, now);
        if self.activity != Activity::Active || state.disk.failure().is_some() {
            return;
        }
        if self.hold_until.is_some_and(|until| now < until) {
            return;
        }
        self.hold_until = None;
        match (self.link, self.wanted(state)) {
            (Link::Unlinked, Some(_)) => {
                self.link = Link::Asked;
                state.effect(Effect::Relink);
            }
            (Link::Up(session), Some(bound)) if state.disk.is_strict(self.bind_after) => {
                self.bind(state, now, session, bound);
            }
            (Link::Bound(session), _) => {
                self.upload(state, now, session);
                self.ask_marks(state, session);
            }
            (Link::Down | Link::Asked | Link::Unlinked | Link::Up(_) | Link::Binding(..) | Link::Fresh(_), _) => {}
        }
    }

    /// What there is to bind for.
    fn wanted(&self, state: &State) -> Option<Bound> {
        match &self.reset {
            Reset::None if state.replica.cursor().is_some() => Some(Bound::Sync),
            Reset::None | Reset::Staging => Some(Bound::Fresh),
            Reset::Marking | Reset::Before { .. } | Reset::Swapping { .. } | Reset::After { .. } | Reset::Manual => {
                None
            }
        }
    }

    fn bind(&mut self, state: &mut State, now: Millis, session: SessionId, bound: Bound) {
        let kept = state.disk.durable();
        let last = UploadCursor { number: kept.identity.last_number, hash: kept.identity.last_hash };
        let last = (last.number.0 > 0).then_some(last);
        let realm = self.options.realm.clone();
        let schema = state.replica.base().schema().clone();
        let resume = self.staging.resume();
        let bind = match (bound, &self.record.mark) {
            (Bound::Sync, _) => ClientMessage::Bind {
                session,
                realm,
                client: kept.identity.client,
                schema,
                cursor: kept.cursor,
                last,
                purpose: Purpose::Sync,
            },
            (Bound::Fresh, None) => ClientMessage::Bind {
                session,
                realm,
                client: kept.identity.client,
                schema,
                cursor: None,
                last,
                purpose: Purpose::Fresh { resume },
            },
            // The schema is left out: the server must not grow by what it has lost, and ours is compared when all is here.
            (Bound::Fresh, Some(mark)) => ClientMessage::Bind {
                session,
                realm,
                client: mark.client,
                schema: ebbtide_core::Schema::default(),
                cursor: None,
                last: None,
                purpose: Purpose::Fresh { resume },
            },
        };
        state.effect(Effect::Send(bind));
        self.link = Link::Binding(session, bound);
        self.expect_answer(now);
    }

    pub(super) fn expect_answer(&mut self, now: Millis) {
        self.answer_by = Some(Millis(now.0.saturating_add(ANSWER_MS)));
    }

    fn ask_marks(&mut self, state: &mut State, session: SessionId) {
        if state.waits.any(|wait| *wait == Wait::DownloadAsked) {
            self.marks += 1;
            let mark = self.marks;
            state.effect(Effect::Send(ClientMessage::Mark { session, id: mark }));
            state.waits.update(|wait| {
                if *wait == Wait::DownloadAsked {
                    *wait = Wait::DownloadMarked { mark };
                }
            });
        }
    }

    /// Takes a message of the server.
    pub(crate) fn message(&mut self, state: &mut State, now: Millis, message: ServerMessage) {
        let current = match self.link {
            Link::Up(session) | Link::Binding(session, _) | Link::Bound(session) | Link::Fresh(session) => {
                Some(session)
            }
            Link::Down | Link::Unlinked | Link::Asked => None,
        };
        if current.is_none() || message.session() != current {
            return;
        }
        match (self.link, message) {
            (_, ServerMessage::Error(error)) => self.error(state, now, error),
            (Link::Binding(session, Bound::Sync), ServerMessage::Bound { epoch, head, last, now: server, .. }) => {
                self.bound(state, (now, server), session, (epoch, head), last);
            }
            (Link::Binding(session, Bound::Fresh), ServerMessage::Bound { .. }) => {
                self.link = Link::Fresh(session);
                self.expect_answer(now);
            }
            (Link::Fresh(_), ServerMessage::Snapshot { at, index, count, total_bytes, bytes, .. }) => {
                self.chunk(state, now, super::fresh::Chunk { at, index, count, total_bytes, bytes });
            }
            // What follows the snapshot comes again once its cursor is ours.
            (Link::Fresh(_), ServerMessage::Download { .. } | ServerMessage::Acked { .. }) => {}
            (Link::Bound(_), ServerMessage::Download { entries, upto, .. }) => {
                self.download(state, now, entries, upto);
            }
            (Link::Bound(_), ServerMessage::Acked { number, .. }) => self.acked(state, now, number),
            (Link::Bound(_), ServerMessage::Mark { id, .. }) => self.marked(state, id),
            (_, ServerMessage::Progress { downloadable_bytes, .. }) => {
                self.downloadable = downloadable_bytes;
                self.moved(Direction::Download);
            }
            (_, ServerMessage::Welcome { .. } | ServerMessage::Pong { .. }) => {}
            (_, message) => {
                let reason = format!("the server sent {} at a moment where it has no meaning", kind(&message));
                self.violation(state, now, Code::BAD_MESSAGE_ORDER, reason);
            }
        }
    }

    /// Binds again at once, so that the server hears of a schema that has grown, or says again what was not taken in.
    pub(crate) fn rebind(&mut self, state: &mut State) {
        self.unlink(state);
        self.bind_after = state.disk.moved();
    }

    pub(crate) fn record(&self) -> &FreshRecord {
        &self.record
    }

    pub(crate) fn wait_upload(&mut self, state: &mut State, id: WaitId) {
        let number = state.replica.identity().last_number;
        if let Some(reason) = self.ended() {
            state.effect(Effect::WaitDone(id, Err(reason)));
        } else if number <= self.acknowledged && !self.reset.is_under_way() {
            state.effect(Effect::WaitDone(id, Ok(())));
        } else {
            state.waits.add(id, Wait::Upload { number });
        }
    }

    pub(crate) fn wait_download(&mut self, state: &mut State, id: WaitId) {
        match self.ended() {
            Some(reason) => state.effect(Effect::WaitDone(id, Err(reason))),
            None => state.waits.add(id, Wait::DownloadAsked),
        }
    }

    /// Why waiting is of no use, if so.
    fn ended(&self) -> Option<String> {
        match self.activity {
            Activity::Active | Activity::Paused => None,
            Activity::Failed => Some("The session has ended with an error.".to_string()),
            Activity::Manual => Some("The realm waits for a client reset.".to_string()),
        }
    }

    /// Nothing more can be stored, so nothing more is said.
    pub(crate) fn store_failed(&mut self, state: &mut State) {
        self.set_activity(state, Activity::Failed);
    }

    /// Nothing is awaited from the server any more.
    pub(super) fn answered(&mut self) {
        self.answer_by = None;
    }

    /// The session works.
    pub(super) fn healthy(&mut self) {
        self.strikes = 0;
        self.backoff.reset();
    }

    /// The server sent what cannot be: tried again a few times, then the history is not trusted any more.
    pub(super) fn violation(&mut self, state: &mut State, now: Millis, code: Code, reason: String) {
        self.strikes += 1;
        if self.strikes < STRIKES_MAX {
            self.tell(state, code, reason, Fatal::No);
            self.hold(state, now, 0);
        } else if self.wanted(state) == Some(Bound::Sync) {
            self.strikes = 0;
            self.begin_reset(state, now, Code::BAD_CHANGESET, reason);
        } else {
            self.fail(state, code, reason);
        }
    }

    fn error(&mut self, state: &mut State, now: Millis, error: ErrorMessage) {
        let ErrorMessage { code, action, reason, backoff_ms, .. } = error;
        match action {
            Action::Warning => self.tell(state, code, reason, Fatal::No),
            Action::Transient | Action::RefreshToken => self.hold(state, now, u64::from(backoff_ms)),
            Action::ClientReset | Action::ClientResetNoRecovery if self.looks_again(state, code) => {}
            Action::ClientReset | Action::ClientResetNoRecovery => self.begin_reset(state, now, code, reason),
            Action::SessionFatal => self.fail(state, code, reason),
        }
    }

    /// The server has more of us than our BIND said. Before that is believed the store is written to once more, which finds out
    /// whether a leader before us, who had not heard of us, has stored and uploaded something while the BIND was on its way.
    fn looks_again(&mut self, state: &mut State, code: Code) -> bool {
        let is_doubtful = code == Code::BAD_CLIENT_VERSION && matches!(self.link, Link::Binding(_, Bound::Sync));
        if !is_doubtful || std::mem::replace(&mut self.doubted, true) {
            return false;
        }
        state.disk.touch_record();
        self.rebind(state);
        true
    }

    /// Acts as if the server had sent an error.
    pub(crate) fn simulate(&mut self, state: &mut State, now: Millis, code: Code, reason: String, fatal: bool) {
        if self.state() == SessionState::Inactive {
            return;
        }
        match code {
            Code::BAD_CLIENT_FILE_IDENT
            | Code::BAD_SERVER_VERSION
            | Code::BAD_CLIENT_VERSION
            | Code::DIVERGING_HISTORIES
            | Code::BAD_CHANGESET
            | Code::BAD_CLIENT_FILE
            | Code::CLIENT_FILE_EXPIRED
            | Code::INVALID_SCHEMA_CHANGE => self.begin_reset(state, now, code, reason),
            _ if fatal => self.fail(state, code, reason),
            _ => self.tell(state, code, reason, Fatal::No),
        }
    }

    /// Ends the session until the app resumes it.
    pub(super) fn fail(&mut self, state: &mut State, code: Code, reason: String) {
        self.set_activity(state, Activity::Failed);
        let result = Err(reason.clone());
        self.tell(state, code, reason, Fatal::Yes);
        state.waits.settle(&mut state.effects, &result, is_sync_wait);
    }

    pub(super) fn tell(&mut self, state: &mut State, wire_code: Code, message: String, fatal: Fatal) {
        let kind = match wire_code {
            Code::COMPENSATING_WRITE => SyncErrorKind::CompensatingWrite,
            _ => SyncErrorKind::Other,
        };
        let fatal = fatal == Fatal::Yes;
        let error = SyncError { kind, code: client_code(wire_code), wire_code, message, fatal, cause: None };
        state.effect(Effect::SyncError(error));
    }

    /// Takes note of how far the disk is.
    pub(crate) fn stored(&mut self, state: &mut State) {
        let durable = state.disk.durable().cursor;
        let cursor = if mutant(Mutant::AckBeforeDurable) { state.replica.cursor() } else { durable };
        if let (Link::Bound(session), Some(Cursor { version, .. })) = (self.link, cursor)
            && version > self.told_version
        {
            self.told_version = version;
            state.effect(Effect::Send(ClientMessage::Ack { session, version }));
        }
    }

    pub(crate) fn timer(&mut self, state: &mut State, now: Millis) {
        if self.answer_by.is_some_and(|deadline| now >= deadline) {
            self.hold(state, now, 0);
        }
        self.reset_timer(state, now);
    }
}

/// Whether an error ends the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fatal {
    Yes,
    No,
}

pub(super) fn is_sync_wait(wait: &Wait) -> bool {
    match wait {
        Wait::Durable { .. } => false,
        Wait::Upload { .. }
        | Wait::DownloadAsked
        | Wait::DownloadMarked { .. }
        | Wait::DownloadStored { .. }
        | Wait::LeaderAsked
        | Wait::DownloadLooked { .. } => true,
    }
}

/// Asks the leader for what only it can get.
fn ask_leader(state: &mut State) {
    let effects = &mut state.effects;
    state.waits.update_each(|id, wait| {
        if *wait == Wait::DownloadAsked {
            *wait = Wait::LeaderAsked;
            effects.push_back(Effect::AskLeader(id));
        }
    });
}

/// The number under which Realm's clients know an error.
fn client_code(code: Code) -> u32 {
    match code {
        Code::BAD_CHANGESET => 1015,
        Code::INVALID_SCHEMA_CHANGE => 1036,
        Code::PERMISSION_DENIED => 1037,
        Code::USER_MISMATCH => 1041,
        Code::COMPENSATING_WRITE => 1033,
        Code::UNKNOWN_MESSAGE
        | Code::BAD_SYNTAX
        | Code::LIMITS_EXCEEDED
        | Code::BAD_SESSION
        | Code::REUSED_SESSION
        | Code::BAD_MESSAGE_ORDER => 1038,
        Code::WRONG_PROTOCOL_VERSION => 1039,
        _ => 1000,
    }
}

fn kind(message: &ServerMessage) -> &'static str {
    match message {
        ServerMessage::Welcome { .. } => "WELCOME",
        ServerMessage::Bound { .. } => "BOUND",
        ServerMessage::Snapshot { .. } => "SNAPSHOT",
        ServerMessage::Download { .. } => "DOWNLOAD",
        ServerMessage::Acked { .. } => "ACKED",
        ServerMessage::Mark { .. } => "MARK",
        ServerMessage::Progress { .. } => "PROGRESS",
        ServerMessage::Error(_) => "ERROR",
        ServerMessage::Pong { .. } => "PONG",
    }
}

impl super::fresh::Staging {
    fn resume(&self) -> Option<FreshResume> {
        self.snapshot.map(|snapshot| FreshResume { at: snapshot.at, next_chunk: self.chunks.len() as u32 })
    }
}
