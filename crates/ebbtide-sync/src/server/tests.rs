//! The rules as tables.

use std::collections::BTreeMap;

use ebbtide_core::changeset::Changeset;
use ebbtide_core::objects::{Synced, WriteContext};
use ebbtide_core::{
    ChainHash, ChangesetNumber, ClassIndex, ClassSchema, ClientId, Collection, ColumnIndex, EditTime, Epoch, Millis,
    ObjectKey, Property, PropertyType, Salt, Schema, ServerVersion, Snapshot, Transaction, Value, ValueRef,
};

use super::*;
use crate::wire::{Code, Cursor, Purpose, UploadCursor};

const ANN: ClientId = ClientId([1; 16]);
const BOB: ClientId = ClientId([2; 16]);
const EPOCH: Epoch = Epoch([7; 16]);
const NOW: Millis = Millis(1_000_000_000_000);
const DAY: u64 = 86_400_000;

fn property(name: &str, kind: PropertyType) -> Property {
    Property {
        name: name.into(),
        kind,
        collection: Collection::None,
        optional: false,
        target: None,
        indexed: ebbtide_core::IndexKind::None,
    }
}

fn link(name: &str, target: &str) -> Property {
    Property { optional: true, target: Some(target.into()), ..property(name, PropertyType::Link) }
}

fn class(name: &str, properties: Vec<Property>) -> ClassSchema {
    ClassSchema {
        kind: ebbtide_core::ClassKind::TopLevel,
        name: name.into(),
        primary_key: Some(ColumnIndex(0)),
        properties,
    }
}

fn schema() -> Schema {
    let list = Property { collection: Collection::List, optional: false, ..link("parts", "Task") };
    Schema::of([class(
        "Task",
        vec![
            property("_id", PropertyType::Int),
            property("title", PropertyType::String),
            property("count", PropertyType::Int),
            link("parent", "Task"),
            list,
        ],
    )])
}

fn realm() -> Realm {
    let start = Position::default();
    let record = RealmRecord { epoch: EPOCH, head: start, floor: start, clients: BTreeMap::new() };
    let mut realm = Realm::new(record, Snapshot::empty(&schema()));
    let mut integration = Integration::new(&realm, NOW);
    integration.register(ANN, ClientRecord::new("ann", ServerVersion(0), NOW));
    integration.register(BOB, ClientRecord::new("bob", ServerVersion(0), NOW));
    let step = integration.finish();
    realm.advance(step);
    realm
}

/// A client's side: it writes tasks, one a changeset.
struct Author {
    client: ClientId,
    number: u64,
    hash: ChainHash,
    base: ServerVersion,
}

impl Author {
    fn new(client: ClientId) -> Author {
        Author { client, number: 0, hash: ChainHash::default(), base: ServerVersion(0) }
    }

    fn task(&mut self, id: i64) -> Vec<u8> {
        self.write(&schema(), |tx| {
            let key = tx.create(ClassIndex(0), Some(Value::Int(id))).unwrap();
            tx.set(ClassIndex(0), key, ColumnIndex(1), Value::String(format!("task {id}"))).unwrap();
        })
    }

    fn write(&mut self, schema: &Schema, write: impl FnOnce(&mut Transaction)) -> Vec<u8> {
        self.number += 1;
        let context = WriteContext {
            client: self.client,
            number: ChangesetNumber(self.number),
            base: self.base,
            parent: self.hash,
            time: EditTime(self.number << 16),
            next_key: ObjectKey(1),
            synced: Synced::Yes,
        };
        let mut tx = Transaction::begin(&Snapshot::empty(schema), context);
        write(&mut tx);
        let changeset = tx.finish().unwrap().1.unwrap();
        self.hash = changeset.hash();
        changeset.encode()
    }

    fn last(&self) -> Option<UploadCursor> {
        (self.number > 0).then_some(UploadCursor { number: ChangesetNumber(self.number), hash: self.hash })
    }
}

/// A realm at version 5 with floor 2: three entries of Ann, then two of Bob; the salt of a version is ten times it.
fn grown() -> (Realm, Author) {
    let mut realm = realm();
    let (mut ann, mut bob) = (Author::new(ANN), Author::new(BOB));
    let mut integration = Integration::new(&realm, NOW);
    for n in 1..=5_u64 {
        let (author, bytes) = if n <= 3 { (ANN, ann.task(n as i64)) } else { (BOB, bob.task(n as i64)) };
        integration.upload(author, bytes, Salt(n * 10)).unwrap();
    }
    let step = integration.finish();
    realm.advance(step);
    realm.trimmed(Position { version: ServerVersion(2), salt: Salt(20) });
    (realm, ann)
}

