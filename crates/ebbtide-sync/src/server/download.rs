//! What of a history goes to whom.

use ebbtide_core::ClientId;

use super::record::HistoryEntry;
use crate::wire::{Entry, EntryBody};

/// The entry as one client gets it: its own as a stub, all others whole.
pub fn entry_for(client: ClientId, entry: &HistoryEntry) -> Entry {
    let body =
        if entry.client == client { EntryBody::Own(entry.number) } else { EntryBody::Full(entry.changeset.clone()) };
    Entry { version: entry.at.version, salt: entry.at.salt, body }
}
