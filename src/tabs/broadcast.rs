//! The browser's BroadcastChannel.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A channel to all pages and workers of the origin that have one of the same name.
    pub(crate) type BroadcastChannel;

    /// Joins. Fails where the browser has no such thing.
    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(name: &str) -> std::result::Result<BroadcastChannel, JsValue>;

    /// Says something to all others.
    #[wasm_bindgen(method, catch, js_name = postMessage)]
    pub(crate) fn post_message(this: &BroadcastChannel, message: &JsValue) -> std::result::Result<(), JsValue>;

    /// Names the one who hears the others.
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_onmessage(this: &BroadcastChannel, listener: &JsValue);

    /// Leaves.
    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &BroadcastChannel);
}
