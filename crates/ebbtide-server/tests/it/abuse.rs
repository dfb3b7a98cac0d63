//! Frames and clients that do not behave: the connection ends with a code, and nobody else notices.

use std::time::Duration;

use ebbtide_server::limits::Patience;
use ebbtide_sync::wire::{ClientMessage, PROTOCOL, Purpose, ServerMessage, SessionId, Token};
use futures_util::SinkExt;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::world::{Peer, Setup, TestServer, open_socket};

fn impatient() -> Setup {
    let second = Duration::from_secs(1);
    let patience = Patience { hello: second, idle: 3 * second, token: second, ..Patience::default() };
    Setup { patience, ..Setup::default() }
}

/// Somebody who must not notice.
async fn bystander(server: &TestServer) -> (Peer, crate::world::Store) {
    let store = server.fresh().await;
    (server.bound(&store).await, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_gets_no_socket() {
    let server = TestServer::start().await;
    let open = |origin: Option<&'static str>, protocol| open_socket(&server.url, origin, protocol);
    let protocol = Some("ebbtide.v1");
    assert!(open(Some("http://localhost:1234"), protocol).await.is_ok());
    for origin in [None, Some("null"), Some("http://evil.example"), Some("http://localhost.evil.example")] {
        let refused = open(origin, protocol).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("403"), "{origin:?}: {refused}");
    }
    for protocol in [None, Some("ebbtide.v0"), Some("chat")] {
        let refused = open(Some("http://localhost"), protocol).await.err().map(|error| error.to_string());
        assert!(refused.unwrap_or_default().contains("400"), "{protocol:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_greet_is_closed_with_4401() {
    let server = TestServer::with(impatient()).await;
    let begun = Instant::now();
    let mut silent = Peer::open(&server.url).await;
    for message in [
        ClientMessage::Ping { id: 1 },
        ClientMessage::Unbind { session: SessionId(1) },
        ClientMessage::Upload { session: SessionId(1), changesets: Vec::new() },
    ] {
        let mut rude = Peer::open(&server.url).await;
        rude.say(message).await;
        assert_eq!(rude.expect_closed().await, 4401);
    }
    assert_eq!(silent.expect_closed().await, 4401);
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(900) && took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_told_203_and_an_expired_one_202() {
    let server = TestServer::start().await;
    let login = server.login().await;
    let refresh = login["refresh_token"].as_str().unwrap().to_string();
    let old = server.token("ann");
    server.pass(31 * 60 * 1000);
    for (token, wanted) in
        [("", 203), ("nonsense", 203), (refresh.as_str(), 203), (server.admin_token().as_str(), 203), (&old, 202)]
    {
        let mut peer = Peer::open(&server.url).await;
        peer.hello(token).await;
        assert_eq!(peer.expect_error().await.code.0, wanted);
        assert_eq!(peer.expect_closed().await, 4401);
    }
    let mut peer = Peer::open(&server.url).await;
    let token = Token(server.token("ann"));
    peer.say(ClientMessage::Hello { protocol: PROTOCOL + 1, token, client_info: String::new() }).await;
    assert_eq!(peer.expect_error().await.code.0, 105);
    assert_eq!(peer.expect_closed().await, 4400);

    let mut peer = server.connect().await;
    peer.hello(&server.token("ann")).await;
    assert!(matches!(peer.next().await, Ok(ServerMessage::Welcome { .. })), "a new token is taken in mid-connection");
    peer.hello(&server.token("bob")).await;
    assert_eq!(peer.expect_error().await.code.0, 223);
    assert_eq!(peer.expect_closed().await, 4401);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_closes_its_connection_and_no_other() {
    let server = TestServer::start().await;
    let (mut other, mut store) = bystander(&server).await;
    let token = server.token("ann");
    let mut long = vec![1, 3, 1];
    long.extend([0xff; 9]);
    long.push(1);
    for frame in [vec![], vec![0], vec![1], vec![2, 1], vec![1, 99], vec![1, 65], vec![0xff; 1000], long] {
        let mut peer = Peer::connect(&server.url, &token).await;
        peer.frame(frame.clone()).await;
        let error = peer.expect_error().await;
        assert!((102..=105).contains(&error.code.0), "{frame:?}: {}", error.code.0);
        assert_eq!(peer.expect_closed().await, 4400, "{frame:?}");
    }
    let mut peer = Peer::connect(&server.url, &token).await;
    peer.socket.send(Message::Text("hello".into())).await.unwrap();
    assert_eq!(peer.expect_closed().await, 4400);

    // A pseudo-random walk over mutated frames: none may do more than end its own connection.
    let good = ClientMessage::Upload { session: SessionId(1), changesets: vec![vec![7; 50]] }.encode();
    let mut dice = 88_172_645_463_325_252_u64;
    for _ in 0..60 {
        let mut frame = good.clone();
        for _ in 0..3 {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let at = dice as usize % frame.len();
            frame[at] = (dice >> 32) as u8;
        }
        let mut peer = Peer::connect(&server.url, &token).await;
        peer.frame(frame).await;
        peer.close().await;
    }
    let changeset = store.task("still", "here");
    other.upload(vec![changeset]).await;
    other.acked(&mut store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_over_the_limit_closes_with_1009() {
    let server = TestServer::start().await;
    let (mut other, mut store) = bystander(&server).await;
    for greeted in [false, true] {
        let mut peer = if greeted { server.connect().await } else { Peer::open(&server.url).await };
        // The server may close before everything is written.
        let _ = peer.socket.send(Message::Binary(vec![1; 4 * 1024 * 1024 + 1].into())).await;
        let code = peer.expect_closed().await;
        assert!(code == 1009 || code == 1006, "{code}");
    }
    let changeset = store.task("still", "here");
    other.upload(vec![changeset]).await;
    other.acked(&mut store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_about_sessions_hurts_only_them() {
    let server = TestServer::start().await;
    let (mut peer, mut store) = bystander(&server).await;
    peer.say(ClientMessage::Mark { session: SessionId(55), id: 1 }).await;
    assert_eq!(peer.expect_error().await.code.0, 106);
    let used = peer.session;
    peer.session = SessionId(used.0 - 1);
    peer.bind(&store, Purpose::Sync).await;
    assert_eq!(peer.expect_error().await.code.0, 107);
    peer.session = SessionId(100);
    for n in 0..70_u8 {
        let mut other = store.clone();
        other.client = ebbtide_core::ClientId([n + 1; 16]);
        other.cursor = None;
        peer.bind(&other, Purpose::Sync).await;
    }
    let (mut refused, mut bound) = (0, 0);
    while refused + bound < 70 {
        match peer.news().await {
            ServerMessage::Error(error) => {
                assert_eq!(error.code.0, 104, "{}", error.reason);
                refused += 1;
            }
            ServerMessage::Bound { .. } => bound += 1,
            ServerMessage::Download { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((refused, bound), (7, 63));
    peer.session = used;
    let changeset = store.task("still", "here");
    peer.upload(vec![changeset]).await;
    peer.acked(&mut store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_drip_of_connections_ends_by_itself() {
    let server = TestServer::with(impatient()).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(Peer::open(&server.url).await);
    }
    let open = server.get("/admin/state").await.1["connections"].as_u64().unwrap();
    assert!(open > 20, "{open} connections");
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.get("/admin/state").await.1["connections"] != 0 {
        assert!(Instant::now() < deadline, "connections without HELLO stay");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_closed_with_4408_and_one_that_pings_is_not() {
    let server = TestServer::with(impatient()).await;
    let (mut silent, mut alive) = (server.connect().await, server.connect().await);
    let begun = Instant::now();
    for id in 0..12 {
        alive.say(ClientMessage::Ping { id }).await;
        assert!(matches!(alive.next().await, Ok(ServerMessage::Pong { .. })));
        sleep(Duration::from_millis(300)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(3));
    assert_eq!(silent.expect_closed().await, 4408);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_in_mid_connection_may_be_renewed_for_a_while() {
    let server = TestServer::with(impatient()).await;
    let old = server.token("ann");
    server.pass(30 * 60 * 1000 - 400);
    let mut lazy = Peer::connect(&server.url, &old).await;
    let mut quick = Peer::connect(&server.url, &old).await;
    assert_eq!(quick.expect_error().await.code.0, 202);
    quick.hello(&server.token("ann")).await;
    assert!(matches!(quick.next().await, Ok(ServerMessage::Welcome { .. })));
    assert_eq!(lazy.expect_error().await.code.0, 202);
    assert_eq!(lazy.expect_closed().await, 4401);
    quick.say(ClientMessage::Ping { id: 1 }).await;
    assert!(matches!(quick.next().await, Ok(ServerMessage::Pong { .. })));
}
