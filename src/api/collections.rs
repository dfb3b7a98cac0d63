//! What `RealmCore` does with lists, sets and dictionaries.

use ebbtide_core::objects::{Dictionary, List, Set};
use ebbtide_core::{ClassIndex, ColumnIndex, Snapshot, ValueRef};
use wasm_bindgen::prelude::*;

use super::query::QueryCore;
use super::realm::{JsResult, RealmCore, cell, kind_of, write};
use crate::convert::{NO_KEY, element_to_js, key_from_js};
use crate::error::{Fault, Result};
use crate::results::{Recipe, Source};

#[wasm_bindgen]
impl RealmCore {
    /// How many elements a list has.
    #[wasm_bindgen(js_name = listLength)]
    pub fn list_length(&self, class: u32, key: f64, column: u32) -> JsResult<u32> {
        Ok(self.view.read(|snapshot, _| Ok(list(snapshot, class, key, column)?.len() as u32))?)
    }

    /// An element of a list; undefined outside of it.
    #[wasm_bindgen(js_name = listGet)]
    pub fn list_get(&self, class: u32, key: f64, column: u32, index: u32) -> JsResult<JsValue> {
        Ok(self.view.read(|snapshot, _| {
            let kind = kind_of(snapshot, class, column);
            let element = list(snapshot, class, key, column)?.get(index as usize);
            Ok(element.map_or(JsValue::UNDEFINED, |element| element_to_js(kind, element)))
        })?)
    }

    /// Sets an element of a list.
    #[wasm_bindgen(js_name = listSet)]
    pub fn list_set(&self, class: u32, key: f64, column: u32, index: u32, value: JsValue) -> JsResult<()> {
        let (driver, value) = self.writing(class, column, &value)?;
        Ok(write(driver, |transaction| {
            transaction.list_set(ClassIndex(class), key_from_js(key), ColumnIndex(column), index as usize, value)
        })?)
    }

    /// Inserts an element into a list.
    #[wasm_bindgen(js_name = listInsert)]
    pub fn list_insert(&self, class: u32, key: f64, column: u32, index: u32, value: JsValue) -> JsResult<()> {
        let (driver, value) = self.writing(class, column, &value)?;
        Ok(write(driver, |transaction| {
            transaction.list_insert(ClassIndex(class), key_from_js(key), ColumnIndex(column), index as usize, value)
        })?)
    }

    /// Removes an element of a list.
    #[wasm_bindgen(js_name = listRemove)]
    pub fn list_remove(&self, class: u32, key: f64, column: u32, index: u32) -> JsResult<()> {
        let driver = self.view.live()?;
        Ok(write(driver, |transaction| {
            transaction.list_remove(ClassIndex(class), key_from_js(key), ColumnIndex(column), index as usize)
        })?)
    }

    /// Moves an element of a list; `to` is its position afterwards.
    #[wasm_bindgen(js_name = listMove)]
    pub fn list_move(&self, class: u32, key: f64, column: u32, from: u32, to: u32) -> JsResult<()> {
        let driver = self.view.live()?;
        Ok(write(driver, |transaction| {
            transaction.list_move(ClassIndex(class), key_from_js(key), ColumnIndex(column), from as usize, to as usize)
        })?)
    }

    /// Removes all elements of a list.
    #[wasm_bindgen(js_name = listClear)]
    pub fn list_clear(&self, class: u32, key: f64, column: u32) -> JsResult<()> {
        let driver = self.view.live()?;
        Ok(write(driver, |transaction| {
            transaction.list_clear(ClassIndex(class), key_from_js(key), ColumnIndex(column))
        })?)
    }

    /// All elements of a list.
    #[wasm_bindgen(js_name = listValues)]
    pub fn list_values(&self, class: u32, key: f64, column: u32) -> JsResult<js_sys::Array> {
        Ok(self.view.read(|snapshot, _| {
            let kind = kind_of(snapshot, class, column);
            Ok(list(snapshot, class, key, column)?.iter().map(|element| element_to_js(kind, element)).collect())
        })?)
    }

