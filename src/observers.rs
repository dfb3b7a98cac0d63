//! Who listens to what, and what each is to be told of a change. The change sets themselves are made by the core.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ebbtide_core::notify::{
    CollectionChanges, Compare, DictionaryChanges, Difference, KeyList, KeyPaths, Touched, array_changes,
    dictionary_changes, diff, key_changes, list_changes, map_changes, sequence_changes, set_changes,
};
use ebbtide_core::objects::{Dictionary, Element, List, Set, Step};
use ebbtide_core::{ClassIndex, Collection, ColumnIndex, ObjectKey, Snapshot, Value, ValueRef};
use ebbtide_sync::client::Origin;

use crate::nested::find;
use crate::results::{self, Results, Source};

/// The id under which the realm as a whole is told of.
const WHOLE_REALM: u32 = 0;

/// What one listener is told.
pub(crate) enum Notice {
    /// The realm has changed other than by the app's own hand.
    Realm { origin: Origin },
    /// A collection with an order has changed.
    Collection { id: u32, changes: CollectionChanges, deleted: Deleted },
    /// A dictionary has changed.
    Dictionary { id: u32, changes: DictionaryChanges, deleted: Deleted },
    /// An object has changed, or is gone: properties, and key paths by their positions.
    Object { id: u32, columns: Vec<ColumnIndex>, paths: Vec<u32>, deleted: Deleted },
}

/// Whether an object, or the owner of a collection, is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deleted {
    No,
    Yes,
}

impl Notice {
    /// The id of the listener, or that of the whole realm.
    pub(crate) fn id(&self) -> u32 {
        match self {
            Notice::Realm { .. } => WHOLE_REALM,
            Notice::Collection { id, .. } | Notice::Dictionary { id, .. } | Notice::Object { id, .. } => *id,
        }
    }
}

enum Watched {
    Results {
        results: Rc<Results>,
        keys: KeyList,
    },
    /// The values of a list or a set in an order of their own.
    Values {
        results: Rc<Results>,
    },
    Object {
        class: ClassIndex,
        key: ObjectKey,
    },
    /// A property that is a collection.
    Collection(Place),
    /// A list or dictionary inside a value of a property.
    Nested {
        place: Place,
        path: Vec<Step>,
    },
}

/// A property of an object.
#[derive(Clone, Copy)]
struct Place {
    class: ClassIndex,
    key: ObjectKey,
    column: ColumnIndex,
}

/// Which changes of objects count.
#[derive(Default)]
pub(crate) enum Limits {
    /// All, over a few links.
    #[default]
    None,
    /// Those on key paths.
    Only(KeyPaths),
    /// Both: somebody asks for key paths, and somebody for no matter what.
    AnythingAnd(KeyPaths),
}

/// One listener.
struct Entry {
    watched: Watched,
    limits: Limits,
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
        if let (Source::List { class, key, column } | Source::Set { class, key, column }, true) =
            (&results.recipe.source, results.recipe.stages.is_empty())
        {
            return self.watch_collection(*class, *key, *column, snapshot);
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

    /// Watches a list, a set or a dictionary from this state on.
    pub(crate) fn watch_collection(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        snapshot: &Snapshot,
    ) -> u32 {
        self.add(Watched::Collection(Place { class, key, column }), snapshot)
    }

    /// Watches a list or dictionary inside a value from this state on.
    pub(crate) fn watch_nested(
        &mut self,
        class: ClassIndex,
        key: ObjectKey,
        column: ColumnIndex,
        path: Vec<Step>,
        snapshot: &Snapshot,
    ) -> u32 {
        self.add(Watched::Nested { place: Place { class, key, column }, path }, snapshot)
    }

    /// Says which changes count from now on.
    pub(crate) fn limit(&mut self, id: u32, limits: Limits) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.limits = limits;
        }
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
    /// not concern.
    pub(crate) fn notices(&mut self, change: &Change<'_>) -> Vec<Notice> {
        let mut notices = Vec::new();
        if change.origin == Origin::Local && self.entries.is_empty() {
            return notices;
        }
        if change.origin != Origin::Local && !change.difference().is_empty() {
            notices.push(Notice::Realm { origin: change.origin });
        }
        for (id, entry) in &mut self.entries {
            let notice = match entry.since.take() {
                Some(since) if !since.ptr_eq(change.before) => {
                    let change = Change { before: &since, ..change.again() };
                    entry.watched.notice(*id, &change, &entry.limits)
                }
                None | Some(_) => entry.watched.notice(*id, change, &entry.limits),
            };
            notices.extend(notice);
        }
        notices
    }

    fn add(&mut self, watched: Watched, snapshot: &Snapshot) -> u32 {
        self.last_id += 1;
        let entry = Entry { watched, limits: Limits::None, since: Some(snapshot.clone()) };
        self.entries.insert(self.last_id, entry);
        self.last_id
    }
}

