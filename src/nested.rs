//! Lists and dictionaries inside a mixed: where one lies, and what changes in it.

use ebbtide_core::{Value, ValueRef};
use wasm_bindgen::JsValue;

use crate::error::{Fault, Result};

/// One step into a collection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Index(usize),
    Key(String),
}

/// One change of a list or dictionary.
pub(crate) enum Edit {
    Set(Step, Value),
    Insert(usize, Value),
    Remove(Step),
    Move(usize, usize),
    Clear,
}

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

/// Changes the collection at the end of a path inside a value.
pub(crate) fn apply(root: &mut Value, path: &[Step], edit: Edit) -> Result<()> {
    let target = path.iter().try_fold(root, |value, step| match (value, step) {
        (Value::Array(values), Step::Index(index)) => values.get_mut(*index),
        (Value::Map(values), Step::Key(key)) => values.get_mut(key),
        _ => None,
    });
    match (target, edit) {
        (Some(Value::Array(values)), Edit::Set(Step::Index(index), value)) => {
            *values.get_mut(index).ok_or_else(gone)? = value;
        }
        (Some(Value::Array(values)), Edit::Insert(index, value)) if index <= values.len() => {
            values.insert(index, value);
        }
        (Some(Value::Array(values)), Edit::Remove(Step::Index(index))) if index < values.len() => {
            values.remove(index);
        }
        (Some(Value::Array(values)), Edit::Move(from, to)) if from < values.len() && to < values.len() => {
            let value = values.remove(from);
            values.insert(to, value);
        }
        (Some(Value::Array(values)), Edit::Clear) => values.clear(),
        (Some(Value::Map(values)), Edit::Set(Step::Key(key), value)) => {
            values.insert(key, value);
        }
        (Some(Value::Map(values)), Edit::Remove(Step::Key(key))) => {
            values.remove(&key);
        }
        (Some(Value::Map(values)), Edit::Clear) => values.clear(),
        _ => return Err(gone()),
    }
    Ok(())
}

/// The collection, or the position in it, is not there.
pub(crate) fn gone() -> Fault {
    Fault::ObjectInvalidated { message: "This collection is no longer there.".to_owned() }
}
