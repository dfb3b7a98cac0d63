//! One realm's store: loads all of it, commits one batch as one transaction, and tells what others have written.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Poll;

use ebbtide_core::batch::{
    Batch, Changes, Durability, Head, LoadedStore, LogChange, MetaKey, StagedChange, open_sealed, seal,
};
use ebbtide_core::limits::LANES_MAX;
use ebbtide_core::{LogPosition, RecordId};
use indexed_db_futures::transaction::{Transaction, TransactionDurability};

use super::cipher::Cipher;
use super::connection::{CloseCause, Connection, Found};
use super::flight::unfrozen;
use super::records::{self, Content, Entries, Key, Step};
use super::schema::{LOG, META, PAGES, SPACES, STAGING};
use crate::error::{Fault, KeyProblem, Result};
use crate::refusal;

/// The open store of one realm.
pub(crate) struct Store {
    path: String,
    connection: Connection,
    key: Option<Vec<u8>>,
    cipher: RefCell<Option<Rc<Cipher>>>,
    /// The record of a new cipher, which the first batch takes along.
    unwritten: RefCell<Option<Vec<u8>>>,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It is on disk.
    Stored,
    /// Nothing of it is, because the store had another head.
    Overtaken(Beyond),
}

/// What became of an attempt to write a batch.
enum Attempt {
    /// It is on disk.
    Stored,
    /// The store has another head than this one.
    Behind(Head),
    /// The store is there, and was believed to be empty.
    Created,
}

/// What became of an attempt to catch up and to write, in one transaction.
enum Caught {
    /// What was to be written then is on disk.
    Stored,
    /// Nothing is to be written.
    Nothing,
    /// What is to be written cannot be in that transaction.
    Again(Batch),
}

/// What a store has beyond what somebody knows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Beyond {
    /// What it has beyond a head.
    Since(Changes),
    /// All that it has, where it was believed to be empty.
    Whole(LoadedStore),
}

/// [`Changes`] as they were read: still encrypted, if the store is.
struct ReadChanges {
    head: Vec<u8>,
    root: Option<Content>,
    log: Entries,
}

/// The record by which an encrypted store knows its key.
const CIPHER: &str = "cipher";
/// The record that counts the lanes of object keys.
const LANES: &str = "lanes";
/// Lanes below are for those who create a realm without waiting for its store, who draw one; those that are claimed are above.
pub(crate) const LANES_DRAWN: u64 = 4_096;

/// Who claims a lane of object keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// Somebody who has the realm alone: as long as nobody else ever claimed one, that is lane 0.
    Alone,
    /// Somebody beside whom others have it open.
    Beside,
    /// Somebody who has a lane without having asked: those who come later get higher ones.
    Taken(u64),
}

