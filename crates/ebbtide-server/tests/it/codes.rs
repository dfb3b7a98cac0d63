//! Every code of a refused BIND or UPLOAD, provoked for real.

use ebbtide_core::{ChainHash, ClassSchema, ClientId, Collection, Property, PropertyType, Schema, Value};
use ebbtide_server::auth::RealmRule;
use ebbtide_sync::server::SchemaRule;
use ebbtide_sync::wire::{Action, ErrorMessage, Purpose};
use serde_json::json;

use crate::world::{DAY_MS, REALM, Setup, Store, TestServer, class, property, salted, tasks};

fn check(error: &ErrorMessage, code: u16, action: Action) {
    assert_eq!((error.code.0, error.action), (code, action), "{}", error.reason);
    assert!(!error.reason.is_empty());
}

/// A server with a few entries, and a store that has them.
async fn begun() -> (TestServer, Store) {
    let server = TestServer::start().await;
    let mut a = server.fresh().await;
    let mut peer = server.bound(&a).await;
    for n in 0..3 {
        let changeset = a.task(&n.to_string(), "x");
        peer.upload(vec![changeset]).await;
    }
    peer.settle(&mut a).await;
    peer.close().await;
    (server, a)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_client_is_told_208() {
    let (server, a) = begun().await;
    let id = a.client.to_string();
    let mut bound = server.bound(&a).await;
    let (status, body) = server.post("/admin/forget-client", json!({ "client": id })).await;
    assert_eq!((status, &body["realms"][0]), (200, &json!(format!("demo/{REALM}"))));
    check(&bound.expect_error().await, 208, Action::ClientReset);
    check(&server.refused(&a, Purpose::Sync).await, 208, Action::ClientReset);
    let mut unknown = a.clone();
    unknown.client = ClientId([9; 16]);
    unknown.number = 0;
    check(&server.refused(&unknown, Purpose::Sync).await, 208, Action::ClientReset);
    assert_eq!(server.post("/admin/forget-client", json!({ "client": id })).await.0, 400);
    let fresh = server.fresh().await;
    assert_eq!(fresh.titles(), a.titles());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_ahead_of_a_restored_server_is_told_209_and_one_that_it_outgrew_211() {
    let (server, mut a) = begun().await;
    let mut other = server.fresh().await;
    assert_eq!(server.post("/admin/backup", json!({ "name": "early" })).await.0, 200);
    let mut peer = server.bound(&a).await;
    let changesets = vec![a.task("3", "x"), a.task("4", "x")];
    peer.upload(changesets).await;
    peer.settle(&mut a).await;
    let (status, body) = server.post("/admin/restore", json!({ "name": "early" })).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(peer.expect_closed().await, 1012, "everybody is sent away");

    let mut stale = a.clone();
    stale.number = 3;
    check(&server.refused(&a, Purpose::Sync).await, 209, Action::ClientReset);

    // Somebody else goes on beyond the version that the first client has seen.
    let mut peer = server.bound(&other).await;
    for n in 0..4 {
        let changeset = other.task(&format!("other {n}"), "x");
        peer.upload(vec![changeset]).await;
    }
    peer.settle(&mut other).await;
    assert!(other.cursor.unwrap().version > a.cursor.unwrap().version);
    check(&server.refused(&a, Purpose::Sync).await, 211, Action::ClientReset);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_went_back_in_time_or_was_copied_is_told_210() {
    let (server, a) = begun().await;
    let mut older = a.clone();
    older.number = 2;
    older.hash = ChainHash([1; 16]);
    check(&server.refused(&older, Purpose::Sync).await, 210, Action::ClientReset);
    let mut nothing = a.clone();
    nothing.number = 0;
    check(&server.refused(&nothing, Purpose::Sync).await, 210, Action::ClientReset);
    let mut other_hash = a.clone();
    other_hash.hash = ChainHash([1; 16]);
    check(&server.refused(&other_hash, Purpose::Sync).await, 210, Action::ClientReset);

    // Two copies of one store: the second to upload does not continue the chain.
    let (mut one, mut two) = (a.clone(), a.clone());
    let mut peer = server.bound(&one).await;
    let changeset = one.task("of one", "x");
    peer.upload(vec![changeset]).await;
    peer.acked(&mut one).await;
    let changesets = vec![two.task("of two", "y"), two.task("of two again", "y")];
    peer.upload(changesets.clone()).await;
    check(&peer.expect_error().await, 210, Action::ClientReset);
    let mut peer = server.bound(&one).await;
    peer.upload(vec![changesets[1].clone()]).await;
    check(&peer.expect_error().await, 210, Action::ClientReset);
    assert_eq!(server.fresh().await.titles().len(), 4, "nothing of the copy is in the history");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_epoch_or_salt_is_told_211() {
    let (server, a) = begun().await;
    let mut other = a.clone();
    other.cursor = salted(a.cursor);
    check(&server.refused(&other, Purpose::Sync).await, 211, Action::ClientReset);
    let mut bound = server.bound(&a).await;
    let (status, body) = server.post("/admin/terminate-sync", json!({ "realm": REALM })).await;
    assert_eq!(status, 200, "{body}");
    check(&bound.expect_error().await, 211, Action::ClientReset);
    check(&server.refused(&a, Purpose::Sync).await, 211, Action::ClientReset);
    assert_eq!(server.fresh().await.titles(), a.titles(), "the data is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changeset_that_does_not_fit_is_told_212_and_leaves_no_trace() {
    let (server, a) = begun().await;
    let mut wider = a.clone();
    let mut schema = tasks();
    let mut task = ClassSchema::clone(&schema.classes[0]);
    task.properties[1] = property("title", PropertyType::Int);
    task.properties.push(property("extra", PropertyType::Int));
    schema = Schema::of([task, class("Unknown", vec![property("_id", PropertyType::Int)])]);
    wider.state = ebbtide_core::Snapshot::empty(&schema);
    type Make<'a> = Box<dyn Fn(&mut Store) -> Vec<u8> + Send + 'a>;
    let bad: Vec<Make<'_>> = vec![
        Box::new(|store| {
            store.write(|tx| {
                let class = tx.snapshot().schema().class_index("Unknown").unwrap();
                tx.create(class, Some(Value::Int(1))).unwrap();
            })
        }),
        Box::new(|store| {
            store.write(|tx| {
                let class = tx.snapshot().schema().class_index("Task").unwrap();
                let key = tx.create(class, Some(Value::String("t".to_string()))).unwrap();
                let column = tx.snapshot().schema().class(class).column("title").unwrap();
                tx.set(class, key, column, Value::Int(5)).unwrap();
            })
        }),
        Box::new(|store| {
            store.write(|tx| {
                let class = tx.snapshot().schema().class_index("Task").unwrap();
                let key = tx.create(class, Some(Value::String("t".to_string()))).unwrap();
                let column = tx.snapshot().schema().class(class).column("extra").unwrap();
                tx.set(class, key, column, Value::Int(5)).unwrap();
            })
        }),
        Box::new(|_| {
            let mut bytes = a.clone().task("cut", "x");
            bytes.truncate(bytes.len() - 3);
            bytes
        }),
        Box::new(|_| {
            let mut other = a.clone();
            other.client = ClientId([9; 16]);
            other.task("of another client", "x")
        }),
        Box::new(|_| vec![0xff; 100]),
        Box::new(|_| Vec::new()),
    ];
    for make in bad {
        let (mut peer, mut store) = (server.bound(&a).await, wider.clone());
        let changeset = make(&mut store);
        peer.upload(vec![changeset]).await;
        check(&peer.expect_error().await, 212, Action::ClientReset);
    }
    let mut good = a.clone();
    let mut peer = server.bound(&good).await;
    let changeset = good.task("good", "x");
    peer.upload(vec![changeset]).await;
    assert_eq!(peer.acked(&mut good).await.0.0, 4, "the chain goes on where it stood");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_below_the_kept_history_or_away_for_too_long_is_told_222() {
    let (server, mut a) = begun().await;
    let mut b = server.fresh().await;
    let mut peer = server.bound(&a).await;
    for n in 0..5 {
        let changeset = a.task(&format!("more {n}"), "x");
        peer.upload(vec![changeset]).await;
    }
    peer.settle(&mut a).await;
    let (status, body) = server.post("/admin/trim-history", json!({ "realm": REALM, "keep": 2 })).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["realms"][0]["floor"].as_u64().unwrap() + 2, body["realms"][0]["head"].as_u64().unwrap());
    check(&server.refused(&b, Purpose::Sync).await, 222, Action::ClientReset);
    peer.settle(&mut a).await;

    // One that has everything goes on, even at the floor itself.
    server.post("/admin/trim-history", json!({})).await;
    let mut peer = server.bound(&a).await;
    let changeset = a.task("after", "x");
    peer.upload(vec![changeset]).await;
    peer.settle(&mut a).await;
    b = server.fresh().await;
    assert_eq!(b.titles(), a.titles());

    server.pass(31 * DAY_MS);
    check(&server.refused(&a, Purpose::Sync).await, 222, Action::ClientReset);
    assert_eq!(server.fresh().await.titles(), a.titles());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_contradicts_the_servers_is_told_225_with_both_types() {
    let (server, a) = begun().await;
    let with = |change: &dyn Fn(&mut ClassSchema)| {
        let mut task = ClassSchema::clone(&tasks().classes[0]);
        change(&mut task);
        let mut store = a.clone();
        store.wanted = Schema::of([task]);
        store
    };
    let table: Vec<(Store, Vec<&str>)> = vec![
        (
            with(&|task| task.properties[2] = property("count", PropertyType::String)),
            vec!["Task.count", "'int'", "'string'"],
        ),
        (with(&|task| task.properties[2].collection = Collection::List), vec!["Task.count", "'int'", "'array<int>'"]),
        (with(&|task| task.properties[2].optional = true), vec!["Task.count", "required", "optional"]),
        (with(&|task| task.primary_key = Some(ebbtide_core::ColumnIndex(1))), vec!["Task", "'_id'", "'title'"]),
    ];
    for (store, words) in table {
        for purpose in [Purpose::Sync, Purpose::Fresh { resume: None }] {
            let error = server.refused(&store, purpose).await;
            check(&error, 225, Action::ClientReset);
            assert!(words.iter().all(|word| error.reason.contains(word)), "{}", error.reason);
        }
    }
    let mut linked = a.clone();
    linked.wanted = Schema::of([class(
        "Broken",
        vec![
            property("_id", PropertyType::Int),
            Property { target: Some("Nobody".into()), optional: true, ..property("to", PropertyType::Link) },
        ],
    )]);
    check(&server.refused(&linked, Purpose::Sync).await, 225, Action::SessionFatal);
    let mut keyless = a.clone();
    keyless.wanted =
        Schema::of([ClassSchema { primary_key: None, ..class("Keyless", vec![property("n", PropertyType::Int)]) }]);
    check(&server.refused(&keyless, Purpose::Sync).await, 225, Action::SessionFatal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_schema_refuses_what_it_lacks() {
    let server = TestServer::with(Setup { schema: SchemaRule::Fixed, ..Setup::default() }).await;
    let store = Store::new(tasks());
    let error = server.refused(&store, Purpose::Sync).await;
    check(&error, 225, Action::SessionFatal);
    assert!(error.reason.contains("'Task'"), "{}", error.reason);
    let change = json!({"op": "add-class", "class": "Task", "properties": {"_id": "string", "title": "string"}});
    let (status, body) = server.post("/admin/schema", json!({ "realm": REALM, "change": change })).await;
    assert_eq!(status, 200, "{body}");
    let error = server.refused(&store, Purpose::Sync).await;
    assert!(error.reason.contains("'Task.count'"), "{}", error.reason);
    let change = json!({"op": "add-property", "class": "Task", "property": "count", "type": "int"});
    assert_eq!(server.post("/admin/schema", json!({ "change": change })).await.0, 200);
    let mut store = server.fresh().await;
    let mut peer = server.bound(&store).await;
    let changeset = store.task("1", "x");
    peer.upload(vec![changeset]).await;
    peer.acked(&mut store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_open_the_realms_that_are_theirs() {
    let server = TestServer::with(Setup { realms: RealmRule::Own, ..Setup::default() }).await;
    let store = Store::new(tasks());
    let mut peer = server.connect().await;
    for (realm, wanted) in [
        ("s_bob", 206),
        ("s_", 206),
        ("i_7", 206),
        ("n_", 206),
        ("ann", 204),
        ("", 204),
        ("x_ann", 204),
        ("i_07", 204),
        ("o_zz", 204),
        ("n_x", 204),
        ("s_\u{0}", 204),
    ] {
        peer.bind_realm(&store, Purpose::Sync, realm).await;
        check(&peer.expect_error().await, wanted, Action::SessionFatal);
    }
    peer.bind_realm(&store, Purpose::Sync, "s_ann").await;
    peer.expect_bound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_user_is_told_223() {
    let (server, a) = begun().await;
    let mut peer = crate::world::Peer::connect(&server.url, &server.token("bob")).await;
    for purpose in [Purpose::Sync, Purpose::Fresh { resume: None }] {
        peer.bind(&a, purpose).await;
        check(&peer.expect_error().await, 223, Action::SessionFatal);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_told_to_reset_has_no_older_session_left_that_could_upload() {
    let (server, a) = begun().await;
    let mut older = server.bound(&a).await;
    let mut behind = a.clone();
    behind.number = 0;
    check(&server.refused(&behind, Purpose::Sync).await, 210, Action::ClientReset);
    check(&older.expect_error().await, 200, Action::Transient);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_session_of_the_same_client_ends_the_older() {
    let (server, mut a) = begun().await;
    let mut older = server.bound(&a).await;
    let mut newer = server.bound(&a).await;
    check(&older.expect_error().await, 200, Action::Transient);
    let changeset = a.task("newer", "x");
    newer.upload(vec![changeset]).await;
    newer.acked(&mut a).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn destructive_schema_changes_keep_the_rest_and_begin_a_new_epoch() {
    let (server, a) = begun().await;
    let change = |change: serde_json::Value| server.post("/admin/schema", json!({ "realm": REALM, "change": change }));
    for bad in [
        json!({"op": "drop-class", "class": "Nobody"}),
        json!({"op": "drop-property", "class": "Task", "property": "nothing"}),
        json!({"op": "drop-property", "class": "Task", "property": "_id"}),
        json!({"op": "change-type", "class": "Task", "property": "count", "type": "int??"}),
        json!({"op": "change-primary-key", "class": "Task", "property": "title"}),
        json!({"op": "explode"}),
        json!("drop everything"),
    ] {
        let (status, body) = change(bad.clone()).await;
        assert_eq!(status, 400, "{bad} {body}");
    }
    let mut bound = server.bound(&a).await;
    assert_eq!(
        change(json!({"op": "change-type", "class": "Task", "property": "count", "type": "string"})).await.0,
        200
    );
    check(&bound.expect_error().await, 211, Action::ClientReset);
    check(&server.refused(&a, Purpose::Sync).await, 211, Action::ClientReset);
    check(&server.refused(&Store::new(tasks()), Purpose::Fresh { resume: None }).await, 225, Action::ClientReset);
    let (_, objects) = server.get(&format!("/admin/objects?realm={REALM}&class=Task")).await;
    assert_eq!(objects["total"], 3);
    assert_eq!(objects["objects"][0], json!({"_id": "0", "title": "x", "count": "0"}));

    assert_eq!(change(json!({"op": "drop-property", "class": "Task", "property": "count"})).await.0, 200);
    let (_, objects) = server.get(&format!("/admin/objects?realm={REALM}&class=Task")).await;
    assert_eq!(objects["objects"][2], json!({"_id": "2", "title": "x"}));

    // A client that resets asks for nothing and sees that the property is gone; a new one that needs it brings it back.
    for (wanted, is_there) in [(Schema::default(), false), (tasks(), true)] {
        let mut store = Store::new(wanted);
        let mut peer = server.connect().await;
        peer.bind(&store, Purpose::Fresh { resume: None }).await;
        store.install(&mut peer).await;
        assert_eq!(store.state.schema().classes[0].column("count").is_some(), is_there);
    }

    assert_eq!(change(json!({"op": "drop-class", "class": "Task"})).await.0, 200);
    let (_, state) = server.get("/admin/state").await;
    assert_eq!(state["realms"][0]["classes"], json!([]));
}
