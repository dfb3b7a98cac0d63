//! Marks within a transaction: what was written after one can be taken back by itself.

use super::Transaction;
use crate::changeset::Mark as BuilderMark;
use crate::ids::ObjectKey;
use crate::objects::Snapshot;

/// A transaction as it was when the mark was set.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    snapshot: Snapshot,
    builder: BuilderMark,
    next_key: ObjectKey,
    elements: u64,
}

impl Transaction {
    /// Sets a mark. Marks nest; each is ended by [`Transaction::release`] or [`Transaction::rewind`].
    pub fn mark(&mut self) {
        self.marks.push(Mark {
            snapshot: self.snapshot.clone(),
            builder: self.builder.mark(),
            next_key: self.next_key,
            elements: self.elements,
        });
    }

    /// Forgets the last mark and keeps what was written since.
    pub fn release(&mut self) {
        self.marks.pop();
    }

    /// Takes back what was written since the last mark, and forgets the mark.
    pub fn rewind(&mut self) {
        if let Some(mark) = self.marks.pop() {
            self.snapshot = mark.snapshot;
            self.builder.rewind(mark.builder);
            self.next_key = mark.next_key;
            self.elements = mark.elements;
        }
    }
}
