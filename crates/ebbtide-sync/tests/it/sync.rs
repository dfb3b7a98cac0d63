//! Devices that sync through a server: the shipped engine, the shipped rules, a store that crashes where it is told to.

use ebbtide_core::batch::LoadedStore;
use ebbtide_core::{Millis, Schema, Value};
use ebbtide_sync::client::{Effect, Engine, EngineError, Event, Kind, OpenError, OpenOptions, ResetMode, SessionState};
use ebbtide_testkit::{Device, Kennel, Noted, World};

fn local(seed: u8) -> OpenOptions {
    OpenOptions { kind: Kind::Local, ..Kennel::options(seed, ResetMode::Manual) }
}

#[test]
fn offline_writes_upload_later_also_after_a_reload() {
    let mut world = World::with_devices(2);
    world.disconnect(0);
    world.write_dog(0, 1, "Rex");
    world.write_dog(0, 2, "Bella");
    world.settle();
    assert_eq!(world.devices[0].engine().pending_count(), 2);
    world.crash(0, 0);
    assert_eq!(world.name(0, 2).as_deref(), Some("Bella"));
    assert_eq!(world.server.history_len(), 1);
    world.connect(0);
    world.settle();
    world.assert_converged();
    assert_eq!(world.name(1, 1).as_deref(), Some("Rex"));
}

#[test]
fn two_clients_converge_and_the_later_edit_wins_whatever_the_order_of_arrival() {
    let mut world = World::with_devices(2);
    world.write_dog(0, 1, "first");
    world.settle();
    world.disconnect(0);
    world.write_dog(0, 1, "earlier edit, arrives last");
    world.now += 1_000;
    world.write_dog(1, 1, "later edit, arrives first");
    world.settle();
    world.connect(0);
    world.settle();
    world.assert_converged();
    assert_eq!(world.name(0, 1).as_deref(), Some("later edit, arrives first"));
}

#[test]
fn a_delete_wins_over_a_concurrent_edit() {
    let mut world = World::with_devices(2);
    world.write_dog(0, 1, "Rex");
    world.settle();
    world.disconnect(0);
    world.delete_dog(1, 1);
    world.settle();
    world.now += 1_000;
    world.write_dog(0, 1, "still here");
    world.connect(0);
    world.settle();
    world.assert_converged();
    assert_eq!(world.dog(1, 1), None);
}

#[test]
fn a_lost_acknowledgement_uploads_again_and_changes_nothing() {
    let mut world = World::with_devices(2);
    world.write_dog(0, 1, "Rex");
    // Until the server has it and its answers are under way.
    while world.server.history_len() < 2 {
        assert!(world.step());
    }
    world.disconnect(0);
    world.connect(0);
    world.settle();
    world.assert_converged();
    assert_eq!(world.server.history_len(), 2);
}

#[test]
fn nothing_is_uploaded_before_it_is_strictly_on_disk() {
    let mut world = World::with_devices(1);
    world.disconnect(0);
    world.write_dog(0, 1, "Rex");
    world.settle();
    assert!(world.devices[0].store.forgettable() > 0, "an offline write is relaxed");
    world.connect(0);
    while world.server.history_len() < 2 {
        assert!(world.step());
        if world.server.history_len() == 2 {
            assert_eq!(world.devices[0].store.forgettable(), 0);
        }
    }
}

#[test]
fn a_relaxed_tail_that_is_forgotten_while_offline_harms_nobody() {
    let mut world = World::with_devices(2);
    world.disconnect(0);
    world.write_dog(0, 1, "Rex");
    world.settle();
    world.write_dog(0, 2, "Bella");
    world.settle();
    world.crash(0, 1);
    assert_eq!(world.dog(0, 2), None);
    world.write_dog(0, 3, "Max");
    world.connect(0);
    world.settle();
    world.assert_converged();
    assert_eq!(world.name(1, 3).as_deref(), Some("Max"));
}

#[test]
fn what_is_written_before_the_first_download_survives_it() {
    let mut world = World::with_devices(1);
    world.write_dog(0, 1, "on the server");
    world.settle();
    let mut late = Device::new(Kennel::options(9, ResetMode::DiscardUnsyncedChanges));
    late.online = false;
    late.open(Millis(world.now));
    world.devices.push(late);
    world.write_dog(1, 2, "before the download");
    world.settle();
    assert!(!world.devices[1].engine().is_bootstrapped());
    world.connect(1);
    world.settle();
    assert!(world.devices[1].engine().is_bootstrapped());
    world.assert_converged();
    assert_eq!(world.name(0, 2).as_deref(), Some("before the download"));
    assert_eq!(world.name(1, 1).as_deref(), Some("on the server"));
}

