//! What lies between two states, told to listeners.

use ebbtide_core::notify::{Compare, Touched, diff, key_changes, list_changes};
use ebbtide_core::{ColumnIndex, ObjectKey, Snapshot, Value, ValueRef};
use proptest::prelude::*;

use crate::world::{DOG, Edit, NAME, OWNER, PERSON, TAGS, edit, replica, write};

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
fn an_order_may_name_an_object_twice() {
    let [a, b] = [ObjectKey(1), ObjectKey(2)];
    let changes = key_changes(&[a, b, a], &[a, b], |_| false);
    assert_eq!((changes.deletions, changes.insertions), (vec![2], vec![]));
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
}
