//! People and their dogs.

use crate::clock::EditTime;
use crate::ids::{ChainHash, ChangesetNumber, ClassIndex, ClientId, ColumnIndex, ObjectKey, ServerVersion};
use crate::objects::{Snapshot, Synced, Transaction, WriteContext};
use crate::query::{Argument, Plan, QueryError, compile, parse};
use crate::schema::{ClassSchema, Collection, IndexKind, Property, PropertyType, Schema};
use crate::value::Value;

pub(super) const PERSON: ClassIndex = ClassIndex(0);
pub(super) const DOG: ClassIndex = ClassIndex(1);

/// `type` or `type?`, and `[]`, `<>` or `{}` behind it for a list, a set or a dictionary; a class name for a link; `#` before
/// it for a full-text index.
pub(super) fn property(name: &str, shorthand: &str) -> Property {
    let (indexed, shorthand) = match shorthand.strip_prefix('#') {
        Some(shorthand) => (IndexKind::FullText, shorthand),
        None => (IndexKind::None, shorthand),
    };
    let collections = [("[]", Collection::List), ("<>", Collection::Set), ("{}", Collection::Dictionary)];
    let found = collections.iter().find_map(|(mark, kind)| Some((shorthand.strip_suffix(mark)?, *kind)));
    let (element, collection) = found.unwrap_or((shorthand, Collection::None));
    let (element, optional) = match element.strip_suffix('?') {
        Some(element) => (element, true),
        None => (element, false),
    };
    let kind = match element {
        "bool" => PropertyType::Bool,
        "int" => PropertyType::Int,
        "float" => PropertyType::Float,
        "double" => PropertyType::Double,
        "decimal128" => PropertyType::Decimal,
        "mixed" => PropertyType::Mixed,
        "string" => PropertyType::String,
        "data" => PropertyType::Data,
        "date" => PropertyType::Date,
        "objectId" => PropertyType::ObjectId,
        "uuid" => PropertyType::Uuid,
        _ => PropertyType::Link,
    };
    let target = (kind == PropertyType::Link).then(|| element.to_string());
    Property { name: name.to_string(), kind, collection, optional, target, indexed }
}

pub(super) fn schema() -> Schema {
    let class = |name: &str, properties: &[(&str, &str)]| ClassSchema {
        kind: crate::schema::ClassKind::TopLevel,
        name: name.to_string(),
        primary_key: Some(ColumnIndex(0)),
        properties: properties.iter().map(|(name, shorthand)| property(name, shorthand)).collect(),
    };
    let schema = Schema::of([
        class(
            "Person",
            &[
                ("_id", "int"),
                ("name", "string?"),
                ("age", "int?"),
                ("height", "double?"),
                ("active", "bool?"),
                ("born", "date?"),
                ("photo", "data?"),
                ("oid", "objectId?"),
                ("uid", "uuid?"),
                ("best", "Person?"),
                ("dogs", "Dog[]"),
                ("scores", "int?[]"),
                ("tags", "string[]"),
                ("contains", "int?"),
                ("first name", "string?"),
            ],
        ),
        class("Dog", &[("_id", "string"), ("name", "string?"), ("age", "int"), ("owner", "Person?")]),
    ]);
    crate::schema::validate(&schema).unwrap();
    schema
}

/// Writes objects, without caring who writes when.
pub(super) struct Builder {
    pub(super) transaction: Transaction,
}

impl Builder {
    pub(super) fn new() -> Builder {
        Builder::of(&schema())
    }

    pub(super) fn of(schema: &Schema) -> Builder {
        let context = WriteContext {
            client: ClientId([1; 16]),
            number: ChangesetNumber(1),
            base: ServerVersion(0),
            parent: ChainHash([0; 16]),
            time: EditTime(1),
            next_key: ObjectKey(1),
            synced: Synced::No,
        };
        Builder { transaction: Transaction::begin(&Snapshot::empty(schema), context) }
    }

    pub(super) fn create(&mut self, class: ClassIndex, primary_key: Value) -> ObjectKey {
        self.transaction.create(class, Some(primary_key)).unwrap()
    }

    pub(super) fn delete(&mut self, class: ClassIndex, key: ObjectKey) {
        self.transaction.delete(class, key).unwrap();
    }

