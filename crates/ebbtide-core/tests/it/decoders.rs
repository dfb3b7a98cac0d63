//! Whatever bytes and instructions come from outside: an error or a sound state, never a panic.

use ebbtide_core::batch::seal;
use ebbtide_core::changeset::{
    Builder, Changeset, ElementRef, Field, Instruction, NameIndex, ObjectId, ObjectRef, Operand, SlotRef,
};
use ebbtide_core::codec::{Reader, Writer};
use ebbtide_core::limits::{EMBEDDED_DEPTH, NESTED_COLLECTIONS};
use ebbtide_core::merge::{apply, check};
use ebbtide_core::objects::KeySource;
use ebbtide_core::page::{export, import};
use ebbtide_core::value::PrimaryKey;
use ebbtide_core::{
    ChainHash, ChangesetNumber, ClassKind, ClassSchema, ClientId, Collection, ColumnIndex, Decimal, EditTime,
    IndexKind, ObjectKey, Property, PropertyType, Schema, ServerVersion, Snapshot, Value,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::types_world::{edit, replica, schema, with_notes, write};

/// The names that random instructions use: classes, then properties, then ones that are nowhere.
fn names() -> Vec<String> {
    let schema = with_notes();
    let mut names: Vec<String> = schema.classes.iter().map(|class| class.name.clone()).collect();
    for property in schema.classes.iter().flat_map(|class| &class.properties) {
        if !names.contains(&property.name) {
            names.push(property.name.clone());
        }
    }
    names.extend(["Nowhere".to_string(), String::new()]);
    names
}

fn name() -> impl Strategy<Value = NameIndex> {
    (0..names().len() as u32).prop_map(NameIndex)
}

fn named(of: &'static [&'static str]) -> impl Strategy<Value = NameIndex> {
    let index = |name: &str| NameIndex(names().iter().position(|known| known == name).unwrap() as u32);
    select(of.iter().map(|name| index(name)).collect::<Vec<_>>())
}

fn element() -> impl Strategy<Value = ElementRef> {
    (0u32..2, prop_oneof![3 => 0u64..3, 1 => any::<u64>()])
        .prop_map(|(client, sequence)| ElementRef { client, sequence })
}

fn primary_key() -> impl Strategy<Value = PrimaryKey> {
    prop_oneof![
        8 => (0i64..3).prop_map(PrimaryKey::Int),
        1 => Just(PrimaryKey::Null),
        1 => "[a-b]{0,2}".prop_map(PrimaryKey::String),
        1 => any::<[u8; 12]>().prop_map(PrimaryKey::ObjectId),
        1 => any::<[u8; 16]>().prop_map(PrimaryKey::Uuid),
    ]
}

fn key() -> impl Strategy<Value = String> {
    select(vec!["", "a", "b", "$c", "d.e"]).prop_map(str::to_string)
}

fn slot() -> impl Strategy<Value = SlotRef> {
    prop_oneof![
        3 => Just(SlotRef::Single), 1 => element().prop_map(SlotRef::Element), 1 => key().prop_map(SlotRef::Key)
    ]
}

fn object() -> impl Strategy<Value = ObjectRef> {
    let standing = prop_oneof![
        8 => (named(&["Thing", "Other"]), (0i64..3).prop_map(|id| ObjectId::Primary(PrimaryKey::Int(id)))),
        1 => (name(), primary_key().prop_map(ObjectId::Primary)),
        1 => (name(), prop_oneof![(0u64..4), any::<u64>()].prop_map(|key| ObjectId::Local(ObjectKey(key)))),
    ]
    .prop_map(|(class, id)| ObjectRef { class, id });
    standing.prop_recursive(4, 5, 1, |owner| {
        let class = prop_oneof![6 => named(&["Part", "Inner"]), 1 => name()];
        let property = prop_oneof![6 => named(&["part", "parts", "parts_by_name", "inners"]), 1 => name()];
        (owner, class, property, slot(), 1u64..4, 0u32..2).prop_map(
            |(owner, class, property, slot, created, author)| {
                let owner = Box::new(owner);
                ObjectRef {
                    class,
                    id: ObjectId::Embedded { owner, property, slot, created: EditTime(created), author },
                }
            },
        )
    })
}

