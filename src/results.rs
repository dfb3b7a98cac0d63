//! Collections of objects or values as recipes: a source and the filters and orders over it, evaluated on any snapshot.

use std::cell::RefCell;
use std::rc::Rc;

use ebbtide_core::notify::{Difference, KeyList};
use ebbtide_core::objects::{Element, List};
use ebbtide_core::query::{Aggregate, Order, Plan};
use ebbtide_core::{ClassIndex, ColumnIndex, ObjectKey, PropertyType, Snapshot, Value, ValueRef};

/// Where a collection's elements come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// All objects of a class.
    Class(ClassIndex),
    /// The elements of one object's list.
    List { class: ClassIndex, key: ObjectKey, column: ColumnIndex },
}

/// One step from the source to the result.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Filter(Rc<Plan>),
    Order(Rc<Order>),
    /// The order of a list of values: ascending or not.
    OrderValues {
        ascending: bool,
    },
}

/// How a collection is made.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) source: Source,
    pub(crate) stages: Vec<Stage>,
}

impl Recipe {
    /// The recipe with one step more.
    pub(crate) fn then(&self, stage: Stage) -> Recipe {
        let mut stages = self.stages.clone();
        stages.push(stage);
        Recipe { source: self.source, stages }
    }

    /// The class of the elements; nothing for values.
    pub(crate) fn element_class(&self, snapshot: &Snapshot) -> Option<ClassIndex> {
        match self.source {
            Source::Class(class) => Some(class),
            Source::List { class, column, .. } => {
                let schema = snapshot.schema();
                let property = schema.classes.get(class.index())?.properties.get(column.index())?;
                schema.class_index(property.target.as_deref()?)
            }
        }
    }

    /// The objects in the collection. A list whose owner is gone is empty.
    pub(crate) fn keys(&self, snapshot: &Snapshot) -> Vec<ObjectKey> {
        let mut stages = self.stages.iter();
        let mut keys: Vec<ObjectKey> = match self.source {
            Source::Class(class) => match self.stages.first() {
                Some(Stage::Filter(plan)) => {
                    stages.next();
                    plan.run(snapshot)
                }
                Some(Stage::Order(_) | Stage::OrderValues { .. }) | None => snapshot.table(class).keys().collect(),
            },
            Source::List { class, key, column } => list(snapshot, class, key, column).map_or_else(Vec::new, |list| {
                list.iter().filter_map(|value| if let ValueRef::Link(key) = value { Some(key) } else { None }).collect()
            }),
        };
        for stage in stages {
            match stage {
                Stage::Filter(plan) => keys = plan.run_over(snapshot, keys),
                Stage::Order(order) => order.sort(snapshot, &mut keys),
                Stage::OrderValues { .. } => {}
            }
        }
        keys
    }

    /// The objects that enter or leave the collection of a class by a change, ascending, found from the change alone;
    /// nothing if that is not enough to know them.
    pub(crate) fn flips(&self, before: &KeyList, difference: &Difference, after: &Snapshot) -> Option<Vec<ObjectKey>> {
        let Source::Class(class) = self.source else { return None };
        let mut filters = Vec::new();
        for stage in &self.stages {
            match stage {
                Stage::Filter(plan) if plan.dependencies().is_local() && !plan.has_suffixes() => filters.push(plan),
                Stage::Filter(_) | Stage::Order(_) | Stage::OrderValues { .. } => return None,
            }
        }
        let table = difference.table(class);
        let is_in = |key: ObjectKey| filters.iter().all(|plan| plan.matches(after, key));
        let mut flips: Vec<ObjectKey> = Vec::new();
        let changed = table.inserted.iter().chain(table.modified.iter().map(|(key, _)| key));
        flips.extend(changed.filter(|key| before.position(**key).is_some() != is_in(**key)));
        flips.extend(table.deleted.iter().filter(|key| before.position(**key).is_some()));
        flips.sort_unstable();
        Some(flips)
    }

    /// Whether a change can concern the collection: it touches the class of its elements, what they link to, the owner of the
    /// list or what a filter looks at.
    pub(crate) fn is_concerned(&self, difference: &Difference, after: &Snapshot) -> bool {
        let schema = after.schema();
        let mut classes: Vec<ClassIndex> = self.element_class(after).into_iter().collect();
        if let Source::List { class, .. } = self.source {
            classes.push(class);
        }
        for stage in &self.stages {
            match stage {
                Stage::Filter(plan) => classes.extend(plan.dependencies().others.iter().map(|(class, _)| *class)),
                Stage::Order(order) => classes.extend(order.dependencies().others.iter().map(|(class, _)| *class)),
                Stage::OrderValues { .. } => {}
            }
        }
        let mut next = 0;
        while let Some(class) = classes.get(next).copied() {
            next += 1;
            if !difference.table(class).is_empty() {
                return true;
            }
            for property in &schema.class(class).properties {
                let target = property.target.as_deref().and_then(|target| schema.class_index(target));
                classes.extend(target.filter(|target| !classes.contains(target)));
            }
        }
        false
    }

    /// The positions in the list of a collection of values, in the collection's order.
    pub(crate) fn positions(&self, snapshot: &Snapshot) -> Vec<u32> {
        let Source::List { class, key, column } = self.source else { return Vec::new() };
        let Some(list) = list(snapshot, class, key, column) else { return Vec::new() };
        let mut positions: Vec<u32> = (0..list.len() as u32).collect();
        for stage in &self.stages {
            if let Stage::OrderValues { ascending } = stage {
                let value = |position: &u32| list.get(*position as usize).unwrap_or(ValueRef::Null);
                positions.sort_by(|a, b| {
                    let order = value(a).total_cmp(&value(b));
                    if *ascending { order } else { order.reverse() }
                });
            }
        }
        positions
    }

