//! The world: devices, sockets and a server under one clock, and what a step of a story does to them.

use std::collections::{BTreeMap, BTreeSet};

use ebbtide_core::batch::Durability;
use ebbtide_core::changeset::Changeset;
use ebbtide_core::replica::Replica;
use ebbtide_core::{Epoch, Millis, Snapshot, Value};
use ebbtide_sync::client::{ConnectionEvent, Event, Look, StoreFailure, StoreFailureKind};
use ebbtide_sync::server::reshape;
use ebbtide_sync::wire::{Action, Code, ErrorMessage, ServerMessage};

use super::crash::Watch;
use super::device::{Ask, Device, Job, TABS_MAX};
use super::edit::CAST;
use super::model::Model;
use super::network::{End, Socket};
use super::notes::{DROPPED, Kept, Notes};
use super::picture::{difference, picture};
use super::schema::{BREAKABLE, NOTE, schema};
use super::step::{Awaiting, Fault, ServerStep, Step, Story, Weather, Where};
use super::tab::{Awaited, Wish, notes_of};
use crate::edits::Edit;
use crate::server::{DeviceId, Prepared, ServerBackup, TestServer};
use crate::store::MemoryStore;

/// When the world begins.
const BEGINNING: u64 = 1_700_000_000_000;

/// What a realm was: the names in its schema, its content as bytes, and itself.
type Truth = (BTreeSet<String>, Vec<u8>, Snapshot);

/// Devices, sockets and a server.
#[derive(Debug)]
pub struct World {
    pub(super) now: u64,
    pub(super) devices: Vec<Device>,
    pub(super) sockets: BTreeMap<u64, Socket>,
    pub(super) server: TestServer,
    pub(super) server_up: bool,
    /// What the server is making durable.
    pub(super) writing: Option<Prepared>,
    /// Sockets on which the server has heard HELLO.
    pub(super) greeted: BTreeSet<u64>,
    pub(super) notes: Notes,
    pub(super) model: Model,
    /// What the realm was at each place of each history.
    pub(super) truth: BTreeMap<(Epoch, u64, u64), Truth>,
    /// How many things have happened by themselves.
    pub(super) happened: u64,
    /// Whether everything has been mended.
    pub(super) mended: bool,
    /// A crash that waits for its point.
    pub(super) watch: Option<Watch>,
    backup: Option<(ServerBackup, Model)>,
    fed: u64,
    harms: u64,
    sockets_used: u64,
    tabs_used: u32,
    lines: Option<Vec<String>>,
}

/// What came of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stored {
    Yes,
    /// The store had another head than the batch names.
    Overtaken,
}

/// Whether a world writes its story down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Telling {
    /// It does.
    Aloud,
    /// It does not.
    Silent,
}

impl World {
    /// The world of a story before anything happens.
    pub fn new(story: &Story, telling: Telling) -> World {
        let mut server = TestServer::new();
        server.chunk_bytes = story.chunk_bytes;
        server.entries_max = story.entries_max;
        let devices = story.devices.iter().enumerate().map(|(number, plan)| Device::new(number, *plan)).collect();
        let mut world = World {
            now: BEGINNING,
            devices,
            sockets: BTreeMap::new(),
            server,
            server_up: true,
            writing: None,
            greeted: BTreeSet::new(),
            notes: Notes::default(),
            model: Model::new(),
            truth: BTreeMap::new(),
            happened: 0,
            mended: false,
            watch: None,
            backup: None,
            fed: 0,
            harms: 0,
            sockets_used: 0,
            tabs_used: 0,
            lines: (telling == Telling::Aloud).then(Vec::new),
        };
        world.witness();
        (0..world.devices.len()).for_each(|device| world.open(device));
        world
    }

    /// What is left of it: the server, and what the stores hold.
    pub fn remains(self) -> (TestServer, Vec<ebbtide_core::batch::LoadedStore>) {
        let stores = self.devices.iter().map(|device| device.store.load()).collect();
        (self.server, stores)
    }

