//! Pages of rows, and the groups in which the store keeps them.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::bits::Bits;
use super::column::{Column, roomy};
use super::snapshot::Stamp;
use crate::changeset::FieldSource;
use crate::ids::{ColumnIndex, ObjectKey, RecordId};
use crate::limits::{PAGE_ROWS, RECORD_PAGES};
use crate::schema::ClassSchema;
use crate::value::ValueRef;
use crate::words::Word;

/// Up to [`PAGE_ROWS`] rows in ascending order of their keys, as columns. A copy shares its parts until they are changed, so
/// that setting a property copies one column.
#[derive(Clone, Debug)]
pub struct Page {
    pub(crate) keys: Arc<Vec<ObjectKey>>,
    pub(crate) stamps: Arc<Vec<Stamp>>,
    pub(crate) columns: Vec<Arc<Column>>,
    /// Rows that have been removed and are still to be taken out: see [`super::leaving`].
    pub(super) gone: Bits,
}

/// To a page of so many rows that an earlier state shares no row is appended: the new one begins a page, because the copy would
/// cost more than the row.
const SHARED_ROWS: usize = 16;

/// The values of a new row by column, with whether somebody has set them.
pub(crate) type Cells<'a> = [Option<(ValueRef<'a>, FieldSource)>];

/// Up to [`RECORD_PAGES`] pages in ascending order: the unit in which a store keeps them. A group that was changed
/// since it was last saved has no record.
#[derive(Debug, Default)]
pub struct Group {
    pages: Vec<Placed>,
    saved: Mutex<Option<Saved>>,
}

/// A page, and where it begins: no key of it is below `from`, and none of the page before it is not. What is looked for in every
/// step of a search lies together.
#[derive(Clone, Debug)]
struct Placed {
    from: ObjectKey,
    page: Arc<Page>,
}

