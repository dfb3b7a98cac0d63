//! One connection: HELLO first, then sessions, until one side has enough.
//!
//! ```text
//!   Silent --HELLO, good token--> Greeted(user) --BIND--> sessions ...
//!     | 5 s, anything else           | token expired: 202, 30 s for another HELLO
//!     v                              v
//!   closed 4401                   closed: 4400 nonsense, 4401 token, 4408 idle, 1009 too big, 1012 restart
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use ebbtide_sync::server::{BindRequest, Refusal};
use ebbtide_sync::wire::{Action, ClientMessage, Code, ErrorMessage, PROTOCOL, SESSIONS_MAX, ServerMessage, SessionId};
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Duration, Instant, sleep_until};

use super::outbox::{Outbox, write};
use super::session::{self, Command};
use super::{Counted, close};
use crate::auth::{TokenError, TokenKind, check_realm_name};
use crate::limits::{CONNECTIONS_PER_USER_MAX, RECEIVE_QUEUE_BYTES_MAX, SESSION_QUEUE_MESSAGES_MAX, SESSIONS_EVER_MAX};
use crate::web::Web;

/// Why a connection is closed.
struct Closing {
    code: u16,
    reason: String,
    /// What the client is told first.
    error: Option<ErrorMessage>,
}

struct Connection {
    web: Arc<Web>,
    app: String,
    out: Outbox,
    user: Option<User>,
    sessions: BTreeMap<SessionId, mpsc::Sender<Command>>,
    used: BTreeSet<SessionId>,
    /// For messages that wait for their sessions.
    room: Arc<Semaphore>,
}

/// Who was authenticated, and until when.
struct User {
    id: String,
    expires: Instant,
    told: bool,
    _counted: crate::web::UserCount,
}

/// Serves a socket until it is closed.
pub async fn serve(web: Arc<Web>, app: String, socket: WebSocket, counted: Counted) {
    let (sink, stream) = socket.split();
    let (out, outgoing) = Outbox::new();
    let writer = tokio::spawn(write(sink, outgoing, web.rules.patience.write));
    let mut connection = Connection {
        web,
        app,
        out: out.clone(),
        user: None,
        sessions: BTreeMap::new(),
        used: BTreeSet::new(),
        room: Arc::new(Semaphore::new(RECEIVE_QUEUE_BYTES_MAX)),
    };
    let closing = connection.read(stream).await;
    // Ends the sessions: they see that their commands have ended.
    drop(connection);
    if let Some(error) = closing.error {
        // If the reader does not read, the close below has to do.
        let message = ServerMessage::Error(error);
        let _ = tokio::time::timeout(Duration::from_secs(1), out.send(&message)).await;
    }
    tracing::debug!(code = closing.code, reason = %closing.reason, "connection closed");
    out.close(closing.code, &closing.reason);
    drop(out);
    // The writer ends by itself: at the close, or when the other side no longer reads.
    let _ = writer.await;
    drop(counted);
}

impl Connection {
    async fn read(&mut self, mut stream: SplitStream<WebSocket>) -> Closing {
        let hello_until = Instant::now() + self.web.rules.patience.hello;
        let mut generation = self.web.service.generation();
        generation.mark_unchanged();
        let out = self.out.clone();
        loop {
            let idle_until = Instant::now() + self.web.rules.patience.idle;
            let deadline = match &self.user {
                None => hello_until,
                Some(user) if user.told => idle_until.min(user.expires + self.web.rules.patience.token),
                Some(user) => idle_until.min(user.expires),
            };
            let handled = tokio::select! {
                frame = stream.next() => match frame {
                    Some(Ok(message)) => {
                        tokio::select! {
                            handled = self.handle(message) => handled,
                            // The client does not read what its own messages make us send.
                            () = out.gone() => Err(Closing::plain(close::TRY_LATER, "not reading")),
                        }
                    }
                    Some(Err(error)) => Err(unreadable(&error)),
                    None => Err(Closing::plain(close::NORMAL, "")),
                },
                () = sleep_until(deadline) => self.late(idle_until).await,
                _ = generation.changed() => Err(Closing::plain(close::RESTART, "the server is restarting")),
                () = out.gone() => Err(Closing::plain(close::TRY_LATER, "not reading")),
            };
            if let Err(closing) = handled {
                return closing;
            }
        }
    }

