//! Numbers of different types in one order.

use std::cmp::Ordering;

use crate::decimal::Decimal;
use crate::value::ValueRef;

/// A number of any type.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// `int`
    Int(i64),
    /// `float` or `double`
    Double(f64),
    /// `decimal128`
    Decimal(Decimal),
}

impl Number {
    /// The number that a value is.
    pub fn of(value: ValueRef<'_>) -> Option<Number> {
        Some(match value {
            ValueRef::Int(value) => Number::Int(value),
            ValueRef::Float(value) => Number::Double(f64::from(value)),
            ValueRef::Double(value) => Number::Double(value),
            ValueRef::Decimal(value) => Number::Decimal(value),
            _ => return None,
        })
    }

    /// Whether this is not a number.
    pub fn is_nan(self) -> bool {
        match self {
            Number::Int(_) => false,
            Number::Double(value) => value.is_nan(),
            Number::Decimal(value) => value.is_nan(),
        }
    }

    /// How two numbers compare; `None` if one of them is no number. Ints and doubles compare by their exact values, with
    /// decimals by [`Number::to_decimal`].
    pub fn order(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => Some(a.cmp(&b)),
            (Number::Double(a), Number::Double(b)) => a.partial_cmp(&b),
            (Number::Int(a), Number::Double(b)) => order_int_double(a, b),
            (Number::Double(a), Number::Int(b)) => order_int_double(b, a).map(Ordering::reverse),
            _ if self.is_nan() || other.is_nan() => None,
            _ => Some(self.to_decimal().order(other.to_decimal())),
        }
    }

    /// A total order: NaN first and equal to itself.
    pub fn total_order(self, other: Number) -> Ordering {
        self.order(other).unwrap_or_else(|| other.is_nan().cmp(&self.is_nan()))
    }

    /// The decimal that stands for the number: of a double that is an int, that int, of another the shortest spelling. It
    /// lies nearer to the double than to any other, so that all numbers have one order, whatever types are compared.
    pub fn to_decimal(self) -> Decimal {
        match self {
            Number::Int(value) => Decimal::from_int(value),
            Number::Double(value) if order_int_double(value as i64, value) == Some(Ordering::Equal) => {
                Decimal::from_int(value as i64)
            }
            Number::Double(value) => Decimal::from_double(value),
            Number::Decimal(value) => value,
        }
    }

    /// The double that is nearest.
    pub fn to_double(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Double(value) => value,
            Number::Decimal(value) => value.to_double(),
        }
    }
}

/// Compares exactly: no int is rounded. `None` for NaN.
pub fn order_int_double(int: i64, double: f64) -> Option<Ordering> {
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
    use proptest::prelude::*;

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

    #[test]
    fn numbers_of_all_types_are_in_one_order() {
        let decimal = |text| Number::Decimal(Decimal::parse(text).expect("a decimal"));
        let ascending = [
            Number::Double(f64::NAN),
            Number::Double(f64::NEG_INFINITY),
            Number::Int(-1),
            decimal("-0.5"),
            Number::Int(0),
            Number::Double(0.25),
            decimal("0.3"),
            Number::Int(1),
            decimal("1E+30"),
            Number::Double(f64::INFINITY),
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(a.total_order(*b), i.cmp(&j), "{a:?} and {b:?}");
            }
        }
        assert_eq!(decimal("1.0").total_order(Number::Int(1)), Ordering::Equal);
        assert_eq!(decimal("0.1").total_order(Number::Double(0.1)), Ordering::Equal);
        assert_eq!(decimal("NaN").total_order(Number::Double(f64::NAN)), Ordering::Equal);
    }

    /// Numbers near those where doubles leave ints and decimals out.
    fn number() -> impl Strategy<Value = Number> {
        let int = prop_oneof![
            any::<i64>(),
            (-3i64..3).prop_map(|by| (1i64 << 53) + by),
            (0i64..3000).prop_map(|by| i64::MAX - by),
            (0i64..3000).prop_map(|by| i64::MIN + by),
            -3i64..3,
        ];
        (int, 0u8..5).prop_map(|(int, kind)| match kind {
            0 => Number::Int(int),
            1 => Number::Double(int as f64),
            2 => Number::Double(int as f64 / 8.0),
            3 => Number::Decimal(Decimal::from_int(int)),
            _ => Number::Decimal(Decimal::from_double(int as f64)),
        })
    }

    proptest! {
        #[test]
        fn the_order_of_numbers_is_one_order(a in number(), b in number(), c in number()) {
            prop_assert_eq!(a.total_order(b), b.total_order(a).reverse());
            prop_assert_eq!(a.total_order(a), Ordering::Equal);
            if a.total_order(b) != Ordering::Greater && b.total_order(c) != Ordering::Greater {
                let strict = a.total_order(b) == Ordering::Less || b.total_order(c) == Ordering::Less;
                prop_assert_eq!(a.total_order(c), if strict { Ordering::Less } else { Ordering::Equal });
            }
        }
    }

    #[test]
    fn a_double_beyond_2_to_the_53_is_equal_to_one_int_and_one_decimal() {
        let double = Number::Double(9_223_372_036_854_774_784.0);
        assert_eq!(double.total_order(Number::Int(9_223_372_036_854_774_784)), Ordering::Equal);
        let decimal = |text| Number::Decimal(Decimal::parse(text).expect("a decimal"));
        assert_eq!(double.total_order(decimal("9223372036854774784")), Ordering::Equal);
        assert_eq!(double.total_order(decimal("9223372036854775000")), Ordering::Less);
    }
}
