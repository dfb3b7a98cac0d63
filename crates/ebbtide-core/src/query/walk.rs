//! From an object to the values that a path reaches: over links, collections, backlinks, and through values of any type.
//! Nothing is copied.

use super::fold::Folder;
use super::plan::{End, Hop, Path, Position, WalkStep};
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::objects::{Row, Snapshot};
use crate::value::ValueRef;

/// Whether to look at more values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    More,
    Stop,
}

type Visit<'v, 'a> = &'v mut dyn FnMut(ValueRef<'a>) -> Flow;

/// Visits the values that a path reaches from a row.
pub(super) fn path_values<'a>(path: &Path, snapshot: &'a Snapshot, row: Row<'a>, visit: Visit<'_, 'a>) -> Flow {
    let mut reached = false;
    let flow = follow(&path.hops, snapshot, row, &mut |target| {
        reached = true;
        end_values(path, snapshot, target, visit)
    });
    if !reached && !path.multiple {
        return visit(of_nothing(&path.end));
    }
    flow
}

/// The one value of a path when a link on the way to it is null: null, but a collection that is not there has no elements.
pub(super) fn of_nothing<'a>(end: &End) -> ValueRef<'a> {
    match end {
        End::Size(_) => ValueRef::Int(0),
        End::Fold { aggregate, of, .. } => Folder::new(*aggregate, *of).finish(),
        End::Object
        | End::Value(_)
        | End::Collection(_)
        | End::Element { .. }
        | End::Keys(_)
        | End::Length(_)
        | End::Lengths(_)
        | End::Walk { .. } => ValueRef::Null,
    }
}

/// The value of a path with one value; nothing if a link on the way is null.
pub(super) fn path_value<'a>(path: &Path, snapshot: &'a Snapshot, row: Row<'a>) -> Option<ValueRef<'a>> {
    let mut row = row;
    for hop in &path.hops {
        row = match hop {
            Hop::Link { column, target } => linked(row.value(*column), snapshot, *target)?,
            Hop::Element { column, at, target } => linked(element(row.value(*column), at), snapshot, *target)?,
            Hop::Collection { .. } | Hop::Backlinks { .. } => return None,
        };
    }
    Some(match &path.end {
        End::Value(column) => row.value(*column),
        End::Element { column, at } => element(row.value(*column), at),
        End::Object
        | End::Length(_)
        | End::Lengths(_)
        | End::Size(_)
        | End::Collection(_)
        | End::Keys(_)
        | End::Fold { .. }
        | End::Walk { .. } => {
            let mut found = ValueRef::Null;
            end_values(path, snapshot, row, &mut |value| {
                found = value;
                Flow::Stop
            });
            found
        }
    })
}

fn end_values<'a>(path: &Path, snapshot: &'a Snapshot, row: Row<'a>, visit: Visit<'_, 'a>) -> Flow {
    let links = path.links;
    match &path.end {
        End::Object => visit(ValueRef::TypedLink(path.target, row.key())),
        End::Value(column) => visit(typed(row.value(*column), links)),
        End::Element { column, at } => visit(typed(element(row.value(*column), at), links)),
        End::Length(column) | End::Size(column) => visit(length(row.value(*column))),
        End::Lengths(column) => elements(row.value(*column), &mut |value| visit(length(value))),
        End::Collection(column) => elements(row.value(*column), &mut |value| visit(typed(value, links))),
        End::Keys(column) => keys(row.value(*column), visit),
        End::Fold { column, aggregate, of } => {
            let mut folder = Folder::new(*aggregate, *of);
            elements(row.value(*column), &mut |value| {
                folder.add(value);
                Flow::More
            });
            visit(folder.finish())
        }
        End::Walk { column, steps } => walk(row.value(*column), None, steps, snapshot, visit),
    }
}

/// Visits what steps lead to from a value. `links` is the class of links that do not say theirs.
fn walk<'a>(
    value: ValueRef<'a>,
    links: Option<ClassIndex>,
    steps: &[WalkStep],
    snapshot: &'a Snapshot,
    visit: Visit<'_, 'a>,
) -> Flow {
    let value = typed(value, links);
    let Some((step, rest)) = steps.split_first() else {
        return match value {
            ValueRef::List(_) | ValueRef::Set(_) | ValueRef::Dictionary(_) => {
                elements(value, &mut |element| visit(typed(element, links)))
            }
            value => visit(value),
        };
    };
    match step {
        WalkStep::Name { key, members } => match value {
            ValueRef::Map(map) => {
                walk(map.get(key).map_or(ValueRef::Null, |value| value.as_ref()), None, rest, snapshot, visit)
            }
            ValueRef::Dictionary(dictionary) => {
                walk(dictionary.get(key).unwrap_or(ValueRef::Null), links, rest, snapshot, visit)
            }
            ValueRef::TypedLink(class, object) => {
                let member = members.get(class.index()).copied().flatten();
                match (member, snapshot.table(class).row(object)) {
                    (Some((column, target)), Some(row)) => walk(row.value(column), target, rest, snapshot, visit),
                    _ => visit(ValueRef::Null),
                }
            }
            ValueRef::List(_) | ValueRef::Set(_) => {
                elements(value, &mut |element| walk(element, links, steps, snapshot, visit))
            }
            _ => visit(ValueRef::Null),
        },
        WalkStep::Element(at) => walk(element(value, at), links, rest, snapshot, visit),
        WalkStep::Every => elements(value, &mut |element| walk(element, links, rest, snapshot, visit)),
        WalkStep::Keys => keys(value, visit),
        WalkStep::Length => visit(length(value)),
    }
}

