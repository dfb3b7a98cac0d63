//! Changes of a local realm's schema that the app has a say in: migrations, and the addition and deletion of classes.
//!
//! ```text
//! open --Callback, higher version--> migrating --finish--> open, one checkpoint to be written
//!                                        |
//!                                        +-----abort----> closing, nothing written
//!                                        +-----abort----> open as before, if it was open before (`readopt`)
//! ```
//! In between the engine has a transaction on the reshaped state, and the replica is as it was.

use ebbtide_core::objects::{Constraints, Synced};
use ebbtide_core::{Millis, Schema, Snapshot, Transaction};

use super::engine::Engine;
use super::error::{EngineError, OpenError};
use super::event::Event;
use super::flush::Replaced;
use super::open;
use super::options::OpenOptions;

/// A migration under way.
#[derive(Clone, Debug)]
pub(super) struct Migrating {
    /// The schema's version afterwards.
    pub(super) version: u64,
    /// The schema that the app wants.
    pub(super) wanted: Schema,
    pub(super) constraints: Constraints,
    pub(super) failing: Failing,
}

/// What becomes of the engine when a migration fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failing {
    /// It was opened for the migration and closes.
    Closes,
    /// It was open before, may have something left to store, and stays as it was.
    Stays,
}

impl Migrating {
    /// What is left to do when the app has had its say, and whether the outcome may stand.
    pub(super) fn complete(&self, transaction: &mut Transaction) -> Result<(), String> {
        transaction.embed_classes(&self.wanted, self.constraints)?;
        match transaction.duplicate_key() {
            None => Ok(()),
            Some((class, property)) => {
                Err(format!("Primary key property '{class}.{property}' has duplicate values after migration."))
            }
        }
    }
}

impl Engine {
    /// The state before the migration under way and its schema version, if there is one.
    pub fn migrating_from(&self) -> Option<(Snapshot, u64)> {
        self.migrating.as_ref()?;
        Some((self.state.replica.current().clone(), self.state.replica.schema_version()))
    }

    /// Opens anew, for somebody else, what was not closed yet: as if it had been closed and opened with these options. On
    /// an error nothing has changed.
    pub fn readopt(&mut self, now: Millis, options: &OpenOptions) -> Result<(), OpenError> {
        let migration = open::readopt(now, options, &mut self.state)?;
        (self.transaction, self.migrating) = migration.unzip();
        if let Some(migrating) = &mut self.migrating {
            migrating.failing = Failing::Stays;
        }
        self.state.version += 1;
        Ok(())
    }

    /// Ends the migration. On an error nothing has changed, and an engine that was opened for it closes.
    pub fn finish_migration(&mut self, now: Millis) -> Result<(), EngineError> {
        let (Some(migrating), Some(mut transaction)) = (self.migrating.take(), self.transaction.take()) else {
            return Err(EngineError::NotInTransaction);
        };
        if let Err(message) = migrating.complete(&mut transaction) {
            self.migration_failed(now, migrating.failing);
            return Err(EngineError::MigrationFailed { message });
        }
        if let Err(error) = self.state.replica.migrate(transaction, migrating.version) {
            self.migration_failed(now, migrating.failing);
            return Err(EngineError::Write(error));
        }
        self.state.version += 1;
        self.state.disk.replace(Replaced::Migration);
        self.catch_up(now);
        Ok(())
    }

    /// Drops the migration, if it has not failed already: the store stays as it was, and an engine that was opened for it
    /// closes.
    pub fn abort_migration(&mut self, now: Millis) {
        let Some(migrating) = self.migrating.take() else { return };
        self.transaction = None;
        self.migration_failed(now, migrating.failing);
    }

    fn migration_failed(&mut self, now: Millis, failing: Failing) {
        match failing {
            Failing::Closes => self.handle(now, Event::Close),
            Failing::Stays => {
                self.raised = 0;
                self.state.version += 1;
                self.catch_up(now);
            }
        }
    }

    /// Deletes a class with its objects, inside a transaction, which also raises the schema version. Inside a migration
    /// the version stays, and a class of the wanted schema only loses its objects.
    pub fn delete_class(&mut self, name: &str) -> Result<(), EngineError> {
        if self.state.replica.synced() == Synced::Yes {
            return Err(EngineError::Synced);
        }
        let class = self.current().schema().class_index(name);
        let is_wanted = self.migrating.as_ref().map(|migrating| migrating.wanted.class_index(name).is_some());
        let transaction = self.transaction()?;
        if let Some(class) = class {
            let outcome = match is_wanted {
                Some(true) => transaction.delete_all(class),
                Some(false) | None => transaction.delete_class(class),
            };
            outcome.map_err(EngineError::Write)?;
        }
        if is_wanted.is_none() {
            self.raised += 1;
        }
        Ok(())
    }

    /// Adds classes and properties that the schema has and the realm lacks, inside a transaction, which also raises the
    /// schema version.
    pub fn extend_schema(&mut self, wanted: &Schema) -> Result<(), EngineError> {
        if self.state.replica.synced() == Synced::Yes {
            return Err(EngineError::Synced);
        }
        self.check_not_migrating()?;
        self.check_extension(wanted)?;
        self.transaction()?.extend_schema(wanted);
        self.raised += 1;
        Ok(())
    }

    pub(super) fn check_not_migrating(&self) -> Result<(), EngineError> {
        if self.migrating.is_some() { Err(EngineError::InMigration) } else { Ok(()) }
    }
}
