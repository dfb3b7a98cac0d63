//! Tree to plan: checks comparisons and finds the conditions that run over pages.

use std::collections::BTreeMap;

use super::argument::{self, Argument};
use super::ast::{self, Case, Coordinate, Expression, Operator, Predicate, Quantifier, Query};
use super::columns;
use super::compare;
use super::describe;
use super::error::QueryError;
use super::fulltext::TextSearch;
use super::geo::{GeoPoint, GeoShape};
use super::kinds;
use super::lookup::primary_keys;
use super::names::Named;
use super::operands::{Typed, is_constant};
use super::plan::{Comparison, End, Node, Operand, Path, Plan, Reads, Rule, Side, Within};
use super::text::Pattern;
use super::types::{Type, message_name};
use crate::ids::ClassIndex;
use crate::schema::{Collection, IndexKind, PropertyType};
use crate::value::Value;

/// Makes a query ready for the objects of a class. The schema can come with further names.
///
/// # Errors
/// Names that the schema does not have, types that cannot be compared, and arguments that are missing or do not fit.
pub fn compile<'a>(
    query: &Query,
    schema: impl Into<Named<'a>>,
    class: ClassIndex,
    arguments: &[Argument],
) -> Result<Plan, QueryError> {
    let named = schema.into();
    let mut compiler =
        Compiler { named, arguments, reads: Reads::default(), variables: vec![], spelled: BTreeMap::new() };
    let scope = Scope { class, variable: None, is_own: true };
    let root = compiler.predicate(&query.predicate, scope)?;
    let stages = query.suffixes.iter().map(|suffix| compiler.stage(suffix, class)).collect::<Result<_, _>>()?;
    let lookup = named.schema.class(class).primary_key.and_then(|column| {
        let kind = named.schema.class(class).property(column).kind;
        primary_keys(&root, column, kind)
    });
    let description = describe::describe(query, arguments, &compiler.spelled);
    let dependencies = compiler.reads.into();
    Ok(Plan { class, root, stages, lookup, dependencies, description })
}

pub(super) struct Compiler<'a> {
    pub(super) named: Named<'a>,
    pub(super) arguments: &'a [Argument],
    pub(super) reads: Reads,
    /// The variables of the subqueries around the current place.
    pub(super) variables: Vec<String>,
    /// The stored names of what was written otherwise, by place.
    pub(super) spelled: BTreeMap<usize, String>,
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

