//! Local realms: schema changes, migrations, copies, and opening again without the disk.

use ebbtide_core::batch::Durability;
use ebbtide_core::objects::Synced;
use ebbtide_core::schema::{ClassKind, IndexKind};
use ebbtide_core::{ClassIndex, ClassSchema, ClientId, Collection, ColumnIndex, Millis, PropertyType, Schema, Value};
use ebbtide_sync::client::{
    Effect, Engine, EngineError, Event, Image, Kind, Migration, OpenError, OpenOptions, ResetMode, WaitId,
};
use ebbtide_testkit::{Kennel, MemoryStore};

const NOW: Millis = Millis(1_700_000_000_000);
const DOG: ClassIndex = ClassIndex(0);
const NAME: ColumnIndex = ColumnIndex(1);

fn options(version: u64, schema: Schema) -> OpenOptions {
    OpenOptions {
        schema: Some(schema),
        schema_version: Some(version),
        kind: Kind::Local,
        ..Kennel::options(1, ResetMode::Manual)
    }
}

fn asking(version: u64, schema: Schema) -> OpenOptions {
    OpenOptions { migration: Migration::Callback, ..options(version, schema) }
}

/// The dogs without their ages, with another primary key.
fn changed() -> Schema {
    let mut schema = Kennel::schema();
    let dog = std::sync::Arc::make_mut(&mut schema.classes[0]);
    dog.properties.remove(2);
    dog.primary_key = Some(NAME);
    schema
}

fn with_cat() -> Schema {
    let mut schema = Kennel::schema();
    let properties = vec![Kennel::property("name", PropertyType::String, Collection::None)];
    schema
        .classes
        .push(ClassSchema { name: "Cat".into(), kind: ClassKind::TopLevel, primary_key: None, properties }.into());
    schema
}

fn open(options: OpenOptions, store: &MemoryStore) -> Result<Engine, OpenError> {
    Engine::open(NOW, options, store.load())
}

/// Carries out all that is to be stored.
fn flush(engine: &mut Engine, store: &mut MemoryStore) {
    while let Some(effect) = engine.poll() {
        if let Effect::Commit(id, batch) = effect {
            store.commit(&batch).unwrap();
            engine.handle(NOW, Event::Committed(id));
        }
    }
}

fn close(mut engine: Engine, store: &mut MemoryStore) -> Option<Image> {
    engine.handle(NOW, Event::Close);
    flush(&mut engine, store);
    engine.image()
}

fn write_dogs(engine: &mut Engine, names: &[&str]) {
    engine.begin_write(NOW).unwrap();
    for (id, name) in names.iter().enumerate() {
        let transaction = engine.transaction().unwrap();
        let key = transaction.create(DOG, Some(Value::Int(id as i64))).unwrap();
        transaction.set(DOG, key, NAME, Value::String((*name).into())).unwrap();
    }
    engine.commit_write(NOW).unwrap();
}

fn kennel(names: &[&str]) -> MemoryStore {
    let mut store = MemoryStore::new();
    let mut engine = open(options(1, Kennel::schema()), &store).unwrap();
    write_dogs(&mut engine, names);
    close(engine, &mut store);
    store
}

fn names(engine: &Engine) -> Vec<Value> {
    let dogs = engine.current().table(DOG);
    let name = engine.current().schema().class(DOG).column("name").unwrap();
    dogs.rows().map(|row| row.value(name).to_owned()).collect()
}

/// How strict the batch is that the next effect begins, where effects are taken one by one.
fn durability_of(effect: Option<Effect>) -> Option<Durability> {
    match effect {
        Some(Effect::Commit(_, batch)) => Some(batch.durability),
        Some(other) => panic!("{other:?} instead of a batch"),
        None => None,
    }
}

#[test]
fn a_batch_that_nobody_waits_for_is_left_for_later_and_takes_along_what_is_written_until_then() {
    let mut store = kennel(&["Rex"]);
    let mut engine = open(options(1, Kennel::schema()), &store).unwrap();
    let rename = |engine: &mut Engine, name: &str| {
        engine.begin_write(NOW).unwrap();
        let key = engine.current().find(DOG, &Value::Int(0)).unwrap();
        engine.transaction().unwrap().set(DOG, key, NAME, Value::String(name.into())).unwrap();
        engine.commit_write(NOW).unwrap();
    };
    for name in ["Max", "Ben"] {
        rename(&mut engine, name);
        assert!(matches!(engine.poll_awaited(), Some(Effect::Changed { .. })));
        assert_eq!(durability_of(engine.poll_awaited()), None);
        assert!(engine.has_batch());
    }
    let commits = store.commits();
    flush(&mut engine, &mut store);
    assert_eq!(store.commits(), commits + 1, "both are in one batch");
    assert!(!engine.has_batch());
    // What is awaited begins at once, and is strict.
    rename(&mut engine, "Sam");
    engine.handle(NOW, Event::WaitDurable(WaitId(1)));
    assert!(matches!(engine.poll_awaited(), Some(Effect::Changed { .. })));
    assert_eq!(durability_of(engine.poll_awaited()), Some(Durability::Strict));
    assert!(!engine.has_batch(), "it is under way");
}

