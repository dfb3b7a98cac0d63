//! The difference between two snapshots.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::mutants::{Mutant, mutant};
use crate::objects::{Bits, Column, Dictionary, Group, List, Page, Row, Set, SetElement, Snapshot, Table};
use crate::value::ValueRef;

/// What counts as a change of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compare {
    /// Setting it, even to the value that it had: what a listener of ordinary writes is told.
    Stamps,
    /// Another value: what a listener is told of a reset.
    Values,
}

/// What lies between two snapshots of one store.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    tables: Vec<TableDifference>,
}

/// What lies between two states of one table. Keys ascend.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TableDifference {
    /// Rows that only the later state has.
    pub inserted: Vec<ObjectKey>,
    /// Rows that only the earlier state has.
    pub deleted: Vec<ObjectKey>,
    /// Rows that differ, with the properties that do.
    pub modified: Vec<(ObjectKey, Vec<ColumnIndex>)>,
}

impl Difference {
    /// Whether nothing lies between.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(TableDifference::is_empty)
    }

    /// The difference of one class; empty for a class that neither state has.
    pub fn table(&self, class: ClassIndex) -> &TableDifference {
        const NOTHING: &TableDifference =
            &TableDifference { inserted: Vec::new(), deleted: Vec::new(), modified: Vec::new() };
        self.tables.get(class.index()).unwrap_or(NOTHING)
    }

    /// The classes with their differences.
    pub fn tables(&self) -> impl Iterator<Item = (ClassIndex, &TableDifference)> {
        self.tables.iter().enumerate().map(|(index, table)| (ClassIndex(index as u32), table))
    }
}

impl TableDifference {
    /// Whether nothing lies between.
    pub fn is_empty(&self) -> bool {
        self.inserted.is_empty() && self.deleted.is_empty() && self.modified.is_empty()
    }

    /// The changed properties of a row that both states have.
    pub fn modified_columns(&self, key: ObjectKey) -> Option<&[ColumnIndex]> {
        let index = self.modified.binary_search_by(|(modified, _)| modified.cmp(&key)).ok()?;
        Some(&self.modified[index].1)
    }
}

/// Compares two snapshots of one store; class and column indexes mean the same in both, and the later may have more.
pub fn diff(before: &Snapshot, after: &Snapshot, compare: Compare) -> Difference {
    let nothing = Arc::new(Table::default());
    let tables = after.tables.iter().enumerate().map(|(index, table)| {
        let earlier = before.tables.get(index).unwrap_or(&nothing);
        if Arc::ptr_eq(earlier, table) { TableDifference::default() } else { diff_tables(earlier, table, compare) }
    });
    Difference { tables: tables.collect() }
}

fn diff_tables(before: &Table, after: &Table, compare: Compare) -> TableDifference {
    let mut difference = TableDifference::default();
    let (mut old, mut new) = (Cursor::new(before), Cursor::new(after));
    loop {
        if let (Some(a), Some(b)) = (old.whole_group(), new.whole_group())
            && Arc::ptr_eq(a, b)
        {
            old.skip_group();
            new.skip_group();
            continue;
        }
        if let (Some(a), Some(b)) = (old.whole_page(), new.whole_page())
            && (Arc::ptr_eq(a, b) || a.keys == b.keys)
        {
            if !Arc::ptr_eq(a, b) {
                diff_pages(a, b, compare, &mut difference);
            }
            old.skip_page();
            new.skip_page();
            continue;
        }
        let order = match (old.row(), new.row()) {
            (None, None) => return difference,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.key().cmp(&b.key()),
        };
        match order {
            Ordering::Less => {
                let deleted = old.next_row().filter(|_| !mutant(Mutant::DeletionsUntold));
                difference.deleted.extend(deleted.map(|row| row.key()));
            }
            Ordering::Greater => difference.inserted.extend(new.next_row().map(|row| row.key())),
            Ordering::Equal => {
                let (Some(a), Some(b)) = (old.next_row(), new.next_row()) else { return difference };
                let columns = changed_columns(a, b, compare);
                if !columns.is_empty() {
                    difference.modified.push((b.key(), columns));
                }
            }
        }
    }
}

