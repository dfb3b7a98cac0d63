//! A realm's part in the sync session that all tabs share: one of them, the leader, has the connection; the others hear from
//! it how the session goes.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use ebbtide_sync::client::{
    AttachId, ConnectionEvent, ConnectionState, Direction, Event, Progress, Role, SessionState, WaitId,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::run::Driver;
use crate::api;
use crate::error::Result;
use crate::link::{Link, LinkUser};
use crate::outbox::Call;
use crate::tabs::{Activity, Company, LeaderState, Saying, Stake, Tab, TabUser};

/// The session as it is in this tab.
pub(super) struct Session {
    link: Rc<Link>,
    /// The leader is attached to the connection.
    attached: Cell<Option<AttachId>>,
    /// The state of the connection that the app was told last.
    shown: Cell<ConnectionState>,
    activity: Cell<Activity>,
    /// What the leader has downloaded and what there is to download, as it has said last.
    downloaded: Cell<Option<(u64, u64)>>,
}

impl Session {
    /// A session that is not attached yet.
    pub(super) fn new(link: Rc<Link>) -> Session {
        Session {
            link,
            attached: Cell::default(),
            shown: Cell::new(ConnectionState::Disconnected),
            activity: Cell::default(),
            downloaded: Cell::default(),
        }
    }
}

impl Driver {
    /// Comes among the tabs that have the realm open.
    pub(crate) fn join(&self, stake: Stake, company: Company) {
        if self.is_closed() {
            return;
        }
        let leads = matches!(stake, Stake::Has(_));
        let user: Weak<dyn TabUser> = self.this.clone();
        let tab = Tab::begin(self.path(), stake, company, user);
        self.tab.replace(Some(tab));
        if leads {
            self.become_role(Role::Leads);
        }
        // What was read before we could hear others may be old.
        self.handle(Event::Nudged);
    }

    /// What the realm is to other tabs.
    pub(super) fn tab(&self) -> Option<Rc<Tab>> {
        self.tab.borrow().clone()
    }

    /// The state of the connection to the server, which the leader has.
    pub(crate) fn connection_state(&self) -> ConnectionState {
        let Some(session) = &self.session else { return ConnectionState::Disconnected };
        match self.role.get() {
            Role::Leads => session.link.state(),
            Role::Follows => session.shown.get(),
        }
    }

    /// Whether this tab speaks to the server.
    pub(crate) fn leads(&self) -> bool {
        self.role.get() == Role::Leads
    }

    /// Whether the session tries to sync.
    pub(crate) fn session_state(&self) -> Result<SessionState> {
        let own = self.engine(|engine| engine.session_state())?;
        Ok(self.tab().and_then(|tab| tab.leader()).map_or(own, |leader| leader.session))
    }

    /// How far the data has got: what is uploaded every tab knows, what is downloaded the leader.
    pub(crate) fn session_progress(&self) -> Result<Progress> {
        let own = self.engine(|engine| engine.progress())?;
        let told = self.session.as_ref().and_then(|session| session.downloaded.get());
        match (self.role.get(), told) {
            (Role::Follows, Some((downloaded, downloadable))) => Ok(Progress { downloaded, downloadable, ..own }),
            (Role::Follows, None) | (Role::Leads, _) => Ok(own),
        }
    }

    /// Pauses or resumes the session, in all tabs: there is one.
    pub(crate) fn set_activity(&self, activity: Activity) {
        self.take_activity(activity);
        if let Some(tab) = self.tab() {
            tab.tell(Saying::Activity(activity));
        }
    }

    /// Has the leader do something about the session: this tab if it leads.
    pub(crate) fn have_done(&self, what: Saying) {
        match (self.role.get(), self.tab()) {
            (Role::Follows, Some(tab)) => tab.tell(what),
            (Role::Follows, None) | (Role::Leads, _) => self.overheard(what),
        }
    }

    /// Tells the connection what happened, if this tab has it.
    pub(super) fn tell_link(&self, event: impl FnOnce(AttachId) -> ConnectionEvent) {
        if let Some(session) = &self.session
            && let Some(id) = session.attached.get()
        {
            session.link.handle(event(id));
        }
    }

    /// Attaches the realm to its connection.
    pub(super) fn attach(&self) {
        let Some(session) = &self.session else { return };
        if session.attached.get().is_none() {
            let user: Weak<dyn LinkUser> = self.this.clone();
            session.attached.set(Some(session.link.attach(user)));
            session.shown.set(session.link.state());
        }
    }

    /// Gives the connection up.
    pub(super) fn detach(&self) {
        if let Some(session) = &self.session
            && let Some(id) = session.attached.take()
        {
            session.link.detach(id);
        }
    }

    /// Tells the other tabs how the session is, if this one leads.
    pub(super) fn tell_session(&self) {
        if let Some(tab) = self.tab() {
            tab.tell_session();
        }
    }

