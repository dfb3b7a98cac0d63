//! A device: a disk, the tabs on it, and who of them leads.

use std::collections::VecDeque;

use ebbtide_core::Millis;
use ebbtide_core::objects::Constraints;
use ebbtide_sync::client::{Kind, Migration, OpenOptions, Role, SyncOptions, WaitId};

use super::schema::{VERSIONS, schema};
use super::step::{DevicePlan, Fault, Manner};
use super::tab::Tab;
use crate::store::MemoryStore;

/// How many tabs a device has at most.
pub const TABS_MAX: usize = 3;

/// A tab asks the leader for all that the server has now.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// The tab's name.
    pub asker: u32,
    /// Its wait.
    pub wait: WaitId,
    /// The leader that has been told.
    pub told: Option<u32>,
}

impl Ask {
    /// Whether a leader has still to be told. One that has asked itself, before it led, knows.
    pub fn is_new_to(&self, leader: Option<u32>) -> bool {
        self.told != leader && Some(self.asker) != leader
    }
}

/// What a tab asks of the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Job {
    /// To commit its batch.
    Commit,
    /// To read what it looks for.
    Look,
}

/// One device.
#[derive(Debug)]
pub struct Device {
    /// Its store.
    pub store: MemoryStore,
    /// The open tabs.
    pub tabs: Vec<Tab>,
    /// The name of the tab that holds the lock.
    pub leader: Option<u32>,
    /// The tab that had the lock before, and has not heard yet that it is gone.
    pub deposed: Option<u32>,
    /// What tabs have asked the leader for, and which leader has been told.
    pub asks: Vec<Ask>,
    /// Tabs that wait for the disk, in order.
    pub queue: VecDeque<(u32, Job)>,
    /// What is wrong with the disk.
    pub fault: Fault,
    /// Until when the disk does nothing.
    pub stalled_until: u64,
    /// Whether sockets can be opened.
    pub online: bool,
    /// Whether the app is to back the store up.
    pub backs_up: bool,
    /// A copy of the store as it once was.
    pub saved: Option<MemoryStore>,
    /// The stores that were put away.
    pub backups: Vec<MemoryStore>,
    /// By how much the clock is wrong.
    pub skew_ms: i64,
    /// How the app answers resets.
    pub manner: Manner,
    /// The version of the app.
    pub version: usize,
    plan: DevicePlan,
    number: usize,
    openings: u64,
    lanes: u64,
}

impl Device {
    /// A device that was never used.
    pub fn new(number: usize, plan: DevicePlan) -> Device {
        Device {
            store: MemoryStore::new(),
            tabs: Vec::new(),
            leader: None,
            deposed: None,
            asks: Vec::new(),
            queue: VecDeque::new(),
            fault: Fault::None,
            stalled_until: 0,
            online: true,
            backs_up: false,
            saved: None,
            backups: Vec::new(),
            skew_ms: plan.skew_ms,
            manner: Manner::Ok,
            version: plan.version,
            plan,
            number,
            openings: 0,
            lanes: 0,
        }
    }

    /// The time on the device's clock.
    pub fn now(&self, now: u64) -> Millis {
        Millis(now.saturating_add_signed(self.skew_ms))
    }

    /// Opens a tab.
    pub fn open(&mut self, now: u64, name: u32) {
        self.openings += 1;
        // A tab that finds nobody else has the lock at once, if it is lucky.
        let role = if self.tabs.is_empty() && name.is_multiple_of(2) { Role::Leads } else { Role::Follows };
        if role == Role::Leads {
            self.leader = Some(name);
        }
        let lane = if self.tabs.is_empty() { 0 } else { self.lanes + 1 };
        self.lanes = self.lanes.max(lane);
        let mut seed = [self.number as u8 + 1; 32];
        seed[..8].copy_from_slice(&self.openings.to_le_bytes());
        let options = OpenOptions {
            schema: Some(schema(self.version)),
            schema_version: None,
            migration: Migration::Automatic,
            constraints: Constraints::Refuse,
            read_only: false,
            kind: Kind::Synced(SyncOptions { realm: "realm".into(), reset_mode: self.plan.mode }),
            role,
            lane,
            seed,
        };
        let tab = Tab::open(name, self.now(now), options, &self.store, self.manner);
        self.tabs.push(tab);
    }

    /// The app's next version is there for the next tab.
    pub fn upgrade(&mut self) {
        self.version = (self.version + 1).min(VERSIONS - 1);
    }

    /// The position of a tab that is open.
    pub fn position(&self, name: u32) -> Option<usize> {
        self.tabs.iter().position(|tab| tab.name == name)
    }

    /// A tab is gone: what it had asked of the disk is not done any more, or was done unnoticed.
    pub fn remove(&mut self, position: usize) -> Tab {
        let tab = self.tabs.remove(position);
        self.queue.retain(|(waiting, _)| *waiting != tab.name);
        if self.leader == Some(tab.name) {
            self.leader = None;
        }
        if self.deposed == Some(tab.name) {
            self.deposed = None;
        }
        self.asks.retain(|ask| ask.asker != tab.name);
        tab
    }
}