fn cursor(version: u64) -> Option<Cursor> {
    Some(Cursor { epoch: EPOCH, version: ServerVersion(version), salt: Salt(version * 10) })
}

fn request(cursor: Option<Cursor>, last: Option<UploadCursor>) -> BindRequest {
    BindRequest { user: "ann".into(), client: ANN, schema: schema(), cursor, last, purpose: Purpose::Sync }
}

fn bind(request: &BindRequest, later: u64) -> Result<Start, Code> {
    let (realm, _) = grown();
    let rules = BindRules { max_offline_ms: 30 * DAY, schema: SchemaRule::Fixed };
    let salt = request.cursor.filter(|cursor| (3..5).contains(&cursor.version.0)).map(|c| Salt(c.version.0 * 10));
    check_bind(&realm, rules, request, salt, Millis(NOW.0 + later))
        .map(|bind| bind.start)
        .map_err(|refusal| refusal.code)
}

#[test]
fn a_client_continues_exactly_where_its_history_is_the_servers() {
    let (_, ann) = grown();
    let at = |version: u64| Ok(Start::After(Position { version: ServerVersion(version), salt: Salt(version * 10) }));
    let check =
        |cursor: Option<Cursor>, last, wanted| assert_eq!(bind(&request(cursor, last), 0), wanted, "{cursor:?}");
    for version in 2..=5 {
        check(cursor(version), ann.last(), at(version));
    }
    check(cursor(6), ann.last(), Err(Code::BAD_SERVER_VERSION));
    check(cursor(1_000_000), ann.last(), Err(Code::BAD_SERVER_VERSION));
    check(cursor(1), ann.last(), Err(Code::CLIENT_FILE_EXPIRED));
    check(None, ann.last(), Err(Code::CLIENT_FILE_EXPIRED));
    for version in 2..=5 {
        let salt = cursor(version).map(|cursor| Cursor { salt: Salt(1), ..cursor });
        check(salt, ann.last(), Err(Code::DIVERGING_HISTORIES));
        let epoch = cursor(version).map(|cursor| Cursor { epoch: Epoch([8; 16]), ..cursor });
        check(epoch, ann.last(), Err(Code::DIVERGING_HISTORIES));
    }
}

#[test]
fn what_the_server_has_of_a_client_must_be_what_the_client_has() {
    let (_, mut ann) = grown();
    let three = ann.last();
    let last = |number: u64, hash| Some(UploadCursor { number: ChangesetNumber(number), hash });
    let check = |last, wanted: Result<(), Code>| assert_eq!(bind(&request(cursor(5), last), 0).map(|_| ()), wanted);
    check(three, Ok(()));
    check(None, Err(Code::BAD_CLIENT_VERSION));
    check(last(2, ann.hash), Err(Code::BAD_CLIENT_VERSION));
    check(last(3, ChainHash([9; 16])), Err(Code::BAD_CLIENT_VERSION));
    ann.task(100);
    check(ann.last(), Ok(()));
}

#[test]
fn who_is_not_known_or_belongs_to_another_or_was_away_too_long_is_refused() {
    let (_, ann) = grown();
    let base = request(cursor(5), ann.last());
    let stranger = BindRequest { client: ClientId([9; 16]), ..base.clone() };
    assert_eq!(bind(&stranger, 0), Err(Code::BAD_CLIENT_FILE_IDENT));
    assert_eq!(bind(&BindRequest { last: None, ..stranger.clone() }, 0), Err(Code::BAD_CLIENT_FILE_IDENT));
    let fresh = BindRequest { cursor: None, last: None, purpose: Purpose::Fresh { resume: None }, ..stranger };
    assert_eq!(bind(&fresh, 0), Ok(Start::Snapshot { resume: None }));
    let server = BindRequest { client: ClientId::default(), cursor: None, last: None, ..base.clone() };
    assert_eq!(bind(&server, 0), Err(Code::BAD_CLIENT_FILE), "the server's own name is nobody else's");
    let thief = BindRequest { user: "bob".into(), ..base.clone() };
    assert_eq!(bind(&thief, 0), Err(Code::USER_MISMATCH));
    assert!(bind(&base, 30 * DAY).is_ok());
    assert_eq!(bind(&base, 30 * DAY + 1), Err(Code::CLIENT_FILE_EXPIRED));
    let again = BindRequest { purpose: Purpose::Fresh { resume: None }, ..base };
    assert!(bind(&again, 300 * DAY).is_ok(), "a snapshot helps whoever was away");
}

