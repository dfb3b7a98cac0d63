//! Calls to the app, in order. Each is made with nothing of ours borrowed, so the app may call back freely.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use ebbtide_core::Snapshot;
use ebbtide_core::notify::{CollectionChanges, DictionaryChanges};
use ebbtide_sync::client::{
    ConnectionState, Direction, Event, Origin, ResetCause, ResetPhase, ResetProgress, SyncError, SyncErrorKind,
};
use ebbtide_sync::wire::Code;
use futures_channel::oneshot;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::api;
use crate::clock;
use crate::driver::Driver;
use crate::error::{Fault, Result, describe, set};
use crate::host::Host;
use crate::idb::{ActionKind, Catalogue, Change, FileAction};
use crate::observers::{Deleted, Notice};
use crate::tabs::connection_name;

/// One call.
pub(crate) enum Call {
    Notices(Vec<Notice>),
    SyncError(SyncError),
    /// An error of the session that another tab leads, as its app gets it.
    ErrorElsewhere(JsValue),
    /// With the version of the state.
    ResetBefore(Snapshot, u64),
    ResetAfter(Snapshot),
    ResetProgress(Box<ResetProgress>),
    /// Not a call, but what must be on disk before the calls after it are made.
    RecordBackup {
        cause: ResetCause,
        message: String,
    },
    EndWait(oneshot::Sender<Result<()>>, Result<()>),
    Progress {
        direction: Direction,
        transferred: u64,
        transferable: u64,
    },
    ConnectionState {
        to: ConnectionState,
        from: ConnectionState,
    },
    ConnectionProblem {
        code: u16,
        message: String,
        fatal: bool,
    },
    StorageError(Fault),
}

/// The calls that are due.
pub(crate) struct Outbox {
    path: String,
    app_id: Option<String>,
    /// Whom to call; nobody once the realm is closed and the last call is made.
    host: RefCell<Option<Host>>,
    has_ended: Cell<bool>,
    calls: RefCell<VecDeque<Call>>,
    /// A record is being written; the calls behind it wait.
    held: Cell<bool>,
    delivering: Cell<bool>,
    backup: RefCell<Option<String>>,
    version_before: Cell<u64>,
    /// The phases of the reset under way in order, and when each was entered.
    phases: RefCell<Vec<(&'static str, f64)>>,
    driver: Weak<Driver>,
    this: Weak<Outbox>,
}

impl Outbox {
    /// An empty one.
    pub(crate) fn new(path: &str, app_id: Option<String>, host: Host, driver: Weak<Driver>) -> Rc<Outbox> {
        Rc::new_cyclic(|this| Outbox {
            path: path.to_owned(),
            app_id,
            host: RefCell::new(Some(host)),
            has_ended: Cell::new(false),
            calls: RefCell::default(),
            held: Cell::new(false),
            delivering: Cell::new(false),
            backup: RefCell::default(),
            version_before: Cell::new(0),
            phases: RefCell::default(),
            driver,
            this: this.clone(),
        })
    }

    /// Adds a call.
    pub(crate) fn push(&self, call: Call) {
        self.calls.borrow_mut().push_back(call);
    }

    /// Makes the calls that are due.
    pub(crate) fn deliver(&self) {
        if self.held.get() || self.delivering.replace(true) {
            return;
        }
        while !self.held.get() {
            let call = self.calls.borrow_mut().pop_front();
            match call {
                Some(call) => self.make(call),
                None => break,
            }
        }
        self.delivering.set(false);
        self.forget_host();
    }

    /// After the calls that are due nobody is called any more.
    pub(crate) fn end(&self) {
        self.has_ended.set(true);
        self.deliver();
    }

    /// Lets the app's side go when it is called no more: it holds the realm, so neither could be freed before the other.
    fn forget_host(&self) {
        if self.has_ended.get() && !self.held.get() {
            self.host.take();
        }
    }

    fn tell(&self, call: impl FnOnce(&Host)) {
        let host = self.host.borrow().clone();
        if let Some(host) = host {
            call(&host);
        }
    }

    fn make(&self, call: Call) {
        match call {
            Call::Notices(notices) => self.tell_notices(&notices),
            Call::SyncError(error) => self.tell_error(&self.sync_error(&error)),
            Call::ErrorElsewhere(error) => self.tell(|host| host.tell_sync_error(&error)),
            Call::ResetBefore(before, version) => {
                self.version_before.set(version);
                self.call_reset(before, version, Host::call_reset_before, Event::ResetBeforeDone);
            }
            Call::ResetAfter(before) => {
                self.call_reset(before, self.version_before.get(), Host::call_reset_after, Event::ResetAfterDone);
            }
            Call::ResetProgress(progress) => {
                let progress = self.reset_progress(&progress);
                self.tell(|host| host.tell_reset_progress(&progress));
            }
            Call::RecordBackup { cause, message } => self.record_backup(cause, message),
            Call::EndWait(tell, outcome) => {
                let _ = tell.send(outcome);
            }
            Call::Progress { direction, transferred, transferable } => {
                let direction = match direction {
                    Direction::Upload => "upload",
                    Direction::Download => "download",
                };
                self.tell(|host| host.tell_progress(direction, transferred, transferable));
            }
            Call::ConnectionState { to, from } => {
                self.tell(|host| host.tell_connection_state(connection_name(to), connection_name(from)));
            }
            Call::ConnectionProblem { code, message, fatal } => {
                self.tell_error(&plain_error("SyncError", &message, f64::from(code), code, fatal));
            }
            Call::StorageError(fault) => self.tell(|host| host.tell_storage_error(&fault.to_js())),
        }
    }

