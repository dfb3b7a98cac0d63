//! The naive evaluator for properties of every type: values are read into vectors, numbers are compared as fractions of
//! big ints, and all pairs are tried.

use proptest::prelude::*;

use super::answers::{Items, plan_of};
use super::fixture::text;
use crate::decimal::Decimal;
use crate::ids::ObjectKey;
use crate::value::Value;

/// What one object has.
#[derive(Clone, Debug)]
struct Thing {
    m: Value,
    f: Option<f32>,
    d: Option<f64>,
    dec: Option<Decimal>,
    lm: Vec<Value>,
    dm: Vec<(String, Value)>,
    si: Vec<i64>,
    di: Vec<(String, i64)>,
    words: String,
    link: Option<usize>,
}

type Read = fn(&[Thing], usize) -> Vec<Value>;

/// A path, whether it has several values, and how they are read.
type Path = (&'static str, bool, Read);

fn or_null<T>(value: Option<T>, wrap: impl Fn(T) -> Value) -> Value {
    value.map_or(Value::Null, wrap)
}

fn by_key<T: Clone>(entries: &[(String, T)], key: &str) -> Option<T> {
    // The last one set is the one that stays.
    entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.clone())
}

fn sorted<T: Clone>(entries: &[(String, T)]) -> Vec<(String, T)> {
    let mut keys: Vec<&String> = entries.iter().map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter().map(|key| (key.clone(), by_key(entries, key).unwrap())).collect()
}

fn set_of(values: &[i64]) -> Vec<i64> {
    let mut values = values.to_vec();
    values.sort();
    values.dedup();
    values
}

fn inner(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        Value::Map(values) => values.values().cloned().collect(),
        _ => vec![],
    }
}

fn at(value: &Value, index: usize) -> Value {
    match value {
        Value::Array(values) => values.get(index).cloned().unwrap_or_default(),
        _ => Value::Null,
    }
}

fn key_of(value: &Value, key: &str) -> Value {
    match value {
        Value::Map(values) => values.get(key).cloned().unwrap_or_default(),
        _ => Value::Null,
    }
}

fn length(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::Int(text.len() as i64),
        Value::Data(bytes) => Value::Int(bytes.len() as i64),
        Value::Array(values) => Value::Int(values.len() as i64),
        Value::Map(values) => Value::Int(values.len() as i64),
        _ => Value::Null,
    }
}

const PATHS: [Path; 19] = [
    ("m", false, |w, i| vec![w[i].m.clone()]),
    ("f", false, |w, i| vec![or_null(w[i].f, Value::Float)]),
    ("d", false, |w, i| vec![or_null(w[i].d, Value::Double)]),
    ("dec", false, |w, i| vec![or_null(w[i].dec, Value::Decimal)]),
    ("lm", true, |w, i| w[i].lm.clone()),
    ("lm[0]", false, |w, i| vec![w[i].lm.first().cloned().unwrap_or_default()]),
    ("lm[LAST]", false, |w, i| vec![w[i].lm.last().cloned().unwrap_or_default()]),
    ("dm", true, |w, i| sorted(&w[i].dm).into_iter().map(|(_, value)| value).collect()),
    ("dm['a']", false, |w, i| vec![by_key(&w[i].dm, "a").unwrap_or_default()]),
    ("dm.b", false, |w, i| vec![by_key(&w[i].dm, "b").unwrap_or_default()]),
    ("dm.@keys", true, |w, i| sorted(&w[i].dm).into_iter().map(|(key, _)| Value::String(key)).collect()),
    ("si", true, |w, i| set_of(&w[i].si).into_iter().map(Value::Int).collect()),
    ("di.a", false, |w, i| vec![or_null(by_key(&w[i].di, "a"), Value::Int)]),
    ("di.@sum", false, |w, i| vec![Value::Int(sorted(&w[i].di).iter().map(|(_, value)| value).sum())]),
    ("m[0]", false, |w, i| vec![at(&w[i].m, 0)]),
    ("m[*]", true, |w, i| inner(&w[i].m)),
    ("m.a", false, |w, i| vec![key_of(&w[i].m, "a")]),
    ("m.@count", false, |w, i| vec![length(&w[i].m)]),
    ("o.m", false, |w, i| vec![w[i].link.map_or(Value::Null, |other| w[other].m.clone())]),
];

