//! How uploads become history: checked, given the next version, applied to the state. Nothing is anybody's business
//! until the whole step is durable.

use ebbtide_core::changeset::Changeset;
use ebbtide_core::mutants::{Mutant, mutant};
use ebbtide_core::objects::KeySource;
use ebbtide_core::{
    ChainHash, ChangesetNumber, ClientId, EditTime, Millis, ObjectKey, Salt, ServerVersion, Snapshot, merge,
};

use super::realm::Realm;
use super::record::{Append, ClientRecord, HistoryEntry, Position};
use super::refusal::Refusal;
use crate::wire::{CHANGESET_BYTES_MAX, Code};

/// No clock draws an earlier time: zero is that of values that nobody has set.
const EDIT_TIME_MIN: EditTime = EditTime(1);
/// The year 6429. Who has seen an edit makes the next one later, so one at the end of time would be the last for all.
const EDIT_TIME_MAX: EditTime = EditTime(1 << 63);

/// By how much a client's clock may be ahead. Who is told the time when it binds, as all are, corrects what it has made
/// later than that before it uploads it.
const CLOCK_AHEAD_MS_MAX: u64 = 5 * 60 * 1_000;

/// Collects what goes into one transaction of the history.
#[derive(Debug)]
pub struct Integration<'realm> {
    realm: &'realm Realm,
    state: Snapshot,
    keys: KeySource<'static>,
    head: Position,
    append: Append,
    now: Millis,
}

/// What one transaction adds, and the realm's state after it.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it continues.
    pub from: Position,
    /// Where it leads.
    pub head: Position,
    /// What is to be made durable.
    pub append: Append,
    /// The state afterwards.
    pub state: Snapshot,
    /// The key that the next new row gets afterwards.
    pub next_key: ObjectKey,
}

/// A changeset that is in the history, or is once the step is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Its number.
    pub number: ChangesetNumber,
    /// The version of the last changeset of the client.
    pub version: ServerVersion,
}

impl<'realm> Integration<'realm> {
    /// Begins at the realm's head.
    pub fn new(realm: &'realm Realm, now: Millis) -> Integration<'realm> {
        Integration {
            realm,
            state: realm.state().clone(),
            keys: KeySource::new(realm.next_key(), Vec::new()),
            head: realm.record().head,
            append: Append::default(),
            now,
        }
    }

    /// Takes one uploaded changeset, or says why not; what was taken before stays.
    pub fn upload(&mut self, client: ClientId, bytes: Vec<u8>, salt: Salt) -> Result<Accepted, Refusal> {
        if bytes.len() > CHANGESET_BYTES_MAX {
            return Err(bad_changeset(format!("a changeset has at most {CHANGESET_BYTES_MAX} bytes")));
        }
        let changeset = Changeset::decode(&bytes).map_err(|error| bad_changeset(error.to_string()))?;
        if changeset.client != client {
            return Err(bad_changeset("a changeset names another client than the one that uploads it".to_string()));
        }
        let hash = Changeset::hash_of(&bytes);
        let Some(mut record) = self.client(client).cloned() else {
            return Err(Refusal::reset(Code::BAD_CLIENT_FILE_IDENT, "the server does not know this client any more"));
        };
        if changeset.number <= record.number {
            return check_duplicate(&record, &changeset, hash);
        }
        let continues = changeset.number.0 == record.number.0 + 1 && changeset.parent == record.hash;
        if !continues && !mutant(Mutant::ChainUnchecked) {
            return Err(broken_chain(&record, &changeset));
        }
        if changeset.base > self.head.version {
            return Err(bad_changeset(format!(
                "changeset {} was made on version {}, which this server does not have",
                changeset.number.0, changeset.base.0
            )));
        }
        if !(EDIT_TIME_MIN..EDIT_TIME_MAX).contains(&changeset.time) {
            return Err(bad_changeset(format!("changeset {} was made at an impossible time", changeset.number.0)));
        }
        let ahead_ms = changeset.time.millis().0.saturating_sub(self.now.0);
        if ahead_ms > CLOCK_AHEAD_MS_MAX {
            let reason =
                format!("changeset {} was made {} s ahead of the server's clock", changeset.number.0, ahead_ms / 1_000);
            return Err(Refusal::later(Code::TRY_AGAIN, reason, 0));
        }
        merge::check(self.state.schema(), &changeset).map_err(|violation| bad_changeset(violation.reason))?;
        self.push(&changeset, bytes, salt);
        record.number = changeset.number;
        record.hash = hash;
        record.integrated = self.head.version;
        record.seen_at = record.seen_at.max(self.now);
        self.append.clients.insert(client, record);
        Ok(Accepted { number: changeset.number, version: self.head.version })
    }

    /// Takes a changeset of the server itself.
    pub fn push_own(&mut self, changeset: &Changeset, salt: Salt) {
        self.push(changeset, changeset.encode(), salt);
    }

    /// Remembers a client.
    pub fn register(&mut self, client: ClientId, record: ClientRecord) {
        self.append.clients.insert(client, record);
    }

    /// Forgets a client.
    pub fn forget(&mut self, client: ClientId) {
        self.append.clients.remove(&client);
        self.append.forgotten.push(client);
    }

    /// Where the history stands with what was taken so far.
    pub fn head(&self) -> Position {
        self.head
    }

    /// The state with what was taken so far.
    pub fn state(&self) -> &Snapshot {
        &self.state
    }

    /// Bytes of changesets taken so far.
    pub fn bytes(&self) -> usize {
        self.append.bytes()
    }

    /// Everything that was taken.
    pub fn finish(self) -> Step {
        Step {
            from: self.realm.record().head,
            head: self.head,
            append: self.append,
            state: self.state,
            next_key: self.keys.next(),
        }
    }

    fn client(&self, client: ClientId) -> Option<&ClientRecord> {
        if self.append.forgotten.contains(&client) {
            return None;
        }
        self.append.clients.get(&client).or_else(|| self.realm.record().clients.get(&client))
    }

    fn push(&mut self, changeset: &Changeset, bytes: Vec<u8>, salt: Salt) {
        let at = Position { version: ServerVersion(self.head.version.0 + 1), salt };
        merge::apply(&mut self.state, changeset, at.version, &mut self.keys);
        self.head = at;
        self.append.entries.push(HistoryEntry {
            at,
            client: changeset.client,
            number: changeset.number,
            time: self.now,
            changeset: bytes,
        });
    }
}

/// What is in the history already is acknowledged once more. Only the last hash is kept: an older duplicate is proven
/// by the chain that the client itself continues from it.
fn check_duplicate(record: &ClientRecord, changeset: &Changeset, hash: ChainHash) -> Result<Accepted, Refusal> {
    if changeset.number == record.number && hash != record.hash {
        return Err(broken_chain(record, changeset));
    }
    Ok(Accepted { number: record.number, version: record.integrated })
}

fn broken_chain(record: &ClientRecord, changeset: &Changeset) -> Refusal {
    Refusal::reset(
        Code::BAD_CLIENT_VERSION,
        format!(
            "changeset {} does not continue changeset {}, the last that the server has of this client",
            changeset.number.0, record.number.0
        ),
    )
}

fn bad_changeset(reason: String) -> Refusal {
    Refusal::reset(Code::BAD_CHANGESET, reason)
}
