//! What an engine shows to whoever watches over it, as the simulated world does. Nothing here changes anything.

use ebbtide_core::ChangesetNumber;
use ebbtide_core::replica::{Cursor, Identity, Replica};

use super::engine::Engine;
use super::session::Link;

/// How far the changesets of one engine are: each no further than the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What was committed.
    pub committed: Identity,
    /// What is on disk for good, and how far its base is.
    pub durable: (Identity, Option<Cursor>),
    /// The last changeset that was sent on this link, or that the server has; `None` without a link.
    pub uploaded: Option<ChangesetNumber>,
    /// The last that the server has acknowledged.
    pub acknowledged: ChangesetNumber,
}

impl Engine {
    /// The realm's three values.
    pub fn replica(&self) -> &Replica {
        &self.state.replica
    }

    /// How far our changesets are.
    pub fn standing(&self) -> Standing {
        let kept = self.state.disk.durable();
        let session = self.session.as_ref();
        Standing {
            committed: self.state.replica.identity(),
            durable: (kept.identity, kept.cursor),
            uploaded: session.filter(|session| matches!(session.link, Link::Bound(_))).map(|bound| bound.window.sent()),
            acknowledged: session.map_or(ChangesetNumber(0), |session| session.acknowledged),
        }
    }
}
