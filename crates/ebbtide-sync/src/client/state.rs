//! What all parts of an engine share: the realm in memory, the way to the disk, and what is to be told.

use std::collections::VecDeque;

use ebbtide_core::Snapshot;
use ebbtide_core::notify::{Compare, diff};
use ebbtide_core::replica::Replica;

use super::event::{Effect, Origin};
use super::flush::Disk;
use super::options::Role;
use super::random::Draws;
use super::waits::Waits;

/// The realm in memory, the way to the disk, and what is to be told.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) replica: Replica,
    pub(crate) disk: Disk,
    pub(crate) waits: Waits,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) draws: Draws,
    pub(crate) version: u64,
    pub(crate) role: Role,
    /// By how much our clock is ahead of the server's, if that is too much.
    pub(crate) ahead_ms: u64,
    untold: Option<Untold>,
}

/// What listeners have seen last, and what has happened since.
#[derive(Debug)]
struct Untold {
    before: Snapshot,
    compare: Compare,
    origin: Origin,
}

impl State {
    pub(crate) fn new(replica: Replica, disk: Disk, draws: Draws, role: Role) -> State {
        let (waits, effects) = (Waits::default(), VecDeque::new());
        State { replica, disk, waits, effects, draws, version: 1, role, ahead_ms: 0, untold: None }
    }

    /// To be called before the replica's current state moves.
    pub(crate) fn changing(&mut self, origin: Origin) {
        let compare = match origin {
            Origin::Local | Origin::Remote => Compare::Stamps,
            Origin::Reset => Compare::Values,
        };
        self.changing_by(origin, compare);
    }

    /// The same, with what counts as a change.
    pub(crate) fn changing_by(&mut self, origin: Origin, compare: Compare) {
        self.version += 1;
        match &mut self.untold {
            Some(untold) => {
                untold.origin = untold.origin.max(origin);
                if compare == Compare::Values {
                    untold.compare = compare;
                }
            }
            None => self.untold = Some(Untold { before: self.replica.current().clone(), compare, origin }),
        }
    }

    /// What listeners have to be told, if anything differs for them.
    pub(crate) fn take_change(&mut self) -> Option<Effect> {
        let Untold { before, compare, origin } = self.untold.take()?;
        let after = self.replica.current().clone();
        let differs = match compare {
            Compare::Stamps => !before.ptr_eq(&after),
            Compare::Values => before.schema() != after.schema() || !diff(&before, &after, compare).is_empty(),
        };
        differs.then_some(Effect::Changed { before, after, compare, origin })
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }
}
