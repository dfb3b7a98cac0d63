//! What `RealmCore` does with lists and dictionaries inside a mixed.

use ebbtide_core::objects::NestedEdit;
use ebbtide_core::{ClassIndex, ColumnIndex, Value, ValueRef};
use wasm_bindgen::prelude::*;

use super::query::QueryCore;
use super::realm::{JsResult, RealmCore, cell, write};
use crate::convert::{NO_KEY, key_from_js, mixed_from_js, mixed_to_js};
use crate::error::{Fault, Result};
use crate::nested::{find, path_from_js, step_from_js};
use crate::results::{Recipe, Source};

#[wasm_bindgen]
impl RealmCore {
    /// The value at the end of a path; undefined if there is none.
    #[wasm_bindgen(js_name = nestedGet)]
    pub fn nested_get(&self, class: u32, key: f64, column: u32, path: js_sys::Array) -> JsResult<JsValue> {
        let path = path_from_js(&path)?;
        Ok(self.view.read(|snapshot, _| {
            let value = find(cell(snapshot, class, key, column)?, &path);
            Ok(value.map_or(JsValue::UNDEFINED, mixed_to_js))
        })?)
    }

    /// How long the list at the end of a path is, or -1 if there is no list.
    #[wasm_bindgen(js_name = nestedLength)]
    pub fn nested_length(&self, class: u32, key: f64, column: u32, path: js_sys::Array) -> JsResult<f64> {
        let path = path_from_js(&path)?;
        Ok(self.view.read(|snapshot, _| {
            Ok(match find(cell(snapshot, class, key, column)?, &path) {
                Some(ValueRef::Array(values)) => values.len() as f64,
                Some(_) | None => NO_KEY,
            })
        })?)
    }

    /// Whether there is a dictionary at the end of a path.
    #[wasm_bindgen(js_name = isNestedDictionary)]
    pub fn is_nested_dictionary(&self, class: u32, key: f64, column: u32, path: js_sys::Array) -> JsResult<bool> {
        let path = path_from_js(&path)?;
        Ok(self.view.read(|snapshot, _| {
            let found = find(cell(snapshot, class, key, column)?, &path);
            Ok(matches!(found, Some(ValueRef::Map(_))))
        })?)
    }

    /// The names of the dictionary at the end of a path; undefined if there is no dictionary.
    #[wasm_bindgen(js_name = nestedKeys, unchecked_return_type = "string[] | undefined")]
    pub fn nested_keys(
        &self,
        class: u32,
        key: f64,
        column: u32,
        path: js_sys::Array,
    ) -> JsResult<Option<js_sys::Array>> {
        let path = path_from_js(&path)?;
        Ok(self.view.read(|snapshot, _| {
            Ok(match find(cell(snapshot, class, key, column)?, &path) {
                Some(ValueRef::Map(values)) => Some(values.keys().map(|key| JsValue::from_str(key)).collect()),
                Some(_) | None => None,
            })
        })?)
    }

    /// Sets what is at a position or under a name.
    #[wasm_bindgen(js_name = nestedSet)]
    pub fn nested_set(
        &self,
        class: u32,
        key: f64,
        column: u32,
        path: js_sys::Array,
        #[wasm_bindgen(unchecked_param_type = "number | string")] at: JsValue,
        value: JsValue,
    ) -> JsResult<()> {
        let value = mixed(&value)?;
        self.edit((class, key, column), &path, NestedEdit::Set(step_from_js(&at)?, value))
    }

    /// Inserts into a list.
    #[wasm_bindgen(js_name = nestedInsert)]
    pub fn nested_insert(
        &self,
        class: u32,
        key: f64,
        column: u32,
        path: js_sys::Array,
        index: u32,
        value: JsValue,
    ) -> JsResult<()> {
        let value = mixed(&value)?;
        self.edit((class, key, column), &path, NestedEdit::Insert(index as usize, value))
    }

    /// Removes what is at a position or under a name.
    #[wasm_bindgen(js_name = nestedRemove)]
    pub fn nested_remove(
        &self,
        class: u32,
        key: f64,
        column: u32,
        path: js_sys::Array,
        #[wasm_bindgen(unchecked_param_type = "number | string")] at: JsValue,
    ) -> JsResult<()> {
        self.edit((class, key, column), &path, NestedEdit::Remove(step_from_js(&at)?))
    }

    /// Moves an element of a list; `to` is its position afterwards.
    #[wasm_bindgen(js_name = nestedMove)]
    pub fn nested_move(
        &self,
        class: u32,
        key: f64,
        column: u32,
        path: js_sys::Array,
        from: u32,
        to: u32,
    ) -> JsResult<()> {
        self.edit((class, key, column), &path, NestedEdit::Move(from as usize, to as usize))
    }

    /// The elements of a list, in its order, as a live collection.
    #[wasm_bindgen(js_name = nestedQuery)]
    pub fn nested_query(
        &self,
        class: u32,
        key: f64,
        column: u32,
        path: js_sys::Array,
        text: Option<String>,
        args: Option<js_sys::Array>,
    ) -> JsResult<QueryCore> {
        let (class, key, column) = (ClassIndex(class), key_from_js(key), ColumnIndex(column));
        let source = Source::Nested { class, key, column, path: path_from_js(&path)?.into() };
        self.narrowed(Recipe { source, stages: Vec::new() }, text, &args.unwrap_or_default())
    }

    /// Removes everything.
    #[wasm_bindgen(js_name = nestedClear)]
    pub fn nested_clear(&self, class: u32, key: f64, column: u32, path: js_sys::Array) -> JsResult<()> {
        self.edit((class, key, column), &path, NestedEdit::Clear)
    }
}

impl RealmCore {
    fn edit(&self, (class, key, column): (u32, f64, u32), path: &js_sys::Array, edit: NestedEdit) -> JsResult<()> {
        let path = path_from_js(path)?;
        let (class, key, column) = (ClassIndex(class), key_from_js(key), ColumnIndex(column));
        Ok(write(self.view.live()?, |transaction| transaction.edit_nested(class, key, column, &path, edit))?)
    }
}

fn mixed(value: &JsValue) -> Result<Value> {
    mixed_from_js(value)
        .ok_or_else(|| Fault::InvalidValue { message: "Expected a value of a supported type in a mixed.".to_owned() })
}
