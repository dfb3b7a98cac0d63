//! Several engines on one store: whatever they write, and whenever they die, all of them and the store end with the same.

use std::collections::VecDeque;

use ebbtide_core::schema::ClassKind;
use ebbtide_core::{ClassIndex, ClassSchema, Collection, ColumnIndex, Millis, PropertyType, Schema, Snapshot, Value};
use ebbtide_sync::client::{
    BatchId, Effect, Engine, Event, Kind, Look, OpenOptions, ResetMode, Role, StoreFailure, StoreFailureKind,
};
use ebbtide_testkit::{Kennel, MemoryStore, change};
use proptest::prelude::*;

/// A class without a primary key.
const NOTE: ClassIndex = ClassIndex(2);
const TEXT: ColumnIndex = ColumnIndex(0);

fn note(class: &str) -> ClassSchema {
    let properties = vec![Kennel::property("text", PropertyType::String, Collection::None)];
    ClassSchema { name: class.into(), kind: ClassKind::TopLevel, primary_key: None, properties }
}

fn schema() -> Schema {
    let mut schema = Kennel::schema();
    schema.classes.push(note("Note").into());
    schema
}

fn options(seed: u8, lane: u64) -> OpenOptions {
    let role = if lane == 0 { Role::Leads } else { Role::Follows };
    let schema = Some(schema());
    OpenOptions { schema, kind: Kind::Local, role, lane, ..Kennel::options(seed, ResetMode::Manual) }
}

/// One tab.
struct Tab {
    engine: Engine,
    news: VecDeque<Event>,
    commit: Option<(BatchId, ebbtide_core::batch::Batch)>,
    look: Option<Look>,
    /// What listeners have seen last.
    seen: Option<Snapshot>,
    /// Texts of notes that may not be on disk.
    unsure: Vec<String>,
    failed: Option<StoreFailure>,
    changes: usize,
}

/// A store and those who have it open.
struct Window {
    store: MemoryStore,
    tabs: Vec<Option<Tab>>,
    lanes: u64,
    opened: u8,
    now: u64,
    /// Texts of notes that are on disk.
    kept: Vec<String>,
    /// Whether tabs hear of each other.
    nudges: bool,
}

impl Window {
    fn new(tabs: usize) -> Window {
        let (store, kept) = (MemoryStore::new(), Vec::new());
        let none = (0..tabs).map(|_| None).collect();
        let mut window = Window { store, tabs: none, lanes: 0, opened: 0, now: 1_700_000_000_000, kept, nudges: true };
        for tab in 0..tabs {
            window.open(tab);
            window.settle(tab);
        }
        window
    }

    fn open(&mut self, tab: usize) {
        self.opened += 1;
        let options = options(self.opened, self.lanes);
        self.lanes += 1;
        let engine = Engine::open(Millis(self.now), options, self.store.load()).expect("the store can be opened");
        let (news, unsure) = (VecDeque::new(), Vec::new());
        let tab_state = Tab { engine, news, commit: None, look: None, seen: None, unsure, failed: None, changes: 0 };
        self.tabs[tab] = Some(tab_state);
    }

    fn tab(&mut self, tab: usize) -> &mut Tab {
        self.tabs[tab].as_mut().expect("the tab is open")
    }

    /// Does one thing; false if there is nothing to do.
    fn step(&mut self, index: usize) -> bool {
        let now = Millis(self.now);
        let Some(tab) = &mut self.tabs[index] else { return false };
        if let Some((id, batch)) = tab.commit.take() {
            let event = self.store.answer_commit(id, &batch).expect("nobody tells the store to refuse");
            if self.nudges && matches!(event, Event::Committed(_)) {
                let others = self.tabs.iter_mut().enumerate().filter(|(other, _)| *other != index);
                others.filter_map(|(_, tab)| tab.as_mut()).for_each(|tab| tab.news.push_back(Event::Nudged));
            }
            self.tab(index).news.push_back(event);
            return true;
        }
        if let Some(look) = tab.look.take() {
            let seen = self.store.look(look);
            tab.news.push_back(Event::Seen(Box::new(seen)));
            return true;
        }
        if let Some(effect) = tab.engine.poll() {
            match effect {
                Effect::Commit(id, batch) => tab.commit = Some((id, batch)),
                Effect::Look(look) => tab.look = Some(look),
                Effect::Changed { before, after, .. } => {
                    if let Some(seen) = &tab.seen {
                        assert_eq!(seen.canonical(), before.canonical(), "listeners were not told of a change");
                    }
                    tab.seen = Some(after);
                    tab.changes += 1;
                }
                Effect::StoreFailed(failure) => tab.failed = Some(failure),
                _ => {}
            }
            return true;
        }
        if let Some(event) = tab.news.pop_front() {
            tab.engine.handle(now, event);
            if tab.engine.is_flushed() {
                self.kept.append(&mut tab.unsure);
            }
            return true;
        }
        false
    }

