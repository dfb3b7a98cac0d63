//! Order, distinctness and aggregates of objects by key paths.
//!
//! Nulls come before all values in ascending order, NaN before all other numbers, strings in the order of their code
//! points, and what lies behind a null link after everything. Sorts are stable, so that of two sorts in a row the later one decides and the earlier one breaks ties.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::ast::{Aggregate, Direction, Index, Step, StepKind};
use super::error::QueryError;
use super::fold::Folder;
use super::names::Named;
use super::plan::{Dependencies, End, Hop, NumberType, Path, Position, Reads, WalkStep};
use super::resolve::walk_name;
use super::walk;
use crate::ids::{ClassIndex, ObjectKey};
use crate::objects::{Page, Row, Snapshot};
use crate::schema::{Collection, Property, PropertyType};
use crate::value::{Value, ValueRef};

/// A sort that was checked against a schema.
#[derive(Clone, Debug)]
pub struct Order {
    class: ClassIndex,
    paths: Vec<(Path, Direction)>,
}

impl Order {
    /// Checks key paths such as `owner.name`; the first is the most significant.
    ///
    /// # Errors
    /// A key path that does not exist, or whose end has no order.
    pub fn new<'a>(
        schema: impl Into<Named<'a>>,
        class: ClassIndex,
        paths: &[(&str, Direction)],
    ) -> Result<Order, QueryError> {
        let named = schema.into();
        let paths = paths.iter().map(|(text, direction)| Ok((sort_path(named, class, text)?, *direction)));
        Ok(Order { class, paths: paths.collect::<Result<_, QueryError>>()? })
    }

    /// What the order depends on.
    pub fn dependencies(&self) -> Dependencies {
        let mut reads = Reads::default();
        for (path, _) in &self.paths {
            reads.add(self.class, path);
        }
        reads.into()
    }

    /// Sorts objects.
    pub fn sort(&self, snapshot: &Snapshot, keys: &mut [ObjectKey]) {
        sort(snapshot, self.class, keys, &self.paths);
    }
}

/// An aggregate that was checked against a schema: the least, greatest, sum or average of a property, nulls left out.
#[derive(Clone, Debug)]
pub struct Fold {
    class: ClassIndex,
    path: Path,
    aggregate: Aggregate,
    of: NumberType,
}

impl Fold {
    /// Checks a key path such as `owner.age`.
    ///
    /// # Errors
    /// A key path that does not exist or has no numbers at its end; dates have only a least and a greatest.
    pub fn new<'a>(
        schema: impl Into<Named<'a>>,
        class: ClassIndex,
        text: &str,
        aggregate: Aggregate,
    ) -> Result<Fold, QueryError> {
        let Walked { path, kind, .. } = key_path(schema.into(), class, &steps_of(text))
            .map_err(|refusal| QueryError::new(0, format!("Cannot aggregate on key path '{text}': {refusal}.")))?;
        let is_single = !matches!(path.end, End::Collection(_));
        let of = number_type(aggregate, kind).filter(|_| is_single).ok_or_else(|| {
            let operation = &aggregate.name()[2..];
            let kind = kind.name();
            let message =
                format!("Cannot {operation} property '{text}': operation not supported for '{kind}' properties");
            QueryError::new(0, message)
        })?;
        Ok(Fold { class, path, aggregate, of })
    }

    /// The aggregate over objects: null if there is no value, but a sum of none is zero. A sum of ints that is no int is a
    /// double.
    pub fn over(&self, snapshot: &Snapshot, keys: impl IntoIterator<Item = ObjectKey>) -> Value {
        let table = snapshot.table(self.class);
        let mut folder = Folder::new(self.aggregate, self.of);
        for row in keys.into_iter().filter_map(|key| table.row(key)) {
            folder.add(walk::path_value(&self.path, snapshot, row).unwrap_or(ValueRef::Null));
        }
        folder.finish().to_owned()
    }
}

/// An aggregate of objects by the names of the schema alone: see [`Fold`].
///
/// # Errors
/// Those of [`Fold::new`].
pub fn aggregate(
    snapshot: &Snapshot,
    class: ClassIndex,
    keys: impl IntoIterator<Item = ObjectKey>,
    key_path: &str,
    aggregate: Aggregate,
) -> Result<Value, QueryError> {
    Ok(Fold::new(snapshot.schema(), class, key_path, aggregate)?.over(snapshot, keys))
}

