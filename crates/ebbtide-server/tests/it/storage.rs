//! The conformance suite of the storage trait, and what the embedded store promises beyond it.

use std::collections::BTreeMap;

use ebbtide_core::{ChainHash, ChangesetNumber, ClientId, Epoch, Millis, Salt, ServerVersion};
use ebbtide_server::storage::{Image, MemoryStorage, SqliteStorage, Storage, StorageError};
use ebbtide_sync::server::{Append, ClientRecord, HistoryEntry, Position, RealmRecord};

fn at(version: u64) -> Position {
    Position { version: ServerVersion(version), salt: Salt(version ^ 0xf000_0000_0000_0000) }
}

fn entry(version: u64, bytes: usize) -> HistoryEntry {
    HistoryEntry {
        at: at(version),
        client: ClientId([7; 16]),
        number: ChangesetNumber(version),
        time: Millis(1_000 + version),
        changeset: vec![version as u8; bytes],
    }
}

fn client(user: &str, number: u64) -> ClientRecord {
    ClientRecord {
        user: user.to_string(),
        number: ChangesetNumber(number),
        hash: ChainHash([number as u8; 16]),
        integrated: ServerVersion(number),
        seen: ServerVersion(0),
        seen_at: Millis(5),
    }
}

fn record(epoch: u8, version: u64) -> RealmRecord {
    RealmRecord { epoch: Epoch([epoch; 16]), head: at(version), floor: at(version), clients: BTreeMap::new() }
}

fn image(version: u64) -> Image {
    Image { version: ServerVersion(version), chunks: vec![vec![1, 2, 3], vec![], vec![9; 100_000]] }
}

fn entries(versions: std::ops::RangeInclusive<u64>) -> Append {
    Append { entries: versions.map(|version| entry(version, 10)).collect(), ..Append::default() }
}

fn versions(found: &[HistoryEntry]) -> Vec<u64> {
    found.iter().map(|entry| entry.at.version.0).collect()
}

fn begun(store: &dyn Storage) {
    store.begin("app/s_a", &record(1, 0), &image(0)).unwrap();
}

fn nothing_is_there_at_first(store: &dyn Storage) {
    assert!(store.realms().unwrap().is_empty());
    assert!(store.open("app/s_a").unwrap().is_none());
    assert!(store.load_image("app/s_a").unwrap().is_none());
    let unknown = store.append_if_head_is("app/s_a", ServerVersion(0), &Append::default());
    assert!(matches!(unknown, Err(StorageError::UnknownRealm(_))));
    assert!(matches!(store.read_after("app/s_a", ServerVersion(0), 1), Err(StorageError::UnknownRealm(_))));
}

fn what_was_appended_is_read_in_order(store: &dyn Storage) {
    begun(store);
    store.append_if_head_is("app/s_a", ServerVersion(0), &entries(1..=3)).unwrap();
    store.append_if_head_is("app/s_a", ServerVersion(3), &entries(4..=5)).unwrap();
    let all = store.read_after("app/s_a", ServerVersion(0), usize::MAX).unwrap();
    assert_eq!(all, (1..=5).map(|version| entry(version, 10)).collect::<Vec<_>>());
    assert_eq!(versions(&store.read_after("app/s_a", ServerVersion(3), usize::MAX).unwrap()), [4, 5]);
    assert!(store.read_after("app/s_a", ServerVersion(5), usize::MAX).unwrap().is_empty());
    assert_eq!(store.open("app/s_a").unwrap().unwrap().head, at(5));
}

fn a_moved_head_refuses_the_append_whole(store: &dyn Storage) {
    begun(store);
    store.append_if_head_is("app/s_a", ServerVersion(0), &entries(1..=2)).unwrap();
    let mut late = entries(1..=1);
    late.clients.insert(ClientId([1; 16]), client("u", 1));
    let refused = store.append_if_head_is("app/s_a", ServerVersion(0), &late);
    assert!(matches!(refused, Err(StorageError::HeadMoved { expected: 0, found: 2, .. })));
    assert!(store.open("app/s_a").unwrap().unwrap().clients.is_empty());
    assert_eq!(versions(&store.read_after("app/s_a", ServerVersion(0), usize::MAX).unwrap()), [1, 2]);
}

