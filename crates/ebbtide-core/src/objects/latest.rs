//! The latest edit in a state.

use std::sync::Arc;

use super::page::Row;
use super::snapshot::{Snapshot, Stamp};
use super::table::Table;
use crate::clock::EditTime;
use crate::ids::ColumnIndex;
use crate::schema::ClassSchema;
use crate::value::ValueRef;

impl Snapshot {
    /// The time of the latest edit that any value, place or memory of a removal has. Reads all of them.
    pub(crate) fn latest(&self) -> EditTime {
        let of_table = |(table, class): (&Arc<Table>, &Arc<ClassSchema>)| {
            table.rows().map(|row| latest_of(row, class.primary_key)).max().unwrap_or_default()
        };
        self.tables.iter().zip(&self.schema.classes).map(of_table).max().unwrap_or_default()
    }
}

/// The primary key is never edited: its stamp is that of whoever created the row here.
fn latest_of(row: Row<'_>, primary_key: Option<ColumnIndex>) -> EditTime {
    let mut latest = EditTime::default();
    let mut see = |stamp: Stamp| latest = latest.max(stamp.time);
    for column in (0..row.width() as u32).map(ColumnIndex).filter(|column| Some(*column) != primary_key) {
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
                dictionary.removed.iter().for_each(|gone| see(gone.stamp));
                dictionary.cleared.into_iter().for_each(&mut see);
            }
            _ => {}
        }
    }
    latest
}
