//! The suites of synced realms, in a browser, against a real server that the conductor runs. Without a conductor's address
//! at compile time there is no server, and each test says so instead of running.

use wasm_bindgen_test::wasm_bindgen_test_configure;

mod host;

wasm_bindgen_test_configure!(run_in_browser);
