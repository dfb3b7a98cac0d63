//! One connection for all synced realms of one user of an app: carries the connection's effects out and feeds it what happens.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use ebbtide_sync::client::{
    AttachId, Connection, ConnectionEffect, ConnectionEvent, ConnectionOptions, ConnectionState, Event, Retry,
};
use ebbtide_sync::wire::{Code, SUBPROTOCOL, Token};
use wasm_bindgen_futures::spawn_local;

use crate::error::{Fault, Result};
use crate::idb::{Catalogue, Change};
use crate::login;
use crate::socket::{Socket, SocketEvent};
use crate::timer::Alarm;
use crate::wake::WakeEvents;
use crate::{clock, poison};

/// A realm that uses the connection.
pub(crate) trait LinkUser {
    /// The connection has something for the realm's engine.
    fn link_event(&self, event: Event);
    /// The connection's state has changed.
    fn connection_changed(&self, to: ConnectionState, from: ConnectionState);
    /// Something is wrong with the connection as a whole.
    fn connection_problem(&self, code: u16, message: &str, fatal: bool);
}

/// Whom the connection speaks for, and to which server.
#[derive(Clone, Debug)]
pub(crate) struct LinkIdentity {
    pub(crate) base_url: String,
    pub(crate) app_id: String,
    pub(crate) user_id: String,
}

/// The connection and its socket.
pub(crate) struct Link {
    identity: LinkIdentity,
    connection: RefCell<Connection>,
    sockets: RefCell<BTreeMap<u64, Socket>>,
    users: RefCell<BTreeMap<AttachId, Weak<dyn LinkUser>>>,
    next_attach: Cell<u32>,
    draining: Cell<bool>,
    alarm: Alarm,
    wake: RefCell<Option<WakeEvents>>,
    this: Weak<Link>,
}

impl Link {
    /// A connection without a socket; the first realm that attaches opens one.
    pub(crate) fn new(identity: LinkIdentity, access_token: String, offline: bool) -> Rc<Link> {
        let options = ConnectionOptions {
            token: Token(access_token),
            client_info: format!("ebbtide/{}", env!("CARGO_PKG_VERSION")),
            seed: clock::random(),
        };
        let link = Rc::new_cyclic(|this| Link {
            identity,
            connection: RefCell::new(Connection::open(options)),
            sockets: RefCell::default(),
            users: RefCell::default(),
            next_attach: Cell::new(1),
            draining: Cell::new(false),
            alarm: Alarm::default(),
            wake: RefCell::new(None),
            this: this.clone(),
        });
        if offline {
            link.handle(ConnectionEvent::SetOffline(true));
        }
        let this = Rc::downgrade(&link);
        link.wake.replace(Some(WakeEvents::listen(move || {
            if let Some(link) = this.upgrade() {
                link.handle(ConnectionEvent::Online);
            }
        })));
        link
    }

    /// Attaches a realm, and connects if it is the first.
    pub(crate) fn attach(&self, user: Weak<dyn LinkUser>) -> AttachId {
        let id = AttachId(self.next_attach.replace(self.next_attach.get() + 1));
        self.users.borrow_mut().insert(id, user);
        self.handle(ConnectionEvent::Attach(id));
        id
    }

    /// Detaches a realm, and disconnects if it was the last.
    pub(crate) fn detach(&self, id: AttachId) {
        self.handle(ConnectionEvent::Detach(id));
        self.users.borrow_mut().remove(&id);
    }

    /// Whether there is a connection.
    pub(crate) fn state(&self) -> ConnectionState {
        self.connection.borrow().state()
    }

    /// Tells the connection what happened and does what it answers.
    pub(crate) fn handle(&self, event: ConnectionEvent) {
        if poison::check().is_err() {
            return;
        }
        self.connection.borrow_mut().handle(clock::now(), event);
        self.drain();
    }

    /// Carries out effects until there are none. What happens meanwhile is taken up by the same loop.
    fn drain(&self) {
        if self.draining.replace(true) {
            return;
        }
        loop {
            let effect = self.connection.borrow_mut().poll();
            match effect {
                Some(effect) => self.carry_out(effect),
                None => break,
            }
        }
        self.draining.set(false);
        let deadline = self.connection.borrow().next_deadline();
        let this = self.this.clone();
        self.alarm.set(deadline, move || {
            if let Some(link) = this.upgrade() {
                link.alarm.rang();
                link.handle(ConnectionEvent::Timer);
            }
        });
    }

