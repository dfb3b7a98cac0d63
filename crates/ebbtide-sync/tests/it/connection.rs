//! The connection: when it opens and closes sockets, what it survives, and whom it tells.

use ebbtide_core::{Epoch, Millis, ServerVersion};
use ebbtide_sync::client::{
    AttachId, Connection, ConnectionEffect, ConnectionEvent, ConnectionOptions, ConnectionState, Retry,
};
use ebbtide_sync::wire::*;

const A: AttachId = AttachId(1);
const B: AttachId = AttachId(2);

struct World {
    connection: Connection,
    now: u64,
}

impl World {
    fn new(token: &str) -> World {
        let options = ConnectionOptions { token: Token(token.into()), client_info: "test".into(), seed: [3; 32] };
        World { connection: Connection::open(options), now: 1_000_000 }
    }

    fn tell(&mut self, event: ConnectionEvent) -> Vec<ConnectionEffect> {
        self.connection.handle(Millis(self.now), event);
        std::iter::from_fn(|| self.connection.poll()).collect()
    }

    /// Lets time pass until the next deadline.
    fn wait(&mut self) -> (u64, Vec<ConnectionEffect>) {
        let deadline = self.connection.next_deadline().expect("a deadline").0;
        let waited = deadline.saturating_sub(self.now);
        self.now = self.now.max(deadline);
        (waited, self.tell(ConnectionEvent::Timer))
    }

    fn live(attached: &[AttachId]) -> World {
        let mut world = World::new("token");
        for attach in attached {
            world.tell(ConnectionEvent::Attach(*attach));
        }
        world.tell(ConnectionEvent::SocketOpen(1));
        let effects = world.hear(1, &ServerMessage::Welcome { user: "u".into() });
        assert_eq!(effects.iter().filter(|e| matches!(e, ConnectionEffect::LinkUp(..))).count(), attached.len());
        world
    }

    fn hear(&mut self, socket: u64, message: &ServerMessage) -> Vec<ConnectionEffect> {
        self.tell(ConnectionEvent::Frame(socket, message.encode()))
    }
}

fn sent(effects: &[ConnectionEffect]) -> Vec<ClientMessage> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            ConnectionEffect::SendFrame(_, frame) => Some(ClientMessage::decode(frame).unwrap()),
            _ => None,
        })
        .collect()
}

fn error(session: Option<SessionId>, action: Action, backoff_ms: u32) -> ServerMessage {
    ServerMessage::Error(ErrorMessage { session, code: Code::TRY_AGAIN, action, reason: "because".into(), backoff_ms })
}

fn changed(from: ConnectionState, to: ConnectionState) -> ConnectionEffect {
    ConnectionEffect::StateChanged { from, to }
}

#[test]
fn it_opens_for_the_first_session_and_closes_after_the_last() {
    let mut world = World::new("token");
    assert_eq!(world.connection.next_deadline(), None);
    let effects = world.tell(ConnectionEvent::Attach(A));
    assert_eq!(
        effects,
        [ConnectionEffect::OpenSocket(1), changed(ConnectionState::Disconnected, ConnectionState::Connecting)]
    );
    let effects = world.tell(ConnectionEvent::SocketOpen(1));
    assert!(matches!(&sent(&effects)[..], [ClientMessage::Hello { token, .. }] if token.0 == "token"));
    let effects = world.hear(1, &ServerMessage::Welcome { user: "u".into() });
    assert_eq!(
        effects,
        [ConnectionEffect::LinkUp(A, SessionId(1)), changed(ConnectionState::Connecting, ConnectionState::Connected)]
    );
    assert_eq!(world.tell(ConnectionEvent::Attach(B)), [ConnectionEffect::LinkUp(B, SessionId(2))]);
    assert_eq!(sent(&world.tell(ConnectionEvent::Detach(A))), [ClientMessage::Unbind { session: SessionId(1) }]);
    let effects = world.tell(ConnectionEvent::Detach(B));
    assert!(effects.contains(&ConnectionEffect::CloseSocket(1, 1000)));
    assert_eq!(world.connection.state(), ConnectionState::Disconnected);
    assert_eq!(world.connection.next_deadline(), None);
}

#[test]
fn sessions_share_a_socket_and_hear_only_their_own_messages() {
    let mut world = World::live(&[A, B]);
    let bound = |session| ServerMessage::Bound {
        session,
        epoch: Epoch([1; 16]),
        head: ServerVersion(4),
        last: None,
        now: None,
    };
    assert_eq!(world.hear(1, &bound(SessionId(2))), [ConnectionEffect::Deliver(B, bound(SessionId(2)))]);
    // An error of one session closes nothing and does not reach the other.
    let hurt = error(Some(SessionId(1)), Action::SessionFatal, 0);
    assert_eq!(world.hear(1, &hurt), [ConnectionEffect::Deliver(A, hurt)]);
    assert_eq!(world.connection.state(), ConnectionState::Connected);
    // Nobody has this session (any more).
    assert_eq!(world.hear(1, &bound(SessionId(9))), []);
}

