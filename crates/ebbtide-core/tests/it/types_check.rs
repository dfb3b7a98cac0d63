//! What a server refuses of each kind of instruction, and what it takes.

use ebbtide_core::changeset::{Builder, ElementRef, Field, Instruction, ObjectId, ObjectRef, Operand, SlotRef};
use ebbtide_core::merge::check;
use ebbtide_core::value::PrimaryKey;
use ebbtide_core::{ChainHash, ChangesetNumber, ClientId, EditTime, ObjectKey, ServerVersion, Value};

use crate::types_world::schema;

struct Writing(Builder);

impl Writing {
    fn object(&mut self, class: &str, id: ObjectId) -> ObjectRef {
        ObjectRef { class: self.0.name(class), id }
    }

    fn thing(&mut self) -> ObjectRef {
        self.object("Thing", ObjectId::Primary(PrimaryKey::Int(1)))
    }

    fn embedded(&mut self, class: &str, property: &str, slot: SlotRef) -> ObjectRef {
        let (owner, property) = (Box::new(self.thing()), self.0.name(property));
        self.object(class, ObjectId::Embedded { owner, property, slot, created: EditTime(1), author: 0 })
    }
}

/// The reason of a refusal, or nothing.
fn refusal(write: impl FnOnce(&mut Writing) -> Instruction) -> Option<String> {
    let mut writing = Writing(Builder::new(ClientId([1; 16])));
    let instruction = write(&mut writing);
    writing.0.push(instruction);
    let changeset = writing.0.finish(ChangesetNumber(1), ServerVersion(0), ChainHash::default(), EditTime(1));
    check(&schema(), &changeset).err().map(|violation| violation.reason)
}

fn set(property: &str, operand: Operand) -> Option<String> {
    refusal(|w| {
        let (object, property) = (w.thing(), w.0.name(property));
        Instruction::Set { object, field: Field { property, operand, is_default: false } }
    })
}

fn insert(property: &str, operand: Operand) -> Option<String> {
    refusal(|w| {
        let (object, property) = (w.thing(), w.0.name(property));
        Instruction::ListInsert { object, property, sequence: 1, after: None, index: 0, operand }
    })
}

fn add(property: &str, operand: Operand) -> Option<String> {
    refusal(|w| {
        let (object, property) = (w.thing(), w.0.name(property));
        Instruction::SetInsert { object, property, operand }
    })
}

fn put(property: &str, key: &str, operand: Operand) -> Option<String> {
    refusal(|w| {
        let (object, property) = (w.thing(), w.0.name(property));
        Instruction::DictionarySet { object, property, key: key.into(), operand }
    })
}

fn increment(property: &str) -> Option<String> {
    refusal(|w| {
        let (object, property) = (w.thing(), w.0.name(property));
        Instruction::Increment { object, property, by: 1 }
    })
}

fn refused(refusal: Option<String>, names: &str) {
    assert!(refusal.as_ref().is_some_and(|reason| reason.contains(names)), "{refusal:?} names {names}");
}

const INT: Operand = Operand::Value(Value::Int(1));
const NULL: Operand = Operand::Value(Value::Null);

#[test]
fn values_have_their_propertys_type() {
    assert_eq!(set("count", INT), None);
    assert_eq!(set("maybe", NULL), None);
    for (property, operand) in [
        ("count", NULL),
        ("count", Operand::Value(Value::Float(1.0))),
        ("float", Operand::Value(Value::Double(1.0))),
        ("decimal", INT),
        ("count", Operand::Array(vec![INT])),
        ("count", Operand::New),
        ("other", Operand::New),
        ("part", INT),
    ] {
        refused(set(property, operand), &format!("'Thing.{property}'"));
    }
    refused(set("_id", INT), "'Thing._id' is the primary key");
    refused(set("ints", INT), "'Thing.ints' is a collection");
    refused(set("nothing", INT), "'Thing.nothing'");
    assert_eq!(set("part", Operand::New), None);
    assert_eq!(set("mixed", Operand::Map(vec![("k".into(), Operand::Array(vec![INT, NULL]))])), None);
    refused(set("mixed", Operand::Array(vec![Operand::New])), "'Thing.mixed'");
    refused(set("mixed", Operand::Map(vec![("a.b".into(), INT)])), "'.'");
}

#[test]
fn only_ints_that_are_no_primary_key_are_incremented() {
    assert_eq!((increment("count"), increment("maybe")), (None, None));
    for property in ["_id", "float", "mixed"] {
        refused(increment(property), &format!("'Thing.{property}' cannot be incremented"));
    }
    refused(increment("ints"), "'Thing.ints' is not a single value");
}

