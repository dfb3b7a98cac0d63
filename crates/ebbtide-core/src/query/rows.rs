//! Evaluation of one row: compares the values that paths reach, and never copies a value that it only looks at.

use super::ast::{Arithmetic, Case, Operator, Quantifier};
use super::compare;
use super::fold::Folder;
use super::fulltext::TextSearch;
use super::geo::GeoPoint;
use super::kinds;
use super::plan::{Comparison, Node, Operand, Rule, Side, Within};
use super::walk::{Flow, of_nothing, path_targets, path_value, path_values};
use crate::ids::ColumnIndex;
use crate::number::Number;
use crate::objects::{Row, Snapshot};
use crate::value::ValueRef;

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
        Node::Words { column, search } => has_words(search, row, *column),
        Node::FarWords { path, column, search } => {
            let mut found = false;
            path_targets(path, snapshot, row, &mut |_, target| {
                found = has_words(search, target, *column);
                if found { Flow::Stop } else { Flow::More }
            });
            found
        }
        Node::Within(within) => is_within(within, snapshot, row),
    }
}

/// Whether a row fulfils a comparison. `buffer` is for lower-cased copies.
pub(super) fn compare(comparison: &Comparison, snapshot: &Snapshot, row: Row<'_>, buffer: &mut Vec<u8>) -> bool {
    if comparison.rule == Rule::Pairs {
        return pairs(comparison, snapshot, row);
    }
    quantified(&comparison.left, snapshot, row, &mut |left| match &comparison.pattern {
        Some(pattern) => {
            let Side { operand: Operand::Constant(right), .. } = &comparison.right else {
                unreachable!("a pattern is made of a constant right side");
            };
            let right_encoding = compare::run(right.as_ref()).map(|(_, encoding)| encoding);
            let found = compare::run(left).is_some_and(|(value, encoding)| {
                Some(encoding) == right_encoding && pattern.matches(value, encoding, buffer)
            });
            found != (comparison.operator == Operator::NotEqual)
        }
        None => quantified(&comparison.right, snapshot, row, &mut |right| comparison.holds(left, right)),
    })
}

impl Comparison {
    fn holds(&self, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
        match self.rule {
            Rule::Types => match (left, right) {
                (ValueRef::Int(left), ValueRef::Int(right)) => {
                    (left & right != 0) != (self.operator == Operator::NotEqual)
                }
                _ => false,
            },
            Rule::Doubles => compare::doubles(self.operator, left, right),
            Rule::Values | Rule::Pairs if self.case == Case::Insensitive || self.operator.is_textual() => {
                compare::textual(self.operator, self.case, left, right)
            }
            Rule::Values | Rule::Pairs => compare::holds(self.operator, left, right),
        }
    }
}

/// Whether two lists are equally long and each pair fulfils a comparison; lists of different lengths are unequal.
fn pairs(comparison: &Comparison, snapshot: &Snapshot, row: Row<'_>) -> bool {
    let mut left = Vec::new();
    each(&comparison.left.operand, snapshot, row, &mut |value| {
        left.push(value);
        Flow::More
    });
    let mut count = 0;
    let mut holds = true;
    each(&comparison.right.operand, snapshot, row, &mut |right| {
        holds &= left.get(count).is_some_and(|left| comparison.holds(*left, right));
        count += 1;
        Flow::More
    });
    if count != left.len() { comparison.operator == Operator::NotEqual } else { holds }
}

fn has_words(search: &TextSearch, row: Row<'_>, column: ColumnIndex) -> bool {
    let is_there = !row.value(column).is_null();
    is_there
        && search.with.iter().all(|word| row.has_word(column, word))
        && !search.without.iter().any(|word| row.has_word(column, word))
}