    fn settle(&mut self, tab: usize) {
        for _ in 0..10_000 {
            if !self.step(tab) {
                return;
            }
        }
        panic!("tab {tab} does not come to rest");
    }

    /// Lets everybody hear of everything.
    fn settle_all(&mut self) {
        for _ in 0..1_000 {
            let moved: Vec<bool> = (0..self.tabs.len()).map(|tab| self.step(tab)).collect();
            if moved.iter().all(|moved| !moved) {
                return;
            }
        }
        panic!("the tabs do not come to rest");
    }

    fn nudge_all(&mut self) {
        let now = Millis(self.now);
        for tab in self.tabs.iter_mut().flatten() {
            tab.engine.handle(now, Event::Nudged);
        }
        self.settle_all();
    }

    fn write(&mut self, tab: usize, write: impl FnOnce(&mut Engine)) {
        self.now += 1;
        let now = Millis(self.now);
        let engine = &mut self.tab(tab).engine;
        if engine.begin_write(now).is_ok() {
            write(engine);
            engine.commit_write(now).expect("what was written is within the limits");
        }
    }

    fn write_note(&mut self, tab: usize) {
        let text = format!("{tab} at {}", self.now);
        self.write(tab, |engine| {
            let transaction = engine.transaction().unwrap();
            let key = transaction.create(NOTE, None).unwrap();
            transaction.set(NOTE, key, TEXT, Value::String(text.clone())).unwrap();
        });
        self.tab(tab).unsure.push(text);
    }

    fn write_dog(&mut self, tab: usize, id: i64, name: &str) {
        self.write(tab, |engine| {
            let known = engine.current().find(Kennel::DOG, &Value::Int(id));
            let transaction = engine.transaction().unwrap();
            let key = known.unwrap_or_else(|| transaction.create(Kennel::DOG, Some(Value::Int(id))).unwrap());
            transaction.set(Kennel::DOG, key, Kennel::NAME, Value::String(name.into())).unwrap();
        });
    }

    fn tag(&mut self, tab: usize, id: i64, tag: &str) {
        self.write(tab, |engine| {
            let key = engine.current().find(Kennel::DOG, &Value::Int(id)).unwrap();
            let count = tags(engine.current(), id).len();
            let transaction = engine.transaction().unwrap();
            transaction.list_insert(Kennel::DOG, key, Kennel::TAGS, count, Value::String(tag.into())).unwrap();
        });
    }

    fn check(&mut self) {
        let store = ebbtide_core::replica::Replica::load(&self.store.load()).unwrap();
        store.current().audit().unwrap();
        let canonical = store.current().canonical();
        for (index, tab) in self.tabs.iter().enumerate() {
            let Some(tab) = tab else { continue };
            assert_eq!(tab.failed, None, "tab {index}");
            tab.engine.current().audit().unwrap_or_else(|what| panic!("tab {index}: {what}"));
            assert!(tab.engine.is_flushed(), "tab {index} has not stored everything");
            assert!(tab.engine.current().canonical() == canonical, "tab {index} differs from the store");
        }
        let mut texts: Vec<String> = store
            .current()
            .table(NOTE)
            .rows()
            .map(|row| match row.value(TEXT).to_owned() {
                Value::String(text) => text,
                other => panic!("{other:?}"),
            })
            .collect();
        texts.sort();
        let count = texts.len();
        texts.dedup();
        assert_eq!(texts.len(), count, "a write is there twice");
        for kept in &self.kept {
            assert!(texts.binary_search(kept).is_ok(), "'{kept}' was stored and is lost");
        }
    }
}

fn tags(snapshot: &Snapshot, id: i64) -> Vec<String> {
    let key = snapshot.find(Kennel::DOG, &Value::Int(id)).unwrap();
    let row = snapshot.table(Kennel::DOG).row(key).unwrap();
    let ebbtide_core::ValueRef::List(list) = row.value(Kennel::TAGS) else { panic!("a list") };
    let text = |value: ebbtide_core::ValueRef<'_>| match value.to_owned() {
        Value::String(text) => text,
        other => panic!("{other:?}"),
    };
    list.iter().map(text).collect()
}

