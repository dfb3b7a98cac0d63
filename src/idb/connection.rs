//! One open database and the ways in which it can be closed under us.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use indexed_db_futures::Build;
use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::transaction::{TransactionDurability, TransactionMode, TransactionOptions};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::fault::{of_exception, of_open, of_request, of_transaction};
use super::flight::Flight;
use super::schema;
use crate::error::{Elsewhere, Fault, Result};

/// How long a deletion waits for other connections to close.
const DELETE_WAIT_MS: u32 = 3_000;

/// Why a connection ended without our asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseCause {
    /// Another page wants to delete or upgrade the database; the connection was given up for it.
    VersionChange,
    /// The browser closed it: site data cleared, disk full or a damaged backing store.
    Unexpected,
}

impl CloseCause {
    /// In words.
    pub(crate) fn describe(self) -> String {
        match self {
            CloseCause::VersionChange => "another page deletes or upgrades it".to_owned(),
            CloseCause::Unexpected => {
                "the browser closed it (site data was cleared, the disk is full, or its storage is damaged)".to_owned()
            }
        }
    }
}

/// What an opening found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// The database did not exist and was created.
    pub(crate) created: bool,
    /// The browser admitted to having lost data, in its own words.
    pub(crate) data_loss: Option<String>,
}

#[derive(Default)]
struct Lifeline {
    cause: Option<CloseCause>,
    waiting: Vec<oneshot::Sender<CloseCause>>,
    on_close: Option<Rc<dyn Fn(CloseCause)>>,
}

/// An open database.
pub(crate) struct Connection {
    database: Database,
    lifeline: Rc<RefCell<Lifeline>>,
    _stop: oneshot::Sender<()>,
}

