//! Everything that a running server shares: storage, the hubs of the realms in use, backups, and the signal that tells
//! connections to go.

use std::collections::BTreeMap;
use std::sync::Arc;

use ebbtide_sync::server::Refusal;
use ebbtide_sync::wire::Code;
use tokio::sync::{Mutex, watch};

use crate::backup::{Backups, Restored, Taken};
use crate::hub::{Hub, HubContext, stopping};
use crate::limits::{HOUSEKEEPING_EVERY, REALMS_MAX};
use crate::storage::{Storage, StorageError};

/// The realms of a server.
pub struct Service {
    context: HubContext,
    backups: Option<Backups>,
    /// Held while hubs are opened, and during a whole restore.
    hubs: Mutex<BTreeMap<String, Hub>>,
    /// Counts the times that all connections had to go.
    generation: watch::Sender<u64>,
}

impl Service {
    /// Over a store; without backups if it has none.
    pub fn new(context: HubContext, backups: Option<Backups>) -> Arc<Service> {
        Arc::new(Service { context, backups, hubs: Mutex::default(), generation: watch::Sender::new(0) })
    }

    /// Where everything is kept.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.context.storage
    }

    /// The time.
    pub fn now(&self) -> ebbtide_core::Millis {
        (self.context.now)()
    }

    /// Changes when all connections must go.
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// The hub of a realm by its full name; the realm is created if it is not there.
    pub async fn hub(&self, realm: &str) -> Result<Hub, Refusal> {
        let mut hubs = self.hubs.lock().await;
        if let Some(hub) = hubs.get(realm).filter(|hub| hub.is_running()) {
            return Ok(hub.clone());
        }
        if hubs.len() >= REALMS_MAX {
            return Err(Refusal::later(Code::TRY_AGAIN, "too many realms are open", 60_000));
        }
        let started = tokio::task::block_in_place(|| Hub::start(realm, self.context.clone()));
        let hub = started.map_err(|error| {
            tracing::error!(realm, %error, "the realm cannot be opened");
            match error {
                StorageError::Corrupt(_) => {
                    Refusal::fatal(Code::OTHER_SESSION_ERROR, "the realm is damaged on the server")
                }
                _ => stopping(),
            }
        })?;
        hubs.insert(realm.to_string(), hub.clone());
        Ok(hub)
    }

    /// The full names of all realms.
    pub async fn realms(&self) -> Result<Vec<String>, String> {
        let storage = Arc::clone(&self.context.storage);
        let realms = tokio::task::spawn_blocking(move || storage.realms()).await;
        realms.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    /// The full names of the realms that an operator means: the one of that name, in full or without its app; all if
    /// none is named.
    pub async fn resolve(&self, wanted: Option<&str>) -> Result<Vec<String>, String> {
        resolve(self.realms().await?, wanted)
    }

    /// Takes a backup. Nobody waits for it.
    pub async fn backup(&self, name: String) -> Result<Taken, String> {
        let backups = self.backups()?;
        let take = move || backups.take(&name, &mut |line| tracing::info!("{line}"));
        tokio::task::spawn_blocking(take).await.map_err(|error| error.to_string())?
    }

    /// Restores a backup: checks it, sends everybody away, exchanges the contents in one transaction.
    pub async fn restore(&self, name: String, stamp: String) -> Result<Restored, String> {
        let backups = self.backups()?;
        let (checker, checked) = (backups.clone(), name.clone());
        let check = move || checker.verify(&checked, &mut |line| tracing::info!("{line}"));
        tokio::task::spawn_blocking(check).await.map_err(|error| error.to_string())??;
        let mut hubs = self.hubs.lock().await;
        self.generation.send_modify(|generation| *generation += 1);
        for hub in std::mem::take(&mut *hubs).into_values() {
            hub.stop().await;
        }
        let restore = move || backups.restore(&name, &stamp, &mut |line| tracing::info!("{line}"));
        tokio::task::spawn_blocking(restore).await.map_err(|error| error.to_string())?
    }

    /// What can be restored.
    pub fn list_backups(&self) -> Vec<crate::backup::Listed> {
        self.backups.as_ref().map(Backups::list).unwrap_or_default()
    }

    /// Sends everybody away and closes all realms.
    pub async fn stop(&self) {
        let mut hubs = self.hubs.lock().await;
        self.generation.send_modify(|generation| *generation += 1);
        for hub in std::mem::take(&mut *hubs).into_values() {
            hub.stop().await;
        }
    }

    /// Asks every hub to tidy up, now and then, for ever.
    pub async fn keep_house(self: Arc<Service>) {
        let mut clock = tokio::time::interval(HOUSEKEEPING_EVERY);
        clock.tick().await;
        loop {
            clock.tick().await;
            self.tidy().await;
        }
    }

    /// Asks every hub to tidy up, and closes those that nobody uses.
    pub async fn tidy(&self) {
        let mut hubs = self.hubs.lock().await;
        for hub in hubs.values() {
            hub.keep_house();
        }
        let mut used = BTreeMap::new();
        for (realm, hub) in std::mem::take(&mut *hubs) {
            if !hub.retire().await {
                used.insert(realm, hub);
            }
        }
        *hubs = used;
    }

    fn backups(&self) -> Result<Backups, String> {
        self.backups.clone().ok_or_else(|| "this server keeps nothing on disk".to_string())
    }
}

/// Which of these realms an operator means.
pub fn resolve(realms: Vec<String>, wanted: Option<&str>) -> Result<Vec<String>, String> {
    let Some(wanted) = wanted else { return Ok(realms) };
    if realms.iter().any(|realm| realm == wanted) {
        return Ok(vec![wanted.to_string()]);
    }
    let bare = |realm: &&String| realm.split_once('/').is_some_and(|(_, name)| name == wanted);
    let mut found: Vec<String> = realms.iter().filter(bare).cloned().collect();
    match found.len() {
        0 => Err(format!("there is no realm '{wanted}'")),
        1 => Ok(vec![found.remove(0)]),
        _ => Err(format!("several apps have a realm '{wanted}': name it in full, like {}", found[0])),
    }
}