#[test]
fn a_chain_is_continued_or_repeated_and_nothing_else() {
    let mut realm = realm();
    let mut ann = Author::new(ANN);
    let (one, two) = (ann.task(1), ann.task(2));
    let mut copy = Author::new(ANN);
    copy.task(1);
    let other_two = copy.task(20);

    let mut step = Integration::new(&realm, NOW);
    assert_eq!(step.upload(ANN, two.clone(), Salt(1)).unwrap_err().code, Code::BAD_CLIENT_VERSION, "a gap");
    assert_eq!(step.upload(ANN, one.clone(), Salt(1)).unwrap().version, ServerVersion(1));
    assert_eq!(step.upload(ANN, one.clone(), Salt(2)).unwrap().version, ServerVersion(1), "within one step");
    assert_eq!(step.upload(BOB, one.clone(), Salt(3)).unwrap_err().code, Code::BAD_CHANGESET, "of another");
    let step = step.finish();
    assert_eq!(step.append.entries.len(), 1);
    realm.advance(step);

    let mut step = Integration::new(&realm, NOW);
    assert_eq!(step.upload(ANN, one.clone(), Salt(4)).unwrap().version, ServerVersion(1));
    let accepted = step.upload(ANN, two.clone(), Salt(5)).unwrap();
    assert_eq!((accepted.number, accepted.version), (ChangesetNumber(2), ServerVersion(2)));
    assert_eq!(step.upload(ANN, other_two, Salt(6)).unwrap_err().code, Code::BAD_CLIENT_VERSION, "a copied store");
    assert_eq!(step.upload(ANN, one, Salt(7)).unwrap().number, ChangesetNumber(2), "the answer names the last");
    realm.advance(step.finish());
    assert_eq!(realm.state().object_count(), 2);
    assert_eq!(realm.record().head, Position { version: ServerVersion(2), salt: Salt(5) });
}

#[test]
fn what_does_not_fit_leaves_no_trace() {
    let realm = realm();
    let mut other = Schema::of([class("Other", vec![property("_id", PropertyType::Int)])]);
    let mut step = Integration::new(&realm, NOW);
    let foreign = Author::new(ANN).write(&other, |tx| {
        tx.create(ClassIndex(0), Some(Value::Int(1))).unwrap();
    });
    assert_eq!(step.upload(ANN, foreign, Salt(1)).unwrap_err().code, Code::BAD_CHANGESET);
    other = Schema::of([class("Task", vec![property("_id", PropertyType::String)])]);
    let wrong_key = Author::new(ANN).write(&other, |tx| {
        tx.create(ClassIndex(0), Some(Value::String("1".into()))).unwrap();
    });
    assert_eq!(step.upload(ANN, wrong_key, Salt(1)).unwrap_err().code, Code::BAD_CHANGESET);
    let mut ahead = Author { base: ServerVersion(1), ..Author::new(ANN) };
    assert_eq!(step.upload(ANN, ahead.task(1), Salt(1)).unwrap_err().code, Code::BAD_CHANGESET);
    for time in [0, 1 << 63, u64::MAX] {
        let mut timeless = Changeset::decode(&Author::new(ANN).task(1)).unwrap();
        timeless.time = EditTime(time);
        let refusal = step.upload(ANN, timeless.encode(), Salt(1)).unwrap_err();
        assert_eq!(refusal.code, Code::BAD_CHANGESET, "{time}");
    }
    for (ahead_ms, refused) in [(5 * 60_000, false), (5 * 60_000 + 1, true)] {
        let mut early = Changeset::decode(&Author::new(ANN).task(1)).unwrap();
        early.time = EditTime((NOW.0 + ahead_ms) << 16);
        let outcome = Integration::new(&realm, NOW).upload(ANN, early.encode(), Salt(1));
        assert_eq!(outcome.map_err(|refusal| refusal.code).is_err(), refused, "{ahead_ms}");
    }
    let stranger = ClientId([9; 16]);
    let unknown = step.upload(stranger, Author::new(stranger).task(1), Salt(1)).unwrap_err();
    assert_eq!(unknown.code, Code::BAD_CLIENT_FILE_IDENT);
    let large = vec![1; crate::wire::CHANGESET_BYTES_MAX + 1];
    assert_eq!(step.upload(ANN, large, Salt(1)).unwrap_err().code, Code::BAD_CHANGESET);
    let step = step.finish();
    assert!(step.append.is_empty());
    assert_eq!(step.state.object_count(), 0);
}

