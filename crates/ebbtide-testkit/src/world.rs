//! Devices and a server under one clock. Every message and every store transaction is one step.

use ebbtide_core::objects::{Constraints, Embedding};
use ebbtide_core::{
    ClassIndex, ClassKind, ClassSchema, Collection, ColumnIndex, Decimal, Millis, ObjectKey, Property, PropertyType,
    Schema, Transaction, Value, ValueRef, WriteError,
};
use ebbtide_sync::client::{Event, Kind, Migration, OpenOptions, ResetMode, Role, SyncOptions, WaitId};

use crate::device::{Device, Noted};
use crate::server::{DeviceId, TestServer};
use crate::turn::Served;

/// Devices and a server under one clock.
#[derive(Debug)]
pub struct World {
    /// The time.
    pub now: u64,
    /// The server.
    pub server: TestServer,
    /// Whether the server answers.
    pub server_up: bool,
    /// The devices.
    pub devices: Vec<Device>,
    steps: u64,
    waits: u64,
}

/// The schema of the tests: dogs with a name, an age, tags, and something of every other type, which wear collars.
#[derive(Clone, Copy, Debug)]
pub struct Kennel;

impl Kennel {
    /// The class of dogs.
    pub const DOG: ClassIndex = ClassIndex(0);
    /// Its string property.
    pub const NAME: ColumnIndex = ColumnIndex(1);
    /// Its number property.
    pub const AGE: ColumnIndex = ColumnIndex(2);
    /// Its list property.
    pub const TAGS: ColumnIndex = ColumnIndex(3);
    /// Its set of strings.
    pub const TOYS: ColumnIndex = ColumnIndex(4);
    /// Its set of dogs.
    pub const FRIENDS: ColumnIndex = ColumnIndex(5);
    /// Its dictionary of mixed values.
    pub const NOTES: ColumnIndex = ColumnIndex(6);
    /// Its mixed property.
    pub const MIXED: ColumnIndex = ColumnIndex(7);
    /// Its embedded object.
    pub const COLLAR: ColumnIndex = ColumnIndex(8);
    /// Its list of embedded objects.
    pub const COLLARS: ColumnIndex = ColumnIndex(9);
    /// Its decimal property.
    pub const PRICE: ColumnIndex = ColumnIndex(10);
    /// The embedded class of collars, whose one property is a string.
    pub const COLLAR_CLASS: ClassIndex = ClassIndex(1);

    /// The schema.
    pub fn schema() -> Schema {
        let dog = ClassSchema {
            kind: ClassKind::TopLevel,
            name: "Dog".into(),
            primary_key: Some(ColumnIndex(0)),
            properties: vec![
                Kennel::property("_id", PropertyType::Int, Collection::None),
                Kennel::property("name", PropertyType::String, Collection::None),
                Kennel::property("age", PropertyType::Int, Collection::None),
                Kennel::property("tags", PropertyType::String, Collection::List),
                Kennel::property("toys", PropertyType::String, Collection::Set),
                Kennel::link("friends", "Dog", Collection::Set),
                Property { optional: true, ..Kennel::property("notes", PropertyType::Mixed, Collection::Dictionary) },
                Property { optional: true, ..Kennel::property("mixed", PropertyType::Mixed, Collection::None) },
                Kennel::link("collar", "Collar", Collection::None),
                Kennel::link("collars", "Collar", Collection::List),
                Kennel::property("price", PropertyType::Decimal, Collection::None),
            ],
        };
        let collar = ClassSchema {
            kind: ClassKind::Embedded,
            name: "Collar".into(),
            primary_key: None,
            properties: vec![Kennel::property("text", PropertyType::String, Collection::None)],
        };
        Schema::of([dog, collar])
    }

    /// A property that links to a class.
    fn link(name: &str, target: &str, collection: Collection) -> Property {
        let optional = matches!(collection, Collection::None | Collection::Dictionary);
        Property { optional, target: Some(target.into()), ..Kennel::property(name, PropertyType::Link, collection) }
    }

    /// A required property.
    pub fn property(name: &str, kind: PropertyType, collection: Collection) -> Property {
        Property {
            name: name.into(),
            kind,
            collection,
            optional: false,
            target: None,
            indexed: ebbtide_core::IndexKind::None,
        }
    }

    /// How tests open a synced realm.
    pub fn options(seed: u8, reset_mode: ResetMode) -> OpenOptions {
        OpenOptions {
            schema: Some(Kennel::schema()),
            schema_version: None,
            migration: Migration::Automatic,
            constraints: Constraints::Refuse,
            read_only: false,
            kind: Kind::Synced(SyncOptions { realm: "s_kennel".into(), reset_mode }),
            role: Role::Leads,
            lane: 0,
            seed: [seed; 32],
        }
    }
}

impl World {
    /// A server and so many devices, open and connected, whose first download is done.
    pub fn with_devices(count: usize) -> World {
        World::with_mode(count, ResetMode::DiscardUnsyncedChanges)
    }

