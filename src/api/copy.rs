//! Writing a realm to a new path.

use std::rc::Rc;

use ebbtide_core::ClientId;
use ebbtide_core::batch::Batch;
use ebbtide_core::objects::Synced;
use wasm_bindgen::JsValue;

use super::config::{CoreConfig, config_from_js};
use crate::driver::Driver;
use crate::error::{Fault, Result};
use crate::host::Host;
use crate::idb::{Catalogue, Change, Claim, Outcome, RealmRecord, Sentinel, Store, key_check};
use crate::tabs::Presence;
use crate::{clock, news};

/// Opens a local copy of what is visible now, without waiting for the disk. Fails if the path is taken.
pub(super) fn open_copy(driver: &Rc<Driver>, config: JsValue, host: Host) -> Result<Rc<Driver>> {
    let config = config_from_js(config)?;
    check_free(&config)?;
    let client = ClientId(clock::random());
    let copy = driver.engine(|engine| engine.copied(client, Synced::No))??;
    super::open::open_copy(config, host, copy)
}

/// Takes what is visible now; the rest waits for the disk. Fails if the path is taken.
pub(super) fn write_copy(driver: &Rc<Driver>, config: JsValue) -> Result<impl Future<Output = Result<()>> + use<>> {
    let config = config_from_js(config)?;
    check_free(&config)?;
    let synced = match (&config.sync, driver.is_synced()) {
        (None, _) => Synced::No,
        (Some(_), true) => Synced::Yes,
        (Some(_), false) => {
            let message = "A local realm cannot be copied to a synced one; open the synced one and create its objects.";
            return Err(Fault::InvalidConfig { message: message.to_owned() });
        }
    };
    let client = ClientId(clock::random());
    let (batch, lane, version) = driver
        .engine(|engine| (engine.copy(client, synced), engine.current().highest_lane(), engine.schema_version()))?;
    Ok(write(config, batch?, lane, version as f64))
}

fn check_free(config: &CoreConfig) -> Result<()> {
    let is_taken = Catalogue::realm(&config.path).is_some() && !config.replace;
    if is_taken || super::open::is_open(&config.path) {
        return Err(Fault::Exists { path: config.path.clone() });
    }
    Ok(())
}

async fn write(config: CoreConfig, batch: Batch, lane: u64, schema_version: f64) -> Result<()> {
    let path = config.path;
    let _lock = Presence::alone(&path).await?;
    Catalogue::load().await?;
    let database = Catalogue::store_of(&path);
    let exists = || Fault::Exists { path: path.clone() };
    if Catalogue::realm(&path).is_some() {
        return Err(exists());
    }
    let key = config.encryption_key.as_deref();
    let (store, _) = Store::open(&path, &database, key).await?;
    if store.read_head().await?.is_some() {
        return Err(exists());
    }
    match store.commit(&batch).await? {
        Outcome::Stored => {}
        Outcome::Overtaken(_) => return Err(exists()),
    }
    // Who opens the copy draws no keys that its objects have.
    if lane > 0 {
        store.claim_lane(Claim::Taken(lane)).await?;
    }
    store.close();
    let generation = batch.head.generation;
    Sentinel::write(&path, generation);
    let record = RealmRecord {
        path: path.clone(),
        store: database,
        schema_version,
        generation: generation as f64,
        key_check: key.map(key_check),
    };
    Catalogue::change(vec![Change::PutRealm(record)]).await?;
    news::tell(&path);
    Ok(())
}
