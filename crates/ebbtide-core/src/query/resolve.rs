//! Key paths: names to columns, links, collections and steps through values of any type.

use super::argument::{self, Argument};
use super::ast::{self, Index, Step, StepKind};
use super::compile::{Compiler, Scope};
use super::error::QueryError;
use super::names::Named;
use super::path::key_path_steps;
use super::plan::{End, Hop, Path, Position, WalkStep};
use super::types::Type;
use crate::ids::{ClassIndex, ColumnIndex};
use crate::schema::{Collection, Property, PropertyType};
use crate::value::Value;

/// What a path leads to.
pub(super) struct Resolved {
    pub(super) path: Path,
    pub(super) kind: Type,
    /// The name that messages give it.
    pub(super) name: String,
    pub(super) shape: Shape,
}

/// What stands at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    One,
    /// A list, a set or a dictionary with all that is in it.
    Collection(Collection),
    /// Keys of a dictionary.
    Keys,
    /// A collection of which only the length is asked for.
    Size,
    /// All that link to the objects.
    AllBacklinks,
}

impl Compiler<'_> {
    /// Turns links at the end of a path into one more hop.
    pub(super) fn to_objects(&self, resolved: Resolved) -> Resolved {
        let Resolved { mut path, kind, .. } = resolved;
        if let Type::Link(Some(target)) = kind {
            let hop = match std::mem::take(&mut path.end) {
                End::Value(column) => Some(Hop::Link { column, target }),
                End::Collection(column) => Some(Hop::Collection { column, target }),
                End::Element { column, at } => Some(Hop::Element { column, at, target }),
                End::Object
                | End::Length(_)
                | End::Lengths(_)
                | End::Keys(_)
                | End::Size(_)
                | End::Fold { .. }
                | End::Walk { .. } => None,
            };
            path.hops.extend(hop);
            path.target = target;
        }
        Resolved { path, kind, ..resolved }
    }

    pub(super) fn resolve(&mut self, path: &ast::Path, scope: Scope<'_>) -> Result<Resolved, QueryError> {
        let steps = self.expand(&path.steps)?;
        let mut resolved = Resolved {
            path: Path { target: scope.class, ..Path::default() },
            kind: Type::Link(Some(scope.class)),
            name: String::new(),
            shape: Shape::One,
        };
        let mut steps = steps.as_slice();
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
                    self.named_backlinks(&mut resolved, class, property, step.at)?;
                    rest
                }
                StepKind::AllBacklinks => {
                    resolved.shape = Shape::AllBacklinks;
                    self.reads_backlinks(resolved.path.target);
                    rest
                }
                StepKind::Argument(_) => unreachable!("key path arguments were put in"),
                StepKind::Keys | StepKind::Values => {
                    let class = &self.named.schema.class(resolved.path.target).name;
                    let message = format!("'{class}' is not a dictionary");
                    return Err(QueryError::new(step.at, message));
                }
                StepKind::Index(index) => return Err(self.no_index(&resolved, index, step.at)),
            };
        }
        resolved.path.multiple = is_multiple(&resolved.path);
        resolved.path.links = match (resolved.kind, &resolved.path.end) {
            (Type::Link(target), End::Value(_) | End::Collection(_) | End::Element { .. }) => target,
            _ => None,
        };
        Ok(resolved)
    }

    /// Puts the key paths of `$K0` in the places of their arguments.
    pub(super) fn expand(&self, steps: &[Step]) -> Result<Vec<Step>, QueryError> {
        let mut expanded = Vec::with_capacity(steps.len());
        for step in steps {
            let StepKind::Argument(index) = step.kind else {
                expanded.push(step.clone());
                continue;
            };
            match argument::get(self.arguments, index, step.at)? {
                Argument::Value(Value::String(text)) => expanded.extend(key_path_steps(text, step.at)?),
                other => {
                    let message = format!("Key path argument '$K{index}' must be a string, but it is {}", other.text());
                    return Err(QueryError::new(step.at, message));
                }
            }
        }
        Ok(expanded)
    }

    /// Makes the links so far a hop, because another step follows.
    fn enter(&mut self, resolved: &mut Resolved, step: &Step) -> Result<(), QueryError> {
        let follows = !matches!(step.kind, StepKind::Index(_) | StepKind::Keys | StepKind::Values);
        if let (Type::Link(Some(_)), true) = (resolved.kind, follows) {
            let taken = Resolved { path: std::mem::take(&mut resolved.path), name: resolved.name.clone(), ..*resolved };
            resolved.path = self.to_objects(taken).path;
            return Ok(());
        }
        let class = &self.named.schema.class(resolved.path.target).name;
        let name = &resolved.name;
        let message = match &step.kind {
            StepKind::Index(index) => return Err(self.no_index(resolved, index, step.at)),
            StepKind::Keys | StepKind::Values => format!("Property '{class}.{name}' is not a dictionary"),
            StepKind::Name(_) | StepKind::Backlinks { .. } | StepKind::AllBacklinks | StepKind::Argument(_) => {
                format!("Property '{class}.{name}' is not an object reference")
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
        if let Some((source, column)) = self.named.linking_source(class, name) {
            let schema = self.named.schema;
            let property = &schema.class(source).property(column).name;
            self.spelled.insert(at, format!("@links.{}.{property}", schema.class(source).name));
            self.backlinks(resolved, source, column, name);
            return Ok(rest);
        }
        let column = self.column(class, name, at)?;
        if scope.is_own && resolved.path.hops.is_empty() {
            self.reads.own.insert(column);
        } else {
            self.reads.others.insert((class, column));
        }
        let property = self.property(class, column);
        if property.name != name {
            self.spelled.insert(at, property.name.clone());
        }
        let target = self.named.target(class, column);
        resolved.kind = Type::of_property(property.kind, target.unwrap_or(class));
        resolved.name = name.to_string();
        resolved.shape = Shape::One;
        let (collection, kind) = (property.collection, property.kind);
        let rest = match collection {
            Collection::None => {
                resolved.path.end = End::Value(column);
                rest
            }
            Collection::List | Collection::Set | Collection::Dictionary => {
                resolved.path.end = End::Collection(column);
                resolved.shape = Shape::Collection(collection);
                self.element(resolved, column, target, rest)?
            }
        };
        let walks = kind == PropertyType::Mixed && !rest.is_empty();
        if walks && !matches!(resolved.shape, Shape::Keys | Shape::Size) {
            self.walk(resolved, column, rest)?;
            return Ok(&[]);
        }
        Ok(rest)
    }

    /// The index, key or `@keys` behind a collection.
    fn element<'s>(
        &mut self,
        resolved: &mut Resolved,
        column: ColumnIndex,
        target: Option<ClassIndex>,
        rest: &'s [Step],
    ) -> Result<&'s [Step], QueryError> {
        let Some((step, after)) = rest.split_first() else { return Ok(rest) };
        let is_dictionary = resolved.shape == Shape::Collection(Collection::Dictionary);
        let position = match &step.kind {
            StepKind::Index(Index::Every) => return Ok(after),
            StepKind::Index(Index::Size) => {
                resolved.shape = Shape::Size;
                return Ok(after);
            }
            StepKind::Keys if is_dictionary => {
                resolved.path.end = End::Keys(column);
                resolved.shape = Shape::Keys;
                resolved.kind = Type::String;
                return Ok(after);
            }
            StepKind::Values if is_dictionary => return Ok(after),
            StepKind::Index(index) => match self.position(index, step.at)? {
                Some(position) if matches!(position, Position::Key(_)) == is_dictionary => position,
                _ => return Err(self.no_index(resolved, index, step.at)),
            },
            StepKind::Name(name) if !is_dictionary && resolved.kind.is_run() && name.eq_ignore_ascii_case("length") => {
                resolved.path.end = End::Lengths(column);
                resolved.kind = Type::Int;
                resolved.shape = Shape::One;
                return Ok(after);
            }
            StepKind::Name(name) if is_dictionary => {
                let is_of_object = target.is_some_and(|target| {
                    self.named.column(target, name).is_some() || self.named.linking_source(target, name).is_some()
                });
                if is_of_object {
                    return Ok(rest);
                }
                Position::Key(name.clone())
            }
            StepKind::Name(_)
            | StepKind::Keys
            | StepKind::Values
            | StepKind::Backlinks { .. }
            | StepKind::AllBacklinks
            | StepKind::Argument(_) => return Ok(rest),
        };
        resolved.path.end = End::Element { column, at: position };
        resolved.shape = Shape::One;
        Ok(after)
    }

    /// The place that an index names; none for what is no single place.
    pub(super) fn position(&self, index: &Index, at: usize) -> Result<Option<Position>, QueryError> {
        Ok(Some(match index {
            Index::At(index) => Position::At(*index),
            Index::First => Position::At(0),
            Index::Last => Position::Last,
            Index::Key(key) => Position::Key(key.clone()),
            Index::Argument(number) => match argument::get(self.arguments, *number, at)? {
                Argument::Value(Value::Int(index)) if *index >= 0 => Position::At(*index as usize),
                Argument::Value(Value::Double(index)) if *index >= 0.0 && index.fract() == 0.0 => {
                    Position::At(*index as usize)
                }
                Argument::Value(Value::String(key)) => Position::Key(key.clone()),
                _ => return Err(QueryError::new(at, "Invalid index parameter")),
            },
            Index::Every | Index::Size => return Ok(None),
        }))
    }

    /// The rest of a path that has come to values of any type.
    fn walk(&mut self, resolved: &mut Resolved, column: ColumnIndex, rest: &[Step]) -> Result<(), QueryError> {
        let mut steps = match std::mem::take(&mut resolved.path.end) {
            End::Element { at, .. } => vec![WalkStep::Element(at)],
            End::Collection(_) => vec![WalkStep::Every],
            End::Value(_)
            | End::Object
            | End::Keys(_)
            | End::Length(_)
            | End::Lengths(_)
            | End::Size(_)
            | End::Fold { .. }
            | End::Walk { .. } => vec![],
        };
        for step in rest {
            steps.push(match &step.kind {
                StepKind::Name(name) => walk_name(self.named, name),
                StepKind::Index(Index::Every) | StepKind::Values => WalkStep::Every,
                StepKind::Index(Index::Size) => WalkStep::Length,
                StepKind::Index(index) => match self.position(index, step.at)? {
                    Some(Position::Key(key)) => walk_name(self.named, &key),
                    Some(position) => WalkStep::Element(position),
                    None => return Err(self.no_index(resolved, index, step.at)),
                },
                StepKind::Keys => WalkStep::Keys,
                StepKind::Backlinks { .. } | StepKind::AllBacklinks | StepKind::Argument(_) => {
                    let class = &self.named.schema.class(resolved.path.target).name;
                    let message = format!("Property '{class}.{}' is not an object reference", resolved.name);
                    return Err(QueryError::new(step.at, message));
                }
            });
        }
        self.reads.add_members(&steps);
        resolved.kind = match steps.last() {
            Some(WalkStep::Length) => Type::Int,
            Some(WalkStep::Keys) => Type::String,
            _ => Type::Mixed,
        };
        resolved.shape = Shape::One;
        resolved.path.end = End::Walk { column, steps };
        Ok(())
    }

    fn named_backlinks(
        &mut self,
        resolved: &mut Resolved,
        class: &str,
        property: &str,
        at: usize,
    ) -> Result<(), QueryError> {
        let schema = self.named.schema;
        let of = resolved.path.target;
        let found = schema.class_index(class).and_then(|source| {
            let column = self.named.column(source, property)?;
            let links = self.property(source, column);
            let links_here = links.kind == PropertyType::Mixed || self.named.target(source, column) == Some(of);
            links_here.then_some((source, column))
        });
        let Some((source, column)) = found else {
            let here = &schema.class(of).name;
            let message = format!("No property '{property}' found in type '{class}' which links to type '{here}'");
            return Err(QueryError::new(at, message));
        };
        let stored = &schema.class(source).property(column).name;
        if stored != property {
            self.spelled.insert(at, format!("@links.{class}.{stored}"));
        }
        self.backlinks(resolved, source, column, &format!("@links.{class}.{property}"));
        Ok(())
    }

    fn backlinks(&mut self, resolved: &mut Resolved, source: ClassIndex, column: ColumnIndex, name: &str) {
        self.reads.others.insert((source, column));
        resolved.path.hops.push(Hop::Backlinks { of: resolved.path.target, source, column });
        resolved.path.target = source;
        resolved.path.end = End::Object;
        resolved.kind = Type::Link(Some(source));
        resolved.shape = Shape::One;
        resolved.name = name.to_string();
    }

    pub(super) fn no_index(&self, resolved: &Resolved, index: &Index, at: usize) -> QueryError {
        let class = &self.named.schema.class(resolved.path.target).name;
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
        let name = &self.named.schema.class(target).name;
        for (class, source) in self.named.schema.classes.iter().enumerate() {
            for (column, property) in source.properties.iter().enumerate() {
                if property.target.as_ref() == Some(name) || property.kind == PropertyType::Mixed {
                    self.reads.others.insert((ClassIndex(class as u32), ColumnIndex(column as u32)));
                }
            }
        }
    }

    pub(super) fn column(&self, class: ClassIndex, name: &str, at: usize) -> Result<ColumnIndex, QueryError> {
        let missing = || {
            let class = &self.named.schema.class(class).name;
            QueryError::new(at, format!("'{class}' has no property '{name}'"))
        };
        self.named.column(class, name).ok_or_else(missing)
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn property(&self, class: ClassIndex, column: ColumnIndex) -> &'a Property {
        self.named.schema.class(class).property(column)
    }
}

/// A name behind a value of any type: a key, or a property of whatever class.
pub(super) fn walk_name(named: Named<'_>, name: &str) -> WalkStep {
    let classes = (0..named.schema.classes.len()).map(|class| ClassIndex(class as u32));
    let members = classes.map(|class| {
        let column = named.column(class, name)?;
        Some((column, named.target(class, column)))
    });
    WalkStep::Name { key: name.to_string(), members: members.collect() }
}

/// Whether a path can reach more or less than one value.
pub(super) fn is_multiple(path: &Path) -> bool {
    let ends = match &path.end {
        End::Collection(_) | End::Keys(_) | End::Lengths(_) => true,
        End::Walk { steps, .. } => steps.iter().any(|step| matches!(step, WalkStep::Every | WalkStep::Keys)),
        End::Object | End::Value(_) | End::Element { .. } | End::Length(_) | End::Size(_) | End::Fold { .. } => false,
    };
    ends || path.hops.iter().any(|hop| matches!(hop, Hop::Collection { .. } | Hop::Backlinks { .. }))
}
