//! Evaluation a page at a time: a condition on an own column is one loop over a typed array that leaves a bit a row.

use std::cmp::Ordering;

use memchr::memmem::Finder;

use super::ast::{Case, Operator};
use super::compare;
use super::fulltext::TextSearch;
use super::plan::{Node, Operand};
use super::rows;
use super::text::{Encoding, Pattern};
use crate::decimal::Decimal;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::limits::PAGE_ROWS;
use crate::number::{Number, order_int_double};
use crate::objects::{Bits, ColumnData, Page, Runs, Snapshot};
use crate::schema::PropertyType;
use crate::value::{Value, ValueRef};

type Words = [u64; PAGE_ROWS / 64];

/// A condition on one column.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Always,
    Never,
    Null,
    NotNull,
    /// Int and date columns: within bounds, or outside of them with the nulls.
    Within {
        low: i64,
        high: i64,
        negated: bool,
    },
    Bool {
        on_true: bool,
        on_false: bool,
        on_null: bool,
    },
    /// The value is no NaN.
    Float {
        operator: Operator,
        value: f32,
    },
    /// The value is no NaN.
    Double {
        operator: Operator,
        value: f64,
    },
    Decimal {
        operator: Operator,
        value: Decimal,
    },
    ObjectId {
        operator: Operator,
        value: [u8; 12],
    },
    Uuid {
        operator: Operator,
        value: [u8; 16],
    },
    Link {
        key: ObjectKey,
        negated: bool,
    },
    /// Strings and data, ordered by bytes.
    Ordered {
        operator: Operator,
        value: Vec<u8>,
    },
    Matches {
        pattern: Pattern,
        encoding: Encoding,
        negated: bool,
    },
    /// One of these sorted numbers.
    AmongInts {
        values: Vec<i64>,
        null: bool,
    },
    /// One of these sorted byte runs.
    AmongRuns {
        values: Vec<Vec<u8>>,
        null: bool,
    },
}

/// The test that does the same as a comparison of a column with a constant, if there is one.
pub(super) fn test(kind: PropertyType, operator: Operator, case: Case, right: &Operand) -> Option<Test> {
    match right {
        // A column of values of any type has no bits of nulls.
        _ if kind == PropertyType::Mixed => None,
        Operand::Constant(Value::Null) => Some(null_test(operator)),
        Operand::Constant(value) if case == Case::Insensitive || operator.is_textual() => {
            textual_test(kind, operator, case, value)
        }
        Operand::Constant(value) => plain_test(kind, operator, value),
        Operand::Constants(values) if matches!(operator, Operator::Equal | Operator::In) && case == Case::Sensitive => {
            among_test(kind, values)
        }
        _ => None,
    }
}

fn null_test(operator: Operator) -> Test {
    match operator {
        Operator::Equal | Operator::In | Operator::LessEqual | Operator::GreaterEqual | Operator::Like => Test::Null,
        Operator::NotEqual => Test::NotNull,
        Operator::Less | Operator::Greater | Operator::Text => Test::Never,
        Operator::BeginsWith | Operator::EndsWith | Operator::Contains => Test::Always,
    }
}

fn textual_test(kind: PropertyType, operator: Operator, case: Case, value: &Value) -> Option<Test> {
    let (needle, needle_encoding) = compare::run(value.as_ref())?;
    let encoding = match kind {
        PropertyType::String => needle_encoding,
        PropertyType::Data => Encoding::Bytes,
        _ => return None,
    };
    let pattern = Pattern::new(operator, case, needle, encoding);
    Some(Test::Matches { pattern, encoding, negated: operator == Operator::NotEqual })
}

