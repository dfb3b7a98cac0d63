//! The types of both sides of a comparison, known before any row is looked at.

use super::ast::Operator;
use super::compare;
use crate::ids::ClassIndex;
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

    /// Whether values of both types can be equal.
    pub(super) fn is_comparable_with(self, other: Type) -> bool {
        let is_numeric = |of: Type| of.is_number() || of == Type::Bool;
        self == other
            || matches!(self, Type::Any | Type::Mixed)
            || matches!(other, Type::Any | Type::Mixed)
            || (is_numeric(self) && is_numeric(other))
            || (self.is_run() && other.is_run())
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

/// A constant as the other side of its comparison wants it: digits in a string become a number beside a number, and a
/// double that is an int becomes one beside an int.
pub(super) fn fit(value: Value, wanted: Option<Type>) -> Result<Value, String> {
    let wanted = wanted.unwrap_or(Type::Any);
    Ok(match (value, wanted) {
        (Value::String(text), Type::Int) => text.parse().map_or(Value::String(text), Value::Int),
        (Value::String(text), Type::Double) => text.parse().map_or(Value::String(text), Value::Double),
        (Value::Double(value), wanted) if value.is_infinite() && !matches!(wanted, Type::Double | Type::Any) => {
            return Err(format!("Infinity not supported for {}", wanted.name()));
        }
        (Value::Double(value), Type::Int) => {
            let int = value as i64;
            let is_exact = compare::order_int_double(int, value) == Some(std::cmp::Ordering::Equal);
            if is_exact { Value::Int(int) } else { Value::Double(value) }
        }
        (value, _) => value,
    })
}