#[test]
fn a_forgotten_client_is_forgotten_within_the_step() {
    let realm = realm();
    let mut ann = Author::new(ANN);
    let mut step = Integration::new(&realm, NOW);
    step.upload(ANN, ann.task(1), Salt(1)).unwrap();
    step.forget(ANN);
    assert_eq!(step.upload(ANN, ann.task(2), Salt(2)).unwrap_err().code, Code::BAD_CLIENT_FILE_IDENT);
    let mut realm = realm.clone();
    realm.advance(step.finish());
    assert!(!realm.record().clients.contains_key(&ANN));
}

#[test]
fn replaying_the_history_gives_the_state() {
    let mut realm = realm();
    let empty = realm.state().clone();
    let mut ann = Author::new(ANN);
    let mut history = Vec::new();
    for round in 0..5 {
        let mut step = Integration::new(&realm, NOW);
        for n in 0..3 {
            step.upload(ANN, ann.task(round * 3 + n), Salt(n as u64)).unwrap();
        }
        let step = step.finish();
        history.extend(step.append.entries.clone());
        realm.advance(step);
    }
    let mut replayed = Realm::new(realm.record().clone(), empty);
    replayed.replay(&history).unwrap();
    assert_eq!(replayed.state().object_count(), 15);
    assert_eq!(image(&replayed), image(&realm));
}

fn image(realm: &Realm) -> Vec<Vec<u8>> {
    ebbtide_core::page::export(realm.state(), 1 << 20)
}

#[test]
fn a_realm_that_is_loaded_again_gives_its_rows_the_keys_they_had() {
    fn grow(realm: &mut Realm, changeset: Vec<u8>) -> Vec<HistoryEntry> {
        let mut step = Integration::new(realm, NOW);
        step.upload(ANN, changeset, Salt(1)).unwrap();
        let step = step.finish();
        let entries = step.append.entries.clone();
        realm.advance(step);
        entries
    }
    let in_passing = |ann: &mut Author, id: i64| {
        ann.write(&schema(), |tx| {
            let key = tx.create(ClassIndex(0), Some(Value::Int(id))).unwrap();
            tx.delete(ClassIndex(0), key).unwrap();
        })
    };
    let (mut realm, mut ann) = (realm(), Author::new(ANN));
    grow(&mut realm, ann.task(1));
    grow(&mut realm, in_passing(&mut ann, 2));
    let saved = image(&realm);
    realm.saved();
    let state = ebbtide_core::page::import(saved.iter().map(Vec::as_slice)).unwrap();
    let mut loaded = Realm::new(realm.record().clone(), state);
    for changeset in [ann.task(3), in_passing(&mut ann, 4), ann.task(5)] {
        loaded.replay(&grow(&mut realm, changeset)).unwrap();
        assert_eq!(image(&loaded), image(&realm));
    }
}

#[test]
fn additions_become_an_entry_and_conflicts_do_not() {
    let wanted = Schema::of([
        class("Task", vec![property("_id", PropertyType::Int), property("due", PropertyType::Date)]),
        class("Note", vec![property("_id", PropertyType::Uuid), link("about", "Task")]),
    ]);
    let entry = schema_entry(&schema(), &wanted, ServerVersion(3), EditTime(1)).unwrap().unwrap();
    assert_eq!((entry.client, entry.count), (ClientId::default(), 2));
    let mut realm = realm();
    let mut step = Integration::new(&realm, NOW);
    step.push_own(&entry, Salt(1));
    realm.advance(step.finish());
    assert!(realm.schema().class_index("Note").is_some());
    assert!(schema_entry(realm.schema(), &wanted, ServerVersion(4), EditTime(2)).unwrap().is_none());
    let mut bad = ClassSchema::clone(&schema().classes[0]);
    bad.properties[2] = property("count", PropertyType::Date);
    let refusal = schema_entry(&schema(), &Schema::of([bad]), ServerVersion(3), EditTime(1)).unwrap_err();
    assert_eq!(refusal.code, Code::INVALID_SCHEMA_CHANGE);
    assert!(refusal.reason.contains("'Task.count' is of type 'int' on the server and 'date' on the client"));
}

#[test]
fn additions_that_no_client_could_download_are_refused() {
    let wide = |class_number: usize| {
        let property = |n| property(&format!("{n:060}"), PropertyType::Int);
        class(&format!("Class{class_number}"), (0..1_000).map(property).collect())
    };
    let entry =
        |classes: usize| schema_entry(&schema(), &Schema::of((0..classes).map(wide)), ServerVersion(3), EditTime(1));
    assert!(entry(40).unwrap().unwrap().encode().len() < crate::wire::CHANGESET_BYTES_MAX);
    assert_eq!(entry(60).unwrap_err().code, Code::INVALID_SCHEMA_CHANGE);
}