    /// Tells the app of an error, in this tab and in the others.
    fn tell_error(&self, error: &JsValue) {
        if let Some(driver) = self.driver.upgrade() {
            driver.share_error(error);
        }
        self.tell(|host| host.tell_sync_error(error));
    }

    fn tell_notices(&self, notices: &[Notice]) {
        if notices.is_empty() {
            return;
        }
        let list: js_sys::Array = notices.iter().map(notice_to_js).collect();
        self.tell(|host| host.tell_notices(&list));
    }

    fn call_reset(
        &self,
        before: Snapshot,
        version: u64,
        call: fn(&Host, JsValue) -> std::result::Result<JsValue, JsValue>,
        done: fn(std::result::Result<(), String>) -> Event,
    ) {
        let host = self.host.borrow().clone();
        let (Some(driver), Some(host)) = (self.driver.upgrade(), host) else { return };
        let frozen = api::frozen_realm(&driver, before, version);
        let called = call(&host, frozen);
        let driver = Rc::downgrade(&driver);
        spawn_local(async move {
            let settled = match called {
                Ok(returned) => match returned.dyn_into::<js_sys::Promise>() {
                    Ok(promise) => JsFuture::from(promise).await.map(|_| ()),
                    Err(_) => Ok(()),
                },
                Err(thrown) => Err(thrown),
            };
            if let Some(driver) = driver.upgrade() {
                driver.handle(done(settled.map_err(|thrown| describe(&thrown))));
            }
        });
    }

    fn record_backup(&self, cause: ResetCause, message: String) {
        let backup = api::backup_path(&self.path, self.app_id.as_deref().unwrap_or_default());
        self.backup.replace(Some(backup.clone()));
        let action = FileAction {
            path: self.path.clone(),
            action: ActionKind::BackupThenDelete,
            backup,
            code: f64::from(cause_code(cause)),
            message,
        };
        self.held.set(true);
        let this = self.this.clone();
        spawn_local(async move {
            let recorded = Catalogue::change(vec![Change::PutAction(action)]).await;
            if let Some(outbox) = this.upgrade() {
                if let Err(fault) = recorded {
                    outbox.calls.borrow_mut().push_front(Call::StorageError(fault));
                }
                outbox.held.set(false);
                outbox.deliver();
            }
        });
    }

    fn sync_error(&self, error: &SyncError) -> JsValue {
        let name = match error.kind {
            SyncErrorKind::ClientReset => "ClientReset",
            SyncErrorKind::CompensatingWrite => "CompensatingWriteError",
            SyncErrorKind::Other => "SyncError",
        };
        let object = plain_error(name, &error.message, f64::from(error.code), error.wire_code.0, error.fatal);
        if let Some(cause) = &error.cause {
            set(&object, "cause", &cause.as_str().into());
        }
        if error.kind == SyncErrorKind::ClientReset {
            let info = js_sys::Object::new();
            set(&info, "ORIGINAL_FILE_PATH", &self.path.as_str().into());
            if let Some(backup) = &*self.backup.borrow() {
                set(&info, "RECOVERY_FILE_PATH", &backup.as_str().into());
            }
            set(&object, "userInfo", &info);
        }
        object
    }