fn is_within(within: &Within, snapshot: &Snapshot, row: Row<'_>) -> bool {
    let mut found = false;
    let wanted = within.quantifier != Quantifier::All;
    path_targets(&within.path, snapshot, row, &mut |_, place| {
        let point = point_of(within, place);
        if point.is_some_and(|point| within.region.contains(point)) == wanted {
            found = true;
            return Flow::Stop;
        }
        Flow::More
    });
    match within.quantifier {
        Quantifier::Any => found,
        Quantifier::All | Quantifier::None => !found,
    }
}

fn point_of(within: &Within, place: Row<'_>) -> Option<GeoPoint> {
    let is_point = matches!(place.value(within.kind), ValueRef::String("Point"));
    let ValueRef::List(coordinates) = place.value(within.coordinates) else { return None };
    match (coordinates.get(0)?, coordinates.get(1)?) {
        (ValueRef::Double(longitude), ValueRef::Double(latitude)) if is_point => Some(GeoPoint { longitude, latitude }),
        _ => None,
    }
}

/// Whether any, all or none of a side's values fulfil a condition.
fn quantified<'a>(
    side: &'a Side,
    snapshot: &'a Snapshot,
    row: Row<'a>,
    holds: &mut dyn FnMut(ValueRef<'a>) -> bool,
) -> bool {
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
fn each<'a>(
    operand: &'a Operand,
    snapshot: &'a Snapshot,
    row: Row<'a>,
    visit: &mut dyn FnMut(ValueRef<'a>) -> Flow,
) -> Flow {
    match operand {
        Operand::Constants(values) => {
            let stops = values.iter().any(|value| visit(value.as_ref()) == Flow::Stop);
            if stops { Flow::Stop } else { Flow::More }
        }
        Operand::Each(operands) => {
            let stops = operands.iter().any(|operand| visit(single(operand, snapshot, row)) == Flow::Stop);
            if stops { Flow::Stop } else { Flow::More }
        }
        Operand::Path(path) => path_values(path, snapshot, row, visit),
        Operand::Kind(path) => path_values(path, snapshot, row, &mut |value| visit(ValueRef::Int(kinds::of(value)))),
        Operand::Chain { first, rest } => chain(first, rest, snapshot, row, visit),
        Operand::Constant(_)
        | Operand::Object { .. }
        | Operand::Count(_)
        | Operand::BacklinkCount(_)
        | Operand::Subquery { .. }
        | Operand::Aggregate { .. } => visit(single(operand, snapshot, row)),
    }
}

/// The one value of an operand that has one.
fn single<'a>(operand: &'a Operand, snapshot: &'a Snapshot, row: Row<'a>) -> ValueRef<'a> {
    match operand {
        Operand::Constant(value) => value.as_ref(),
        Operand::Object { class, key } => {
            let found = snapshot.table(*class).find(key);
            found.map_or(ValueRef::Null, |key| ValueRef::TypedLink(*class, key))
        }
        Operand::Count(path) => {
            let mut count = 0;
            path_targets(path, snapshot, row, &mut |_, _| {
                count += 1;
                Flow::More
            });
            ValueRef::Int(count)
        }
        Operand::BacklinkCount(path) => {
            let mut count = 0;
            path_targets(path, snapshot, row, &mut |class, target| {
                let links = snapshot.table(class).backlinks(target.key());
                count += links.map(|(.., times)| i64::from(times)).sum::<i64>();
                Flow::More
            });
            ValueRef::Int(count)
        }
        Operand::Subquery { path, node } => {
            let mut count = 0;
            path_targets(path, snapshot, row, &mut |_, target| {
                count += i64::from(matches(node, snapshot, target));
                Flow::More
            });
            ValueRef::Int(count)
        }
        Operand::Aggregate { aggregate, path, of } => {
            let mut folder = Folder::new(*aggregate, *of);
            path_values(path, snapshot, row, &mut |value| {
                folder.add(value);
                Flow::More
            });
            folder.finish()
        }
        Operand::Path(path) if !path.multiple && path.links.is_none() => {
            path_value(path, snapshot, row).unwrap_or_else(|| of_nothing(&path.end))
        }
        Operand::Constants(_) | Operand::Each(_) | Operand::Path(_) | Operand::Kind(_) | Operand::Chain { .. } => {
            let mut found = ValueRef::Null;
            each(operand, snapshot, row, &mut |value| {
                found = value;
                Flow::Stop
            });
            found
        }
    }
}

