use proptest::prelude::*;

use super::*;
use crate::batch::{Head, LoadedStore};
use crate::clock::Millis;
use crate::ids::{ClientId, LogPosition};
use crate::objects::{Constraints, Synced, Transaction};
use crate::replica::Replica;
use crate::schema::{IndexKind, PropertyType};

fn property(name: &str, text: &str) -> Property {
    let (text, is_list) = text.strip_suffix("[]").map_or((text, false), |element| (element, true));
    let (text, optional) = text.strip_suffix('?').map_or((text, false), |required| (required, true));
    let kind = match text {
        "int" => PropertyType::Int,
        "double" => PropertyType::Double,
        "string" => PropertyType::String,
        _ => PropertyType::Link,
    };
    Property {
        name: name.to_string(),
        kind,
        collection: if is_list { Collection::List } else { Collection::None },
        optional: optional || (kind == PropertyType::Link && !is_list),
        target: (kind == PropertyType::Link).then(|| text.to_string()),
        indexed: IndexKind::None,
    }
}

/// A class of `name type` pairs; the property with a star is the primary key.
fn class(name: &str, properties: &str) -> ClassSchema {
    let pairs = properties.split(", ").filter(|pair| !pair.is_empty()).map(|pair| pair.split_once(' ').unwrap());
    let primary_key = pairs.clone().position(|(name, _)| name.starts_with('*'));
    let properties = pairs.map(|(name, text)| property(name.trim_start_matches('*'), text)).collect();
    ClassSchema {
        name: name.to_string(),
        kind: ClassKind::TopLevel,
        primary_key: primary_key.map(|position| ColumnIndex(position as u32)),
        properties,
    }
}

fn replica(schema: &Schema) -> Replica {
    Replica::new(schema, 0, ClientId([7; 16]), Synced::No)
}

fn write(replica: &mut Replica, change: impl FnOnce(&mut Transaction)) {
    let mut transaction = replica.begin(Millis(1));
    change(&mut transaction);
    replica.commit(transaction).unwrap();
    replica.seal();
    replica.saved();
}

fn column(snapshot: &Snapshot, class: &str, property: &str) -> (ClassIndex, ColumnIndex) {
    let class = snapshot.schema().class_index(class).unwrap();
    (class, snapshot.schema().class(class).column(property).unwrap())
}

fn values(snapshot: &Snapshot, class: &str, property: &str) -> Vec<Value> {
    let (class, column) = column(snapshot, class, property);
    snapshot.table(class).rows().map(|row| row.value(column).to_owned()).collect()
}

fn reopened(replica: &mut Replica) -> Replica {
    let checkpoint = replica.checkpoint(LogPosition(1));
    let head = Head { generation: 1, fence: 0, next_position: LogPosition(1), roots: 1 };
    let store = LoadedStore {
        head: Some(head.encode()),
        root: Some(checkpoint.root),
        pages: checkpoint.pages,
        ..LoadedStore::default()
    };
    Replica::load(&store).unwrap()
}

#[track_caller]
fn check_reasons(stored: &str, wanted: &str, expected: &[&str]) {
    let schema = |text| Schema::of([class("Dog", ""), class("A", text)]);
    assert_eq!(reasons(&schema(stored), &schema(wanted)), expected, "{stored} -> {wanted}");
}

#[test]
fn what_takes_a_migration_is_said_in_the_words_of_realm() {
    check_reasons("x int", "x int", &[]);
    check_reasons("x int", "x int, y string", &["Property 'A.y' has been added."]);
    check_reasons("x int, y string", "x int", &["Property 'A.y' has been removed."]);
    check_reasons("x int", "x int[]", &["Property 'A.x' has been changed from 'int' to 'array<int>'."]);
    check_reasons("x Dog", "x Dog[]", &["Property 'A.x' has been changed from '<Dog>' to 'array<Dog>'."]);
    check_reasons("x int", "x int?", &["Property 'A.x' has been made optional."]);
    check_reasons("x int?", "x int", &["Property 'A.x' has been made required."]);
    check_reasons("*x int", "x int", &["Primary Key for class 'A' has been removed."]);
    check_reasons("x int", "*x int", &["Primary Key for class 'A' has been added."]);
    let moved = "Primary Key for class 'A' has changed from 'x' to 'y'.";
    check_reasons("*x int, y int", "*y int, x int", &[moved]);
    let several = ["Property 'A.x' has been removed.", "Property 'A.y' has been added."];
    check_reasons("x int", "y int", &several);
}

