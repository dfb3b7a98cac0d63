//! Every failure that leaves this crate, and its shape in JavaScript: an `Error` with a `name`, a `message` and a documented
//! string `code`.

use wasm_bindgen::{JsCast, JsValue};

/// Result of everything in this crate that can fail.
pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// What failed. Each variant is one `code` in JavaScript.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) enum Fault {
    /// Another tab, window or worker of this origin has the realm, and that is in the way.
    RealmOpenElsewhere { path: String, why: Elsewhere },
    /// The realm is open in this page, and what was asked for needs it closed.
    RealmOpenHere { path: String },
    /// Records of the store contradict each other or themselves. Nothing was deleted.
    CorruptStore { path: String, what: String },
    /// The store was written by a newer version of this package. Nothing was deleted.
    FormatTooNew { path: String, what: String },
    /// The browser refused to store more.
    QuotaExceeded { doing: &'static str },
    /// A store that was there is gone: the browser has thrown it away.
    StoreLost { path: String, what: String },
    /// The connection to the database was closed under us.
    StoreClosed { why: String },
    /// The store has moved on since it was read: another writer, or an older state came back.
    StoreConflict { path: String },
    /// The browser ended a transaction that it had waited for too long: Chromium waits a minute for a page that is busy.
    Interrupted { doing: &'static str },
    /// Any other failure of IndexedDB.
    Storage { doing: &'static str, cause: String },
    /// An earlier commit could not be stored; the code says why.
    StoreFailed { code: &'static str, message: String },
    /// A backup's database exists already; it is never written over.
    BackupExists { path: String },
    /// No file action is recorded for the realm.
    NoFileAction { path: String },
    /// The realm exists on disk, and reading the disk takes an asynchronous open.
    NeedsAsyncOpen { path: String },
    /// A panic has left this instance in an unknown state.
    Poisoned,
    /// The realm was closed.
    RealmClosed,
    /// A write outside a write transaction.
    NotInTransaction,
    /// A write transaction inside another.
    InTransaction,
    /// A write to a realm that was opened read-only or is frozen.
    ReadOnly,
    /// An object with this primary key exists.
    DuplicateKey { message: String },
    /// The object is gone.
    ObjectInvalidated { message: String },
    /// A value does not fit its property.
    InvalidValue { message: String },
    /// An index outside a list.
    IndexOutOfRange { message: String },
    /// A size limit of the data is exceeded.
    LimitExceeded { message: String },
    /// A query that cannot be parsed or does not fit the schema.
    InvalidQuery { message: String, offset: usize },
    /// A schema that contradicts itself.
    InvalidSchema { message: String },
    /// The wanted schema and the stored one differ in a way that needs a migration.
    SchemaMismatch { message: String },
    /// The store is encrypted and the key is missing or wrong, or a key was given for one that is not.
    EncryptionKey { path: String, problem: KeyProblem },
    /// Something exists already where something new was to be written.
    Exists { path: String },
    /// The objects of a realm do not fit its schema after a migration.
    MigrationFailed { message: String },
    /// A configuration that this crate cannot read.
    InvalidConfig { message: String },
    /// The server refused the credentials.
    AuthFailed { message: String },
    /// The server could not be reached or answered nonsense.
    Network { message: String },
    /// The sync session stopped, so what was awaited will not happen.
    SessionStopped { message: String },
    /// What was awaited took longer than the caller allowed.
    TimedOut { message: String },
}

/// Why it is in the way that another tab has a realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// It has it open, and what was asked for needs it closed.
    InUse,
    /// It deletes it or replaces its store.
    Busy,
    /// It has it open, and without Web Locks a realm cannot be shared.
    NoLocks,
    /// It has it open, and without BroadcastChannel a realm cannot be shared.
    NoChannels,
}

impl Elsewhere {
    fn describe(self) -> &'static str {
        match self {
            Elsewhere::InUse => {
                "is open in another tab, window or worker of this origin. Close it there and try again."
            }
            Elsewhere::Busy => {
                "is being deleted, backed up or copied to by another tab, window or worker of this origin. Try again."
            }
            Elsewhere::NoLocks => {
                "is open in another tab, window or worker of this origin, and this browser cannot share it among them: it \
                 has no Web Locks, which browsers offer to secure pages only. Close it there and try again."
            }
            Elsewhere::NoChannels => {
                "is open in another tab, window or worker of this origin, and this browser cannot share it among them: it \
                 has no BroadcastChannel. Close it there and try again."
            }
        }
    }
}

/// What is wrong with an encryption key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyProblem {
    /// It is not the one that the realm was written with.
    Wrong,
    /// The realm has one, and none was given.
    Missing,
    /// The realm has none, and one was given.
    Unexpected,
}

