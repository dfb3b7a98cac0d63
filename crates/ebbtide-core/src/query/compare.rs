//! Comparison of two values: the rules that every evaluation follows.
//!
//! - null equals null and nothing else; `<=` and `>=` hold between two nulls, `<` and `>` never with one;
//! - numbers of all types compare by their exact values, NaN as the least of all, equal to itself;
//! - values of other different types are unequal and not ordered, a string and data of the same bytes among them.

use std::cmp::Ordering;

use super::ast::{Case, Operator};
use super::text::{Encoding, Pattern};
use crate::number::Number;
use crate::value::{Value, ValueRef};

/// Whether `left operator right` holds. Textual operators go through [`textual`].
pub(super) fn holds(operator: Operator, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match operator {
        Operator::BeginsWith | Operator::EndsWith | Operator::Contains | Operator::Like | Operator::Text => {
            textual(operator, Case::Sensitive, left, right)
        }
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::In => relates(operator, order(left, right)),
    }
}

/// Whether a relation holds for values that stand in an order, or in none.
pub(super) fn relates(operator: Operator, order: Option<Ordering>) -> bool {
    match operator {
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Less => order == Some(Ordering::Less),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::LessEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Operator::GreaterEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Operator::Equal
        | Operator::In
        | Operator::BeginsWith
        | Operator::EndsWith
        | Operator::Contains
        | Operator::Like
        | Operator::Text => order == Some(Ordering::Equal),
    }
}

/// Whether a textual operator, or `==` and `!=` with any case, holds.
pub(super) fn textual(operator: Operator, case: Case, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    if operator == Operator::NotEqual {
        return !textual(Operator::Equal, case, left, right);
    }
    let Some((needle, needle_encoding)) = run(right) else {
        return right.is_null() && null_needle(operator, left);
    };
    run(left).is_some_and(|(value, encoding)| {
        encoding == needle_encoding
            && Pattern::new(operator, case, needle, encoding).matches(value, encoding, &mut Vec::new())
    })
}

/// Whether a textual operator holds with null on the right: every string begins with, ends with and contains nothing.
pub(super) fn null_needle(operator: Operator, left: ValueRef<'_>) -> bool {
    match operator {
        Operator::BeginsWith | Operator::EndsWith | Operator::Contains => true,
        _ => left.is_null(),
    }
}

/// The bytes of a string or of data.
pub(super) fn run(value: ValueRef<'_>) -> Option<(&[u8], Encoding)> {
    match value {
        ValueRef::String(text) => Some((text.as_bytes(), Encoding::Text)),
        ValueRef::Data(bytes) => Some((bytes, Encoding::Bytes)),
        _ => None,
    }
}

/// How two values compare; `None` if they are neither equal nor ordered.
pub(super) fn order(left: ValueRef<'_>, right: ValueRef<'_>) -> Option<Ordering> {
    use ValueRef::{Array, Bool, Data, Date, Decimal, Float, Int, Link, Map, Null, ObjectId, String, TypedLink, Uuid};
    match (left, right) {
        (Null, Null) => Some(Ordering::Equal),
        (Int(a), Int(b)) | (Date(a), Date(b)) => Some(a.cmp(&b)),
        (Bool(a), Bool(b)) => Some(a.cmp(&b)),
        (String(a), String(b)) => Some(a.cmp(b)),
        (Data(a), Data(b)) => Some(a.cmp(b)),
        (ObjectId(a), ObjectId(b)) => Some(a.cmp(&b)),
        (Uuid(a), Uuid(b)) => Some(a.cmp(&b)),
        (Link(a), Link(b)) => Some(a.cmp(&b)),
        (TypedLink(c, a), TypedLink(d, b)) => Some((c, a).cmp(&(d, b))),
        // The class of a plain link is known to match where it is compared at all.
        (TypedLink(_, a), Link(b)) | (Link(a), TypedLink(_, b)) => Some(a.cmp(&b)),
        (Array(a), Array(b)) => alike(a.iter(), b.iter()).then_some(Ordering::Equal),
        (Map(a), Map(b)) => (a.keys().eq(b.keys()) && alike(a.values(), b.values())).then_some(Ordering::Equal),
        // A float is as precise as a decimal as it was written.
        (Float(a), Decimal(b)) => Some(decimal_of(a).order(b)),
        (Decimal(a), Float(b)) => Some(a.order(decimal_of(b))),
        _ => Some(Number::of(left)?.total_order(Number::of(right)?)),
    }
}

/// Whether values are equal one by one.
fn alike<'a>(a: impl Iterator<Item = &'a Value>, mut b: impl Iterator<Item = &'a Value>) -> bool {
    let equal = |a: &Value, b: &Value| order(a.as_ref(), b.as_ref()) == Some(Ordering::Equal);
    for a in a {
        if !b.next().is_some_and(|b| equal(a, b)) {
            return false;
        }
    }
    b.next().is_none()
}

/// Whether two floating-point numbers relate as those of the hardware do; what is no number is only unequal.
pub(super) fn doubles(operator: Operator, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    let is_nan = |value| Number::of(value).is_some_and(Number::is_nan);
    if is_nan(left) || is_nan(right) {
        return operator == Operator::NotEqual;
    }
    holds(operator, left, right)
}

/// The decimal that a float's shortest spelling names.
pub(super) fn decimal_of(value: f32) -> crate::decimal::Decimal {
    let shortest = crate::decimal::Decimal::parse(&format!("{value:e}"));
    shortest.unwrap_or_else(|| crate::decimal::Decimal::from_double(f64::from(value)))
}
