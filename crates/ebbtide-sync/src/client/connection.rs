//! One connection for all sessions of one app user.
//!
//! ```text
//!            Attach                token needed
//!   Idle ------------> Opening <------------------> Refreshing
//!    ^  last Detach,      | open                        |
//!    |  SetOffline        v                             | no token
//!    +---- (any)       Greeting -- refused for good --> Refused -- Reconnect, new token --> Opening
//!                         | WELCOME                     |
//!                         v                             v
//!                       Live -- closed, garbage, --> Waiting -- time, Online --> Opening
//!                               no PONG, no answer
//! ```
//!
//! What happens to one session stays with it: an error that names a session is delivered and closes nothing here.

use std::collections::{BTreeMap, VecDeque};

use ebbtide_core::Millis;

use super::backoff::Backoff;
use super::clock::LastTime;
use super::random::Draws;
use crate::wire::{
    Action, ClientMessage, Code, ErrorMessage, FRAME_BYTES_MAX, PROTOCOL, ServerMessage, SessionId, Token,
};

/// How long a socket may take to open, and the server to answer HELLO.
const CONNECT_MS: u64 = 10_000;
/// How long the edge may take to get a token.
const REFRESH_MS: u64 = 30_000;
/// The time between PINGs: this, and up to the spread more.
const PING_MS_MIN: u64 = 20_000;
const PING_MS_SPREAD: u64 = 5_000;
/// How long nothing may arrive after a PING.
const PONG_MS: u64 = 10_000;
/// A connection that lasted so long makes up for past failures.
const HEALTHY_MS: u64 = 30_000;
/// WebSocket close codes.
const CLOSE_NORMAL: u16 = 1000;
/// An application code: browsers let pages close with 1000 and 3000 to 4999 only.
const CLOSE_PROTOCOL: u16 = 4002;

/// One engine attached to a connection, named by the edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AttachId(pub u32);

/// How a connection is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectionOptions {
    /// The user's access token.
    pub token: Token,
    /// What the client says about itself, for the server's log.
    pub client_info: String,
    /// Random bytes for jitter.
    pub seed: [u8; 32],
}

/// Whether there is a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionState {
    /// None, and perhaps a wait until the next attempt.
    Disconnected,
    /// A socket is being opened, or the server has not said WELCOME yet.
    Connecting,
    /// The server has said WELCOME.
    Connected,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum ConnectionEvent {
    /// An engine wants a link. The socket is opened for the first one.
    Attach(AttachId),
    /// An engine no longer wants a link. The socket is closed after the last one.
    Detach(AttachId),
    /// An engine sends; dropped if its session number is not the one in use.
    Send(AttachId, ClientMessage),
    /// An engine gives its session number up ([`Effect::Unlink`](super::Effect::Unlink)).
    Unlink(AttachId),
    /// An engine wants another session number ([`Effect::Relink`](super::Effect::Relink)).
    Relink(AttachId),
    /// The socket asked for with this number is open.
    SocketOpen(u64),
    /// The socket received a binary frame.
    Frame(u64, Vec<u8>),
    /// The socket is closed, or could not be opened.
    SocketClosed {
        /// Which socket; news of any but the last one is ignored.
        socket: u64,
        /// The WebSocket close code.
        code: u16,
        /// In words.
        reason: String,
    },
    /// The time [`Connection::next_deadline`] named has come.
    Timer,
    /// The browser believes it is online again, or the page became visible: tries, or probes, at once.
    Online,
    /// There is a new token.
    TokenRefreshed(Token),
    /// A new token could not be had now; tried again with the next attempt.
    TokenFailed(String),
    /// Cuts the link, or allows it again.
    SetOffline(bool),
    /// The app asks to try again now.
    Reconnect,
}

/// What to do.
#[derive(Clone, PartialEq, Debug)]
pub enum ConnectionEffect {
    /// Opens a WebSocket with subprotocol [`SUBPROTOCOL`](crate::wire::SUBPROTOCOL); its events carry this number.
    OpenSocket(u64),
    /// Sends a binary frame.
    SendFrame(u64, Vec<u8>),
    /// Closes the socket with this WebSocket code; nothing more is expected of it.
    CloseSocket(u64, u16),
    /// For the engine: [`Event::Message`](super::Event::Message).
    Deliver(AttachId, ServerMessage),
    /// For the engine: [`Event::LinkUp`](super::Event::LinkUp).
    LinkUp(AttachId, SessionId),
    /// For the engine: [`Event::LinkDown`](super::Event::LinkDown).
    LinkDown(AttachId, String),
    /// For the app's listeners.
    StateChanged {
        /// Before.
        from: ConnectionState,
        /// Now.
        to: ConnectionState,
    },
    /// Asks the edge for a new token; answer with `TokenRefreshed` or `TokenFailed`.
    NeedToken,
    /// Something about the connection as a whole that people may want to know: a refused token, garbage from the server.
    Problem {
        /// The wire code.
        code: Code,
        /// In words.
        message: String,
        /// What the connection does about it.
        retry: Retry,
    },
}

