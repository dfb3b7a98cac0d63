//! The values of `$0`, `$1` and so on.

use super::describe::describe_value;
use super::error::QueryError;
use super::geo::GeoShape;
use crate::ids::{ClassIndex, ObjectKey};
use crate::value::Value;

/// One argument of a query.
#[derive(Clone, PartialEq, Debug)]
pub enum Argument {
    /// A single value, or null.
    Value(Value),
    /// An object.
    Link {
        /// Its class.
        class: ClassIndex,
        /// Its key.
        key: ObjectKey,
    },
    /// Several of the above; lists in lists are refused.
    List(Vec<Argument>),
    /// A region, for `GEOWITHIN`.
    Geo(GeoShape),
}

impl From<Value> for Argument {
    fn from(value: Value) -> Argument {
        Argument::Value(value)
    }
}

/// The argument with a number.
pub(super) fn get(arguments: &[Argument], index: usize, at: usize) -> Result<&Argument, QueryError> {
    arguments.get(index).ok_or_else(|| {
        let provided = match arguments.len() {
            0 => "but no arguments are provided".to_string(),
            1 => "but only 1 argument is provided".to_string(),
            count => format!("but only {count} arguments are provided"),
        };
        QueryError::new(at, format!("Request for argument at index {index} {provided}"))
    })
}

impl Argument {
    /// The argument as messages show it.
    pub(super) fn text(&self) -> String {
        match self {
            Argument::Value(value) => describe_value(value),
            Argument::Link { class, key } => format!("L{}:{}", class.0, key.0),
            Argument::List(_) => "a list".to_string(),
            Argument::Geo(shape) => shape.to_string(),
        }
    }
}
