//! One realm's store: loads all of it, commits one batch as one transaction.

use std::borrow::Cow;
use std::cell::RefCell;

use ebbtide_core::batch::{Batch, Durability, Head, LoadedStore, LogChange, MetaKey, StagedChange};
use ebbtide_core::{LogPosition, RecordId};
use indexed_db_futures::transaction::TransactionDurability;

use super::cipher::Cipher;
use super::connection::{CloseCause, Connection, Found};
use super::records::{self, Content, Key, Step};
use super::schema::{LOG, META, PAGES, SPACES, STAGING};
use crate::error::{Fault, KeyProblem, Result};

/// The open store of one realm.
pub(crate) struct Store {
    path: String,
    connection: Connection,
    cipher: Option<Cipher>,
    /// The record of a new cipher, which the first batch takes along.
    unwritten: RefCell<Option<Vec<u8>>>,
}

/// The record by which an encrypted store knows its key.
const CIPHER: &str = "cipher";

impl Store {
    /// Opens the database, creating it if it does not exist. Refuses with [`Fault::EncryptionKey`], changing nothing, if the
    /// key is not the store's, or one of the two has none.
    pub(crate) async fn open(path: &str, database: &str, key: Option<&[u8]>) -> Result<(Store, Found)> {
        let (connection, found) = Connection::open(database, &SPACES).await?;
        let mut store = Store { path: path.to_owned(), connection, cipher: None, unwritten: RefCell::default() };
        let record = store.read_meta(CIPHER).await?;
        store.cipher = match (record, key) {
            (Some(record), Some(key)) => Some(Cipher::open(path, key, &record).await?),
            (Some(_), None) => {
                return Err(Fault::EncryptionKey { path: path.to_owned(), problem: KeyProblem::Missing });
            }
            (None, None) => None,
            (None, Some(_)) if store.read_head().await?.is_some() => {
                return Err(Fault::EncryptionKey { path: path.to_owned(), problem: KeyProblem::Unexpected });
            }
            (None, Some(key)) => {
                let (cipher, record) = Cipher::create(key).await?;
                store.unwritten.replace(Some(record));
                Some(cipher)
            }
        };
        Ok((store, found))
    }

    /// The head record as it is now.
    pub(crate) async fn read_head(&self) -> Result<Option<Vec<u8>>> {
        self.read_meta(MetaKey::Head.name()).await
    }

    async fn read_meta(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let transaction = self.connection.read(&[META])?;
        match records::read_one(&transaction, META, &Key::Name(name.to_owned()))?.await? {
            None => Ok(None),
            Some(Content::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Content::Foreign) => Err(self.corrupt(format!("record '{name}' of '{META}' is not bytes"))),
        }
    }

    /// Names the one who is told, once, when the connection ends without our asking.
    pub(crate) fn on_close(&self, tell: impl Fn(CloseCause) + 'static) {
        self.connection.on_close(tell);
    }

    /// Reads everything, in one transaction. The records' own checksums are for the reader of the bytes to check.
    pub(crate) async fn load(&self) -> Result<LoadedStore> {
        let mut loaded = LoadedStore::default();
        let spaces = records::read_all(&self.connection, &SPACES).await?;
        for (space, entries) in SPACES.into_iter().zip(spaces) {
            for (key, content) in entries {
                let Content::Bytes(bytes) = content else {
                    return Err(self.corrupt(format!("record {key} of '{space}' is not bytes")));
                };
                if space == META && key == Key::Name(CIPHER.to_owned()) {
                    continue;
                }
                let bytes = self.opened(space, &key, bytes).await?;
                match (space, &key) {
                    (META, Key::Name(name)) => self.place_meta(&mut loaded, name, bytes)?,
                    (PAGES, Key::Number(id)) => loaded.pages.push((RecordId(*id), bytes)),
                    (LOG, Key::Number(position)) => loaded.log.push((LogPosition(*position), bytes)),
                    (STAGING, Key::Number(index)) if u32::try_from(*index).is_ok() => {
                        loaded.staging.push((*index as u32, bytes));
                    }
                    _ => return Err(self.corrupt(format!("'{space}' has a record with the unknown key {key}"))),
                }
            }
        }
        Ok(loaded)
    }

