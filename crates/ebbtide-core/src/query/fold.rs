//! Many values as one: the least, the greatest, the sum, the average.

use super::ast::Aggregate;
use super::compare::decimal_of;
use super::plan::NumberType;
use crate::decimal::Decimal;
use crate::number::Number;
use crate::value::ValueRef;

/// Collects values into their minimum, maximum, sum or average. Nulls count for nothing, and neither does NaN where the type of
/// the values is known before.
pub(super) struct Folder<'a> {
    aggregate: Aggregate,
    of: NumberType,
    best: ValueRef<'a>,
    ints: i128,
    doubles: f64,
    decimals: Decimal,
    count: u64,
}

impl<'a> Folder<'a> {
    pub(super) fn new(aggregate: Aggregate, of: NumberType) -> Folder<'a> {
        Folder { aggregate, of, best: ValueRef::Null, ints: 0, doubles: 0.0, decimals: Decimal::ZERO, count: 0 }
    }

    pub(super) fn add(&mut self, value: ValueRef<'a>) {
        let is_nan = || self.of != NumberType::Mixed && Number::of(value).is_some_and(Number::is_nan);
        match self.aggregate {
            _ if value.is_null() => {}
            _ if is_nan() => {}
            Aggregate::Min if self.best.is_null() || value.total_cmp(&self.best).is_lt() => self.best = value,
            Aggregate::Max if self.best.is_null() || value.total_cmp(&self.best).is_gt() => self.best = value,
            Aggregate::Min | Aggregate::Max => {}
            Aggregate::Sum | Aggregate::Average => self.sum(value),
        }
    }

    fn sum(&mut self, value: ValueRef<'a>) {
        match (self.of, value) {
            (NumberType::Mixed, ValueRef::Float(value)) => self.decimals = self.decimals.plus(decimal_of(value)),
            (NumberType::Mixed, value) => match Number::of(value) {
                Some(number) => self.decimals = self.decimals.plus(number.to_decimal()),
                None => return,
            },
            (_, ValueRef::Int(value)) => self.ints += i128::from(value),
            (_, ValueRef::Double(value)) => self.doubles += value,
            (_, ValueRef::Float(value)) => self.doubles += f64::from(value),
            (_, ValueRef::Decimal(value)) => self.decimals = self.decimals.plus(value),
            _ => return,
        }
        self.count += 1;
    }

    /// A sum of ints that is no int is a double; the average and the least of nothing are null.
    pub(super) fn finish(self) -> ValueRef<'a> {
        let is_decimal = matches!(self.of, NumberType::Decimal | NumberType::Mixed);
        match self.aggregate {
            Aggregate::Min | Aggregate::Max => self.best,
            Aggregate::Sum if self.of == NumberType::Int => {
                i64::try_from(self.ints).map_or(ValueRef::Double(self.ints as f64), ValueRef::Int)
            }
            Aggregate::Sum if is_decimal => ValueRef::Decimal(self.decimals),
            Aggregate::Sum => ValueRef::Double(self.doubles),
            Aggregate::Average if self.count == 0 => ValueRef::Null,
            Aggregate::Average if is_decimal => ValueRef::Decimal(self.decimals.divide_by(self.count)),
            Aggregate::Average => ValueRef::Double((self.ints as f64 + self.doubles) / self.count as f64),
        }
    }
}
