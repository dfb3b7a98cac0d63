//! A few replicas and something that only orders their changesets.

use ebbtide_core::changeset::Changeset;
use ebbtide_core::merge::apply;
use ebbtide_core::objects::{KeySource, Synced};
use ebbtide_core::replica::{Cursor, HistoryBody, HistoryEntry, LogEntry, Replica};
use ebbtide_core::schema::{ClassSchema, Collection, Property, PropertyType, Schema};
use ebbtide_core::{
    ClassIndex, ClientId, ColumnIndex, Epoch, Millis, ObjectKey, Salt, ServerVersion, Snapshot, Transaction, Value,
};
use proptest::prelude::*;

pub const DOG: ClassIndex = ClassIndex(0);
pub const PERSON: ClassIndex = ClassIndex(1);
pub const NAME: ColumnIndex = ColumnIndex(1);
pub const AGE: ColumnIndex = ColumnIndex(2);
pub const OWNER: ColumnIndex = ColumnIndex(3);
pub const TAGS: ColumnIndex = ColumnIndex(4);
pub const FRIENDS: ColumnIndex = ColumnIndex(5);

pub fn property(name: &str, kind: PropertyType, optional: bool) -> Property {
    Property {
        name: name.into(),
        kind,
        collection: Collection::None,
        optional,
        target: None,
        indexed: ebbtide_core::IndexKind::None,
    }
}

pub fn link(name: &str, target: &str, collection: Collection) -> Property {
    let optional = collection == Collection::None;
    Property {
        name: name.into(),
        kind: PropertyType::Link,
        collection,
        optional,
        target: Some(target.into()),
        indexed: ebbtide_core::IndexKind::None,
    }
}

pub fn schema() -> Schema {
    let tags = Property { collection: Collection::List, ..property("tags", PropertyType::String, false) };
    Schema::of([
        ClassSchema {
            kind: ebbtide_core::ClassKind::TopLevel,
            name: "Dog".into(),
            primary_key: Some(ColumnIndex(0)),
            properties: vec![
                property("_id", PropertyType::Int, false),
                property("name", PropertyType::String, false),
                property("age", PropertyType::Int, true),
                link("owner", "Person", Collection::None),
                tags,
                link("friends", "Dog", Collection::List),
            ],
        },
        ClassSchema {
            kind: ebbtide_core::ClassKind::TopLevel,
            name: "Person".into(),
            primary_key: Some(ColumnIndex(0)),
            properties: vec![property("_id", PropertyType::Int, false), property("name", PropertyType::String, true)],
        },
    ])
}

/// One edit, the object named by a small primary key.
#[derive(Clone, Debug)]
pub enum Edit {
    CreateDog(i64),
    CreatePerson(i64),
    DeleteDog(i64),
    DeletePerson(i64),
    Name(i64, String),
    Age(i64, Option<i64>),
    Owner(i64, Option<i64>),
    TagInsert(i64, usize, String),
    TagSet(i64, usize, String),
    TagMove(i64, usize, usize),
    TagRemove(i64, usize),
    TagClear(i64),
    FriendInsert(i64, usize, i64),
    FriendRemove(i64, usize),
}

pub fn edit() -> impl Strategy<Value = Edit> {
    let id = || 0i64..6;
    prop_oneof![
        4 => id().prop_map(Edit::CreateDog),
        2 => id().prop_map(Edit::CreatePerson),
        1 => id().prop_map(Edit::DeleteDog),
        1 => id().prop_map(Edit::DeletePerson),
        2 => (id(), "[a-z]{0,8}").prop_map(|(id, name)| Edit::Name(id, name)),
        2 => (id(), prop::option::of(0i64..9)).prop_map(|(id, age)| Edit::Age(id, age)),
        2 => (id(), prop::option::of(id())).prop_map(|(id, owner)| Edit::Owner(id, owner)),
        4 => (id(), 0usize..5, "[a-z]{1,3}").prop_map(|(id, at, tag)| Edit::TagInsert(id, at, tag)),
        1 => (id(), 0usize..5, "[a-z]{1,3}").prop_map(|(id, at, tag)| Edit::TagSet(id, at, tag)),
        1 => (id(), 0usize..5, 0usize..5).prop_map(|(id, from, to)| Edit::TagMove(id, from, to)),
        1 => (id(), 0usize..5).prop_map(|(id, at)| Edit::TagRemove(id, at)),
        1 => id().prop_map(Edit::TagClear),
        2 => (id(), 0usize..5, id()).prop_map(|(id, at, friend)| Edit::FriendInsert(id, at, friend)),
        1 => (id(), 0usize..5).prop_map(|(id, at)| Edit::FriendRemove(id, at)),
    ]
}

