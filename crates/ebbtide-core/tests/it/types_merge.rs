//! One test for each row of docs/merge.md about increments, sets, dictionaries, embedded objects and mixed values.

use ebbtide_core::objects::Embedding;
use ebbtide_core::replica::{Identity, Replica};
use ebbtide_core::reset::{Takeover, plan};
use ebbtide_core::{
    ClassIndex, ClientId, ColumnIndex, Millis, ObjectKey, Snapshot, Transaction, Value, ValueRef, WriteError,
};

use crate::types_world::{INNER, OTHER, PART, THING, column, replica, schema};
use crate::world::Order;

type Edits<'a> = &'a dyn Fn(&mut Transaction);

/// Two replicas edit at their own times from a common start; the outcome for both orders of arrival.
fn ordered(start: Edits<'_>, a: (u64, Edits<'_>), b: (u64, Edits<'_>)) -> [Replica; 2] {
    [true, false].map(|a_first| {
        let mut order = Order::of(&schema());
        let (mut left, mut right) = (replica(1), replica(2));
        write(&mut left, 1, start);
        order.upload_all(&left);
        order.download(&mut left, usize::MAX);
        order.download(&mut right, usize::MAX);
        write(&mut left, a.0, a.1);
        write(&mut right, b.0, b.1);
        for uploader in if a_first { [&left, &right] } else { [&right, &left] } {
            order.upload_all(uploader);
        }
        order.download(&mut left, usize::MAX);
        order.download(&mut right, usize::MAX);
        assert_eq!(left.current().canonical(), right.current().canonical());
        for snapshot in [left.current(), right.current(), &order.state] {
            snapshot.audit().unwrap();
        }
        left
    })
}

/// The same where the order of arrival must be without effect.
fn merged(start: Edits<'_>, a: (u64, Edits<'_>), b: (u64, Edits<'_>)) -> Snapshot {
    let [first, second] = ordered(start, a, b);
    assert_eq!(first.current().canonical(), second.current().canonical(), "the order of arrival is without effect");
    first.current().clone()
}

fn write(replica: &mut Replica, now: u64, edits: Edits<'_>) {
    let mut transaction = replica.begin(Millis(now));
    edits(&mut transaction);
    replica.commit(transaction).unwrap();
}

fn at(name: &str) -> ColumnIndex {
    column(THING, name)
}

fn thing(snapshot: &Snapshot, id: i64) -> ObjectKey {
    snapshot.find(THING, &Value::Int(id)).unwrap()
}

fn other(snapshot: &Snapshot, id: i64) -> ObjectKey {
    snapshot.find(OTHER, &Value::Int(id)).unwrap()
}

fn create(t: &mut Transaction) {
    t.create(THING, Some(Value::Int(1))).unwrap();
}

/// A thing 1, another thing 2, and others 1 and 2.
fn create_all(t: &mut Transaction) {
    for class in [THING, OTHER] {
        for id in [1, 2] {
            t.create(class, Some(Value::Int(id))).unwrap();
        }
    }
}

fn one(t: &Transaction) -> ObjectKey {
    thing(t.snapshot(), 1)
}

fn values(snapshot: &Snapshot, name: &str) -> Vec<Value> {
    match snapshot.table(THING).get(thing(snapshot, 1), at(name)) {
        Some(ValueRef::List(list)) => list.iter().map(|value| value.to_owned()).collect(),
        Some(ValueRef::Set(set)) => set.iter().map(|value| value.to_owned()).collect(),
        Some(ValueRef::Dictionary(dictionary)) => dictionary.iter().map(|(_, value)| value.to_owned()).collect(),
        Some(value) => vec![value.to_owned()],
        None => panic!("no thing"),
    }
}

fn value(snapshot: &Snapshot, name: &str) -> Value {
    values(snapshot, name).remove(0)
}

