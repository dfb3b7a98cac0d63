//! Messages to frames and back: a format number, a kind, the fields in the order of docs/protocol.md.

use ebbtide_core::codec::{DecodeError, Reader, Writer};
use ebbtide_core::{ChainHash, ChangesetNumber, ClientId, Epoch, Millis, Salt, Schema, ServerVersion};

use super::limits::*;
use super::message::*;

/// The first byte of every frame.
pub const WIRE_FORMAT: u8 = 1;

/// Why a frame is not a message.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WireError {
    /// More bytes than a frame may have.
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// The first byte is another format number.
    Format(u8),
    /// A kind of message that this side does not know.
    Kind(u8),
    /// The fields cannot be read.
    Malformed(DecodeError),
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WireError::TooLarge { bytes } => write!(f, "a frame of {bytes} bytes exceeds {FRAME_BYTES_MAX}"),
            WireError::Format(number) => write!(f, "frame format {number} is not spoken here, only {WIRE_FORMAT}"),
            WireError::Kind(kind) => write!(f, "there is no message of kind {kind}"),
            WireError::Malformed(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for WireError {}

impl From<DecodeError> for WireError {
    fn from(error: DecodeError) -> WireError {
        WireError::Malformed(error)
    }
}

impl WireError {
    /// The code under which this is reported to the other side.
    pub fn code(&self) -> Code {
        match self {
            WireError::TooLarge { .. } => Code::LIMITS_EXCEEDED,
            WireError::Format(_) => Code::WRONG_PROTOCOL_VERSION,
            WireError::Kind(_) => Code::UNKNOWN_MESSAGE,
            WireError::Malformed(_) => Code::BAD_SYNTAX,
        }
    }
}

mod kind {
    pub const HELLO: u8 = 1;
    pub const BIND: u8 = 2;
    pub const UPLOAD: u8 = 3;
    pub const ACK: u8 = 4;
    pub const MARK: u8 = 5;
    pub const UNBIND: u8 = 6;
    pub const PING: u8 = 7;

    pub const WELCOME: u8 = 65;
    pub const BOUND: u8 = 66;
    pub const SNAPSHOT: u8 = 67;
    pub const DOWNLOAD: u8 = 68;
    pub const ACKED: u8 = 69;
    pub const MARKED: u8 = 70;
    pub const PROGRESS: u8 = 71;
    pub const ERROR: u8 = 72;
    pub const PONG: u8 = 73;
}

impl ClientMessage {
    /// The frame of this message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(WIRE_FORMAT);
        match self {
            ClientMessage::Hello { protocol, token, client_info } => {
                out.u8(kind::HELLO);
                out.u16(*protocol);
                out.string(&token.0);
                out.string(client_info);
            }
            ClientMessage::Bind { session, realm, client, schema, cursor, last, purpose } => {
                out.u8(kind::BIND);
                write_session(&mut out, *session);
                out.string(realm);
                out.raw(&client.0);
                schema.encode(&mut out);
                out.option(*cursor, write_cursor);
                out.option(*last, write_upload_cursor);
                match purpose {
                    Purpose::Sync => out.u8(0),
                    Purpose::Fresh { resume } => {
                        out.u8(1);
                        out.option(*resume, |out, resume| {
                            write_cursor(out, resume.at);
                            out.varint(u64::from(resume.next_chunk));
                        });
                    }
                }
            }
            ClientMessage::Upload { session, changesets } => {
                out.u8(kind::UPLOAD);
                write_session(&mut out, *session);
                out.varint(changesets.len() as u64);
                for changeset in changesets {
                    out.run(changeset);
                }
            }
            ClientMessage::Ack { session, version } => {
                out.u8(kind::ACK);
                write_session(&mut out, *session);
                out.varint(version.0);
            }
            ClientMessage::Mark { session, id } => {
                out.u8(kind::MARK);
                write_session(&mut out, *session);
                out.varint(*id);
            }
            ClientMessage::Unbind { session } => {
                out.u8(kind::UNBIND);
                write_session(&mut out, *session);
            }
            ClientMessage::Ping { id } => {
                out.u8(kind::PING);
                out.varint(*id);
            }
        }
        out.into_bytes()
    }

    /// The message of a frame.
    pub fn decode(frame: &[u8]) -> Result<ClientMessage, WireError> {
        let (kind, mut input) = open(frame)?;
        let input = &mut input;
        let message = match kind {
            kind::HELLO => ClientMessage::Hello {
                protocol: input.u16()?,
                token: Token(input.string(TOKEN_BYTES_MAX)?.to_string()),
                client_info: input.string(CLIENT_INFO_BYTES_MAX)?.to_string(),
            },
            kind::BIND => ClientMessage::Bind {
                session: read_session(input)?,
                realm: input.string(REALM_NAME_BYTES_MAX)?.to_string(),
                client: ClientId(input.array()?),
                schema: Schema::decode(input)?,
                cursor: input.option(read_cursor)?,
                last: input.option(read_upload_cursor)?,
                purpose: match input.u8()? {
                    0 => Purpose::Sync,
                    1 => Purpose::Fresh {
                        resume: input.option(|input| {
                            Ok(FreshResume { at: read_cursor(input)?, next_chunk: read_u32(input, CHUNKS_MAX)? })
                        })?,
                    },
                    _ => return Err(input.invalid("a purpose").into()),
                },
            },
            kind::UPLOAD => {
                let session = read_session(input)?;
                let count = input.count(UPLOAD_CHANGESETS_MAX)?;
                let mut changesets = Vec::new();
                for _ in 0..count {
                    changesets.push(input.run(CHANGESET_BYTES_MAX)?.to_vec());
                }
                ClientMessage::Upload { session, changesets }
            }
            kind::ACK => ClientMessage::Ack { session: read_session(input)?, version: ServerVersion(input.varint()?) },
            kind::MARK => ClientMessage::Mark { session: read_session(input)?, id: input.varint()? },
            kind::UNBIND => ClientMessage::Unbind { session: read_session(input)? },
            kind::PING => ClientMessage::Ping { id: input.varint()? },
            other => return Err(WireError::Kind(other)),
        };
        input.end()?;
        Ok(message)
    }
}

