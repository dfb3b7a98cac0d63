//! What is written down of every type comes back: checkpoints, logs, images.

use ebbtide_core::notify::{Compare, diff};
use ebbtide_core::page::{export, import};
use ebbtide_core::replica::Replica;
use ebbtide_core::{Millis, Value, WriteError};
use proptest::prelude::*;

use crate::decoders::reseal;
use crate::stores::{Kept, check_same};
use crate::types_world::{Edit, NOTE, OTHER, THING, column, edit, local, replica, schema, write};
use crate::world::Order;

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Edit>),
    Other(Vec<Edit>),
    Checkpoint,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(edit(), 1..12).prop_map(Step::Write),
        2 => prop::collection::vec(edit(), 1..12).prop_map(Step::Other),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_synced_store_of_every_type_reloads_as_it_was(steps in prop::collection::vec(step(), 1..25)) {
        let mut order = Order::of(&schema());
        let (mut mine, mut other) = (replica(1), replica(2));
        let mut kept = Kept::default();
        kept.checkpoint(&mut mine);
        for (now, step) in steps.iter().enumerate() {
            match step {
                Step::Write(edits) => kept.append(&write(&mut mine, now as u64, edits).into_iter().collect::<Vec<_>>()),
                Step::Other(edits) => {
                    write(&mut other, now as u64, edits);
                    order.upload_all(&other);
                    order.upload_all(&mine);
                    order.download(&mut other, usize::MAX);
                    kept.append(&order.download(&mut mine, 3));
                }
                Step::Checkpoint => kept.checkpoint(&mut mine),
                Step::Reopen => {
                    let loaded = Replica::load(&kept.store).unwrap();
                    check_same(&loaded, &mine);
                    mine = loaded;
                }
            }
        }
        check_same(&Replica::load(&kept.store).unwrap(), &mine);
    }

    #[test]
    fn a_store_of_its_own_of_every_type_reloads_as_it_was(steps in prop::collection::vec(step(), 1..25)) {
        let mut mine = local();
        let mut kept = Kept::default();
        kept.checkpoint(&mut mine);
        for (now, step) in steps.iter().enumerate() {
            match step {
                Step::Write(edits) | Step::Other(edits) => {
                    kept.append(&write(&mut mine, now as u64, edits).into_iter().collect::<Vec<_>>());
                }
                Step::Checkpoint => kept.checkpoint(&mut mine),
                Step::Reopen => {
                    let loaded = Replica::load(&kept.store).unwrap();
                    check_same(&loaded, &mine);
                    // Objects without a primary key are their keys.
                    prop_assert!(loaded.current().table(NOTE).keys().eq(mine.current().table(NOTE).keys()));
                    mine = loaded;
                }
            }
        }
        check_same(&Replica::load(&kept.store).unwrap(), &mine);
    }

    #[test]
    fn a_checkpoint_of_every_type_keeps_keys_and_stamps(edits in prop::collection::vec(edit(), 0..80)) {
        let mut mine = replica(1);
        write(&mut mine, 9, &edits);
        let mut order = Order::of(&schema());
        order.upload_all(&mine);
        order.download(&mut mine, usize::MAX);
        let mut kept = Kept::default();
        kept.checkpoint(&mut mine);
        let loaded = Replica::load(&kept.store).unwrap();
        check_same(&loaded, &mine);
        prop_assert!(diff(loaded.current(), mine.current(), Compare::Stamps).is_empty());
        prop_assert!(diff(mine.current(), loaded.current(), Compare::Stamps).is_empty());
    }

    #[test]
    fn a_damaged_image_of_every_type_is_an_error_and_never_a_panic(
        edits in prop::collection::vec(edit(), 0..40), at: prop::sample::Index, bit in 0u8..8, cut: bool,
    ) {
        let mut mine = replica(1);
        write(&mut mine, 9, &edits);
        let mut bytes = export(mine.current(), usize::MAX).concat();
        let index = at.index(bytes.len());
        if cut { bytes.truncate(index) } else { bytes[index] ^= 1 << bit }
        prop_assert!(import([bytes.as_slice()]).is_err());
    }

    #[test]
    fn a_store_whose_bytes_were_changed_and_sealed_again_is_an_error_or_a_sound_state(
        edits in prop::collection::vec(edit(), 1..40), later in prop::collection::vec(edit(), 1..20),
        record in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let mut mine = local();
        let mut kept = Kept::default();
        write(&mut mine, 1, &edits);
        kept.checkpoint(&mut mine);
        kept.append(&write(&mut mine, 2, &later).into_iter().collect::<Vec<_>>());
        let pages = kept.store.pages.iter_mut().map(|(_, record)| record);
        let mut records: Vec<&mut Vec<u8>> = pages.chain(kept.store.log.iter_mut().map(|(_, block)| block)).collect();
        if !records.is_empty() {
            let index = record.index(records.len());
            reseal(records[index], at.index(1 << 30), bit);
        }
        if let Ok(loaded) = Replica::load(&kept.store) {
            loaded.current().audit().unwrap();
        }
    }
}