/// Carries an edit out; one that makes no sense on this state is refused and changes nothing.
pub fn carry_out(transaction: &mut Transaction, edit: &Edit) {
    let dog = |t: &Transaction, id: i64| t.snapshot().find(DOG, &Value::Int(id)).unwrap_or(ObjectKey(u64::MAX));
    let person = |t: &Transaction, id: i64| t.snapshot().find(PERSON, &Value::Int(id)).unwrap_or(ObjectKey(u64::MAX));
    let t = transaction;
    let _ = match edit.clone() {
        Edit::CreateDog(id) => t.create(DOG, Some(Value::Int(id))).map(drop),
        Edit::CreatePerson(id) => t.create(PERSON, Some(Value::Int(id))).map(drop),
        Edit::DeleteDog(id) => t.delete(DOG, dog(t, id)),
        Edit::DeletePerson(id) => t.delete(PERSON, person(t, id)),
        Edit::Name(id, name) => t.set(DOG, dog(t, id), NAME, Value::String(name)),
        Edit::Age(id, age) => t.set(DOG, dog(t, id), AGE, age.map_or(Value::Null, Value::Int)),
        Edit::Owner(id, owner) => {
            let owner = owner.map_or(Value::Null, |owner| Value::Link(person(t, owner)));
            t.set(DOG, dog(t, id), OWNER, owner)
        }
        Edit::TagInsert(id, at, tag) => t.list_insert(DOG, dog(t, id), TAGS, at, Value::String(tag)),
        Edit::TagSet(id, at, tag) => t.list_set(DOG, dog(t, id), TAGS, at, Value::String(tag)),
        Edit::TagMove(id, from, to) => t.list_move(DOG, dog(t, id), TAGS, from, to),
        Edit::TagRemove(id, at) => t.list_remove(DOG, dog(t, id), TAGS, at),
        Edit::TagClear(id) => t.list_clear(DOG, dog(t, id), TAGS),
        Edit::FriendInsert(id, at, friend) => t.list_insert(DOG, dog(t, id), FRIENDS, at, Value::Link(dog(t, friend))),
        Edit::FriendRemove(id, at) => t.list_remove(DOG, dog(t, id), FRIENDS, at),
    };
}

/// Commits edits as one transaction.
/// Takes note that what was committed is in the log; gives the entry.
pub fn log(replica: &mut Replica) -> Option<LogEntry> {
    let entry = replica.unlogged().next().map(|own| LogEntry::Local(own.bytes.clone()));
    assert!(replica.unlogged().len() <= 1);
    replica.seal();
    replica.saved();
    entry
}

pub fn write(replica: &mut Replica, now: u64, edits: &[Edit]) -> Option<LogEntry> {
    let mut transaction = replica.begin(Millis(now));
    edits.iter().for_each(|edit| carry_out(&mut transaction, edit));
    replica.commit(transaction).unwrap();
    log(replica)
}

pub fn replica(client: u8) -> Replica {
    Replica::new(&schema(), 0, ClientId([client; 16]), Synced::Yes)
}

/// Orders changesets, as a server does, and keeps its own state.
pub struct Order {
    pub epoch: Epoch,
    pub history: Vec<Vec<u8>>,
    pub state: Snapshot,
    next_key: ObjectKey,
}

impl Order {
    pub fn new() -> Order {
        Order::of(&schema())
    }

    pub fn of(schema: &Schema) -> Order {
        Order { epoch: Epoch([7; 16]), history: Vec::new(), state: Snapshot::empty(schema), next_key: ObjectKey(1) }
    }

    pub fn head(&self) -> Cursor {
        self.cursor(self.history.len())
    }

    fn cursor(&self, version: usize) -> Cursor {
        Cursor { epoch: self.epoch, version: ServerVersion(version as u64), salt: Salt(version as u64 ^ 0xabcd) }
    }

    pub fn upload(&mut self, bytes: &[u8]) {
        let changeset = Changeset::decode(bytes).unwrap();
        self.history.push(bytes.to_vec());
        let mut keys = KeySource::new(self.next_key, Vec::new());
        let version = ServerVersion(self.history.len() as u64);
        apply(&mut self.state, &changeset, version, &mut keys);
        self.next_key = keys.next();
    }

    /// Uploads all that a replica has pending and that was not uploaded before.
    pub fn upload_all(&mut self, replica: &Replica) {
        for own in replica.pending() {
            if !self.history.contains(&own.bytes) {
                self.upload(&own.bytes);
            }
        }
    }

    /// At most `limit` entries that a replica has not seen.
    pub fn entries(&self, replica: &Replica, limit: usize) -> Vec<HistoryEntry> {
        let from = replica.cursor().map_or(0, |cursor| cursor.version.0 as usize);
        let entry = |(index, bytes): (usize, &Vec<u8>)| {
            let changeset = Changeset::decode(bytes).unwrap();
            let body = if changeset.client == replica.identity().client {
                HistoryBody::Own(changeset.number)
            } else {
                HistoryBody::Full(bytes.clone())
            };
            HistoryEntry { at: self.cursor(index + 1), body }
        };
        self.history.iter().enumerate().skip(from).take(limit).map(entry).collect()
    }

    pub fn download(&self, replica: &mut Replica, limit: usize) -> Vec<LogEntry> {
        let download = replica.prepare(self.entries(replica, limit)).unwrap();
        replica.receive(download).into_iter().map(LogEntry::Server).collect()
    }
}

/// Checks what must hold in every snapshot: links lead somewhere and have backlinks, and only those, and all the rest.
pub fn check_links(snapshot: &Snapshot) {
    snapshot.audit().unwrap_or_else(|what| panic!("{what}"));
}
