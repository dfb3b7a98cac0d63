//! Names and layout of the databases. The layout is fixed; what is inside the records has its own format numbers.

use indexed_db_futures::database::Database;
use indexed_db_futures::prelude::*;

/// Name of the catalogue database, and the prefix of every store's.
pub(super) const CATALOGUE: &str = "ebbtide";

/// Version of both layouts. It only changes when object stores come or go.
pub(super) const LAYOUT_VERSION: u32 = 1;

/// Object stores of a realm's database.
pub(super) const META: &str = "meta";
pub(super) const PAGES: &str = "pages";
pub(super) const LOG: &str = "log";
pub(super) const STAGING: &str = "staging";
pub(super) const SPACES: [&str; 4] = [META, PAGES, LOG, STAGING];

/// Object stores of the catalogue.
pub(super) const USERS: &str = "users";
pub(super) const REALMS: &str = "realms";
pub(super) const ACTIONS: &str = "actions";
pub(super) const BACKUPS: &str = "backups";
pub(super) const TABLES: [&str; 4] = [USERS, REALMS, ACTIONS, BACKUPS];

/// The store that a path gets when nothing else has been recorded for it.
pub(super) fn store_name(path: &str) -> String {
    format!("{CATALOGUE}:{path}")
}

/// Creates object stores in one go, so that an interrupted creation leaves none.
pub(super) fn create(database: &Database, names: &[&str]) -> indexed_db_futures::Result<()> {
    for name in names {
        database.create_object_store(*name).build()?;
    }
    Ok(())
}
