//! An evaluator that only has to be obviously right: it knows objects as structs, reads every value into a vector, and
//! tries all pairs. Random data and random queries must give the same answer by page, by row, and here.

use proptest::prelude::*;

use super::fixture::{Builder, DOG, PERSON, plan, schema};
use crate::ids::ObjectKey;
use crate::objects::Snapshot;
use crate::query::{compile, parse};
use crate::value::Value;

#[derive(Clone, Debug)]
struct Person {
    name: Option<String>,
    age: Option<i64>,
    height: Option<f64>,
    active: Option<bool>,
    best: Option<usize>,
    dogs: Vec<usize>,
    scores: Vec<Option<i64>>,
    tags: Vec<String>,
}

#[derive(Clone, Debug)]
struct Dog {
    name: Option<String>,
    age: i64,
    owner: Option<usize>,
}

#[derive(Clone, Debug)]
struct World {
    people: Vec<Person>,
    dogs: Vec<Dog>,
}

type Read = fn(&World, usize) -> Vec<Value>;

fn string(value: &Option<String>) -> Value {
    value.clone().map_or(Value::Null, Value::String)
}

fn int(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Int)
}

fn double(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::Double)
}

fn sum(values: impl Iterator<Item = i64>) -> Value {
    let sum: i128 = values.map(i128::from).sum();
    i64::try_from(sum).map_or(Value::Double(sum as f64), Value::Int)
}

fn average(values: Vec<i64>) -> Value {
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    if values.is_empty() { Value::Null } else { Value::Double(sum as f64 / values.len() as f64) }
}

impl World {
    fn dogs_of(&self, person: usize) -> Vec<&Dog> {
        self.people[person].dogs.iter().map(|dog| &self.dogs[*dog]).collect()
    }

    fn owned_by(&self, person: usize) -> Vec<&Dog> {
        self.dogs.iter().filter(|dog| dog.owner == Some(person)).collect()
    }

    fn best(&self, person: usize) -> Option<&Person> {
        self.people[person].best.map(|best| &self.people[best])
    }
}

