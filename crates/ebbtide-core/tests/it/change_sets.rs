//! What lies between two states, told to listeners.

use ebbtide_core::notify::{Compare, Difference, KeyPaths, PathStep, Touched, diff, key_changes, list_changes};
use ebbtide_core::{ClassIndex, ColumnIndex, ObjectKey, Snapshot, Value, ValueRef};
use proptest::prelude::*;

use crate::world::{DOG, Edit, FRIENDS, NAME, OWNER, PERSON, TAGS, edit, replica, write};

fn dog(snapshot: &Snapshot, id: i64) -> ObjectKey {
    snapshot.find(DOG, &Value::Int(id)).unwrap()
}

/// The states before and after some edits, on a start of two dogs of one person.
fn states(edits: &[Edit]) -> (Snapshot, Snapshot) {
    let mut mine = replica(1);
    let start = [
        Edit::CreatePerson(1),
        Edit::CreateDog(1),
        Edit::Owner(1, Some(1)),
        Edit::CreateDog(2),
        Edit::FriendInsert(2, 0, 1),
        Edit::TagInsert(1, 0, "a".into()),
        Edit::TagInsert(1, 1, "b".into()),
    ];
    write(&mut mine, 1, &start);
    let before = mine.current().clone();
    write(&mut mine, 2, edits);
    (before, mine.current().clone())
}

#[test]
fn setting_the_same_value_is_a_change_for_a_write_and_none_for_a_reset() {
    let (before, after) = states(&[Edit::Name(1, String::new())]);
    assert_eq!(diff(&before, &after, Compare::Stamps).table(DOG).modified, [(dog(&after, 1), vec![NAME])]);
    assert!(diff(&before, &after, Compare::Values).is_empty());
}

#[test]
fn deleting_and_creating_anew_is_a_deletion_and_an_insertion() {
    let (before, after) = states(&[Edit::DeleteDog(2), Edit::CreateDog(2)]);
    let difference = diff(&before, &after, Compare::Stamps);
    assert_eq!(difference.table(DOG).deleted, [dog(&before, 2)]);
    assert_eq!(difference.table(DOG).inserted, [dog(&after, 2)]);
}

#[test]
fn a_change_touches_what_links_to_it_over_several_links() {
    let mut mine = replica(1);
    write(&mut mine, 1, &[Edit::CreatePerson(1), Edit::CreateDog(1), Edit::CreateDog(2), Edit::CreateDog(3)]);
    write(&mut mine, 2, &[Edit::Owner(1, Some(1)), Edit::FriendInsert(2, 0, 1)]);
    let before = mine.current().clone();
    let person = before.find(PERSON, &Value::Int(1)).unwrap();
    let mut transaction = mine.begin(ebbtide_core::Millis(3));
    transaction.set(PERSON, person, ColumnIndex(1), Value::String("Ann".into())).unwrap();
    mine.commit(transaction).unwrap();
    let difference = diff(&before, mine.current(), Compare::Stamps);
    let touched = Touched::by(&difference, mine.current());
    assert!(touched.contains(PERSON, person));
    assert!(touched.contains(DOG, dog(&before, 1)) && touched.contains(DOG, dog(&before, 2)));
    assert!(!touched.contains(DOG, dog(&before, 3)));
    assert!(difference.table(DOG).is_empty(), "an object is not changed by what it links to");
}

#[test]
fn a_link_to_a_deleted_object_is_a_modification_of_its_source() {
    let (before, after) = states(&[Edit::DeletePerson(1)]);
    let difference = diff(&before, &after, Compare::Stamps);
    assert_eq!(difference.table(DOG).modified_columns(dog(&after, 1)), Some(&[OWNER][..]));
}

#[test]
fn a_list_tells_positions_by_element() {
    let (before, after) = states(&[Edit::TagInsert(1, 0, "x".into()), Edit::TagSet(1, 2, "c".into())]);
    let list = |snapshot: &Snapshot| match snapshot.table(DOG).get(dog(snapshot, 1), TAGS) {
        Some(ValueRef::List(list)) => list.clone(),
        other => panic!("{other:?}"),
    };
    let changes = list_changes(&list(&before), &list(&after), Compare::Stamps, |_| false);
    assert_eq!((changes.insertions, changes.deletions), (vec![0], vec![]));
    assert_eq!((changes.old_modifications, changes.new_modifications), (vec![1], vec![2]));
}