fn a_gap_in_an_append_is_refused_whole(store: &dyn Storage) {
    begun(store);
    let gap = Append { entries: vec![entry(1, 1), entry(3, 1)], ..Append::default() };
    assert!(matches!(store.append_if_head_is("app/s_a", ServerVersion(0), &gap), Err(StorageError::Corrupt(_))));
    assert_eq!(store.open("app/s_a").unwrap().unwrap().head, at(0));
    assert!(store.read_after("app/s_a", ServerVersion(0), usize::MAX).unwrap().is_empty());
}

fn a_reader_gets_at_least_one_entry_and_no_more_than_fits(store: &dyn Storage) {
    begun(store);
    let append = Append { entries: vec![entry(1, 50), entry(2, 50), entry(3, 50)], ..Append::default() };
    store.append_if_head_is("app/s_a", ServerVersion(0), &append).unwrap();
    assert_eq!(versions(&store.read_after("app/s_a", ServerVersion(0), 1).unwrap()), [1]);
    assert_eq!(versions(&store.read_after("app/s_a", ServerVersion(0), 100).unwrap()), [1, 2]);
    assert_eq!(versions(&store.read_after("app/s_a", ServerVersion(1), 99).unwrap()), [2]);
}

fn clients_change_and_are_forgotten_with_the_append(store: &dyn Storage) {
    begun(store);
    let (one, two) = (ClientId([1; 16]), ClientId([2; 16]));
    let mut append = entries(1..=1);
    append.clients.insert(one, client("u", 1));
    append.clients.insert(two, client("v", 0));
    store.append_if_head_is("app/s_a", ServerVersion(0), &append).unwrap();
    let change = Append {
        clients: [(one, client("u", 9))].into(),
        forgotten: vec![two, ClientId([3; 16])],
        ..Append::default()
    };
    store.append_if_head_is("app/s_a", ServerVersion(1), &change).unwrap();
    let record = store.open("app/s_a").unwrap().unwrap();
    assert_eq!(record.clients, [(one, client("u", 9))].into());
    assert_eq!(record.head, at(1));
}

fn a_trimmed_history_keeps_its_floor_and_what_is_above(store: &dyn Storage) {
    begun(store);
    store.append_if_head_is("app/s_a", ServerVersion(0), &entries(1..=6)).unwrap();
    assert!(matches!(store.trim("app/s_a", at(4)), Err(StorageError::Corrupt(_))), "the image is older");
    store.save_image("app/s_a", &image(5)).unwrap();
    store.trim("app/s_a", at(4)).unwrap();
    assert_eq!(store.open("app/s_a").unwrap().unwrap().floor, at(4));
    assert_eq!(versions(&store.read_after("app/s_a", ServerVersion(0), usize::MAX).unwrap()), [5, 6]);
    assert!(matches!(store.trim("app/s_a", at(3)), Err(StorageError::Corrupt(_))), "the floor never sinks");
    assert!(matches!(store.save_image("app/s_a", &image(3)), Err(StorageError::Corrupt(_))));
    assert!(matches!(store.save_image("app/s_a", &image(7)), Err(StorageError::Corrupt(_))));
    assert_eq!(store.load_image("app/s_a").unwrap().unwrap(), image(5));
}

fn a_realm_begun_anew_has_nothing_of_the_old(store: &dyn Storage) {
    begun(store);
    store.begin("app/s_b", &record(2, 0), &image(0)).unwrap();
    let mut append = entries(1..=3);
    append.clients.insert(ClientId([1; 16]), client("u", 1));
    store.append_if_head_is("app/s_a", ServerVersion(0), &append).unwrap();
    store.append_if_head_is("app/s_b", ServerVersion(0), &append).unwrap();
    store.begin("app/s_a", &record(9, 3), &image(3)).unwrap();
    assert_eq!(store.open("app/s_a").unwrap().unwrap(), record(9, 3));
    assert!(store.read_after("app/s_a", ServerVersion(0), usize::MAX).unwrap().is_empty());
    assert_eq!(versions(&store.read_after("app/s_b", ServerVersion(0), usize::MAX).unwrap()), [1, 2, 3]);
    assert_eq!(store.realms().unwrap(), ["app/s_a", "app/s_b"]);
}

