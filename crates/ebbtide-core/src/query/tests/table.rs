//! Queries and their answers.

use super::fixture::{Builder, DOG, PERSON, ids, people, plan, schema, text};
use crate::ids::{ClassIndex, ColumnIndex, ObjectKey};
use crate::query::{Aggregate, Argument, Direction, Order, aggregate, compile, parse};
use crate::value::Value;

fn check(query: &str, arguments: &[Argument], expected: &[i64]) {
    let people = people();
    let plan = plan(query, arguments).unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!(ids(&people, &plan.run(&people)), expected, "{query}");
    if !plan.has_suffixes() {
        let matching: Vec<ObjectKey> = people.table(PERSON).keys().filter(|key| plan.matches(&people, *key)).collect();
        assert_eq!(ids(&people, &matching), expected, "row by row: {query}");
    }
    let described = plan.describe();
    let again = compile(&parse(&described).unwrap(), &schema(), PERSON, &[])
        .unwrap_or_else(|error| panic!("{query} is described as {described}: {error}"));
    assert_eq!(again.run(&people), plan.run(&people), "{query} is described as {described}");
    assert_eq!(again.describe(), described, "{query}");
}

fn checks(rows: &[(&str, &[i64])]) {
    for (query, expected) in rows {
        check(query, &[], expected);
    }
}

fn value(value: Value) -> Argument {
    Argument::Value(value)
}

#[test]
fn values_of_every_type_are_compared() {
    checks(&[
        ("age == 30", &[1]),
        ("age != 30", &[2, 3, 4]),
        ("age > 30", &[2, 3]),
        ("age >= 30 and age <= 40", &[1, 2]),
        ("30 < age", &[2, 3]),
        ("age == '30'", &[1]),
        ("age == 0x1E", &[1]),
        ("age < 30.5", &[1]),
        ("age == 30.5", &[]),
        ("age == 99999999999999999999", &[]),
        ("age < 99999999999999999999", &[1, 2, 3]),
        ("age ==[c] 30", &[1]),
        ("age != 30.5", &[1, 2, 3, 4]),
        ("age > -1e300", &[1, 2, 3]),
        ("age < 1e300", &[1, 2, 3]),
        ("height == 30", &[2]),
        ("height == 1.75f", &[1]),
        ("height > 1.74 && height < 1.76", &[1]),
        ("height < inf", &[1, 2, 3]),
        ("height == nan", &[]),
        ("active == true", &[1, 3]),
        ("active != TRUE", &[2, 4]),
        ("born == 2000-2-29@12:34:56:789000000", &[1]),
        ("born < 2000-01-01T00:00:00", &[2, 3]),
        ("born >= T0:0", &[1, 2]),
        ("born == T0:-1000000", &[3]),
        ("photo == binary(B64\"AQJhYmM=\")", &[1]),
        ("photo == B64\"AQJhYmM=\"", &[1]),
        ("photo == binary('')", &[2]),
        ("photo CONTAINS binary('abc')", &[1]),
        ("photo ENDSWITH 'bc'", &[1]),
        ("oid == oid(010101010101010101010101)", &[1]),
        ("oid > oid(010101010101010101010101)", &[2]),
        ("uid == uuid(02020202-0202-0202-0202-020202020202)", &[2]),
        ("uid != uuid(02020202-0202-0202-0202-020202020202)", &[1, 3, 4]),
        ("name == 'bob'", &[2]),
        ("name < 'b'", &[1, 4]),
        ("name >= \"b\"", &[2, 3]),
        ("name == '\\u00c9lodie'", &[3]),
        ("first\\ name == 'Anna Maria'", &[1]),
        ("contains == 7", &[1]),
    ]);
}

#[test]
fn ints_and_doubles_are_compared_exactly() {
    checks(&[
        ("age == 9007199254740993", &[3]),
        ("age == 9007199254740992.0", &[]),
        ("age > 9007199254740992.0", &[3]),
        ("height == 9007199254740993", &[]),
        ("height < 9007199254740993", &[1, 2, 3]),
        ("height >= 9007199254740993", &[]),
        ("age > height", &[1, 2, 3]),
        ("age == height", &[4]),
    ]);
}

