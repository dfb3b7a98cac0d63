//! What can happen by itself: a disk works, a frame arrives, a deadline passes. Which comes first is drawn.

use ebbtide_sync::client::{ConnectionEvent, Event};
use ebbtide_sync::wire::{ClientMessage, ServerMessage};

use super::network::End;
use super::random::Random;
use super::world::World;
use crate::server::DeviceId;

/// One thing that can happen by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Happening {
    /// A device's disk does what is first in its queue.
    Disk(usize),
    /// A tab is told what it waits for.
    Answer(usize, usize),
    /// A tab hears that another has written.
    Nudge(usize, usize),
    /// A device's lock is given to a tab.
    Lead(usize),
    /// A tab hears that its lock is gone.
    Depose(usize),
    /// A leader hears what another tab asks for.
    Ask(usize),
    /// A deadline of an engine passes.
    Deadline(usize, usize),
    /// A deadline of a connection passes.
    Pulse(usize, usize),
    /// The app backs a store up.
    BackUp(usize),
    /// A socket opens, or cannot be opened.
    Opens(u64),
    /// A frame arrives at the server.
    Up(u64),
    /// A frame arrives at a tab.
    Down(u64),
    /// A tab learns that its socket is over.
    TabLearns(u64),
    /// The server learns the same.
    ServerLearns(u64),
    /// What the server writes is durable.
    Durable,
}

impl World {
    /// Lets things happen, in an order drawn from a number.
    pub(super) fn run(&mut self, picks: u64, count: u16) {
        let mut random = Random::new(picks);
        for _ in 0..count {
            if !self.happen(&mut random) {
                return;
            }
        }
    }

    /// Lets one thing happen. False if nothing can.
    pub(super) fn happen(&mut self, random: &mut Random) -> bool {
        let ready = self.ready();
        if ready.is_empty() {
            return false;
        }
        let what = ready[random.below(ready.len())];
        self.now += random.below(3) as u64;
        self.happened += 1;
        self.do_watched(what);
        true
    }

    /// All that can happen now.
    pub(super) fn ready(&self) -> Vec<Happening> {
        let mut ready = Vec::new();
        for (index, device) in self.devices.iter().enumerate() {
            if !device.queue.is_empty() && device.stalled_until <= self.now {
                ready.push(Happening::Disk(index));
            }
            if device.backs_up {
                ready.push(Happening::BackUp(index));
            }
            if device.leader.is_none() && device.tabs.iter().any(|tab| !tab.frozen) {
                ready.push(Happening::Lead(index));
            }
            if device.deposed.and_then(|name| device.position(name)).is_some_and(|tab| !device.tabs[tab].frozen) {
                ready.push(Happening::Depose(index));
            }
            let leader = device.leader.and_then(|name| device.position(name)).filter(|tab| !device.tabs[*tab].frozen);
            if leader.is_some() && device.asks.iter().any(|ask| ask.is_new_to(device.leader)) {
                ready.push(Happening::Ask(index));
            }
            let now = device.now(self.now);
            for (position, tab) in device.tabs.iter().enumerate().filter(|(_, tab)| !tab.frozen) {
                if tab.nudged {
                    ready.push(Happening::Nudge(index, position));
                }
                if !tab.answers.is_empty() {
                    ready.push(Happening::Answer(index, position));
                }
                if tab.engine.next_deadline().is_some_and(|deadline| deadline <= now) {
                    ready.push(Happening::Deadline(index, position));
                }
                if tab.connection.next_deadline().is_some_and(|deadline| deadline <= now) {
                    ready.push(Happening::Pulse(index, position));
                }
            }
        }
        for (id, socket) in &self.sockets {
            let on = &self.devices[socket.device];
            let frozen = on.position(socket.tab).is_some_and(|tab| on.tabs[tab].frozen);
            match socket.client {
                _ if frozen => {}
                End::Opening => ready.push(Happening::Opens(*id)),
                End::Open if !socket.down.is_empty() => ready.push(Happening::Down(*id)),
                End::Lost => ready.push(Happening::TabLearns(*id)),
                End::Open | End::Closed => {}
            }
            let heard = self.server_up && self.writing.is_none() && socket.server != End::Closed;
            if !socket.up.is_empty() && heard {
                ready.push(Happening::Up(*id));
            } else if socket.server == End::Lost && socket.up.is_empty() {
                ready.push(Happening::ServerLearns(*id));
            }
        }
        if self.writing.is_some() {
            ready.push(Happening::Durable);
        }
        ready
    }

