//! The world of tests: a store that keeps its promises exactly and breaks the others when told to, a server made of the
//! rules that ship, devices that crash between any two steps.
//!
//! Knows nothing of browsers; only tests depend on it.
#![allow(clippy::unwrap_used)]

mod device;
pub mod edits;
pub mod fuzz;
mod server;
pub mod sim;
mod store;
mod turn;
mod world;

pub use device::{Device, Noted, Reply};
pub use server::{DeviceId, ServerBackup, TestServer};
pub use store::{MemoryStore, StoreRefusal};
pub use turn::{Served, ServerTurn};
pub use world::{Kennel, World, change};
