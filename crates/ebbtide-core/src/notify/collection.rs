//! Two states of a set or a dictionary as a change set.

use std::cmp::Ordering;

use super::diff::Compare;
use super::sequence::CollectionChanges;
use crate::objects::{Dictionary, Set};
use crate::value::{Value, ValueRef};

/// A change set of a dictionary: keys, each run ascending.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DictionaryChanges {
    /// Keys that are gone.
    pub deletions: Vec<String>,
    /// Keys that have come.
    pub insertions: Vec<String>,
    /// Keys whose value was set.
    pub modifications: Vec<String>,
}

impl DictionaryChanges {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.deletions.is_empty() && self.insertions.is_empty() && self.modifications.is_empty()
    }
}

/// The change set between two states of a set. `modified` tells whether an object that it links to was changed. A value
/// that was taken out and put in again has gone and come; a link is the same element then.
pub fn set_changes(
    before: &Set,
    after: &Set,
    compare: Compare,
    modified: impl Fn(ValueRef<'_>) -> bool,
) -> CollectionChanges {
    let mut changes = CollectionChanges::default();
    let (mut old, mut new) = (0, 0);
    loop {
        let order = match (before.get(old), after.get(new)) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.total_cmp(&b),
        };
        match order {
            Ordering::Less => {
                changes.deletions.push(old as u32);
                old += 1;
            }
            Ordering::Greater => {
                changes.insertions.push(new as u32);
                new += 1;
            }
            Ordering::Equal => {
                let (a, b) = (&before.elements()[old], &after.elements()[new]);
                let is_link = matches!(b.value, Value::Link(_));
                if !is_link && compare == Compare::Stamps && a.stamp != b.stamp && b.renewal.is_new() {
                    changes.deletions.push(old as u32);
                    changes.insertions.push(new as u32);
                } else if modified(b.value.as_ref()) {
                    changes.old_modifications.push(old as u32);
                    changes.new_modifications.push(new as u32);
                }
                (old, new) = (old + 1, new + 1);
            }
        }
    }
}

/// The change set between two states of a dictionary. `modified` tells whether an object that it links to was changed. A
/// key that was removed and set again has gone and come.
pub fn dictionary_changes(
    before: &Dictionary,
    after: &Dictionary,
    compare: Compare,
    modified: impl Fn(ValueRef<'_>) -> bool,
) -> DictionaryChanges {
    let mut changes = DictionaryChanges::default();
    let (mut old, mut new) = (before.entries().iter().peekable(), after.entries().iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.key.cmp(&b.key),
        };
        match order {
            Ordering::Less => changes.deletions.extend(old.next().map(|entry| entry.key.clone())),
            Ordering::Greater => changes.insertions.extend(new.next().map(|entry| entry.key.clone())),
            Ordering::Equal => {
                let (Some(a), Some(b)) = (old.next(), new.next()) else { return changes };
                let is_set = compare == Compare::Stamps && a.stamp != b.stamp;
                if is_set && b.renewal.is_new() {
                    changes.deletions.push(a.key.clone());
                    changes.insertions.push(b.key.clone());
                } else if is_set || !a.value.as_ref().same(&b.value.as_ref()) || modified(b.value.as_ref()) {
                    changes.modifications.push(b.key.clone());
                }
            }
        }
    }
}
