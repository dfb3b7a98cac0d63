//! One test for each row of docs/merge.md.

use ebbtide_core::replica::Replica;
use ebbtide_core::{ClientId, Value, ValueRef};

use crate::world::{AGE, DOG, Edit, FRIENDS, NAME, OWNER, Order, TAGS, check_links, replica, write};

/// Two replicas edit at their own times from a common start; both orders of arrival must give the same.
fn merged(start: &[Edit], a: (u64, &[Edit]), b: (u64, &[Edit])) -> Replica {
    let outcomes: Vec<Replica> = [true, false]
        .into_iter()
        .map(|a_first| {
            let mut order = Order::new();
            let (mut left, mut right) = (replica(1), replica(2));
            write(&mut left, 1, start);
            order.upload_all(&left);
            order.download(&mut left, usize::MAX);
            order.download(&mut right, usize::MAX);
            write(&mut left, a.0, a.1);
            write(&mut right, b.0, b.1);
            if a_first {
                order.upload_all(&left);
                order.upload_all(&right);
            } else {
                order.upload_all(&right);
                order.upload_all(&left);
            }
            order.download(&mut left, usize::MAX);
            order.download(&mut right, usize::MAX);
            assert_eq!(left.current().canonical(), right.current().canonical());
            left
        })
        .collect();
    assert_eq!(
        outcomes[0].current().canonical(),
        outcomes[1].current().canonical(),
        "the order of arrival is without effect"
    );
    outcomes.into_iter().next().unwrap()
}

fn dog(replica: &Replica, id: i64) -> Option<ebbtide_core::ObjectKey> {
    replica.current().find(DOG, &Value::Int(id))
}

fn value(replica: &Replica, id: i64, column: ebbtide_core::ColumnIndex) -> Value {
    replica.current().table(DOG).get(dog(replica, id).unwrap(), column).unwrap().to_owned()
}