#[test]
fn collections_take_their_own_edits_and_elements_only() {
    assert_eq!(insert("doubles", Operand::Value(Value::Double(1.0))), None);
    assert_eq!(insert("parts", Operand::New), None);
    assert_eq!(add("ints", INT), None);
    assert_eq!(put("parts_by_name", "k", Operand::New), None);
    assert_eq!(put("counts", "k", NULL), None);
    refused(insert("decimals", NULL), "'Thing.decimals'");
    refused(insert("parts", NULL), "'Thing.parts'");
    refused(insert("things", Operand::New), "'Thing.things'");
    refused(insert("ints", INT), "'Thing.ints' is not a list");
    refused(add("doubles", INT), "'Thing.doubles' is not a set");
    refused(add("ints", NULL), "'Thing.ints'");
    refused(add("bag", Operand::Array(Vec::new())), "'Thing.bag'");
    refused(add("bag", Operand::Map(Vec::new())), "'Thing.bag'");
    refused(put("ints", "k", INT), "'Thing.ints' is not a dictionary");
    refused(put("floats", "k", NULL), "'Thing.floats'");
    refused(put("counts", "$k", INT), "'$'");
    let element = ElementRef { client: 0, sequence: 1 };
    type Make = fn(ObjectRef, ebbtide_core::changeset::NameIndex, ElementRef) -> Instruction;
    let kinds: [(Make, &str); 6] = [
        (|object, property, element| Instruction::ListRemove { object, property, element }, "doubles"),
        (
            |object, property, element| Instruction::ListMove { object, property, element, after: None, index: 0 },
            "doubles",
        ),
        (|object, property, _| Instruction::ListClear { object, property, elements: Vec::new() }, "doubles"),
        (|object, property, _| Instruction::SetClear { object, property }, "ints"),
        (|object, property, _| Instruction::DictionaryRemove { object, property, key: String::new() }, "counts"),
        (|object, property, _| Instruction::DictionaryClear { object, property }, "counts"),
    ];
    for (make, takes) in kinds {
        for property in ["doubles", "ints", "counts", "count"] {
            let refusal = refusal(|w| {
                let (object, property) = (w.thing(), w.0.name(property));
                make(object, property, element)
            });
            assert_eq!(refusal.is_none(), property == takes, "{property}: {refusal:?}");
        }
    }
}

#[test]
fn objects_are_named_by_primary_key_or_by_their_place() {
    let delete = |name: &dyn Fn(&mut Writing) -> ObjectRef| refusal(|w| Instruction::DeleteObject { object: name(w) });
    assert_eq!(delete(&|w| w.thing()), None);
    assert_eq!(delete(&|w| w.embedded("Part", "part", SlotRef::Single)), None);
    assert_eq!(delete(&|w| w.embedded("Part", "parts_by_name", SlotRef::Key("k".into()))), None);
    refused(delete(&|w| w.embedded("Part", "parts", SlotRef::Single)), "'parts'");
    refused(delete(&|w| w.embedded("Part", "other", SlotRef::Single)), "'other'");
    refused(delete(&|w| w.embedded("Inner", "part", SlotRef::Single)), "'part'");
    refused(delete(&|w| w.embedded("Other", "other", SlotRef::Single)), "'Other'");
    refused(delete(&|w| w.embedded("Part", "nothing", SlotRef::Single)), "'Thing.nothing'");
    refused(delete(&|w| w.object("Part", ObjectId::Local(ObjectKey(1)))), "'Part'");
    refused(delete(&|w| w.object("Thing", ObjectId::Local(ObjectKey(1)))), "'Thing'");
    refused(delete(&|w| w.object("Thing", ObjectId::Primary(PrimaryKey::String("1".into())))), "'Thing'");
    refused(delete(&|w| w.object("Part", ObjectId::Primary(PrimaryKey::Int(1)))), "'Part'");
    refused(delete(&|w| w.object("Nothing", ObjectId::Primary(PrimaryKey::Int(1)))), "'Nothing'");
}

#[test]
fn links_lead_to_objects_that_stand_by_themselves_and_are_of_the_propertys_class() {
    let link = |property: &'static str, to: &dyn Fn(&mut Writing) -> ObjectRef| {
        refusal(|w| {
            let (object, name) = (w.thing(), w.0.name(property));
            let operand = Operand::Link(to(w));
            Instruction::Set { object, field: Field { property: name, operand, is_default: false } }
        })
    };
    let other = |w: &mut Writing| w.object("Other", ObjectId::Primary(PrimaryKey::Int(1)));
    assert_eq!((link("other", &other), link("mixed", &other)), (None, None));
    assert_eq!(link("mixed", &|w| w.thing()), None);
    refused(link("other", &|w| w.thing()), "'Thing.other'");
    refused(link("count", &other), "'Thing.count'");
    refused(link("part", &|w| w.embedded("Part", "part", SlotRef::Single)), "'Thing.part'");
    refused(link("mixed", &|w| w.embedded("Part", "part", SlotRef::Single)), "'Thing.mixed'");
}
