//! What a store promises, in a real browser.

use std::cell::Cell;
use std::rc::Rc;

use ebbtide_core::batch::{Batch, Changes, Durability, Head, LoadedStore, LogChange, MetaKey, StagedChange};
use ebbtide_core::{LogPosition, RecordId};
use futures_channel::oneshot;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionDurability;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::catalogue::{ActionKind, Catalogue, Change, FileAction};
use super::connection::{CloseCause, Connection, delete_database, exists};
use super::records::{self, Key, Step};
use super::schema::{LOG, META, PAGES, SPACES, store_name};
use super::{Beyond, Claim, LANES_DRAWN, Outcome, Store, back_up_then_clear};
use crate::error::{Fault, KeyProblem};

wasm_bindgen_test_configure!(run_in_browser);

fn head(generation: u64, next_position: u64) -> Head {
    Head { generation, fence: 1, next_position: LogPosition(next_position), roots: 1 }
}

/// A store with something in every part of it.
fn full_batch() -> Batch {
    Batch {
        meta: vec![(MetaKey::Root, Some(vec![1, 2, 3])), (MetaKey::Reset, Some(vec![4]))],
        pages: vec![(RecordId(1), vec![10; 300]), (RecordId(2), Vec::new())],
        append: Some((LogPosition(1), vec![20; 9])),
        staging: vec![(0, vec![30]), (1, vec![31])],
        ..Batch::new(Durability::Strict, None, head(1, 4))
    }
}

async fn fresh(path: &str) -> Store {
    delete_database(path, &store_name(path)).await.unwrap();
    let (store, found) = Store::open(path, &store_name(path), None).await.unwrap();
    assert!(found.created);
    assert_eq!(found.data_loss, None);
    store
}

async fn reopened(path: &str) -> LoadedStore {
    let (store, found) = Store::open(path, &store_name(path), None).await.unwrap();
    assert!(!found.created);
    store.load().await.unwrap()
}

#[wasm_bindgen_test]
async fn an_empty_store_loads_as_nothing() {
    let store = fresh("t-empty").await;
    assert_eq!(store.load().await.unwrap(), LoadedStore::default());
}

#[wasm_bindgen_test]
async fn every_part_of_a_batch_is_there_after_opening_again() {
    let store = fresh("t-round-trip").await;
    store.commit(&full_batch()).await.unwrap();
    store.close();
    let loaded = reopened("t-round-trip").await;
    assert_eq!(loaded.head, Some(head(1, 4).encode()));
    assert_eq!(loaded.root, Some(vec![1, 2, 3]));
    assert_eq!(loaded.reset, Some(vec![4]));
    assert_eq!(loaded.pages, vec![(RecordId(1), vec![10; 300]), (RecordId(2), Vec::new())]);
    assert_eq!(loaded.log, vec![(LogPosition(1), vec![20; 9])]);
    assert_eq!(loaded.staging, vec![(0, vec![30]), (1, vec![31])]);
}

#[wasm_bindgen_test]
async fn what_a_batch_deletes_is_gone_and_what_it_writes_beside_is_there() {
    let store = fresh("t-delete").await;
    store.commit(&full_batch()).await.unwrap();
    let second = Batch {
        meta: vec![(MetaKey::Reset, None)],
        pages: vec![(RecordId(3), vec![11])],
        dropped_pages: vec![RecordId(1)],
        append: Some((LogPosition(4), vec![21])),
        log: LogChange::Clear,
        staging: vec![(5, vec![32])],
        staged: StagedChange::Clear,
        ..Batch::new(Durability::Relaxed, Some(head(1, 4)), head(2, 5))
    };
    store.commit(&second).await.unwrap();
    let loaded = store.load().await.unwrap();
    assert_eq!(loaded.reset, None);
    assert_eq!(loaded.root, Some(vec![1, 2, 3]));
    assert_eq!(loaded.pages, vec![(RecordId(2), Vec::new()), (RecordId(3), vec![11])]);
    assert_eq!(loaded.log, vec![(LogPosition(4), vec![21])]);
    assert_eq!(loaded.staging, vec![(5, vec![32])]);
}

