//! Evaluation of one row: follows links, lists and backlinks, and never copies a value that it only looks at.

use super::ast::{Aggregate, Arithmetic, Case, Operator, Quantifier};
use super::compare;
use super::plan::{Comparison, End, Hop, Node, NumberType, Operand, Path, Position, Side};
use crate::decimal::Decimal;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::number::Number;
use crate::objects::{Row, Snapshot};
use crate::value::{Value, ValueRef};

/// Whether to look at more values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    More,
    Stop,
}

/// Whether a row fulfils a node.
pub(super) fn matches(node: &Node, snapshot: &Snapshot, row: Row<'_>) -> bool {
    match node {
        Node::True => true,
        Node::False => false,
        Node::Not(inner) => !matches(inner, snapshot, row),
        Node::And(parts) => parts.iter().all(|part| matches(part, snapshot, row)),
        Node::Or(parts) => parts.iter().any(|part| matches(part, snapshot, row)),
        Node::Column { row: comparison, .. } | Node::Compare(comparison) => {
            compare(comparison, snapshot, row, &mut Vec::new())
        }
    }
}

/// Whether a row fulfils a comparison. `buffer` is for lower-cased copies.
pub(super) fn compare(comparison: &Comparison, snapshot: &Snapshot, row: Row<'_>, buffer: &mut Vec<u8>) -> bool {
    quantified(&comparison.left, snapshot, row, &mut |left| match &comparison.pattern {
        Some(pattern) => {
            let Side { operand: Operand::Constant(right), .. } = &comparison.right else {
                unreachable!("a pattern is made of a constant right side");
            };
            let right_encoding = compare::run(right.as_ref()).map(|(_, encoding)| encoding);
            let found = compare::run(left).is_some_and(|(value, encoding)| {
                if Some(encoding) == right_encoding {
                    pattern.matches(value, encoding, buffer)
                } else {
                    compare::textual(comparison.operator_of_match(), comparison.case, left, right.as_ref())
                }
            });
            found != (comparison.operator == Operator::NotEqual)
        }
        None => quantified(&comparison.right, snapshot, row, &mut |right| comparison.holds(left, right)),
    })
}

impl Comparison {
    /// `==` for `!=`, since a pattern tells what is equal.
    fn operator_of_match(&self) -> Operator {
        if self.operator == Operator::NotEqual { Operator::Equal } else { self.operator }
    }

    fn holds(&self, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
        if self.case == Case::Insensitive || self.operator.is_textual() {
            compare::textual(self.operator, self.case, left, right)
        } else {
            compare::holds(self.operator, left, right)
        }
    }
}

/// Whether any, all or none of a side's values fulfil a condition.
fn quantified(side: &Side, snapshot: &Snapshot, row: Row<'_>, holds: &mut dyn FnMut(ValueRef<'_>) -> bool) -> bool {
    let mut found = false;
    let wanted = side.quantifier != Quantifier::All;
    each(&side.operand, snapshot, row, &mut |value| {
        if holds(value) == wanted {
            found = true;
            return Flow::Stop;
        }
        Flow::More
    });
    match side.quantifier {
        Quantifier::Any => found,
        Quantifier::All | Quantifier::None => !found,
    }
}

/// Visits the values of an operand.
fn each(operand: &Operand, snapshot: &Snapshot, row: Row<'_>, visit: &mut dyn FnMut(ValueRef<'_>) -> Flow) {
    match operand {
        Operand::Constant(value) => {
            visit(value.as_ref());
        }
        Operand::Constants(values) => {
            for value in values {
                if visit(value.as_ref()) == Flow::Stop {
                    return;
                }
            }
        }
        Operand::Object { class, key } => {
            // No object has key 0, so that what does not exist equals no link and no null.
            let key = snapshot.table(*class).find(key).unwrap_or_default();
            visit(ValueRef::Link(key));
        }
        Operand::Path(path) => {
            path_values(path, snapshot, row, visit);
        }
        Operand::Count(_) | Operand::BacklinkCount(_) | Operand::Subquery { .. } | Operand::Aggregate { .. } => {
            visit(single(operand, snapshot, row).as_ref());
        }
        Operand::Chain { first, rest } => chain(first, rest, snapshot, row, visit),
    }
}

