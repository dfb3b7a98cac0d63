//! Collections of objects or values as recipes: a source and the filters and orders over it, evaluated on any snapshot.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ebbtide_core::notify::{Difference, KeyList};
use ebbtide_core::number::Number;
use ebbtide_core::objects::{Element, List, Set, Step};
use ebbtide_core::query::{Aggregate, Order, Plan};
use ebbtide_core::{ClassIndex, ColumnIndex, Decimal, ObjectKey, Property, PropertyType, Snapshot, Value, ValueRef};

use crate::nested::find;

/// Where a collection's elements come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// All objects of a class.
    Class(ClassIndex),
    /// The elements of one object's list.
    List { class: ClassIndex, key: ObjectKey, column: ColumnIndex },
    /// The elements of one object's set.
    Set { class: ClassIndex, key: ObjectKey, column: ColumnIndex },
    /// The elements of a list inside a value of one object.
    Nested { class: ClassIndex, key: ObjectKey, column: ColumnIndex, path: Rc<[Step]> },
    /// The objects of a class that link to one object by a property.
    Backlinks { class: ClassIndex, key: ObjectKey, from: (ClassIndex, ColumnIndex) },
}

impl Source {
    /// The object that the collection belongs to.
    pub(crate) fn owner(&self) -> Option<(ClassIndex, ObjectKey)> {
        match self {
            Source::Class(_) => None,
            Source::List { class, key, .. }
            | Source::Set { class, key, .. }
            | Source::Nested { class, key, .. }
            | Source::Backlinks { class, key, .. } => Some((*class, *key)),
        }
    }

    /// The property whose elements these are.
    pub(crate) fn property<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Property> {
        match self {
            Source::Class(_) | Source::Backlinks { .. } => None,
            Source::List { class, column, .. }
            | Source::Set { class, column, .. }
            | Source::Nested { class, column, .. } => {
                snapshot.schema().classes.get(class.index())?.properties.get(column.index())
            }
        }
    }

    /// The elements of a list or set, in its order.
    pub(crate) fn values<'a>(&self, snapshot: &'a Snapshot) -> Vec<ValueRef<'a>> {
        match self {
            Source::Class(_) | Source::Backlinks { .. } => Vec::new(),
            Source::List { class, key, column } => {
                list(snapshot, *class, *key, *column).map_or_else(Vec::new, |list| list.iter().collect())
            }
            Source::Set { class, key, column } => {
                set(snapshot, *class, *key, *column).map_or_else(Vec::new, |set| set.iter().collect())
            }
            Source::Nested { class, key, column, path } => {
                nested(snapshot, *class, *key, *column, path).iter().map(Value::as_ref).collect()
            }
        }
    }

    /// The element of a list or set at a position in its order.
    pub(crate) fn value_at<'a>(&self, snapshot: &'a Snapshot, position: usize) -> Option<ValueRef<'a>> {
        match self {
            Source::Class(_) | Source::Backlinks { .. } => None,
            Source::List { class, key, column } => list(snapshot, *class, *key, *column)?.get(position),
            Source::Set { class, key, column } => set(snapshot, *class, *key, *column)?.get(position),
            Source::Nested { class, key, column, path } => {
                nested(snapshot, *class, *key, *column, path).get(position).map(Value::as_ref)
            }
        }
    }
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

