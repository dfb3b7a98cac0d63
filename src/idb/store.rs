//! One realm's store: load, commit.

use indexed_db_futures::transaction::TransactionDurability;

use super::connection::{CloseCause, Connection, Found};
use super::records::{self, Content, Key, Step};
use super::schema::{META, SPACES};
use crate::error::{Fault, Result};

/// The record of `meta` that every commit checks and replaces.
const ROOT: &str = "root";

/// The open store of one realm.
pub(crate) struct Store {
    path: String,
    connection: Connection,
}

impl Store {
    /// Opens the database, creating it if it does not exist.
    pub(crate) async fn open(path: &str, name: &str) -> Result<(Store, Found)> {
        let (connection, found) = Connection::open(name, &SPACES).await?;
        Ok((Store { path: path.to_owned(), connection }, found))
    }

    /// Names the one who is told, once, when the connection ends without our asking.
    pub(crate) fn on_close(&self, tell: impl Fn(CloseCause) + 'static) {
        self.connection.on_close(tell);
    }

    async fn write(
        &self,
        doing: &'static str,
        durability: TransactionDurability,
        root: Option<&[u8]>,
        steps: &[Step],
    ) -> Result<()> {
        let mut spaces = records::spaces(steps);
        if !spaces.contains(&META) {
            spaces.push(META);
        }
        let transaction = self.connection.write(&spaces, durability)?;
        let present = match records::read_one(&transaction, META, &Key::Name(ROOT.to_owned())).await? {
            Some(Content::Bytes(bytes)) => Some(bytes),
            Some(Content::Foreign) | None => None,
        };
        if present.as_deref() != root {
            records::abort(&transaction);
            return Err(Fault::StoreConflict { path: self.path.clone() });
        }
        records::issue(doing, &transaction, steps)?;
        self.connection.finish(doing, transaction).await
    }
}
