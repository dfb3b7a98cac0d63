//! Backups: named copies of the whole database, and the way back. Nothing of the present is touched before the backup
//! has been read to the end, and what is replaced is kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ebbtide_core::changeset::Changeset;
use ebbtide_core::{ChainHash, ClientId};
use ebbtide_sync::server::{ClientRecord, RealmRecord};
use serde::Serialize;

use crate::data_dir::DataDir;
use crate::hub::load_realm;
use crate::limits::COMMIT_BYTES_MAX;
use crate::storage::{SqliteStorage, Storage};

/// A backup that was taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Taken {
    /// Its name, for a restore.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The file's size.
    pub bytes: u64,
}

/// A restore that was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Restored {
    /// The backup's name.
    pub name: String,
    /// How many realms it holds.
    pub realms: usize,
    /// Where the database that it replaced was put.
    pub kept: PathBuf,
}

/// A backup that is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The file's size.
    pub bytes: u64,
}

/// Takes and restores the backups of one data directory.
#[derive(Clone)]
pub struct Backups {
    dir: DataDir,
    storage: Arc<SqliteStorage>,
}

impl Backups {
    /// For the database of a directory.
    pub fn new(dir: DataDir, storage: Arc<SqliteStorage>) -> Backups {
        Backups { dir, storage }
    }

    /// Copies everything that is durable now. `progress` gets one line for each step.
    pub fn take(&self, name: &str, progress: &mut dyn FnMut(String)) -> Result<Taken, String> {
        let path = self.dir.backup(name)?;
        if path.exists() {
            return Err(format!("there is a backup '{name}' already: choose another name"));
        }
        let draft = path.with_extension("draft");
        let _ = std::fs::remove_file(&draft);
        progress(format!("copying the database to {}", path.display()));
        let copied = self.storage.copy_to(&draft).map_err(|error| error.to_string());
        let checked = copied.and_then(|()| {
            progress("reading the copy back".to_string());
            verify(&draft, &mut |_| {})?;
            let moved = std::fs::rename(&draft, &path).and_then(|()| sync_folder(&self.dir.backups()));
            moved.map_err(|error| format!("cannot write {}: {error}", path.display()))
        });
        if let Err(error) = checked {
            let _ = std::fs::remove_file(&draft);
            return Err(error);
        }
        let bytes = std::fs::metadata(&path).map_or(0, |data| data.len());
        progress(format!("backup '{name}' is complete: {bytes} bytes"));
        Ok(Taken { name: name.to_string(), path, bytes })
    }

    /// Reads a backup to the end; says how many realms it holds.
    pub fn verify(&self, name: &str, progress: &mut dyn FnMut(String)) -> Result<usize, String> {
        let path = self.dir.backup(name)?;
        if !path.is_file() {
            return Err(format!("there is no backup '{name}' in {}", self.dir.backups().display()));
        }
        progress(format!("checking {}", path.display()));
        verify(&path, progress).map(|(_, realms)| realms)
    }

    /// Replaces the database by a backup in one transaction. `stamp` names the file that the present one is kept in.
    pub fn restore(&self, name: &str, stamp: &str, progress: &mut dyn FnMut(String)) -> Result<Restored, String> {
        let path = self.dir.backup(name)?;
        if !path.is_file() {
            return Err(format!("there is no backup '{name}' in {}", self.dir.backups().display()));
        }
        progress(format!("checking {}", path.display()));
        let (source, realms) = verify(&path, progress)?;
        let kept = free_name(&self.dir, stamp);
        progress(format!("keeping the present database as {}", kept.display()));
        self.storage.copy_to(&kept).map_err(|error| {
            let _ = std::fs::remove_file(&kept);
            error.to_string()
        })?;
        sync_folder(&self.dir.replaced()).map_err(|error| error.to_string())?;
        let mut told = 0;
        let report = |left: u64, all: u64| {
            let percent = (all - left.min(all)) * 100 / all.max(1);
            if percent >= told + 10 || left == 0 {
                told = percent;
                progress(format!("restoring: {percent} %"));
            }
        };
        self.storage.replace_from(&source, report).map_err(|error| error.to_string())?;
        progress(format!("backup '{name}' is restored: {realms} realms"));
        Ok(Restored { name: name.to_string(), realms, kept })
    }