#[test]
fn a_link_that_is_taken_out_and_put_in_again_is_no_news() {
    let friends = |snapshot: &Snapshot| match snapshot.table(DOG).get(dog(snapshot, 2), FRIENDS) {
        Some(ValueRef::List(list)) => list.clone(),
        other => panic!("{other:?}"),
    };
    let told = |edits: &[Edit]| {
        let (before, after) = states(edits);
        list_changes(&friends(&before), &friends(&after), Compare::Stamps, |_| false)
    };
    assert!(told(&[Edit::FriendRemove(2, 0), Edit::FriendInsert(2, 0, 1)]).is_empty());
    let other = told(&[Edit::FriendRemove(2, 0), Edit::FriendInsert(2, 0, 2)]);
    assert_eq!((other.deletions, other.insertions), (vec![0], vec![0]));
    let twice = told(&[Edit::FriendInsert(2, 0, 1), Edit::FriendInsert(2, 0, 2)]);
    assert_eq!((twice.deletions, twice.insertions), (vec![], vec![0, 1]));
}

#[test]
fn an_element_that_was_moved_is_told_to_have_moved_and_not_its_neighbour() {
    let tags = |snapshot: &Snapshot| match snapshot.table(DOG).get(dog(snapshot, 1), TAGS) {
        Some(ValueRef::List(list)) => list.clone(),
        other => panic!("{other:?}"),
    };
    for (from, to) in [(0, 1), (1, 0)] {
        let (before, after) = states(&[Edit::TagMove(1, from, to)]);
        let changes = list_changes(&tags(&before), &tags(&after), Compare::Stamps, |_| false);
        assert_eq!((changes.deletions, changes.insertions), (vec![from as u32], vec![to as u32]));
    }
}

#[test]
fn an_order_may_name_an_object_twice() {
    let [a, b] = [ObjectKey(1), ObjectKey(2)];
    let changes = key_changes(&[a, b, a], &[a, b], |_| false);
    assert_eq!((changes.deletions, changes.insertions), (vec![2], vec![]));
}

const OWNER_OF_DOG: PathStep = PathStep::Column { class: DOG, column: OWNER };
const NAME_OF_PERSON: PathStep = PathStep::Column { class: PERSON, column: ColumnIndex(1) };
const FRIENDS_OF_DOG: PathStep = PathStep::Column { class: DOG, column: FRIENDS };
const DOGS_OF_PERSON: PathStep = PathStep::Backlinks { source: DOG, column: OWNER, target: PERSON };

#[test]
fn a_key_path_tells_of_every_property_on_it_and_of_no_other() {
    let touched = |path: &[PathStep], class: ClassIndex, edits: &[Edit]| -> Vec<Value> {
        let (before, after) = states(edits);
        let difference = diff(&before, &after, Compare::Stamps);
        let objects = KeyPaths::new(vec![path.to_vec()]).touched(&difference, &before, &after);
        objects.keys().filter_map(|key| after.primary_key(class, *key)).collect()
    };
    let one = vec![Value::Int(1)];
    assert_eq!(touched(&[OWNER_OF_DOG], DOG, &[Edit::Owner(1, None)]), one);
    assert_eq!(touched(&[OWNER_OF_DOG, NAME_OF_PERSON], DOG, &[Edit::Owner(1, None)]), one);
    assert_eq!(touched(&[OWNER_OF_DOG], DOG, &[Edit::Name(1, "x".into())]), vec![]);
    let two = vec![Value::Int(2)];
    let far = [FRIENDS_OF_DOG, PathStep::Column { class: DOG, column: NAME }];
    assert_eq!(touched(&far, DOG, &[Edit::Name(1, "x".into())]), two);
    assert_eq!(touched(&far, DOG, &[Edit::Name(2, "x".into())]), vec![]);
    assert_eq!(touched(&far, DOG, &[Edit::FriendInsert(2, 0, 2)]), two);
    assert_eq!(touched(&[DOGS_OF_PERSON], PERSON, &[Edit::Owner(1, None)]), one);
    assert_eq!(touched(&[DOGS_OF_PERSON], PERSON, &[Edit::Owner(2, Some(1))]), one);
    assert_eq!(touched(&[DOGS_OF_PERSON], PERSON, &[Edit::DeleteDog(1)]), one);
    assert_eq!(touched(&[DOGS_OF_PERSON], PERSON, &[Edit::Name(1, "x".into())]), vec![]);
    let back = [DOGS_OF_PERSON, PathStep::Column { class: DOG, column: NAME }];
    assert_eq!(touched(&back, PERSON, &[Edit::Name(1, "x".into())]), one);
    assert_eq!(touched(&back, PERSON, &[Edit::Name(2, "x".into())]), vec![]);
}

