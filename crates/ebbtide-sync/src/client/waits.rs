//! What the app waits for: uploads, downloads, durability. A wait outlives lost links and client resets.

use std::collections::VecDeque;

use ebbtide_core::ChangesetNumber;

use super::event::{Effect, WaitId};

/// Everything that is waited for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits {
    waits: Vec<(WaitId, Wait)>,
}

/// What one wait is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wait {
    /// Until the disk has what memory had at this count, for good.
    Durable { moved: u64 },
    /// Until the server has our changesets up to this one.
    Upload { number: ChangesetNumber },
    /// Until a mark can be sent.
    DownloadAsked,
    /// Until the server echoes this mark.
    DownloadMarked { mark: u64 },
    /// Until the disk has what memory had at this count.
    DownloadStored { moved: u64 },
    /// Until the leader answers.
    LeaderAsked,
    /// Until this look at the store, or a later one, has been taken in.
    DownloadLooked { look: u64 },
}

impl Waits {
    pub(crate) fn add(&mut self, id: WaitId, wait: Wait) {
        self.waits.push((id, wait));
    }

    pub(crate) fn cancel(&mut self, id: WaitId) {
        self.waits.retain(|(other, _)| *other != id);
    }

    /// Whether anything is waited for that `wanted` picks.
    pub(crate) fn any(&self, wanted: impl Fn(&Wait) -> bool) -> bool {
        self.waits.iter().any(|(_, wait)| wanted(wait))
    }

    /// Changes waits in place.
    pub(crate) fn update(&mut self, mut change: impl FnMut(&mut Wait)) {
        self.waits.iter_mut().for_each(|(_, wait)| change(wait));
    }

    /// Changes waits in place, by name.
    pub(crate) fn update_each(&mut self, mut change: impl FnMut(WaitId, &mut Wait)) {
        self.waits.iter_mut().for_each(|(id, wait)| change(*id, wait));
    }

    /// Answers the waits that `done` picks.
    pub(crate) fn settle(
        &mut self,
        effects: &mut VecDeque<Effect>,
        result: &Result<(), String>,
        done: impl Fn(&Wait) -> bool,
    ) {
        self.waits.retain(|(id, wait)| {
            let settled = done(wait);
            if settled {
                effects.push_back(Effect::WaitDone(*id, result.clone()));
            }
            !settled
        });
    }
}
