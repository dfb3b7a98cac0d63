//! How much is under way to the server at once: in order, bounded in number and in bytes.

use std::collections::VecDeque;

use ebbtide_core::ChangesetNumber;

/// Changesets under way at most.
const UNDER_WAY_MAX: usize = 64;
/// Their bytes at most; a single larger changeset goes alone.
const UNDER_WAY_BYTES_MAX: usize = 1024 * 1024;

/// What was sent on the present link and is not acknowledged.
#[derive(Clone, Debug, Default)]
pub(crate) struct UploadWindow {
    sent: ChangesetNumber,
    under_way: VecDeque<(ChangesetNumber, usize)>,
    bytes: usize,
}

impl UploadWindow {
    /// Starts after the last changeset that the server has.
    pub(crate) fn after(last: ChangesetNumber) -> UploadWindow {
        UploadWindow { sent: last, under_way: VecDeque::new(), bytes: 0 }
    }

    /// The last changeset that was sent or need not be.
    pub(crate) fn sent(&self) -> ChangesetNumber {
        self.sent
    }

    /// Whether it is time to send more. A window that was filled is filled again when half of it is empty, so that
    /// changesets travel, and come back, in runs.
    pub(crate) fn is_open(&self) -> bool {
        self.under_way.len() <= UNDER_WAY_MAX / 2 && self.bytes <= UNDER_WAY_BYTES_MAX / 2
    }

    /// Whether another changeset may be sent now.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.under_way.is_empty() || (self.under_way.len() < UNDER_WAY_MAX && self.bytes + bytes <= UNDER_WAY_BYTES_MAX)
    }

    /// Takes note of a changeset that is being sent.
    pub(crate) fn send(&mut self, number: ChangesetNumber, bytes: usize) {
        assert!(number > self.sent, "invariant: changesets are sent in the order of their numbers");
        self.sent = number;
        self.under_way.push_back((number, bytes));
        self.bytes += bytes;
    }

    /// Takes note that the server has everything up to here. False if it was never sent.
    pub(crate) fn acknowledge(&mut self, number: ChangesetNumber) -> bool {
        while self.under_way.front().is_some_and(|(first, _)| *first <= number) {
            let (_, bytes) = self.under_way.pop_front().expect("invariant: it was just looked at");
            self.bytes -= bytes;
        }
        number <= self.sent
    }

    /// Whether anything waits for the server's answer.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.under_way.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_bounds_count_and_bytes_and_lets_one_large_changeset_pass() {
        let mut window = UploadWindow::after(ChangesetNumber(4));
        assert!(window.has_room(3 * 1024 * 1024));
        window.send(ChangesetNumber(5), 3 * 1024 * 1024);
        assert!(!window.has_room(1));
        assert!(window.acknowledge(ChangesetNumber(5)));
        for number in 6..6 + UNDER_WAY_MAX as u64 {
            assert!(window.has_room(10));
            window.send(ChangesetNumber(number), 10);
        }
        assert!(!window.has_room(10));
        assert!(!window.is_open());
        assert!(window.acknowledge(ChangesetNumber(40)));
        assert!(window.is_waiting() && window.has_room(10) && window.is_open());
        assert!(!window.acknowledge(ChangesetNumber(1_000)));
    }
}