#[test]
fn changes_all_over_a_large_realm_are_logged_until_the_log_is_worth_the_pages() {
    const DOGS: i64 = 40_000;
    let mut store = MemoryStore::new();
    let mut engine = open(options(1, Kennel::schema()), &store).unwrap();
    engine.begin_write(NOW).unwrap();
    let transaction = engine.transaction().unwrap();
    for id in 0..DOGS {
        let key = transaction.create(DOG, Some(Value::Int(id))).unwrap();
        transaction.set(DOG, key, NAME, Value::String(format!("{id:0>150}"))).unwrap();
    }
    engine.commit_write(NOW).unwrap();
    flush(&mut engine, &mut store);
    let mut written = Vec::new();
    for age in 0..3 {
        engine.begin_write(NOW).unwrap();
        for id in 0..DOGS {
            let key = engine.transaction().unwrap().snapshot().find(DOG, &Value::Int(id)).unwrap();
            engine.transaction().unwrap().set(DOG, key, ColumnIndex(2), Value::Int(i64::MAX - age)).unwrap();
        }
        engine.commit_write(NOW).unwrap();
        while let Some(effect) = engine.poll() {
            if let Effect::Commit(id, batch) = effect {
                written.push((batch.pages.len(), batch.append.is_some()));
                store.commit(&batch).unwrap();
                engine.handle(NOW, Event::Committed(id));
            }
        }
    }
    let groups = (DOGS as usize).div_ceil(16 * 256);
    assert_eq!(written, [(0, true), (groups, false), (0, true)]);
    let again = open(options(1, Kennel::schema()), &store).unwrap();
    assert_eq!(again.current().canonical(), engine.current().canonical());
}

#[test]
fn closing_does_not_leave_a_batch_for_later() {
    let store = kennel(&["Rex"]);
    let mut engine = open(options(1, Kennel::schema()), &store).unwrap();
    engine.begin_write(NOW).unwrap();
    engine.transaction().unwrap().create(DOG, Some(Value::Int(9))).unwrap();
    engine.commit_write(NOW).unwrap();
    engine.handle(NOW, Event::Close);
    assert_eq!(durability_of(engine.poll_awaited()), Some(Durability::Relaxed));
}

#[test]
fn a_migration_is_one_batch_and_the_app_has_a_say() {
    let mut store = kennel(&["a", "a"]);
    let before = store.load();
    let mut engine = open(asking(2, changed()), &store).unwrap();
    let (old, version) = engine.migrating_from().unwrap();
    assert_eq!((old.schema(), version, engine.schema_version()), (&Kennel::schema(), 1, 2));
    assert_eq!(engine.current().schema(), &changed());
    assert_eq!(engine.commit_write(NOW), Err(EngineError::InMigration));
    assert_eq!(engine.cancel_write(NOW), Err(EngineError::InMigration));
    let second = engine.current().table(DOG).keys().nth(1).unwrap();
    engine.transaction().unwrap().set(DOG, second, NAME, Value::String("b".into())).unwrap();
    assert!(engine.poll().is_none(), "nothing is stored before the migration ends");
    engine.finish_migration(NOW).unwrap();
    assert!(engine.migrating_from().is_none());
    assert_eq!(store.load(), before);
    let commits = store.commits();
    flush(&mut engine, &mut store);
    assert_eq!(store.commits(), commits + 1);
    let engine = open(options(2, changed()), &store).unwrap();
    assert_eq!(names(&engine), [Value::String("a".into()), Value::String("b".into())]);
    assert!(engine.current().find(DOG, &Value::String("b".into())).is_some());
}

#[test]
fn a_migration_that_fails_leaves_the_store_as_it_was() {
    let mut store = kennel(&["a", "a"]);
    let before = store.load();
    let mut engine = open(asking(2, changed()), &store).unwrap();
    let error = engine.finish_migration(NOW).unwrap_err();
    assert_eq!(error.to_string(), "Primary key property 'Dog.name' has duplicate values after migration.");
    flush(&mut engine, &mut store);
    let error = open(options(2, changed()), &store).unwrap_err();
    assert_eq!(error.to_string(), "Primary key property 'Dog.name' has duplicate values after migration.");
    let mut engine = open(asking(2, changed()), &store).unwrap();
    engine.transaction().unwrap().delete_all(DOG).unwrap();
    engine.abort_migration(NOW);
    flush(&mut engine, &mut store);
    assert_eq!(engine.image().map(|image| image.head()), engine_head(&store));
    assert_eq!(store.load(), before);
}

