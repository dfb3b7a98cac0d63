//! The client: one [`Engine`] per realm, one [`Connection`] per app user. Both are values: they are told what happened
//! and when, and answer with what to do.

mod backoff;
mod clock;
mod connection;
mod download;
mod engine;
mod error;
mod event;
mod flush;
mod fresh;
mod image;
mod inspect;
mod mark;
mod migration;
mod open;
mod options;
mod others;
mod random;
mod reset;
mod session;
mod state;
mod upload;
mod waits;

pub use connection::{
    AttachId, Connection, ConnectionEffect, ConnectionEvent, ConnectionOptions, ConnectionState, Retry,
};
pub use engine::Engine;
pub use error::{EngineError, OpenError, StoreFailure, StoreFailureKind, SyncError, SyncErrorKind};
pub use event::{BatchId, Direction, Effect, Event, Look, Origin, Progress, ResetProgress, Seen, SessionState, WaitId};
pub use image::Image;
pub use inspect::Standing;
pub use options::{Kind, Migration, OpenOptions, ResetMode, Role, SyncOptions};
pub use reset::{ResetCause, ResetPhase};