    pub(super) fn do_it(&mut self, what: Happening) {
        match what {
            Happening::Disk(device) => self.disk_works(device),
            Happening::Answer(device, tab) => self.answer(device, tab),
            Happening::Nudge(device, tab) => {
                self.devices[device].tabs[tab].nudged = false;
                // A hint may be lost, until everything is mended.
                if self.mended || !self.now.is_multiple_of(7) {
                    let now = self.devices[device].now(self.now);
                    self.in_tab(device, tab, |tab, store| tab.tell(now, store, Event::Nudged));
                }
            }
            Happening::Lead(device) => self.lead(device, None),
            Happening::Depose(device) => self.depose(device),
            Happening::Ask(device) => self.ask_leader(device),
            Happening::Deadline(device, tab) => {
                let now = self.devices[device].now(self.now);
                let (name, due) =
                    (self.devices[device].tabs[tab].name, self.devices[device].tabs[tab].engine.next_deadline());
                self.say(|| format!("tab {name}: its time has come ({due:?}, now {})", now.0));
                self.in_tab(device, tab, |tab, store| tab.tell(now, store, Event::Timer));
            }
            Happening::Pulse(device, tab) => {
                let now = self.devices[device].now(self.now);
                self.in_tab(device, tab, |tab, store| tab.tell_connection(now, store, ConnectionEvent::Timer));
            }
            Happening::BackUp(device) => self.back_up(device),
            Happening::Opens(id) => {
                self.socket_opens(id);
                if self.sockets.get(&id).is_some_and(|socket| socket.client == End::Open) {
                    self.tell_socket(id, ConnectionEvent::SocketOpen);
                }
            }
            Happening::Up(id) => self.frame_up(id),
            Happening::Down(id) => {
                let frame = self.sockets.get_mut(&id).and_then(|socket| socket.down.pop_front());
                if let Some(frame) = frame {
                    let text = ServerMessage::decode(&frame).map(|message| short(&format!("{message:?}")));
                    self.say(|| format!("socket {id} down: {}", text.unwrap_or_default()));
                    self.tell_socket(id, |number| ConnectionEvent::Frame(number, frame));
                }
            }
            Happening::TabLearns(id) => {
                self.say(|| format!("socket {id} is over, and its tab learns of it"));
                self.tell_socket(id, |socket| ConnectionEvent::SocketClosed {
                    socket,
                    code: 1006,
                    reason: String::new(),
                });
                if let Some(socket) = self.sockets.get_mut(&id) {
                    socket.client = End::Closed;
                }
                self.forget_socket(id);
            }
            Happening::ServerLearns(id) => {
                self.server.disconnect(DeviceId(id as usize));
                self.greeted.remove(&id);
                if let Some(socket) = self.sockets.get_mut(&id) {
                    socket.server = End::Closed;
                }
                self.forget_socket(id);
            }
            Happening::Durable => self.server_completes(),
        }
    }

    /// Tells a tab what it waits for. An app writes in the callback after a reset.
    fn answer(&mut self, device: usize, tab: usize) {
        let now = self.devices[device].now(self.now);
        let Some(event) = self.devices[device].tabs[tab].answers.pop_front() else { return };
        self.in_tab(device, tab, |tab, store| tab.tell(now, store, event));
    }

    fn tell_socket(&mut self, id: u64, event: impl FnOnce(u64) -> ConnectionEvent) {
        let Some(socket) = self.sockets.get(&id) else { return };
        let (device, number) = (socket.device, socket.number);
        let Some(tab) = self.devices[device].position(socket.tab) else { return };
        let now = self.devices[device].now(self.now);
        self.in_tab(device, tab, |tab, store| tab.tell_connection(now, store, event(number)));
    }

    fn frame_up(&mut self, id: u64) {
        let Some(frame) = self.sockets.get_mut(&id).and_then(|socket| socket.up.pop_front()) else { return };
        let message = ClientMessage::decode(&frame).expect("a client sends what can be read");
        self.say(|| format!("socket {id} up: {}", short(&format!("{message:?}"))));
        match message {
            ClientMessage::Hello { .. } => {
                self.greeted.insert(id);
                self.answer_frame(id, &ServerMessage::Welcome { user: "user".into() });
            }
            ClientMessage::Ping { id: ping } => self.answer_frame(id, &ServerMessage::Pong { id: ping }),
            message if self.greeted.contains(&id) => {
                let now = self.millis();
                self.writing = Some(self.server.prepare(now, DeviceId(id as usize), message));
            }
            message => panic!("socket {id}: {message:?} came before HELLO"),
        }
    }

    fn answer_frame(&mut self, id: u64, message: &ServerMessage) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.send_down(message.encode());
        }
    }

    fn forget_socket(&mut self, id: u64) {
        let over = |end| end == End::Closed;
        if self.sockets.get(&id).is_some_and(|socket| over(socket.client) && over(socket.server)) {
            self.sockets.remove(&id);
        }
    }
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(150).collect();
    if short.len() < text.len() {
        short.push_str(" ...");
    }
    short
}
