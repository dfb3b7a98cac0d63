//! Several tabs, windows, frames and workers of one origin on one realm: who is there, who leads, and what they tell each
//! other. docs/tabs.md tells the whole. Decides nothing about data: the engine finds out from the store what it has missed.
//!
//! - [`Presence`]: the right to have the realm open at all, or to have it alone.
//! - `Lead`: the right to speak to the server, which one has at a time.
//! - `Channel`: the messages.
//! - [`Queued`]: what one tab does at a time, whatever realms it has open.
//! - [`Tab`]: one open realm among those of other tabs; what its driver deals with.

mod broadcast;
mod channel;
mod heartbeat;
mod lead;
mod locks;
mod message;
mod presence;
mod queue;
mod tab;

pub(crate) use broadcast::BroadcastChannel;
pub(crate) use lead::LeadLock;
pub(crate) use message::{Activity, LeaderState, connection_name};
pub(crate) use presence::{Company, Presence, missing};
pub(crate) use queue::Queued;
pub(crate) use tab::{Saying, Stake, Tab, TabUser};