const NUMBERS: [i64; 4] = [-1, 0, 1, 2];
const DOUBLES: [f64; 6] = [-1.0, 0.5, 1.0, 0.1, f64::INFINITY, f64::NAN];
const DECIMALS: [&str; 6] = ["0.1", "1", "1.0", "-2.5", "NaN", "12345678901234567890.5"];
const KEYS: [&str; 3] = ["a", "b", "c"];
const TEXTS: [&str; 4] = ["", "a", "B", "b"];
const NOTES: [&str; 6] = ["quick fox", "Quick-brown dog", "été", "", "foxes are quick", "brown, brown"];
const SEARCHES: [&str; 8] = ["fox", "QUICK", "quick -fox", "fo*", "-brown", "été", "brown dog", "q* -d*"];

/// A number as a fraction: which of both is greater is decided by multiplying crosswise.
#[derive(Debug)]
enum Exact {
    Nan,
    Below,
    Above,
    /// Numerator, and the power of ten below it, in thousandths of a float's precision at most.
    Fraction(i128, u32),
}

fn exact(text: &str) -> Exact {
    let text = text.to_lowercase();
    match text.as_str() {
        "nan" => return Exact::Nan,
        "inf" | "infinity" => return Exact::Above,
        "-inf" | "-infinity" => return Exact::Below,
        _ => {}
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().unwrap();
    Exact::Fraction(digits, fraction.len() as u32)
}

fn number(value: &Value, other: &Value) -> Option<Exact> {
    Some(match value {
        Value::Int(value) => exact(&value.to_string()),
        // Beside a decimal, a float is what it was written as; beside the rest, what it is.
        Value::Float(value) if matches!(other, Value::Decimal(_)) => exact(&value.to_string()),
        Value::Float(value) if value.is_finite() => exact(&format!("{:.27}", f64::from(*value))),
        Value::Float(value) => exact(&value.to_string()),
        Value::Double(value) if value.is_finite() && !matches!(other, Value::Decimal(_)) => {
            exact(&format!("{value:.30}"))
        }
        Value::Double(value) => exact(&value.to_string()),
        Value::Decimal(value) => exact(&value.to_string()),
        _ => return None,
    })
}

fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    use std::cmp::Ordering;
    let rank = |exact: &Exact| match exact {
        Exact::Nan => 0,
        Exact::Below => 1,
        Exact::Fraction(..) => 2,
        Exact::Above => 3,
    };
    if let (Some(a), Some(b)) = (number(left, right), number(right, left)) {
        return Some(match (&a, &b) {
            (Exact::Fraction(a, down), Exact::Fraction(b, other)) => {
                // What is so long that it would overflow has its whole part to decide by.
                let (whole, other_whole) = (a / 10i128.pow(*down), b / 10i128.pow(*other));
                let (rest, other_rest) = (a % 10i128.pow(*down), b % 10i128.pow(*other));
                whole.cmp(&other_whole).then_with(|| {
                    let places = (*down).max(*other);
                    (rest * 10i128.pow(places - down)).cmp(&(other_rest * 10i128.pow(places - other)))
                })
            }
            _ => rank(&a).cmp(&rank(&b)),
        });
    }
    match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.chars().cmp(b.chars())),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).all(|(a, b)| relates("==", a, b)).then_some(Ordering::Equal)
        }
        (Value::Map(a), Value::Map(b)) if a.len() == b.len() => {
            a.iter().zip(b).all(|(a, b)| a.0 == b.0 && relates("==", a.1, b.1)).then_some(Ordering::Equal)
        }
        _ => None,
    }
}