#[test]
fn a_relinked_session_gets_a_number_of_its_own_and_late_messages_are_dropped() {
    let mut world = World::live(&[A]);
    let effects = world.tell(ConnectionEvent::Relink(A));
    assert_eq!(sent(&effects), [ClientMessage::Unbind { session: SessionId(1) }]);
    assert!(effects.contains(&ConnectionEffect::LinkUp(A, SessionId(2))));
    assert_eq!(world.hear(1, &ServerMessage::Mark { session: SessionId(1), id: 1 }), []);
    assert_eq!(world.tell(ConnectionEvent::Send(A, ClientMessage::Mark { session: SessionId(1), id: 1 })), []);
    let effects = world.tell(ConnectionEvent::Send(A, ClientMessage::Mark { session: SessionId(2), id: 1 }));
    assert_eq!(sent(&effects).len(), 1);
}

#[test]
fn a_session_that_is_given_up_is_unbound_and_comes_back_with_the_next_connection() {
    let mut world = World::live(&[A, B]);
    let effects = world.tell(ConnectionEvent::Unlink(A));
    assert_eq!(sent(&effects), [ClientMessage::Unbind { session: SessionId(1) }]);
    assert_eq!(world.tell(ConnectionEvent::Unlink(A)), []);
    let effects = world.tell(ConnectionEvent::SocketClosed { socket: 1, code: 1006, reason: String::new() });
    assert_eq!(effects.iter().filter(|e| matches!(e, ConnectionEffect::LinkDown(..))).count(), 1);
    world.wait();
    world.tell(ConnectionEvent::SocketOpen(2));
    let effects = world.hear(2, &ServerMessage::Welcome { user: "u".into() });
    assert_eq!(effects.iter().filter(|e| matches!(e, ConnectionEffect::LinkUp(..))).count(), 2);
}

#[test]
fn a_socket_that_does_not_open_is_given_up_and_tried_again_with_growing_waits() {
    let mut world = World::new("token");
    world.tell(ConnectionEvent::Attach(A));
    let mut waits = Vec::new();
    for attempt in 1..=12_u64 {
        let (waited, effects) = world.wait();
        assert_eq!(waited, 10_000);
        assert!(effects.contains(&ConnectionEffect::CloseSocket(attempt, 1000)));
        let (waited, effects) = world.wait();
        assert!(effects.contains(&ConnectionEffect::OpenSocket(attempt + 1)));
        waits.push(waited);
    }
    assert!(waits[0] <= 1_000 && waits[11] <= 300_000 && waits[11] >= 150_000, "{waits:?}");
}

#[test]
fn coming_online_tries_at_once() {
    let mut world = World::new("token");
    world.tell(ConnectionEvent::Attach(A));
    world.tell(ConnectionEvent::SocketClosed { socket: 1, code: 1006, reason: String::new() });
    assert_eq!(world.connection.state(), ConnectionState::Disconnected);
    assert!(world.tell(ConnectionEvent::Online).contains(&ConnectionEffect::OpenSocket(2)));
}

#[test]
fn a_silent_server_is_given_up_within_thirty_five_seconds() {
    let mut world = World::live(&[A]);
    let start = world.now;
    let (_, effects) = world.wait();
    assert!(matches!(sent(&effects)[..], [ClientMessage::Ping { .. }]));
    let (_, effects) = world.wait();
    assert!(effects.contains(&ConnectionEffect::CloseSocket(1, 1000)));
    assert!(effects.iter().any(|e| matches!(e, ConnectionEffect::LinkDown(A, _))));
    assert!(world.now - start <= 35_000, "{} ms", world.now - start);
}

#[test]
fn a_pong_keeps_the_connection() {
    let mut world = World::live(&[A]);
    for _ in 0..5 {
        let (waited, effects) = world.wait();
        assert!((20_000..=25_000).contains(&waited));
        let [ClientMessage::Ping { id }] = sent(&effects)[..] else { panic!("no ping") };
        world.now += 9_000;
        assert_eq!(world.hear(1, &ServerMessage::Pong { id }), []);
    }
    assert_eq!(world.connection.state(), ConnectionState::Connected);
}

#[test]
fn waits_start_over_after_half_a_minute_of_health() {
    let mut world = World::new("token");
    world.tell(ConnectionEvent::Attach(A));
    for _ in 0..6 {
        world.wait();
        world.wait();
    }
    let socket = 7;
    world.tell(ConnectionEvent::SocketOpen(socket));
    world.hear(socket, &ServerMessage::Welcome { user: "u".into() });
    world.now += 31_000;
    world.tell(ConnectionEvent::SocketClosed { socket, code: 1006, reason: String::new() });
    assert!(world.wait().0 <= 1_000);
}

#[test]
fn the_servers_backoff_is_honoured() {
    let mut world = World::live(&[A]);
    let effects = world.hear(1, &error(None, Action::Transient, 45_000));
    assert!(effects.contains(&ConnectionEffect::CloseSocket(1, 1000)));
    assert_eq!(world.wait().0, 45_000);
}

