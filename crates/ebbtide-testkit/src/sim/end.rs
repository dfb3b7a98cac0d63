//! The end of a story: everything is mended, the world comes to rest, and all must have the same.

use ebbtide_core::replica::Replica;
use ebbtide_sync::client::{Event, SessionState};

use super::picture::{difference, picture};
use super::random::Random;
use super::step::{Fault, Manner, ServerStep, Step, Where};
use super::tab::notes_of;
use super::world::World;

/// How long the world may take to come to rest.
const REST_MS: u64 = 2 * 60 * 60 * 1_000;
/// How many things may happen meanwhile.
const REST_STEPS: u64 = 8_000;

impl World {
    /// Mends everything, waits until the world is at rest, and checks that all have the same; then writes once more.
    pub fn end(&mut self, seed: u64) {
        let mut random = Random::new(seed ^ 0x5eed);
        self.say(|| "everything is mended".into());
        self.mended = true;
        self.rest(&mut random);
        self.check_end();
        for device in 0..self.devices.len() {
            self.take(&Step::Write(Where { device, tab: 0 }, Vec::new()));
        }
        self.rest(&mut random);
        self.check_end();
        for device in 0..self.devices.len() {
            let last = self.devices[device].tabs.iter().map(|tab| tab.last_note).max().unwrap_or(0);
            assert!(notes_of(self.server.state()).contains(&last), "what was written in the end did not arrive");
        }
    }

    fn mend(&mut self) {
        self.server_step(ServerStep::Start);
        for index in 0..self.devices.len() {
            let device = &mut self.devices[index];
            device.online = true;
            device.fault = Fault::None;
            device.manner = Manner::Ok;
            device.tabs.iter_mut().for_each(|tab| tab.frozen = false);
            device.tabs.iter_mut().for_each(|tab| tab.answer(Manner::Ok));
            while let Some(failed) = self.devices[index].tabs.iter().position(|tab| tab.failed) {
                self.kill(index, failed);
            }
            if self.devices[index].tabs.is_empty() {
                self.open(index);
            }
            for tab in 0..self.devices[index].tabs.len() {
                let at = Where { device: index, tab };
                if self.devices[index].tabs[tab].engine.in_transaction() {
                    self.take(&Step::Commit(at));
                }
                if self.devices[index].tabs[tab].engine.session_state() == SessionState::Inactive {
                    let now = self.devices[index].now(self.now);
                    self.in_tab(index, tab, |tab, store| tab.tell(now, store, Event::Resume));
                }
            }
        }
    }

    fn rest(&mut self, random: &mut Random) {
        let (end, most) = (self.now + REST_MS, self.happened + REST_STEPS);
        loop {
            self.mend();
            // Hints may have been lost; what a tab has not heard of, it is told now.
            self.devices.iter_mut().flat_map(|device| &mut device.tabs).for_each(|tab| tab.nudged = true);
            while self.happen(random) {
                assert!(self.happened < most, "the world does not come to rest: {}", self.restless());
            }
            if self.is_at_rest() {
                return;
            }
            let next = self.next_moment();
            let Some(next) = next.or(self.devices.iter().any(|device| device.tabs.is_empty()).then_some(0)) else {
                panic!("nothing will ever happen, and the world is not at rest: {}", self.restless());
            };
            self.now = next.max(self.now + 1);
            assert!(self.now < end, "the world does not come to rest: {}", self.restless());
        }
    }

    /// When something can happen next.
    fn next_moment(&self) -> Option<u64> {
        let mut next: Option<u64> = None;
        let mut add = |at: u64| next = Some(next.map_or(at, |next| next.min(at)));
        for device in &self.devices {
            if !device.queue.is_empty() {
                add(device.stalled_until);
            }
            for tab in &device.tabs {
                let deadlines = [tab.engine.next_deadline(), tab.connection.next_deadline()];
                deadlines.into_iter().flatten().for_each(|at| add(at.0.saturating_add_signed(-device.skew_ms)));
            }
        }
        next
    }

    fn is_at_rest(&self) -> bool {
        self.writing.is_none() && self.restless().is_empty()
    }

    /// Who is not at rest, and why.
    fn restless(&self) -> String {
        let record = self.server.record();
        let here = record.head.cursor(record.epoch);
        let mut text = String::new();
        for (index, device) in self.devices.iter().enumerate() {
            if device.tabs.is_empty() {
                text.push_str(&format!("device {index} has no tab; "));
            }
            for tab in &device.tabs {
                let engine = &tab.engine;
                let cursor = engine.replica().cursor();
                let rest = (engine.pending_count(), engine.is_flushed(), cursor == Some(here), tab.waiting());
                let is_deaf = device.leader == Some(tab.name) && engine.standing().uploaded.is_none();
                if rest != (0, true, true, 0) || is_deaf || device.leader.is_none() {
                    let state = engine.session_state();
                    text.push_str(&format!(
                        "device {index}, tab {}: (pending, flushed, at the head, waits) = {rest:?}, deaf {is_deaf}, {state:?}; ",
                        tab.name
                    ));
                }
            }
        }
        text
    }

    fn check_end(&self) {
        let server = self.server.state();
        let shown = picture(server);
        assert_eq!(difference(&shown, &self.model.picture()), None, "the server (first) and the naive model differ");
        for (index, device) in self.devices.iter().enumerate() {
            for tab in &device.tabs {
                let what = || format!("device {index}, tab {}", tab.name);
                let current = tab.engine.current();
                assert_eq!(difference(&shown, &picture(current)), None, "the server (first) and {} differ", what());
                assert!(current.canonical() == server.canonical(), "the server and {} differ", what());
                current.audit().unwrap_or_else(|problem| panic!("{}: {problem}", what()));
            }
            let loaded = device.store.load();
            assert!(loaded.staging.is_empty(), "device {index}: something is left in staging");
            let replica = Replica::load(&loaded).unwrap_or_else(|error| panic!("device {index}: {error}"));
            assert_eq!(difference(&shown, &picture(replica.current())), None, "the disk of device {index} differs");
            for backup in &device.backups {
                let loaded = backup.load();
                assert!(loaded.is_empty() || Replica::load(&loaded).is_ok(), "a backup cannot be opened");
            }
        }
        self.notes.check_end(&notes_of(server));
    }
}
