//! Opening: what the store holds against what the app wants.

use ebbtide_core::batch::{CorruptStore, Head, LoadedStore};
use ebbtide_core::objects::Synced;
use ebbtide_core::replica::Replica;
use ebbtide_core::schema::{self, SchemaDifference};
use ebbtide_core::{ClassSchema, ClientId, Millis, Schema};

use super::error::OpenError;
use super::flush::Disk;
use super::fresh::Staging;
use super::mark::FreshRecord;
use super::options::{Kind, OpenOptions, ResetMode};
use super::random::Draws;
use super::session::Session;
use super::state::State;

/// The primary key that syncing needs.
const SYNCED_KEY: &str = "_id";

/// The parts of an engine.
pub(super) fn open(
    now: Millis,
    options: OpenOptions,
    loaded: &LoadedStore,
) -> Result<(State, Option<Session>), OpenError> {
    check_options(&options)?;
    let mut draws = Draws::new(options.seed);
    let record = match &loaded.reset {
        Some(record) => FreshRecord::decode(record).map_err(OpenError::Corrupt)?,
        None => FreshRecord::default(),
    };
    let (replica, disk) = match &loaded.head {
        None if loaded.is_empty() => create(&options, &mut draws)?,
        None => return Err(OpenError::Corrupt(CorruptStore::Missing { record: "head record".to_string() })),
        Some(head) => load(&options, head, loaded)?,
    };
    let mut state = State::new(replica, disk, draws);
    let sync = match options.kind {
        Kind::Synced(sync) if !options.read_only => sync,
        Kind::Synced(_) | Kind::Local => return Ok((state, None)),
    };
    let staging = Staging::load(&record, loaded);
    let mut session = Session::new(sync, record, staging, &state);
    session.resume_reset(&mut state, now);
    Ok((state, Some(session)))
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
    let replica = Replica::new(&schema, version, ClientId(draws.bytes()), synced(&options.kind));
    let disk = Disk::create(&replica);
    Ok((replica, disk))
}

fn load(options: &OpenOptions, head: &[u8], loaded: &LoadedStore) -> Result<(Replica, Disk), OpenError> {
    let head = Head::decode(head).map_err(OpenError::Corrupt)?;
    let mut replica = Replica::load(loaded).map_err(OpenError::Corrupt)?;
    if replica.synced() != synced(&options.kind) && !options.read_only {
        let found = match replica.synced() {
            Synced::Yes => "a synced realm and was opened as a local one",
            Synced::No => "a local realm and was opened as a synced one",
        };
        return Err(OpenError::WrongKind { found: found.to_string() });
    }
    let log_bytes = loaded.log.iter().map(|(_, block)| block.len()).sum();
    let mut disk = Disk::open(head, log_bytes, &replica);
    if adopt_schema(options, &mut replica)? {
        disk.checkpoint();
    }
    Ok((replica, disk))
}

/// Gives the realm what the wanted schema has beyond the stored one. True if anything is to be written.
fn adopt_schema(options: &OpenOptions, replica: &mut Replica) -> Result<bool, OpenError> {
    let stored = replica.schema_version();
    let wanted = options.schema_version.unwrap_or(stored);
    if wanted < stored && replica.synced() == Synced::No {
        return Err(OpenError::SchemaVersionLower { stored, wanted });
    }
    let Some(schema) = &options.schema else { return Ok(false) };
    let difference = schema::compare(replica.base().schema(), schema);
    let problems = problems(&difference, replica.synced(), options.read_only, wanted > stored);
    if !problems.is_empty() {
        let heading = match (options.read_only, replica.synced()) {
            (true, _) => "The following changes cannot be made in read-only schema mode",
            (false, Synced::Yes) => "The following changes cannot be made in additive-only schema mode",
            (false, Synced::No) => "Migration is required due to the following errors",
        };
        return Err(OpenError::SchemaMismatch { heading, problems });
    }
    if options.read_only {
        return Ok(false);
    }
    let raised = wanted > stored;
    replica.set_schema_version(wanted.max(stored));
    Ok(replica.extend_schema(schema) || raised)
}

/// What keeps a stored schema from becoming the wanted one without a migration. A synced realm may leave out what the
/// store has; a local one may add and leave out properties only with a higher schema version.
fn problems(difference: &SchemaDifference, synced: Synced, read_only: bool, raised: bool) -> Vec<String> {
    let mut problems: Vec<String> = difference.conflicts.iter().map(ToString::to_string).collect();
    let local = synced == Synced::No;
    if read_only || (local && !raised) {
        for (class, property) in &difference.added_properties {
            problems.push(format!("Property '{class}.{}' has been added.", property.name));
        }
    }
    if read_only {
        problems.extend(difference.added_classes.iter().map(|class| format!("Class '{}' has been added.", class.name)));
    } else if local && !raised {
        let missing = difference.missing.iter();
        problems.extend(
            missing
                .filter(|missing| matches!(missing, schema::SchemaConflict::PropertyMissing { .. }))
                .map(ToString::to_string),
        );
    }
    problems
}

fn synced(kind: &Kind) -> Synced {
    match kind {
        Kind::Local => Synced::No,
        Kind::Synced(_) => Synced::Yes,
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_core::{LogPosition, RecordId};

    use super::*;

    fn check(left: LoadedStore, expected: Option<&str>) {
        let options =
            OpenOptions { schema: None, schema_version: None, read_only: false, kind: Kind::Local, seed: [0; 32] };
        let words = open(Millis(0), options, &left).err().map(|error| error.to_string());
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