fn plain() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0i64..3).prop_map(Value::Int),
        any::<i64>().prop_map(Value::Int),
        any::<f32>().prop_map(Value::Float),
        any::<f64>().prop_map(Value::Double),
        any::<[u8; 16]>().prop_map(|bytes| Value::Decimal(Decimal(bytes))),
        "\\PC{0,3}".prop_map(Value::String),
        prop::collection::vec(any::<u8>(), 0..3).prop_map(Value::Data),
        any::<i64>().prop_map(Value::Date),
        any::<[u8; 12]>().prop_map(Value::ObjectId),
        any::<[u8; 16]>().prop_map(Value::Uuid),
    ]
}

fn operand() -> impl Strategy<Value = Operand> {
    let leaf = prop_oneof![
        6 => plain().prop_map(Operand::Value), 3 => object().prop_map(Operand::Link), 3 => Just(Operand::New)
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Operand::Array),
            prop::collection::btree_map(key(), inner, 0..3).prop_map(|map| Operand::Map(map.into_iter().collect())),
        ]
    })
}

fn field() -> impl Strategy<Value = Field> {
    (name(), operand(), any::<bool>()).prop_map(|(property, operand, is_default)| Field {
        property,
        operand,
        is_default,
    })
}

fn property() -> impl Strategy<Value = Property> {
    use PropertyType::{Bool, Data, Date, Decimal, Double, Float, Int, Link, Mixed, ObjectId, String, Uuid};
    let kind = select(vec![Bool, Int, Float, Double, Decimal, String, Data, Date, ObjectId, Uuid, Link, Mixed]);
    let collection = select(vec![Collection::None, Collection::List, Collection::Set, Collection::Dictionary]);
    let indexed = select(vec![IndexKind::None, IndexKind::General, IndexKind::FullText]);
    let target = select(vec!["Thing", "Part", "New", "Nowhere"]);
    (select(vec!["x", "y", "count", "_id", ""]), kind, collection, any::<bool>(), target, indexed).prop_map(
        |(name, kind, collection, optional, target, indexed)| Property {
            name: name.into(),
            kind,
            collection,
            optional,
            target: (kind == Link).then(|| target.to_string()),
            indexed,
        },
    )
}

fn class() -> impl Strategy<Value = ClassSchema> {
    (select(vec!["New", "Newer", "Thing", "Part"]), any::<bool>(), prop::collection::vec(property(), 0..3), 0u32..4)
        .prop_map(|(name, embedded, properties, key)| ClassSchema {
            name: name.into(),
            kind: if embedded { ClassKind::Embedded } else { ClassKind::TopLevel },
            primary_key: (!embedded && (key as usize) < properties.len()).then_some(ColumnIndex(key)),
            properties,
        })
}

