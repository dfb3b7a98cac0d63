//! The catalogue database: users, realms and the stores that hold them, pending file actions, backups. Read once into memory so
//! that questions about it are synchronous; every change is one strict transaction.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{Transaction, TransactionDurability};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::connection::Connection;
use super::fault::of_request;
use super::flight::unfrozen;
use super::records;
use super::schema::{self, ACTIONS, BACKUPS, REALMS, TABLES, USERS};
use crate::error::{Fault, Result};

/// A user of an app who has logged in here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserRecord {
    pub(crate) app_id: String,
    pub(crate) id: String,
    pub(crate) provider: String,
    pub(crate) access_token: String,
    #[serde(default)]
    pub(crate) refresh_token: Option<String>,
    pub(crate) logged_in: bool,
    /// When the user logged in or was switched to, in Unix ms; the latest is the current one.
    pub(crate) used_ms: f64,
}

/// Where a realm's data is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RealmRecord {
    pub(crate) path: String,
    /// The database that holds the store.
    pub(crate) store: String,
    pub(crate) schema_version: f64,
    pub(crate) generation: f64,
    /// What tells a wrong encryption key; nothing for a realm that is not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_check: Option<String>,
}

/// What has to be done with a store before the realm is opened the next time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileAction {
    pub(crate) path: String,
    pub(crate) action: ActionKind,
    pub(crate) backup: String,
    pub(crate) code: f64,
    pub(crate) message: String,
}

/// The kinds of file actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ActionKind {
    /// Copy the store to a backup, then clear the original.
    BackupThenDelete,
    /// The copy is whole; clear the original.
    Delete,
}

/// A backup of a store.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupRecord {
    pub(crate) path: String,
    pub(crate) original: String,
    pub(crate) store: String,
    pub(crate) created_ms: f64,
    pub(crate) code: f64,
    pub(crate) message: String,
}

#[derive(Default)]
struct Contents {
    users: BTreeMap<String, UserRecord>,
    realms: BTreeMap<String, RealmRecord>,
    actions: BTreeMap<String, FileAction>,
    backups: BTreeMap<String, BackupRecord>,
}

