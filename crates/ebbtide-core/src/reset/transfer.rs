//! Makes a state of ours equal to a fresh one by writing the difference only, so that rows keep their keys and what did
//! not differ keeps its pages.

use std::collections::BTreeMap;

use crate::clock::EditTime;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::objects::{AuthorIndex, CowMap, ElementId, KeySource, List, Row, Snapshot, Stamp, Tombstone};
use crate::schema::{ClassSchema, Collection};
use crate::value::{PrimaryKey, Value, ValueRef};

/// Gives `ours` the content of `fresh`: objects, values, stamps, list elements, tombstones. Classes and properties that
/// only `fresh` has are added; those that only `ours` has must not exist. Gives also the latest edit time in `fresh`.
pub fn transfer(ours: &Snapshot, fresh: &Snapshot, keys: &mut KeySource<'_>) -> (Snapshot, EditTime) {
    let mut transfer = Transfer::new(ours.clone(), fresh);
    let classes: Vec<ClassIndex> = (0..fresh.schema().classes.len() as u32).map(ClassIndex).collect();
    for class in &classes {
        transfer.remove_rows(*class);
    }
    for class in &classes {
        transfer.insert_rows(*class, keys);
    }
    for class in &classes {
        transfer.set_rows(*class);
        transfer.set_tombstones(*class);
    }
    (transfer.result, transfer.latest)
}

struct Transfer<'a> {
    fresh: &'a Snapshot,
    result: Snapshot,
    /// Our index for each class of `fresh`.
    classes: Vec<ClassIndex>,
    /// Our column for each column of each class of `fresh`.
    columns: Vec<Vec<ColumnIndex>>,
    /// Our author for each author of `fresh`.
    authors: Vec<AuthorIndex>,
    /// Our key for each key of `fresh`.
    keys: Vec<BTreeMap<ObjectKey, ObjectKey>>,
    latest: EditTime,
}

