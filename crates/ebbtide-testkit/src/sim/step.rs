//! What happens in a story, as a list that can be told again, and made shorter.

use std::fmt;

use ebbtide_sync::client::ResetMode;

use super::edit::Focus;
use super::random::Random;
use super::schema::VERSIONS;
use crate::edits::Edit;

/// A world and what happens in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Story {
    /// The seed it was made from.
    pub seed: u64,
    /// The devices.
    pub devices: Vec<DevicePlan>,
    /// The size of a snapshot's chunks.
    pub chunk_bytes: usize,
    /// How many entries a DOWNLOAD has at most.
    pub entries_max: usize,
    /// What happens.
    pub steps: Vec<Step>,
}

/// How a device is at the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DevicePlan {
    /// What it does when its history cannot be continued.
    pub mode: ResetMode,
    /// By how much its clock is wrong.
    pub skew_ms: i64,
    /// The version of its app.
    pub version: usize,
}

/// One thing that happens. Devices and tabs are numbers, taken modulo those that are there; what makes no sense does
/// nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A tab writes one transaction.
    Write(Where, Vec<Edit>),
    /// A tab begins a transaction and leaves it open.
    Begin(Where),
    /// It writes in it.
    Continue(Where, Vec<Edit>),
    /// It commits it.
    Commit(Where),
    /// It cancels it.
    Cancel(Where),
    /// So many things that can happen by themselves do, in an order drawn from a number.
    Run(u64, u16),
    /// Time passes.
    Pass(u64),
    /// A device opens another tab.
    Open(usize),
    /// A tab is gone, without a word.
    Kill(Where),
    /// A tab closes the realm.
    Close(Where),
    /// A device loses power: at most so many relaxed batches are forgotten.
    Power(usize, usize),
    /// The network of a device changes.
    Weather(usize, Weather),
    /// The disk of a device changes.
    Disk(usize, Fault),
    /// The clock of a device jumps.
    Clock(usize, i64),
    /// The next tab of the device runs the app's next version.
    Upgrade(usize),
    /// A tab adds what the app's next version has while the realm is open.
    Extend(Where),
    /// A tab has all pages written anew.
    Compact(Where),
    /// A tab waits.
    Wait(Where, Awaiting),
    /// A tab's app pauses its session.
    Pause(Where),
    /// It resumes it.
    Resume(Where),
    /// How the app of a device answers the callbacks of a reset from here on.
    Answer(usize, Manner),
    /// Another tab of the device takes the lead, and the one that had it hears of it later.
    Steal(usize),
    /// A tab is frozen: it does nothing and hears nothing.
    Freeze(Where),
    /// All frozen tabs of a device go on.
    Thaw(usize),
    /// The owner of a device saves its profile, or puts back the one that was saved: its store goes back in time.
    Profile(usize),
    /// Something happens to the server.
    Server(ServerStep),
}

/// A tab of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Where {
    /// The device.
    pub device: usize,
    /// The tab.
    pub tab: usize,
}

/// The network of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weather {
    /// Sockets can be opened.
    Fair,
    /// None can, and open ones end; so many frames that are under way to the server still arrive.
    Down(usize),
    /// Open sockets end, and others can be opened.
    Cut(usize),
    /// What the device says on open sockets is lost, and nobody notices.
    LoseUp,
    /// The same of what the server says.
    LoseDown,
}

/// What is wrong with a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// Every batch fails.
    Refuse,
    /// It holds so many bytes.
    Full(usize),
    /// It does nothing for so many milliseconds.
    Stall(u64),
}

/// What a tab waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaiting {
    /// Everything committed is on disk for good.
    Durable,
    /// Everything committed is acknowledged.
    Upload,
    /// Everything that the server has now is here.
    Download,
}

/// How an app answers a callback.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// At once.
    Ok,
    /// By throwing before a reset.
    ThrowBefore,
    /// By throwing after it.
    ThrowAfter,
    /// Never.
    Silence,
}

/// What happens to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerStep {
    /// It ends at once; what is not durable is gone.
    Crash,
    /// It starts again.
    Start,
    /// A backup is made.
    Backup,
    /// The backup is put in its place.
    Restore,
    /// Sync is ended and begun again.
    Terminate,
    /// History is forgotten but for so many entries.
    Trim(usize),
    /// All clients are forgotten.
    Forget,
    /// Its schema loses a property.
    Break,
    /// The tokens of all connections expire.
    Expire,
}

