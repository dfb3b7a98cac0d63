//! One connection for all sessions of one app user.

use ebbtide_core::Millis;

use crate::wire::{ClientMessage, ServerMessage, SessionId, Token};

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
        code: crate::wire::Code,
        /// In words.
        message: String,
        /// Whether no further attempt is made until there is a new token, or `Reconnect`.
        fatal: bool,
    },
}

/// One connection for all sessions of one app user.
#[derive(Debug)]
pub struct Connection {}

impl Connection {
    /// Starts without a socket.
    pub fn open(now: Millis, options: ConnectionOptions) -> Connection {
        let _ = (now, options);
        unimplemented!()
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, now: Millis, event: ConnectionEvent) {
        let _ = (now, event);
        unimplemented!()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<ConnectionEffect> {
        unimplemented!()
    }

    /// When to call with [`ConnectionEvent::Timer`], if nothing else happens.
    pub fn next_deadline(&self) -> Option<Millis> {
        unimplemented!()
    }

    /// Whether there is a connection.
    pub fn state(&self) -> ConnectionState {
        unimplemented!()
    }
}