#[test]
fn a_write_in_one_tab_is_one_change_in_the_other() {
    let mut window = Window::new(2);
    window.write_dog(0, 1, "Rex");
    window.write_note(0);
    window.settle_all();
    assert_eq!(window.tab(1).changes, 1);
    window.check();
    window.write_dog(1, 1, "Max");
    window.settle_all();
    assert_eq!((window.tab(0).changes, window.tab(1).changes), (2, 2));
    window.check();
}

#[test]
fn writes_at_the_same_time_are_all_there_and_lists_keep_their_order() {
    let mut window = Window::new(3);
    window.write_dog(0, 1, "Rex");
    window.settle_all();
    for round in 0..5 {
        for tab in 0..3 {
            window.tag(tab, 1, &format!("{tab}.{round}"));
            window.write_note(tab);
        }
        window.settle_all();
        window.check();
    }
    let current = window.tab(1).engine.current().clone();
    let tags = tags(&current, 1);
    assert_eq!(tags.len(), 15);
    for tab in 0..3 {
        let own: Vec<&String> = tags.iter().filter(|tag| tag.starts_with(&format!("{tab}."))).collect();
        assert!(own.is_sorted(), "{tags:?}");
    }
    assert_eq!(current.table(NOTE).len(), 15);
}

#[test]
fn an_edit_of_a_list_element_that_has_been_renumbered_reaches_it() {
    let mut window = Window::new(2);
    window.write_dog(0, 1, "Rex");
    window.settle_all();
    // Tab 1 inserts and then sets an element before it hears that tab 0 has taken its number.
    window.tag(1, 1, "new");
    window.tag(0, 1, "first");
    window.write(1, |engine| {
        let key = engine.current().find(Kennel::DOG, &Value::Int(1)).unwrap();
        let transaction = engine.transaction().unwrap();
        transaction.list_set(Kennel::DOG, key, Kennel::TAGS, 0, Value::String("newer".into())).unwrap();
    });
    window.settle(0);
    window.settle_all();
    let current = window.tab(0).engine.current().clone();
    let mut tags = tags(&current, 1);
    tags.sort();
    assert_eq!(tags, ["first", "newer"]);
    window.check();
}

#[test]
fn a_tab_that_was_asleep_over_a_checkpoint_keeps_its_objects() {
    let mut window = Window::new(2);
    window.write_dog(0, 1, "Rex");
    window.write_note(0);
    window.settle_all();
    window.nudges = false;
    let current = window.tab(1).engine.current();
    let (dog, note) =
        (current.find(Kennel::DOG, &Value::Int(1)), current.table(NOTE).rows().next().map(|row| row.key()));
    window.write_dog(0, 2, "Max");
    window.write_note(0);
    window.settle(0);
    window.tab(0).engine.compact().unwrap();
    window.settle(0);
    window.write_dog(1, 3, "Bello");
    window.settle_all();
    window.nudge_all();
    window.check();
    let current = window.tab(1).engine.current();
    assert_eq!(current.find(Kennel::DOG, &Value::Int(1)), dog);
    assert!(current.table(NOTE).contains(note.unwrap()));
    assert_eq!(current.table(Kennel::DOG).len(), 3);
}

#[test]
fn classes_that_one_tab_adds_come_to_the_other() {
    let mut window = Window::new(2);
    let mut wider = schema();
    wider.classes.push(note("Memo").into());
    let now = Millis(window.now);
    window.tab(0).engine.update_schema(now, &wider, None).unwrap();
    window.write_note(1);
    window.settle_all();
    window.check();
    assert!(window.tab(1).engine.current().schema().class_index("Memo").is_some());
    // Both add something else at once.
    let mut first = wider.clone();
    first.classes.push(note("First").into());
    let mut second = wider.clone();
    second.classes.push(note("Second").into());
    window.tab(0).engine.update_schema(now, &first, None).unwrap();
    window.tab(1).engine.update_schema(now, &second, None).unwrap();
    window.write_note(0);
    window.write_note(1);
    window.settle_all();
    window.nudge_all();
    window.check();
    for tab in 0..2 {
        let current = window.tab(tab).engine.current().clone();
        let position = |class: &str| current.schema().class_index(class);
        assert!(position("First").is_some() && position("Second").is_some());
    }
}

