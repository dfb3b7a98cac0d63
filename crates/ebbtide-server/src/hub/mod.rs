//! One hub per realm: the task that owns the order of its history, its state and its clients. Everything that changes
//! them goes through its queue; what waits in the queue while a commit runs goes into the next one together.
//!
//! A request is answered, and the new head shown to sessions, only after the commit is durable.

mod actor;
mod admin;
mod bootstrap;
mod history;
mod open;

use std::sync::Arc;

use ebbtide_core::{ClientId, Epoch, ServerVersion};
use ebbtide_sync::server::{Accepted, BindRequest, BindRules, Position, Refusal, SchemaChange};
use ebbtide_sync::wire::{FreshResume, UploadCursor};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

use crate::edge::Now;
use crate::limits::HUB_QUEUE_MAX;
use crate::storage::{Storage, StorageError};

pub use admin::{ObjectsPage, new_epoch, reshaped, trim_point};
pub use bootstrap::Bootstrap;
pub use history::History;
pub use open::{blank_realm, image_of, load_realm};

/// What a hub needs from outside.
#[derive(Clone)]
pub struct HubContext {
    /// Where the realm is kept.
    pub storage: Arc<dyn Storage>,
    /// The time.
    pub now: Now,
    /// What the operator decided.
    pub rules: BindRules,
}

/// What is durable of a realm; sessions watch it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RealmView {
    /// The continuous history.
    pub epoch: Epoch,
    /// Its last entry.
    pub head: Position,
    /// The last entry that is no longer kept.
    pub floor: Position,
}

/// A session that has begun.
pub struct BoundSession {
    /// Where it begins.
    pub start: BoundStart,
    /// What was durable when it began.
    pub view: RealmView,
    /// The last changeset of the client in the history.
    pub last: Option<UploadCursor>,
    /// When it began.
    pub now: ebbtide_core::Millis,
    /// Ends the session from the hub's side.
    pub ended: oneshot::Receiver<Refusal>,
}

/// Where a session begins.
pub enum BoundStart {
    /// After this entry.
    After(Position),
    /// With this state, from this chunk on.
    Snapshot(Arc<Bootstrap>, u32),
}

/// What one upload came to.
pub struct UploadOutcome {
    /// The last changeset that is durable now, if any of the upload is.
    pub accepted: Option<Accepted>,
    /// Why the rest was not taken.
    pub refusal: Option<Refusal>,
}

/// What a realm looks like to its operator.
#[derive(Clone, Debug, Serialize)]
pub struct RealmState {
    /// Its full name: app and realm.
    pub realm: String,
    /// The continuous history, in hexadecimal.
    pub epoch: String,
    /// The last entry.
    pub head: u64,
    /// The last entry that is no longer kept.
    pub floor: u64,
    /// Sessions that are open now.
    pub sessions: usize,
    /// Everybody who ever bound and was not forgotten.
    pub clients: Vec<ClientState>,
    /// The classes with the number of their objects.
    pub classes: Vec<ClassState>,
}

/// What a client looks like to the operator.
#[derive(Clone, Debug, Serialize)]
pub struct ClientState {
    /// The client's id, in hexadecimal.
    pub client: String,
    /// Its user.
    pub user: String,
    /// Its last changeset in the history.
    pub number: u64,
    /// The last version it said it has.
    pub seen: u64,
    /// When it was last heard of, in milliseconds since the Unix epoch.
    pub seen_at: u64,
}

/// What a class looks like to the operator.
#[derive(Clone, Debug, Serialize)]
pub struct ClassState {
    /// Its name.
    pub name: String,
    /// The name of its primary key.
    pub primary_key: Option<String>,
    /// How many objects it has.
    pub objects: usize,
    /// Its properties with their types, `?` after those that may be null.
    pub properties: Vec<(String, String)>,
}

/// What a hub may be asked.
pub(crate) enum Request {
    Bind { request: Box<BindRequest>, reply: oneshot::Sender<Result<BoundSession, Refusal>> },
    Upload { client: ClientId, changesets: Vec<Vec<u8>>, reply: oneshot::Sender<UploadOutcome> },
    Ack { client: ClientId, version: ServerVersion },
    Terminate { reply: oneshot::Sender<Result<RealmView, String>> },
    Trim { keep: u64, reply: oneshot::Sender<Result<RealmView, String>> },
    Change { change: Box<SchemaChange>, reply: oneshot::Sender<Result<RealmView, String>> },
    Forget { client: ClientId, reply: oneshot::Sender<Result<bool, String>> },
    State { reply: oneshot::Sender<RealmState> },
    Objects { class: String, from: usize, reply: oneshot::Sender<Result<ObjectsPage, String>> },
    Housekeeping,
    Retire { reply: oneshot::Sender<bool> },
    Stop { reply: oneshot::Sender<()> },
}