    /// The elements of a list, in its order, that match a query, live.
    #[wasm_bindgen(js_name = listQuery)]
    pub fn list_query(
        &self,
        class: u32,
        key: f64,
        column: u32,
        text: Option<String>,
        args: Option<js_sys::Array>,
    ) -> JsResult<QueryCore> {
        let key = key_from_js(key);
        self.view.read(|snapshot, _| list(snapshot, class, key.0 as f64, column).map(|_| ()))?;
        let source = Source::List { class: ClassIndex(class), key, column: ColumnIndex(column) };
        self.narrowed(Recipe { source, stages: Vec::new() }, text, &args.unwrap_or_default())
    }

    /// How many elements a set has.
    #[wasm_bindgen(js_name = setLength)]
    pub fn set_length(&self, class: u32, key: f64, column: u32) -> JsResult<u32> {
        Ok(self.view.read(|snapshot, _| Ok(set(snapshot, class, key, column)?.len() as u32))?)
    }

    /// The element at a position in the order of the values; undefined outside of it.
    #[wasm_bindgen(js_name = setAt)]
    pub fn set_at(&self, class: u32, key: f64, column: u32, index: u32) -> JsResult<JsValue> {
        Ok(self.view.read(|snapshot, _| {
            let kind = kind_of(snapshot, class, column);
            let element = set(snapshot, class, key, column)?.get(index as usize);
            Ok(element.map_or(JsValue::UNDEFINED, |element| element_to_js(kind, element)))
        })?)
    }

    /// All elements of a set, in order.
    #[wasm_bindgen(js_name = setValues)]
    pub fn set_values(&self, class: u32, key: f64, column: u32) -> JsResult<js_sys::Array> {
        Ok(self.view.read(|snapshot, _| {
            let kind = kind_of(snapshot, class, column);
            Ok(set(snapshot, class, key, column)?.iter().map(|element| element_to_js(kind, element)).collect())
        })?)
    }

    /// The position of a value in a set, or -1.
    #[wasm_bindgen(js_name = setFind)]
    pub fn set_find(&self, class: u32, key: f64, column: u32, value: JsValue) -> JsResult<f64> {
        let value = self.value(class, column, &value)?;
        Ok(self.view.read(|snapshot, _| {
            let found = set(snapshot, class, key, column)?.position(value.as_ref());
            Ok(found.map_or(NO_KEY, |position| position as f64))
        })?)
    }

    /// Puts a value into a set; says whether it is new.
    #[wasm_bindgen(js_name = setAdd)]
    pub fn set_add(&self, class: u32, key: f64, column: u32, value: JsValue) -> JsResult<bool> {
        let (driver, value) = self.writing(class, column, &value)?;
        Ok(write(driver, |transaction| {
            transaction.set_insert(ClassIndex(class), key_from_js(key), ColumnIndex(column), value)
        })?)
    }

    /// Takes a value out of a set; says whether it was there.
    #[wasm_bindgen(js_name = setRemove)]
    pub fn set_remove(&self, class: u32, key: f64, column: u32, value: JsValue) -> JsResult<bool> {
        let (driver, value) = self.writing(class, column, &value)?;
        Ok(write(driver, |transaction| {
            transaction.set_remove(ClassIndex(class), key_from_js(key), ColumnIndex(column), &value)
        })?)
    }

    /// Takes all values out of a set.
    #[wasm_bindgen(js_name = setClear)]
    pub fn set_clear(&self, class: u32, key: f64, column: u32) -> JsResult<()> {
        let driver = self.view.live()?;
        Ok(write(driver, |transaction| {
            transaction.set_clear(ClassIndex(class), key_from_js(key), ColumnIndex(column))
        })?)
    }

    /// The elements of a set, in their order, that match a query, live.
    #[wasm_bindgen(js_name = setQuery)]
    pub fn set_query(
        &self,
        class: u32,
        key: f64,
        column: u32,
        text: Option<String>,
        args: Option<js_sys::Array>,
    ) -> JsResult<QueryCore> {
        self.view.read(|snapshot, _| set(snapshot, class, key, column).map(|_| ()))?;
        let source = Source::Set { class: ClassIndex(class), key: key_from_js(key), column: ColumnIndex(column) };
        self.narrowed(Recipe { source, stages: Vec::new() }, text, &args.unwrap_or_default())
    }