    /// What can be restored, by name.
    pub fn list(&self) -> Vec<Listed> {
        let Ok(files) = std::fs::read_dir(self.dir.backups()) else { return Vec::new() };
        let mut found: Vec<Listed> = files
            .filter_map(|file| {
                let file = file.ok()?;
                let name = file.file_name().into_string().ok()?.strip_suffix(".sqlite3")?.to_string();
                Some(Listed { name, bytes: file.metadata().ok()?.len() })
            })
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }
}

/// Puts a backup in the place of a database that cannot be read. The files of that are kept as they are. No server may run.
pub fn replace_damaged(
    dir: &DataDir,
    name: &str,
    stamp: &str,
    progress: &mut dyn FnMut(String),
) -> Result<Restored, String> {
    let (path, database) = (dir.backup(name)?, dir.database());
    progress(format!("checking {}", path.display()));
    let (_, realms) = verify(&path, progress)?;
    let kept = free_name(dir, stamp);
    progress(format!("keeping the damaged database as {}", kept.display()));
    let copied = |from: &Path, to: &Path| {
        let copied = std::fs::copy(from, to).and_then(|_| File::open(to)?.sync_all());
        copied.map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
    };
    copied(&database, &kept)?;
    // What was written last may be in the files beside it alone.
    let beside = ["-wal", "-shm"].map(|end| (with_end(&database, end), with_end(&kept, end)));
    let beside: Vec<_> = beside.into_iter().filter(|(from, _)| from.exists()).collect();
    beside.iter().try_for_each(|(from, to)| copied(from, to))?;
    let draft = with_end(&database, ".draft");
    copied(&path, &draft)?;
    let replaced = sync_folder(&dir.replaced())
        .and_then(|()| beside.iter().try_for_each(|(from, _)| std::fs::remove_file(from)))
        .and_then(|()| std::fs::rename(&draft, &database))
        .and_then(|()| sync_folder(dir.root()));
    replaced.map_err(|error| format!("cannot replace {}: {error}", database.display()))?;
    progress(format!("backup '{name}' is restored: {realms} realms"));
    Ok(Restored { name: name.to_string(), realms, kept })
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn free_name(dir: &DataDir, stamp: &str) -> PathBuf {
    let candidate = |n: u32| {
        let suffix = if n == 0 { String::new() } else { format!("-{n}") };
        dir.replaced().join(format!("{stamp}{suffix}.sqlite3"))
    };
    (0..).map(candidate).find(|path| !path.exists()).expect("invariant: numbers do not run out")
}

/// Opens a copy, checks every page of it, and loads every realm from it.
fn verify(path: &Path, progress: &mut dyn FnMut(String)) -> Result<(SqliteStorage, usize), String> {
    let source = SqliteStorage::open_verified(path).map_err(|error| error.to_string())?;
    let realms = source.realms().map_err(|error| error.to_string())?;
    for realm in &realms {
        let loaded = load_realm(&source, realm).map_err(|error| error.to_string())?;
        if let Some(loaded) = loaded {
            check_chains(&source, realm, loaded.realm.record())?;
        }
    }
    progress(format!("{} realms can be loaded", realms.len()));
    Ok((source, realms.len()))
}

/// Every changeset names its parent's hash, so one changed letter in the history is found.
fn check_chains(source: &SqliteStorage, realm: &str, record: &RealmRecord) -> Result<(), String> {
    let damaged = |version: u64| format!("the history of realm '{realm}' is damaged at version {version}");
    let mut last: BTreeMap<ClientId, ChainHash> = BTreeMap::new();
    let mut at = record.floor.version;
    loop {
        let entries = source.read_after(realm, at, COMMIT_BYTES_MAX).map_err(|error| error.to_string())?;
        let Some(end) = entries.last() else { break };
        at = end.at.version;
        for entry in entries.iter().filter(|entry| entry.client != ClientId::default()) {
            let changeset = Changeset::decode(&entry.changeset).map_err(|_| damaged(entry.at.version.0))?;
            let before = last.insert(entry.client, Changeset::hash_of(&entry.changeset));
            if before.is_some_and(|before| before != changeset.parent) {
                return Err(damaged(entry.at.version.0));
            }
        }
    }
    let broken = |(id, client): &(&ClientId, &ClientRecord)| last.get(id).is_some_and(|hash| *hash != client.hash);
    match record.clients.iter().find(broken) {
        Some((_, client)) => Err(damaged(client.integrated.0)),
        None => Ok(()),
    }
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}