/// Links with the class that they are known to have.
fn typed(value: ValueRef<'_>, class: Option<ClassIndex>) -> ValueRef<'_> {
    match (value, class) {
        (ValueRef::Link(key), Some(class)) => ValueRef::TypedLink(class, key),
        (value, _) => value,
    }
}

/// Visits the elements of a collection; what is none has none.
fn elements<'a>(collection: ValueRef<'a>, visit: Visit<'_, 'a>) -> Flow {
    match collection {
        ValueRef::List(list) => visit_all(list.iter(), visit),
        ValueRef::Set(set) => visit_all(set.iter(), visit),
        ValueRef::Dictionary(dictionary) => visit_all(dictionary.iter().map(|(_, value)| value), visit),
        ValueRef::Array(values) => visit_all(values.iter().map(|value| value.as_ref()), visit),
        ValueRef::Map(values) => visit_all(values.values().map(|value| value.as_ref()), visit),
        _ => Flow::More,
    }
}

/// Visits the keys of a dictionary.
fn keys<'a>(collection: ValueRef<'a>, visit: Visit<'_, 'a>) -> Flow {
    match collection {
        ValueRef::Dictionary(dictionary) => visit_all(dictionary.iter().map(|(key, _)| ValueRef::String(key)), visit),
        ValueRef::Map(values) => visit_all(values.keys().map(|key| ValueRef::String(key)), visit),
        _ => Flow::More,
    }
}

fn visit_all<'a>(values: impl Iterator<Item = ValueRef<'a>>, visit: Visit<'_, 'a>) -> Flow {
    for value in values {
        if visit(value) == Flow::Stop {
            return Flow::Stop;
        }
    }
    Flow::More
}

/// The objects, with their class, that a path reaches, whatever it reads from them.
pub(super) fn path_targets<'a>(
    path: &Path,
    snapshot: &'a Snapshot,
    row: Row<'a>,
    visit: &mut dyn FnMut(ClassIndex, Row<'a>) -> Flow,
) {
    let class = path.target;
    follow(&path.hops, snapshot, row, &mut |target| visit(class, target));
}

/// Visits the objects at the end of hops. Links to nothing lead nowhere.
fn follow<'a>(hops: &[Hop], snapshot: &'a Snapshot, row: Row<'a>, visit: &mut dyn FnMut(Row<'a>) -> Flow) -> Flow {
    let Some((hop, rest)) = hops.split_first() else {
        return visit(row);
    };
    let mut step = |value: ValueRef<'a>, class| match linked(value, snapshot, class) {
        Some(next) => follow(rest, snapshot, next, visit),
        None => Flow::More,
    };
    match hop {
        Hop::Link { column, target } => step(row.value(*column), *target),
        Hop::Element { column, at, target } => step(element(row.value(*column), at), *target),
        Hop::Collection { column, target } => elements(row.value(*column), &mut |value| step(value, *target)),
        Hop::Backlinks { of, source, column } => backlinks((*of, *source, *column), snapshot, row, &mut step),
    }
}

fn backlinks<'a>(
    (of, source, column): (ClassIndex, ClassIndex, ColumnIndex),
    snapshot: &'a Snapshot,
    row: Row<'a>,
    step: &mut dyn FnMut(ValueRef<'a>, ClassIndex) -> Flow,
) -> Flow {
    for (class, property, key, times) in snapshot.table(of).backlinks(row.key()) {
        if (class, property) != (source, column) {
            continue;
        }
        for _ in 0..times {
            if step(ValueRef::Link(key), source) == Flow::Stop {
                return Flow::Stop;
            }
        }
    }
    Flow::More
}

fn linked<'a>(value: ValueRef<'_>, snapshot: &'a Snapshot, class: ClassIndex) -> Option<Row<'a>> {
    match value {
        ValueRef::Link(key) if key != ObjectKey(0) => snapshot.table(class).row(key),
        _ => None,
    }
}

fn element<'a>(collection: ValueRef<'a>, at: &Position) -> ValueRef<'a> {
    let len = match collection {
        ValueRef::List(list) => list.len(),
        ValueRef::Set(set) => set.len(),
        ValueRef::Array(values) => values.len(),
        _ => 0,
    };
    let index = match at {
        Position::At(index) => *index,
        Position::Last => len.wrapping_sub(1),
        Position::Key(key) => {
            let found = match collection {
                ValueRef::Dictionary(dictionary) => dictionary.get(key),
                ValueRef::Map(values) => values.get(key).map(|value| value.as_ref()),
                _ => None,
            };
            return found.unwrap_or(ValueRef::Null);
        }
    };
    let found = match collection {
        ValueRef::List(list) => list.get(index),
        ValueRef::Set(set) => set.get(index),
        ValueRef::Array(values) => values.get(index).map(|value| value.as_ref()),
        _ => None,
    };
    found.unwrap_or(ValueRef::Null)
}

fn length(value: ValueRef<'_>) -> ValueRef<'static> {
    match value {
        ValueRef::String(text) => ValueRef::Int(text.len() as i64),
        ValueRef::Data(bytes) => ValueRef::Int(bytes.len() as i64),
        ValueRef::List(list) => ValueRef::Int(list.len() as i64),
        ValueRef::Set(set) => ValueRef::Int(set.len() as i64),
        ValueRef::Dictionary(dictionary) => ValueRef::Int(dictionary.len() as i64),
        ValueRef::Array(values) => ValueRef::Int(values.len() as i64),
        ValueRef::Map(values) => ValueRef::Int(values.len() as i64),
        _ => ValueRef::Null,
    }
}