#[test]
fn a_tab_with_an_older_schema_is_told_and_writes_nothing_more() {
    let mut window = Window::new(2);
    window.write_dog(0, 1, "Rex");
    window.settle_all();
    window.tabs[0] = None;
    let mut changed = schema();
    std::sync::Arc::make_mut(&mut changed.classes[0]).properties.remove(2);
    let newer = OpenOptions { schema: Some(changed), schema_version: Some(1), ..options(99, 9) };
    window.tabs[0] = None;
    let engine = Engine::open(Millis(window.now), newer, window.store.load()).unwrap();
    let (news, unsure) = (VecDeque::new(), Vec::new());
    window.tabs[0] = Some(Tab { engine, news, commit: None, look: None, seen: None, unsure, failed: None, changes: 0 });
    window.settle(0);
    let before = window.store.load();
    window.write_dog(1, 1, "lost");
    window.settle_all();
    let failure = window.tab(1).failed.clone().expect("the older tab is told");
    assert_eq!(failure.kind, StoreFailureKind::Outdated, "{}", failure.message);
    assert_eq!(window.store.load(), before);
    let now = Millis(window.now);
    assert!(window.tab(1).engine.begin_write(now).is_err());
    assert!(window.tab(1).engine.current().find(Kennel::DOG, &Value::Int(1)).is_some());
}

#[test]
fn two_tabs_that_create_the_same_realm_share_it() {
    let (store, kept) = (MemoryStore::new(), Vec::new());
    let mut window =
        Window { store, tabs: vec![None, None], lanes: 0, opened: 0, now: 1_700_000_000_000, kept, nudges: true };
    window.open(0);
    window.open(1);
    window.write_dog(0, 1, "Rex");
    window.write_dog(1, 2, "Max");
    window.write_note(0);
    window.write_note(1);
    window.settle_all();
    window.nudge_all();
    window.check();
    assert_eq!(window.tab(0).engine.current().table(Kennel::DOG).len(), 2);
}

#[test]
fn large_imports_of_two_tabs_at_once_are_both_kept() {
    let mut window = Window::new(3);
    let import = |window: &mut Window, tab: usize| {
        let text = "x".repeat(1_000);
        window.write(tab, |engine| {
            let transaction = engine.transaction().unwrap();
            for id in 0..700 {
                let id = Value::Int(tab as i64 * 10_000 + 100 + id);
                let key = transaction.create(Kennel::DOG, Some(id)).unwrap();
                transaction.set(Kennel::DOG, key, Kennel::NAME, Value::String(text.clone())).unwrap();
                transaction.list_insert(Kennel::DOG, key, Kennel::TAGS, 0, Value::String("a".into())).unwrap();
            }
        });
    };
    window.write_dog(0, 1, "Rex");
    window.settle_all();
    // One is under way as pages while the other is written, and somebody's small write comes between.
    import(&mut window, 0);
    assert!(window.step(0) && window.step(0));
    window.tag(2, 1, "small");
    window.settle(2);
    import(&mut window, 1);
    window.write_note(0);
    window.settle(1);
    window.settle_all();
    window.nudge_all();
    window.check();
    let current = window.tab(2).engine.current().clone();
    assert_eq!(current.table(Kennel::DOG).len(), 1 + 2 * 700);
    assert_eq!(tags(&current, 1), ["small"]);
}

#[test]
fn keys_that_two_tabs_have_given_at_once_are_never_one_object() {
    for created in [false, true] {
        let (store, kept) = (MemoryStore::new(), Vec::new());
        let tabs = vec![None, None];
        let mut window = Window { store, tabs, lanes: 0, opened: 0, now: 1_700_000_000_000, kept, nudges: true };
        window.open(0);
        if created {
            window.settle(0);
        }
        window.lanes = 0;
        window.open(1);
        window.write_note(0);
        window.write_note(1);
        window.settle(0);
        window.settle_all();
        let failure = window.tab(1).failed.clone().expect("the second is told");
        assert_eq!(failure.kind, StoreFailureKind::Conflict, "{}", failure.message);
        window.tabs[1] = None;
        window.check();
        assert_eq!(window.kept.len(), 1);
    }
}

#[test]
fn news_wait_for_an_open_transaction() {
    let mut window = Window::new(2);
    let now = Millis(window.now);
    window.tab(1).engine.begin_write(now).unwrap();
    let transaction = window.tab(1).engine.transaction().unwrap();
    transaction.create(Kennel::DOG, Some(Value::Int(2))).unwrap();
    window.write_dog(0, 1, "Rex");
    window.settle_all();
    assert_eq!(window.tab(1).engine.current().table(Kennel::DOG).len(), 1);
    window.tab(1).engine.commit_write(now).unwrap();
    window.settle_all();
    window.check();
    assert_eq!(window.tab(1).engine.current().table(Kennel::DOG).len(), 2);
}

