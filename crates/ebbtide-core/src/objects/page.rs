//! Pages of rows, and the groups in which the store keeps them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::column::{Column, Unset, roomy};
use super::snapshot::Stamp;
use crate::ids::{ColumnIndex, ObjectKey, RecordId};
use crate::limits::{PAGE_ROWS, RECORD_PAGES};
use crate::schema::ClassSchema;
use crate::value::{Value, ValueRef};
use crate::words::Word;

/// Up to [`PAGE_ROWS`] rows in ascending order of their keys, as columns.
#[derive(Clone, Debug)]
pub struct Page {
    pub(crate) keys: Vec<ObjectKey>,
    pub(crate) stamps: Vec<Stamp>,
    pub(crate) columns: Vec<Column>,
}

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
        let columns = class.properties.iter().map(Column::new).collect();
        Page { keys: Vec::new(), stamps: Vec::new(), columns }
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
    pub fn columns(&self) -> &[Column] {
        &self.columns
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

    /// The page for inserting a row: a copy with room for it if others share the page.
    fn to_grow(page: &mut Arc<Page>) -> &mut Page {
        if Arc::get_mut(page).is_none() {
            let columns = page.columns.iter().map(Column::roomy).collect();
            *page = Arc::new(Page { keys: roomy(&page.keys), stamps: roomy(&page.stamps), columns });
        }
        Arc::get_mut(page).expect("nobody else has what was just copied")
    }

    /// Inserts a row with its values, one for each column that has one.
    fn insert_filled(&mut self, index: usize, key: ObjectKey, stamp: Stamp, class: &ClassSchema, cells: &Cells<'_>) {
        self.keys.insert(index, key);
        self.stamps.insert(index, stamp);
        for ((column, property), cell) in self.columns.iter_mut().zip(&class.properties).zip(cells) {
            match cell {
                Some((value, unset)) => column.insert_value(index, value, *unset, stamp),
                None => column.insert(index, !property.optional, stamp),
            }
        }
    }

    fn remove(&mut self, index: usize) {
        self.keys.remove(index);
        self.stamps.remove(index);
        for column in &mut self.columns {
            column.remove(index);
        }
    }

    fn split_off(&mut self, index: usize) -> Page {
        Page {
            keys: self.keys.split_off(index),
            stamps: self.stamps.split_off(index),
            columns: self.columns.iter_mut().map(|column| column.split_off(index)).collect(),
        }
    }
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
        let at = self.page_of(key).unwrap_or(0);
        if self.pages.is_empty() {
            self.pages.push(Arc::new(Page::new(class)));
        }
        let page = Page::to_grow(&mut self.pages[at]);
        let index = page.find(key).expect_err("the row is not there yet");
        if page.len() < PAGE_ROWS {
            page.insert_filled(index, key, stamp, class, cells);
            return None;
        }
        let mut right = if index == page.len() { Page::new(class) } else { page.split_off(PAGE_ROWS / 2) };
        match index.checked_sub(page.len()) {
            Some(index) => right.insert_filled(index, key, stamp, class, cells),
            None => page.insert_filled(index, key, stamp, class, cells),
        }
        self.pages.insert(at + 1, Arc::new(right));
        if self.pages.len() <= RECORD_PAGES {
            return None;
        }
        let keep = if at + 2 == self.pages.len() { RECORD_PAGES } else { RECORD_PAGES / 2 };
        Some(Group::of(self.pages.split_off(keep)))
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
