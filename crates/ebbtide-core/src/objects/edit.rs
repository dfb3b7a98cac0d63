//! The elementary changes of a snapshot. Each keeps rows, indexes and backlinks in step; none asks whether it is
//! allowed: that is the business of [`super::Transaction`] for local writes and of [`crate::merge`] for all others.

use std::sync::Arc;

use super::list::{Element, ElementId, List};
use super::snapshot::{Snapshot, Stamp};
use super::table::Tombstone;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey, ServerVersion};
use crate::value::{PrimaryKey, Value, ValueRef};

/// Where keys of new rows come from. A row that another state of the same store already has gets that state's key, so
/// that whoever holds it still holds the same object; others get the next number.
#[derive(Clone, Debug)]
pub struct KeySource<'a> {
    next: ObjectKey,
    known: Vec<&'a Snapshot>,
}

impl<'a> KeySource<'a> {
    /// Keys from `next` on, and those of the states in `known`, which are looked up by class name and primary key.
    pub fn new(next: ObjectKey, known: Vec<&'a Snapshot>) -> KeySource<'a> {
        KeySource { next, known }
    }

    /// The next key that nobody has.
    pub fn next(&self) -> ObjectKey {
        self.next
    }

    /// The key for an object.
    pub(crate) fn key_for(&mut self, class: &str, primary_key: &PrimaryKey) -> ObjectKey {
        for snapshot in &self.known {
            let Some(index) = snapshot.schema().class_index(class) else { continue };
            if let Some(key) = snapshot.table(index).find_key(primary_key) {
                return key;
            }
        }
        self.draw()
    }

    /// A key that nobody has.
    pub(crate) fn draw(&mut self) -> ObjectKey {
        let key = ObjectKey(self.next.0.max(1));
        self.next = ObjectKey(key.0 + 1);
        key
    }

    /// Takes note that a key is in use.
    pub(crate) fn reserve(&mut self, key: ObjectKey) {
        self.next = self.next.max(ObjectKey(key.0 + 1));
    }
}

/// After which element, when, and at which server version an element was put where it is.
pub(crate) type Placement = (Option<ElementId>, Stamp, ServerVersion);

impl Snapshot {
    pub(crate) fn insert_row(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        primary_key: Option<PrimaryKey>,
        stamp: Stamp,
    ) {
        let schema = Arc::clone(&self.schema.classes[class.index()]);
        self.table_mut(class).insert(key, primary_key, stamp, &schema);
    }

    /// Removes a row. Links to it become null and leave lists.
    pub(crate) fn remove_row(&mut self, class: ClassIndex, key: ObjectKey) {
        let inbound: Vec<_> = self.table(class).backlinks(key).collect();
        for (source_class, column, source, _) in inbound {
            self.drop_links(source_class, column, source, key);
        }
        let schema = Arc::clone(&self.schema.classes[class.index()]);
        for (index, property) in schema.properties.iter().enumerate() {
            if property.has_links() {
                self.clear_backlinks(class, ColumnIndex(index as u32), key);
            }
        }
        self.table_mut(class).remove(key);
    }

    pub(crate) fn bury(&mut self, class: ClassIndex, primary_key: PrimaryKey, tombstone: Tombstone) {
        self.table_mut(class).tombstones.insert(primary_key, tombstone);
    }

    pub(crate) fn unbury(&mut self, class: ClassIndex, primary_key: &PrimaryKey) {
        if self.table(class).tombstone(primary_key).is_some() {
            self.table_mut(class).tombstones.remove(primary_key);
        }
    }

    /// Sets the value of a property that is no list.
    pub(crate) fn set_cell(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: &Value,
        stamp: Stamp,
    ) {
        if let Some(target) = self.link_target(class, column) {
            let old = self.table(class).get(key, column).map(|value| value.to_owned());
            if let Some(Value::Link(old)) = old {
                self.table_mut(target).remove_backlink((old, class, column, key));
            }
            if let Value::Link(link) = value {
                self.table_mut(target).add_backlink((*link, class, column, key));
            }
        }
        self.table_mut(class).set(key, column, value, stamp);
    }

