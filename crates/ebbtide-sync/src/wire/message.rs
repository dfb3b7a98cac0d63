//! The messages, as values.

use std::fmt;

use ebbtide_core::{ChangesetNumber, ClientId, Epoch, Millis, Salt, Schema, ServerVersion, ids::ChainHash};

/// The number of a session on its connection, chosen by the client and never used twice on one connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u32);

pub use ebbtide_core::replica::Cursor;

/// The last changeset of one client that somebody has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UploadCursor {
    /// Its number.
    pub number: ChangesetNumber,
    /// Its hash, and through it that of all before it.
    pub hash: ChainHash,
}

/// An access token. Its `Debug` never shows it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} bytes)", self.0.len())
    }
}

/// What a client says.
#[derive(Clone, PartialEq, Debug)]
pub enum ClientMessage {
    /// The first message of a connection; sent again with a new token when the old one expires.
    Hello {
        /// The version of the protocol the client speaks.
        protocol: u16,
        /// Who is speaking.
        token: Token,
        /// The client's name and version, for the server's log.
        client_info: String,
    },
    /// Opens a session on one realm.
    Bind {
        /// The session's number from here on.
        session: SessionId,
        /// The realm's name on the server.
        realm: String,
        /// The store that speaks.
        client: ClientId,
        /// The schema the client needs; additions are integrated, conflicts refused.
        schema: Schema,
        /// The last entry the client has on disk; `None` if it has none.
        cursor: Option<Cursor>,
        /// The last changeset the client has made durable, confirmed or not.
        last: Option<UploadCursor>,
        /// What the session is for.
        purpose: Purpose,
    },
    /// Changesets in the order of their numbers, each in its encoded form.
    Upload {
        /// The session.
        session: SessionId,
        /// Encoded changesets.
        changesets: Vec<Vec<u8>>,
    },
    /// The client has everything up to here on disk.
    Ack {
        /// The session.
        session: SessionId,
        /// The last entry that is on disk.
        version: ServerVersion,
    },
    /// Asks for an echo after everything that the server has now has been sent.
    Mark {
        /// The session.
        session: SessionId,
        /// Echoed.
        id: u64,
    },
    /// Closes a session.
    Unbind {
        /// The session.
        session: SessionId,
    },
    /// Asks whether the server is there.
    Ping {
        /// Echoed.
        id: u64,
    },
}

impl ClientMessage {
    /// The session the message belongs to, if it belongs to one.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            ClientMessage::Hello { .. } | ClientMessage::Ping { .. } => None,
            ClientMessage::Bind { session, .. }
            | ClientMessage::Upload { session, .. }
            | ClientMessage::Ack { session, .. }
            | ClientMessage::Mark { session, .. }
            | ClientMessage::Unbind { session } => Some(*session),
        }
    }
}

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To continue from the cursor.
    Sync,
    /// To receive the whole state as snapshot chunks, then to continue from there.
    Fresh {
        /// The chunks already staged, if any.
        resume: Option<FreshResume>,
    },
}

/// Which snapshot is staged and how far. A server that can no longer produce that very snapshot starts another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FreshResume {
    /// The state the chunks belong to.
    pub at: Cursor,
    /// The first chunk that is missing.
    pub next_chunk: u32,
}

/// What a server says.
#[derive(Clone, PartialEq, Debug)]
pub enum ServerMessage {
    /// The answer to HELLO.
    Welcome {
        /// The user's id.
        user: String,
    },
    /// The answer to BIND.
    Bound {
        /// The session.
        session: SessionId,
        /// The server's history.
        epoch: Epoch,
        /// Its last entry.
        head: ServerVersion,
        /// The last changeset of this client that is in the history.
        last: Option<UploadCursor>,
        /// What the server's clock says; absent from servers that do not tell.
        now: Option<Millis>,
    },
    /// A piece of the state at one version.
    Snapshot {
        /// The session.
        session: SessionId,
        /// The state the chunk belongs to.
        at: Cursor,
        /// The chunk's position, from 0.
        index: u32,
        /// How many chunks there are.
        count: u32,
        /// Bytes of all chunks together.
        total_bytes: u64,
        /// The chunk.
        bytes: Vec<u8>,
    },
    /// History entries in order.
    Download {
        /// The session.
        session: SessionId,
        /// The entries after the client's cursor.
        entries: Vec<Entry>,
        /// The client's cursor once it has them.
        upto: Cursor,
    },
    /// The client's changesets up to this number are durable in the history.
    Acked {
        /// The session.
        session: SessionId,
        /// The last of them.
        number: ChangesetNumber,
        /// The version it became.
        version: ServerVersion,
    },
    /// The answer to MARK.
    Mark {
        /// The session.
        session: SessionId,
        /// As asked.
        id: u64,
    },
    /// How much there is to download.
    Progress {
        /// The session.
        session: SessionId,
        /// Bytes that follow, estimated.
        downloadable_bytes: u64,
    },
    /// Something is wrong, or worth telling.
    Error(ErrorMessage),
    /// The answer to PING.
    Pong {
        /// As asked.
        id: u64,
    },
}

