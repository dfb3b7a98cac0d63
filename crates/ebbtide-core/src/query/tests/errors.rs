//! Every family of errors, with its place.

use super::fixture::{Builder, PERSON, people, plan, schema, text};
use crate::ids::ObjectKey;
use crate::query::{Aggregate, Argument, Direction, Order, QUERY_BYTES, QUERY_DEPTH, aggregate, parse};
use crate::value::Value;

fn check(query: &str, arguments: &[Argument], offset: usize, message: &str) {
    let error = plan(query, arguments).expect_err(query);
    assert_eq!(error.message, message, "{query}");
    assert_eq!(error.offset, offset, "{query}");
    assert_eq!(error.to_string(), message);
}

#[test]
fn errors_of_grammar_quote_the_query_and_say_what_was_expected() {
    let check =
        |query: &str, offset, what: &str| check(query, &[], offset, &format!("Invalid predicate: '{query}': {what}"));
    check("", 0, "syntax error, unexpected end of file");
    check("age", 3, "syntax error, unexpected end of file");
    check("age >", 5, "syntax error, unexpected end of file");
    check("age == 1 1", 9, "syntax error, unexpected natural0, expecting end of file");
    check("(age == 1", 9, "syntax error, unexpected end of file, expecting && or || or ')'");
    check("(age", 4, "syntax error, unexpected end of file");
    check("age IN {1", 9, "syntax error, unexpected end of file, expecting ',' or '}'");
    check("age == 1 SORT(age ASC", 21, "syntax error, unexpected end of file, expecting ')' or ','");
    check("age == 1 SORT()", 14, "syntax error, unexpected ')'");
    check("age == 1 and", 12, "syntax error, unexpected end of file");
    check("age == (age > 1)", 7, "syntax error, unexpected comparison, expecting a value");
    check("age == 1 == 2", 9, "syntax error, unexpected ==");
    check("age # 1", 4, "invalid character: #");
    check("name == 'open", 8, "invalid character: '");
    check("name == 'a\\x'", 8, "invalid escape: \\x");
    check("age IN {1, name}", 11, "syntax error, unexpected identifier");
    check("born == T1:-1", 8, "Invalid timestamp format");
    check("photo == B64\"AAA\"AA", 17, "syntax error, unexpected identifier, expecting end of file");
    check("photo == B64\"A\"", 9, "Invalid base64 value");
    check("age == 1 SORT(age)", 17, "syntax error, unexpected ')', expecting ascending or descending or '.'");
    check("age == 1 LIMIT(x)", 15, "syntax error, unexpected identifier, expecting natural0");
    check("age <[c] 1", 5, "syntax error, unexpected [c]");
    check("dogs.@foo == 1", 5, "invalid character: @");
    check("age. == 1", 5, "syntax error, unexpected ==");
    check("scores[-1] == 1", 7, "syntax error, unexpected number, expecting string or natural0 or argument");
}

#[test]
fn a_long_query_is_quoted_in_part() {
    let query = "age == ".to_string() + &"'é".repeat(10_000);
    assert!(parse(&query).unwrap_err().message.len() < 2_000);
}

#[test]
fn names_that_the_schema_lacks_are_named() {
    check("legs == 4", &[], 0, "'Person' has no property 'legs'");
    check("dogs.legs == 4", &[], 5, "'Dog' has no property 'legs'");
    check("age.years == 4", &[], 4, "Property 'Person.age' is not an object reference");
    check("age[0] == 4", &[], 3, "Property 'Person.age' does not support index '0'");
    check("scores['x'] == 4", &[], 6, "Property 'Person.scores' does not support index 'x'");
    check("@links.Dog.name == 4", &[], 0, "No property 'name' found in type 'Dog' which links to type 'Person'");
    check("@links.Cat.name == 4", &[], 0, "No property 'name' found in type 'Cat' which links to type 'Person'");
    check("best == obj('Cat', 1)", &[], 8, "Unknown object type 'Cat'");
    check("age == 1 SORT(x ASC)", &[], 14, "No property 'x' found on object type 'Person' specified in 'sort' clause");
    check(
        "age == 1 DISTINCT(x)",
        &[],
        18,
        "No property 'x' found on object type 'Person' specified in 'distinct' clause",
    );
    check("SUBQUERY(dogs, $d, $e.age == 1).@count > 0", &[], 19, "'Dog' has no property '$e'");
}