impl ServerMessage {
    /// The frame of this message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(WIRE_FORMAT);
        match self {
            ServerMessage::Welcome { user } => {
                out.u8(kind::WELCOME);
                out.string(user);
            }
            ServerMessage::Bound { session, epoch, head, last, now } => {
                out.u8(kind::BOUND);
                write_session(&mut out, *session);
                out.raw(&epoch.0);
                out.varint(head.0);
                out.option(*last, write_upload_cursor);
                if let Some(now) = now {
                    out.u64(now.0);
                }
            }
            ServerMessage::Snapshot { session, at, index, count, total_bytes, bytes } => {
                out.u8(kind::SNAPSHOT);
                write_session(&mut out, *session);
                write_cursor(&mut out, *at);
                out.varint(u64::from(*index));
                out.varint(u64::from(*count));
                out.varint(*total_bytes);
                out.run(bytes);
            }
            ServerMessage::Download { session, entries, upto } => {
                out.u8(kind::DOWNLOAD);
                write_session(&mut out, *session);
                write_cursor(&mut out, *upto);
                out.varint(entries.len() as u64);
                for entry in entries {
                    write_entry(&mut out, entry);
                }
            }
            ServerMessage::Acked { session, number, version } => {
                out.u8(kind::ACKED);
                write_session(&mut out, *session);
                out.varint(number.0);
                out.varint(version.0);
            }
            ServerMessage::Mark { session, id } => {
                out.u8(kind::MARKED);
                write_session(&mut out, *session);
                out.varint(*id);
            }
            ServerMessage::Progress { session, downloadable_bytes } => {
                out.u8(kind::PROGRESS);
                write_session(&mut out, *session);
                out.varint(*downloadable_bytes);
            }
            ServerMessage::Error(error) => {
                out.u8(kind::ERROR);
                out.option(error.session, write_session);
                out.u16(error.code.0);
                out.u8(action_number(error.action));
                out.string(clip(&error.reason, REASON_BYTES_MAX));
                out.varint(u64::from(error.backoff_ms));
            }
            ServerMessage::Pong { id } => {
                out.u8(kind::PONG);
                out.varint(*id);
            }
        }
        out.into_bytes()
    }

    /// The message of a frame.
    pub fn decode(frame: &[u8]) -> Result<ServerMessage, WireError> {
        let (kind, mut input) = open(frame)?;
        let input = &mut input;
        let message = match kind {
            kind::WELCOME => ServerMessage::Welcome { user: input.string(USER_BYTES_MAX)?.to_string() },
            kind::BOUND => ServerMessage::Bound {
                session: read_session(input)?,
                epoch: Epoch(input.array()?),
                head: ServerVersion(input.varint()?),
                last: input.option(read_upload_cursor)?,
                now: if input.is_empty() { None } else { Some(Millis(input.u64()?)) },
            },
            kind::SNAPSHOT => read_snapshot(input)?,
            kind::DOWNLOAD => {
                let session = read_session(input)?;
                let upto = read_cursor(input)?;
                let count = input.count(DOWNLOAD_ENTRIES_MAX)?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    entries.push(read_entry(input)?);
                }
                ServerMessage::Download { session, entries, upto }
            }
            kind::ACKED => ServerMessage::Acked {
                session: read_session(input)?,
                number: ChangesetNumber(input.varint()?),
                version: ServerVersion(input.varint()?),
            },
            kind::MARKED => ServerMessage::Mark { session: read_session(input)?, id: input.varint()? },
            kind::PROGRESS => {
                ServerMessage::Progress { session: read_session(input)?, downloadable_bytes: input.varint()? }
            }
            kind::ERROR => ServerMessage::Error(ErrorMessage {
                session: input.option(read_session)?,
                code: Code(input.u16()?),
                action: read_action(input)?,
                reason: input.string(REASON_BYTES_MAX)?.to_string(),
                backoff_ms: read_u32(input, u32::MAX)?,
            }),
            kind::PONG => ServerMessage::Pong { id: input.varint()? },
            other => return Err(WireError::Kind(other)),
        };
        input.end()?;
        Ok(message)
    }
}

