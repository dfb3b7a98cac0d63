//! Runs the exported functions of `tests/suite/*.js` as tests of their own names. The suites import the built package as a
//! stranger would, from `/dist/index.js`, which the test server serves from the crate's root.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(inline_js = r#"
const suites = new Map();
function load(suite) {
  if (!suites.has(suite)) suites.set(suite, import(`/tests/suite/${suite}.js`));
  return suites.get(suite);
}
export async function run(suite, name) {
  const tests = await load(suite);
  if (typeof tests[name] !== "function") throw new Error(`tests/suite/${suite}.js exports no test '${name}'`);
  try {
    await tests[name]();
  } catch (error) {
    throw new Error(error?.stack ?? String(error));
  }
}
export async function missing(suite, listed) {
  const tests = await load(suite);
  const names = Object.keys(tests).filter((name) => tests[name]?.constructor?.name === "AsyncFunction");
  return names.filter((name) => !listed.split(/\s+/).includes(name)).join(", ");
}
export function setConductor(address) {
  globalThis.EBBTIDE_CONDUCTOR = address;
}
"#)]
extern "C" {
    #[wasm_bindgen(catch)]
    pub async fn run(suite: &str, name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch)]
    pub async fn missing(suite: &str, listed: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = setConductor)]
    pub fn set_conductor(address: &str);
}

/// One test for each asynchronous function that a suite exports, and one that fails when such a function is not listed here.
#[macro_export]
macro_rules! suite {
    ($suite:ident { $($name:ident)* }) => {
        mod $suite {
            use wasm_bindgen::JsValue;
            use wasm_bindgen_test::wasm_bindgen_test;

            $(
                #[wasm_bindgen_test]
                async fn $name() -> Result<(), JsValue> {
                    super::prepare();
                    super::host::run(stringify!($suite), stringify!($name)).await.map(|_| ())
                }
            )*

            #[wasm_bindgen_test]
            async fn every_exported_test_is_listed() -> Result<(), JsValue> {
                super::prepare();
                let missing = super::host::missing(stringify!($suite), stringify!($($name)*)).await?;
                let missing = missing.as_string().unwrap_or_default();
                assert!(missing.is_empty(), "add to the list in tests/*.rs: {missing}");
                Ok(())
            }
        }
    };
}