/// Which kinds of trouble a story has.
struct Trouble {
    kinds: Vec<(usize, Kind)>,
    total: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Write,
    Leave,
    Run,
    Pass,
    Network,
    Kill,
    Power,
    Disk,
    Clock,
    Schema,
    Compact,
    Wait,
    Pause,
    Answer,
    Tabs,
    Restart,
    Expire,
    Trim,
    Harm,
}

impl Trouble {
    /// Every seed has some kinds often, some rarely and some not at all, so that rare things meet.
    fn any(random: &mut Random, focus: Focus) -> Trouble {
        const USUAL: [(usize, Kind); 19] = [
            (30, Kind::Write),
            (6, Kind::Leave),
            (40, Kind::Run),
            (8, Kind::Pass),
            (8, Kind::Network),
            (4, Kind::Kill),
            (4, Kind::Power),
            (3, Kind::Disk),
            (3, Kind::Clock),
            (2, Kind::Schema),
            (4, Kind::Compact),
            (4, Kind::Wait),
            (2, Kind::Pause),
            (2, Kind::Answer),
            (8, Kind::Tabs),
            (4, Kind::Restart),
            (1, Kind::Expire),
            (2, Kind::Trim),
            (5, Kind::Harm),
        ];
        let mut weigh = |weight: usize, kind: Kind| match kind {
            Kind::Write if focus != Focus::Nothing => 2 * weight,
            Kind::Write | Kind::Run => weight,
            _ => weight * [0, 0, 1, 1, 1, 4][random.below(6)],
        };
        let kinds: Vec<(usize, Kind)> = USUAL.iter().map(|(weight, kind)| (weigh(*weight, *kind), *kind)).collect();
        let total = kinds.iter().map(|(weight, _)| weight).sum();
        Trouble { kinds, total }
    }

    fn draw(&self, random: &mut Random) -> Kind {
        let mut left = random.below(self.total);
        for (weight, kind) in &self.kinds {
            if left < *weight {
                return *kind;
            }
            left -= weight;
        }
        Kind::Run
    }
}

impl Story {
    /// The story of a seed, with so many tabs on a device at most.
    pub fn of(seed: u64) -> Story {
        let mut random = Random::new(seed);
        let count = 1 + random.below(3);
        let mode = |random: &mut Random| match random.below(6) {
            0 => ResetMode::Manual,
            _ => ResetMode::DiscardUnsyncedChanges,
        };
        let devices = (0..count)
            .map(|_| DevicePlan {
                mode: mode(&mut random),
                skew_ms: [0, 0, 5, -40_000, 3_600_000][random.below(5)],
                version: if random.once_in(4) { random.below(VERSIONS) } else { 0 },
            })
            .collect();
        let focus = if random.once_in(2) { Focus::any(&mut random) } else { Focus::Nothing };
        let trouble = Trouble::any(&mut random, focus);
        let length = 10 + random.below(80);
        let mut story = Story {
            seed,
            devices,
            chunk_bytes: [300, 700, 5_000][random.below(3)],
            entries_max: [1, 3, 1_000][random.below(3)],
            steps: Vec::new(),
        };
        if focus != Focus::Nothing {
            // Clocks that agree give edits of the same time.
            story.devices.iter_mut().for_each(|device| device.skew_ms = 0);
            story.steps.push(Step::Write(Where { device: 0, tab: 0 }, Edit::beginning(focus)));
            story.steps.push(Step::Run(random.number() >> 32, 300));
            if count > 1 {
                story.push_meeting(&mut random, focus);
            }
        }
        for _ in 0..length {
            let kind = trouble.draw(&mut random);
            if !(random.once_in(6) && story.push_scene(kind, &mut random)) {
                story.push(kind, &mut random, focus);
            }
        }
        if random.once_in(10) {
            // What only a schema tells that nobody hears of is heard of with the next link.
            story.push_scene(Kind::Schema, &mut random);
        }
        story
    }