/// An instruction of any kind about anything; most are about what may be there.
fn instruction() -> impl Strategy<Value = Instruction> {
    let at = || (object(), name());
    let create =
        (named(&["Thing", "Other"]), 0i64..3, prop::collection::vec(field(), 0..3)).prop_map(|(class, id, fields)| {
            let object = ObjectRef { class, id: ObjectId::Primary(PrimaryKey::Int(id)) };
            Instruction::CreateObject { object, fields }
        });
    let embed = (object(), named(&["part"])).prop_map(|(object, property)| {
        let field = Field { property, operand: Operand::New, is_default: false };
        Instruction::Set { object, field }
    });
    let number = || prop_oneof![3 => 0u64..3, 1 => any::<u64>()];
    prop_oneof![
        1 => class().prop_map(Instruction::AddClass),
        1 => (name(), property()).prop_map(|(class, property)| Instruction::AddProperty { class, property }),
        8 => create,
        6 => embed,
        1 => (object(), prop::collection::vec(field(), 0..3))
            .prop_map(|(object, fields)| Instruction::CreateObject { object, fields }),
        2 => object().prop_map(|object| Instruction::DeleteObject { object }),
        8 => (object(), field()).prop_map(|(object, field)| Instruction::Set { object, field }),
        2 => (at(), any::<i64>()).prop_map(|((object, property), by)| Instruction::Increment { object, property, by }),
        8 => (at(), number(), prop::option::of(element()), any::<u32>(), operand()).prop_map(
            |((object, property), sequence, after, index, operand)| Instruction::ListInsert {
                object, property, sequence, after, index, operand
            }
        ),
        3 => (at(), element(), operand()).prop_map(|((object, property), element, operand)| Instruction::ListSet {
            object, property, element, operand
        }),
        2 => (at(), element(), prop::option::of(element()), any::<u32>()).prop_map(
            |((object, property), element, after, index)| Instruction::ListMove { object, property, element, after, index }
        ),
        2 => (at(), element())
            .prop_map(|((object, property), element)| Instruction::ListRemove { object, property, element }),
        1 => (at(), prop::collection::vec(element(), 0..3))
            .prop_map(|((object, property), elements)| Instruction::ListClear { object, property, elements }),
        8 => (at(), operand()).prop_map(|((object, property), operand)| Instruction::SetInsert { object, property, operand }),
        4 => (at(), operand()).prop_map(|((object, property), operand)| Instruction::SetRemove { object, property, operand }),
        1 => at().prop_map(|(object, property)| Instruction::SetClear { object, property }),
        8 => (at(), key(), operand()).prop_map(|((object, property), key, operand)| Instruction::DictionarySet {
            object, property, key, operand
        }),
        3 => (at(), key())
            .prop_map(|((object, property), key)| Instruction::DictionaryRemove { object, property, key }),
        1 => at().prop_map(|(object, property)| Instruction::DictionaryClear { object, property }),
    ]
}

fn changeset() -> impl Strategy<Value = Changeset> {
    (prop::collection::vec(instruction(), 1..25), 1u8..3, 1u64..4)
        .prop_map(|(instructions, client, time)| build(client, time, &instructions))
}

fn build(client: u8, time: u64, instructions: &[Instruction]) -> Changeset {
    let mut builder = Builder::new(ClientId([client; 16]));
    for name in names() {
        builder.name(&name);
    }
    builder.client(ClientId([3 - client; 16]));
    instructions.iter().for_each(|instruction| builder.push(instruction.clone()));
    builder.finish(ChangesetNumber(1), ServerVersion(0), ChainHash::default(), EditTime(time))
}

