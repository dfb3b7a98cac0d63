//! Which objects a listener of a collection counts as changed: those that were, and those that link to them.

use std::collections::BTreeSet;

use super::diff::Difference;
use crate::ids::{ClassIndex, ObjectKey};
use crate::objects::Snapshot;
use crate::value::ValueRef;

/// How many links away a change still counts: of a chain of four objects, the first is told of the last.
const DEPTH: usize = 3;

/// The objects that were changed, or that lead to a changed one over a few links.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Touched {
    objects: BTreeSet<(ClassIndex, ObjectKey)>,
}

impl Touched {
    /// The objects touched by a difference whose later state is `after`.
    pub fn by(difference: &Difference, after: &Snapshot) -> Touched {
        let modified = |(class, table): (ClassIndex, &super::TableDifference)| {
            table.modified.iter().map(move |(key, _)| (class, *key)).collect::<Vec<_>>()
        };
        let mut frontier: Vec<(ClassIndex, ObjectKey)> = difference.tables().flat_map(modified).collect();
        let mut objects: BTreeSet<_> = frontier.iter().copied().collect();
        for _ in 0..DEPTH {
            let mut next = Vec::new();
            for (class, key) in frontier {
                for (source_class, _, source, _) in after.table(class).backlinks(key) {
                    if objects.insert((source_class, source)) {
                        next.push((source_class, source));
                    }
                }
            }
            frontier = next;
        }
        Touched { objects }
    }

    /// Adds objects of a class.
    pub fn add(&mut self, class: ClassIndex, keys: impl IntoIterator<Item = ObjectKey>) {
        self.objects.extend(keys.into_iter().map(|key| (class, key)));
    }

    /// Whether a value links to an object that was touched. `target` is the class of the links of its property.
    pub fn is_linked_from(&self, value: ValueRef<'_>, target: Option<ClassIndex>) -> bool {
        if self.objects.is_empty() {
            return false;
        }
        let mut found = false;
        value.each_link(target, &mut |class, key| found |= self.contains(class, key));
        found
    }

    /// Whether an object was touched.
    pub fn contains(&self, class: ClassIndex, key: ObjectKey) -> bool {
        self.objects.contains(&(class, key))
    }

    /// The objects of a class that were touched, ascending.
    pub fn of(&self, class: ClassIndex) -> impl Iterator<Item = ObjectKey> {
        self.objects.range((class, ObjectKey(0))..=(class, ObjectKey(u64::MAX))).map(|(_, key)| *key)
    }
}