#[test]
fn null_equals_null_and_has_no_order() {
    checks(&[
        ("age == null", &[4]),
        ("age != NULL", &[1, 2, 3]),
        ("age <= nil", &[4]),
        ("age < null", &[]),
        ("name == null or name == 'bob'", &[2, 4]),
        ("best == null", &[3, 4]),
        ("best != null", &[1, 2]),
        ("best.name == null", &[2, 3, 4]),
        ("best.best.name == null", &[1, 2, 3, 4]),
        ("name CONTAINS null", &[1, 2, 3, 4]),
        ("name LIKE null", &[4]),
        ("ANY scores == null", &[1]),
    ]);
}

#[test]
fn text_is_searched() {
    checks(&[
        ("name BEGINSWITH 'An'", &[1]),
        ("name beginswith[c] 'an'", &[1]),
        ("name ENDSWITH 'ob'", &[2]),
        ("name ENDSWITH[c] 'OB'", &[2]),
        ("name CONTAINS 'nn'", &[1]),
        ("name CONTAINS[c] 'LODI'", &[3]),
        ("name CONTAINS ''", &[1, 2, 3]),
        ("name ==[c] 'ANNA'", &[1]),
        ("name ==[c] 'élodie'", &[3]),
        ("name !=[c] 'ANNA'", &[2, 3, 4]),
        ("name LIKE '?lodie'", &[3]),
        ("name LIKE '*n*'", &[1]),
        ("name LIKE[c] 'B?B'", &[2]),
        ("name LIKE 'b*b'", &[2]),
        ("name LIKE 'bob'", &[2]),
        ("NOT name LIKE '*'", &[4]),
        ("name CONTAINS best.name", &[2, 3, 4]),
        ("name IN[c] {'BOB', 'x'}", &[2]),
    ]);
}

#[test]
fn logic_has_every_spelling_and_its_precedence() {
    checks(&[
        ("TRUEPREDICATE", &[1, 2, 3, 4]),
        ("falsepredicate", &[]),
        ("age == 30 || age == 40 && name == 'x'", &[1]),
        ("(age == 30 OR age == 40) AND name == 'bob'", &[2]),
        ("!age == 30", &[2, 3, 4]),
        ("not (age == 30 or age == null)", &[2, 3]),
        ("!!age == 30", &[1]),
        ("NOT TRUEPREDICATE || age = 30", &[1]),
        ("age <> 30 and age =< 40", &[2]),
        ("age => 40", &[2, 3]),
    ]);
}

#[test]
fn membership_and_ranges() {
    checks(&[
        ("age IN {30, 40, 50}", &[1, 2]),
        ("age in {30, null}", &[1, 4]),
        ("NOT age IN {30, null}", &[2, 3]),
        ("age IN {}", &[]),
        ("height IN {1.75, 30}", &[1, 2]),
        ("name IN {'bob', 'Anna', 5}", &[1, 2]),
        ("age == ANY {30, 40}", &[1, 2]),
        ("age != ALL {30, 40}", &[3, 4]),
        ("age == NONE {30, 40}", &[3, 4]),
        ("ANY {30, 40} == age", &[1, 2]),
        ("age > ALL {10, 35}", &[2, 3]),
        ("5 IN scores", &[1, 2]),
        ("'red' IN tags", &[1]),
        ("_id IN {3, 1, 1, 77}", &[1, 3]),
        ("age BETWEEN {30, 40}", &[1, 2]),
        ("height BETWEEN {1.0, 2}", &[1]),
        ("ALL scores BETWEEN {5, 5}", &[2, 3, 4]),
        ("born between {1960-01-01@00:00:00, 1990-01-01@00:00:00}", &[2, 3]),
    ]);
    let list = Argument::List(vec![value(Value::Int(30)), value(Value::Double(40.0)), value(text("x"))]);
    check("age IN $0", std::slice::from_ref(&list), &[1, 2]);
    check("age == NONE $0", &[list], &[3, 4]);
    check("_id IN $0", &[Argument::List(vec![value(Value::Double(2.0))])], &[2]);
    check("ANY dogs.age IN $0", &[Argument::List(vec![value(Value::Int(8))])], &[2]);
}

