//! Files written by every version of the format: they must be read for ever, and the present version must still write
//! the same bytes. A change of the format adds a file; none is ever deleted. `EBBTIDE_WRITE_GOLDEN=1` writes the files
//! that are missing.

use std::path::PathBuf;

use ebbtide_core::batch::{Head, LoadedStore};
use ebbtide_core::changeset::Changeset;
use ebbtide_core::page::{export, import};
use ebbtide_core::replica::{LogEntry, Replica, decode_block, encode_block};
use ebbtide_core::{LogPosition, RecordId};

use crate::world::{DOG, Edit, Order, replica, write};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The golden bytes of `name`, which the present version must write as well.
fn golden(name: &str, present: &[u8]) -> Vec<u8> {
    let path = file(name);
    if !path.exists() && std::env::var_os("EBBTIDE_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, present).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(bytes == present, "{name} is no longer written as it was: give the format a new number and a new file");
    bytes
}

fn story() -> (Replica, Order) {
    let mut order = Order::new();
    let (mut mine, mut other) = (replica(1), replica(2));
    let edits = [
        Edit::CreatePerson(1),
        Edit::CreateDog(1),
        Edit::Name(1, "Rex".into()),
        Edit::Age(1, Some(7)),
        Edit::Owner(1, Some(1)),
        Edit::TagInsert(1, 0, "good".into()),
        Edit::TagInsert(1, 1, "boy".into()),
        Edit::TagMove(1, 1, 0),
        Edit::CreateDog(2),
        Edit::FriendInsert(1, 0, 2),
    ];
    write(&mut mine, 1_000, &edits);
    order.upload_all(&mine);
    order.download(&mut other, 9);
    write(&mut other, 2_000, &[Edit::TagSet(1, 0, "old".into()), Edit::DeleteDog(2), Edit::TagClear(1)]);
    order.upload_all(&other);
    order.download(&mut mine, 9);
    write(&mut mine, 3_000, &[Edit::Name(1, "Rexx".into()), Edit::FriendInsert(1, 0, 1), Edit::TagRemove(1, 0)]);
    (mine, order)
}

#[test]
fn changesets_of_every_version_are_read() {
    let (mine, order) = story();
    let mut all = order.history.clone();
    all.extend(mine.pending().map(|own| own.bytes.clone()));
    for (index, bytes) in all.iter().enumerate() {
        let kept = golden(&format!("changeset-{index}.v1"), bytes);
        let changeset = Changeset::decode(&kept).unwrap();
        assert_eq!(changeset.encode(), kept);
        assert!(changeset.instructions().count() > 0);
    }
}

#[test]
fn stores_of_every_version_are_read() {
    let (mut mine, _) = story();
    let checkpoint = mine.checkpoint(LogPosition(5));
    let mut store = LoadedStore { root: Some(golden("root.v1", &checkpoint.root)), ..LoadedStore::default() };
    for (record, bytes) in &checkpoint.pages {
        store.pages.push((*record, golden(&format!("page-{}.v1", record.0), bytes)));
    }
    let block = golden("log.v1", &encode_block(LogPosition(5), &checkpoint.log));
    assert!(matches!(decode_block(LogPosition(5), &block).unwrap()[0], LogEntry::Local(_)));
    store.log.push((LogPosition(5), block));
    let head = Head { generation: 2, fence: 1, next_position: LogPosition(6) };
    store.head = Some(golden("head.v1", &head.encode()));
    let loaded = Replica::load(&store).unwrap();
    assert_eq!(loaded.current().canonical(), mine.current().canonical());
    assert_eq!(loaded.current().table(DOG).len(), 1);
    assert_eq!(store.pages[0].0, RecordId(1));
}

#[test]
fn images_of_every_version_are_read() {
    let (_, order) = story();
    let image = golden("image.v1", &export(&order.state, usize::MAX).concat());
    assert_eq!(import([image.as_slice()]).unwrap().canonical(), order.state.canonical());
}
