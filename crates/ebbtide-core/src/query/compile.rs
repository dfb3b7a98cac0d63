//! Tree to plan: checks names and types, binds arguments, and finds the conditions that run over pages.

use super::argument::{self, Argument};
use super::ast::{self, Case, Expression, ExpressionKind, Literal, Operator, Predicate, Quantifier, Query, Suffix};
use super::columns::{self, Test};
use super::compare;
use super::describe;
use super::error::QueryError;
use super::plan::{Comparison, End, Node, Operand, Path, Plan, Reads, Side, Stage};
use super::resolve::unavailable;
use super::sort::{self, Refusal};
use super::text::Pattern;
use super::types::{Type, fit, message_name};
use crate::ids::{ClassIndex, ColumnIndex};
use crate::schema::{PropertyType, Schema};
use crate::value::Value;

/// Makes a query ready for the objects of a class.
///
/// # Errors
/// Names that the schema does not have, types that cannot be compared, arguments that are missing or do not fit, and
/// parts of the language that are not available yet.
pub fn compile(query: &Query, schema: &Schema, class: ClassIndex, arguments: &[Argument]) -> Result<Plan, QueryError> {
    let mut compiler = Compiler { schema, arguments, reads: Reads::default(), variables: vec![] };
    let scope = Scope { class, variable: None, is_own: true };
    let root = compiler.predicate(&query.predicate, scope)?;
    let stages = query.suffixes.iter().map(|suffix| compiler.stage(suffix, class)).collect::<Result<_, _>>()?;
    let lookup = schema.class(class).primary_key.and_then(|column| {
        let kind = schema.class(class).property(column).kind;
        primary_keys(&root, column, kind)
    });
    let dependencies = compiler.reads.into();
    let description = describe::describe(query, arguments);
    Ok(Plan { class, root, stages, lookup, dependencies, description })
}

pub(super) struct Compiler<'a> {
    pub(super) schema: &'a Schema,
    pub(super) arguments: &'a [Argument],
    pub(super) reads: Reads,
    /// The variables of the subqueries around the current place.
    variables: Vec<String>,
}

/// Whose properties names stand for.
#[derive(Clone, Copy)]
pub(super) struct Scope<'v> {
    pub(super) class: ClassIndex,
    /// The variable of the subquery, which may stand before a path.
    pub(super) variable: Option<&'v str>,
    /// Whether they are the objects that the query is about.
    pub(super) is_own: bool,
}

/// A side with its type and its place.
struct Typed {
    side: Side,
    kind: Type,
    at: usize,
}