fn relates(operator: &str, left: &Value, right: &Value) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = order(left, right);
    match operator {
        "!=" => order != Some(Equal),
        "<" => order == Some(Less),
        "<=" => matches!(order, Some(Less | Equal)),
        ">" => order == Some(Greater),
        ">=" => matches!(order, Some(Greater | Equal)),
        _ => order == Some(Equal),
    }
}

#[derive(Clone, Debug)]
enum Condition {
    /// A path, with the constants behind the operator: one, or a list.
    Compare {
        quantifier: &'static str,
        path: Path,
        operator: &'static str,
        constants: Vec<Value>,
        is_list: bool,
    },
    Paths {
        left: Path,
        operator: &'static str,
        right: Path,
    },
    Kind {
        path: Path,
        kind: &'static str,
    },
    Words(&'static str),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => format!("{value:?}"),
        Value::String(text) => format!("'{text}'"),
        other => panic!("no literal for {other:?}"),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Double(_) => "double",
        Value::Decimal(_) => "decimal",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Map(_) => "dictionary",
        other => panic!("no kind for {other:?}"),
    }
}

fn quantified(quantifier: &str, values: &[Value], holds: impl Fn(&Value) -> bool) -> bool {
    match quantifier {
        "ALL" => values.iter().all(holds),
        "NONE" => !values.iter().any(holds),
        _ => values.iter().any(holds),
    }
}

fn has_words(words: &str, search: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace('é', "e");
    let words: Vec<String> =
        plain(words).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(String::from).collect();
    plain(search).split(' ').all(|term| {
        let wanted = !term.starts_with('-');
        let term = term.trim_start_matches('-');
        let found = match term.strip_suffix('*') {
            Some(start) => words.iter().any(|word| word.starts_with(start)),
            None => words.iter().any(|word| word == term),
        };
        found == wanted
    })
}

/// A constant as it is beside a property of a type.
fn fitted(path: &str, value: &Value) -> Value {
    match (path, value) {
        ("f", Value::Double(value)) => Value::Float(*value as f32),
        ("dec", Value::Double(value)) => Value::Decimal(Decimal::from_double(*value)),
        (_, value) => value.clone(),
    }
}

impl Condition {
    fn text(&self) -> String {
        let join = |parts: &[Condition], separator: &str| {
            parts.iter().map(|part| format!("({})", part.text())).collect::<Vec<_>>().join(separator)
        };
        match self {
            Condition::Compare { quantifier, path, operator, constants, is_list } => {
                let constants: Vec<String> = constants.iter().map(literal).collect();
                let constants = if *is_list { format!("{{{}}}", constants.join(", ")) } else { constants.concat() };
                format!("{quantifier} {} {operator} {constants}", path.0)
            }
            Condition::Paths { left, operator, right } => format!("{} {operator} {}", left.0, right.0),
            Condition::Kind { path, kind } => format!("{}.@type == '{kind}'", path.0),
            Condition::Words(search) => format!("ft TEXT '{search}'"),
            Condition::Not(inner) => format!("!({})", inner.text()),
            Condition::And(parts) => join(parts, " AND "),
            Condition::Or(parts) => join(parts, " || "),
        }
    }

