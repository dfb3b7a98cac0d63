//! Opening a realm: the right to it first, then the catalogue and what it says is to be done, then the store, then the engine.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use ebbtide_core::batch::{Head, LoadedStore};
use ebbtide_core::limits::LANES_MAX;
use ebbtide_core::objects::Constraints;
use ebbtide_core::replica::Replica;
use ebbtide_sync::client::{Engine, Image, Kind, OpenOptions, Role, SyncOptions};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::app::App;
use super::config::{CoreConfig, config_from_js, schema_of};
use crate::driver::{Driver, SyncHandle};
use crate::error::{Fault, KeyProblem, Result};
use crate::host::Host;
use crate::idb::{
    Catalogue, Change, Claim, CloseCause, Found, LANES_DRAWN, RealmRecord, Sentinel, Store, back_up_then_clear,
    delete_database, is_key, key_check,
};
use crate::images::{self, ClosedRealm};
use crate::slot::{StoreGuard, StoreSlot};
use crate::tabs::{Company, LeadLock, Presence, Stake};
use crate::{clock, news, poison, refusal};

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
    let presence = enter(path).await?;
    let known = Catalogue::realm(path);
    let read_only = config.read_only || Catalogue::backup(path).is_some();
    if read_only && known.is_none() {
        return Err(missing(path));
    }
    let stake = stake(path, read_only).await;
    let (store, found) = Store::open(path, &Catalogue::store_of(path), config.encryption_key.as_deref()).await?;
    let lane = match (presence.company(), read_only) {
        (_, true) => 0,
        (Company::Others, false) => store.claim_lane(Claim::Beside).await?,
        (Company::Alone, false) => store.claim_lane(Claim::Alone).await?,
    };
    let loaded = store.load().await?;
    let generation = generation_of(path, &loaded)?;
    let lost = loss(path, &found, known.is_some());
    let part = Part { role: stake.role(), lane, read_only };
    let engine = engine(&config, part, app, State::Store(loaded))?;
    if !read_only {
        let record = record_of(&config, known.as_ref(), &engine.0, generation);
        register(known, record).await?;
    }
    let company = presence.company();
    let guard = StoreGuard::new(store, presence);
    let slot = StoreSlot::open(Rc::clone(&guard), config.encryption_key.clone());
    let driver = Driver::start(path, engine.0, host, slot, engine.1)?;
    watch(&guard, &driver);
    driver.join(stake, company);
    if let Some(fault) = lost {
        driver.tell_storage_error(fault);
    }
    remember(&driver, lane);
    Ok(driver)
}

/// Joins those who have the realm open, with the catalogue read. If something is to be done with its store first, that is
/// done first, and takes having it alone.
async fn enter(path: &str) -> Result<Presence> {
    loop {
        let presence = Presence::join(path).await?;
        Catalogue::load().await?;
        if Catalogue::action(path).is_none() {
            return Ok(presence);
        }
        drop(presence);
        let _alone = Presence::alone(path).await?;
        Catalogue::load().await?;
        // Another tab may have been faster.
        if Catalogue::action(path).is_some() {
            back_up_then_clear(path).await?;
        }
    }
}

/// What a realm that has just been opened has of the lead.
async fn stake(path: &str, read_only: bool) -> Stake {
    if read_only {
        return Stake::None;
    }
    match LeadLock::take(path).await {
        Some(lock) => Stake::Has(lock),
        None => Stake::Wants,
    }
}

/// Opens a realm without waiting: one that lives in memory, one that has no store yet or is to lose it, or one that was closed
/// in this page a while ago. If others have created it or written to it meanwhile, that is found out when the store is open, and
/// taken in.
pub(super) fn open_sync(config: JsValue, host: Host, app: &JsValue) -> Result<Rc<Driver>> {
    poison::check()?;
    let config = config_from_js(config)?;
    if config.in_memory {
        return open_in_memory(&config, host, app);
    }
    open_now(config, host, app, State::Store(LoadedStore::default()))
}

/// Opens a local realm that has no store yet, or is to lose it, as a copy of another.
pub(super) fn open_copy(config: CoreConfig, host: Host, copy: Replica) -> Result<Rc<Driver>> {
    open_now(config, host, &JsValue::UNDEFINED, State::Copy(Box::new(copy)))
}

