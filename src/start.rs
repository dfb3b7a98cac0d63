//! What runs once, when the module is instantiated.

use wasm_bindgen::prelude::*;

use crate::poison;

#[wasm_bindgen(start)]
fn start() {
    poison::install();
}
