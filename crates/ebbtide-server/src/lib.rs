//! The sync server: sockets, HTTP, storage, the command line.
//!
//! Knows nothing of merge rules (`ebbtide-core`) and decides nothing about a conversation (`ebbtide_sync::server`): it
//! moves bytes between sockets and storage, and makes durable what those decide before anybody hears of it.

pub mod auth;
pub mod backup;
pub mod cli;
pub mod data_dir;
pub mod edge;
pub mod hub;
pub mod limits;
pub mod service;
pub mod socket;
pub mod storage;
pub mod web;