/// Appends one block to the log of a store that has this head.
fn append(expected: Head, bytes: u8) -> Batch {
    let next_position = LogPosition(expected.next_position.0 + 1);
    Batch {
        append: Some((expected.next_position, vec![bytes])),
        ..Batch::new(Durability::Relaxed, Some(expected), Head { next_position, ..expected })
    }
}

/// Two connections to one new store.
async fn two(path: &str, key: Option<&[u8]>) -> [Store; 2] {
    delete_database(path, &store_name(path)).await.unwrap();
    let open = || async { Store::open(path, &store_name(path), key).await.unwrap().0 };
    [open().await, open().await]
}

#[wasm_bindgen_test]
async fn who_is_overtaken_writes_nothing_and_gets_what_was_appended() {
    let [first, second] = two("t-overtaken", None).await;
    first.commit(&full_batch()).await.unwrap();
    first.commit(&append(head(1, 4), 40)).await.unwrap();
    first.commit(&append(head(1, 5), 41)).await.unwrap();
    let late = append(head(1, 4), 99);
    let log = vec![(LogPosition(4), vec![40]), (LogPosition(5), vec![41])];
    let changes = Changes { head: head(1, 6).encode(), root: None, log };
    assert_eq!(second.commit(&late).await, Ok(Outcome::Overtaken(Beyond::Since(changes.clone()))));
    assert_eq!(second.changes_since(&head(1, 4)).await, Ok(changes));
    let nothing = Changes { head: head(1, 6).encode(), root: None, log: Vec::new() };
    assert_eq!(second.changes_since(&head(1, 6)).await, Ok(nothing));
    assert_eq!(second.commit(&append(head(1, 6), 42)).await, Ok(Outcome::Stored));
    assert_eq!(second.load().await.unwrap().log.len(), 4);
}

#[wasm_bindgen_test]
async fn nobody_writes_between_what_one_reads_of_others_and_what_one_writes_on_top_of_it() {
    let app_key: Vec<u8> = (0..64).collect();
    for (path, key) in [("t-on-top", None), ("t-on-top-encrypted", Some(&app_key[..]))] {
        let [first, second] = two(path, key).await;
        let first = Rc::new(first);
        first.commit(&full_batch()).await.unwrap();
        let second = if key.is_some() { Store::open(path, &store_name(path), key).await.unwrap().0 } else { second };
        first.commit(&append(head(1, 4), 40)).await.unwrap();
        let (tell, told) = oneshot::channel();
        let tell = Cell::new(Some(tell));
        let on_top = second.commit_or(append(head(1, 4), 99), |beyond| {
            let Beyond::Since(changes) = beyond else { return None };
            assert_eq!(changes.log, vec![(LogPosition(4), vec![40])]);
            // The first goes on writing at this very moment.
            let (first, tell) = (Rc::clone(&first), tell.take().expect("it is asked once"));
            spawn_local(async move {
                let _ = tell.send(first.commit(&append(head(1, 5), 41)).await);
            });
            Some(append(head(1, 5), 50))
        });
        assert_eq!(on_top.await, Ok(true));
        let changes = Changes { head: head(1, 6).encode(), root: None, log: vec![(LogPosition(5), vec![50])] };
        assert_eq!(told.await.unwrap(), Ok(Outcome::Overtaken(Beyond::Since(changes))));
    }
}

#[wasm_bindgen_test]
async fn what_is_to_be_durable_on_top_of_what_others_have_written_is_stored_though_it_was_not_to_be_before() {
    let [first, second] = two("t-on-top-strict", None).await;
    first.commit(&full_batch()).await.unwrap();
    first.commit(&append(head(1, 4), 40)).await.unwrap();
    let strict = Batch { durability: Durability::Strict, ..append(head(1, 5), 50) };
    assert_eq!(second.commit_or(append(head(1, 4), 99), |_| Some(strict.clone())).await, Ok(true));
    assert_eq!(first.load().await.unwrap().log.len(), 3);
    assert_eq!(second.commit_or(append(head(1, 4), 99), |_| None).await, Ok(false));
    assert_eq!(first.load().await.unwrap().log.len(), 3);
}

