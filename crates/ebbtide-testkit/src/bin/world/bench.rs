//! How fast changesets merge, how many bytes they take, and how long catching up takes, as it grows.

use std::time::Instant;

use ebbtide_core::objects::Synced;
use ebbtide_core::replica::{Cursor, HistoryBody, HistoryEntry, LogEntry, Replica, encode_block};
use ebbtide_core::{
    ChangesetNumber, ClassIndex, ClassKind, ClassSchema, ClientId, ColumnIndex, Epoch, LogPosition, Millis, Property,
    PropertyType, Salt, Schema, ServerVersion, Snapshot, Value,
};
use ebbtide_sync::server::{ClientRecord, Integration, Position, Realm, RealmRecord};
use ebbtide_sync::wire::{ClientMessage, SessionId};

const TASK: ClassIndex = ClassIndex(0);
const OBJECTS: i64 = 1_000;
/// How many changesets a server sends in one message: as many as fit a frame would be more.
const MESSAGE_ENTRIES: usize = 512;
const EPOCH: Epoch = Epoch([1; 16]);

/// Prints the figures.
pub fn measure() -> bool {
    println!("One changeset sets two properties of one of {OBJECTS} objects; one thread.\n");
    for count in [1_000, 10_000, 50_000] {
        server_merges(count);
    }
    for (pending, entries) in
        [(0, 10_000), (100, 10_000), (1_000, 1_000), (1_000, 10_000), (1_000, 40_000), (4_000, 10_000)]
    {
        client_catches_up(pending, entries, MESSAGE_ENTRIES);
    }
    for pending in [0, 100, 1_000] {
        client_catches_up(pending, 1_000, 1);
    }
    bytes_of_a_changeset();
    true
}

fn schema() -> Schema {
    let properties = vec![
        Property::required("_id", PropertyType::Int),
        Property::required("title", PropertyType::String),
        Property::required("done", PropertyType::Bool),
        Property::required("rank", PropertyType::Int),
    ];
    Schema::of([ClassSchema {
        name: "Task".into(),
        kind: ClassKind::TopLevel,
        primary_key: Some(ColumnIndex(0)),
        properties,
    }])
}

/// A client that writes so many changesets.
fn writer(client: u8, count: usize) -> Vec<Vec<u8>> {
    let mut replica = Replica::new(&schema(), 0, ClientId([client; 16]), Synced::Yes);
    (0..count).for_each(|number| write(&mut replica, number as i64));
    replica.pending().map(|own| own.bytes.clone()).collect()
}

fn write(replica: &mut Replica, number: i64) {
    let mut t = replica.begin(Millis(1_700_000_000_000 + number as u64));
    let id = Value::Int(number % OBJECTS);
    let key = match t.snapshot().find(TASK, &id) {
        Some(key) => key,
        None => t.create(TASK, Some(id)).expect("the key is new"),
    };
    t.set(TASK, key, ColumnIndex(1), Value::String(format!("task number {number}"))).expect("a title is a string");
    t.set(TASK, key, ColumnIndex(3), Value::Int(number)).expect("a rank is a number");
    replica.commit(t).expect("it is small");
    replica.seal();
    replica.saved();
}

fn server_merges(count: usize) {
    let uploads = writer(2, count);
    let (head, floor) = (Position::default(), Position::default());
    let client = ClientId([2; 16]);
    let record = ClientRecord::new("user", ServerVersion(0), Millis(0));
    let record = RealmRecord { epoch: EPOCH, head, floor, clients: [(client, record)].into() };
    let mut realm = Realm::new(record, Snapshot::empty(&schema()));
    let start = Instant::now();
    for message in uploads.chunks(64) {
        let mut integration = Integration::new(&realm, Millis(1_700_000_000_000));
        for bytes in message {
            integration.upload(client, bytes.clone(), Salt(1)).expect("the chain continues");
        }
        let step = integration.finish();
        realm.advance(step);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("server: {count:>6} changesets integrated: {:>9.0} a second", count as f64 / seconds);
}

fn client_catches_up(pending: usize, entries: usize, together: usize) {
    let mut replica = Replica::new(&schema(), 0, ClientId([1; 16]), Synced::Yes);
    (0..pending).for_each(|number| write(&mut replica, number as i64));
    let history = writer(2, entries);
    let start = Instant::now();
    let mut version = 0;
    let mut messages = 0;
    for message in history.chunks(together) {
        let entry = |bytes: &Vec<u8>| {
            version += 1;
            let at = Cursor { epoch: EPOCH, version: ServerVersion(version), salt: Salt(version) };
            HistoryEntry { at, body: HistoryBody::Full(bytes.clone()) }
        };
        let entries = message.iter().map(entry).collect();
        let download = replica.prepare(entries).expect("the history can be read");
        replica.receive(download);
        messages += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(replica.pending().len(), pending);
    println!(
        "client: {pending:>5} pending catch up with {entries:>6} entries in {messages:>3} messages: {:>8.1} ms, {:>9.0} entries a second",
        seconds * 1_000.0,
        entries as f64 / seconds
    );
}

fn bytes_of_a_changeset() {
    let changesets = writer(2, 2_000);
    let later = &changesets[1_000..];
    let mean = later.iter().map(Vec::len).sum::<usize>() / later.len();
    let upload = ClientMessage::Upload { session: SessionId(1), changesets: later[..64].to_vec() };
    let wire = upload.encode().len() / 64;
    let entries: Vec<LogEntry> = later[..64].iter().cloned().map(LogEntry::Local).collect();
    let together = encode_block(LogPosition(1), &entries).len() / 64;
    let alone = encode_block(LogPosition(1), &entries[..1]).len();
    let own = HistoryEntry {
        at: Cursor { epoch: EPOCH, version: ServerVersion(1_000), salt: Salt(u64::MAX) },
        body: HistoryBody::Own(ChangesetNumber(1_000)),
    };
    let stub = encode_block(LogPosition(1), &vec![LogEntry::Server(own); 64]).len() / 64;
    println!(
        "bytes: a changeset {mean}; on the wire {wire} of a full UPLOAD; on disk {together} in a block of 64, {alone} alone; its confirmation {stub}"
    );
}
