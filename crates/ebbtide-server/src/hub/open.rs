//! How a realm comes out of storage, and how its first state goes in.

use std::collections::BTreeMap;

use ebbtide_core::{Epoch, Salt, ServerVersion, Snapshot, page};
use ebbtide_sync::server::{HistoryEntry, Position, Realm, RealmRecord};
use ebbtide_sync::wire::CHUNK_BYTES_MAX;

use crate::edge;
use crate::limits::RECENT_BYTES_MAX;
use crate::storage::{Image, Storage, StorageError};

/// A realm as it came out of storage.
pub struct Loaded {
    /// Its state, at its head.
    pub realm: Realm,
    /// The newest entries.
    pub recent: Vec<HistoryEntry>,
    /// Entries and bytes since the image.
    pub since_image: SinceImage,
}

/// How much history lies after the last image.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SinceImage {
    /// Entries.
    pub entries: u64,
    /// Bytes of changesets.
    pub bytes: usize,
}

/// A state as it is kept and sent.
pub fn image_of(state: &Snapshot, version: ServerVersion) -> Image {
    Image { version, chunks: page::export(state, CHUNK_BYTES_MAX) }
}

/// Loads a realm: the image, and the history after it, replayed. `None` if there is none of that name.
pub fn load_realm(storage: &dyn Storage, name: &str) -> Result<Option<Loaded>, StorageError> {
    let Some(record) = storage.open(name)? else { return Ok(None) };
    let damaged = |what: String| StorageError::Corrupt(format!("realm '{name}' cannot be loaded: {what}"));
    let image = storage.load_image(name)?.ok_or_else(|| damaged("it has no image".to_string()))?;
    let state = page::import(image.chunks.iter().map(Vec::as_slice)).map_err(|error| damaged(error.to_string()))?;
    let mut realm = Realm::new(record, state);
    let mut at = image.version;
    let mut recent = Vec::new();
    let mut since_image = SinceImage::default();
    loop {
        let entries = storage.read_after(name, at, RECENT_BYTES_MAX)?;
        if entries.is_empty() {
            break;
        }
        if entries[0].at.version.0 != at.0 + 1 {
            return Err(damaged(format!("its history has a gap after version {}", at.0)));
        }
        since_image.entries += entries.len() as u64;
        since_image.bytes += entries.iter().map(|entry| entry.changeset.len()).sum::<usize>();
        realm.replay(&entries).map_err(|error| damaged(error.to_string()))?;
        at = entries.last().map_or(at, |last| last.at.version);
        recent = entries;
    }
    let head = realm.record().head.version;
    if at != head {
        let head = head.0;
        return Err(damaged(format!("its history ends at {} and its head is {head}", at.0)));
    }
    Ok(Some(Loaded { realm, recent, since_image }))
}

/// Makes a realm with nothing in it.
pub fn blank_realm(storage: &dyn Storage, name: &str) -> Result<Loaded, StorageError> {
    let start = Position { version: ServerVersion(0), salt: Salt(0) };
    let record =
        RealmRecord { epoch: Epoch(edge::random_bytes()), head: start, floor: start, clients: BTreeMap::new() };
    let state = Snapshot::default();
    storage.begin(name, &record, &image_of(&state, start.version))?;
    Ok(Loaded { realm: Realm::new(record, state), recent: Vec::new(), since_image: SinceImage::default() })
}