    /// The elements of a collection of values, in the collection's order.
    pub(crate) fn elements<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a Element> {
        let Source::List { class, key, column } = self.source else { return Vec::new() };
        let Some(list) = list(snapshot, class, key, column) else { return Vec::new() };
        let positions = self.positions(snapshot);
        positions.iter().filter_map(|position| list.elements().get(*position as usize)).collect()
    }

    /// Whether the elements are values, not objects.
    pub(crate) fn is_of_values(&self, snapshot: &Snapshot) -> bool {
        match self.source {
            Source::Class(_) => false,
            Source::List { class, column, .. } => snapshot
                .schema()
                .classes
                .get(class.index())
                .and_then(|class| class.properties.get(column.index()))
                .is_some_and(|property| property.kind != PropertyType::Link),
        }
    }
}

/// A list property of an object.
pub(crate) fn list(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Option<&List> {
    match value(snapshot, class, key, column)? {
        ValueRef::List(list) => Some(list),
        _ => None,
    }
}

/// The value of a property, if the class, the object and the property exist.
pub(crate) fn value(
    snapshot: &Snapshot,
    class: ClassIndex,
    key: ObjectKey,
    column: ColumnIndex,
) -> Option<ValueRef<'_>> {
    snapshot.schema().classes.get(class.index())?.properties.get(column.index())?;
    Some(snapshot.table(class).row(key)?.value(column))
}

/// Whether an object exists; classes that the snapshot does not have yet have no objects.
pub(crate) fn contains(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey) -> bool {
    class.index() < snapshot.schema().classes.len() && snapshot.table(class).contains(key)
}

/// The key of a class's object at a position in the order of the keys.
pub(crate) fn nth_key(snapshot: &Snapshot, class: ClassIndex, index: usize) -> Option<ObjectKey> {
    let mut rest = index;
    for page in snapshot.table(class).pages() {
        match page.keys().get(rest) {
            Some(key) => return Some(*key),
            None => rest -= page.len(),
        }
    }
    None
}

/// Up to which position walking over the pages costs less than listing all keys.
const NEAR_ROWS: usize = 1_024;

/// A recipe and its last result.
pub(crate) struct Results {
    pub(crate) recipe: Recipe,
    cache: RefCell<Option<(u64, KeyList)>>,
    positions: RefCell<Option<(u64, Rc<[u32]>)>>,
}

impl Results {
    /// Nothing is evaluated before it is asked for.
    pub(crate) fn new(recipe: Recipe) -> Rc<Results> {
        Rc::new(Results { recipe, cache: RefCell::default(), positions: RefCell::default() })
    }

    /// The objects at a version of the visible state.
    pub(crate) fn keys(&self, snapshot: &Snapshot, version: u64) -> KeyList {
        if let Some((at, keys)) = &*self.cache.borrow()
            && *at == version
        {
            return keys.clone();
        }
        let keys = KeyList::from(self.recipe.keys(snapshot));
        self.remember(version, &keys);
        keys
    }

    /// Takes note of the objects at a version, found by other means.
    pub(crate) fn remember(&self, version: u64, keys: &KeyList) {
        self.cache.replace(Some((version, keys.clone())));
    }

    /// The object at a position. The first ones of a whole class are found without listing all.
    pub(crate) fn key_at(&self, snapshot: &Snapshot, version: u64, index: usize) -> Option<ObjectKey> {
        if let (Source::Class(class), true) = (self.recipe.source, self.recipe.stages.is_empty())
            && index < NEAR_ROWS
            && self.cache.borrow().as_ref().is_none_or(|(at, _)| *at != version)
        {
            return nth_key(snapshot, class, index);
        }
        self.keys(snapshot, version).get(index).copied()
    }

    /// The positions of a collection of values at a version of the visible state.
    pub(crate) fn positions(&self, snapshot: &Snapshot, version: u64) -> Rc<[u32]> {
        if let Some((at, positions)) = &*self.positions.borrow()
            && *at == version
        {
            return Rc::clone(positions);
        }
        let positions: Rc<[u32]> = self.recipe.positions(snapshot).into();
        self.positions.replace(Some((version, Rc::clone(&positions))));
        positions
    }
}

/// The least, greatest, sum or average of the numbers among values; null if there is none, but a sum of none is zero.
pub(crate) fn fold_values<'a>(values: impl Iterator<Item = ValueRef<'a>>, operation: Aggregate) -> Value {
    let values: Vec<ValueRef<'a>> = values.filter(|value| !value.is_null()).collect();
    let numbers = || {
        values.iter().filter_map(|value| match value {
            ValueRef::Int(value) => Some(*value as f64),
            ValueRef::Double(value) => Some(*value),
            _ => None,
        })
    };
    let picked = match operation {
        Aggregate::Min => values.iter().min_by(|a, b| a.total_cmp(b)),
        Aggregate::Max => values.iter().max_by(|a, b| a.total_cmp(b)),
        Aggregate::Sum => return Value::Double(numbers().sum()),
        Aggregate::Average if values.is_empty() => None,
        Aggregate::Average => return Value::Double(numbers().sum::<f64>() / values.len() as f64),
    };
    picked.map_or(Value::Null, ValueRef::to_owned)
}
