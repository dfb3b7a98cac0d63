//! Queries over properties of every type, with the answers of Realm itself where it has been asked: `answers.txt`, a query
//! and the primary keys of the objects, or the message of an error, a line.

use super::fixture::{Builder, property, text};
use crate::decimal::Decimal;
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::objects::{Embedding, Snapshot};
use crate::query::{Argument, GeoPoint, GeoShape, Names, Plan, QueryError, compile, parse};
use crate::schema::{ClassKind, ClassSchema, Schema};
use crate::value::Value;

pub(super) const THING: ClassIndex = ClassIndex(0);
const PLACE: ClassIndex = ClassIndex(1);
const OTHER: ClassIndex = ClassIndex(2);
const COUNT: usize = 14;

fn schema() -> Schema {
    let class = |name: &str, kind, primary_key, properties: &[(&str, &str)]| ClassSchema {
        kind,
        name: name.to_string(),
        primary_key,
        properties: properties.iter().map(|(name, shorthand)| property(name, shorthand)).collect(),
    };
    let thing: &[(&str, &str)] = &[
        ("_id", "int"),
        ("m", "mixed?"),
        ("m2", "mixed?"),
        ("lm", "mixed?[]"),
        ("dm", "mixed?{}"),
        ("sm", "mixed?<>"),
        ("f", "float?"),
        ("d", "double?"),
        ("dec", "decimal128?"),
        ("a", "int?"),
        ("b", "bool?"),
        ("n", "string?"),
        ("t", "date?"),
        ("e", "Emb?"),
        ("le", "Emb[]"),
        ("ded", "Emb?{}"),
        ("li", "int[]"),
        ("lo", "int?[]"),
        ("si", "int<>"),
        ("ss", "string<>"),
        ("di", "int{}"),
        ("ds", "string?{}"),
        ("o", "P?"),
        ("l", "P[]"),
        ("sp", "P<>"),
        ("dl", "P?{}"),
        ("ft", "#string?"),
        ("stored1", "int?"),
        ("stored2", "P?"),
        ("dat", "data?"),
        ("u", "uuid?"),
        ("oid", "objectId?"),
        ("nested", "mixed?"),
    ];
    let place = &[("x", "int?"), ("type", "string"), ("coordinates", "double[]"), ("s", "string?")];
    let schema = Schema::of([
        class("P", ClassKind::TopLevel, Some(ColumnIndex(0)), thing),
        class("Emb", ClassKind::Embedded, None, place),
        class("Q", ClassKind::TopLevel, None, &[("p", "P?"), ("m", "mixed?"), ("name", "string?")]),
    ]);
    crate::schema::validate(&schema).unwrap();
    schema
}

fn names() -> Names {
    let schema = schema();
    let column = |name: &str| schema.class(THING).column(name).unwrap();
    let mut names = Names::default();
    names.alias(THING, "map1", column("stored1"));
    names.alias(THING, "map2", column("stored2"));
    names.linking(THING, "back", (THING, column("o")));
    names.linking(THING, "backl", (THING, column("l")));
    names
}

fn decimal(text: &str) -> Value {
    Value::Decimal(Decimal::parse(text).unwrap())
}

const OID: [u8; 12] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67];
const UUID: [u8; 16] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x4d, 0xef, 0x81, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

/// A value of every type.
fn values() -> Vec<Value> {
    vec![
        Value::Null,
        Value::Double(1.0),
        Value::Double(1.5),
        text("str"),
        Value::Bool(true),
        Value::Date(0),
        Value::ObjectId(OID),
        Value::Uuid(UUID),
        decimal("1"),
        Value::Data(vec![97]),
        text("1"),
        Value::Double(f64::NAN),
        Value::Double(2.0),
        text("STR"),
    ]
}

/// Objects with properties of every type.
pub(super) struct Items {
    builder: Builder,
    pub(super) keys: Vec<ObjectKey>,
}

