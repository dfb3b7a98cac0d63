//! The sides of comparisons: literals, arguments, lists, key paths, arithmetic and subqueries, with their types.

use super::argument::{self, Argument};
use super::ast::{self, Arithmetic, Expression, ExpressionKind, Literal, Predicate, Quantifier};
use super::compile::{Compiler, Scope};
use super::describe;
use super::error::QueryError;
use super::kinds;
use super::plan::{End, Operand};
use super::types::{Type, fit, fit_digits};
use crate::value::Value;

/// An operand with its type, its place, and the quantifier before it.
pub(super) struct Typed {
    pub(super) operand: Operand,
    pub(super) quantifier: Option<Quantifier>,
    pub(super) kind: Type,
    pub(super) at: usize,
}

impl Compiler<'_> {
    pub(super) fn expression(
        &mut self,
        expression: &Expression,
        hint: Option<Type>,
        scope: Scope<'_>,
    ) -> Result<Typed, QueryError> {
        let at = expression.at;
        let one = |operand, kind| Typed { operand, quantifier: None, kind, at };
        Ok(match &expression.kind {
            ExpressionKind::Literal(literal) => {
                let (operand, kind) = self.literal(literal, hint, at)?;
                one(operand, kind)
            }
            ExpressionKind::Argument { index, quantifier } => {
                let (operand, kind) = self.argument(*index, hint, at)?;
                if quantifier.is_some() && !operand.is_multiple() {
                    let message = format!(
                        "ANY/ALL/NONE are only allowed on arguments which contain a list but '${index}' is not a list."
                    );
                    return Err(QueryError::new(at, message));
                }
                Typed { operand, quantifier: *quantifier, kind, at }
            }
            ExpressionKind::List { elements, quantifier } => {
                let elements = elements.iter().map(|element| match self.expression(element, hint, scope)?.operand {
                    operand @ (Operand::Constant(_) | Operand::Object { .. }) => Ok(operand),
                    _ => Err(QueryError::new(element.at, "Invalid constant inside constant list")),
                });
                let elements = elements.collect::<Result<Vec<_>, _>>()?;
                Typed { operand: listed(elements), quantifier: *quantifier, kind: list_kind(hint), at }
            }
            ExpressionKind::Path { path, quantifier } => {
                let (operand, kind) = self.key_path(path, scope)?;
                if let Some(quantifier) = quantifier
                    && !passes_collection(&operand)
                {
                    let name = quantifier.name();
                    let message = format!("The keypath following '{name}' must contain a list");
                    return Err(QueryError::new(at, message));
                }
                Typed { operand, quantifier: *quantifier, kind, at }
            }
            ExpressionKind::Subquery { path, variable, predicate } => {
                one(self.subquery(path, variable, predicate, scope, at)?, Type::Int)
            }
            ExpressionKind::Chain { first, rest } => self.chain(first, rest, at, scope)?,
        })
    }

    fn subquery(
        &mut self,
        path: &ast::Path,
        variable: &str,
        predicate: &Predicate,
        scope: Scope<'_>,
        at: usize,
    ) -> Result<Operand, QueryError> {
        let path = self.subquery_path(path, scope)?;
        if self.variables.iter().any(|taken| taken == variable) {
            let message = format!(
                "Unable to create a subquery expression with variable '{variable}' since an identical variable \
                 already exists in this context"
            );
            return Err(QueryError::new(at, message));
        }
        self.variables.push(variable.to_string());
        let inner = Scope { class: path.target, variable: Some(variable), is_own: false };
        let node = Box::new(self.predicate(predicate, inner)?);
        self.variables.pop();
        Ok(Operand::Subquery { path, node })
    }

    fn chain(
        &mut self,
        first: &Expression,
        rest: &[(Arithmetic, Expression)],
        at: usize,
        scope: Scope<'_>,
    ) -> Result<Typed, QueryError> {
        let start = self.expression(first, None, scope)?;
        let Typed { operand: start, mut quantifier, mut kind, .. } = start;
        let mut several = start.is_multiple();
        let mut operands = Vec::with_capacity(rest.len());
        let is_number = |kind: Type| kind.is_number() || kind == Type::Mixed;
        for (index, (operator, expression)) in rest.iter().enumerate() {
            let part = self.expression(expression, None, scope)?;
            if !is_number(kind) || !is_number(part.kind) {
                let text =
                    |expression: &Expression| describe::describe_expression(expression, self.arguments, &self.spelled);
                let left = match index {
                    0 => text(first),
                    _ => text(&Expression {
                        kind: ExpressionKind::Chain { first: Box::new(first.clone()), rest: rest[..index].to_vec() },
                        at,
                    }),
                };
                let (sign, right) = (operator.sign(), text(expression));
                let message = format!("Cannot perform '{sign}' operation on '{left}' and '{right}'");
                return Err(QueryError::new(part.at, message));
            }
            if part.operand.is_multiple() {
                if several {
                    return Err(QueryError::new(part.at, "Arithmetic between two lists is not supported"));
                }
                several = true;
            }
            quantifier = part.quantifier.or(quantifier);
            kind = Type::of_arithmetic(kind, part.kind);
            operands.push((*operator, part.operand));
        }
        let operand = Operand::Chain { first: Box::new(start), rest: operands };
        Ok(Typed { operand, quantifier, kind, at })
    }

    fn literal(&mut self, literal: &Literal, hint: Option<Type>, at: usize) -> Result<(Operand, Type), QueryError> {
        match literal {
            Literal::Value(value) => constant(fit(value.clone(), hint), hint, at),
            Literal::Number { value, digits } => constant(fit_digits(*value, digits, hint), hint, at),
            Literal::Link { class, key } => {
                if class.index() >= self.named.schema.classes.len() {
                    return Err(QueryError::new(at, format!("There is no class number {}", class.0)));
                }
                Ok((Operand::Constant(Value::TypedLink(*class, *key)), Type::Link(Some(*class))))
            }
            Literal::Object { class, key } => self.object(class, key, at),
        }
    }

    /// `obj('Class', primary key)`
    fn object(&mut self, class: &str, key: &Expression, at: usize) -> Result<(Operand, Type), QueryError> {
        let unknown = || QueryError::new(at, format!("Unknown object type '{class}'"));
        let index = self.named.schema.class_index(class).ok_or_else(unknown)?;
        let schema = self.named.schema.class(index);
        let Some(column) = schema.primary_key else {
            return Err(QueryError::new(at, format!("Object type '{class}' has no primary key")));
        };
        let wanted = Type::of_property(schema.property(column).kind, index);
        let single = || QueryError::new(key.at, "A primary key must be a single value");
        let value = match &key.kind {
            ExpressionKind::Literal(Literal::Value(value)) => value.clone(),
            ExpressionKind::Literal(Literal::Number { value, .. }) => Value::Double(*value),
            ExpressionKind::Argument { index, .. } => match argument::get(self.arguments, *index, key.at)? {
                Argument::Value(value) => value.clone(),
                Argument::Link { .. } | Argument::List(_) | Argument::Geo(_) => return Err(single()),
            },
            _ => return Err(single()),
        };
        let value = fit(value, Some(wanted)).map_err(|what| QueryError::new(key.at, what))?;
        if !value.is_null() && Type::of(&value) != wanted {
            let given = Type::of(&value).name();
            let wanted = wanted.name();
            let message = format!("The primary key of '{class}' is of type '{wanted}', but the given one is a {given}");
            return Err(QueryError::new(key.at, message));
        }
        self.reads.others.insert((index, column));
        Ok((Operand::Object { class: index, key: value }, Type::Link(Some(index))))
    }

    fn argument(&mut self, index: usize, hint: Option<Type>, at: usize) -> Result<(Operand, Type), QueryError> {
        let argument = argument::get(self.arguments, index, at)?;
        match argument {
            Argument::Value(_) | Argument::Link { .. } => {
                let (value, kind) = self.single_argument(argument, hint, at)?;
                if let Some(hint) = hint
                    && !kind.is_comparable_with(hint)
                    && !matches!((kind, hint), (Type::Link(_), Type::Link(_)))
                {
                    let (text, hint) = (argument.text(), hint.name());
                    let message = format!("Cannot compare argument ${index} with value '{text}' to a {hint}");
                    return Err(QueryError::new(at, message));
                }
                Ok((Operand::Constant(value), kind))
            }
            Argument::List(elements) => {
                let values = elements.iter().map(|element| {
                    let (value, kind) = self.single_argument(element, hint, at)?;
                    match (kind, hint) {
                        // A key alone would match an object of another class.
                        (Type::Link(Some(ours)), Some(Type::Link(Some(theirs)))) if ours != theirs => {
                            let name = &self.named.schema.class(ours).name;
                            let message = format!("Cannot compare argument ${index} of type '{name}' to another type");
                            Err(QueryError::new(at, message))
                        }
                        _ => Ok(value),
                    }
                });
                Ok((Operand::Constants(values.collect::<Result<_, _>>()?), list_kind(hint)))
            }
            Argument::Geo(_) => {
                Err(QueryError::new(at, "A geospatial argument can only be used with the operator 'GEOWITHIN'"))
            }
        }
    }

    fn single_argument(&self, argument: &Argument, hint: Option<Type>, at: usize) -> Result<(Value, Type), QueryError> {
        match argument {
            Argument::Value(value) => match constant(fit(value.clone(), hint), hint, at)? {
                (Operand::Constant(value), kind) => Ok((value, kind)),
                _ => unreachable!("a constant is one"),
            },
            Argument::Link { class, key } if class.index() < self.named.schema.classes.len() => {
                Ok((Value::TypedLink(*class, *key), Type::Link(Some(*class))))
            }
            Argument::Link { class, .. } => Err(QueryError::new(at, format!("There is no class number {}", class.0))),
            Argument::List(_) => Err(QueryError::new(at, "An argument may not be a list of lists")),
            Argument::Geo(_) => Err(QueryError::new(at, "A list may not have geospatial elements")),
        }
    }
}

