//! The latest edit in a state.

use super::page::Row;
use super::snapshot::{Snapshot, Stamp};
use crate::clock::EditTime;
use crate::ids::ColumnIndex;
use crate::value::ValueRef;

impl Snapshot {
    /// The time of the latest edit that any value, place or memory of a removal has. Reads all of them.
    pub(crate) fn latest(&self) -> EditTime {
        let rows = self.tables.iter().flat_map(|table| table.rows());
        rows.map(latest_of).max().unwrap_or_default()
    }
}

fn latest_of(row: Row<'_>) -> EditTime {
    let mut latest = EditTime::default();
    let mut see = |stamp: Stamp| latest = latest.max(stamp.time);
    for column in (0..row.width() as u32).map(ColumnIndex) {
        see(row.stamp(column));
        match row.value(column) {
            ValueRef::List(list) => list.elements().iter().for_each(|element| {
                see(element.stamp);
                see(element.placed);
            }),
            ValueRef::Set(set) => {
                set.elements.iter().chain(&set.removed).for_each(|element| see(element.stamp));
                set.cleared.into_iter().for_each(&mut see);
            }
            ValueRef::Dictionary(dictionary) => {
                dictionary.entries.iter().for_each(|entry| see(entry.stamp));
                dictionary.removed.iter().for_each(|(_, stamp)| see(*stamp));
                dictionary.cleared.into_iter().for_each(&mut see);
            }
            _ => {}
        }
    }
    latest
}
