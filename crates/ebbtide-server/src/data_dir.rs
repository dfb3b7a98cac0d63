//! The server's directory: which files are in it, who may read them, and that one process at a time owns it.
//!
//! ```text
//! ebbtide.sqlite3     everything that is synced        token.key     signs tokens, mode 0600
//! backups/            named copies of it               admin.token   opens the admin API, mode 0600
//! replaced/           what a restore put aside         server.json   the address of the server that runs here
//! lock                held by the process that owns the directory
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::edge;
use crate::limits::BACKUP_NAME_BYTES_MAX;

/// The variable whose value replaces the admin token in the directory.
pub const ADMIN_TOKEN_VARIABLE: &str = "EBBTIDE_ADMIN_TOKEN";

/// The directory of a server.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
}

/// The right to change the directory, until it is dropped.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

/// What a running server writes down about itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunningServer {
    /// The address it listens on, as an HTTP URL.
    pub url: String,
    /// Its process.
    pub pid: u32,
}

impl DataDir {
    /// Uses the directory, creating it with its folders if it is not there.
    pub fn create(root: &Path) -> Result<DataDir, String> {
        let dir = DataDir { root: root.to_path_buf() };
        for folder in [dir.root.clone(), dir.backups(), dir.replaced()] {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        }
        Ok(dir)
    }

    /// Uses a directory that must be there.
    pub fn existing(root: &Path) -> Result<DataDir, String> {
        let dir = DataDir { root: root.to_path_buf() };
        if !dir.database().is_file() {
            return Err(format!(
                "{} is no data directory of ebbtide-server: it has no ebbtide.sqlite3",
                root.display()
            ));
        }
        DataDir::create(root)
    }

    /// Uses a directory in which there is at least this backup: the database itself may be lost.
    pub fn with_backup(root: &Path, name: &str) -> Result<DataDir, String> {
        let dir = DataDir { root: root.to_path_buf() };
        if dir.database().is_file() || dir.backup(name)?.is_file() {
            return DataDir::create(root);
        }
        DataDir::existing(root)
    }

    /// Takes the directory for this process alone; an error names the reason.
    pub fn lock(&self) -> Result<DirLock, String> {
        let path = self.root.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| format!("cannot open {}: {error}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(DirLock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(format!(
                "{} is in use by another ebbtide-server: stop it first, or talk to it through its admin API",
                self.root.display()
            )),
            Err(fs::TryLockError::Error(error)) => Err(format!("cannot lock {}: {error}", path.display())),
        }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.root.join("ebbtide.sqlite3")
    }

    /// The folder of backups.
    pub fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// The folder of databases that a restore put aside.
    pub fn replaced(&self) -> PathBuf {
        self.root.join("replaced")
    }

    /// The file of a backup.
    pub fn backup(&self, name: &str) -> Result<PathBuf, String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'.';
        if name.is_empty() || name.len() > BACKUP_NAME_BYTES_MAX || name.starts_with('.') || !name.bytes().all(plain) {
            return Err(format!(
                "a backup's name has 1 to {BACKUP_NAME_BYTES_MAX} letters, digits, '-', '_' and '.', and does not begin with '.'"
            ));
        }
        Ok(self.backups().join(format!("{name}.sqlite3")))
    }

    /// The key that signs tokens; made at the first call.
    pub fn token_key(&self) -> Result<[u8; 32], String> {
        let path = self.root.join("token.key");
        let text = secret(&path)?;
        let key = edge::unhex(&text).and_then(|bytes| bytes.try_into().ok());
        key.ok_or_else(|| format!("{} must hold 64 hexadecimal digits", path.display()))
    }

    /// The token that opens the admin API: the environment's, or the directory's, made at the first call.
    pub fn admin_token(&self) -> Result<String, String> {
        match std::env::var(ADMIN_TOKEN_VARIABLE) {
            Ok(token) if token.len() >= 16 => Ok(token),
            Ok(_) => Err(format!("{ADMIN_TOKEN_VARIABLE} must have 16 characters at least")),
            Err(std::env::VarError::NotPresent) => secret(&self.root.join("admin.token")),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("{ADMIN_TOKEN_VARIABLE} is not UTF-8")),
        }
    }

    /// The token for commanding the server that runs here: the environment's, or the directory's, which must be there.
    pub fn existing_admin_token(&self) -> Result<String, String> {
        let in_environment = std::env::var_os(ADMIN_TOKEN_VARIABLE).is_some();
        if in_environment || self.root.join("admin.token").is_file() {
            return self.admin_token();
        }
        Err(format!("set {ADMIN_TOKEN_VARIABLE} to the token that the running server was started with"))
    }

    /// Writes down that this process serves the directory.
    pub fn announce(&self, server: &RunningServer) -> Result<(), String> {
        let text = serde_json::to_string(server).expect("invariant: a struct of strings is JSON");
        let (path, draft) = (self.root.join("server.json"), self.root.join("server.json.draft"));
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path));
        written.map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// Takes the announcement back.
    pub fn withdraw(&self) {
        // It is a hint: whoever finds a stale one asks the address, and the lock decides.
        let _ = fs::remove_file(self.root.join("server.json"));
    }

    /// The server that says it runs here.
    pub fn running(&self) -> Option<RunningServer> {
        let text = fs::read_to_string(self.root.join("server.json")).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// Reads a secret, or makes one that only the owner can read. A file that others can read is refused.
fn secret(path: &Path) -> Result<String, String> {
    let failed = |error: io::Error| format!("cannot use {}: {error}", path.display());
    match OpenOptions::new().create_new(true).write(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let made = edge::hex(&edge::random_bytes::<32>());
            let written = file.write_all(made.as_bytes()).and_then(|()| file.sync_all());
            written.map_err(failed)?;
            Ok(made)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(format!("{} can be read by others: chmod 600 it", path.display()));
            }
            let text = fs::read_to_string(path).map_err(failed)?.trim().to_string();
            // A crash between making the file and filling it leaves it empty.
            if text.is_empty() {
                fs::remove_file(path).map_err(failed)?;
                return secret(path);
            }
            Ok(text)
        }
        Err(error) => Err(failed(error)),
    }
}