/// A change of the visible state.
pub(crate) struct Change<'a> {
    before: &'a Snapshot,
    after: &'a Snapshot,
    compare: Compare,
    origin: Origin,
    /// That of the later state if it is what the app sees now.
    version: Option<u64>,
    difference: OnceCell<Difference>,
    touched: OnceCell<Rc<Touched>>,
}

impl<'a> Change<'a> {
    /// A change from one state to another. `version` is that of the later one if it is what the app sees now.
    pub(crate) fn new(
        before: &'a Snapshot,
        after: &'a Snapshot,
        compare: Compare,
        origin: Origin,
        version: Option<u64>,
    ) -> Change<'a> {
        Change { before, after, compare, origin, version, difference: OnceCell::new(), touched: OnceCell::new() }
    }

    /// The same with nothing found out yet.
    fn again(&self) -> Change<'a> {
        Change::new(self.before, self.after, self.compare, self.origin, self.version)
    }

    fn difference(&self) -> &Difference {
        self.difference.get_or_init(|| diff(self.before, self.after, self.compare))
    }

    /// The objects that count as changed for who listens to objects of a class.
    fn touched(&self, limits: &Limits, class: Option<ClassIndex>) -> Rc<Touched> {
        let any = || Rc::clone(self.touched.get_or_init(|| Rc::new(Touched::by(self.difference(), self.after))));
        let (mut touched, paths) = match limits {
            Limits::None => return any(),
            Limits::Only(paths) => (Touched::default(), paths),
            Limits::AnythingAnd(paths) => (Touched::clone(&any()), paths),
        };
        if let Some(class) = class {
            touched.add(class, paths.touched(self.difference(), self.before, self.after).into_keys());
        }
        Rc::new(touched)
    }

    fn deleted(&self, class: ClassIndex, key: ObjectKey) -> Deleted {
        let is_in = |snapshot| results::contains(snapshot, class, key);
        if is_in(self.before) && !is_in(self.after) { Deleted::Yes } else { Deleted::No }
    }

    fn deleted_owner(&self, source: &Source) -> Deleted {
        source.owner().map_or(Deleted::No, |(class, key)| self.deleted(class, key))
    }

    /// The class that a property links to.
    fn target(&self, class: ClassIndex, column: ColumnIndex) -> Option<ClassIndex> {
        let schema = self.after.schema();
        let property = schema.classes.get(class.index())?.properties.get(column.index())?;
        schema.class_index(property.target.as_deref()?)
    }
}

impl Watched {
    fn notice(&mut self, id: u32, change: &Change<'_>, limits: &Limits) -> Option<Notice> {
        if change.difference().is_empty() {
            return None;
        }
        match self {
            Watched::Results { results, keys } => results_notice(id, results, keys, change, limits),
            Watched::Values { results } => values_notice(id, results, change),
            Watched::Object { class, key } => object_notice(id, *class, *key, change, limits),
            Watched::Collection(place) => collection_notice(id, *place, change, limits),
            Watched::Nested { place, path } => nested_notice(id, *place, path, change),
        }
    }
}

fn results_notice(
    id: u32,
    results: &Rc<Results>,
    keys: &mut KeyList,
    change: &Change<'_>,
    limits: &Limits,
) -> Option<Notice> {
    let recipe = &results.recipe;
    // A key path may lead anywhere, against links too.
    if matches!(limits, Limits::None) && !recipe.is_concerned(change.difference(), change.after) {
        return None;
    }
    let class = recipe.element_class(change.after)?;
    let touched = change.touched(limits, Some(class));
    let (now, changes) = match recipe.flips(keys, change.difference(), change.after) {
        Some(flips) => keys.flip(&flips, touched.of(class)),
        None => {
            let now = recipe.keys(change.after);
            let changes = key_changes(&keys.to_vec(), &now, |key| touched.contains(class, key));
            (KeyList::from(now), changes)
        }
    };
    if let Some(version) = change.version {
        results.remember(version, &now);
    }
    *keys = now;
    told(id, changes, change.deleted_owner(&recipe.source))
}

