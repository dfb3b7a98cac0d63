//! The embedded default: one SQLite file for everything, in WAL mode with `synchronous=FULL`, so that a transaction that
//! returned is on the disk. `docs/server.md` says why SQLite, and describes the tables.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use ebbtide_core::{ChainHash, ChangesetNumber, ClientId, Epoch, Millis, Salt, ServerVersion};
use ebbtide_sync::server::{Append, ClientRecord, HistoryEntry, Position, RealmRecord};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::{Image, Storage, StorageError};

/// The number of the tables' layout, in `PRAGMA user_version`.
const FORMAT: i64 = 1;
/// Marks the file as ours, in `PRAGMA application_id`: "Ebbt".
const APPLICATION_ID: i64 = 0x4562_6274;
/// Pages copied between two reports of progress.
pub const BACKUP_STEP_PAGES: i32 = 256;

const TABLES: &str = "
    CREATE TABLE realm (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch BLOB NOT NULL,
        head INTEGER NOT NULL, head_salt INTEGER NOT NULL, floor INTEGER NOT NULL, floor_salt INTEGER NOT NULL,
        image INTEGER NOT NULL) STRICT;
    CREATE TABLE entry (
        realm INTEGER NOT NULL REFERENCES realm(id), version INTEGER NOT NULL, salt INTEGER NOT NULL,
        client BLOB NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL, changeset BLOB NOT NULL,
        UNIQUE (realm, version)) STRICT;
    CREATE TABLE client (
        realm INTEGER NOT NULL REFERENCES realm(id), id BLOB NOT NULL, user TEXT NOT NULL, number INTEGER NOT NULL,
        hash BLOB NOT NULL, integrated INTEGER NOT NULL, seen INTEGER NOT NULL, seen_at INTEGER NOT NULL,
        PRIMARY KEY (realm, id)) STRICT;
    CREATE TABLE image (
        realm INTEGER NOT NULL REFERENCES realm(id), position INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (realm, position)) STRICT;
    CREATE TABLE user (
        app TEXT NOT NULL, id TEXT NOT NULL, created INTEGER NOT NULL, PRIMARY KEY (app, id)) STRICT;
";

/// A store in one SQLite file. One connection writes, another reads, so that a reader never waits for a commit.
pub struct SqliteStorage {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> StorageError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StorageError::Corrupt(format!("the database is damaged: {error}"))
            }
            Some(_) | None => StorageError::Engine(error.to_string()),
        }
    }
}

impl SqliteStorage {
    /// Opens the file, creating it if it is not there. An error names the file.
    pub fn open(path: &Path) -> Result<SqliteStorage, StorageError> {
        SqliteStorage::try_open(path).map_err(|error| in_file(path, error))
    }

    fn try_open(path: &Path) -> Result<SqliteStorage, StorageError> {
        let mut writer = connect(path)?;
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if format(&transaction)? == (0, 0) && is_empty(&transaction)? {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
        }
        check_format(&transaction)?;
        transaction.commit()?;
        Ok(SqliteStorage { writer: Mutex::new(writer), reader: Mutex::new(connect(path)?) })
    }

    /// Opens a finished file, a backup for example, for reading alone, and checks every page of it. An error names the file.
    pub fn open_verified(path: &Path) -> Result<SqliteStorage, StorageError> {
        SqliteStorage::try_open_verified(path).map_err(|error| in_file(path, error))
    }

