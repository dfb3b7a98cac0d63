//! What lies between two states of every type is all that does, and tells no more.

use std::collections::BTreeMap;

use ebbtide_core::notify::{Compare, Touched, dictionary_changes, diff, list_changes, set_changes};
use ebbtide_core::objects::{Dictionary, List, Set};
use ebbtide_core::{ClassIndex, ColumnIndex, Millis, ObjectKey, Snapshot, Value, ValueRef};
use proptest::prelude::*;

use crate::types_world::{PART, THING, column, edit, local, write};

/// What a cell holds, to be compared to the bit.
#[derive(Clone, PartialEq, Debug)]
struct Cell(String);

type Rows = BTreeMap<ObjectKey, Vec<Cell>>;

fn cell(value: ValueRef<'_>) -> Cell {
    Cell(match value {
        ValueRef::List(list) => format!("{:?}", list.iter().map(|value| cell(value).0).collect::<Vec<_>>()),
        ValueRef::Set(set) => format!("{:?}", set.iter().map(|value| cell(value).0).collect::<Vec<_>>()),
        ValueRef::Dictionary(d) => {
            format!("{:?}", d.iter().map(|(key, value)| (key, cell(value).0)).collect::<Vec<_>>())
        }
        value => format!("{:?}", value.to_owned()),
    })
}

fn rows(snapshot: &Snapshot, class: ClassIndex) -> Rows {
    let row = |row: ebbtide_core::objects::Row<'_>| {
        (row.key(), (0..row.width() as u32).map(|column| cell(row.value(ColumnIndex(column)))).collect())
    };
    snapshot.table(class).rows().map(row).collect()
}

fn check_list(before: &List, after: &List) {
    let changes = list_changes(before, after, Compare::Values, |_| false);
    let mut copy: Vec<Cell> = before.iter().map(cell).collect();
    for index in changes.deletions.iter().rev() {
        copy.remove(*index as usize);
    }
    for index in &changes.insertions {
        copy.insert(*index as usize, cell(after.get(*index as usize).unwrap()));
    }
    for index in &changes.new_modifications {
        copy[*index as usize] = cell(after.get(*index as usize).unwrap());
    }
    assert_eq!(copy, after.iter().map(cell).collect::<Vec<_>>());
    assert_eq!(
        changes.is_empty(),
        before.elements().iter().map(|e| e.id).eq(after.elements().iter().map(|e| e.id)) && before.same_values(after)
    );
}

fn check_set(before: &Set, after: &Set) {
    let changes = set_changes(before, after, Compare::Values, |_| false);
    let mut copy: Vec<Value> = before.iter().map(|value| value.to_owned()).collect();
    for index in changes.deletions.iter().rev() {
        copy.remove(*index as usize);
    }
    for index in &changes.insertions {
        copy.insert(*index as usize, after.get(*index as usize).unwrap().to_owned());
    }
    let order = |a: &Value, b: ValueRef<'_>| a.as_ref().total_cmp(&b);
    assert!(copy.len() == after.len() && copy.iter().zip(after.iter()).all(|(a, b)| order(a, b).is_eq()));
    assert!(changes.new_modifications.is_empty());
}