#[test]
fn lists_need_any_all_or_none_of_their_values() {
    checks(&[
        ("scores == 5", &[1, 2]),
        ("ANY scores == 1", &[1]),
        ("SOME scores > 4", &[1, 2]),
        ("ALL scores == 5", &[2, 3, 4]),
        ("NONE scores == 5", &[3, 4]),
        ("tags ==[c] 'GREEN'", &[1, 3]),
        ("ALL tags CONTAINS 'e'", &[1, 2, 3, 4]),
        ("dogs.age > 5", &[2]),
        ("ALL dogs.age > 4", &[2, 3, 4]),
        ("NONE dogs.name == 'Rex'", &[2, 3, 4]),
        ("ANY dogs.owner.name == 'bob'", &[2]),
        ("scores == {1, null, 5}", &[1]),
        ("scores == {null, 1, 5}", &[]),
        ("scores == {}", &[3, 4]),
        ("scores != {1, null, 5}", &[2, 3, 4]),
        ("scores IN {5, 5}", &[2]),
        ("ANY scores IN {1, 7}", &[1]),
        ("scores <= {5, 6}", &[2]),
        ("dogs == dogs", &[1, 2, 3, 4]),
        ("dogs.age == dogs.age", &[1, 2, 3, 4]),
        ("dogs != dogs", &[3, 4]),
        ("_id IN scores", &[1]),
        ("scores[0] == 1", &[1]),
        ("scores[FIRST] == 5", &[2]),
        ("scores[LAST] == 5", &[1, 2]),
        ("scores[1] == null", &[1, 3, 4]),
        ("scores[*] == 1", &[1]),
        ("scores[SIZE] == 3", &[1]),
        ("dogs[0].name == 'Rex'", &[1]),
        ("dogs[LAST].name == 'Lassie'", &[2]),
        ("dogs[7].name == null", &[1, 2, 3, 4]),
        ("NONE scores[0] == 1", &[2, 3, 4]),
        ("ANY dogs.@count == 2", &[1, 2]),
    ]);
    check("scores[$0] == 5", &[value(Value::Int(2))], &[1]);
}

#[test]
fn lists_are_counted_and_folded() {
    checks(&[
        ("scores.@count == 3", &[1]),
        ("scores.@size > 1", &[1, 2]),
        ("dogs.@count == 0", &[3, 4]),
        ("best.@count == 1", &[1, 2]),
        ("best.dogs.@count == 2", &[1]),
        ("name.@count == 4", &[1]),
        ("name.@size == null", &[4]),
        ("scores.@sum == 6", &[1]),
        ("scores.@sum == 0", &[3, 4]),
        ("scores.@avg == 3", &[1]),
        ("scores.@min == 5", &[2]),
        ("scores.@max == null", &[3, 4]),
        ("dogs.@sum.age == 13", &[2]),
        ("dogs.@avg.age > 3.9", &[1, 2]),
        ("dogs.@max.age < 6", &[1]),
        ("best.dogs.@min.age == 5", &[1]),
        ("SUBQUERY(dogs, $d, $d.age > 4 AND $d.name CONTAINS 'i').@count == 1", &[1]),
        ("SUBQUERY(dogs, $d, $d.age > 4 && name CONTAINS 'i').@count == 2", &[2]),
        ("SUBQUERY(dogs, $d, $d.owner.age == 30).@size > 0", &[1, 2]),
        ("SUBQUERY(dogs, $d, SUBQUERY($d.owner.dogs, $e, $e.age == 8).@count > 0).@count == 1", &[2]),
    ]);
}

