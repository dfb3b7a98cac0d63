//! Client resets in place and the manual path, with a server made of the shipped rules.

use ebbtide_core::{Collection, ColumnIndex, Millis, PropertyType, Schema, Snapshot, Value};
use ebbtide_sync::client::{Event, ResetMode, ResetPhase, SessionState, SyncErrorKind};
use ebbtide_sync::wire::Code;
use ebbtide_testkit::{Kennel, Noted, Reply, Served, ServerBackup, TestServer, World};

type Story = fn(&mut World, &ServerBackup);

/// Each ends with a server on which device 0, away for the while, cannot go on; tells the code.
const CAUSES: [(u16, Story); 6] = [
    (208, |world, _| world.restart_server(TestServer::forget_clients)),
    (209, |world, backup| world.restart_server(|server| server.restore(backup))),
    (211, terminate),
    (211, |world, backup| {
        // Restored, and grown past the client since.
        world.restart_server(|server| server.restore(backup));
        world.settle();
        for id in 60..90 {
            world.write_dog(1, id, "after the restore");
        }
        world.settle();
    }),
    (222, |world, _| {
        world.write_dog(1, 50, "while away");
        world.settle();
        world.server.trim();
    }),
    (210, |world, _| {
        // Another page with a copy of the store has gone on under the same name.
        let mut copy = ebbtide_testkit::Device::new(Kennel::options(77, ResetMode::DiscardUnsyncedChanges));
        copy.store = world.devices[0].store.clone();
        copy.open(Millis(world.now));
        world.devices.push(copy);
        world.write_dog(2, 70, "by the copy");
        world.settle();
        world.kill(2);
        world.devices.pop();
        world.write_dog(0, 71, "by the original");
        world.write_dog(0, 72, "by the original");
    }),
];

fn terminate(world: &mut World, _: &ServerBackup) {
    world.restart_server(TestServer::terminate);
}

/// Two devices with some dogs in common; device 0 has an unsynced write.
fn prepared(mode: ResetMode) -> World {
    let mut world = World::with_mode(2, mode);
    for id in 0..20 {
        world.write_dog(0, id, "in common");
    }
    world.settle();
    world.assert_converged();
    world
}

/// A world in which device 0 is being reset, and waits for its app.
fn waiting_for_the_app() -> World {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.devices[0].before_reply = Reply::Silence;
    world.restart_server(TestServer::terminate);
    world.run();
    assert_eq!(world.devices[0].phases().last(), Some(&ResetPhase::Before));
    world
}

/// Device 0 writes something that is lost by a restore, goes away, writes something that it does not upload; the server
/// changes; device 0 comes back.
fn unsynced(world: &mut World, cause: Story) {
    let backup = world.server.backup();
    world.write_dog(0, 39, "lost by a restore");
    world.write_dog(1, 40, "lost by a restore");
    world.settle();
    world.disconnect(0);
    cause(world, &backup);
    world.write_dog(0, 1, "unsynced");
    world.write_dog(0, 30, "unsynced, new");
    world.settle();
    world.connect(0);
}

fn before_snapshot(world: &World) -> &Snapshot {
    let noted = world.devices[0].noted.iter().rev().find_map(|noted| match noted {
        Noted::After(before) => Some(before),
        _ => None,
    });
    noted.expect("the callback after a reset was called")
}