impl ServerMessage {
    /// The session the message belongs to, if it belongs to one.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            ServerMessage::Welcome { .. } | ServerMessage::Pong { .. } => None,
            ServerMessage::Bound { session, .. }
            | ServerMessage::Snapshot { session, .. }
            | ServerMessage::Download { session, .. }
            | ServerMessage::Acked { session, .. }
            | ServerMessage::Mark { session, .. }
            | ServerMessage::Progress { session, .. } => Some(*session),
            ServerMessage::Error(error) => error.session,
        }
    }
}

/// One entry of a history.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its position.
    pub version: ServerVersion,
    /// Its salt.
    pub salt: Salt,
    /// What it does.
    pub body: EntryBody,
}

/// What an entry does.
#[derive(Clone, PartialEq, Debug)]
pub enum EntryBody {
    /// An encoded changeset of another client.
    Full(Vec<u8>),
    /// The receiver's own changeset of this number, which it has already.
    Own(ChangesetNumber),
    /// An encoded changeset of the server that reverts what it refused.
    Compensation(Vec<u8>),
}

/// What a server says is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorMessage {
    /// The session it concerns; `None` for the connection.
    pub session: Option<SessionId>,
    /// What happened.
    pub code: Code,
    /// What the client must do.
    pub action: Action,
    /// In words, for people.
    pub reason: String,
    /// How long to wait at least before trying again.
    pub backoff_ms: u32,
}

/// What a client does about an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Tells the app and goes on.
    Warning,
    /// Tries again later.
    Transient,
    /// Gets a new token and goes on.
    RefreshToken,
    /// Resets the realm.
    ClientReset,
    /// Resets the realm, and recovers nothing.
    ClientResetNoRecovery,
    /// Stops the session and tells the app.
    SessionFatal,
}

/// The number of an error. Those that Realm had keep Realm's numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Code(pub u16);

impl Code {
    /// The connection was closed by the other side.
    pub const CONNECTION_CLOSED: Code = Code(100);
    /// Any other connection error.
    pub const OTHER_ERROR: Code = Code(101);
    /// A message of an unknown kind.
    pub const UNKNOWN_MESSAGE: Code = Code(102);
    /// A message that cannot be decoded.
    pub const BAD_SYNTAX: Code = Code(103);
    /// A message over a limit.
    pub const LIMITS_EXCEEDED: Code = Code(104);
    /// A protocol version that is not spoken.
    pub const WRONG_PROTOCOL_VERSION: Code = Code(105);
    /// A session number that is not bound.
    pub const BAD_SESSION: Code = Code(106);
    /// A session number that is bound already.
    pub const REUSED_SESSION: Code = Code(107);
    /// A message at a moment where it has no meaning.
    pub const BAD_MESSAGE_ORDER: Code = Code(112);
    /// The server is stopping, or has too much to do.
    pub const TRY_AGAIN: Code = Code(113);
    /// The session was closed by the other side.
    pub const SESSION_CLOSED: Code = Code(200);
    /// Any other session error.
    pub const OTHER_SESSION_ERROR: Code = Code(201);
    /// The token has expired.
    pub const TOKEN_EXPIRED: Code = Code(202);
    /// The token is not valid.
    pub const BAD_AUTHENTICATION: Code = Code(203);
    /// The realm's name is not one.
    pub const ILLEGAL_REALM_NAME: Code = Code(204);
    /// The user may not do that.
    pub const PERMISSION_DENIED: Code = Code(206);
    /// The server does not know this client (any more).
    pub const BAD_CLIENT_FILE_IDENT: Code = Code(208);
    /// The client's cursor is ahead of the server.
    pub const BAD_SERVER_VERSION: Code = Code(209);
    /// The client's changesets do not continue those the server has.
    pub const BAD_CLIENT_VERSION: Code = Code(210);
    /// The histories have different epochs or salts.
    pub const DIVERGING_HISTORIES: Code = Code(211);
    /// A changeset that cannot be integrated.
    pub const BAD_CHANGESET: Code = Code(212);
    /// The client's store cannot be continued.
    pub const BAD_CLIENT_FILE: Code = Code(217);
    /// The client's cursor lies below the history that is kept.
    pub const CLIENT_FILE_EXPIRED: Code = Code(222);
    /// The client belongs to another user.
    pub const USER_MISMATCH: Code = Code(223);
    /// The schema conflicts with the server's.
    pub const INVALID_SCHEMA_CHANGE: Code = Code(225);
    /// A write was refused and reverted.
    pub const COMPENSATING_WRITE: Code = Code(231);
}