#[test]
fn a_first_download_is_invisible_until_whole_and_resumes_after_a_lost_link() {
    let mut world = World::with_devices(1);
    for id in 0..80 {
        world.write_dog(0, id, "a dog with a name that fills chunks");
    }
    world.settle();
    let mut late = Device::new(Kennel::options(9, ResetMode::DiscardUnsyncedChanges));
    late.open(Millis(world.now));
    world.devices.push(late);
    let mut cuts = 0;
    let mut seen = 0;
    while !world.devices[1].engine().is_bootstrapped() {
        if !world.step() {
            world.pass(1_000);
        }
        assert!(world.devices[1].engine().current().object_count() == 0 || world.devices[1].engine().is_bootstrapped());
        let staged = world.devices[1].store.load().staging.len();
        if staged > seen {
            seen = staged;
            if cuts < 3 {
                cuts += 1;
                if cuts == 2 {
                    world.crash(1, 0);
                } else {
                    world.disconnect(1);
                    world.connect(1);
                }
            }
        }
    }
    assert_eq!(cuts, 3);
    world.settle();
    world.assert_converged();
    assert_eq!(world.devices[1].store.load().staging.len(), 0);
}

#[test]
fn waits_are_answered_when_the_server_has_it_and_the_disk_has_it() {
    let mut world = World::with_devices(2);
    world.disconnect(0);
    world.write_dog(0, 1, "Rex");
    let upload = world.wait(0, Event::WaitUpload);
    let durable = world.wait(0, Event::WaitDurable);
    world.settle();
    assert_eq!(world.answer(0, upload), None);
    assert_eq!(world.answer(0, durable), Some(Ok(())));
    assert_eq!(world.devices[0].store.forgettable(), 0);
    world.connect(0);
    world.settle();
    assert_eq!(world.answer(0, upload), Some(Ok(())));

    world.disconnect(1);
    world.write_dog(0, 2, "Bella");
    world.settle();
    let download = world.wait(1, Event::WaitDownload);
    world.settle();
    assert_eq!(world.answer(1, download), None);
    world.connect(1);
    while world.answer(1, download).is_none() {
        assert!(world.step());
    }
    assert_eq!(world.name(1, 2).as_deref(), Some("Bella"));
    assert!(world.devices[1].engine().is_flushed());
}

#[test]
fn pausing_stops_both_directions_and_resuming_catches_up() {
    let mut world = World::with_devices(2);
    let now = Millis(world.now);
    world.devices[0].tell(now, Event::Pause);
    assert_eq!(world.devices[0].engine().session_state(), SessionState::Inactive);
    world.write_dog(0, 1, "Rex");
    world.write_dog(1, 2, "Bella");
    world.settle();
    assert_eq!(world.dog(0, 2), None);
    assert_eq!(world.dog(1, 1), None);
    world.devices[0].tell(now, Event::Resume);
    world.settle();
    world.assert_converged();
}

#[test]
fn listeners_are_told_once_per_turn_and_not_of_what_they_know() {
    let mut world = World::with_devices(2);
    let before = world.devices[1].changes();
    world.write_dog(0, 1, "Rex");
    world.write_dog(0, 2, "Bella");
    world.settle();
    // One download per upload at most; our own writes that come back change nothing that is visible.
    assert!((1..=2).contains(&(world.devices[1].changes() - before)));
    let own = world.devices[0].changes();
    world.settle();
    assert_eq!(world.devices[0].changes(), own);
}

#[test]
fn an_open_transaction_holds_downloads_back() {
    let mut world = World::with_devices(2);
    let now = Millis(world.now);
    world.devices[0].engine().begin_write(now).unwrap();
    let version = world.devices[0].engine().version();
    world.write_dog(1, 1, "Rex");
    world.settle();
    assert_eq!(world.dog(0, 1), None);
    assert_eq!(world.devices[0].engine().version(), version);
    let engine = world.devices[0].engine();
    engine.transaction().unwrap().create(Kennel::DOG, Some(Value::Int(2))).unwrap();
    engine.commit_write(now).unwrap();
    assert_eq!(world.name(0, 1).as_deref(), Some("Rex"));
    world.settle();
    world.assert_converged();
}

#[test]
fn a_cancelled_transaction_leaves_nothing() {
    let mut world = World::with_devices(1);
    let now = Millis(world.now);
    let engine = world.devices[0].engine();
    engine.begin_write(now).unwrap();
    engine.transaction().unwrap().create(Kennel::DOG, Some(Value::Int(2))).unwrap();
    assert_eq!(engine.current().object_count(), 1);
    engine.cancel_write(now).unwrap();
    assert_eq!(engine.current().object_count(), 0);
    assert!(matches!(engine.transaction(), Err(EngineError::NotInTransaction)));
    assert!(matches!(engine.commit_write(now), Err(EngineError::NotInTransaction)));
}