/// A realm's hub, as everybody else sees it.
#[derive(Clone)]
pub struct Hub {
    queue: mpsc::Sender<Request>,
    view: watch::Receiver<RealmView>,
    history: Arc<History>,
}

impl Hub {
    /// Loads the realm, creating it if it is not there, and starts its task.
    pub fn start(realm: &str, context: HubContext) -> Result<Hub, StorageError> {
        let loaded = load_realm(context.storage.as_ref(), realm)?;
        let loaded = match loaded {
            Some(loaded) => loaded,
            None => blank_realm(context.storage.as_ref(), realm)?,
        };
        let (queue, requests) = mpsc::channel(HUB_QUEUE_MAX);
        let history = Arc::new(History::new(realm, Arc::clone(&context.storage), loaded.recent));
        let actor = actor::Actor::new(realm, context, loaded.realm, Arc::clone(&history), loaded.since_image);
        let view = actor.watch();
        tokio::spawn(actor.run(requests));
        Ok(Hub { queue, view, history })
    }

    /// What is durable, now and from now on.
    pub fn watch(&self) -> watch::Receiver<RealmView> {
        self.view.clone()
    }

    /// Whether its task can still answer.
    pub fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }

    /// The history, for reading.
    pub fn history(&self) -> &Arc<History> {
        &self.history
    }

    /// Begins a session.
    pub async fn bind(&self, request: BindRequest) -> Result<BoundSession, Refusal> {
        let request = Box::new(request);
        self.ask(|reply| Request::Bind { request, reply }).await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Integrates changesets of a client in their order.
    pub async fn upload(&self, client: ClientId, changesets: Vec<Vec<u8>>) -> UploadOutcome {
        let answer = self.ask(|reply| Request::Upload { client, changesets, reply }).await;
        answer.unwrap_or_else(|_| UploadOutcome { accepted: None, refusal: Some(stopping()) })
    }

    /// Takes note of what a client has.
    pub async fn ack(&self, client: ClientId, version: ServerVersion) {
        // A hub that stops no longer needs to know.
        let _ = self.queue.send(Request::Ack { client, version }).await;
    }

    /// Begins a new epoch with the same data and no clients.
    pub async fn terminate(&self) -> Result<RealmView, String> {
        self.ask(|reply| Request::Terminate { reply }).await?
    }

    /// Drops the history up to `keep` entries before the head.
    pub async fn trim(&self, keep: u64) -> Result<RealmView, String> {
        self.ask(|reply| Request::Trim { keep, reply }).await?
    }

    /// Changes the schema; a destructive change begins a new epoch.
    pub async fn change_schema(&self, change: SchemaChange) -> Result<RealmView, String> {
        let change = Box::new(change);
        self.ask(|reply| Request::Change { change, reply }).await?
    }

    /// Forgets a client; false if it was not known.
    pub async fn forget(&self, client: ClientId) -> Result<bool, String> {
        self.ask(|reply| Request::Forget { client, reply }).await?
    }

    /// What the operator wants to know.
    pub async fn state(&self) -> Result<RealmState, String> {
        self.ask(|reply| Request::State { reply }).await
    }

    /// Objects of a class as JSON, from a position on.
    pub async fn objects(&self, class: String, from: usize) -> Result<ObjectsPage, String> {
        self.ask(|reply| Request::Objects { class, from, reply }).await?
    }

    /// Writes positions down and drops what is too old. Does not wait.
    pub fn keep_house(&self) {
        // A full queue means that there is more important work; the next round comes.
        let _ = self.queue.try_send(Request::Housekeeping);
    }

    /// Ends the task if nobody has a session; says whether it has ended.
    pub async fn retire(&self) -> bool {
        self.ask(|reply| Request::Retire { reply }).await.unwrap_or(true)
    }

    /// Ends all sessions and the task; everything it acknowledged is durable.
    pub async fn stop(&self) {
        let _ = self.ask(|reply| Request::Stop { reply }).await;
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, String> {
        let gone = || "the realm is being closed; try again".to_string();
        let (reply, answer) = oneshot::channel();
        self.queue.send(request(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}

/// What a session is told when its hub stops.
pub fn stopping() -> Refusal {
    Refusal::later(ebbtide_sync::wire::Code::TRY_AGAIN, "the server is restarting", 200)
}

/// Whether this resume fits this bootstrap, and from which chunk on.
pub(crate) fn resume_point(bootstrap: &Bootstrap, resume: Option<FreshResume>) -> u32 {
    match resume {
        Some(resume) if resume.at == bootstrap.at() => resume.next_chunk.min(bootstrap.count()),
        _ => 0,
    }
}