impl KeyProblem {
    /// What is wrong between what is stored and what is given, which are known to differ.
    pub(crate) fn of<A, B>(stored: Option<A>, given: Option<B>) -> KeyProblem {
        match (stored, given) {
            (Some(_), None) => KeyProblem::Missing,
            (None, _) => KeyProblem::Unexpected,
            (Some(_), Some(_)) => KeyProblem::Wrong,
        }
    }

    fn describe(self) -> &'static str {
        match self {
            KeyProblem::Wrong => "the encryption key is not the one that the realm was written with",
            KeyProblem::Missing => "the realm is encrypted, and no encryption key was given",
            KeyProblem::Unexpected => "the realm is not encrypted, and an encryption key was given",
        }
    }
}

impl Fault {
    /// The `code` of the JavaScript error.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Fault::RealmOpenElsewhere { .. } => "RealmOpenElsewhere",
            Fault::RealmOpenHere { .. } => "RealmOpen",
            Fault::CorruptStore { .. } => "CorruptStore",
            Fault::FormatTooNew { .. } => "FormatTooNew",
            Fault::QuotaExceeded { .. } => "QuotaExceeded",
            Fault::StoreLost { .. } => "StoreLost",
            Fault::StoreClosed { .. } => "StoreClosed",
            Fault::StoreConflict { .. } => "StoreConflict",
            Fault::Interrupted { .. } | Fault::Storage { .. } => "StorageError",
            Fault::StoreFailed { code, .. } => code,
            Fault::BackupExists { .. } => "BackupExists",
            Fault::NoFileAction { .. } => "NoFileAction",
            Fault::NeedsAsyncOpen { .. } => "NeedsAsyncOpen",
            Fault::Poisoned => "InstancePoisoned",
            Fault::RealmClosed => "RealmClosed",
            Fault::NotInTransaction => "NotInTransaction",
            Fault::InTransaction => "InTransaction",
            Fault::ReadOnly => "ReadOnly",
            Fault::DuplicateKey { .. } => "DuplicateKey",
            Fault::ObjectInvalidated { .. } => "ObjectInvalidated",
            Fault::InvalidValue { .. } => "InvalidValue",
            Fault::IndexOutOfRange { .. } => "IndexOutOfRange",
            Fault::LimitExceeded { .. } => "LimitExceeded",
            Fault::InvalidQuery { .. } => "InvalidQuery",
            Fault::InvalidSchema { .. } => "InvalidSchema",
            Fault::SchemaMismatch { .. } => "SchemaMismatch",
            Fault::EncryptionKey { .. } => "EncryptionKey",
            Fault::Exists { .. } => "RealmExists",
            Fault::MigrationFailed { .. } => "MigrationFailed",
            Fault::InvalidConfig { .. } => "InvalidConfig",
            Fault::AuthFailed { .. } => "AuthFailed",
            Fault::Network { .. } => "Network",
            Fault::SessionStopped { .. } => "SessionStopped",
            Fault::TimedOut { .. } => "TimedOut",
        }
    }

    /// The `name` of the JavaScript error.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Fault::TimedOut { .. } => "TimeoutError",
            Fault::InvalidValue { .. } => "TypeError",
            Fault::IndexOutOfRange { .. } => "RangeError",
            Fault::CorruptStore { .. }
            | Fault::FormatTooNew { .. }
            | Fault::QuotaExceeded { .. }
            | Fault::StoreLost { .. }
            | Fault::StoreClosed { .. }
            | Fault::StoreConflict { .. }
            | Fault::Interrupted { .. }
            | Fault::Storage { .. }
            | Fault::StoreFailed { .. } => "StorageError",
            Fault::RealmOpenElsewhere { .. }
            | Fault::RealmOpenHere { .. }
            | Fault::BackupExists { .. }
            | Fault::NoFileAction { .. }
            | Fault::NeedsAsyncOpen { .. }
            | Fault::Poisoned
            | Fault::RealmClosed
            | Fault::NotInTransaction
            | Fault::InTransaction
            | Fault::ReadOnly
            | Fault::DuplicateKey { .. }
            | Fault::ObjectInvalidated { .. }
            | Fault::LimitExceeded { .. }
            | Fault::InvalidQuery { .. }
            | Fault::InvalidSchema { .. }
            | Fault::SchemaMismatch { .. }
            | Fault::EncryptionKey { .. }
            | Fault::Exists { .. }
            | Fault::MigrationFailed { .. }
            | Fault::InvalidConfig { .. }
            | Fault::AuthFailed { .. }
            | Fault::Network { .. }
            | Fault::SessionStopped { .. } => "Error",
        }
    }

    /// What, where, and what to do.
    pub(crate) fn message(&self) -> String {
        match self {
            Fault::RealmOpenElsewhere { path, why } => format!("The realm at '{path}' {}", why.describe()),
            Fault::RealmOpenHere { path } => {
                format!(
                    "Cannot delete or reset the realm at '{path}' while it is open; close every instance of it first."
                )
            }
            Fault::CorruptStore { path, what } => format!(
                "The store of the realm at '{path}' is damaged: {what}. Nothing was deleted; Realm.deleteFile removes it, and a \
                 synced realm can then be downloaded again."
            ),
            Fault::FormatTooNew { path, what } => format!(
                "The store of the realm at '{path}' was written by a newer version of Ebbtide ({what}). Reload the page to get it."
            ),
            Fault::QuotaExceeded { doing } => format!(
                "The browser has no storage left for this origin (while {doing}). What was stored before is intact."
            ),
            Fault::StoreLost { path, what } => format!(
                "The browser has lost the store of the realm at '{path}' ({what}). The realm starts empty; a synced one is \
                 downloaded again."
            ),
            Fault::StoreClosed { why } => format!("The connection to the realm's database was closed: {why}."),
            Fault::StoreConflict { path } => format!(
                "The store of the realm at '{path}' has changed since it was read. Close the realm and open it again."
            ),
            Fault::Interrupted { doing } => {
                format!(
                    "The browser ended a transaction while {doing}, time and again: this page is too busy to go on with it"
                )
            }
            Fault::Storage { doing, cause } => format!("IndexedDB failed while {doing}: {cause}"),
            Fault::EncryptionKey { path, problem } => {
                let what = problem.describe();
                format!("Failed to open Realm file at path '{path}': Realm file decryption failed ({what})")
            }
            Fault::Exists { path } => format!("File at path '{path}' already exists."),
            Fault::BackupExists { path } => format!("A backup exists at '{path}' already; it is not written over."),
            Fault::NoFileAction { path } => {
                format!("Realm was not configured correctly. Client Reset could not be run for Realm at: {path}")
            }
            Fault::NeedsAsyncOpen { path } => format!(
                "The realm at '{path}' is on disk, and reading the disk is asynchronous in a browser: use `await Realm.open(config)`."
            ),
            Fault::Poisoned => {
                "This instance of Ebbtide has failed earlier and is poisoned; reload the page. The stores are intact."
                    .to_owned()
            }
            Fault::RealmClosed => "Cannot access realm that has been closed.".to_owned(),
            Fault::NotInTransaction => "Cannot modify managed objects outside of a write transaction.".to_owned(),
            Fault::InTransaction => "The Realm is already in a write transaction".to_owned(),
            Fault::ReadOnly => "Can't perform transactions on read-only Realms.".to_owned(),
            Fault::DuplicateKey { message }
            | Fault::ObjectInvalidated { message }
            | Fault::InvalidValue { message }
            | Fault::IndexOutOfRange { message }
            | Fault::LimitExceeded { message }
            | Fault::InvalidQuery { message, .. }
            | Fault::StoreFailed { message, .. }
            | Fault::InvalidSchema { message }
            | Fault::SchemaMismatch { message }
            | Fault::MigrationFailed { message }
            | Fault::InvalidConfig { message }
            | Fault::AuthFailed { message }
            | Fault::Network { message }
            | Fault::SessionStopped { message }
            | Fault::TimedOut { message } => message.clone(),
        }
    }

    /// The JavaScript error.
    pub(crate) fn to_js(&self) -> JsValue {
        let error = error_object(self.name(), &self.message(), self.code());
        if let Fault::InvalidQuery { offset, .. } = self {
            set(&error, "position", &(*offset as f64).into());
        }
        error
    }
}

impl From<Fault> for JsValue {
    fn from(fault: Fault) -> JsValue {
        fault.to_js()
    }
}

/// An `Error` with the three properties that every error of this package has.
pub(crate) fn error_object(name: &str, message: &str, code: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    error.set_name(name);
    set(&error, "code", &JsValue::from_str(code));
    error.into()
}

/// Sets a property of an object that this crate made.
pub(crate) fn set(object: &JsValue, key: &str, value: &JsValue) {
    let done = js_sys::Reflect::set(object, &JsValue::from_str(key), value);
    debug_assert!(done.is_ok(), "invariant: own plain objects accept properties");
}

/// The text of a value that JavaScript threw.
pub(crate) fn describe(thrown: &JsValue) -> String {
    if let Some(error) = thrown.dyn_ref::<js_sys::Error>() {
        return format!("{}: {}", String::from(error.name()), String::from(error.message()));
    }
    if let Some(error) = thrown.dyn_ref::<web_sys::DomException>() {
        return format!("{}: {}", error.name(), error.message());
    }
    thrown.as_string().unwrap_or_else(|| format!("{thrown:?}"))
}
