//! A realm's three values: what the server has confirmed (base), our changesets that it has not (pending), and what the
//! app sees (current); always `current == replay(pending, base)`.
//!
//! In a local realm the base is what the log has, and pending what it does not have yet.

mod log;
mod others;
mod replica_state;
mod root;

pub use log::{HistoryBody, HistoryEntry, LogEntry, decode_block, encode_block};
pub use others::{Moved, News, Taken};
pub(crate) use replica_state::replay;
pub use replica_state::{Committed, Download, Identity, Pending, Replica};
pub use root::Checkpoint;

use crate::ids::{Epoch, Salt, ServerVersion};

/// A place in a server's history: all three together prove a common past.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The continuous history the version counts in.
    pub epoch: Epoch,
    /// The last entry that is included.
    pub version: ServerVersion,
    /// The salt of that entry.
    pub salt: Salt,
}