fn users_are_remembered_per_app(store: &dyn Storage) {
    store.add_user("one", "ann", Millis(1)).unwrap();
    store.add_user("one", "ann", Millis(2)).unwrap();
    assert!(store.has_user("one", "ann").unwrap());
    assert!(!store.has_user("two", "ann").unwrap());
    assert!(!store.has_user("one", "bob").unwrap());
}

const SUITE: [fn(&dyn Storage); 9] = [
    nothing_is_there_at_first,
    what_was_appended_is_read_in_order,
    a_moved_head_refuses_the_append_whole,
    a_gap_in_an_append_is_refused_whole,
    a_reader_gets_at_least_one_entry_and_no_more_than_fits,
    clients_change_and_are_forgotten_with_the_append,
    a_trimmed_history_keeps_its_floor_and_what_is_above,
    a_realm_begun_anew_has_nothing_of_the_old,
    users_are_remembered_per_app,
];

#[test]
fn the_memory_store_keeps_the_promises() {
    for promise in SUITE {
        promise(&MemoryStorage::new());
    }
}

#[test]
fn the_sqlite_store_keeps_the_promises() {
    for promise in SUITE {
        let dir = tempfile::tempdir().unwrap();
        promise(&SqliteStorage::open(&dir.path().join("db")).unwrap());
    }
}

#[test]
fn a_reopened_file_has_everything() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    {
        let store = SqliteStorage::open(&path).unwrap();
        begun(&store);
        let mut append = entries(1..=2);
        append.clients.insert(ClientId([1; 16]), client("u", 2));
        store.append_if_head_is("app/s_a", ServerVersion(0), &append).unwrap();
    }
    let store = SqliteStorage::open(&path).unwrap();
    let record = store.open("app/s_a").unwrap().unwrap();
    assert_eq!((record.head, record.clients.len()), (at(2), 1));
    assert_eq!(store.load_image("app/s_a").unwrap().unwrap(), image(0));
    assert_eq!(store.read_after("app/s_a", ServerVersion(1), usize::MAX).unwrap(), [entry(2, 10)]);
}

#[test]
fn a_copy_is_whole_and_brings_everything_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStorage::open(&dir.path().join("db")).unwrap();
    begun(&store);
    store.append_if_head_is("app/s_a", ServerVersion(0), &entries(1..=2)).unwrap();
    let copy = dir.path().join("copy");
    store.copy_to(&copy).unwrap();
    store.append_if_head_is("app/s_a", ServerVersion(2), &entries(3..=9)).unwrap();
    store.begin("app/s_new", &record(3, 0), &image(0)).unwrap();

    let mut reports = Vec::new();
    let source = SqliteStorage::open_verified(&copy).unwrap();
    store.replace_from(&source, |left, all| reports.push((left, all))).unwrap();
    assert_eq!(store.realms().unwrap(), ["app/s_a"]);
    assert_eq!(store.open("app/s_a").unwrap().unwrap().head, at(2));
    assert_eq!(reports.last().unwrap().0, 0);
    store.append_if_head_is("app/s_a", ServerVersion(2), &entries(3..=3)).unwrap();
    drop(store);
    let store = SqliteStorage::open(&dir.path().join("db")).unwrap();
    assert_eq!(store.open("app/s_a").unwrap().unwrap().head, at(3), "the file stays a usable WAL database");
}

#[test]
fn what_is_no_database_of_ours_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let check = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        assert!(SqliteStorage::open(&path).is_err(), "{name}");
        assert!(SqliteStorage::open_verified(&path).is_err(), "{name}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    };
    check("text", &b"not a database, but long enough to be looked at ".repeat(100));
    let store = SqliteStorage::open(&dir.path().join("db")).unwrap();
    begun(&store);
    store.copy_to(&dir.path().join("copy")).unwrap();
    let mut damaged = std::fs::read(dir.path().join("copy")).unwrap();
    let page = damaged.len() - 3 * 4096;
    damaged[page..page + 2048].fill(0xee);
    std::fs::write(dir.path().join("damaged"), &damaged).unwrap();
    assert!(SqliteStorage::open_verified(&dir.path().join("damaged")).is_err());
    assert!(SqliteStorage::open_verified(&dir.path().join("absent")).is_err());
}