    /// Tells the app, and if this tab leads the others, how much has been transferred.
    pub(super) fn progressed(&self, direction: Direction, transferred: u64, transferable: u64) {
        if direction == Direction::Download
            && let Some(tab) = self.tab().filter(|tab| tab.leads())
        {
            tab.tell(Saying::Progress { transferred, transferable });
        }
        self.outbox.push(Call::Progress { direction, transferred, transferable });
    }

    /// Tells the other tabs of an error of the session.
    pub(crate) fn share_error(&self, error: &JsValue) {
        if let Some(tab) = self.tab().filter(|tab| tab.leads()) {
            tab.tell(Saying::Error(error.clone()));
        }
    }

    /// Asks the leader for everything that the server has now.
    pub(super) fn ask_leader(&self, id: WaitId) {
        if let Some(tab) = self.tab() {
            tab.ask(id);
        }
    }

    fn become_role(&self, role: Role) {
        if self.role.replace(role) == role {
            return;
        }
        match role {
            Role::Leads => {
                self.handle(Event::Lead);
                let before = self.session.as_ref().map(|session| session.shown.get());
                self.attach();
                if let (Some(session), Some(before)) = (&self.session, before) {
                    let now = session.shown.replace(before);
                    self.show_connection(now);
                }
            }
            Role::Follows => {
                self.handle(Event::Follow);
                self.detach();
                self.show_connection(ConnectionState::Disconnected);
            }
        }
    }

    fn show_connection(&self, to: ConnectionState) {
        let Some(session) = &self.session else { return };
        let from = session.shown.replace(to);
        if from != to {
            self.outbox.push(Call::ConnectionState { to, from });
            self.schedule();
        }
    }

    fn take_activity(&self, activity: Activity) {
        let Some(session) = &self.session else { return };
        if session.activity.replace(activity) == activity && activity == Activity::Paused {
            return;
        }
        self.handle(match activity {
            Activity::Running => Event::Resume,
            Activity::Paused => Event::Pause,
        });
        self.tell_session();
    }
}

impl LinkUser for Driver {
    fn link_event(&self, event: Event) {
        self.handle(event);
    }

    fn connection_changed(&self, to: ConnectionState, from: ConnectionState) {
        if self.role.get() == Role::Leads {
            if let Some(session) = &self.session {
                session.shown.set(from);
            }
            self.show_connection(to);
            self.tell_session();
        }
    }

    fn connection_problem(&self, code: u16, message: &str, fatal: bool) {
        self.outbox.push(Call::ConnectionProblem { code, message: message.to_owned(), fatal });
        self.schedule();
    }
}

impl TabUser for Driver {
    fn role_changed(&self, role: Role) {
        self.become_role(role);
    }

    fn tab_event(&self, event: Event) {
        self.handle(event);
    }

    fn overheard(&self, saying: Saying) {
        match saying {
            Saying::State(state) => {
                self.show_connection(state.connection);
                if self.session.as_ref().is_some_and(|session| session.activity.get() != state.activity) {
                    self.take_activity(state.activity);
                }
            }
            Saying::Progress { transferred, transferable } => {
                if let Some(session) = &self.session {
                    session.downloaded.set(Some((transferred, transferable)));
                }
                self.outbox.push(Call::Progress { direction: Direction::Download, transferred, transferable });
            }
            Saying::Error(error) => {
                if let Some(backup) = backup_in(&error) {
                    api::announce_backup(self.path(), backup);
                }
                self.outbox.push(Call::ErrorElsewhere(error));
            }
            Saying::Activity(activity) => self.take_activity(activity),
            Saying::Reconnect => self.tell_link(|_| ConnectionEvent::Reconnect),
            Saying::Wake => self.tell_link(|_| ConnectionEvent::Online),
            Saying::Simulate { code, message, fatal } => self.handle(Event::SimulateError { code, message, fatal }),
        }
        self.schedule();
    }

    fn asked(&self, id: String) {
        let this = self.this.clone();
        let (_, done) = self.wait(Event::WaitDownload);
        spawn_local(async move {
            let outcome = done.await;
            let tab = this.upgrade().and_then(|driver| driver.tab());
            // A realm that was closed meanwhile does not answer: the next leader is asked.
            if let (Ok(outcome), Some(tab)) = (outcome, tab) {
                tab.answer(id, outcome.map_err(|fault| fault.message()));
            }
        });
    }

    fn session(&self, leader: &str) -> Option<LeaderState> {
        let session = self.session.as_ref()?;
        Some(LeaderState {
            leader: leader.to_owned(),
            connection: session.link.state(),
            session: self.engine.borrow().session_state(),
            activity: session.activity.get(),
        })
    }

    fn waits_for_server(&self) -> bool {
        let asked = || self.tab().is_some_and(|tab| tab.has_asked());
        self.session.is_some() && (asked() || self.engine.borrow().pending_count() > 0)
    }
}

/// The backup that an error of a client reset names.
fn backup_in(error: &JsValue) -> Option<String> {
    let info = js_sys::Reflect::get(error, &"userInfo".into()).ok()?;
    js_sys::Reflect::get(&info, &"RECOVERY_FILE_PATH".into()).ok()?.as_string()
}
