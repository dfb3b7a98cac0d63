//! A query as text again, in one spelling. Parsing it gives the same query, except that arguments have become literals.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::argument::Argument;
use super::ast::*;
use super::literal::to_base64;
use crate::value::Value;

/// The canonical text of a query with its arguments filled in. An argument that is missing keeps its number.
pub(super) fn describe(query: &Query, arguments: &[Argument], spelled: &BTreeMap<usize, String>) -> Description {
    let mut writer = Writer { out: String::new(), arguments, spelled };
    writer.predicate(&query.predicate);
    let predicate = std::mem::take(&mut writer.out);
    writer.separated(&query.suffixes, " ", Writer::suffix);
    Description { predicate, suffixes: writer.out }
}

/// The canonical text of one side of a comparison.
pub(super) fn describe_expression(
    expression: &Expression,
    arguments: &[Argument],
    spelled: &BTreeMap<usize, String>,
) -> String {
    let mut writer = Writer { out: String::new(), arguments, spelled };
    writer.expression(expression);
    writer.out
}

/// The canonical text of a key path.
pub(super) fn describe_path(path: &Path, arguments: &[Argument], spelled: &BTreeMap<usize, String>) -> String {
    let mut writer = Writer { out: String::new(), arguments, spelled };
    writer.path(path);
    writer.out
}

/// The canonical text of a value.
pub(super) fn describe_value(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), arguments: &[], spelled: &BTreeMap::new() };
    writer.value(value);
    writer.out
}

/// A query in words: what objects must fulfil, and what is done with them.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) predicate: String,
    pub(super) suffixes: String,
}

struct Writer<'a> {
    out: String,
    arguments: &'a [Argument],
    /// The stored names of steps, by place.
    spelled: &'a BTreeMap<usize, String>,
}