    /// Two devices edit the same without having seen each other, and what was edited first arrives last.
    fn push_meeting(&mut self, random: &mut Random, focus: Focus) {
        let (away, there) = (Where { device: 0, tab: 0 }, Where { device: 1, tab: 0 });
        let (first, second) = Edit::rivals(random, focus);
        let mut run = |count| Step::Run(random.number() >> 32, count);
        self.steps.extend([
            Step::Weather(0, Weather::Down(0)),
            Step::Write(away, first),
            Step::Pass(10),
            Step::Write(there, second),
            run(30),
            Step::Weather(0, Weather::Fair),
            Step::Pass(1_000),
            run(40),
        ]);
    }

    /// Several steps that lead where chance seldom does.
    fn push_scene(&mut self, kind: Kind, random: &mut Random) -> bool {
        let at = Where { device: random.below(self.devices.len()), tab: random.below(3) };
        let other = Where { device: at.device + 1, tab: random.below(3) };
        let back = Where { tab: 0, ..at };
        let mut run = |count| Step::Run(random.number() >> 32, count);
        let steps = match kind {
            // The server goes back, and goes on with somebody else while this device is away.
            Kind::Harm => vec![
                Step::Server(ServerStep::Backup),
                Step::Write(at, Vec::new()),
                run(60),
                Step::Weather(at.device, Weather::Down(0)),
                Step::Server(ServerStep::Restore),
                Step::Server(ServerStep::Start),
                Step::Write(other, Vec::new()),
                Step::Write(other, Vec::new()),
                Step::Pass(1_000),
                run(80),
                Step::Weather(at.device, Weather::Fair),
            ],
            // A store goes back, and goes on in another way.
            Kind::Power => vec![
                Step::Profile(at.device),
                Step::Write(at, Vec::new()),
                run(60),
                Step::Profile(at.device),
                Step::Open(at.device),
                Step::Write(at, Vec::new()),
                run(60),
            ],
            // The lead is given and taken while a transaction is open.
            Kind::Tabs => vec![
                Step::Open(at.device),
                run(30),
                Step::Begin(back),
                Step::Steal(at.device),
                run(4),
                Step::Steal(at.device),
                run(2),
                Step::Steal(at.device),
                run(6),
                Step::Commit(back),
            ],
            // A realm is closed in a transaction, with something still to be stored.
            Kind::Leave => vec![
                Step::Open(at.device),
                run(3),
                Step::Write(back, Vec::new()),
                Step::Begin(back),
                run(6),
                Step::Close(back),
            ],
            // A tab that does not lead adds to the schema.
            Kind::Schema => vec![Step::Open(at.device), run(40), Step::Extend(Where { tab: 1, ..at }), run(30)],
            _ => return false,
        };
        self.steps.extend(steps);
        true
    }