/// Whether a quantifier may stand before a key path: it passes a collection, though perhaps only to one of its elements.
fn passes_collection(operand: &Operand) -> bool {
    match operand {
        Operand::Path(path) => {
            path.multiple || matches!(path.end, End::Element { .. } | End::Size(_) | End::Walk { .. })
        }
        Operand::Count(path) => path.multiple,
        Operand::Constant(_)
        | Operand::Object { .. }
        | Operand::BacklinkCount(_)
        | Operand::Aggregate { .. }
        | Operand::Subquery { .. } => false,
        Operand::Constants(_) | Operand::Each(_) | Operand::Kind(_) | Operand::Chain { .. } => operand.is_multiple(),
    }
}

/// A constant beside a side of the type `hint`; beside a `@type`, its text names types.
fn constant(value: Result<Value, String>, hint: Option<Type>, at: usize) -> Result<(Operand, Type), QueryError> {
    let value = value.map_err(|what| QueryError::new(at, what))?;
    if hint != Some(Type::Kind) {
        let kind = Type::of(&value);
        return Ok((Operand::Constant(value), kind));
    }
    match value {
        Value::String(name) => {
            let bits = kinds::named(&name).map_err(|what| QueryError::new(at, what))?;
            Ok((Operand::Constant(Value::Int(bits)), Type::Kind))
        }
        other => {
            let kind = Type::of(&other).name();
            Err(QueryError::new(
                at,
                format!("Unsupported comparison between @type and raw value: '@type' and '{kind}'"),
            ))
        }
    }
}

/// A list of constants, the simplest way.
fn listed(elements: Vec<Operand>) -> Operand {
    let is_plain = elements.iter().all(|element| matches!(element, Operand::Constant(_)));
    if !is_plain {
        return Operand::Each(elements);
    }
    let values = elements.into_iter().filter_map(|element| match element {
        Operand::Constant(value) => Some(value),
        _ => None,
    });
    Operand::Constants(values.collect())
}

/// The type of a list of constants, whose elements fit or are equal to nothing.
fn list_kind(hint: Option<Type>) -> Type {
    if hint == Some(Type::Kind) { Type::Kind } else { Type::Any }
}

pub(super) fn is_constant(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Literal(_) | ExpressionKind::Argument { .. } | ExpressionKind::List { .. } => true,
        ExpressionKind::Path { .. } | ExpressionKind::Subquery { .. } => false,
        ExpressionKind::Chain { first, rest } => is_constant(first) && rest.iter().all(|(_, part)| is_constant(part)),
    }
}