fn keys(snapshot: &Snapshot, name: &str) -> Vec<String> {
    match snapshot.table(THING).get(thing(snapshot, 1), at(name)) {
        Some(ValueRef::Dictionary(dictionary)) => dictionary.iter().map(|(key, _)| key.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

fn add(t: &mut Transaction, value: i64) {
    t.set_insert(THING, one(t), at("ints"), Value::Int(value)).unwrap();
}

fn discard(t: &mut Transaction, value: i64) {
    t.set_remove(THING, one(t), at("ints"), &Value::Int(value)).unwrap();
}

fn put(t: &mut Transaction, key: &str, value: i64) {
    t.dictionary_set(THING, one(t), at("counts"), key, Value::Int(value)).unwrap();
}

/// The embedded object in a thing's `part`.
fn part(t: &Transaction) -> ObjectKey {
    match t.snapshot().table(THING).get(one(t), at("part")) {
        Some(ValueRef::Link(part)) => part,
        other => panic!("{other:?}"),
    }
}

fn embed(t: &mut Transaction, n: i64) {
    let part = t.embed(THING, one(t), at("part"), Embedding::Property).unwrap();
    t.set(PART, part, ColumnIndex(0), Value::Int(n)).unwrap();
}

fn n_of(snapshot: &Snapshot) -> Option<Value> {
    match value(snapshot, "part") {
        Value::Link(part) => Some(snapshot.table(PART).get(part, ColumnIndex(0)).unwrap().to_owned()),
        _ => None,
    }
}

#[test]
fn increments_add_up() {
    let by = |n: i64| move |t: &mut Transaction| t.increment(THING, one(t), at("count"), n).unwrap();
    let outcome = merged(&create, (100, &by(5)), (50, &by(-2)));
    assert_eq!(value(&outcome, "count"), Value::Int(3));
}

#[test]
fn an_increment_adds_to_what_it_finds_and_a_set_that_arrives_later_replaces_it() {
    let set = |t: &mut Transaction| t.set(THING, one(t), at("count"), Value::Int(10)).unwrap();
    let add = |t: &mut Transaction| t.increment(THING, one(t), at("count"), 1).unwrap();
    let [set_first, add_first] = ordered(&create, (100, &set), (50, &add)).map(|r| value(r.current(), "count"));
    assert_eq!((set_first, add_first), (Value::Int(11), Value::Int(10)));
}

#[test]
fn an_increment_of_null_is_dropped() {
    let number = |t: &mut Transaction| {
        create(t);
        t.set(THING, one(t), at("maybe"), Value::Int(1)).unwrap();
    };
    let null = |t: &mut Transaction| t.set(THING, one(t), at("maybe"), Value::Null).unwrap();
    let add = |t: &mut Transaction| t.increment(THING, one(t), at("maybe"), 1).unwrap();
    assert_eq!(value(&merged(&number, (10, &null), (900, &add)), "maybe"), Value::Null);
    let mut mine = replica(1);
    write(&mut mine, 1, &create);
    let mut t = mine.begin(Millis(2));
    let refused = t.increment(THING, one(&t), at("maybe"), 1);
    assert_eq!(refused, Err(WriteError::NoNumber { property: "Thing.maybe".into() }));
    let refused = t.increment(THING, one(&t), at("mixed"), 1);
    assert_eq!(refused, Err(WriteError::WrongType { property: "Thing.mixed".into(), expected: "mixed".into() }));
}

#[test]
fn a_set_holds_what_either_put_in() {
    let outcome = merged(&create, (10, &|t| add(t, 1)), (20, &|t| [1, 2].into_iter().for_each(|n| add(t, n))));
    assert_eq!(values(&outcome, "ints"), [Value::Int(1), Value::Int(2)]);
}

#[test]
fn a_value_of_a_set_goes_to_the_later_of_insertion_and_removal() {
    let start = |t: &mut Transaction| {
        create(t);
        add(t, 1);
    };
    let again = merged(&start, (100, &|t| discard(t, 1)), (200, &|t| add(t, 1)));
    assert_eq!(values(&again, "ints"), [Value::Int(1)]);
    let gone = merged(&start, (200, &|t| discard(t, 1)), (100, &|t| add(t, 1)));
    assert_eq!(values(&gone, "ints"), []);
}

#[test]
fn at_equal_times_the_greater_client_puts_in_or_takes_out() {
    let start = |t: &mut Transaction| {
        create(t);
        add(t, 1);
        put(t, "k", 1);
    };
    let a = |t: &mut Transaction| {
        discard(t, 1);
        put(t, "k", 2);
    };
    let b = |t: &mut Transaction| {
        add(t, 1);
        put(t, "k", 3);
    };
    let outcome = merged(&start, (100, &a), (100, &b));
    assert_eq!((values(&outcome, "ints"), values(&outcome, "counts")), (vec![Value::Int(1)], vec![Value::Int(3)]));
    let outcome = merged(&start, (100, &b), (100, &a));
    assert_eq!((values(&outcome, "ints"), values(&outcome, "counts")), (vec![], vec![Value::Int(2)]));
}

#[test]
fn clearing_a_set_or_a_dictionary_takes_what_was_put_in_before_it_also_unseen() {
    let start = |t: &mut Transaction| {
        create(t);
        add(t, 1);
        put(t, "a", 1);
    };
    let clear = |t: &mut Transaction| {
        t.set_clear(THING, one(t), at("ints")).unwrap();
        t.dictionary_clear(THING, one(t), at("counts")).unwrap();
    };
    let more = |t: &mut Transaction| {
        add(t, 2);
        put(t, "b", 2);
    };
    let outcome = merged(&start, (100, &clear), (50, &more));
    assert_eq!((values(&outcome, "ints"), values(&outcome, "counts")), (vec![], vec![]));
    let outcome = merged(&start, (100, &clear), (150, &more));
    assert_eq!((values(&outcome, "ints"), keys(&outcome, "counts")), (vec![Value::Int(2)], vec!["b".to_string()]));
}

#[test]
fn numbers_of_different_types_and_equal_value_are_one_value_of_a_set() {
    let bag = |value: Value| {
        move |t: &mut Transaction| {
            t.set_insert(THING, one(t), at("bag"), value.clone()).unwrap();
        }
    };
    let outcome = merged(&create, (10, &bag(Value::Int(1))), (20, &bag(Value::Int(1))));
    assert_eq!(values(&outcome, "bag").len(), 1);
    let [a, b] = ordered(&create, (10, &bag(Value::Int(1))), (20, &bag(Value::Double(1.0))));
    assert_eq!((values(a.current(), "bag").len(), values(b.current(), "bag").len()), (1, 1));
}

#[test]
fn a_key_of_a_dictionary_goes_to_the_later_edit_and_removing_is_one() {
    let start = |t: &mut Transaction| {
        create(t);
        put(t, "k", 1);
    };
    let drop_key = |t: &mut Transaction| {
        t.dictionary_remove(THING, one(t), at("counts"), "k").unwrap();
    };
    let outcome = merged(&start, (10, &|t| put(t, "k", 2)), (20, &|t| put(t, "k", 3)));
    assert_eq!(values(&outcome, "counts"), [Value::Int(3)]);
    assert_eq!(values(&merged(&start, (30, &drop_key), (20, &|t| put(t, "k", 3))), "counts"), []);
    assert_eq!(values(&merged(&start, (10, &drop_key), (20, &|t| put(t, "k", 3))), "counts"), [Value::Int(3)]);
    let both = merged(&start, (10, &|t| put(t, "a", 2)), (20, &|t| put(t, "b", 3)));
    assert_eq!(keys(&both, "counts"), ["a", "b", "k"]);
}

#[test]
fn a_mixed_value_is_one_value_with_all_that_is_in_it() {
    let list = |items: [i64; 2]| {
        move |t: &mut Transaction| {
            t.set(THING, one(t), at("mixed"), Value::Array(items.map(Value::Int).to_vec())).unwrap();
        }
    };
    let outcome = merged(&create, (10, &list([1, 2])), (20, &list([3, 4])));
    assert_eq!(value(&outcome, "mixed"), Value::Array(vec![Value::Int(3), Value::Int(4)]));
}

#[test]
fn links_to_a_deleted_object_leave_lists_and_sets_and_are_null_elsewhere() {
    let link = |t: &mut Transaction| {
        let (me, thing, to) = (one(t), thing(t.snapshot(), 2), other(t.snapshot(), 1));
        let mixed = Value::Array(vec![
            Value::TypedLink(THING, thing),
            Value::Map([("a".into(), Value::TypedLink(OTHER, to))].into()),
        ]);
        t.set(THING, me, at("mixed"), mixed.clone()).unwrap();
        t.set(THING, me, at("other"), Value::Link(to)).unwrap();
        t.list_insert(THING, me, at("things"), 0, Value::Link(thing)).unwrap();
        t.list_insert(THING, me, at("things"), 1, Value::Link(thing)).unwrap();
        t.list_insert(THING, me, at("mixeds"), 0, Value::TypedLink(THING, thing)).unwrap();
        t.set_insert(THING, me, at("friends"), Value::Link(thing)).unwrap();
        t.set_insert(THING, me, at("bag"), Value::TypedLink(THING, thing)).unwrap();
        t.dictionary_set(THING, me, at("by_name"), "k", Value::Link(to)).unwrap();
        t.dictionary_set(THING, me, at("anything"), "k", mixed).unwrap();
    };
    let delete = |t: &mut Transaction| {
        let (thing, to) = (thing(t.snapshot(), 2), other(t.snapshot(), 1));
        t.delete(THING, thing).unwrap();
        t.delete(OTHER, to).unwrap();
    };
    let emptied = Value::Array(vec![Value::Map([("a".into(), Value::Null)].into())]);
    for times in [(10, 20), (20, 10)] {
        let outcome = merged(&create_all, (times.0, &link), (times.1, &delete));
        for name in ["things", "mixeds", "friends", "bag"] {
            assert_eq!(values(&outcome, name), [], "{name}");
        }
        for name in ["other", "by_name"] {
            assert_eq!(values(&outcome, name), [Value::Null], "{name}");
        }
        for name in ["mixed", "anything"] {
            assert_eq!(values(&outcome, name), std::slice::from_ref(&emptied), "{name}");
        }
    }
}

#[test]
fn a_set_forgets_a_removed_link_with_the_object_that_it_led_to() {
    // Another object with the same primary key may be put in with any time.
    let mut order = Order::of(&schema());
    let (mut left, mut right) = (replica(1), replica(2));
    write(&mut left, 1, &create_all);
    write(&mut left, 2, &|t| {
        let friend = Value::Link(thing(t.snapshot(), 2));
        t.set_insert(THING, one(t), at("friends"), friend).unwrap();
    });
    order.upload_all(&left);
    order.download(&mut left, usize::MAX);
    order.download(&mut right, usize::MAX);
    write(&mut left, 1_000, &|t| {
        let friend = Value::Link(thing(t.snapshot(), 2));
        t.set_remove(THING, one(t), at("friends"), &friend).unwrap();
    });
    order.upload_all(&left);
    write(&mut right, 10, &|t| t.delete(THING, thing(t.snapshot(), 2)).unwrap());
    write(&mut right, 11, &|t| {
        t.create(THING, Some(Value::Int(2))).unwrap();
    });
    write(&mut right, 12, &|t| {
        let friend = Value::Link(thing(t.snapshot(), 2));
        t.set_insert(THING, one(t), at("friends"), friend).unwrap();
    });
    order.upload_all(&right);
    for replica in [&mut left, &mut right] {
        order.download(replica, usize::MAX);
        replica.current().audit().unwrap();
        assert_eq!(replica.current().canonical(), order.state.canonical());
        assert_eq!(values(replica.current(), "friends").len(), 1);
    }
}

#[test]
fn edits_of_different_properties_of_one_embedded_object_both_stay() {
    let start = |t: &mut Transaction| {
        create(t);
        embed(t, 1);
    };
    let a = |t: &mut Transaction| t.set(PART, part(t), ColumnIndex(0), Value::Int(2)).unwrap();
    let b = |t: &mut Transaction| t.set(PART, part(t), ColumnIndex(1), Value::Bool(true)).unwrap();
    let outcome = merged(&start, (10, &a), (20, &b));
    let Value::Link(part) = value(&outcome, "part") else { panic!("an embedded object") };
    let row = outcome.table(PART).row(part).unwrap();
    assert_eq!(
        (row.value(ColumnIndex(0)).to_owned(), row.value(ColumnIndex(1)).to_owned()),
        (Value::Int(2), Value::Bool(true))
    );
}

#[test]
fn another_embedded_object_in_the_place_ends_edits_inside_the_old_one() {
    let start = |t: &mut Transaction| {
        create(t);
        embed(t, 1);
    };
    let edit = |t: &mut Transaction| t.set(PART, part(t), ColumnIndex(0), Value::Int(7)).unwrap();
    let outcome = merged(&start, (10, &|t| embed(t, 2)), (900, &edit));
    assert_eq!(n_of(&outcome), Some(Value::Int(2)));
    let outcome = merged(&start, (10, &|t| t.set(THING, one(t), at("part"), Value::Null).unwrap()), (900, &edit));
    assert_eq!(n_of(&outcome), None);
    assert!(outcome.table(PART).is_empty());
}

#[test]
fn of_two_new_embedded_objects_in_one_place_the_later_stays_with_its_own_values() {
    let outcome = merged(&create, (20, &|t| embed(t, 1)), (10, &|t| embed(t, 2)));
    assert_eq!(n_of(&outcome), Some(Value::Int(1)));
    assert_eq!(outcome.table(PART).len(), 1);
}

#[test]
fn an_embedded_object_goes_with_its_owner_its_element_and_its_key() {
    let start = |t: &mut Transaction| {
        create(t);
        embed(t, 1);
        let element = t.embed(THING, one(t), at("parts"), Embedding::Insert(0)).unwrap();
        t.embed(PART, element, ColumnIndex(4), Embedding::Insert(0)).unwrap();
        t.embed(THING, one(t), at("parts_by_name"), Embedding::Key("k")).unwrap();
    };
    let edit = |t: &mut Transaction| t.set(PART, part(t), ColumnIndex(0), Value::Int(7)).unwrap();
    let gone = merged(&start, (10, &|t| t.delete(THING, one(t)).unwrap()), (900, &edit));
    assert_eq!((gone.table(PART).len(), gone.table(INNER).len()), (0, 0));
    let places = |t: &mut Transaction| {
        t.list_remove(THING, one(t), at("parts"), 0).unwrap();
        t.dictionary_remove(THING, one(t), at("parts_by_name"), "k").unwrap();
    };
    let left = merged(&start, (10, &places), (900, &edit));
    assert_eq!((left.table(PART).len(), left.table(INNER).len()), (1, 0));
    assert_eq!(n_of(&left), Some(Value::Int(7)));
}

#[test]
fn deleting_an_embedded_object_leaves_null_or_takes_its_element_away() {
    let start = |t: &mut Transaction| {
        create(t);
        embed(t, 1);
        t.embed(THING, one(t), at("parts"), Embedding::Insert(0)).unwrap();
        t.embed(THING, one(t), at("parts_by_name"), Embedding::Key("k")).unwrap();
    };
    let delete = |t: &mut Transaction| {
        for key in t.snapshot().table(PART).keys().collect::<Vec<_>>() {
            t.delete(PART, key).unwrap();
        }
    };
    let outcome =
        merged(&start, (10, &delete), (900, &|t| t.set(PART, part(t), ColumnIndex(0), Value::Int(7)).unwrap()));
    assert_eq!((value(&outcome, "part"), values(&outcome, "parts")), (Value::Null, vec![]));
    assert_eq!(
        (keys(&outcome, "parts_by_name"), values(&outcome, "parts_by_name")),
        (vec!["k".to_string()], vec![Value::Null])
    );
    assert!(outcome.table(PART).is_empty());
}

#[test]
fn an_embedded_element_keeps_its_edits_when_somebody_moves_it() {
    let start = |t: &mut Transaction| {
        create(t);
        for n in 0..3 {
            let element = t.embed(THING, one(t), at("parts"), Embedding::Insert(n)).unwrap();
            t.set(PART, element, ColumnIndex(0), Value::Int(n as i64)).unwrap();
        }
    };
    let edit = |t: &mut Transaction| {
        let Value::Link(first) = values(t.snapshot(), "parts")[0].clone() else { panic!("a link") };
        t.set(PART, first, ColumnIndex(0), Value::Int(9)).unwrap();
    };
    let outcome = merged(&start, (10, &|t| t.list_move(THING, one(t), at("parts"), 0, 2).unwrap()), (20, &edit));
    let n = |value: &Value| match value {
        Value::Link(part) => outcome.table(PART).get(*part, ColumnIndex(0)).unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(values(&outcome, "parts").iter().map(n).collect::<Vec<_>>(), [1, 2, 9].map(Value::Int));
}

#[test]
fn an_embedded_object_that_is_replaced_within_one_transaction_keeps_its_last_key() {
    for times in 1..5 {
        let mut order = Order::of(&schema());
        let mut mine = replica(1);
        write(&mut mine, 1, &|t| {
            create(t);
            for n in 0..times {
                embed(t, n);
                t.embed(PART, part(t), ColumnIndex(3), Embedding::Property).unwrap();
            }
        });
        let before = value(mine.current(), "part");
        order.upload_all(&mine);
        order.download(&mut mine, usize::MAX);
        mine.current().audit().unwrap();
        assert_eq!((value(mine.current(), "part"), n_of(mine.current())), (before, Some(Value::Int(times - 1))));
        assert_eq!(mine.current().table(PART).len(), 2);
    }
}

#[test]
fn sets_of_links_are_in_order_after_a_reset_whatever_the_keys() {
    let mut order = Order::of(&schema());
    let (mut other, mut mine) = (replica(2), replica(1));
    write(&mut mine, 1, &|t| {
        for id in [3, 2, 1] {
            t.create(THING, Some(Value::Int(id))).unwrap();
        }
    });
    write(&mut other, 2, &|t| {
        for id in [1, 2, 3] {
            t.create(THING, Some(Value::Int(id))).unwrap();
        }
        let friends: Vec<Value> = [1, 2, 3].iter().map(|id| Value::Link(thing(t.snapshot(), *id))).collect();
        for friend in &friends {
            t.set_insert(THING, one(t), at("friends"), friend.clone()).unwrap();
        }
        let two = thing(t.snapshot(), 2);
        for friend in &friends {
            t.set_insert(THING, two, at("friends"), friend.clone()).unwrap();
            t.set_remove(THING, two, at("friends"), friend).unwrap();
        }
    });
    order.upload_all(&other);
    let identity = Identity::new(ClientId([9; 16]));
    let outcome = plan(&mine, &order.state, order.head(), identity, Takeover::DiscardPending);
    mine.install(outcome);
    mine.current().audit().unwrap();
    assert_eq!(mine.current().canonical(), order.state.canonical());
    assert_eq!(values(mine.current(), "friends").len(), 3);
}

#[test]
fn embedded_objects_nest_to_a_bound() {
    let mut mine = replica(1);
    let mut t = mine.begin(Millis(1));
    create(&mut t);
    let (mut class, mut key, mut column): (ClassIndex, _, _) = (THING, one(&t), at("part"));
    for _ in 0..ebbtide_core::limits::EMBEDDED_DEPTH {
        key = t.embed(class, key, column, Embedding::Property).unwrap();
        (class, column) = (PART, ColumnIndex(3));
    }
    assert!(matches!(t.embed(class, key, column, Embedding::Property), Err(WriteError::TooLarge { .. })));
    t.set(PART, key, ColumnIndex(0), Value::Int(5)).unwrap();
    mine.commit(t).unwrap();
    mine.current().audit().unwrap();
    let mut order = Order::of(&schema());
    order.upload_all(&mine);
    assert_eq!(order.state.canonical(), mine.current().canonical());
    let copy =
        ebbtide_core::page::import([ebbtide_core::page::export(mine.current(), usize::MAX)[0].as_slice()]).unwrap();
    assert_eq!(copy.canonical(), mine.current().canonical());
    write(&mut mine, 2, &|t| t.delete(THING, one(t)).unwrap());
    assert_eq!(mine.current().object_count(), 0);
}