/// The one value of an operand that has one.
fn single(operand: &Operand, snapshot: &Snapshot, row: Row<'_>) -> Value {
    match operand {
        Operand::Count(path) => {
            let mut count = 0;
            path_values(path, snapshot, row, &mut |value| {
                count += i64::from(!value.is_null());
                Flow::More
            });
            Value::Int(count)
        }
        Operand::BacklinkCount(path) => {
            let mut count = 0;
            path_targets(path, snapshot, row, &mut |class, target| {
                let links = snapshot.table(class).backlinks(target.key());
                count += links.map(|(.., times)| i64::from(times)).sum::<i64>();
            });
            Value::Int(count)
        }
        Operand::Subquery { path, node } => {
            let mut count = 0;
            path_targets(path, snapshot, row, &mut |_, target| {
                count += i64::from(matches(node, snapshot, target));
            });
            Value::Int(count)
        }
        Operand::Aggregate { aggregate, path, of } => {
            let mut folder = Folder::new(*aggregate, *of);
            path_values(path, snapshot, row, &mut |value| {
                folder.add(value);
                Flow::More
            });
            folder.finish()
        }
        Operand::Constant(value) => value.clone(),
        Operand::Path(path) if !path.multiple => path_value(path, snapshot, row).to_owned(),
        Operand::Constants(_) | Operand::Object { .. } | Operand::Path(_) | Operand::Chain { .. } => {
            let mut found = Value::Null;
            each(operand, snapshot, row, &mut |value| {
                found = value.to_owned();
                Flow::Stop
            });
            found
        }
    }
}

/// Visits the results of a chain: one for each value of its only operand that may have several.
fn chain(
    first: &Operand,
    rest: &[(Arithmetic, Operand)],
    snapshot: &Snapshot,
    row: Row<'_>,
    visit: &mut dyn FnMut(ValueRef<'_>) -> Flow,
) {
    if !first.is_multiple() && rest.iter().all(|(_, operand)| !operand.is_multiple()) {
        let start = single(first, snapshot, row);
        let result = rest
            .iter()
            .fold(start, |left, (operator, right)| calculate(*operator, &left, &single(right, snapshot, row)));
        visit(result.as_ref());
        return;
    }
    let several = if first.is_multiple() { None } else { rest.iter().position(|(_, operand)| operand.is_multiple()) };
    // What stands left of the operand with several values is the same for each of them.
    let mut left = Value::Null;
    let (varying, after) = match several {
        None => (first, rest),
        Some(index) => {
            left = single(first, snapshot, row);
            for (operator, operand) in &rest[..index] {
                left = calculate(*operator, &left, &single(operand, snapshot, row));
            }
            (&rest[index].1, &rest[index + 1..])
        }
    };
    let right: Vec<(Arithmetic, Value)> =
        after.iter().map(|(operator, operand)| (*operator, single(operand, snapshot, row))).collect();
    each(varying, snapshot, row, &mut |value| {
        let value = value.to_owned();
        let start = several.map_or_else(|| value.clone(), |index| calculate(rest[index].0, &left, &value));
        visit(right.iter().fold(start, |left, (operator, right)| calculate(*operator, &left, right)).as_ref())
    });
}

impl Operand {
    /// Whether the operand may have more or less than one value.
    pub(super) fn is_multiple(&self) -> bool {
        match self {
            Operand::Constants(_) => true,
            Operand::Path(path) => path.multiple,
            Operand::Chain { first, rest } => first.is_multiple() || rest.iter().any(|(_, part)| part.is_multiple()),
            Operand::Constant(_)
            | Operand::Object { .. }
            | Operand::Count(_)
            | Operand::BacklinkCount(_)
            | Operand::Aggregate { .. }
            | Operand::Subquery { .. } => false,
        }
    }
}

/// Arithmetic of numbers. Ints stay ints while they fit, and become doubles where they do not; division of ints cuts
/// the fraction off, and by int zero gives null, as anything with null does.
fn calculate(operator: Arithmetic, left: &Value, right: &Value) -> Value {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        let exact = match operator {
            Arithmetic::Add => left.checked_add(*right),
            Arithmetic::Subtract => left.checked_sub(*right),
            Arithmetic::Multiply => left.checked_mul(*right),
            Arithmetic::Divide if *right == 0 => return Value::Null,
            Arithmetic::Divide => left.checked_div(*right),
        };
        if let Some(exact) = exact {
            return Value::Int(exact);
        }
    }
    let (Some(left), Some(right)) = (Number::of(left.as_ref()), Number::of(right.as_ref())) else { return Value::Null };
    let (left, right) = (left.to_double(), right.to_double());
    Value::Double(match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
    })
}