impl Stage {
    fn apply(&self, snapshot: &Snapshot, mut keys: Vec<ObjectKey>) -> Vec<ObjectKey> {
        match self {
            Stage::Filter(plan) => plan.run_over(snapshot, keys),
            Stage::Order(order) => {
                order.sort(snapshot, &mut keys);
                keys
            }
            Stage::OrderValues { .. } => keys,
        }
    }
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
        Recipe { source: self.source.clone(), stages }
    }

    /// The class of the elements; nothing for values.
    pub(crate) fn element_class(&self, snapshot: &Snapshot) -> Option<ClassIndex> {
        match self.source {
            Source::Class(class) => Some(class),
            Source::Backlinks { from, .. } => Some(from.0),
            Source::List { .. } | Source::Set { .. } | Source::Nested { .. } => {
                snapshot.schema().class_index(self.source.property(snapshot)?.target.as_deref()?)
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
            Source::Backlinks { class, key, from } => {
                let is_there = contains(snapshot, class, key);
                let links = is_there.then(|| snapshot.table(class).backlinks(key)).into_iter().flatten();
                let from_here = links.filter(|(class, column, ..)| (*class, *column) == from);
                from_here.flat_map(|(_, _, key, count)| std::iter::repeat_n(key, count as usize)).collect()
            }
            Source::List { .. } | Source::Set { .. } | Source::Nested { .. } => {
                let values = self.source.values(snapshot).into_iter();
                values.filter_map(|value| if let ValueRef::Link(key) = value { Some(key) } else { None }).collect()
            }
        };
        for stage in stages {
            keys = stage.apply(snapshot, keys);
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
        classes.extend(self.source.owner().map(|(class, _)| class));
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

    /// The positions in the list or set of a collection of values, in the collection's order.
    pub(crate) fn positions(&self, snapshot: &Snapshot) -> Vec<u32> {
        let values = self.source.values(snapshot);
        let mut positions: Vec<u32> = (0..values.len() as u32).collect();
        for stage in &self.stages {
            if let Stage::OrderValues { ascending } = stage {
                positions.sort_by(|a, b| {
                    let order = values[*a as usize].total_cmp(&values[*b as usize]);
                    if *ascending { order } else { order.reverse() }
                });
            }
        }
        positions
    }

    /// The elements of a collection of values of a list, in the collection's order.
    pub(crate) fn elements<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a Element> {
        let Source::List { class, key, column } = self.source else { return Vec::new() };
        let Some(list) = list(snapshot, class, key, column) else { return Vec::new() };
        let positions = self.positions(snapshot);
        positions.iter().filter_map(|position| list.elements().get(*position as usize)).collect()
    }

    /// The elements of a collection of values, in the collection's order.
    pub(crate) fn ordered(&self, snapshot: &Snapshot) -> Vec<Value> {
        let values = self.source.values(snapshot);
        self.positions(snapshot).iter().map(|position| values[*position as usize].to_owned()).collect()
    }

    /// Whether the values of a set come in their own order.
    pub(crate) fn values_ascend(&self) -> bool {
        let last = self.stages.iter().rev().find_map(|stage| match stage {
            Stage::OrderValues { ascending } => Some(*ascending),
            Stage::Filter(_) | Stage::Order(_) => None,
        });
        last.unwrap_or(true)
    }

    /// Whether a query ends with some of what it finds.
    pub(crate) fn is_limited(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage, Stage::Filter(plan) if plan.has_limit()))
    }

    /// Whether the elements are values, not objects.
    pub(crate) fn is_of_values(&self, snapshot: &Snapshot) -> bool {
        self.source.property(snapshot).is_some_and(|property| property.kind != PropertyType::Link)
    }
}

