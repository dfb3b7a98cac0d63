//! The conversation between a client and a server: the wire format, the client's engine and connection, the server's
//! session rules. Everything is a value that is told what happened and when, and answers with what to do.
//!
//! Knows nothing of sockets, clocks, randomness, storage or JavaScript.

pub mod client;
pub mod server;
pub mod wire;
