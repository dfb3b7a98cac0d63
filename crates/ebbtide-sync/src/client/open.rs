//! Opening: what the store holds against what the app wants.

use ebbtide_core::batch::{CorruptStore, Head, LoadedStore};
use ebbtide_core::migration::reasons;
use ebbtide_core::objects::Synced;
use ebbtide_core::replica::Replica;
use ebbtide_core::schema::{self, SchemaDifference};
use ebbtide_core::{ClassSchema, ClientId, Millis, Schema, Transaction};

use super::error::OpenError;
use super::flush::{Disk, Replaced};
use super::fresh::Staging;
use super::image::Image;
use super::mark::FreshRecord;
use super::migration::{Failing, Migrating};
use super::options::{Kind, Migration, OpenOptions, ResetMode, Role};
use super::random::Draws;
use super::session::Session;
use super::state::State;

/// The primary key that syncing needs.
const SYNCED_KEY: &str = "_id";

/// The parts of an engine.
pub(super) struct Opened {
    pub(super) state: State,
    pub(super) session: Option<Session>,
    pub(super) migration: Option<(Transaction, Migrating)>,
}

/// Opens what a store holds.
pub(super) fn open(now: Millis, options: OpenOptions, loaded: LoadedStore) -> Result<Opened, OpenError> {
    check_options(&options)?;
    let mut draws = Draws::new(options.seed);
    let record = match &loaded.reset {
        Some(record) => FreshRecord::decode(record).map_err(OpenError::Corrupt)?,
        None => FreshRecord::default(),
    };
    let staging = Staging::load(&record, &loaded);
    let (replica, disk) = match &loaded.head {
        None if loaded.is_empty() => {
            let (replica, disk) = create(&options, &mut draws)?;
            let state = State::new(replica, disk, draws, options.role);
            return Ok(opened(now, options, state, (record, staging), None));
        }
        None => return Err(OpenError::Corrupt(CorruptStore::Missing { record: "head record".to_string() })),
        Some(head) => {
            let head = Head::decode(head).map_err(OpenError::Corrupt)?;
            load(head, loaded, options.lane)?
        }
    };
    let state = State::new(replica, disk, draws, options.role);
    adopted(now, options, state, (record, staging))
}

/// Opens what a closed engine has left in memory.
pub(super) fn reopen(now: Millis, options: OpenOptions, image: Image) -> Result<Opened, OpenError> {
    check_options(&options)?;
    let draws = Draws::new(options.seed);
    let disk = Disk::open(image.head, image.log_bytes, &image.replica);
    let state = State::new(image.replica.in_lane(options.lane), disk, draws, options.role);
    adopted(now, options, state, (FreshRecord::default(), Staging::default()))
}

/// Opens a copy of another realm that has no store yet.
pub(super) fn begin_as(now: Millis, options: OpenOptions, copy: Replica) -> Result<Opened, OpenError> {
    check_options(&options)?;
    let draws = Draws::new(options.seed);
    let disk = Disk::create(&copy);
    let state = State::new(copy.in_lane(options.lane), disk, draws, options.role);
    adopted(now, options, state, (FreshRecord::default(), Staging::default()))
}

/// Brings what is open and what is wanted next together.
pub(super) fn readopt(
    now: Millis,
    options: &OpenOptions,
    state: &mut State,
) -> Result<Option<(Transaction, Migrating)>, OpenError> {
    check_options(options)?;
    check_kind(options, state.replica.synced())?;
    adopt_schema(now, options, state)
}

/// Brings what is there and what is wanted together.
fn adopted(
    now: Millis,
    options: OpenOptions,
    mut state: State,
    fresh: (FreshRecord, Staging),
) -> Result<Opened, OpenError> {
    check_kind(&options, state.replica.synced())?;
    let migration = adopt_schema(now, &options, &mut state)?;
    Ok(opened(now, options, state, fresh, migration))
}