impl<'a> Transfer<'a> {
    fn new(mut result: Snapshot, fresh: &'a Snapshot) -> Transfer<'a> {
        let mut classes = Vec::new();
        let mut columns = Vec::new();
        for class in &fresh.schema().classes {
            let index = match result.schema().class_index(&class.name) {
                Some(index) => index,
                None => result.add_class(ClassSchema::clone(class)),
            };
            for property in &class.properties {
                if result.schema().class(index).column(&property.name).is_none() {
                    result.add_property(index, property.clone());
                }
            }
            let ours = result.schema().class(index);
            let column = |name: &str| ours.column(name).expect("missing properties were just added");
            columns.push(class.properties.iter().map(|property| column(&property.name)).collect());
            classes.push(index);
        }
        let authors = fresh.authors().ids().iter().map(|id| result.author(*id)).collect();
        let keys = vec![BTreeMap::new(); fresh.schema().classes.len()];
        Transfer { fresh, result, classes, columns, authors, keys, latest: EditTime::default() }
    }

    fn remove_rows(&mut self, class: ClassIndex) {
        let ours = self.classes[class.index()];
        let Some(column) = self.result.schema().class(ours).primary_key else { return };
        let fresh = self.fresh.table(class);
        let gone: Vec<ObjectKey> = self
            .result
            .table(ours)
            .rows()
            .filter(|row| PrimaryKey::from_ref(row.value(column)).is_none_or(|key| fresh.find_key(&key).is_none()))
            .map(|row| row.key())
            .collect();
        for key in gone {
            self.result.remove_row(ours, key);
        }
    }

    fn insert_rows(&mut self, class: ClassIndex, keys: &mut KeySource<'_>) {
        let ours = self.classes[class.index()];
        let schema = self.fresh.schema().class(class);
        let Some(column) = schema.primary_key else { return };
        for row in self.fresh.table(class).rows() {
            let Some(primary_key) = PrimaryKey::from_ref(row.value(column)) else { continue };
            let key = match self.result.table(ours).find_key(&primary_key) {
                Some(key) => key,
                None => {
                    let key = keys.key_for(&schema.name, &primary_key);
                    let stamp = self.stamp(row.created());
                    self.result.insert_row(ours, key, Some(primary_key), stamp);
                    key
                }
            };
            self.keys[class.index()].insert(row.key(), key);
        }
    }

    fn set_rows(&mut self, class: ClassIndex) {
        let fresh = self.fresh;
        let schema = fresh.schema().class(class);
        for row in fresh.table(class).rows() {
            let Some(key) = self.keys[class.index()].get(&row.key()).copied() else { continue };
            for (index, property) in schema.properties.iter().enumerate() {
                let column = ColumnIndex(index as u32);
                if schema.primary_key == Some(column) {
                    continue;
                }
                match property.collection {
                    Collection::None => self.set_cell(class, row, column, key),
                    Collection::List => self.set_list(class, row, column, key),
                }
            }
        }
    }

    fn set_cell(&mut self, class: ClassIndex, row: Row<'_>, column: ColumnIndex, key: ObjectKey) {
        let value = self.value(class, column, row.value(column));
        let stamp = self.stamp(row.stamp(column));
        let (ours, our_column) = self.place(class, column);
        let present = self.result.table(ours).row(key).expect("the row is there or was just inserted");
        if present.stamp(our_column) != stamp || !present.value(our_column).same(&value.as_ref()) {
            self.result.set_cell(ours, key, our_column, &value, stamp);
        }
    }

    fn set_list(&mut self, class: ClassIndex, row: Row<'_>, column: ColumnIndex, key: ObjectKey) {
        let ValueRef::List(list) = row.value(column) else { return };
        let mut elements = list.elements().to_vec();
        for element in &mut elements {
            element.id = self.element(element.id);
            element.after = element.after.map(|after| self.element(after));
            element.placed = self.stamp(element.placed);
            element.stamp = self.stamp(element.stamp);
            element.value = self.value(class, column, element.value.as_ref());
        }
        let (ours, our_column) = self.place(class, column);
        let list = List { elements };
        if self.result.list(ours, key, our_column) != Some(&list) {
            self.result.list_replace(ours, key, our_column, list);
        }
    }

    fn set_tombstones(&mut self, class: ClassIndex) {
        let fresh = &self.fresh.table(class).tombstones;
        let adopt =
            |tombstone: &Tombstone| Tombstone { author: self.authors[tombstone.author.0 as usize], ..*tombstone };
        let tombstones: Vec<_> = fresh.iter().map(|(key, tombstone)| (key.clone(), adopt(tombstone))).collect();
        let ours = self.classes[class.index()];
        let present = &self.result.table(ours).tombstones;
        let same = present.len() == tombstones.len()
            && present.iter().zip(&tombstones).all(|(a, b)| (a.0, a.1) == (&b.0, &b.1));
        if !same {
            self.result.table_mut(ours).tombstones = CowMap::from_sorted(tombstones);
        }
    }

    fn place(&self, class: ClassIndex, column: ColumnIndex) -> (ClassIndex, ColumnIndex) {
        (self.classes[class.index()], self.columns[class.index()][column.index()])
    }

    fn value(&self, class: ClassIndex, column: ColumnIndex, value: ValueRef<'_>) -> Value {
        match (value, self.fresh.link_target(class, column)) {
            (ValueRef::Link(key), Some(target)) => {
                self.keys[target.index()].get(&key).map_or(Value::Null, |key| Value::Link(*key))
            }
            (value, _) => value.to_owned(),
        }
    }

    fn stamp(&mut self, stamp: Stamp) -> Stamp {
        self.latest = self.latest.max(stamp.time);
        if stamp == Stamp::UNSET { stamp } else { Stamp { author: self.author(stamp.author), ..stamp } }
    }

    fn element(&self, id: ElementId) -> ElementId {
        ElementId { author: self.author(id.author), ..id }
    }

    fn author(&self, author: AuthorIndex) -> AuthorIndex {
        self.authors.get(author.0 as usize).copied().unwrap_or_default()
    }
}
