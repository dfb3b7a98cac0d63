//! The one place where JavaScript values and the database's values become each other.

use ebbtide_core::{
    ClassIndex, ClassSchema, ColumnIndex, Decimal, ObjectKey, Property, PropertyType, Snapshot, Value, ValueRef,
};
use wasm_bindgen::{JsCast, JsValue};

use crate::error::{Fault, Result, set};

/// The largest integer that a JavaScript number holds exactly, with all below it.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// The number that stands for no object.
pub(crate) const NO_KEY: f64 = -1.0;

/// An object's key as JavaScript has it.
pub(crate) fn key_to_js(key: Option<ObjectKey>) -> f64 {
    key.map_or(NO_KEY, |key| key.0 as f64)
}

/// An object's key from JavaScript; numbers that are no keys name an object that does not exist.
pub(crate) fn key_from_js(key: f64) -> ObjectKey {
    ObjectKey(if key >= 1.0 { key as u64 } else { 0 })
}

/// A value of a property, or of an element of a list property. Lists as a whole have no value in JavaScript.
pub(crate) fn value_to_js(value: ValueRef<'_>) -> JsValue {
    match value {
        ValueRef::Null | ValueRef::List(_) | ValueRef::Set(_) | ValueRef::Dictionary(_) => JsValue::NULL,
        ValueRef::Bool(value) => JsValue::from_bool(value),
        ValueRef::Int(value) => int_to_js(value),
        ValueRef::Float(value) => JsValue::from_f64(f64::from(value)),
        ValueRef::Double(value) => JsValue::from_f64(value),
        ValueRef::Decimal(value) => js_sys::Uint8Array::from(&value.0[..]).into(),
        ValueRef::TypedLink(..) | ValueRef::Array(_) | ValueRef::Map(_) => mixed_to_js(value),
        ValueRef::String(value) => JsValue::from_str(value),
        ValueRef::Data(value) => js_sys::Uint8Array::from(value).into(),
        ValueRef::Date(value) => JsValue::from_f64(value as f64),
        ValueRef::ObjectId(value) => js_sys::Uint8Array::from(&value[..]).into(),
        ValueRef::Uuid(value) => js_sys::Uint8Array::from(&value[..]).into(),
        ValueRef::Link(key) => JsValue::from_f64(key.0 as f64),
    }
}

/// A value of a property of a type, or of an element of a collection of it.
pub(crate) fn element_to_js(kind: PropertyType, value: ValueRef<'_>) -> JsValue {
    if kind == PropertyType::Mixed { mixed_to_js(value) } else { value_to_js(value) }
}

/// A value of a mixed, for reading, which says itself what it is: null, a boolean, a string, a number (or a bigint that no
/// number holds), a `Date`, a `Uint8Array`, or an object with one member: `objectId`, `uuid`, `decimal128` with their bytes,
/// `link` with class and key, `nested` with what kind of collection lies there.
pub(crate) fn mixed_to_js(value: ValueRef<'_>) -> JsValue {
    let tagged = |tag: &str, value: JsValue| {
        let object = js_sys::Object::new();
        set(&object, tag, &value);
        object.into()
    };
    match value {
        ValueRef::Date(value) => js_sys::Date::new(&JsValue::from_f64(value as f64)).into(),
        ValueRef::ObjectId(_) => tagged("objectId", value_to_js(value)),
        ValueRef::Uuid(_) => tagged("uuid", value_to_js(value)),
        ValueRef::Decimal(_) => tagged("decimal128", value_to_js(value)),
        ValueRef::TypedLink(class, key) => {
            let pair = js_sys::Array::of2(&JsValue::from_f64(f64::from(class.0)), &JsValue::from_f64(key.0 as f64));
            tagged("link", pair.into())
        }
        ValueRef::Array(_) => tagged("nested", JsValue::from_str("list")),
        ValueRef::Map(_) => tagged("nested", JsValue::from_str("dictionary")),
        ValueRef::Null
        | ValueRef::Bool(_)
        | ValueRef::Int(_)
        | ValueRef::Float(_)
        | ValueRef::Double(_)
        | ValueRef::String(_)
        | ValueRef::Data(_)
        | ValueRef::Link(_)
        | ValueRef::List(_)
        | ValueRef::Set(_)
        | ValueRef::Dictionary(_) => value_to_js(value),
    }
}