    /// A deadline has passed: which?
    async fn late(&mut self, idle_until: Instant) -> Result<(), Closing> {
        let now = Instant::now();
        let Some(user) = &mut self.user else {
            return Err(Closing::plain(close::UNAUTHENTICATED, "no HELLO in time"));
        };
        if now >= idle_until {
            return Err(Closing::plain(close::IDLE, "idle for too long"));
        }
        if user.told {
            return Err(Closing::plain(close::UNAUTHENTICATED, "the token has expired"));
        }
        user.told = true;
        let error = ErrorMessage {
            session: None,
            code: Code::TOKEN_EXPIRED,
            action: Action::RefreshToken,
            reason: "the token has expired".to_string(),
            backoff_ms: 0,
        };
        self.send(ServerMessage::Error(error)).await
    }

    async fn handle(&mut self, message: Message) -> Result<(), Closing> {
        match message {
            Message::Binary(frame) => {
                let message = ClientMessage::decode(&frame)
                    .map_err(|error| Closing::error(close::PROTOCOL, error.code(), error.to_string()))?;
                self.obey(message, frame.len()).await
            }
            Message::Text(_) => {
                Err(Closing::error(close::PROTOCOL, Code::BAD_SYNTAX, "text frames are not spoken here"))
            }
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(Closing::plain(close::NORMAL, "")),
        }
    }

    async fn obey(&mut self, message: ClientMessage, bytes: usize) -> Result<(), Closing> {
        if let ClientMessage::Hello { protocol, token, client_info } = message {
            return self.greet(protocol, &token.0, &client_info).await;
        }
        if self.user.is_none() {
            return Err(Closing::error(close::UNAUTHENTICATED, Code::BAD_MESSAGE_ORDER, "HELLO comes first"));
        }
        match message {
            ClientMessage::Ping { id } => self.send(ServerMessage::Pong { id }).await,
            ClientMessage::Bind { session, realm, client, schema, cursor, last, purpose } => {
                let user = self.user.as_ref().map(|user| user.id.clone()).unwrap_or_default();
                let request = BindRequest { user, client, schema, cursor, last, purpose };
                self.bind(session, &realm, request).await
            }
            message => match message.session() {
                Some(session) => self.forward(session, message, bytes).await,
                None => unreachable!("HELLO and PING were handled above"),
            },
        }
    }

    async fn greet(&mut self, protocol: u16, token: &str, client_info: &str) -> Result<(), Closing> {
        if protocol != PROTOCOL {
            let reason = format!("this server speaks protocol {PROTOCOL}, the client {protocol}");
            return Err(Closing::error(close::PROTOCOL, Code::WRONG_PROTOCOL_VERSION, reason));
        }
        let now = self.web.service.now();
        let claims = self.web.tokens.check(&self.app, token, TokenKind::Access, now).map_err(|error| {
            let code = match error {
                TokenError::Expired => Code::TOKEN_EXPIRED,
                TokenError::Invalid => Code::BAD_AUTHENTICATION,
            };
            Closing::error(close::UNAUTHENTICATED, code, error.to_string())
        })?;
        let left_ms = (claims.exp * 1000).saturating_sub(now.0);
        let expires = Instant::now() + Duration::from_millis(left_ms);
        match &mut self.user {
            Some(user) if user.id == claims.sub => (user.expires, user.told) = (expires, false),
            Some(_) => {
                let reason = "this connection belongs to another user";
                return Err(Closing::error(close::UNAUTHENTICATED, Code::USER_MISMATCH, reason));
            }
            None => {
                let Some(counted) = self.web.count_user(&self.app, &claims.sub) else {
                    let reason = format!("a user has at most {CONNECTIONS_PER_USER_MAX} connections");
                    return Err(Closing::error(close::TRY_LATER, Code::TRY_AGAIN, reason));
                };
                tracing::info!(app = %self.app, client = ?client_info, "connected");
                self.web.remember_user(&self.app, &claims.sub).await;
                self.user = Some(User { id: claims.sub.clone(), expires, told: false, _counted: counted });
            }
        }
        self.send(ServerMessage::Welcome { user: claims.sub }).await
    }

