//! What must hold in every snapshot, checked from scratch: for tests, and for whoever doubts a state.

use std::collections::BTreeMap;

use super::chunks::Chunks;
use super::set::{SetElement, ascends};
use super::snapshot::Snapshot;
use super::table::BacklinkKey;
use super::transaction::Transaction;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::limits;
use crate::schema::{Collection, Property};
use crate::value::{PrimaryKey, ValueRef};

/// Backlinks, and what sets remember, as recomputed: by target class.
type Links = Vec<BTreeMap<BacklinkKey, u32>>;

impl Snapshot {
    /// Checks all that the parts of a snapshot promise each other: values have their properties' types, links lead to
    /// objects, backlinks are exactly the links, primary keys find their objects, every embedded object has one owner.
    ///
    /// Reads every value. The error says what does not hold, and of which class.
    pub fn audit(&self) -> Result<(), String> {
        let mut links: Links = vec![BTreeMap::new(); self.tables.len()];
        let mut remembered: Links = links.clone();
        for index in 0..self.tables.len() {
            self.audit_table(ClassIndex(index as u32), &mut links, &mut remembered)?;
        }
        for index in 0..self.tables.len() {
            let class = ClassIndex(index as u32);
            let (table, name) = (self.table(class), &self.schema().class(class).name);
            if links[index].keys().chain(remembered[index].keys()).any(|(to, ..)| !table.contains(*to)) {
                return Err(format!("a link to an object of '{name}' leads nowhere"));
            }
            if !table.all_backlinks().eq(links[index].iter().map(|(link, count)| (*link, *count))) {
                return Err(format!("the backlinks of '{name}' are not the links to it"));
            }
            if !table.remembered.iter().map(|(link, ())| *link).eq(remembered[index].keys().copied()) {
                return Err(format!("the links to '{name}' that sets remember are not accounted for"));
            }
            if self.schema().class(class).is_embedded() {
                for key in table.keys() {
                    self.audit_owner(class, key)?;
                }
            }
        }
        Ok(())
    }

    fn audit_table(&self, class: ClassIndex, links: &mut Links, remembered: &mut Links) -> Result<(), String> {
        let (table, schema) = (self.table(class), self.schema().class(class));
        if table.rows().count() != table.len() || !table.keys().is_sorted() {
            return Err(format!("the rows of '{}' are not in order", schema.name));
        }
        if !table.has_distinct_keys() {
            return Err(format!("two objects of '{}' have the same primary key", schema.name));
        }
        for row in table.rows() {
            if let Some(column) = schema.primary_key {
                let found = PrimaryKey::from_ref(row.value(column)).and_then(|key| table.find_key(&key));
                if found != Some(row.key()) {
                    return Err(format!("an object of '{}' is not found by its primary key", schema.name));
                }
            }
            for (index, property) in schema.properties.iter().enumerate() {
                let column = ColumnIndex(index as u32);
                let value = row.value(column);
                if !fits(property, value) {
                    return Err(format!("'{}.{}' holds a value of another type", schema.name, property.name));
                }
                let target = self.link_target(class, column);
                let link = |to: ObjectKey| (to, class, column, row.key());
                value.each_link(target, &mut |target, to| *links[target.index()].entry(link(to)).or_default() += 1);
                if let ValueRef::Set(set) = value {
                    for element in set.remembered() {
                        element.value.as_ref().each_link(target, &mut |target, to| {
                            *remembered[target.index()].entry(link(to)).or_default() += 1;
                        });
                    }
                }
            }
        }
        Ok(())
    }

    fn audit_owner(&self, class: ClassIndex, key: ObjectKey) -> Result<(), String> {
        match self.owners(class, key) {
            Some(_) => Ok(()),
            None => Err(format!("an embedded object of '{}' has not one owner", self.schema().class(class).name)),
        }
    }

    /// How many owners an object has, one in another, up to one that stands by itself; `None` for an embedded object that
    /// has none or two, or more than there may be.
    pub(crate) fn owners(&self, class: ClassIndex, key: ObjectKey) -> Option<usize> {
        let (mut at, mut depth) = ((class, key), 0);
        while self.schema().class(at.0).is_embedded() {
            let mut links = self.table(at.0).backlinks(at.1);
            let (Some((owner_class, column, owner, 1)), None) = (links.next(), links.next()) else { return None };
            if self.link_target(owner_class, column) != Some(at.0) || depth >= limits::EMBEDDED_DEPTH {
                return None;
            }
            (at, depth) = ((owner_class, owner), depth + 1);
        }
        Some(depth)
    }
}

/// Whether a property can hold what it holds.
fn fits(property: &Property, value: ValueRef<'_>) -> bool {
    let accepts = |value: ValueRef<'_>| Transaction::accepts(property, value);
    match (property.collection, value) {
        (Collection::List, ValueRef::List(list)) => list.iter().all(accepts),
        (Collection::Set, ValueRef::Set(set)) => {
            let sound = |elements: &Chunks<SetElement>| {
                ascends(elements)
                    && elements.iter().all(|element| accepts(element.value.as_ref()) && element.value.depth() == 0)
            };
            sound(set.elements()) && sound(set.remembered()) && set.iter().all(|value| set.removed(value).is_none())
        }
        (Collection::Dictionary, ValueRef::Dictionary(dictionary)) => {
            dictionary.entries().is_sorted_by(|a, b| a.key < b.key)
                && dictionary.removed.is_sorted_by(|a, b| a.key < b.key)
                && dictionary.removed.iter().all(|gone| dictionary.get(&gone.key).is_none())
                && dictionary.iter().all(|(_, value)| accepts(value))
        }
        (Collection::None, ValueRef::List(_) | ValueRef::Set(_) | ValueRef::Dictionary(_)) => false,
        (Collection::None, value) => accepts(value),
        (Collection::List | Collection::Set | Collection::Dictionary, _) => false,
    }
}
