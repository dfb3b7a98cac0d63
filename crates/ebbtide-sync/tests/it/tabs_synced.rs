//! Several engines on the store of one device that syncs, and another device: whoever leads, and whatever the server does, all
//! end with the same.

mod restored;

use std::collections::VecDeque;

use ebbtide_core::batch::Batch;
use ebbtide_core::changeset::Changeset;
use ebbtide_core::notify::diff;
use ebbtide_core::replica::Replica;
use ebbtide_core::{Millis, Snapshot, Value};
use ebbtide_sync::client::{
    BatchId, Effect, Engine, Event, Look, OpenOptions, Origin, ResetMode, ResetPhase, Role, SyncError, WaitId,
};
use ebbtide_sync::wire::{ClientMessage, ServerMessage, SessionId};
use ebbtide_testkit::{DeviceId, Kennel, MemoryStore, Served, ServerBackup, ServerTurn, TestServer, change};
use proptest::prelude::*;

/// One tab of a device.
struct Tab {
    engine: Engine,
    news: VecDeque<Event>,
    inbox: VecDeque<ServerMessage>,
    commit: Option<(BatchId, Batch)>,
    look: Option<Look>,
    session: Option<SessionId>,
    seen: Option<Snapshot>,
    origins: Vec<Origin>,
    answers: Vec<(WaitId, Result<(), String>)>,
    errors: Vec<SyncError>,
    resets: usize,
    is_swapping: bool,
    /// How many changesets the last reset says to have dropped.
    discarded: Option<usize>,
}

/// A device: a store and tabs, one of which leads.
struct Device {
    store: MemoryStore,
    tabs: Vec<Tab>,
    leader: usize,
    online: bool,
    lanes: u64,
    /// By how much its clock is ahead.
    ahead_ms: u64,
}

struct World {
    server: TestServer,
    devices: Vec<Device>,
    now: u64,
    sessions: u32,
    opened: u8,
}

/// The connection of a device.
fn address(device: usize) -> DeviceId {
    DeviceId(device)
}

impl World {
    fn new(tabs: &[usize]) -> World {
        let mut world =
            World { server: TestServer::new(), devices: Vec::new(), now: 1_700_000_000_000, sessions: 0, opened: 0 };
        for (device, count) in tabs.iter().enumerate() {
            let store = MemoryStore::new();
            world.devices.push(Device { store, tabs: Vec::new(), leader: 0, online: true, lanes: 0, ahead_ms: 0 });
            for _ in 0..*count {
                let tab = world.opened_tab(device);
                world.devices[device].tabs.push(tab);
                let tab = world.devices[device].tabs.len() - 1;
                if tab == 0 {
                    world.link(device);
                }
                world.settle();
            }
        }
        world
    }

    /// What the clock of a device says.
    fn clock(&self, device: usize) -> Millis {
        Millis(self.now + self.devices[device].ahead_ms)
    }

    fn opened_tab(&mut self, device: usize) -> Tab {
        self.opened += 1;
        let now = self.clock(device);
        let Device { store, lanes, tabs, .. } = &mut self.devices[device];
        let role = if tabs.is_empty() { Role::Leads } else { Role::Follows };
        let lane = *lanes;
        *lanes += 1;
        let options = Kennel::options(self.opened, ResetMode::DiscardUnsyncedChanges);
        let options = OpenOptions { role, lane, ..options };
        let engine = Engine::open(now, options, store.load()).expect("the store can be opened");
        Tab {
            engine,
            news: VecDeque::new(),
            inbox: VecDeque::new(),
            commit: None,
            look: None,
            session: None,
            seen: None,
            origins: Vec::new(),
            answers: Vec::new(),
            errors: Vec::new(),
            resets: 0,
            is_swapping: false,
            discarded: None,
        }
    }

    /// Connects the leader of a device.
    fn link(&mut self, device: usize) {
        let state = &mut self.devices[device];
        if !state.online {
            return;
        }
        self.sessions += 1;
        let session = SessionId(self.sessions);
        let leader = &mut state.tabs[state.leader];
        leader.session = Some(session);
        leader.news.push_back(Event::LinkUp { session });
    }