impl Writer<'_> {
    fn put(&mut self, text: impl std::fmt::Display) {
        write!(self.out, "{text}").expect("writing to a string cannot fail");
    }

    fn separated<T>(&mut self, items: &[T], separator: &str, mut item: impl FnMut(&mut Self, &T)) {
        for (index, each) in items.iter().enumerate() {
            if index > 0 {
                self.put(separator);
            }
            item(self, each);
        }
    }

    fn predicate(&mut self, predicate: &Predicate) {
        match predicate {
            Predicate::True => self.put("TRUEPREDICATE"),
            Predicate::False => self.put("FALSEPREDICATE"),
            Predicate::Not(inner) => {
                self.put("!(");
                self.predicate(inner);
                self.put(")");
            }
            Predicate::And(parts) => self.separated(parts, " and ", Self::predicate),
            Predicate::Or(parts) => {
                self.put("(");
                self.separated(parts, " or ", Self::predicate);
                self.put(")");
            }
            Predicate::Compare(comparison) => {
                self.expression(&comparison.left);
                let case = if comparison.case == Case::Insensitive { "[c]" } else { "" };
                let is_list = match &comparison.right.kind {
                    ExpressionKind::List { .. } => true,
                    ExpressionKind::Argument { index, .. } => {
                        matches!(self.arguments.get(*index), Some(Argument::List(_)))
                    }
                    _ => false,
                };
                let operator = match comparison.operator {
                    Operator::In if is_list => Operator::Equal,
                    operator => operator,
                };
                self.put(format_args!(" {}{case} ", operator.name()));
                self.expression(&comparison.right);
            }
            Predicate::Between(between) => {
                let Between { value, low, high, .. } = &**between;
                self.expression(value);
                self.put(" BETWEEN {");
                self.expression(low);
                self.put(", ");
                self.expression(high);
                self.put("}");
            }
            Predicate::GeoWithin(within) => {
                let GeoWithin { path, quantifier, shape, .. } = &**within;
                self.quantifier(*quantifier);
                self.path(path);
                self.put(" GEOWITHIN ");
                self.shape(shape);
            }
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Literal(Literal::Value(value)) => self.value(value),
            ExpressionKind::Literal(Literal::Number { digits, .. }) => self.put(digits),
            ExpressionKind::Literal(Literal::Link { class, key }) => self.put(format_args!("L{}:{}", class.0, key.0)),
            ExpressionKind::Literal(Literal::Object { class, key }) => {
                self.put("obj(");
                self.string(class);
                self.put(", ");
                self.expression(key);
                self.put(")");
            }
            ExpressionKind::Argument { index, quantifier } => {
                self.quantifier(*quantifier);
                match self.arguments.get(*index) {
                    Some(argument) => self.argument(argument),
                    None => self.put(format_args!("${index}")),
                }
            }
            ExpressionKind::List { elements, quantifier } => {
                self.quantifier(*quantifier);
                self.put("{");
                self.separated(elements, ", ", Self::expression);
                self.put("}");
            }
            ExpressionKind::Path { path, quantifier } => {
                self.quantifier(*quantifier);
                self.path(path);
            }
            ExpressionKind::Subquery { path, variable, predicate } => {
                self.put("SUBQUERY(");
                self.path(path);
                self.put(format_args!(", {variable}, "));
                self.predicate(predicate);
                self.put(").@count");
            }
            ExpressionKind::Chain { first, rest } => {
                self.put("(");
                self.expression(first);
                for (operator, operand) in rest {
                    self.put(format_args!(" {} ", operator.sign()));
                    self.expression(operand);
                }
                self.put(")");
            }
        }
    }

    fn quantifier(&mut self, quantifier: Option<Quantifier>) {
        if let Some(quantifier) = quantifier {
            self.put(format_args!("{} ", quantifier.name()));
        }
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Box(corners) => {
                self.put("GeoBox(");
                self.separated(corners, ", ", Self::point);
            }
            Shape::Circle(center, distance) => {
                self.put("GeoCircle(");
                self.point(center);
                self.put(", ");
                self.coordinate(distance);
            }
            Shape::Polygon(rings) => {
                self.put("GeoPolygon(");
                self.separated(rings, ", ", |writer, ring| {
                    writer.put("{");
                    writer.separated(ring, ", ", Self::point);
                    writer.put("}");
                });
            }
            Shape::Argument(index) => {
                match self.arguments.get(*index) {
                    Some(argument) => self.argument(argument),
                    None => self.put(format_args!("${index}")),
                }
                return;
            }
        }
        self.put(")");
    }

    fn point(&mut self, point: &Point) {
        self.put("[");
        self.separated(point, ", ", Self::coordinate);
        self.put("]");
    }

    fn coordinate(&mut self, coordinate: &Coordinate) {
        match coordinate {
            Coordinate::Number(number) => self.put(number),
            Coordinate::Argument(index) => match self.arguments.get(*index) {
                Some(argument) => self.argument(argument),
                None => self.put(format_args!("${index}")),
            },
        }
    }

    fn argument(&mut self, argument: &Argument) {
        match argument {
            Argument::Value(value) => self.value(value),
            Argument::Link { class, key } => self.put(format_args!("L{}:{}", class.0, key.0)),
            Argument::List(elements) => {
                self.put("{");
                self.separated(elements, ", ", Self::argument);
                self.put("}");
            }
            Argument::Geo(shape) => self.put(shape),
        }
    }

    fn path(&mut self, path: &Path) {
        self.steps(&path.steps);
        match &path.tail {
            Tail::None => {}
            Tail::Count => self.put(".@count"),
            Tail::Type => self.put(".@type"),
            Tail::Aggregate { aggregate, property } => {
                self.put(aggregate.name());
                if let Some(property) = property {
                    self.put(".");
                    self.name(property);
                }
            }
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for (index, step) in steps.iter().enumerate() {
            if index > 0 && !matches!(step.kind, StepKind::Index(_)) {
                self.put(".");
            }
            match (&step.kind, self.spelled.get(&step.at)) {
                (StepKind::Index(at), _) => self.index(at),
                (StepKind::Argument(index), _) => match self.arguments.get(*index) {
                    Some(Argument::Value(Value::String(path))) => self.put(path),
                    _ => self.put(format_args!("$K{index}")),
                },
                (_, Some(stored)) if stored.starts_with('@') => self.put(stored),
                (_, Some(stored)) => self.name(stored),
                (StepKind::Name(name), None) => self.name(name),
                (StepKind::Backlinks { class, property }, None) => {
                    self.put("@links.");
                    self.name(class);
                    self.put(".");
                    self.name(property);
                }
                (StepKind::AllBacklinks, None) => self.put("@links"),
                (StepKind::Keys, None) => self.put("@keys"),
                (StepKind::Values, None) => self.put("@values"),
            }
        }
    }

    fn index(&mut self, index: &Index) {
        match index {
            Index::At(at) => self.put(format_args!("[{at}]")),
            Index::First => self.put("[FIRST]"),
            Index::Last => self.put("[LAST]"),
            Index::Size => self.put("[SIZE]"),
            Index::Every => self.put("[*]"),
            Index::Key(key) => {
                self.put("[");
                self.string(key);
                self.put("]");
            }
            Index::Argument(index) => match self.arguments.get(*index) {
                Some(Argument::Value(value)) => {
                    self.put("[");
                    self.value(value);
                    self.put("]");
                }
                _ => self.put(format_args!("[${index}]")),
            },
        }
    }

    fn name(&mut self, name: &str) {
        for c in name.chars() {
            match c {
                ' ' => self.put("\\ "),
                '\n' => self.put("\\n"),
                '\r' => self.put("\\r"),
                '\t' => self.put("\\t"),
                c => self.out.push(c),
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.put("NULL"),
            Value::Bool(value) => self.put(value),
            Value::Int(value) => self.put(value),
            Value::Float(value) => self.put(format_args!("{value:?}")),
            Value::Double(value) => self.put(format_args!("{value:?}")),
            Value::Decimal(value) => self.put(value),
            Value::String(text) => self.text(text),
            Value::Data(bytes) => {
                self.put("binary(");
                match std::str::from_utf8(bytes) {
                    Ok(text) => self.text(text),
                    Err(_) => self.base64(bytes),
                }
                self.put(")");
            }
            Value::Date(ms) => self.put(format_args!("T{}:{}", ms / 1000, ms % 1000 * 1_000_000)),
            Value::ObjectId(bytes) => {
                self.put("oid(");
                self.hex(bytes);
                self.put(")");
            }
            Value::Uuid(bytes) => {
                self.put("uuid(");
                for (index, group) in
                    [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].iter().enumerate()
                {
                    if index > 0 {
                        self.put("-");
                    }
                    self.hex(group);
                }
                self.put(")");
            }
            Value::Link(key) => self.put(format_args!("O{}", key.0)),
            Value::TypedLink(class, key) => self.put(format_args!("L{}:{}", class.0, key.0)),
            Value::Array(values) => {
                self.put("{");
                self.separated(values, ", ", |writer, value| writer.value(value));
                self.put("}");
            }
            Value::Map(_) => self.put("a dictionary"),
        }
    }

    fn hex(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.put(format_args!("{byte:02x}"));
        }
    }

    fn string(&mut self, text: &str) {
        self.put("\"");
        for c in text.chars() {
            match c {
                '"' => self.put("\\\""),
                '\\' => self.put("\\\\"),
                '\n' => self.put("\\n"),
                '\r' => self.put("\\r"),
                '\t' => self.put("\\t"),
                c if u32::from(c) < 0x20 => self.put(format_args!("\\u{:04x}", u32::from(c))),
                c => self.out.push(c),
            }
        }
        self.put("\"");
    }

    /// A string to compare with: between quotes, or in base64 if it holds what would have to be escaped there.
    fn text(&mut self, text: &str) {
        if text.contains(|c: char| c.is_ascii_control() || matches!(c, '"' | '\'' | '\\')) {
            self.base64(text.as_bytes());
        } else {
            self.string(text);
        }
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.put(format_args!("B64\"{}\"", to_base64(bytes)));
    }

    fn suffix(&mut self, suffix: &Suffix) {
        match suffix {
            Suffix::Sort(keys) => {
                self.put("SORT(");
                self.separated(keys, ", ", |writer, (path, direction)| {
                    writer.steps(&path.steps);
                    writer.put(if *direction == Direction::Ascending { " ASC" } else { " DESC" });
                });
                self.put(")");
            }
            Suffix::Distinct(paths) => {
                self.put("DISTINCT(");
                self.separated(paths, ", ", |writer, path| writer.steps(&path.steps));
                self.put(")");
            }
            Suffix::Limit(limit) => self.put(format_args!("LIMIT({limit})")),
        }
    }
}