fn tags(replica: &Replica, id: i64) -> Vec<String> {
    match replica.current().table(DOG).get(dog(replica, id).unwrap(), TAGS) {
        Some(ValueRef::List(list)) => list
            .iter()
            .map(|tag| match tag {
                ValueRef::String(tag) => tag.to_string(),
                other => panic!("{other:?}"),
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn name(text: &str) -> Edit {
    Edit::Name(1, text.into())
}

fn tag(at: usize, text: &str) -> Edit {
    Edit::TagInsert(1, at, text.into())
}

#[test]
fn a_property_goes_to_the_later_edit_time() {
    let outcome = merged(&[Edit::CreateDog(1)], (100, &[name("early")]), (200, &[name("late")]));
    assert_eq!(value(&outcome, 1, NAME), Value::String("late".into()));
}

#[test]
fn a_tie_goes_to_the_greater_client() {
    let outcome = merged(&[Edit::CreateDog(1)], (100, &[name("client 1")]), (100, &[name("client 2")]));
    assert_eq!(value(&outcome, 1, NAME), Value::String("client 2".into()));
}

#[test]
fn edits_of_different_properties_both_stay() {
    let outcome = merged(&[Edit::CreateDog(1)], (100, &[name("rex")]), (50, &[Edit::Age(1, Some(4))]));
    assert_eq!(value(&outcome, 1, NAME), Value::String("rex".into()));
    assert_eq!(value(&outcome, 1, AGE), Value::Int(4));
}

#[test]
fn a_default_never_beats_an_explicit_value() {
    let explicit = [Edit::CreateDog(1), Edit::Age(1, Some(3))];
    let outcome = merged(&[], (10, &explicit), (900, &[Edit::CreateDog(1)]));
    assert_eq!(value(&outcome, 1, AGE), Value::Int(3));
}

#[test]
fn creations_with_the_same_primary_key_are_one_object() {
    let a = [Edit::CreateDog(1), name("a")];
    let b = [Edit::CreateDog(1), Edit::Age(1, Some(2))];
    let outcome = merged(&[], (10, &a), (20, &b));
    assert_eq!(outcome.current().table(DOG).len(), 1);
    assert_eq!((value(&outcome, 1, NAME), value(&outcome, 1, AGE)), (Value::String("a".into()), Value::Int(2)));
}

#[test]
fn a_deletion_beats_a_later_edit() {
    let outcome = merged(&[Edit::CreateDog(1)], (10, &[Edit::DeleteDog(1)]), (900, &[name("late"), tag(0, "x")]));
    assert_eq!(dog(&outcome, 1), None);
}

#[test]
fn a_deletion_beats_a_creation_made_without_having_seen_it() {
    let start = [Edit::CreateDog(1)];
    let again = [Edit::DeleteDog(1), Edit::CreateDog(1)];
    let mut order = Order::new();
    let (mut left, mut right) = (replica(1), replica(2));
    write(&mut left, 1, &start);
    order.upload_all(&left);
    order.download(&mut left, usize::MAX);
    write(&mut left, 2, &[Edit::DeleteDog(1)]);
    write(&mut right, 3, &start);
    order.upload_all(&left);
    order.upload_all(&right);
    order.download(&mut left, usize::MAX);
    order.download(&mut right, usize::MAX);
    assert_eq!((dog(&left, 1), dog(&right, 1)), (None, None));
    write(&mut left, 4, &start);
    order.upload_all(&left);
    order.download(&mut right, usize::MAX);
    assert!(dog(&right, 1).is_some(), "a creation that has seen the deletion stands");
    write(&mut left, 5, &again);
    assert!(dog(&left, 1).is_some(), "one's own deletion has been seen");
}

#[test]
fn links_to_a_deleted_object_read_as_null_and_leave_lists() {
    let start = [Edit::CreateDog(1), Edit::CreateDog(2), Edit::CreatePerson(1)];
    let links = [Edit::Owner(1, Some(1)), Edit::FriendInsert(1, 0, 2)];
    let outcome = merged(&start, (10, &links), (5, &[Edit::DeletePerson(1), Edit::DeleteDog(2)]));
    assert_eq!(value(&outcome, 1, OWNER), Value::Null);
    let friends = outcome.current().table(DOG).get(dog(&outcome, 1).unwrap(), FRIENDS).unwrap();
    assert!(matches!(friends, ValueRef::List(list) if list.is_empty()));
}

#[test]
fn two_runs_in_one_place_do_not_interleave_and_stand_in_the_order_of_time() {
    let start = [Edit::CreateDog(1), tag(0, "start")];
    let outcome = merged(&start, (100, &[tag(1, "a1"), tag(2, "a2")]), (200, &[tag(1, "b1"), tag(2, "b2")]));
    assert_eq!(tags(&outcome, 1), ["start", "a1", "a2", "b1", "b2"]);
}

#[test]
fn inserting_twice_at_the_front_leaves_the_newer_first() {
    let outcome = merged(&[Edit::CreateDog(1)], (10, &[tag(0, "first"), tag(0, "second")]), (1, &[]));
    assert_eq!(tags(&outcome, 1), ["second", "first"]);
}

#[test]
fn a_changeset_that_arrives_again_inserts_nothing_a_second_time() {
    let (mut mine, mut order) = (replica(1), Order::new());
    write(&mut mine, 1, &[Edit::CreateDog(1), Edit::CreateDog(2), tag(0, "a"), tag(1, "c"), tag(1, "b")]);
    write(&mut mine, 2, &[tag(3, "d"), Edit::TagInsert(2, 0, "other".into()), tag(0, "first"), tag(5, "last")]);
    order.upload_all(&mine);
    for own in mine.pending().collect::<Vec<_>>() {
        order.upload(&own.bytes);
    }
    assert_eq!(order.state.canonical(), mine.current().canonical());
    assert_eq!(tags(&mine, 1), ["first", "a", "b", "c", "d", "last"]);
}

#[test]
fn an_insertion_goes_before_what_its_author_has_moved_there() {
    let (mut mine, mut other, mut order) = (replica(1), replica(2), Order::new());
    write(&mut mine, 1, &[Edit::CreateDog(1), tag(0, "x"), tag(1, "y")]);
    order.upload_all(&mine);
    order.download(&mut other, 9);
    write(&mut other, 10, &[Edit::TagMove(1, 1, 0)]);
    write(&mut other, 20, &[tag(0, "new")]);
    order.upload_all(&other);
    for replica in [&mut mine, &mut other] {
        order.download(replica, 9);
        assert_eq!(tags(replica, 1), ["new", "y", "x"]);
    }
}

#[test]
fn what_stands_after_an_element_that_never_arrived_stands_where_it_does_for_whoever_knows_its_author() {
    let (mut lost, mut mine, mut other) = (replica(3), replica(1), replica(2));
    write(&mut lost, 1, &[Edit::CreateDog(1), tag(0, "x"), tag(1, "y")]);
    let mut past = Order::new();
    past.upload_all(&lost);
    past.download(&mut mine, 9);
    write(&mut mine, 10, &[tag(2, "inserted after y")]);
    write(&mut mine, 20, &[Edit::TagMove(1, 2, 1), tag(3, "last")]);
    write(&mut other, 30, &[Edit::CreateDog(1), tag(0, "at the front"), tag(1, "and more")]);

    let (mut stranger, mut acquainted) = (Order::new(), Order::new());
    acquainted.state.author(ClientId([3; 16]));
    let orders = [&mut stranger, &mut acquainted].map(|order| {
        let mut first = replica(4);
        write(&mut first, 5, &[Edit::CreateDog(1)]);
        order.upload_all(&first);
        order.upload_all(&mine);
        order.upload_all(&other);
        let mut reader = replica(5);
        order.download(&mut reader, 9);
        assert_eq!(reader.current().canonical(), order.state.canonical());
        tags(&reader, 1)
    });
    assert_eq!(orders[0], orders[1]);
}

#[test]
fn a_removal_beats_an_update_and_a_move() {
    let start = [Edit::CreateDog(1), tag(0, "x"), tag(1, "y"), tag(2, "z")];
    let edits = [Edit::TagSet(1, 1, "changed".into()), Edit::TagMove(1, 1, 0)];
    let outcome = merged(&start, (10, &[Edit::TagRemove(1, 1)]), (900, &edits));
    assert_eq!(tags(&outcome, 1), ["x", "z"]);
}

#[test]
fn clearing_a_list_leaves_what_its_author_had_not_seen() {
    let start = [Edit::CreateDog(1), tag(0, "x")];
    let outcome = merged(&start, (10, &[Edit::TagClear(1)]), (5, &[tag(1, "unseen")]));
    assert_eq!(tags(&outcome, 1), ["unseen"]);
}

#[test]
fn an_element_goes_to_the_later_edit_and_the_later_move() {
    let start = [Edit::CreateDog(1), tag(0, "x"), tag(1, "y"), tag(2, "z")];
    let a = [Edit::TagSet(1, 0, "a".into()), Edit::TagMove(1, 0, 2)];
    let b = [Edit::TagSet(1, 0, "b".into()), Edit::TagMove(1, 0, 1)];
    let outcome = merged(&start, (10, &a), (20, &b));
    assert_eq!(tags(&outcome, 1), ["y", "b", "z"]);
}

#[test]
fn clearing_a_list_of_links_leaves_the_links_that_its_author_had_not_seen() {
    let mut order = Order::new();
    let (mut left, mut right) = (replica(1), replica(2));
    let start = [1, 2, 3].map(Edit::CreateDog);
    write(&mut left, 1, &start);
    write(&mut left, 1, &[Edit::FriendInsert(1, 0, 2), Edit::FriendInsert(1, 1, 3), Edit::FriendInsert(1, 2, 2)]);
    order.upload_all(&left);
    order.download(&mut left, usize::MAX);
    order.download(&mut right, usize::MAX);
    let mut clear = left.begin(ebbtide_core::Millis(2));
    clear.list_clear(DOG, dog(&left, 1).unwrap(), FRIENDS).unwrap();
    left.commit(clear).unwrap();
    write(&mut right, 3, &[Edit::FriendInsert(1, 3, 3)]);
    order.upload_all(&right);
    order.upload_all(&left);
    for replica in [&mut left, &mut right] {
        order.download(replica, usize::MAX);
        let Some(ValueRef::List(friends)) = replica.current().table(DOG).get(dog(replica, 1).unwrap(), FRIENDS) else {
            panic!("a list")
        };
        assert!(friends.iter().map(|friend| friend.to_owned()).eq([Value::Link(dog(replica, 3).unwrap())]));
        check_links(replica.current());
    }
}

#[test]
fn an_object_named_by_its_key_never_comes_from_a_server() {
    use ebbtide_core::changeset::{Builder, Instruction, ObjectId, ObjectRef};
    use ebbtide_core::objects::KeySource;
    use ebbtide_core::{
        ChainHash, ChangesetNumber, ClassSchema, ClientId, EditTime, ObjectKey, PropertyType, Schema, ServerVersion,
        Snapshot,
    };

    let note = ClassSchema {
        kind: ebbtide_core::ClassKind::TopLevel,
        name: "Note".into(),
        primary_key: None,
        properties: vec![crate::world::property("text", PropertyType::String, true)],
    };
    for (key, at, there) in [(7, 0, 1), (7, 5, 0), (7, u64::MAX, 0), (0, 0, 0), (u64::MAX, 0, 0)] {
        let mut builder = Builder::new(ClientId([1; 16]));
        let class = builder.name("Note");
        let object = ObjectRef { class, id: ObjectId::Local(ObjectKey(key)) };
        builder.push(Instruction::CreateObject { object, fields: Vec::new() });
        let changeset = builder.finish(ChangesetNumber(1), ServerVersion(0), ChainHash::default(), EditTime(1));
        let mut snapshot = Snapshot::empty(&Schema::of([note.clone()]));
        ebbtide_core::merge::apply(
            &mut snapshot,
            &changeset,
            ServerVersion(at),
            &mut KeySource::new(ObjectKey(1), Vec::new()),
        );
        assert_eq!(snapshot.object_count(), there, "key {key} at version {at}");
    }
}
