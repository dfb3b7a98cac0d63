//! Where histories, states, clients and users are kept: one small trait, the embedded default and a memory double. One
//! conformance suite (`tests/it/storage.rs`) is passed by both.
//!
//! A store keeps bytes and order. It does not know what a changeset says, and decides nothing.

mod memory;
mod sqlite;

use ebbtide_core::{Millis, ServerVersion};
use ebbtide_sync::server::{Append, HistoryEntry, Position, RealmRecord};

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
    ) -> Result<Vec<HistoryEntry>, StorageError>;

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