impl Connection {
    /// Opens a database, creating it with these object stores if it does not exist.
    pub(crate) async fn open(name: &str, object_stores: &'static [&'static str]) -> Result<(Connection, Found)> {
        const DOING: &str = "opening the database";
        let found = Rc::new(RefCell::new(Found::default()));
        let request = Database::open(name)
            .with_version(schema::LAYOUT_VERSION)
            .with_on_upgrade_needed(move |_event, database| schema::create(&database, object_stores))
            .build()
            .map_err(|e| of_open(DOING, e))?;
        // The library does not pass on Chrome's `dataLoss`, so a second listener reads it from the same event.
        let witness = {
            let found = Rc::clone(&found);
            Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
                let text = |key: &str| js_sys::Reflect::get(&event, &key.into()).ok().and_then(|v| v.as_string());
                let mut found = found.borrow_mut();
                found.created = true;
                found.data_loss = text("dataLoss")
                    .filter(|loss| loss != "none")
                    .map(|loss| format!("{loss}: {}", text("dataLossMessage").unwrap_or_default()));
            })
        };
        let raw: &web_sys::EventTarget = request.as_sys().unchecked_ref();
        let _ = raw.add_event_listener_with_callback("upgradeneeded", witness.as_ref().unchecked_ref());
        let database = request.await.map_err(|e| of_open(DOING, e))?;
        let connection = Connection::watch(database)?;
        let found = found.borrow().clone();
        for object_store in object_stores {
            let present = connection.database.object_store_names().any(|present| present == *object_store);
            if !present {
                connection.close();
                return Err(Fault::CorruptStore {
                    path: name.to_owned(),
                    what: format!("object store '{object_store}' is missing from database '{name}'"),
                });
            }
        }
        Ok((connection, found))
    }

    fn watch(database: Database) -> Result<Connection> {
        let lifeline = Rc::new(RefCell::new(Lifeline::default()));
        let mut changes = database.version_changes().map_err(|e| of_request("watching the database", e))?;
        let (stop, stopped) = oneshot::channel::<()>();
        spawn_local({
            let lifeline = Rc::clone(&lifeline);
            let database = database.clone();
            async move {
                let mut stopped = stopped;
                let event = {
                    let change = std::pin::pin!(changes.recv());
                    match select(change, &mut stopped).await {
                        Either::Left((event, _)) => event,
                        Either::Right(_) => return,
                    }
                };
                let cause = if event.is_some() { CloseCause::VersionChange } else { CloseCause::Unexpected };
                database.close();
                let (waiting, on_close) = {
                    let mut lifeline = lifeline.borrow_mut();
                    lifeline.cause = Some(cause);
                    (std::mem::take(&mut lifeline.waiting), lifeline.on_close.take())
                };
                for waiter in waiting {
                    let _ = waiter.send(cause);
                }
                if let Some(on_close) = on_close {
                    on_close(cause);
                }
            }
        });
        Ok(Connection { database, lifeline, _stop: stop })
    }

    /// Names the one who is told, once, when the connection ends without our asking.
    pub(crate) fn on_close(&self, tell: impl Fn(CloseCause) + 'static) {
        self.lifeline.borrow_mut().on_close = Some(Rc::new(tell));
    }

    /// Fails if the connection has ended.
    pub(super) fn check(&self) -> Result<()> {
        match self.lifeline.borrow().cause {
            Some(cause) => Err(Fault::StoreClosed { why: cause.describe() }),
            None => Ok(()),
        }
    }

    /// Begins a transaction that writes.
    pub(super) fn write(&self, object_stores: &[&str], durability: TransactionDurability) -> Result<Flight<'_>> {
        const DOING: &str = "beginning a transaction";
        self.check()?;
        self.database
            .transaction(object_stores.to_vec())
            .with_mode(TransactionMode::Readwrite)
            .with_options(TransactionOptions::new().with_durability(durability))
            .build()
            .map(Flight::new)
            .map_err(|e| of_request(DOING, e))
    }

    /// Begins a transaction that reads.
    pub(super) fn read(&self, object_stores: &[&str]) -> Result<Flight<'_>> {
        const DOING: &str = "beginning to read";
        self.check()?;
        self.database
            .transaction(object_stores.to_vec())
            .with_mode(TransactionMode::Readonly)
            .build()
            .map(Flight::new)
            .map_err(|e| of_request(DOING, e))
    }

    /// Waits until a transaction is over. An overfull origin fires `abort` alone, with the reason left in the transaction.
    pub(super) async fn finish(&self, doing: &'static str, flight: Flight<'_>) -> Result<()> {
        let (transaction, _under_way) = flight.split();
        let raw: web_sys::IdbTransaction = transaction.as_sys().clone().unchecked_into();
        let (tell, closed) = oneshot::channel();
        self.lifeline.borrow_mut().waiting.push(tell);
        let commit = std::pin::pin!(transaction.commit());
        let outcome = select(commit, closed).await;
        self.lifeline.borrow_mut().waiting.retain(|waiter| !waiter.is_canceled());
        match outcome {
            Either::Left((Ok(()), _)) => Ok(()),
            Either::Left((Err(error), _)) => Err(of_transaction(doing, &raw, error)),
            Either::Right((cause, _)) => Err(match raw.error() {
                Some(exception) => of_exception(doing, &exception),
                None => Fault::StoreClosed { why: cause.unwrap_or(CloseCause::Unexpected).describe() },
            }),
        }
    }

    /// Closes. Transactions under way finish first.
    pub(crate) fn close(&self) {
        self.database.clone().close();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

/// Deletes a database that no connection of ours holds open.
pub(crate) async fn delete_database(path: &str, name: &str) -> Result<()> {
    const DOING: &str = "deleting a database";
    let deletion = Database::delete_by_name(name).map_err(|e| of_open(DOING, e))?;
    match select(deletion, TimeoutFuture::new(DELETE_WAIT_MS)).await {
        Either::Left((done, _)) => done.map_err(|e| of_request(DOING, e)),
        Either::Right(_) => Err(Fault::RealmOpenElsewhere { path: path.to_owned(), why: Elsewhere::InUse }),
    }
}

/// Whether a database of this name exists; `true` where the browser cannot say.
pub(super) async fn exists(name: &str) -> Result<bool> {
    const DOING: &str = "listing databases";
    let factory = indexed_db_futures::factory::DBFactory::new().map_err(|e| of_open(DOING, e))?;
    let listing = factory.databases().map_err(|e| of_request(DOING, e))?;
    let databases = listing.await.map_err(|e| of_request(DOING, e))?;
    for database in databases {
        if database.is_ok_and(|database| database.name() == name) {
            return Ok(true);
        }
    }
    Ok(false)
}