/// Compares two pages of the same keys, column by column: most columns of a changed page are the same.
fn diff_pages(before: &Page, after: &Page, compare: Compare, difference: &mut TableDifference) {
    let same_rows = before.stamps == after.stamps;
    let mut changed: Vec<(usize, ColumnIndex)> = Vec::new();
    for (index, (a, b)) in before.columns.iter().zip(&after.columns).enumerate() {
        let is_shared = Arc::ptr_eq(a, b);
        if is_shared && same_rows {
            continue;
        }
        let mut rows = if is_shared { Bits::default() } else { a.differing_rows(b) };
        let is_stamped = !is_shared && !a.has_same_stamps(b) || !same_rows && a.stamps.is_none();
        if compare == Compare::Stamps && is_stamped {
            let stamp = |column: &Column, page: &Page, row| column.stamp(row, page.stamps[row]);
            (0..after.len())
                .filter(|row| stamp(a, before, *row) != stamp(b, after, *row))
                .for_each(|r| rows.set(r, true));
        }
        if !rows.any() {
            continue;
        }
        let column = ColumnIndex(index as u32);
        let is_there = |row: &usize| rows.get(*row) && is_changed(before.row(*row), after.row(*row), column, compare);
        changed.extend((0..after.len()).filter(is_there).map(|row| (row, column)));
    }
    changed.sort_unstable();
    for row in changed.chunk_by(|a, b| a.0 == b.0) {
        let columns = row.iter().map(|(_, column)| *column).collect();
        difference.modified.push((after.keys[row[0].0], columns));
    }
}

fn changed_columns(before: Row<'_>, after: Row<'_>, compare: Compare) -> Vec<ColumnIndex> {
    let columns = 0..before.width().min(after.width()) as u32;
    columns.map(ColumnIndex).filter(|column| is_changed(before, after, *column, compare)).collect()
}

fn is_changed(before: Row<'_>, after: Row<'_>, column: ColumnIndex, compare: Compare) -> bool {
    match (before.value(column), after.value(column)) {
        (ValueRef::List(a), ValueRef::List(b)) => lists_differ(a, b, compare),
        (ValueRef::Set(a), ValueRef::Set(b)) => !std::ptr::eq(a, b) && sets_differ(a, b, compare),
        (ValueRef::Dictionary(a), ValueRef::Dictionary(b)) => !std::ptr::eq(a, b) && dictionaries_differ(a, b, compare),
        (a, b) => compare == Compare::Stamps && before.stamp(column) != after.stamp(column) || !a.same(&b),
    }
}

/// Whether a listener of the list is to be told.
fn lists_differ(before: &List, after: &List, compare: Compare) -> bool {
    if std::ptr::eq(before, after) {
        return false;
    }
    match compare {
        Compare::Values => !before.same_values(after),
        Compare::Stamps => {
            before.len() != after.len()
                || before
                    .elements()
                    .iter()
                    .zip(after.elements())
                    .any(|(a, b)| a.id != b.id || a.stamp != b.stamp || !a.value.as_ref().same(&b.value.as_ref()))
        }
    }
}

/// A value is in a set or not: putting in what is there changes nothing, unless it was taken out before.
fn sets_differ(before: &Set, after: &Set, compare: Compare) -> bool {
    let is_renewed = |(a, b): (&SetElement, &SetElement)| a.stamp != b.stamp && b.renewal.is_new();
    !before.same_values(after)
        || compare == Compare::Stamps && before.elements().iter().zip(after.elements()).any(is_renewed)
}

fn dictionaries_differ(before: &Dictionary, after: &Dictionary, compare: Compare) -> bool {
    let stamps = |dictionary: &Dictionary| dictionary.entries().iter().map(|entry| entry.stamp).collect::<Vec<_>>();
    !before.same_values(after) || compare == Compare::Stamps && stamps(before) != stamps(after)
}

/// Walks the rows of a table, able to skip a page or a group that it stands before.
struct Cursor<'a> {
    groups: Box<dyn Iterator<Item = &'a Arc<Group>> + 'a>,
    group: Option<&'a Arc<Group>>,
    page: usize,
    index: usize,
}

impl<'a> Cursor<'a> {
    fn new(table: &'a Table) -> Cursor<'a> {
        let mut groups = Box::new(table.groups().values());
        let group = groups.next();
        Cursor { groups, group, page: 0, index: 0 }
    }

    /// The group, if the cursor stands before its first row.
    fn whole_group(&self) -> Option<&'a Arc<Group>> {
        self.group.filter(|_| self.page == 0 && self.index == 0)
    }

    /// The page, if the cursor stands before its first row.
    fn whole_page(&self) -> Option<&'a Arc<Page>> {
        self.page().filter(|_| self.index == 0)
    }

    fn page(&self) -> Option<&'a Arc<Page>> {
        self.group.and_then(|group| group.page_at(self.page))
    }

    fn skip_group(&mut self) {
        (self.group, self.page, self.index) = (self.groups.next(), 0, 0);
    }

    fn skip_page(&mut self) {
        (self.page, self.index) = (self.page + 1, 0);
        if self.group.is_some_and(|group| self.page == group.pages().len()) {
            self.skip_group();
        }
    }

    fn row(&self) -> Option<Row<'a>> {
        self.page().map(|page| page.row(self.index))
    }

    fn next_row(&mut self) -> Option<Row<'a>> {
        let row = self.row()?;
        self.index += 1;
        if self.page().is_some_and(|page| self.index == page.len()) {
            self.skip_page();
        }
        Some(row)
    }
}
