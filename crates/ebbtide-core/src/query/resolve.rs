//! Key paths: names to columns, links and lists.

use super::argument::{self, Argument};
use super::ast::{self, Aggregate, Index, Step, StepKind, Tail};
use super::compile::{Compiler, Scope};
use super::error::QueryError;
use super::plan::{End, Hop, Operand, Path, Position};
use super::sort::number_type;
use super::types::Type;
use crate::ids::{ClassIndex, ColumnIndex};
use crate::schema::{Collection, Property, PropertyType};
use crate::value::Value;

/// What a path leads to.
struct Resolved {
    path: Path,
    kind: Type,
    /// The name that messages give it.
    name: String,
    /// Whether it is a list of values that are not links.
    is_plain_list: bool,
    counts: bool,
    backlinks: bool,
}

impl Compiler<'_> {
    /// The operand of a key path with its tail, and its type.
    pub(super) fn key_path(&mut self, path: &ast::Path, scope: Scope<'_>) -> Result<(Operand, Type), QueryError> {
        let resolved = self.resolve(path, scope)?;
        if resolved.backlinks {
            return match path.tail {
                Tail::Count => Ok((Operand::BacklinkCount(resolved.path), Type::Int)),
                _ => {
                    Err(QueryError::new(path.at, "'@links' must be followed by '.@count' or by a class and a property"))
                }
            };
        }
        match &path.tail {
            Tail::None if resolved.counts => self.count(resolved, path.at, "[SIZE]"),
            Tail::None => Ok((Operand::Path(resolved.path), resolved.kind)),
            Tail::Count => self.count(resolved, path.at, "@count"),
            Tail::Type => Err(unavailable("@type", path.at)),
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
        if resolved.is_plain_list {
            let message = format!("A subquery can not operate on a list of primitive values (property '{name}')");
            return Err(QueryError::new(path.at, message));
        }
        let is_list = resolved.path.multiple && matches!(resolved.path.end, End::List(_) | End::Object);
        if !is_list || path.tail != Tail::None {
            let kind = resolved.kind.name();
            let message = format!("A subquery must operate on a list property, but '{name}' is type '{kind}'");
            return Err(QueryError::new(path.at, message));
        }
        Ok(self.to_objects(resolved).path)
    }

    fn count(&mut self, resolved: Resolved, at: usize, operation: &str) -> Result<(Operand, Type), QueryError> {
        if matches!(resolved.kind, Type::Link(_)) {
            let objects = self.to_objects(resolved);
            return Ok((Operand::Count(objects.path), Type::Int));
        }
        let Resolved { mut path, kind, is_plain_list, .. } = resolved;
        match path.end {
            End::List(column) => path.end = End::Length(column),
            End::Value(column) if kind.is_run() => path.end = End::Length(column),
            _ => {
                let kind = kind.name();
                let message = format!("Operation '{operation}' is not supported on property of type '{kind}'");
                return Err(QueryError::new(at, message));
            }
        }
        if is_plain_list {
            path.multiple = is_multiple(&path);
        }
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
        let of = number_type(aggregate, property.kind).filter(|_| property.collection == Collection::None);
        let Some(of) = of else {
            let kind = Type::of_property(property.kind, path.target).name();
            return Err(QueryError::new(at, format!("collection aggregate not supported for type '{kind}'")));
        };
        let kind = result_type(aggregate, Type::of_property(property.kind, path.target));
        path.end = End::Value(column);
        path.multiple = true;
        Ok((Operand::Aggregate { aggregate, path, of }, kind))
    }

    /// Turns links at the end of a path into one more hop.
    fn to_objects(&self, resolved: Resolved) -> Resolved {
        let Resolved { mut path, kind, .. } = resolved;
        if let Type::Link(Some(target)) = kind {
            let hop = match path.end {
                End::Value(column) => Some(Hop::Link { column, target }),
                End::List(column) => Some(Hop::List { column, target }),
                End::Element { column, at } => Some(Hop::Element { column, at, target }),
                End::Object | End::Length(_) => None,
            };
            path.hops.extend(hop);
            path.target = target;
            path.end = End::Object;
        }
        Resolved { path, kind, ..resolved }
    }

    fn resolve(&mut self, path: &ast::Path, scope: Scope<'_>) -> Result<Resolved, QueryError> {
        let mut resolved = Resolved {
            path: Path { target: scope.class, ..Path::default() },
            kind: Type::Link(Some(scope.class)),
            name: String::new(),
            is_plain_list: false,
            counts: false,
            backlinks: false,
        };
        let mut steps = path.steps.as_slice();
        if let Some(Step { kind: StepKind::Name(name), .. }) = steps.first()
            && Some(name.as_str()) == scope.variable
        {
            steps = &steps[1..];
        }
        while let Some((step, rest)) = steps.split_first() {
            if resolved.path.end != End::Object {
                self.enter(&mut resolved, step)?;
            }
            steps = match &step.kind {
                StepKind::Name(name) => self.name(&mut resolved, name, step.at, rest, scope)?,
                StepKind::Backlinks { class, property } => {
                    self.backlinks(&mut resolved, class, property, step.at)?;
                    rest
                }
                StepKind::AllBacklinks => {
                    resolved.backlinks = true;
                    self.reads_backlinks(resolved.path.target);
                    rest
                }
                StepKind::Argument(index) => {
                    return Err(unavailable(&format!("Key path argument '$K{index}'"), step.at));
                }
                StepKind::Keys => return Err(unavailable("'@keys'", step.at)),
                StepKind::Values => return Err(unavailable("'@values'", step.at)),
                StepKind::Index(index) => return Err(self.no_index(&resolved, index, step.at)),
            };
        }
        resolved.path.multiple = is_multiple(&resolved.path);
        Ok(resolved)
    }

    /// Makes the links so far a hop, because another step follows.
    fn enter(&mut self, resolved: &mut Resolved, step: &Step) -> Result<(), QueryError> {
        if let (Type::Link(Some(_)), false) = (resolved.kind, matches!(step.kind, StepKind::Index(_))) {
            let taken = Resolved { path: std::mem::take(&mut resolved.path), name: resolved.name.clone(), ..*resolved };
            resolved.path = self.to_objects(taken).path;
            return Ok(());
        }
        let class = &self.schema.class(resolved.path.target).name;
        let name = &resolved.name;
        let message = match &step.kind {
            StepKind::Index(index) => return Err(self.no_index(resolved, index, step.at)),
            StepKind::Name(next) => format!("Property '{class}.{name}' has no property '{next}'"),
            StepKind::Keys => return Err(unavailable("'@keys'", step.at)),
            StepKind::Values => return Err(unavailable("'@values'", step.at)),
            StepKind::Backlinks { .. } | StepKind::AllBacklinks | StepKind::Argument(_) => {
                format!("Property '{class}.{name}' has no links to it")
            }
        };
        Err(QueryError::new(step.at, message))
    }

    /// A property with the index behind it. Gives the steps that are left.
    fn name<'s>(
        &mut self,
        resolved: &mut Resolved,
        name: &str,
        at: usize,
        rest: &'s [Step],
        scope: Scope<'_>,
    ) -> Result<&'s [Step], QueryError> {
        let class = resolved.path.target;
        let column = self.column(class, name, at)?;
        if scope.is_own && resolved.path.hops.is_empty() {
            self.reads.own.insert(column);
        } else {
            self.reads.others.insert((class, column));
        }
        let property = self.property(class, column);
        let target = property.target.as_deref().and_then(|target| self.schema.class_index(target)).unwrap_or(class);
        resolved.kind = Type::of_property(property.kind, target);
        resolved.name = name.to_string();
        resolved.is_plain_list = false;
        if property.collection == Collection::None {
            resolved.path.end = End::Value(column);
            return Ok(rest);
        }
        resolved.path.end = End::List(column);
        resolved.is_plain_list = property.kind != PropertyType::Link;
        let Some((Step { kind: StepKind::Index(index), at }, after)) = rest.split_first() else {
            return Ok(rest);
        };
        let position = match index {
            Index::At(index) => Position::At(*index),
            Index::First => Position::At(0),
            Index::Last => Position::Last,
            Index::Argument(number) => match argument::get(self.arguments, *number, *at)? {
                Argument::Value(Value::Int(index)) if *index >= 0 => Position::At(*index as usize),
                Argument::Value(Value::Double(index)) if *index >= 0.0 && index.fract() == 0.0 => {
                    Position::At(*index as usize)
                }
                _ => return Err(QueryError::new(*at, "Invalid index parameter")),
            },
            Index::Every => return Ok(after),
            Index::Size => {
                resolved.counts = true;
                return Ok(after);
            }
            Index::Key(_) => return Err(self.no_index(resolved, index, *at)),
        };
        resolved.path.end = End::Element { column, at: position };
        resolved.is_plain_list = false;
        Ok(after)
    }

    fn backlinks(&mut self, resolved: &mut Resolved, class: &str, property: &str, at: usize) -> Result<(), QueryError> {
        let of = resolved.path.target;
        let here = &self.schema.class(of).name;
        let found = self.schema.class_index(class).and_then(|source| {
            let column = self.schema.class(source).column(property)?;
            let links_here = self.schema.class(source).property(column).target.as_deref() == Some(here);
            links_here.then_some((source, column))
        });
        let Some((source, column)) = found else {
            let message = format!("No property '{property}' found in type '{class}' which links to type '{here}'");
            return Err(QueryError::new(at, message));
        };
        self.reads.others.insert((source, column));
        resolved.path.hops.push(Hop::Backlinks { of, source, column });
        resolved.path.target = source;
        resolved.path.end = End::Object;
        resolved.kind = Type::Link(Some(source));
        resolved.name = format!("@links.{class}.{property}");
        Ok(())
    }

    fn no_index(&self, resolved: &Resolved, index: &Index, at: usize) -> QueryError {
        let class = &self.schema.class(resolved.path.target).name;
        let index = match index {
            Index::At(index) => index.to_string(),
            Index::First => "FIRST".to_string(),
            Index::Last => "LAST".to_string(),
            Index::Size => "SIZE".to_string(),
            Index::Every => "*".to_string(),
            Index::Key(key) => key.clone(),
            Index::Argument(number) => format!("${number}"),
        };
        QueryError::new(at, format!("Property '{class}.{}' does not support index '{index}'", resolved.name))
    }

    /// Notes that every link to objects of a class is counted.
    fn reads_backlinks(&mut self, target: ClassIndex) {
        let name = &self.schema.class(target).name;
        for (class, source) in self.schema.classes.iter().enumerate() {
            for (column, property) in source.properties.iter().enumerate() {
                if property.target.as_ref() == Some(name) {
                    self.reads.others.insert((ClassIndex(class as u32), ColumnIndex(column as u32)));
                }
            }
        }
    }

    pub(super) fn column(&self, class: ClassIndex, name: &str, at: usize) -> Result<ColumnIndex, QueryError> {
        let class = self.schema.class(class);
        let missing = || QueryError::new(at, format!("'{}' has no property '{name}'", class.name));
        class.column(name).ok_or_else(missing)
    }

    fn property(&self, class: ClassIndex, column: ColumnIndex) -> &Property {
        self.schema.class(class).property(column)
    }
}