impl Placed {
    fn new(page: Page) -> Placed {
        Placed { from: page.keys[0], page: Arc::new(page) }
    }
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
        Page::of(Arc::default(), Arc::default(), columns)
    }

    /// A page of parts of one length.
    pub(crate) fn of(keys: Arc<Vec<ObjectKey>>, stamps: Arc<Vec<Stamp>>, columns: Vec<Arc<Column>>) -> Page {
        Page { keys, stamps, columns, gone: Bits::default() }
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

    /// The place of a row that has not been removed.
    pub fn find(&self, key: ObjectKey) -> Option<usize> {
        self.place_of(key).ok().filter(|index| !self.gone.get(*index))
    }

    /// The place of a key, or where it belongs.
    fn place_of(&self, key: ObjectKey) -> Result<usize, usize> {
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
                Some((value, source)) => column.insert_value(index, *value, *source, stamp),
                None => column.insert(index, !property.optional, stamp),
            }
        }
    }

    /// The page without the rows that have been removed.
    fn tidied(&self) -> Page {
        let stays = self.gone.unset_ranges(self.len());
        let columns = self.columns.iter().map(|column| Arc::new(column.only(&stays)));
        Page::of(only(&self.keys, &stays).into(), only(&self.stamps, &stays).into(), columns.collect())
    }

    fn split_off(&mut self, index: usize) -> Page {
        let columns = self.columns.iter_mut().map(|column| Arc::new(Arc::make_mut(column).split_off(index)));
        let columns = columns.collect();
        let keys = Arc::new(Arc::make_mut(&mut self.keys).split_off(index));
        Page::of(keys, Arc::new(Arc::make_mut(&mut self.stamps).split_off(index)), columns)
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

    /// The value of a property, to be ordered among those of other rows: see [`Column::value_to_order`].
    pub(crate) fn value_to_order(&self, column: ColumnIndex) -> ValueRef<'a> {
        self.page.columns[column.index()].value_to_order(self.index)
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
        let pages = pages.into_iter().map(|page| Placed { from: page.keys[0], page }).collect();
        Group { pages, saved: Mutex::default() }
    }

    pub(crate) fn loaded(pages: Vec<Arc<Page>>, saved: Saved) -> Group {
        Group { saved: Mutex::new(Some(saved)), ..Group::of(pages) }
    }

    /// Its pages in ascending order.
    pub(crate) fn pages(&self) -> impl ExactSizeIterator<Item = &Arc<Page>> {
        self.pages.iter().map(|placed| &placed.page)
    }

    /// Its pages, to be changed.
    pub(super) fn pages_mut(&mut self) -> impl Iterator<Item = &mut Page> {
        self.pages.iter_mut().map(|placed| Arc::make_mut(&mut placed.page))
    }

    /// A page by its place.
    pub(crate) fn page_at(&self, index: usize) -> Option<&Arc<Page>> {
        self.pages.get(index).map(|placed| &placed.page)
    }

    /// No key is below it; nothing without pages.
    pub(super) fn first(&self) -> Option<ObjectKey> {
        self.pages.first().map(|placed| placed.from)
    }

    /// Whether a row has been removed that is still to be taken out.
    pub(super) fn is_untidy(&self) -> bool {
        self.pages().any(|page| page.gone.any())
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

    /// The page in which a key is, if it is in the group.
    pub(super) fn page_of(&self, key: ObjectKey) -> Option<&Page> {
        Some(&self.pages[self.place_of(key)?].page)
    }

    fn place_of(&self, key: ObjectKey) -> Option<usize> {
        let above = self.pages.partition_point(|placed| placed.from <= key);
        above.checked_sub(1)
    }

    /// The page of a row that is there, and its place in it, to be changed.
    pub(super) fn row_mut(&mut self, key: ObjectKey) -> (&mut Page, usize) {
        let at = self.place_of(key).expect("the row is in this group");
        let page = Arc::make_mut(&mut self.pages[at].page);
        let index = page.find(key).expect("the row is in this page");
        (page, index)
    }

    /// Inserts a row that is not there into a group that is tidy. Gives the pages that no longer fit, as a group to stand right
    /// of this one.
    pub(crate) fn insert(
        &mut self,
        key: ObjectKey,
        stamp: Stamp,
        class: &ClassSchema,
        cells: &Cells<'_>,
    ) -> Option<Group> {
        let mut at = self.place_of(key).unwrap_or(0);
        if self.pages.is_empty() {
            self.pages.push(Placed { from: key, page: Arc::new(Page::new(class)) });
        }
        let placed = &mut self.pages[at];
        placed.from = placed.from.min(key);
        let index = placed.page.place_of(key).expect_err("the row is not there yet");
        let is_at_end = index == placed.page.len();
        let is_shared = Arc::get_mut(&mut placed.page).is_none();
        let room = if is_at_end && is_shared { SHARED_ROWS } else { PAGE_ROWS };
        if placed.page.len() < room {
            Arc::make_mut(&mut placed.page).insert_filled(index, key, stamp, class, cells);
            return None;
        }
        let mut right;
        if is_at_end {
            at = self.merge_up_to(at);
            right = Page::new(class);
            right.insert_filled(0, key, stamp, class, cells);
        } else {
            let page = Arc::make_mut(&mut placed.page);
            right = page.split_off(PAGE_ROWS / 2);
            match index.checked_sub(page.len()) {
                Some(index) => right.insert_filled(index, key, stamp, class, cells),
                None => page.insert_filled(index, key, stamp, class, cells),
            }
        }
        self.pages.insert(at + 1, Placed::new(right));
        if self.pages.len() <= RECORD_PAGES {
            return None;
        }
        let keep = if at + 2 == self.pages.len() { RECORD_PAGES } else { RECORD_PAGES / 2 };
        Some(Group { pages: self.pages.split_off(keep), saved: Mutex::default() })
    }

    /// Merges a page with the one before for as long as that is no longer than it: rows that come one in a transaction are
    /// copied once for each doubling. Gives where the page is then.
    fn merge_up_to(&mut self, mut at: usize) -> usize {
        while let Some(left) = at.checked_sub(1) {
            let (before, rows) = (self.pages[left].page.len(), self.pages[at].page.len());
            if before > rows && self.pages.len() < RECORD_PAGES || before + rows > PAGE_ROWS {
                break;
            }
            let right = self.pages.remove(at);
            Arc::make_mut(&mut self.pages[left].page).append(&right.page);
            at = left;
        }
        at
    }

    /// Marks a row that is there as removed. Whether it is the first one of its page.
    pub(super) fn mark_gone(&mut self, key: ObjectKey) -> bool {
        let (page, index) = self.row_mut(key);
        let is_first = !page.gone.any();
        page.gone.set(index, true);
        is_first
    }

    /// Takes the rows that have been removed out of the page of a key.
    pub(super) fn tidy(&mut self, key: ObjectKey) {
        let at = self.place_of(key).expect("the page is in this group");
        let tidied = self.pages[at].page.tidied();
        if tidied.is_empty() {
            self.pages.remove(at);
        } else {
            self.pages[at].page = Arc::new(tidied);
        }
    }
}

/// The values of some ranges of rows.
pub(super) fn only<T: Clone>(values: &[T], stays: &[Range<usize>]) -> Vec<T> {
    let mut only = Vec::with_capacity(stays.iter().map(Range::len).sum());
    for range in stays {
        only.extend_from_slice(&values[range.clone()]);
    }
    only
}