#[test]
fn a_collection_behind_a_null_link_has_no_elements() {
    checks(&[
        ("best == null", &[3, 4]),
        ("best.scores.@count >= 0", &[1, 2, 3, 4]),
        ("best.scores[SIZE] == null", &[]),
        ("best.scores.@sum >= 0", &[1, 2, 3, 4]),
        ("best.scores.@max == null AND best == null", &[3, 4]),
        ("best.name.@count == null", &[2, 3, 4]),
    ]);
}

#[test]
fn backlinks_lead_the_other_way() {
    checks(&[
        ("@links.Dog.owner.age > 5", &[2]),
        ("ANY @links.Dog.owner.name == 'Rex'", &[1]),
        ("@links.Dog.owner.@count == 2", &[1]),
        ("@links.Person.best.name == 'Anna'", &[2]),
        ("@links.@count == 1", &[4]),
        ("@links.@count == 2", &[1, 2]),
        ("best.@links.Dog.owner.age == 8", &[1]),
        ("SUBQUERY(@links.Dog.owner, $d, $d.age < 5).@count == 1", &[1]),
    ]);
    let dogs = compile(&parse("@links.Person.dogs.@count == 2").unwrap(), &schema(), DOG, &[]).unwrap();
    let people = people();
    assert_eq!(dogs.run(&people), [people.find(DOG, &text("fido")).unwrap()]);
}

#[test]
fn links_are_compared_with_objects() {
    let people = people();
    let bob = people.find(PERSON, &Value::Int(2)).unwrap();
    let fido = people.find(DOG, &text("fido")).unwrap();
    let link = |class: ClassIndex, key| Argument::Link { class, key };
    check("best == $0", &[link(PERSON, bob)], &[1]);
    check("best != $0", &[link(PERSON, bob)], &[2, 3, 4]);
    check("dogs == $0", &[link(DOG, fido)], &[1, 2]);
    check("$0 IN dogs", &[link(DOG, fido)], &[1, 2]);
    check("best IN $0", &[Argument::List(vec![link(PERSON, bob), value(Value::Null)])], &[1, 3, 4]);
    check("best == $0", &[value(Value::Null)], &[3, 4]);
    check(&format!("best == O{}", bob.0), &[], &[1]);
    check(&format!("best == L0:{}", bob.0), &[], &[1]);
    checks(&[
        ("best == obj('Person', 2)", &[1]),
        ("best == obj('Person', 99)", &[3, 4]),
        ("best != obj('Person', 99)", &[1, 2]),
        ("best IN {obj('Person', 2), obj('Person', 1)}", &[1]),
        ("dogs == obj(\"Dog\", 'Lassie')", &[2]),
        ("best.dogs == obj('Dog', 'fido')", &[1]),
        ("ANY dogs.owner == best", &[]),
        ("ANY dogs.owner.best == best", &[1, 2]),
    ]);
    check("best == obj('Person', $0)", &[value(Value::Double(2.0))], &[1]);
}

#[test]
fn arithmetic_follows_its_precedence() {
    checks(&[
        ("age + 10 == 40", &[1]),
        ("age - 10 * 2 == 10", &[1]),
        ("(age - 10) * 2 == 60", &[2]),
        ("age / 7 == 4", &[1]),
        ("age / 0 == null", &[1, 2, 3, 4]),
        ("age > 2 + 30", &[2, 3]),
        ("height * 2 == 3.5", &[1]),
        ("age == 15+15", &[1]),
        ("age * -1 == -30", &[1]),
        ("dogs.age * 2 == 16", &[2]),
        ("ALL dogs.age + 1 > 5", &[2, 3, 4]),
        ("100 - dogs.age == 97", &[1]),
        ("dogs.@sum.age / dogs.@count == 4", &[1]),
        ("age + best.age == 70", &[1]),
    ]);
}

