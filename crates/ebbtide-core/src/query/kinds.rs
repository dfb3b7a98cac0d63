//! The types that `@type` tells apart. A name can stand for several.

use super::types::Type;
use crate::value::ValueRef;

const NULL: i64 = 1;
const INT: i64 = 1 << 1;
const BOOL: i64 = 1 << 2;
const STRING: i64 = 1 << 3;
const DATA: i64 = 1 << 4;
const DATE: i64 = 1 << 5;
const FLOAT: i64 = 1 << 6;
const DOUBLE: i64 = 1 << 7;
const DECIMAL: i64 = 1 << 8;
const LINK: i64 = 1 << 9;
const OBJECT_ID: i64 = 1 << 10;
const UUID: i64 = 1 << 11;
const LIST: i64 = 1 << 12;
const DICTIONARY: i64 = 1 << 13;

/// Names and what they stand for; the first name of a type is the one that messages use.
const KINDS: [(&str, i64); 36] = [
    ("null", NULL),
    ("int", INT),
    ("integer", INT),
    ("int16", INT),
    ("int32", INT),
    ("int64", INT),
    ("short", INT),
    ("long", INT),
    ("byte", INT),
    ("char", INT),
    ("bool", BOOL),
    ("boolean", BOOL),
    ("string", STRING),
    ("binary", DATA),
    ("data", DATA),
    ("bytearray", DATA),
    ("byte[]", DATA),
    ("date", DATE),
    ("datetimeoffset", DATE),
    ("timestamp", DATE),
    ("float", FLOAT),
    ("double", DOUBLE),
    ("decimal128", DECIMAL),
    ("decimal", DECIMAL),
    ("objectlink", LINK),
    ("link", LINK),
    ("objectid", OBJECT_ID),
    ("uuid", UUID),
    ("guid", UUID),
    ("numeric", INT | FLOAT | DOUBLE | DECIMAL),
    ("bindata", DATA),
    ("object", DICTIONARY),
    ("dictionary", DICTIONARY),
    ("list", LIST),
    ("array", LIST),
    ("collection", LIST | DICTIONARY),
];

/// What a name stands for, as bits, or a message.
pub(super) fn named(name: &str) -> Result<i64, String> {
    let found = KINDS.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(name));
    found.map(|(_, bits)| *bits).ok_or_else(|| {
        let names: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        format!(
            "Unable to parse the type attribute string '{name}', supported case insensitive values are: [{}]",
            names.join(", ")
        )
    })
}

/// The first name of a type.
pub(super) fn name(bits: i64) -> &'static str {
    KINDS.iter().find(|(_, kind)| *kind == bits).map_or("null", |(name, _)| name)
}

/// The type of all values of a property, as one bit.
pub(super) fn of_type(kind: Type) -> i64 {
    match kind {
        Type::Any | Type::Mixed | Type::Kind => NULL,
        Type::Bool => BOOL,
        Type::Int => INT,
        Type::Float => FLOAT,
        Type::Double => DOUBLE,
        Type::Decimal => DECIMAL,
        Type::String => STRING,
        Type::Data => DATA,
        Type::Date => DATE,
        Type::ObjectId => OBJECT_ID,
        Type::Uuid => UUID,
        Type::Link(_) => LINK,
    }
}

/// The type of a value, as one bit.
pub(super) fn of(value: ValueRef<'_>) -> i64 {
    match value {
        ValueRef::Null => NULL,
        ValueRef::Bool(_) => BOOL,
        ValueRef::Int(_) => INT,
        ValueRef::Float(_) => FLOAT,
        ValueRef::Double(_) => DOUBLE,
        ValueRef::Decimal(_) => DECIMAL,
        ValueRef::String(_) => STRING,
        ValueRef::Data(_) => DATA,
        ValueRef::Date(_) => DATE,
        ValueRef::ObjectId(_) => OBJECT_ID,
        ValueRef::Uuid(_) => UUID,
        ValueRef::Link(_) | ValueRef::TypedLink(..) => LINK,
        ValueRef::Array(_) | ValueRef::List(_) => LIST,
        ValueRef::Map(_) | ValueRef::Dictionary(_) => DICTIONARY,
        ValueRef::Set(_) => 0,
    }
}