    /// Writes a batch: all of it or nothing. Refuses with [`Fault::StoreConflict`] if the store's head is not the expected one.
    pub(crate) async fn commit(&self, batch: &Batch) -> Result<()> {
        const DOING: &str = "storing a batch";
        // All is encrypted before the transaction begins: it would not outlive the wait.
        let mut steps = self.sealed(steps(batch)).await?;
        let unwritten = self.unwritten.borrow().clone();
        if let Some(record) = unwritten {
            steps.push(Step::Put(META, Key::Name(CIPHER.to_owned()), Cow::Owned(record)));
        }
        let mut spaces = records::spaces(&steps);
        if !spaces.contains(&META) {
            spaces.push(META);
        }
        let durability = match batch.durability {
            Durability::Relaxed => TransactionDurability::Relaxed,
            Durability::Strict => TransactionDurability::Strict,
        };
        let transaction = self.connection.write(&spaces, durability)?;
        // All is issued at once: going on only when the head is known would cost a way to the browser's process and back. What
        // was written on another head is taken back with the transaction.
        let found = records::read_one(&transaction, META, &Key::Name(MetaKey::Head.name().to_owned()))?;
        records::issue(DOING, &transaction, &steps)?;
        let found = found.await?;
        let expected = batch.expected.as_ref().map(Head::encode);
        let as_expected = match (&found, &expected) {
            (None, None) => true,
            (Some(Content::Bytes(found)), Some(expected)) => found == expected,
            (Some(_), _) | (None, Some(_)) => false,
        };
        if !as_expected {
            records::abort(&transaction);
            return Err(Fault::StoreConflict { path: self.path.clone() });
        }
        self.connection.finish(DOING, transaction).await?;
        self.unwritten.take();
        Ok(())
    }

    /// The steps with their records encrypted, if the store is. The head has nothing of the app's in it, and is compared
    /// inside transactions.
    async fn sealed<'a>(&self, mut steps: Vec<Step<'a>>) -> Result<Vec<Step<'a>>> {
        let Some(cipher) = &self.cipher else { return Ok(steps) };
        for step in &mut steps {
            if let Step::Put(space, key, bytes) = step
                && !is_head(space, key)
            {
                *bytes = Cow::Owned(cipher.encrypt(&record_name(space, key), bytes).await?);
            }
        }
        Ok(steps)
    }

    async fn opened(&self, space: &str, key: &Key, bytes: Vec<u8>) -> Result<Vec<u8>> {
        match &self.cipher {
            Some(cipher) if !is_head(space, key) => {
                let record = cipher.decrypt(&record_name(space, key), &bytes).await;
                record.ok_or_else(|| self.corrupt(format!("record {key} of '{space}' cannot be decrypted")))
            }
            Some(_) | None => Ok(bytes),
        }
    }

    /// Closes the connection; a commit under way finishes first.
    pub(crate) fn close(&self) {
        self.connection.close();
    }

    fn place_meta(&self, loaded: &mut LoadedStore, name: &str, bytes: Vec<u8>) -> Result<()> {
        let place =
            [(MetaKey::Head, &mut loaded.head), (MetaKey::Root, &mut loaded.root), (MetaKey::Reset, &mut loaded.reset)];
        for (key, slot) in place {
            if key.name() == name {
                *slot = Some(bytes);
                return Ok(());
            }
        }
        Err(self.corrupt(format!("'{META}' has an unknown record '{name}'")))
    }

    fn corrupt(&self, what: String) -> Fault {
        Fault::CorruptStore { path: self.path.clone(), what }
    }
}

fn is_head(space: &str, key: &Key) -> bool {
    space == META && *key == Key::Name(MetaKey::Head.name().to_owned())
}

/// What a record is authenticated as.
fn record_name(space: &str, key: &Key) -> String {
    format!("{space}/{key}")
}

/// The steps of a batch, in the order in which they are to be issued; the head comes last.
fn steps(batch: &Batch) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    if batch.log == LogChange::Clear {
        steps.push(Step::Clear(LOG));
    }
    if batch.staged == StagedChange::Clear {
        steps.push(Step::Clear(STAGING));
    }
    let number = |number: u64| Key::Number(number);
    steps.extend(batch.dropped_pages.iter().map(|id| Step::Delete(PAGES, number(id.0))));
    steps.extend(batch.pages.iter().map(|(id, bytes)| Step::Put(PAGES, number(id.0), Cow::Borrowed(bytes))));
    steps.extend(batch.append.iter().map(|(position, bytes)| Step::Put(LOG, number(position.0), Cow::Borrowed(bytes))));
    steps.extend(
        batch.staging.iter().map(|(index, bytes)| Step::Put(STAGING, number(u64::from(*index)), Cow::Borrowed(bytes))),
    );
    for (key, bytes) in &batch.meta {
        let name = Key::Name(key.name().to_owned());
        steps.push(match bytes {
            Some(bytes) => Step::Put(META, name, Cow::Borrowed(bytes)),
            None => Step::Delete(META, name),
        });
    }
    steps.push(Step::Put(META, Key::Name(MetaKey::Head.name().to_owned()), Cow::Owned(batch.head.encode())));
    steps
}