    fn holds(&self, world: &[Thing], thing: usize) -> bool {
        let pairs = |operator: &str, left: &[Value], right: &[Value]| {
            if left.len() != right.len() {
                return operator == "!=";
            }
            left.iter().zip(right).all(|(left, right)| relates(operator, left, right))
        };
        match self {
            Condition::Compare { quantifier, path, operator, constants, is_list } => {
                let constants: Vec<Value> = constants.iter().map(|value| fitted(path.0, value)).collect();
                let values = (path.2)(world, thing);
                if path.1 && *is_list && quantifier.is_empty() {
                    return pairs(operator, &values, &constants);
                }
                let is_nan = |value: &Value| match value {
                    Value::Float(value) => value.is_nan(),
                    Value::Double(value) => value.is_nan(),
                    _ => false,
                };
                let is_binary = matches!(path.0, "f" | "d") && !*is_list;
                if is_binary && !constants[0].is_null() && (is_nan(&values[0]) || is_nan(&constants[0])) {
                    return *operator == "!=";
                }
                quantified(quantifier, &values, |left| constants.iter().any(|right| relates(operator, left, right)))
            }
            Condition::Paths { left, operator, right } => {
                let several = left.1 && right.1;
                let (left, right) = ((left.2)(world, thing), (right.2)(world, thing));
                if several {
                    return pairs(operator, &left, &right);
                }
                left.iter().any(|left| right.iter().any(|right| relates(operator, left, right)))
            }
            Condition::Kind { path, kind } => (path.2)(world, thing).iter().any(|value| match *kind {
                "collection" => matches!(value, Value::Array(_) | Value::Map(_)),
                "numeric" => number(value, &Value::Null).is_some(),
                kind => kind_of(value) == kind,
            }),
            Condition::Words(search) => has_words(&world[thing].words, search),
            Condition::Not(inner) => !inner.holds(world, thing),
            Condition::And(parts) => parts.iter().all(|part| part.holds(world, thing)),
            Condition::Or(parts) => parts.iter().any(|part| part.holds(world, thing)),
        }
    }
}

fn constant() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        prop::sample::select(&NUMBERS[..]).prop_map(Value::Int),
        prop::sample::select(&DOUBLES[..]).prop_map(Value::Double),
    ]
}

fn any_constant() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => constant(),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => prop::sample::select(&TEXTS[..]).prop_map(text),
    ]
}

fn mixed() -> impl Strategy<Value = Value> {
    let plain = || {
        prop_oneof![
            4 => any_constant(),
            1 => prop::sample::select(&DECIMALS[..]).prop_map(|text| Value::Decimal(Decimal::parse(text).unwrap())),
            1 => prop::sample::select(&DOUBLES[..]).prop_map(|value| Value::Float(value as f32)),
        ]
    };
    prop_oneof![
        4 => plain(),
        1 => prop::collection::vec(plain(), 0..3).prop_map(Value::Array),
        1 => prop::collection::btree_map(prop::sample::select(&KEYS[..]).prop_map(String::from), plain(), 0..3)
            .prop_map(Value::Map),
    ]
}

