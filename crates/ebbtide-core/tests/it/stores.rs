//! What is written down comes back: checkpoints, logs, images.

use ebbtide_core::batch::{CorruptStore, Head, LoadedStore, seal};
use ebbtide_core::limits::{CHANGESET_BYTES, VALUE_BYTES};
use ebbtide_core::notify::{Compare, diff};
use ebbtide_core::objects::{Synced, WriteError};
use ebbtide_core::page::{export, import};
use ebbtide_core::replica::{Identity, LogEntry, Replica, encode_block};
use ebbtide_core::reset::{Takeover, plan};
use ebbtide_core::{ChainHash, ClientId, LogPosition, Millis, ObjectKey, Value};
use proptest::prelude::*;

use crate::world::{DOG, Edit, NAME, Order, check_links, edit, replica, schema, write};

/// A store as a map, kept by checkpoints and log blocks.
#[derive(Default, Clone)]
pub struct Kept {
    pub store: LoadedStore,
    next: u64,
}

impl Kept {
    pub fn append(&mut self, entries: &[LogEntry]) {
        let first = LogPosition(self.next);
        self.next += entries.len() as u64;
        if !entries.is_empty() {
            self.store.log.push((first, encode_block(first, entries)));
        }
        let head = Head { next_position: LogPosition(self.next), ..Head::default() };
        self.store.head = Some(head.encode());
    }

    pub fn checkpoint(&mut self, replica: &mut Replica) {
        let checkpoint = replica.checkpoint(LogPosition(self.next));
        self.store.root = Some(checkpoint.root);
        self.store.pages.retain(|(id, _)| !checkpoint.dropped.contains(id));
        self.store.pages.extend(checkpoint.pages);
        self.store.log.clear();
        self.append(&checkpoint.log);
    }
}

pub fn check_same(loaded: &Replica, replica: &Replica) {
    assert_eq!(loaded.current().canonical(), replica.current().canonical());
    assert_eq!(loaded.base().canonical(), replica.base().canonical());
    assert_eq!(loaded.identity(), replica.identity());
    assert_eq!(loaded.cursor(), replica.cursor());
    assert!(loaded.pending().eq(replica.pending()));
    check_links(loaded.current());
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Edit>),
    Other(Vec<Edit>),
    Checkpoint,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(edit(), 1..8).prop_map(Step::Write),
        2 => prop::collection::vec(edit(), 1..8).prop_map(Step::Other),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_synced_store_reloads_as_it_was(steps in prop::collection::vec(step(), 1..30)) {
        let mut order = Order::new();
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
                    kept.append(&order.download(&mut mine, usize::MAX));
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
    fn a_local_store_reloads_as_it_was(steps in prop::collection::vec(step(), 1..30)) {
        let mut mine = Replica::new(&schema(), 3, ClientId([1; 16]), Synced::No);
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
                    prop_assert!(diff(loaded.current(), mine.current(), Compare::Stamps).is_empty());
                    mine = loaded;
                }
            }
        }
        prop_assert_eq!(Replica::load(&kept.store).unwrap().schema_version(), 3);
    }

    #[test]
    fn an_image_comes_back_as_it_was(edits in prop::collection::vec(edit(), 0..80), chunk in 1usize..5000) {
        let mut mine = replica(1);
        write(&mut mine, 9, &edits);
        let chunks = export(mine.current(), chunk);
        prop_assert!(chunks.iter().all(|bytes| bytes.len() <= chunk));
        let copy = import(chunks.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(copy.canonical(), mine.current().canonical());
        prop_assert!(diff(&copy, mine.current(), Compare::Stamps).is_empty());
    }

    #[test]
    fn a_damaged_image_is_an_error_and_never_a_panic(
        edits in prop::collection::vec(edit(), 0..40), at: prop::sample::Index, bit in 0u8..8, cut: bool,
    ) {
        let mut mine = replica(1);
        write(&mut mine, 9, &edits);
        let mut bytes = export(mine.current(), usize::MAX).concat();
        let index = at.index(bytes.len());
        if cut { bytes.truncate(index) } else { bytes[index] ^= 1 << bit }
        prop_assert!(import([bytes.as_slice()]).is_err());
    }
}

