//! Pages of rows, and the groups in which the store keeps them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::column::{Column, Unset, roomy};
use super::snapshot::Stamp;
use crate::ids::{ColumnIndex, ObjectKey, RecordId};
use crate::limits::{PAGE_ROWS, RECORD_PAGES};
use crate::schema::ClassSchema;
use crate::value::{Value, ValueRef};
use crate::words::Word;

/// Up to [`PAGE_ROWS`] rows in ascending order of their keys, as columns. A copy shares its parts until they are changed, so
/// that setting a property copies one column.
#[derive(Clone, Debug)]
pub struct Page {
    pub(crate) keys: Arc<Vec<ObjectKey>>,
    pub(crate) stamps: Arc<Vec<Stamp>>,
    pub(crate) columns: Vec<Arc<Column>>,
}

/// To a page of so many rows that an earlier state shares no row is appended: the new one begins a page, because the copy would
/// cost more than the row.
const SHARED_ROWS: usize = 16;

/// The values of a new row by column, with whether somebody has set them.
pub(crate) type Cells<'a> = [Option<(&'a Value, Unset)>];

/// Up to [`RECORD_PAGES`] pages in ascending order: the unit in which a store keeps them. A group that was changed
/// since it was last saved has no record.
#[derive(Debug, Default)]
pub struct Group {
    pub(crate) pages: Vec<Arc<Page>>,
    saved: Mutex<Option<Saved>>,
}

/// The record in which a store has a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Saved {
    /// Its name.
    pub record: RecordId,
    /// The checksum at its end.
    pub checksum: u64,
}

/// One row of a page.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    page: &'a Page,
    index: usize,
}

impl Clone for Group {
    /// A copy about to be changed: it has no record.
    fn clone(&self) -> Group {
        Group { pages: self.pages.clone(), saved: Mutex::default() }
    }
}

impl Page {
    pub(crate) fn new(class: &ClassSchema) -> Page {
        let columns = class.properties.iter().map(|property| Arc::new(Column::new(property))).collect();
        Page { keys: Arc::default(), stamps: Arc::default(), columns }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys of the rows, ascending.
    pub fn keys(&self) -> &[ObjectKey] {
        &self.keys
    }

    /// The values of a property.
    pub fn column(&self, column: ColumnIndex) -> &Column {
        &self.columns[column.index()]
    }

    /// The columns in the order of the class's properties.
    pub fn columns(&self) -> &[Arc<Column>] {
        &self.columns
    }

    /// The values of a property, to be changed.
    pub(crate) fn column_mut(&mut self, column: ColumnIndex) -> &mut Column {
        Arc::make_mut(&mut self.columns[column.index()])
    }

    /// A row by its place in the page.
    pub fn row(&self, index: usize) -> Row<'_> {
        Row { page: self, index }
    }

    /// Whether a key lies between the first and the last one.
    pub(crate) fn spans(&self, key: ObjectKey) -> bool {
        self.keys.first().is_some_and(|first| *first <= key) && self.keys.last().is_some_and(|last| key <= *last)
    }

    /// The place of a key.
    pub fn find(&self, key: ObjectKey) -> Result<usize, usize> {
        let first = *self.keys.first().ok_or(0usize)?;
        let offset = key.0.wrapping_sub(first.0) as usize;
        if self.keys.get(offset) == Some(&key) {
            return Ok(offset);
        }
        self.keys.binary_search(&key)
    }

    /// Inserts a row with its values, one for each column that has one.
    fn insert_filled(&mut self, index: usize, key: ObjectKey, stamp: Stamp, class: &ClassSchema, cells: &Cells<'_>) {
        to_grow(&mut self.keys, |keys| roomy(keys)).insert(index, key);
        to_grow(&mut self.stamps, |stamps| roomy(stamps)).insert(index, stamp);
        for ((column, property), cell) in self.columns.iter_mut().zip(&class.properties).zip(cells) {
            let column = to_grow(column, Column::roomy);
            match cell {
                Some((value, unset)) => column.insert_value(index, value, *unset, stamp),
                None => column.insert(index, !property.optional, stamp),
            }
        }
    }

    fn remove(&mut self, index: usize) {
        Arc::make_mut(&mut self.keys).remove(index);
        Arc::make_mut(&mut self.stamps).remove(index);
        for column in &mut self.columns {
            Arc::make_mut(column).remove(index);
        }
    }

    fn split_off(&mut self, index: usize) -> Page {
        let columns = self.columns.iter_mut().map(|column| Arc::new(Arc::make_mut(column).split_off(index)));
        Page {
            columns: columns.collect(),
            keys: Arc::new(Arc::make_mut(&mut self.keys).split_off(index)),
            stamps: Arc::new(Arc::make_mut(&mut self.stamps).split_off(index)),
        }
    }

    /// Appends the rows of another page, whose keys are above all here.
    fn append(&mut self, right: &Page) {
        let stamps = (self.stamps.as_slice(), right.stamps.as_slice());
        for (column, from) in self.columns.iter_mut().zip(&right.columns) {
            Arc::make_mut(column).append(from, stamps);
        }
        Arc::make_mut(&mut self.keys).extend_from_slice(&right.keys);
        Arc::make_mut(&mut self.stamps).extend_from_slice(&right.stamps);
    }
}

