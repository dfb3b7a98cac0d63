//! The client reset.

use crate::wire::Code;

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
