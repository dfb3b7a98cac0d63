//! Functions about realms as files: what exists, deleting, backups.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wasm_bindgen::prelude::*;

use super::open;
use crate::error::{Fault, Result, set};
use crate::idb::{Catalogue, Change, Sentinel, back_up_then_clear, delete_database};
use crate::tabs::Presence;
use crate::{images, news, poison};

type JsResult<T> = std::result::Result<T, JsValue>;

/// Reads the catalogue of realms, so that `exists` and its like can answer at once.
#[wasm_bindgen(js_name = loadCatalogue)]
pub async fn load_catalogue() -> JsResult<()> {
    poison::check()?;
    news::listen();
    Ok(Catalogue::load().await?)
}

/// Whether a realm, or a backup, exists.
#[wasm_bindgen]
pub fn exists(path: &str) -> bool {
    Catalogue::realm(path).is_some() || open::is_open(path)
}

/// The paths of the realms on disk, as far as this page knows.
#[wasm_bindgen(js_name = storedPaths)]
pub fn stored_paths() -> Vec<String> {
    Catalogue::paths()
}

/// Deletes a realm that is open nowhere. One that does not exist is no error.
#[wasm_bindgen(js_name = deleteRealm)]
pub async fn delete_realm(path: String) -> JsResult<()> {
    poison::check()?;
    images::forget(&path);
    let alone = take(&path).await?;
    Catalogue::load().await?;
    delete_database(&path, &Catalogue::store_of(&path)).await?;
    let mut changes = vec![Change::RemoveRealm(path.clone()), Change::RemoveAction(path.clone())];
    if Catalogue::backup(&path).is_some() {
        changes.push(Change::RemoveBackup(path.clone()));
    }
    Catalogue::change(changes).await?;
    Sentinel::remove(&path);
    images::forget(&path);
    news::tell(&path);
    alone.leave().await;
    Ok(())
}

/// The schema version of a realm that exists, else -1. Throws code `EncryptionKey` if the key is not the realm's.
#[wasm_bindgen(js_name = storedSchemaVersion)]
pub fn stored_schema_version(path: &str, encryption_key: Option<Vec<u8>>) -> JsResult<f64> {
    let Some(realm) = Catalogue::realm(path) else { return Ok(-1.0) };
    if Catalogue::backup(path).is_none() {
        open::check_key(&realm, encryption_key.as_deref())?;
    }
    Ok(realm.schema_version)
}

/// Whether a realm waits to be copied to a backup and cleared.
#[wasm_bindgen(js_name = hasFileAction)]
pub fn has_file_action(path: &str) -> bool {
    Catalogue::action(path).is_some()
}

/// Copies the store of a realm that must be reset to a backup and clears it; resolves to the backup's path.
#[wasm_bindgen(js_name = initiateClientReset)]
pub async fn initiate_client_reset(path: String) -> JsResult<String> {
    poison::check()?;
    // Every tab is told of such a reset, and each may ask for it: the first does it, and it is done for the others.
    Catalogue::load().await?;
    let announced = Catalogue::action(&path).map(|action| action.backup).or_else(|| announced_backup(&path));
    let alone = take(&path).await?;
    Catalogue::load().await?;
    let done = announced.filter(|backup| Catalogue::action(&path).is_none() && Catalogue::backup(backup).is_some());
    let backup = match done {
        Some(backup) => backup,
        None => back_up_then_clear(&path).await?,
    };
    ANNOUNCED.with_borrow_mut(|announced| announced.remove(&path));
    images::forget(&path);
    news::tell(&path);
    alone.leave().await;
    Ok(backup)
}

thread_local! {
    static ANNOUNCED: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// Takes note of the backup that another tab has said a realm's store is to be copied to.
pub(crate) fn announce_backup(path: &str, backup: String) {
    ANNOUNCED.with_borrow_mut(|announced| announced.insert(path.to_owned(), backup));
}

fn announced_backup(path: &str) -> Option<String> {
    ANNOUNCED.with_borrow(|announced| announced.get(path).cloned())
}

/// The backups, the latest first.
#[wasm_bindgen(js_name = listBackups, unchecked_return_type = "BackupInfo[]")]
pub async fn list_backups() -> JsResult<js_sys::Array> {
    poison::check()?;
    Catalogue::load().await?;
    let mut backups = Catalogue::backups();
    backups.sort_by(|a, b| b.created_ms.total_cmp(&a.created_ms));
    Ok(backups
        .iter()
        .map(|backup| {
            let info = js_sys::Object::new();
            set(&info, "path", &backup.path.as_str().into());
            set(&info, "originalPath", &backup.original.as_str().into());
            set(&info, "createdAt", &js_sys::Date::new(&backup.created_ms.into()));
            set(&info, "code", &backup.code.into());
            set(&info, "message", &backup.message.as_str().into());
            JsValue::from(info)
        })
        .collect())
}

/// The path under which the store of a realm is backed up: in the app's folder of recovered realms, with the local time and
/// a random suffix.
pub(crate) fn backup_path(path: &str, app_id: &str) -> String {
    let folder = format!("mongodb-realm/{app_id}/");
    let base = match path.find(&folder) {
        Some(position) => path[..position + folder.len()].to_owned(),
        None => folder,
    };
    let now = js_sys::Date::new_0();
    let suffix: String =
        crate::clock::random::<8>().iter().map(|byte| LETTERS[usize::from(*byte) % LETTERS.len()]).collect();
    format!(
        "{base}recovered-realms/recovered_realm-{:04}{:02}{:02}-{:02}{:02}{:02}-{suffix}",
        now.get_full_year(),
        now.get_month() + 1,
        now.get_date(),
        now.get_hours(),
        now.get_minutes(),
        now.get_seconds(),
    )
}

/// The letters of a backup's suffix.
const LETTERS: [char; 32] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    '2', '3', '4', '5', '6', '7', '8', '9', '0',
];

/// Has a realm that is not open alone.
async fn take(path: &str) -> Result<Presence> {
    if open::is_open(path) {
        return Err(Fault::RealmOpenHere { path: path.to_owned() });
    }
    Presence::alone(path).await
}