impl Compiler<'_> {
    fn predicate(&mut self, predicate: &Predicate, scope: Scope<'_>) -> Result<Node, QueryError> {
        Ok(match predicate {
            Predicate::True => Node::True,
            Predicate::False => Node::False,
            Predicate::Not(inner) => Node::Not(Box::new(self.predicate(inner, scope)?)),
            Predicate::And(parts) => Node::And(self.parts(parts, scope)?),
            Predicate::Or(parts) => Node::Or(self.parts(parts, scope)?),
            Predicate::Compare(comparison) => self.comparison(comparison, scope)?,
            Predicate::Between(between) => self.between(between, scope)?,
            Predicate::GeoWithin(within) => return Err(unavailable("GEOWITHIN", within.at)),
        })
    }

    /// Parts of AND or OR, the cheap ones first.
    fn parts(&mut self, parts: &[Predicate], scope: Scope<'_>) -> Result<Vec<Node>, QueryError> {
        let mut nodes = parts.iter().map(|part| self.predicate(part, scope)).collect::<Result<Vec<_>, _>>()?;
        nodes.sort_by_key(|node| match node {
            Node::True | Node::False => 0,
            Node::Column { test, .. } if !test.is_slow() => 1,
            Node::Column { .. } => 2,
            Node::Not(_) | Node::And(_) | Node::Or(_) => 3,
            Node::Compare(_) => 4,
        });
        Ok(nodes)
    }

    fn between(&mut self, between: &ast::Between, scope: Scope<'_>) -> Result<Node, QueryError> {
        let ast::Between { value, low, high, at } = between;
        let at = *at;
        let mut limit = |operator, limit: &Expression| {
            let comparison =
                ast::Comparison { left: value.clone(), operator, case: Case::Sensitive, right: limit.clone(), at };
            self.comparison(&comparison, scope)
        };
        let parts = vec![limit(Operator::GreaterEqual, low)?, limit(Operator::LessEqual, high)?];
        let only_all = parts.iter().any(|part| {
            matches!(part, Node::Compare(part) if part.left.operand.is_multiple() && part.left.quantifier != Quantifier::All)
        });
        if only_all {
            return Err(QueryError::new(at, "Only 'ALL' supported for operator 'BETWEEN' when applied to lists."));
        }
        Ok(Node::And(parts))
    }

    fn comparison(&mut self, comparison: &ast::Comparison, scope: Scope<'_>) -> Result<Node, QueryError> {
        let ast::Comparison { left, operator, case, right, at } = comparison;
        if *operator == Operator::Text {
            return Err(unavailable("TEXT", *at));
        }
        let (left, right) = match (is_constant(left), is_constant(right)) {
            (true, true) => return Err(QueryError::new(*at, "Cannot compare two constants")),
            (false, true) => {
                let left = self.expression(left, None, scope)?;
                let right = self.expression(right, Some(left.kind), scope)?;
                (left, right)
            }
            (true, false) => {
                let right = self.expression(right, None, scope)?;
                (self.expression(left, Some(right.kind), scope)?, right)
            }
            (false, false) => (self.expression(left, None, scope)?, self.expression(right, None, scope)?),
        };
        self.check(&left, &right, comparison)?;
        Ok(self.condition(left.side, *operator, *case, right.side, scope))
    }

    fn check(&self, left: &Typed, right: &Typed, comparison: &ast::Comparison) -> Result<(), QueryError> {
        let ast::Comparison { operator, case, at, .. } = comparison;
        let refuse = |message: String| Err(QueryError::new(*at, message));
        if *operator == Operator::In && !right.side.operand.is_multiple() {
            let found = describe::describe_expression(&comparison.right, self.arguments);
            let message = format!("The keypath following 'IN' must contain a list. Found '{found}'");
            return Err(QueryError::new(right.at, message));
        }
        if let (Type::Link(Some(ours)), Type::Link(Some(theirs))) = (left.kind, right.kind)
            && ours != theirs
        {
            return refuse(self.other_class(comparison, ours, theirs));
        }
        for (side, other, expression) in [(left, right, &comparison.left), (right, left, &comparison.right)] {
            let is_null = matches!(other.side.operand, Operand::Constant(Value::Null));
            if matches!(side.kind, Type::Link(_)) && side.side.operand.is_multiple() && is_null {
                let list = describe::describe_expression(expression, self.arguments);
                return refuse(format!("Cannot compare linklist ('{list}') with NULL"));
            }
        }
        let is_textual = operator.is_textual() || *case == Case::Insensitive;
        if is_textual {
            let mut name = message_name(*operator);
            if *case == Case::Insensitive && !operator.is_textual() {
                name.push_str("[c]");
            }
            for (side, which) in [(right, "right"), (left, "left")] {
                if !side.kind.is_run() && side.kind != Type::Any {
                    let kind = side.kind.name();
                    return refuse(format!(
                        "Unsupported comparison operator '{name}' against type '{kind}', {which} side must be a string \
                         or binary type"
                    ));
                }
            }
        }
        let unordered = matches!(left.kind, Type::Link(_)) || matches!(right.kind, Type::Link(_));
        if operator.is_relational() && unordered {
            let name = operator.name();
            return refuse(format!(
                "Unsupported operator {name} in query. Only equal (==) and not equal (!=) are supported for this type."
            ));
        }
        if !left.kind.is_comparable_with(right.kind) {
            let (left, right) = (left.kind.name(), right.kind.name());
            return refuse(format!("Unsupported comparison between type '{left}' and type '{right}'"));
        }
        Ok(())
    }

    fn other_class(&self, comparison: &ast::Comparison, ours: ClassIndex, theirs: ClassIndex) -> String {
        let swapped = is_constant(&comparison.left);
        let (expression, target, given) = match swapped {
            true => (&comparison.right, theirs, ours),
            false => (&comparison.left, ours, theirs),
        };
        format!(
            "The relationship '{}' which links to type '{}' cannot be compared to an argument of type '{}'",
            describe::describe_expression(expression, self.arguments),
            self.schema.class(target).name,
            self.schema.class(given).name,
        )
    }

    /// The fastest node for a comparison.
    fn condition(&self, left: Side, operator: Operator, case: Case, right: Side, scope: Scope<'_>) -> Node {
        let mirrored =
            operator.mirrored().filter(|_| is_constant_operand(&left.operand) && !right.operand.is_multiple());
        let (left, operator, right) = match mirrored {
            Some(mirrored) => (right, mirrored, left),
            None => (left, operator, right),
        };
        let mut comparison = Comparison { left, operator, case, right, pattern: None };
        for side in [&mut comparison.left, &mut comparison.right] {
            if side.quantifier == Quantifier::All && !side.operand.is_multiple() {
                side.quantifier = Quantifier::Any;
            }
        }
        let any = comparison.left.quantifier == Quantifier::Any && comparison.right.quantifier == Quantifier::Any;
        if let Operand::Path(Path { hops, end: End::Value(column), target, .. }) = &comparison.left.operand
            && any
            && hops.is_empty()
            && *target == scope.class
        {
            let kind = self.schema.class(scope.class).property(*column).kind;
            let column = *column;
            if let Some(test) = columns::test(kind, operator, case, &comparison.right.operand) {
                return Node::Column { column, test, row: Box::new(with_pattern(comparison)) };
            }
        }
        Node::Compare(Box::new(with_pattern(comparison)))
    }

    fn expression(
        &mut self,
        expression: &Expression,
        hint: Option<Type>,
        scope: Scope<'_>,
    ) -> Result<Typed, QueryError> {
        let at = expression.at;
        let one = |operand, kind| Typed { side: Side { operand, quantifier: Quantifier::Any }, kind, at };
        let many = |operand, kind, quantifier: Option<Quantifier>| Typed {
            side: Side { operand, quantifier: quantifier.unwrap_or(Quantifier::Any) },
            kind,
            at,
        };
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
                many(operand, kind, *quantifier)
            }
            ExpressionKind::List { elements, quantifier } => {
                let mut values = Vec::with_capacity(elements.len());
                for element in elements {
                    match self.expression(element, hint, scope)?.side.operand {
                        Operand::Constant(value) => values.push(value),
                        _ => return Err(QueryError::new(element.at, "Invalid constant inside constant list")),
                    }
                }
                many(Operand::Constants(values), Type::Any, *quantifier)
            }
            ExpressionKind::Path { path, quantifier } => {
                let (operand, kind) = self.key_path(path, scope)?;
                many(operand, kind, *quantifier)
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
        rest: &[(ast::Arithmetic, Expression)],
        at: usize,
        scope: Scope<'_>,
    ) -> Result<Typed, QueryError> {
        let mut quantifier = Quantifier::Any;
        let mut kind = Type::Int;
        let mut several = false;
        let mut part = |compiler: &mut Self, expression: &Expression| {
            let typed = compiler.expression(expression, None, scope)?;
            if !typed.kind.is_number() && typed.kind != Type::Any || is_constant_list(&typed.side.operand) {
                let message = format!("Unsupported arithmetic on type '{}'", typed.kind.name());
                return Err(QueryError::new(typed.at, message));
            }
            if typed.side.operand.is_multiple() {
                if several {
                    return Err(QueryError::new(typed.at, "Arithmetic between two lists is not supported"));
                }
                several = true;
            }
            if typed.side.quantifier != Quantifier::Any {
                quantifier = typed.side.quantifier;
            }
            if typed.kind == Type::Double {
                kind = Type::Double;
            }
            Ok(typed.side.operand)
        };
        let first = Box::new(part(self, first)?);
        let rest = rest.iter().map(|(operator, operand)| Ok((*operator, part(self, operand)?)));
        let rest = rest.collect::<Result<_, QueryError>>()?;
        Ok(Typed { side: Side { operand: Operand::Chain { first, rest }, quantifier }, kind, at })
    }

    fn literal(&mut self, literal: &Literal, hint: Option<Type>, at: usize) -> Result<(Operand, Type), QueryError> {
        match literal {
            Literal::Value(value) => {
                let value = fit(value.clone(), hint).map_err(|what| QueryError::new(at, what))?;
                let kind = Type::of(&value);
                Ok((Operand::Constant(value), kind))
            }
            Literal::Link { class, key } => {
                if class.index() >= self.schema.classes.len() {
                    return Err(QueryError::new(at, format!("There is no class number {}", class.0)));
                }
                Ok((Operand::Constant(Value::Link(*key)), Type::Link(Some(*class))))
            }
            Literal::Object { class, key } => self.object(class, key, at),
        }
    }

    /// `obj('Class', primary key)`
    fn object(&mut self, class: &str, key: &Expression, at: usize) -> Result<(Operand, Type), QueryError> {
        let unknown = || QueryError::new(at, format!("Unknown object type '{class}'"));
        let index = self.schema.class_index(class).ok_or_else(unknown)?;
        let schema = self.schema.class(index);
        let Some(column) = schema.primary_key else {
            return Err(QueryError::new(at, format!("Object type '{class}' has no primary key")));
        };
        let wanted = Type::of_property(schema.property(column).kind, index);
        let value = match &key.kind {
            ExpressionKind::Literal(Literal::Value(value)) => value.clone(),
            ExpressionKind::Argument { index, .. } => match argument::get(self.arguments, *index, key.at)? {
                Argument::Value(value) => value.clone(),
                Argument::Link { .. } | Argument::List(_) => {
                    return Err(QueryError::new(key.at, "A primary key must be a single value"));
                }
            },
            _ => return Err(QueryError::new(key.at, "A primary key must be a single value")),
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
                            let name = &self.schema.class(ours).name;
                            let message = format!("Cannot compare argument ${index} of type '{name}' to another type");
                            Err(QueryError::new(at, message))
                        }
                        _ => Ok(value),
                    }
                });
                Ok((Operand::Constants(values.collect::<Result<_, _>>()?), Type::Any))
            }
        }
    }

    fn single_argument(&self, argument: &Argument, hint: Option<Type>, at: usize) -> Result<(Value, Type), QueryError> {
        match argument {
            Argument::Value(value) => {
                let value = fit(value.clone(), hint).map_err(|what| QueryError::new(at, what))?;
                let kind = Type::of(&value);
                Ok((value, kind))
            }
            Argument::Link { class, key } if class.index() < self.schema.classes.len() => {
                Ok((Value::Link(*key), Type::Link(Some(*class))))
            }
            Argument::Link { class, .. } => Err(QueryError::new(at, format!("There is no class number {}", class.0))),
            Argument::List(_) => Err(QueryError::new(at, "An argument may not be a list of lists")),
        }
    }

    fn stage(&mut self, suffix: &Suffix, class: ClassIndex) -> Result<Stage, QueryError> {
        Ok(match suffix {
            Suffix::Sort(keys) => {
                let paths = keys.iter().map(|(path, direction)| {
                    let (walked, kind) = self.suffix_path(path, class, "sort")?;
                    if kind == PropertyType::Link || matches!(walked.end, End::List(_)) {
                        let name = path.names.join(".");
                        return Err(QueryError::new(
                            path.at,
                            format!("Cannot sort on key path '{name}': it has no order."),
                        ));
                    }
                    Ok((walked, *direction))
                });
                Stage::Sort(paths.collect::<Result<_, _>>()?)
            }
            Suffix::Distinct(paths) => {
                let paths = paths.iter().map(|path| {
                    let (walked, _) = self.suffix_path(path, class, "distinct")?;
                    if matches!(walked.end, End::List(_)) {
                        let name = path.names.join(".");
                        let message = format!("Cannot distinct on key path '{name}': it is a list.");
                        return Err(QueryError::new(path.at, message));
                    }
                    Ok(walked)
                });
                Stage::Distinct(paths.collect::<Result<_, _>>()?)
            }
            Suffix::Limit(limit) => Stage::Limit(*limit),
        })
    }

    fn suffix_path(
        &mut self,
        path: &ast::SortPath,
        class: ClassIndex,
        clause: &str,
    ) -> Result<(Path, PropertyType), QueryError> {
        let names = path.names.iter().map(String::as_str);
        let (walked, kind) = sort::walk(self.schema, class, names).map_err(|refusal| {
            let message = match refusal {
                Refusal::Missing { class, property } => {
                    format!("No property '{property}' found on object type '{class}' specified in '{clause}' clause")
                }
                refusal => format!("Cannot {clause} on key path '{}': {refusal}.", path.names.join(".")),
            };
            QueryError::new(path.at, message)
        })?;
        self.reads.add(class, &walked);
        Ok((walked, kind))
    }
}

