//! What a store promises, in a real browser.

use ebbtide_core::batch::{Batch, Durability, Head, LoadedStore, LogChange, MetaKey, StagedChange};
use ebbtide_core::{LogPosition, RecordId};
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionDurability;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::catalogue::{ActionKind, Catalogue, Change, FileAction};
use super::connection::{CloseCause, Connection, delete_database, exists};
use super::records::{self, Key, Step};
use super::schema::{LOG, META, PAGES, SPACES, store_name};
use super::{Store, back_up_then_clear};
use crate::error::Fault;

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

#[wasm_bindgen_test]
async fn a_writer_that_missed_a_commit_is_refused() {
    let store = fresh("t-conflict").await;
    store.commit(&full_batch()).await.unwrap();
    let conflict = Err(Fault::StoreConflict { path: "t-conflict".to_owned() });
    for expected in [None, Some(head(1, 3)), Some(head(2, 4))] {
        let late = Batch {
            append: Some((LogPosition(9), vec![99])),
            ..Batch::new(Durability::Relaxed, expected, head(1, 10))
        };
        assert_eq!(store.commit(&late).await, conflict);
    }
    let loaded = store.load().await.unwrap();
    assert_eq!(loaded.head, Some(head(1, 4).encode()));
    assert_eq!(loaded.log.len(), 1);
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