fn check_dictionary(before: &Dictionary, after: &Dictionary) {
    let changes = dictionary_changes(before, after, Compare::Values, |_| false);
    let mut copy: BTreeMap<String, Cell> = before.iter().map(|(key, value)| (key.to_string(), cell(value))).collect();
    for key in &changes.deletions {
        assert!(copy.remove(key).is_some());
    }
    for key in changes.insertions.iter().chain(&changes.modifications) {
        copy.insert(key.clone(), cell(after.get(key).unwrap()));
    }
    assert!(copy.into_iter().eq(after.iter().map(|(key, value)| (key.to_string(), cell(value)))));
    assert_eq!(changes.is_empty(), before.same_values(after));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_difference_replayed_on_a_copy_gives_the_later_state(
        start in prop::collection::vec(edit(), 0..60), edits in prop::collection::vec(edit(), 0..30),
    ) {
        let mut mine = local();
        write(&mut mine, 1, &start);
        let before = mine.current().clone();
        write(&mut mine, 2, &edits);
        let after = mine.current();
        for compare in [Compare::Values, Compare::Stamps] {
            let difference = diff(&before, after, compare);
            for (class, table) in difference.tables() {
                let (mut copy, later) = (rows(&before, class), rows(after, class));
                for key in &table.deleted {
                    prop_assert!(copy.remove(key).is_some());
                }
                for key in &table.inserted {
                    prop_assert!(copy.insert(*key, later[key].clone()).is_none());
                }
                for (key, columns) in &table.modified {
                    for column in columns {
                        let cell = &mut copy.get_mut(key).unwrap()[column.index()];
                        if compare == Compare::Values {
                            prop_assert_ne!(&*cell, &later[key][column.index()], "nothing that is the same is told");
                        }
                        *cell = later[key][column.index()].clone();
                    }
                }
                prop_assert_eq!(&copy, &later);
            }
        }
        for (index, schema) in after.schema().classes.iter().enumerate() {
            let class = ClassIndex(index as u32);
            for key in after.table(class).keys().filter(|key| before.table(class).contains(*key)) {
                let (old, new) = (before.table(class).row(key).unwrap(), after.table(class).row(key).unwrap());
                for column in (0..schema.properties.len() as u32).map(ColumnIndex) {
                    match (old.value(column), new.value(column)) {
                        (ValueRef::List(a), ValueRef::List(b)) => check_list(a, b),
                        (ValueRef::Set(a), ValueRef::Set(b)) => check_set(a, b),
                        (ValueRef::Dictionary(a), ValueRef::Dictionary(b)) => check_dictionary(a, b),
                        _ => {}
                    }
                }
            }
        }
    }
}

#[test]
fn putting_a_value_into_a_set_again_is_no_change_and_setting_a_key_again_is_one() {
    let mut mine = local();
    let mut t = mine.begin(Millis(1));
    let key = t.create(THING, Some(Value::Int(1))).unwrap();
    t.set_insert(THING, key, column(THING, "ints"), Value::Int(1)).unwrap();
    t.dictionary_set(THING, key, column(THING, "counts"), "k", Value::Int(1)).unwrap();
    mine.commit(t).unwrap();
    let before = mine.current().clone();
    let mut t = mine.begin(Millis(2));
    t.set_insert(THING, key, column(THING, "ints"), Value::Int(1)).unwrap();
    t.dictionary_set(THING, key, column(THING, "counts"), "k", Value::Int(1)).unwrap();
    mine.commit(t).unwrap();
    let difference = diff(&before, mine.current(), Compare::Stamps);
    assert_eq!(difference.table(THING).modified, [(key, vec![column(THING, "counts")])]);
    assert!(diff(&before, mine.current(), Compare::Values).is_empty());
}

#[test]
fn a_change_inside_an_embedded_object_touches_its_owner() {
    let mut mine = local();
    let mut t = mine.begin(Millis(1));
    let key = t.create(THING, Some(Value::Int(1))).unwrap();
    let part = t.embed(THING, key, column(THING, "parts"), ebbtide_core::objects::Embedding::Insert(0)).unwrap();
    mine.commit(t).unwrap();
    let before = mine.current().clone();
    let mut t = mine.begin(Millis(2));
    t.set(PART, part, ColumnIndex(0), Value::Int(4)).unwrap();
    mine.commit(t).unwrap();
    let difference = diff(&before, mine.current(), Compare::Stamps);
    assert_eq!(difference.table(PART).modified, [(part, vec![ColumnIndex(0)])]);
    assert!(difference.table(THING).is_empty());
    let touched = Touched::by(&difference, mine.current());
    assert!(touched.contains(THING, key));
    let list = mine.current().table(THING).get(key, column(THING, "parts")).unwrap();
    assert!(touched.is_linked_from(list, Some(PART)));
}