    /// The list of an object that is there.
    pub(crate) fn list(&self, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Option<&List> {
        match self.table(class).get(key, column)? {
            ValueRef::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn list_insert(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
        element: Element,
    ) {
        self.count_link(class, column, key, &element.value, Count::Up);
        self.edit_list(class, key, column, |list| list.elements.insert(index, element));
    }

    pub(crate) fn list_set(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        index: usize,
        value: Value,
        stamp: Stamp,
    ) {
        self.count_link(class, column, key, &value, Count::Up);
        let old = self.edit_list(class, key, column, |list| {
            let element = &mut list.elements[index];
            element.stamp = stamp;
            std::mem::replace(&mut element.value, value)
        });
        self.count_link(class, column, key, &old, Count::Down);
    }

    pub(crate) fn list_remove(&mut self, class: ClassIndex, key: ObjectKey, column: ColumnIndex, index: usize) {
        let old = self.edit_list(class, key, column, |list| list.elements.remove(index));
        self.count_link(class, column, key, &old.value, Count::Down);
    }

    /// Moves an element to `to`, a position in the list without it.
    pub(crate) fn list_move(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        from: usize,
        to: usize,
        placed: Placement,
    ) {
        self.edit_list(class, key, column, |list| {
            let mut element = list.elements.remove(from);
            (element.after, element.placed, element.version) = placed;
            list.elements.insert(to, element);
        });
    }

    /// Replaces a whole list, as a reset does.
    pub(crate) fn list_replace(&mut self, class: ClassIndex, key: ObjectKey, column: ColumnIndex, list: List) {
        self.clear_backlinks(class, column, key);
        for element in &list.elements {
            self.count_link(class, column, key, &element.value, Count::Up);
        }
        self.edit_list(class, key, column, |old| *old = list);
    }

    /// Builds the backlinks of all tables from their links, after loading or reshaping.
    pub(crate) fn index_backlinks(&mut self) {
        let mut links: Vec<Vec<super::table::BacklinkKey>> = vec![Vec::new(); self.tables.len()];
        for (class_index, class) in self.schema.classes.iter().enumerate() {
            for (column_index, property) in class.properties.iter().enumerate().filter(|(_, p)| p.has_links()) {
                let (class, column) = (ClassIndex(class_index as u32), ColumnIndex(column_index as u32));
                let Some(target) = self.link_target(class, column) else { continue };
                let links = &mut links[target.index()];
                debug_assert!(property.target.is_some());
                for row in self.table(class).rows() {
                    match row.value(column) {
                        ValueRef::Link(to) => links.push((to, class, column, row.key())),
                        ValueRef::List(list) => links.extend(list.iter().filter_map(|value| match value {
                            ValueRef::Link(to) => Some((to, class, column, row.key())),
                            _ => None,
                        })),
                        _ => {}
                    }
                }
            }
        }
        for (index, links) in links.into_iter().enumerate() {
            let class = ClassIndex(index as u32);
            if !links.is_empty() || self.table(class).has_backlinks() {
                self.table_mut(class).set_backlinks(links);
            }
        }
    }

    /// The class that a property's links lead to.
    pub(crate) fn link_target(&self, class: ClassIndex, column: ColumnIndex) -> Option<ClassIndex> {
        let target = self.schema.class(class).property(column).target.as_deref()?;
        self.schema.class_index(target)
    }

    fn edit_list<T>(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        change: impl FnOnce(&mut List) -> T,
    ) -> T {
        self.table_mut(class).edit(key, |page, index| change(page.columns[column.index()].list_mut(index)))
    }

    fn count_link(&mut self, class: ClassIndex, column: ColumnIndex, source: ObjectKey, value: &Value, count: Count) {
        let Value::Link(to) = value else { return };
        let Some(target) = self.link_target(class, column) else { return };
        let backlink = (*to, class, column, source);
        match count {
            Count::Up => self.table_mut(target).add_backlink(backlink),
            Count::Down => self.table_mut(target).remove_backlink(backlink),
        }
    }

    fn clear_backlinks(&mut self, class: ClassIndex, column: ColumnIndex, key: ObjectKey) {
        let links: Vec<Value> = match self.table(class).get(key, column) {
            Some(ValueRef::Link(to)) => vec![Value::Link(to)],
            Some(ValueRef::List(list)) => list.iter().map(|value| value.to_owned()).collect(),
            _ => Vec::new(),
        };
        for link in &links {
            self.count_link(class, column, key, link, Count::Down);
        }
    }

    /// Takes the links from one property of one object to `target` away.
    fn drop_links(&mut self, class: ClassIndex, column: ColumnIndex, source: ObjectKey, target: ObjectKey) {
        let row = self.table(class).row(source).expect("the source of a backlink exists");
        match row.value(column) {
            ValueRef::Link(_) => {
                let stamp = row.stamp(column);
                self.set_cell(class, source, column, &Value::Null, stamp);
            }
            ValueRef::List(list) => {
                let places: Vec<usize> = (0..list.len())
                    .rev()
                    .filter(|index| matches!(list.get(*index), Some(ValueRef::Link(to)) if to == target))
                    .collect();
                for index in places {
                    self.list_remove(class, source, column, index);
                }
            }
            value => unreachable!("a backlink leads to a link, not to {value:?}"),
        }
    }
}

enum Count {
    Up,
    Down,
}