/// Opens a realm without waiting, in the state `fresh` if it has no store.
fn open_now(config: CoreConfig, host: Host, app: &JsValue, fresh: State) -> Result<Rc<Driver>> {
    let path = config.path.clone();
    let known = Catalogue::realm(&path);
    let replace = config.replace && Catalogue::backup(&path).is_none();
    if !Catalogue::loaded() || (Catalogue::action(&path).is_some() && !replace) {
        return Err(Fault::NeedsAsyncOpen { path });
    }
    let known = known.filter(|_| !replace);
    let (state, lane, generation) = match (&known, closed_realm(&path)) {
        (None, _) if config.read_only => return Err(missing(&path)),
        (None, _) => {
            let lane = lane_of(&fresh);
            (fresh, lane, 0)
        }
        (Some(_), None) => return Err(Fault::NeedsAsyncOpen { path }),
        (Some(_), Some(closed)) => {
            if closed.key != config.encryption_key {
                let problem = KeyProblem::of(closed.key, config.encryption_key);
                return Err(Fault::EncryptionKey { path, problem });
            }
            let generation = closed.image.head().generation;
            // Its lane is this page's still: an image is forgotten as soon as others open the realm.
            (State::Closed(Box::new(closed.image)), closed.lane, generation)
        }
    };
    let read_only = config.read_only || Catalogue::backup(&path).is_some();
    let part = Part { role: Role::Follows, lane, read_only };
    let is_copy = matches!(state, State::Copy(_));
    let (engine, sync) = engine(&config, part, app, state)?;
    let record = record_of(&config, known.as_ref(), &engine, generation);
    let key = config.encryption_key.clone();
    let driver_cell: Rc<RefCell<Weak<Driver>>> = Rc::default();
    let opening = {
        let driver = Rc::clone(&driver_cell);
        let key = key.clone();
        async move {
            if replace {
                let _alone = Presence::alone(&record.path).await?;
                delete_database(&record.path, &record.store).await?;
                Catalogue::change(vec![Change::RemoveAction(record.path.clone())]).await?;
            }
            let presence = Presence::join(&record.path).await?;
            let stake = stake(&record.path, read_only).await;
            let (store, found) = Store::open(&record.path, &record.store, key.as_deref()).await?;
            let lost = if replace || is_copy { None } else { loss(&record.path, &found, known.is_some()) };
            if is_copy && store.read_head().await?.is_some() {
                return Err(Fault::Exists { path: record.path });
            }
            if !read_only {
                if lane != 0 {
                    store.claim_lane(Claim::Taken(lane)).await?;
                }
                register(known, record).await?;
            }
            let company = presence.company();
            let guard = StoreGuard::new(store, presence);
            if let Some(driver) = driver.borrow().upgrade() {
                watch(&guard, &driver);
                driver.join(stake, company);
                if let Some(fault) = lost {
                    driver.tell_storage_error(fault);
                }
            }
            Ok(guard)
        }
    };
    let driver = Driver::start(&path, engine, host, StoreSlot::opening(opening, key), sync)?;
    driver_cell.replace(Rc::downgrade(&driver));
    driver.begin_opening();
    remember(&driver, lane);
    Ok(driver)
}

/// A lane for who begins a realm in the state `fresh`: new objects stand behind those that a copy has.
fn lane_of(fresh: &State) -> u64 {
    match fresh {
        State::Copy(copy) if copy.current().highest_lane() > 0 => 1 + copy.current().highest_lane() % (LANES_MAX - 1),
        State::Copy(_) | State::Store(_) | State::Closed(_) => drawn_lane(),
    }
}

/// A lane for one who creates a realm without waiting for its store, by chance. Of those who do so at the same time hardly ever
/// two have the same; if they do, and both create objects without a primary key, the second is told.
fn drawn_lane() -> u64 {
    1 + u64::from(u32::from_le_bytes(clock::random())) % (LANES_DRAWN - 1)
}

/// The realm that was closed at a path, or is about to be with nothing left to store. What is closed for good is asked for
/// where other pages' news are heard.
fn closed_realm(path: &str) -> Option<ClosedRealm> {
    let closing = OPEN.with_borrow(|open| open.get(path).and_then(Weak::upgrade));
    closing.filter(|driver| !driver.is_closed()).and_then(|driver| driver.closed_realm()).or_else(|| images::find(path))
}

/// Checks a key against what the catalogue remembers of a realm's.
pub(super) fn check_key(known: &RealmRecord, key: Option<&[u8]>) -> Result<()> {
    match (&known.key_check, key) {
        (None, None) => Ok(()),
        (Some(check), Some(key)) if is_key(check, key) => Ok(()),
        (check, key) => {
            let problem = KeyProblem::of(check.as_ref(), key);
            Err(Fault::EncryptionKey { path: known.path.clone(), problem })
        }
    }
}

/// Opens a realm that nobody uses any more, and whose engine has not been closed yet, with another configuration.
pub(super) fn readopt(driver: &Rc<Driver>, config: JsValue) -> Result<()> {
    let config = config_from_js(config)?;
    if let Some(problem) = driver.key_problem(config.encryption_key.as_deref()) {
        return Err(Fault::EncryptionKey { path: config.path, problem });
    }
    // An engine that is open keeps its role and its lane.
    let part = Part { role: Role::Leads, lane: 0, read_only: config.read_only };
    let options = options(&config, part, Kind::Local)?;
    driver.change(|engine| {
        let adopted = engine.readopt(clock::now(), &options);
        adopted.map_err(|error| refusal::of_open(&config.path, &error))
    })?;
    record_schema_version(driver);
    Ok(())
}