#[test]
fn types_that_do_not_compare_are_named() {
    check("age == 'x'", &[], 4, "Unsupported comparison between type 'int' and type 'string'");
    check("name > 5", &[], 5, "Unsupported comparison between type 'string' and type 'int'");
    check("name == age", &[], 5, "Unsupported comparison between type 'string' and type 'int'");
    check(
        "born == oid(010101010101010101010101)",
        &[],
        5,
        "Unsupported comparison between type 'timestamp' and type 'objectId'",
    );
    check("best == 5", &[], 5, "Unsupported comparison between type 'link' and type 'int'");
    check("age == inf", &[], 7, "Infinity not supported for int");
    check(
        "best > obj('Person', 1)",
        &[],
        5,
        "Unsupported operator > in query. Only equal (==) and not equal (!=) are supported for this type.",
    );
    check(
        "age CONTAINS 5",
        &[],
        4,
        "Unsupported comparison operator 'contains' against type 'int', right side must be a string or binary type",
    );
    check("best ==[c] name", &[], 5, "Unsupported comparison between type 'link' and type 'string'");
    check("active == 1", &[], 7, "Unsupported comparison between type 'bool' and type 'int'");
    check(
        "scores == scores",
        &[],
        7,
        "Ordered comparison between two primitive lists is not implemented yet ('scores' and 'scores')",
    );
    check("name + 1 == 5", &[], 7, "Cannot perform '+' operation on 'name' and '1'");
    check("age - 1 * null == 5", &[], 10, "Cannot perform '*' operation on '1' and 'NULL'");
    check("scores + scores == 5", &[], 9, "Arithmetic between two lists is not supported");
    check("1 == 1", &[], 2, "Cannot compare two constants");
    check("ANY age == 5", &[], 4, "The keypath following 'ANY' must contain a list");
    check("NONE best.age == 5", &[], 5, "The keypath following 'NONE' must contain a list");
    check("dogs == null", &[], 5, "Cannot compare linklist ('dogs') with NULL");
    check(
        "best == obj('Dog', 'rex')",
        &[],
        5,
        "The relationship 'best' which links to type 'Person' cannot be compared to an argument of type 'Dog'",
    );
    check(
        "best == obj('Person', 'x')",
        &[],
        22,
        "The primary key of 'Person' is of type 'int', but the given one is a string",
    );
}

#[test]
fn operations_that_do_not_apply_say_so() {
    check("5 IN age", &[], 5, "The keypath following 'IN' must contain a list. Found 'age'");
    check("age IN 5", &[], 7, "The keypath following 'IN' must contain a list. Found '5'");
    check("age BETWEEN {1}", &[], 12, "Operator 'BETWEEN' requires list with 2 elements.");
    check("scores BETWEEN {1, 2}", &[], 7, "Only 'ALL' supported for operator 'BETWEEN' when applied to lists.");
    check("age.@count == 1", &[], 0, "Operation '@count' is not supported on property of type 'int'");
    check("tags.@sum == 1", &[], 0, "Cannot use aggregate '.@sum' for this type of property");
    check("age.@sum == 1", &[], 0, "Cannot use aggregate '.@sum' for this type of property");
    check(
        "scores.@sum.age == 1",
        &[],
        0,
        "Operation '.@sum' cannot apply to property 'scores' because it is not a list",
    );
    check("dogs.@sum.name == 1", &[], 0, "collection aggregate not supported for type 'string'");
    check(
        "SUBQUERY(dogs, d, $d.age == 1).@count > 0",
        &[],
        15,
        "The subquery variable 'd' is invalid. The variable must start with '$' and cannot be empty; for example '$x'.",
    );
    check(
        "SUBQUERY(scores, $d, $d == 1).@count > 0",
        &[],
        9,
        "A subquery can not operate on a list of primitive values (property 'scores')",
    );
    check(
        "SUBQUERY(age, $d, $d == 1).@count > 0",
        &[],
        9,
        "A subquery must operate on a list property, but 'age' is type 'int'",
    );
    check(
        "SUBQUERY(dogs, $d, SUBQUERY($d.owner.dogs, $d, age == 1).@count > 0).@count > 0",
        &[],
        19,
        "Unable to create a subquery expression with variable '$d' since an identical variable already exists in this context",
    );
    check("@links == 1", &[], 0, "'@links' must be followed by '.@count' or by a class and a property");
}