fn plain_test(kind: PropertyType, operator: Operator, value: &Value) -> Option<Test> {
    let holds = |left: ValueRef<'_>| compare::holds(operator, left, value.as_ref());
    Some(match (kind, value) {
        (PropertyType::Float | PropertyType::Double, Value::Float(_) | Value::Double(_)) if is_nan(value) => {
            if operator == Operator::NotEqual { Test::Always } else { Test::Never }
        }
        (PropertyType::Int, Value::Int(_) | Value::Double(_)) | (PropertyType::Date, Value::Date(_)) => {
            within_test(operator, value)?
        }
        (PropertyType::Bool, _) => Test::Bool {
            on_true: holds(ValueRef::Bool(true)),
            on_false: holds(ValueRef::Bool(false)),
            on_null: holds(ValueRef::Null),
        },
        (PropertyType::Float, Value::Float(value)) => Test::Float { operator, value: *value },
        (PropertyType::Float, Value::Int(value))
            if order_int_double(*value, f64::from(*value as f32)).is_some_and(Ordering::is_eq) =>
        {
            Test::Float { operator, value: *value as f32 }
        }
        (PropertyType::Double, Value::Double(value)) => Test::Double { operator, value: *value },
        (PropertyType::Decimal, Value::Decimal(value)) => Test::Decimal { operator, value: *value },
        (PropertyType::Decimal, Value::Int(value)) => Test::Decimal { operator, value: Decimal::from_int(*value) },
        (PropertyType::Double, Value::Int(value)) => double_test(operator, *value),
        (PropertyType::ObjectId, Value::ObjectId(value)) => Test::ObjectId { operator, value: *value },
        (PropertyType::Uuid, Value::Uuid(value)) => Test::Uuid { operator, value: *value },
        (PropertyType::Link, Value::Link(key) | Value::TypedLink(_, key)) => match operator {
            Operator::Equal | Operator::In => Test::Link { key: *key, negated: false },
            Operator::NotEqual => Test::Link { key: *key, negated: true },
            _ => return None,
        },
        (PropertyType::String | PropertyType::Data, value) => {
            let (bytes, _) = compare::run(value.as_ref())?;
            Test::Ordered { operator, value: bytes.to_vec() }
        }
        _ => return None,
    })
}

/// The ints that stand in a relation to a number, as bounds.
fn within_test(operator: Operator, value: &Value) -> Option<Test> {
    // Beyond every int, and exact as a double.
    const FAR: f64 = 36_893_488_147_419_103_232.0;
    let (floor, ceil) = match value {
        Value::Int(value) | Value::Date(value) => (i128::from(*value), i128::from(*value)),
        Value::Double(value) if !value.is_nan() => {
            let value = value.clamp(-FAR, FAR);
            (value.floor() as i128, value.ceil() as i128)
        }
        _ => return None,
    };
    let (low, high) = match operator {
        Operator::Equal | Operator::In | Operator::NotEqual => (ceil, floor),
        Operator::Less => (i128::MIN, ceil - 1),
        Operator::LessEqual => (i128::MIN, floor),
        Operator::Greater => (floor + 1, i128::MAX),
        Operator::GreaterEqual => (ceil, i128::MAX),
        Operator::BeginsWith | Operator::EndsWith | Operator::Contains | Operator::Like | Operator::Text => {
            return None;
        }
    };
    let (low, high) = (low.max(i128::from(i64::MIN)), high.min(i128::from(i64::MAX)));
    let (low, high) = if low > high { (1, 0) } else { (low as i64, high as i64) };
    Some(Test::Within { low, high, negated: operator == Operator::NotEqual })
}

/// The doubles that stand in a relation to an int. An int that no double equals lies between two neighbours, one of
/// which it rounds to; no double is between the int and that one.
fn double_test(operator: Operator, int: i64) -> Test {
    let value = int as f64;
    let operator = match (order_int_double(int, value), operator) {
        (Some(Ordering::Less), Operator::Less | Operator::LessEqual) => Operator::Less,
        (Some(Ordering::Less), Operator::Greater | Operator::GreaterEqual) => Operator::GreaterEqual,
        (Some(Ordering::Greater), Operator::Less | Operator::LessEqual) => Operator::LessEqual,
        (Some(Ordering::Greater), Operator::Greater | Operator::GreaterEqual) => Operator::Greater,
        (Some(Ordering::Less | Ordering::Greater), Operator::NotEqual) => return Test::Always,
        (Some(Ordering::Less | Ordering::Greater), _) => return Test::Never,
        (_, same) => same,
    };
    Test::Double { operator, value }
}

fn is_nan(value: &Value) -> bool {
    Number::of(value.as_ref()).is_some_and(Number::is_nan)
}