fn with_pattern(mut comparison: Comparison) -> Comparison {
    let is_textual = comparison.operator.is_textual() || comparison.case == Case::Insensitive;
    if let Operand::Constant(value) = &comparison.right.operand
        && comparison.right.quantifier == Quantifier::Any
        && is_textual
        && let Some((needle, encoding)) = compare::run(value.as_ref())
    {
        comparison.pattern = Some(Pattern::new(comparison.operator, comparison.case, needle, encoding));
    }
    comparison
}

/// Primary keys outside of which nothing fulfils a node.
fn primary_keys(node: &Node, primary_key: ColumnIndex, kind: PropertyType) -> Option<Vec<Value>> {
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
        Node::True | Node::False | Node::Not(_) | Node::Or(_) | Node::Column { .. } => None,
    }
}

fn is_constant(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Literal(_) | ExpressionKind::Argument { .. } | ExpressionKind::List { .. } => true,
        ExpressionKind::Path { .. } | ExpressionKind::Subquery { .. } => false,
        ExpressionKind::Chain { first, rest } => is_constant(first) && rest.iter().all(|(_, part)| is_constant(part)),
    }
}

fn is_constant_operand(operand: &Operand) -> bool {
    matches!(operand, Operand::Constant(_) | Operand::Constants(_) | Operand::Object { .. })
}

fn is_constant_list(operand: &Operand) -> bool {
    matches!(operand, Operand::Constants(_))
}
