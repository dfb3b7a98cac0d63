//! Random stories: devices write, come and go, crash and forget; the server is restored, terminated, trimmed. In the end
//! everybody has the same.

use ebbtide_core::Value;
use ebbtide_sync::client::SessionState;
use ebbtide_testkit::{Kennel, Noted, ServerBackup, ServerTurn, World};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Happening {
    Write { device: usize, id: i64 },
    Change { device: usize, id: i64, how: u16 },
    Delete { device: usize, id: i64 },
    Disconnect(usize),
    Connect(usize),
    Crash { device: usize, forget: usize },
    Steps(u16),
    Pass(u32),
    Server(ServerTurn),
}

const DEVICES: usize = 3;

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        8 => (0..DEVICES, 0..8_i64).prop_map(|(device, id)| Write { device, id }),
        12 => (0..DEVICES, 0..4_i64, any::<u16>()).prop_map(|(device, id, how)| Change { device, id, how }),
        2 => (0..DEVICES, 0..8_i64).prop_map(|(device, id)| Delete { device, id }),
        3 => (0..DEVICES).prop_map(Disconnect),
        3 => (0..DEVICES).prop_map(Connect),
        2 => (0..DEVICES, 0..4_usize).prop_map(|(device, forget)| Crash { device, forget }),
        10 => (1..40_u16).prop_map(Steps),
        2 => (1..60_000_u32).prop_map(Pass),
        6 => prop::sample::select(&ServerTurn::ALL[..]).prop_map(Server),
    ]
}

fn tell(world: &mut World, backup: &mut Option<ServerBackup>, what: Happening) {
    match what {
        Happening::Write { device, id } => world.write_dog(device, id, &format!("{device} at {}", world.now)),
        Happening::Change { device, id, how } => world.change_dog(device, id, how),
        Happening::Delete { device, id } => {
            if world.dog(device, id).is_some() {
                world.delete_dog(device, id);
            }
        }
        Happening::Disconnect(device) => world.disconnect(device),
        Happening::Connect(device) => {
            if !world.devices[device].online {
                world.connect(device);
            }
        }
        Happening::Crash { device, forget } => world.crash(device, forget),
        Happening::Steps(count) => (0..count).for_each(|_| {
            world.step();
        }),
        Happening::Pass(ms) => world.pass(u64::from(ms)),
        Happening::Server(turn) => turn.happen(world, backup),
    }
}

fn check(happenings: &[Happening]) {
    let mut world = World::with_devices(DEVICES);
    let mut backup = None;
    let mut harmed = false;
    for what in happenings {
        harmed |= !matches!(
            what,
            Happening::Write { .. }
                | Happening::Change { .. }
                | Happening::Delete { .. }
                | Happening::Disconnect(_)
                | Happening::Connect(_)
                | Happening::Crash { forget: 0, .. }
                | Happening::Steps(_)
                | Happening::Pass(_)
                | Happening::Server(ServerTurn::Restart)
        );
        tell(&mut world, &mut backup, *what);
    }
    for device in 0..DEVICES {
        if !world.devices[device].online {
            world.connect(device);
        }
    }
    world.settle();
    world.assert_converged();
    for device in &mut world.devices {
        assert_eq!(device.engine().session_state(), SessionState::Active);
        assert!(device.errors().iter().all(|error| !error.fatal), "{:?}", device.errors());
        assert!(device.store.load().staging.is_empty());
        if !harmed {
            assert_eq!(device.callbacks(), (0, 0), "a reset without a cause");
        }
        check_listener(device.noted.iter());
    }
    // What the stores hold is what the realms show.
    for device in 0..DEVICES {
        let before = world.devices[device].engine().current().canonical();
        world.crash(device, 0);
        assert_eq!(world.devices[device].engine().current().canonical(), before);
    }
    world.write_dog(0, 100, "the end");
    world.settle();
    world.assert_converged();
    assert!(world.server.state().find(Kennel::DOG, &Value::Int(100)).is_some());
}

/// After a callback that follows a reset came one before it.
fn check_listener<'a>(noted: impl Iterator<Item = &'a Noted>) {
    let mut before = 0;
    for noted in noted {
        match noted {
            Noted::Before(_) => before += 1,
            Noted::After(_) => {
                assert!(before > 0, "the callback after a reset came without the one before");
                before = 0;
            }
            _ => {}
        }
    }
}

/// `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everybody_ends_with_the_same(happenings in proptest::collection::vec(happening(), 1..60)) {
        check(&happenings);
    }
}