    fn try_open_verified(path: &Path) -> Result<SqliteStorage, StorageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || Connection::open_with_flags(path, flags);
        let connection = open()?;
        check_format(&connection)?;
        let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(StorageError::Corrupt(format!("the database is damaged: {verdict}")));
        }
        Ok(SqliteStorage { writer: Mutex::new(connection), reader: Mutex::new(open()?) })
    }

    /// Writes a compact copy of everything that is durable now to a new file. Does not hold up writers.
    pub fn copy_to(&self, path: &Path) -> Result<(), StorageError> {
        let name = path.to_str().ok_or_else(|| StorageError::Engine(format!("{} is not UTF-8", path.display())))?;
        self.reader().execute("VACUUM INTO ?1", params![name])?;
        let copy = std::fs::File::open(path).and_then(|file| file.sync_all());
        copy.map_err(|error| StorageError::Engine(format!("{}: {error}", path.display())))
    }

    /// Replaces everything by the contents of another store, in one transaction: a crash leaves the one or the other.
    /// Reports (pages left, pages in all) as it goes.
    pub fn replace_from(&self, source: &SqliteStorage, mut progress: impl FnMut(u64, u64)) -> Result<(), StorageError> {
        let source = source.reader();
        let mut writer = self.writer();
        // No reader may stand in a transaction of the old contents while they are exchanged.
        let _reader = self.reader();
        let backup = Backup::new(&source, &mut writer)?;
        loop {
            let step = backup.step(BACKUP_STEP_PAGES)?;
            let done = backup.progress();
            progress(done.remaining.max(0) as u64, done.pagecount.max(0) as u64);
            match step {
                StepResult::Done => return Ok(()),
                StepResult::More => {}
                StepResult::Busy | StepResult::Locked => std::thread::sleep(Duration::from_millis(10)),
                _ => return Err(StorageError::Engine("the copy could not go on".to_string())),
            }
        }
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().expect("invariant: no panic while the writing connection is locked")
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().expect("invariant: no panic while the reading connection is locked")
    }
}

