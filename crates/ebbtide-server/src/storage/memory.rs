//! The memory double: what a store promises, in the fewest words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use ebbtide_core::{Millis, ServerVersion};

use super::{Image, Storage, StorageError};
use ebbtide_sync::server::{Append, HistoryEntry, Position, RealmRecord};

/// A store that forgets everything when it is dropped.
#[derive(Default)]
pub struct MemoryStorage {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    realms: BTreeMap<String, Realm>,
    users: BTreeSet<(String, String)>,
}

struct Realm {
    record: RealmRecord,
    entries: BTreeMap<ServerVersion, HistoryEntry>,
    image: Image,
}

impl MemoryStorage {
    /// An empty store.
    pub fn new() -> MemoryStorage {
        MemoryStorage::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("invariant: no panic while the memory store is locked")
    }
}

impl Inner {
    fn realm(&mut self, name: &str) -> Result<&mut Realm, StorageError> {
        self.realms.get_mut(name).ok_or_else(|| StorageError::UnknownRealm(name.to_string()))
    }
}

impl Storage for MemoryStorage {
    fn realms(&self) -> Result<Vec<String>, StorageError> {
        Ok(self.inner().realms.keys().cloned().collect())
    }

    fn open(&self, realm: &str) -> Result<Option<RealmRecord>, StorageError> {
        Ok(self.inner().realms.get(realm).map(|realm| realm.record.clone()))
    }

    fn begin(&self, realm: &str, record: &RealmRecord, image: &Image) -> Result<(), StorageError> {
        let fresh = Realm { record: record.clone(), entries: BTreeMap::new(), image: image.clone() };
        self.inner().realms.insert(realm.to_string(), fresh);
        Ok(())
    }

    fn append_if_head_is(&self, realm: &str, head: ServerVersion, append: &Append) -> Result<(), StorageError> {
        let mut inner = self.inner();
        let stored = inner.realm(realm)?;
        let found = stored.record.head.version;
        if found != head {
            return Err(StorageError::HeadMoved { realm: realm.to_string(), expected: head.0, found: found.0 });
        }
        super::check_order(realm, head, append)?;
        for entry in &append.entries {
            stored.entries.insert(entry.at.version, entry.clone());
            stored.record.head = entry.at;
        }
        for (id, client) in &append.clients {
            stored.record.clients.insert(*id, client.clone());
        }
        for id in &append.forgotten {
            stored.record.clients.remove(id);
        }
        Ok(())
    }

    fn read_after(
        &self,
        realm: &str,
        after: ServerVersion,
        bytes_max: usize,
    ) -> Result<Vec<HistoryEntry>, StorageError> {
        let mut inner = self.inner();
        let mut found = Vec::new();
        let mut bytes = 0;
        for entry in inner.realm(realm)?.entries.range(ServerVersion(after.0 + 1)..).map(|(_, entry)| entry) {
            bytes += entry.changeset.len();
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            found.push(entry.clone());
        }
        Ok(found)
    }

    fn load_image(&self, realm: &str) -> Result<Option<Image>, StorageError> {
        Ok(self.inner().realms.get(realm).map(|realm| realm.image.clone()))
    }

    fn save_image(&self, realm: &str, image: &Image) -> Result<(), StorageError> {
        let mut inner = self.inner();
        let stored = inner.realm(realm)?;
        super::check_image(realm, &stored.record, image)?;
        stored.image = image.clone();
        Ok(())
    }

    fn trim(&self, realm: &str, floor: Position) -> Result<(), StorageError> {
        let mut inner = self.inner();
        let stored = inner.realm(realm)?;
        super::check_floor(realm, stored.record.floor.version, stored.image.version, floor)?;
        stored.entries = stored.entries.split_off(&ServerVersion(floor.version.0 + 1));
        stored.record.floor = floor;
        Ok(())
    }

    fn add_user(&self, app: &str, user: &str, _at: Millis) -> Result<(), StorageError> {
        self.inner().users.insert((app.to_string(), user.to_string()));
        Ok(())
    }

    fn has_user(&self, app: &str, user: &str) -> Result<bool, StorageError> {
        Ok(self.inner().users.contains(&(app.to_string(), user.to_string())))
    }
}