#[test]
fn suffixes_apply_in_order_of_appearance() {
    checks(&[
        ("TRUEPREDICATE SORT(age DESC)", &[3, 2, 1, 4]),
        ("TRUEPREDICATE SORT(age ASCENDING)", &[4, 1, 2, 3]),
        ("age != null SORT(name asc) LIMIT(2)", &[1, 2]),
        ("age != null LIMIT(2) SORT(name desc)", &[2, 1]),
        ("TRUEPREDICATE LIMIT(3)", &[1, 2, 3]),
        ("TRUEPREDICATE LIMIT(0)", &[]),
        ("TRUEPREDICATE DISTINCT(active)", &[1, 2, 4]),
        ("TRUEPREDICATE SORT(age DESC) DISTINCT(active)", &[3, 2, 4]),
        ("TRUEPREDICATE SORT(best.age ASC, _id DESC)", &[2, 1, 4, 3]),
        ("TRUEPREDICATE DISTINCT(best.age)", &[1, 2]),
        ("TRUEPREDICATE SORT(_id DESC) SORT(active ASC)", &[4, 2, 3, 1]),
        ("TRUEPREDICATE DISTINCT(active, best)", &[1, 2, 3, 4]),
        ("SORT(_id DESC) LIMIT(1)", &[4]),
    ]);
}

#[test]
fn a_sequence_keeps_its_order_and_its_repetitions() {
    let people = people();
    let keys: Vec<ObjectKey> = [2, 1, 2, 4].iter().map(|id| people.find(PERSON, &Value::Int(*id)).unwrap()).collect();
    let adults = plan("age >= 30", &[]).unwrap();
    assert_eq!(ids(&people, &adults.run_over(&people, keys.iter().copied())), [2, 1, 2]);
    let gone = ObjectKey(999);
    assert!(!plan("TRUEPREDICATE", &[]).unwrap().matches(&people, gone));
}

#[test]
fn sorting_is_stable_and_puts_nulls_first() {
    let people = people();
    let sorted = |paths: &[(&str, Direction)]| {
        let mut keys: Vec<ObjectKey> = people.table(PERSON).keys().collect();
        Order::new(&schema(), PERSON, paths).unwrap().sort(&people, &mut keys);
        ids(&people, &keys)
    };
    assert_eq!(sorted(&[("name", Direction::Ascending)]), [4, 1, 2, 3]);
    assert_eq!(sorted(&[("name", Direction::Descending)]), [3, 2, 1, 4]);
    assert_eq!(sorted(&[("best.name", Direction::Ascending)]), [2, 1, 3, 4]);
    assert_eq!(sorted(&[("best.name", Direction::Descending)]), [3, 4, 1, 2]);
    assert_eq!(sorted(&[("active", Direction::Descending), ("age", Direction::Descending)]), [3, 1, 2, 4]);
    assert_eq!(sorted(&[]), [1, 2, 3, 4]);
    let order = Order::new(&schema(), PERSON, &[("best.name", Direction::Ascending), ("age", Direction::Ascending)]);
    let reads = order.unwrap().dependencies();
    assert_eq!(reads.own, [ColumnIndex(2), ColumnIndex(9)]);
    assert_eq!(reads.others, [(PERSON, ColumnIndex(1))]);
}

#[test]
fn aggregates_leave_nulls_out() {
    let people = people();
    let of = |path: &str, what| {
        let keys = people.table(PERSON).keys().filter(|key| key.0 != 3);
        aggregate(&people, PERSON, keys, path, what).unwrap()
    };
    assert_eq!(of("age", Aggregate::Sum), Value::Int(70));
    assert_eq!(of("age", Aggregate::Average), Value::Double(35.0));
    assert_eq!(of("height", Aggregate::Max), Value::Double(30.0));
    assert_eq!(of("born", Aggregate::Min), Value::Date(0));
    assert_eq!(of("best.age", Aggregate::Max), Value::Int(40));
    let none = |what| aggregate(&people, PERSON, [], "age", what).unwrap();
    assert_eq!(none(Aggregate::Sum), Value::Int(0));
    assert_eq!(none(Aggregate::Average), Value::Null);
    assert_eq!(none(Aggregate::Min), Value::Null);
}