#[test]
fn a_migration_that_fails_leaves_a_realm_that_was_open_as_it_was() {
    let mut store = MemoryStore::new();
    let mut engine = open(options(1, Kennel::schema()), &store).unwrap();
    write_dogs(&mut engine, &["a", "a"]);
    let as_before = |engine: &Engine| {
        assert!(engine.migrating_from().is_none());
        assert_eq!((names(engine).len(), engine.schema_version()), (2, 1));
        assert_eq!(engine.current().schema(), &Kennel::schema());
    };
    engine.readopt(NOW, &asking(2, changed())).unwrap();
    engine.transaction().unwrap().delete_all(DOG).unwrap();
    engine.abort_migration(NOW);
    as_before(&engine);
    engine.readopt(NOW, &asking(2, changed())).unwrap();
    let error = engine.finish_migration(NOW).unwrap_err();
    assert_eq!(error.to_string(), "Primary key property 'Dog.name' has duplicate values after migration.");
    engine.abort_migration(NOW);
    as_before(&engine);
    engine.readopt(NOW, &options(1, Kennel::schema())).unwrap();
    engine.begin_write(NOW).unwrap();
    engine.cancel_write(NOW).unwrap();
    close(engine, &mut store);
    as_before(&open(options(1, Kennel::schema()), &store).unwrap());
}

#[test]
fn a_copy_is_there_before_it_is_stored() {
    let original = open(options(1, Kennel::schema()), &kennel(&["a", "b"])).unwrap();
    let mut store = MemoryStore::new();
    let copied = original.copied(ClientId([9; 16]), Synced::No).unwrap();
    let mut copy =
        Engine::begin_as(NOW, OpenOptions { schema: None, ..options(1, Schema::default()) }, copied).unwrap();
    assert_eq!(names(&copy), names(&original));
    flush(&mut copy, &mut store);
    assert_eq!(names(&open(options(1, Kennel::schema()), &store).unwrap()), names(&original));
}

fn engine_head(store: &MemoryStore) -> Option<ebbtide_core::batch::Head> {
    ebbtide_core::batch::Head::decode(&store.load().head.unwrap()).ok()
}

#[test]
fn what_takes_a_migration_is_refused_at_the_same_version_and_a_lower_version_always() {
    let store = kennel(&["a"]);
    let refusal = |options| open(options, &store).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        refusal(asking(1, changed())),
        "Migration is required due to the following errors:\n\
         - Property 'Dog.age' has been removed.\n\
         - Primary Key for class 'Dog' has changed from '_id' to 'name'."
    );
    assert_eq!(refusal(options(0, Kennel::schema())), "Provided schema version 0 is less than last set version 1.");
    let read_only = |version| OpenOptions { read_only: true, ..options(version, Kennel::schema()) };
    assert_eq!(refusal(read_only(2)), "Provided schema version 2 does not equal last set version 1.");
    assert!(open(read_only(1), &store).is_ok());
}

#[test]
fn classes_and_indexes_are_adopted_without_a_migration() {
    let mut store = kennel(&["a"]);
    let mut schema = with_cat();
    std::sync::Arc::make_mut(&mut schema.classes[0]).properties[1].indexed = IndexKind::General;
    let mut engine = open(asking(1, schema.clone()), &store).unwrap();
    assert!(engine.migrating_from().is_none());
    flush(&mut engine, &mut store);
    let mut engine = open(OpenOptions { schema: None, schema_version: None, ..options(1, changed()) }, &store).unwrap();
    assert_eq!(engine.current().schema(), &schema);
    assert!(engine.poll().is_none());
    // A class that is left out stays in the store.
    let mut engine = open(options(1, Kennel::schema()), &store).unwrap();
    flush(&mut engine, &mut store);
    assert_eq!(engine.current().schema().classes.len(), schema.classes.len());
}

#[test]
fn a_realm_that_is_to_start_over_does_so_in_one_batch() {
    let mut store = kennel(&["a", "b"]);
    let over = |version, schema| OpenOptions { migration: Migration::StartOver, ..options(version, schema) };
    let mut engine = open(over(1, Kennel::schema()), &store).unwrap();
    assert_eq!((engine.current().object_count(), engine.poll().is_none()), (2, true));
    for (version, schema) in [(1, changed()), (0, changed()), (7, changed())] {
        let mut engine = open(over(version, schema.clone()), &store).unwrap();
        assert_eq!(engine.current().object_count(), 0);
        let commits = store.commits();
        flush(&mut engine, &mut store);
        assert_eq!(store.commits(), commits + 1);
        let engine = open(options(version, schema), &store).unwrap();
        assert_eq!((engine.current().object_count(), engine.schema_version()), (0, version));
    }
    assert!(store.load().pages.is_empty());
}

