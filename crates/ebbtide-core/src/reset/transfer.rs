//! Makes a state of ours equal to a fresh one by writing the difference only, so that rows keep their keys and what did
//! not differ keeps its pages.

use std::collections::BTreeMap;

use crate::clock::EditTime;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::objects::{
    AuthorIndex, Chunks, CowMap, Element, ElementId, KeySource, List, Row, Set, SetElement, Slot, Snapshot, Stamp,
    Tombstone,
};
use crate::schema::{ClassSchema, Collection};
use crate::value::{PrimaryKey, Value, ValueRef};

/// Gives `ours` the content of `fresh`: objects, values, stamps, list elements, tombstones. Classes and properties that
/// only `fresh` has are added; those that only `ours` has must be empty there, and stay so. Gives also the latest edit time in `fresh`.
pub fn transfer(ours: &Snapshot, fresh: &Snapshot, keys: &mut KeySource<'_>) -> (Snapshot, EditTime) {
    let mut transfer = Transfer::new(ours.clone(), fresh);
    let classes: Vec<ClassIndex> = (0..fresh.schema().classes.len() as u32).map(ClassIndex).collect();
    for class in &classes {
        transfer.remove_rows(*class);
    }
    for class in &classes {
        transfer.insert_rows(*class, keys);
    }
    // Rows of embedded classes are made and set with their owners.
    for class in classes.iter().filter(|class| !fresh.schema().class(**class).is_embedded()) {
        transfer.set_rows(*class, keys);
        transfer.set_tombstones(*class);
    }
    transfer.result.settle();
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
        let schema = self.result.schema().class(ours);
        if schema.is_embedded() {
            return;
        }
        let fresh = self.fresh.table(class);
        let is_gone = |row: &Row<'_>| match schema.primary_key {
            Some(column) => PrimaryKey::from_ref(row.value(column)).is_none_or(|key| fresh.find_key(&key).is_none()),
            None => !fresh.contains(row.key()),
        };
        let gone: Vec<ObjectKey> = self.result.table(ours).rows().filter(is_gone).map(|row| row.key()).collect();
        for key in gone {
            self.result.remove_row(ours, key);
        }
    }

    fn insert_rows(&mut self, class: ClassIndex, keys: &mut KeySource<'_>) {
        let ours = self.classes[class.index()];
        let schema = self.fresh.schema().class(class);
        let Some(column) = schema.primary_key else {
            if !schema.is_embedded() {
                self.insert_keyless(class, keys);
            }
            return;
        };
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

    /// Objects without a primary key, which never leave their store, are named by the keys that they have there.
    fn insert_keyless(&mut self, class: ClassIndex, keys: &mut KeySource<'_>) {
        let ours = self.classes[class.index()];
        for row in self.fresh.table(class).rows() {
            if !self.result.table(ours).contains(row.key()) {
                keys.reserve(row.key());
                let stamp = self.stamp(row.created());
                self.result.insert_row(ours, row.key(), None, stamp);
            }
            self.keys[class.index()].insert(row.key(), row.key());
        }
    }

    fn set_rows(&mut self, class: ClassIndex, keys: &mut KeySource<'_>) {
        let fresh = self.fresh;
        for row in fresh.table(class).rows() {
            if let Some(key) = self.keys[class.index()].get(&row.key()).copied() {
                self.set_row(class, row, key, keys);
            }
        }
    }

    fn set_row(&mut self, class: ClassIndex, row: Row<'_>, key: ObjectKey, keys: &mut KeySource<'_>) {
        let schema = self.fresh.schema().class(class);
        for (index, property) in schema.properties.iter().enumerate() {
            let column = ColumnIndex(index as u32);
            if schema.primary_key == Some(column) {
                continue;
            }
            self.embed(class, row, column, key, keys);
            match property.collection {
                Collection::None => self.set_cell(class, row, column, key),
                Collection::List => self.set_list(class, row, column, key),
                Collection::Set => self.set_set(class, row, column, key),
                Collection::Dictionary => self.set_dictionary(class, row, column, key),
            }
            self.set_embedded(class, row, column, keys);
        }
    }

    /// Gives the embedded objects of a property rows: those that are in the same places already keep theirs.
    fn embed(
        &mut self,
        class: ClassIndex,
        row: Row<'_>,
        column: ColumnIndex,
        key: ObjectKey,
        keys: &mut KeySource<'_>,
    ) {
        let (ours, our_column) = self.place(class, column);
        for (slot, target, link) in self.embedded(class, row, column) {
            let fresh = self.fresh;
            let Some(child) = fresh.table(target).row(link) else { continue };
            let created = self.stamp(child.created());
            let slot = match slot {
                Slot::Element(id) => Slot::Element(self.element(id)),
                slot => slot,
            };
            let our_target = self.classes[target.index()];
            let kept = match self.result.in_slot((ours, key, our_column), &slot) {
                Some(ValueRef::Link(there)) => {
                    let stamp = self.result.table(our_target).row(there).map(|row| row.created());
                    (stamp == Some(created)).then_some(there)
                }
                _ => None,
            };
            let our_key = kept.unwrap_or_else(|| {
                let made = keys.embedded_key(&self.result, (ours, key, our_column), &slot, created);
                self.result.insert_row(our_target, made, None, created);
                made
            });
            self.keys[target.index()].insert(link, our_key);
        }
    }

    /// Sets the properties of the embedded objects of a property.
    fn set_embedded(&mut self, class: ClassIndex, row: Row<'_>, column: ColumnIndex, keys: &mut KeySource<'_>) {
        for (_, target, link) in self.embedded(class, row, column) {
            let fresh = self.fresh;
            let our_key = self.keys[target.index()].get(&link).copied();
            if let (Some(child), Some(our_key)) = (fresh.table(target).row(link), our_key) {
                self.set_row(target, child, our_key, keys);
            }
        }
    }

    /// The embedded objects of a property of a fresh row, with their places.
    fn embedded(&self, class: ClassIndex, row: Row<'_>, column: ColumnIndex) -> Vec<(Slot, ClassIndex, ObjectKey)> {
        let Some(target) = self.fresh.link_target(class, column) else { return Vec::new() };
        if !self.fresh.schema().class(target).is_embedded() {
            return Vec::new();
        }
        let found = |slot, value: ValueRef<'_>| match value {
            ValueRef::Link(key) => Some((slot, target, key)),
            _ => None,
        };
        match row.value(column) {
            ValueRef::List(list) => list
                .elements()
                .iter()
                .filter_map(|element| found(Slot::Element(element.id), element.value.as_ref()))
                .collect(),
            ValueRef::Dictionary(dictionary) => dictionary
                .entries()
                .iter()
                .filter_map(|entry| found(Slot::Key(entry.key.clone()), entry.value.as_ref()))
                .collect(),
            value => found(Slot::Single, value).into_iter().collect(),
        }
    }

    fn set_cell(&mut self, class: ClassIndex, row: Row<'_>, column: ColumnIndex, key: ObjectKey) {
        let value = self.value(class, column, row.value(column));
        let stamp = self.stamp(row.stamp(column));
        let (ours, our_column) = self.place(class, column);
        let present = self.result.table(ours).row(key).expect("the row is there or was just inserted");
        if present.stamp(our_column) != stamp || !present.value(our_column).same(&value.as_ref()) {
            self.result.set_cell(ours, key, our_column, value.as_ref(), stamp);
        }
    }

    fn set_list(&mut self, class: ClassIndex, row: Row<'_>, column: ColumnIndex, key: ObjectKey) {
        let ValueRef::List(list) = row.value(column) else { return };
        let mut elements: Vec<Element> = list.elements().iter().cloned().collect();
        for element in &mut elements {
            element.id = self.element(element.id);
            element.after = element.after.map(|after| self.element(after));
            element.placed = self.stamp(element.placed);
            element.stamp = self.stamp(element.stamp);
            element.value = self.value(class, column, element.value.as_ref());
        }
        let (ours, our_column) = self.place(class, column);
        let list = List { elements: elements.into() };
        if self.result.list(ours, key, our_column) != Some(&list) {
            self.result.list_replace(ours, key, our_column, list);
        }
    }

    fn set_set(&mut self, class: ClassIndex, row: Row<'_>, column: ColumnIndex, key: ObjectKey) {
        let ValueRef::Set(fresh) = row.value(column) else { return };
        let removed = self.set_elements(class, column, &fresh.removed);
        let elements = self.set_elements(class, column, fresh.elements());
        let set = Set { removed, elements, cleared: fresh.cleared.map(|cleared| self.stamp(cleared)) };
        let (ours, our_column) = self.place(class, column);
        if self.result.set_of((ours, key, our_column)) != Some(&set) {
            self.result.set_replace((ours, key, our_column), set);
        }
    }

    /// Elements of a set in our rows, and in the order that their links have there.
    fn set_elements(
        &mut self,
        class: ClassIndex,
        column: ColumnIndex,
        fresh: &Chunks<SetElement>,
    ) -> Chunks<SetElement> {
        let mut elements: Vec<SetElement> = fresh
            .iter()
            .map(|element| SetElement {
                value: self.value(class, column, element.value.as_ref()),
                stamp: self.stamp(element.stamp),
                renewal: element.renewal,
            })
            .collect();
        elements.sort_by(|a, b| a.value.as_ref().total_cmp(&b.value.as_ref()));
        elements.into()
    }

    fn set_dictionary(&mut self, class: ClassIndex, row: Row<'_>, column: ColumnIndex, key: ObjectKey) {
        let ValueRef::Dictionary(fresh) = row.value(column) else { return };
        let mut dictionary = fresh.clone();
        dictionary.entries.change_all(|entry| {
            entry.stamp = self.stamp(entry.stamp);
            entry.value = self.value(class, column, entry.value.as_ref());
        });
        dictionary.removed.change_all(|gone| gone.stamp = self.stamp(gone.stamp));
        dictionary.cleared = dictionary.cleared.map(|cleared| self.stamp(cleared));
        let (ours, our_column) = self.place(class, column);
        if self.result.dictionary((ours, key, our_column)) != Some(&dictionary) {
            self.result.dictionary_replace((ours, key, our_column), dictionary);
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
        let our_key = |target: ClassIndex, key| self.keys.get(target.index()).and_then(|keys| keys.get(&key)).copied();
        match (value, self.fresh.link_target(class, column)) {
            (ValueRef::Link(key), Some(target)) => our_key(target, key).map_or(Value::Null, Value::Link),
            (ValueRef::TypedLink(target, key), _) => {
                our_key(target, key).map_or(Value::Null, |key| Value::TypedLink(self.classes[target.index()], key))
            }
            (ValueRef::Array(values), _) => {
                Value::Array(values.iter().map(|value| self.value(class, column, value.as_ref())).collect())
            }
            (ValueRef::Map(values), _) => {
                let entry = |(key, value): (&String, &Value)| (key.clone(), self.value(class, column, value.as_ref()));
                Value::Map(values.iter().map(entry).collect())
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
