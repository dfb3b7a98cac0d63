//! The elementary changes of a snapshot. Each keeps rows, indexes and backlinks in step; none asks whether it is
//! allowed: that is the business of [`super::Transaction`] for local writes and of [`crate::merge`] for all others.

use std::sync::Arc;

use super::edit_collection::Place;
use super::map::CowMap;
use super::snapshot::{Snapshot, Stamp};
use super::table::Tombstone;
use super::transaction::Cell;
use crate::changeset::FieldSource;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::mutants::{Mutant, mutant};
use crate::value::{PrimaryKey, Value, ValueRef};

/// What a row holds that others keep account of.
#[derive(Default)]
struct Held {
    links: Vec<(ColumnIndex, ClassIndex, ObjectKey)>,
    remembered: Vec<(ColumnIndex, Value)>,
}

impl Snapshot {
    pub(crate) fn insert_row(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        primary_key: Option<PrimaryKey>,
        stamp: Stamp,
    ) {
        self.insert_filled_row(class, key, primary_key, stamp, &[]);
    }

    /// Inserts a row with values; all others are null, zero or empty and unset.
    pub(crate) fn insert_filled_row(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        primary_key: Option<PrimaryKey>,
        stamp: Stamp,
        filled: &[Cell<'_>],
    ) {
        let schema = Arc::clone(&self.schema.classes[class.index()]);
        let mut cells: Vec<Option<(ValueRef<'_>, FieldSource)>> = vec![None; schema.properties.len()];
        let key_value = primary_key.as_ref().map(PrimaryKey::to_value);
        if let (Some(column), Some(value)) = (schema.primary_key, &key_value) {
            cells[column.index()] = Some((value.as_ref(), FieldSource::Given));
        }
        for Cell { column, value, source } in filled {
            cells[column.index()] = Some((*value, *source));
        }
        self.table_mut(class).insert(key, primary_key, stamp, &schema, &cells);
        for Cell { column, value, .. } in filled.iter().filter(|cell| schema.property(cell.column).has_links()) {
            self.link_all((class, key, *column), *value);
        }
    }

    /// Removes a row. Links to it become null and leave lists and sets; embedded objects that it owns go with it.
    pub(crate) fn remove_row(&mut self, class: ClassIndex, key: ObjectKey) {
        let inbound: Vec<_> = self.table(class).backlinks(key).collect();
        let rememberers: Vec<_> = self.table(class).rememberers(key).collect();
        let held = self.held_by(class, key);
        self.table_mut(class).remove(key);
        self.let_go((class, key), held);
        for (source_class, column, source) in rememberers {
            if self.table(source_class).contains(source) {
                self.set_forget((source_class, source, column), class, key);
            }
            self.table_mut(class).remembered.remove(&(key, source_class, column, source));
        }
        for (source_class, column, source, _) in inbound {
            // The object may link to itself, or have taken the source with it.
            if self.table(source_class).contains(source) {
                self.drop_links(source_class, column, source, (class, key));
            }
        }
    }

    /// The links that a row holds, and the values that its sets remember.
    fn held_by(&self, class: ClassIndex, key: ObjectKey) -> Held {
        let mut held = Held::default();
        let properties = self.schema.class(class).properties.iter().enumerate();
        for (index, property) in properties.filter(|(_, property)| property.has_links()) {
            let column = ColumnIndex(index as u32);
            let target = property.target.as_deref().and_then(|target| self.schema.class_index(target));
            let Some(value) = self.table(class).get(key, column) else { continue };
            value.each_link(target, &mut |target, link| held.links.push((column, target, link)));
            if let ValueRef::Set(set) = value {
                held.remembered.extend(set.removed.iter().map(|element| (column, element.value.clone())));
            }
        }
        held
    }

    /// Uncounts what a row held that is gone.
    fn let_go(&mut self, (class, key): (ClassIndex, ObjectKey), held: Held) {
        for (column, target, link) in held.links {
            self.unlink((class, key, column), target, link);
        }
        for (column, value) in held.remembered {
            self.forget_all((class, key, column), value.as_ref());
        }
    }

    /// Makes a row of an embedded class anew under the same key, where it is: an author has put a second object into the
    /// place within one transaction.
    pub(crate) fn renew_row(&mut self, class: ClassIndex, key: ObjectKey, stamp: Stamp) {
        let held = self.held_by(class, key);
        self.table_mut(class).remove(key);
        self.insert_row(class, key, None, stamp);
        self.let_go((class, key), held);
    }

    pub(crate) fn bury(&mut self, class: ClassIndex, primary_key: PrimaryKey, tombstone: Tombstone) {
        self.table_mut(class).tombstones.insert(primary_key, tombstone);
    }

    pub(crate) fn unbury(&mut self, class: ClassIndex, primary_key: &PrimaryKey) {
        if self.table(class).tombstone(primary_key).is_some() {
            self.table_mut(class).tombstones.remove(primary_key);
        }
    }

    /// Sets the value of a property that is no collection. An embedded object that was there goes.
    pub(crate) fn set_cell(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        value: ValueRef<'_>,
        stamp: Stamp,
    ) {
        if !self.schema.class(class).property(column).has_links() {
            self.table_mut(class).set(key, column, value, stamp);
            return;
        }
        let old = self.table(class).get(key, column).map_or(Value::Null, |value| value.to_owned());
        self.link_all((class, key, column), value);
        self.table_mut(class).set(key, column, value, stamp);
        self.unlink_all((class, key, column), old.as_ref());
    }

    /// Builds the backlinks of all tables from their links, after loading or reshaping.
    pub(crate) fn index_backlinks(&mut self) {
        let mut links: Vec<Vec<super::table::BacklinkKey>> = vec![Vec::new(); self.tables.len()];
        let mut remembered: Vec<Vec<(super::table::BacklinkKey, ())>> = vec![Vec::new(); self.tables.len()];
        for (class_index, class) in self.schema.classes.iter().enumerate() {
            for (column_index, _) in class.properties.iter().enumerate().filter(|(_, p)| p.has_links()) {
                let (class, column) = (ClassIndex(class_index as u32), ColumnIndex(column_index as u32));
                let target = self.link_target(class, column);
                for row in self.table(class).rows() {
                    row.value(column).each_link(target, &mut |target, to| {
                        links[target.index()].push((to, class, column, row.key()));
                    });
                    if let ValueRef::Set(set) = row.value(column) {
                        for element in &set.removed {
                            element.value.as_ref().each_link(target, &mut |target, to| {
                                remembered[target.index()].push(((to, class, column, row.key()), ()));
                            });
                        }
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
        for (index, mut remembered) in remembered.into_iter().enumerate() {
            let class = ClassIndex(index as u32);
            if !remembered.is_empty() || !self.table(class).remembered.is_empty() {
                remembered.sort_unstable();
                remembered.dedup();
                self.table_mut(class).remembered = CowMap::from_sorted(remembered);
            }
        }
    }

    /// The class that a property's links lead to; none for a `mixed`, whose links name theirs.
    pub(crate) fn link_target(&self, class: ClassIndex, column: ColumnIndex) -> Option<ClassIndex> {
        let target = self.schema.class(class).property(column).target.as_deref()?;
        self.schema.class_index(target)
    }

    /// Counts the links of a value that a property is about to hold.
    pub(super) fn link_all(&mut self, from: Place, value: ValueRef<'_>) {
        for (target, link) in self.links_of(from, value) {
            self.table_mut(target).add_backlink((link, from.0, from.2, from.1));
        }
    }

    /// Uncounts the links of a value that a property no longer holds.
    pub(super) fn unlink_all(&mut self, from: Place, value: ValueRef<'_>) {
        for (target, link) in self.links_of(from, value) {
            self.unlink(from, target, link);
        }
    }

    pub(super) fn links_of(&self, (class, _, column): Place, value: ValueRef<'_>) -> Vec<(ClassIndex, ObjectKey)> {
        let mut links = Vec::new();
        value.each_link(self.link_target(class, column), &mut |target, link| links.push((target, link)));
        links
    }

    /// Uncounts a link. An embedded object goes with the last link to it.
    fn unlink(&mut self, (class, key, column): Place, target: ClassIndex, link: ObjectKey) {
        self.table_mut(target).remove_backlink((link, class, column, key));
        if self.schema.class(target).is_embedded()
            && self.table(target).contains(link)
            && self.table(target).backlinks(link).next().is_none()
        {
            self.remove_row(target, link);
        }
    }

    /// Takes the links from one property of one object to `target`, which is gone, away.
    fn drop_links(
        &mut self,
        class: ClassIndex,
        column: ColumnIndex,
        source: ObjectKey,
        target: (ClassIndex, ObjectKey),
    ) {
        let is_mixed = self.schema.class(class).property(column).target.is_none();
        let row = self.table(class).row(source).expect("the source of a backlink exists");
        match row.value(column) {
            ValueRef::List(_) if mutant(Mutant::LinksStay) => {}
            ValueRef::List(list) => {
                for index in list.linking(target) {
                    let element = &self.list(class, source, column).expect("the list was just read").elements()[index];
                    if is_mixed && !element.value.links_to(target.0, target.1) {
                        let (value, stamp) = (element.value.without_link(target.0, target.1), element.stamp);
                        self.list_set(class, source, column, index, value, stamp);
                    } else {
                        self.list_remove(class, source, column, index);
                    }
                }
            }
            ValueRef::Set(set) => {
                // An element of a set is a link or has none in it.
                let link = if is_mixed { Value::TypedLink(target.0, target.1) } else { Value::Link(target.1) };
                if set.contains(link.as_ref()) {
                    self.set_remove((class, source, column), link.as_ref(), None);
                }
            }
            ValueRef::Dictionary(dictionary) => {
                let found = dictionary.linking(target);
                let found: Vec<_> = found.map(|entry| (entry.key.clone(), entry.value.clone(), entry.stamp)).collect();
                for (name, value, stamp) in found {
                    let value = value.without_link(target.0, target.1);
                    self.dictionary_set((class, source, column), &name, value, stamp);
                }
            }
            value => {
                let (value, stamp) = (value.to_owned().without_link(target.0, target.1), row.stamp(column));
                self.set_cell(class, source, column, value.as_ref(), stamp);
            }
        }
    }
}
