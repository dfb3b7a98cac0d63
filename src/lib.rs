//! The browser edge of Ebbtide: everything that is IndexedDB, WebSocket, timer, promise or JavaScript value.
//!
//! Knows no rule about data: it carries events into the engine and the engine's effects out.

mod clock;
mod error;
mod idb;
mod poison;
mod socket;
mod tabs;
mod timer;
mod wake;
