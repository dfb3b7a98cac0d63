//! The client reset: when each step happens. What it does to the data is `ebbtide_core::reset`; docs/reset.md tells the
//! whole.
//!
//! ```text
//!          asked for a reset, or own check
//!   None --------------------------------> Marking --> Staging --> (checking) --> Before --> Swapping --> After --> None
//!    |                                        ^           |             |            |
//!    |                                        +- again ---+             |            |
//!    +-- mode manual, a loop, too many attempts --> Manual <-- breaking schema ------+ the callback throws
//! ```
//!
//! The mark is on disk from Marking on and leaves it with the batch of the swap, so that a crash at any step resumes.

use ebbtide_core::mutants::{Mutant, mutant};
use ebbtide_core::replica::{Cursor, Identity};
use ebbtide_core::reset::{Report, Takeover, check_schema, plan};
use ebbtide_core::{ClientId, Millis, Snapshot};

use super::error::{SyncError, SyncErrorKind};
use super::event::{Direction, Effect, Origin, ResetProgress};
use super::flush::Replaced;
use super::fresh::Staging;
use super::mark::{Mark, PastReset, Path};
use super::options::ResetMode;
use super::session::{Activity, Fatal, Session, is_sync_wait};
use super::state::State;
use super::waits::Wait;
use crate::wire::Code;

/// Attempts of one reset.
pub(super) const ATTEMPTS_MAX: u32 = 5;
/// How long an app's callback may take before the reset goes on without it.
const CALLBACK_MS: u64 = 30_000;

/// Why a realm must be reset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ResetCause {
    /// The server no longer knows this client (208).
    ServerForgotClient,
    /// The client is ahead of the server, which was restored from an older backup (209).
    ClientAhead,
    /// The client's store lost its tail, or was copied (210).
    ClientHistoryBroken,
    /// Epoch or salt differ: sync was terminated and enabled again, or histories diverged (211).
    HistoryDiverged,
    /// A changeset cannot be integrated (212).
    BadChangeset,
    /// The client's store cannot be continued (217).
    BadClientFile,
    /// The client was away longer than history is kept (222).
    Expired,
    /// The schemas conflict (225).
    SchemaConflict,
    /// Anything else for which the server asked for a reset.
    Other(Code),
}

/// Where a reset stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ResetPhase {
    /// The cause is being written down.
    Marked,
    /// The fresh state is being downloaded.
    Staging,
    /// The fresh state is whole, and its schema is being checked.
    Checking,
    /// The app's callback before the reset runs.
    Before,
    /// The new state is being written as one transaction.
    Swapping,
    /// The app's callback after the reset runs.
    After,
    /// It is done; syncing goes on.
    Done,
    /// It cannot be done in place; the app must act.
    Manual,
}

/// A reset in memory.
#[derive(Debug)]
pub(crate) enum Reset {
    /// There is none.
    None,
    /// The mark is on its way to the disk.
    Marking,
    /// Chunks come, or are waited for.
    Staging,
    /// The app's callback before the swap runs.
    Before { fresh: Box<FreshState>, deadline: Millis },
    /// The swap is on its way to the disk.
    Swapping { swapped: u64, done: Box<Swapped> },
    /// The app's callback after the swap runs.
    After { deadline: Millis, done: Box<Swapped> },
    /// The app must act.
    Manual,
}

/// The server's state as it was downloaded.
#[derive(Debug)]
pub(crate) struct FreshState {
    pub(super) snapshot: Snapshot,
    pub(super) at: Cursor,
}

/// A swap that happened in memory.
#[derive(Debug)]
pub(crate) struct Swapped {
    before: Snapshot,
    mark: Mark,
    report: Report,
}

impl ResetCause {
    /// The cause behind a code.
    pub fn of(code: Code) -> ResetCause {
        match code {
            Code::BAD_CLIENT_FILE_IDENT => ResetCause::ServerForgotClient,
            Code::BAD_SERVER_VERSION => ResetCause::ClientAhead,
            Code::BAD_CLIENT_VERSION => ResetCause::ClientHistoryBroken,
            Code::DIVERGING_HISTORIES => ResetCause::HistoryDiverged,
            Code::BAD_CHANGESET => ResetCause::BadChangeset,
            Code::BAD_CLIENT_FILE => ResetCause::BadClientFile,
            Code::CLIENT_FILE_EXPIRED => ResetCause::Expired,
            Code::INVALID_SCHEMA_CHANGE => ResetCause::SchemaConflict,
            code => ResetCause::Other(code),
        }
    }
}