fn opened(
    now: Millis,
    options: OpenOptions,
    mut state: State,
    (record, staging): (FreshRecord, Staging),
    migration: Option<(Transaction, Migrating)>,
) -> Opened {
    let sync = match options.kind {
        Kind::Synced(sync) if !options.read_only => sync,
        Kind::Synced(_) | Kind::Local => return Opened { state, session: None, migration },
    };
    let mut session = Session::new(sync, &state);
    if state.role == Role::Leads {
        session.lead(&mut state, now, record, staging);
    }
    Opened { state, session: Some(session), migration }
}

fn check_options(options: &OpenOptions) -> Result<(), OpenError> {
    if let Some(wanted) = &options.schema {
        schema::validate(wanted).map_err(OpenError::Schema)?;
    }
    let Kind::Synced(sync) = &options.kind else { return Ok(()) };
    match sync.reset_mode {
        ResetMode::Manual | ResetMode::DiscardUnsyncedChanges => {}
        mode @ (ResetMode::RecoverUnsyncedChanges | ResetMode::RecoverOrDiscardUnsyncedChanges) => {
            return Err(OpenError::ModeNotAvailable { mode: mode.name() });
        }
    }
    check_synced_schema(options.schema.as_ref())
}

/// Objects of a synced realm are found by `_id`, embedded ones by their owners.
pub(super) fn check_synced_schema(schema: Option<&Schema>) -> Result<(), OpenError> {
    let classes = schema.map_or(&[][..], |schema| &schema.classes);
    let has_key = |class: &ClassSchema| class.primary_key_property().is_some_and(|key| key.name == SYNCED_KEY);
    match classes.iter().find(|class| !class.is_embedded() && !has_key(class)) {
        None => Ok(()),
        Some(class) => Err(OpenError::PrimaryKeyMissing { class: class.name.clone() }),
    }
}

fn create(options: &OpenOptions, draws: &mut Draws) -> Result<(Replica, Disk), OpenError> {
    if options.read_only {
        return Err(OpenError::Missing);
    }
    let schema = options.schema.clone().unwrap_or_default();
    let version = options.schema_version.unwrap_or(0);
    let replica = Replica::new(&schema, version, ClientId(draws.bytes()), synced(&options.kind)).in_lane(options.lane);
    let disk = Disk::create(&replica);
    Ok((replica, disk))
}

fn load(head: Head, loaded: LoadedStore, lane: u64) -> Result<(Replica, Disk), OpenError> {
    let log_bytes = loaded.log.iter().map(|(_, block)| block.len()).sum();
    let replica = Replica::load_in_lane(loaded, lane).map_err(OpenError::Corrupt)?;
    let disk = Disk::open(head, log_bytes, &replica);
    Ok((replica, disk))
}

fn check_kind(options: &OpenOptions, stored: Synced) -> Result<(), OpenError> {
    if stored == synced(&options.kind) || options.read_only {
        return Ok(());
    }
    let found = match stored {
        Synced::Yes => "a synced realm and was opened as a local one",
        Synced::No => "a local realm and was opened as a synced one",
    };
    Err(OpenError::WrongKind { found: found.to_string() })
}

/// Gives the realm the wanted schema, or begins the migration in which the app does.
fn adopt_schema(
    now: Millis,
    options: &OpenOptions,
    state: &mut State,
) -> Result<Option<(Transaction, Migrating)>, OpenError> {
    let stored = state.replica.schema_version();
    let Some(schema) = &options.schema else { return Ok(None) };
    let wanted = options.schema_version.unwrap_or(stored);
    match (state.replica.synced(), options.read_only) {
        (synced, true) => {
            if synced == Synced::No && wanted != stored {
                return Err(OpenError::SchemaVersionDiffers { stored, wanted });
            }
            check_read_only(&schema::compare(state.replica.base().schema(), schema))?;
            Ok(None)
        }
        (Synced::Yes, false) => {
            check_additive(&schema::compare(state.replica.base().schema(), schema))?;
            state.replica.set_schema_version(wanted.max(stored));
            if state.replica.extend_schema(schema) || wanted > stored {
                state.disk.checkpoint();
            }
            Ok(None)
        }
        (Synced::No, false) => migrate(now, (schema, wanted), options, state),
    }
}