impl Store {
    /// Opens the database, creating it if it does not exist. Refuses with [`Fault::EncryptionKey`], changing nothing, if the
    /// key is not the store's, or one of the two has none.
    pub(crate) async fn open(path: &str, database: &str, key: Option<&[u8]>) -> Result<(Store, Found)> {
        let (connection, found) = Connection::open(database, &SPACES).await?;
        let store = Store {
            path: path.to_owned(),
            connection,
            key: key.map(<[u8]>::to_vec),
            cipher: RefCell::default(),
            unwritten: RefCell::default(),
        };
        let record = store.read_meta(CIPHER).await?;
        let cipher = match (record, key) {
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
        store.cipher.replace(cipher.map(Rc::new));
        Ok((store, found))
    }

    /// The head record as it is now.
    pub(crate) async fn read_head(&self) -> Result<Option<Vec<u8>>> {
        self.read_meta(MetaKey::Head.name()).await
    }

    async fn read_meta(&self, name: &str) -> Result<Option<Vec<u8>>> {
        unfrozen(|| self.try_read_meta(name)).await
    }

    async fn try_read_meta(&self, name: &str) -> Result<Option<Vec<u8>>> {
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
        let spaces = unfrozen(|| records::read_all(&self.connection, &SPACES)).await?;
        self.assembled(spaces).await
    }

    /// Reads what the store has beyond a head that is known.
    pub(crate) async fn changes_since(&self, known: &Head) -> Result<Changes> {
        let read = unfrozen(|| self.try_changes_since(known)).await?;
        self.opened_changes(read).await
    }

    async fn try_changes_since(&self, known: &Head) -> Result<ReadChanges> {
        let transaction = self.connection.read(&[META, LOG])?;
        let Some(head) = records::read_one(&transaction, META, &key_of(MetaKey::Head))?.await? else {
            return Err(self.corrupt("the head record is gone".to_owned()));
        };
        self.read_since(&transaction, known, head).await
    }

    /// Writes a batch: all of it or nothing. If the store's head is not the expected one, gives what the store has beyond it
    /// instead.
    pub(crate) async fn commit(&self, batch: &Batch) -> Result<Outcome> {
        match unfrozen(|| self.try_commit(batch)).await? {
            Attempt::Stored => Ok(Outcome::Stored),
            Attempt::Behind(known) => self.changes_since(&known).await.map(Beyond::Since).map(Outcome::Overtaken),
            Attempt::Created => self.created_elsewhere().await.map(Beyond::Whole).map(Outcome::Overtaken),
        }
    }

    /// Writes a batch. If the store's head is not the expected one, `next` is given what the store has beyond it, and makes
    /// the batch that is to be written then, in the very transaction that has read that: so others that write without a
    /// pause cannot come first time and again. False if there is nothing to be written then.
    pub(crate) async fn commit_or(&self, batch: Batch, next: impl Fn(Beyond) -> Option<Batch>) -> Result<bool> {
        let mut batch = batch;
        loop {
            let next_batch = match unfrozen(|| self.try_commit(&batch)).await? {
                Attempt::Stored => return Ok(true),
                Attempt::Created => next(Beyond::Whole(self.created_elsewhere().await?)),
                Attempt::Behind(known) => match self.catch_up(known, batch.durability, &next).await? {
                    Caught::Stored => return Ok(true),
                    Caught::Nothing => None,
                    Caught::Again(batch) => Some(batch),
                },
            };
            match next_batch {
                Some(next_batch) => batch = next_batch,
                None => return Ok(false),
            }
        }
    }

    async fn catch_up(
        &self,
        known: Head,
        durability: Durability,
        next: &impl Fn(Beyond) -> Option<Batch>,
    ) -> Result<Caught> {
        // A page that is frozen in between has made its batch, and is to write that one when it wakes up.
        let made = Cell::new(None);
        let caught = unfrozen(|| async {
            match made.take() {
                Some(batch) => Ok(Caught::Again(batch)),
                None => self.try_catch_up(&known, durability, next, &made).await,
            }
        });
        caught.await
    }

    async fn try_catch_up(
        &self,
        known: &Head,
        durability: Durability,
        next: &impl Fn(Beyond) -> Option<Batch>,
        made: &Cell<Option<Batch>>,
    ) -> Result<Caught> {
        const DOING: &str = "storing a batch on top of what others have written";
        let transaction = self.connection.write(&SPACES, durability_of(durability))?;
        let Some(found) = records::read_one(&transaction, META, &key_of(MetaKey::Head))?.await? else {
            return Err(Fault::StoreConflict { path: self.path.clone() });
        };
        let read = self.read_since(&transaction, known, found).await?;
        let head = read.head.clone();
        let changes = kept_alive(&transaction, self.opened_changes(read)).await??;
        let Some(batch) = next(Beyond::Since(changes)) else {
            records::abort(&transaction);
            return Ok(Caught::Nothing);
        };
        let fits = batch.expected.is_some_and(|expected| expected.encode() == head)
            && (batch.durability == durability || durability == Durability::Strict);
        if !fits {
            records::abort(&transaction);
            return Ok(Caught::Again(batch));
        }
        made.set(Some(batch.clone()));
        let steps = kept_alive(&transaction, self.sealed(steps(&batch))).await??;
        records::issue(DOING, &transaction, &steps)?;
        self.connection.finish(DOING, transaction).await?;
        Ok(Caught::Stored)
    }

    async fn try_commit(&self, batch: &Batch) -> Result<Attempt> {
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
        let transaction = self.connection.write(&spaces, durability_of(batch.durability))?;
        // All is issued at once: going on only when the head is known would cost a way to the browser's process and back. What
        // was written on another head is taken back with the transaction, after a panic too (see `flight`).
        let found = records::read_one(&transaction, META, &key_of(MetaKey::Head))?;
        records::issue(DOING, &transaction, &steps)?;
        let found = found.await?;
        let as_expected = match (&found, &batch.expected) {
            (None, None) => true,
            (Some(Content::Bytes(found)), Some(expected)) => *found == expected.encode(),
            (Some(_), _) | (None, Some(_)) => false,
        };
        if !as_expected {
            records::abort(&transaction);
            return match (&found, &batch.expected) {
                (None, _) => Err(Fault::StoreConflict { path: self.path.clone() }),
                (Some(_), Some(expected)) => Ok(Attempt::Behind(*expected)),
                (Some(_), None) => Ok(Attempt::Created),
            };
        }
        self.connection.finish(DOING, transaction).await?;
        self.unwritten.take();
        Ok(Attempt::Stored)
    }

    /// Reads all of a store that was to be created here, and that somebody else has created meanwhile.
    async fn created_elsewhere(&self) -> Result<LoadedStore> {
        let spaces = unfrozen(|| records::read_all(&self.connection, &SPACES)).await?;
        self.adopt_cipher(&spaces).await?;
        self.assembled(spaces).await
    }

    /// Takes a lane of object keys that nobody else has, above all that were taken before: docs/tabs.md tells what for.
    pub(crate) async fn claim_lane(&self, claim: Claim) -> Result<u64> {
        unfrozen(|| self.try_claim_lane(claim)).await
    }

    async fn try_claim_lane(&self, claim: Claim) -> Result<u64> {
        const DOING: &str = "claiming object keys";
        let transaction = self.connection.write(&[META], TransactionDurability::Relaxed)?;
        let found = records::read_one(&transaction, META, &Key::Name(LANES.to_owned()))?.await?;
        let given = match found {
            None => Ok(0),
            Some(Content::Bytes(record)) => open_sealed("lanes record", &record, |input| input.u64())
                .map_err(|corrupt| self.corrupt(corrupt.to_string())),
            Some(Content::Foreign) => Err(self.corrupt(format!("record '{LANES}' of '{META}' is not bytes"))),
        };
        let given = given.inspect_err(|_| records::abort(&transaction))?;
        let lane = match claim {
            Claim::Alone if given == 0 => {
                records::abort(&transaction);
                return Ok(0);
            }
            Claim::Alone | Claim::Beside => given.saturating_add(1),
            Claim::Taken(lane) => given.max(LANES_DRAWN).max(lane),
        };
        let record = seal(|out| out.u64(lane));
        let steps = [Step::Put(META, Key::Name(LANES.to_owned()), Cow::Owned(record))];
        records::issue(DOING, &transaction, &steps)?;
        self.connection.finish(DOING, transaction).await?;
        // So many later nobody of the first is there any more.
        Ok(1 + (lane - 1) % (LANES_MAX - 1))
    }

    /// Reads what is beyond a head, within a transaction that has read the present one.
    async fn read_since(&self, transaction: &Transaction<'_>, known: &Head, head: Content) -> Result<ReadChanges> {
        let Content::Bytes(head) = head else { return Err(self.corrupt("the head record is not bytes".to_owned())) };
        let now = Head::decode(&head).map_err(|corrupt| refusal::of_corrupt(&self.path, &corrupt))?;
        if now == *known {
            return Ok(ReadChanges { head, root: None, log: Vec::new() });
        }
        let log = records::read_from(transaction, LOG, Some(now.log_from(known).0))?;
        let root = match now.has_other_root(known) {
            true => records::read_one(transaction, META, &key_of(MetaKey::Root))?.await?,
            false => None,
        };
        Ok(ReadChanges { head, root, log: log.await? })
    }

    async fn opened_changes(&self, read: ReadChanges) -> Result<Changes> {
        let mut changes = Changes { head: read.head, ..Changes::default() };
        if let Some(root) = read.root {
            changes.root = Some(self.opened_content(META, &key_of(MetaKey::Root), root).await?);
        }
        for (key, content) in read.log {
            let Key::Number(position) = key else { return Err(self.unknown(LOG, &key)) };
            changes.log.push((LogPosition(position), self.opened_content(LOG, &key, content).await?));
        }
        Ok(changes)
    }

    async fn assembled(&self, spaces: Vec<Entries>) -> Result<LoadedStore> {
        let mut loaded = LoadedStore::default();
        for (space, entries) in SPACES.into_iter().zip(spaces) {
            for (key, content) in entries {
                if space == META && (key == Key::Name(CIPHER.to_owned()) || key == Key::Name(LANES.to_owned())) {
                    continue;
                }
                let bytes = self.opened_content(space, &key, content).await?;
                match (space, &key) {
                    (META, Key::Name(name)) => self.place_meta(&mut loaded, name, bytes)?,
                    (PAGES, Key::Number(id)) => loaded.pages.push((RecordId(*id), bytes)),
                    (LOG, Key::Number(position)) => loaded.log.push((LogPosition(*position), bytes)),
                    (STAGING, Key::Number(index)) if u32::try_from(*index).is_ok() => {
                        loaded.staging.push((*index as u32, bytes));
                    }
                    _ => return Err(self.unknown(space, &key)),
                }
            }
        }
        Ok(loaded)
    }

    /// Somebody else has created the store meanwhile: it has their cipher, not the one that was made for it here.
    async fn adopt_cipher(&self, spaces: &[Entries]) -> Result<()> {
        let record = spaces.first().and_then(|meta| meta.iter().find(|(key, _)| *key == Key::Name(CIPHER.to_owned())));
        let record = match record {
            None => None,
            Some((_, Content::Bytes(record))) => Some(record),
            Some((key, Content::Foreign)) => return Err(self.not_bytes(META, key)),
        };
        let cipher = match (record, &self.key) {
            (None, None) => None,
            (Some(record), Some(key)) => Some(Rc::new(Cipher::open(&self.path, key, record).await?)),
            (record, key) => {
                let problem = KeyProblem::of(record, key.as_ref());
                return Err(Fault::EncryptionKey { path: self.path.clone(), problem });
            }
        };
        self.unwritten.take();
        self.cipher.replace(cipher);
        Ok(())
    }

    /// The steps with their records encrypted, if the store is. The head has nothing of the app's in it, and is compared
    /// inside transactions.
    async fn sealed<'a>(&self, mut steps: Vec<Step<'a>>) -> Result<Vec<Step<'a>>> {
        let Some(cipher) = self.cipher() else { return Ok(steps) };
        for step in &mut steps {
            if let Step::Put(space, key, bytes) = step
                && !is_head(space, key)
            {
                *bytes = Cow::Owned(cipher.encrypt(&record_name(space, key), bytes).await?);
            }
        }
        Ok(steps)
    }

    async fn opened_content(&self, space: &str, key: &Key, content: Content) -> Result<Vec<u8>> {
        let Content::Bytes(bytes) = content else { return Err(self.not_bytes(space, key)) };
        match self.cipher() {
            Some(cipher) if !is_head(space, key) => {
                let record = cipher.decrypt(&record_name(space, key), &bytes).await;
                record.ok_or_else(|| self.corrupt(format!("record {key} of '{space}' cannot be decrypted")))
            }
            Some(_) | None => Ok(bytes),
        }
    }

    fn cipher(&self) -> Option<Rc<Cipher>> {
        self.cipher.borrow().clone()
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

    fn not_bytes(&self, space: &str, key: &Key) -> Fault {
        self.corrupt(format!("record {key} of '{space}' is not bytes"))
    }

    fn unknown(&self, space: &str, key: &Key) -> Fault {
        self.corrupt(format!("'{space}' has a record with the unknown key {key}"))
    }

    fn corrupt(&self, what: String) -> Fault {
        Fault::CorruptStore { path: self.path.clone(), what }
    }
}

/// Does what waits for something else than the transaction, and keeps that from ending meanwhile: by asking for a record for as
/// long as it takes. It goes on where the transaction can be used.
async fn kept_alive<T>(transaction: &Transaction<'_>, work: impl Future<Output = T>) -> Result<T> {
    let mut work = std::pin::pin!(work);
    loop {
        if let Poll::Ready(done) = std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            return Ok(done);
        }
        records::read_one(transaction, META, &key_of(MetaKey::Head))?.await?;
    }
}

fn durability_of(durability: Durability) -> TransactionDurability {
    match durability {
        Durability::Relaxed => TransactionDurability::Relaxed,
        Durability::Strict => TransactionDurability::Strict,
    }
}

fn is_head(space: &str, key: &Key) -> bool {
    space == META && *key == key_of(MetaKey::Head)
}

fn key_of(key: MetaKey) -> Key {
    Key::Name(key.name().to_owned())
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
    steps.push(Step::Put(META, key_of(MetaKey::Head), Cow::Owned(batch.head.encode())));
    steps
}
