//! Pinned states as JavaScript objects.

use ebbtide_core::Snapshot;
use wasm_bindgen::JsValue;

use super::realm::RealmCore;
use crate::driver::Driver;
use crate::view::Frozen;

/// A read-only realm object for a state of a realm.
pub(crate) fn frozen_realm(driver: &Driver, state: Snapshot, version: u64) -> JsValue {
    let schema_version = driver.engine(|engine| engine.schema_version()).unwrap_or_default();
    RealmCore::of_frozen(Frozen::new(driver.path(), state, version, schema_version)).into()
}