    fn unlink(&mut self, device: usize) {
        let now = self.clock(device);
        self.server.disconnect(address(device));
        for tab in &mut self.devices[device].tabs {
            if tab.session.take().is_some() {
                tab.inbox.clear();
                tab.news.retain(|event| !matches!(event, Event::LinkUp { .. }));
                tab.engine.handle(now, Event::LinkDown { reason: "cut".into() });
            }
        }
    }

    /// Another tab takes the lead.
    fn lead(&mut self, device: usize, tab: usize) {
        let now = self.clock(device);
        if self.devices[device].leader == tab {
            return;
        }
        self.unlink(device);
        let state = &mut self.devices[device];
        let before = std::mem::replace(&mut state.leader, tab);
        state.tabs[before].engine.handle(now, Event::Follow);
        state.tabs[tab].engine.handle(now, Event::Lead);
        self.link(device);
    }

    /// Another tab takes the lead from one that does not hear of it, and gives the BIND that is on its way.
    fn seizes(&mut self, device: usize, tab: usize) -> ClientMessage {
        let now = self.clock(device);
        self.devices[device].leader = tab;
        self.tab(device, tab).engine.handle(now, Event::Lead);
        self.link(device);
        for _ in 0..1_000 {
            let Tab { engine, commit: None, look: None, .. } = self.tab(device, tab) else {
                self.step(device, tab);
                continue;
            };
            match engine.poll() {
                Some(Effect::Send(bind @ ClientMessage::Bind { .. })) => return bind,
                Some(effect) => self.carry_out(device, tab, effect),
                None => assert!(self.step(device, tab), "it binds"),
            }
        }
        panic!("it does not bind");
    }

    /// A tab dies and is opened again; if it led, the next leads.
    fn die(&mut self, device: usize, tab: usize) {
        let count = self.devices[device].tabs.len();
        if self.devices[device].leader == tab {
            if count == 1 {
                self.unlink(device);
                self.devices[device].tabs.clear();
                let again = self.opened_tab(device);
                self.devices[device].tabs.push(again);
                self.link(device);
                return;
            }
            self.lead(device, (tab + 1) % count);
        }
        let again = self.opened_tab(device);
        self.devices[device].tabs[tab] = again;
    }

    fn step(&mut self, device: usize, index: usize) -> bool {
        let now = self.clock(device);
        let Device { store, tabs, .. } = &mut self.devices[device];
        let Some(tab) = tabs.get_mut(index) else { return false };
        if let Some((id, batch)) = tab.commit.take() {
            let event = store.answer_commit(id, &batch).expect("nobody tells the store to refuse");
            if matches!(event, Event::Committed(_)) {
                let others = tabs.iter_mut().enumerate().filter(|(other, _)| *other != index);
                others.for_each(|(_, tab)| tab.news.push_back(Event::Nudged));
            }
            tabs[index].news.push_back(event);
            return true;
        }
        if let Some(look) = tab.look.take() {
            let seen = store.look(look);
            tab.news.push_back(Event::Seen(Box::new(seen)));
            return true;
        }
        if let Some(effect) = tab.engine.poll() {
            self.carry_out(device, index, effect);
            return true;
        }
        let event = tab.news.pop_front().or_else(|| tab.inbox.pop_front().map(Event::Message));
        let Some(event) = event else { return false };
        tab.engine.handle(now, event);
        true
    }

    fn take_steps(&mut self, device: usize, tab: usize, count: usize) {
        for _ in 0..count {
            self.step(device, tab);
        }
    }