/// The type of a value of a mixed, as a schema names it; for a link the name of its class in angle brackets.
pub(crate) fn mixed_type(snapshot: &Snapshot, value: ValueRef<'_>) -> String {
    let name = match value {
        ValueRef::Null => "null",
        ValueRef::Bool(_) => "bool",
        ValueRef::Int(_) => "int",
        ValueRef::Float(_) => "float",
        ValueRef::Double(_) => "double",
        ValueRef::Decimal(_) => "decimal128",
        ValueRef::String(_) => "string",
        ValueRef::Data(_) => "data",
        ValueRef::Date(_) => "date",
        ValueRef::ObjectId(_) => "objectId",
        ValueRef::Uuid(_) => "uuid",
        ValueRef::TypedLink(class, _) => return format!("<{}>", snapshot.schema().class(class).name),
        ValueRef::Link(_) => "object",
        ValueRef::Array(_) | ValueRef::List(_) => "list",
        ValueRef::Map(_) | ValueRef::Dictionary(_) => "dictionary",
        ValueRef::Set(_) => "set",
    };
    name.to_owned()
}

/// A value of a mixed, for writing: numbers are doubles, bigints ints, arrays lists; `map` has an object of values, `float` a
/// number; otherwise as [`mixed_to_js`] has it.
pub(crate) fn mixed_from_js(value: &JsValue) -> Option<Value> {
    if value.is_null() || value.is_undefined() {
        return Some(Value::Null);
    }
    if let Some(truth) = value.as_bool() {
        return Some(Value::Bool(truth));
    }
    if let Some(text) = value.as_string() {
        return Some(Value::String(text));
    }
    if let Some(number) = value.as_f64() {
        return Some(Value::Double(number));
    }
    if value.is_bigint() {
        return int_from_js(value).map(Value::Int);
    }
    if value.is_instance_of::<js_sys::Date>() {
        return date_from_js(value).map(Value::Date);
    }
    if let Some(values) = value.dyn_ref::<js_sys::Array>() {
        return values.iter().map(|value| mixed_from_js(&value)).collect::<Option<Vec<_>>>().map(Value::Array);
    }
    if let Some(bytes) = bytes_from_js(value) {
        return Some(Value::Data(bytes));
    }
    let member = |name: &str| js_sys::Reflect::get(value, &name.into()).ok().filter(|value| !value.is_undefined());
    if let Some(bytes) = member("objectId") {
        return bytes_from_js(&bytes)?.try_into().ok().map(Value::ObjectId);
    }
    if let Some(bytes) = member("uuid") {
        return bytes_from_js(&bytes)?.try_into().ok().map(Value::Uuid);
    }
    if let Some(bytes) = member("decimal128") {
        return bytes_from_js(&bytes)?.try_into().ok().map(|bytes| Value::Decimal(Decimal(bytes)));
    }
    if let Some(number) = member("float") {
        return number.as_f64().map(|number| Value::Float(number as f32));
    }
    if let Some(link) = member("link") {
        let link = link.dyn_into::<js_sys::Array>().ok()?;
        let class = ClassIndex(link.get(0).as_f64()? as u32);
        return Some(Value::TypedLink(class, key_from_js(link.get(1).as_f64()?)));
    }
    let map = js_sys::Object::from(member("map")?);
    let entries = js_sys::Object::entries(&map);
    let entry = |entry: JsValue| {
        let entry = entry.dyn_into::<js_sys::Array>().ok()?;
        Some((entry.get(0).as_string()?, mixed_from_js(&entry.get(1))?))
    };
    entries.iter().map(entry).collect::<Option<_>>().map(Value::Map)
}

/// An integer: a number if it is exact as one, else a bigint.
pub(crate) fn int_to_js(value: i64) -> JsValue {
    if (-SAFE_INTEGER_MAX..=SAFE_INTEGER_MAX).contains(&value) {
        JsValue::from_f64(value as f64)
    } else {
        JsValue::from(value)
    }
}

/// A value for a property, or for an element of a list property.
pub(crate) fn value_from_js(class: &ClassSchema, column: ColumnIndex, value: &JsValue) -> Result<Value> {
    let property = class.properties.get(column.index()).ok_or_else(|| Fault::InvalidValue {
        message: format!("Class '{}' has no property at position {}.", class.name, column.0),
    })?;
    convert(property, value).ok_or_else(|| Fault::InvalidValue {
        message: format!(
            "Expected '{}.{}' to be {}, got {}",
            class.name,
            property.name,
            expected(property),
            got(value)
        ),
    })
}