#[test]
fn a_store_that_fails_refuses_further_writes_and_keeps_the_last_durable_state() {
    let mut world = World::with_devices(1);
    world.write_dog(0, 1, "stored");
    world.settle();
    world.devices[0].store.refuse();
    world.write_dog(0, 2, "not stored");
    let durable = world.wait(0, Event::WaitDurable);
    world.settle();
    assert!(world.devices[0].noted.iter().any(|noted| matches!(noted, Noted::StoreFailed)));
    assert!(matches!(world.answer(0, durable), Some(Err(_))));
    let now = Millis(world.now);
    assert!(matches!(world.devices[0].engine().begin_write(now), Err(EngineError::StoreFailed(_))));
    assert_eq!(world.devices[0].engine().session_state(), SessionState::Inactive);
    assert_eq!(world.server.history_len(), 2);
    world.devices[0].store.accept();
    world.crash(0, 0);
    assert_eq!(world.name(0, 1).as_deref(), Some("stored"));
    assert_eq!(world.dog(0, 2), None);
    world.settle();
    world.assert_converged();
}

#[test]
fn closing_flushes_and_then_says_so() {
    let mut world = World::with_devices(1);
    world.disconnect(0);
    world.write_dog(0, 1, "Rex");
    let now = Millis(world.now);
    world.devices[0].tell(now, Event::Close);
    world.run();
    assert!(matches!(world.devices[0].noted.last(), Some(Noted::Closed)));
    assert!(matches!(world.devices[0].engine().begin_write(now), Err(EngineError::Closed)));
    world.crash(0, 0);
    assert_eq!(world.name(0, 1).as_deref(), Some("Rex"));
}

#[test]
fn a_crash_between_any_two_steps_of_upload_and_download_loses_nothing_that_was_acknowledged() {
    let story = |crash_at: Option<u64>, forget: usize, device: usize| -> u64 {
        let mut world = World::with_devices(2);
        world.disconnect(1);
        for id in 0..4 {
            world.write_dog(1, id, "from the other side");
        }
        world.settle();
        world.disconnect(0);
        for id in 2..7 {
            world.write_dog(0, id, "from here");
            world.settle();
        }
        world.connect(1);
        world.connect(0);
        let start = world.steps();
        loop {
            if crash_at == Some(world.steps() - start) {
                let known = world.server.state().clone();
                world.crash(device, forget);
                world.run();
                for id in 0..7 {
                    if known.find(Kennel::DOG, &Value::Int(id)).is_some() {
                        assert!(world.server.state().find(Kennel::DOG, &Value::Int(id)).is_some());
                    }
                }
            }
            if !world.step() {
                break;
            }
        }
        world.settle();
        world.assert_converged();
        let errors: Vec<_> = world.devices.iter().flat_map(Device::errors).collect();
        assert!(errors.is_empty(), "{errors:?}");
        if forget == 0 {
            assert_eq!(world.server.state().object_count(), 7);
            assert_eq!(world.name(0, 0).as_deref(), Some("from the other side"));
            assert_eq!(world.devices[device].callbacks(), (0, 0));
        }
        world.steps() - start
    };
    for forget in [0, 99] {
        for device in [0, 1] {
            let steps = story(None, forget, device);
            for crash_at in 0..steps {
                story(Some(crash_at), forget, device);
            }
        }
    }
}

#[test]
fn long_logs_become_pages_and_everything_is_read_back() {
    let mut world = World::with_devices(1);
    let long = "x".repeat(20_000);
    for id in 0..150 {
        world.write_dog(0, id, &long);
    }
    world.settle();
    let store = world.devices[0].store.load();
    assert!(!store.pages.is_empty());
    assert!(store.log.iter().map(|(_, block)| block.len()).sum::<usize>() < 2 * 1024 * 1024);
    world.crash(0, 0);
    world.settle();
    world.assert_converged();
}

#[test]
fn a_local_realm_needs_no_server() {
    let mut device = Device::new(local(1));
    device.online = false;
    device.open(Millis(5));
    let mut world = World::with_devices(0);
    world.devices.push(device);
    world.write_dog(0, 1, "Rex");
    world.write_dog(0, 2, &"y".repeat(700_000));
    world.settle();
    assert_eq!(world.devices[0].engine().session_state(), SessionState::Inactive);
    world.crash(0, 0);
    world.delete_dog(0, 1);
    world.settle();
    world.crash(0, 0);
    assert_eq!(world.dog(0, 1), None);
    assert!(world.dog(0, 2).is_some());
    let upload = world.wait(0, Event::WaitUpload);
    world.settle();
    assert!(matches!(world.answer(0, upload), Some(Err(_))));
}

