//! Two orders of one collection as a change set: Realm's, with deletions and old modifications by position in the
//! earlier order, insertions and new modifications by position in the later one.

use std::collections::BTreeMap;

use super::diff::Compare;
use crate::ids::ObjectKey;
use crate::objects::List;
use crate::value::ValueRef;

/// A change set of a collection: positions, each run ascending.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CollectionChanges {
    /// Positions in the earlier order of what is gone or has moved.
    pub deletions: Vec<u32>,
    /// Positions in the later order of what has come or has moved.
    pub insertions: Vec<u32>,
    /// Positions in the earlier order of what was changed.
    pub old_modifications: Vec<u32>,
    /// Positions in the later order of what was changed.
    pub new_modifications: Vec<u32>,
}

impl CollectionChanges {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.deletions.is_empty() && self.insertions.is_empty() && self.new_modifications.is_empty()
    }
}

/// The change set between two orders of elements, each element at most once in an order. `modified` tells for the
/// positions (earlier, later) of an element that is in both whether it was changed.
///
/// What keeps its relative order is found as a longest increasing subsequence (Fredman, 1975), so that the fewest
/// possible elements count as moved; a moved element is a deletion and an insertion.
pub fn sequence_changes<T: Ord + Copy>(
    before: &[T],
    after: &[T],
    modified: impl Fn(usize, usize) -> bool,
) -> CollectionChanges {
    let prefix = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(after.len()) - prefix;
    let suffix = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let old_middle = prefix..before.len() - suffix;
    let new_middle = prefix..after.len() - suffix;
    let old_positions: BTreeMap<T, usize> = old_middle.clone().map(|index| (before[index], index)).collect();
    let common: Vec<(usize, usize)> =
        new_middle.clone().filter_map(|index| old_positions.get(&after[index]).map(|old| (*old, index))).collect();
    let kept = longest_increasing(&common);

    let mut changes = CollectionChanges::default();
    let mut modify = |old: usize, new: usize| {
        if modified(old, new) {
            changes.old_modifications.push(old as u32);
            changes.new_modifications.push(new as u32);
        }
    };
    (0..prefix).for_each(|index| modify(index, index));
    kept.iter().for_each(|(old, new)| modify(*old, *new));
    (0..suffix).for_each(|index| modify(old_middle.end + index, new_middle.end + index));
    changes.deletions = without(old_middle, kept.iter().map(|(old, _)| *old));
    changes.insertions = without(new_middle, kept.iter().map(|(_, new)| *new));
    changes
}

/// The change set between two orders of objects, which may name an object more than once. `modified` tells whether an
/// object was changed.
pub fn key_changes(
    before: &[ObjectKey],
    after: &[ObjectKey],
    modified: impl Fn(ObjectKey) -> bool,
) -> CollectionChanges {
    let distinct = |keys: &[ObjectKey]| keys.windows(2).all(|pair| pair[0] < pair[1]);
    if distinct(before) && distinct(after) {
        return sequence_changes(before, after, |_, new| modified(after[new]));
    }
    sequence_changes(&occurrences(before), &occurrences(after), |_, new| modified(after[new]))
}