/// Whether a realm of this path that has a store is open in this page.
pub(crate) fn is_open(path: &str) -> bool {
    OPEN.with_borrow(|open| open.get(path).and_then(Weak::upgrade)).is_some_and(|driver| !driver.is_closed())
}

/// Writes the schema version of an open realm to the catalogue.
pub(super) fn record_schema_version(driver: &Rc<Driver>) {
    let Some(mut record) = Catalogue::realm(driver.path()) else { return };
    let Ok(version) = driver.engine(Engine::recorded_schema_version) else { return };
    if record.schema_version == version as f64 {
        return;
    }
    record.schema_version = version as f64;
    let driver = Rc::clone(driver);
    spawn_local(async move {
        if let Err(fault) = Catalogue::change(vec![Change::PutRealm(record)]).await {
            driver.tell_storage_error(fault);
        }
    });
}

fn open_in_memory(config: &CoreConfig, host: Host, app: &JsValue) -> Result<Rc<Driver>> {
    let part = Part { role: Role::Leads, lane: 0, read_only: config.read_only };
    let (engine, sync) = engine(config, part, app, State::Store(LoadedStore::default()))?;
    Driver::start(&config.path, engine, host, StoreSlot::memory(), sync)
}

/// What an engine begins with.
enum State {
    Store(LoadedStore),
    Closed(Box<Image>),
    Copy(Box<Replica>),
}

/// What an engine is among others.
#[derive(Clone, Copy, Debug)]
struct Part {
    role: Role,
    lane: u64,
    read_only: bool,
}

fn engine(config: &CoreConfig, part: Part, app: &JsValue, state: State) -> Result<(Engine, Option<SyncHandle>)> {
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
    let options = options(config, part, kind)?;
    let engine = match state {
        State::Store(loaded) => Engine::open(clock::now(), options, loaded),
        State::Closed(image) => Engine::reopen(clock::now(), options, *image),
        State::Copy(copy) => Engine::begin_as(clock::now(), options, *copy),
    };
    Ok((engine.map_err(|e| refusal::of_open(&config.path, &e))?, sync))
}

fn options(config: &CoreConfig, part: Part, kind: Kind) -> Result<OpenOptions> {
    let Part { role, lane, read_only } = part;
    let constraints = if config.resolve_embedded_constraints { Constraints::Resolve } else { Constraints::Refuse };
    Ok(OpenOptions {
        schema: config.schema.as_deref().map(schema_of).transpose()?,
        schema_version: config.schema_version.map(|version| version as u64),
        migration: config.migration.into(),
        constraints,
        read_only,
        kind,
        role,
        lane,
        seed: clock::random(),
    })
}

/// What the catalogue is to say of a realm.
fn record_of(config: &CoreConfig, known: Option<&RealmRecord>, engine: &Engine, generation: u64) -> RealmRecord {
    let remembered = known.and_then(|known| known.key_check.clone());
    let key = config.encryption_key.as_deref();
    RealmRecord {
        path: config.path.clone(),
        store: Catalogue::store_of(&config.path),
        schema_version: engine.recorded_schema_version() as f64,
        generation: generation as f64,
        key_check: key.map(|key| remembered.filter(|check| is_key(check, key)).unwrap_or_else(|| key_check(key))),
    }
}

fn missing(path: &str) -> Fault {
    Fault::InvalidConfig { message: format!("Failed to open Realm file at path '{path}': No such file or directory") }
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
    news::tell(&record.path);
    if known.is_some_and(|known| known == record) {
        return Ok(());
    }
    let path = record.path.clone();
    Catalogue::change(vec![Change::PutRealm(record)]).await?;
    news::tell(&path);
    Ok(())
}

fn watch(guard: &Rc<StoreGuard>, driver: &Rc<Driver>) {
    let driver = Rc::downgrade(driver);
    guard.on_close(move |cause: CloseCause| {
        if let Some(driver) = driver.upgrade() {
            driver.storage_failed(Fault::StoreClosed { why: cause.describe() });
        }
    });
}

fn remember(driver: &Rc<Driver>, lane: u64) {
    driver.set_lane(lane);
    images::forget(driver.path());
    OPEN.with_borrow_mut(|open| {
        open.retain(|_, driver| driver.upgrade().is_some_and(|driver| !driver.is_closed()));
        open.insert(driver.path().to_owned(), Rc::downgrade(driver));
    });
}