/// Key paths whose values are numbers.
const NUMBERS: [(&str, Read); 25] = [
    ("age", |w, i| vec![int(w.people[i].age)]),
    ("height", |w, i| vec![double(w.people[i].height)]),
    ("best.age", |w, i| vec![int(w.best(i).and_then(|best| best.age))]),
    ("best.best.height", |w, i| vec![double(w.people[i].best.and_then(|b| w.best(b)).and_then(|best| best.height))]),
    ("scores", |w, i| w.people[i].scores.iter().map(|score| int(*score)).collect()),
    ("scores[1]", |w, i| vec![int(w.people[i].scores.get(1).copied().flatten())]),
    ("scores[LAST]", |w, i| vec![int(w.people[i].scores.last().copied().flatten())]),
    ("dogs.age", |w, i| w.dogs_of(i).iter().map(|dog| int(Some(dog.age))).collect()),
    ("dogs[0].age", |w, i| vec![int(w.dogs_of(i).first().map(|dog| dog.age))]),
    ("dogs.owner.age", |w, i| w.dogs_of(i).iter().filter_map(|dog| Some(int(w.people[dog.owner?].age))).collect()),
    ("best.dogs.age", |w, i| {
        w.people[i].best.map_or(vec![], |best| w.dogs_of(best).iter().map(|dog| int(Some(dog.age))).collect())
    }),
    ("scores.@count", |w, i| vec![int(Some(w.people[i].scores.len() as i64))]),
    ("dogs.@count", |w, i| vec![int(Some(w.people[i].dogs.len() as i64))]),
    ("best.@count", |w, i| vec![int(Some(i64::from(w.people[i].best.is_some())))]),
    ("name.@count", |w, i| vec![int(w.people[i].name.as_ref().map(|name| name.len() as i64))]),
    ("scores.@sum", |w, i| vec![sum(w.people[i].scores.iter().copied().flatten())]),
    ("scores.@avg", |w, i| vec![average(w.people[i].scores.iter().copied().flatten().collect())]),
    ("scores.@min", |w, i| vec![int(w.people[i].scores.iter().copied().flatten().min())]),
    ("dogs.@max.age", |w, i| vec![int(w.dogs_of(i).iter().map(|dog| dog.age).max())]),
    ("dogs.@avg.age", |w, i| vec![average(w.dogs_of(i).iter().map(|dog| dog.age).collect())]),
    ("@links.Dog.owner.age", |w, i| w.owned_by(i).iter().map(|dog| int(Some(dog.age))).collect()),
    ("@links.Dog.owner.@count", |w, i| vec![int(Some(w.owned_by(i).len() as i64))]),
    ("@links.@count", |w, i| {
        let friends = w.people.iter().filter(|person| person.best == Some(i)).count();
        vec![int(Some((friends + w.owned_by(i).len()) as i64))]
    }),
    ("SUBQUERY(dogs, $d, $d.age > 1 and $d.name != null).@count", |w, i| {
        let some = w.dogs_of(i).iter().filter(|dog| dog.age > 1 && dog.name.is_some()).count();
        vec![int(Some(some as i64))]
    }),
    ("(age + 2 * best.age - 1)", |w, i| {
        let (Some(age), Some(best)) = (w.people[i].age, w.best(i).and_then(|best| best.age)) else {
            return vec![Value::Null];
        };
        // Each step on its own, because what overflows goes on as a double.
        let as_double = |value: &Value| {
            if let Value::Int(v) = value {
                *v as f64
            } else if let Value::Double(v) = value {
                *v
            } else {
                0.0
            }
        };
        let step = |exact: i128, rounded: f64| i64::try_from(exact).map_or(Value::Double(rounded), Value::Int);
        let twice = step(2 * i128::from(best), 2.0 * best as f64);
        let plus = match &twice {
            Value::Int(v) => step(i128::from(age) + i128::from(*v), age as f64 + *v as f64),
            other => Value::Double(age as f64 + as_double(other)),
        };
        vec![match &plus {
            Value::Int(v) => step(i128::from(*v) - 1, *v as f64 - 1.0),
            other => Value::Double(as_double(other) - 1.0),
        }]
    }),
];

/// Key paths whose values are strings.
const STRINGS: [(&str, Read); 7] = [
    ("name", |w, i| vec![string(&w.people[i].name)]),
    ("best.name", |w, i| vec![w.best(i).map_or(Value::Null, |best| string(&best.name))]),
    ("tags", |w, i| w.people[i].tags.iter().cloned().map(Value::String).collect()),
    ("tags[FIRST]", |w, i| vec![w.people[i].tags.first().cloned().map_or(Value::Null, Value::String)]),
    ("dogs.name", |w, i| w.dogs_of(i).iter().map(|dog| string(&dog.name)).collect()),
    ("dogs.owner.name", |w, i| {
        w.dogs_of(i).iter().filter_map(|dog| Some(string(&w.people[dog.owner?].name))).collect()
    }),
    ("ANY @links.Person.best.name", |w, i| {
        w.people.iter().filter(|person| person.best == Some(i)).map(|person| string(&person.name)).collect()
    }),
];

/// Whether a path can have more or less than one value, so that a quantifier may stand before it.
fn is_multiple(path: &str) -> bool {
    ["scores", "tags", "dogs.age", "dogs.owner.age", "best.dogs.age", "dogs.name", "dogs.owner.name"].contains(&path)
        || path == "@links.Dog.owner.age"
}