#[test]
fn classes_come_and_go_without_a_migration() {
    let stored = Schema::of([class("A", "x int"), class("B", "x int")]);
    let wanted = Schema::of([class("C", "x int"), class("A", "x int")]);
    assert!(reasons(&stored, &wanted).is_empty());
    let names: Vec<String> =
        reshape(&Snapshot::empty(&stored), &wanted).schema().classes.iter().map(|class| class.name.clone()).collect();
    assert_eq!(names, ["A", "B", "C"]);
}

#[test]
fn values_are_kept_where_the_type_stays_and_begin_anew_where_it_does_not() {
    let mut replica = replica(&Schema::of([class("A", "gone int, kept string?, type int, l int?[]")]));
    let a = ClassIndex(0);
    write(&mut replica, |transaction| {
        for (text, number) in [(Some("a"), 1), (None, 2)] {
            let key = transaction.create(a, None).unwrap();
            let text = text.map_or(Value::Null, |text| Value::String(text.into()));
            transaction.set(a, key, ColumnIndex(1), text).unwrap();
            transaction.set(a, key, ColumnIndex(2), Value::Int(number)).unwrap();
            transaction.list_insert(a, key, ColumnIndex(3), 0, Value::Null).unwrap();
            transaction.list_insert(a, key, ColumnIndex(3), 1, Value::Int(number)).unwrap();
        }
    });
    let wanted = Schema::of([class("A", "type string, kept string, added double, l int[]")]);
    let after = reshape(replica.base(), &wanted);
    let names: Vec<&str> = after.schema().classes[0].properties.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["kept", "type", "l", "added"]);
    assert_eq!(values(&after, "A", "kept"), [Value::String("a".into()), Value::String("".into())]);
    assert_eq!(values(&after, "A", "type"), [Value::String("".into()), Value::String("".into())]);
    assert_eq!(values(&after, "A", "added"), [Value::Double(0.0), Value::Double(0.0)]);
    let (class_index, list) = column(&after, "A", "l");
    let lists: Vec<Vec<Value>> = after
        .table(class_index)
        .rows()
        .map(|row| match row.value(list) {
            ValueRef::List(list) => list.iter().map(|value| value.to_owned()).collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lists, [[Value::Int(0), Value::Int(1)], [Value::Int(0), Value::Int(2)]]);
    // The state before is as it was.
    assert_eq!(values(replica.base(), "A", "kept")[1], Value::Null);
}

#[test]
fn links_lead_where_they_led_when_columns_move() {
    let schema = Schema::of([class("Dog", "name string"), class("A", "gone int, dog Dog, dogs Dog[]")]);
    let mut replica = replica(&schema);
    let (dog, a) = (ClassIndex(0), ClassIndex(1));
    let mut dogs = Vec::new();
    write(&mut replica, |transaction| {
        dogs.extend((0..2).map(|_| transaction.create(dog, None).unwrap()));
        let key = transaction.create(a, None).unwrap();
        transaction.set(a, key, ColumnIndex(1), Value::Link(dogs[0])).unwrap();
        transaction.list_insert(a, key, ColumnIndex(2), 0, Value::Link(dogs[0])).unwrap();
        transaction.list_insert(a, key, ColumnIndex(2), 1, Value::Link(dogs[1])).unwrap();
    });
    let wanted = Schema::of([class("A", "dog Dog, dogs Dog[]"), class("Dog", "name string")]);
    let mut migration = replica.begin_migration(Millis(2), &wanted);
    assert_eq!(migration.snapshot().table(dog).backlinks(dogs[0]).count(), 2);
    migration.delete(dog, dogs[0]).unwrap();
    replica.migrate(migration, 1).unwrap();
    assert_eq!(values(replica.base(), "A", "dog"), [Value::Null]);
    let mut reopened = reopened(&mut replica);
    assert_eq!(values(reopened.base(), "A", "dog"), [Value::Null]);
    // A column of links that goes takes its backlinks along.
    let without = reshape(reopened.base(), &Schema::of([class("A", "x int")]));
    assert_eq!(without.table(dog).backlinks(dogs[1]).count(), 0);
    assert_eq!(reopened.base().table(dog).backlinks(dogs[1]).count(), 1);
    assert_eq!(reopened.checkpoint(LogPosition(2)).pages, []);
}