impl Compiler<'_> {
    pub(super) fn predicate(&mut self, predicate: &Predicate, scope: Scope<'_>) -> Result<Node, QueryError> {
        Ok(match predicate {
            Predicate::True => Node::True,
            Predicate::False => Node::False,
            Predicate::Not(inner) => Node::Not(Box::new(self.predicate(inner, scope)?)),
            Predicate::And(parts) => Node::And(self.parts(parts, scope)?),
            Predicate::Or(parts) => Node::Or(self.parts(parts, scope)?),
            Predicate::Compare(comparison) => self.comparison(comparison, scope)?,
            Predicate::Between(between) => self.between(between, scope)?,
            Predicate::GeoWithin(within) => self.within(within, scope)?,
        })
    }

    /// Parts of AND or OR, the cheap ones first.
    fn parts(&mut self, parts: &[Predicate], scope: Scope<'_>) -> Result<Vec<Node>, QueryError> {
        let mut nodes = parts.iter().map(|part| self.predicate(part, scope)).collect::<Result<Vec<_>, _>>()?;
        nodes.sort_by_key(|node| match node {
            Node::True | Node::False => 0,
            Node::Column { test, .. } if !test.is_slow() => 1,
            Node::Column { .. } | Node::Words { .. } => 2,
            Node::Not(_) | Node::And(_) | Node::Or(_) => 3,
            Node::Compare(_) | Node::FarWords { .. } | Node::Within(_) => 4,
        });
        Ok(nodes)
    }

    fn between(&mut self, between: &ast::Between, scope: Scope<'_>) -> Result<Node, QueryError> {
        let ast::Between { value, low, high, at } = between;
        let at = *at;
        let several = self.expression(value, None, scope)?;
        if several.operand.is_multiple() && several.quantifier != Some(Quantifier::All) {
            return Err(QueryError::new(at, "Only 'ALL' supported for operator 'BETWEEN' when applied to lists."));
        }
        let mut limit = |operator, limit: &Expression| {
            let comparison =
                ast::Comparison { left: value.clone(), operator, case: Case::Sensitive, right: limit.clone(), at };
            self.comparison(&comparison, scope)
        };
        Ok(Node::And(vec![limit(Operator::GreaterEqual, low)?, limit(Operator::LessEqual, high)?]))
    }

    fn comparison(&mut self, comparison: &ast::Comparison, scope: Scope<'_>) -> Result<Node, QueryError> {
        let ast::Comparison { left, operator, case, right, at } = comparison;
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
        if *operator == Operator::Text {
            return self.words(left, &right, scope, *at);
        }
        if let (Type::Kind, Operand::Constant(Value::Int(kind)), Operand::Constant(_)) =
            (left.kind, &left.operand, &right.operand)
        {
            let (kind, right) = (kinds::name(*kind), self.text(&comparison.right));
            let message = format!("Comparison between two constants is not supported ('\"{kind}\"' and '{right}')");
            return Err(QueryError::new(*at, message));
        }
        // What has no letters has no case.
        let lettered = |kind: Type| kind.is_run() || matches!(kind, Type::Any | Type::Mixed | Type::Kind);
        let has_case = operator.is_textual() || lettered(left.kind) && lettered(right.kind);
        let case = if has_case { *case } else { Case::Sensitive };
        self.check(&left, &right, comparison, case)?;
        let rule = self.rule(&left, &right, comparison)?;
        Ok(self.condition(left, (*operator, case, rule), right, scope))
    }

    fn rule(&self, left: &Typed, right: &Typed, comparison: &ast::Comparison) -> Result<Rule, QueryError> {
        if left.kind == Type::Kind {
            return Ok(Rule::Types);
        }
        let is_plain_list =
            |operand: &Operand| matches!(operand, Operand::Path(Path { end: End::Collection(_), links: None, .. }));
        if is_plain_list(&left.operand) && is_plain_list(&right.operand) {
            let (left, right) = (self.text(&comparison.left), self.text(&comparison.right));
            let message = format!(
                "Ordered comparison between two primitive lists is not implemented yet ('{right}' and '{left}')"
            );
            return Err(QueryError::new(comparison.at, message));
        }
        let is_list = |side: &Typed| side.operand.is_multiple() && side.quantifier.is_none();
        Ok(if is_list(left) && is_list(right) { Rule::Pairs } else { Rule::Values })
    }

    fn text(&self, expression: &Expression) -> String {
        describe::describe_expression(expression, self.arguments, &self.spelled)
    }

    fn check(&self, left: &Typed, right: &Typed, comparison: &ast::Comparison, case: Case) -> Result<(), QueryError> {
        let ast::Comparison { operator, at, .. } = comparison;
        let refuse = |message: String| Err(QueryError::new(*at, message));
        if *operator == Operator::In && !right.operand.is_multiple() {
            let found = self.text(&comparison.right);
            let message = format!("The keypath following 'IN' must contain a list. Found '{found}'");
            return Err(QueryError::new(right.at, message));
        }
        if let (Type::Link(Some(ours)), Type::Link(Some(theirs))) = (left.kind, right.kind)
            && ours != theirs
        {
            return refuse(self.other_class(comparison, ours, theirs));
        }
        for (side, other, expression) in [(left, right, &comparison.left), (right, left, &comparison.right)] {
            let is_null = matches!(other.operand, Operand::Constant(Value::Null));
            if is_null && self.is_link_list(side) {
                let list = self.text(expression);
                return refuse(format!("Cannot compare linklist ('{list}') with NULL"));
            }
        }
        let name = operator.name();
        let only_equal = || {
            refuse(format!(
                "Unsupported operator {name} in query. Only equal (==) and not equal (!=) are supported for this type."
            ))
        };
        if operator.is_textual() || case == Case::Insensitive {
            let mut name = message_name(*operator);
            if case == Case::Insensitive && !operator.is_textual() {
                name.push_str("[c]");
            }
            for (side, which) in [(right, "right"), (left, "left")] {
                if !side.kind.is_run() && !matches!(side.kind, Type::Any | Type::Mixed) {
                    let kind = side.kind.name();
                    return refuse(format!(
                        "Unsupported comparison operator '{name}' against type '{kind}', {which} side must be a string \
                         or binary type"
                    ));
                }
            }
        }
        let is_unordered = |side: &Typed| matches!(side.kind, Type::Link(_) | Type::Kind);
        if operator.is_relational() && (is_unordered(left) || is_unordered(right)) {
            return only_equal();
        }
        if !left.kind.is_comparable_with(right.kind) {
            let (left, right) = (left.kind.name(), right.kind.name());
            return refuse(format!("Unsupported comparison between type '{left}' and type '{right}'"));
        }
        Ok(())
    }

    /// Links of which none can be null; the values of a dictionary can.
    fn is_link_list(&self, side: &Typed) -> bool {
        let Operand::Path(path) = &side.operand else { return false };
        let holds_null = match path.end {
            End::Collection(column) => self.property(path.target, column).collection == Collection::Dictionary,
            _ => false,
        };
        matches!(side.kind, Type::Link(_)) && path.multiple && !holds_null
    }

    fn other_class(&self, comparison: &ast::Comparison, ours: ClassIndex, theirs: ClassIndex) -> String {
        let swapped = is_constant(&comparison.left);
        let (expression, target, given) = match swapped {
            true => (&comparison.right, theirs, ours),
            false => (&comparison.left, ours, theirs),
        };
        format!(
            "The relationship '{}' which links to type '{}' cannot be compared to an argument of type '{}'",
            self.text(expression),
            self.named.schema.class(target).name,
            self.named.schema.class(given).name,
        )
    }

    /// The fastest node for a comparison.
    fn condition(
        &self,
        left: Typed,
        (operator, case, rule): (Operator, Case, Rule),
        right: Typed,
        scope: Scope<'_>,
    ) -> Node {
        let mirrored =
            operator.mirrored().filter(|_| is_constant_operand(&left.operand) && !right.operand.is_multiple());
        let (left, operator, right) = match mirrored {
            Some(mirrored) => (right, mirrored, left),
            None => (left, operator, right),
        };
        let side = |typed: Typed| {
            let quantifier = typed.quantifier.unwrap_or(Quantifier::Any);
            let is_all_of_one = quantifier == Quantifier::All && !typed.operand.is_multiple();
            Side { quantifier: if is_all_of_one { Quantifier::Any } else { quantifier }, operand: typed.operand }
        };
        let mut comparison = Comparison { left: side(left), operator, case, right: side(right), pattern: None, rule };
        let any = comparison.left.quantifier == Quantifier::Any && comparison.right.quantifier == Quantifier::Any;
        if let Operand::Path(Path { hops, end: End::Value(column), target, .. }) = &comparison.left.operand
            && any
            && hops.is_empty()
            && *target == scope.class
        {
            let kind = self.named.schema.class(scope.class).property(*column).kind;
            let column = *column;
            let is_floating = matches!(kind, PropertyType::Float | PropertyType::Double);
            let is_binary = |operand: &Operand| {
                matches!(operand, Operand::Constant(Value::Int(_) | Value::Float(_) | Value::Double(_)))
            };
            if rule == Rule::Values && is_floating && is_binary(&comparison.right.operand) {
                comparison.rule = Rule::Doubles;
            }
            if let Some(test) = columns::test(kind, operator, case, &comparison.right.operand) {
                let nulls = null_strings(&comparison, kind).and_then(|nulls| {
                    let test = columns::test(kind, nulls.operator, case, &nulls.right.operand)?;
                    Some(Node::Column { column, test, row: Box::new(nulls) })
                });
                let node = Node::Column { column, test, row: Box::new(with_pattern(comparison)) };
                return match nulls {
                    Some(nulls) => Node::Or(vec![node, nulls]),
                    None => node,
                };
            }
        }
        Node::Compare(Box::new(with_pattern(comparison)))
    }

    /// `property TEXT 'words'`
    fn words(&mut self, left: Typed, right: &Typed, scope: Scope<'_>, at: usize) -> Result<Node, QueryError> {
        let no_index = || QueryError::new(at, "Column has no fulltext index");
        let (Operand::Path(path), Operand::Constant(Value::String(text))) = (left.operand, &right.operand) else {
            return Err(no_index());
        };
        let End::Value(column) = path.end else { return Err(no_index()) };
        let property = self.property(path.target, column);
        if property.indexed != IndexKind::FullText || property.kind != PropertyType::String {
            return Err(no_index());
        }
        let search = TextSearch::parse(text).ok_or_else(|| QueryError::new(right.at, "Missing search token"))?;
        if path.hops.is_empty() && path.target == scope.class {
            return Ok(Node::Words { column, search });
        }
        Ok(Node::FarWords { path: Path { end: End::Object, ..path }, column, search })
    }

    /// `property GEOWITHIN shape`
    fn within(&mut self, within: &ast::GeoWithin, scope: Scope<'_>) -> Result<Node, QueryError> {
        let ast::GeoWithin { path, quantifier, shape, at, shape_at } = within;
        let resolved = self.resolve(path, scope)?;
        if !matches!(resolved.kind, Type::Link(_)) || path.tail != ast::Tail::None {
            let kind = resolved.kind.name();
            let message = format!(
                "The left hand side of 'geoWithin' must be a link to geoJSON formatted data. But the provided type is \
                 '{kind}'"
            );
            return Err(QueryError::new(*at, message));
        }
        let path_to_places = self.to_objects(resolved).path;
        let is_argument = matches!(shape, ast::Shape::Argument(_));
        let shape = self.shape(shape, *shape_at)?;
        let place = self.named.schema.class(path_to_places.target);
        let column_of = |name: &str, kind, collection| {
            let column = place.column(name)?;
            let property = place.property(column);
            ((property.kind, property.collection) == (kind, collection)).then_some(column)
        };
        let kind = column_of("type", PropertyType::String, Collection::None);
        let coordinates = column_of("coordinates", PropertyType::Double, Collection::List);
        let (Some(kind), Some(coordinates)) = (kind, coordinates) else {
            let path = describe::describe_path(path, self.arguments, &self.spelled);
            let message =
                format!("Query '{path} GEOWITHIN {shape}' links to data in the wrong format for a geoWithin query");
            return Err(QueryError::new(*at, message));
        };
        let region = shape.region().map_err(|what| {
            let message = match is_argument {
                true => format!("The Geospatial query argument region is invalid: '{what}'"),
                false => format!("Invalid region in GEOWITHIN query for parameter '{shape}': '{what}'"),
            };
            QueryError::new(*shape_at, message)
        })?;
        let target = path_to_places.target;
        self.reads.others.extend([(target, kind), (target, coordinates)]);
        let quantifier = quantifier.unwrap_or(Quantifier::Any);
        Ok(Node::Within(Box::new(Within { path: path_to_places, quantifier, kind, coordinates, region })))
    }

    fn shape(&self, shape: &ast::Shape, at: usize) -> Result<GeoShape, QueryError> {
        let number = |coordinate: &Coordinate| match coordinate {
            Coordinate::Number(number) => Ok(*number),
            Coordinate::Argument(index) => match argument::get(self.arguments, *index, at)? {
                Argument::Value(Value::Int(number)) => Ok(*number as f64),
                Argument::Value(Value::Double(number)) => Ok(*number),
                Argument::Value(Value::Float(number)) => Ok(f64::from(*number)),
                other => {
                    let message =
                        format!("Invalid parameter '{}' used in a geospatial query at ${index}", other.text());
                    Err(QueryError::new(at, message))
                }
            },
        };
        let point = |[longitude, latitude]: &ast::Point| -> Result<GeoPoint, QueryError> {
            Ok(GeoPoint { longitude: number(longitude)?, latitude: number(latitude)? })
        };
        Ok(match shape {
            ast::Shape::Box([bottom_left, top_right]) => {
                GeoShape::Box { bottom_left: point(bottom_left)?, top_right: point(top_right)? }
            }
            ast::Shape::Circle(center, distance) => {
                GeoShape::Circle { center: point(center)?, distance: number(distance)? }
            }
            ast::Shape::Polygon(rings) => {
                let ring = |points: &Vec<ast::Point>| points.iter().map(point).collect::<Result<Vec<_>, _>>();
                GeoShape::Polygon { rings: rings.iter().map(ring).collect::<Result<_, _>>()? }
            }
            ast::Shape::Argument(index) => match argument::get(self.arguments, *index, at)? {
                Argument::Geo(shape) => shape.clone(),
                Argument::Value(value) => {
                    let message = format!(
                        "The right hand side of 'geoWithin' must be a geospatial constant value. But the provided type is '{}'",
                        Type::of(value).name()
                    );
                    return Err(QueryError::new(at, message));
                }
                Argument::Link { .. } | Argument::List(_) => {
                    return Err(QueryError::new(
                        at,
                        "The right hand side of 'geoWithin' must be a geospatial constant value.",
                    ));
                }
            },
        })
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

/// The comparison that also holds of a property which is less than a constant string: a null one is less than all.
fn null_strings(comparison: &Comparison, kind: PropertyType) -> Option<Comparison> {
    let is_less = matches!(comparison.operator, Operator::Less | Operator::LessEqual);
    let is_string = matches!(comparison.right.operand, Operand::Constant(Value::String(_)));
    let null = Side { operand: Operand::Constant(Value::Null), quantifier: Quantifier::Any };
    (kind == PropertyType::String && is_less && is_string).then(|| Comparison {
        operator: Operator::Equal,
        right: null,
        ..comparison.clone()
    })
}

fn is_constant_operand(operand: &Operand) -> bool {
    matches!(operand, Operand::Constant(_) | Operand::Constants(_) | Operand::Each(_) | Operand::Object { .. })
}