fn quantifier_of(quantifier: &'static str, path: &str) -> &'static str {
    if is_multiple(path) { quantifier } else { "" }
}

const INTS: [i64; 9] = [-2, 0, 1, 2, 3, (1 << 53) + 1, 1 << 53, i64::MAX, i64::MIN];
const DOUBLES: [f64; 10] = [
    -1.5,
    0.0,
    0.5,
    1.0,
    2.0,
    9_007_199_254_740_992.0,
    9_223_372_036_854_775_807.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];
const WORDS: [&str; 11] = ["", "a", "A", "ab", "aB", "b", "é", "É", "aé", "*b", "a?"];

#[derive(Clone, Debug)]
enum Condition {
    Compare {
        quantifier: &'static str,
        path: (&'static str, Read),
        operator: &'static str,
        constants: Constants,
    },
    /// Two paths, each with ANY.
    Paths {
        left: (&'static str, Read),
        operator: &'static str,
        right: (&'static str, Read),
    },
    Between {
        path: (&'static str, Read),
        low: Value,
        high: Value,
    },
    Active(Option<bool>),
    Always(bool),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

#[derive(Clone, Debug)]
enum Constants {
    One(Value),
    Many(&'static str, Vec<Value>),
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => format!("{value:?}"),
        Value::String(text) => format!("'{text}'"),
        other => panic!("no literal for {other:?}"),
    }
}

impl Condition {
    fn text(&self) -> String {
        match self {
            Condition::Compare { quantifier, path, operator, constants } => {
                let right = match constants {
                    Constants::One(value) => literal(value),
                    Constants::Many(quantifier, values) => {
                        format!("{quantifier} {{{}}}", values.iter().map(literal).collect::<Vec<_>>().join(", "))
                    }
                };
                format!("{quantifier} {} {operator} {right}", path.0)
            }
            Condition::Paths { left, operator, right } => format!("{} {operator} {}", left.0, right.0),
            Condition::Between { path, low, high } => {
                let all = quantifier_of("ALL", path.0);
                format!("{all} {} BETWEEN {{{}, {}}}", path.0, literal(low), literal(high))
            }
            Condition::Active(Some(value)) => format!("active == {value}"),
            Condition::Active(None) => "active == null".to_string(),
            Condition::Always(true) => "TRUEPREDICATE".to_string(),
            Condition::Always(false) => "FALSEPREDICATE".to_string(),
            Condition::Not(inner) => format!("NOT ({})", inner.text()),
            Condition::And(parts) => join(parts, " && "),
            Condition::Or(parts) => join(parts, " OR "),
        }
    }

    fn holds(&self, world: &World, person: usize) -> bool {
        match self {
            Condition::Compare { quantifier, path, operator, constants } => {
                if let (Constants::One(value @ (Value::Int(_) | Value::Double(_))), "height") = (constants, path.0)
                    && matches!(world.people[person].height, Some(height) if height.is_nan())
                {
                    // A double beside a constant is one of the hardware.
                    assert!(!value.is_null());
                    return *operator == "!=";
                }
                if let (Constants::One(Value::String(_)), "name" | "self.name", "<" | "<=") =
                    (constants, path.0, *operator)
                    && (path.1)(world, person) == [Value::Null]
                {
                    return true;
                }
                let (second, right) = match constants {
                    Constants::One(value) => ("ANY", vec![value.clone()]),
                    Constants::Many(quantifier, values) => (*quantifier, values.clone()),
                };
                if let (Constants::Many("", _), "", true) = (constants, *quantifier, is_multiple(path.0)) {
                    return pairwise(operator, &(path.1)(world, person), &right);
                }
                quantified(quantifier, &(path.1)(world, person), |left| {
                    quantified(second, &right, |right| relates(operator, left, right))
                })
            }
            Condition::Paths { left, operator, right } => {
                let lists = is_multiple(left.0) && is_multiple(right.0);
                let (left, right) = ((left.1)(world, person), (right.1)(world, person));
                if lists {
                    return pairwise(operator, &left, &right);
                }
                left.iter().any(|left| right.iter().any(|right| relates(operator, left, right)))
            }
            Condition::Between { path, low, high } => {
                let values = (path.1)(world, person);
                if let ([Value::Double(height)], "height") = (values.as_slice(), path.0)
                    && height.is_nan()
                {
                    return false;
                }
                values.iter().all(|value| relates(">=", value, low))
                    && values.iter().all(|value| relates("<=", value, high))
            }
            Condition::Active(wanted) => world.people[person].active == *wanted,
            Condition::Always(answer) => *answer,
            Condition::Not(inner) => !inner.holds(world, person),
            Condition::And(parts) => parts.iter().all(|part| part.holds(world, person)),
            Condition::Or(parts) => parts.iter().any(|part| part.holds(world, person)),
        }
    }
}

fn join(parts: &[Condition], separator: &str) -> String {
    parts.iter().map(|part| format!("({})", part.text())).collect::<Vec<_>>().join(separator)
}

fn quantified(quantifier: &str, values: &[Value], holds: impl Fn(&Value) -> bool) -> bool {
    match quantifier {
        "ALL" => values.iter().all(holds),
        "NONE" => !values.iter().any(holds),
        _ => values.iter().any(holds),
    }
}

/// Lists as wholes: as long as each other, and the same for all pairs.
fn pairwise(operator: &str, left: &[Value], right: &[Value]) -> bool {
    if left.len() != right.len() {
        return operator.starts_with("!=");
    }
    left.iter().zip(right).all(|(left, right)| relates(operator, left, right))
}

/// -1, 0 or 1, or nothing for what has no order. NaN is the least number.
fn order(left: &Value, right: &Value) -> Option<i32> {
    // The greatest int below, and what is above it.
    let parts = |value: &Value| match value {
        Value::Int(value) => Some((i128::from(*value), 0.0)),
        Value::Double(value) if value.is_infinite() => Some((if *value > 0.0 { i128::MAX } else { i128::MIN }, 0.0)),
        Value::Double(value) if !value.is_nan() => Some((value.floor() as i128, value - value.floor())),
        _ => None,
    };
    let ordering = match (left, right) {
        (Value::Null, Value::Null) => std::cmp::Ordering::Equal,
        (Value::String(left), Value::String(right)) => left.chars().cmp(right.chars()),
        (Value::Double(left), Value::Double(right)) if left.is_nan() && right.is_nan() => std::cmp::Ordering::Equal,
        (Value::Double(left), Value::Double(_) | Value::Int(_)) if left.is_nan() => std::cmp::Ordering::Less,
        (Value::Double(_) | Value::Int(_), Value::Double(right)) if right.is_nan() => std::cmp::Ordering::Greater,
        _ => parts(left)?.partial_cmp(&parts(right)?)?,
    };
    Some(ordering as i32)
}

fn relates(operator: &str, left: &Value, right: &Value) -> bool {
    let base = operator.trim_end_matches("[c]");
    if base != operator || !matches!(base, "==" | "!=" | "<" | "<=" | ">" | ">=" | "IN") {
        let lower = |value: &Value| match value {
            Value::String(text) if base != operator => Some(text.to_lowercase()),
            Value::String(text) => Some(text.clone()),
            _ => None,
        };
        return match (base, lower(left), lower(right)) {
            ("BEGINSWITH" | "ENDSWITH" | "CONTAINS", _, None) => true,
            ("!=", left, right) => left != right,
            ("==" | "LIKE", None, None) => true,
            (_, Some(left), Some(right)) => match base {
                "BEGINSWITH" => left.starts_with(&right),
                "ENDSWITH" => left.ends_with(&right),
                "CONTAINS" => left.contains(&right),
                "==" => left == right,
                _ => like(&left.chars().collect::<Vec<_>>(), &right.chars().collect::<Vec<_>>()),
            },
            _ => false,
        };
    }
    let order = order(left, right);
    match base {
        "!=" => order != Some(0),
        "<" => order == Some(-1),
        "<=" => matches!(order, Some(-1 | 0)),
        ">" => order == Some(1),
        ">=" => matches!(order, Some(1 | 0)),
        _ => order == Some(0),
    }
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|skip| like(&text[skip..], rest)),
        ['?', rest @ ..] => !text.is_empty() && like(&text[1..], rest),
        [c, rest @ ..] => text.first() == Some(c) && like(&text[1..], rest),
    }
}

fn person(people: usize, dogs: usize) -> impl Strategy<Value = Person> {
    let name = prop::option::of(prop::sample::select(&WORDS[..]).prop_map(String::from));
    let age = prop::option::of(prop::sample::select(&INTS[..]));
    let height = prop::option::of(prop::sample::select(&DOUBLES[..]));
    let scores = prop::collection::vec(prop::option::of(prop::sample::select(&INTS[..])), 0..4);
    let tags = prop::collection::vec(prop::sample::select(&WORDS[..]).prop_map(String::from), 0..3);
    let dogs = prop::collection::vec(0..dogs, 0..4);
    (name, age, height, any::<Option<bool>>(), prop::option::of(0..people), dogs, scores, tags).prop_map(
        |(name, age, height, active, best, dogs, scores, tags)| Person {
            name,
            age,
            height,
            active,
            best,
            dogs,
            scores,
            tags,
        },
    )
}

fn world() -> impl Strategy<Value = World> {
    (1usize..12, 1usize..6).prop_flat_map(|(people, dogs)| {
        let name = prop::option::of(prop::sample::select(&WORDS[..]).prop_map(String::from));
        let dog = (name, prop::sample::select(&INTS[..]), prop::option::of(0..people))
            .prop_map(|(name, age, owner)| Dog { name, age, owner });
        (prop::collection::vec(person(people, dogs), people), prop::collection::vec(dog, dogs))
            .prop_map(|(people, dogs)| World { people, dogs })
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let number = || {
        prop_oneof![
            1 => Just(Value::Null),
            4 => prop::sample::select(&INTS[..]).prop_map(Value::Int),
            4 => prop::sample::select(&DOUBLES[..6]).prop_map(Value::Double),
        ]
    };
    let word = || {
        prop_oneof![
            1 => Just(Value::Null),
            6 => prop::sample::select(&WORDS[..]).prop_map(|word| Value::String(word.to_string())),
        ]
    };
    let quantifier = || prop::sample::select(&["", "ANY", "ALL", "NONE"][..]);
    let relation = || prop::sample::select(&["==", "!=", "<", "<=", ">", ">="][..]);
    let textual = &[
        "==",
        "!=",
        "<",
        ">=",
        "BEGINSWITH",
        "ENDSWITH",
        "CONTAINS",
        "LIKE",
        "==[c]",
        "!=[c]",
        "BEGINSWITH[c]",
        "ENDSWITH[c]",
        "CONTAINS[c]",
        "LIKE[c]",
    ][..];
    let plain_strings = &STRINGS[..6];
    let many = |value: BoxedStrategy<Value>| {
        (quantifier(), prop::collection::vec(value, 0..4))
            .prop_map(|(quantifier, values)| Constants::Many(quantifier, values))
    };
    let compare = |(quantifier, path, operator, constants): (&'static str, (&'static str, Read), _, _)| {
        Condition::Compare { quantifier: quantifier_of(quantifier, path.0), path, operator, constants }
    };
    let numbers = (quantifier(), prop::sample::select(&NUMBERS[..]));
    // Two lists of plain values are not compared with each other.
    let is_plain = |path: &str| ["scores", "tags"].contains(&path);
    let leaf = prop_oneof![
        6 => (numbers.clone(), relation(), number().prop_map(Constants::One))
            .prop_map(move |((quantifier, path), operator, constants)| compare((quantifier, path, operator, constants))),
        2 => (numbers, relation(), many(number().boxed()))
            .prop_map(move |((quantifier, path), operator, constants)| compare((quantifier, path, operator, constants))),
        6 => (quantifier(), prop::sample::select(plain_strings), prop::sample::select(textual), word().prop_map(Constants::One))
            .prop_map(compare),
        1 => (quantifier(), prop::sample::select(plain_strings), Just("IN"), many(word().boxed())).prop_map(compare),
        1 => (Just(""), Just(STRINGS[6]), prop::sample::select(textual), word().prop_map(Constants::One)).prop_map(compare),
        2 => (prop::sample::select(&NUMBERS[..]), relation(), prop::sample::select(&NUMBERS[..]))
            .prop_filter("two plain lists", move |(left, _, right)| !(is_plain(left.0) && is_plain(right.0)))
            .prop_map(|(left, operator, right)| Condition::Paths { left, operator, right }),
        2 => (prop::sample::select(plain_strings), prop::sample::select(textual), prop::sample::select(plain_strings))
            .prop_filter("two plain lists", move |(left, _, right)| !(is_plain(left.0) && is_plain(right.0)))
            .prop_map(|(left, operator, right)| Condition::Paths { left, operator, right }),
        1 => (prop::sample::select(&NUMBERS[..23]), number(), number())
            .prop_map(|(path, low, high)| Condition::Between { path, low, high }),
        1 => any::<Option<bool>>().prop_map(Condition::Active),
        1 => any::<bool>().prop_map(Condition::Always),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::And),
            prop::collection::vec(inner, 1..4).prop_map(Condition::Or),
        ]
    })
}

fn build(world: &World) -> (Snapshot, Vec<ObjectKey>) {
    let mut builder = Builder::new();
    let people: Vec<ObjectKey> =
        (0..world.people.len()).map(|id| builder.create(PERSON, Value::Int(id as i64))).collect();
    let dogs: Vec<ObjectKey> =
        (0..world.dogs.len()).map(|id| builder.create(DOG, Value::String(id.to_string()))).collect();
    let link = |keys: &[ObjectKey], index: Option<usize>| index.map_or(Value::Null, |index| Value::Link(keys[index]));
    for (key, person) in people.iter().zip(&world.people) {
        builder.set(PERSON, *key, "name", string(&person.name));
        builder.set(PERSON, *key, "age", int(person.age));
        builder.set(PERSON, *key, "height", double(person.height));
        builder.set(PERSON, *key, "active", person.active.map_or(Value::Null, Value::Bool));
        builder.set(PERSON, *key, "best", link(&people, person.best));
        builder.push(PERSON, *key, "dogs", person.dogs.iter().map(|dog| Value::Link(dogs[*dog])).collect());
        builder.push(PERSON, *key, "scores", person.scores.iter().map(|score| int(*score)).collect());
        builder.push(PERSON, *key, "tags", person.tags.iter().cloned().map(Value::String).collect());
    }
    for (key, dog) in dogs.iter().zip(&world.dogs) {
        builder.set(DOG, *key, "name", string(&dog.name));
        builder.set(DOG, *key, "age", Value::Int(dog.age));
        builder.set(DOG, *key, "owner", link(&people, dog.owner));
    }
    (builder.finish(), people)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_rows_and_the_definition_agree(world in world(), condition in condition()) {
        let (snapshot, keys) = build(&world);
        let text = condition.text();
        let query = plan(&text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
        let expected: Vec<ObjectKey> =
            (0..keys.len()).filter(|person| condition.holds(&world, *person)).map(|person| keys[person]).collect();
        prop_assert_eq!(&query.run(&snapshot), &expected, "{}", &text);
        prop_assert_eq!(&query.run_over(&snapshot, keys.iter().copied()), &expected, "row by row: {}", &text);
        let described = query.describe();
        let again = compile(&parse(&described).unwrap(), &schema(), PERSON, &[]).unwrap();
        prop_assert_eq!(&again.run(&snapshot), &expected, "{} is described as {}", &text, described);
    }
}
