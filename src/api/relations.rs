//! What `RealmCore` does with embedded objects, and with links the other way round.

use ebbtide_core::objects::Embedding;
use ebbtide_core::{ClassIndex, ColumnIndex};
use wasm_bindgen::prelude::*;

use super::query::QueryCore;
use super::realm::{JsResult, RealmCore, cell, write};
use crate::convert::{key_from_js, key_to_js};
use crate::results::{Recipe, Source};

#[wasm_bindgen]
impl RealmCore {
    /// Creates an embedded object as the value of a property and gives its key.
    pub fn embed(&self, class: u32, key: f64, column: u32) -> JsResult<f64> {
        self.embed_at(class, key, column, Embedding::Property)
    }

    /// Creates an embedded object at a position of a list; those from there on move up.
    #[wasm_bindgen(js_name = embedInsert)]
    pub fn embed_insert(&self, class: u32, key: f64, column: u32, index: u32) -> JsResult<f64> {
        self.embed_at(class, key, column, Embedding::Insert(index as usize))
    }

    /// Creates an embedded object in the place of an element of a list.
    #[wasm_bindgen(js_name = embedReplace)]
    pub fn embed_replace(&self, class: u32, key: f64, column: u32, index: u32) -> JsResult<f64> {
        self.embed_at(class, key, column, Embedding::Replace(index as usize))
    }

    /// Creates an embedded object under a name of a dictionary.
    #[wasm_bindgen(js_name = embedEntry)]
    pub fn embed_entry(&self, class: u32, key: f64, column: u32, name: &str) -> JsResult<f64> {
        self.embed_at(class, key, column, Embedding::Key(name))
    }

    /// The objects that link to an object by a property, live.
    pub fn backlinks(&self, class: u32, key: f64, from_class: u32, from_column: u32) -> JsResult<QueryCore> {
        self.class(from_class)?;
        let source = Source::Backlinks {
            class: ClassIndex(class),
            key: key_from_js(key),
            from: (ClassIndex(from_class), ColumnIndex(from_column)),
        };
        self.narrowed(Recipe { source, stages: Vec::new() }, None, &js_sys::Array::new())
    }

    /// How many links there are to an object.
    #[wasm_bindgen(js_name = backlinkCount)]
    pub fn backlink_count(&self, class: u32, key: f64) -> JsResult<u32> {
        Ok(self.view.read(|snapshot, _| {
            cell(snapshot, class, key, 0)?;
            let links = snapshot.table(ClassIndex(class)).backlinks(key_from_js(key));
            Ok(links.map(|(.., count)| count).sum())
        })?)
    }

    fn embed_at(&self, class: u32, key: f64, column: u32, at: Embedding<'_>) -> JsResult<f64> {
        let driver = self.view.live()?;
        let created = write(driver, |transaction| {
            transaction.embed(ClassIndex(class), key_from_js(key), ColumnIndex(column), at)
        })?;
        Ok(key_to_js(Some(created)))
    }
}
