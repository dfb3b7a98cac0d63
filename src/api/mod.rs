//! The classes and functions that JavaScript sees: few and low-level, shaped for few crossings of the boundary.

mod app;
mod arguments;
mod collections;
mod config;
mod copy;
mod directory;
mod files;
mod frozen;
mod nested;
mod observe;
mod open;
mod packed;
mod query;
mod realm;
mod relations;
mod report;
mod session;
mod types;

pub(crate) use app::App;
pub(crate) use files::{announce_backup, backup_path};
pub(crate) use frozen::frozen_realm;
pub(crate) use open::is_open;
pub(crate) use report::report_to_js;

pub use app::AppCore;
pub use directory::generation_address;
pub use files::{
    delete_realm, exists, initiate_client_reset, list_backups, load_catalogue, stored_paths, stored_schema_version,
};
pub use packed::scratch;
pub use query::QueryCore;
pub use realm::RealmCore;
pub use session::SessionCore;