/// Follows a path from an object, step by step.
fn lies_on(path: &[PathStep], key: ObjectKey, difference: &Difference, before: &Snapshot, after: &Snapshot) -> bool {
    let Some((step, rest)) = path.split_first() else { return false };
    let linked = |snapshot: &Snapshot, class: ClassIndex, column: ColumnIndex, key: ObjectKey| {
        let mut keys = Vec::new();
        let target = if column == OWNER { PERSON } else { DOG };
        if let Some(value) = snapshot.table(class).get(key, column) {
            value.each_link(Some(target), &mut |_, key| keys.push(key));
        }
        keys
    };
    let is_set = |class: ClassIndex, column: ColumnIndex, key: ObjectKey| {
        difference.table(class).modified_columns(key).is_some_and(|columns| columns.contains(&column))
    };
    match *step {
        PathStep::Column { class, column } => {
            let onward = || if rest.is_empty() { Vec::new() } else { linked(after, class, column, key) };
            is_set(class, column, key) || onward().iter().any(|key| lies_on(rest, *key, difference, before, after))
        }
        PathStep::Backlinks { source, column, .. } => {
            let table = difference.table(source);
            let links = |snapshot: &Snapshot| -> Vec<ObjectKey> {
                snapshot
                    .table(source)
                    .keys()
                    .filter(|from| linked(snapshot, source, column, *from).contains(&key))
                    .collect()
            };
            links(after).iter().any(|from| {
                table.inserted.contains(from)
                    || is_set(source, column, *from)
                    || lies_on(rest, *from, difference, before, after)
            }) || links(before).iter().any(|from| table.deleted.contains(from) || is_set(source, column, *from))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_difference_tells_all_that_changed(
        start in prop::collection::vec(edit(), 0..40), edits in prop::collection::vec(edit(), 0..20),
    ) {
        let mut mine = replica(1);
        write(&mut mine, 1, &start);
        let before = mine.current().clone();
        write(&mut mine, 2, &edits);
        let after = mine.current();
        let difference = diff(&before, after, Compare::Values);
        for class in [DOG, PERSON] {
            let (old, new, table) = (before.table(class), after.table(class), difference.table(class));
            let inserted: Vec<_> = new.keys().filter(|key| !old.contains(*key)).collect();
            let deleted: Vec<_> = old.keys().filter(|key| !new.contains(*key)).collect();
            prop_assert_eq!(&table.inserted, &inserted);
            prop_assert_eq!(&table.deleted, &deleted);
            for key in new.keys().filter(|key| old.contains(*key)) {
                let (a, b) = (old.row(key).unwrap(), new.row(key).unwrap());
                let columns: Vec<_> = (0..a.width() as u32)
                    .map(ColumnIndex)
                    .filter(|column| !a.value(*column).same(&b.value(*column)))
                    .collect();
                prop_assert_eq!(table.modified_columns(key).unwrap_or_default(), columns.as_slice());
            }
        }
    }
    #[test]
    fn key_paths_tell_what_following_them_from_each_object_tells(
        start in prop::collection::vec(edit(), 0..60), edits in prop::collection::vec(edit(), 0..6),
    ) {
        let mut mine = replica(1);
        write(&mut mine, 1, &start);
        let before = mine.current().clone();
        write(&mut mine, 2, &edits);
        let after = mine.current();
        let difference = diff(&before, after, Compare::Stamps);
        let name = PathStep::Column { class: DOG, column: NAME };
        for (class, path) in [
            (DOG, vec![name]),
            (DOG, vec![OWNER_OF_DOG, NAME_OF_PERSON]),
            (DOG, vec![FRIENDS_OF_DOG, FRIENDS_OF_DOG, FRIENDS_OF_DOG, FRIENDS_OF_DOG, FRIENDS_OF_DOG, name]),
            (DOG, vec![OWNER_OF_DOG, DOGS_OF_PERSON, name]),
            (PERSON, vec![DOGS_OF_PERSON, FRIENDS_OF_DOG, OWNER_OF_DOG, NAME_OF_PERSON]),
        ] {
            let touched = KeyPaths::new(vec![path.clone()]).touched(&difference, &before, after);
            for key in after.table(class).keys() {
                let expected = lies_on(&path, key, &difference, &before, after);
                prop_assert_eq!(touched.contains_key(&key), expected, "{:?} of {:?}", path, key);
            }
        }
    }
}
