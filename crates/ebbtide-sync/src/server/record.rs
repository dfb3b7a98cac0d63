//! What a server keeps about a realm, as values.

use std::collections::BTreeMap;

use ebbtide_core::{ChainHash, ChangesetNumber, ClientId, Epoch, Millis, Salt, ServerVersion};

use crate::wire::{Cursor, UploadCursor};

/// A place in a history and the salt drawn for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Position {
    /// The version.
    pub version: ServerVersion,
    /// Its salt; zero for version zero.
    pub salt: Salt,
}

/// What is stored about a realm as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RealmRecord {
    /// The continuous history that the versions count in.
    pub epoch: Epoch,
    /// The last entry.
    pub head: Position,
    /// The last entry that is no longer kept; everything after it is.
    pub floor: Position,
    /// Everybody who ever bound and was not forgotten.
    pub clients: BTreeMap<ClientId, ClientRecord>,
}

/// What is stored about one client of one realm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientRecord {
    /// The user the client belongs to.
    pub user: String,
    /// The last changeset of it in the history; zero for none.
    pub number: ChangesetNumber,
    /// That changeset's hash.
    pub hash: ChainHash,
    /// The version that changeset became.
    pub integrated: ServerVersion,
    /// The last version it said it has.
    pub seen: ServerVersion,
    /// When it was last heard of.
    pub seen_at: Millis,
}

/// One entry of a history, as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryEntry {
    /// Where it stands.
    pub at: Position,
    /// Its author; the nil id for the server.
    pub client: ClientId,
    /// Its number among its author's.
    pub number: ChangesetNumber,
    /// When the server took it.
    pub time: Millis,
    /// The encoded changeset.
    pub changeset: Vec<u8>,
}

/// What one transaction adds to a realm: entries that continue its head, and what changed about clients.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Append {
    /// Entries in order, the first at head + 1.
    pub entries: Vec<HistoryEntry>,
    /// Clients as they are afterwards.
    pub clients: BTreeMap<ClientId, ClientRecord>,
    /// Clients to forget.
    pub forgotten: Vec<ClientId>,
}

impl Append {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.clients.is_empty() && self.forgotten.is_empty()
    }

    /// Bytes of the changesets.
    pub fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.changeset.len()).sum()
    }
}

impl Position {
    /// The place in a history of this epoch.
    pub fn cursor(self, epoch: Epoch) -> Cursor {
        Cursor { epoch, version: self.version, salt: self.salt }
    }
}

impl ClientRecord {
    /// A client that has uploaded nothing.
    pub fn new(user: &str, seen: ServerVersion, seen_at: Millis) -> ClientRecord {
        ClientRecord {
            user: user.to_string(),
            number: ChangesetNumber(0),
            hash: ChainHash::default(),
            integrated: ServerVersion(0),
            seen,
            seen_at,
        }
    }

    /// Its last changeset in the history.
    pub fn last(&self) -> Option<UploadCursor> {
        (self.number.0 > 0).then_some(UploadCursor { number: self.number, hash: self.hash })
    }
}