#[test]
fn dependencies_name_what_is_read() {
    let person = |name: &str| schema().class(PERSON).column(name).unwrap();
    let dog = |name: &str| schema().class(DOG).column(name).unwrap();
    let check = |query: &str, own: &[ColumnIndex], others: &[(ClassIndex, ColumnIndex)]| {
        let plan = plan(query, &[]).unwrap();
        assert_eq!(plan.dependencies().own, own, "{query}");
        assert_eq!(plan.dependencies().others, others, "{query}");
        assert_eq!(plan.dependencies().is_local(), others.is_empty());
    };
    check("age > 3 and name == 'x'", &[person("name"), person("age")], &[]);
    check("TRUEPREDICATE", &[], &[]);
    check("best == null SORT(height ASC)", &[person("height"), person("best")], &[]);
    check("dogs.age > 3", &[person("dogs")], &[(DOG, dog("age"))]);
    check("best.name == 'x'", &[person("best")], &[(PERSON, person("name"))]);
    check("@links.Dog.owner.age > 3", &[], &[(DOG, dog("age")), (DOG, dog("owner"))]);
    check("@links.@count > 3", &[], &[(PERSON, person("best")), (DOG, dog("owner"))]);
    check("best == obj('Person', 1)", &[person("best")], &[(PERSON, person("_id"))]);
    check("SUBQUERY(dogs, $d, $d.name == 'x').@count > 0", &[person("dogs")], &[(DOG, dog("name"))]);
    check("dogs.@max.age > 3", &[person("dogs")], &[(DOG, dog("age"))]);
    check("dogs.@count > 3", &[person("dogs")], &[]);
    check("TRUEPREDICATE DISTINCT(best.age)", &[person("best")], &[(PERSON, person("age"))]);
}

#[test]
fn a_plan_stays_good_for_later_states() {
    let query = plan("best == obj('Person', 3) or age > 35", &[]).unwrap();
    let mut builder = Builder::new();
    let first = builder.create(PERSON, Value::Int(1));
    let third = builder.create(PERSON, Value::Int(3));
    builder.set(PERSON, first, "best", Value::Link(third));
    builder.set(PERSON, third, "age", Value::Int(36));
    let before = Builder::new().finish();
    assert!(query.run(&before).is_empty());
    builder.delete(PERSON, third);
    let after = builder.finish();
    assert_eq!(ids(&after, &query.run(&after)), [1], "what is gone is as null");
}

#[test]
fn many_pages_are_scanned_as_rows_are() {
    let mut builder = Builder::new();
    for id in 0..1000 {
        let key = builder.create(PERSON, Value::Int(id));
        if id % 3 != 0 {
            builder.set(PERSON, key, "age", Value::Int(id % 50));
            builder.set(PERSON, key, "name", text(&format!("person {}", id % 17)));
        }
        if id % 10 == 9 {
            builder.delete(PERSON, key);
        }
    }
    let people = builder.finish();
    for query in [
        "age > 25 and name ENDSWITH '3'",
        "age > 25 or name == 'person 4' or age == null",
        "!(age IN {1, 2, 3} and name != 'person 1')",
        "name ==[c] 'PERSON 16'",
        "_id == 500",
    ] {
        let plan = plan(query, &[]).unwrap();
        let slowly: Vec<ObjectKey> = people.table(PERSON).keys().filter(|key| plan.matches(&people, *key)).collect();
        assert!(!slowly.is_empty());
        assert_eq!(plan.run(&people), slowly, "{query}");
        let limited = super::fixture::plan(&format!("{query} LIMIT(3)"), &[]).unwrap();
        assert_eq!(limited.run(&people), &slowly[..slowly.len().min(3)], "{query}");
    }
}