/// A local realm with so many dogs, in a store's pages.
fn kept_dogs(count: i64) -> (Replica, Kept) {
    let mut mine = Replica::new(&schema(), 0, ClientId([1; 16]), Synced::No);
    let mut kept = Kept::default();
    write(&mut mine, 1, &(0..count).map(Edit::CreateDog).collect::<Vec<_>>());
    kept.checkpoint(&mut mine);
    (mine, kept)
}

#[test]
fn many_rows_fill_pages_and_survive_checkpoints_that_write_only_what_changed() {
    let (mut mine, mut kept) = kept_dogs(20_000);
    let records = kept.store.pages.len();
    assert_eq!(records, 20_000usize.div_ceil(256 * 16));
    write(&mut mine, 2, &[Edit::Name(777, "rex".into())]);
    let before = kept.store.pages.clone();
    kept.checkpoint(&mut mine);
    let kept_records = kept.store.pages.iter().filter(|record| before.contains(record)).count();
    assert_eq!((kept.store.pages.len(), kept_records), (records, records - 1));
    let loaded = Replica::load(&kept.store).unwrap();
    check_same(&loaded, &mine);
    assert_eq!(loaded.current().table(DOG).len(), 20_000);
    assert!(mine.checkpoint(LogPosition(9)).pages.is_empty(), "nothing changed, nothing is written");
}

#[test]
fn a_missing_or_exchanged_page_record_is_named() {
    let (_, kept) = kept_dogs(9_000);
    let mut missing = kept.clone();
    missing.store.pages.pop();
    assert!(matches!(Replica::load(&missing.store), Err(CorruptStore::Missing { .. })));
    let mut exchanged = kept.clone();
    let other = exchanged.store.pages[0].1.clone();
    exchanged.store.pages[1].1 = other;
    assert!(matches!(Replica::load(&exchanged.store), Err(CorruptStore::Damaged { .. })));
    for index in (0..kept.store.pages[0].1.len()).step_by(997) {
        let mut flipped = kept.clone();
        flipped.store.pages[0].1[index] ^= 1;
        assert!(Replica::load(&flipped.store).is_err());
    }
}

/// A root that names another next key, its checksum right again.
fn with_next_key(root: &[u8], before: u8, next: &[u8]) -> Vec<u8> {
    // Format, synced, version, client, number, hash, no cursor, clock; then the next key. The checksum ends it.
    let at = 1 + 1 + 1 + 16 + 1 + ChainHash::default().0.len() + 1 + 8;
    assert_eq!(root[at], before, "the next key is elsewhere");
    let body = [&root[1..at], next, &root[at + 1..root.len() - 8]].concat();
    seal(|out| out.raw(&body))
}

#[test]
fn new_objects_stand_behind_all_that_are_there_whatever_next_key_the_root_names() {
    let (mine, mut kept) = kept_dogs(9);
    let mut mine = mine.in_lane(3);
    write(&mut mine, 2, &[Edit::CreateDog(9)]);
    kept.checkpoint(&mut mine);
    let root = kept.store.root.clone().unwrap();
    // Keys that objects have, the first key of lane 6, of which the pages have nothing, and the right one.
    let named: Vec<Vec<u8>> =
        (1..=9).map(|key| vec![key]).chain([vec![0x81, 0x80, 0x80, 0x80, 0x60], vec![10]]).collect();
    let behind = ObjectKey(ObjectKey::first_of(3).0 + 1);
    for (lane, first) in [(0, ObjectKey(10)), (3, behind), (4, ObjectKey::first_of(4))] {
        for next in &named {
            kept.store.root = Some(with_next_key(&root, 10, next));
            let mut loaded = Replica::load_in_lane(kept.store.clone(), lane).unwrap();
            assert_eq!(loaded.next_key(), first);
            write(&mut loaded, 3, &[Edit::CreateDog(10)]);
            assert_eq!(loaded.current().find(DOG, &Value::Int(10)), Some(first));
            assert_eq!(loaded.current().table(DOG).len(), 11);
            assert_eq!(loaded.current().audit(), Ok(()));
        }
    }
}

