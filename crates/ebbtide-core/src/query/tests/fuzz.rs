//! Text that is no query, and queries that are almost none: an error or an answer, never a panic.

use std::sync::OnceLock;

use proptest::prelude::*;

use super::answers::{plan_of, things};
use super::fixture::{PERSON, people, schema};
use crate::objects::Snapshot;
use crate::query::{Argument, GeoPoint, GeoShape, compile, parse};
use crate::value::Value;

const SEEDS: [&str; 20] = [
    "age == 30 && (name CONTAINS[c] 'x\\u00e9' || !height BETWEEN {1.5, $0})",
    "ANY dogs.age IN {1, 0x1F, -3.5e2, inf, nan, null} and ALL scores[LAST] != 5",
    "SUBQUERY(dogs, $d, $d.age > 4 AND SUBQUERY($d.owner.dogs, $e, name LIKE '*?*').@count > 0).@count == 1",
    "@links.Dog.owner.@max.age / 2 + 1 >= best.scores.@avg * $1 SORT(best.age DESC, name ASC) DISTINCT(age) LIMIT(3)",
    "born < 2000-01-01T00:00:00:5 or born > T-12:-1 or oid == oid(010101010101010101010101)",
    "uid == uuid(02020202-0202-0202-0202-020202020202) || photo BEGINSWITH B64\"AQI=\" || photo == binary('x')",
    "best == obj('Person', 2) or best == O1 or best == L0:2 or dogs == $2",
    "NONE tags ENDSWITH 'e' and tags[*] == 'a' and scores[SIZE] > 1 and scores[$3] == 1",
    "best GEOWITHIN geoPolygon({[1, 2], [3, -4.5]}) or name TEXT 'x -y z*' or $K0.@type == 'int'",
    "first\\ name == \"\\\"\\n\" AND @links.@count > 0 and dict['key'].@keys == 'x' and @values == 1",
    "age <> 1 and age =< 2 and age => 3 and TRUEPREDICATE or FALSEPREDICATE",
    "age == 9223372036854775807 or age == -9223372036854775808 or age * 9223372036854775807 > age - -1",
    "age / 0 == 1 or -9223372036854775808 / -1 == age or age == 9223372036854775808",
    "dm['k'] == 1 and dm.x.@type == 'int' or ANY dm.@keys BEGINSWITH 'a' and dm.@values.@sum > 1.5",
    "nested[0][*].@type == 'list' || nested['k'].deep[LAST] == null && nested.link.name IN {'x', 1.25, true}",
    "e GEOWITHIN geoCircle([1.5, -2], $3) or le geoWithin geoBox([0, 0], [4, 7]) or e GEOWITHIN $4",
    "ft TEXT 'quick -fox bro*' AND NOT o.ft TEXT $5 AND dec * 1.10 / f - 2 >= 0.1",
    "back.map2.@count > 1 and @links.P.m._id == 3 and ALL li IN {1, 2} SORT(di['a'] DESC, $K5 ASC) DISTINCT(map1)",
    "lm == {1, null, obj('P', 1)} and si != {} and dl['a'].dl.b == O3 and sm.@max == m and f == nan",
    "contains CONTAINS 'x' or between BETWEEN {1,2} or limit == 1 LIMIT(99999999999999999999999)",
];

static THINGS: OnceLock<Snapshot> = OnceLock::new();

/// Parses, compiles and runs; a failure is fine, and so is an answer.
fn try_all(text: &str) {
    let people = people();
    let arguments = [
        Argument::Value(Value::Double(2.5)),
        Argument::Value(Value::Null),
        Argument::List(vec![Argument::Value(Value::Int(1)), Argument::Value(Value::String("x".into()))]),
        Argument::Value(Value::Int(1)),
        Argument::Geo(GeoShape::Circle { center: GeoPoint { longitude: 1.0, latitude: 2.0 }, distance: 0.5 }),
        Argument::Value(Value::String("map1".into())),
    ];
    if let Ok(plan) = plan_of(text, &arguments) {
        let things = THINGS.get_or_init(things);
        let keys = plan.run(things);
        assert!(keys.len() <= 14);
        parse(&plan.describe()).unwrap_or_else(|error| panic!("{text:?} is described as {error}"));
    }
    match parse(text) {
        Err(error) => assert!(error.offset <= text.len() && text.is_char_boundary(error.offset), "{text:?}: {error:?}"),
        Ok(query) => match compile(&query, &schema(), PERSON, &arguments) {
            Err(error) => assert!(error.offset <= text.len(), "{text:?}: {error:?}"),
            Ok(plan) => {
                let keys = plan.run(&people);
                assert!(keys.len() <= 4);
                parse(&plan.describe()).unwrap_or_else(|error| panic!("{text:?} is described as {error}"));
            }
        },
    }
}

#[test]
fn seeds_parse() {
    for seed in SEEDS {
        parse(seed).map_or_else(|error| assert!(seed.contains("9223372036854775808"), "{error}"), drop);
    }
}

fn cut(text: &str, at: usize) -> &str {
    let mut at = at % (text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    &text[..at]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        try_all(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_text_of_the_right_letters_never_panics(text in r#"[a-gilnost$@.()\[\]{}<>=!&|'"\\ 0-9+*/,:TOLK-]{0,80}"#) {
        try_all(&text);
    }

    #[test]
    fn mutated_queries_never_panic(
        seed in 0..SEEDS.len(),
        other in 0..SEEDS.len(),
        edits in prop::collection::vec((any::<usize>(), any::<usize>(), 0u8..4, any::<char>()), 1..6),
    ) {
        let mut text = SEEDS[seed].to_string();
        for (from, to, kind, c) in edits {
            let (start, end) = (cut(&text, from).len(), cut(&text, to).len());
            let (start, end) = (start.min(end), start.max(end));
            match kind {
                0 => text.replace_range(start..end, ""),
                1 => text.insert(start, c),
                2 => text.insert_str(start, &SEEDS[other][..cut(SEEDS[other], to).len()]),
                _ => { let piece = text[start..end].to_string(); text.push_str(&piece); }
            }
        }
        try_all(&text);
    }
}