    /// The story so far.
    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }

    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("  {:>9} ms  {}", self.now - BEGINNING, line()));
        }
    }

    /// Does what a step says.
    pub fn take(&mut self, step: &Step) {
        if let Some(lines) = &mut self.lines {
            lines.push(step.to_string());
        }
        match step {
            Step::Write(at, edits) => self.write(*at, edits),
            Step::Begin(at) => self.act(*at, |world, device, tab| {
                let now = world.devices[device].now(world.now);
                let engine = &mut world.devices[device].tabs[tab].engine;
                let _ = engine.begin_write(now);
            }),
            Step::Continue(at, edits) => self.act(*at, |world, device, tab| {
                let engine = &mut world.devices[device].tabs[tab].engine;
                if let Ok(transaction) = engine.transaction() {
                    edits.iter().for_each(|edit| drop(edit.carry_out(transaction, &CAST)));
                }
            }),
            Step::Commit(at) => self.act(*at, World::commit),
            Step::Cancel(at) => self.act(*at, |world, device, tab| {
                let now = world.devices[device].now(world.now);
                world.in_tab(device, tab, |tab, store| tab.act(now, store, |engine| drop(engine.cancel_write(now))));
            }),
            Step::Run(picks, count) => self.run(*picks, *count),
            Step::Pass(ms) => self.now += ms,
            Step::Open(device) => {
                let device = device % self.devices.len();
                if self.devices[device].tabs.len() < TABS_MAX {
                    self.open(device);
                }
            }
            Step::Kill(at) => self.act(*at, World::kill),
            Step::Close(at) => self.act(*at, |world, device, tab| {
                let now = world.devices[device].now(world.now);
                world.in_tab(device, tab, |tab, store| tab.tell(now, store, Event::Close));
            }),
            Step::Power(device, forget) => self.power(device % self.devices.len(), *forget),
            Step::Weather(device, weather) => self.weather(device % self.devices.len(), *weather),
            Step::Disk(device, fault) => {
                let index = device % self.devices.len();
                let device = &mut self.devices[index];
                match fault {
                    Fault::Stall(ms) => device.stalled_until = self.now + ms,
                    fault => device.fault = *fault,
                }
            }
            Step::Clock(device, by) => {
                let index = device % self.devices.len();
                self.devices[index].skew_ms += by;
                // A timer of a browser does not follow the clock: it comes in its time, and finds that it is early.
                for tab in 0..self.devices[index].tabs.len() {
                    let now = self.devices[index].now(self.now);
                    self.in_tab(index, tab, |tab, store| tab.tell(now, store, Event::Timer));
                    self.in_tab(index, tab, |tab, store| tab.tell_connection(now, store, ConnectionEvent::Timer));
                }
            }
            Step::Upgrade(device) => {
                let index = device % self.devices.len();
                self.devices[index].upgrade();
            }
            Step::Extend(at) => self.act(*at, |world, device, tab| {
                world.devices[device].upgrade();
                let (now, wanted) = (world.devices[device].now(world.now), schema(world.devices[device].version));
                world.in_tab(device, tab, |tab, store| {
                    tab.act(now, store, |engine| drop(engine.update_schema(now, &wanted, None)))
                });
            }),
            Step::Compact(at) => self.act(*at, |world, device, tab| {
                let now = world.devices[device].now(world.now);
                world.in_tab(device, tab, |tab, store| tab.act(now, store, |engine| drop(engine.compact())));
            }),
            Step::Wait(at, what) => self.act(*at, |world, device, tab| world.wait(device, tab, *what)),
            Step::Pause(at) => self.act(*at, |world, device, tab| {
                let now = world.devices[device].now(world.now);
                world.in_tab(device, tab, |tab, store| tab.tell(now, store, Event::Pause));
            }),
            Step::Resume(at) => self.act(*at, |world, device, tab| {
                let now = world.devices[device].now(world.now);
                world.in_tab(device, tab, |tab, store| tab.tell(now, store, Event::Resume));
            }),
            Step::Answer(device, manner) => {
                let index = device % self.devices.len();
                let device = &mut self.devices[index];
                device.manner = *manner;
                device.tabs.iter_mut().for_each(|tab| tab.answer(*manner));
            }
            Step::Steal(device) => self.steal(device % self.devices.len()),
            Step::Freeze(at) => self.act(*at, |world, device, tab| world.devices[device].tabs[tab].frozen = true),
            Step::Thaw(device) => {
                let index = device % self.devices.len();
                self.devices[index].tabs.iter_mut().for_each(|tab| tab.frozen = false);
            }
            Step::Profile(device) => self.profile(device % self.devices.len()),
            Step::Server(step) => self.server_step(*step),
        }
    }

    /// Does something with a tab, if the device has one.
    fn act(&mut self, at: Where, act: impl FnOnce(&mut World, usize, usize)) {
        let device = at.device % self.devices.len();
        let count = self.devices[device].tabs.len();
        if count > 0 {
            act(self, device, at.tab % count);
        }
    }

    /// Lets a tab act, and grants what it wishes.
    pub(super) fn in_tab(
        &mut self,
        device: usize,
        tab: usize,
        act: impl FnOnce(&mut super::tab::Tab, &MemoryStore) -> Vec<Wish>,
    ) {
        let Device { tabs, store, .. } = &mut self.devices[device];
        let wishes = act(&mut tabs[tab], store);
        let name = tabs[tab].name;
        self.grant(device, name, wishes);
        self.check_truth(device, name);
        if let Some(tab) = self.devices[device].position(name).filter(|tab| self.devices[device].tabs[*tab].closed) {
            self.say(|| format!("tab {name} is closed"));
            self.remove_tab(device, tab);
        }
    }

    fn grant(&mut self, device: usize, name: u32, wishes: Vec<Wish>) {
        for wish in wishes {
            match wish {
                Wish::Disk(job) => self.devices[device].queue.push_back((name, job)),
                Wish::OpenSocket(number) => {
                    self.sockets_used += 1;
                    self.sockets.insert(self.sockets_used, Socket::new(device, name, number));
                }
                Wish::Frame(number, frame) => {
                    if let Some(socket) = self.socket_mut(name, number) {
                        socket.send_up(frame);
                    }
                }
                Wish::CloseSocket(number) => {
                    if let Some(socket) = self.socket_mut(name, number) {
                        socket.close();
                    }
                }
                Wish::AskLeader(wait) => self.devices[device].asks.push(Ask { asker: name, wait, told: None }),
                Wish::AnswerTab(asker, wait, result) => {
                    self.devices[device].asks.retain(|ask| (ask.asker, ask.wait) != (asker, wait));
                    if let Some(tab) = self.devices[device].position(asker) {
                        self.devices[device].tabs[tab].answers.push_back(Event::LeaderAnswered(wait, result));
                    }
                }
                Wish::BackUp => self.devices[device].backs_up = true,
                Wish::Answered(awaited, result) => self.answered(device, name, &awaited, &result),
                Wish::Discarded(count, notes) => {
                    let lost = self.notes.lost(notes.into_iter(), DROPPED);
                    assert!(lost <= count, "a reset dropped {lost} writes and said {count}");
                }
                Wish::Say(line) => self.say(|| format!("tab {name}: {line}")),
            }
        }
    }

    fn socket_mut(&mut self, tab: u32, number: u64) -> Option<&mut Socket> {
        self.sockets.values_mut().find(|socket| socket.tab == tab && socket.number == number)
    }

    // ---- tabs

    pub(super) fn open(&mut self, device: usize) {
        self.tabs_used += 1;
        let name = self.tabs_used;
        self.devices[device].open(self.now, name);
        self.say(|| format!("tab {name} is open on device {device}"));
        let (now, last) = (self.devices[device].now(self.now), self.devices[device].tabs.len() - 1);
        self.in_tab(device, last, |tab, store| tab.act(now, store, |_| ()));
        if self.devices[device].leader == Some(name) {
            self.in_tab(device, last, |tab, store| tab.attach(now, store, true));
        }
    }

    /// A tab dies. What it has asked of the disk may still be done.
    pub(super) fn kill(&mut self, device: usize, tab: usize) {
        let name = self.devices[device].tabs[tab].name;
        if self.now.is_multiple_of(2)
            && let Some((_, batch, last)) = self.devices[device].tabs[tab].batch.take()
            && self.commit_batch(device, name, &batch, last) == Ok(Stored::Yes)
        {
            self.say(|| format!("tab {name} dies, and its last batch is on disk"));
        }
        self.remove_tab(device, tab);
    }

    fn remove_tab(&mut self, device: usize, tab: usize) {
        let gone = self.devices[device].remove(tab);
        self.sockets.values_mut().filter(|socket| socket.tab == gone.name).for_each(Socket::close);
        let there = stored_notes(&self.devices[device].store);
        self.notes.died(device, gone.name, &there);
    }

    fn power(&mut self, device: usize, forget: usize) {
        while !self.devices[device].tabs.is_empty() {
            self.kill(device, 0);
        }
        self.devices[device].store.forget(forget);
        let there = stored_notes(&self.devices[device].store);
        self.notes.forgotten(device, &there);
    }

    fn write(&mut self, at: Where, edits: &[Edit]) {
        self.act(at, |world, device, tab| {
            let now = world.devices[device].now(world.now);
            let engine = &mut world.devices[device].tabs[tab].engine;
            if engine.in_transaction() {
                if let Ok(transaction) = engine.transaction() {
                    edits.iter().for_each(|edit| drop(edit.carry_out(transaction, &CAST)));
                }
                return;
            }
            if engine.begin_write(now).is_err() {
                return;
            }
            let transaction = engine.transaction().expect("it was just begun");
            edits.iter().for_each(|edit| drop(edit.carry_out(transaction, &CAST)));
            world.commit(device, tab);
        });
    }

    /// Commits the open transaction with one note more in it.
    fn commit(&mut self, device: usize, tab: usize) {
        let now = self.devices[device].now(self.now);
        let name = self.devices[device].tabs[tab].name;
        let Ok(transaction) = self.devices[device].tabs[tab].engine.transaction() else { return };
        let note = self.notes.write(device, name);
        let class = transaction.snapshot().schema().class_index(NOTE).expect("every version has notes");
        transaction.create(class, Some(Value::Int(note))).expect("a note is new");
        self.devices[device].tabs[tab].last_note = note;
        let mut result = Ok(());
        self.in_tab(device, tab, |tab, store| tab.act(now, store, |engine| result = engine.commit_write(now)));
        match result {
            Ok(()) => self.say(|| format!("tab {name} commits note {note}")),
            Err(error) => {
                self.notes.excuse(note, "its commit was refused");
                self.say(|| format!("tab {name} is refused note {note}: {error}"));
            }
        }
    }

    fn wait(&mut self, device: usize, tab: usize, what: Awaiting) {
        let now = self.devices[device].now(self.now);
        let name = self.devices[device].tabs[tab].name;
        let notes = match what {
            Awaiting::Durable | Awaiting::Upload => self.notes.of(device, name),
            Awaiting::Download => notes_of(self.server.state()),
        };
        let awaited = Awaited { what, notes, harms: self.harms };
        self.in_tab(device, tab, |tab, store| tab.wait(now, store, awaited));
    }

    /// What an answered wait promises.
    fn answered(&mut self, device: usize, name: u32, awaited: &Awaited, result: &Result<(), String>) {
        self.say(|| format!("tab {name}: waiting for {:?}: {result:?}", awaited.what));
        if result.is_err() {
            return;
        }
        let excused = |note: i64| self.notes.get(note).excuse.is_some();
        match awaited.what {
            Awaiting::Durable => {
                for note in &awaited.notes {
                    let there = self.notes.get(*note);
                    assert!(there.kept == Kept::Strict || excused(*note), "note {note} is not durable: {there:?}");
                }
            }
            Awaiting::Upload => {
                for note in &awaited.notes {
                    let there = self.notes.get(*note);
                    assert!(there.integrated || excused(*note), "note {note} was not uploaded: {there:?}");
                }
            }
            Awaiting::Download => {
                let Some(tab) = self.devices[device].position(name) else { return };
                let shown = notes_of(self.devices[device].tabs[tab].shown());
                let missing = awaited.notes.difference(&shown).next();
                assert!(missing.is_none() || self.harms != awaited.harms, "note {missing:?} was not downloaded");
            }
        }
    }

    // ---- disks

    /// The disk does what is first in its queue.
    pub(super) fn disk_works(&mut self, device: usize) {
        let Some((name, job)) = self.devices[device].queue.pop_front() else { return };
        let Some(tab) = self.devices[device].position(name) else { return };
        if job == Job::Look {
            let Some(look) = self.devices[device].tabs[tab].look.take() else { return };
            let seen = self.devices[device].store.look(look);
            return self.devices[device].tabs[tab].answers.push_back(Event::Seen(Box::new(seen)));
        }
        let Some((id, batch, last)) = self.devices[device].tabs[tab].batch.take() else { return };
        let event = match self.commit_batch(device, name, &batch, last) {
            Ok(Stored::Yes) => Event::Committed(id),
            Ok(Stored::Overtaken) => {
                let look = batch.expected.map_or(Look::Whole, Look::Since);
                Event::Overtaken(id, Box::new(self.devices[device].store.look(look)))
            }
            Err(kind) => {
                let message = format!("{kind:?}");
                Event::CommitFailed(id, StoreFailure { kind, message })
            }
        };
        self.say(|| format!("device {device}: batch {} of tab {name}: {}", id.0, what_happened(&event)));
        self.devices[device].tabs[tab].answers.push_back(event);
    }

    /// Puts a batch into a store, and keeps account of the notes.
    fn commit_batch(
        &mut self,
        device: usize,
        name: u32,
        batch: &ebbtide_core::batch::Batch,
        last: i64,
    ) -> Result<Stored, StoreFailureKind> {
        let on = &mut self.devices[device];
        if on.fault == Fault::Refuse {
            return Err(StoreFailureKind::Quota);
        }
        let before = on.store.clone();
        if on.store.commit(batch).is_err() {
            return Ok(Stored::Overtaken);
        }
        if let Fault::Full(bytes) = on.fault
            && on.store.bytes() > bytes.max(before.bytes())
        {
            on.store = before;
            return Err(StoreFailureKind::Quota);
        }
        let kept = match batch.durability {
            Durability::Strict => Kept::Strict,
            Durability::Relaxed => Kept::Relaxed,
        };
        let replaced = batch.expected.is_some_and(|head| head.generation != batch.head.generation);
        let after = stored_notes(&self.devices[device].store);
        self.notes.stored(device, name, last, kept);
        if replaced {
            let lost: Vec<i64> = stored_notes(&before).difference(&after).copied().collect();
            self.notes.lost(lost.into_iter(), "a reset dropped it from the log");
        }
        self.notes.check(device, &after);
        let others = self.devices[device].tabs.iter_mut().filter(|tab| tab.name != name);
        others.for_each(|tab| tab.nudged = true);
        Ok(Stored::Yes)
    }

    /// The store goes back to the copy that was made of it; without one, a copy is made.
    fn profile(&mut self, device: usize) {
        let Some(saved) = self.devices[device].saved.take() else {
            self.devices[device].saved = Some(self.devices[device].store.copied());
            return;
        };
        while !self.devices[device].tabs.is_empty() {
            self.kill(device, 0);
        }
        let (before, after) = (stored_notes(&self.devices[device].store), stored_notes(&saved));
        self.notes.lost(before.difference(&after).copied(), "the device's profile was put back");
        self.devices[device].store = saved;
        self.harms += 1;
    }

    /// The app carries a manual reset out: the store is put away, and the realm begins anew.
    pub(super) fn back_up(&mut self, device: usize) {
        while !self.devices[device].tabs.is_empty() {
            self.kill(device, 0);
        }
        let old = std::mem::take(&mut self.devices[device].store);
        let there = stored_notes(&old);
        self.notes.lost(there.into_iter(), "it is in the backup of a manual reset");
        self.devices[device].backups.push(old);
        self.devices[device].backs_up = false;
        self.say(|| format!("device {device}: the store is put away"));
        self.open(device);
    }

    // ---- network and server

    fn weather(&mut self, device: usize, weather: Weather) {
        let sockets = self.sockets.values_mut().filter(|socket| socket.device == device);
        match weather {
            Weather::Fair => self.devices[device].online = true,
            Weather::Down(arrive) => {
                sockets.for_each(|socket| socket.cut(arrive));
                self.devices[device].online = false;
            }
            Weather::Cut(arrive) => sockets.for_each(|socket| socket.cut(arrive)),
            Weather::LoseUp => sockets.for_each(|socket| socket.loses_up = true),
            Weather::LoseDown => sockets.for_each(|socket| socket.loses_down = true),
        }
    }

    /// The lock goes to the next tab that is not frozen; who had it is told later.
    fn steal(&mut self, device: usize) {
        let on = &mut self.devices[device];
        let Some(leader) = on.leader.filter(|_| on.deposed.is_none()) else { return };
        if on.tabs.iter().any(|tab| tab.name != leader && !tab.frozen) {
            (on.leader, on.deposed) = (None, Some(leader));
            on.tabs.iter_mut().filter(|tab| tab.name == leader).for_each(|tab| tab.deposed = true);
            self.lead(device, Some(leader));
        }
    }

    /// The lock is given to a tab.
    pub(super) fn lead(&mut self, device: usize, but: Option<u32>) {
        let on = &mut self.devices[device];
        let next = on.tabs.iter().position(|tab| Some(tab.name) != but && !tab.frozen);
        let Some(tab) = next.filter(|_| on.leader.is_none()) else { return };
        let name = on.tabs[tab].name;
        if on.deposed == Some(name) {
            // A lock that is gone is heard of before it is given again.
            self.depose(device);
        }
        let on = &mut self.devices[device];
        let Some(tab) = on.position(name) else { return };
        on.leader = Some(name);
        on.tabs[tab].deposed = false;
        self.say(|| format!("tab {name} leads device {device}"));
        let now = self.devices[device].now(self.now);
        self.in_tab(device, tab, |tab, store| tab.tell(now, store, Event::Lead));
        if let Some(tab) = self.devices[device].position(name) {
            self.in_tab(device, tab, |tab, store| tab.attach(now, store, true));
        }
    }

    /// The tab that had the lock hears that it is gone.
    pub(super) fn depose(&mut self, device: usize) {
        let on = &mut self.devices[device];
        let Some(name) = on.deposed.take() else { return };
        let Some(tab) = on.position(name).filter(|_| on.leader != Some(name)) else { return };
        on.tabs[tab].deposed = false;
        self.say(|| format!("tab {name} no longer leads device {device}"));
        let now = self.devices[device].now(self.now);
        self.in_tab(device, tab, |tab, store| tab.tell(now, store, Event::Follow));
        if let Some(tab) = self.devices[device].position(name) {
            self.in_tab(device, tab, |tab, store| tab.attach(now, store, false));
        }
    }

    /// The leader hears what another tab asks for.
    pub(super) fn ask_leader(&mut self, device: usize) {
        let on = &mut self.devices[device];
        let Some(leader) = on.leader else { return };
        let Some(tab) = on.position(leader) else { return };
        let Some(ask) = on.asks.iter_mut().find(|ask| ask.is_new_to(Some(leader))) else { return };
        ask.told = Some(leader);
        let asker = (ask.asker, ask.wait);
        let now = self.devices[device].now(self.now);
        self.in_tab(device, tab, |tab, store| tab.ask(now, store, asker));
    }

    pub(super) fn server_step(&mut self, step: ServerStep) {
        match step {
            ServerStep::Crash => self.crash_server(),
            ServerStep::Start => self.server_up = true,
            ServerStep::Backup => self.backup = Some((self.server.backup(), self.model.clone())),
            ServerStep::Restore => {
                let Some((backup, model)) = self.backup.clone() else { return };
                self.crash_server();
                self.server.restore(&backup);
                self.model = model;
                self.harms += 1;
                self.notes.restored(&notes_of(self.server.state()));
            }
            ServerStep::Terminate => {
                self.crash_server();
                self.harms += 1;
                self.server.terminate();
            }
            ServerStep::Trim(keep) => {
                // A realm does one thing after the other.
                self.server_completes();
                self.server.trim_to(keep);
            }
            ServerStep::Forget => {
                self.crash_server();
                self.harms += 1;
                self.server.forget_clients();
            }
            ServerStep::Break => {
                self.crash_server();
                self.harms += 1;
                let mut schema = self.server.state().schema().clone();
                let (class, property) = BREAKABLE;
                let Some(index) = schema.class_index(class) else { return };
                std::sync::Arc::make_mut(&mut schema.classes[index.index()])
                    .properties
                    .retain(|known| known.name != property);
                let state = reshape(self.server.state(), &schema).expect("a property can be taken away");
                self.model.drop_property(class, property);
                let (left, right) = (picture(&state), self.model.picture());
                assert_eq!(difference(&left, &right), None, "a broken realm (first) and the naive model differ");
                // Whoever made the new state is the author of all of it.
                self.model = Model::of(&state);
                self.server.replace_state(state);
            }
            ServerStep::Expire => {
                let error = ErrorMessage {
                    session: None,
                    code: Code::TOKEN_EXPIRED,
                    action: Action::RefreshToken,
                    reason: "expired".into(),
                    backoff_ms: 0,
                };
                let frame = ServerMessage::Error(error).encode();
                let greeted = &self.greeted;
                let sockets = self.sockets.iter_mut().filter(|(id, _)| greeted.contains(id));
                sockets.for_each(|(_, socket)| socket.send_down(frame.clone()));
            }
        }
        if !matches!(step, ServerStep::Crash | ServerStep::Start | ServerStep::Expire | ServerStep::Backup) {
            self.fed = self.server.record().head.version.0;
            self.witness();
        }
    }

    fn crash_server(&mut self) {
        self.server_up = false;
        self.writing = None;
        self.greeted.clear();
        self.server.crash();
        self.sockets.values_mut().for_each(Socket::end);
    }

    /// What the server was making durable is; everybody is told.
    pub(super) fn server_completes(&mut self) {
        let Some(prepared) = self.writing.take() else { return };
        let answers = self.server.complete(prepared);
        for entry in self.server.history().iter().filter(|entry| entry.at.version.0 > self.fed) {
            let changeset = Changeset::decode(&entry.changeset).expect("the history can be read");
            self.model.take(&changeset, entry.at.version);
        }
        if self.server.record().head.version.0 > self.fed {
            self.fed = self.server.record().head.version.0;
            self.witness();
        }
        for (DeviceId(id), message) in answers {
            if let Some(socket) = self.sockets.get_mut(&(id as u64)) {
                socket.send_down(message.encode());
            }
        }
    }

    /// Notes what the server has now, and compares it with what the naive model says.
    fn witness(&mut self) {
        let record = self.server.record();
        let place = (record.epoch, record.head.version.0, record.head.salt.0);
        let state = self.server.state();
        state.audit().unwrap_or_else(|what| panic!("the server's state is not sound: {what}"));
        self.truth.insert(place, (names_of(state), state.canonical(), state.clone()));
        if let Some(what) = difference(&picture(state), &self.model.picture()) {
            panic!("the server (first) and the naive model differ: {what}");
        }
        self.notes.integrated(&notes_of(state));
    }

    /// A tab's base is what the server had at its cursor.
    fn check_truth(&mut self, device: usize, name: u32) {
        let Some(tab) = self.devices[device].position(name) else { return };
        let replica = self.devices[device].tabs[tab].engine.replica();
        let Some(cursor) = replica.cursor() else { return };
        let Some((names, truth, state)) = self.truth.get(&(cursor.epoch, cursor.version.0, cursor.salt.0)) else {
            return;
        };
        if names_of(replica.base()) == *names {
            let is_same = replica.base().canonical() == *truth;
            let what = || difference(&picture(state), &picture(replica.base()));
            assert!(is_same, "tab {name}: base is not what the server (first) had at its cursor: {:?}", what());
        }
    }

    pub(super) fn socket_opens(&mut self, id: u64) {
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        if self.server_up && self.devices[socket.device].online {
            (socket.client, socket.server) = (End::Open, End::Open);
        } else {
            socket.client = End::Lost;
        }
    }

    pub(super) fn millis(&self) -> Millis {
        Millis(self.now)
    }
}

/// The properties that a state has: states with different ones are not compared as a whole.
fn names_of(snapshot: &Snapshot) -> BTreeSet<String> {
    let classes = snapshot.schema().classes.iter();
    let names = classes.flat_map(|class| class.properties.iter().map(|property| (&class.name, &property.name)));
    names.map(|(class, property)| format!("{class}.{property}")).collect()
}

/// The notes that a store has.
pub(super) fn stored_notes(store: &MemoryStore) -> BTreeSet<i64> {
    let loaded = store.load();
    if loaded.is_empty() {
        return BTreeSet::new();
    }
    notes_of(Replica::load(&loaded).unwrap_or_else(|error| panic!("the store cannot be read: {error}")).current())
}

fn what_happened(event: &Event) -> String {
    match event {
        Event::Committed(_) => "on disk".into(),
        other => format!("{other:?}").chars().take(120).collect(),
    }
}