/// A list property of an object.
pub(crate) fn list(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Option<&List> {
    match value(snapshot, class, key, column)? {
        ValueRef::List(list) => Some(list),
        _ => None,
    }
}

/// The elements of a list inside a value; none where there is no list any more.
fn nested<'a>(
    snapshot: &'a Snapshot,
    class: ClassIndex,
    key: ObjectKey,
    column: ColumnIndex,
    path: &[Step],
) -> &'a [Value] {
    match value(snapshot, class, key, column).and_then(|value| find(value, path)) {
        Some(ValueRef::Array(values)) => values,
        Some(_) | None => &[],
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

/// A set property of an object.
pub(crate) fn set(snapshot: &Snapshot, class: ClassIndex, key: ObjectKey, column: ColumnIndex) -> Option<&Set> {
    match value(snapshot, class, key, column)? {
        ValueRef::Set(set) => Some(set),
        _ => None,
    }
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
/// How many positions of one version are walked to before all keys are listed: between the writes of a loop only few are asked for.
const WALKS: u32 = 8;

/// A recipe and its last result.
pub(crate) struct Results {
    pub(crate) recipe: Recipe,
    /// The collection of which this is one stage more; what it has found already is not looked for again.
    parent: Option<Rc<Results>>,
    cache: RefCell<Option<(u64, KeyList)>>,
    positions: RefCell<Option<(u64, Rc<[u32]>)>>,
    /// How often the pages were walked over at a version.
    walks: Cell<(u64, u32)>,
}

impl Results {
    /// Nothing is evaluated before it is asked for.
    pub(crate) fn new(recipe: Recipe) -> Rc<Results> {
        Results::from(recipe, None)
    }

    /// The collection with one stage more.
    pub(crate) fn then(self: &Rc<Results>, stage: Stage) -> Rc<Results> {
        Results::from(self.recipe.then(stage), Some(Rc::clone(self)))
    }

    fn from(recipe: Recipe, parent: Option<Rc<Results>>) -> Rc<Results> {
        let (cache, positions, walks) = (RefCell::default(), RefCell::default(), Cell::default());
        Rc::new(Results { recipe, parent, cache, positions, walks })
    }

    /// The objects at a version, if they are known.
    fn known(&self, version: u64) -> Option<KeyList> {
        self.cache.borrow().as_ref().filter(|(at, _)| *at == version).map(|(_, keys)| keys.clone())
    }

    /// The objects at a version of the visible state.
    pub(crate) fn keys(&self, snapshot: &Snapshot, version: u64) -> KeyList {
        if let Some(keys) = self.known(version) {
            return keys;
        }
        let before = self.parent.as_ref().and_then(|parent| parent.known(version));
        let keys = match (before, self.recipe.stages.last()) {
            (Some(before), Some(stage)) => KeyList::from(stage.apply(snapshot, before.to_vec())),
            (Some(_) | None, _) => KeyList::from(self.recipe.keys(snapshot)),
        };
        self.remember(version, &keys);
        keys
    }

    /// Takes note of the objects at a version, found by other means.
    pub(crate) fn remember(&self, version: u64, keys: &KeyList) {
        self.cache.replace(Some((version, keys.clone())));
    }

    /// The object at a position. The first ones of a whole class are found without listing all, and so are a few others.
    pub(crate) fn key_at(&self, snapshot: &Snapshot, version: u64, index: usize) -> Option<ObjectKey> {
        if let (Source::Class(class), true) = (&self.recipe.source, self.recipe.stages.is_empty())
            && self.cache.borrow().as_ref().is_none_or(|(at, _)| *at != version)
            && (index < NEAR_ROWS || self.may_walk(version))
        {
            return nth_key(snapshot, *class, index);
        }
        self.keys(snapshot, version).get(index).copied()
    }

    /// Counts the walks at a version; false once there were too many.
    fn may_walk(&self, version: u64) -> bool {
        let (at, count) = self.walks.get();
        let count = if at == version { count + 1 } else { 1 };
        self.walks.set((version, count));
        count <= WALKS
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

/// The least, greatest, sum or average of the numbers and dates among values; null if there is none, but a sum of none is
/// zero. The sum and the average of a decimal and any other number is a decimal.
pub(crate) fn fold_values<'a>(values: impl Iterator<Item = ValueRef<'a>>, operation: Aggregate) -> Value {
    let values: Vec<ValueRef<'a>> = values.filter(|value| !value.is_null()).collect();
    let is_ordered = |value: &&ValueRef<'a>| Number::of(**value).is_some() || matches!(value, ValueRef::Date(_));
    let numbers: Vec<Number> = values.iter().filter_map(|value| Number::of(*value)).collect();
    match operation {
        Aggregate::Min => {
            values.iter().filter(is_ordered).min_by(|a, b| a.total_cmp(b)).map_or(Value::Null, ValueRef::to_owned)
        }
        Aggregate::Max => {
            values.iter().filter(is_ordered).max_by(|a, b| a.total_cmp(b)).map_or(Value::Null, ValueRef::to_owned)
        }
        Aggregate::Sum => sum(&numbers),
        Aggregate::Average if numbers.is_empty() => Value::Null,
        Aggregate::Average => match sum(&numbers) {
            Value::Decimal(sum) => Value::Decimal(sum.divide_by(numbers.len() as u64)),
            Value::Double(sum) => Value::Double(sum / numbers.len() as f64),
            other => other,
        },
    }
}

fn sum(numbers: &[Number]) -> Value {
    if numbers.iter().any(|number| matches!(number, Number::Decimal(_))) {
        return Value::Decimal(numbers.iter().fold(Decimal::ZERO, |sum, number| sum.plus(number.to_decimal())));
    }
    Value::Double(numbers.iter().fold(0.0, |sum, number| sum + number.to_double()))
}