/// The change set between two states of a list. `modified` tells whether an object that it links to was changed.
pub fn list_changes(
    before: &List,
    after: &List,
    compare: Compare,
    modified: impl Fn(ValueRef<'_>) -> bool,
) -> CollectionChanges {
    let ids = |list: &List| list.elements().iter().map(|element| element.id).collect::<Vec<_>>();
    let changed = |old: usize, new: usize| {
        let (a, b) = (&before.elements()[old], &after.elements()[new]);
        let set = compare == Compare::Stamps && a.stamp != b.stamp;
        set || modified(b.value.as_ref()) || !a.value.as_ref().same(&b.value.as_ref())
    };
    sequence_changes(&ids(before), &ids(after), changed)
}

/// Each key with how often it was there before: distinct.
fn occurrences(keys: &[ObjectKey]) -> Vec<(ObjectKey, u32)> {
    let mut seen: BTreeMap<ObjectKey, u32> = BTreeMap::new();
    keys.iter()
        .map(|key| {
            let count = seen.entry(*key).or_default();
            *count += 1;
            (*key, *count)
        })
        .collect()
}

fn without(range: std::ops::Range<usize>, ascending: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut kept = ascending.peekable();
    range.filter(|index| kept.next_if_eq(index).is_none()).map(|index| index as u32).collect()
}

/// A longest run of pairs that ascends in both; the second ascends already.
fn longest_increasing(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, (old, _)) in pairs.iter().enumerate() {
        let length = tails.partition_point(|tail| pairs[*tail].0 < *old);
        before.push(length.checked_sub(1).map(|shorter| tails[shorter]));
        if length == tails.len() {
            tails.push(index);
        } else {
            tails[length] = index;
        }
    }
    let mut run = Vec::with_capacity(tails.len());
    let mut at = tails.last().copied();
    while let Some(index) = at {
        run.push(pairs[index]);
        at = before[index];
    }
    run.reverse();
    run
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replay(before: &[u32], after: &[u32], changes: &CollectionChanges) -> Vec<u32> {
        let mut state: Vec<u32> = before.to_vec();
        for index in changes.deletions.iter().rev() {
            state.remove(*index as usize);
        }
        for index in &changes.insertions {
            state.insert(*index as usize, after[*index as usize]);
        }
        state
    }

    #[track_caller]
    fn check(before: &[u32], after: &[u32], deletions: &[u32], insertions: &[u32]) {
        let changes = sequence_changes(before, after, |_, _| false);
        assert_eq!((&*changes.deletions, &*changes.insertions), (deletions, insertions));
    }

    #[test]
    fn the_fewest_elements_move() {
        check(&[1, 2, 3], &[1, 2, 3], &[], &[]);
        check(&[1, 2, 3], &[1, 3], &[1], &[]);
        check(&[1, 3], &[1, 2, 3], &[], &[1]);
        check(&[1, 2, 3, 4], &[4, 1, 2, 3], &[3], &[0]);
        check(&[1, 2, 3, 4], &[2, 3, 4, 1], &[0], &[3]);
        check(&[], &[1, 2], &[], &[0, 1]);
        check(&[1, 2], &[], &[0, 1], &[]);
    }

    #[test]
    fn a_modification_is_told_by_both_positions() {
        let changes = sequence_changes(&[1, 2, 3], &[0, 3, 2], |old, _| old == 1);
        assert_eq!(changes.insertions.len(), 2);
        let changes = sequence_changes(&[1, 2, 3], &[0, 1, 2, 3], |old, _| old == 1);
        assert_eq!((changes.old_modifications, changes.new_modifications), (vec![1], vec![2]));
    }

    proptest! {
        #[test]
        fn replaying_the_changes_gives_the_later_order(
            before in prop::collection::btree_set(0u32..60, 0..40),
            after in prop::collection::btree_set(0u32..60, 0..40),
            seeds in prop::collection::vec(any::<prop::sample::Index>(), 80),
        ) {
            let shuffle = |set: std::collections::BTreeSet<u32>| {
                let mut order: Vec<u32> = set.into_iter().collect();
                for (index, seed) in (1..order.len()).zip(&seeds) {
                    order.swap(index, seed.index(index + 1));
                }
                order
            };
            let (before, after) = (shuffle(before), shuffle(after));
            let changes = sequence_changes(&before, &after, |_, _| true);
            prop_assert_eq!(replay(&before, &after, &changes), after.clone());
            for (old, new) in changes.old_modifications.iter().zip(&changes.new_modifications) {
                prop_assert_eq!(before[*old as usize], after[*new as usize]);
            }
            prop_assert!(changes.deletions.is_sorted() && changes.insertions.is_sorted());
        }
    }
}