    /// The same with a reset mode.
    pub fn with_mode(count: usize, mode: ResetMode) -> World {
        let devices = (0..count).map(|index| Device::new(Kennel::options(index as u8 + 1, mode))).collect();
        let mut world =
            World { now: 1_700_000_000_000, server: TestServer::new(), server_up: true, devices, steps: 0, waits: 0 };
        for device in 0..count {
            world.devices[device].open(Millis(world.now));
        }
        world.settle();
        world
    }

    /// The steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes one step somewhere. False if nothing is to be done before time passes.
    pub fn step(&mut self) -> bool {
        let now = Millis(self.now);
        for index in 0..self.devices.len() {
            if self.devices[index].step(now) || self.exchange(index) {
                self.steps += 1;
                return true;
            }
        }
        false
    }

    /// Takes steps until there is nothing to do.
    pub fn run(&mut self) {
        let start = self.steps;
        while self.step() {
            assert!(self.steps - start < 100_000, "the world does not come to rest");
        }
    }

    /// Takes steps and lets time pass, half an hour at most, until nobody has anything to do or to wait for.
    pub fn settle(&mut self) {
        let end = self.now + 30 * 60 * 1_000;
        loop {
            self.run();
            let deadlines = self.devices.iter().filter_map(|device| device.engine.as_ref()?.next_deadline());
            let Some(Millis(next)) = deadlines.min().filter(|next| next.0 <= end) else { return };
            self.pass(next.saturating_sub(self.now));
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, ms: u64) {
        self.now += ms.max(1);
        let now = Millis(self.now);
        for device in &mut self.devices {
            device.tell(now, Event::Timer);
        }
    }

    /// Kills a page, forgets relaxed batches, opens it again.
    pub fn crash(&mut self, device: usize, forget: usize) {
        self.kill(device);
        self.devices[device].store.forget(forget);
        self.reopen(device);
    }

    /// Kills a page.
    pub fn kill(&mut self, device: usize) {
        self.devices[device].crash();
        self.server.disconnect(DeviceId(device));
    }

    /// Opens a page again.
    pub fn reopen(&mut self, device: usize) {
        self.devices[device].open(Millis(self.now));
    }

    /// Cuts a device's connection: what is under way is lost.
    pub fn disconnect(&mut self, device: usize) {
        let now = Millis(self.now);
        let cut = &mut self.devices[device];
        cut.online = false;
        cut.session = None;
        cut.inbox.clear();
        cut.outbox.clear();
        cut.news.retain(|event| !matches!(event, Event::LinkUp { .. }));
        cut.tell(now, Event::LinkDown { reason: "cut".into() });
        self.server.disconnect(DeviceId(device));
    }

    /// Connects a device again.
    pub fn connect(&mut self, device: usize) {
        self.devices[device].online = true;
        self.devices[device].connect();
    }

    /// Writes a dog: creates it if its key is new.
    pub fn write_dog(&mut self, device: usize, id: i64, name: &str) {
        let now = Millis(self.now);
        self.now += 1;
        let engine = self.devices[device].engine();
        engine.begin_write(now).unwrap();
        let known = engine.current().find(Kennel::DOG, &Value::Int(id));
        let transaction = engine.transaction().unwrap();
        let key = match known {
            Some(key) => key,
            None => transaction.create(Kennel::DOG, Some(Value::Int(id))).unwrap(),
        };
        transaction.set(Kennel::DOG, key, Kennel::NAME, Value::String(name.into())).unwrap();
        engine.commit_write(now).unwrap();
    }

    /// Changes a dog, if it is there, in one of many ways: every type, collection and kind of edit has some.
    pub fn change_dog(&mut self, device: usize, id: i64, how: u16) {
        let now = Millis(self.now);
        self.now += 1;
        let engine = self.devices[device].engine();
        let Some(key) = engine.current().find(Kennel::DOG, &Value::Int(id)) else { return };
        engine.begin_write(now).unwrap();
        // What makes no sense on this state is refused and changes nothing.
        let _ = change(engine.transaction().unwrap(), key, how);
        engine.commit_write(now).unwrap();
    }

    /// Deletes a dog.
    pub fn delete_dog(&mut self, device: usize, id: i64) {
        let now = Millis(self.now);
        self.now += 1;
        let engine = self.devices[device].engine();
        engine.begin_write(now).unwrap();
        let key = engine.current().find(Kennel::DOG, &Value::Int(id)).expect("the dog is there");
        engine.transaction().unwrap().delete(Kennel::DOG, key).unwrap();
        engine.commit_write(now).unwrap();
    }

    /// A dog's key.
    pub fn dog(&mut self, device: usize, id: i64) -> Option<ObjectKey> {
        self.devices[device].engine().current().find(Kennel::DOG, &Value::Int(id))
    }

    /// A dog's name.
    pub fn name(&mut self, device: usize, id: i64) -> Option<String> {
        let key = self.dog(device, id)?;
        let current = self.devices[device].engine().current();
        match current.table(Kennel::DOG).row(key)?.value(Kennel::NAME).to_owned() {
            Value::String(name) => Some(name),
            _ => None,
        }
    }

    /// Begins a wait; gives its name.
    pub fn wait(&mut self, device: usize, event: fn(WaitId) -> Event) -> WaitId {
        self.waits += 1;
        let id = WaitId(self.waits);
        self.devices[device].tell(Millis(self.now), event(id));
        id
    }

    /// How a wait was answered.
    pub fn answer(&self, device: usize, id: WaitId) -> Option<Result<(), String>> {
        self.devices[device].noted.iter().find_map(|noted| match noted {
            Noted::Wait(answered, result) if *answered == id => Some(result.clone()),
            _ => None,
        })
    }

    /// Checks that all devices have what the server has, and nothing pending.
    pub fn assert_converged(&mut self) {
        self.server.state().audit().expect("the server's state is sound");
        let server = self.server.state().canonical();
        for (index, device) in self.devices.iter_mut().enumerate() {
            let engine = device.engine();
            assert_eq!(engine.pending_count(), 0, "device {index} has pending changesets");
            assert_eq!(engine.current().canonical(), server, "device {index} differs from the server");
            engine.current().audit().unwrap_or_else(|what| panic!("device {index}: {what}"));
            assert!(engine.is_flushed(), "device {index} has not stored everything");
        }
    }

    /// Carries one message from a device to the server, and the answers to whom they belong.
    fn exchange(&mut self, index: usize) -> bool {
        if !self.server_up {
            return false;
        }
        let Some(message) = self.devices[index].outbox.pop_front() else { return false };
        let answers = self.server.handle(Millis(self.now), DeviceId(index), message);
        for (DeviceId(to), answer) in answers {
            if self.devices[to].online && self.devices[to].engine.is_some() {
                self.devices[to].inbox.push_back(answer);
            }
        }
        true
    }
}

impl Served for World {
    fn server(&mut self) -> &mut TestServer {
        &mut self.server
    }