    async fn bind(&mut self, session: SessionId, realm: &str, request: BindRequest) -> Result<(), Closing> {
        self.sessions.retain(|_, commands| !commands.is_closed());
        if !self.used.insert(session) {
            return self
                .refuse(session, Refusal::fatal(Code::REUSED_SESSION, "this session number was used before"))
                .await;
        }
        if self.used.len() > SESSIONS_EVER_MAX {
            return Err(Closing::error(close::TRY_LATER, Code::TRY_AGAIN, "this connection had too many sessions"));
        }
        if self.sessions.len() >= SESSIONS_MAX {
            let reason = format!("a connection has at most {SESSIONS_MAX} sessions");
            return self.refuse(session, Refusal::fatal(Code::LIMITS_EXCEEDED, reason)).await;
        }
        if let Err(reason) = check_realm_name(realm) {
            return self.refuse(session, Refusal::fatal(Code::ILLEGAL_REALM_NAME, reason)).await;
        }
        if !self.web.rules.realms.allows(&request.user, realm) {
            let reason = "the user may not open this realm";
            return self.refuse(session, Refusal::fatal(Code::PERMISSION_DENIED, reason)).await;
        }
        let hub = match self.web.service.hub(&format!("{}/{realm}", self.app)).await {
            Ok(hub) => hub,
            Err(refusal) => return self.refuse(session, refusal).await,
        };
        let (commands, receiver) = mpsc::channel(SESSION_QUEUE_MESSAGES_MAX);
        self.sessions.insert(session, commands);
        tokio::spawn(session::run(session, hub, request, self.out.clone(), receiver));
        Ok(())
    }

    /// Hands a message to its session. One for a session that is over was sent before the client knew.
    async fn forward(&mut self, session: SessionId, message: ClientMessage, bytes: usize) -> Result<(), Closing> {
        if !self.used.contains(&session) {
            return self.refuse(session, Refusal::fatal(Code::BAD_SESSION, "this session was not bound")).await;
        }
        let over = matches!(message, ClientMessage::Unbind { .. });
        if let Some(commands) = self.sessions.get(&session) {
            let permits = u32::try_from(bytes.clamp(1, RECEIVE_QUEUE_BYTES_MAX)).expect("invariant: a frame is small");
            let room = Arc::clone(&self.room).acquire_many_owned(permits).await;
            let room = room.expect("invariant: the semaphore is never closed");
            if commands.send(Command { message, room }).await.is_err() {
                self.sessions.remove(&session);
            }
        }
        if over {
            self.sessions.remove(&session);
        }
        Ok(())
    }

    async fn refuse(&self, session: SessionId, refusal: Refusal) -> Result<(), Closing> {
        tracing::info!(session = session.0, code = refusal.code.0, reason = %refusal.reason, "session refused");
        self.send(ServerMessage::Error(refusal.message(Some(session)))).await
    }

    async fn send(&self, message: ServerMessage) -> Result<(), Closing> {
        self.out.send(&message).await.map_err(|_| Closing::plain(close::TRY_LATER, "not reading"))
    }
}

fn unreadable(error: &axum::Error) -> Closing {
    let text = error.to_string();
    if text.contains("too long") || text.contains("too big") || text.contains("Space limit") {
        let reason = "a frame is larger than 4 MiB";
        return Closing { code: close::TOO_BIG, ..Closing::error(close::TOO_BIG, Code::LIMITS_EXCEEDED, reason) };
    }
    Closing::plain(close::PROTOCOL, "the socket broke")
}

impl Closing {
    fn plain(code: u16, reason: &str) -> Closing {
        Closing { code, reason: reason.to_string(), error: None }
    }

    fn error(code: u16, wire: Code, reason: impl Into<String>) -> Closing {
        let reason = reason.into();
        let action = match wire {
            Code::TOKEN_EXPIRED | Code::BAD_AUTHENTICATION => Action::RefreshToken,
            Code::TRY_AGAIN => Action::Transient,
            _ => Action::SessionFatal,
        };
        let error = Refusal { code: wire, action, reason: reason.clone(), backoff_ms: 0 }.message(None);
        let mut short = reason;
        short.truncate((0..=120.min(short.len())).rev().find(|at| short.is_char_boundary(*at)).unwrap_or(0));
        Closing { code, reason: short, error: Some(error) }
    }
}
