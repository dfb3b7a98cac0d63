//! A mark in localStorage that a store existed: it tells eviction from a first visit, since the browser may throw away a
//! database and keep localStorage.

use web_sys::Storage;

const PREFIX: &str = "ebbtide:";

/// The mark of one realm.
pub(crate) struct Sentinel;

impl Sentinel {
    /// The generation that the store of this path had when the mark was set; nothing where there is no mark or no localStorage.
    pub(crate) fn read(path: &str) -> Option<u64> {
        storage()?.get_item(&key(path)).ok()??.parse().ok()
    }

    /// Sets the mark.
    pub(crate) fn write(path: &str, generation: u64) {
        if let Some(storage) = storage() {
            let _ = storage.set_item(&key(path), &generation.to_string());
        }
    }

    /// Removes the mark of a store that was deleted on purpose.
    pub(crate) fn remove(path: &str) {
        if let Some(storage) = storage() {
            let _ = storage.remove_item(&key(path));
        }
    }
}

fn key(path: &str) -> String {
    format!("{PREFIX}{path}")
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