fn convert(property: &Property, value: &JsValue) -> Option<Value> {
    if value.is_null() || value.is_undefined() {
        return Some(Value::Null);
    }
    match property.kind {
        PropertyType::Bool => value.as_bool().map(Value::Bool),
        PropertyType::Int => int_from_js(value).map(Value::Int),
        PropertyType::Float => number_from_js(value).map(|number| Value::Float(number as f32)),
        PropertyType::Double => number_from_js(value).map(Value::Double),
        PropertyType::Decimal => bytes_from_js(value)?.try_into().ok().map(|bytes| Value::Decimal(Decimal(bytes))),
        PropertyType::Mixed => mixed_from_js(value),
        PropertyType::String => value.as_string().map(Value::String),
        PropertyType::Data => bytes_from_js(value).map(Value::Data),
        PropertyType::Date => date_from_js(value).map(Value::Date),
        PropertyType::ObjectId => bytes_from_js(value)?.try_into().ok().map(Value::ObjectId),
        PropertyType::Uuid => bytes_from_js(value)?.try_into().ok().map(Value::Uuid),
        PropertyType::Link => {
            value.as_f64().map(|key| if key < 0.0 { Value::Null } else { Value::Link(key_from_js(key)) })
        }
    }
}

/// An integer from a number without a fraction or from a bigint that fits.
pub(crate) fn int_from_js(value: &JsValue) -> Option<i64> {
    if let Some(number) = value.as_f64() {
        return exact_int(number);
    }
    if value.is_bigint() { i64::try_from(value.clone()).ok() } else { None }
}

/// The integer that a number is, if it is one.
pub(crate) fn exact_int(number: f64) -> Option<i64> {
    let exact = number.fract() == 0.0 && number >= i64::MIN as f64 && number < -(i64::MIN as f64);
    exact.then_some(number as i64)
}

fn number_from_js(value: &JsValue) -> Option<f64> {
    value.as_f64().or_else(|| value.is_bigint().then(|| i64::try_from(value.clone()).ok()).flatten().map(|v| v as f64))
}

/// Bytes from a typed array, a view or a buffer.
pub(crate) fn bytes_from_js(value: &JsValue) -> Option<Vec<u8>> {
    if let Some(bytes) = value.dyn_ref::<js_sys::Uint8Array>() {
        return Some(bytes.to_vec());
    }
    if value.is_instance_of::<js_sys::ArrayBuffer>() {
        return Some(js_sys::Uint8Array::new(value).to_vec());
    }
    if js_sys::ArrayBuffer::is_view(value) {
        let part = |key: &str| js_sys::Reflect::get(value, &key.into()).ok();
        let buffer = part("buffer")?;
        let offset = part("byteOffset")?.as_f64()? as u32;
        let length = part("byteLength")?.as_f64()? as u32;
        return Some(js_sys::Uint8Array::new_with_byte_offset_and_length(&buffer, offset, length).to_vec());
    }
    None
}

/// Milliseconds from a `Date` or a number.
pub(crate) fn date_from_js(value: &JsValue) -> Option<i64> {
    let time_ms = match value.dyn_ref::<js_sys::Date>() {
        Some(date) => date.get_time(),
        None => value.as_f64()?,
    };
    time_ms.is_finite().then_some(time_ms as i64)
}

fn expected(property: &Property) -> String {
    let noun = match property.kind {
        PropertyType::Bool => "a boolean",
        PropertyType::Int => "a whole number or a bigint",
        PropertyType::Float | PropertyType::Double => "a number or a bigint",
        PropertyType::Decimal => "an instance of Decimal128",
        PropertyType::Mixed => "a value of a supported type",
        PropertyType::String => "a string",
        PropertyType::Data => "an instance of ArrayBuffer",
        PropertyType::Date => "an instance of Date",
        PropertyType::ObjectId => "an instance of ObjectId",
        PropertyType::Uuid => "an instance of UUID",
        PropertyType::Link => return format!("an instance of {}", property.target.as_deref().unwrap_or("an object")),
    };
    noun.to_owned()
}

/// A value as an error message names it.
fn got(value: &JsValue) -> String {
    if let Some(text) = value.as_string() {
        return format!("{text:?}");
    }
    if let Some(number) = value.as_f64() {
        return number.to_string();
    }
    if let Some(truth) = value.as_bool() {
        return truth.to_string();
    }
    if value.is_object() {
        let constructor = js_sys::Object::from(value.clone()).constructor();
        return format!("an instance of {}", String::from(constructor.name()));
    }
    value.js_typeof().as_string().unwrap_or_default()
}
