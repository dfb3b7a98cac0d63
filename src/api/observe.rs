//! The listening part of `RealmCore`: what is watched, and which changes of it count.

use ebbtide_core::notify::{KeyPaths, PathStep};
use ebbtide_core::{ClassIndex, ColumnIndex};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

use super::query::QueryCore;
use super::realm::RealmCore;
use crate::convert::key_from_js;
use crate::nested::path_from_js;
use crate::observers::Limits;
use crate::view::View;

type JsResult<T> = std::result::Result<T, JsValue>;

#[wasm_bindgen]
impl RealmCore {
    /// Watches a live query. Notices name the number that this and its like give.
    #[wasm_bindgen(js_name = observeQuery)]
    pub fn observe_query(&self, query: &QueryCore) -> JsResult<u32> {
        let driver = self.view.live()?;
        Ok(driver.engine(|engine| {
            let state = engine.frozen();
            driver.observers().borrow_mut().watch_results(query.results(), &state)
        })?)
    }

    /// Watches an object.
    #[wasm_bindgen(js_name = observeObject)]
    pub fn observe_object(&self, class: u32, key: f64) -> JsResult<u32> {
        let driver = self.view.live()?;
        Ok(driver.engine(|engine| {
            let (class, key) = (ClassIndex(class), key_from_js(key));
            driver.observers().borrow_mut().watch_object(class, key, &engine.frozen())
        })?)
    }

    /// Watches a property that is a list, a set or a dictionary.
    #[wasm_bindgen(js_name = observeCollection)]
    pub fn observe_collection(&self, class: u32, key: f64, column: u32) -> JsResult<u32> {
        let driver = self.view.live()?;
        Ok(driver.engine(|engine| {
            let (class, key, column) = (ClassIndex(class), key_from_js(key), ColumnIndex(column));
            driver.observers().borrow_mut().watch_collection(class, key, column, &engine.frozen())
        })?)
    }

    /// Watches a list or dictionary inside a value; the path has the positions and keys that lead there.
    #[wasm_bindgen(js_name = observeNested)]
    pub fn observe_nested(
        &self,
        class: u32,
        key: f64,
        column: u32,
        #[wasm_bindgen(unchecked_param_type = "(number | string)[]")] path: js_sys::Array,
    ) -> JsResult<u32> {
        let driver = self.view.live()?;
        let path = path_from_js(&path)?;
        Ok(driver.engine(|engine| {
            let (class, key, column) = (ClassIndex(class), key_from_js(key), ColumnIndex(column));
            driver.observers().borrow_mut().watch_nested(class, key, column, path, &engine.frozen())
        })?)
    }

    /// Limits a watch to key paths, or ends the limits. A path is a run of steps of four numbers: `0, class, column, 0` for a
    /// property, `1, class, column, target` for the objects of a class that link here. Null stands for any change.
    #[wasm_bindgen(js_name = limitObservation)]
    pub fn limit_observation(
        &self,
        id: u32,
        #[wasm_bindgen(unchecked_param_type = "(Uint32Array | null)[] | undefined")] key_paths: Option<js_sys::Array>,
    ) {
        let limits = key_paths.map_or(Limits::None, |paths| limits_from_js(&paths));
        if let View::Live(driver) = &self.view {
            driver.observers().borrow_mut().limit(id, limits);
        }
    }

    /// Ends a watch.
    pub fn unobserve(&self, id: u32) {
        if let View::Live(driver) = &self.view {
            driver.observers().borrow_mut().remove(id);
        }
    }
}

fn limits_from_js(paths: &js_sys::Array) -> Limits {
    let is_any = paths.iter().any(|path| path.is_null());
    let steps = paths.iter().map(|path| match path.dyn_ref::<js_sys::Uint32Array>() {
        Some(numbers) => steps_of(&numbers.to_vec()),
        None => Vec::new(),
    });
    let key_paths = KeyPaths::new(steps.collect());
    if is_any { Limits::AnythingAnd(key_paths) } else { Limits::Only(key_paths) }
}

fn steps_of(numbers: &[u32]) -> Vec<PathStep> {
    let (steps, _) = numbers.as_chunks::<4>();
    let step = |[kind, class, column, target]: &[u32; 4]| {
        let column = ColumnIndex(*column);
        match kind {
            0 => PathStep::Column { class: ClassIndex(*class), column },
            _ => PathStep::Backlinks { source: ClassIndex(*class), column, target: ClassIndex(*target) },
        }
    };
    steps.iter().map(step).collect()
}