impl Items {
    /// So many objects without values.
    pub(super) fn of(count: usize) -> Items {
        let mut builder = Builder::of(&schema());
        let keys = (0..count).map(|id| builder.create(THING, Value::Int(id as i64))).collect();
        Items { builder, keys }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.builder.transaction.snapshot().clone()
    }

    fn column(&self, class: ClassIndex, name: &str) -> ColumnIndex {
        self.builder.transaction.snapshot().schema().class(class).column(name).unwrap()
    }

    pub(super) fn set(&mut self, thing: usize, name: &str, value: Value) {
        self.builder.set(THING, self.keys[thing], name, value);
    }

    pub(super) fn push(&mut self, thing: usize, name: &str, values: Vec<Value>) {
        self.builder.push(THING, self.keys[thing], name, values);
    }

    pub(super) fn put(&mut self, thing: usize, name: &str, values: Vec<Value>) {
        let column = self.column(THING, name);
        for value in values {
            self.builder.transaction.set_insert(THING, self.keys[thing], column, value).unwrap();
        }
    }

    pub(super) fn entries(&mut self, thing: usize, name: &str, entries: Vec<(String, Value)>) {
        let column = self.column(THING, name);
        for (key, value) in entries {
            self.builder.transaction.dictionary_set(THING, self.keys[thing], column, &key, value).unwrap();
        }
    }

    fn place(&mut self, thing: usize, name: &str, at: Embedding<'_>, x: i64, coordinates: &[f64]) -> ObjectKey {
        let column = self.column(THING, name);
        let place = self.builder.transaction.embed(THING, self.keys[thing], column, at).unwrap();
        self.builder.set(PLACE, place, "x", Value::Int(x));
        self.builder.set(PLACE, place, "type", text("Point"));
        self.builder.push(PLACE, place, "coordinates", coordinates.iter().map(|value| Value::Double(*value)).collect());
        place
    }

    pub(super) fn link(&self, thing: usize) -> Value {
        Value::Link(self.keys[thing % self.keys.len()])
    }

    fn typed(&self, thing: usize) -> Value {
        Value::TypedLink(THING, self.keys[thing])
    }

    fn fill(&mut self, thing: usize) {
        let (i, n) = (thing, thing as i64);
        let values = values();
        let value = |at: usize| values[at % COUNT].clone();
        let floats = [Some(0.1), Some(1.0), None, Some(f64::NAN)];
        let double = |at: usize| floats[at % 4].map_or(Value::Null, Value::Double);
        let texts = ["aa", "Zoë", "", "STR", "str"];
        let decimals = ["0.1", "1", "", "NaN", "12345678901234567890.5"];
        let or_null = |text: &str, value: Value| if text.is_empty() { Value::Null } else { value };
        self.set(i, "m", value(i));
        self.set(i, "m2", value(i + 1));
        self.push(i, "lm", vec![value(i), value(i + 3)]);
        self.entries(i, "dm", vec![("k".into(), value(i)), (format!("x{i}"), Value::Double(n as f64))]);
        self.put(i, "sm", vec![value(i), Value::Double(1.0)]);
        self.set(i, "f", floats[i % 4].map_or(Value::Null, |value| Value::Float(value as f32)));
        self.set(i, "d", double(i / 2));
        self.set(
            i,
            "dec",
            or_null(decimals[i % 5], Value::Decimal(Decimal::parse(decimals[i % 5]).unwrap_or_default())),
        );
        self.set(i, "a", if i % 3 == 0 { Value::Null } else { Value::Int(n) });
        self.set(i, "b", if i % 2 == 0 { Value::Null } else { Value::Bool(true) });
        self.set(i, "n", or_null(texts[i % 5], text(texts[i % 5])));
        self.set(i, "t", Value::Date(n * 1000));
        if i % 2 == 1 {
            let place = self.place(i, "e", Embedding::Property, n, &[n as f64, 2.0 * n as f64]);
            self.builder.set(PLACE, place, "s", text(&format!("s{i}")));
        }
        self.place(i, "le", Embedding::Insert(0), n, &[1.0]);
        self.place(i, "le", Embedding::Insert(1), n + 1, &[]);
        self.place(i, "ded", Embedding::Key("a"), n, &[]);
        self.push(i, "li", [n, 1, 2][..i % 4].iter().map(|value| Value::Int(*value)).collect());
        self.push(i, "lo", [Value::Int(n), Value::Null][..i % 3].to_vec());
        self.put(i, "si", vec![Value::Int(n), Value::Int(1)]);
        self.put(i, "ss", vec![text("a"), text(&format!("s{i}"))]);
        self.entries(i, "di", vec![("a".into(), Value::Int(n)), ("b".into(), Value::Int(1))]);
        self.entries(i, "ds", vec![("a".into(), text(&format!("s{i}"))), ("b".into(), Value::Null)]);
        self.set(i, "stored1", Value::Int(n));
        let words =
            ["The quick brown fox", "quick-brown foxes", "Été résumé", "a fox, a dog", "foo_bar baz1 2", "", "x"];
        self.set(i, "ft", text(words[i % 7]));
        self.set(i, "dat", if i % 2 == 0 { Value::Null } else { Value::Data(vec![97, i as u8]) });
        self.set(i, "u", if i == 7 { Value::Uuid(UUID) } else { Value::Null });
        self.set(i, "oid", if i == 6 { Value::ObjectId(OID) } else { Value::Null });
    }

