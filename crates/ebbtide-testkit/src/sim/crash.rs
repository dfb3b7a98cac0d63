//! A crash before and after every storage transaction and every message of some scripted stories.

use super::edit::Focus;
use super::happen::Happening;
use super::run::{Failure, catch};
use super::step::{DevicePlan, ServerStep, Step, Story, Weather, Where};
use super::world::{Telling, World};
use crate::edits::Edit;
use ebbtide_sync::client::ResetMode;

/// A story that is played with a crash at every point of it.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it is about.
    pub name: &'static str,
    story: Story,
}

/// Who crashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// The tab that the point concerns, or all of a device.
    Tabs,
    /// The device loses power, and with it all that was not there for good.
    Power,
    /// The server.
    Server,
}

/// On which side of a point the crash is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Before it.
    Before,
    /// After it.
    After,
}

impl Crash {
    /// All of them.
    pub const ALL: [Crash; 3] = [Crash::Tabs, Crash::Power, Crash::Server];
}

const FIRST: Where = Where { device: 0, tab: 0 };
const SECOND: Where = Where { device: 1, tab: 0 };

/// The stories.
pub fn scripts() -> Vec<Script> {
    let write = |at: Where| Step::Write(at, Edit::beginning(Focus::List(1)));
    let all = |order: u64| Step::Run(order, 400);
    let script = |name, steps: Vec<Step>| {
        let plan = DevicePlan { mode: ResetMode::DiscardUnsyncedChanges, skew_ms: 0, version: 0 };
        Script { name, story: Story { seed: 0, devices: vec![plan; 2], chunk_bytes: 700, entries_max: 2, steps } }
    };
    let reset = |server: ServerStep| {
        vec![
            write(FIRST),
            all(1),
            Step::Server(ServerStep::Backup),
            write(SECOND),
            write(FIRST),
            all(2),
            write(FIRST),
            Step::Server(server),
            Step::Server(ServerStep::Start),
            Step::Pass(2_000),
            all(3),
        ]
    };
    let mut upload = vec![all(1)];
    (0..4).for_each(|_| upload.push(write(FIRST)));
    upload.push(all(2));
    vec![
        script("bootstrap", vec![write(FIRST), all(1)]),
        script("writes", upload),
        script("download", vec![all(1), write(SECOND), write(SECOND), all(2), Step::Compact(FIRST), all(3)]),
        script("reset after a restore", reset(ServerStep::Restore)),
        script("reset after a termination", reset(ServerStep::Terminate)),
        script("manual reset", reset(ServerStep::Break)),
        script(
            "takeover by another tab",
            vec![
                Step::Open(0),
                all(1),
                write(FIRST),
                write(Where { device: 0, tab: 1 }),
                Step::Run(2, 12),
                Step::Steal(0),
                write(FIRST),
                write(Where { device: 0, tab: 1 }),
                all(3),
            ],
        ),
        script(
            "migration while open and at opening",
            vec![
                all(1),
                Step::Extend(FIRST),
                write(FIRST),
                all(2),
                Step::Upgrade(1),
                Step::Open(1),
                write(SECOND),
                all(3),
            ],
        ),
        script("lost network", vec![write(FIRST), Step::Run(1, 25), Step::Weather(0, Weather::Cut(1)), all(2)]),
    ]
}

impl Script {
    /// How many points the story has without a crash: storage transactions, and messages either way.
    pub fn points(&self) -> usize {
        let mut world = World::new(&self.story, Telling::Silent);
        world.watch(usize::MAX, Side::Before, Crash::Tabs);
        self.story.steps.iter().for_each(|step| world.take(step));
        world.points()
    }

    /// Plays it with a crash at a point, to its end.
    pub fn play(&self, point: usize, side: Side, crash: Crash) -> Option<Failure> {
        catch(|| {
            let mut world = World::new(&self.story, Telling::Silent);
            world.watch(point, side, crash);
            self.story.steps.iter().for_each(|step| world.take(step));
            world.end(point as u64);
        })
    }
}

/// A crash that waits for its point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    at: usize,
    side: Side,
    crash: Crash,
    seen: usize,
}

impl World {
    fn watch(&mut self, at: usize, side: Side, crash: Crash) {
        self.watch = Some(Watch { at, side, crash, seen: 0 });
    }

    fn points(&self) -> usize {
        self.watch.map_or(0, |watch| watch.seen)
    }

    /// Does what happens, with a crash before or after it if this is the point.
    pub(super) fn do_watched(&mut self, what: Happening) {
        let device = match what {
            Happening::Disk(device) => Some(device),
            Happening::Up(id) | Happening::Down(id) => self.sockets.get(&id).map(|socket| socket.device),
            Happening::Durable => Some(0),
            _ => None,
        };
        let (Some(device), Some(watch)) = (device, &mut self.watch) else { return self.do_it(what) };
        let is_here = watch.seen == watch.at;
        watch.seen += 1;
        let Watch { side, crash, .. } = *watch;
        match (is_here, side) {
            (false, _) => self.do_it(what),
            (true, Side::Before) => self.crash(device, crash),
            (true, Side::After) => {
                self.do_it(what);
                self.crash(device, crash);
            }
        }
    }

    fn crash(&mut self, device: usize, crash: Crash) {
        match crash {
            Crash::Tabs => {
                self.now += self.now % 2;
                self.take(&Step::Power(device, 0));
            }
            Crash::Power => self.take(&Step::Power(device, usize::MAX)),
            Crash::Server => {
                self.take(&Step::Server(ServerStep::Crash));
                return self.take(&Step::Server(ServerStep::Start));
            }
        }
        self.take(&Step::Open(device));
    }
}

/// Plays all scripts with all crashes; gives how many points there are, and what failed.
pub fn enumerate(mut tell: impl FnMut(&str, usize, usize)) -> (usize, Vec<String>) {
    let (mut played, mut failures) = (0, Vec::new());
    for script in scripts() {
        let points = script.points();
        let before = failures.len();
        for point in 0..points {
            for crash in Crash::ALL {
                for side in [Side::Before, Side::After] {
                    played += 1;
                    if let Some(failure) = script.play(point, side, crash) {
                        failures.push(format!("{}: {crash:?} {side:?} point {point}: {failure}", script.name));
                    }
                }
            }
        }
        tell(script.name, points, failures.len() - before);
    }
    (played, failures)
}