#[test]
fn every_cause_is_noticed_by_itself_and_reset_in_place() {
    for (code, cause) in CAUSES {
        let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
        let (client, key) = (world.devices[0].engine().client_id(), world.dog(0, 1));
        unsynced(&mut world, cause);
        world.settle();
        world.assert_converged();
        let device = &mut world.devices[0];
        assert_eq!(device.callbacks(), (1, 1), "{code}");
        assert_eq!(device.errors(), [], "{code}");
        assert_eq!(device.engine().session_state(), SessionState::Active);
        assert_ne!(device.engine().client_id(), client, "{code}");
        use ResetPhase::*;
        let phases = device.phases();
        assert_eq!(phases, [Marked, Staging, Checking, Before, Swapping, After, Done], "{code}");
        assert!(device.noted.iter().all(|noted| !matches!(noted, Noted::Phase(_, told) if *told != code)), "{code}");
        // The object is the same one, unsynced changes are gone, and both can be read in the state before.
        assert_eq!(world.dog(0, 1), key);
        assert_eq!(world.dog(0, 30), None, "{code}");
        assert!(before_snapshot(&world).find(Kennel::DOG, &Value::Int(30)).is_some());
        // Sync goes on in both directions.
        world.write_dog(0, 100, "after the reset");
        world.write_dog(1, 101, "after the reset");
        world.settle();
        world.assert_converged();
        assert!(world.dog(0, 101).is_some() && world.dog(1, 100).is_some());
        assert_eq!(world.devices[0].callbacks(), (1, 1), "{code}");
    }
}

#[test]
fn a_reset_in_mid_session_is_noticed_without_a_reload() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.restart_server(TestServer::terminate);
    world.settle();
    world.assert_converged();
    assert_eq!(world.devices[0].callbacks(), (1, 1));
    assert_eq!(world.devices[1].callbacks(), (1, 1));
}

#[test]
fn a_reset_at_start_up_is_noticed_too() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.kill(0);
    world.restart_server(TestServer::terminate);
    world.devices[0].engine = None;
    world.reopen(0);
    world.settle();
    world.assert_converged();
    assert_eq!(world.devices[0].callbacks(), (1, 1));
}

#[test]
fn listeners_hear_of_a_reset_exactly_once_and_of_what_differs_only() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    unsynced(&mut world, terminate);
    world.run();
    world.settle();
    let changes: Vec<_> = world.devices[0]
        .noted
        .iter()
        .filter_map(|noted| match noted {
            Noted::Changed(before, after) => Some((before.clone(), after.clone())),
            _ => None,
        })
        .collect();
    let (before, after) = changes.last().unwrap();
    let difference = ebbtide_core::notify::diff(before, after, ebbtide_core::notify::Compare::Values);
    let dogs = difference.table(Kennel::DOG);
    assert_eq!((dogs.inserted.len(), dogs.deleted.len(), dogs.modified.len()), (0, 1, 1));
    // All others were told before the reset.
    let at_swap =
        world.devices[0].noted.iter().position(|noted| matches!(noted, Noted::Phase(ResetPhase::Swapping, _)));
    let after_swap = world.devices[0].noted[at_swap.unwrap()..].iter();
    assert_eq!(after_swap.filter(|noted| matches!(noted, Noted::Changed(..))).count(), 1);
}

#[test]
fn a_reset_onto_the_same_state_tells_listeners_nothing() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    let changes = world.devices[0].changes();
    world.restart_server(TestServer::terminate);
    world.settle();
    assert_eq!(world.devices[0].callbacks(), (1, 1));
    assert_eq!(world.devices[0].changes(), changes);
}

#[test]
fn what_was_written_again_with_the_same_value_is_no_change_in_a_reset() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.disconnect(0);
    let changes = world.devices[0].changes();
    world.write_dog(1, 1, "in common");
    world.delete_dog(1, 2);
    world.write_dog(1, 2, "in common");
    world.settle();
    world.restart_server(TestServer::terminate);
    world.connect(0);
    world.settle();
    world.assert_converged();
    assert_eq!(world.devices[0].callbacks(), (1, 1));
    assert_eq!(world.devices[0].changes(), changes);
}

#[test]
fn listeners_are_told_before_the_callback_after_the_reset() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    unsynced(&mut world, terminate);
    world.settle();
    let place = |wanted: fn(&Noted) -> bool| world.devices[0].noted.iter().rposition(wanted).unwrap();
    let told = place(|noted| matches!(noted, Noted::Changed(..)));
    assert!(place(|noted| matches!(noted, Noted::Before(_))) < told);
    assert!(told < place(|noted| matches!(noted, Noted::After(_))));
}

