//! The browser edge of Ebbtide: everything that is IndexedDB, WebSocket, timer, promise or JavaScript value.
//!
//! Knows no rule about data: it carries events into the engine and the engine's effects out.

mod api;
mod clock;
mod convert;
mod error;
mod host;
mod idb;
mod link;
mod login;
mod poison;
mod socket;
mod tabs;
mod timer;
mod wake;
