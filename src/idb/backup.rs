//! The manual end of a client reset: a store is copied to a backup database, the copy is verified, and only then is the
//! original cleared. Where the origin has no room for a copy, the store itself becomes the backup by a change of labels.

use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionDurability;
use wasm_bindgen::JsValue;
use xxhash_rust::xxh3::Xxh3;

use super::catalogue::{ActionKind, BackupRecord, Catalogue, Change, FileAction, RealmRecord};
use super::connection::{Connection, delete_database, exists};
use super::fault::of_request;
use super::records::{self, Content, Key};
use super::schema::{SPACES, store_name};
use super::sentinel::Sentinel;
use crate::clock;
use crate::error::{Fault, Result};

/// Runs the file action that is recorded for a path and returns the backup's path. The caller holds the path's lock.
pub(crate) async fn back_up_then_clear(path: &str) -> Result<String> {
    let action = Catalogue::action(path).ok_or_else(|| Fault::NoFileAction { path: path.to_owned() })?;
    let original = Catalogue::store_of(path);
    let mut relabelled = false;
    if action.action == ActionKind::BackupThenDelete && exists(&original).await? {
        if Catalogue::backup(&action.backup).is_some() {
            return Err(Fault::BackupExists { path: action.backup });
        }
        relabelled = back_up(&action, &original).await?;
    }
    if !relabelled {
        delete_database(path, &original).await?;
        Catalogue::change(vec![Change::RemoveRealm(path.to_owned()), Change::RemoveAction(path.to_owned())]).await?;
    }
    Sentinel::remove(path);
    Ok(action.backup)
}

/// Makes the backup and records it; says whether the original became the backup itself.
async fn back_up(action: &FileAction, original: &str) -> Result<bool> {
    let copy = store_name(&action.backup);
    // A database of this name that is not in the catalogue is what a copy left that was interrupted.
    delete_database(&action.backup, &copy).await?;
    match copy_store(&action.path, original, &copy).await {
        Ok(()) => {
            let done = FileAction { action: ActionKind::Delete, ..action.clone() };
            Catalogue::change(vec![Change::PutBackup(record(action, copy)), Change::PutAction(done)]).await?;
            Ok(false)
        }
        Err(Fault::QuotaExceeded { .. }) => {
            delete_database(&action.backup, &copy).await?;
            relabel(action, original).await?;
            Ok(true)
        }
        Err(fault) => Err(fault),
    }
}

/// Makes the store itself the backup, and gives the path a store of another name.
async fn relabel(action: &FileAction, original: &str) -> Result<()> {
    let suffix: String = clock::random::<4>().iter().map(|byte| format!("{byte:02x}")).collect();
    let successor = RealmRecord {
        path: action.path.clone(),
        store: format!("{}~{suffix}", store_name(&action.path)),
        schema_version: 0.0,
        generation: 0.0,
        key_check: None,
    };
    Catalogue::change(vec![
        Change::PutBackup(record(action, original.to_owned())),
        Change::PutRealm(successor),
        Change::RemoveAction(action.path.clone()),
    ])
    .await
}

fn record(action: &FileAction, store: String) -> BackupRecord {
    BackupRecord {
        path: action.backup.clone(),
        original: action.path.clone(),
        store,
        created_ms: clock::now().0 as f64,
        code: action.code,
        message: action.message.clone(),
    }
}

/// Copies all object stores into a new database in one strict transaction, reads both back and compares them.
async fn copy_store(path: &str, from: &str, to: &str) -> Result<()> {
    const DOING: &str = "copying the store to a backup";
    let (source, _) = Connection::open(from, &SPACES).await?;
    let (target, found) = Connection::open(to, &SPACES).await?;
    if !found.created {
        return Err(Fault::BackupExists { path: to.to_owned() });
    }
    let mut contents: Vec<(&'static str, Vec<JsValue>, Vec<JsValue>)> = Vec::new();
    {
        let reading = source.read(&SPACES)?;
        for space in SPACES {
            let object_store = reading.object_store(space).map_err(|e| of_request(DOING, e))?;
            let keys = object_store.get_all_keys::<JsValue>().primitive().map_err(|e| of_request(DOING, e))?;
            let values = object_store.get_all::<JsValue>().primitive().map_err(|e| of_request(DOING, e))?;
            contents.push((space, collect(DOING, keys.await)?, collect(DOING, values.await)?));
        }
    }
    let writing = target.write(&SPACES, TransactionDurability::Strict)?;
    let issued = contents.iter().try_for_each(|(space, keys, values)| -> indexed_db_futures::Result<()> {
        let object_store = writing.object_store(space)?;
        for (key, value) in keys.iter().zip(values) {
            drop(object_store.put(value).with_key(key).without_key_type().primitive()?);
        }
        Ok(())
    });
    if let Err(error) = issued {
        records::abort(&writing);
        return Err(of_request(DOING, error));
    }
    target.finish(DOING, writing).await?;
    drop(contents);
    let (wanted, copied) = (digest(&source).await?, digest(&target).await?);
    source.close();
    target.close();
    if wanted != copied {
        return Err(Fault::CorruptStore {
            path: path.to_owned(),
            what: format!(
                "the backup copy has {} records where the original has {}, or other bytes",
                copied.0, wanted.0
            ),
        });
    }
    Ok(())
}

fn collect<I: Iterator<Item = indexed_db_futures::Result<JsValue>>>(
    doing: &'static str,
    listing: indexed_db_futures::Result<I>,
) -> Result<Vec<JsValue>> {
    listing.and_then(Iterator::collect).map_err(|e| of_request(doing, e))
}

/// The number of records of a store and a checksum over all of them.
async fn digest(connection: &Connection) -> Result<(usize, u64)> {
    let mut count = 0;
    let mut hash = Xxh3::new();
    for (space, entries) in SPACES.iter().zip(records::read_all(connection, &SPACES).await?) {
        hash.update(space.as_bytes());
        for (key, content) in entries {
            count += 1;
            match key {
                Key::Name(name) => hash.update(name.as_bytes()),
                Key::Number(number) => hash.update(&number.to_le_bytes()),
            }
            if let Content::Bytes(bytes) = content {
                hash.update(&(bytes.len() as u64).to_le_bytes());
                hash.update(&bytes);
            }
        }
    }
    Ok((count, hash.digest()))
}