impl Storage for SqliteStorage {
    fn realms(&self) -> Result<Vec<String>, StorageError> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached("SELECT name FROM realm ORDER BY name")?;
        let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }

    fn open(&self, realm: &str) -> Result<Option<RealmRecord>, StorageError> {
        let mut reader = self.reader();
        let transaction = reader.transaction()?;
        let Some((id, mut record)) = realm_row(&transaction, realm)? else { return Ok(None) };
        record.clients = clients(&transaction, id)?;
        Ok(Some(record))
    }

    fn begin(&self, realm: &str, record: &RealmRecord, image: &Image) -> Result<(), StorageError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(id) = realm_id(&transaction, realm)? {
            for table in ["entry", "client", "image"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE realm = ?1"), [id])?;
            }
            transaction.execute("DELETE FROM realm WHERE id = ?1", [id])?;
        }
        transaction.execute(
            "INSERT INTO realm (name, epoch, head, head_salt, floor, floor_salt, image) VALUES (?1,?2,?3,?4,?5,?6,?7)",
            params![
                realm,
                record.epoch.0,
                record.head.version.0 as i64,
                record.head.salt.0 as i64,
                record.floor.version.0 as i64,
                record.floor.salt.0 as i64,
                image.version.0 as i64
            ],
        )?;
        let id = transaction.last_insert_rowid();
        put_clients(&transaction, id, &record.clients)?;
        put_image(&transaction, id, image)?;
        Ok(transaction.commit()?)
    }

    fn append_if_head_is(&self, realm: &str, head: ServerVersion, append: &Append) -> Result<(), StorageError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (id, record) = existing(&transaction, realm)?;
        let found = record.head.version;
        if found != head {
            return Err(StorageError::HeadMoved { realm: realm.to_string(), expected: head.0, found: found.0 });
        }
        super::check_order(realm, head, append)?;
        put_entries(&transaction, id, &append.entries)?;
        if let Some(last) = append.entries.last() {
            let (version, salt) = (last.at.version.0 as i64, last.at.salt.0 as i64);
            let mut set = transaction.prepare_cached("UPDATE realm SET head = ?2, head_salt = ?3 WHERE id = ?1")?;
            set.execute(params![id, version, salt])?;
        }
        put_clients(&transaction, id, &append.clients)?;
        for client in &append.forgotten {
            transaction.execute("DELETE FROM client WHERE realm = ?1 AND id = ?2", params![id, client.0])?;
        }
        Ok(transaction.commit()?)
    }

    fn read_after(
        &self,
        realm: &str,
        after: ServerVersion,
        bytes_max: usize,
    ) -> Result<Vec<HistoryEntry>, StorageError> {
        let mut reader = self.reader();
        let transaction = reader.transaction()?;
        let (id, _) = existing(&transaction, realm)?;
        let mut statement = transaction.prepare_cached(
            "SELECT version, salt, client, number, time, changeset FROM entry
             WHERE realm = ?1 AND version > ?2 ORDER BY version",
        )?;
        let mut rows = statement.query(params![id, after.0 as i64])?;
        let mut found = Vec::new();
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let entry = entry(row)?;
            bytes += entry.changeset.len();
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            found.push(entry);
        }
        Ok(found)
    }

    fn load_image(&self, realm: &str) -> Result<Option<Image>, StorageError> {
        let mut reader = self.reader();
        let transaction = reader.transaction()?;
        let sql = "SELECT id, image FROM realm WHERE name = ?1";
        let row =
            transaction.query_row(sql, [realm], |row| Ok((row.get::<_, i64>(0)?, version(row, 1)?))).optional()?;
        let Some((id, version)) = row else { return Ok(None) };
        let mut statement = transaction.prepare("SELECT bytes FROM image WHERE realm = ?1 ORDER BY position")?;
        let chunks = statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Some(Image { version, chunks }))
    }

    fn save_image(&self, realm: &str, image: &Image) -> Result<(), StorageError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (id, record) = existing(&transaction, realm)?;
        super::check_image(realm, &record, image)?;
        transaction.execute("DELETE FROM image WHERE realm = ?1", [id])?;
        put_image(&transaction, id, image)?;
        transaction.execute("UPDATE realm SET image = ?2 WHERE id = ?1", params![id, image.version.0 as i64])?;
        Ok(transaction.commit()?)
    }

    fn trim(&self, realm: &str, floor: Position) -> Result<(), StorageError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (id, record) = existing(&transaction, realm)?;
        let image = transaction.query_row("SELECT image FROM realm WHERE id = ?1", [id], |row| version(row, 0))?;
        super::check_floor(realm, record.floor.version, image, floor)?;
        let (version, salt) = (floor.version.0 as i64, floor.salt.0 as i64);
        transaction.execute("DELETE FROM entry WHERE realm = ?1 AND version <= ?2", params![id, version])?;
        transaction
            .execute("UPDATE realm SET floor = ?2, floor_salt = ?3 WHERE id = ?1", params![id, version, salt])?;
        Ok(transaction.commit()?)
    }

    fn add_user(&self, app: &str, user: &str, at: Millis) -> Result<(), StorageError> {
        let sql = "INSERT OR IGNORE INTO user (app, id, created) VALUES (?1, ?2, ?3)";
        self.writer().execute(sql, params![app, user, at.0 as i64])?;
        Ok(())
    }

    fn has_user(&self, app: &str, user: &str) -> Result<bool, StorageError> {
        let sql = "SELECT 1 FROM user WHERE app = ?1 AND id = ?2";
        Ok(self.reader().query_row(sql, params![app, user], |_| Ok(())).optional()?.is_some())
    }
}

fn connect(path: &Path) -> Result<Connection, StorageError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn format(connection: &Connection) -> Result<(i64, i64), StorageError> {
    let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
    Ok((number("application_id")?, number("user_version")?))
}

fn is_empty(connection: &Connection) -> Result<bool, StorageError> {
    Ok(connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))? == 0)
}

fn check_format(connection: &Connection) -> Result<(), StorageError> {
    match format(connection)? {
        (APPLICATION_ID, FORMAT) => Ok(()),
        (APPLICATION_ID, found) => Err(StorageError::Corrupt(format!(
            "it has storage format {found}; this server reads format {FORMAT}: use the server it was written by"
        ))),
        _ => Err(StorageError::Corrupt("it is not a database of ebbtide-server".to_string())),
    }
}

/// An error of opening a file, with the file's name.
fn in_file(path: &Path, error: StorageError) -> StorageError {
    let named = |what: String| format!("{}: {what}", path.display());
    match error {
        StorageError::Engine(what) => StorageError::Engine(named(what)),
        StorageError::Corrupt(what) => StorageError::Corrupt(named(what)),
        other @ (StorageError::HeadMoved { .. } | StorageError::UnknownRealm(_)) => other,
    }
}

