//! Order, distinctness and aggregates of objects by key paths.
//!
//! Nulls come before all values in ascending order, NaN before all other doubles, strings in the order of their code
//! points. Sorts are stable, so that of two sorts in a row the later one decides and the earlier one breaks ties.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::ast::{Aggregate, Direction};
use super::error::QueryError;
use super::plan::{Dependencies, End, Hop, NumberType, Path, Reads};
use super::rows::{self, Folder};
use crate::ids::{ClassIndex, ObjectKey};
use crate::objects::{Row, Snapshot};
use crate::schema::{Collection, PropertyType, Schema};
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
    pub fn new(schema: &Schema, class: ClassIndex, paths: &[(&str, Direction)]) -> Result<Order, QueryError> {
        let paths = paths.iter().map(|(text, direction)| Ok((sort_path(schema, class, text)?, *direction)));
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

/// The least, greatest, sum or average of a property of the given objects, nulls left out: null if there is none, but a
/// sum of none is zero. A sum of ints that is no int is a double.
///
/// # Errors
/// A key path that does not exist or has no numbers at its end; dates have only a least and a greatest.
pub fn aggregate(
    snapshot: &Snapshot,
    class: ClassIndex,
    keys: impl IntoIterator<Item = ObjectKey>,
    key_path: &str,
    aggregate: Aggregate,
) -> Result<Value, QueryError> {
    let (path, kind) = walk(snapshot.schema(), class, key_path.split('.'))
        .map_err(|refusal| QueryError::new(0, format!("Cannot aggregate on key path '{key_path}': {refusal}.")))?;
    let of = number_type(aggregate, kind).filter(|_| !matches!(path.end, End::List(_))).ok_or_else(|| {
        let operation = &aggregate.name()[2..];
        let kind = kind.name();
        QueryError::new(
            0,
            format!("Cannot {operation} property '{key_path}': operation not supported for '{kind}' properties"),
        )
    })?;
    let table = snapshot.table(class);
    let mut folder = Folder::new(aggregate, of);
    for row in keys.into_iter().filter_map(|key| table.row(key)) {
        folder.add(rows::path_value(&path, snapshot, row));
    }
    Ok(folder.finish())
}

/// The type of an aggregate's result, if the aggregate makes sense for a type.
pub(super) fn number_type(aggregate: Aggregate, kind: PropertyType) -> Option<NumberType> {
    match (kind, aggregate) {
        (PropertyType::Int, _) | (PropertyType::Date, Aggregate::Min | Aggregate::Max) => Some(NumberType::Int),
        (PropertyType::Float | PropertyType::Double, _) => Some(NumberType::Double),
        (PropertyType::Decimal, _) => Some(NumberType::Decimal),
        _ => None,
    }
}

/// Sorts objects; those that do not exist come first.
pub(super) fn sort(snapshot: &Snapshot, class: ClassIndex, keys: &mut [ObjectKey], paths: &[(Path, Direction)]) {
    let rows = rows_of(snapshot, class, keys);
    let order = if let [(path, direction)] = paths {
        let mut values: Vec<(ValueRef<'_>, usize)> =
            rows.iter().enumerate().map(|(index, row)| (value_of(path, snapshot, *row), index)).collect();
        values.sort_by(|(a, _), (b, _)| directed(a.total_cmp(b), *direction));
        values.into_iter().map(|(_, index)| index).collect::<Vec<_>>()
    } else {
        let width = paths.len();
        let values: Vec<ValueRef<'_>> =
            rows.iter().flat_map(|row| paths.iter().map(|(path, _)| value_of(path, snapshot, *row))).collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|a, b| {
            let pairs = values[a * width..].iter().zip(&values[b * width..]).zip(paths);
            pairs
                .map(|((a, b), (_, direction))| directed(a.total_cmp(b), *direction))
                .find(|o| o.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        order
    };
    let sorted: Vec<ObjectKey> = order.into_iter().map(|index| keys[index]).collect();
    keys.copy_from_slice(&sorted);
}

/// Keeps the first of the objects that agree in all paths.
pub(super) fn distinct(snapshot: &Snapshot, class: ClassIndex, keys: &mut Vec<ObjectKey>, paths: &[Path]) {
    let rows = rows_of(snapshot, class, keys);
    let mut seen = BTreeSet::new();
    let mut first =
        rows.iter().map(|row| seen.insert(Tuple(paths.iter().map(|path| value_of(path, snapshot, *row)).collect())));
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

fn value_of<'a>(path: &Path, snapshot: &'a Snapshot, row: Option<Row<'a>>) -> ValueRef<'a> {
    row.map_or(ValueRef::Null, |row| rows::path_value(path, snapshot, row))
}

/// The rows of keys. Keys that are ascending and most of the table are met on one walk through it.
fn rows_of<'a>(snapshot: &'a Snapshot, class: ClassIndex, keys: &[ObjectKey]) -> Vec<Option<Row<'a>>> {
    let table = snapshot.table(class);
    let ascending = keys.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascending || keys.len() < table.len() / 4 {
        return keys.iter().map(|key| table.row(*key)).collect();
    }
    let mut walk = table.rows().peekable();
    let found = keys.iter().map(|key| {
        while walk.next_if(|row| row.key() < *key).is_some() {}
        walk.next_if(|row| row.key() == *key)
    });
    found.collect()
}

fn sort_path(schema: &Schema, class: ClassIndex, text: &str) -> Result<Path, QueryError> {
    let refuse = |what: String| QueryError::new(0, format!("Cannot sort on key path '{text}': {what}."));
    if text.is_empty() {
        return Err(refuse("missing property name".into()));
    }
    let (path, kind) = walk(schema, class, text.split('.')).map_err(|refusal| refuse(refusal.to_string()))?;
    let owner = &schema.class(path.target).name;
    let name = text.rsplit('.').next().unwrap_or(text);
    match (path.end, kind) {
        (End::List(_), _) => Err(refuse(format!("property '{owner}.{name}' is of unsupported type 'array'"))),
        (_, PropertyType::Data) => Err(refuse(format!("property '{owner}.{name}' is of unsupported type 'data'"))),
        (_, PropertyType::Link) => Err(refuse(format!(
            "property '{owner}.{name}' of type 'object' cannot be the final property in the key path"
        ))),
        _ => Ok(path),
    }
}

/// Why a key path of plain names leads nowhere.
pub(super) enum Refusal {
    Missing { class: String, property: String },
    NotFinal { class: String, property: String, kind: &'static str },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Missing { class, property } => write!(f, "property '{class}.{property}' does not exist"),
            Refusal::NotFinal { class, property, kind } => {
                write!(
                    f,
                    "property '{class}.{property}' of type '{kind}' may only be the final property in the key path"
                )
            }
        }
    }
}

/// Follows plain names through single links. Gives the path and the type at its end.
pub(super) fn walk<'n>(
    schema: &Schema,
    class: ClassIndex,
    names: impl Iterator<Item = &'n str>,
) -> Result<(Path, PropertyType), Refusal> {
    let mut names = names.peekable();
    let mut path = Path { target: class, ..Path::default() };
    loop {
        let name = names.next().unwrap_or_default();
        let class = schema.class(path.target);
        let missing = || Refusal::Missing { class: class.name.clone(), property: name.to_string() };
        let column = class.column(name).ok_or_else(missing)?;
        let property = class.property(column);
        if names.peek().is_none() {
            path.end = match property.collection {
                Collection::None => End::Value(column),
                Collection::List | Collection::Set | Collection::Dictionary => End::List(column),
            };
            return Ok((path, property.kind));
        }
        let target = property.target.as_deref().and_then(|target| schema.class_index(target));
        let Some(target) = target.filter(|_| property.is_link()) else {
            let kind = match property.collection {
                Collection::None => property.kind.name(),
                Collection::List => "array",
                Collection::Set => "set",
                Collection::Dictionary => "dictionary",
            };
            return Err(Refusal::NotFinal { class: class.name.clone(), property: name.to_string(), kind });
        };
        path.hops.push(Hop::Link { column, target });
        path.target = target;
    }
}