/// Visits the results of a chain: one for each value of its only operand that may have several.
fn chain<'a>(
    first: &'a Operand,
    rest: &'a [(Arithmetic, Operand)],
    snapshot: &'a Snapshot,
    row: Row<'a>,
    visit: &mut dyn FnMut(ValueRef<'a>) -> Flow,
) -> Flow {
    if !first.is_multiple() && rest.iter().all(|(_, operand)| !operand.is_multiple()) {
        let start = single(first, snapshot, row);
        let result =
            rest.iter().fold(start, |left, (operator, right)| calculate(*operator, left, single(right, snapshot, row)));
        return visit(result);
    }
    let several = if first.is_multiple() { None } else { rest.iter().position(|(_, operand)| operand.is_multiple()) };
    // What stands left of the operand with several values is the same for each of them.
    let mut left = ValueRef::Null;
    let (varying, after) = match several {
        None => (first, rest),
        Some(index) => {
            left = single(first, snapshot, row);
            for (operator, operand) in &rest[..index] {
                left = calculate(*operator, left, single(operand, snapshot, row));
            }
            (&rest[index].1, &rest[index + 1..])
        }
    };
    let right: Vec<(Arithmetic, ValueRef<'a>)> =
        after.iter().map(|(operator, operand)| (*operator, single(operand, snapshot, row))).collect();
    each(varying, snapshot, row, &mut |value| {
        let start = several.map_or(value, |index| calculate(rest[index].0, left, value));
        visit(right.iter().fold(start, |left, (operator, right)| calculate(*operator, left, *right)))
    })
}

impl Operand {
    /// Whether the operand may have more or less than one value.
    pub(super) fn is_multiple(&self) -> bool {
        match self {
            Operand::Constants(_) | Operand::Each(_) => true,
            Operand::Path(path) | Operand::Kind(path) => path.multiple,
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

/// Arithmetic of numbers, in the wider of both types. Ints stay ints while they fit, and become doubles where they do not;
/// division of ints cuts the fraction off, and by int zero gives null, as anything with null does.
fn calculate<'a>(operator: Arithmetic, left: ValueRef<'a>, right: ValueRef<'a>) -> ValueRef<'a> {
    if let (ValueRef::Int(left), ValueRef::Int(right)) = (left, right) {
        let exact = match operator {
            Arithmetic::Add => left.checked_add(right),
            Arithmetic::Subtract => left.checked_sub(right),
            Arithmetic::Multiply => left.checked_mul(right),
            Arithmetic::Divide if right == 0 => return ValueRef::Null,
            Arithmetic::Divide => left.checked_div(right),
        };
        if let Some(exact) = exact {
            return ValueRef::Int(exact);
        }
    }
    let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) else { return ValueRef::Null };
    if matches!(left, ValueRef::Decimal(_)) || matches!(right, ValueRef::Decimal(_)) {
        let exact = |value, number: Number| match value {
            ValueRef::Float(value) => compare::decimal_of(value),
            _ => number.to_decimal(),
        };
        let (a, b) = (exact(left, a), exact(right, b));
        return ValueRef::Decimal(match operator {
            Arithmetic::Add => a.plus(b),
            Arithmetic::Subtract => a.plus(b.negate()),
            Arithmetic::Multiply => a.multiply(b),
            Arithmetic::Divide => a.divide(b),
        });
    }
    let (a, b) = (a.to_double(), b.to_double());
    let result = match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
    };
    let is_float = matches!(
        (left, right),
        (ValueRef::Float(_), ValueRef::Float(_) | ValueRef::Int(_)) | (ValueRef::Int(_), ValueRef::Float(_))
    );
    if is_float { ValueRef::Float(result as f32) } else { ValueRef::Double(result) }
}