impl Reset {
    /// Whether a reset is on its way.
    pub(super) fn is_under_way(&self) -> bool {
        match self {
            Reset::None | Reset::Manual => false,
            Reset::Marking | Reset::Staging | Reset::Before { .. } | Reset::Swapping { .. } | Reset::After { .. } => {
                true
            }
        }
    }

    pub(super) fn deadline_mut(&mut self) -> Option<&mut Millis> {
        match self {
            Reset::Before { deadline, .. } | Reset::After { deadline, .. } => Some(deadline),
            Reset::None | Reset::Marking | Reset::Staging | Reset::Swapping { .. } | Reset::Manual => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        match self {
            Reset::Before { deadline, .. } | Reset::After { deadline, .. } => Some(*deadline),
            Reset::None | Reset::Marking | Reset::Staging | Reset::Swapping { .. } | Reset::Manual => None,
        }
    }
}

impl Session {
    /// The history cannot be continued. Begins a reset, begins the one under way again, or leaves it to the app.
    pub(super) fn begin_reset(&mut self, state: &mut State, now: Millis, code: Code, message: String) {
        match &self.reset {
            Reset::None | Reset::Marking | Reset::Staging | Reset::Before { .. } => {}
            // The swap cannot be taken back; what is wrong will be found again at the next BIND.
            Reset::Swapping { .. } | Reset::After { .. } | Reset::Manual => return,
        }
        let cursor = state.replica.cursor();
        if code == Code::INVALID_SCHEMA_CHANGE && cursor.is_none() {
            return self.fail(state, code, message);
        }
        self.unlink(state);
        self.drop_staging(state);
        let (attempt, started) = match &self.record.mark {
            Some(mark) => (mark.attempt + 1, mark.started),
            None => (1, now),
        };
        let looping = self.record.is_looping(code, cursor.map(|cursor| cursor.epoch), now);
        let mode = self.options.reset_mode;
        let client = ClientId(state.draws.bytes());
        let mark = Mark { code, message, mode, path: Path::InPlace, attempt, started, client };
        self.record.mark = Some(mark);
        state.disk.touch_record();
        self.bind_after = state.disk.moved();
        if mode == ResetMode::Manual {
            self.enter_manual(state, Path::Manual, None);
        } else if code == Code::INVALID_SCHEMA_CHANGE {
            self.reset_failed(state, "a breaking schema change cannot be followed in place".to_string());
        } else if looping {
            self.reset_failed(state, "resets for this cause follow each other too closely".to_string());
        } else if attempt > ATTEMPTS_MAX {
            self.reset_failed(state, format!("{ATTEMPTS_MAX} attempts did not succeed"));
        } else {
            self.reset = Reset::Marking;
            self.reset_progress(state, ResetPhase::Marked);
        }
    }

    /// Takes up what the store remembers of a reset.
    pub(crate) fn resume_reset(&mut self, state: &mut State, now: Millis) {
        let Some(mark) = &mut self.record.mark else {
            if state.replica.cursor().is_none() && self.staging.is_whole() {
                self.take_fresh(state, now);
            }
            return;
        };
        match (mark.path, self.options.reset_mode) {
            (Path::InPlace | Path::Manual, ResetMode::Manual) => self.enter_manual(state, Path::Manual, None),
            (Path::Failed, _) => self.enter_manual(state, Path::Failed, None),
            (Path::InPlace | Path::Manual, mode) => {
                mark.path = Path::InPlace;
                mark.mode = mode;
                // Being away while chunks come is no failure; not surviving what follows may be one.
                mark.attempt += u32::from(self.staging.is_whole());
                let attempt = mark.attempt;
                state.disk.touch_record();
                self.bind_after = state.disk.moved();
                if attempt > ATTEMPTS_MAX {
                    self.reset_failed(state, format!("{ATTEMPTS_MAX} attempts did not succeed"));
                } else if self.staging.is_whole() {
                    self.reset = Reset::Staging;
                    self.take_fresh(state, now);
                } else {
                    self.reset = Reset::Marking;
                    self.reset_progress(state, ResetPhase::Marked);
                }
            }
        }
    }

