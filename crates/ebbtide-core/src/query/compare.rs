//! Comparison of two values: the rules that every evaluation follows.
//!
//! - null equals null and nothing else; `<=` and `>=` hold between two nulls, `<` and `>` never with one;
//! - NaN is to ordering as null is;
//! - bool (as 0 and 1), int and double compare by their exact numeric values; string and data by their bytes;
//! - values of other different types are unequal and not ordered.

use std::cmp::Ordering;

use super::ast::{Case, Operator};
use super::text::{Encoding, Pattern};
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
    use ValueRef::{Bool, Data, Date, Double, Int, Link, Null, ObjectId, String, Uuid};
    match (left, right) {
        (Null, Null) => Some(Ordering::Equal),
        (Int(a), Int(b)) | (Date(a), Date(b)) => Some(a.cmp(&b)),
        (Double(a), Double(b)) if a.is_nan() && b.is_nan() => Some(Ordering::Equal),
        (Double(a), Double(b)) => a.partial_cmp(&b),
        (Int(a), Double(b)) => order_int_double(a, b),
        (Double(a), Int(b)) => order_int_double(b, a).map(Ordering::reverse),
        (Bool(a), Bool(b)) => Some(a.cmp(&b)),
        (Bool(a), Int(_) | Double(_)) => order(Int(i64::from(a)), right),
        (Int(_) | Double(_), Bool(b)) => order(left, Int(i64::from(b))),
        (String(a), String(b)) => Some(a.cmp(b)),
        (Data(a), Data(b)) => Some(a.cmp(b)),
        (String(a), Data(b)) => Some(a.as_bytes().cmp(b)),
        (Data(a), String(b)) => Some(a.cmp(b.as_bytes())),
        (ObjectId(a), ObjectId(b)) => Some(a.cmp(&b)),
        (Uuid(a), Uuid(b)) => Some(a.cmp(&b)),
        (Link(a), Link(b)) => Some(a.cmp(&b)),
        _ => None,
    }
}

/// Compares exactly: no int is rounded. `None` for NaN.
pub(super) fn order_int_double(int: i64, double: f64) -> Option<Ordering> {
    const ABOVE_ALL: f64 = 9_223_372_036_854_775_808.0;
    if double.is_nan() {
        None
    } else if double >= ABOVE_ALL {
        Some(Ordering::Less)
    } else if double < -ABOVE_ALL {
        Some(Ordering::Greater)
    } else {
        // The whole part fits, and it decides unless the ints are equal.
        let whole = double.trunc();
        Some(int.cmp(&(whole as i64)).then_with(|| whole.partial_cmp(&double).unwrap_or(Ordering::Equal)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_and_doubles_compare_exactly() {
        let big = (1i64 << 53) + 1;
        assert_eq!(order_int_double(big, (1i64 << 53) as f64), Some(Ordering::Greater));
        assert_eq!(order_int_double(i64::MAX, i64::MAX as f64), Some(Ordering::Less));
        assert_eq!(order_int_double(i64::MIN, i64::MIN as f64), Some(Ordering::Equal));
        assert_eq!(order_int_double(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(order_int_double(1, 1.5), Some(Ordering::Less));
        assert_eq!(order_int_double(0, f64::INFINITY), Some(Ordering::Less));
        assert_eq!(order_int_double(0, f64::NAN), None);
    }
}
