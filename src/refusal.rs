//! From the errors of the engine and the database to this crate's.

use ebbtide_core::WriteError;
use ebbtide_core::batch::CorruptStore;
use ebbtide_core::query::QueryError;
use ebbtide_core::schema::SchemaError;
use ebbtide_sync::client::{EngineError, OpenError, StoreFailure, StoreFailureKind};

use crate::error::Fault;

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Fault {
        match error {
            EngineError::ReadOnly => Fault::ReadOnly,
            EngineError::NotInTransaction => Fault::NotInTransaction,
            EngineError::InTransaction => Fault::InTransaction,
            EngineError::Write(error) => error.into(),
            EngineError::StoreFailed(ref failure) => {
                Fault::StoreFailed { code: failure_code(failure), message: error.to_string() }
            }
            EngineError::Closed => Fault::RealmClosed,
            EngineError::MigrationFailed { message } => Fault::MigrationFailed { message },
            EngineError::SchemaMismatch(_) => Fault::SchemaMismatch { message: error.to_string() },
            _ => Fault::InvalidValue { message: error.to_string() },
        }
    }
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Fault {
        let message = error.to_string();
        match error {
            WriteError::NoSuchObject | WriteError::NoSuchCollection => Fault::ObjectInvalidated { message },
            WriteError::DuplicateKey { .. } => Fault::DuplicateKey { message },
            WriteError::OutOfRange { .. } => Fault::IndexOutOfRange { message },
            WriteError::TooLarge { .. } => Fault::LimitExceeded { message },
            WriteError::NoSuchProperty
            | WriteError::PrimaryKeyExpected { .. }
            | WriteError::PrimaryKeyFixed { .. }
            | WriteError::WrongType { .. } => Fault::InvalidValue { message },
            _ => Fault::InvalidValue { message },
        }
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Fault {
        Fault::InvalidQuery { message: error.message, offset: error.offset }
    }
}

impl From<SchemaError> for Fault {
    fn from(error: SchemaError) -> Fault {
        Fault::InvalidSchema { message: error.to_string() }
    }
}

/// Why the realm of a path cannot be opened.
pub(crate) fn of_open(path: &str, error: &OpenError) -> Fault {
    let message = error.to_string();
    match error {
        OpenError::Schema(_) | OpenError::PrimaryKeyMissing { .. } => Fault::InvalidSchema { message },
        OpenError::MigrationFailed { .. } => Fault::MigrationFailed { message },
        OpenError::SchemaMismatch { .. }
        | OpenError::SchemaVersionLower { .. }
        | OpenError::SchemaVersionDiffers { .. } => Fault::SchemaMismatch { message },
        OpenError::ModeNotAvailable { .. } | OpenError::WrongKind { .. } | OpenError::Missing => {
            Fault::InvalidConfig { message }
        }
        OpenError::Corrupt(corrupt) => of_corrupt(path, corrupt),
        _ => Fault::InvalidConfig { message },
    }
}

/// A record of a store that cannot be used.
pub(crate) fn of_corrupt(path: &str, corrupt: &CorruptStore) -> Fault {
    let (path, what) = (path.to_owned(), corrupt.to_string());
    match corrupt {
        CorruptStore::TooNew { .. } => Fault::FormatTooNew { path, what },
        _ => Fault::CorruptStore { path, what },
    }
}

/// The `code` of a storage failure.
pub(crate) fn failure_code(failure: &StoreFailure) -> &'static str {
    match failure.kind {
        StoreFailureKind::Quota => "QuotaExceeded",
        StoreFailureKind::Closed => "StoreClosed",
        StoreFailureKind::Conflict => "StoreConflict",
        StoreFailureKind::Outdated => "Outdated",
        StoreFailureKind::Other => "StorageError",
    }
}