#[wasm_bindgen_test]
async fn who_is_overtaken_by_a_checkpoint_gets_the_root_and_all_of_the_log() {
    let [first, second] = two("t-overtaken-root", None).await;
    first.commit(&full_batch()).await.unwrap();
    let checkpoint = Batch {
        meta: vec![(MetaKey::Root, Some(vec![7, 7]))],
        append: Some((LogPosition(2), vec![50])),
        log: LogChange::Clear,
        ..Batch::new(Durability::Strict, Some(head(1, 4)), Head { roots: 2, ..head(1, 4) })
    };
    first.commit(&checkpoint).await.unwrap();
    let log = vec![(LogPosition(2), vec![50])];
    let changes = Changes { head: checkpoint.head.encode(), root: Some(vec![7, 7]), log };
    assert_eq!(second.commit(&append(head(1, 4), 99)).await, Ok(Outcome::Overtaken(Beyond::Since(changes.clone()))));
    assert_eq!(second.changes_since(&head(1, 4)).await, Ok(changes));
}

#[wasm_bindgen_test]
async fn of_two_who_create_a_store_the_second_gets_all_of_it() {
    let app_key: Vec<u8> = (0..64).collect();
    for (path, key) in [("t-overtaken-whole", None), ("t-overtaken-encrypted", Some(&app_key[..]))] {
        let [first, second] = two(path, key).await;
        assert_eq!(first.commit(&full_batch()).await, Ok(Outcome::Stored));
        let whole = first.load().await.unwrap();
        assert_eq!(whole.pages.len(), 2);
        assert_eq!(second.commit(&full_batch()).await, Ok(Outcome::Overtaken(Beyond::Whole(whole))));
        // The second goes on with the cipher that the first has put there.
        assert_eq!(second.commit(&append(head(1, 4), 60)).await, Ok(Outcome::Stored));
        let changes = first.changes_since(&head(1, 4)).await.unwrap();
        assert_eq!(changes.log, vec![(LogPosition(4), vec![60])]);
        let (third, _) = Store::open(path, &store_name(path), key).await.unwrap();
        assert_eq!(third.load().await.unwrap().log.len(), 2);
    }
}

#[wasm_bindgen_test]
async fn a_store_that_was_created_with_another_key_meanwhile_is_refused() {
    let path = "t-overtaken-key";
    let keys: [Vec<u8>; 2] = [(0..64).collect(), (1..65).collect()];
    let problems = [
        (Some(&keys[0]), Some(&keys[1]), KeyProblem::Wrong),
        (Some(&keys[0]), None, KeyProblem::Missing),
        (None, Some(&keys[1]), KeyProblem::Unexpected),
    ];
    for (first_key, second_key, problem) in problems {
        delete_database(path, &store_name(path)).await.unwrap();
        let (first, _) = Store::open(path, &store_name(path), first_key.map(Vec::as_slice)).await.unwrap();
        let (second, _) = Store::open(path, &store_name(path), second_key.map(Vec::as_slice)).await.unwrap();
        first.commit(&full_batch()).await.unwrap();
        let refused = Err(Fault::EncryptionKey { path: path.to_owned(), problem });
        assert_eq!(second.commit(&full_batch()).await, refused);
    }
}

#[wasm_bindgen_test]
async fn a_store_whose_head_is_gone_is_a_conflict() {
    let path = "t-overtaken-gone";
    let store = fresh(path).await;
    let late = Batch::new(Durability::Relaxed, Some(head(1, 4)), head(1, 10));
    assert_eq!(store.commit(&late).await, Err(Fault::StoreConflict { path: path.to_owned() }));
    assert_eq!(store.load().await.unwrap(), LoadedStore::default());
}

#[wasm_bindgen_test]
async fn no_lane_is_claimed_twice_and_a_store_does_not_show_that_any_was() {
    let [first, second] = two("t-lanes", None).await;
    assert_eq!(first.claim_lane(Claim::Alone).await, Ok(0));
    let claims = [&first, &second, &first, &second].map(|store| store.claim_lane(Claim::Beside));
    let mut lanes: Vec<u64> = futures_util::future::join_all(claims).await.into_iter().map(Result::unwrap).collect();
    lanes.sort_unstable();
    assert_eq!(lanes, [1, 2, 3, 4]);
    assert_eq!(first.load().await.unwrap(), LoadedStore::default());
    first.close();
    second.close();
    let (third, _) = Store::open("t-lanes", &store_name("t-lanes"), None).await.unwrap();
    assert_eq!(third.claim_lane(Claim::Alone).await, Ok(5));
    third.claim_lane(Claim::Taken(7)).await.unwrap();
    assert_eq!(third.claim_lane(Claim::Alone).await, Ok(LANES_DRAWN + 1));
    third.claim_lane(Claim::Taken(LANES_DRAWN + 9)).await.unwrap();
    assert_eq!(third.claim_lane(Claim::Beside).await, Ok(LANES_DRAWN + 10));
}

