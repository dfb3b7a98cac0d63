//! The elementary changes of lists, sets and dictionaries; what [`super::edit`] says of them holds here too.

use super::dictionary::Dictionary;
use super::list::{Element, ElementId, List};
use super::set::{Set, SetElement};
use super::snapshot::{Snapshot, Stamp};
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey, ServerVersion};
use crate::value::{Value, ValueRef};

/// After which element, when, and at which server version an element was put where it is.
pub(crate) type Placement = (Option<ElementId>, Stamp, ServerVersion);

/// A property of an object.
pub(crate) type Place = (ClassIndex, ObjectKey, ColumnIndex);

/// Where in a property a value is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    /// It is the property's one value.
    Single,
    /// An element of a list.
    Element(ElementId),
    /// An entry of a dictionary.
    Key(String),
}

impl Snapshot {
    /// The value in a place of a property, if there is one.
    pub(crate) fn in_slot(&self, (class, key, column): Place, slot: &Slot) -> Option<ValueRef<'_>> {
        match (slot, self.table(class).get(key, column)?) {
            (Slot::Single, value) => Some(value),
            (Slot::Element(id), ValueRef::List(list)) => list.get(list.position(*id)?),
            (Slot::Key(name), ValueRef::Dictionary(dictionary)) => dictionary.get(name),
            (Slot::Element(_) | Slot::Key(_), _) => None,
        }
    }

    /// Changes the mixed value in a place of a property, where there is one, and gives it a stamp.
    pub(crate) fn change_in_slot<T>(
        &mut self,
        (class, key, column): Place,
        slot: &Slot,
        stamp: Stamp,
        change: impl FnOnce(&mut Value) -> Option<T>,
    ) -> Option<T> {
        match slot {
            Slot::Single => self.table_mut(class).edit_mixed(key, column, stamp, change),
            Slot::Element(id) => {
                let index = self.list(class, key, column)?.position(*id)?;
                self.edit_list((class, key, column), |list| {
                    list.elements.change(index, |element| {
                        element.stamp = stamp;
                        change(&mut element.value)
                    })
                })
            }
            Slot::Key(name) => {
                let index = self.dictionary((class, key, column))?.position(name).ok()?;
                self.edit_dictionary((class, key, column), |dictionary| {
                    dictionary.entries.change(index, |entry| {
                        entry.renewal.repeat(entry.stamp, stamp);
                        entry.stamp = stamp;
                        change(&mut entry.value)
                    })
                })
            }
        }
    }

    /// The list of an object that is there.
    pub(crate) fn list(&self, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Option<&List> {
        match self.table(class).get(key, column)? {
            ValueRef::List(list) => Some(list),
            _ => None,
        }
    }

    /// The set of an object that is there.
    pub(crate) fn set_of(&self, (class, key, column): Place) -> Option<&Set> {
        match self.table(class).get(key, column)? {
            ValueRef::Set(set) => Some(set),
            _ => None,
        }
    }

    /// The dictionary of an object that is there.
    pub(crate) fn dictionary(&self, (class, key, column): Place) -> Option<&Dictionary> {
        match self.table(class).get(key, column)? {
            ValueRef::Dictionary(dictionary) => Some(dictionary),
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
        self.link_all((class, key, column), element.value.as_ref());
        self.edit_list((class, key, column), |list| list.elements.insert(index, element));
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
        self.link_all((class, key, column), value.as_ref());
        let old = self.edit_list((class, key, column), |list| {
            list.elements.change(index, |element| {
                element.stamp = stamp;
                std::mem::replace(&mut element.value, value)
            })
        });
        self.unlink_all((class, key, column), old.as_ref());
    }

    pub(crate) fn list_remove(&mut self, class: ClassIndex, key: ObjectKey, column: ColumnIndex, index: usize) {
        let old = self.edit_list((class, key, column), |list| list.elements.remove(index));
        self.unlink_all((class, key, column), old.value.as_ref());
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
        self.edit_list((class, key, column), |list| {
            let mut element = list.elements.remove(from);
            (element.after, element.placed, element.version) = placed;
            list.elements.insert(to, element);
        });
    }

    /// Replaces a whole list, as clearing and a reset do. Embedded objects that are in the old one only go.
    pub(crate) fn list_replace(&mut self, class: ClassIndex, key: ObjectKey, column: ColumnIndex, list: List) {
        let at = (class, key, column);
        self.link_all(at, ValueRef::List(&list));
        let old = self.edit_list(at, |old| std::mem::replace(old, list));
        self.unlink_all(at, ValueRef::List(&old));
    }

    /// Puts a value into a set, or gives the one that is there a stamp.
    pub(crate) fn set_insert(&mut self, at: Place, value: Value, stamp: Stamp) {
        let (is_new, is_remembered) = self
            .set_of(at)
            .map_or((false, false), |set| (!set.contains(value.as_ref()), set.removed(value.as_ref()).is_some()));
        if is_new {
            self.link_all(at, value.as_ref());
        }
        if is_remembered {
            self.forget_all(at, value.as_ref());
        }
        self.edit_set(at, |set| set.insert(value, stamp));
    }

    /// Takes a value out of a set, and remembers when if asked to.
    pub(crate) fn set_remove(&mut self, at: Place, value: ValueRef<'_>, remember: Option<Stamp>) {
        if remember.is_some() {
            self.remember_all(at, value);
        }
        if let Some(gone) = self.edit_set(at, |set| set.remove(value, remember)) {
            self.unlink_all(at, gone.as_ref());
        }
    }

    /// Takes all values out of a set but those put in after `stamp`, and remembers when if asked to.
    pub(crate) fn set_clear(&mut self, at: Place, stamp: Stamp, remember: Option<Stamp>) {
        let Some(set) = self.set_of(at) else { return };
        let is_later = |element: &&SetElement| self.later(element.stamp, stamp);
        let left = Set {
            elements: set.elements.iter().filter(is_later).cloned().collect(),
            removed: set.removed.iter().filter(is_later).cloned().collect(),
            cleared: remember.or(set.cleared),
        };
        self.set_replace(at, left);
    }

    /// Replaces a whole set, as clearing and a reset do.
    pub(crate) fn set_replace(&mut self, at: Place, set: Set) {
        self.link_all(at, ValueRef::Set(&set));
        let remembered = set.removed.clone();
        let old = self.edit_set(at, |old| std::mem::replace(old, set));
        self.unlink_all(at, ValueRef::Set(&old));
        old.removed.iter().for_each(|element| self.forget_all(at, element.value.as_ref()));
        remembered.iter().for_each(|element| self.remember_all(at, element.value.as_ref()));
    }

    /// Takes from a set the memory of a link to an object that is gone.
    pub(super) fn set_forget(&mut self, at: Place, class: ClassIndex, key: ObjectKey) {
        let links = [Value::Link(key), Value::TypedLink(class, key)];
        self.edit_set(at, |set| links.iter().for_each(|link| set.forget(link.as_ref())));
    }

    /// Notes the links in a value that a set is about to remember.
    fn remember_all(&mut self, from: Place, value: ValueRef<'_>) {
        for (target, link) in self.links_of(from, value) {
            self.table_mut(target).remembered.insert((link, from.0, from.2, from.1), ());
        }
    }

    /// Takes back the note of the links in a value that a set no longer remembers.
    pub(super) fn forget_all(&mut self, from: Place, value: ValueRef<'_>) {
        for (target, link) in self.links_of(from, value) {
            self.table_mut(target).remembered.remove(&(link, from.0, from.2, from.1));
        }
    }

    /// Sets the value of a key of a dictionary. An embedded object that was there goes.
    pub(crate) fn dictionary_set(&mut self, at: Place, key: &str, value: Value, stamp: Stamp) {
        self.link_all(at, value.as_ref());
        if let Some(old) = self.edit_dictionary(at, |dictionary| dictionary.set(key, value, stamp)) {
            self.unlink_all(at, old.as_ref());
        }
    }

    /// Removes a key of a dictionary, and remembers when if asked to.
    pub(crate) fn dictionary_remove(&mut self, at: Place, key: &str, remember: Option<Stamp>) {
        if let Some(gone) = self.edit_dictionary(at, |dictionary| dictionary.remove(key, remember)) {
            self.unlink_all(at, gone.as_ref());
        }
    }

    /// Removes all keys of a dictionary but those set after `stamp`, and remembers when if asked to.
    pub(crate) fn dictionary_clear(&mut self, at: Place, stamp: Stamp, remember: Option<Stamp>) {
        let Some(dictionary) = self.dictionary(at) else { return };
        let left = Dictionary {
            entries: dictionary.entries.iter().filter(|entry| self.later(entry.stamp, stamp)).cloned().collect(),
            removed: dictionary.removed.iter().filter(|gone| self.later(gone.stamp, stamp)).cloned().collect(),
            cleared: remember.or(dictionary.cleared),
        };
        self.dictionary_replace(at, left);
    }

    /// Replaces a whole dictionary, as clearing and a reset do. Embedded objects that are in the old one only go.
    pub(crate) fn dictionary_replace(&mut self, at: Place, dictionary: Dictionary) {
        self.link_all(at, ValueRef::Dictionary(&dictionary));
        let old = self.edit_dictionary(at, |old| std::mem::replace(old, dictionary));
        self.unlink_all(at, ValueRef::Dictionary(&old));
    }

    fn edit_list<T>(&mut self, (class, key, column): Place, change: impl FnOnce(&mut List) -> T) -> T {
        self.table_mut(class).edit(key, |page, index| change(page.column_mut(column).list_mut(index)))
    }

    fn edit_set<T>(&mut self, (class, key, column): Place, change: impl FnOnce(&mut Set) -> T) -> T {
        self.table_mut(class).edit(key, |page, index| change(page.column_mut(column).set_mut(index)))
    }

    fn edit_dictionary<T>(&mut self, (class, key, column): Place, change: impl FnOnce(&mut Dictionary) -> T) -> T {
        self.table_mut(class).edit(key, |page, index| change(page.column_mut(column).dictionary_mut(index)))
    }
}
