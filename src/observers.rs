//! Who listens to what, and what each is to be told of a change. The change sets themselves are made by the core.

use std::collections::BTreeMap;
use std::rc::Rc;

use ebbtide_core::notify::{
    CollectionChanges, Compare, Difference, Touched, diff, key_changes, list_changes, sequence_changes,
};
use ebbtide_core::objects::{Element, List};
use ebbtide_core::{ClassIndex, ColumnIndex, ObjectKey, Snapshot, ValueRef};
use ebbtide_sync::client::Origin;

use crate::results::{self, Results, Source};

/// The id under which the realm as a whole is told of.
const WHOLE_REALM: u32 = 0;

/// What one listener is told.
pub(crate) enum Notice {
    /// The realm has changed other than by the app's own hand.
    Realm { origin: Origin },
    /// A collection has changed.
    Collection { id: u32, changes: CollectionChanges, deleted: bool },
    /// An object has changed, or is gone.
    Object { id: u32, columns: Vec<ColumnIndex>, deleted: bool },
}

impl Notice {
    /// The id of the listener, or that of the whole realm.
    pub(crate) fn id(&self) -> u32 {
        match self {
            Notice::Realm { .. } => WHOLE_REALM,
            Notice::Collection { id, .. } | Notice::Object { id, .. } => *id,
        }
    }
}

enum Watched {
    Results {
        results: Rc<Results>,
        keys: Rc<[ObjectKey]>,
    },
    /// The values of a list in an order of their own.
    Values {
        results: Rc<Results>,
    },
    Object {
        class: ClassIndex,
        key: ObjectKey,
    },
    List {
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
    },
}

/// One listener.
struct Entry {
    watched: Watched,
    /// The state from which on it listens, until it has been told of a later one: what happened before in the same turn is
    /// none of its business.
    since: Option<Snapshot>,
}

/// The registry of one realm.
#[derive(Default)]
pub(crate) struct Observers {
    entries: BTreeMap<u32, Entry>,
    last_id: u32,
}

impl Observers {
    /// Watches a collection from this state on.
    pub(crate) fn watch_results(&mut self, results: &Rc<Results>, snapshot: &Snapshot) -> u32 {
        if let (Source::List { class, key, column }, true) = (results.recipe.source, results.recipe.stages.is_empty()) {
            return self.watch_list(class, key, column, snapshot);
        }
        if results.recipe.is_of_values(snapshot) {
            return self.add(Watched::Values { results: Rc::clone(results) }, snapshot);
        }
        let keys = results.recipe.keys(snapshot).into();
        self.add(Watched::Results { results: Rc::clone(results), keys }, snapshot)
    }

    /// Watches an object from this state on.
    pub(crate) fn watch_object(&mut self, class: ClassIndex, key: ObjectKey, snapshot: &Snapshot) -> u32 {
        self.add(Watched::Object { class, key }, snapshot)
    }

    /// Watches a list from this state on.
    pub(crate) fn watch_list(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        snapshot: &Snapshot,
    ) -> u32 {
        self.add(Watched::List { class, key, column }, snapshot)
    }

    /// Ends a watch.
    pub(crate) fn remove(&mut self, id: u32) {
        self.entries.remove(&id);
    }

    /// Ends all.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// What is to be told of one change of the visible state, each listener at most once, and nothing to those whom it does
    /// not concern. `version` is that of the later state if it is what the app sees now.
    pub(crate) fn notices(&mut self, change: &Change<'_>) -> Vec<Notice> {
        let mut notices = Vec::new();
        if change.origin == Origin::Local && self.entries.is_empty() {
            return notices;
        }
        let difference = change.difference();
        let touched = Touched::by(&difference, change.after);
        if change.origin != Origin::Local && !difference.is_empty() {
            notices.push(Notice::Realm { origin: change.origin });
        }
        for (id, entry) in &mut self.entries {
            notices.extend(match entry.since.take() {
                None if difference.is_empty() => None,
                None => entry.watched.notice(*id, change, &difference, &touched),
                Some(since) => {
                    let change = Change { before: &since, ..*change };
                    let difference = change.difference();
                    let touched = Touched::by(&difference, change.after);
                    entry.watched.notice(*id, &change, &difference, &touched)
                }
            });
        }
        notices
    }