#[derive(Clone, Debug)]
enum Happening {
    Dog { tab: usize, id: i64 },
    Change { tab: usize, id: i64, how: u16 },
    Delete { tab: usize, id: i64 },
    Note { tab: usize },
    Unnote { tab: usize, which: usize },
    Steps { tab: usize, count: usize },
    Compact { tab: usize },
    Extend { tab: usize, class: u8 },
    Die { tab: usize },
    Lead { tab: usize },
    Nudges(bool),
}

const TABS: usize = 3;

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        6 => (0..TABS, 0..5_i64).prop_map(|(tab, id)| Dog { tab, id }),
        12 => (0..TABS, 0..5_i64, any::<u16>()).prop_map(|(tab, id, how)| Change { tab, id, how }),
        2 => (0..TABS, 0..5_i64).prop_map(|(tab, id)| Delete { tab, id }),
        6 => (0..TABS).prop_map(|tab| Note { tab }),
        2 => (0..TABS, 0..4_usize).prop_map(|(tab, which)| Unnote { tab, which }),
        20 => (0..TABS, 1..9_usize).prop_map(|(tab, count)| Steps { tab, count }),
        1 => (0..TABS).prop_map(|tab| Compact { tab }),
        1 => (0..TABS, 0..4_u8).prop_map(|(tab, class)| Extend { tab, class }),
        1 => (0..TABS).prop_map(|tab| Die { tab }),
        1 => (0..TABS).prop_map(|tab| Lead { tab }),
        1 => any::<bool>().prop_map(Nudges),
    ]
}

fn play(window: &mut Window, what: &Happening) {
    match *what {
        Happening::Dog { tab, id } => {
            let name = format!("{tab} at {}", window.now);
            window.write_dog(tab, id, &name);
        }
        Happening::Change { tab, id, how } => window.write(tab, |engine| {
            if let Some(key) = engine.current().find(Kennel::DOG, &Value::Int(id)) {
                // What makes no sense on this state is refused and changes nothing.
                let _ = change(engine.transaction().unwrap(), key, how);
            }
        }),
        Happening::Delete { tab, id } => window.write(tab, |engine| {
            if let Some(key) = engine.current().find(Kennel::DOG, &Value::Int(id)) {
                engine.transaction().unwrap().delete(Kennel::DOG, key).unwrap();
            }
        }),
        Happening::Note { tab } => window.write_note(tab),
        Happening::Unnote { tab, which } => {
            let mut gone = None;
            window.write(tab, |engine| {
                let found = engine.current().table(NOTE).rows().nth(which);
                let found = found.map(|row| (row.key(), row.value(TEXT).to_owned()));
                if let Some((key, text)) = found {
                    engine.transaction().unwrap().delete(NOTE, key).unwrap();
                    gone = Some(text);
                }
            });
            if let Some(Value::String(text)) = gone {
                window.kept.retain(|kept| *kept != text);
                window.tabs.iter_mut().flatten().for_each(|tab| tab.unsure.retain(|unsure| *unsure != text));
            }
        }
        Happening::Steps { tab, count } => (0..count).for_each(|_| {
            window.step(tab);
        }),
        Happening::Compact { tab } => window.tab(tab).engine.compact().unwrap(),
        Happening::Extend { tab, class } => {
            let mut wider = window.tab(tab).engine.current().schema().clone();
            let name = format!("Extra{class}");
            if wider.class_index(&name).is_none() {
                wider.classes.push(note(&name).into());
            }
            let now = Millis(window.now);
            window.tab(tab).engine.update_schema(now, &wider, None).unwrap();
        }
        Happening::Die { tab } => window.open(tab),
        Happening::Lead { tab } => {
            let now = Millis(window.now);
            for (index, state) in window.tabs.iter_mut().enumerate() {
                let event = if index == tab { Event::Lead } else { Event::Follow };
                state.as_mut().expect("the tab is open").engine.handle(now, event);
            }
        }
        Happening::Nudges(nudges) => window.nudges = nudges,
    }
}

/// `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tabs_of_a_local_realm_end_with_the_same(happenings in proptest::collection::vec(happening(), 1..80)) {
        let mut window = Window::new(TABS);
        for what in &happenings {
            play(&mut window, what);
        }
        window.nudges = true;
        window.settle_all();
        window.nudge_all();
        window.check();
    }
}
