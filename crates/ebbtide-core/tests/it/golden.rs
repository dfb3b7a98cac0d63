//! Files written by every version of the format: they must be read for ever, and the present version must still write
//! the same bytes. A change of the format adds a file; none is ever deleted. `EBBTIDE_WRITE_GOLDEN=1` writes the files
//! that are missing.

use std::path::PathBuf;

use ebbtide_core::batch::{Head, LoadedStore, seal};
use ebbtide_core::changeset::Changeset;
use ebbtide_core::objects::Embedding;
use ebbtide_core::page::{export, import};
use ebbtide_core::replica::{LogEntry, Replica, decode_block, encode_block};
use ebbtide_core::{Decimal, LogPosition, Millis, RecordId, Transaction, Value};

use crate::types_world::{self, INNER, OTHER, PART, THING, column};
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
    let head = Head { generation: 2, fence: 1, next_position: LogPosition(6), roots: 3 };
    store.head = Some(golden("head-with-roots.v1", &head.encode()));
    let first = seal(|out| {
        out.u64(2);
        out.u64(1);
        out.u64(6);
    });
    assert_eq!(Head::decode(&golden("head.v1", &first)), Ok(Head { roots: 0, ..head }));
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

/// A state with every type in every place, and what was removed from it.
fn types_story() -> (Replica, Order) {
    let mut order = Order::of(&types_world::schema());
    let (mut mine, mut other) = (types_world::replica(1), types_world::replica(2));
    let mut t = mine.begin(Millis(1_000));
    fill(&mut t);
    mine.commit(t).unwrap();
    order.upload_all(&mine);
    order.download(&mut mine, 9);
    order.download(&mut other, 9);
    let mut t = other.begin(Millis(2_000));
    change(&mut t);
    other.commit(t).unwrap();
    order.upload_all(&other);
    order.download(&mut mine, 9);
    mine.current().audit().unwrap();
    (mine, order)
}

fn fill(t: &mut Transaction) {
    let at = |name: &str| column(THING, name);
    let thing = t.create(THING, Some(Value::Int(1))).unwrap();
    let other = t.create(OTHER, Some(Value::Int(-2))).unwrap();
    let decimal = |text: &str| Value::Decimal(Decimal::parse(text).unwrap());
    let link = Value::TypedLink(OTHER, other);
    let map =
        Value::Map([("a".into(), link.clone()), ("b".into(), Value::Array(vec![Value::Null, decimal("1.50")]))].into());
    let cells = [
        ("count", Value::Int(7)),
        ("float", Value::Float(1.5)),
        ("decimal", decimal("-1E+10")),
        ("bool", Value::Bool(true)),
        ("date", Value::Date(-1)),
        ("data", Value::Data(vec![0, 255])),
        ("oid", Value::ObjectId([3; 12])),
        ("uuid", Value::Uuid([4; 16])),
        ("mixed", map.clone()),
        ("other", Value::Link(other)),
    ];
    for (name, value) in cells {
        t.set(THING, thing, at(name), value).unwrap();
    }
    t.set_default(THING, thing, at("maybe"), Value::Int(5)).unwrap();
    t.list_insert(THING, thing, at("doubles"), 0, Value::Double(0.25)).unwrap();
    t.list_insert(THING, thing, at("decimals"), 0, decimal("NaN")).unwrap();
    t.list_insert(THING, thing, at("mixeds"), 0, map.clone()).unwrap();
    t.list_insert(THING, thing, at("things"), 0, Value::Link(thing)).unwrap();
    for n in [3, 1, 2] {
        t.set_insert(THING, thing, at("ints"), Value::Int(n)).unwrap();
    }
    t.set_insert(THING, thing, at("strings"), Value::Null).unwrap();
    t.set_insert(THING, thing, at("friends"), Value::Link(thing)).unwrap();
    for value in [link, Value::Int(1), Value::String("x".into())] {
        t.set_insert(THING, thing, at("bag"), value).unwrap();
    }
    t.dictionary_set(THING, thing, at("counts"), "k", Value::Int(1)).unwrap();
    t.dictionary_set(THING, thing, at("floats"), "", Value::Float(-0.0)).unwrap();
    t.dictionary_set(THING, thing, at("by_name"), "nobody", Value::Null).unwrap();
    t.dictionary_set(THING, thing, at("by_name"), "somebody", Value::Link(other)).unwrap();
    t.dictionary_set(THING, thing, at("anything"), "k", map).unwrap();
    for place in
        [("part", Embedding::Property), ("parts", Embedding::Insert(0)), ("parts_by_name", Embedding::Key("k"))]
    {
        let part = t.embed(THING, thing, at(place.0), place.1).unwrap();
        t.set(PART, part, column(PART, "n"), Value::Int(9)).unwrap();
        let inner = t.embed(PART, part, column(PART, "inners"), Embedding::Insert(0)).unwrap();
        t.set(INNER, inner, column(INNER, "text"), Value::String("in".into())).unwrap();
    }
}

fn change(t: &mut Transaction) {
    let at = |name: &str| column(THING, name);
    let thing = t.snapshot().find(THING, &Value::Int(1)).unwrap();
    t.increment(THING, thing, at("count"), -3).unwrap();
    t.set_remove(THING, thing, at("ints"), &Value::Int(3)).unwrap();
    t.set_remove(THING, thing, at("friends"), &Value::Link(thing)).unwrap();
    t.set_clear(THING, thing, at("strings")).unwrap();
    t.dictionary_remove(THING, thing, at("counts"), "k").unwrap();
    t.dictionary_clear(THING, thing, at("floats")).unwrap();
    t.embed(THING, thing, at("parts"), Embedding::Replace(0)).unwrap();
    for key in t.snapshot().table(INNER).keys().collect::<Vec<_>>() {
        t.delete(INNER, key).unwrap();
    }
}

#[test]
fn changesets_of_every_type_are_read() {
    let (_, order) = types_story();
    for (index, bytes) in order.history.iter().enumerate() {
        let kept = golden(&format!("changeset-types-{index}.v1"), bytes);
        assert_eq!(Changeset::decode(&kept).unwrap().encode(), kept);
    }
}

#[test]
fn stores_and_images_of_every_type_are_read() {
    let (mut mine, order) = types_story();
    let checkpoint = mine.checkpoint(LogPosition(0));
    let mut store = LoadedStore { root: Some(golden("root-types.v1", &checkpoint.root)), ..LoadedStore::default() };
    for (record, bytes) in &checkpoint.pages {
        store.pages.push((*record, golden(&format!("page-types-{}.v1", record.0), bytes)));
    }
    store.head = Some(Head::default().encode());
    let loaded = Replica::load(&store).unwrap();
    loaded.current().audit().unwrap();
    assert_eq!(loaded.current().canonical(), mine.current().canonical());
    let image = golden("image-types.v1", &export(&order.state, usize::MAX).concat());
    assert_eq!(import([image.as_slice()]).unwrap().canonical(), order.state.canonical());
}