    fn carry_out(&self, effect: ConnectionEffect) {
        match effect {
            ConnectionEffect::OpenSocket(number) => self.open_socket(number),
            ConnectionEffect::SendFrame(number, bytes) => {
                let sent = self.sockets.borrow().get(&number).map_or(Ok(()), |socket| socket.send(&bytes));
                if let Err(fault) = sent {
                    self.closed(number, 1006, fault.message());
                }
            }
            ConnectionEffect::CloseSocket(number, code) => {
                let socket = self.sockets.borrow_mut().remove(&number);
                if let Some(socket) = socket {
                    socket.close(code);
                }
            }
            ConnectionEffect::Deliver(id, message) => self.tell(id, Event::Message(message)),
            ConnectionEffect::LinkUp(id, session) => self.tell(id, Event::LinkUp { session }),
            ConnectionEffect::LinkDown(id, reason) => self.tell(id, Event::LinkDown { reason }),
            ConnectionEffect::StateChanged { from, to } => {
                for user in self.attached() {
                    user.connection_changed(to, from);
                }
            }
            ConnectionEffect::NeedToken => self.refresh_token(),
            ConnectionEffect::Problem { code, message, retry } => {
                self.tell_problem(code.0, &message, retry == Retry::WhenAsked);
            }
        }
    }

    fn tell_problem(&self, code: u16, message: &str, fatal: bool) {
        for user in self.attached() {
            user.connection_problem(code, message, fatal);
        }
    }

    fn attached(&self) -> Vec<Rc<dyn LinkUser>> {
        self.users.borrow().values().filter_map(Weak::upgrade).collect()
    }

    fn tell(&self, id: AttachId, event: Event) {
        let user = self.users.borrow().get(&id).and_then(Weak::upgrade);
        if let Some(user) = user {
            user.link_event(event);
        }
    }

    fn open_socket(&self, number: u64) {
        let url = login::sync_address(&self.identity.base_url, &self.identity.app_id);
        let this = self.this.clone();
        let opened = Socket::open(&url, SUBPROTOCOL, move |event| {
            if let Some(link) = this.upgrade() {
                link.socket_event(number, event);
            }
        });
        match opened {
            Ok(socket) => {
                self.sockets.borrow_mut().insert(number, socket);
            }
            Err(fault) => self.closed(number, 1006, fault.message()),
        }
    }

    fn socket_event(&self, number: u64, event: SocketEvent) {
        match event {
            SocketEvent::Opened => self.handle(ConnectionEvent::SocketOpen(number)),
            SocketEvent::Message(bytes) => self.handle(ConnectionEvent::Frame(number, bytes)),
            SocketEvent::Closed { code, reason } => self.closed(number, code, reason),
        }
    }

    fn closed(&self, number: u64, code: u16, reason: String) {
        self.sockets.borrow_mut().remove(&number);
        self.handle(ConnectionEvent::SocketClosed { socket: number, code, reason });
    }

    fn refresh_token(&self) {
        let this = self.this.clone();
        let identity = self.identity.clone();
        spawn_local(async move {
            let refreshed = refresh(&identity).await;
            let Some(link) = this.upgrade() else { return };
            let event = match refreshed {
                Ok(token) => ConnectionEvent::TokenRefreshed(Token(token)),
                Err(fault) => {
                    // A server that cannot be reached is no news; one that refuses the user is.
                    if matches!(fault, Fault::AuthFailed { .. }) {
                        link.tell_problem(Code::BAD_AUTHENTICATION.0, &fault.message(), false);
                    }
                    ConnectionEvent::TokenFailed(fault.message())
                }
            };
            link.handle(event);
        });
    }
}

/// Gets a new access token and keeps it in the catalogue.
async fn refresh(identity: &LinkIdentity) -> Result<String> {
    let user = Catalogue::users(&identity.app_id).into_iter().find(|user| user.id == identity.user_id);
    let Some(mut user) = user else {
        return Err(Fault::AuthFailed { message: format!("User {} has logged out.", identity.user_id) });
    };
    let refresh_token = user.refresh_token.clone().unwrap_or_else(|| user.access_token.clone());
    let token = login::refresh(&identity.base_url, &identity.app_id, &refresh_token).await?;
    user.access_token.clone_from(&token);
    Catalogue::change(vec![Change::PutUser(user)]).await?;
    Ok(token)
}