#[test]
fn while_it_waits_for_the_reset_the_realm_writes_locally_and_neither_sends_nor_receives() {
    let mut world = waiting_for_the_app();
    world.write_dog(0, 200, "during the reset");
    world.write_dog(1, 201, "from elsewhere");
    world.run();
    assert_eq!(world.name(0, 200).as_deref(), Some("during the reset"));
    assert_eq!(world.dog(0, 201), None);
    assert!(world.server.state().find(Kennel::DOG, &Value::Int(200)).is_none());
    let now = Millis(world.now);
    world.devices[0].tell(now, Event::ResetBeforeDone(Ok(())));
    world.settle();
    world.assert_converged();
    // Discarded with all that was unsynced at the swap, and readable in the state before.
    assert_eq!(world.dog(0, 200), None);
    assert!(before_snapshot(&world).find(Kennel::DOG, &Value::Int(200)).is_some());
    assert!(world.dog(0, 201).is_some());
}

#[test]
fn nothing_of_what_is_dropped_stays_in_a_property_that_was_added_while_the_reset_was_under_way() {
    let mut world = waiting_for_the_app();
    let mut schema = Kennel::schema();
    let class = std::sync::Arc::make_mut(&mut schema.classes[0]);
    class.properties.push(Kennel::property("breed", PropertyType::String, Collection::None));
    let breed = ColumnIndex(class.properties.len() as u32 - 1);
    let now = Millis(world.now);
    let engine = world.devices[0].engine();
    engine.update_schema(now, &schema, None).unwrap();
    engine.begin_write(now).unwrap();
    let dog = engine.current().find(Kennel::DOG, &Value::Int(1)).expect("a dog that the server has");
    engine.transaction().unwrap().set(Kennel::DOG, dog, breed, Value::String("Pug".into())).unwrap();
    engine.commit_write(now).unwrap();
    world.devices[0].tell(now, Event::ResetBeforeDone(Ok(())));
    world.settle();
    world.assert_converged();
    let left = world.devices[0].engine().current().table(Kennel::DOG).get(dog, breed).map(|value| value.to_owned());
    assert_eq!(left, Some(Value::String(String::new())));
}

#[test]
fn writes_after_the_swap_are_kept_even_before_it_is_on_disk() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.restart_server(TestServer::terminate);
    while world.devices[0].phases().last() != Some(&ResetPhase::Swapping) {
        assert!(world.step());
    }
    world.write_dog(0, 200, "after the swap");
    world.settle();
    world.assert_converged();
    assert_eq!(world.name(1, 200).as_deref(), Some("after the swap"));
}

#[test]
fn a_crash_between_any_two_steps_leaves_the_old_state_or_the_fresh_one_and_goes_on() {
    for (code, cause) in CAUSES {
        let story = |crash_at: Option<u64>| {
            let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
            unsynced(&mut world, cause);
            let old = world.devices[0].engine().current().canonical();
            let start = world.steps();
            loop {
                if crash_at == Some(world.steps() - start) {
                    world.crash(0, 0);
                    let state = world.devices[0].engine().current().canonical();
                    let fresh = world.server.state().canonical();
                    assert!(state == old || state == fresh, "{code}: neither the old nor the fresh state");
                }
                if !world.step() {
                    break;
                }
            }
            world.settle();
            world.assert_converged();
            let device = &world.devices[0];
            assert_eq!(device.errors(), [], "{code} at {crash_at:?}");
            assert!(device.callbacks().1 <= 1, "{code} at {crash_at:?}");
            assert!(device.store.load().staging.is_empty());
            world.steps() - start
        };
        let steps = story(None);
        for crash_at in 0..steps {
            story(Some(crash_at));
        }
    }
}