    fn reset_progress(&self, progress: &ResetProgress) -> JsValue {
        let now_ms = clock::monotonic_ms();
        let object = js_sys::Object::new();
        let phase = phase_name(progress.phase);
        let durations = js_sys::Object::new();
        {
            let mut phases = self.phases.borrow_mut();
            if progress.phase == ResetPhase::Marked {
                phases.clear();
            }
            if phases.iter().all(|(entered, _)| *entered != phase) {
                phases.push((phase, now_ms));
            }
            for (index, (phase, at_ms)) in phases.iter().enumerate() {
                let left_ms = phases.get(index + 1).map_or(now_ms, |(_, at_ms)| *at_ms);
                set(&durations, phase, &(left_ms - at_ms).into());
            }
        }
        set(&object, "phase", &phase.into());
        set(&object, "cause", &cause_name(progress.cause).into());
        set(&object, "code", &f64::from(progress.code).into());
        set(&object, "message", &progress.message.as_str().into());
        set(&object, "attempt", &f64::from(progress.attempt).into());
        set(&object, "startedMs", &(progress.started.0 as f64).into());
        set(&object, "durationsMs", &durations);
        set(&object, "stagedBytes", &(progress.staged_bytes as f64).into());
        set(&object, "totalBytes", &(progress.total_bytes as f64).into());
        if let Some(report) = &progress.report {
            set(&object, "report", &api::report_to_js(report));
        }
        object.into()
    }
}

fn plain_error(name: &str, message: &str, code: f64, wire_code: u16, fatal: bool) -> JsValue {
    let object = js_sys::Object::new();
    set(&object, "name", &name.into());
    set(&object, "message", &message.into());
    set(&object, "code", &code.into());
    set(&object, "wireCode", &f64::from(wire_code).into());
    set(&object, "isFatal", &fatal.into());
    object.into()
}

fn notice_to_js(notice: &Notice) -> JsValue {
    let object = js_sys::Object::new();
    set(&object, "id", &f64::from(notice.id()).into());
    match notice {
        Notice::Realm { origin } => {
            let origin = match origin {
                Origin::Local => "local",
                Origin::Remote => "remote",
                Origin::Reset => "reset",
            };
            set(&object, "origin", &origin.into());
        }
        Notice::Collection { changes, deleted, .. } => {
            let CollectionChanges { deletions, insertions, old_modifications, new_modifications } = changes;
            set_positions(&object, "deletions", deletions);
            set_positions(&object, "insertions", insertions);
            set_positions(&object, "oldModifications", old_modifications);
            set_positions(&object, "newModifications", new_modifications);
            set_deleted(&object, *deleted);
        }
        Notice::Dictionary { changes, deleted, .. } => {
            let DictionaryChanges { deletions, insertions, modifications } = changes;
            set_keys(&object, "deletedKeys", deletions);
            set_keys(&object, "insertedKeys", insertions);
            set_keys(&object, "modifiedKeys", modifications);
            set_deleted(&object, *deleted);
        }
        Notice::Object { columns, paths, deleted, .. } => {
            let columns: Vec<u32> = columns.iter().map(|column| column.0).collect();
            set_positions(&object, "changedColumns", &columns);
            set_positions(&object, "changedPaths", paths);
            set_deleted(&object, *deleted);
        }
    }
    object.into()
}

/// What is empty is left out.
fn set_positions(object: &js_sys::Object, name: &str, positions: &[u32]) {
    if !positions.is_empty() {
        set(object, name, &js_sys::Uint32Array::from(positions));
    }
}

fn set_keys(object: &js_sys::Object, name: &str, keys: &[String]) {
    if !keys.is_empty() {
        let keys: js_sys::Array = keys.iter().map(|key| JsValue::from_str(key)).collect();
        set(object, name, &keys);
    }
}

fn set_deleted(object: &js_sys::Object, deleted: Deleted) {
    match deleted {
        Deleted::Yes => set(object, "deleted", &JsValue::TRUE),
        Deleted::No => {}
    }
}

fn phase_name(phase: ResetPhase) -> &'static str {
    match phase {
        ResetPhase::Marked => "marked",
        ResetPhase::Staging => "staging",
        ResetPhase::Checking => "checking",
        ResetPhase::Before => "before",
        ResetPhase::Swapping => "swapping",
        ResetPhase::After => "after",
        ResetPhase::Done => "done",
        ResetPhase::Manual => "manual",
    }
}

fn cause_code(cause: ResetCause) -> u16 {
    let code = match cause {
        ResetCause::ServerForgotClient => Code::BAD_CLIENT_FILE_IDENT,
        ResetCause::ClientAhead => Code::BAD_SERVER_VERSION,
        ResetCause::ClientHistoryBroken => Code::BAD_CLIENT_VERSION,
        ResetCause::HistoryDiverged => Code::DIVERGING_HISTORIES,
        ResetCause::BadChangeset => Code::BAD_CHANGESET,
        ResetCause::BadClientFile => Code::BAD_CLIENT_FILE,
        ResetCause::Expired => Code::CLIENT_FILE_EXPIRED,
        ResetCause::SchemaConflict => Code::INVALID_SCHEMA_CHANGE,
        ResetCause::Other(code) => code,
    };
    code.0
}

fn cause_name(cause: ResetCause) -> &'static str {
    match cause {
        ResetCause::ServerForgotClient => "serverForgotClient",
        ResetCause::ClientAhead => "clientAhead",
        ResetCause::ClientHistoryBroken => "clientHistoryBroken",
        ResetCause::HistoryDiverged => "historyDiverged",
        ResetCause::BadChangeset => "badChangeset",
        ResetCause::BadClientFile => "badClientFile",
        ResetCause::Expired => "expired",
        ResetCause::SchemaConflict => "schemaConflict",
        ResetCause::Other(_) => "other",
    }
}
