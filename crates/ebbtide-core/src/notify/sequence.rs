//! Two orders of one collection as a change set: Realm's, with deletions and old modifications by position in the
//! earlier order, insertions and new modifications by position in the later one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::diff::Compare;
use crate::ids::ObjectKey;
use crate::objects::{Element, ElementId, List};
use crate::value::{Value, ValueRef};

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

    /// The same change set for who sees both orders the other way round, of these lengths.
    pub fn reversed(self, before: usize, after: usize) -> CollectionChanges {
        let turn = |positions: Vec<u32>, len: usize| -> Vec<u32> {
            positions.into_iter().rev().map(|position| len as u32 - 1 - position).collect()
        };
        CollectionChanges {
            deletions: turn(self.deletions, before),
            insertions: turn(self.insertions, after),
            old_modifications: turn(self.old_modifications, before),
            new_modifications: turn(self.new_modifications, after),
        }
    }
}

/// The change set between two orders of elements, each element at most once in an order. `modified` tells for the
/// positions (earlier, later) of an element that is in both whether it was changed.
///
/// As few elements as possible count as moved, and of two that could have passed each other the one that was changed; a
/// moved element is a deletion and an insertion.
pub fn sequence_changes<T: Ord + Copy>(
    before: &[T],
    after: &[T],
    modified: impl Fn(usize, usize) -> bool,
) -> CollectionChanges {
    order_changes(before, after, &modified, &modified)
}

