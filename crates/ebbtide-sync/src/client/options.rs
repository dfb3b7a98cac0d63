//! How a realm is opened.

use ebbtide_core::Schema;
use ebbtide_core::objects::Constraints;

/// How a realm is opened.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenOptions {
    /// The wanted schema; `None` takes the one on disk.
    pub schema: Option<Schema>,
    /// Its version, for local realms; `None` takes the one on disk, or 0.
    pub schema_version: Option<u64>,
    /// What becomes of a local realm whose schema or its version is another than the wanted one.
    pub migration: Migration,
    /// What becomes of objects that a migration cannot embed as they are.
    pub constraints: Constraints,
    /// Whether writes are refused.
    pub read_only: bool,
    /// Whether it syncs.
    pub kind: Kind,
    /// What the engine is to others on the same store, to begin with.
    pub role: Role,
    /// Among several engines on one store, which keys of objects are this one's: below [`LANES_MAX`], and never used
    /// before by another engine that may still be there. Zero for one that is alone.
    ///
    /// [`LANES_MAX`]: ebbtide_core::limits::LANES_MAX
    pub lane: u64,
    /// Random bytes: identities and jitter are drawn from them. Never the same twice.
    pub seed: [u8; 32],
}

/// What becomes of a local realm whose schema or its version is another than the wanted one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Migration {
    /// A higher version has it migrated; anything else that takes a migration is refused.
    #[default]
    Automatic,
    /// The same, and at a higher version the app has a say: the engine opens inside the migration.
    Callback,
    /// It begins anew, without objects.
    StartOver,
}

/// What an engine is to others on the same store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It speaks to the server, and writes checkpoints.
    Leads,
    /// It does neither.
    Follows,
}

/// Whether a realm syncs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It stays on this device.
    Local,
    /// It syncs with a realm on a server.
    Synced(SyncOptions),
}

/// What a realm syncs with, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncOptions {
    /// The realm's name on the server.
    pub realm: String,
    /// What happens when its history cannot be continued.
    pub reset_mode: ResetMode,
}

/// What happens to unsynced changes in a client reset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ResetMode {
    /// The app decides: the store becomes a backup.
    Manual,
    /// They are dropped, in place.
    DiscardUnsyncedChanges,
    /// They are applied to the fresh state, in place.
    RecoverUnsyncedChanges,
    /// They are applied if that is possible, otherwise dropped.
    RecoverOrDiscardUnsyncedChanges,
}

impl ResetMode {
    /// The mode's name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            ResetMode::Manual => "manual",
            ResetMode::DiscardUnsyncedChanges => "discardUnsyncedChanges",
            ResetMode::RecoverUnsyncedChanges => "recoverUnsyncedChanges",
            ResetMode::RecoverOrDiscardUnsyncedChanges => "recoverOrDiscardUnsyncedChanges",
        }
    }
}
