//! Where histories, states, clients and users are kept: one small trait, the embedded default and a memory double. One
//! conformance suite (`tests/it/storage.rs`) is passed by both.
//!
//! A store keeps bytes and order. It does not know what a changeset says, and decides nothing.

mod memory;
mod sqlite;

use std::collections::BTreeMap;

use ebbtide_core::{ChainHash, ChangesetNumber, ClientId, Epoch, Millis, Salt, ServerVersion};

pub use memory::MemoryStorage;
pub use sqlite::{BACKUP_STEP_PAGES, SqliteStorage};

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Somebody else appended in between; nothing was written.
    #[error("the history of realm '{realm}' stands at {found}, not at {expected}")]
    HeadMoved {
        /// The realm.
        realm: String,
        /// The head the caller had seen.
        expected: u64,
        /// The head that is there.
        found: u64,
    },
    /// No such realm.
    #[error("there is no realm '{0}'")]
    UnknownRealm(String),
    /// What is stored contradicts itself or is of another format.
    #[error("{0}")]
    Corrupt(String),
    /// The engine below failed.
    #[error("storage: {0}")]
    Engine(String),
}

/// A position and the salt drawn for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Position {
    /// The version.
    pub version: ServerVersion,
    /// Its salt.
    pub salt: Salt,
}

/// What is stored about a realm as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RealmRecord {
    /// The continuous history that the versions count in.
    pub epoch: Epoch,
    /// The last entry.
    pub head: Position,
    /// The last entry that is no longer kept; everything after it is.
    pub floor: Position,
    /// Everybody who ever bound and was not forgotten.
    pub clients: BTreeMap<ClientId, ClientRecord>,
}

/// What is stored about one client of one realm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientRecord {
    /// The user the client belongs to.
    pub user: String,
    /// The last changeset of it in the history; zero for none.
    pub number: ChangesetNumber,
    /// That changeset's hash.
    pub hash: ChainHash,
    /// The version that changeset became.
    pub integrated: ServerVersion,
    /// The last version it said it has.
    pub seen: ServerVersion,
    /// When it was last heard of.
    pub seen_at: Millis,
}

/// One entry of a history, as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredEntry {
    /// Where it stands.
    pub at: Position,
    /// Its author.
    pub client: ClientId,
    /// Its number among its author's.
    pub number: ChangesetNumber,
    /// When the server took it.
    pub time: Millis,
    /// The encoded changeset.
    pub changeset: Vec<u8>,
}

/// What one transaction adds to a realm: entries that continue its head, and what changed about clients.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Append {
    /// Entries in order, the first at head + 1.
    pub entries: Vec<StoredEntry>,
    /// Clients as they are afterwards.
    pub clients: BTreeMap<ClientId, ClientRecord>,
    /// Clients to forget.
    pub forgotten: Vec<ClientId>,
}

/// A realm's whole state at one version, in chunks that a store keeps as they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// The version it shows.
    pub version: ServerVersion,
    /// The encoded state.
    pub chunks: Vec<Vec<u8>>,
}

/// The store. Every method is one transaction: done and durable when it returns `Ok`, without effect when it does not.
pub trait Storage: Send + Sync {
    /// The names of all realms, ascending.
    fn realms(&self) -> Result<Vec<String>, StorageError>;

    /// What is stored about a realm; `None` if there is nothing.
    fn open(&self, realm: &str) -> Result<Option<RealmRecord>, StorageError>;

    /// Creates the realm, or starts it anew from this record and image: history and clients before are gone.
    fn begin(&self, realm: &str, record: &RealmRecord, image: &Image) -> Result<(), StorageError>;

    /// Appends if the head is still the one the caller has seen.
    fn append_if_head_is(&self, realm: &str, head: ServerVersion, append: &Append) -> Result<(), StorageError>;

    /// The entries after a version in order: at least one if there is one, then as many as fit into `bytes_max`.
    fn read_after(
        &self,
        realm: &str,
        after: ServerVersion,
        bytes_max: usize,
    ) -> Result<Vec<StoredEntry>, StorageError>;

    /// The image saved last.
    fn load_image(&self, realm: &str) -> Result<Option<Image>, StorageError>;

    /// Replaces the image. Its version must lie between the floor and the head.
    fn save_image(&self, realm: &str, image: &Image) -> Result<(), StorageError>;

    /// Drops the entries up to `floor`, which must not lie above the image's version.
    fn trim(&self, realm: &str, floor: Position) -> Result<(), StorageError>;

    /// Remembers a user of an app; one that is there already stays as it is.
    fn add_user(&self, app: &str, user: &str, at: Millis) -> Result<(), StorageError>;

    /// Whether the user exists.
    fn has_user(&self, app: &str, user: &str) -> Result<bool, StorageError>;
}

fn check_order(realm: &str, head: ServerVersion, append: &Append) -> Result<(), StorageError> {
    let continues = append.entries.iter().enumerate().all(|(i, entry)| entry.at.version.0 == head.0 + 1 + i as u64);
    if continues {
        Ok(())
    } else {
        Err(StorageError::Corrupt(format!("entries for realm '{realm}' do not continue its head at {}", head.0)))
    }
}

fn check_image(realm: &str, record: &RealmRecord, image: &Image) -> Result<(), StorageError> {
    if image.version >= record.floor.version && image.version <= record.head.version {
        return Ok(());
    }
    Err(StorageError::Corrupt(format!(
        "an image of realm '{realm}' at {} lies outside its history, {} to {}",
        image.version.0, record.floor.version.0, record.head.version.0
    )))
}

fn check_floor(realm: &str, old: ServerVersion, image: ServerVersion, floor: Position) -> Result<(), StorageError> {
    if floor.version >= old && floor.version <= image {
        return Ok(());
    }
    Err(StorageError::Corrupt(format!(
        "the history of realm '{realm}' can be trimmed between {} and its image at {}, not to {}",
        old.0, image.0, floor.version.0
    )))
}
