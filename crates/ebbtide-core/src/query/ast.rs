//! The shape of a parsed query. Names are not resolved and arguments not bound: that is the compiler's part.

use crate::ids::{ClassIndex, ObjectKey};
use crate::value::Value;

/// A parsed query.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    pub(super) predicate: Predicate,
    pub(super) suffixes: Vec<Suffix>,
}

/// What an object must fulfil.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Predicate {
    True,
    False,
    Not(Box<Predicate>),
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Compare(Box<Comparison>),
    Between(Box<Between>),
    GeoWithin(Box<GeoWithin>),
}

/// `value BETWEEN {low, high}`
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Between {
    pub(super) value: Expression,
    pub(super) low: Expression,
    pub(super) high: Expression,
    pub(super) at: usize,
}

/// `property GEOWITHIN shape`
#[derive(Clone, PartialEq, Debug)]
pub(super) struct GeoWithin {
    pub(super) path: Path,
    pub(super) quantifier: Option<Quantifier>,
    pub(super) shape: Shape,
    pub(super) at: usize,
    /// Where the shape is.
    pub(super) shape_at: usize,
}

/// A region on the sphere, its numbers not yet checked.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    /// Bottom left and top right.
    Box([Point; 2]),
    /// Centre and radius in radians.
    Circle(Point, Coordinate),
    /// The outer ring and its holes.
    Polygon(Vec<Vec<Point>>),
    Argument(usize),
}

/// Longitude and latitude in degrees.
pub(super) type Point = [Coordinate; 2];

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Coordinate {
    Number(f64),
    Argument(usize),
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Comparison {
    pub(super) left: Expression,
    pub(super) operator: Operator,
    pub(super) case: Case,
    pub(super) right: Expression,
    pub(super) at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    BeginsWith,
    EndsWith,
    Contains,
    Like,
    Text,
}

impl Operator {
    /// Canonical spelling, as messages use it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterEqual => ">=",
            Operator::In => "IN",
            Operator::BeginsWith => "BEGINSWITH",
            Operator::EndsWith => "ENDSWITH",
            Operator::Contains => "CONTAINS",
            Operator::Like => "LIKE",
            Operator::Text => "TEXT",
        }
    }

    pub(super) fn is_relational(self) -> bool {
        matches!(self, Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual)
    }

    pub(super) fn is_textual(self) -> bool {
        matches!(self, Operator::BeginsWith | Operator::EndsWith | Operator::Contains | Operator::Like | Operator::Text)
    }

    /// The operator that holds for (b, a) where this one holds for (a, b), if there is one.
    pub(super) fn mirrored(self) -> Option<Operator> {
        match self {
            Operator::Equal => Some(Operator::Equal),
            Operator::NotEqual => Some(Operator::NotEqual),
            Operator::Less => Some(Operator::Greater),
            Operator::LessEqual => Some(Operator::GreaterEqual),
            Operator::Greater => Some(Operator::Less),
            Operator::GreaterEqual => Some(Operator::LessEqual),
            Operator::In
            | Operator::BeginsWith
            | Operator::EndsWith
            | Operator::Contains
            | Operator::Like
            | Operator::Text => None,
        }
    }
}

/// Whether letters of different case are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Case {
    Sensitive,
    Insensitive,
}

/// Which of several values must fulfil a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quantifier {
    Any,
    All,
    None,
}

impl Quantifier {
    pub(super) fn name(self) -> &'static str {
        match self {
            Quantifier::Any => "ANY",
            Quantifier::All => "ALL",
            Quantifier::None => "NONE",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Arithmetic {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
        }
    }
}

/// One side of a comparison.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Expression {
    pub(super) kind: ExpressionKind,
    pub(super) at: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum ExpressionKind {
    Literal(Literal),
    Argument {
        index: usize,
        quantifier: Option<Quantifier>,
    },
    List {
        elements: Vec<Expression>,
        quantifier: Option<Quantifier>,
    },
    Path {
        path: Path,
        quantifier: Option<Quantifier>,
    },
    Subquery {
        path: Path,
        variable: String,
        predicate: Box<Predicate>,
    },
    /// A chain of one precedence, left to right; flat, so that its length costs no depth.
    Chain {
        first: Box<Expression>,
        rest: Vec<(Arithmetic, Expression)>,
    },
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Literal {
    Value(Value),
    /// A number with a fraction, or an integer beyond 64 bits: its digits count where a decimal is wanted.
    Number {
        value: f64,
        digits: String,
    },
    /// `L<class>:<key>`
    Link {
        class: ClassIndex,
        key: ObjectKey,
    },
    /// `obj('Class', primary key)`; the key is a literal or an argument.
    Object {
        class: String,
        key: Box<Expression>,
    },
}

/// A key path with what stands after it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Path {
    pub(super) steps: Vec<Step>,
    pub(super) tail: Tail,
    pub(super) at: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    pub(super) at: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum StepKind {
    Name(String),
    Index(Index),
    /// `@links.Class.property`
    Backlinks {
        class: String,
        property: String,
    },
    /// `@links` alone: everything that links here.
    AllBacklinks,
    /// `$K<n>`
    Argument(usize),
    Keys,
    Values,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Index {
    At(usize),
    First,
    Last,
    Size,
    Every,
    Key(String),
    Argument(usize),
}

/// One value made of many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aggregate {
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// All values added.
    Sum,
    /// The sum divided by how many there are.
    Average,
}

impl Aggregate {
    pub(super) fn name(self) -> &'static str {
        match self {
            Aggregate::Min => ".@min",
            Aggregate::Max => ".@max",
            Aggregate::Sum => ".@sum",
            Aggregate::Average => ".@avg",
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Tail {
    None,
    Count,
    Type,
    Aggregate { aggregate: Aggregate, property: Option<String> },
}

/// What is done with the matching objects, in order of appearance.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Suffix {
    Sort(Vec<(SortPath, Direction)>),
    Distinct(Vec<SortPath>),
    Limit(usize),
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct SortPath {
    /// Names, indexes and key path arguments.
    pub(super) steps: Vec<Step>,
    pub(super) at: usize,
}

/// The order of a sort.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Least first; nulls before all values.
    Ascending,
    /// Greatest first; nulls after all values.
    Descending,
}
