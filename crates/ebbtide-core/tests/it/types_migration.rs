//! Objects that stood by themselves become embedded: each has one owner afterwards, and none goes without end.

use ebbtide_core::objects::{Constraints, Synced};
use ebbtide_core::replica::Replica;
use ebbtide_core::{ClassIndex, ClassKind, ClassSchema, ClientId, Collection, ColumnIndex, Millis, Schema, Value};

use crate::stores::{Kept, check_same};
use crate::world::link;

const OWNER: ClassIndex = ClassIndex(0);
const NODE: ClassIndex = ClassIndex(1);
const NEXT: ColumnIndex = ColumnIndex(0);

fn schema(kind: ClassKind) -> Schema {
    let class = |name: &str, kind| ClassSchema {
        name: name.into(),
        kind,
        primary_key: None,
        properties: vec![link("next", "Node", Collection::None)],
    };
    Schema::of([class("Owner", ClassKind::TopLevel), class("Node", kind)])
}

/// A realm of owners and nodes; each pair is a link from one node to another, `None` being an owner of its own.
fn nodes(count: usize, links: &[(Option<usize>, usize)]) -> Replica {
    let mut mine = Replica::new(&schema(ClassKind::TopLevel), 0, ClientId([1; 16]), Synced::No);
    let mut t = mine.begin(Millis(1));
    let keys: Vec<_> = (0..count).map(|_| t.create(NODE, None).unwrap()).collect();
    for (from, to) in links {
        let (class, from) = match from {
            Some(from) => (NODE, keys[*from]),
            None => (OWNER, t.create(OWNER, None).unwrap()),
        };
        t.set(class, from, NEXT, Value::Link(keys[*to])).unwrap();
    }
    mine.commit(t).unwrap();
    mine
}

/// How many nodes there are after they were embedded, or why they cannot be.
fn embed(mut mine: Replica, constraints: Constraints) -> Result<usize, String> {
    let wanted = schema(ClassKind::Embedded);
    let mut t = mine.begin_migration(Millis(2), &wanted);
    t.embed_classes(&wanted, constraints)?;
    mine.migrate(t, 1).unwrap();
    mine.current().audit().unwrap();
    let mut kept = Kept::default();
    kept.checkpoint(&mut mine);
    let loaded = Replica::load(&kept.store).unwrap();
    check_same(&loaded, &mine);
    Ok(mine.current().table(NODE).len())
}

#[test]
fn a_chain_of_objects_with_one_owner_each_is_embedded_as_it_is() {
    assert_eq!(embed(nodes(3, &[(None, 2), (Some(2), 0), (Some(0), 1)]), Constraints::Refuse), Ok(3));
}

#[test]
fn objects_that_own_each_other_are_refused() {
    for constraints in [Constraints::Refuse, Constraints::Resolve] {
        let refused = embed(nodes(2, &[(Some(0), 1), (Some(1), 0)]), constraints).unwrap_err();
        assert!(refused.starts_with("Cannot convert 'Node' to embedded"), "{refused}");
    }
    let deep: Vec<_> = std::iter::once((None, 0)).chain((0..100).map(|n| (Some(n), n + 1))).collect();
    assert!(embed(nodes(101, &deep), Constraints::Refuse).is_err());
    assert_eq!(embed(nodes(100, &deep[..100]), Constraints::Refuse), Ok(100));
}

#[test]
fn what_belongs_to_an_object_without_an_owner_goes_with_it() {
    let links = [(Some(2), 1), (Some(1), 0)];
    assert!(embed(nodes(3, &links), Constraints::Refuse).is_err());
    assert_eq!(embed(nodes(3, &links), Constraints::Resolve), Ok(0));
}

#[test]
fn an_object_with_two_owners_is_divided() {
    let links = [(None, 0), (None, 0), (Some(0), 1)];
    assert!(embed(nodes(2, &links), Constraints::Refuse).is_err());
    assert_eq!(embed(nodes(2, &links), Constraints::Resolve), Ok(4));
}