    fn join(&mut self, thing: usize) {
        let i = thing;
        if !i.is_multiple_of(3) {
            self.set(i, "o", self.link(i * 5));
        }
        self.push(i, "l", [self.link(i), self.link(i + 1)][..i % 3].to_vec());
        self.put(i, "sp", vec![self.link(1), self.link(i)]);
        let second = if i % 2 == 1 { self.link(1) } else { Value::Null };
        self.entries(i, "dl", vec![("a".into(), self.link(i)), ("b".into(), second)]);
        if i.is_multiple_of(4) {
            self.set(i, "stored2", self.link(3));
        }
    }
}

/// Fourteen objects with values of every type.
pub(super) fn things() -> Snapshot {
    let mut things = Items::of(COUNT);
    (0..COUNT).for_each(|thing| things.fill(thing));
    (0..COUNT).for_each(|thing| things.join(thing));
    let others = ["q1", "q2"].map(|name| {
        let other = things.builder.transaction.create(OTHER, None).unwrap();
        things.builder.set(OTHER, other, "name", text(name));
        things.builder.set(OTHER, other, "p", things.link(1));
        things.builder.set(OTHER, other, "m", things.typed(2));
        other
    });
    things.set(13, "m", Value::TypedLink(OTHER, others[0]));
    things.set(12, "m", things.typed(3));
    let column = things.column(THING, "lm");
    things.builder.transaction.list_clear(THING, things.keys[11], column).unwrap();
    things.push(11, "lm", vec![things.typed(3), Value::TypedLink(OTHER, others[0])]);
    let map = |entries: Vec<(&str, Value)>| {
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
    };
    let nested = [
        Value::Array(vec![Value::Int(1), text("x"), Value::Array(vec![Value::Int(2), Value::Bool(true)])]),
        map(vec![("k", Value::Int(1)), ("list", Value::Array(vec![Value::Int(5), Value::Int(6)]))]),
        map(vec![("k", map(vec![("deep", text("down"))])), ("link", Value::TypedLink(OTHER, others[1]))]),
        Value::TypedLink(OTHER, others[0]),
        Value::Array(vec![]),
        map(vec![]),
    ];
    for (thing, value) in nested.into_iter().enumerate() {
        things.set(thing, "nested", value);
    }
    things.builder.finish()
}

