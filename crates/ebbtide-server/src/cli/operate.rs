//! The operator's commands: through the running server's admin API, or on the files when no server runs.

use std::path::Path;
use std::sync::Arc;

use ebbtide_core::{ClientId, EditTime, Epoch, Salt, ServerVersion};
use ebbtide_sync::server::{Integration, Position, Realm, schema_entry};
use serde_json::{Value, json};

use super::remote::{Target, restore_target, target};
use super::{Failure, say};
use crate::backup::{self, Backups};
use crate::data_dir::DataDir;
use crate::edge;
use crate::hub::{RealmState, image_of, load_realm, new_epoch, reshaped, trim_point};
use crate::service::resolve;
use crate::storage::{SqliteStorage, Storage, StorageError};
use crate::web::parse_change;

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Failure {
        Failure::Work(error.to_string())
    }
}

/// `backup`
pub fn backup(data: &Path, name: Option<String>) -> Result<(), Failure> {
    let name = name.unwrap_or_else(stamp);
    match target(data)? {
        Target::Server(server) => {
            say(&format!("asking the running server for backup '{name}'"));
            let taken = server.post("/admin/backup", &json!({ "name": name }))?;
            let (path, bytes) = (taken["path"].as_str().unwrap_or_default(), taken["bytes"].as_u64().unwrap_or(0));
            say(&format!("backup '{name}' is complete: {bytes} bytes in {path}"));
        }
        Target::Files(dir, _lock) => {
            dir.backup(&name).map_err(Failure::Input)?;
            backups(&dir)?.take(&name, &mut |line| say(&line))?;
        }
    }
    Ok(())
}

/// `restore`
pub fn restore(data: &Path, name: &str) -> Result<(), Failure> {
    match restore_target(data, name)? {
        Target::Server(server) => {
            say(&format!("asking the running server to restore backup '{name}'"));
            let restored = server.post("/admin/restore", &json!({ "name": name }))?;
            let kept = restored["kept"].as_str().unwrap_or("?");
            say(&format!("backup '{name}' is restored; what it replaced is in {kept}"));
        }
        Target::Files(dir, _lock) => {
            if !dir.backup(name).map_err(Failure::Input)?.is_file() {
                return Err(Failure::Input(format!("there is no backup '{name}' in {}", dir.backups().display())));
            }
            let mut progress = |line: String| say(&line);
            // Read only, so that a damaged one stays as it is.
            let present =
                if dir.database().is_file() { SqliteStorage::open_verified(&dir.database()).map(drop) } else { Ok(()) };
            let restored = match present {
                Ok(()) => backups(&dir)?.restore(name, &stamp(), &mut progress)?,
                Err(StorageError::Corrupt(what)) => {
                    say(&what.replace('\n', " "));
                    backup::replace_damaged(&dir, name, &stamp(), &mut progress)?
                }
                Err(error) => return Err(error.into()),
            };
            say(&format!("what it replaced is in {}", restored.kept.display()));
        }
    }
    Ok(())
}

/// `terminate-sync`
pub fn terminate_sync(data: &Path, realm: Option<String>) -> Result<(), Failure> {
    match target(data)? {
        Target::Server(server) => print(&server.post("/admin/terminate-sync", &of_realm(realm))?),
        Target::Files(dir, _lock) => {
            each_realm(&dir, realm, |storage, name, realm| begin_epoch(storage, name, realm, realm.state().clone()))
        }
    }
}

/// `trim-history`
pub fn trim_history(data: &Path, realm: Option<String>, keep: u64) -> Result<(), Failure> {
    match target(data)? {
        Target::Server(server) => {
            let mut body = of_realm(realm);
            body["keep"] = json!(keep);
            print(&server.post("/admin/trim-history", &body)?)
        }
        Target::Files(dir, _lock) => each_realm(&dir, realm, |storage, name, realm| {
            let record = realm.record();
            let to = trim_point(record, keep);
            if to > record.floor.version {
                let found = storage.read_after(name, ServerVersion(to.0 - 1), 1)?;
                let floor = found.first().map_or(record.head, |entry| entry.at);
                storage.save_image(name, &image_of(realm.state(), record.head.version))?;
                storage.trim(name, Position { version: to, salt: floor.salt })?;
            }
            Ok(())
        }),
    }
}

