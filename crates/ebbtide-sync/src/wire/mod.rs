//! What travels between client and server: one binary WebSocket frame is one message (docs/protocol.md).

mod codec;
mod limits;
mod message;

pub use codec::{WIRE_FORMAT, WireError};
pub use limits::*;
pub use message::{
    Action, ClientMessage, Code, Cursor, Entry, EntryBody, ErrorMessage, FreshResume, Purpose, ServerMessage,
    SessionId, Token, UploadCursor,
};

/// The version of the protocol, said in HELLO.
pub const PROTOCOL: u16 = 1;

/// The WebSocket subprotocol both sides must agree on.
pub const SUBPROTOCOL: &str = "ebbtide.v1";