    fn push(&mut self, kind: Kind, random: &mut Random, focus: Focus) {
        let at = Where { device: random.below(self.devices.len()), tab: random.below(3) };
        let device = at.device;
        let edits = |random: &mut Random| {
            let count = [0, 1, 1, 1, 2, 2, 3, 8][random.below(8)];
            (0..count).map(|_| Edit::any(random, focus)).collect::<Vec<_>>()
        };
        let step = match kind {
            Kind::Write => Step::Write(at, edits(random)),
            Kind::Leave => match random.below(6) {
                0 | 1 => Step::Begin(at),
                2 => Step::Continue(at, edits(random)),
                3 => Step::Commit(at),
                4 => Step::Close(at),
                _ => Step::Cancel(at),
            },
            Kind::Run => Step::Run(random.number() >> 32, 1 + random.below(40) as u16),
            Kind::Pass => Step::Pass([10, 900, 5_000, 31_000, 400_000, 5_000_000][random.below(6)]),
            Kind::Network => Step::Weather(
                device,
                match random.below(6) {
                    0 | 1 => Weather::Fair,
                    2 => Weather::Down(random.below(4)),
                    3 => Weather::Cut(random.below(4)),
                    4 => Weather::LoseUp,
                    _ => Weather::LoseDown,
                },
            ),
            Kind::Kill => match random.below(3) {
                0 => Step::Close(at),
                _ => Step::Kill(at),
            },
            Kind::Power => Step::Power(device, random.below(5)),
            Kind::Disk => Step::Disk(
                device,
                match random.below(6) {
                    0 | 1 => Fault::None,
                    2 => Fault::Refuse,
                    3 => Fault::Full(2_000 + random.below(20_000)),
                    _ => Fault::Stall(1 + random.number() % 60_000),
                },
            ),
            Kind::Clock => Step::Clock(device, [-7_200_000, -60_000, -50, 50, 60_000, 3_600_000][random.below(6)]),
            Kind::Schema if random.once_in(2) => Step::Upgrade(device),
            Kind::Schema => Step::Extend(at),
            Kind::Compact => Step::Compact(at),
            Kind::Wait => Step::Wait(at, random.one_of(&[Awaiting::Durable, Awaiting::Upload, Awaiting::Download])),
            Kind::Pause if random.once_in(2) => Step::Pause(at),
            Kind::Pause => Step::Resume(at),
            Kind::Answer => Step::Answer(
                device,
                random.one_of(&[Manner::Ok, Manner::Ok, Manner::ThrowBefore, Manner::ThrowAfter, Manner::Silence]),
            ),
            Kind::Tabs => match random.below(8) {
                0 => Step::Kill(at),
                1 => Step::Steal(device),
                2 => Step::Freeze(at),
                3 => Step::Thaw(device),
                _ => Step::Open(device),
            },
            Kind::Restart if random.once_in(2) => Step::Server(ServerStep::Crash),
            Kind::Restart => Step::Server(ServerStep::Start),
            Kind::Expire => Step::Server(ServerStep::Expire),
            Kind::Trim => Step::Server(ServerStep::Trim(random.below(6))),
            Kind::Harm if random.once_in(5) => Step::Profile(device),
            Kind::Harm => Step::Server(match random.below(10) {
                0..=2 => ServerStep::Backup,
                3..=5 => ServerStep::Restore,
                6 | 7 => ServerStep::Terminate,
                8 => ServerStep::Forget,
                _ => ServerStep::Break,
            }),
        };
        self.steps.push(step);
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {}, tab {}", self.device, self.tab)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |edits: &[Edit]| edits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Step::Write(at, edits) => write!(f, "{at}: writes: {}", list(edits)),
            Step::Begin(at) => write!(f, "{at}: begins a transaction"),
            Step::Continue(at, edits) => write!(f, "{at}: writes in its open transaction: {}", list(edits)),
            Step::Commit(at) => write!(f, "{at}: commits"),
            Step::Cancel(at) => write!(f, "{at}: cancels"),
            Step::Run(picks, count) => write!(f, "{count} things happen by themselves (order {picks})"),
            Step::Pass(ms) => write!(f, "{ms} ms pass"),
            Step::Open(device) => write!(f, "device {device}: opens a tab"),
            Step::Kill(at) => write!(f, "{at}: dies"),
            Step::Close(at) => write!(f, "{at}: closes"),
            Step::Power(device, forget) => {
                write!(f, "device {device}: loses power, and at most {forget} relaxed batches")
            }
            Step::Weather(device, weather) => write!(f, "device {device}: network {weather:?}"),
            Step::Disk(device, fault) => write!(f, "device {device}: disk {fault:?}"),
            Step::Clock(device, ms) => write!(f, "device {device}: clock jumps by {ms} ms"),
            Step::Upgrade(device) => write!(f, "device {device}: gets the next version of the app"),
            Step::Extend(at) => write!(f, "{at}: takes the next version's schema while open"),
            Step::Compact(at) => write!(f, "{at}: compacts"),
            Step::Wait(at, what) => write!(f, "{at}: waits: {what:?}"),
            Step::Pause(at) => write!(f, "{at}: pauses its session"),
            Step::Resume(at) => write!(f, "{at}: resumes its session"),
            Step::Answer(device, manner) => write!(f, "device {device}: answers resets with {manner:?}"),
            Step::Steal(device) => write!(f, "device {device}: another tab steals the lead"),
            Step::Freeze(at) => write!(f, "{at}: is frozen"),
            Step::Thaw(device) => write!(f, "device {device}: frozen tabs go on"),
            Step::Profile(device) => write!(f, "device {device}: its profile is saved, or put back"),
            Step::Server(what) => write!(f, "server: {what:?}"),
        }
    }
}