#[test]
fn a_power_failure_between_any_two_steps_never_takes_a_reset_half_back() {
    let story = |crash_at: Option<u64>| {
        let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
        unsynced(&mut world, terminate);
        let start = world.steps();
        loop {
            if crash_at == Some(world.steps() - start) {
                world.crash(0, usize::MAX);
            }
            if !world.step() {
                break;
            }
        }
        world.settle();
        world.assert_converged();
        assert_eq!(world.devices[0].errors(), []);
        world.steps() - start
    };
    for crash_at in 0..story(None) {
        story(Some(crash_at));
    }
}

#[test]
fn a_link_that_is_lost_in_any_phase_is_made_up_for() {
    let story = |cut_at: Option<u64>| {
        let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
        unsynced(&mut world, terminate);
        let start = world.steps();
        loop {
            if cut_at == Some(world.steps() - start) {
                world.disconnect(0);
                world.run();
                world.connect(0);
            }
            if !world.step() {
                break;
            }
        }
        world.settle();
        world.assert_converged();
        assert_eq!(world.devices[0].callbacks(), (1, 1));
        world.steps() - start
    };
    for cut_at in 0..story(None) {
        story(Some(cut_at));
    }
}

#[test]
fn a_second_reset_while_staging_drops_what_was_staged_and_ends_in_the_last_state() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.server.chunk_bytes = 100;
    world.restart_server(TestServer::terminate);
    while world.devices[0].store.load().staging.is_empty() {
        assert!(world.step());
    }
    world.restart_server(|server| {
        server.terminate();
        server.replace_state(Snapshot::empty(&Kennel::schema()));
    });
    world.settle();
    world.assert_converged();
    assert_eq!(world.devices[0].engine().current().object_count(), 0);
    assert_eq!(world.devices[0].callbacks(), (1, 1));
}

#[test]
fn manual_mode_leaves_everything_to_the_app() {
    let mut world = prepared(ResetMode::Manual);
    unsynced(&mut world, terminate);
    let upload = world.wait(0, Event::WaitUpload);
    world.settle();
    let device = &mut world.devices[0];
    assert_eq!(device.callbacks(), (0, 0));
    let [error] = &device.errors()[..] else { panic!("one error") };
    assert_eq!((error.kind, error.code, error.wire_code.0, error.fatal), (SyncErrorKind::ClientReset, 1032, 211, true));
    assert!(device.noted.iter().any(|noted| matches!(noted, Noted::BackUp)));
    assert_eq!(device.engine().session_state(), SessionState::Inactive);
    assert!(matches!(world.answer(0, upload), Some(Err(_))));
    // Still readable and writable; what is written stays here.
    world.write_dog(0, 300, "afterwards");
    world.settle();
    assert_eq!(world.name(0, 1).as_deref(), Some("unsynced"));
    assert!(world.server.state().find(Kennel::DOG, &Value::Int(300)).is_none());
    // If the app does nothing, the next opening finds the mark again.
    world.crash(0, 0);
    world.settle();
    assert_eq!(world.devices[0].errors().len(), 2);
    assert_eq!(world.name(0, 300).as_deref(), Some("afterwards"));
    // Once the store was cleared, the realm downloads fresh.
    world.kill(0);
    world.devices[0].store = ebbtide_testkit::MemoryStore::new();
    world.reopen(0);
    world.settle();
    assert_eq!(world.dog(0, 300), None);
    assert_eq!(world.name(0, 1).as_deref(), Some("in common"));
}

fn server_schema_without_name() -> Snapshot {
    let mut schema = Kennel::schema();
    std::sync::Arc::make_mut(&mut schema.classes[0]).properties.remove(1);
    Snapshot::empty(&schema)
}

fn server_schema_with_text_age() -> Snapshot {
    let mut schema = Kennel::schema();
    std::sync::Arc::make_mut(&mut schema.classes[0]).properties[2] =
        Kennel::property("age", PropertyType::String, Collection::None);
    Snapshot::empty(&schema)
}

