//! The state of a server under another schema, with every type.

use ebbtide_core::{ClassIndex, Collection, Millis, Property, PropertyType, Snapshot, Value, ValueRef};
use ebbtide_sync::server::{SchemaChange, reshape};
use ebbtide_testkit::{Kennel, Served, World};

/// Dogs with something of everything.
fn kennel() -> Snapshot {
    let mut world = World::with_devices(1);
    for id in 0..4 {
        world.write_dog(0, id, "dog");
    }
    for how in 0..200u16 {
        world.change_dog(0, i64::from(how % 3), how.wrapping_mul(7));
    }
    for id in 0..4 {
        for how in [1, 4, 6, 7, 9, 10, 13] {
            world.change_dog(0, id, 16 | how);
        }
    }
    world.settle();
    world.assert_converged();
    let state = world.server.state().clone();
    assert!(state.table(Kennel::COLLAR_CLASS).len() > 8);
    state
}

fn reshaped(state: &Snapshot, change: SchemaChange) -> Snapshot {
    let schema = change.apply(state.schema()).unwrap();
    let outcome = reshape(state, &schema).unwrap();
    outcome.audit().unwrap();
    outcome
}

fn retype(property: Property) -> SchemaChange {
    SchemaChange::ChangeType { class: "Dog".into(), property }
}

#[test]
fn the_same_schema_gives_the_same_state() {
    let state = kennel();
    let outcome = reshape(&state, state.schema()).unwrap();
    outcome.audit().unwrap();
    assert_eq!(outcome.canonical(), state.canonical());
}

#[test]
fn lists_of_a_reshaped_state_take_new_elements_where_their_authors_saw_them() {
    let mut world = World::with_devices(1);
    world.write_dog(0, 1, "Rex");
    let insert = |world: &mut World, index, tag: &str| {
        let (now, dog) = (Millis(world.now), world.dog(0, 1).unwrap());
        let engine = world.devices[0].engine();
        engine.begin_write(now).unwrap();
        let transaction = engine.transaction().unwrap();
        transaction.list_insert(Kennel::DOG, dog, Kennel::TAGS, index, Value::String(tag.into())).unwrap();
        engine.commit_write(now).unwrap();
        world.settle();
    };
    insert(&mut world, 0, "a");
    insert(&mut world, 1, "b");
    let state = world.server.state();
    let state = reshape(state, state.schema()).unwrap();
    world.restart_server(|server| server.replace_state(state));
    world.settle();
    insert(&mut world, 0, "front");
    world.assert_converged();
    let row = world.server.state().table(Kennel::DOG).rows().next().unwrap();
    let ValueRef::List(list) = row.value(Kennel::TAGS) else { panic!("tags are a list") };
    let tags: Vec<Value> = list.elements().iter().map(|element| element.value.clone()).collect();
    assert_eq!(tags, ["front", "a", "b"].map(|tag| Value::String(tag.into())));
}

#[test]
fn a_dropped_class_takes_its_objects_and_the_links_to_them_along() {
    let state = kennel();
    let without = reshaped(&state, SchemaChange::DropClass { class: "Collar".into() });
    assert_eq!(without.schema().classes.len(), 1);
    assert_eq!(without.table(Kennel::DOG).len(), state.table(Kennel::DOG).len());
    let drop = SchemaChange::DropProperty { class: "Dog".into(), property: "collars".into() };
    let fewer = reshaped(&state, drop);
    let collars = |state: &Snapshot| state.table(state.schema().class_index("Collar").unwrap()).len();
    assert!(0 < collars(&fewer) && collars(&fewer) < collars(&state));
}

#[test]
fn values_of_new_types_keep_what_is_equal() {
    let state = kennel();
    let texts = reshaped(&state, retype(Kennel::property("price", PropertyType::String, Collection::None)));
    let back = reshaped(&texts, retype(Kennel::property("price", PropertyType::Decimal, Collection::None)));
    assert_eq!(back.canonical(), state.canonical());
    let ages = reshaped(&state, retype(Kennel::property("age", PropertyType::Float, Collection::None)));
    let back = reshaped(&ages, retype(Kennel::property("age", PropertyType::Int, Collection::None)));
    assert_eq!(back.canonical(), state.canonical());
    let mixed = Property { optional: true, ..Kennel::property("toys", PropertyType::Mixed, Collection::Set) };
    let mixed = reshaped(&state, retype(mixed));
    let back = reshaped(&mixed, retype(Kennel::property("toys", PropertyType::String, Collection::Set)));
    assert_eq!(back.canonical(), state.canonical());
}

#[test]
fn a_collection_of_another_kind_begins_empty() {
    let list = reshaped(&kennel(), retype(Kennel::property("toys", PropertyType::String, Collection::List)));
    for row in list.table(ClassIndex(0)).rows() {
        assert!(matches!(row.value(Kennel::TOYS), ValueRef::List(list) if list.is_empty()));
    }
}