    /// How many entries a dictionary has.
    #[wasm_bindgen(js_name = dictionaryLength)]
    pub fn dictionary_length(&self, class: u32, key: f64, column: u32) -> JsResult<u32> {
        Ok(self.view.read(|snapshot, _| Ok(dictionary(snapshot, class, key, column)?.len() as u32))?)
    }

    /// The value under a name; undefined if there is none.
    #[wasm_bindgen(js_name = dictionaryGet)]
    pub fn dictionary_get(&self, class: u32, key: f64, column: u32, name: &str) -> JsResult<JsValue> {
        Ok(self.view.read(|snapshot, _| {
            let kind = kind_of(snapshot, class, column);
            let value = dictionary(snapshot, class, key, column)?.get(name);
            Ok(value.map_or(JsValue::UNDEFINED, |value| element_to_js(kind, value)))
        })?)
    }

    /// All names of a dictionary, in order.
    #[wasm_bindgen(js_name = dictionaryKeys, unchecked_return_type = "string[]")]
    pub fn dictionary_keys(&self, class: u32, key: f64, column: u32) -> JsResult<js_sys::Array> {
        Ok(self.view.read(|snapshot, _| {
            Ok(dictionary(snapshot, class, key, column)?.iter().map(|(name, _)| JsValue::from_str(name)).collect())
        })?)
    }

    /// All values of a dictionary, in the order of their names.
    #[wasm_bindgen(js_name = dictionaryValues)]
    pub fn dictionary_values(&self, class: u32, key: f64, column: u32) -> JsResult<js_sys::Array> {
        Ok(self.view.read(|snapshot, _| {
            let kind = kind_of(snapshot, class, column);
            let dictionary = dictionary(snapshot, class, key, column)?;
            Ok(dictionary.iter().map(|(_, value)| element_to_js(kind, value)).collect())
        })?)
    }

    /// Sets the value under a name.
    #[wasm_bindgen(js_name = dictionarySet)]
    pub fn dictionary_set(&self, class: u32, key: f64, column: u32, name: &str, value: JsValue) -> JsResult<()> {
        let (driver, value) = self.writing(class, column, &value)?;
        Ok(write(driver, |transaction| {
            transaction.dictionary_set(ClassIndex(class), key_from_js(key), ColumnIndex(column), name, value)
        })?)
    }

    /// Removes a name; says whether it was there.
    #[wasm_bindgen(js_name = dictionaryRemove)]
    pub fn dictionary_remove(&self, class: u32, key: f64, column: u32, name: &str) -> JsResult<bool> {
        let driver = self.view.live()?;
        Ok(write(driver, |transaction| {
            transaction.dictionary_remove(ClassIndex(class), key_from_js(key), ColumnIndex(column), name)
        })?)
    }

    /// Removes all names of a dictionary.
    #[wasm_bindgen(js_name = dictionaryClear)]
    pub fn dictionary_clear(&self, class: u32, key: f64, column: u32) -> JsResult<()> {
        let driver = self.view.live()?;
        Ok(write(driver, |transaction| {
            transaction.dictionary_clear(ClassIndex(class), key_from_js(key), ColumnIndex(column))
        })?)
    }
}

fn list(snapshot: &Snapshot, class: u32, key: f64, column: u32) -> Result<&List> {
    match cell(snapshot, class, key, column)? {
        ValueRef::List(list) => Ok(list),
        _ => Err(is_no("list", column)),
    }
}

fn set(snapshot: &Snapshot, class: u32, key: f64, column: u32) -> Result<&Set> {
    match cell(snapshot, class, key, column)? {
        ValueRef::Set(set) => Ok(set),
        _ => Err(is_no("set", column)),
    }
}

fn dictionary(snapshot: &Snapshot, class: u32, key: f64, column: u32) -> Result<&Dictionary> {
    match cell(snapshot, class, key, column)? {
        ValueRef::Dictionary(dictionary) => Ok(dictionary),
        _ => Err(is_no("dictionary", column)),
    }
}

fn is_no(collection: &str, column: u32) -> Fault {
    Fault::InvalidValue { message: format!("Property number {column} is not a {collection}.") }
}