fn server_schema_without_dogs() -> Snapshot {
    Snapshot::empty(&Schema::default())
}

#[test]
fn a_breaking_schema_change_ends_in_the_manual_path_and_calls_no_callback() {
    for shape in [server_schema_without_name, server_schema_with_text_age, server_schema_without_dogs] {
        let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
        world.disconnect(0);
        world.write_dog(0, 1, "unsynced");
        world.restart_server(|server| server.replace_state(shape()));
        world.connect(0);
        world.settle();
        let device = &mut world.devices[0];
        assert_eq!(device.callbacks(), (0, 0));
        let [error] = &device.errors()[..] else { panic!("one error, not {:?}", device.errors()) };
        assert_eq!((error.kind, error.code), (SyncErrorKind::ClientReset, 1028));
        assert!(error.message.contains("schema"), "{}", error.message);
        assert!(device.noted.iter().any(|noted| matches!(noted, Noted::BackUp)));
        assert_eq!(world.name(0, 1).as_deref(), Some("unsynced"));
        // The server is not given back what it dropped.
        assert_eq!(world.server.state().schema(), shape().schema());
    }
}

#[test]
fn additions_of_the_server_are_taken_over_by_the_reset() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    let mut schema = Kennel::schema();
    let class = std::sync::Arc::make_mut(&mut schema.classes[0]);
    class.properties.insert(1, Kennel::property("breed", PropertyType::String, Collection::None));
    world.restart_server(|server| server.replace_state(Snapshot::empty(&schema)));
    world.settle();
    world.assert_converged();
    assert_eq!(world.devices[0].callbacks(), (1, 1));
    let class = world.devices[0].engine().current().schema().class(Kennel::DOG).clone();
    // Positions that the app knows stay; what is new comes last.
    assert_eq!(class.properties[1].name, "name");
    assert_eq!(class.properties.last().map(|property| property.name.as_str()), Some("breed"));
}

#[test]
fn a_callback_that_throws_before_the_reset_leaves_it_to_the_app() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.devices[0].before_reply = Reply::Throw("no".into());
    unsynced(&mut world, terminate);
    world.settle();
    let [error] = &world.devices[0].errors()[..] else { panic!("one error") };
    assert_eq!((error.kind, error.code), (SyncErrorKind::ClientReset, 1028));
    assert!(error.message.contains("no"));
    assert_eq!(world.devices[0].callbacks(), (1, 0));
    assert_eq!(world.name(0, 1).as_deref(), Some("unsynced"));
}

#[test]
fn a_callback_that_throws_after_the_reset_is_reported_and_the_reset_stands() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.devices[0].after_reply = Reply::Throw("no".into());
    world.restart_server(TestServer::terminate);
    world.settle();
    let [error] = &world.devices[0].errors()[..] else { panic!("one error") };
    assert!(error.kind == SyncErrorKind::Other && !error.fatal && error.message.contains("no"));
    world.write_dog(0, 100, "goes on");
    world.settle();
    world.assert_converged();
}

#[test]
fn callbacks_that_never_return_are_waited_for_half_a_minute() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.devices[0].before_reply = Reply::Silence;
    world.devices[0].after_reply = Reply::Silence;
    let start = world.now;
    world.restart_server(TestServer::terminate);
    world.settle();
    world.assert_converged();
    assert!(world.now - start < 61_000);
    assert_eq!(world.devices[0].errors().len(), 2);
    assert_eq!(world.devices[0].callbacks(), (1, 1));
}

#[test]
fn waits_outlive_a_reset() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    world.disconnect(0);
    world.write_dog(0, 1, "unsynced");
    let upload = world.wait(0, Event::WaitUpload);
    let download = world.wait(0, Event::WaitDownload);
    world.settle();
    world.restart_server(TestServer::terminate);
    world.connect(0);
    world.settle();
    assert_eq!(world.answer(0, upload), Some(Ok(())));
    assert_eq!(world.answer(0, download), Some(Ok(())));
}

