//! The browser edge of Ebbtide: everything that is IndexedDB, WebSocket, timer, promise or JavaScript value.
//!
//! Knows no rule about data: it carries events into the engine and the engine's effects out.

mod api;
mod clock;
mod convert;
mod driver;
mod error;
mod generation;
mod host;
mod idb;
mod images;
mod lifecycle;
mod link;
mod listening;
mod login;
mod nested;
mod news;
mod observers;
mod outbox;
mod poison;
mod refusal;
mod results;
mod slot;
mod socket;
mod start;
mod tabs;
mod task;
mod timer;
mod view;
mod wake;

pub use api::{
    AppCore, QueryCore, RealmCore, SessionCore, delete_realm, exists, generation_address, initiate_client_reset,
    list_backups, load_catalogue, scratch, stored_paths, stored_schema_version,
};
pub use host::Host;

/// Commits make and give back many small pieces of memory; docs/dependencies.md says why with this one.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