#[test]
fn many_objects_of_every_type_fill_pages_and_survive_their_deletion() {
    let mut mine = replica(1);
    let mut t = mine.begin(Millis(1));
    let hub = t.create(OTHER, Some(Value::Int(-1))).unwrap();
    for id in 0..1_500 {
        let key = t.create(THING, Some(Value::Int(id))).unwrap();
        t.set(THING, key, column(THING, "float"), Value::Float(id as f32)).unwrap();
        t.set(THING, key, column(THING, "other"), Value::Link(hub)).unwrap();
        t.set(THING, key, column(THING, "mixed"), Value::Array(vec![Value::TypedLink(OTHER, hub), Value::Int(id)]))
            .unwrap();
        t.set_insert(THING, key, column(THING, "bag"), Value::TypedLink(OTHER, hub)).unwrap();
        t.dictionary_set(THING, key, column(THING, "by_name"), "hub", Value::Link(hub)).unwrap();
        t.embed(THING, key, column(THING, "part"), ebbtide_core::objects::Embedding::Property).unwrap();
    }
    mine.commit(t).unwrap();
    mine.current().audit().unwrap();
    let copy = import(export(mine.current(), 10_000).iter().map(Vec::as_slice)).unwrap();
    copy.audit().unwrap();
    assert_eq!(copy.canonical(), mine.current().canonical());
    let mut t = mine.begin(Millis(2));
    t.delete(OTHER, hub).unwrap();
    t.snapshot().audit().unwrap();
    for key in t.snapshot().table(THING).keys().collect::<Vec<_>>() {
        t.delete(THING, key).unwrap();
    }
    mine.commit(t).unwrap();
    mine.current().audit().unwrap();
    assert_eq!(mine.current().object_count(), 0);
}

#[test]
fn objects_of_every_type_that_come_one_a_transaction_fill_few_pages_and_leave_earlier_states_as_they_were() {
    const OBJECTS: i64 = 700;
    let mut mine = replica(1);
    let mut t = mine.begin(Millis(1));
    let hub = t.create(OTHER, Some(Value::Int(-1))).unwrap();
    mine.commit(t).unwrap();
    let mut earlier = Vec::new();
    for id in 0..OBJECTS {
        let mut t = mine.begin(Millis(2 + id as u64));
        let key = t.create(THING, Some(Value::Int(id))).unwrap();
        t.set(THING, key, column(THING, "mixed"), Value::Array(vec![Value::TypedLink(OTHER, hub), Value::Int(id)]))
            .unwrap();
        if id % 3 > 0 {
            t.set(THING, key, column(THING, "data"), Value::Data(id.to_le_bytes().to_vec())).unwrap();
            t.set(THING, key, column(THING, "bool"), Value::Bool(id % 2 == 0)).unwrap();
            t.list_insert(THING, key, column(THING, "doubles"), 0, Value::Double(id as f64)).unwrap();
        }
        t.set_insert(THING, key, column(THING, "bag"), Value::TypedLink(OTHER, hub)).unwrap();
        t.dictionary_set(THING, key, column(THING, "by_name"), "hub", Value::Link(hub)).unwrap();
        if id % 37 == 36 {
            let before = t.snapshot().find(THING, &Value::Int(id - 20)).unwrap();
            t.set(THING, before, column(THING, "count"), Value::Int(id)).unwrap();
        }
        mine.commit(t).unwrap();
        if id % 70 == 0 {
            earlier.push((mine.current().clone(), mine.current().canonical()));
        }
    }
    for (state, canonical) in earlier {
        state.audit().unwrap();
        assert_eq!(state.canonical(), canonical);
    }
    mine.current().audit().unwrap();
    let rows: Vec<usize> = mine.current().table(THING).pages().map(|page| page.len()).collect();
    assert!(rows.len() <= 8, "{rows:?}");
    let mut kept = Kept::default();
    kept.checkpoint(&mut mine);
    check_same(&Replica::load(&kept.store).unwrap(), &mine);
}

#[test]
fn what_could_not_be_read_again_is_refused_when_it_is_written() {
    let mut mine = local();
    let mut t = mine.begin(Millis(1));
    let key = t.create(THING, Some(Value::Int(1))).unwrap();
    let mixed = column(THING, "mixed");
    let too_large =
        |result: Result<(), WriteError>| assert!(matches!(result, Err(WriteError::TooLarge { .. })), "{result:?}");
    let long = vec![Value::Null; ebbtide_core::limits::LIST_ELEMENTS + 1];
    too_large(t.set(THING, key, mixed, Value::Array(long.clone())));
    too_large(t.list_insert(THING, key, column(THING, "mixeds"), 0, Value::Array(vec![Value::Array(long)])));
    let nested = |depth: usize| (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    t.set(THING, key, mixed, nested(ebbtide_core::limits::NESTED_COLLECTIONS)).unwrap();
    let deeper = t.set(THING, key, mixed, nested(ebbtide_core::limits::NESTED_COLLECTIONS + 1));
    assert!(matches!(deeper, Err(WriteError::WrongType { .. })));
    let name = "k".repeat(ebbtide_core::limits::KEY_BYTES + 1);
    too_large(t.dictionary_set(THING, key, column(THING, "counts"), &name, Value::Int(1)));
    for bad in ["$a", "a.b"] {
        let refused = t.dictionary_set(THING, key, column(THING, "counts"), bad, Value::Int(1));
        assert_eq!(refused, Err(WriteError::BadKey { key: bad.into() }));
        let refused = t.set(THING, key, mixed, Value::Map([(bad.to_string(), Value::Null)].into()));
        assert_eq!(refused, Err(WriteError::BadKey { key: bad.into() }));
    }
    let refused = t.set_insert(THING, key, column(THING, "bag"), Value::Array(Vec::new()));
    assert!(matches!(refused, Err(WriteError::WrongType { .. })));
    mine.commit(t).unwrap();
    let log = crate::world::log(&mut mine);
    let mut kept = Kept::default();
    kept.checkpoint(&mut local());
    kept.append(&log.into_iter().collect::<Vec<_>>());
    check_same(&Replica::load(&kept.store).unwrap(), &mine);
}