fn among_test(kind: PropertyType, values: &[Value]) -> Option<Test> {
    let null = values.iter().any(Value::is_null);
    match kind {
        PropertyType::Int | PropertyType::Date => {
            let mut ints = Vec::new();
            for value in values.iter().filter(|value| !value.is_null()) {
                // What holds no single int cannot match, or is left to the row.
                match (within_test(Operator::Equal, value)?, value) {
                    (_, Value::Date(_)) if kind == PropertyType::Int => return None,
                    (_, value) if kind == PropertyType::Date && !matches!(value, Value::Date(_)) => return None,
                    (Test::Within { low, high, .. }, _) if low == high => ints.push(low),
                    _ => {}
                }
            }
            ints.sort_unstable();
            Some(Test::AmongInts { values: ints, null })
        }
        PropertyType::String | PropertyType::Data => {
            let mut runs: Vec<Vec<u8>> =
                values.iter().filter_map(|value| Some(compare::run(value.as_ref())?.0.to_vec())).collect();
            runs.sort_unstable();
            Some(Test::AmongRuns { values: runs, null })
        }
        PropertyType::Bool
        | PropertyType::Float
        | PropertyType::Double
        | PropertyType::Decimal
        | PropertyType::ObjectId
        | PropertyType::Uuid
        | PropertyType::Link
        | PropertyType::Mixed => None,
    }
}

impl Test {
    /// Whether the test reads runs of bytes, which costs more than numbers.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self, Test::Ordered { .. } | Test::Matches { .. } | Test::AmongRuns { .. })
    }
}

/// The keys of the matching rows of a class, ascending, at most `limit` of them.
pub(super) fn scan(snapshot: &Snapshot, class: ClassIndex, root: &Node, limit: usize) -> Vec<ObjectKey> {
    let mut keys = Vec::new();
    let mut scan = Scan { snapshot, buffer: Vec::new() };
    for page in snapshot.table(class).pages() {
        let all = first_rows(page.len());
        let selected = scan.select(root, page, all);
        if selected == all {
            keys.extend_from_slice(page.keys());
        } else {
            add_keys(page.keys(), selected, &mut keys);
        }
        if keys.len() >= limit {
            keys.truncate(limit);
            break;
        }
    }
    keys
}

/// Adds the keys of some rows of a page.
fn add_keys(of: &[ObjectKey], rows: Words, keys: &mut Vec<ObjectKey>) {
    keys.reserve(count(rows));
    for (mut word, of) in rows.into_iter().zip(of.chunks(64)) {
        while word != 0 {
            keys.push(of[word.trailing_zeros() as usize]);
            word &= word - 1;
        }
    }
}

struct Scan<'a> {
    snapshot: &'a Snapshot,
    buffer: Vec<u8>,
}