fn thing(count: usize) -> impl Strategy<Value = Thing> {
    let key = || prop::sample::select(&KEYS[..]).prop_map(String::from);
    let double = || prop::option::of(prop::sample::select(&DOUBLES[..]));
    let values = (
        mixed(),
        double().prop_map(|value| value.map(|value| value as f32)),
        double(),
        prop::option::of(prop::sample::select(&DECIMALS[..]).prop_map(|text| Decimal::parse(text).unwrap())),
    );
    let collections = (
        prop::collection::vec(mixed(), 0..3),
        prop::collection::vec((key(), mixed()), 0..3),
        prop::collection::vec(prop::sample::select(&NUMBERS[..]), 0..3),
        prop::collection::vec((key(), prop::sample::select(&NUMBERS[..])), 0..3),
    );
    let rest = (prop::sample::select(&NOTES[..]).prop_map(String::from), prop::option::of(0..count));
    (values, collections, rest).prop_map(|((m, f, d, dec), (lm, dm, si, di), (words, link))| Thing {
        m,
        f,
        d,
        dec,
        lm,
        dm,
        si,
        di,
        words,
        link,
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let operator = || prop::sample::select(&["==", "!=", "<", "<=", ">", ">="][..]);
    let numbers = [1, 2, 3, 11, 12, 13, 17].map(|index: usize| PATHS[index]);
    let mixed = [0, 4, 5, 6, 7, 8, 9, 14, 15, 16, 18].map(|index: usize| PATHS[index]);
    let kinds = ["null", "int", "double", "string", "list", "dictionary", "collection", "numeric", "bool", "decimal"];
    let compare = |(quantifier, path, operator, constants, is_list): (&'static str, Path, _, Vec<Value>, bool)| {
        let quantifier = if path.1 { quantifier } else { "" };
        let constants = if is_list { constants } else { constants[..1].to_vec() };
        Condition::Compare { quantifier, path, operator, constants, is_list }
    };
    let quantifier = || prop::sample::select(&["", "ANY", "ALL", "NONE"][..]);
    // An int is no infinity.
    let fits = |(_, path, _, constants, _): &(&'static str, Path, &'static str, Vec<Value>, bool)| {
        let is_infinite = |value: &Value| matches!(value, Value::Double(value) if value.is_infinite());
        !(matches!(path.0, "si" | "di.a" | "di.@sum" | "m.@count") && constants.iter().any(is_infinite))
    };
    let is_plain = |path: &Path| matches!(path.0, "lm" | "dm" | "si");
    let leaf = prop_oneof![
        3 => (quantifier(), prop::sample::select(numbers.to_vec()), operator(), prop::collection::vec(constant(), 1..4), any::<bool>())
            .prop_filter("no infinite ints", fits)
            .prop_map(compare),
        5 => (quantifier(), prop::sample::select(mixed.to_vec()), operator(), prop::collection::vec(any_constant(), 1..4), any::<bool>())
            .prop_map(compare),
        2 => (prop::sample::select(mixed.to_vec()), operator(), prop::sample::select(PATHS.to_vec()))
            .prop_filter("two plain lists", move |(left, _, right)| !(is_plain(left) && is_plain(right)))
            .prop_map(|(left, operator, right)| Condition::Paths { left, operator, right }),
        2 => (prop::sample::select(mixed.to_vec()), prop::sample::select(kinds.to_vec()))
            .prop_map(|(path, kind)| Condition::Kind { path, kind }),
        1 => prop::sample::select(&SEARCHES[..]).prop_map(Condition::Words),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::And),
            prop::collection::vec(inner, 1..4).prop_map(Condition::Or),
        ]
    })
}

fn build(world: &[Thing]) -> Items {
    let mut items = Items::of(world.len());
    for (index, thing) in world.iter().enumerate() {
        items.set(index, "m", thing.m.clone());
        items.set(index, "f", or_null(thing.f, Value::Float));
        items.set(index, "d", or_null(thing.d, Value::Double));
        items.set(index, "dec", or_null(thing.dec, Value::Decimal));
        items.push(index, "lm", thing.lm.clone());
        items.entries(index, "dm", thing.dm.clone());
        items.put(index, "si", thing.si.iter().copied().map(Value::Int).collect());
        items.entries(index, "di", thing.di.iter().map(|(key, value)| (key.clone(), Value::Int(*value))).collect());
        items.set(index, "ft", text(&thing.words));
        if let Some(link) = thing.link {
            let link = items.link(link);
            items.set(index, "o", link);
        }
    }
    items
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_of_every_type_agree_with_the_definition(
        world in (1usize..8).prop_flat_map(|count| prop::collection::vec(thing(count), count)),
        condition in condition(),
    ) {
        let items = build(&world);
        let (snapshot, keys) = (items.snapshot(), items.keys.clone());
        let text = condition.text();
        let query = plan_of(&text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
        let expected: Vec<ObjectKey> =
            (0..keys.len()).filter(|thing| condition.holds(&world, *thing)).map(|thing| keys[thing]).collect();
        prop_assert_eq!(&query.run(&snapshot), &expected, "{}", &text);
        prop_assert_eq!(&query.run_over(&snapshot, keys.iter().copied()), &expected, "row by row: {}", &text);
        let described = query.describe();
        let again = plan_of(&described, &[]).unwrap_or_else(|error| panic!("{text} is described as {described}: {error}"));
        prop_assert_eq!(&again.run(&snapshot), &expected, "{} is described as {}", &text, described);
    }
}