    fn carry_out(&mut self, device: usize, index: usize, effect: Effect) {
        let leader = self.devices[device].leader;
        let tab = &mut self.devices[device].tabs[index];
        match effect {
            Effect::Commit(id, batch) => tab.commit = Some((id, batch)),
            Effect::Look(look) => tab.look = Some(look),
            Effect::Changed { before, after, compare, origin } => {
                if !diff(&before, &after, compare).is_empty() {
                    tab.origins.push(origin);
                }
                if let Some(seen) = &tab.seen {
                    assert_eq!(seen.canonical(), before.canonical(), "listeners were not told of a change");
                }
                tab.seen = Some(after);
            }
            Effect::Send(message) => {
                let may_speak = index == leader || tab.engine.role() == Role::Leads;
                assert!(may_speak || tab.session.is_none(), "a follower speaks");
                if let ClientMessage::Upload { changesets, .. } = &message {
                    let last = changesets.last().expect("an upload has changesets");
                    let last = Changeset::decode(last).expect("an upload can be read").number;
                    let kept = Replica::load(&self.devices[device].store.load_strict()).expect("there is a store");
                    assert!(last <= kept.identity().last_number, "changeset {} is not on disk for good", last.0);
                }
                let tab = &mut self.devices[device].tabs[index];
                if tab.session.is_some() && message.session() == tab.session {
                    for (DeviceId(to), answer) in self.server.handle(Millis(self.now), address(device), message) {
                        let Device { tabs, leader, .. } = &mut self.devices[to];
                        let asker = tabs.iter().position(|tab| tab.session == answer.session());
                        tabs[asker.unwrap_or(*leader)].inbox.push_back(answer);
                    }
                }
            }
            Effect::Unlink => tab.session = None,
            Effect::Relink => {
                tab.session = None;
                // What was asked for before the lead was lost is for nobody.
                if index == leader {
                    self.link(device);
                }
            }
            Effect::AskLeader(id) => {
                let asked = WaitId(id.0 + 1_000 * (index as u64 + 1));
                let now = self.clock(device);
                self.devices[device].tabs[leader].engine.handle(now, Event::WaitDownload(asked));
            }
            Effect::WaitDone(id, result) if id.0 >= 1_000 => {
                let asker = (id.0 / 1_000 - 1) as usize;
                let answered = Event::LeaderAnswered(WaitId(id.0 % 1_000), result);
                self.devices[device].tabs[asker].news.push_back(answered);
            }
            Effect::WaitDone(id, result) => tab.answers.push((id, result)),
            Effect::ResetBefore { .. } => tab.news.push_back(Event::ResetBeforeDone(Ok(()))),
            Effect::ResetAfter { .. } => {
                tab.resets += 1;
                tab.news.push_back(Event::ResetAfterDone(Ok(())));
            }
            Effect::SyncError(error) => tab.errors.push(error),
            Effect::StoreFailed(failure) => panic!("device {device}, tab {index}: {failure:?}"),
            Effect::ResetProgress(progress) => {
                tab.is_swapping |= progress.phase == ResetPhase::Swapping;
                tab.discarded = progress.report.map(|report| report.discarded_changesets);
            }
            Effect::BackUpThenClear { .. } | Effect::Progress { .. } | Effect::SessionState(_) | Effect::Closed => {}
        }
    }

