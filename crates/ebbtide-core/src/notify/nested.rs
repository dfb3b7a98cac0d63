//! Two states of a list or dictionary inside a `mixed` as a change set. Its elements have no identities: what differs
//! between an equal start and an equal end was changed.

use std::collections::BTreeMap;

use super::collection::DictionaryChanges;
use super::sequence::CollectionChanges;
use crate::value::Value;

/// The change set between two states of a list inside a value. `modified` tells whether an object that it links to was
/// changed.
pub fn array_changes(before: &[Value], after: &[Value], modified: impl Fn(&Value) -> bool) -> CollectionChanges {
    let same = |(a, b): &(&Value, &Value)| a.as_ref().same(&b.as_ref());
    let prefix = before.iter().zip(after).take_while(same).count();
    let rest = before.len().min(after.len()) - prefix;
    let suffix = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(same).count();
    let (old_end, new_end) = (before.len() - suffix, after.len() - suffix);
    let both = rest - suffix;
    let mut changes = CollectionChanges::default();
    let pairs = (0..prefix + both).map(|index| (index, index)).chain((0..suffix).map(|i| (old_end + i, new_end + i)));
    for (old, new) in pairs {
        if (prefix..prefix + both).contains(&old) || modified(&after[new]) {
            changes.old_modifications.push(old as u32);
            changes.new_modifications.push(new as u32);
        }
    }
    changes.deletions.extend((prefix + both..old_end).map(|index| index as u32));
    changes.insertions.extend((prefix + both..new_end).map(|index| index as u32));
    changes
}

/// The change set between two states of a dictionary inside a value. `modified` tells whether an object that it links to
/// was changed.
pub fn map_changes(
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    modified: impl Fn(&Value) -> bool,
) -> DictionaryChanges {
    let mut changes = DictionaryChanges::default();
    for (key, value) in before {
        match after.get(key) {
            None => changes.deletions.push(key.clone()),
            Some(later) if !later.as_ref().same(&value.as_ref()) || modified(later) => {
                changes.modifications.push(key.clone());
            }
            Some(_) => {}
        }
    }
    changes.insertions.extend(after.keys().filter(|key| !before.contains_key(*key)).cloned());
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(before: &[i64], after: &[i64], deleted: &[u32], inserted: &[u32], modified: &[u32]) {
        let values = |numbers: &[i64]| numbers.iter().map(|number| Value::Int(*number)).collect::<Vec<_>>();
        let changes = array_changes(&values(before), &values(after), |_| false);
        assert_eq!((&*changes.deletions, &*changes.insertions), (deleted, inserted));
        assert_eq!(changes.new_modifications, modified);
    }

    #[test]
    fn a_nested_list_tells_what_lies_between_an_equal_start_and_an_equal_end() {
        check(&[1, 2, 3], &[1, 2, 3], &[], &[], &[]);
        check(&[1, 2, 3], &[1, 9, 3], &[], &[], &[1]);
        check(&[1, 2, 3], &[1, 3], &[1], &[], &[]);
        check(&[1, 3], &[1, 2, 3], &[], &[1], &[]);
        check(&[1, 2], &[], &[0, 1], &[], &[]);
        check(&[1, 2, 3], &[7, 8, 9, 3], &[], &[2], &[0, 1]);
    }

    proptest! {
        #[test]
        fn replaying_the_changes_of_a_nested_list_gives_the_later_one(
            before in prop::collection::vec(0i64..4, 0..12), after in prop::collection::vec(0i64..4, 0..12),
        ) {
            let values = |numbers: &[i64]| numbers.iter().map(|number| Value::Int(*number)).collect::<Vec<_>>();
            let (before, after) = (values(&before), values(&after));
            let changes = array_changes(&before, &after, |_| false);
            let mut state = before;
            for index in changes.deletions.iter().rev() {
                state.remove(*index as usize);
            }
            for index in &changes.insertions {
                state.insert(*index as usize, after[*index as usize].clone());
            }
            for index in &changes.new_modifications {
                state[*index as usize] = after[*index as usize].clone();
            }
            prop_assert_eq!(state, after);
        }
    }
}