/// Visits the values that a path reaches from a row.
pub(super) fn path_values(
    path: &Path,
    snapshot: &Snapshot,
    row: Row<'_>,
    visit: &mut dyn FnMut(ValueRef<'_>) -> Flow,
) -> Flow {
    let mut reached = false;
    let flow = follow(&path.hops, snapshot, row, &mut |target| {
        reached = true;
        end_values(path.end, target, visit)
    });
    if !reached && !path.multiple {
        // A null link on the way to one value makes that value null.
        return visit(ValueRef::Null);
    }
    flow
}

/// The value of a path with one value.
pub(super) fn path_value<'a>(path: &Path, snapshot: &'a Snapshot, row: Row<'a>) -> ValueRef<'a> {
    let mut row = row;
    for hop in &path.hops {
        let next = match hop {
            Hop::Link { column, target } => linked(row.value(*column), snapshot, *target),
            Hop::Element { column, at, target } => linked(element(row, *column, *at), snapshot, *target),
            Hop::List { .. } | Hop::Backlinks { .. } => None,
        };
        match next {
            Some(next) => row = next,
            None => return ValueRef::Null,
        }
    }
    match path.end {
        End::Value(column) => row.value(column),
        End::Element { column, at } => element(row, column, at),
        End::Object => ValueRef::Link(row.key()),
        End::Length(column) => length(row.value(column)),
        End::List(_) => ValueRef::Null,
    }
}

fn end_values(end: End, row: Row<'_>, visit: &mut dyn FnMut(ValueRef<'_>) -> Flow) -> Flow {
    match end {
        End::Object => visit(ValueRef::Link(row.key())),
        End::Value(column) => visit(row.value(column)),
        End::Element { column, at } => visit(element(row, column, at)),
        End::Length(column) => visit(length(row.value(column))),
        End::List(column) => elements(row.value(column), visit),
    }
}

/// Visits the elements of a collection; a single value is its own.
fn elements(collection: ValueRef<'_>, visit: &mut dyn FnMut(ValueRef<'_>) -> Flow) -> Flow {
    let mut each = |values: &mut dyn Iterator<Item = ValueRef<'_>>| {
        for value in values {
            if visit(value) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::More
    };
    match collection {
        ValueRef::List(list) => each(&mut list.iter()),
        ValueRef::Set(set) => each(&mut set.iter()),
        ValueRef::Dictionary(dictionary) => each(&mut dictionary.iter().map(|(_, value)| value)),
        value => each(&mut std::iter::once(value)),
    }
}

/// The objects, with their class, that a path reaches, whatever it reads from them.
fn path_targets(path: &Path, snapshot: &Snapshot, row: Row<'_>, visit: &mut dyn FnMut(ClassIndex, Row<'_>)) {
    let class = path.target;
    follow(&path.hops, snapshot, row, &mut |target| {
        visit(class, target);
        Flow::More
    });
}

/// Visits the objects at the end of hops. Links to nothing lead nowhere.
fn follow(hops: &[Hop], snapshot: &Snapshot, row: Row<'_>, visit: &mut dyn FnMut(Row<'_>) -> Flow) -> Flow {
    let Some((hop, rest)) = hops.split_first() else {
        return visit(row);
    };
    let mut step = |value: ValueRef<'_>, class| match linked(value, snapshot, class) {
        Some(next) => follow(rest, snapshot, next, visit),
        None => Flow::More,
    };
    match hop {
        Hop::Link { column, target } => step(row.value(*column), *target),
        Hop::Element { column, at, target } => step(element(row, *column, *at), *target),
        Hop::List { column, target } => elements(row.value(*column), &mut |value| step(value, *target)),
        Hop::Backlinks { of, source, column } => {
            for (class, property, key, times) in snapshot.table(*of).backlinks(row.key()) {
                if (class, property) != (*source, *column) {
                    continue;
                }
                for _ in 0..times {
                    if step(ValueRef::Link(key), *source) == Flow::Stop {
                        return Flow::Stop;
                    }
                }
            }
            Flow::More
        }
    }
}