    fn run(&mut self) {
        for _ in 0..20_000 {
            let mut moved = false;
            for device in 0..self.devices.len() {
                for tab in 0..self.devices[device].tabs.len() {
                    moved |= self.step(device, tab);
                }
            }
            if !moved {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    fn settle(&mut self) {
        for _ in 0..200 {
            self.run();
            let deadline = |device: &Device| {
                let deadlines = device.tabs.iter().filter_map(|tab| tab.engine.next_deadline());
                Some(deadlines.min()?.0.saturating_sub(device.ahead_ms))
            };
            let Some(next) = self.devices.iter().filter_map(deadline).min() else { return };
            self.pass(next.saturating_sub(self.now));
        }
        panic!("somebody always waits for something");
    }

    fn pass(&mut self, ms: u64) {
        self.now += ms.max(1);
        for device in 0..self.devices.len() {
            let now = self.clock(device);
            self.devices[device].tabs.iter_mut().for_each(|tab| tab.engine.handle(now, Event::Timer));
        }
    }

    fn tab(&mut self, device: usize, tab: usize) -> &mut Tab {
        &mut self.devices[device].tabs[tab]
    }

    fn write(&mut self, device: usize, tab: usize, write: impl FnOnce(&mut Engine)) {
        self.now += 1;
        let now = self.clock(device);
        let engine = &mut self.tab(device, tab).engine;
        engine.begin_write(now).unwrap();
        write(engine);
        engine.commit_write(now).unwrap();
    }

    fn write_dog(&mut self, device: usize, tab: usize, id: i64, name: &str) {
        self.write(device, tab, |engine| {
            let known = engine.current().find(Kennel::DOG, &Value::Int(id));
            let transaction = engine.transaction().unwrap();
            let key = known.unwrap_or_else(|| transaction.create(Kennel::DOG, Some(Value::Int(id))).unwrap());
            transaction.set(Kennel::DOG, key, Kennel::NAME, Value::String(name.into())).unwrap();
        });
    }

    fn has_dog(&mut self, device: usize, tab: usize, id: i64) -> bool {
        self.tab(device, tab).engine.current().find(Kennel::DOG, &Value::Int(id)).is_some()
    }

    /// What dog 1 is called.
    fn name_of_dog(&mut self, device: usize, tab: usize) -> Option<Value> {
        let current = self.tab(device, tab).engine.current();
        let key = current.find(Kennel::DOG, &Value::Int(1))?;
        current.table(Kennel::DOG).get(key, Kennel::NAME).map(|value| value.to_owned())
    }

    fn check(&mut self) {
        self.server.state().audit().expect("the server's state is sound");
        let canonical = self.server.state().canonical();
        for (device, state) in self.devices.iter().enumerate() {
            for (index, tab) in state.tabs.iter().enumerate() {
                let name = format!("device {device}, tab {index}");
                assert_eq!(tab.engine.pending_count(), 0, "{name} has pending changesets");
                tab.engine.current().audit().unwrap_or_else(|what| panic!("{name}: {what}"));
                assert!(tab.engine.is_flushed(), "{name} has not stored everything");
                assert!(tab.engine.current().canonical() == canonical, "{name} differs from the server");
            }
            let stored = ebbtide_core::replica::Replica::load(&state.store.load()).unwrap();
            assert!(stored.current().canonical() == canonical, "the store of device {device} differs");
        }
    }
}

impl Served for World {
    fn server(&mut self) -> &mut TestServer {
        &mut self.server
    }

    fn restart_server(&mut self, change: impl FnOnce(&mut TestServer)) {
        for device in 0..self.devices.len() {
            self.unlink(device);
        }
        change(&mut self.server);
        for device in 0..self.devices.len() {
            self.link(device);
        }
    }

    fn long_ago(&mut self) {
        self.run();
        self.pass(11 * 60 * 1_000);
    }
}

#[test]
fn the_leader_uploads_what_a_follower_writes_and_the_follower_hears_of_it() {
    let mut world = World::new(&[3, 1]);
    world.write_dog(0, 2, 1, "Rex");
    let now = Millis(world.now);
    world.tab(0, 2).engine.handle(now, Event::WaitUpload(WaitId(1)));
    world.settle();
    world.check();
    assert_eq!(world.tab(0, 2).answers, [(WaitId(1), Ok(()))]);
    world.write_dog(1, 0, 2, "Max");
    world.settle();
    world.check();
    assert_eq!(world.tab(0, 1).origins, [Origin::Remote, Origin::Remote]);
}

#[test]
fn a_follower_gets_what_the_server_has_through_the_leader() {
    let mut world = World::new(&[2, 1]);
    world.write_dog(1, 0, 7, "Rex");
    while world.step(1, 0) {}
    let now = Millis(world.now);
    world.tab(0, 1).engine.handle(now, Event::WaitDownload(WaitId(5)));
    while world.tab(0, 1).answers.is_empty() {
        assert!((0..2).any(|tab| world.step(0, tab)), "the wait is not answered");
    }
    assert!(world.has_dog(0, 1, 7));
    assert_eq!(world.tab(0, 1).answers, [(WaitId(5), Ok(()))]);
}

#[test]
fn a_new_leader_that_takes_in_what_the_one_before_had_downloaded_is_sent_nothing_twice() {
    let mut world = World::new(&[2, 1]);
    world.write_dog(0, 0, 1, "confirmed");
    world.write_dog(1, 0, 2, "downloaded");
    while world.tab(0, 0).engine.pending_count() > 0 || !world.has_dog(0, 0, 2) {
        assert!((0..2).any(|device| world.step(device, 0)), "the leader downloads");
    }
    // What it has downloaded gets to the disk when the next leader has been told of it, and before that has taken it in.
    while world.tab(0, 0).commit.is_none() {
        assert!(world.step(0, 0), "what was downloaded is stored");
    }
    world.lead(0, 1);
    while world.tab(0, 1).inbox.is_empty() {
        assert!(world.step(0, 1), "the next leader is told");
    }
    world.settle();
    world.check();
    assert!(world.devices[0].tabs.iter().all(|tab| tab.errors.is_empty()), "{:?}", world.tab(0, 1).errors);
}

#[test]
fn what_a_former_leader_uploads_while_the_next_one_binds_is_no_reason_to_reset() {
    let mut world = World::new(&[2, 1]);
    world.write_dog(0, 0, 1, "Rex");
    world.settle();
    let former = world.tab(0, 0).session;
    let bind = world.seizes(0, 1);
    world.write_dog(0, 0, 2, "by the one that has not heard of it");
    let uploaded = world.server.history_len();
    while world.server.history_len() == uploaded {
        assert!(world.step(0, 0), "the former leader uploads");
    }
    assert_eq!(world.tab(0, 0).session, former, "on the connection that it had");
    world.carry_out(0, 1, Effect::Send(bind));
    world.write_dog(0, 1, 3, "not uploaded yet");
    let now = world.clock(0);
    world.tab(0, 0).engine.handle(now, Event::Follow);
    world.settle();
    world.check();
    assert_eq!([world.tab(0, 0).resets, world.tab(0, 1).resets], [0, 0]);
    assert!((1..=3).all(|id| world.has_dog(0, 1, id)), "nothing is lost");
}

#[test]
fn a_reset_is_one_change_in_every_tab_and_its_callbacks_are_the_leaders() {
    let mut world = World::new(&[3, 1]);
    world.write_dog(0, 0, 1, "kept");
    world.settle();
    let backup = world.server.backup();
    world.write_dog(0, 1, 2, "lost");
    world.write_dog(1, 0, 3, "lost as well");
    world.settle();
    world.check();
    let told: Vec<usize> = (0..3).map(|tab| world.tab(0, tab).origins.len()).collect();
    world.restart_server(|server| server.restore(&backup));
    world.settle();
    world.check();
    for (tab, told) in told.iter().enumerate() {
        assert_eq!(world.tab(0, tab).origins.len(), told + 1, "tab {tab}");
        assert_eq!(world.tab(0, tab).resets, usize::from(tab == 0));
        assert!(world.has_dog(0, tab, 1) && !world.has_dog(0, tab, 2));
    }
}

/// Two tabs in step with a server whose history has begun anew since.
fn terminated() -> World {
    let mut world = World::new(&[2]);
    world.write_dog(0, 0, 1, "kept");
    world.settle();
    world.restart_server(TestServer::terminate);
    world
}

#[test]
fn a_reset_counts_what_other_tabs_had_stored_unseen() {
    for unseen in [0, 1, 3] {
        let mut world = terminated();
        // Up to the swap, whose batch is on its way; the leader hears nothing of what the other stores before it.
        while !world.devices[0].tabs[0].is_swapping {
            assert!(world.step(0, 0), "there is a reset");
        }
        while world.tab(0, 0).commit.is_none() {
            assert!(world.step(0, 0), "the swap is stored");
        }
        for id in 0..unseen {
            world.write_dog(0, 1, 10 + id, "dropped");
            let stored = world.devices[0].store.commits();
            while world.devices[0].store.commits() == stored {
                assert!(world.step(0, 1), "the other tab stores it");
            }
        }
        world.settle();
        world.check();
        assert_eq!(world.tab(0, 0).discarded, Some(unseen as usize));
        assert!((0..unseen).all(|id| !world.has_dog(0, 1, 10 + id)));
    }
}

#[test]
fn what_a_follower_writes_after_the_swap_belongs_to_the_new_base() {
    let mut world = terminated();
    // The follower sleeps through the reset and writes before it hears of it.
    while world.step(0, 0) {}
    assert_eq!(world.tab(0, 0).resets, 1);
    world.write_dog(0, 1, 2, "new");
    world.settle();
    world.check();
    assert!(world.has_dog(0, 0, 2));
}

#[test]
fn a_wait_for_an_upload_ends_when_the_realm_was_reset_before_what_it_waits_for_was_stored() {
    let mut world = terminated();
    while world.step(0, 0) {}
    for id in 2..5 {
        world.write_dog(0, 0, id, "after the reset");
        while world.step(0, 0) {}
    }
    // The other tab has slept through all of it.
    world.write_dog(0, 1, 5, "waited for");
    let now = Millis(world.now);
    world.tab(0, 1).engine.handle(now, Event::WaitUpload(WaitId(1)));
    world.settle();
    world.check();
    assert_eq!(world.tab(0, 1).answers, [(WaitId(1), Ok(()))]);
}

#[test]
fn a_reset_that_a_former_leader_has_finished_is_not_done_again() {
    for (before, after) in (0..12).flat_map(|before| (0..16).map(move |after| (before, after))) {
        let mut world = terminated();
        let is_asked = |event: &Event| matches!(event, Event::ResetBeforeDone(_));
        while world.tab(0, 0).commit.is_none() || !world.tab(0, 0).news.iter().any(is_asked) {
            assert!(world.step(0, 0), "the fresh state is stored");
        }
        // The disk is slow: neither the fresh state nor the swap is there when the next leader reads that there is a reset to do.
        let fresh = world.tab(0, 0).commit.take();
        while !world.tab(0, 0).is_swapping {
            assert!(world.step(0, 0), "the swap happens in memory");
        }
        let swapped = world.tab(0, 0).engine.client_id();
        world.lead(0, 1);
        world.take_steps(0, 1, before);
        world.tab(0, 0).commit = fresh;
        while world.step(0, 0) {}
        world.take_steps(0, 1, after);
        let has_seen_it = world.tab(0, 1).engine.client_id() == swapped;
        world.write_dog(0, 1, 2, "after the reset");
        world.settle();
        world.check();
        assert!(world.has_dog(0, 0, 2) || !has_seen_it, "after {before} and {after} steps of the next leader");
    }
}

#[test]
fn the_next_leader_goes_on_with_a_reset() {
    for steps in 0..60 {
        let mut world = terminated();
        world.take_steps(0, 0, steps);
        world.die(0, 0);
        world.settle();
        world.check();
        assert!(world.has_dog(0, 1, 1));
    }
}

#[test]
fn a_tab_that_opens_while_the_first_download_is_under_way_gets_it() {
    let mut world = World::new(&[1, 1]);
    for id in 0..20 {
        world.write_dog(0, 0, id, "a dog with a long name that fills chunks");
    }
    world.settle();
    world.devices[1].store = MemoryStore::new();
    world.die(1, 0);
    world.take_steps(1, 0, 6);
    let second = world.opened_tab(1);
    world.devices[1].tabs.push(second);
    world.write_dog(1, 1, 50, "before the download");
    world.settle();
    world.check();
    assert!(world.has_dog(1, 1, 3) && world.has_dog(0, 0, 50));
}

#[test]
fn a_clock_far_ahead_is_corrected_and_does_not_win_for_ever() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    let mut world = World::new(&[2, 1]);
    world.write_dog(0, 0, 1, "Rex");
    world.settle();
    world.unlink(0);
    world.devices[0].online = false;
    world.devices[0].ahead_ms = 300 * DAY_MS;
    world.write_dog(0, 1, 1, "from the future");
    world.write_dog(0, 0, 2, "also");
    for how in [9, 10, 11, 13, 14] {
        play(&mut world, &mut None, Happening::Change { device: 0, tab: 1, id: 1, how });
    }
    world.run();
    let told = world.tab(0, 0).origins.len();
    let collar = world.tab(0, 1).engine.current().table(Kennel::COLLAR_CLASS).rows().next().map(|row| row.key());
    world.devices[0].online = true;
    world.link(0);
    world.settle();
    world.check();
    // Nothing that is seen has changed on the device itself, and its objects are the same.
    assert_eq!(world.tab(0, 0).origins.len(), told);
    assert!(world.tab(0, 1).engine.current().table(Kennel::COLLAR_CLASS).contains(collar.unwrap()));
    world.write_dog(1, 0, 1, "later");
    world.settle();
    world.check();
    assert_eq!(world.name_of_dog(0, 1), Some(Value::String("later".into())));
    // What the clock says from now on is read as the server's time.
    world.write_dog(0, 0, 1, "now");
    world.settle();
    world.write_dog(1, 0, 1, "last");
    world.settle();
    world.check();
    assert_eq!(world.name_of_dog(0, 0), Some(Value::String("last".into())));
    assert!(world.devices[0].tabs.iter().all(|tab| tab.errors.is_empty() && tab.resets == 0));
}

#[test]
fn what_is_written_when_a_clock_was_corrected_is_later_than_all_that_is_there() {
    // Ahead, and not so far that it is corrected; then so far that it is; and so far only after a link was made.
    for ahead in [[50_000, 3_600_000], [200_000, 200_000]] {
        let mut world = World::new(&[1, 1]);
        world.write_dog(0, 0, 1, "first");
        world.settle();
        world.devices[0].ahead_ms = ahead[0];
        world.write_dog(0, 0, 1, "ahead");
        world.settle();
        world.check();
        world.unlink(0);
        world.devices[0].ahead_ms = ahead[1];
        for name in ["corrected", "after it"] {
            world.write_dog(0, 0, 1, name);
            world.link(0);
            world.settle();
            world.check();
            assert_eq!(world.name_of_dog(1, 0), Some(Value::String(name.into())), "ahead by {ahead:?}");
            world.unlink(0);
        }
    }
}

#[test]
fn what_was_written_while_the_clock_was_ahead_syncs_after_an_upload_whose_answer_was_lost() {
    let mut world = World::new(&[1, 1]);
    world.write_dog(0, 0, 1, "first");
    world.settle();
    // Ahead by more than is corrected and by less than is refused, and only after a link was made.
    world.devices[0].ahead_ms = 2 * 60_000;
    let version = world.server.record().head.version;
    world.write_dog(0, 0, 1, "uploaded");
    while world.server.record().head.version == version {
        assert!(world.step(0, 0), "it is uploaded");
    }
    world.unlink(0);
    world.write_dog(0, 0, 1, "after it");
    world.link(0);
    world.settle();
    world.check();
    assert_eq!(world.name_of_dog(1, 0), Some(Value::String("after it".into())));
}

#[test]
fn a_leader_that_reads_the_store_as_a_whole_uploads_nothing_of_it_that_another_tab_has_written_relaxed() {
    let mut world = World::new(&[2]);
    world.write_dog(0, 0, 1, "kept");
    world.settle();
    // All that the other tab has is there for good, and it is given the lead, loses it and gets it again before it has
    // looked at the store: it looks twice.
    let now = world.clock(0);
    world.tab(0, 1).engine.handle(now, Event::WaitDurable(WaitId(1)));
    while world.step(0, 1) {}
    world.lead(0, 1);
    while world.tab(0, 1).look.is_none() {
        assert!(world.step(0, 1), "it looks");
    }
    world.lead(0, 0);
    world.lead(0, 1);
    while world.tab(0, 1).engine.role() == Role::Follows || world.tab(0, 1).look.is_none() {
        assert!(world.step(0, 1), "it leads, and looks again");
    }
    let look = world.tab(0, 1).look.take();
    while world.step(0, 1) {}
    assert!(world.tab(0, 1).engine.standing().uploaded.is_some(), "the server listens");
    world.write_dog(0, 0, 2, "relaxed");
    while world.step(0, 0) {}
    world.tab(0, 1).look = look;
    world.settle();
    world.check();
    assert!(world.has_dog(0, 1, 2) && world.server.record().head.version.0 == 3);
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Dog {
        device: usize,
        tab: usize,
        id: i64,
    },
    Change {
        device: usize,
        tab: usize,
        id: i64,
        how: u16,
    },
    Delete {
        device: usize,
        tab: usize,
        id: i64,
    },
    Steps {
        device: usize,
        tab: usize,
        count: usize,
    },
    Lead {
        device: usize,
        tab: usize,
    },
    Die {
        device: usize,
        tab: usize,
    },
    Offline(usize),
    Online(usize),
    Pass(u16),
    /// A clock jumps, to hours ahead or back.
    Clock {
        device: usize,
        ahead: u8,
    },
    Server(ServerTurn),
}

const TABS: usize = 3;

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let place = || (0..2_usize, 0..TABS);
    prop_oneof![
        8 => (place(), 0..6_i64).prop_map(|((device, tab), id)| Dog { device, tab, id }),
        12 => (place(), 0..4_i64, any::<u16>()).prop_map(|((device, tab), id, how)| Change { device, tab, id, how }),
        2 => (place(), 0..6_i64).prop_map(|((device, tab), id)| Delete { device, tab, id }),
        25 => (place(), 1..15_usize).prop_map(|((device, tab), count)| Steps { device, tab, count }),
        3 => place().prop_map(|(device, tab)| Lead { device, tab }),
        2 => place().prop_map(|(device, tab)| Die { device, tab }),
        1 => (0..2_usize).prop_map(Offline),
        2 => (0..2_usize).prop_map(Online),
        1 => (1..60_000_u16).prop_map(Pass),
        1 => (0..2_usize, 0..4_u8).prop_map(|(device, ahead)| Clock { device, ahead }),
        6 => prop::sample::select(&ServerTurn::ALL[..]).prop_map(Server),
    ]
}

fn play(world: &mut World, backup: &mut Option<ServerBackup>, what: Happening) {
    match what {
        Happening::Dog { device, tab, id } => {
            let name = format!("{device}.{tab} at {}", world.now);
            world.write_dog(device, tab, id, &name);
        }
        Happening::Change { device, tab, id, how } => world.write(device, tab, |engine| {
            if let Some(key) = engine.current().find(Kennel::DOG, &Value::Int(id)) {
                // What makes no sense on this state is refused and changes nothing.
                let _ = change(engine.transaction().unwrap(), key, how);
            }
        }),
        Happening::Delete { device, tab, id } => world.write(device, tab, |engine| {
            if let Some(key) = engine.current().find(Kennel::DOG, &Value::Int(id)) {
                engine.transaction().unwrap().delete(Kennel::DOG, key).unwrap();
            }
        }),
        Happening::Steps { device, tab, count } => world.take_steps(device, tab, count),
        Happening::Lead { device, tab } => world.lead(device, tab),
        Happening::Die { device, tab } => world.die(device, tab),
        Happening::Offline(device) => {
            world.unlink(device);
            world.devices[device].online = false;
        }
        Happening::Online(device) => {
            if !world.devices[device].online {
                world.devices[device].online = true;
                world.link(device);
            }
        }
        Happening::Pass(ms) => world.pass(u64::from(ms)),
        Happening::Clock { device, ahead } => world.devices[device].ahead_ms = u64::from(ahead) * 3_600_000,
        Happening::Server(turn) => turn.happen(world, backup),
    }
}

/// `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tabs_of_synced_realms_end_with_the_same(happenings in proptest::collection::vec(happening(), 1..70)) {
        let mut world = World::new(&[TABS, TABS]);
        let mut backup = None;
        for what in &happenings {
            play(&mut world, &mut backup, *what);
        }
        for device in 0..2 {
            play(&mut world, &mut backup, Happening::Online(device));
        }
        world.settle();
        world.check();
        world.write_dog(1, 2, 100, "the end");
        world.settle();
        world.check();
        for tab in 0..TABS {
            prop_assert!(world.has_dog(0, tab, 100));
        }
        for tab in world.devices.iter().flat_map(|device| &device.tabs) {
            prop_assert!(tab.errors.iter().all(|error| !error.fatal), "{:?}", tab.errors);
        }
    }
}