/// The type of an aggregate's result, if the aggregate makes sense for a type.
pub(super) fn number_type(aggregate: Aggregate, kind: PropertyType) -> Option<NumberType> {
    match (kind, aggregate) {
        (PropertyType::Int, _) | (PropertyType::Date, Aggregate::Min | Aggregate::Max) => Some(NumberType::Int),
        (PropertyType::Float | PropertyType::Double, _) => Some(NumberType::Double),
        (PropertyType::Decimal, _) => Some(NumberType::Decimal),
        (PropertyType::Mixed, _) => Some(NumberType::Mixed),
        _ => None,
    }
}

/// Sorts objects; those that do not exist come first.
pub(super) fn sort(snapshot: &Snapshot, class: ClassIndex, keys: &mut [ObjectKey], paths: &[(Path, Direction)]) {
    let Some(((first, direction), _)) = paths.split_first() else { return };
    let rows = rows_of(snapshot, class, keys);
    // What decides most comparisons is a number beside the index; only where it is equal are values read again.
    let mut entries: Vec<Entry> = Vec::with_capacity(rows.len());
    let mut is_decided = paths.len() == 1;
    let mut ranks = (u8::MAX, u8::MIN);
    for (index, row) in rows.iter().enumerate() {
        let prefix = prefix_of(value_of(first, snapshot, *row));
        let Prefix { rank, start, is_whole } =
            if *direction == Direction::Descending { prefix.reversed() } else { prefix };
        is_decided &= is_whole;
        ranks = (ranks.0.min(rank), ranks.1.max(rank));
        entries.push(Entry { start, index: index as u32, rank });
    }
    // Stable: what is equal stays in order.
    radsort::sort_by_key(&mut entries, |entry| entry.start);
    if ranks.0 != ranks.1 {
        radsort::sort_by_key(&mut entries, |entry| entry.rank);
    }
    let by_values = |a: u32, b: u32| {
        let orders = paths.iter().map(|(path, direction)| {
            let value = |index: u32| value_of(path, snapshot, rows[index as usize]);
            directed(compare(&value(a), &value(b)), *direction)
        });
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    if !is_decided {
        let runs = entries.chunk_by_mut(|a, b| (a.rank, a.start) == (b.rank, b.start));
        for run in runs.filter(|run| run.len() > 1) {
            run.sort_unstable_by(|a, b| by_values(a.index, b.index).then(a.index.cmp(&b.index)));
        }
    }
    let sorted: Vec<ObjectKey> = entries.into_iter().map(|entry| keys[entry.index as usize]).collect();
    keys.copy_from_slice(&sorted);
}

/// One object to be sorted: its prefix, and its place before.
struct Entry {
    start: u64,
    index: u32,
    rank: u8,
}

/// A number that is ordered as values are, if not always as finely: the type, and the beginning of the value.
#[derive(Clone, Copy)]
struct Prefix {
    rank: u8,
    start: u64,
    /// Whether values that agree in rank and start, and are both whole, are equal.
    is_whole: bool,
}

impl Prefix {
    fn reversed(self) -> Prefix {
        Prefix { rank: !self.rank, start: !self.start, ..self }
    }
}

fn prefix_of(value: Reached<'_>) -> Prefix {
    let Some(value) = value else { return Prefix { rank: u8::MAX, start: 0, is_whole: true } };
    let (rank, start, is_whole) = match value {
        ValueRef::Null => (0, 0, true),
        ValueRef::Bool(value) => (1, u64::from(value), true),
        ValueRef::Int(int) => (2, ascending_bits(int as f64), int.unsigned_abs() <= 1 << 53),
        ValueRef::Float(value) => (2, ascending_bits(f64::from(value)), true),
        ValueRef::Double(value) => (2, ascending_bits(value), true),
        ValueRef::Decimal(value) => (2, ascending_bits(value.to_double()), false),
        ValueRef::String(text) => (3, first_bytes(text.as_bytes()), false),
        ValueRef::Data(bytes) => (4, first_bytes(bytes), false),
        ValueRef::Date(ms) => (5, (ms as u64) ^ 1 << 63, true),
        ValueRef::ObjectId(bytes) => (6, first_bytes(&bytes), false),
        ValueRef::Uuid(bytes) => (7, first_bytes(&bytes), false),
        ValueRef::Link(key) => (8, key.0, true),
        ValueRef::TypedLink(class, _) => (9, u64::from(class.0), false),
        ValueRef::Array(_) => (10, 0, false),
        ValueRef::Map(_) => (11, 0, false),
        ValueRef::List(_) | ValueRef::Set(_) | ValueRef::Dictionary(_) => (12, 0, true),
    };
    Prefix { rank, start, is_whole }
}

/// The bits of a double in the order of the numbers: NaN first, zeros of both signs the same.
fn ascending_bits(value: f64) -> u64 {
    if value.is_nan() {
        return 0;
    }
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn first_bytes(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(start) => u64::from_be_bytes(*start),
        None => {
            let mut start = [0; 8];
            start[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(start)
        }
    }
}

/// Keeps the first of the objects that agree in all paths; those from which a path leads over no link go.
pub(super) fn distinct(snapshot: &Snapshot, class: ClassIndex, keys: &mut Vec<ObjectKey>, paths: &[Path]) {
    let rows = rows_of(snapshot, class, keys);
    let mut seen = BTreeSet::new();
    let mut first = rows.iter().map(|row| {
        let values: Option<Vec<ValueRef<'_>>> = paths.iter().map(|path| value_of(path, snapshot, *row)).collect();
        values.is_some_and(|values| seen.insert(Tuple(values)))
    });
    keys.retain(|_| first.next().unwrap_or(false));
}

struct Tuple<'a>(Vec<ValueRef<'a>>);

impl Ord for Tuple<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let orders = self.0.iter().zip(&other.0).map(|(a, b)| a.total_cmp(b));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Tuple<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Tuple<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Tuple<'_> {}

fn directed(ordering: Ordering, direction: Direction) -> Ordering {
    match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    }
}

