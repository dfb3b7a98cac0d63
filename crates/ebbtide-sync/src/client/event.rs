//! What an engine is told and what it answers: the whole surface between the engine and the edge that owns sockets,
//! storage and timers.

use ebbtide_core::batch::{Batch, Changes, Head, LoadedStore};
use ebbtide_core::notify::Compare;
use ebbtide_core::reset::Report;
use ebbtide_core::{Millis, Snapshot};

use super::error::{StoreFailure, SyncError};
use super::reset::{ResetCause, ResetPhase};
use crate::wire::{ClientMessage, ServerMessage, SessionId};

/// One batch that the engine asked to be committed. Numbers grow by one from 1 in each engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct BatchId(pub u64);

/// One wait of the app, named by the edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WaitId(pub u64);

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The batch is on disk, as durable as it asked to be.
    Committed(BatchId),
    /// The batch is not on disk, nothing of it.
    CommitFailed(BatchId, StoreFailure),
    /// The server said something to the session in use.
    Message(ServerMessage),
    /// The connection is up and lets this engine speak under this session number.
    LinkUp {
        /// Never used before on that connection.
        session: SessionId,
    },
    /// The connection is gone; messages under way may be lost.
    LinkDown {
        /// Why, for people.
        reason: String,
    },
    /// The time [`Engine::next_deadline`](super::Engine::next_deadline) named has come.
    Timer,
    /// The app pauses the session.
    Pause,
    /// The app resumes the session.
    Resume,
    /// The app waits until everything committed so far is acknowledged by the server.
    WaitUpload(WaitId),
    /// The app waits until everything the server has now is in the realm and on disk.
    WaitDownload(WaitId),
    /// The app waits until everything committed so far is on disk, strictly.
    WaitDurable(WaitId),
    /// The app no longer waits.
    CancelWait(WaitId),
    /// The app's callback before a reset has returned or thrown.
    ResetBeforeDone(Result<(), String>),
    /// The app's callback after a reset has returned or thrown.
    ResetAfterDone(Result<(), String>),
    /// Acts as if the server had sent this error. For tests and demonstrations.
    SimulateError {
        /// The wire code.
        code: u16,
        /// The server's words.
        message: String,
        /// Whether the session ends, for codes that do not ask for a reset.
        fatal: bool,
    },
    /// This engine has the lead: it speaks to the server, and writes checkpoints.
    Lead,
    /// This engine no longer has the lead.
    Follow,
    /// Somebody else has written to the store.
    Nudged,
    /// What [`Effect::Look`] has found.
    Seen(Box<Seen>),
    /// The batch is not on disk, because the store had another head. This is what the store has beyond the one expected.
    Overtaken(BatchId, Box<Seen>),
    /// The leader says that everything the server had when it was asked is on disk, or why that cannot be.
    LeaderAnswered(WaitId, Result<(), String>),
    /// The app closes the realm. What is committed is flushed, then [`Effect::Closed`] comes.
    Close,
}

/// What to read of the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// What it has beyond this head.
    Since(Head),
    /// All.
    Whole,
}

/// What was read of the store.
#[derive(Clone, PartialEq, Debug)]
pub enum Seen {
    /// What it has beyond the head that was named; nothing if it has that head.
    Since(Changes),
    /// All.
    Whole(LoadedStore),
    /// It could not be read.
    Failed(StoreFailure),
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Commits the batch as one transaction and answers with [`Event::Committed`], [`Event::CommitFailed`] or
    /// [`Event::Overtaken`].
    /// There is never more than one under way.
    Commit(BatchId, Batch),
    /// Reads the store and answers with [`Event::Seen`]. There is never more than one look under way.
    Look(Look),
    /// Asks the leader for everything that the server has now; answer with [`Event::LeaderAnswered`].
    AskLeader(WaitId),
    /// Sends the message on the connection.
    Send(ClientMessage),
    /// Gives the session number up; the server is to hear UNBIND.
    Unlink,
    /// Asks the connection for another session number: after the present one is given up, `LinkUp` is to come again.
    Relink,
    /// The committed state has changed: everything since the last such effect, taken together.
    Changed {
        /// What listeners have seen last.
        before: Snapshot,
        /// What they see now.
        after: Snapshot,
        /// What counts as a change.
        compare: Compare,
        /// Who changed it; of several the last in the order of [`Origin`].
        origin: Origin,
    },
    /// Tells the app's error callback.
    SyncError(SyncError),
    /// Calls the app's callback before a reset with this frozen state; answer with [`Event::ResetBeforeDone`].
    ResetBefore {
        /// The state before the reset.
        before: Snapshot,
    },
    /// Calls the app's callback after a reset; answer with [`Event::ResetAfterDone`].
    ResetAfter {
        /// The state before the reset.
        before: Snapshot,
    },
    /// Tells how a reset goes on.
    ResetProgress(ResetProgress),
    /// Records in the catalogue that this realm's store is to be copied to a backup, then cleared.
    BackUpThenClear {
        /// Why.
        cause: ResetCause,
        /// In words.
        message: String,
    },
    /// Answers a wait.
    WaitDone(WaitId, Result<(), String>),
    /// Tells how much has been transferred.
    Progress {
        /// Which way.
        direction: Direction,
        /// Bytes done.
        transferred: u64,
        /// Bytes altogether.
        transferable: u64,
    },
    /// The session's state has changed.
    SessionState(SessionState),
    /// Nothing more can be written to the store; the last durable state stays readable.
    StoreFailed(StoreFailure),
    /// Everything is flushed; the engine answers nothing more.
    Closed,
}

/// Who changed the visible state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// Transactions of this engine's owner only.
    Local,
    /// Also entries from the server, or a first download.
    Remote,
    /// Also a client reset.
    Reset,
}

/// Which way data goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Direction {
    /// To the server.
    Upload,
    /// From the server.
    Download,
}

/// Whether a session tries to sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionState {
    /// It syncs whenever there is a link.
    Active,
    /// It was paused, failed fatally, or waits for a manual reset.
    Inactive,
}

/// How far the data has got, in bytes of encoded changesets and snapshot chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Sent and acknowledged.
    pub uploaded: u64,
    /// That and what is pending.
    pub uploadable: u64,
    /// Received and in the realm.
    pub downloaded: u64,
    /// That and what the server says is to come.
    pub downloadable: u64,
}

/// A step of a client reset, for the app to show.
#[derive(Clone, Debug)]
pub struct ResetProgress {
    /// Where it stands.
    pub phase: ResetPhase,
    /// Why it happens.
    pub cause: ResetCause,
    /// The wire code.
    pub code: u16,
    /// The server's words, or what went wrong.
    pub message: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// When the reset was begun.
    pub started: Millis,
    /// Bytes of the fresh state that are staged.
    pub staged_bytes: u64,
    /// Bytes of the fresh state altogether; 0 until known.
    pub total_bytes: u64,
    /// What was kept and dropped, once it is known.
    pub report: Option<Report>,
}
