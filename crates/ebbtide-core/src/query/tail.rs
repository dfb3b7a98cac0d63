//! What stands behind key paths: counts, aggregates and `@type`.

use super::ast::{self, Aggregate, Tail};
use super::compile::{Compiler, Scope};
use super::error::QueryError;
use super::kinds;
use super::plan::{End, NumberType, Operand, Path, WalkStep};
use super::resolve::{Resolved, Shape, is_multiple};
use super::sort::number_type;
use super::types::Type;
use crate::schema::{Collection, PropertyType};
use crate::value::Value;

impl Compiler<'_> {
    /// The operand of a key path with its tail, and its type.
    pub(super) fn key_path(&mut self, path: &ast::Path, scope: Scope<'_>) -> Result<(Operand, Type), QueryError> {
        let resolved = self.resolve(path, scope)?;
        if resolved.shape == Shape::AllBacklinks {
            return match path.tail {
                Tail::Count => Ok((Operand::BacklinkCount(resolved.path), Type::Int)),
                _ => {
                    Err(QueryError::new(path.at, "'@links' must be followed by '.@count' or by a class and a property"))
                }
            };
        }
        match &path.tail {
            Tail::None if resolved.shape == Shape::Size => self.count(resolved, path.at, "[SIZE]"),
            Tail::None => Ok((Operand::Path(resolved.path), resolved.kind)),
            Tail::Count => self.count(resolved, path.at, "@count"),
            Tail::Type => kind_of(resolved, path.at),
            Tail::Aggregate { aggregate, property: None } => fold_values(resolved, *aggregate, path.at),
            Tail::Aggregate { aggregate, property: Some(property) } => {
                self.fold_objects(resolved, *aggregate, property, path.at)
            }
        }
    }

    /// The path to the objects that a subquery looks at.
    pub(super) fn subquery_path(&mut self, path: &ast::Path, scope: Scope<'_>) -> Result<Path, QueryError> {
        let resolved = self.resolve(path, scope)?;
        let name = &resolved.name;
        let is_link = matches!(resolved.kind, Type::Link(_));
        if matches!(resolved.shape, Shape::Collection(_)) && !is_link {
            let message = format!("A subquery can not operate on a list of primitive values (property '{name}')");
            return Err(QueryError::new(path.at, message));
        }
        let is_list = resolved.path.multiple && matches!(resolved.path.end, End::Collection(_) | End::Object);
        if !is_list || !is_link || path.tail != Tail::None {
            let kind = resolved.kind.name();
            let message = format!("A subquery must operate on a list property, but '{name}' is type '{kind}'");
            return Err(QueryError::new(path.at, message));
        }
        Ok(self.to_objects(resolved).path)
    }

    fn count(&mut self, resolved: Resolved, at: usize, operation: &str) -> Result<(Operand, Type), QueryError> {
        if matches!(resolved.kind, Type::Link(_)) {
            if let (Shape::Collection(Collection::Dictionary), End::Collection(column)) =
                (resolved.shape, &resolved.path.end)
            {
                // The entries that are null count too.
                let mut path = resolved.path.clone();
                path.end = End::Size(*column);
                path.multiple = is_multiple(&path);
                return Ok((Operand::Path(path), Type::Int));
            }
            let objects = self.to_objects(resolved);
            return Ok((Operand::Count(objects.path), Type::Int));
        }
        let Resolved { mut path, kind, .. } = resolved;
        let is_single = resolved.shape == Shape::One;
        path.end = match std::mem::take(&mut path.end) {
            End::Collection(column) | End::Keys(column) => End::Size(column),
            End::Value(column) if kind.is_run() => End::Length(column),
            End::Value(column) if kind == Type::Mixed => End::Walk { column, steps: vec![WalkStep::Length] },
            End::Element { column, at } if kind.is_run() || kind == Type::Mixed => {
                End::Walk { column, steps: vec![WalkStep::Element(at), WalkStep::Length] }
            }
            End::Walk { column, mut steps } if is_single && kind == Type::Mixed => {
                steps.push(WalkStep::Length);
                End::Walk { column, steps }
            }
            End::Object
            | End::Value(_)
            | End::Element { .. }
            | End::Length(_)
            | End::Lengths(_)
            | End::Size(_)
            | End::Fold { .. }
            | End::Walk { .. } => {
                let kind = kind.name();
                let message = format!("Operation '{operation}' is not supported on property of type '{kind}'");
                return Err(QueryError::new(at, message));
            }
        };
        path.multiple = is_multiple(&path);
        Ok((Operand::Path(path), Type::Int))
    }

    fn fold_objects(
        &mut self,
        resolved: Resolved,
        aggregate: Aggregate,
        name: &str,
        at: usize,
    ) -> Result<(Operand, Type), QueryError> {
        let operation = aggregate.name();
        if !matches!(resolved.kind, Type::Link(_)) {
            let list = &resolved.name;
            let message = format!("Operation '{operation}' cannot apply to property '{list}' because it is not a list");
            return Err(QueryError::new(at, message));
        }
        let mut path = self.to_objects(resolved).path;
        let column = self.column(path.target, name, at)?;
        self.reads.others.insert((path.target, column));
        let property = self.property(path.target, column);
        let (kind, collection) = (property.kind, property.collection);
        if kind == PropertyType::Date && matches!(aggregate, Aggregate::Sum | Aggregate::Average) {
            return Err(QueryError::new(at, format!("Cannot use aggregate '{operation}' for this type of property")));
        }
        let of = number_type(aggregate, kind)
            .filter(|of| collection == Collection::None && *of != NumberType::Mixed)
            .ok_or_else(|| {
            let kind = Type::of_property(kind, path.target).name();
            QueryError::new(at, format!("collection aggregate not supported for type '{kind}'"))
        })?;
        let kind = result_type(aggregate, Type::of_property(kind, path.target));
        path.end = End::Value(column);
        path.multiple = true;
        Ok((Operand::Aggregate { aggregate, path, of }, kind))
    }
}

