//! Which objects a listener of a collection counts as changed: those that were, and those that link to them.

use std::collections::BTreeSet;

use super::diff::Difference;
use crate::ids::{ClassIndex, ObjectKey};
use crate::objects::Snapshot;
use crate::value::ValueRef;

/// How many links away a change still counts.
const DEPTH: usize = 4;

/// The objects that were changed, or that lead to a changed one over up to four links.
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

    /// Whether a value links to an object that was touched. `target` is the class of the links of its property.
    pub fn is_linked_from(&self, value: ValueRef<'_>, target: Option<ClassIndex>) -> bool {
        let mut found = false;
        value.each_link(target, &mut |class, key| found |= self.contains(class, key));
        found
    }

    /// Whether an object was touched.
    pub fn contains(&self, class: ClassIndex, key: ObjectKey) -> bool {
        self.objects.contains(&(class, key))
    }
}