    /// Goes on where the disk was waited for.
    pub(super) fn step_reset(&mut self, state: &mut State, now: Millis) {
        if let Reset::Marking = self.reset
            && state.disk.is_strict(self.bind_after)
        {
            self.reset = Reset::Staging;
            self.reset_progress(state, ResetPhase::Staging);
        }
        if let Reset::Swapping { swapped, .. } = self.reset
            && state.disk.is_strict(swapped)
            && let Reset::Swapping { done, .. } = std::mem::replace(&mut self.reset, Reset::None)
        {
            let before = done.before.clone();
            self.tell_progress(state, ResetPhase::After, &done.mark, Some(done.report.clone()));
            state.effect(Effect::ResetAfter { before });
            self.reset = Reset::After { deadline: after(now, CALLBACK_MS), done };
        }
    }

    pub(super) fn reset_timer(&mut self, state: &mut State, now: Millis) {
        if self.reset.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let waited = "did not return in 30 s; the reset went on without it".to_string();
        match self.reset {
            Reset::Before { .. } => {
                self.tell(state, Code::OTHER_SESSION_ERROR, format!("clientResetBefore {waited}"), Fatal::No);
                self.before_done(state, now, Ok(()));
            }
            Reset::After { .. } => self.after_done(state, now, Err(waited)),
            Reset::None | Reset::Marking | Reset::Staging | Reset::Swapping { .. } | Reset::Manual => {}
        }
    }

    pub(super) fn staging_progress(&mut self, state: &mut State) {
        if self.record.mark.is_some() {
            self.reset_progress(state, ResetPhase::Staging);
        }
    }

    /// Step 4: a breaking difference cannot be followed in place.
    pub(super) fn check(&mut self, state: &mut State, now: Millis, fresh: FreshState) {
        self.reset_progress(state, ResetPhase::Checking);
        if let Err(conflicts) = check_schema(state.replica.base().schema(), fresh.snapshot.schema()) {
            let words: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
            return self.reset_failed(state, format!("the server's schema has changed: {}", words.join(" ")));
        }
        self.reset_progress(state, ResetPhase::Before);
        self.reset = Reset::Before { fresh: Box::new(fresh), deadline: after(now, CALLBACK_MS) };
        state.effect(Effect::ResetBefore { before: state.replica.current().clone() });
    }

    /// The app's callback before the swap has returned.
    pub(crate) fn before_done(&mut self, state: &mut State, now: Millis, result: Result<(), String>) {
        match std::mem::replace(&mut self.reset, Reset::None) {
            Reset::Before { fresh, .. } => match result {
                Ok(()) => self.swap(state, now, &fresh),
                Err(reason) => self.reset_failed(state, format!("clientResetBefore failed: {reason}")),
            },
            other => self.reset = other,
        }
    }

    /// Steps 6 and 7: the new state, in memory now and on disk as one batch.
    fn swap(&mut self, state: &mut State, now: Millis, fresh: &FreshState) {
        let mark = self.record.mark.take().expect("invariant: a reset under way has a mark");
        let before = state.replica.current().clone();
        let client = if mutant(Mutant::IdentityKept) { state.replica.identity().client } else { mark.client };
        let identity = Identity::new(client);
        let plan = plan(&state.replica, &fresh.snapshot, fresh.at, identity, takeover(mark.mode));
        let report = plan.report.clone();
        state.changing(Origin::Reset);
        state.replica.install(plan);
        self.downloaded += self.staging.progress().0;
        self.downloadable = 0;
        self.moved(Direction::Download);
        // What was dropped no longer waits for an upload.
        self.moved(Direction::Upload);
        self.staging = Staging::default();
        self.record.staged = None;
        if mutant(Mutant::ResetKeepsMark) {
            self.record.mark = Some(mark.clone());
        }
        self.record.remember(PastReset { code: mark.code, epoch: fresh.at.epoch, at: now });
        state.disk.replace(Replaced::Reset);
        self.begin_chain(state);
        self.strikes = 0;
        self.bind_after = state.disk.moved();
        self.tell_progress(state, ResetPhase::Swapping, &mark, Some(report.clone()));
        let done = Box::new(Swapped { before, mark, report });
        self.reset = Reset::Swapping { swapped: state.disk.moved(), done };
    }