/// A query over them.
pub(super) fn plan_of(text: &str, arguments: &[Argument]) -> Result<Plan, QueryError> {
    let (schema, names) = (schema(), names());
    compile(&parse(text)?, (&schema, &names), THING, arguments)
}

fn ids(snapshot: &Snapshot, keys: &[ObjectKey]) -> Vec<i64> {
    let id = |key: &ObjectKey| match snapshot.primary_key(THING, *key) {
        Some(Value::Int(id)) => id,
        other => panic!("{key:?} has the primary key {other:?}"),
    };
    keys.iter().map(id).collect()
}

/// The answer by page and by row, and of the description.
fn answer(snapshot: &Snapshot, query: &str, arguments: &[Argument]) -> Result<Vec<i64>, String> {
    let plan = plan_of(query, arguments).map_err(|error| error.message)?;
    let found = ids(snapshot, &plan.run(snapshot));
    if !plan.has_suffixes() {
        let keys: Vec<ObjectKey> = snapshot.table(THING).keys().filter(|key| plan.matches(snapshot, *key)).collect();
        assert_eq!(ids(snapshot, &keys), found, "row by row: {query}");
    }
    let described = plan.describe();
    let again = plan_of(&described, &[]).unwrap_or_else(|error| panic!("{query} is described as {described}: {error}"));
    assert_eq!(again.run(snapshot), plan.run(snapshot), "{query} is described as {described}");
    Ok(found)
}

