//! The one loop of a realm: an event comes in, the engine is told, its effects are carried out. Decides nothing.
//!
//! ```text
//! JavaScript, store, link, tab, alarm --event--> engine --effects--> store, link, tab, alarm, outbox --calls--> host
//! ```
//! The engine moves memory in the call itself. Effects are drained in one microtask, so all commits of a turn become one
//! transaction of the store and at most one notice per listener; the host is called with nothing borrowed: to notify of changes
//! as soon as they are known, because making a batch takes longer, and for all else at the end.

mod run;
mod session;

pub(crate) use run::{Driver, SyncHandle};