/// `schema`
pub fn schema(data: &Path, realm: Option<String>, change: &str) -> Result<(), Failure> {
    let json: Value =
        serde_json::from_str(change).map_err(|error| Failure::Input(format!("--change is no JSON: {error}")))?;
    let change = parse_change(&json).map_err(Failure::Input)?;
    match target(data)? {
        Target::Server(server) => {
            let mut body = of_realm(realm);
            body["change"] = json;
            print(&server.post("/admin/schema", &body)?)
        }
        Target::Files(dir, _lock) => each_realm(&dir, realm, |storage, name, realm| {
            if !change.is_additive() {
                let state = reshaped(realm.state(), &change).map_err(Failure::Input)?;
                return begin_epoch(storage, name, realm, state);
            }
            let wanted = change.apply(realm.schema()).map_err(|error| Failure::Input(error.to_string()))?;
            let now = (edge::system_clock())();
            let mut integration = Integration::new(realm, now);
            let (at, time) = (integration.head().version, EditTime(now.0 << 16));
            let entry = schema_entry(realm.schema(), &wanted, at, time);
            if let Some(entry) = entry.map_err(|refusal| Failure::Input(refusal.reason))? {
                integration.push_own(&entry, Salt(edge::random_u64()));
            }
            let step = integration.finish();
            Ok(storage.append_if_head_is(name, step.from.version, &step.append)?)
        }),
    }
}

/// `forget-client`
pub fn forget_client(data: &Path, client: &str) -> Result<(), Failure> {
    let bytes = edge::unhex(client).and_then(|bytes| bytes.try_into().ok());
    let id = ClientId(bytes.ok_or(Failure::Input("a client's id has 32 hexadecimal digits".to_string()))?);
    match target(data)? {
        Target::Server(server) => print(&server.post("/admin/forget-client", &json!({ "client": client }))?),
        Target::Files(dir, _lock) => {
            let storage = SqliteStorage::open(&dir.database())?;
            let mut found = Vec::new();
            for name in storage.realms()? {
                let Some(loaded) = load_realm(&storage, &name)? else { continue };
                if loaded.realm.record().clients.contains_key(&id) {
                    let mut integration = Integration::new(&loaded.realm, (edge::system_clock())());
                    integration.forget(id);
                    let step = integration.finish();
                    storage.append_if_head_is(&name, step.from.version, &step.append)?;
                    found.push(name);
                }
            }
            if found.is_empty() {
                return Err(Failure::Input("no realm knows this client".to_string()));
            }
            print(&json!({ "realms": found }))
        }
    }
}

/// `state`
pub fn state(data: &Path, realm: Option<String>) -> Result<(), Failure> {
    match target(data)? {
        Target::Server(server) => {
            let query: Vec<(&str, &str)> = realm.iter().map(|realm| ("realm", realm.as_str())).collect();
            print(&server.get("/admin/state", &query)?)
        }
        Target::Files(dir, _lock) => {
            let storage = SqliteStorage::open(&dir.database())?;
            let mut states = Vec::new();
            for name in resolve(storage.realms()?, realm.as_deref()).map_err(Failure::Input)? {
                if let Some(loaded) = load_realm(&storage, &name)? {
                    states.push(RealmState::of(&name, &loaded.realm, 0));
                }
            }
            print(&json!({ "connections": 0, "realms": states }))
        }
    }
}

fn backups(dir: &DataDir) -> Result<Backups, Failure> {
    Ok(Backups::new(dir.clone(), Arc::new(SqliteStorage::open(&dir.database())?)))
}

/// Does something to each realm that is meant, then prints what became of them.
fn each_realm(
    dir: &DataDir,
    realm: Option<String>,
    change: impl Fn(&SqliteStorage, &str, &Realm) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let storage = SqliteStorage::open(&dir.database())?;
    let mut changed = Vec::new();
    for name in resolve(storage.realms()?, realm.as_deref()).map_err(Failure::Input)? {
        let Some(loaded) = load_realm(&storage, &name)? else { continue };
        change(&storage, &name, &loaded.realm)?;
        let record = storage.open(&name)?.ok_or_else(|| StorageError::UnknownRealm(name.clone()))?;
        changed.push(json!({
            "realm": name,
            "epoch": edge::hex(&record.epoch.0),
            "head": record.head.version.0,
            "floor": record.floor.version.0,
        }));
    }
    print(&json!({ "realms": changed }))
}

fn begin_epoch(
    storage: &SqliteStorage,
    name: &str,
    realm: &Realm,
    state: ebbtide_core::Snapshot,
) -> Result<(), Failure> {
    let record = new_epoch(realm.record(), Epoch(edge::random_bytes()), Salt(edge::random_u64()));
    let image = image_of(&state, record.head.version);
    Ok(storage.begin(name, &record, &image)?)
}

fn of_realm(realm: Option<String>) -> Value {
    realm.map_or_else(|| json!({}), |realm| json!({ "realm": realm }))
}

fn print(value: &Value) -> Result<(), Failure> {
    say(&serde_json::to_string_pretty(value).map_err(|error| Failure::Work(error.to_string()))?);
    Ok(())
}

fn stamp() -> String {
    format!("at-{}", (edge::system_clock())().0)
}