    /// Counts what others had stored, unseen by us, of what the swap under way drops.
    pub(super) fn drops_too(&mut self, changesets: usize) {
        if let Reset::Swapping { done, .. } = &mut self.reset {
            done.report.discarded_changesets += changesets;
        }
    }

    /// The app's callback after the swap has returned: syncing goes on.
    pub(crate) fn after_done(&mut self, state: &mut State, now: Millis, result: Result<(), String>) {
        match std::mem::replace(&mut self.reset, Reset::None) {
            Reset::After { done, .. } => {
                if let Err(reason) = result {
                    let message = format!("clientResetAfter failed, and the reset stands: {reason}");
                    self.tell(state, Code::OTHER_SESSION_ERROR, message, Fatal::No);
                }
                self.tell_progress(state, ResetPhase::Done, &done.mark, Some(done.report.clone()));
                let number = self.acknowledged;
                state.waits.settle(
                    &mut state.effects,
                    &Ok(()),
                    |wait| matches!(wait, Wait::Upload { number: until } if *until <= number),
                );
                self.bind_after = state.disk.moved();
                self.drive(state, now);
            }
            other => self.reset = other,
        }
    }

    /// An automatic reset that cannot be: left to the app.
    pub(super) fn reset_failed(&mut self, state: &mut State, reason: String) {
        self.enter_manual(state, Path::Failed, Some(reason));
    }

    fn enter_manual(&mut self, state: &mut State, path: Path, reason: Option<String>) {
        self.drop_staging(state);
        let mark = self.record.mark.as_mut().expect("invariant: a reset under way has a mark");
        mark.path = path;
        let (wire_code, cause) = (mark.code, mark.message.clone());
        let message = match (&reason, path) {
            (Some(reason), _) => {
                format!("A fatal error occurred during client reset for {}: '{reason}'", wire_code.0)
            }
            (None, Path::Failed) => format!("A client reset for {} failed earlier: '{cause}'", wire_code.0),
            (None, Path::Manual | Path::InPlace) => cause.clone(),
        };
        let code = if path == Path::Failed { 1028 } else { 1032 };
        state.disk.touch_record();
        self.reset = Reset::Manual;
        self.reset_progress(state, ResetPhase::Manual);
        self.set_activity(state, Activity::Manual);
        state.effect(Effect::BackUpThenClear { cause: ResetCause::of(wire_code), message: message.clone() });
        state.waits.settle(&mut state.effects, &Err(message.clone()), is_sync_wait);
        let kind = SyncErrorKind::ClientReset;
        state.effect(Effect::SyncError(SyncError { kind, code, wire_code, message, fatal: true, cause: Some(cause) }));
    }

    fn reset_progress(&mut self, state: &mut State, phase: ResetPhase) {
        if let Some(mark) = self.record.mark.take() {
            self.tell_progress(state, phase, &mark, None);
            self.record.mark = Some(mark);
        }
    }

    fn tell_progress(&self, state: &mut State, phase: ResetPhase, mark: &Mark, report: Option<Report>) {
        let (staged_bytes, total_bytes) = self.staging.progress();
        state.effect(Effect::ResetProgress(ResetProgress {
            phase,
            cause: ResetCause::of(mark.code),
            code: mark.code.0,
            message: mark.message.clone(),
            attempt: mark.attempt,
            started: mark.started,
            staged_bytes,
            total_bytes,
            report,
        }));
    }
}

/// What becomes of unsynced changes. The recover modes are refused at opening until their takeover exists.
fn takeover(mode: ResetMode) -> Takeover {
    match mode {
        ResetMode::DiscardUnsyncedChanges => Takeover::DiscardPending,
        ResetMode::Manual | ResetMode::RecoverUnsyncedChanges | ResetMode::RecoverOrDiscardUnsyncedChanges => {
            unreachable!("invariant: a reset in place has a mode that was accepted at opening")
        }
    }
}

fn after(now: Millis, ms: u64) -> Millis {
    Millis(now.0.saturating_add(ms))
}
