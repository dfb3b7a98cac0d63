//! From the errors of IndexedDB to this crate's.

use indexed_db_futures::error::{Error, OpenDbError};

use crate::error::{Fault, describe};

/// An error of a request or a transaction.
pub(super) fn of_request(doing: &'static str, error: Error) -> Fault {
    match error {
        Error::DomException(exception) => of_exception(doing, &exception.into()),
        Error::Serialisation(error) => Fault::Storage { doing, cause: error.to_string() },
        Error::MissingData(error) => Fault::Storage { doing, cause: error.to_string() },
        Error::Unknown(error) => Fault::Storage { doing, cause: error.to_string() },
    }
}

/// An error of an opening.
pub(super) fn of_open(doing: &'static str, error: OpenDbError) -> Fault {
    match error {
        OpenDbError::Base(error) => of_request(doing, error),
        OpenDbError::VersionZero | OpenDbError::UnsupportedEnvironment | OpenDbError::NullFactory => {
            Fault::Storage { doing, cause: error.to_string() }
        }
    }
}

/// An error that came out of a transaction: what the browser left in it says more than what its requests were told.
pub(super) fn of_transaction(doing: &'static str, transaction: &web_sys::IdbTransaction, error: Error) -> Fault {
    match transaction.error() {
        Some(exception) => of_exception(doing, &exception),
        None => of_request(doing, error),
    }
}

/// What a browser threw or left in a transaction's `error`.
pub(super) fn of_exception(doing: &'static str, exception: &web_sys::DomException) -> Fault {
    match exception.name().as_str() {
        "QuotaExceededError" => Fault::QuotaExceeded { doing },
        "TimeoutError" => Fault::Interrupted { doing },
        "InvalidStateError" => Fault::StoreClosed { why: exception.message() },
        _ => Fault::Storage { doing, cause: describe(exception.as_ref()) },
    }
}
