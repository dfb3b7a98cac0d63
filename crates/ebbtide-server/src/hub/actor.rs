//! The task of a hub.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ebbtide_core::{ClientId, EditTime, Epoch, Millis, Salt, ServerVersion};
use ebbtide_sync::server::{
    Append, BindRequest, Integration, Realm, Refusal, SchemaChange, SchemaRule, Start, check_bind, schema_entry,
};
use ebbtide_sync::wire::{Code, Purpose};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::block_in_place;

use super::admin::{new_epoch, objects, reshaped, trim_point};
use super::bootstrap::Bootstraps;
use super::open::{SinceImage, image_of};
use super::{
    BoundSession, BoundStart, History, HubContext, RealmState, RealmView, Request, UploadOutcome, resume_point,
    stopping,
};
use crate::edge;
use crate::limits::{COMMIT_BYTES_MAX, IMAGE_AFTER_BYTES, IMAGE_AFTER_ENTRIES};
use crate::storage::StorageError;

pub(super) struct Actor {
    name: String,
    context: HubContext,
    realm: Realm,
    history: Arc<History>,
    view: watch::Sender<RealmView>,
    sessions: BTreeMap<ClientId, oneshot::Sender<Refusal>>,
    bootstraps: Bootstraps,
    since_image: SinceImage,
    /// Clients whose position is newer in memory than in storage.
    moved: BTreeSet<ClientId>,
}

/// An upload and who waits for it.
type Waiting = (ClientId, Vec<Vec<u8>>, oneshot::Sender<UploadOutcome>);

impl Actor {
    pub fn new(name: &str, context: HubContext, realm: Realm, history: Arc<History>, since_image: SinceImage) -> Actor {
        let view = watch::Sender::new(view_of(&realm));
        Actor {
            name: name.to_string(),
            context,
            realm,
            history,
            view,
            sessions: BTreeMap::new(),
            bootstraps: Bootstraps::default(),
            since_image,
            moved: BTreeSet::new(),
        }
    }

    pub fn watch(&self) -> watch::Receiver<RealmView> {
        self.view.subscribe()
    }

