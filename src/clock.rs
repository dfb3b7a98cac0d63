//! The wall clock and the randomness that the engine is given as arguments.

use ebbtide_core::Millis;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(buffer: &js_sys::Uint8Array) -> js_sys::Uint8Array;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// Milliseconds on a clock that never jumps, for measuring.
pub(crate) fn monotonic_ms() -> f64 {
    performance_now()
}

/// The time now.
pub(crate) fn now() -> Millis {
    Millis(js_sys::Date::now() as u64)
}

/// Random bytes from the browser's generator.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let buffer = js_sys::Uint8Array::new_with_length(N as u32);
    get_random_values(&buffer);
    let mut bytes = [0; N];
    buffer.copy_to(&mut bytes);
    bytes
}