/// A value, or nothing if a link on the way to it is null.
type Reached<'a> = Option<ValueRef<'a>>;

/// The order of what is reached; what is not comes after everything.
fn compare(a: &Reached<'_>, b: &Reached<'_>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// What a path reaches from a row, to be ordered among what it reaches from others.
fn value_of<'a>(path: &Path, snapshot: &'a Snapshot, row: Option<Row<'a>>) -> Reached<'a> {
    row.map_or(Some(ValueRef::Null), |row| match (path.hops.as_slice(), &path.end) {
        ([], End::Value(column)) => Some(row.value_to_order(*column)),
        _ => walk::path_value(path, snapshot, row),
    })
}

/// The rows of keys. Those that lie in one page, as ascending keys mostly do, need no search of the tree.
fn rows_of<'a>(snapshot: &'a Snapshot, class: ClassIndex, keys: &[ObjectKey]) -> Vec<Option<Row<'a>>> {
    let table = snapshot.table(class);
    let mut page: Option<&Page> = None;
    let found = keys.iter().map(|key| {
        if !page.is_some_and(|page| page.spans(*key)) {
            page = table.page(*key);
        }
        page.and_then(|page| Some(page.row(page.find(*key)?)))
    });
    found.collect()
}

/// The steps of a key path of names between dots.
fn steps_of(text: &str) -> Vec<Step> {
    text.split('.').map(|name| Step { kind: StepKind::Name(name.to_string()), at: 0 }).collect()
}

fn sort_path(named: Named<'_>, class: ClassIndex, text: &str) -> Result<Path, QueryError> {
    let refuse = |what: String| QueryError::new(0, format!("Cannot sort on key path '{text}': {what}."));
    if text.is_empty() {
        return Err(refuse("missing property name".into()));
    }
    let Walked { path, kind, .. } =
        key_path(named, class, &steps_of(text)).map_err(|refusal| refuse(refusal.to_string()))?;
    let owner = &named.schema.class(path.target).name;
    let name = text.rsplit('.').next().unwrap_or(text);
    match (&path.end, kind) {
        (End::Collection(column), _) => {
            let kind = collection_name(named.schema.class(path.target).property(*column).collection);
            Err(refuse(format!("property '{owner}.{name}' is of unsupported type '{kind}'")))
        }
        (_, PropertyType::Data) => Err(refuse(format!("property '{owner}.{name}' is of unsupported type 'data'"))),
        (_, PropertyType::Link) => Err(refuse(format!(
            "property '{owner}.{name}' of type 'object' cannot be the final property in the key path"
        ))),
        _ => Ok(path),
    }
}

fn collection_name(collection: Collection) -> &'static str {
    match collection {
        Collection::None => "value",
        Collection::List => "array",
        Collection::Set => "set",
        Collection::Dictionary => "dictionary",
    }
}

