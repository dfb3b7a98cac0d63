//! Lists and dictionaries inside a mixed: where one lies.

use ebbtide_core::objects::Step;
use ebbtide_core::{Value, ValueRef};
use wasm_bindgen::JsValue;

use crate::error::{Fault, Result};

/// One step from JavaScript: a number or a string.
pub(crate) fn step_from_js(step: &JsValue) -> Result<Step> {
    if let Some(key) = step.as_string() {
        return Ok(Step::Key(key));
    }
    match step.as_f64() {
        Some(index) if index >= 0.0 => Ok(Step::Index(index as usize)),
        Some(_) | None => Err(gone()),
    }
}

/// The steps from a property to a collection.
pub(crate) fn path_from_js(path: &js_sys::Array) -> Result<Vec<Step>> {
    path.iter().map(|step| step_from_js(&step)).collect()
}

/// The value at the end of a path, if it is still there.
pub(crate) fn find<'a>(from: ValueRef<'a>, path: &[Step]) -> Option<ValueRef<'a>> {
    path.iter().try_fold(from, |value, step| match (value, step) {
        (ValueRef::List(list), Step::Index(index)) => list.get(*index),
        (ValueRef::Array(values), Step::Index(index)) => values.get(*index).map(Value::as_ref),
        (ValueRef::Dictionary(dictionary), Step::Key(key)) => dictionary.get(key),
        (ValueRef::Map(values), Step::Key(key)) => values.get(key).map(Value::as_ref),
        _ => None,
    })
}

/// The collection, or the position in it, is not there.
fn gone() -> Fault {
    Fault::ObjectInvalidated { message: "This collection is no longer there.".to_owned() }
}
