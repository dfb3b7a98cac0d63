//! Marks within a transaction: what was written after one can be taken back by itself.

use super::Transaction;
use super::names::Names;
use super::slots::Slots;
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
        self.settle();
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
            // The positions of names, and the keys, that were given out since are given out again, for others.
            self.names = Names::default();
            self.slots = Slots::default();
            self.late = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Transaction;
    use crate::ObjectKey;
    use crate::objects::Embedding;
    use crate::objects::transaction::fixture::{NUMBER, OWNER, PART, begin};
    use crate::value::Value;

    /// Creates an object with an embedded one.
    fn create(transaction: &mut Transaction) -> ObjectKey {
        let owner = transaction.create(OWNER, None).expect("the class is there");
        transaction.embed(OWNER, owner, PART, Embedding::Property).expect("the property holds embedded objects");
        owner
    }

    #[test]
    fn what_was_written_after_a_mark_is_taken_back_whole() {
        let (mut marked, mut plain) = (begin(), begin());
        let owner = create(&mut marked);
        assert_eq!(create(&mut plain), owner);
        marked.mark();
        marked.embed(OWNER, owner, PART, Embedding::Property).expect("the property holds embedded objects");
        marked.mark();
        marked.set(OWNER, owner, NUMBER, Value::Int(5)).expect("an int");
        create(&mut marked);
        marked.rewind();
        marked.rewind();
        let (after, changeset, next) = marked.finish().expect("within the limits");
        let (expected, expected_changeset, expected_next) = plain.finish().expect("within the limits");
        assert_eq!(after.canonical(), expected.canonical());
        assert_eq!((changeset, next), (expected_changeset, expected_next));
    }

    #[test]
    fn what_was_named_only_after_a_mark_is_named_again() {
        let (mut marked, mut plain) = (begin(), begin());
        let owner = create(&mut marked);
        create(&mut plain);
        marked.mark();
        marked.set(OWNER, owner, NUMBER, Value::Int(5)).expect("an int");
        marked.rewind();
        for transaction in [&mut marked, &mut plain] {
            transaction.set(OWNER, owner, NUMBER, Value::Int(6)).expect("an int");
        }
        let changeset = |transaction: Transaction| transaction.finish().expect("within the limits").1;
        assert_eq!(changeset(marked), changeset(plain));
    }

    #[test]
    fn what_was_written_after_a_released_mark_stays() {
        let mut transaction = begin();
        let owner = create(&mut transaction);
        transaction.mark();
        transaction.set(OWNER, owner, NUMBER, Value::Int(5)).expect("an int");
        transaction.release();
        transaction.rewind();
        let value = transaction.snapshot().table(OWNER).get(owner, NUMBER).map(|value| value.to_owned());
        assert_eq!(value, Some(Value::Int(5)));
    }
}
