//! Key paths: which changes a listener asks to be told of.

use std::collections::{BTreeMap, BTreeSet};

use super::diff::Difference;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::objects::Snapshot;
use crate::value::ValueRef;

/// One step of a key path, from objects of one class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathStep {
    /// To a property, and over its links if the path goes on.
    Column {
        /// The class of the objects.
        class: ClassIndex,
        /// Their property.
        column: ColumnIndex,
    },
    /// Against the links of a property.
    Backlinks {
        /// The class of the objects that link here.
        source: ClassIndex,
        /// Their property.
        column: ColumnIndex,
        /// The class of the objects that are linked to.
        target: ClassIndex,
    },
}

/// Key paths from the objects of one class. A change counts if it is one of a property on a path, in the object that the
/// path up to there leads to, however far away.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyPaths {
    paths: Vec<Vec<PathStep>>,
}

impl KeyPaths {
    /// Key paths of one class. Those without a step say nothing.
    pub fn new(paths: Vec<Vec<PathStep>>) -> KeyPaths {
        KeyPaths { paths }
    }

    /// The objects at the start of paths on which a change lies, with the positions of the paths, ascending.
    pub fn touched(
        &self,
        difference: &Difference,
        before: &Snapshot,
        after: &Snapshot,
    ) -> BTreeMap<ObjectKey, Vec<usize>> {
        let mut touched: BTreeMap<ObjectKey, Vec<usize>> = BTreeMap::new();
        for (index, path) in self.paths.iter().enumerate() {
            for key in starts(path, difference, before, after) {
                touched.entry(key).or_default().push(index);
            }
        }
        touched
    }
}

/// Walks a path from its end to its start, and gathers at each step the objects whose property there changed.
fn starts(path: &[PathStep], difference: &Difference, before: &Snapshot, after: &Snapshot) -> BTreeSet<ObjectKey> {
    let mut reached = BTreeSet::new();
    for step in path.iter().rev() {
        reached = match *step {
            PathStep::Column { class, column } => {
                let mut objects = sources(after, class, column, &reached);
                let changed = difference.table(class).modified.iter().filter(|(_, columns)| columns.contains(&column));
                objects.extend(changed.map(|(key, _)| *key));
                objects
            }
            PathStep::Backlinks { source, column, target } => {
                let mut objects = BTreeSet::new();
                for key in &reached {
                    targets(after, source, column, target, *key, &mut objects);
                }
                let table = difference.table(source);
                let changed = table.modified.iter().filter(|(_, columns)| columns.contains(&column));
                let changed: Vec<ObjectKey> = changed.map(|(key, _)| *key).collect();
                for key in table.inserted.iter().chain(&changed) {
                    targets(after, source, column, target, *key, &mut objects);
                }
                for key in table.deleted.iter().chain(&changed) {
                    targets(before, source, column, target, *key, &mut objects);
                }
                objects
            }
        };
    }
    reached
}

/// The objects of `class` whose property links to one of `reached`, which are of the class that it links to.
fn sources(
    after: &Snapshot,
    class: ClassIndex,
    column: ColumnIndex,
    reached: &BTreeSet<ObjectKey>,
) -> BTreeSet<ObjectKey> {
    let schema = after.schema();
    let property = schema.classes.get(class.index()).and_then(|class| class.properties.get(column.index()));
    let target = property.and_then(|property| schema.class_index(property.target.as_deref()?));
    let Some(target) = target else { return BTreeSet::new() };
    let links = reached.iter().flat_map(|key| after.table(target).backlinks(*key));
    links.filter(|(from, through, ..)| (*from, *through) == (class, column)).map(|(_, _, key, _)| key).collect()
}

/// Adds the objects of `target` that a property of one object links to.
fn targets(
    snapshot: &Snapshot,
    class: ClassIndex,
    column: ColumnIndex,
    target: ClassIndex,
    key: ObjectKey,
    objects: &mut BTreeSet<ObjectKey>,
) {
    if class.index() >= snapshot.schema().classes.len() {
        return;
    }
    let value = snapshot.table(class).row(key).filter(|row| column.index() < row.width());
    let value = value.map_or(ValueRef::Null, |row| row.value(column));
    value.each_link(Some(target), &mut |of, key| {
        if of == target {
            objects.insert(key);
        }
    });
}