    /// Works until it is told to stop, or nobody can ask any more. What has queued up is done together.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.recv().await {
            let mut uploads = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(request) = next.take() {
                match request {
                    Request::Upload { client, changesets, reply } => {
                        bytes += changesets.iter().map(Vec::len).sum::<usize>();
                        uploads.push((client, changesets, reply));
                    }
                    Request::Stop { reply } => {
                        block_in_place(|| self.integrate(std::mem::take(&mut uploads)));
                        block_in_place(|| self.write_positions());
                        self.end_all(&stopping());
                        let _ = reply.send(());
                        return;
                    }
                    Request::Retire { reply } => {
                        block_in_place(|| self.integrate(std::mem::take(&mut uploads)));
                        self.sessions.retain(|_, session| !session.is_closed());
                        let unused = self.sessions.is_empty();
                        if unused {
                            block_in_place(|| self.write_positions());
                        }
                        let _ = reply.send(unused);
                        if unused {
                            return;
                        }
                    }
                    request => {
                        block_in_place(|| self.integrate(std::mem::take(&mut uploads)));
                        block_in_place(|| self.answer(request));
                    }
                }
                if bytes < COMMIT_BYTES_MAX {
                    next = requests.try_recv().ok();
                }
            }
            block_in_place(|| self.integrate(uploads));
            block_in_place(|| self.save_image_if_due());
        }
        self.write_positions();
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Bind { request, reply } => {
                let client = request.client;
                // Whoever asked may be gone; then the session it would have had ends with this sender.
                if reply.send(self.bind(*request)).is_err() {
                    self.sessions.remove(&client);
                }
            }
            Request::Ack { client, version } => {
                self.realm.note_seen(client, version, (self.context.now)());
                self.moved.insert(client);
            }
            Request::Terminate { reply } => drop(reply.send(self.terminate())),
            Request::Trim { keep, reply } => drop(reply.send(self.trim(keep))),
            Request::Change { change, reply } => drop(reply.send(self.change(&change))),
            Request::Forget { client, reply } => drop(reply.send(self.forget(client))),
            Request::State { reply } => {
                self.sessions.retain(|_, session| !session.is_closed());
                drop(reply.send(RealmState::of(&self.name, &self.realm, self.sessions.len())));
            }
            Request::Objects { class, from, reply } => drop(reply.send(objects(self.realm.state(), &class, from))),
            Request::Housekeeping => self.keep_house(),
            Request::Upload { .. } | Request::Retire { .. } | Request::Stop { .. } => {
                unreachable!("handled where requests are gathered")
            }
        }
    }

    // ---- sessions

    fn bind(&mut self, request: BindRequest) -> Result<BoundSession, Refusal> {
        let client = request.client;
        let outcome = self.begin(request);
        // A client that is to be reset will say what it drops: nothing of that may come from an older session of it.
        if outcome.as_ref().is_err_and(Refusal::is_reset) {
            self.end_session(client, "another session of the same client is to be reset");
        }
        outcome
    }

    fn end_session(&mut self, client: ClientId, reason: &str) {
        if let Some(session) = self.sessions.remove(&client) {
            drop(session.send(Refusal::later(Code::SESSION_CLOSED, reason, 10_000)));
        }
    }

    fn begin(&mut self, request: BindRequest) -> Result<BoundSession, Refusal> {
        let now = (self.context.now)();
        let salt = self.salt_at(&request).map_err(|error| self.later(&error))?;
        let bind = check_bind(&self.realm, self.context.rules, &request, salt, now)?;
        self.grow(&request, &bind.registration, now)?;
        self.realm.note_seen(request.client, ServerVersion(0), now);
        self.moved.insert(request.client);
        let start = match bind.start {
            Start::After(position) => BoundStart::After(position),
            Start::Snapshot { resume } => {
                let record = self.realm.record();
                let bootstrap = self.bootstraps.get(record.head.cursor(record.epoch), self.realm.state(), resume);
                let from = resume_point(&bootstrap, resume);
                BoundStart::Snapshot(bootstrap, from)
            }
        };
        let (end, ended) = oneshot::channel();
        // The newer session is the living one: the older is a connection that died unnoticed, or a copied store.
        self.end_session(request.client, "another session of the same client began");
        self.sessions.insert(request.client, end);
        let view = view_of(&self.realm);
        Ok(BoundSession { start, view, last: bind.last, now, ended })
    }

    fn salt_at(&self, request: &BindRequest) -> Result<Option<Salt>, StorageError> {
        let record = self.realm.record();
        let Some(cursor) = request.cursor.filter(|_| request.purpose == Purpose::Sync) else { return Ok(None) };
        if cursor.epoch != record.epoch
            || cursor.version <= record.floor.version
            || cursor.version >= record.head.version
        {
            return Ok(None);
        }
        let before = ServerVersion(cursor.version.0 - 1);
        let found = self.context.storage.read_after(&self.name, before, 1)?;
        Ok(found.first().filter(|entry| entry.at.version == cursor.version).map(|entry| entry.at.salt))
    }

    /// Makes durable what a bind changes: the client's registration, and additions to the schema.
    fn grow(
        &mut self,
        request: &BindRequest,
        registration: &Option<ebbtide_sync::server::ClientRecord>,
        now: Millis,
    ) -> Result<(), Refusal> {
        let mut integration = Integration::new(&self.realm, now);
        if let Some(record) = registration {
            integration.register(request.client, record.clone());
        }
        if self.context.rules.schema == SchemaRule::Extend {
            let at = integration.head().version;
            if let Some(entry) = schema_entry(self.realm.schema(), &request.schema, at, EditTime(now.0 << 16))? {
                integration.push_own(&entry, Salt(edge::random_u64()));
            }
        }
        let step = integration.finish();
        self.commit(step).map_err(|error| self.later(&error))
    }

    /// Integrates uploads in one transaction and answers each.
    fn integrate(&mut self, uploads: Vec<Waiting>) {
        if uploads.is_empty() {
            return;
        }
        let now = (self.context.now)();
        let mut integration = Integration::new(&self.realm, now);
        let mut outcomes = Vec::with_capacity(uploads.len());
        for (client, changesets, reply) in uploads {
            let mut outcome = UploadOutcome { accepted: None, refusal: None };
            for changeset in changesets {
                match integration.upload(client, changeset, Salt(edge::random_u64())) {
                    Ok(accepted) => outcome.accepted = Some(accepted),
                    Err(refusal) => {
                        outcome.refusal = Some(refusal);
                        break;
                    }
                }
            }
            outcomes.push((outcome, reply));
        }
        let step = integration.finish();
        let failed = self.commit(step).err().map(|error| self.later(&error));
        for (mut outcome, reply) in outcomes {
            if let Some(refusal) = &failed {
                outcome = UploadOutcome { accepted: None, refusal: Some(refusal.clone()) };
            }
            drop(reply.send(outcome));
        }
    }

    /// Makes a step durable, and only then moves the realm and shows the new head.
    fn commit(&mut self, step: ebbtide_sync::server::Step) -> Result<(), StorageError> {
        if step.append.is_empty() {
            return Ok(());
        }
        self.context.storage.append_if_head_is(&self.name, step.from.version, &step.append)?;
        self.since_image.entries += step.append.entries.len() as u64;
        self.since_image.bytes += step.append.bytes();
        self.history.push(step.append.entries.clone());
        self.realm.advance(step);
        self.view.send_replace(view_of(&self.realm));
        Ok(())
    }

    fn end_all(&mut self, refusal: &Refusal) {
        for (_, session) in std::mem::take(&mut self.sessions) {
            drop(session.send(refusal.clone()));
        }
    }

    fn later(&self, error: &StorageError) -> Refusal {
        tracing::error!(realm = %self.name, %error, "storage failed; nothing was acknowledged");
        Refusal::later(Code::TRY_AGAIN, "the server cannot write to its storage now", 5_000)
    }

    // ---- what the operator asks

    fn terminate(&mut self) -> Result<RealmView, String> {
        let state = self.realm.state().clone();
        self.begin_epoch(state, "sync of this realm was terminated and enabled again")
    }

    fn change(&mut self, change: &SchemaChange) -> Result<RealmView, String> {
        if !change.is_additive() {
            let state = reshaped(self.realm.state(), change)?;
            return self.begin_epoch(state, "the schema of this realm was changed in a way that breaks its history");
        }
        let wanted = change.apply(self.realm.schema()).map_err(|error| error.to_string())?;
        let now = (self.context.now)();
        let mut integration = Integration::new(&self.realm, now);
        let at = integration.head().version;
        let entry = schema_entry(self.realm.schema(), &wanted, at, EditTime(now.0 << 16));
        if let Some(entry) = entry.map_err(|refusal| refusal.reason)? {
            integration.push_own(&entry, Salt(edge::random_u64()));
        }
        let step = integration.finish();
        self.commit(step).map_err(|error| error.to_string())?;
        Ok(view_of(&self.realm))
    }

    /// Starts the realm anew from a state: nobody's history continues.
    fn begin_epoch(&mut self, state: ebbtide_core::Snapshot, why: &str) -> Result<RealmView, String> {
        let record = new_epoch(self.realm.record(), Epoch(edge::random_bytes()), Salt(edge::random_u64()));
        let image = image_of(&state, record.head.version);
        self.context.storage.begin(&self.name, &record, &image).map_err(|error| error.to_string())?;
        self.realm = Realm::new(record, state);
        self.history.clear();
        self.bootstraps.clear();
        self.moved.clear();
        self.since_image = SinceImage::default();
        self.view.send_replace(view_of(&self.realm));
        self.end_all(&Refusal::reset(Code::DIVERGING_HISTORIES, why));
        Ok(view_of(&self.realm))
    }

    fn trim(&mut self, keep: u64) -> Result<RealmView, String> {
        let to = trim_point(self.realm.record(), keep);
        self.trim_to(to).map_err(|error| error.to_string())?;
        Ok(view_of(&self.realm))
    }

    fn trim_to(&mut self, to: ServerVersion) -> Result<(), StorageError> {
        let record = self.realm.record();
        if to <= record.floor.version {
            return Ok(());
        }
        let floor = if to == record.head.version {
            record.head
        } else {
            let before = ServerVersion(to.0 - 1);
            let found = self.context.storage.read_after(&self.name, before, 1)?;
            let missing = || StorageError::Corrupt(format!("realm '{}' has no entry {}", self.name, to.0));
            found.first().map(|entry| entry.at).ok_or_else(missing)?
        };
        self.save_image()?;
        self.context.storage.trim(&self.name, floor)?;
        self.realm.trimmed(floor);
        self.history.clear();
        self.bootstraps.clear();
        self.view.send_replace(view_of(&self.realm));
        Ok(())
    }

    fn forget(&mut self, client: ClientId) -> Result<bool, String> {
        if !self.realm.record().clients.contains_key(&client) {
            return Ok(false);
        }
        let mut integration = Integration::new(&self.realm, (self.context.now)());
        integration.forget(client);
        let step = integration.finish();
        self.commit(step).map_err(|error| error.to_string())?;
        self.moved.remove(&client);
        if let Some(session) = self.sessions.remove(&client) {
            let reason = "the server does not know this client any more";
            drop(session.send(Refusal::reset(Code::BAD_CLIENT_FILE_IDENT, reason)));
        }
        Ok(true)
    }

    // ---- upkeep

    fn keep_house(&mut self) {
        self.bootstraps.expire();
        self.sessions.retain(|_, session| !session.is_closed());
        let now = (self.context.now)();
        for client in self.sessions.keys() {
            // Whoever is connected is not away, however little it has to say.
            self.realm.note_seen(*client, ServerVersion(0), now);
            self.moved.insert(*client);
        }
        self.write_positions();
        let oldest = now.0.saturating_sub(self.context.rules.max_offline_ms);
        match self.last_before(Millis(oldest)) {
            Ok(Some(version)) => {
                if let Err(error) = self.trim_to(version) {
                    tracing::error!(realm = %self.name, %error, "the history could not be trimmed");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(realm = %self.name, %error, "the history could not be read"),
        }
    }

    /// The last entry that was taken before a time.
    fn last_before(&self, time: Millis) -> Result<Option<ServerVersion>, StorageError> {
        let mut at = self.realm.record().floor.version;
        let mut last = None;
        loop {
            let entries = self.context.storage.read_after(&self.name, at, COMMIT_BYTES_MAX)?;
            for entry in &entries {
                if entry.time >= time {
                    return Ok(last);
                }
                last = Some(entry.at.version);
                at = entry.at.version;
            }
            if entries.is_empty() {
                return Ok(last);
            }
        }
    }

    /// Writes down where clients are. Losing it costs nothing but a later trim.
    fn write_positions(&mut self) {
        let record = self.realm.record();
        let moved = std::mem::take(&mut self.moved);
        let clients: BTreeMap<_, _> =
            moved.iter().filter_map(|client| Some((*client, record.clients.get(client)?.clone()))).collect();
        if clients.is_empty() {
            return;
        }
        let append = Append { clients, ..Append::default() };
        if let Err(error) = self.context.storage.append_if_head_is(&self.name, record.head.version, &append) {
            tracing::error!(realm = %self.name, %error, "positions of clients could not be written");
        }
    }

    fn save_image_if_due(&mut self) {
        let due = self.since_image.entries > IMAGE_AFTER_ENTRIES || self.since_image.bytes > IMAGE_AFTER_BYTES;
        if due && let Err(error) = self.save_image() {
            tracing::error!(realm = %self.name, %error, "the image could not be saved; the old one stays");
        }
    }

    fn save_image(&mut self) -> Result<(), StorageError> {
        let image = image_of(self.realm.state(), self.realm.record().head.version);
        self.context.storage.save_image(&self.name, &image)?;
        self.realm.saved();
        self.since_image = SinceImage::default();
        Ok(())
    }
}

fn view_of(realm: &Realm) -> RealmView {
    let record = realm.record();
    RealmView { epoch: record.epoch, head: record.head, floor: record.floor }
}
