//! What an engine shows to whoever watches over it, as the simulated world does. Nothing here changes anything.

use ebbtide_core::ChangesetNumber;
use ebbtide_core::replica::{Cursor, Identity, Replica};

use super::engine::Engine;

/// How far the changesets of one engine are: each no further than the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What was committed.
    pub committed: Identity,
    /// What is on disk for good, and how far its base is.
    pub durable: (Identity, Option<Cursor>),
    /// The last changeset that was sent on this link, or that the server has.
    pub uploaded: ChangesetNumber,
    /// The last that the server has acknowledged.
    pub acknowledged: ChangesetNumber,
}

impl Engine {
    /// The realm's three values.
    pub fn replica(&self) -> &Replica {
        &self.state.replica
    }

    /// How far our changesets are; zero is what a realm has sent that does not sync.
    pub fn standing(&self) -> Standing {
        let kept = self.state.disk.durable();
        let session = self.session.as_ref();
        let nothing = ChangesetNumber(0);
        Standing {
            committed: self.state.replica.identity(),
            durable: (kept.identity, kept.cursor),
            uploaded: session.map_or(nothing, |session| session.window.sent()),
            acknowledged: session.map_or(nothing, |session| session.acknowledged),
        }
    }
}