#[test]
fn classes_that_stay_the_same_are_not_written_again() {
    let mut replica = replica(&Schema::of([class("A", "*x int"), class("B", "x int")]));
    write(&mut replica, |transaction| {
        transaction.create(ClassIndex(0), Some(Value::Int(1))).unwrap();
        transaction.create(ClassIndex(1), None).unwrap();
    });
    replica.checkpoint(LogPosition(1));
    let wanted = Schema::of([class("B", "x int, y int"), class("A", "*x int"), class("C", "z int")]);
    let migration = replica.begin_migration(Millis(2), &wanted);
    replica.migrate(migration, 1).unwrap();
    let checkpoint = replica.checkpoint(LogPosition(1));
    assert_eq!((checkpoint.pages.len(), checkpoint.dropped.len()), (1, 1));
}

#[test]
fn primary_keys_may_coincide_for_a_while() {
    let mut replica = replica(&Schema::of([class("A", "*x int, y string")]));
    let a = ClassIndex(0);
    let mut keys = Vec::new();
    write(&mut replica, |transaction| {
        keys.extend((0..3).map(|x| transaction.create(a, Some(Value::Int(x))).unwrap()));
    });
    let mut migration = replica.begin_migration(Millis(2), &Schema::of([class("A", "x int, *y string")]));
    assert_eq!(migration.duplicate_key(), Some(("A".to_string(), "y".to_string())));
    let key = |snapshot: &Snapshot, text: &str| snapshot.find(a, &Value::String(text.into()));
    for (index, text) in ["b", "b", "c"].iter().enumerate() {
        migration.set(a, keys[index], ColumnIndex(1), Value::String((*text).into())).unwrap();
    }
    assert_eq!(migration.duplicate_key(), Some(("A".to_string(), "y".to_string())));
    // Who had it goes, and who waited has it.
    migration.set(a, keys[0], ColumnIndex(1), Value::String("a".into())).unwrap();
    assert_eq!(key(migration.snapshot(), "b"), Some(keys[1]));
    migration.set(a, keys[2], ColumnIndex(1), Value::String("a".into())).unwrap();
    migration.delete(a, keys[0]).unwrap();
    assert_eq!(key(migration.snapshot(), "a"), Some(keys[2]));
    assert_eq!(migration.duplicate_key(), None);
    replica.migrate(migration, 1).unwrap();
    let reopened = reopened(&mut replica);
    assert_eq!(key(reopened.base(), "b"), Some(keys[1]));
    assert_eq!((key(reopened.base(), ""), reopened.base().object_count()), (None, 2));
}

#[test]
fn classes_and_properties_come_with_the_transaction_that_adds_them() {
    let mut replica = replica(&Schema::of([class("A", "x int")]));
    let a = ClassIndex(0);
    let mut transaction = replica.begin(Millis(1));
    let key = transaction.create(a, None).unwrap();
    replica.commit(transaction).unwrap();
    let wanted = Schema::of([class("B", "a A"), class("A", "x int, y string")]);
    let mut transaction = replica.begin(Millis(2));
    transaction.extend_schema(&wanted);
    let b = transaction.snapshot().schema().class_index("B").unwrap();
    let link = transaction.create(b, None).unwrap();
    transaction.set(b, link, ColumnIndex(0), Value::Link(key)).unwrap();
    transaction.set(a, key, ColumnIndex(1), Value::String("new".into())).unwrap();
    assert_eq!(replica.current().schema().class_index("B"), None, "before it is committed");
    replica.commit(transaction).unwrap();
    replica.seal();
    replica.saved();
    let reopened = reopened(&mut replica);
    assert_eq!((reopened.base().schema().class_index("B"), reopened.base().object_count()), (Some(b), 2));
    assert_eq!(
        reopened.base().table(a).row(key).unwrap().value(ColumnIndex(1)).to_owned(),
        Value::String("new".into())
    );
}

