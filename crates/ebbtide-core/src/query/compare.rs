//! Comparison of two values: the rules that every evaluation follows.
//!
//! - null equals null and nothing else; `<=` and `>=` hold between two nulls, `<` and `>` never with one;
//! - NaN is to ordering as null is;
//! - bool (as 0 and 1), int and double compare by their exact numeric values; string and data by their bytes;
//! - values of other different types are unequal and not ordered.

use std::cmp::Ordering;

use super::ast::{Case, Operator};
use super::text::{Encoding, Pattern};
use crate::number::Number;
pub(super) use crate::number::order_int_double;
use crate::value::ValueRef;

/// Whether `left operator right` holds. Textual operators go through [`textual`].
pub(super) fn holds(operator: Operator, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    let ordering = order(left, right);
    match operator {
        Operator::Equal | Operator::In => ordering == Some(Ordering::Equal),
        Operator::NotEqual => ordering != Some(Ordering::Equal),
        Operator::Less => ordering == Some(Ordering::Less),
        Operator::Greater => ordering == Some(Ordering::Greater),
        Operator::LessEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Operator::GreaterEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        Operator::BeginsWith | Operator::EndsWith | Operator::Contains | Operator::Like | Operator::Text => {
            textual(operator, Case::Sensitive, left, right)
        }
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
    let Some((value, encoding)) = run(left) else {
        return false;
    };
    let encoding = if encoding == needle_encoding { encoding } else { Encoding::Bytes };
    Pattern::new(operator, case, needle, encoding).matches(value, encoding, &mut Vec::new())
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
    use ValueRef::{Array, Bool, Data, Date, Double, Float, Int, Link, Map, Null, ObjectId, String, TypedLink, Uuid};
    match (left, right) {
        (Null, Null) => Some(Ordering::Equal),
        (Int(a), Int(b)) | (Date(a), Date(b)) => Some(a.cmp(&b)),
        (Bool(a), Bool(b)) => Some(a.cmp(&b)),
        (Bool(a), Int(_) | Float(_) | Double(_)) => order(Int(i64::from(a)), right),
        (Int(_) | Float(_) | Double(_), Bool(b)) => order(left, Int(i64::from(b))),
        (String(a), String(b)) => Some(a.cmp(b)),
        (Data(a), Data(b)) => Some(a.cmp(b)),
        (String(a), Data(b)) => Some(a.as_bytes().cmp(b)),
        (Data(a), String(b)) => Some(a.cmp(b.as_bytes())),
        (ObjectId(a), ObjectId(b)) => Some(a.cmp(&b)),
        (Uuid(a), Uuid(b)) => Some(a.cmp(&b)),
        (Link(a), Link(b)) => Some(a.cmp(&b)),
        (TypedLink(c, a), TypedLink(d, b)) => Some((c, a).cmp(&(d, b))),
        // The class of a plain link is known to match where it is compared at all.
        (TypedLink(_, a), Link(b)) | (Link(a), TypedLink(_, b)) => Some(a.cmp(&b)),
        (Array(_), Array(_)) | (Map(_), Map(_)) if left.same(&right) => Some(Ordering::Equal),
        _ => {
            let (a, b) = (Number::of(left)?, Number::of(right)?);
            if a.is_nan() && b.is_nan() { Some(Ordering::Equal) } else { a.order(b) }
        }
    }
}