fn open(frame: &[u8]) -> Result<(u8, Reader<'_>), WireError> {
    if frame.len() > FRAME_BYTES_MAX {
        return Err(WireError::TooLarge { bytes: frame.len() });
    }
    let mut input = Reader::new(frame);
    let format = input.u8()?;
    if format != WIRE_FORMAT {
        return Err(WireError::Format(format));
    }
    Ok((input.u8()?, input))
}

/// The longest prefix of `text` that has at most `limit` bytes.
fn clip(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn read_u32(input: &mut Reader<'_>, limit: u32) -> Result<u32, DecodeError> {
    match u32::try_from(input.varint()?) {
        Ok(value) if value <= limit => Ok(value),
        Ok(_) | Err(_) => Err(input.invalid("a number within bounds")),
    }
}

fn write_session(out: &mut Writer, session: SessionId) {
    out.varint(u64::from(session.0));
}

fn read_session(input: &mut Reader<'_>) -> Result<SessionId, DecodeError> {
    Ok(SessionId(read_u32(input, u32::MAX)?))
}

fn write_cursor(out: &mut Writer, cursor: Cursor) {
    out.raw(&cursor.epoch.0);
    out.varint(cursor.version.0);
    out.u64(cursor.salt.0);
}

fn read_cursor(input: &mut Reader<'_>) -> Result<Cursor, DecodeError> {
    Ok(Cursor { epoch: Epoch(input.array()?), version: ServerVersion(input.varint()?), salt: Salt(input.u64()?) })
}

fn write_upload_cursor(out: &mut Writer, last: UploadCursor) {
    out.varint(last.number.0);
    out.raw(&last.hash.0);
}

fn read_upload_cursor(input: &mut Reader<'_>) -> Result<UploadCursor, DecodeError> {
    Ok(UploadCursor { number: ChangesetNumber(input.varint()?), hash: ChainHash(input.array()?) })
}

fn write_entry(out: &mut Writer, entry: &Entry) {
    out.varint(entry.version.0);
    out.u64(entry.salt.0);
    match &entry.body {
        EntryBody::Full(bytes) => {
            out.u8(0);
            out.run(bytes);
        }
        EntryBody::Own(number) => {
            out.u8(1);
            out.varint(number.0);
        }
        EntryBody::Compensation(bytes) => {
            out.u8(2);
            out.run(bytes);
        }
    }
}

fn read_entry(input: &mut Reader<'_>) -> Result<Entry, DecodeError> {
    Ok(Entry {
        version: ServerVersion(input.varint()?),
        salt: Salt(input.u64()?),
        body: match input.u8()? {
            0 => EntryBody::Full(input.run(CHANGESET_BYTES_MAX)?.to_vec()),
            1 => EntryBody::Own(ChangesetNumber(input.varint()?)),
            2 => EntryBody::Compensation(input.run(CHANGESET_BYTES_MAX)?.to_vec()),
            _ => return Err(input.invalid("the body of an entry")),
        },
    })
}

fn read_snapshot(input: &mut Reader<'_>) -> Result<ServerMessage, DecodeError> {
    let session = read_session(input)?;
    let at = read_cursor(input)?;
    let index = read_u32(input, CHUNKS_MAX)?;
    let count = read_u32(input, CHUNKS_MAX)?;
    if index >= count {
        return Err(input.invalid("a chunk below the count of chunks"));
    }
    let total_bytes = input.varint()?;
    let bytes = input.run(CHUNK_BYTES_MAX)?.to_vec();
    Ok(ServerMessage::Snapshot { session, at, index, count, total_bytes, bytes })
}

fn action_number(action: Action) -> u8 {
    match action {
        Action::Warning => 0,
        Action::Transient => 1,
        Action::RefreshToken => 2,
        Action::ClientReset => 3,
        Action::ClientResetNoRecovery => 4,
        Action::SessionFatal => 5,
    }
}

fn read_action(input: &mut Reader<'_>) -> Result<Action, DecodeError> {
    Ok(match input.u8()? {
        0 => Action::Warning,
        1 => Action::Transient,
        2 => Action::RefreshToken,
        3 => Action::ClientReset,
        4 => Action::ClientResetNoRecovery,
        5 => Action::SessionFatal,
        _ => return Err(input.invalid("an action")),
    })
}