#[test]
fn garbage_from_the_server_closes_the_connection_with_a_clear_error_and_it_comes_back() {
    for frame in [vec![], vec![1], vec![1, 255], vec![9, 9, 9], vec![1; FRAME_BYTES_MAX + 1]] {
        let mut world = World::live(&[A, B]);
        let effects = world.tell(ConnectionEvent::Frame(1, frame));
        assert!(
            matches!(&effects[0], ConnectionEffect::Problem { message, retry: Retry::Later, .. } if !message.is_empty())
        );
        assert!(effects.contains(&ConnectionEffect::CloseSocket(1, 4002)));
        assert_eq!(effects.iter().filter(|e| matches!(e, ConnectionEffect::LinkDown(..))).count(), 2);
        let (_, effects) = world.wait();
        assert!(effects.contains(&ConnectionEffect::OpenSocket(2)));
        // Frames of the old socket mean nothing any more.
        assert_eq!(world.tell(ConnectionEvent::Frame(1, vec![0])), []);
    }
}

#[test]
fn a_server_that_speaks_before_it_is_asked_is_refused() {
    let mut world = World::new("token");
    world.tell(ConnectionEvent::Attach(A));
    let effects = world.hear(1, &ServerMessage::Welcome { user: "u".into() });
    assert!(effects.contains(&ConnectionEffect::CloseSocket(1, 4002)));
}

#[test]
fn an_expired_token_is_renewed_without_giving_the_socket_up() {
    let mut world = World::live(&[A]);
    let effects = world.hear(1, &error(None, Action::RefreshToken, 0));
    assert_eq!(effects, [ConnectionEffect::NeedToken]);
    let effects = world.tell(ConnectionEvent::TokenRefreshed(Token("fresh".into())));
    assert!(matches!(&sent(&effects)[..], [ClientMessage::Hello { token, .. }] if token.0 == "fresh"));
    assert_eq!(world.hear(1, &ServerMessage::Welcome { user: "u".into() }), []);
    assert_eq!(world.connection.state(), ConnectionState::Connected);
}

#[test]
fn a_token_refused_at_the_door_is_renewed_once_at_once_and_then_slowly() {
    let mut world = World::new("stale");
    world.tell(ConnectionEvent::Attach(A));
    world.tell(ConnectionEvent::SocketOpen(1));
    let effects = world.hear(1, &error(None, Action::RefreshToken, 0));
    assert!(effects.contains(&ConnectionEffect::NeedToken));
    let effects = world.tell(ConnectionEvent::TokenRefreshed(Token("stale too".into())));
    assert!(effects.contains(&ConnectionEffect::OpenSocket(2)));
    world.tell(ConnectionEvent::SocketOpen(2));
    let effects = world.hear(2, &error(None, Action::RefreshToken, 0));
    assert!(!effects.contains(&ConnectionEffect::NeedToken));
    assert_eq!(world.connection.state(), ConnectionState::Disconnected);
    assert!(world.wait().1.contains(&ConnectionEffect::NeedToken));
    world.tell(ConnectionEvent::TokenFailed("the server is not there".into()));
    assert!(world.wait().1.contains(&ConnectionEffect::NeedToken));
}

#[test]
fn a_refusal_for_good_is_told_and_waits_for_the_app() {
    let mut world = World::live(&[A]);
    let effects = world.hear(1, &error(None, Action::SessionFatal, 0));
    assert!(effects.iter().any(|e| matches!(e, ConnectionEffect::Problem { retry: Retry::WhenAsked, .. })));
    assert_eq!(world.connection.next_deadline(), None);
    assert_eq!(world.tell(ConnectionEvent::Online), []);
    assert!(world.tell(ConnectionEvent::Reconnect).contains(&ConnectionEffect::OpenSocket(2)));
}

#[test]
fn a_link_cut_on_purpose_stays_cut_until_it_is_allowed_again() {
    let mut world = World::live(&[A]);
    let effects = world.tell(ConnectionEvent::SetOffline(true));
    assert!(effects.contains(&ConnectionEffect::CloseSocket(1, 1000)));
    assert_eq!(world.tell(ConnectionEvent::Online), []);
    assert_eq!(world.tell(ConnectionEvent::Reconnect), []);
    world.tell(ConnectionEvent::Attach(B));
    assert_eq!(world.connection.state(), ConnectionState::Disconnected);
    assert!(world.tell(ConnectionEvent::SetOffline(false)).contains(&ConnectionEffect::OpenSocket(2)));
}

#[test]
fn without_a_token_one_is_asked_for_first() {
    let mut world = World::new("");
    assert!(world.tell(ConnectionEvent::Attach(A)).contains(&ConnectionEffect::NeedToken));
    let effects = world.tell(ConnectionEvent::TokenRefreshed(Token("t".into())));
    assert!(effects.contains(&ConnectionEffect::OpenSocket(1)));
}