/// `mixed.@type`
fn kind_of(resolved: Resolved, at: usize) -> Result<(Operand, Type), QueryError> {
    if resolved.kind == Type::Mixed {
        return Ok((Operand::Kind(resolved.path), Type::Kind));
    }
    if resolved.path.multiple {
        let kind = resolved.kind.name();
        return Err(QueryError::new(at, format!("Operation '@type' is not supported on property of type '{kind}'")));
    }
    // A type that is known before is a constant.
    Ok((Operand::Constant(Value::Int(kinds::of_type(resolved.kind))), Type::Kind))
}

/// `list.@sum` of a list of numbers.
fn fold_values(resolved: Resolved, aggregate: Aggregate, at: usize) -> Result<(Operand, Type), QueryError> {
    let kind = match resolved.kind {
        Type::Int => Some(PropertyType::Int),
        Type::Float => Some(PropertyType::Float),
        Type::Double => Some(PropertyType::Double),
        Type::Decimal => Some(PropertyType::Decimal),
        Type::Date => Some(PropertyType::Date),
        Type::Mixed => Some(PropertyType::Mixed),
        _ => None,
    };
    let Resolved { mut path, kind: element, .. } = resolved;
    let refused = || {
        let operation = aggregate.name();
        QueryError::new(at, format!("Cannot use aggregate '{operation}' for this type of property"))
    };
    let of = kind.and_then(|kind| number_type(aggregate, kind)).ok_or_else(refused)?;
    let kind = result_type(aggregate, element);
    match path.end {
        End::Collection(column) => {
            path.end = End::Fold { column, aggregate, of };
            path.multiple = is_multiple(&path);
            Ok((Operand::Path(path), kind))
        }
        End::Value(column) if of == NumberType::Mixed => {
            path.end = End::Walk { column, steps: vec![WalkStep::Every] };
            path.multiple = true;
            Ok((Operand::Aggregate { aggregate, path, of }, kind))
        }
        End::Walk { column, mut steps } => {
            if !path.multiple {
                steps.push(WalkStep::Every);
            }
            path.end = End::Walk { column, steps };
            path.multiple = true;
            Ok((Operand::Aggregate { aggregate, path, of }, kind))
        }
        _ => Err(refused()),
    }
}

fn result_type(aggregate: Aggregate, of: Type) -> Type {
    match (aggregate, of) {
        (_, Type::Decimal) => Type::Decimal,
        (Aggregate::Sum | Aggregate::Average, Type::Mixed) => Type::Decimal,
        (Aggregate::Average, _) | (Aggregate::Sum, Type::Float) => Type::Double,
        (Aggregate::Min | Aggregate::Max | Aggregate::Sum, of) => of,
    }
}
