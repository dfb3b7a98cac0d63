//! The objects of one class.

use std::sync::Arc;

use super::column::Column;
use super::leaving::{Groups, LeavingGroups};
use super::map::CowMap;
use super::page::{Cells, Group, Page, Row};
use super::primary_index::PrimaryIndex;
use super::snapshot::{AuthorIndex, Stamp};
use crate::ids::{ChangesetNumber, ClassIndex, ColumnIndex, ObjectKey, ServerVersion};
use crate::schema::{ClassSchema, Property};
use crate::value::{PrimaryKey, Value, ValueRef};

/// A link, seen from its target: (target, source class, source property, source object).
pub type BacklinkKey = (ObjectKey, ClassIndex, ColumnIndex, ObjectKey);

/// What is left of a deleted object: enough to tell a creation that saw the deletion from one that did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tombstone {
    /// Where in the server's history it was deleted; [`ServerVersion::PENDING`] while the server has not seen it.
    pub version: ServerVersion,
    /// Who deleted it.
    pub author: AuthorIndex,
    /// In which of the author's changesets.
    pub number: ChangesetNumber,
}

/// The objects of one class, with the indexes over them.
#[derive(Clone, Debug, Default)]
pub struct Table {
    primary_key: Option<ColumnIndex>,
    len: usize,
    groups: LeavingGroups,
    by_primary_key: PrimaryIndex,
    /// Rows whose primary key an earlier row has: only inside a migration, which ends with none.
    displaced: CowMap<(PrimaryKey, ObjectKey), ()>,
    /// Links to objects of this class, with how many there are from one property of one object.
    backlinks: CowMap<BacklinkKey, u32>,
    /// Links to objects of this class that sets remember as removed.
    pub(crate) remembered: CowMap<BacklinkKey, ()>,
    pub(crate) tombstones: CowMap<PrimaryKey, Tombstone>,
}

/// Sorts primary keys, and takes out those that an earlier row has.
fn set_apart<K: Ord + Clone>(keys: &mut Vec<(K, ObjectKey)>) -> Vec<(K, ObjectKey)> {
    keys.sort_unstable();
    let mut displaced = Vec::new();
    keys.dedup_by(|later, earlier| {
        let is_displaced = later.0 == earlier.0;
        if is_displaced {
            displaced.push(later.clone());
        }
        is_displaced
    });
    displaced
}

impl Table {
    pub(crate) fn new(class: &ClassSchema) -> Table {
        Table { primary_key: class.primary_key, ..Table::default() }
    }

    /// A table of groups in ascending order, as they come from a store. Backlinks are added by the snapshot.
    pub(crate) fn from_groups(
        class: &ClassSchema,
        groups: Vec<Arc<Group>>,
        tombstones: CowMap<PrimaryKey, Tombstone>,
    ) -> Table {
        let mut table = Table::new(class);
        table.tombstones = tombstones;
        let rows = groups.iter().flat_map(|group| group.pages()).map(|page| page.len()).sum();
        table.len = rows;
        if let Some(column) = class.primary_key {
            let (mut ints, mut others) = (Vec::with_capacity(rows), Vec::new());
            for page in groups.iter().flat_map(|group| group.pages()) {
                for (index, key) in page.keys.iter().enumerate() {
                    match PrimaryKey::from_ref(page.columns[column.index()].value(index)) {
                        Some(PrimaryKey::Int(int)) => ints.push((int, *key)),
                        Some(other) => others.push((other, *key)),
                        None => {}
                    }
                }
            }
            let mut displaced: Vec<(PrimaryKey, ObjectKey)> = set_apart(&mut others);
            displaced.extend(set_apart(&mut ints).into_iter().map(|(int, key)| (PrimaryKey::Int(int), key)));
            displaced.sort_unstable();
            table.by_primary_key = PrimaryIndex::from_sorted(ints, others);
            table.displaced = CowMap::from_sorted(displaced.into_iter().map(|waiting| (waiting, ())).collect());
        }
        let placed = groups.into_iter().filter_map(|group| Some((group.first()?, group)));
        table.groups = LeavingGroups::new(CowMap::from_sorted(placed.collect()));
        table
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether an object exists.
    pub fn contains(&self, key: ObjectKey) -> bool {
        self.row(key).is_some()
    }

    /// The object with a primary key.
    pub fn find(&self, primary_key: &Value) -> Option<ObjectKey> {
        self.find_key(&PrimaryKey::from_value(primary_key)?)
    }

    /// Whether no two rows have the same primary key. Always so outside a migration.
    pub(crate) fn has_distinct_keys(&self) -> bool {
        self.displaced.is_empty()
    }

    pub(crate) fn find_key(&self, primary_key: &PrimaryKey) -> Option<ObjectKey> {
        self.by_primary_key.get(primary_key)
    }

    /// An object's row.
    pub fn row(&self, key: ObjectKey) -> Option<Row<'_>> {
        let page = self.page(key)?;
        page.find(key).map(|index| page.row(index))
    }