#[test]
fn commits_of_one_turn_share_one_batch() {
    let mut world = World::with_devices(1);
    world.disconnect(0);
    world.settle();
    let before = world.devices[0].store.commits();
    for id in 0..10 {
        world.write_dog(0, id, "Rex");
    }
    world.settle();
    assert_eq!(world.devices[0].store.commits(), before + 1);
}

#[test]
fn opening_refuses_what_it_cannot_do_and_says_why() {
    let open = |options: OpenOptions, store: LoadedStore| Engine::open(Millis(1), options, store).map(|_| ());
    let recover = Kennel::options(1, ResetMode::RecoverUnsyncedChanges);
    assert_eq!(
        open(recover, LoadedStore::default()),
        Err(OpenError::ModeNotAvailable { mode: "recoverUnsyncedChanges" })
    );
    let read_only = OpenOptions { read_only: true, ..local(1) };
    assert_eq!(open(read_only, LoadedStore::default()), Err(OpenError::Missing));

    let mut world = World::with_devices(1);
    world.write_dog(0, 1, "Rex");
    world.settle();
    let store = world.devices[0].store.load();
    assert!(matches!(open(local(2), store.clone()), Err(OpenError::WrongKind { .. })));
    let mut damaged = store.clone();
    damaged.root.as_mut().unwrap()[9] ^= 1;
    assert!(matches!(
        open(Kennel::options(2, ResetMode::Manual), damaged),
        Err(OpenError::Corrupt(error)) if error.to_string().contains("root")
    ));
    let mut changed = Kennel::options(2, ResetMode::Manual);
    let mut schema = Kennel::schema();
    std::sync::Arc::make_mut(&mut schema.classes[0]).properties[2].optional = true;
    changed.schema = Some(schema);
    assert!(matches!(open(changed, store.clone()), Err(OpenError::SchemaMismatch { .. })));
    let mut keyless = Kennel::options(2, ResetMode::Manual);
    let mut schema = Kennel::schema();
    std::sync::Arc::make_mut(&mut schema.classes[0]).primary_key = None;
    keyless.schema = Some(schema);
    assert!(matches!(open(keyless, LoadedStore::default()), Err(OpenError::PrimaryKeyMissing { .. })));
    let fewer = OpenOptions { schema: Some(Schema::default()), ..Kennel::options(2, ResetMode::Manual) };
    assert_eq!(open(fewer, store), Ok(()));
}

#[test]
fn a_read_only_engine_reads_and_neither_writes_nor_syncs() {
    let mut world = World::with_devices(1);
    world.write_dog(0, 1, "Rex");
    world.settle();
    let options = OpenOptions { read_only: true, schema: None, ..local(3) };
    let mut engine = Engine::open(Millis(1), options, world.devices[0].store.load()).unwrap();
    assert_eq!(engine.current().object_count(), 1);
    assert_eq!(engine.begin_write(Millis(2)), Err(EngineError::ReadOnly));
    engine.handle(Millis(2), Event::Close);
    assert!(matches!(engine.poll(), Some(Effect::Closed)));
}

#[test]
fn a_schema_that_grows_reaches_the_server_and_the_others() {
    let mut world = World::with_devices(2);
    let mut schema = Kennel::schema();
    let mut cats = ebbtide_core::ClassSchema::clone(&schema.classes[0]);
    cats.name = "Cat".into();
    schema.classes.push(cats.into());
    let now = Millis(world.now);
    world.devices[0].engine().update_schema(now, &schema, None).unwrap();
    world.settle();
    assert!(world.server.state().schema().class_index("Cat").is_some());
    assert!(world.devices[1].engine().current().schema().class_index("Cat").is_some());
    world.crash(0, 0);
    world.settle();
    world.assert_converged();
}

#[test]
fn a_schema_that_grows_during_the_first_download_does_not_stop_it() {
    let mut world = World::with_devices(1);
    for id in 0..30 {
        world.write_dog(0, id, "on the server");
    }
    world.settle();
    let mut late = Device::new(Kennel::options(9, ResetMode::DiscardUnsyncedChanges));
    late.open(Millis(world.now));
    world.devices.push(late);
    while world.devices[1].store.load().staging.is_empty() {
        assert!(world.step());
    }
    let mut schema = Kennel::schema();
    let mut cats = ebbtide_core::ClassSchema::clone(&schema.classes[0]);
    cats.name = "Cat".into();
    schema.classes.push(cats.into());
    world.devices[1].options.schema = Some(schema);
    world.crash(1, 0);
    world.settle();
    world.assert_converged();
    assert!(world.server.state().schema().class_index("Cat").is_some());
}
