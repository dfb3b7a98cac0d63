//! The sync server: sockets, HTTP, storage, the command line.
//!
//! Knows nothing of merge rules (`ebbtide-core`) and decides nothing about a conversation (`ebbtide_sync::server`): it
//! moves bytes between sockets and storage, and makes durable what those decide before anybody hears of it.

pub mod auth;
pub mod data_dir;
pub mod edge;
pub mod limits;
pub mod storage;