#[test]
fn a_server_that_asks_for_resets_without_end_is_stopped() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    let mut resets = 0;
    while world.devices[0].engine().session_state() == SessionState::Active {
        resets += 1;
        assert!(resets < 20, "the client never stops");
        // A server that forgets its clients again and again, in one and the same history.
        world.restart_server(TestServer::forget_clients);
        world.settle();
    }
    assert_eq!(world.devices[0].callbacks(), (3, 3));
    let [error] = &world.devices[0].errors()[..] else { panic!("one error") };
    assert_eq!((error.kind, error.code), (SyncErrorKind::ClientReset, 1028));
}

#[test]
fn resets_that_are_far_apart_or_for_new_histories_are_no_loop() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    for reset in 1..=5 {
        world.pass(60 * 60 * 1_000);
        world.restart_server(TestServer::forget_clients);
        world.settle();
        assert_eq!(world.devices[0].callbacks(), (reset, reset));
    }
    world.pass(60 * 60 * 1_000);
    for reset in 6..=10 {
        world.restart_server(TestServer::terminate);
        world.settle();
        assert_eq!(world.devices[0].callbacks(), (reset, reset));
    }
    world.assert_converged();
}

#[test]
fn a_full_store_during_a_reset_leaves_the_old_state_on_disk_and_the_next_start_resumes() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    unsynced(&mut world, terminate);
    while world.devices[0].phases().last() != Some(&ResetPhase::Before) {
        assert!(world.step());
    }
    world.devices[0].store.refuse();
    world.settle();
    assert!(world.devices[0].noted.iter().any(|noted| matches!(noted, Noted::StoreFailed)));
    assert_eq!(world.devices[0].callbacks().1, 0);
    world.devices[0].store.accept();
    world.crash(0, 0);
    assert_eq!(world.name(0, 1).as_deref(), Some("unsynced"));
    world.settle();
    world.assert_converged();
    assert_eq!(world.devices[0].callbacks().1, 1);
}

#[test]
fn closing_in_any_phase_ends_without_callbacks_and_the_next_opening_resumes() {
    let story = |close_at: Option<u64>| {
        let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
        unsynced(&mut world, terminate);
        let start = world.steps();
        loop {
            if close_at == Some(world.steps() - start) {
                let now = Millis(world.now);
                world.devices[0].tell(now, Event::Close);
                let told = world.devices[0].callbacks();
                world.run();
                assert!(world.devices[0].noted.iter().any(|noted| matches!(noted, Noted::Closed)));
                assert!(world.devices[0].callbacks().1 <= told.1 + 1);
                world.kill(0);
                world.reopen(0);
            }
            if !world.step() {
                break;
            }
        }
        world.settle();
        world.assert_converged();
        world.steps() - start
    };
    for close_at in 0..story(None) {
        story(Some(close_at));
    }
}

#[test]
fn a_simulated_error_resets_like_a_real_one() {
    let mut world = prepared(ResetMode::DiscardUnsyncedChanges);
    let now = Millis(world.now);
    let simulate = |code: Code, fatal| Event::SimulateError { code: code.0, message: "as if".into(), fatal };
    world.devices[0].tell(now, simulate(Code::DIVERGING_HISTORIES, true));
    world.settle();
    world.assert_converged();
    assert_eq!(world.devices[0].callbacks(), (1, 1));
    world.devices[0].tell(now, simulate(Code(132), false));
    world.settle();
    assert_eq!(world.devices[0].errors().len(), 1);
    assert_eq!(world.devices[0].engine().session_state(), SessionState::Active);
    world.devices[0].tell(now, simulate(Code::PERMISSION_DENIED, true));
    world.settle();
    assert_eq!(world.devices[0].engine().session_state(), SessionState::Inactive);
}
