//! A listener as an app has one: a copy of the rows, kept up to date with nothing but change sets.

use std::collections::BTreeMap;

use ebbtide_core::notify::{Compare, diff};
use ebbtide_core::{ClassIndex, ColumnIndex, ObjectKey, Snapshot, ValueRef};

/// A copy of all rows.
#[derive(Debug)]
pub struct Listener {
    seen: Snapshot,
    rows: BTreeMap<(ClassIndex, ObjectKey), Vec<String>>,
}

impl Listener {
    /// A listener that begins with a state.
    pub fn new(seen: &Snapshot) -> Listener {
        Listener { seen: seen.clone(), rows: rows_of(seen) }
    }

    /// Follows a change set, and checks that it leads to the new state.
    pub fn follow(&mut self, before: &Snapshot, after: &Snapshot, compare: Compare) {
        assert!(
            self.seen.ptr_eq(before) || self.seen.canonical() == before.canonical(),
            "a listener was not told of a change"
        );
        let wanted = rows_of(after);
        if before.schema() == after.schema() {
            for (class, table) in diff(before, after, compare).tables() {
                for key in &table.deleted {
                    assert!(self.rows.remove(&(class, *key)).is_some(), "told of the deletion of what was not there");
                }
                for key in &table.inserted {
                    let earlier = self.rows.insert((class, *key), row_of(after, class, *key));
                    assert!(earlier.is_none(), "told of the insertion of what was there");
                }
                for (key, columns) in &table.modified {
                    let row = self.rows.get_mut(&(class, *key)).expect("told of the change of what is not there");
                    for column in columns {
                        row[column.index()] = cell_of(after, class, *key, *column);
                    }
                }
            }
            for (place, row) in &wanted {
                assert_eq!(
                    self.rows.get(place),
                    Some(row),
                    "the change set does not lead to the new state of {place:?}"
                );
            }
            assert_eq!(self.rows.len(), wanted.len(), "the change set leaves rows that are gone");
        }
        self.rows = wanted;
        self.seen = after.clone();
    }

    /// What it was told last.
    pub fn seen(&self) -> &Snapshot {
        &self.seen
    }
}

fn rows_of(snapshot: &Snapshot) -> BTreeMap<(ClassIndex, ObjectKey), Vec<String>> {
    let mut rows = BTreeMap::new();
    for class in (0..snapshot.schema().classes.len() as u32).map(ClassIndex) {
        for key in snapshot.table(class).keys() {
            rows.insert((class, key), row_of(snapshot, class, key));
        }
    }
    rows
}

fn row_of(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey) -> Vec<String> {
    let columns = 0..snapshot.schema().class(class).properties.len() as u32;
    columns.map(|column| cell_of(snapshot, class, key, ColumnIndex(column))).collect()
}

fn cell_of(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> String {
    match snapshot.table(class).get(key, column).expect("the row is there") {
        ValueRef::List(list) => format!("{:?}", list.iter().map(|value| value.to_owned()).collect::<Vec<_>>()),
        ValueRef::Set(set) => format!("{:?}", set.iter().map(|value| value.to_owned()).collect::<Vec<_>>()),
        ValueRef::Dictionary(dictionary) => {
            format!("{:?}", dictionary.iter().map(|(key, value)| (key, value.to_owned())).collect::<Vec<_>>())
        }
        value => format!("{:?}", value.to_owned()),
    }
}