#[wasm_bindgen_test]
async fn a_refused_put_takes_back_those_before_it() {
    let store = fresh("t-abort").await;
    store.commit(&full_batch()).await.unwrap();
    store.close();
    let (connection, _) = Connection::open(&store_name("t-abort"), &SPACES).await.unwrap();
    let writing = connection.write(&[META, PAGES], TransactionDurability::Relaxed).unwrap();
    // The second step names an object store outside the transaction's scope, so issuing it throws.
    let steps = [Step::Put(PAGES, Key::Number(7), vec![7].into()), Step::Put(LOG, Key::Number(7), vec![7].into())];
    assert!(records::issue("testing", &writing, &steps).is_err());
    drop(writing);
    connection.close();
    assert_eq!(reopened("t-abort").await.pages.len(), 2);
}

#[wasm_bindgen_test]
async fn a_record_that_was_never_ours_is_named_and_nothing_is_deleted() {
    let path = "t-foreign";
    let store = fresh(path).await;
    store.commit(&full_batch()).await.unwrap();
    store.close();
    let (connection, _) = Connection::open(&store_name(path), &SPACES).await.unwrap();
    let writing = connection.write(&[PAGES], TransactionDurability::Relaxed).unwrap();
    let pages = writing.object_store(PAGES).unwrap();
    drop(pages.put(JsValue::from_str("not bytes")).with_key(2.0_f64).without_key_type().primitive().unwrap());
    connection.finish("testing", writing).await.unwrap();
    connection.close();
    let (store, _) = Store::open(path, &store_name(path), None).await.unwrap();
    let what = "record 2 of 'pages' is not bytes".to_owned();
    assert_eq!(store.load().await, Err(Fault::CorruptStore { path: path.to_owned(), what }));
    assert!(exists(&store_name(path)).await.unwrap());
}

#[wasm_bindgen_test]
async fn a_connection_gives_way_to_a_deletion_and_says_so() {
    let path = "t-versionchange";
    let store = fresh(path).await;
    store.commit(&full_batch()).await.unwrap();
    let (tell, told) = futures_channel::oneshot::channel();
    let tell = std::cell::RefCell::new(Some(tell));
    store.on_close(move |cause| {
        let _ = tell.borrow_mut().take().unwrap().send(cause);
    });
    delete_database(path, &store_name(path)).await.unwrap();
    assert_eq!(told.await, Ok(CloseCause::VersionChange));
    let late = Batch::new(Durability::Relaxed, Some(head(1, 4)), head(1, 4));
    assert!(matches!(store.commit(&late).await, Err(Fault::StoreClosed { .. })));
}

#[wasm_bindgen_test]
async fn a_file_action_moves_the_store_to_its_backup() {
    let (path, backup) = ("t-action", "t-action-backup");
    delete_database(backup, &store_name(backup)).await.unwrap();
    let store = fresh(path).await;
    store.commit(&full_batch()).await.unwrap();
    store.close();
    Catalogue::load().await.unwrap();
    Catalogue::change(vec![Change::RemoveBackup(backup.to_owned())]).await.unwrap();
    assert_eq!(back_up_then_clear(path).await, Err(Fault::NoFileAction { path: path.to_owned() }));
    let action = FileAction {
        path: path.to_owned(),
        action: ActionKind::BackupThenDelete,
        backup: backup.to_owned(),
        code: 211.0,
        message: "diverged".to_owned(),
    };
    Catalogue::change(vec![Change::PutAction(action)]).await.unwrap();
    Catalogue::load().await.unwrap();
    assert_eq!(back_up_then_clear(path).await.as_deref(), Ok(backup));
    Catalogue::load().await.unwrap();
    assert!(Catalogue::action(path).is_none());
    assert_eq!(Catalogue::backup(backup).unwrap().original, path);
    assert!(!exists(&store_name(path)).await.unwrap());
    assert_eq!(reopened(backup).await.pages.len(), 2);
}