/// When a connection tries again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// The connection goes on.
    NotNeeded,
    /// By itself, after a while.
    Later,
    /// Only after `Reconnect` or with a new token.
    WhenAsked,
}

/// One connection for all sessions of one app user.
#[derive(Debug)]
pub struct Connection {
    phase: Phase,
    token: TokenState,
    offline: bool,
    client_info: String,
    attached: BTreeMap<AttachId, Option<SessionId>>,
    sessions_used: u32,
    sockets_used: u64,
    pings_used: u64,
    backoff: Backoff,
    clock: LastTime,
    draws: Draws,
    effects: VecDeque<ConnectionEffect>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum TokenState {
    Usable(Token),
    /// The server refused the last one, or there is none.
    Needed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Nobody is attached, or the link is cut on purpose.
    Idle,
    /// The server will not have us until something changes.
    Refused,
    /// Until the next attempt.
    Waiting { until: Millis },
    /// The edge was asked for a token.
    Refreshing { deadline: Millis },
    /// The edge was asked for a socket.
    Opening { socket: u64, deadline: Millis },
    /// HELLO was sent.
    Greeting { socket: u64, deadline: Millis },
    /// The server has said WELCOME.
    Live { socket: u64, since: Millis, pulse: Pulse },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pulse {
    /// The next PING is due then.
    Quiet { ping_at: Millis },
    /// A PONG is due until then.
    Asked { id: u64, deadline: Millis },
}

impl Connection {
    /// Starts without a socket.
    pub fn open(options: ConnectionOptions) -> Connection {
        Connection {
            phase: Phase::Idle,
            token: if options.token.0.is_empty() { TokenState::Needed } else { TokenState::Usable(options.token) },
            offline: false,
            client_info: options.client_info,
            attached: BTreeMap::new(),
            sessions_used: 0,
            sockets_used: 0,
            pings_used: 0,
            backoff: Backoff::default(),
            clock: LastTime::default(),
            draws: Draws::new(options.seed),
            effects: VecDeque::new(),
        }
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, now: Millis, event: ConnectionEvent) {
        self.follow_clock(now);
        let from = self.state();
        match event {
            ConnectionEvent::Attach(attach) => self.attach(now, attach),
            ConnectionEvent::Detach(attach) => self.detach(attach),
            ConnectionEvent::Send(attach, message) => self.send_for(attach, &message),
            ConnectionEvent::Unlink(attach) => self.unlink(attach),
            ConnectionEvent::Relink(attach) => self.relink(attach),
            ConnectionEvent::SocketOpen(socket) => self.socket_open(now, socket),
            ConnectionEvent::Frame(socket, frame) => {
                if self.socket() == Some(socket) {
                    self.frame(now, socket, &frame);
                }
            }
            ConnectionEvent::SocketClosed { socket, code, reason } => {
                if self.socket() == Some(socket) {
                    let reason = if reason.is_empty() { format!("the socket closed with code {code}") } else { reason };
                    self.fail(now, None, 0, &reason);
                }
            }
            ConnectionEvent::Timer => {}
            ConnectionEvent::Online => self.online(now),
            ConnectionEvent::TokenRefreshed(token) => self.token_refreshed(now, token),
            ConnectionEvent::TokenFailed(reason) => {
                if let Phase::Refreshing { .. } = self.phase {
                    self.fail(now, None, 0, &reason);
                }
            }
            ConnectionEvent::SetOffline(offline) => self.set_offline(now, offline),
            ConnectionEvent::Reconnect => {
                if self.phase == Phase::Refused {
                    self.phase = Phase::Idle;
                    self.try_now(now);
                } else {
                    self.online(now);
                }
            }
        }
        self.keep_time(now);
        let to = self.state();
        if from != to {
            self.effects.push_back(ConnectionEffect::StateChanged { from, to });
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<ConnectionEffect> {
        self.effects.pop_front()
    }

    /// When to call with [`ConnectionEvent::Timer`], if nothing else happens.
    pub fn next_deadline(&self) -> Option<Millis> {
        match self.phase {
            Phase::Idle | Phase::Refused => None,
            Phase::Waiting { until } => Some(until),
            Phase::Refreshing { deadline } | Phase::Opening { deadline, .. } | Phase::Greeting { deadline, .. } => {
                Some(deadline)
            }
            Phase::Live { pulse: Pulse::Quiet { ping_at }, .. } => Some(ping_at),
            Phase::Live { pulse: Pulse::Asked { deadline, .. }, .. } => Some(deadline),
        }
    }

    /// Whether there is a connection.
    pub fn state(&self) -> ConnectionState {
        match self.phase {
            Phase::Idle | Phase::Refused | Phase::Waiting { .. } => ConnectionState::Disconnected,
            Phase::Refreshing { .. } | Phase::Opening { .. } | Phase::Greeting { .. } => ConnectionState::Connecting,
            Phase::Live { .. } => ConnectionState::Connected,
        }
    }

    /// Takes note of the time: what waits for one follows a clock that goes back.
    fn follow_clock(&mut self, now: Millis) {
        let (since, deadline) = match &mut self.phase {
            Phase::Idle | Phase::Refused => (None, None),
            Phase::Waiting { until: deadline }
            | Phase::Refreshing { deadline }
            | Phase::Opening { deadline, .. }
            | Phase::Greeting { deadline, .. } => (None, Some(deadline)),
            Phase::Live {
                since, pulse: Pulse::Quiet { ping_at: deadline } | Pulse::Asked { deadline, .. }, ..
            } => (Some(since), Some(deadline)),
        };
        self.clock.follow(now, since.into_iter().chain(deadline));
    }

    fn socket(&self) -> Option<u64> {
        match self.phase {
            Phase::Idle | Phase::Refused | Phase::Waiting { .. } | Phase::Refreshing { .. } => None,
            Phase::Opening { socket, .. } | Phase::Greeting { socket, .. } | Phase::Live { socket, .. } => Some(socket),
        }
    }

    fn attach(&mut self, now: Millis, attach: AttachId) {
        self.attached.entry(attach).or_insert(None);
        match self.phase {
            Phase::Idle => self.try_now(now),
            Phase::Live { .. } => self.link_up(attach),
            Phase::Refused
            | Phase::Waiting { .. }
            | Phase::Refreshing { .. }
            | Phase::Opening { .. }
            | Phase::Greeting { .. } => {}
        }
    }

    fn detach(&mut self, attach: AttachId) {
        if let Some(Some(session)) = self.attached.remove(&attach) {
            self.send(&ClientMessage::Unbind { session });
        }
        if self.attached.is_empty() {
            self.close(CLOSE_NORMAL);
            self.phase = Phase::Idle;
        }
    }

    fn unlink(&mut self, attach: AttachId) {
        if let Some(Some(session)) = self.attached.get_mut(&attach).map(Option::take)
            && let Phase::Live { .. } = self.phase
        {
            self.send(&ClientMessage::Unbind { session });
        }
    }

    fn relink(&mut self, attach: AttachId) {
        self.unlink(attach);
        if let Phase::Live { .. } = self.phase
            && self.attached.contains_key(&attach)
        {
            self.link_up(attach);
        }
    }

    fn link_up(&mut self, attach: AttachId) {
        self.sessions_used += 1;
        let session = SessionId(self.sessions_used);
        self.attached.insert(attach, Some(session));
        self.effects.push_back(ConnectionEffect::LinkUp(attach, session));
    }

    fn links_down(&mut self, reason: &str) {
        for (attach, session) in &mut self.attached {
            if session.take().is_some() {
                self.effects.push_back(ConnectionEffect::LinkDown(*attach, reason.to_string()));
            }
        }
    }

    fn send_for(&mut self, attach: AttachId, message: &ClientMessage) {
        if self.attached.get(&attach).copied().flatten() == message.session() && message.session().is_some() {
            self.send(message);
        }
    }

    fn send(&mut self, message: &ClientMessage) {
        if let Some(socket) = self.socket() {
            let frame = message.encode();
            assert!(frame.len() <= FRAME_BYTES_MAX, "invariant: messages are made to fit a frame");
            self.effects.push_back(ConnectionEffect::SendFrame(socket, frame));
        }
    }

    fn say_hello(&mut self) {
        if let TokenState::Usable(token) = &self.token {
            let hello = ClientMessage::Hello {
                protocol: PROTOCOL,
                token: token.clone(),
                client_info: self.client_info.clone(),
            };
            self.send(&hello);
        }
    }

    fn socket_open(&mut self, now: Millis, socket: u64) {
        if matches!(self.phase, Phase::Opening { socket: asked, .. } if asked == socket) {
            self.phase = Phase::Greeting { socket, deadline: after(now, CONNECT_MS) };
            self.say_hello();
        }
    }

    fn frame(&mut self, now: Millis, socket: u64, frame: &[u8]) {
        let message = match ServerMessage::decode(frame) {
            Ok(message) => message,
            Err(error) => {
                let reason = format!("the server sent a frame that is not a message: {error}");
                self.problem(error.code(), &reason, Retry::Later);
                return self.fail(now, Some(CLOSE_PROTOCOL), 0, &reason);
            }
        };
        match (self.phase, message) {
            (Phase::Greeting { .. } | Phase::Live { .. }, ServerMessage::Error(error)) if error.session.is_none() => {
                self.refused(now, error);
            }
            (Phase::Greeting { .. }, ServerMessage::Welcome { .. }) => {
                self.sessions_used = 0;
                self.phase = Phase::Live { socket, since: now, pulse: self.quiet(now) };
                let attached: Vec<AttachId> = self.attached.keys().copied().collect();
                for attach in attached {
                    self.link_up(attach);
                }
            }
            (Phase::Live { since, pulse, .. }, message) => {
                let pulse = match (pulse, &message) {
                    (Pulse::Asked { id, .. }, ServerMessage::Pong { id: answered }) if id == *answered => {
                        self.quiet(now)
                    }
                    // Whatever arrives shows that somebody is there; a PONG may queue behind a large download.
                    (Pulse::Asked { id, .. }, _) => Pulse::Asked { id, deadline: after(now, PONG_MS) },
                    (Pulse::Quiet { ping_at }, _) => Pulse::Quiet { ping_at },
                };
                self.phase = Phase::Live { socket, since, pulse };
                self.deliver(message);
            }
            (Phase::Opening { .. } | Phase::Greeting { .. }, _) => {
                let reason = "the server spoke before it was asked";
                self.problem(Code::BAD_MESSAGE_ORDER, reason, Retry::Later);
                self.fail(now, Some(CLOSE_PROTOCOL), 0, reason);
            }
            (Phase::Idle | Phase::Refused | Phase::Waiting { .. } | Phase::Refreshing { .. }, _) => {}
        }
    }

    /// Messages of a session that was given up are late, not wrong.
    fn deliver(&mut self, message: ServerMessage) {
        let Some(session) = message.session() else { return };
        let attach = self.attached.iter().find(|(_, used)| **used == Some(session)).map(|(attach, _)| *attach);
        if let Some(attach) = attach {
            self.effects.push_back(ConnectionEffect::Deliver(attach, message));
        }
    }

    /// The server said no to the connection as a whole.
    fn refused(&mut self, now: Millis, error: ErrorMessage) {
        let asked_ms = u64::from(error.backoff_ms);
        match error.action {
            Action::Warning => self.problem(error.code, &error.reason, Retry::NotNeeded),
            Action::Transient => {
                self.problem(error.code, &error.reason, Retry::Later);
                self.fail(now, Some(CLOSE_NORMAL), asked_ms, &error.reason);
            }
            Action::RefreshToken => {
                self.token = TokenState::Needed;
                match self.phase {
                    // The server keeps the socket for a while, so that the sessions need not be bound again.
                    Phase::Live { .. } => self.effects.push_back(ConnectionEffect::NeedToken),
                    Phase::Idle
                    | Phase::Refused
                    | Phase::Waiting { .. }
                    | Phase::Refreshing { .. }
                    | Phase::Opening { .. }
                    | Phase::Greeting { .. } => {
                        let first = self.backoff.failures() == 0;
                        self.fail(now, Some(CLOSE_NORMAL), asked_ms, &error.reason);
                        if first && asked_ms == 0 {
                            self.try_now(now);
                        }
                    }
                }
            }
            Action::ClientReset | Action::ClientResetNoRecovery | Action::SessionFatal => {
                self.problem(error.code, &error.reason, Retry::WhenAsked);
                self.close(CLOSE_NORMAL);
                self.links_down(&error.reason);
                self.phase = Phase::Refused;
            }
        }
    }

    fn problem(&mut self, code: Code, message: &str, retry: Retry) {
        self.effects.push_back(ConnectionEffect::Problem { code, message: message.to_string(), retry });
    }

    /// Gives the attempt or the connection up and waits for the next.
    fn fail(&mut self, now: Millis, close: Option<u16>, asked_ms: u64, reason: &str) {
        if let Phase::Live { since, .. } = self.phase
            && now >= after(since, HEALTHY_MS)
        {
            self.backoff.reset();
        }
        if let Some(code) = close {
            self.close(code);
        }
        self.links_down(reason);
        let wait = self.backoff.fail(&mut self.draws, asked_ms);
        self.phase = if self.wants_link() { Phase::Waiting { until: after(now, wait) } } else { Phase::Idle };
    }

    fn close(&mut self, code: u16) {
        if let Some(socket) = self.socket() {
            self.effects.push_back(ConnectionEffect::CloseSocket(socket, code));
        }
    }

    fn wants_link(&self) -> bool {
        !self.offline && !self.attached.is_empty()
    }

    /// Opens a socket, or gets the token that is needed first.
    fn try_now(&mut self, now: Millis) {
        if !self.wants_link() {
            self.phase = Phase::Idle;
            return;
        }
        match self.token {
            TokenState::Needed => {
                self.phase = Phase::Refreshing { deadline: after(now, REFRESH_MS) };
                self.effects.push_back(ConnectionEffect::NeedToken);
            }
            TokenState::Usable(_) => {
                self.sockets_used += 1;
                self.phase = Phase::Opening { socket: self.sockets_used, deadline: after(now, CONNECT_MS) };
                self.effects.push_back(ConnectionEffect::OpenSocket(self.sockets_used));
            }
        }
    }

    fn online(&mut self, now: Millis) {
        match self.phase {
            Phase::Waiting { .. } => {
                self.backoff.reset();
                self.try_now(now);
            }
            Phase::Idle => self.try_now(now),
            Phase::Live { socket, since, pulse: Pulse::Quiet { .. } } => self.ping(now, socket, since),
            Phase::Live { pulse: Pulse::Asked { .. }, .. }
            | Phase::Refused
            | Phase::Refreshing { .. }
            | Phase::Opening { .. }
            | Phase::Greeting { .. } => {}
        }
    }

    fn token_refreshed(&mut self, now: Millis, token: Token) {
        self.token = TokenState::Usable(token);
        match self.phase {
            Phase::Live { .. } => self.say_hello(),
            Phase::Refused | Phase::Refreshing { .. } => self.try_now(now),
            Phase::Idle | Phase::Waiting { .. } | Phase::Opening { .. } | Phase::Greeting { .. } => {}
        }
    }

    fn set_offline(&mut self, now: Millis, offline: bool) {
        self.offline = offline;
        if offline {
            self.close(CLOSE_NORMAL);
            self.links_down("the link was cut on purpose");
            self.phase = Phase::Idle;
        } else if self.phase == Phase::Idle {
            self.backoff.reset();
            self.try_now(now);
        }
    }

    fn quiet(&mut self, now: Millis) -> Pulse {
        Pulse::Quiet { ping_at: after(now, PING_MS_MIN + self.draws.below(PING_MS_SPREAD)) }
    }

    fn ping(&mut self, now: Millis, socket: u64, since: Millis) {
        self.pings_used += 1;
        let id = self.pings_used;
        self.send(&ClientMessage::Ping { id });
        self.phase = Phase::Live { socket, since, pulse: Pulse::Asked { id, deadline: after(now, PONG_MS) } };
    }

    /// Acts on a deadline that has passed.
    fn keep_time(&mut self, now: Millis) {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.phase {
            Phase::Idle | Phase::Refused => {}
            Phase::Waiting { .. } => self.try_now(now),
            Phase::Refreshing { .. } => self.fail(now, None, 0, "no new token came in time"),
            Phase::Opening { .. } => self.fail(now, Some(CLOSE_NORMAL), 0, "the socket did not open in time"),
            Phase::Greeting { .. } => self.fail(now, Some(CLOSE_NORMAL), 0, "the server did not answer HELLO in time"),
            Phase::Live { socket, since, pulse: Pulse::Quiet { .. } } => self.ping(now, socket, since),
            Phase::Live { pulse: Pulse::Asked { .. }, .. } => {
                self.fail(now, Some(CLOSE_NORMAL), 0, "the server did not answer PING in time");
            }
        }
    }
}

fn after(now: Millis, ms: u64) -> Millis {
    Millis(now.0.saturating_add(ms))
}
