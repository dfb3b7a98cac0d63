//! A transaction for the tests of its parts: owners with an embedded object, a number, a list of embedded objects, and mixed
//! values.

use super::Transaction;
use crate::ids::{ClassIndex, ColumnIndex};
use crate::objects::{Snapshot, Synced, WriteContext};
use crate::schema::{ClassKind, ClassSchema, Collection, IndexKind, Property, PropertyType, Schema};
use crate::{ChainHash, ChangesetNumber, ClientId, EditTime, ObjectKey, ServerVersion};

/// The class of owners.
pub(super) const OWNER: ClassIndex = ClassIndex(0);
/// Its embedded object.
pub(super) const PART: ColumnIndex = ColumnIndex(0);
/// Its number.
pub(super) const NUMBER: ColumnIndex = ColumnIndex(1);
/// Its list of embedded objects.
pub(super) const PARTS: ColumnIndex = ColumnIndex(2);
/// Its mixed value.
pub(super) const ANY: ColumnIndex = ColumnIndex(3);
/// Its list of mixed values.
pub(super) const ANYS: ColumnIndex = ColumnIndex(4);
/// Its dictionary of mixed values.
pub(super) const ANY_BY_NAME: ColumnIndex = ColumnIndex(5);
/// Its dictionary of embedded objects.
pub(super) const PARTS_BY_NAME: ColumnIndex = ColumnIndex(6);
/// The embedded class.
pub(super) const PART_CLASS: ClassIndex = ClassIndex(1);
/// Its number.
pub(super) const PART_NUMBER: ColumnIndex = ColumnIndex(0);

/// A transaction on an empty realm.
pub(super) fn begin() -> Transaction {
    let property = |name: &str, kind, collection, target: Option<&str>| Property {
        name: name.to_string(),
        kind,
        collection,
        optional: collection == Collection::None,
        target: target.map(str::to_string),
        indexed: IndexKind::None,
    };
    let number = property("number", PropertyType::Int, Collection::None, None);
    let owner = vec![
        property("part", PropertyType::Link, Collection::None, Some("Part")),
        number.clone(),
        property("parts", PropertyType::Link, Collection::List, Some("Part")),
        property("any", PropertyType::Mixed, Collection::None, None),
        property("anys", PropertyType::Mixed, Collection::List, None),
        property("anyByName", PropertyType::Mixed, Collection::Dictionary, None),
        Property {
            optional: true,
            ..property("partsByName", PropertyType::Link, Collection::Dictionary, Some("Part"))
        },
    ];
    let class =
        |name: &str, kind, properties| ClassSchema { name: name.to_string(), kind, primary_key: None, properties };
    let schema =
        Schema::of([class("Owner", ClassKind::TopLevel, owner), class("Part", ClassKind::Embedded, vec![number])]);
    let context = WriteContext {
        client: ClientId::default(),
        number: ChangesetNumber(1),
        base: ServerVersion::default(),
        parent: ChainHash::default(),
        time: EditTime(1),
        next_key: ObjectKey(1),
        synced: Synced::Yes,
    };
    Transaction::begin(&Snapshot::empty(&schema), context)
}