impl Scan<'_> {
    /// The rows among `among` that fulfil a node.
    fn select(&mut self, node: &Node, page: &Page, among: Words) -> Words {
        if among == Words::default() {
            return among;
        }
        match node {
            Node::True => among,
            Node::False => Words::default(),
            Node::Not(inner) => and_not(among, self.select(inner, page, among)),
            Node::And(parts) => parts.iter().fold(among, |among, part| self.select(part, page, among)),
            Node::Or(parts) => {
                let mut found = Words::default();
                for part in parts {
                    let more = self.select(part, page, and_not(among, found));
                    found = std::array::from_fn(|i| found[i] | more[i]);
                }
                found
            }
            Node::Column { column, test, .. } => self.test(test, page, *column, among),
            Node::Compare(comparison) => {
                filter(among, |row| rows::compare(comparison, self.snapshot, page.row(row), &mut self.buffer))
            }
            Node::Words { column, search } => words(search, page, *column, among),
            Node::FarWords { .. } | Node::Within(_) => {
                filter(among, |row| rows::matches(node, self.snapshot, page.row(row)))
            }
        }
    }

    fn test(&mut self, test: &Test, page: &Page, column: ColumnIndex, among: Words) -> Words {
        let data = &page.column(column).data;
        match (test, data) {
            (Test::Always, _) => among,
            (Test::Never, _) => Words::default(),
            (Test::Null, data) => and(among, *nulls(data).words()),
            (Test::NotNull, data) => and_not(among, *nulls(data).words()),
            (Test::Within { low, high, negated }, ColumnData::Int(c) | ColumnData::Date(c)) => {
                let inside = and_not(mask(&c.values, |v| (v >= *low) & (v <= *high)), *c.nulls.words());
                if *negated { and_not(among, inside) } else { and(among, inside) }
            }
            (Test::Bool { on_true, on_false, on_null }, ColumnData::Bool(c)) => {
                filter(among, |row| match (c.nulls.get(row), c.values[row]) {
                    (true, _) => *on_null,
                    (false, true) => *on_true,
                    (false, false) => *on_false,
                })
            }
            (Test::Float { operator, value }, ColumnData::Float(c)) => {
                let (found, negated) = ordered_mask(&c.values, *operator, *value);
                let found = and_not(found, *c.nulls.words());
                if negated { and_not(among, found) } else { and(among, found) }
            }
            (Test::Decimal { operator, value }, ColumnData::Decimal(c)) => filter(among, |row| {
                let order = if c.nulls.get(row) { None } else { Some(c.values[row].order(*value)) };
                compare::relates(*operator, order)
            }),
            (Test::Double { operator, value }, ColumnData::Double(c)) => {
                let (found, negated) = ordered_mask(&c.values, *operator, *value);
                let found = and_not(found, *c.nulls.words());
                if negated { and_not(among, found) } else { and(among, found) }
            }
            (Test::ObjectId { operator, value }, ColumnData::ObjectId(c)) => {
                let (found, negated) = ordered_mask(&c.values, *operator, *value);
                let found = and_not(found, *c.nulls.words());
                if negated { and_not(among, found) } else { and(among, found) }
            }
            (Test::Uuid { operator, value }, ColumnData::Uuid(c)) => {
                let (found, negated) = ordered_mask(&c.values, *operator, *value);
                let found = and_not(found, *c.nulls.words());
                if negated { and_not(among, found) } else { and(among, found) }
            }
            (Test::Link { key, negated }, ColumnData::Link(c)) => {
                let found = and_not(mask(&c.values, |v| v == key.0), *c.nulls.words());
                if *negated { and_not(among, found) } else { and(among, found) }
            }
            (Test::AmongInts { values, null }, ColumnData::Int(c) | ColumnData::Date(c)) => {
                filter(among, |row| match c.nulls.get(row) {
                    true => *null,
                    false => values.binary_search(&c.values[row]).is_ok(),
                })
            }
            (test, ColumnData::String(c) | ColumnData::Data(c)) => self.run_test(test, c, among),
            (test, data) => unreachable!("test {test:?} was made for another column than {data:?}"),
        }
    }

    fn run_test(&mut self, test: &Test, runs: &Runs, among: Words) -> Words {
        match test {
            Test::Ordered { operator: operator @ (Operator::Equal | Operator::In | Operator::NotEqual), value } => {
                // Most values differ in their length or their first byte; a loop compares the few others sooner than a call.
                let (spans, bytes) = runs.parts();
                let of_length = and_not(mask(spans, |(_, len)| len as usize == value.len()), *runs.nulls().words());
                let found = filter(and(among, of_length), |row| {
                    let from = spans[row].0 as usize;
                    bytes[from..from + value.len()].iter().eq(value)
                });
                if *operator == Operator::NotEqual { and_not(among, found) } else { found }
            }
            Test::Ordered { operator, value } => filter(among, |row| match runs.get(row) {
                Some(run) => ordered(*operator, run, value),
                None => *operator == Operator::NotEqual,
            }),
            Test::Matches { pattern, encoding, negated } => {
                // Most rows of a page are searched at once.
                let whole = runs.in_order().filter(|(_, spans)| count(among) * 2 > spans.len());
                if let (Some(finder), Some((bytes, spans))) = (pattern.finder(), whole) {
                    let found = containing(finder, bytes, spans);
                    return if *negated { and_not(among, found) } else { and(among, found) };
                }
                filter(among, |row| {
                    let found = runs.get(row).is_some_and(|run| pattern.matches(run, *encoding, &mut self.buffer));
                    found != *negated
                })
            }
            Test::AmongRuns { values, null } => filter(among, |row| match runs.get(row) {
                Some(run) => values.binary_search_by(|value| value.as_slice().cmp(run)).is_ok(),
                None => *null,
            }),
            test => unreachable!("test {test:?} was made for another column than strings or data"),
        }
    }
}

/// The rows whose text has the words that are looked for and none of the others.
fn words(search: &TextSearch, page: &Page, column: ColumnIndex, among: Words) -> Words {
    let column = page.column(column);
    let Some(index) = column.words() else { return Words::default() };
    let among = and_not(among, *nulls(&column.data).words());
    let with = search.with.iter().fold(among, |rows, word| and(rows, *index.rows(word).words()));
    search.without.iter().fold(with, |rows, word| and_not(rows, *index.rows(word).words()))
}