#[test]
fn every_query_answers_as_realm_does() {
    let things = things();
    let mut wrong = String::new();
    for line in include_str!("answers.txt").lines() {
        let at = line.find(" => [").or_else(|| line.find(" !! ")).expect("a line has an answer");
        let (query, expected) = (&line[..at], &line[at + 1..]);
        let found = match answer(&things, query, &[]) {
            Ok(keys) => format!("=> {keys:?}").replace(", ", ","),
            Err(message) => format!("!! {message}"),
        };
        if found != expected {
            wrong.push_str(&format!("{query} {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "these are answered otherwise:\n{wrong}");
}

fn check(query: &str, arguments: &[Argument], expected: Result<&[i64], &str>) {
    let found = answer(&things(), query, arguments);
    assert_eq!(found.as_deref().map_err(String::as_str), expected, "{query}");
}

#[test]
fn regions_are_arguments() {
    let at = |longitude, latitude| GeoPoint { longitude, latitude };
    let circle = Argument::Geo(GeoShape::Circle { center: at(1.0, 2.0), distance: 0.1 });
    check("e GEOWITHIN $0", std::slice::from_ref(&circle), Ok(&[1, 3]));
    let corners = [(0.0, 0.0), (4.0, 0.0), (4.0, 8.0), (0.0, 8.0), (0.0, 0.0)];
    let ring = corners.map(|(x, y)| at(x, y)).to_vec();
    check(
        "NOT e GEOWITHIN $0 AND e != null",
        &[Argument::Geo(GeoShape::Polygon { rings: vec![ring] })],
        Ok(&[5, 7, 9, 11, 13]),
    );
    let number = |value: f64| Argument::Value(Value::Double(value));
    check("e GEOWITHIN geoCircle([$0, 2], $1)", &[number(1.0), number(0.1)], Ok(&[1, 3]));
    check(
        "e GEOWITHIN geoCircle([1, 2], $0)",
        &[number(-1.0)],
        Err(
            "Invalid region in GEOWITHIN query for parameter 'GeoCircle([1, 2], -1)': 'The radius of a circle must be a non-negative number'",
        ),
    );
    check(
        "e GEOWITHIN $0",
        &[Argument::Geo(GeoShape::Circle { center: at(1.0, 2.0), distance: -1.0 })],
        Err("The Geospatial query argument region is invalid: 'The radius of a circle must be a non-negative number'"),
    );
    check(
        "e GEOWITHIN $0",
        &[number(1.0)],
        Err(
            "The right hand side of 'geoWithin' must be a geospatial constant value. But the provided type is 'double'",
        ),
    );
    check(
        "a == $0",
        std::slice::from_ref(&circle),
        Err("A geospatial argument can only be used with the operator 'GEOWITHIN'"),
    );
    check(
        "e GEOWITHIN geoCircle([$0, 2], 1)",
        &[Argument::Value(text("x"))],
        Err("Invalid parameter '\"x\"' used in a geospatial query at $0"),
    );
}

#[test]
fn key_paths_are_arguments() {
    let path = |path: &str| Argument::Value(text(path));
    check("$K0 == 5", &[path("a")], Ok(&[5]));
    check("$K0._id == $1", &[path("map2"), Argument::Value(Value::Int(3))], Ok(&[0, 4, 8, 12]));
    check("ANY $K0 == 5 SORT($K1 DESC)", &[path("l._id"), path("map1")], Ok(&[5]));
    check("_id < 3 SORT($K0 DESC)", &[path("map1")], Ok(&[2, 1, 0]));
    check("$K0 == 5", &[], Err("Request for argument at index 0 but no arguments are provided"));
    check("$K0 == 5", &[path("nope")], Err("'P' has no property 'nope'"));
    check("$K0 == 5", &[path("a ==")], Err("'a ==' is not a key path"));
    check("$K0 == 5", &[path("$K0")], Err("'$K0' is not a key path"));
    check("$K0 == 5", &[Argument::Value(Value::Int(5))], Err("Key path argument '$K0' must be a string, but it is 5"));
}

#[test]
fn arguments_of_every_type_fit_their_properties() {
    let one = |query: &str, value: Value, expected| check(query, &[Argument::Value(value)], expected);
    one("f == $0", Value::Double(0.1), Ok(&[0, 4, 8, 12]));
    one("f > $0", Value::Double(f64::NAN), Ok(&[]));
    one("f != $0", Value::Float(0.1), Ok(&[1, 2, 3, 5, 6, 7, 9, 10, 11, 13]));
    one("d == $0", Value::Float(1.0), Ok(&[2, 3, 10, 11]));
    one("dec == $0", Value::Double(0.1), Ok(&[0, 5, 10]));
    one("dec > $0", Value::Decimal(Decimal::parse("0.10").unwrap()), Ok(&[1, 4, 6, 9, 11]));
    one("m == $0", Value::Int(1), Ok(&[1, 8]));
    one("m == $0", Value::Decimal(Decimal::parse("2").unwrap()), Ok(&[]));
    one("m.@type == $0", text("string"), Ok(&[3, 10]));
    one("m.@type == $0", Value::Int(1), Err("Unsupported comparison between @type and raw value: '@type' and 'int'"));
    one("dm[$0] == 1", text("k"), Ok(&[1, 8]));
    one("ft TEXT $0", text("quick -foxes"), Ok(&[0, 7]));
    let things_here = things();
    let whole = |query: &str, value: Value| {
        ids(&things_here, &plan_of(query, &[Argument::Value(value)]).unwrap().run(&things_here))
    };
    assert_eq!(whole("nested == $0", Value::Array(vec![])), [4]);
    assert_eq!(whole("nested[2] == $0", Value::Array(vec![Value::Int(2), Value::Bool(true)])), [0]);
    let several = [Value::Int(1), text("str")].map(Argument::Value).to_vec();
    check("m IN $0", &[Argument::List(several.clone())], Ok(&[1, 3, 8]));
    check("m == NONE $0", &[Argument::List(several.clone())], Ok(&[0, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13]));
    check("ANY lm IN $0", &[Argument::List(several)], Ok(&[0, 1, 3, 5, 8, 12]));
    let key = things().find(THING, &Value::Int(3)).unwrap();
    check("m == $0", &[Argument::Link { class: THING, key }], Ok(&[12]));
    check("m == $0", &[Argument::Link { class: OTHER, key }], Ok(&[]));
    check("$0 IN lm", &[Argument::Link { class: THING, key }], Ok(&[11]));
}

#[test]
fn descriptions_are_spelled_as_realm_does() {
    let check = |query: &str, arguments: &[Argument], expected: &str| {
        assert_eq!(plan_of(query, arguments).unwrap().describe(), expected, "{query}");
    };
    for (query, expected) in [
        ("a == 1", "a == 1 "),
        ("n BEGINSWITH[c] 'x' AND NOT (a > 1 OR b == true)", "n BEGINSWITH[c] \"x\" and !((a > 1 or b == true)) "),
        ("ANY l.a == 1 SORT(a DESC) DISTINCT(n) LIMIT(3)", "ANY l.a == 1 SORT(a DESC) DISTINCT(n) LIMIT(3)"),
        ("a IN {1, null}", "a == {1, NULL} "),
        ("t > 2020-01-01@00:00:00", "t > T1577836800:0 "),
        ("a == 1 OR (b == true AND a == 2)", "(a == 1 or b == true and a == 2) "),
        ("(a == 1 OR b == true) AND a == 2", "(a == 1 or b == true) and a == 2 "),
        ("a == 1 AND (a == 2 AND a == 3)", "a == 1 and a == 2 and a == 3 "),
        ("back.a == 1", "@links.P.o.a == 1 "),
        ("back.@count == 1", "@links.P.o.@count == 1 "),
        ("map1 == 1", "stored1 == 1 "),
        ("map2.map1 == 1 SORT(map1 ASC)", "stored2.stored1 == 1 SORT(stored1 ASC)"),
        ("dm['k'] == 1", "dm[\"k\"] == 1 "),
        ("m.@type == 'int'", "m.@type == \"int\" "),
        ("dat == B64\"YQE=\"", "dat == B64\"YQE=\" "),
        ("dat == bin('a')", "dat == binary(\"a\") "),
        ("n == 'it\\'s'", "n == B64\"aXQncw==\" "),
        ("dec == 1.10", "dec == 1.10 "),
        ("e GEOWITHIN geoBox([0, 0], [4, 7])", "e GEOWITHIN GeoBox([0, 0], [4, 7]) "),
        (
            "SUBQUERY(l, $x, $x.a > 1 AND $x.n == 'q').@size > 1",
            "SUBQUERY(l, $x, $x.a > 1 and $x.n == \"q\").@count > 1 ",
        ),
        ("(a + 1) * 2 == 3", "((a + 1) * 2) == 3 "),
    ] {
        check(query, &[], expected);
    }
    check("a IN $0", &[Argument::List(vec![Argument::Value(Value::Int(1))])], "a == {1} ");
    check("t == $0", &[Argument::Value(Value::Date(-1500))], "t == T-1:-500000000 ");
    check("$K0 == 1", &[Argument::Value(text("o.a"))], "o.a == 1 ");
}

#[test]
fn words_follow_every_change_of_a_text() {
    let mut builder = Builder::of(&schema());
    let keys: Vec<ObjectKey> = (0..600).map(|id| builder.create(THING, Value::Int(id))).collect();
    let foxes = plan_of("ft TEXT 'fox'", &[]).unwrap();
    for key in &keys {
        builder.set(THING, *key, "ft", text("a quick fox"));
    }
    let before = builder.transaction.snapshot().clone();
    assert_eq!(foxes.run(&before).len(), 600);
    builder.set(THING, keys[1], "ft", text("a dog"));
    builder.set(THING, keys[300], "ft", Value::Null);
    builder.delete(THING, keys[599]);
    let after = builder.finish();
    assert_eq!(foxes.run(&after).len(), 597);
    assert_eq!(ids(&after, &plan_of("ft TEXT 'dog -fox'", &[]).unwrap().run(&after)), [1]);
    assert_eq!(foxes.run(&before).len(), 600, "a snapshot never changes");
}