#[test]
fn a_deleted_class_leaves_its_place_and_can_come_again_elsewhere() {
    let schema = Schema::of([class("A", "x int"), class("B", "a A"), class("C", "x int")]);
    let mut replica = replica(&schema);
    let (a, b, c) = (ClassIndex(0), ClassIndex(1), ClassIndex(2));
    write(&mut replica, |transaction| {
        transaction.create(a, None).unwrap();
        transaction.create(c, None).unwrap();
    });
    let mut transaction = replica.begin(Millis(2));
    let refusal = transaction.delete_class(a).unwrap_err().to_string();
    assert_eq!(refusal, "Cannot remove class_A that is target of outside links");
    transaction.delete_class(b).unwrap();
    transaction.delete_class(a).unwrap();
    replica.commit(transaction).unwrap();
    replica.seal();
    replica.saved();
    assert_eq!((replica.current().table(a).len(), replica.current().table(c).len()), (0, 1));
    let reopened = reopened(&mut replica);
    let classes = &reopened.base().schema().classes;
    assert_eq!(classes.iter().map(|class| class.is_deleted()).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!((reopened.base().schema().class_index("A"), classes[2].name.as_str()), (None, "C"));
    let again = reshape(reopened.base(), &Schema::of([class("A", "y string")]));
    assert_eq!(again.schema().class_index("A"), Some(ClassIndex(3)));
    assert_eq!(reopened.base().object_count(), 1);
}

fn owners() -> (Replica, Vec<ObjectKey>) {
    let schema = Schema::of([class("Home", "city string"), class("A", "home Home, homes Home[]")]);
    let mut replica = replica(&schema);
    let (home, a) = (ClassIndex(0), ClassIndex(1));
    let mut homes = Vec::new();
    write(&mut replica, |transaction| {
        for city in ["shared", "lost", "own"] {
            let key = transaction.create(home, None).unwrap();
            transaction.set(home, key, ColumnIndex(0), Value::String(city.into())).unwrap();
            homes.push(key);
        }
        for _ in 0..2 {
            let key = transaction.create(a, None).unwrap();
            transaction.set(a, key, ColumnIndex(0), Value::Link(homes[0])).unwrap();
            transaction.list_insert(a, key, ColumnIndex(1), 0, Value::Link(homes[0])).unwrap();
        }
        let key = transaction.create(a, None).unwrap();
        transaction.set(a, key, ColumnIndex(0), Value::Link(homes[2])).unwrap();
    });
    (replica, homes)
}

fn embedding() -> Schema {
    let home = ClassSchema { kind: ClassKind::Embedded, ..class("Home", "city string") };
    Schema::of([home, class("A", "home Home, homes Home[]")])
}

#[test]
fn objects_are_embedded_if_each_has_one_owner() {
    let wanted = embedding();
    let (mut replica, homes) = owners();
    assert_eq!(reasons(replica.base().schema(), &wanted), ["Class 'Home' has been changed from TopLevel to Embedded."]);
    let home = ClassIndex(0);
    let mut migration = replica.begin_migration(Millis(2), &wanted);
    let refusal = migration.clone().embed_classes(&wanted, Constraints::Refuse).unwrap_err();
    assert_eq!(refusal, "Cannot convert 'Home' to embedded: at least one object has more than one incoming link.");
    migration.delete(home, homes[0]).unwrap();
    let refusal = migration.clone().embed_classes(&wanted, Constraints::Refuse).unwrap_err();
    assert_eq!(
        refusal,
        "Cannot convert 'Home' to embedded: at least one object has no incoming links and would be deleted."
    );
    migration.delete(home, homes[1]).unwrap();
    migration.embed_classes(&wanted, Constraints::Refuse).unwrap();
    replica.migrate(migration, 1).unwrap();
    assert_eq!(reopened(&mut replica).base().schema(), &wanted);
    assert_eq!(values(replica.base(), "Home", "city"), [Value::String("own".into())]);
}

#[test]
fn objects_with_several_owners_are_copied_and_those_without_go_if_asked() {
    let wanted = embedding();
    let (mut replica, _) = owners();
    let mut migration = replica.begin_migration(Millis(2), &wanted);
    migration.embed_classes(&wanted, Constraints::Resolve).unwrap();
    replica.migrate(migration, 1).unwrap();
    let reopened = reopened(&mut replica);
    let cities: Vec<Value> =
        ["shared", "own", "shared", "shared", "shared"].map(|city| Value::String(city.into())).into();
    assert_eq!(values(reopened.base(), "Home", "city"), cities);
    let table = reopened.base().table(ClassIndex(0));
    assert!(table.keys().all(|key| table.backlinks(key).map(|(.., count)| count).sum::<u32>() == 1));
    // Without the properties that own them the objects go too.
    let mut schema = embedding();
    Arc::make_mut(&mut schema.classes[1]).properties.remove(1);
    assert_eq!(reshape(reopened.base(), &schema).table(ClassIndex(0)).len(), 3);
}

fn texts() -> impl Strategy<Value = String> {
    let names = prop::sample::subsequence(vec!["a", "b", "c", "d"], 1..=4);
    let types = prop::collection::vec(prop::sample::select(vec!["int", "int?", "string", "string?", "double"]), 4);
    (names, types).prop_map(|(names, types)| {
        let pairs = names.iter().zip(types).map(|(name, text)| format!("{name} {text}"));
        pairs.collect::<Vec<_>>().join(", ")
    })
}

fn zero_of(property: &Property) -> Value {
    match property.kind {
        _ if property.optional => Value::Null,
        PropertyType::Int => Value::Int(0),
        PropertyType::Double => Value::Double(0.0),
        _ => Value::String("".into()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_cell_is_kept_or_begins_anew(
        before in texts(),
        after in texts(),
        cells in prop::collection::vec(prop::collection::vec(prop::option::of(-9i64..9), 4), 0..300),
    ) {
        let (stored, wanted) = (Schema::of([class("A", &before)]), Schema::of([class("A", &after)]));
        let mut replica = replica(&stored);
        let a = ClassIndex(0);
        write(&mut replica, |transaction| {
            for row in &cells {
                let key = transaction.create(a, None).unwrap();
                for (column, property) in stored.class(a).properties.iter().enumerate() {
                    let Some(number) = row[column] else { continue };
                    let value = match property.kind {
                        PropertyType::Int => Value::Int(number),
                        PropertyType::Double => Value::Double(number as f64),
                        _ => Value::String(number.to_string()),
                    };
                    transaction.set(a, key, ColumnIndex(column as u32), value).unwrap();
                }
            }
        });
        let migration = replica.begin_migration(Millis(2), &wanted);
        let old = replica.base().clone();
        replica.migrate(migration, 1).unwrap();
        prop_assert_eq!(reasons(replica.base().schema(), &wanted), Vec::<String>::new());
        let reopened = reopened(&mut replica);
        for property in &wanted.class(a).properties {
            let now = values(reopened.base(), "A", &property.name);
            prop_assert_eq!(&now, &values(replica.base(), "A", &property.name));
            let stored = stored.class(a).column(&property.name).map(|column| stored.class(a).property(column));
            let expected: Vec<Value> = match stored {
                Some(stored) if has_same_type(stored, property) => {
                    let kept = values(&old, "A", &property.name).into_iter();
                    kept.map(|value| if value == Value::Null { zero_of(property) } else { value }).collect()
                }
                _ => vec![zero_of(property); cells.len()],
            };
            prop_assert_eq!(now, expected, "{}", property.name);
        }
    }
}
