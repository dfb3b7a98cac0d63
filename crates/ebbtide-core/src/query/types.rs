//! The types of both sides of a comparison, known before any row is looked at.

use std::cmp::Ordering;

use super::ast::Operator;
use crate::decimal::Decimal;
use crate::ids::ClassIndex;
use crate::number::order_int_double;
use crate::schema::PropertyType;
use crate::value::Value;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    /// Null, or a list of constants of several types: comparable with everything.
    Any,
    Bool,
    Int,
    Float,
    Double,
    Decimal,
    String,
    Data,
    Date,
    ObjectId,
    Uuid,
    /// Of any type: comparable with everything.
    Mixed,
    /// `@type`
    Kind,
    /// To objects of a class; `None` for a literal that does not say which.
    Link(Option<ClassIndex>),
}

impl Type {
    pub(super) fn of(value: &Value) -> Type {
        match value {
            Value::Null => Type::Any,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Float(_) => Type::Float,
            Value::Double(_) => Type::Double,
            Value::Decimal(_) => Type::Decimal,
            Value::String(_) => Type::String,
            Value::Data(_) => Type::Data,
            Value::Date(_) => Type::Date,
            Value::ObjectId(_) => Type::ObjectId,
            Value::Uuid(_) => Type::Uuid,
            Value::Link(_) => Type::Link(None),
            Value::TypedLink(class, _) => Type::Link(Some(*class)),
            Value::Array(_) | Value::Map(_) => Type::Mixed,
        }
    }

    pub(super) fn of_property(kind: PropertyType, target: ClassIndex) -> Type {
        match kind {
            PropertyType::Bool => Type::Bool,
            PropertyType::Int => Type::Int,
            PropertyType::Float => Type::Float,
            PropertyType::Double => Type::Double,
            PropertyType::Decimal => Type::Decimal,
            PropertyType::Mixed => Type::Mixed,
            PropertyType::String => Type::String,
            PropertyType::Data => Type::Data,
            PropertyType::Date => Type::Date,
            PropertyType::ObjectId => Type::ObjectId,
            PropertyType::Uuid => Type::Uuid,
            PropertyType::Link => Type::Link(Some(target)),
        }
    }

    /// The name in messages; those of the original.
    pub(super) fn name(self) -> &'static str {
        match self {
            Type::Any => "null",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Float => "float",
            Type::Double => "double",
            Type::Decimal => "decimal128",
            Type::Mixed => "mixed",
            Type::Kind => "@type",
            Type::String => "string",
            Type::Data => "binary",
            Type::Date => "timestamp",
            Type::ObjectId => "objectId",
            Type::Uuid => "uuid",
            Type::Link(_) => "link",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Type::Int | Type::Float | Type::Double | Type::Decimal)
    }

    pub(super) fn is_run(self) -> bool {
        matches!(self, Type::String | Type::Data)
    }

    /// The type of a sum or a product.
    pub(super) fn of_arithmetic(left: Type, right: Type) -> Type {
        let either = |kind| left == kind || right == kind;
        let wider = [Type::Mixed, Type::Decimal, Type::Double, Type::Float];
        wider.into_iter().find(|kind| either(*kind)).unwrap_or(Type::Int)
    }

    /// Whether values of both types can be equal.
    pub(super) fn is_comparable_with(self, other: Type) -> bool {
        if self == Type::Kind || other == Type::Kind {
            return self == other;
        }
        self == other
            || matches!(self, Type::Any | Type::Mixed)
            || matches!(other, Type::Any | Type::Mixed)
            || (self.is_number() && other.is_number())
            || matches!((self, other), (Type::Link(a), Type::Link(b)) if a == b || a.is_none() || b.is_none())
    }
}

/// An operator's name in messages of the original.
pub(super) fn message_name(operator: Operator) -> String {
    match operator {
        Operator::Equal => "=".to_string(),
        other => other.name().to_lowercase(),
    }
}

/// A constant as the other side of its comparison wants it: digits in a string become a number beside a number, a string
/// becomes data beside data, a double that is an int becomes one beside an int, and doubles are rounded beside floats.
pub(super) fn fit(value: Value, wanted: Option<Type>) -> Result<Value, String> {
    let wanted = wanted.unwrap_or(Type::Any);
    Ok(match (value, wanted) {
        (Value::String(text), Type::Int) => text.parse().map_or(Value::String(text), Value::Int),
        (Value::String(text), Type::Float) => text.parse().map_or(Value::String(text), Value::Float),
        (Value::String(text), Type::Double) => text.parse().map_or(Value::String(text), Value::Double),
        (Value::String(text), Type::Decimal) => Decimal::parse(&text).map_or(Value::String(text), Value::Decimal),
        (Value::String(text), Type::Data) => Value::Data(text.into_bytes()),
        (Value::Data(bytes), Type::String) => {
            String::from_utf8(bytes).map_or_else(|error| Value::Data(error.into_bytes()), Value::String)
        }
        (Value::Double(value), wanted) if value.is_infinite() && !holds_infinity(wanted) => {
            return Err(format!("Infinity not supported for {}", wanted.name()));
        }
        (Value::Double(value), Type::Int) => {
            let int = value as i64;
            let is_exact = order_int_double(int, value) == Some(Ordering::Equal);
            if is_exact { Value::Int(int) } else { Value::Double(value) }
        }
        (Value::Double(value), Type::Float) => Value::Float(value as f32),
        (Value::Double(value), Type::Decimal) => Value::Decimal(Decimal::from_double(value)),
        (value, _) => value,
    })
}

/// A number of a query, of which a decimal wants every digit.
pub(super) fn fit_digits(value: f64, digits: &str, wanted: Option<Type>) -> Result<Value, String> {
    match (wanted, Decimal::parse(digits)) {
        (Some(Type::Decimal), Some(decimal)) => Ok(Value::Decimal(decimal)),
        _ => fit(Value::Double(value), wanted),
    }
}

fn holds_infinity(kind: Type) -> bool {
    matches!(kind, Type::Any | Type::Float | Type::Double | Type::Decimal | Type::Mixed)
}