    fn restart_server(&mut self, change: impl FnOnce(&mut TestServer)) {
        let online: Vec<usize> = (0..self.devices.len()).filter(|index| self.devices[*index].online).collect();
        for device in &online {
            self.disconnect(*device);
        }
        change(&mut self.server);
        for device in online {
            self.connect(device);
        }
    }

    fn long_ago(&mut self) {
        self.run();
        self.pass(11 * 60 * 1_000);
    }
}

/// Changes a dog in one of many ways: every type, collection and kind of edit has some.
pub fn change(t: &mut Transaction, dog: ObjectKey, how: u16) -> Result<(), WriteError> {
    let small = usize::from(how >> 4 & 3);
    let word = ["a", "b", "c", "d"][small];
    let other = t.snapshot().find(Kennel::DOG, &Value::Int(small as i64));
    let link = other.map_or(Value::Null, |other| Value::TypedLink(Kennel::DOG, other));
    let nested = Value::Array(vec![link.clone(), Value::Map([("k".into(), link.clone())].into())]);
    let collar = match t.snapshot().table(Kennel::DOG).get(dog, Kennel::COLLAR) {
        Some(ValueRef::Link(collar)) => collar,
        _ => ObjectKey(u64::MAX),
    };
    let text =
        |t: &mut Transaction, collar| t.set(Kennel::COLLAR_CLASS, collar, ColumnIndex(0), Value::String(word.into()));
    let class = Kennel::DOG;
    match how & 15 {
        0 => t.increment(class, dog, Kennel::AGE, small as i64 - 1),
        1 => t.set_insert(class, dog, Kennel::TOYS, Value::String(word.into())).map(drop),
        2 => t.set_remove(class, dog, Kennel::TOYS, &Value::String(word.into())).map(drop),
        3 if small == 0 => t.set_clear(class, dog, Kennel::TOYS),
        3 | 4 => t.set_insert(class, dog, Kennel::FRIENDS, other.map_or(Value::Null, Value::Link)).map(drop),
        5 => t.set_remove(class, dog, Kennel::FRIENDS, &other.map_or(Value::Null, Value::Link)).map(drop),
        6 => t.dictionary_set(class, dog, Kennel::NOTES, word, link),
        7 => t.dictionary_set(class, dog, Kennel::NOTES, word, nested),
        8 if small == 0 => t.dictionary_clear(class, dog, Kennel::NOTES),
        8 => t.dictionary_remove(class, dog, Kennel::NOTES, word).map(drop),
        9 => t.set(class, dog, Kennel::MIXED, nested),
        10 => {
            let collar = t.embed(class, dog, Kennel::COLLAR, Embedding::Property)?;
            text(t, collar)
        }
        11 => text(t, collar),
        12 => t.delete(Kennel::COLLAR_CLASS, collar),
        13 => {
            let collar = t.embed(class, dog, Kennel::COLLARS, Embedding::Insert(0))?;
            text(t, collar)
        }
        14 => t.list_move(class, dog, Kennel::COLLARS, 0, 1),
        _ => t.set(class, dog, Kennel::PRICE, Value::Decimal(Decimal::from_int(small as i64))),
    }
}
