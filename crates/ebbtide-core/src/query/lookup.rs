//! Queries that name their objects by primary key.

use super::ast::{Case, Operator, Quantifier};
use super::columns::Test;
use super::plan::{End, Node, Operand, Path};
use crate::ids::ColumnIndex;
use crate::schema::PropertyType;
use crate::value::Value;

/// Primary keys outside of which nothing fulfils a node.
pub(super) fn primary_keys(node: &Node, primary_key: ColumnIndex, kind: PropertyType) -> Option<Vec<Value>> {
    let fits = |value: &Value| {
        matches!(
            (kind, value),
            (_, Value::Null)
                | (PropertyType::Int, Value::Int(_))
                | (PropertyType::String, Value::String(_))
                | (PropertyType::ObjectId, Value::ObjectId(_))
                | (PropertyType::Uuid, Value::Uuid(_))
        )
    };
    match node {
        Node::And(parts) => parts.iter().find_map(|part| primary_keys(part, primary_key, kind)),
        Node::Column { column, row, test } if *column == primary_key && !matches!(test, Test::Matches { .. }) => {
            if !matches!(row.operator, Operator::Equal | Operator::In) || row.case == Case::Insensitive {
                return None;
            }
            match &row.right.operand {
                Operand::Constant(value) if fits(value) => Some(vec![value.clone()]),
                Operand::Constants(values) if values.iter().all(fits) => Some(values.clone()),
                _ => None,
            }
        }
        Node::Compare(row) => {
            // Lists of identifiers have no test of their own, yet name the objects.
            let own = matches!(&row.left.operand, Operand::Path(Path { hops, end: End::Value(column), .. })
                if hops.is_empty() && *column == primary_key);
            let any = row.left.quantifier == Quantifier::Any && row.right.quantifier == Quantifier::Any;
            match &row.right.operand {
                Operand::Constants(values)
                    if own
                        && any
                        && matches!(row.operator, Operator::Equal | Operator::In)
                        && row.case == Case::Sensitive
                        && values.iter().all(fits) =>
                {
                    Some(values.clone())
                }
                _ => None,
            }
        }
        Node::True
        | Node::False
        | Node::Not(_)
        | Node::Or(_)
        | Node::Column { .. }
        | Node::Words { .. }
        | Node::FarWords { .. }
        | Node::Within(_) => None,
    }
}
