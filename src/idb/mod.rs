//! IndexedDB: one database per realm, one catalogue database. Bytes in, bytes out; knows nothing of sync or of JavaScript's API.

mod backup;
mod catalogue;
mod cipher;
mod connection;
mod fault;
mod flight;
mod key_check;
mod records;
mod schema;
mod sentinel;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use backup::back_up_then_clear;
pub(crate) use catalogue::{ActionKind, Catalogue, Change, FileAction, RealmRecord, UserRecord};
pub(crate) use connection::{CloseCause, Found, delete_database};
pub(crate) use flight::abort_all;
pub(crate) use key_check::{is_key, key_check};
pub(crate) use sentinel::Sentinel;
pub(crate) use store::{Beyond, Claim, LANES_DRAWN, Outcome, Store};
