//! Opening a realm: the lock first, then the catalogue and what it says is to be done, then the store, then the engine.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use ebbtide_core::batch::{Head, LoadedStore};
use ebbtide_sync::client::{Engine, Kind, OpenOptions, SyncOptions};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::app::App;
use super::config::{CoreConfig, config_from_js, schema_of};
use crate::driver::{Driver, SyncHandle};
use crate::error::{Fault, Result};
use crate::host::Host;
use crate::idb::{Catalogue, Change, CloseCause, Found, RealmRecord, Sentinel, Store, back_up_then_clear};
use crate::slot::{StoreGuard, StoreSlot};
use crate::tabs::RealmLock;
use crate::{clock, poison, refusal};

thread_local! {
    static OPEN: RefCell<BTreeMap<String, Weak<Driver>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Opens a realm.
pub(super) async fn open(config: JsValue, host: Host, app: &JsValue) -> Result<Rc<Driver>> {
    poison::check()?;
    let config = config_from_js(config)?;
    if config.in_memory {
        return open_in_memory(&config, host, app);
    }
    let path = &config.path;
    let lock = RealmLock::acquire(path).await?;
    Catalogue::load().await?;
    if Catalogue::action(path).is_some() {
        back_up_then_clear(path).await?;
    }
    let known = Catalogue::realm(path);
    let read_only = config.read_only || Catalogue::backup(path).is_some();
    if read_only && known.is_none() {
        let message = format!("The realm at '{path}' does not exist, so it cannot be opened read-only.");
        return Err(Fault::InvalidConfig { message });
    }
    let (store, found) = Store::open(path, &Catalogue::store_of(path)).await?;
    let loaded = store.load().await?;
    let generation = generation_of(path, &loaded)?;
    let lost = loss(path, &found, known.is_some());
    let engine = engine(&config, read_only, app, loaded)?;
    let record = RealmRecord {
        path: path.clone(),
        store: Catalogue::store_of(path),
        schema_version: engine.0.schema_version() as f64,
        generation: generation as f64,
    };
    if !read_only {
        register(known, record).await?;
    }
    let guard = StoreGuard::new(store, lock);
    let driver = Driver::start(path, engine.0, host, StoreSlot::open(Rc::clone(&guard)), engine.1)?;
    watch(&guard, &driver);
    if let Some(fault) = lost {
        driver.tell_storage_error(fault);
    }
    remember(&driver);
    Ok(driver)
}

/// Opens a realm without waiting: one that lives in memory, or one that has no store yet.
pub(super) fn open_sync(config: JsValue, host: Host, app: &JsValue) -> Result<Rc<Driver>> {
    poison::check()?;
    let config = config_from_js(config)?;
    if config.in_memory {
        return open_in_memory(&config, host, app);
    }
    let path = config.path.clone();
    if !Catalogue::loaded()
        || Catalogue::realm(&path).is_some()
        || Catalogue::action(&path).is_some()
        || config.read_only
    {
        return Err(Fault::NeedsAsyncOpen { path });
    }
    let (engine, sync) = engine(&config, false, app, LoadedStore::default())?;
    let record = RealmRecord {
        store: Catalogue::store_of(&path),
        schema_version: engine.schema_version() as f64,
        generation: 0.0,
        path: path.clone(),
    };
    let driver_cell: Rc<RefCell<Weak<Driver>>> = Rc::default();
    let opening = {
        let driver = Rc::clone(&driver_cell);
        async move {
            let lock = RealmLock::acquire(&record.path).await?;
            let (store, found) = Store::open(&record.path, &record.store).await?;
            if !found.created && !store.load().await?.is_empty() {
                return Err(Fault::StoreConflict { path: record.path });
            }
            register(None, record).await?;
            let guard = StoreGuard::new(store, lock);
            if let Some(driver) = driver.borrow().upgrade() {
                watch(&guard, &driver);
            }
            Ok(guard)
        }
    };
    let driver = Driver::start(&path, engine, host, StoreSlot::opening(opening), sync)?;
    driver_cell.replace(Rc::downgrade(&driver));
    driver.begin_opening();
    remember(&driver);
    Ok(driver)
}

/// Whether a realm of this path that has a store is open in this page.
pub(super) fn is_open(path: &str) -> bool {
    OPEN.with_borrow(|open| open.get(path).and_then(Weak::upgrade)).is_some_and(|driver| !driver.is_closed())
}

/// Writes the schema version of an open realm to the catalogue.
pub(super) fn record_schema_version(driver: &Rc<Driver>) {
    let Some(mut record) = Catalogue::realm(driver.path()) else { return };
    let Ok(version) = driver.engine(Engine::schema_version) else { return };
    record.schema_version = version as f64;
    let driver = Rc::clone(driver);
    spawn_local(async move {
        if let Err(fault) = Catalogue::change(vec![Change::PutRealm(record)]).await {
            driver.tell_storage_error(fault);
        }
    });
}

fn open_in_memory(config: &CoreConfig, host: Host, app: &JsValue) -> Result<Rc<Driver>> {
    let (engine, sync) = engine(config, config.read_only, app, LoadedStore::default())?;
    Driver::start(&config.path, engine, host, StoreSlot::memory(), sync)
}

fn engine(
    config: &CoreConfig,
    read_only: bool,
    app: &JsValue,
    loaded: LoadedStore,
) -> Result<(Engine, Option<SyncHandle>)> {
    let (kind, sync) = match &config.sync {
        None => (Kind::Local, None),
        Some(sync) => {
            let app = App::of_handle(app).ok_or_else(|| Fault::InvalidConfig {
                message: "A synced realm needs the app that its user belongs to.".to_owned(),
            })?;
            let options = SyncOptions { realm: sync.realm.clone(), reset_mode: sync.reset_mode.into() };
            (Kind::Synced(options), Some(SyncHandle { app, user_id: sync.user_id.clone() }))
        }
    };
    let options = OpenOptions {
        schema: config.schema.as_deref().map(schema_of).transpose()?,
        schema_version: config.schema_version.map(|version| version as u64),
        read_only,
        kind,
        seed: clock::random(),
    };
    let engine = Engine::open(clock::now(), options, loaded).map_err(|e| refusal::of_open(&config.path, &e))?;
    Ok((engine, sync))
}

/// The store's generation. A head that cannot be read is a damaged store.
fn generation_of(path: &str, loaded: &LoadedStore) -> Result<u64> {
    let Some(head) = &loaded.head else { return Ok(0) };
    match Head::decode(head) {
        Ok(head) => Ok(head.generation),
        Err(corrupt) => Err(refusal::of_corrupt(path, &corrupt)),
    }
}

/// Whether the browser has thrown away a store that was there.
fn loss(path: &str, found: &Found, known: bool) -> Option<Fault> {
    if !found.created {
        return None;
    }
    let what = match (&found.data_loss, Sentinel::read(path), known) {
        (Some(words), ..) => words.clone(),
        (None, Some(_), _) | (None, None, true) => "the database is gone".to_owned(),
        (None, None, false) => return None,
    };
    Some(Fault::StoreLost { path: path.to_owned(), what })
}

async fn register(known: Option<RealmRecord>, record: RealmRecord) -> Result<()> {
    Sentinel::write(&record.path, record.generation as u64);
    if known.is_some_and(|known| known == record) {
        return Ok(());
    }
    Catalogue::change(vec![Change::PutRealm(record)]).await
}

fn watch(guard: &Rc<StoreGuard>, driver: &Rc<Driver>) {
    let driver = Rc::downgrade(driver);
    guard.on_close(move |cause: CloseCause| {
        if let Some(driver) = driver.upgrade() {
            driver.storage_failed(Fault::StoreClosed { why: cause.describe() });
        }
    });
}

fn remember(driver: &Rc<Driver>) {
    OPEN.with_borrow_mut(|open| {
        open.retain(|_, driver| driver.upgrade().is_some_and(|driver| !driver.is_closed()));
        open.insert(driver.path().to_owned(), Rc::downgrade(driver));
    });
}