fn migrate(
    now: Millis,
    (schema, version): (&Schema, u64),
    options: &OpenOptions,
    state: &mut State,
) -> Result<Option<(Transaction, Migrating)>, OpenError> {
    let stored = state.replica.schema_version();
    let problems = reasons(state.replica.base().schema(), schema);
    if options.migration == Migration::StartOver && (version != stored || !problems.is_empty()) {
        let client = ClientId(state.draws.bytes());
        state.replica = state.replica.start_over(schema, version, client);
        state.disk.replace(Replaced::Migration);
        return Ok(None);
    }
    if version < stored {
        return Err(OpenError::SchemaVersionLower { stored, wanted: version });
    }
    if version == stored && !problems.is_empty() {
        let heading = "Migration is required due to the following errors";
        return Err(OpenError::SchemaMismatch { heading, problems });
    }
    let mut transaction = state.replica.begin_migration(now, schema);
    let migrating =
        Migrating { version, wanted: schema.clone(), constraints: options.constraints, failing: Failing::Closes };
    if version > stored && options.migration == Migration::Callback {
        return Ok(Some((transaction, migrating)));
    }
    if version == stored && transaction.snapshot().schema() == state.replica.base().schema() {
        return Ok(None);
    }
    migrating.complete(&mut transaction).map_err(|message| OpenError::MigrationFailed { message })?;
    state.replica.migrate(transaction, version).expect("a transaction without writes exceeds no limit");
    state.disk.replace(Replaced::Migration);
    Ok(None)
}

/// A synced realm may leave out what the store has.
fn check_additive(difference: &SchemaDifference) -> Result<(), OpenError> {
    let problems: Vec<String> = difference.conflicts.iter().map(ToString::to_string).collect();
    refuse("The following changes cannot be made in additive-only schema mode", problems)
}

/// Who only reads may look at a part.
fn check_read_only(difference: &SchemaDifference) -> Result<(), OpenError> {
    let mut problems: Vec<String> = difference.conflicts.iter().map(ToString::to_string).collect();
    let properties = difference.added_properties.iter();
    problems
        .extend(properties.map(|(class, property)| format!("Property '{class}.{}' has been added.", property.name)));
    problems.extend(difference.added_classes.iter().map(|class| format!("Class '{}' has been added.", class.name)));
    refuse("The following changes cannot be made in read-only schema mode", problems)
}

fn refuse(heading: &'static str, problems: Vec<String>) -> Result<(), OpenError> {
    if problems.is_empty() { Ok(()) } else { Err(OpenError::SchemaMismatch { heading, problems }) }
}

fn synced(kind: &Kind) -> Synced {
    match kind {
        Kind::Local => Synced::No,
        Kind::Synced(_) => Synced::Yes,
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_core::objects::Constraints;
    use ebbtide_core::{LogPosition, RecordId};

    use super::*;

    fn check(left: LoadedStore, expected: Option<&str>) {
        let options = OpenOptions {
            schema: None,
            schema_version: None,
            migration: Migration::Automatic,
            constraints: Constraints::Refuse,
            read_only: false,
            kind: Kind::Local,
            lane: 0,
            role: Role::Leads,
            seed: [0; 32],
        };
        let words = open(Millis(0), options, left.clone()).err().map(|error| error.to_string());
        assert_eq!(words.as_deref(), expected, "{left:?}");
    }

    #[test]
    fn a_store_that_has_lost_its_head_is_never_begun_anew() {
        let lost = Some("The store cannot be read: The head record of the store is missing.");
        check(LoadedStore { root: Some(vec![1]), ..LoadedStore::default() }, lost);
        check(LoadedStore { pages: vec![(RecordId(1), vec![1])], ..LoadedStore::default() }, lost);
        check(LoadedStore { log: vec![(LogPosition(1), vec![1])], ..LoadedStore::default() }, lost);
        check(LoadedStore { staging: vec![(0, vec![1])], ..LoadedStore::default() }, lost);
        check(LoadedStore::default(), None);
    }
}
