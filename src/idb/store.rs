//! One realm's store: loads all of it, commits one batch as one transaction.

use std::borrow::Cow;

use ebbtide_core::batch::{Batch, Durability, Head, LoadedStore, LogChange, MetaKey, StagedChange};
use ebbtide_core::{LogPosition, RecordId};
use indexed_db_futures::transaction::TransactionDurability;

use super::connection::{CloseCause, Connection, Found};
use super::records::{self, Content, Key, Step};
use super::schema::{LOG, META, PAGES, SPACES, STAGING};
use crate::error::{Fault, Result};

/// The open store of one realm.
pub(crate) struct Store {
    path: String,
    connection: Connection,
}

impl Store {
    /// Opens the database, creating it if it does not exist.
    pub(crate) async fn open(path: &str, database: &str) -> Result<(Store, Found)> {
        let (connection, found) = Connection::open(database, &SPACES).await?;
        Ok((Store { path: path.to_owned(), connection }, found))
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
        let steps = steps(batch);
        let mut spaces = records::spaces(&steps);
        if !spaces.contains(&META) {
            spaces.push(META);
        }
        let durability = match batch.durability {
            Durability::Relaxed => TransactionDurability::Relaxed,
            Durability::Strict => TransactionDurability::Strict,
        };
        let transaction = self.connection.write(&spaces, durability)?;
        let found = records::read_one(&transaction, META, &Key::Name(MetaKey::Head.name().to_owned())).await?;
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
        records::issue(DOING, &transaction, &steps)?;
        self.connection.finish(DOING, transaction).await
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
