//! A server that is restored from a backup while the lead goes from one tab to another.

use ebbtide_sync::client::{Event, WaitId};
use ebbtide_testkit::Served;

use super::{Tab, World};

/// The leader has downloaded `count` changesets, not stored them, and lost the lead; the server was restored to before them. What
/// the `writer`, a tab of a device, has written since will get the version of the first.
fn taken_back(count: i64, (device, tab): (usize, usize)) -> World {
    let mut world = World::new(&[2, 1]);
    world.write_dog(0, 0, 1, "kept");
    world.settle();
    let backup = world.server.backup();
    (0..count).for_each(|id| world.write_dog(1, 0, 10 + id, "taken back"));
    while world.step(1, 0) {}
    while !world.has_dog(0, 0, 9 + count) {
        assert!(world.step(0, 0), "the leader downloads");
    }
    world.restart_server(|server| server.restore(&backup));
    while world.step(1, 0) {}
    world.lead(0, 1);
    world.write_dog(device, tab, 2, "in its place");
    world
}

#[test]
fn what_a_leader_has_downloaded_is_not_mixed_with_what_a_restored_server_tells_the_next_one() {
    for (count, steps) in (1..3).flat_map(|count| (0..30).map(move |steps| (count, steps))) {
        let mut world = taken_back(count, (0, 1));
        world.take_steps(0, 1, steps);
        world.settle();
        world.check();
    }
}

#[test]
fn what_a_leader_has_downloaded_and_not_stored_is_forgotten_if_the_store_has_something_else_in_its_place() {
    for (count, writer) in (1..3).flat_map(|count| [(count, (0, 1)), (count, (1, 0))]) {
        let mut world = taken_back(count, writer);
        while world.step(1, 0) || world.step(0, 1) {}
        if writer == (1, 0) {
            // Only the pages tell.
            let now = world.clock(0);
            let engine = &mut world.tab(0, 1).engine;
            engine.compact().unwrap();
            engine.handle(now, Event::WaitDurable(WaitId(1)));
        }
        while world.step(0, 1) || world.step(0, 0) {}
        let there = world.server.state().canonical();
        let resets = [0, 1].map(|tab| {
            let Tab { engine, resets, .. } = world.tab(0, tab);
            assert!(engine.current().canonical() == there, "tab {tab} after {count} changesets, {writer:?} writes");
            *resets
        });
        assert_eq!(resets, [0, 0], "after {count} changesets, {writer:?} writes");
    }
}