fn linked<'a>(value: ValueRef<'_>, snapshot: &'a Snapshot, class: ClassIndex) -> Option<Row<'a>> {
    match value {
        ValueRef::Link(key) if key != ObjectKey(0) => snapshot.table(class).row(key),
        _ => None,
    }
}

fn element<'a>(row: Row<'a>, column: ColumnIndex, at: Position) -> ValueRef<'a> {
    let collection = row.value(column);
    let len = match collection {
        ValueRef::List(list) => list.len(),
        ValueRef::Set(set) => set.len(),
        ValueRef::Dictionary(dictionary) => dictionary.len(),
        _ => 0,
    };
    let index = match at {
        Position::At(index) => Some(index),
        Position::Last => len.checked_sub(1),
    };
    let found = index.and_then(|index| match collection {
        ValueRef::List(list) => list.get(index),
        ValueRef::Set(set) => set.get(index),
        ValueRef::Dictionary(dictionary) => dictionary.at(index).map(|entry| entry.value.as_ref()),
        _ => None,
    });
    found.unwrap_or(ValueRef::Null)
}

fn length(value: ValueRef<'_>) -> ValueRef<'static> {
    match value {
        ValueRef::String(text) => ValueRef::Int(text.len() as i64),
        ValueRef::Data(bytes) => ValueRef::Int(bytes.len() as i64),
        ValueRef::List(list) => ValueRef::Int(list.len() as i64),
        ValueRef::Set(set) => ValueRef::Int(set.len() as i64),
        ValueRef::Dictionary(dictionary) => ValueRef::Int(dictionary.len() as i64),
        _ => ValueRef::Null,
    }
}

/// Collects values into their minimum, maximum, sum or average. Nulls count for nothing, and so does NaN for minimum and
/// maximum.
pub(super) struct Folder {
    aggregate: Aggregate,
    of: NumberType,
    best: Value,
    ints: i128,
    doubles: f64,
    decimals: Decimal,
    count: u64,
}

impl Folder {
    pub(super) fn new(aggregate: Aggregate, of: NumberType) -> Folder {
        Folder { aggregate, of, best: Value::Null, ints: 0, doubles: 0.0, decimals: Decimal::ZERO, count: 0 }
    }

    pub(super) fn add(&mut self, value: ValueRef<'_>) {
        match (self.aggregate, value) {
            (_, ValueRef::Null) => {}
            (Aggregate::Min | Aggregate::Max, value) if Number::of(value).is_some_and(Number::is_nan) => {}
            (Aggregate::Min, value) if self.best.is_null() || value.total_cmp(&self.best.as_ref()).is_lt() => {
                self.best = value.to_owned();
            }
            (Aggregate::Max, value) if self.best.is_null() || value.total_cmp(&self.best.as_ref()).is_gt() => {
                self.best = value.to_owned();
            }
            (Aggregate::Sum | Aggregate::Average, ValueRef::Int(value)) => {
                self.ints += i128::from(value);
                self.count += 1;
            }
            (Aggregate::Sum | Aggregate::Average, ValueRef::Double(value)) => {
                self.doubles += value;
                self.count += 1;
            }
            (Aggregate::Sum | Aggregate::Average, ValueRef::Float(value)) => {
                self.doubles += f64::from(value);
                self.count += 1;
            }
            (Aggregate::Sum | Aggregate::Average, ValueRef::Decimal(value)) => {
                self.decimals = self.decimals.add(value);
                self.count += 1;
            }
            _ => {}
        }
    }

    /// A sum of ints that is no int is a double; the average and the least of nothing are null.
    pub(super) fn finish(self) -> Value {
        match self.aggregate {
            Aggregate::Min | Aggregate::Max => self.best,
            Aggregate::Sum if self.of == NumberType::Int => {
                i64::try_from(self.ints).map_or(Value::Double(self.ints as f64), Value::Int)
            }
            Aggregate::Sum if self.of == NumberType::Decimal => Value::Decimal(self.decimals),
            Aggregate::Sum => Value::Double(self.doubles),
            Aggregate::Average if self.count == 0 => Value::Null,
            Aggregate::Average if self.of == NumberType::Decimal => Value::Decimal(self.decimals.divide_by(self.count)),
            Aggregate::Average => Value::Double((self.ints as f64 + self.doubles) / self.count as f64),
        }
    }
}