/// Whether two values of one type stand in a relation.
fn ordered<T: PartialOrd + ?Sized>(operator: Operator, left: &T, right: &T) -> bool {
    match operator {
        Operator::NotEqual => left != right,
        Operator::Less => left < right,
        Operator::LessEqual => left <= right,
        Operator::Greater => left > right,
        Operator::GreaterEqual => left >= right,
        Operator::Equal
        | Operator::In
        | Operator::BeginsWith
        | Operator::EndsWith
        | Operator::Contains
        | Operator::Like
        | Operator::Text => left == right,
    }
}

/// The values that stand in a relation to a constant; for `!=` those that equal it, and `true` to say so.
fn ordered_mask<T: PartialOrd + Copy>(values: &[T], operator: Operator, constant: T) -> (Words, bool) {
    let found = match operator {
        Operator::Less => mask(values, |v| v < constant),
        Operator::LessEqual => mask(values, |v| v <= constant),
        Operator::Greater => mask(values, |v| v > constant),
        Operator::GreaterEqual => mask(values, |v| v >= constant),
        Operator::Equal
        | Operator::NotEqual
        | Operator::In
        | Operator::BeginsWith
        | Operator::EndsWith
        | Operator::Contains
        | Operator::Like
        | Operator::Text => mask(values, |v| v == constant),
    };
    (found, operator == Operator::NotEqual)
}

/// A bit for each value, by loops without branches that compilers turn into vectors: a byte for each value first, then
/// eight bytes to eight bits.
fn mask<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> Words {
    /// Multiplied by eight bytes of 0 or 1, it has their bits in its highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut words = Words::default();
    for (word, chunk) in words.iter_mut().zip(values.chunks(64)) {
        let mut flags = [0u8; 64];
        for (flag, value) in flags.iter_mut().zip(chunk) {
            *flag = u8::from(holds(*value));
        }
        for (index, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
            *word |= (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << (8 * index);
        }
    }
    words
}

/// The rows whose bytes contain what is searched for, from one search through the bytes of all.
fn containing(finder: &Finder<'_>, bytes: &[u8], spans: &[(u32, u32)]) -> Words {
    let mut found = Words::default();
    let length = finder.needle().len();
    let (mut row, mut from) = (0, 0);
    while let Some(at) = finder.find(&bytes[from..]).map(|at| from + at) {
        // Rows that end before the hit have none.
        while row < spans.len() && ((spans[row].0 + spans[row].1) as usize) < at + length {
            row += 1;
        }
        let Some((start, len)) = spans.get(row).copied() else { break };
        if at < start as usize {
            // In bytes that are no row's any more, or over the edge of two rows.
            from = at + 1;
            continue;
        }
        found[row / 64] |= 1 << (row % 64);
        from = (start + len) as usize;
        row += 1;
    }
    found
}

fn count(words: Words) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

fn filter(among: Words, mut holds: impl FnMut(usize) -> bool) -> Words {
    let mut found = Words::default();
    for row in set_rows(among) {
        found[row / 64] |= u64::from(holds(row)) << (row % 64);
    }
    found
}

fn set_rows(words: Words) -> impl Iterator<Item = usize> {
    words.into_iter().enumerate().flat_map(|(index, mut word)| {
        std::iter::from_fn(move || {
            let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
            word &= word - 1;
            Some(index * 64 + bit)
        })
    })
}

fn first_rows(len: usize) -> Words {
    std::array::from_fn(|i| match len.saturating_sub(i * 64) {
        0 => 0,
        rest @ 1..64 => (1 << rest) - 1,
        _ => u64::MAX,
    })
}

fn and(a: Words, b: Words) -> Words {
    std::array::from_fn(|i| a[i] & b[i])
}

fn and_not(a: Words, b: Words) -> Words {
    std::array::from_fn(|i| a[i] & !b[i])
}

fn nulls(data: &ColumnData) -> Bits {
    match data {
        ColumnData::Bool(c) => c.nulls,
        ColumnData::Int(c) | ColumnData::Date(c) => c.nulls,
        ColumnData::Float(c) => c.nulls,
        ColumnData::Double(c) => c.nulls,
        ColumnData::Decimal(c) => c.nulls,
        ColumnData::ObjectId(c) => c.nulls,
        ColumnData::Uuid(c) => c.nulls,
        ColumnData::Link(c) => c.nulls,
        ColumnData::String(c) | ColumnData::Data(c) => *c.nulls(),
        ColumnData::Mixed(_) | ColumnData::List(_) | ColumnData::Set(_) | ColumnData::Dictionary(_) => Bits::default(),
    }
}