#[test]
fn a_deleted_class_raises_the_version_and_is_gone_when_its_transaction_ends() {
    let mut store = MemoryStore::new();
    let mut engine = open(options(4, with_cat()), &store).unwrap();
    write_dogs(&mut engine, &["a"]);
    engine.begin_write(NOW).unwrap();
    engine.delete_class("Dog").unwrap();
    let classes = |engine: &Engine| {
        let classes = engine.current().schema().classes.iter();
        let classes = classes.filter(|class| !class.is_deleted() && !class.is_embedded());
        classes.map(|class| class.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!((engine.schema_version(), classes(&engine)), (5, vec!["Cat".to_string()]));
    engine.cancel_write(NOW).unwrap();
    assert_eq!((engine.schema_version(), classes(&engine).len(), names(&engine).len()), (4, 2, 1));
    engine.begin_write(NOW).unwrap();
    engine.delete_class("Dog").unwrap();
    engine.delete_class("Nobody").unwrap();
    engine.commit_write(NOW).unwrap();
    assert_eq!((engine.schema_version(), engine.current().object_count()), (6, 0));
    let image = close(engine, &mut store).unwrap();
    let again = || OpenOptions { schema: None, schema_version: None, ..options(6, Schema::default()) };
    for engine in [open(again(), &store).unwrap(), Engine::reopen(NOW, again(), image).unwrap()] {
        assert_eq!((engine.schema_version(), classes(&engine)), (6, vec!["Cat".to_string()]));
    }
}

#[test]
fn a_closed_realm_opens_again_from_memory_and_goes_on_where_the_disk_is() {
    let mut store = MemoryStore::new();
    let mut engine = open(options(1, Kennel::schema()), &store).unwrap();
    assert!(engine.image().is_none(), "an open engine has no image");
    write_dogs(&mut engine, &["a", "b"]);
    let image = close(engine, &mut store).unwrap();
    assert!(image.bytes() > 0);
    let mut engine = Engine::reopen(NOW, asking(2, changed()), image).unwrap();
    engine.finish_migration(NOW).unwrap();
    flush(&mut engine, &mut store);
    let image = close(engine, &mut store).unwrap();
    let mut engine = Engine::reopen(NOW, options(2, changed()), image.clone()).unwrap();
    engine.begin_write(NOW).unwrap();
    engine.transaction().unwrap().create(DOG, Some(Value::String("c".into()))).unwrap();
    engine.commit_write(NOW).unwrap();
    flush(&mut engine, &mut store);
    assert_eq!(names(&open(options(2, changed()), &store).unwrap()).len(), 3);
    // Somebody has written since: the store refuses what is based on the earlier image.
    let mut late = Engine::reopen(NOW, options(2, changed()), image).unwrap();
    late.begin_write(NOW).unwrap();
    late.transaction().unwrap().create(DOG, Some(Value::String("d".into()))).unwrap();
    late.commit_write(NOW).unwrap();
    let batch = std::iter::from_fn(|| late.poll()).find_map(|effect| match effect {
        Effect::Commit(_, batch) => Some(batch),
        _ => None,
    });
    assert!(store.commit(&batch.unwrap()).is_err());
}

#[test]
fn a_copy_is_a_realm_of_its_own_and_compaction_leaves_what_is_used() {
    let mut store = kennel(&["a", "b"]);
    let mut engine = open(options(1, Kennel::schema()), &store).unwrap();
    engine.begin_write(NOW).unwrap();
    let keys: Vec<_> = engine.current().table(DOG).keys().collect();
    engine.transaction().unwrap().delete(DOG, keys[0]).unwrap();
    assert_eq!(engine.copy(ClientId([9; 16]), Synced::No), Err(EngineError::InTransaction));
    assert_eq!(engine.compact(), Err(EngineError::InTransaction));
    engine.commit_write(NOW).unwrap();
    let mut copy = MemoryStore::new();
    copy.commit(&engine.copy(ClientId([9; 16]), Synced::No).unwrap()).unwrap();
    let copied = open(options(1, Kennel::schema()), &copy).unwrap();
    assert_eq!((names(&copied), copied.client_id()), (names(&engine), ClientId([9; 16])));
    flush(&mut engine, &mut store);
    let (total, used) = engine.usage();
    assert!(used < total, "{used} of {total}");
    engine.compact().unwrap();
    flush(&mut engine, &mut store);
    assert_eq!(engine.usage(), (used, used));
    assert_eq!(names(&open(options(1, Kennel::schema()), &store).unwrap()), names(&engine));
}
