//! What a reset does.

use std::collections::VecDeque;

use super::transfer::transfer;
use crate::clock::EditTime;
use crate::ids::ObjectKey;
use crate::mutants::{Mutant, mutant};
use crate::notify::{Compare, diff};
use crate::objects::{KeySource, Snapshot};
use crate::replica::{Cursor, Identity, Pending, Replica, replay};
use crate::schema::{Schema, SchemaConflict, compare};

/// What becomes of our changesets that the server has not confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takeover {
    /// They stay and are replayed on the fresh state: a first download, before anything was sent.
    KeepPending,
    /// They are dropped: `discardUnsyncedChanges`.
    DiscardPending,
}

/// The outcome of a reset, to be installed by [`Replica::install`].
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server's state, in our rows.
    pub base: Snapshot,
    /// Our changesets that live on.
    pub pending: VecDeque<Pending>,
    /// What the app sees.
    pub current: Snapshot,
    /// Who we are from now on.
    pub identity: Identity,
    /// Where the base stands.
    pub cursor: Cursor,
    /// The first key that nobody has.
    pub next_key: ObjectKey,
    /// The latest edit time in the fresh state.
    pub latest: EditTime,
    /// What was kept and dropped.
    pub report: Report,
}

/// What a reset changed, for the app and the log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// How many of our changesets were dropped.
    pub discarded_changesets: usize,
    /// How many live on.
    pub kept_changesets: usize,
    /// What changed, by class; classes without change are left out.
    pub classes: Vec<ClassReport>,
}

/// What a reset changed in one class, in numbers of objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClassReport {
    /// The class.
    pub class: String,
    /// Objects that came.
    pub inserted: usize,
    /// Objects that went.
    pub deleted: usize,
    /// Objects that differ.
    pub modified: usize,
}

/// Checks that a fresh state can replace ours: it has all our classes and properties, of the same types. What it has
/// beyond is fine.
pub fn check_schema(ours: &Schema, fresh: &Schema) -> Result<(), Vec<SchemaConflict>> {
    let difference = compare(ours, fresh);
    let mut conflicts = difference.conflicts;
    conflicts.extend(difference.missing);
    if conflicts.is_empty() { Ok(()) } else { Err(conflicts) }
}

/// Plans the takeover of a fresh state. For a reset its schema was checked by [`check_schema`]; for a first download,
/// which replaces an empty base, it may lack what is ours.
pub fn plan(replica: &Replica, fresh: &Snapshot, cursor: Cursor, identity: Identity, takeover: Takeover) -> Plan {
    let before = replica.current();
    let mut keys = KeySource::new(replica.next_key(), vec![before]);
    // Not from what the app sees: where the schema has grown since the server's state was asked for, that may have values of
    // ours which the server's state has no place for.
    let (mut base, latest) = transfer(replica.base(), fresh, &mut keys);
    base.author(identity.client);
    let pending: VecDeque<Pending> = match takeover {
        Takeover::KeepPending => replica.pending().cloned().collect(),
        Takeover::DiscardPending => VecDeque::new(),
    };
    let current = replay(&base, pending.iter().map(|own| &own.changeset), &mut keys);
    let report = report(replica, before, &current, pending.len());
    Plan { base, pending, current, identity, cursor, next_key: keys.next(), latest, report }
}

fn report(replica: &Replica, before: &Snapshot, after: &Snapshot, kept: usize) -> Report {
    let difference = diff(before, after, Compare::Values);
    let classes = difference.tables().filter(|(_, table)| !table.is_empty()).map(|(class, table)| ClassReport {
        class: after.schema().class(class).name.clone(),
        inserted: table.inserted.len(),
        deleted: table.deleted.len(),
        modified: table.modified.len(),
    });
    let discarded_changesets = if mutant(Mutant::ReportEmpty) { 0 } else { replica.pending().len() - kept };
    Report { discarded_changesets, kept_changesets: kept, classes: classes.collect() }
}
