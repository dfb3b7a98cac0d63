//! Changes go up, become history, and come down, over real sockets.

use ebbtide_core::{ChangesetNumber, PropertyType, ServerVersion};
use ebbtide_sync::wire::{ClientMessage, Purpose, ServerMessage};

use crate::world::{Store, TestServer, class, property, resume, tasks};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_uploads_the_other_downloads() {
    let server = TestServer::start().await;
    let (mut a, mut b) = (server.fresh().await, server.fresh().await);
    let (mut at_a, mut at_b) = (server.bound(&a).await, server.bound(&b).await);
    at_a.settle(&mut a).await;
    at_b.settle(&mut b).await;

    let changesets = vec![a.task("1", "milk"), a.task("2", "bread")];
    at_a.upload(changesets).await;
    let (number, version) = at_a.acked(&mut a).await;
    assert_eq!(number, ChangesetNumber(2));
    at_a.settle(&mut a).await;
    at_b.settle(&mut b).await;
    assert_eq!(a.own, [1, 2], "the author gets stubs");
    assert_eq!(b.titles(), [("1".to_string(), "milk".to_string()), ("2".to_string(), "bread".to_string())]);
    assert_eq!(a.cursor, b.cursor);
    assert_eq!(a.cursor.unwrap().version, version);

    let late = server.fresh().await;
    assert_eq!(late.titles(), b.titles(), "a snapshot shows the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_acknowledged_already_is_acknowledged_again_and_changes_nothing() {
    let server = TestServer::start().await;
    let mut a = server.fresh().await;
    let mut peer = server.bound(&a).await;
    let changesets = vec![a.task("1", "milk"), a.task("2", "bread")];
    peer.upload(changesets.clone()).await;
    let first = peer.acked(&mut a).await;
    peer.upload(changesets.clone()).await;
    assert_eq!(peer.acked(&mut a).await, first);
    peer.close().await;

    // The acknowledgement was lost with the connection: the client binds with what it has and uploads again.
    let mut peer = server.connect().await;
    peer.bind(&a, Purpose::Sync).await;
    let (_, head, last) = peer.expect_bound().await;
    assert_eq!(last, a.last());
    peer.upload(changesets).await;
    assert_eq!(peer.acked(&mut a).await, first);
    peer.settle(&mut a).await;
    assert_eq!(a.cursor.unwrap().version, head);
    assert_eq!(a.own, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_has_everything_and_chains_go_on() {
    let mut server = TestServer::start().await;
    let mut a = server.fresh().await;
    let mut peer = server.bound(&a).await;
    for n in 0..50 {
        let changeset = a.task(&n.to_string(), "x");
        peer.upload(vec![changeset]).await;
        peer.acked(&mut a).await;
    }
    peer.settle(&mut a).await;
    server.stop().await;
    let server = TestServer::on(server.dir.clone(), server.clock.clone(), crate::world::Setup::default()).await;
    assert_eq!(server.fresh().await.titles(), a.titles());
    let mut peer = server.bound(&a).await;
    let changeset = a.task("50", "x");
    peer.upload(vec![changeset]).await;
    assert_eq!(peer.acked(&mut a).await.0, ChangesetNumber(51));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_classes_and_properties_of_a_client_reach_everybody() {
    let server = TestServer::start().await;
    let mut a = server.fresh().await;
    let mut at_a = server.bound(&a).await;
    at_a.settle(&mut a).await;

    let mut wider = tasks();
    let classes = std::mem::take(&mut wider.classes);
    let mut task = ebbtide_core::ClassSchema::clone(&classes[0]);
    task.properties.push(property("done", PropertyType::Bool));
    wider = ebbtide_core::Schema::of([task, class("Note", vec![property("_id", PropertyType::Uuid)])]);
    let mut b = Store::new(wider);
    let mut at_b = server.connect().await;
    at_b.bind(&b, Purpose::Fresh { resume: None }).await;
    b.install(&mut at_b).await;
    let mut at_b = server.bound(&b).await;
    at_b.settle(&mut b).await;

    at_a.settle(&mut a).await;
    let names: Vec<_> = a.state.schema().classes.iter().map(|class| class.name.clone()).collect();
    assert_eq!(names, ["Task", "Note"]);
    assert!(a.state.schema().classes[0].column("done").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_state_comes_in_chunks_and_an_interrupted_download_goes_on() {
    let server = TestServer::start().await;
    let mut a = server.fresh().await;
    let mut peer = server.bound(&a).await;
    for n in 0..8 {
        let changeset = a.task(&format!("{n}"), &format!("{n}").repeat(500_000));
        peer.upload(vec![changeset]).await;
        peer.acked(&mut a).await;
    }
    let chunk = |message| match message {
        ServerMessage::Snapshot { at, index, count, bytes, .. } => (at, index, count, bytes),
        other => panic!("expected SNAPSHOT: {other:?}"),
    };
    let mut b = Store::new(tasks());
    let mut first = server.connect().await;
    first.bind(&b, Purpose::Fresh { resume: None }).await;
    first.expect_bound().await;
    let (at, _, count, bytes) = chunk(first.news().await);
    assert!(count >= 4, "{count} chunks");
    let mut chunks = vec![bytes];
    first.close().await;

    // Somebody writes in between; the very same snapshot goes on all the same.
    let changeset = a.task("later", "x");
    peer.upload(vec![changeset]).await;
    peer.acked(&mut a).await;
    let mut second = server.connect().await;
    second.bind(&b, resume(at, 1)).await;
    second.expect_bound().await;
    for wanted in 1..count {
        let (again, index, _, bytes) = chunk(second.news().await);
        assert_eq!((again, index), (at, wanted));
        chunks.push(bytes);
    }
    b.state = ebbtide_core::page::import(chunks.iter().map(Vec::as_slice)).unwrap();
    b.cursor = Some(at);
    assert_eq!(b.titles().len(), 8);
    let mut peer = server.bound(&b).await;
    peer.settle(&mut b).await;
    assert_eq!(b.titles(), a.titles());

    // A snapshot that the server cannot produce starts another at 0.
    let mut third = server.connect().await;
    let unknown = ebbtide_sync::wire::Cursor { version: ServerVersion(3), ..at };
    third.bind(&b, resume(unknown, 2)).await;
    third.expect_bound().await;
    assert_eq!(chunk(third.news().await).1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_end_with_one_order() {
    let server = TestServer::start().await;
    let mut writers = Vec::new();
    for writer in 0..6 {
        let mut store = server.fresh().await;
        let mut peer = server.bound(&store).await;
        writers.push(tokio::spawn(async move {
            for n in 0..30 {
                let changeset = store.task(&format!("{writer}-{n}"), "x");
                peer.upload(vec![changeset]).await;
                peer.acked(&mut store).await;
            }
            (store, peer)
        }));
    }
    let mut stores = Vec::new();
    for writer in writers {
        stores.push(writer.await.unwrap());
    }
    let mut all = Vec::new();
    for (mut store, mut peer) in stores {
        peer.settle(&mut store).await;
        assert_eq!(store.own, (1..=30).collect::<Vec<_>>());
        all.push((store.cursor, store.titles()));
    }
    assert_eq!(all[0].1.len(), 180);
    assert!(all.iter().all(|one| *one == all[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered_and_a_session_that_was_given_up_is_silent() {
    let server = TestServer::start().await;
    let a = server.fresh().await;
    let mut peer = server.bound(&a).await;
    let session = peer.session;
    peer.say(ClientMessage::Unbind { session }).await;
    peer.say(ClientMessage::Mark { session, id: 1 }).await;
    peer.say(ClientMessage::Ping { id: 9 }).await;
    loop {
        match peer.news().await {
            ServerMessage::Pong { id } => break assert_eq!(id, 9),
            ServerMessage::Download { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    let mut again = a.clone();
    peer.bind(&again, Purpose::Sync).await;
    peer.expect_bound().await;
    peer.settle(&mut again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_that_nobody_uses_is_closed_and_opened_again() {
    let server = TestServer::start().await;
    let mut a = server.fresh().await;
    let service = std::sync::Arc::clone(&server.running.as_ref().unwrap().service);
    let mut peer = server.bound(&a).await;
    let changeset = a.task("1", "milk");
    peer.upload(vec![changeset]).await;
    peer.acked(&mut a).await;
    service.tidy().await;
    let changeset = a.task("2", "bread");
    peer.upload(vec![changeset]).await;
    peer.acked(&mut a).await;
    let session = peer.session;
    peer.say(ClientMessage::Unbind { session }).await;
    peer.settle_session_end().await;
    service.tidy().await;
    let mut peer = server.bound(&a).await;
    peer.settle(&mut a).await;
    assert_eq!(a.own, [1, 2]);
    assert_eq!(server.fresh().await.titles(), a.titles());
}

#[tokio::test(flavor = "multi_thread")]
async fn history_older_than_a_client_may_be_away_is_dropped() {
    let server = TestServer::start().await;
    let mut a = server.fresh().await;
    let service = std::sync::Arc::clone(&server.running.as_ref().unwrap().service);
    let mut peer = server.bound(&a).await;
    let changesets = vec![a.task("1", "old"), a.task("2", "old")];
    peer.upload(changesets).await;
    peer.settle(&mut a).await;
    server.pass(20 * crate::world::DAY_MS);
    let changeset = a.task("3", "new");
    peer.upload(vec![changeset]).await;
    peer.settle(&mut a).await;
    server.pass(15 * crate::world::DAY_MS);
    service.tidy().await;
    let (_, state) = server.get("/admin/state").await;
    assert_eq!((&state["realms"][0]["floor"], &state["realms"][0]["head"]), (&3.into(), &4.into()));
    let changeset = a.task("4", "newer");
    peer.upload(vec![changeset]).await;
    peer.settle(&mut a).await;
    assert_eq!(server.fresh().await.titles(), a.titles());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_connected_is_not_away_however_silent() {
    let server = TestServer::start().await;
    let mut a = server.fresh().await;
    let service = std::sync::Arc::clone(&server.running.as_ref().unwrap().service);
    let mut peer = server.bound(&a).await;
    peer.settle(&mut a).await;
    for _ in 0..4 {
        server.pass(20 * crate::world::DAY_MS);
        service.tidy().await;
        peer.settle_session_end().await;
    }
    peer.close().await;
    server.bound(&a).await;
}