fn realm_id(transaction: &Transaction<'_>, realm: &str) -> Result<Option<i64>, StorageError> {
    Ok(transaction.query_row("SELECT id FROM realm WHERE name = ?1", [realm], |row| row.get(0)).optional()?)
}

/// The realm's row; its clients are left out.
fn realm_row(transaction: &Transaction<'_>, realm: &str) -> Result<Option<(i64, RealmRecord)>, StorageError> {
    let mut statement = transaction
        .prepare_cached("SELECT id, epoch, head, head_salt, floor, floor_salt FROM realm WHERE name = ?1")?;
    let row = statement.query_row([realm], |row| {
        let record = RealmRecord {
            epoch: Epoch(row.get(1)?),
            head: position(row, 2)?,
            floor: position(row, 4)?,
            clients: BTreeMap::new(),
        };
        Ok((row.get(0)?, record))
    });
    Ok(row.optional()?)
}

fn existing(transaction: &Transaction<'_>, realm: &str) -> Result<(i64, RealmRecord), StorageError> {
    realm_row(transaction, realm)?.ok_or_else(|| StorageError::UnknownRealm(realm.to_string()))
}

fn clients(transaction: &Transaction<'_>, realm: i64) -> Result<BTreeMap<ClientId, ClientRecord>, StorageError> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, user, number, hash, integrated, seen, seen_at FROM client WHERE realm = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([realm], |row| {
        let record = ClientRecord {
            user: row.get(1)?,
            number: ChangesetNumber(row.get::<_, i64>(2)? as u64),
            hash: ChainHash(row.get(3)?),
            integrated: version(row, 4)?,
            seen: version(row, 5)?,
            seen_at: Millis(row.get::<_, i64>(6)? as u64),
        };
        Ok((ClientId(row.get(0)?), record))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn put_entries(transaction: &Transaction<'_>, realm: i64, entries: &[HistoryEntry]) -> Result<(), StorageError> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO entry (realm, version, salt, client, number, time, changeset) VALUES (?1,?2,?3,?4,?5,?6,?7)",
    )?;
    for entry in entries {
        insert.execute(params![
            realm,
            entry.at.version.0 as i64,
            entry.at.salt.0 as i64,
            entry.client.0,
            entry.number.0 as i64,
            entry.time.0 as i64,
            entry.changeset
        ])?;
    }
    Ok(())
}

fn put_clients(
    transaction: &Transaction<'_>,
    realm: i64,
    clients: &BTreeMap<ClientId, ClientRecord>,
) -> Result<(), StorageError> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO client (realm, id, user, number, hash, integrated, seen, seen_at)
         VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
    )?;
    for (id, client) in clients {
        insert.execute(params![
            realm,
            id.0,
            client.user,
            client.number.0 as i64,
            client.hash.0,
            client.integrated.0 as i64,
            client.seen.0 as i64,
            client.seen_at.0 as i64
        ])?;
    }
    Ok(())
}

fn put_image(transaction: &Transaction<'_>, realm: i64, image: &Image) -> Result<(), StorageError> {
    let mut insert = transaction.prepare_cached("INSERT INTO image (realm, position, bytes) VALUES (?1, ?2, ?3)")?;
    for (position, chunk) in image.chunks.iter().enumerate() {
        insert.execute(params![realm, position as i64, chunk])?;
    }
    Ok(())
}

fn version(row: &Row<'_>, index: usize) -> Result<ServerVersion, rusqlite::Error> {
    Ok(ServerVersion(row.get::<_, i64>(index)? as u64))
}

fn position(row: &Row<'_>, index: usize) -> Result<Position, rusqlite::Error> {
    Ok(Position { version: version(row, index)?, salt: Salt(row.get::<_, i64>(index + 1)? as u64) })
}

fn entry(row: &Row<'_>) -> Result<HistoryEntry, rusqlite::Error> {
    Ok(HistoryEntry {
        at: position(row, 0)?,
        client: ClientId(row.get(2)?),
        number: ChangesetNumber(row.get::<_, i64>(3)? as u64),
        time: Millis(row.get::<_, i64>(4)? as u64),
        changeset: row.get(5)?,
    })
}