fn values_notice(id: u32, results: &Rc<Results>, change: &Change<'_>) -> Option<Notice> {
    let recipe = &results.recipe;
    if !recipe.is_concerned(change.difference(), change.after) {
        return None;
    }
    let changes = match &recipe.source {
        Source::List { .. } => {
            let (before, after) = (recipe.elements(change.before), recipe.elements(change.after));
            let ids = |elements: &[&Element]| elements.iter().map(|element| element.id).collect::<Vec<_>>();
            sequence_changes(&ids(&before), &ids(&after), |old, new| {
                let (old, new) = (before[old], after[new]);
                let set = change.compare == Compare::Stamps && old.stamp != new.stamp;
                set || !old.value.as_ref().same(&new.value.as_ref())
            })
        }
        Source::Set { class, key, column } => {
            let empty = Set::default();
            let set = |snapshot| results::set(snapshot, *class, *key, *column).unwrap_or(&empty);
            let (before, after) = (set(change.before), set(change.after));
            let changes = set_changes(before, after, |_| false);
            if recipe.values_ascend() { changes } else { changes.reversed(before.len(), after.len()) }
        }
        Source::Nested { .. } => {
            let touched = change.touched(&Limits::None, None);
            let (before, after) = (recipe.ordered(change.before), recipe.ordered(change.after));
            array_changes(&before, &after, |value| touched.is_linked_from(value.as_ref(), None))
        }
        Source::Class(_) | Source::Backlinks { .. } => return None,
    };
    told(id, changes, change.deleted_owner(&recipe.source))
}

fn object_notice(id: u32, class: ClassIndex, key: ObjectKey, change: &Change<'_>, limits: &Limits) -> Option<Notice> {
    if change.deleted(class, key) == Deleted::Yes {
        return Some(Notice::Object { id, columns: Vec::new(), paths: Vec::new(), deleted: Deleted::Yes });
    }
    let columns = || change.difference().table(class).modified_columns(key).unwrap_or_default().to_vec();
    let on = |paths: &KeyPaths| {
        let mut touched = paths.touched(change.difference(), change.before, change.after);
        let paths = touched.remove(&key).unwrap_or_default();
        paths.into_iter().map(|path| path as u32).collect::<Vec<_>>()
    };
    let (columns, paths) = match limits {
        Limits::None => (columns(), Vec::new()),
        Limits::Only(paths) => (Vec::new(), on(paths)),
        Limits::AnythingAnd(paths) => (columns(), on(paths)),
    };
    let is_told = !columns.is_empty() || !paths.is_empty();
    is_told.then_some(Notice::Object { id, columns, paths, deleted: Deleted::No })
}

fn collection_notice(id: u32, place: Place, change: &Change<'_>, limits: &Limits) -> Option<Notice> {
    let Place { class, key, column } = place;
    let property = change.after.schema().classes.get(class.index())?.properties.get(column.index())?;
    let before = results::value(change.before, class, key, column);
    let after = results::value(change.after, class, key, column);
    let target = change.target(class, column);
    let touched = change.touched(limits, target);
    let modified = |value: ValueRef<'_>| touched.is_linked_from(value, target);
    let deleted = change.deleted(class, key);
    match property.collection {
        Collection::None => None,
        Collection::List => {
            let empty = List::default();
            let list = |value| if let Some(ValueRef::List(list)) = value { list } else { &empty };
            told(id, list_changes(list(before), list(after), change.compare, modified), deleted)
        }
        Collection::Set => {
            let empty = Set::default();
            let set = |value| if let Some(ValueRef::Set(set)) = value { set } else { &empty };
            told(id, set_changes(set(before), set(after), modified), deleted)
        }
        Collection::Dictionary => {
            let empty = Dictionary::default();
            let entries = |value| if let Some(ValueRef::Dictionary(entries)) = value { entries } else { &empty };
            told_keys(id, dictionary_changes(entries(before), entries(after), change.compare, modified), deleted)
        }
    }
}

/// What is told of a list or dictionary inside a value. What becomes of something else is gone.
fn nested_notice(id: u32, place: Place, path: &[Step], change: &Change<'_>) -> Option<Notice> {
    let Place { class, key, column } = place;
    let inside = |snapshot| find(results::value(snapshot, class, key, column)?, path);
    let touched = change.touched(&Limits::None, None);
    let modified = |value: &Value| touched.is_linked_from(value.as_ref(), None);
    match (inside(change.before)?, inside(change.after)) {
        (ValueRef::Array(before), Some(ValueRef::Array(after))) => {
            told(id, array_changes(before, after, modified), Deleted::No)
        }
        (ValueRef::Array(before), _) => told(id, array_changes(before, &[], modified), Deleted::Yes),
        (ValueRef::Map(before), Some(ValueRef::Map(after))) => {
            told_keys(id, map_changes(before, after, modified), Deleted::No)
        }
        (ValueRef::Map(before), _) => told_keys(id, map_changes(before, &BTreeMap::new(), modified), Deleted::Yes),
        _ => None,
    }
}

/// Whoever listens to what belongs to an owner learns of its end even if there is nothing to tell.
fn told(id: u32, changes: CollectionChanges, deleted: Deleted) -> Option<Notice> {
    let is_told = deleted == Deleted::Yes || !changes.is_empty();
    is_told.then_some(Notice::Collection { id, changes, deleted })
}

fn told_keys(id: u32, changes: DictionaryChanges, deleted: Deleted) -> Option<Notice> {
    let is_told = deleted == Deleted::Yes || !changes.is_empty();
    is_told.then_some(Notice::Dictionary { id, changes, deleted })
}