/// The same, where `loose` tells of an element that is in both whether it rather than another has moved.
fn order_changes<T: Ord + Copy>(
    before: &[T],
    after: &[T],
    modified: impl Fn(usize, usize) -> bool,
    loose: impl Fn(usize, usize) -> bool,
) -> CollectionChanges {
    let prefix = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(after.len()) - prefix;
    let suffix = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let old_middle = prefix..before.len() - suffix;
    let new_middle = prefix..after.len() - suffix;
    let old_positions: BTreeMap<T, usize> = old_middle.clone().map(|index| (before[index], index)).collect();
    let common: Vec<(usize, usize)> =
        new_middle.clone().filter_map(|index| old_positions.get(&after[index]).map(|old| (*old, index))).collect();
    let kept = if common.is_sorted() { common } else { heaviest_increasing(&common, old_middle.clone(), loose) };

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

/// The change set between two states of a list. `modified` tells whether an object that it links to was changed. A link
/// that was taken out and put in again, or set to what it was, is the same element, so that a list that is assigned what it
/// has is no news. Of two
/// values that passed each other it is the one that was moved that has moved; of two links, one whose object was changed.
pub fn list_changes(
    before: &List,
    after: &List,
    compare: Compare,
    modified: impl Fn(ValueRef<'_>) -> bool,
) -> CollectionChanges {
    let (first, last) = before.elements().shared(after.elements());
    let old: Vec<&Element> = before.elements().between(first..before.len() - last).collect();
    let new: Vec<&Element> = after.elements().between(first..after.len() - last).collect();
    let old_ids: Vec<ElementId> = old.iter().map(|element| element.id).collect();
    let changed = |at: usize, to: usize| {
        let (a, b) = (old[at], new[to]);
        let is_link = matches!(b.value, Value::Link(_));
        let set = compare == Compare::Stamps && a.id == b.id && a.stamp != b.stamp && !is_link;
        set || modified(b.value.as_ref()) || !a.value.as_ref().same(&b.value.as_ref())
    };
    let loose = |at: usize, to: usize| {
        let (a, b) = (old[at], new[to]);
        if matches!(b.value, Value::Link(_)) { modified(b.value.as_ref()) } else { a.placed != b.placed }
    };
    let between = order_changes(&old_ids, &matched(&old, &new), changed, loose);
    // Of what both share, only the objects that it leads to can have changed.
    let modifications = |start: usize, end: usize| {
        let elements = after.elements().between(start..end).enumerate();
        elements.filter(|(_, element)| modified(element.value.as_ref())).map(move |(index, _)| start + index)
    };
    let mut changes = CollectionChanges::default();
    let mut modify = |old: usize, new: usize| {
        changes.old_modifications.push(old as u32);
        changes.new_modifications.push(new as u32);
    };
    modifications(0, first).for_each(|index| modify(index, index));
    let inner = between.old_modifications.iter().zip(&between.new_modifications);
    inner.for_each(|(old, new)| modify(first + *old as usize, first + *new as usize));
    modifications(after.len() - last, after.len()).for_each(|index| modify(before.len() + index - after.len(), index));
    let shifted = |positions: Vec<u32>| positions.into_iter().map(|position| first as u32 + position).collect();
    changes.deletions = shifted(between.deletions);
    changes.insertions = shifted(between.insertions);
    changes
}

/// The identities of the later elements; of a new link that of one that is gone and led to the same object.
fn matched(before: &[&Element], after: &[&Element]) -> Vec<ElementId> {
    let mut ids: Vec<ElementId> = after.iter().map(|element| element.id).collect();
    // What both begin and end with is there in both; most changes are small.
    let same = |(a, b): &(&&Element, &&Element)| a.id == b.id;
    let prefix = before.iter().zip(after).take_while(same).count();
    let rest = before.len().min(after.len()) - prefix;
    let suffix = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(same).count();
    let (old, new) = (&before[prefix..before.len() - suffix], prefix..after.len() - suffix);
    let link = |value: &Value| if let Value::Link(key) = value { Some(*key) } else { None };
    if new.is_empty() || !old.iter().any(|element| link(&element.value).is_some()) {
        return ids;
    }
    let stay: BTreeSet<ElementId> = ids[new.clone()].iter().copied().collect();
    let mut gone: BTreeMap<ObjectKey, VecDeque<ElementId>> = BTreeMap::new();
    for element in old.iter().filter(|element| !stay.contains(&element.id)) {
        if let Some(key) = link(&element.value) {
            gone.entry(key).or_default().push_back(element.id);
        }
    }
    if gone.is_empty() {
        return ids;
    }
    let were: BTreeSet<ElementId> = old.iter().map(|element| element.id).collect();
    let links = &after[new.clone()];
    for (id, element) in ids[new].iter_mut().zip(links).filter(|(id, _)| !were.contains(id)) {
        let same = link(&element.value).and_then(|key| gone.get_mut(&key)).and_then(VecDeque::pop_front);
        *id = same.unwrap_or(*id);
    }
    ids
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

/// A longest run of pairs that ascends in both, the one with the fewest loose pairs if there are several; the second
/// ascends already, and the first lies in `range`. An increasing subsequence by the best run that ends below each value
/// (Fredman, 1975), which a binary indexed tree holds (Fenwick, 1994).
fn heaviest_increasing(
    pairs: &[(usize, usize)],
    range: std::ops::Range<usize>,
    loose: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut runs: Vec<Run> = Vec::with_capacity(pairs.len());
    let mut best: Vec<Option<usize>> = vec![None; range.len() + 1];
    let heavier = |runs: &[Run], a: Option<usize>, b: Option<usize>| {
        let weight = |at: Option<usize>| at.map(|at| runs[at].weight);
        if weight(b) > weight(a) { b } else { a }
    };
    for (index, (old, new)) in pairs.iter().enumerate() {
        let rank = old - range.start;
        let mut before = None;
        let mut at = rank;
        while at > 0 {
            before = heavier(&runs, before, best[at]);
            at &= at - 1;
        }
        let (count, firm) = before.map_or((0, 0), |at| runs[at].weight);
        runs.push(Run { weight: (count + 1, firm + usize::from(!loose(*old, *new))), before });
        let mut at = rank + 1;
        while at < best.len() {
            best[at] = heavier(&runs, best[at], Some(index));
            at += at & at.wrapping_neg();
        }
    }
    let last = (0..pairs.len()).max_by_key(|at| (runs[*at].weight, std::cmp::Reverse(pairs[*at].0)));
    let mut run: Vec<(usize, usize)> = std::iter::successors(last, |at| runs[*at].before).map(|at| pairs[at]).collect();
    run.reverse();
    run
}

/// The best run of pairs that ends with one.
struct Run {
    /// How many pairs, and how many of them are not loose.
    weight: (usize, usize),
    before: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::EditTime;
    use crate::ids::ServerVersion;
    use crate::objects::{AuthorIndex, Stamp};
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
    fn of_two_that_could_have_moved_it_is_the_one_that_was_changed() {
        for (after, changed, deletions, insertions, modified) in [
            ([0, 2, 1, 3], &[1][..], &[1][..], &[2][..], &[][..]),
            ([1, 0, 2, 3], &[0], &[0], &[1], &[]),
            ([0, 3, 1, 2], &[1, 2], &[3], &[1], &[2, 3]),
            ([2, 3, 0, 1], &[0, 1], &[0, 1], &[2, 3], &[]),
            ([3, 2, 0, 1], &[2, 3], &[2, 3], &[0, 1], &[]),
        ] {
            let changes = sequence_changes(&[0, 1, 2, 3], &after, |old, _| changed.contains(&old));
            assert_eq!((&*changes.deletions, &*changes.insertions), (deletions, insertions), "{after:?}");
            assert_eq!(changes.new_modifications, modified, "{after:?}");
        }
    }

    #[test]
    fn a_modification_is_told_by_both_positions() {
        let changes = sequence_changes(&[1, 2, 3], &[0, 3, 2], |old, _| old == 1);
        assert_eq!(changes.insertions.len(), 2);
        let changes = sequence_changes(&[1, 2, 3], &[0, 1, 2, 3], |old, _| old == 1);
        assert_eq!((changes.old_modifications, changes.new_modifications), (vec![1], vec![2]));
    }

    fn element(sequence: u64, value: u64) -> Element {
        let zero = Stamp { time: EditTime(0), author: AuthorIndex(0) };
        let value = if value.is_multiple_of(3) { Value::Link(ObjectKey(value)) } else { Value::Int(value as i64) };
        let id = ElementId { author: AuthorIndex(0), sequence };
        Element { id, after: None, placed: zero, version: ServerVersion(0), stamp: zero, value }
    }

    proptest! {
        /// States of a list share what was not edited, and what they share is passed over.
        #[test]
        fn what_two_states_of_a_long_list_share_makes_no_difference_to_what_is_told(
            len in 0..1500u64,
            edits in prop::collection::vec((0..3u8, any::<prop::sample::Index>(), 0..50u64), 0..12),
            changed in prop::collection::btree_set(0..1500u64, 0..20),
        ) {
            let before = List { elements: (0..len).map(|sequence| element(sequence, sequence)).collect() };
            let mut after = before.clone();
            for (number, (edit, index, value)) in edits.iter().enumerate() {
                let at = index.index(after.elements.len() + 1);
                match edit {
                    0 => after.elements.insert(at, element(len + number as u64, *value)),
                    1 if at < after.elements.len() => drop(after.elements.remove(at)),
                    2 if at < after.elements.len() => {
                        let stamp = Stamp { time: EditTime(1), author: AuthorIndex(0) };
                        after.elements.change(at, |element| element.stamp = stamp);
                    }
                    _ => {}
                }
            }
            let modified = |value: ValueRef<'_>| matches!(value, ValueRef::Link(key) if changed.contains(&key.0));
            let alone = List { elements: after.elements.iter().cloned().collect() };
            for compare in [Compare::Stamps, Compare::Values] {
                let told = list_changes(&before, &after, compare, modified);
                prop_assert_eq!(told, list_changes(&before, &alone, compare, modified));
            }
        }

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