    fn add(&mut self, watched: Watched, snapshot: &Snapshot) -> u32 {
        self.last_id += 1;
        self.entries.insert(self.last_id, Entry { watched, since: Some(snapshot.clone()) });
        self.last_id
    }
}

/// A change of the visible state.
pub(crate) struct Change<'a> {
    pub(crate) before: &'a Snapshot,
    pub(crate) after: &'a Snapshot,
    pub(crate) compare: Compare,
    pub(crate) origin: Origin,
    pub(crate) version: Option<u64>,
}

impl Change<'_> {
    fn difference(&self) -> Difference {
        diff(self.before, self.after, self.compare)
    }
}

impl Watched {
    fn notice(&mut self, id: u32, change: &Change<'_>, difference: &Difference, touched: &Touched) -> Option<Notice> {
        match self {
            Watched::Results { results, keys } => {
                if !results.recipe.is_concerned(difference, change.after) {
                    return None;
                }
                let class = results.recipe.element_class(change.after)?;
                let now = results
                    .recipe
                    .keys_after(keys, difference, change.after)
                    .unwrap_or_else(|| results.recipe.keys(change.after).into());
                if let Some(version) = change.version {
                    results.remember(version, &now);
                }
                let changes = key_changes(keys, &now, |key| touched.contains(class, key));
                *keys = now;
                let owner = results.recipe.source.owner();
                let deleted = owner.is_some_and(|(class, key)| is_deleted(change, class, key));
                told(changes, deleted).map(|changes| Notice::Collection { id, changes, deleted })
            }
            Watched::Values { results } => {
                let Source::List { class, key, .. } = results.recipe.source else { return None };
                if !results.recipe.is_concerned(difference, change.after) {
                    return None;
                }
                let (before, after) = (results.recipe.elements(change.before), results.recipe.elements(change.after));
                let ids = |elements: &[&Element]| elements.iter().map(|element| element.id).collect::<Vec<_>>();
                let changes = sequence_changes(&ids(&before), &ids(&after), |old, new| {
                    let (old, new) = (before[old], after[new]);
                    let set = change.compare == Compare::Stamps && old.stamp != new.stamp;
                    set || !old.value.as_ref().same(&new.value.as_ref())
                });
                let deleted = is_deleted(change, class, key);
                told(changes, deleted).map(|changes| Notice::Collection { id, changes, deleted })
            }
            Watched::Object { class, key } => {
                if is_deleted(change, *class, *key) {
                    return Some(Notice::Object { id, columns: Vec::new(), deleted: true });
                }
                let columns = difference.table(*class).modified_columns(*key)?.to_vec();
                Some(Notice::Object { id, columns, deleted: false })
            }
            Watched::List { class, key, column } => {
                let empty = List::default();
                let before = results::list(change.before, *class, *key, *column).unwrap_or(&empty);
                let after = results::list(change.after, *class, *key, *column).unwrap_or(&empty);
                let target = Some(change.after.schema())
                    .and_then(|schema| {
                        Some((schema, schema.classes.get(class.index())?.properties.get(column.index())?))
                    })
                    .and_then(|(schema, property)| schema.class_index(property.target.as_deref()?));
                let modified = |value: ValueRef<'_>| touched.is_linked_from(value, target);
                let changes = list_changes(before, after, change.compare, modified);
                let deleted = is_deleted(change, *class, *key);
                told(changes, deleted).map(|changes| Notice::Collection { id, changes, deleted })
            }
        }
    }
}

fn told(changes: CollectionChanges, deleted: bool) -> Option<CollectionChanges> {
    (deleted || !changes.is_empty()).then_some(changes)
}

fn is_deleted(change: &Change<'_>, class: ClassIndex, key: ObjectKey) -> bool {
    results::contains(change.before, class, key) && !results::contains(change.after, class, key)
}