thread_local! {
    static CONTENTS: RefCell<Option<Contents>> = const { RefCell::new(None) };
    /// How many changes this page has begun, and how many of them have ended.
    static CHANGES: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// The catalogue of this origin.
pub(crate) struct Catalogue;

/// One change of the catalogue; those given together are one transaction.
pub(crate) enum Change {
    PutUser(UserRecord),
    RemoveUser { app_id: String, id: String },
    PutRealm(RealmRecord),
    RemoveRealm(String),
    PutAction(FileAction),
    RemoveAction(String),
    PutBackup(BackupRecord),
    RemoveBackup(String),
}

impl Catalogue {
    /// Reads the catalogue, again if it was read before.
    pub(crate) async fn load() -> Result<()> {
        CONTENTS.set(Some(Catalogue::read().await?));
        Ok(())
    }

    async fn read() -> Result<Contents> {
        unfrozen(Catalogue::try_read).await
    }

    async fn try_read() -> Result<Contents> {
        let (connection, _) = Connection::open(schema::CATALOGUE, &TABLES).await?;
        let contents = {
            let transaction = connection.read(&TABLES)?;
            Contents {
                users: table(&transaction, USERS, |user: &UserRecord| user_key(&user.app_id, &user.id)).await?,
                realms: table(&transaction, REALMS, |realm: &RealmRecord| realm.path.clone()).await?,
                actions: table(&transaction, ACTIONS, |action: &FileAction| action.path.clone()).await?,
                backups: table(&transaction, BACKUPS, |backup: &BackupRecord| backup.path.clone()).await?,
            }
        };
        connection.close();
        Ok(contents)
    }

    /// Reads again which realms there are. Who is logged in stays as this page knows it.
    pub(crate) async fn reload_realms() -> Result<()> {
        let read = Catalogue::read().await?;
        CONTENTS.with_borrow_mut(|contents| {
            let users = contents.take().map_or(read.users.clone(), |before| before.users);
            *contents = Some(Contents { users, ..read });
        });
        Ok(())
    }

    /// Reads again who is logged in: those who have logged in in other pages are known here from now on.
    pub(crate) async fn learn_users() -> Result<()> {
        let read = Catalogue::read().await?;
        CONTENTS.with_borrow_mut(|contents| {
            let users = &mut contents.get_or_insert_default().users;
            for (key, user) in read.users {
                users.entry(key).or_insert(user);
            }
        });
        Ok(())
    }

    /// Reads again who is logged in, as another page has said that this has changed.
    pub(crate) async fn reload_users() -> Result<()> {
        // What is read while this page writes may be what was there before.
        let read = loop {
            let before = CHANGES.get();
            let read = Catalogue::read().await?;
            if before.0 == before.1 && CHANGES.get() == before {
                break read;
            }
        };
        CONTENTS.with_borrow_mut(|contents| contents.get_or_insert_default().users = read.users);
        Ok(())
    }

    /// Reads the catalogue if it was not read before.
    pub(crate) async fn ensure_loaded() -> Result<()> {
        if Catalogue::loaded() { Ok(()) } else { Catalogue::load().await }
    }

    /// Whether [`Catalogue::load`] has been done in this page.
    pub(crate) fn loaded() -> bool {
        CONTENTS.with_borrow(Option::is_some)
    }

    /// The record of a realm or, under its own path, of a backup.
    pub(crate) fn realm(path: &str) -> Option<RealmRecord> {
        read(|contents| {
            contents.realms.get(path).cloned().or_else(|| {
                contents.backups.get(path).map(|backup| RealmRecord {
                    path: backup.path.clone(),
                    store: backup.store.clone(),
                    schema_version: 0.0,
                    generation: 0.0,
                    key_check: None,
                })
            })
        })
    }

    /// The paths of all realms.
    pub(crate) fn paths() -> Vec<String> {
        read(|contents| Some(contents.realms.keys().cloned().collect())).unwrap_or_default()
    }

    /// The database that holds, or would hold, the realm of this path.
    pub(crate) fn store_of(path: &str) -> String {
        Catalogue::realm(path).map_or_else(|| schema::store_name(path), |realm| realm.store)
    }

    /// Whether the path is a backup's.
    pub(crate) fn backup(path: &str) -> Option<BackupRecord> {
        read(|contents| contents.backups.get(path).cloned())
    }

    /// All backups.
    pub(crate) fn backups() -> Vec<BackupRecord> {
        read(|contents| Some(contents.backups.values().cloned().collect())).unwrap_or_default()
    }

    /// What has to be done with the store of this path.
    pub(crate) fn action(path: &str) -> Option<FileAction> {
        read(|contents| contents.actions.get(path).cloned())
    }

    /// The users of an app, the one used last first.
    pub(crate) fn users(app_id: &str) -> Vec<UserRecord> {
        let mut users: Vec<UserRecord> =
            read(|contents| Some(contents.users.values().cloned().collect())).unwrap_or_default();
        users.retain(|user| user.app_id == app_id);
        users.sort_by(|a, b| b.used_ms.total_cmp(&a.used_ms));
        users
    }

    /// Writes changes, all or none, and then shows them.
    pub(crate) async fn change(changes: Vec<Change>) -> Result<()> {
        CHANGES.set((CHANGES.get().0 + 1, CHANGES.get().1));
        let result = Catalogue::write(changes).await;
        CHANGES.set((CHANGES.get().0, CHANGES.get().1 + 1));
        result
    }

    async fn write(changes: Vec<Change>) -> Result<()> {
        const DOING: &str = "writing the catalogue";
        let mut rows = Vec::new();
        for change in &changes {
            rows.push(change.row()?);
        }
        unfrozen(|| async {
            let (connection, _) = Connection::open(schema::CATALOGUE, &TABLES).await?;
            let transaction = connection.write(&TABLES, TransactionDurability::Strict)?;
            let issued = rows.iter().try_for_each(|row| row.issue(&transaction));
            if let Err(error) = issued {
                records::abort(&transaction);
                return Err(of_request(DOING, error));
            }
            connection.finish(DOING, transaction).await?;
            connection.close();
            Ok(())
        })
        .await?;
        CONTENTS.with_borrow_mut(|contents| {
            let contents = contents.get_or_insert_default();
            changes.into_iter().for_each(|change| change.apply(contents));
        });
        Ok(())
    }
}

struct Row {
    table: &'static str,
    key: String,
    value: Option<JsValue>,
}

impl Row {
    fn issue(&self, transaction: &Transaction<'_>) -> indexed_db_futures::Result<()> {
        let table = transaction.object_store(self.table)?;
        match &self.value {
            Some(value) => {
                drop(table.put(value).with_key(&self.key).without_key_type().primitive()?);
            }
            None => {
                drop(table.delete::<&String, _>(&self.key).primitive()?);
            }
        }
        Ok(())
    }
}

impl Change {
    fn row(&self) -> Result<Row> {
        let put =
            |table, key: &str, value: Result<JsValue>| Ok(Row { table, key: key.to_owned(), value: Some(value?) });
        let remove = |table, key: &str| Ok(Row { table, key: key.to_owned(), value: None });
        match self {
            Change::PutUser(user) => put(USERS, &user_key(&user.app_id, &user.id), to_js(user)),
            Change::RemoveUser { app_id, id } => remove(USERS, &user_key(app_id, id)),
            Change::PutRealm(realm) => put(REALMS, &realm.path, to_js(realm)),
            Change::RemoveRealm(path) => remove(REALMS, path),
            Change::PutAction(action) => put(ACTIONS, &action.path, to_js(action)),
            Change::RemoveAction(path) => remove(ACTIONS, path),
            Change::PutBackup(backup) => put(BACKUPS, &backup.path, to_js(backup)),
            Change::RemoveBackup(path) => remove(BACKUPS, path),
        }
    }

    fn apply(self, contents: &mut Contents) {
        match self {
            Change::PutUser(user) => {
                contents.users.insert(user_key(&user.app_id, &user.id), user);
            }
            Change::RemoveUser { app_id, id } => {
                contents.users.remove(&user_key(&app_id, &id));
            }
            Change::PutRealm(realm) => {
                contents.realms.insert(realm.path.clone(), realm);
            }
            Change::RemoveRealm(path) => {
                contents.realms.remove(&path);
            }
            Change::PutAction(action) => {
                contents.actions.insert(action.path.clone(), action);
            }
            Change::RemoveAction(path) => {
                contents.actions.remove(&path);
            }
            Change::PutBackup(backup) => {
                contents.backups.insert(backup.path.clone(), backup);
            }
            Change::RemoveBackup(path) => {
                contents.backups.remove(&path);
            }
        }
    }
}

fn read<T>(pick: impl FnOnce(&Contents) -> Option<T>) -> Option<T> {
    CONTENTS.with_borrow(|contents| contents.as_ref().and_then(pick))
}

fn user_key(app_id: &str, id: &str) -> String {
    format!("{app_id}/{id}")
}

fn to_js<T: Serialize>(record: &T) -> Result<JsValue> {
    serde_wasm_bindgen::to_value(record)
        .map_err(|e| Fault::Storage { doing: "writing the catalogue", cause: e.to_string() })
}

async fn table<T: DeserializeOwned>(
    transaction: &Transaction<'_>,
    name: &'static str,
    key: impl Fn(&T) -> String,
) -> Result<BTreeMap<String, T>> {
    const DOING: &str = "reading the catalogue";
    let table = transaction.object_store(name).map_err(|e| of_request(DOING, e))?;
    let request = table.get_all::<JsValue>().primitive().map_err(|e| of_request(DOING, e))?;
    let mut rows = BTreeMap::new();
    for value in request.await.map_err(|e| of_request(DOING, e))? {
        let value = value.map_err(|e| of_request(DOING, e))?;
        let record: T = serde_wasm_bindgen::from_value(value).map_err(|e| Fault::CorruptStore {
            path: schema::CATALOGUE.to_owned(),
            what: format!("a record in the catalogue's table '{name}' cannot be read: {e}"),
        })?;
        rows.insert(key(&record), record);
    }
    Ok(rows)
}