    /// The page in which an object is, if it exists.
    pub(crate) fn page(&self, key: ObjectKey) -> Option<&Page> {
        self.groups.group_of(key)?.page_of(key)
    }

    /// All keys, ascending.
    pub fn keys(&self) -> impl Iterator<Item = ObjectKey> + '_ {
        self.pages().flat_map(|page| page.keys().iter().copied())
    }

    /// All rows in ascending order of their keys.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.pages().flat_map(|page| (0..page.len()).map(move |index| page.row(index)))
    }

    /// The last object whose key is from a lane. Looks at no more than the first key of each page, and into one page.
    pub(crate) fn last_of(&self, lane: u64) -> Option<ObjectKey> {
        let end = ObjectKey::last_of(lane);
        let page = self.pages().take_while(|page| page.keys[0] <= end).last()?;
        let count = page.keys.partition_point(|key| *key <= end);
        page.keys[..count].last().copied().filter(|key| key.lane() == lane)
    }

    /// All pages in ascending order of their keys.
    pub fn pages(&self) -> impl Iterator<Item = &Page> {
        self.shared_pages().map(|page| &**page)
    }

    /// All pages, to tell the shared ones of two tables by pointer.
    pub(crate) fn shared_pages(&self) -> impl Iterator<Item = &Arc<Page>> {
        self.groups().values().flat_map(|group| group.pages())
    }

    /// All groups by a lower bound of their keys.
    pub(crate) fn groups(&self) -> &Groups {
        self.groups.tidy()
    }

    /// The links to an object: the class, property and object that hold each, and how often.
    pub fn backlinks(&self, target: ObjectKey) -> impl Iterator<Item = (ClassIndex, ColumnIndex, ObjectKey, u32)> + '_ {
        let from = (target, ClassIndex(0), ColumnIndex(0), ObjectKey(0));
        self.backlinks
            .iter_from(&from)
            .take_while(move |((to, ..), _)| *to == target)
            .map(|((_, class, column, source), count)| (*class, *column, *source, *count))
    }

    /// All links to objects of this class, with how many there are of each.
    pub(crate) fn all_backlinks(&self) -> impl Iterator<Item = (BacklinkKey, u32)> + '_ {
        self.backlinks.iter().map(|(link, count)| (*link, *count))
    }

    /// The sets that remember a link to an object as removed: class, property and object.
    pub(crate) fn rememberers(
        &self,
        target: ObjectKey,
    ) -> impl Iterator<Item = (ClassIndex, ColumnIndex, ObjectKey)> + '_ {
        let from = (target, ClassIndex(0), ColumnIndex(0), ObjectKey(0));
        self.remembered
            .iter_from(&from)
            .take_while(move |((to, ..), ())| *to == target)
            .map(|((_, class, column, source), ())| (*class, *column, *source))
    }

    /// What is left of a deleted object.
    pub fn tombstone(&self, primary_key: &PrimaryKey) -> Option<&Tombstone> {
        self.tombstones.get(primary_key)
    }

    pub(crate) fn add_column(&mut self, property: &Property) {
        self.groups.change_all(|group| {
            for page in group.pages_mut() {
                let mut column = Column::new(property);
                for (index, stamp) in page.stamps.iter().enumerate() {
                    column.insert(index, !property.optional, *stamp);
                }
                page.columns.push(Arc::new(column));
            }
        });
    }

    /// Inserts a row with its values. Neither its key nor its primary key is there yet.
    pub(crate) fn insert(
        &mut self,
        key: ObjectKey,
        primary_key: Option<PrimaryKey>,
        stamp: Stamp,
        class: &ClassSchema,
        cells: &Cells<'_>,
    ) {
        if let Some(right) = self.groups.group_for(key).insert(key, stamp, class, cells) {
            self.groups.insert(right);
        }
        self.len += 1;
        if let Some(primary_key) = primary_key {
            self.claim(primary_key, key);
        }
    }

    /// Removes a row that is there.
    pub(crate) fn remove(&mut self, key: ObjectKey) {
        let row = self.row(key).expect("the row is there");
        let primary_key = self.primary_key.and_then(|column| PrimaryKey::from_ref(row.value(column)));
        if let Some(primary_key) = primary_key {
            self.release(primary_key, key);
        }
        self.groups.remove(key);
        self.len -= 1;
    }

    /// Takes rows that were removed out of their pages: nobody finds them, but they take up room.
    pub(crate) fn settle(&mut self) {
        self.groups.settle();
    }

    /// Whether no row is left to be taken out.
    pub(crate) fn is_settled(&self) -> bool {
        self.groups.is_settled()
    }

    /// Changes the page that holds a row that is there, in place.
    pub(crate) fn edit<T>(&mut self, key: ObjectKey, change: impl FnOnce(&mut Page, usize) -> T) -> T {
        let (page, index) = self.groups.group_mut(key).expect("the row is in a group").row_mut(key);
        change(page, index)
    }

    /// Has every group written anew.
    pub(crate) fn forget_saved(&mut self) {
        self.groups.change_all(|_| {});
    }

    pub(crate) fn set(&mut self, key: ObjectKey, column: ColumnIndex, value: ValueRef<'_>, stamp: Stamp) {
        if self.primary_key == Some(column) {
            let old = self.get(key, column).and_then(PrimaryKey::from_ref);
            if let Some(old) = old {
                self.release(old, key);
            }
            if let Some(primary_key) = PrimaryKey::from_ref(value) {
                self.claim(primary_key, key);
            }
        }
        self.edit(key, |page, index| {
            let cells = Arc::make_mut(&mut page.columns[column.index()]);
            cells.set_value(index, value);
            cells.set_stamp(index, stamp, &page.stamps);
        });
    }

    /// Changes a value of a mixed property where it is, and gives it a stamp.
    pub(crate) fn edit_mixed<T>(
        &mut self,
        key: ObjectKey,
        column: ColumnIndex,
        stamp: Stamp,
        change: impl FnOnce(&mut Value) -> T,
    ) -> T {
        self.edit(key, |page, index| {
            let cells = Arc::make_mut(&mut page.columns[column.index()]);
            cells.set_stamp(index, stamp, &page.stamps);
            change(cells.mixed_mut(index))
        })
    }

    /// Gives a primary key to a row. If another has it, this one waits for it.
    fn claim(&mut self, primary_key: PrimaryKey, key: ObjectKey) {
        if self.by_primary_key.get(&primary_key).is_some() {
            self.displaced.insert((primary_key, key), ());
        } else {
            self.by_primary_key.insert(primary_key, key);
        }
    }

    /// Takes a primary key from a row. The first that waits for it gets it.
    fn release(&mut self, primary_key: PrimaryKey, key: ObjectKey) {
        if self.by_primary_key.get(&primary_key) != Some(key) {
            self.displaced.remove(&(primary_key, key));
            return;
        }
        if self.displaced.is_empty() {
            self.by_primary_key.remove(&primary_key);
            return;
        }
        let from = (primary_key, ObjectKey(0));
        let heir = self.displaced.iter_from(&from).next().map(|(waiting, ())| waiting.clone());
        let (primary_key, _) = from;
        match heir.filter(|(wanted, _)| *wanted == primary_key) {
            Some(heir) => {
                self.displaced.remove(&heir);
                self.by_primary_key.insert(heir.0, heir.1);
            }
            None => self.by_primary_key.remove(&primary_key),
        }
    }

    pub(crate) fn add_backlink(&mut self, backlink: BacklinkKey) {
        let count = self.backlinks.get(&backlink).copied().unwrap_or(0);
        self.backlinks.insert(backlink, count + 1);
    }

    pub(crate) fn remove_backlink(&mut self, backlink: BacklinkKey) {
        match self.backlinks.get(&backlink).copied() {
            Some(count) if count > 1 => drop(self.backlinks.insert(backlink, count - 1)),
            Some(_) => drop(self.backlinks.remove(&backlink)),
            None => unreachable!("a link {backlink:?} has its backlink"),
        }
    }

    /// Whether any object of the class is linked to.
    pub(crate) fn has_backlinks(&self) -> bool {
        !self.backlinks.is_empty()
    }

    pub(crate) fn set_backlinks(&mut self, mut links: Vec<BacklinkKey>) {
        links.sort_unstable();
        let mut counted: Vec<(BacklinkKey, u32)> = Vec::with_capacity(links.len());
        for link in links {
            match counted.last_mut() {
                Some((last, count)) if *last == link => *count += 1,
                _ => counted.push((link, 1)),
            }
        }
        self.backlinks = CowMap::from_sorted(counted);
    }

    /// The value of one property of one object.
    pub fn get(&self, key: ObjectKey, column: ColumnIndex) -> Option<ValueRef<'_>> {
        self.row(key).map(|row| row.value(column))
    }
}