#[test]
fn arguments_that_are_missing_or_do_not_fit_are_named() {
    let one = || Argument::Value(Value::Int(1));
    check("age == $0", &[], 7, "Request for argument at index 0 but no arguments are provided");
    check("age == $1", &[one()], 7, "Request for argument at index 1 but only 1 argument is provided");
    check("age == $2", &[one(), one()], 7, "Request for argument at index 2 but only 2 arguments are provided");
    check("age == $0", &[Argument::Value(text("x"))], 7, "Cannot compare argument $0 with value '\"x\"' to a int");
    check("name == $0", &[one()], 8, "Cannot compare argument $0 with value '1' to a string");
    check(
        "ANY $0 == age",
        &[one()],
        0,
        "ANY/ALL/NONE are only allowed on arguments which contain a list but '$0' is not a list.",
    );
    check("age IN $0", &[one()], 7, "The keypath following 'IN' must contain a list. Found '1'");
    check("age IN $0", &[Argument::List(vec![Argument::List(vec![])])], 7, "An argument may not be a list of lists");
    check("scores[$0] == 1", &[Argument::Value(Value::Int(-1))], 6, "Invalid index parameter");
    let dog = Argument::Link { class: super::fixture::DOG, key: ObjectKey(1) };
    check(
        "best == $0",
        &[dog],
        5,
        "The relationship 'best' which links to type 'Person' cannot be compared to an argument of type 'Dog'",
    );
    let nowhere = Argument::Link { class: crate::ids::ClassIndex(9), key: ObjectKey(1) };
    check("best == $0", &[nowhere], 8, "There is no class number 9");
}

#[test]
fn what_can_grow_is_limited() {
    let long = " ".repeat(QUERY_BYTES + 1);
    assert_eq!(parse(&long).unwrap_err().message, "Query is 1048577 bytes long; at most 1048576 are allowed");
    let nested = |open: &str, close: &str, depth: usize| {
        parse(&(open.repeat(depth) + "age == 1" + &close.repeat(depth))).map_err(|error| error.message)
    };
    let too_deep = format!("Query is nested deeper than {QUERY_DEPTH} levels");
    for (open, close) in [("(", ")"), ("!", ""), ("SUBQUERY(dogs, $d, ", ").@count == 1")] {
        assert!(nested(open, close, QUERY_DEPTH).is_ok(), "{open}");
        for depth in [QUERY_DEPTH + 1, 10_000] {
            assert_eq!(nested(open, close, depth).unwrap_err(), too_deep, "{open}");
        }
    }
    let path = "best.".repeat(100) + "age == 1";
    assert_eq!(parse(&path).unwrap_err().message, "Key path has more than 64 steps");
}

#[test]
fn the_deepest_query_is_evaluated() {
    let mut builder = Builder::new();
    let narcissus = builder.create(PERSON, Value::Int(1));
    builder.set(PERSON, narcissus, "best", Value::Link(narcissus));
    let people = builder.finish();
    for (open, close) in [
        ("(", ")"),
        ("!", ""),
        ("(age == 7 or ", ")"),
        ("(_id == 1 and ", ")"),
        ("SUBQUERY(@links.Person.best, $#, ", ").@count > 0"),
    ] {
        let opened: String = (0..QUERY_DEPTH).map(|level| open.replace('#', &format!("x{level}"))).collect();
        let query = opened + "_id == 1" + &close.repeat(QUERY_DEPTH);
        assert_eq!(plan(&query, &[]).unwrap().run(&people), [narcissus], "{query}");
    }
}

#[test]
fn length_costs_no_depth() {
    let people = people();
    let ors = vec!["age == 1"; 20_000].join(" or ") + " or age == 30";
    assert_eq!(plan(&ors, &[]).unwrap().run(&people).len(), 1);
    let sum = format!("age == {}30", "0 + ".repeat(20_000));
    assert_eq!(plan(&sum, &[]).unwrap().run(&people).len(), 1);
}

#[test]
fn sorts_and_aggregates_name_the_key_path() {
    let check = |path: &str, message: &str| {
        let error = Order::new(&schema(), PERSON, &[(path, Direction::Ascending)]).unwrap_err();
        assert_eq!(error.message, message);
    };
    check("x", "Cannot sort on key path 'x': property 'Person.x' does not exist.");
    check("best.x", "Cannot sort on key path 'best.x': property 'Person.x' does not exist.");
    check("", "Cannot sort on key path '': missing property name.");
    check(
        "best",
        "Cannot sort on key path 'best': property 'Person.best' of type 'object' cannot be the final property in the key path.",
    );
    check(
        "age.x",
        "Cannot sort on key path 'age.x': property 'Person.age' of type 'int' may only be the final property in the key path.",
    );
    check("dogs", "Cannot sort on key path 'dogs': property 'Person.dogs' is of unsupported type 'array'.");
    let people = people();
    let fold = |path: &str| aggregate(&people, PERSON, [], path, Aggregate::Sum).unwrap_err().message;
    assert_eq!(fold("name"), "Cannot sum property 'name': operation not supported for 'string' properties");
    assert_eq!(fold("born"), "Cannot sum property 'born': operation not supported for 'date' properties");
    assert_eq!(fold("x"), "Cannot aggregate on key path 'x': property 'Person.x' does not exist.");
}