/// `list.@sum` of a list of numbers.
fn fold_values(resolved: Resolved, aggregate: Aggregate, at: usize) -> Result<(Operand, Type), QueryError> {
    let kind = match resolved.kind {
        Type::Int => Some(PropertyType::Int),
        Type::Double => Some(PropertyType::Double),
        Type::Date => Some(PropertyType::Date),
        _ => None,
    };
    let is_list = resolved.is_plain_list || resolved.path.multiple;
    match kind.and_then(|kind| number_type(aggregate, kind)).filter(|_| is_list) {
        Some(of) => {
            let kind = result_type(aggregate, resolved.kind);
            Ok((Operand::Aggregate { aggregate, path: resolved.path, of }, kind))
        }
        None => {
            let operation = aggregate.name();
            Err(QueryError::new(at, format!("Cannot use aggregate '{operation}' for this type of property")))
        }
    }
}

fn result_type(aggregate: Aggregate, of: Type) -> Type {
    if aggregate == Aggregate::Average { Type::Double } else { of }
}

fn is_multiple(path: &Path) -> bool {
    matches!(path.end, End::List(_))
        || path.hops.iter().any(|hop| matches!(hop, Hop::List { .. } | Hop::Backlinks { .. }))
}

pub(super) fn unavailable(what: &str, at: usize) -> QueryError {
    QueryError::new(at, format!("{what} is not available yet in queries"))
}