    pub(super) fn set(&mut self, class: ClassIndex, key: ObjectKey, property: &str, value: Value) {
        let column = self.transaction.snapshot().schema().class(class).column(property).unwrap();
        self.transaction.set(class, key, column, value).unwrap();
    }

    pub(super) fn push(&mut self, class: ClassIndex, key: ObjectKey, property: &str, values: Vec<Value>) {
        let column = self.transaction.snapshot().schema().class(class).column(property).unwrap();
        for (index, value) in values.into_iter().enumerate() {
            self.transaction.list_insert(class, key, column, index, value).unwrap();
        }
    }

    pub(super) fn finish(self) -> Snapshot {
        self.transaction.snapshot().clone()
    }
}

pub(super) fn text(text: &str) -> Value {
    Value::String(text.to_string())
}

/// Four people, of whom 4 has nothing, and three dogs.
pub(super) fn people() -> Snapshot {
    let mut builder = Builder::new();
    let keys: Vec<ObjectKey> = (1..=4).map(|id| builder.create(PERSON, Value::Int(id))).collect();
    let dogs: Vec<ObjectKey> = ["rex", "fido", "Lassie"].iter().map(|id| builder.create(DOG, text(id))).collect();
    let rows: [&[(&str, Value)]; 3] = [
        &[
            ("name", text("Anna")),
            ("age", Value::Int(30)),
            ("height", Value::Double(1.75)),
            ("active", Value::Bool(true)),
            ("born", Value::Date(951_827_696_789)),
            ("photo", Value::Data(b"\x01\x02abc".to_vec())),
            ("oid", Value::ObjectId([1; 12])),
            ("uid", Value::Uuid([1; 16])),
            ("contains", Value::Int(7)),
            ("first name", text("Anna Maria")),
            ("best", Value::Link(keys[1])),
        ],
        &[
            ("name", text("bob")),
            ("age", Value::Int(40)),
            ("height", Value::Double(30.0)),
            ("active", Value::Bool(false)),
            ("born", Value::Date(0)),
            ("photo", Value::Data(vec![])),
            ("oid", Value::ObjectId([2; 12])),
            ("uid", Value::Uuid([2; 16])),
            ("best", Value::Link(keys[3])),
        ],
        &[
            ("name", text("Élodie")),
            ("age", Value::Int(9_007_199_254_740_993)),
            ("height", Value::Double(9_007_199_254_740_992.0)),
            ("active", Value::Bool(true)),
            ("born", Value::Date(-1)),
        ],
    ];
    for (key, row) in keys.iter().zip(rows) {
        for (property, value) in row {
            builder.set(PERSON, *key, property, value.clone());
        }
    }
    let links = |indexes: &[usize]| indexes.iter().map(|index| Value::Link(dogs[*index])).collect();
    builder.push(PERSON, keys[0], "dogs", links(&[0, 1]));
    builder.push(PERSON, keys[1], "dogs", links(&[1, 2]));
    builder.push(PERSON, keys[0], "scores", vec![Value::Int(1), Value::Null, Value::Int(5)]);
    builder.push(PERSON, keys[1], "scores", vec![Value::Int(5), Value::Int(5)]);
    builder.push(PERSON, keys[0], "tags", vec![text("red"), text("Green")]);
    builder.push(PERSON, keys[2], "tags", vec![text("green")]);
    for (dog, (name, age, owner)) in [("Rex", 3, 0), ("Fido", 5, 0), ("Lassie", 8, 1)].into_iter().enumerate() {
        builder.set(DOG, dogs[dog], "name", text(name));
        builder.set(DOG, dogs[dog], "age", Value::Int(age));
        builder.set(DOG, dogs[dog], "owner", Value::Link(keys[owner]));
    }
    builder.finish()
}

pub(super) fn plan(text: &str, arguments: &[Argument]) -> Result<Plan, QueryError> {
    compile(&parse(text)?, &schema(), PERSON, arguments)
}

/// The primary keys of people, to read results by.
pub(super) fn ids(snapshot: &Snapshot, keys: &[ObjectKey]) -> Vec<i64> {
    let id = |key: &ObjectKey| match snapshot.primary_key(PERSON, *key) {
        Some(Value::Int(id)) => id,
        other => panic!("person {key:?} has the primary key {other:?}"),
    };
    keys.iter().map(id).collect()
}