/// A sealed record with its body changed and sealed again.
pub fn reseal(record: &mut Vec<u8>, at: usize, bit: u8) {
    let body = record.len() - 8;
    let index = 1 + at % (body - 1);
    record[index] ^= 1 << bit;
    let changed = record[1..body].to_vec();
    *record = seal(|out| out.raw(&changed));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn changesets_of_every_instruction_come_back(changeset in changeset()) {
        let bytes = changeset.encode();
        let back = Changeset::decode(&bytes).unwrap();
        prop_assert_eq!(back.encode(), bytes);
        let text = |changeset: &Changeset| changeset.instructions().map(|i| format!("{i:?}")).collect::<Vec<_>>();
        prop_assert_eq!(text(&back), text(&changeset));
    }

    #[test]
    fn a_changed_changeset_is_an_error_or_another_changeset(
        changeset in changeset(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut: bool,
    ) {
        let mut bytes = changeset.encode();
        for (at, byte) in &changes {
            let index = at.index(bytes.len());
            bytes[index] = *byte;
        }
        if cut {
            bytes.truncate(changes[0].0.index(bytes.len()));
        }
        if let Ok(back) = Changeset::decode(&bytes) {
            prop_assert_eq!(back.encode(), bytes);
            let mut snapshot = Snapshot::empty(&schema());
            apply(&mut snapshot, &back, ServerVersion(1), &mut KeySource::new(ObjectKey(1), Vec::new()));
            snapshot.audit().unwrap();
            let _ = check(&schema(), &back);
        }
    }

    #[test]
    fn any_changesets_leave_a_sound_state(
        changesets in prop::collection::vec(changeset(), 1..6), at in select(vec![0, 1, u64::MAX]),
    ) {
        let mut snapshot = Snapshot::empty(&with_notes());
        let mut keys = KeySource::new(ObjectKey(1), Vec::new());
        for (index, changeset) in changesets.iter().enumerate() {
            let version = if at == 1 { index as u64 + 1 } else { at };
            let before = snapshot.clone();
            let mut same = snapshot.clone();
            apply(&mut same, changeset, ServerVersion(version), &mut KeySource::new(keys.next(), vec![&before]));
            apply(&mut snapshot, changeset, ServerVersion(version), &mut keys);
            snapshot.audit().unwrap();
            same.audit().unwrap();
            prop_assert_eq!(same.canonical(), snapshot.canonical());
            let _ = check(before.schema(), changeset);
        }
        let copy = import(export(&snapshot, 1000).iter().map(Vec::as_slice)).unwrap();
        copy.audit().unwrap();
        prop_assert_eq!(copy.canonical(), snapshot.canonical());
    }

    #[test]
    fn what_a_client_writes_passes_the_servers_check(edits in prop::collection::vec(edit(), 1..60)) {
        let mut mine = replica(1);
        write(&mut mine, 1, &edits);
        for own in mine.pending() {
            check(&schema(), &Changeset::decode(&own.bytes).unwrap()).unwrap();
        }
    }

    #[test]
    fn an_image_whose_bytes_were_changed_and_sealed_again_is_an_error_or_a_sound_state(
        edits in prop::collection::vec(edit(), 1..60), record in any::<prop::sample::Index>(), at: usize, bit in 0u8..8,
    ) {
        let mut mine = replica(1);
        write(&mut mine, 1, &edits);
        let bytes = export(mine.current(), usize::MAX).concat();
        let mut input = Reader::new(&bytes);
        let mut records = Vec::new();
        while !input.is_empty() {
            records.push(input.run(usize::MAX).unwrap().to_vec());
        }
        let index = record.index(records.len());
        reseal(&mut records[index], at, bit);
        let mut out = Writer::new();
        records.iter().for_each(|record| out.run(record));
        if let Ok(read) = import([out.into_bytes().as_slice()]) {
            read.audit().unwrap();
            let _ = read.canonical();
        }
    }

    #[test]
    fn a_schema_comes_back(classes in prop::collection::vec(class(), 0..4)) {
        let schema = Schema::of(classes);
        let mut out = Writer::new();
        schema.encode(&mut out);
        let bytes = out.into_bytes();
        prop_assert_eq!(Schema::decode(&mut Reader::new(&bytes)).unwrap(), schema);
    }
}

fn thing() -> ObjectRef {
    ObjectRef { class: NameIndex(0), id: ObjectId::Primary(PrimaryKey::Int(1)) }
}

#[test]
fn nested_operands_are_bounded() {
    let nested = |depth: usize| (0..depth).fold(Operand::Value(Value::Null), |inner, _| Operand::Array(vec![inner]));
    let set = |operand: Operand| {
        let field = Field { property: NameIndex(1), operand, is_default: false };
        build(1, 1, &[Instruction::Set { object: thing(), field }]).encode()
    };
    assert!(Changeset::decode(&set(nested(NESTED_COLLECTIONS))).is_ok());
    assert!(Changeset::decode(&set(nested(NESTED_COLLECTIONS + 1))).is_err());
}

#[test]
fn chains_of_owners_are_bounded() {
    let owned = |depth: usize| {
        (0..depth).fold(thing(), |owner, _| ObjectRef {
            class: NameIndex(2),
            id: ObjectId::Embedded {
                owner: Box::new(owner),
                property: NameIndex(1),
                slot: SlotRef::Single,
                created: EditTime(1),
                author: 0,
            },
        })
    };
    let delete = |object: ObjectRef| build(1, 1, &[Instruction::DeleteObject { object }]).encode();
    assert!(Changeset::decode(&delete(owned(EMBEDDED_DEPTH))).is_ok());
    assert!(Changeset::decode(&delete(owned(EMBEDDED_DEPTH + 1))).is_err());
    let create = |object: ObjectRef| {
        let field = Field { property: NameIndex(1), operand: Operand::New, is_default: false };
        build(1, 1, &[Instruction::Set { object, field }]).encode()
    };
    assert!(Changeset::decode(&create(owned(EMBEDDED_DEPTH - 1))).is_ok());
    assert!(Changeset::decode(&create(owned(EMBEDDED_DEPTH))).is_err(), "it would make one that cannot be named");
}

#[test]
fn keys_of_a_map_ascend() {
    let map = |keys: [&str; 2]| {
        let operand = Operand::Map(keys.map(|key| (key.to_string(), Operand::Value(Value::Null))).to_vec());
        let field = Field { property: NameIndex(1), operand, is_default: false };
        build(1, 1, &[Instruction::Set { object: thing(), field }]).encode()
    };
    assert!(Changeset::decode(&map(["a", "b"])).is_ok());
    assert!(Changeset::decode(&map(["b", "a"])).is_err());
    assert!(Changeset::decode(&map(["a", "a"])).is_err());
}

#[test]
fn an_unsound_addition_to_the_schema_is_dropped_as_a_whole() {
    let link = |name: &str, target: &str| Property {
        name: name.into(),
        kind: PropertyType::Link,
        collection: Collection::None,
        optional: true,
        target: Some(target.into()),
        indexed: IndexKind::None,
    };
    let class = |name: &str, property: Property| ClassSchema {
        name: name.into(),
        kind: ClassKind::TopLevel,
        primary_key: None,
        properties: vec![property],
    };
    let grown = |instructions: &[Instruction]| {
        let mut snapshot = Snapshot::empty(&schema());
        let changeset = build(1, 1, instructions);
        apply(&mut snapshot, &changeset, ServerVersion(1), &mut KeySource::new(ObjectKey(1), Vec::new()));
        snapshot.schema().classes.len() - schema().classes.len()
    };
    let (a, b) = (Instruction::AddClass(class("A", link("b", "B"))), Instruction::AddClass(class("B", link("a", "A"))));
    assert_eq!(grown(&[a.clone(), b]), 2, "classes may link to each other");
    assert_eq!(grown(&[a]), 0);
    let key = ClassSchema { primary_key: Some(ColumnIndex(0)), ..class("C", link("other", "Other")) };
    assert_eq!(grown(&[Instruction::AddClass(key)]), 0);
}

/// The state after instructions on a thing 1 whose `other` is an other 2.
fn after(instructions: &[Instruction]) -> Snapshot {
    let index = |name: &str| NameIndex(names().iter().position(|known| known == name).unwrap() as u32);
    let object = |class: &str, id| ObjectRef { class: index(class), id: ObjectId::Primary(PrimaryKey::Int(id)) };
    let operand = Operand::Link(object("Other", 2));
    let field = Field { property: index("other"), operand, is_default: false };
    let mut all = vec![
        Instruction::CreateObject { object: object("Other", 2), fields: Vec::new() },
        Instruction::CreateObject { object: object("Thing", 1), fields: vec![field] },
    ];
    all.extend_from_slice(instructions);
    let mut snapshot = Snapshot::empty(&schema());
    apply(&mut snapshot, &build(1, 1, &all), ServerVersion(1), &mut KeySource::new(ObjectKey(1), Vec::new()));
    snapshot.audit().unwrap();
    snapshot
}

#[test]
fn a_link_to_nothing_is_no_null_for_a_property_that_holds_no_links() {
    let property = NameIndex(names().iter().position(|name| name == "count").unwrap() as u32);
    let nobody = ObjectRef { class: NameIndex(1), id: ObjectId::Primary(PrimaryKey::Int(77)) };
    let field = Field { property, operand: Operand::Link(nobody), is_default: false };
    assert_eq!(after(&[Instruction::Set { object: thing(), field }]).canonical(), after(&[]).canonical());
}

#[test]
fn an_object_that_stands_by_itself_is_not_named_by_a_place() {
    let property = NameIndex(names().iter().position(|name| name == "other").unwrap() as u32);
    let (owner, slot) = (Box::new(thing()), SlotRef::Single);
    let id = ObjectId::Embedded { owner, property, slot, created: EditTime(1), author: 0 };
    let object = ObjectRef { class: NameIndex(1), id };
    assert_eq!(after(&[Instruction::DeleteObject { object }]).canonical(), after(&[]).canonical());
}
