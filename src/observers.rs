//! Who listens to what, and what each is to be told of a change. The change sets themselves are made by the core.

use std::collections::BTreeMap;
use std::rc::Rc;

use ebbtide_core::notify::{CollectionChanges, Compare, Difference, Touched, diff, key_changes, list_changes};
use ebbtide_core::objects::List;
use ebbtide_core::{ClassIndex, ColumnIndex, ObjectKey, Snapshot};
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
    Results { results: Rc<Results>, keys: Rc<[ObjectKey]> },
    Object { class: ClassIndex, key: ObjectKey },
    List { class: ClassIndex, key: ObjectKey, column: ColumnIndex },
}

/// The registry of one realm.
#[derive(Default)]
pub(crate) struct Observers {
    watched: BTreeMap<u32, Watched>,
    last_id: u32,
}

impl Observers {
    /// Watches a collection from this state on.
    pub(crate) fn watch_results(&mut self, results: &Rc<Results>, snapshot: &Snapshot) -> u32 {
        if let (Source::List { class, key, column }, true) = (results.recipe.source, results.recipe.stages.is_empty()) {
            return self.watch_list(class, key, column);
        }
        let keys = results.recipe.keys(snapshot).into();
        self.add(Watched::Results { results: Rc::clone(results), keys })
    }

    /// Watches an object.
    pub(crate) fn watch_object(&mut self, class: ClassIndex, key: ObjectKey) -> u32 {
        self.add(Watched::Object { class, key })
    }

    /// Watches a list.
    pub(crate) fn watch_list(&mut self, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> u32 {
        self.add(Watched::List { class, key, column })
    }

    /// Ends a watch.
    pub(crate) fn remove(&mut self, id: u32) {
        self.watched.remove(&id);
    }

    /// Ends all.
    pub(crate) fn clear(&mut self) {
        self.watched.clear();
    }

    /// What is to be told of one change of the visible state, each listener at most once, and nothing to those whom it does
    /// not concern. `version` is that of the later state if it is what the app sees now.
    pub(crate) fn notices(&mut self, change: &Change<'_>) -> Vec<Notice> {
        let mut notices = Vec::new();
        if change.origin == Origin::Local && self.watched.is_empty() {
            return notices;
        }
        let difference = diff(change.before, change.after, change.compare);
        if difference.is_empty() {
            return notices;
        }
        if change.origin != Origin::Local {
            notices.push(Notice::Realm { origin: change.origin });
        }
        let touched = Touched::by(&difference, change.after);
        for (id, watched) in &mut self.watched {
            notices.extend(watched.notice(*id, change, &difference, &touched));
        }
        notices
    }

    fn add(&mut self, watched: Watched) -> u32 {
        self.last_id += 1;
        self.watched.insert(self.last_id, watched);
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

impl Watched {
    fn notice(&mut self, id: u32, change: &Change<'_>, difference: &Difference, touched: &Touched) -> Option<Notice> {
        match self {
            Watched::Results { results, keys } => {
                let class = results.recipe.element_class(change.after)?;
                let now: Rc<[ObjectKey]> = match change.version {
                    Some(version) => results.keys(change.after, version),
                    None => results.recipe.keys(change.after).into(),
                };
                let changes = key_changes(keys, &now, |key| touched.contains(class, key));
                *keys = now;
                let deleted = match results.recipe.source {
                    Source::Class(_) => false,
                    Source::List { class, key, .. } => is_deleted(change, class, key),
                };
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
                let modified = |key| target.is_some_and(|target| touched.contains(target, key));
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