/// A part of a page, for inserting a row: a copy with room for it if others share the part.
fn to_grow<T>(part: &mut Arc<T>, copy: impl Fn(&T) -> T) -> &mut T {
    if Arc::get_mut(part).is_none() {
        *part = Arc::new(copy(part));
    }
    Arc::get_mut(part).expect("nobody else has what was just copied")
}

impl<'a> Row<'a> {
    /// The row's key.
    pub fn key(&self) -> ObjectKey {
        self.page.keys[self.index]
    }

    /// The value of a property.
    pub fn value(&self, column: ColumnIndex) -> ValueRef<'a> {
        self.page.columns[column.index()].value(self.index)
    }

    /// Whether the row's text has a word. Not so for properties that are no strings.
    pub(crate) fn has_word(&self, column: ColumnIndex, word: &Word) -> bool {
        self.page.columns[column.index()].words().is_some_and(|index| index.rows(word).get(self.index))
    }

    /// When and by whom the value of a property was set.
    pub fn stamp(&self, column: ColumnIndex) -> Stamp {
        self.page.columns[column.index()].stamp(self.index, self.page.stamps[self.index])
    }

    /// When and by whom the row was created.
    pub fn created(&self) -> Stamp {
        self.page.stamps[self.index]
    }

    /// How many columns the row has.
    pub fn width(&self) -> usize {
        self.page.columns.len()
    }
}

impl Group {
    pub(crate) fn of(pages: Vec<Arc<Page>>) -> Group {
        Group { pages, saved: Mutex::default() }
    }

    pub(crate) fn loaded(pages: Vec<Arc<Page>>, saved: Saved) -> Group {
        Group { pages, saved: Mutex::new(Some(saved)) }
    }

    /// The record in which the store has this group, if it has, and if it has that record with that checksum: one that was to
    /// hold the group may never have been written, or be another's now.
    pub fn saved(&self) -> Option<Saved> {
        *self.lock_saved()
    }

    fn lock_saved(&self) -> MutexGuard<'_, Option<Saved>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the group is about to be changed.
    pub(crate) fn forget_saved(&mut self) {
        self.saved = Mutex::default();
    }

    /// Notes the record in which the store is about to have this group.
    pub(crate) fn set_saved(&self, saved: Saved) {
        *self.lock_saved() = Some(saved);
    }

    pub(crate) fn page_of(&self, key: ObjectKey) -> Option<usize> {
        let above = self.pages.partition_point(|page| page.keys[0] <= key);
        above.checked_sub(1)
    }

    /// Inserts a row that is not there. Gives the pages that no longer fit, as a group to stand right of this one.
    pub(crate) fn insert(
        &mut self,
        key: ObjectKey,
        stamp: Stamp,
        class: &ClassSchema,
        cells: &Cells<'_>,
    ) -> Option<Group> {
        let mut at = self.page_of(key).unwrap_or(0);
        if self.pages.is_empty() {
            self.pages.push(Arc::new(Page::new(class)));
        }
        let index = self.pages[at].find(key).expect_err("the row is not there yet");
        let is_at_end = index == self.pages[at].len();
        let is_shared = Arc::get_mut(&mut self.pages[at]).is_none();
        let room = if is_at_end && is_shared { SHARED_ROWS } else { PAGE_ROWS };
        if self.pages[at].len() < room {
            Arc::make_mut(&mut self.pages[at]).insert_filled(index, key, stamp, class, cells);
            return None;
        }
        let mut right;
        if is_at_end {
            at = self.merge_up_to(at);
            right = Page::new(class);
            right.insert_filled(0, key, stamp, class, cells);
        } else {
            let page = Arc::make_mut(&mut self.pages[at]);
            right = page.split_off(PAGE_ROWS / 2);
            match index.checked_sub(page.len()) {
                Some(index) => right.insert_filled(index, key, stamp, class, cells),
                None => page.insert_filled(index, key, stamp, class, cells),
            }
        }
        self.pages.insert(at + 1, Arc::new(right));
        if self.pages.len() <= RECORD_PAGES {
            return None;
        }
        let keep = if at + 2 == self.pages.len() { RECORD_PAGES } else { RECORD_PAGES / 2 };
        Some(Group::of(self.pages.split_off(keep)))
    }

    /// Merges a page with the one before for as long as that is no longer than it: rows that come one in a transaction are
    /// copied once for each doubling. Gives where the page is then.
    fn merge_up_to(&mut self, mut at: usize) -> usize {
        while let Some(left) = at.checked_sub(1) {
            let (before, rows) = (self.pages[left].len(), self.pages[at].len());
            if before > rows && self.pages.len() < RECORD_PAGES || before + rows > PAGE_ROWS {
                break;
            }
            let right = self.pages.remove(at);
            Arc::make_mut(&mut self.pages[left]).append(&right);
            at = left;
        }
        at
    }

    /// Removes a row that is there.
    pub(crate) fn remove(&mut self, key: ObjectKey) {
        let at = self.page_of(key).expect("the row is in this group");
        let page = Arc::make_mut(&mut self.pages[at]);
        let index = page.find(key).expect("the row is in this page");
        page.remove(index);
        if page.is_empty() {
            self.pages.remove(at);
        }
    }
}
