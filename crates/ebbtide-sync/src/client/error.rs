//! What goes wrong on the client, as values that somebody acts on.

use ebbtide_core::WriteError;
use ebbtide_core::batch::CorruptStore;
use ebbtide_core::schema::SchemaError;

use crate::wire::Code;

/// Why a batch could not be committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreFailure {
    /// What an app can do about it depends on this.
    pub kind: StoreFailureKind,
    /// In words.
    pub message: String,
}

/// The kinds of storage failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreFailureKind {
    /// There is no room.
    Quota,
    /// The store was closed, deleted or cleared under us.
    Closed,
    /// Somebody else has written to the store since we read it.
    Conflict,
    /// A later version of the app has given the realm a schema that this one cannot follow.
    Outdated,
    /// Anything else.
    Other,
}

/// Why a realm could not be opened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The schema is not sound.
    Schema(SchemaError),
    /// The stored schema cannot become the wanted one.
    SchemaMismatch {
        /// What was tried.
        heading: &'static str,
        /// One sentence for each obstacle.
        problems: Vec<String>,
    },
    /// A stored schema version that is higher than the wanted one.
    SchemaVersionLower {
        /// On disk.
        stored: u64,
        /// Wanted.
        wanted: u64,
    },
    /// A stored schema version that is another than the wanted one, where nothing may change.
    SchemaVersionDiffers {
        /// On disk.
        stored: u64,
        /// Wanted.
        wanted: u64,
    },
    /// Objects do not fit the schema after a migration.
    MigrationFailed {
        /// In words.
        message: String,
    },
    /// A class of a synced realm without the primary key that syncing needs.
    PrimaryKeyMissing {
        /// The class.
        class: String,
    },
    /// A reset mode that this version does not have yet.
    ModeNotAvailable {
        /// Its name.
        mode: &'static str,
    },
    /// The store belongs to a realm of the other kind, or to another realm on the server.
    WrongKind {
        /// What it is.
        found: String,
    },
    /// The store cannot be read. Nothing of it was changed.
    Corrupt(CorruptStore),
    /// A realm that does not exist cannot be opened for reading only.
    Missing,
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Schema(error) => write!(f, "{error}"),
            OpenError::SchemaMismatch { heading, problems } => {
                write!(f, "{heading}:")?;
                for problem in problems {
                    write!(f, "\n- {problem}")?;
                }
                Ok(())
            }
            OpenError::SchemaVersionLower { stored, wanted } => {
                write!(f, "Provided schema version {wanted} is less than last set version {stored}.")
            }
            OpenError::SchemaVersionDiffers { stored, wanted } => {
                write!(f, "Provided schema version {wanted} does not equal last set version {stored}.")
            }
            OpenError::MigrationFailed { message } => write!(f, "{message}"),
            OpenError::PrimaryKeyMissing { class } => {
                write!(
                    f,
                    "There must be a primary key property named '_id' on a synced realm but none was found for type '{class}'."
                )
            }
            OpenError::ModeNotAvailable { mode } => {
                write!(
                    f,
                    "The client reset mode '{mode}' is not available yet; use 'discardUnsyncedChanges' or 'manual'."
                )
            }
            OpenError::WrongKind { found } => write!(f, "The store on disk holds {found}."),
            OpenError::Corrupt(error) => write!(f, "The store cannot be read: {error}"),
            OpenError::Missing => write!(f, "A realm that does not exist cannot be opened for reading only."),
        }
    }
}

impl std::error::Error for OpenError {}

/// Why a write was refused. Nothing has changed.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// The realm is open for reading only.
    ReadOnly,
    /// No transaction has been begun.
    NotInTransaction,
    /// A transaction has been begun already.
    InTransaction,
    /// The transaction as a whole is refused.
    Write(WriteError),
    /// An earlier write could not be stored, so this one could not either.
    StoreFailed(StoreFailure),
    /// The realm is closed or closing.
    Closed,
    /// The schema cannot be changed like that.
    SchemaMismatch(Vec<String>),
    /// Objects do not fit the schema after a migration.
    MigrationFailed {
        /// In words.
        message: String,
    },
    /// A migration ends by itself: its transaction is not for the app to end.
    InMigration,
    /// Classes of a synced realm cannot be deleted.
    Synced,
    /// A copy would lose what the server has not confirmed.
    Pending,
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EngineError::ReadOnly => write!(f, "Cannot perform transactions on read-only realms."),
            EngineError::NotInTransaction => write!(f, "The realm is not currently in a write transaction."),
            EngineError::InTransaction => write!(f, "The Realm is already in a write transaction"),
            EngineError::Write(error) => write!(f, "{error} Nothing was written."),
            EngineError::StoreFailed(failure) => write!(
                f,
                "An earlier write could not be stored ({}), so nothing more can be written. What was stored before stays readable.",
                failure.message
            ),
            EngineError::Closed => write!(f, "Cannot access realm that has been closed."),
            EngineError::MigrationFailed { message } => write!(f, "{message}"),
            EngineError::InMigration => {
                write!(f, "The transaction of a migration ends with the migration.")
            }
            EngineError::Synced => write!(f, "Cannot delete model for a read-only or a synced Realm."),
            EngineError::Pending => {
                write!(f, "All client changes must be integrated in server before writing copy")
            }
            EngineError::SchemaMismatch(problems) => {
                write!(f, "The schema cannot be changed:")?;
                for problem in problems {
                    write!(f, "\n- {problem}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for EngineError {}

/// What the app's error callback is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncError {
    /// Which kind; the JavaScript error's name follows from it.
    pub kind: SyncErrorKind,
    /// The number of the error in Realm's numbering of client errors, such as 1032.
    pub code: u32,
    /// The wire code behind it.
    pub wire_code: Code,
    /// In words.
    pub message: String,
    /// Whether the session has ended.
    pub fatal: bool,
    /// The error that led to this one, in words.
    pub cause: Option<String>,
}

/// The kinds of sync error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncErrorKind {
    /// The realm must be reset by the app; the edge adds the paths.
    ClientReset,
    /// The server reverted a write.
    CompensatingWrite,
    /// Anything else.
    Other,
}