#[test]
fn a_copy_made_in_another_lane_opens_and_its_new_objects_have_keys_of_their_own() {
    let mut mine = Replica::new(&schema(), 0, ClientId([1; 16]), Synced::No);
    write(&mut mine, 1, &(0..9).map(Edit::CreateDog).collect::<Vec<_>>());
    let mut copy = mine.in_lane(3).copy(ClientId([2; 16]), Synced::No);
    let mut kept = Kept::default();
    kept.checkpoint(&mut copy);
    let mut loaded = Replica::load(&kept.store).unwrap();
    write(&mut loaded, 2, &[Edit::CreateDog(9)]);
    assert_eq!(loaded.current().find(DOG, &Value::Int(9)), Some(ObjectKey(10)));
    assert_eq!(loaded.current().table(DOG).len(), 10);
    let mut moved = copy.in_lane(5).in_lane(0);
    write(&mut moved, 2, &[Edit::CreateDog(9)]);
    assert_eq!(moved.current().find(DOG, &Value::Int(9)), Some(ObjectKey(10)));
}

#[test]
fn a_missing_log_block_is_named_wherever_it_is() {
    let mut mine = replica(1);
    let mut kept = Kept::default();
    kept.checkpoint(&mut mine);
    for id in 0..5 {
        kept.append(&write(&mut mine, 1, &[Edit::CreateDog(id)]).into_iter().collect::<Vec<_>>());
    }
    assert_eq!(kept.store.log.len(), 5);
    check_same(&Replica::load(&kept.store).unwrap(), &mine);
    for index in 0..5 {
        let mut missing = kept.clone();
        missing.store.log.remove(index);
        let error = Replica::load(&missing.store).unwrap_err();
        assert_eq!(error, CorruptStore::Missing { record: format!("log block {index}") });
    }
}

#[test]
fn a_transaction_that_would_not_fit_a_frame_is_refused_and_changes_nothing() {
    let mut mine = replica(1);
    write(&mut mine, 1, &[Edit::CreateDog(0)]);
    let (before, identity) = (mine.current().canonical(), mine.identity());
    let mut large = mine.begin(Millis(2));
    for id in 1..=2 {
        let dog = large.create(DOG, Some(Value::Int(id))).unwrap();
        large.set(DOG, dog, NAME, Value::String("x".repeat(VALUE_BYTES))).unwrap();
    }
    let refused = mine.commit(large);
    assert!(matches!(refused, Err(WriteError::TooLarge { limit: CHANGESET_BYTES, .. })), "{:?}", refused.is_ok());
    assert_eq!((mine.current().canonical(), mine.identity()), (before, identity));
    assert_eq!(mine.pending().len(), 1);
}

#[test]
fn pages_of_a_batch_that_never_got_there_are_written_by_the_next_also_if_a_reset_came_between() {
    let mut order = Order::new();
    let mut mine = replica(1);
    let mut kept = Kept::default();
    kept.checkpoint(&mut mine);
    write(&mut mine, 1, &[Edit::CreateDog(1), Edit::Name(1, "Rex".into())]);
    order.upload_all(&mine);
    order.download(&mut mine, 9);
    // The pages are on their way when the state is replaced, and do not get there.
    mine.seal();
    let lost = mine.checkpoint(LogPosition(1));
    assert!(!lost.pages.is_empty());
    let cursor = mine.cursor().unwrap();
    let identity = Identity::new(ClientId([9; 16]));
    mine.install(plan(&mine, &order.state, cursor, identity, Takeover::DiscardPending));
    mine.unsealed();
    mine.seal();
    kept.checkpoint(&mut mine);
    mine.saved();
    check_same(&Replica::load(&kept.store).unwrap(), &mine);
}