#[test]
fn a_destructive_change_keeps_all_that_it_does_not_name() {
    let mut realm = realm();
    let changeset = Author::new(ANN).write(&schema(), |tx| {
        let task = ClassIndex(0);
        let keys: Vec<_> = (1..=3).map(|id| tx.create(task, Some(Value::Int(id))).unwrap()).collect();
        for (n, key) in keys.iter().enumerate() {
            tx.set(task, *key, ColumnIndex(1), Value::String(format!("{}", n * 10))).unwrap();
            tx.set(task, *key, ColumnIndex(2), Value::Int(n as i64)).unwrap();
            tx.set(task, *key, ColumnIndex(3), Value::Link(keys[0])).unwrap();
            tx.list_insert(task, *key, ColumnIndex(4), 0, Value::Link(keys[2])).unwrap();
        }
    });
    let mut step = Integration::new(&realm, NOW);
    step.upload(ANN, changeset, Salt(1)).unwrap();
    realm.advance(step.finish());

    let shown = |change: SchemaChange| {
        let schema = change.apply(realm.schema())?;
        let state = reshape(realm.state(), &schema)?;
        Ok::<_, ReshapeError>(describe(&state))
    };
    let drop = |property: &str| SchemaChange::DropProperty { class: "Task".into(), property: property.into() };
    let retype = |p: Property| SchemaChange::ChangeType { class: "Task".into(), property: p };
    assert_eq!(shown(drop("count")).unwrap()[1], "_id=2 title='10' parent->1 parts=[->3]");
    assert_eq!(shown(drop("parent")).unwrap()[2], "_id=3 title='20' count=2 parts=[->3]");
    let row = |change| shown(change).unwrap().remove(2);
    assert_eq!(row(retype(property("title", PropertyType::Int))), "_id=3 title=20 count=2 parent->1 parts=[->3]");
    assert_eq!(
        row(retype(property("count", PropertyType::String))),
        "_id=3 title='20' count='2' parent->1 parts=[->3]"
    );
    let rekey = |p: &str| SchemaChange::ChangePrimaryKey { class: "Task".into(), property: p.into() };
    assert_eq!(row(rekey("title")), "_id=3 title='20' count=2 parent->'0' parts=[->'20']");
    assert!(matches!(shown(rekey("parent")), Err(ReshapeError::Schema(_))));
    assert!(matches!(shown(drop("_id")), Err(ReshapeError::IsPrimaryKey(..))));
    assert!(matches!(shown(drop("nothing")), Err(ReshapeError::NoSuchProperty(..))));
    assert_eq!(shown(SchemaChange::DropClass { class: "Task".into() }).unwrap(), Vec::<String>::new());
}

#[test]
fn a_primary_key_must_tell_objects_apart() {
    let mut realm = realm();
    let mut ann = Author::new(ANN);
    let mut step = Integration::new(&realm, NOW);
    step.upload(ANN, ann.task(1), Salt(1)).unwrap();
    step.upload(ANN, ann.task(2), Salt(2)).unwrap();
    realm.advance(step.finish());
    let change = SchemaChange::ChangePrimaryKey { class: "Task".into(), property: "count".into() };
    let schema = change.apply(realm.schema()).unwrap();
    let refused = reshape(realm.state(), &schema).unwrap_err();
    assert_eq!(refused, ReshapeError::NotUnique("Task".into(), "count".into()));
}

/// Objects of class Task, one line each.
fn describe(state: &Snapshot) -> Vec<String> {
    let Some(class) = state.schema().class_index("Task") else { return Vec::new() };
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Int(v) => v.to_string(),
        ValueRef::String(v) => format!("'{v}'"),
        other => panic!("{other:?}"),
    };
    let link = |key: ObjectKey| format!("->{}", text(state.primary_key(class, key).unwrap().as_ref()));
    let cell = |name: &str, value: ValueRef<'_>| match value {
        ValueRef::Link(key) => format!("{name}{}", link(key)),
        ValueRef::List(list) => {
            let links = list.iter().map(|value| match value {
                ValueRef::Link(key) => link(key),
                other => text(other),
            });
            format!("{name}=[{}]", links.collect::<Vec<_>>().join(" "))
        }
        value => format!("{name}={}", text(value)),
    };
    let row = |row: ebbtide_core::objects::Row<'_>| {
        let properties = state.schema().class(class).properties.iter().enumerate();
        let cells = properties.map(|(column, p)| cell(&p.name, row.value(ColumnIndex(column as u32))));
        cells.collect::<Vec<_>>().join(" ")
    };
    state.table(class).rows().map(row).collect()
}