/// Why a key path leads nowhere.
pub(super) enum Refusal {
    Missing { class: String, property: String },
    NotFinal { class: String, property: String, kind: &'static str, collection: Collection },
    NoIndex,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Missing { class, property } => write!(f, "property '{class}.{property}' does not exist"),
            Refusal::NotFinal { class, property, kind, .. } => {
                write!(
                    f,
                    "property '{class}.{property}' of type '{kind}' may only be the final property in the key path"
                )
            }
            Refusal::NoIndex => f.write_str("an index needs a collection before it"),
        }
    }
}

/// Where a key path leads.
pub(super) struct Walked {
    pub(super) path: Path,
    pub(super) kind: PropertyType,
    /// The stored names of steps that were written otherwise, by place.
    pub(super) spelled: Vec<(usize, String)>,
}

/// Follows names and indexes through single links.
pub(super) fn key_path(named: Named<'_>, class: ClassIndex, steps: &[Step]) -> Result<Walked, Refusal> {
    let mut path = Path { target: class, ..Path::default() };
    let mut spelled = Vec::new();
    let mut steps = steps;
    while let Some((step, rest)) = steps.split_first() {
        let StepKind::Name(name) = &step.kind else { return Err(Refusal::NoIndex) };
        let class = named.schema.class(path.target);
        let missing = || Refusal::Missing { class: class.name.clone(), property: name.clone() };
        let column = named.column(path.target, name).ok_or_else(missing)?;
        let property = class.property(column);
        if property.name != *name {
            spelled.push((step.at, property.name.clone()));
        }
        let (at, rest) = element_of(property, rest);
        path.end = match (property.collection, at) {
            (_, Some(at)) => End::Element { column, at },
            (Collection::None, None) => End::Value(column),
            (Collection::List | Collection::Set | Collection::Dictionary, None) => End::Collection(column),
        };
        if rest.is_empty() {
            return Ok(Walked { path, kind: property.kind, spelled });
        }
        let not_final = || Refusal::NotFinal {
            class: class.name.clone(),
            property: name.clone(),
            kind: if property.collection == Collection::None {
                property.kind.name()
            } else {
                collection_name(property.collection)
            },
            collection: property.collection,
        };
        let target = named.target(path.target, column);
        match (std::mem::take(&mut path.end), property.kind, target) {
            (End::Value(column), PropertyType::Link, Some(target)) => {
                path.hops.push(Hop::Link { column, target });
                path.target = target;
            }
            (End::Element { column, at }, PropertyType::Link, Some(target)) => {
                path.hops.push(Hop::Element { column, at, target });
                path.target = target;
            }
            (End::Value(column), PropertyType::Mixed, _) => {
                path.end = End::Walk { column, steps: walk_steps(named, rest).ok_or_else(not_final)? };
                return Ok(Walked { path, kind: property.kind, spelled });
            }
            (End::Element { column, at }, PropertyType::Mixed, _) => {
                let mut steps = walk_steps(named, rest).ok_or_else(not_final)?;
                steps.insert(0, WalkStep::Element(at));
                path.end = End::Walk { column, steps };
                return Ok(Walked { path, kind: property.kind, spelled });
            }
            _ => return Err(not_final()),
        }
        steps = rest;
    }
    Err(Refusal::NoIndex)
}

/// The element of a collection that the next step names, and the steps after it.
fn element_of<'s>(property: &Property, rest: &'s [Step]) -> (Option<Position>, &'s [Step]) {
    let Some((step, after)) = rest.split_first() else { return (None, rest) };
    let position = match (property.collection, &step.kind) {
        (Collection::Dictionary, StepKind::Index(Index::Key(key)) | StepKind::Name(key)) => Position::Key(key.clone()),
        (Collection::List | Collection::Set, StepKind::Index(Index::At(at))) => Position::At(*at),
        (Collection::List | Collection::Set, StepKind::Index(Index::First)) => Position::At(0),
        (Collection::List | Collection::Set, StepKind::Index(Index::Last)) => Position::Last,
        _ => return (None, rest),
    };
    (Some(position), after)
}

/// Steps to one value inside of a value of any type.
fn walk_steps(named: Named<'_>, rest: &[Step]) -> Option<Vec<WalkStep>> {
    let steps = rest.iter().map(|step| match &step.kind {
        StepKind::Name(name) | StepKind::Index(Index::Key(name)) => Some(walk_name(named, name)),
        StepKind::Index(Index::At(at)) => Some(WalkStep::Element(Position::At(*at))),
        StepKind::Index(Index::First) => Some(WalkStep::Element(Position::At(0))),
        StepKind::Index(Index::Last) => Some(WalkStep::Element(Position::Last)),
        _ => None,
    });
    steps.collect()
}
