//! The object through which a realm calls JavaScript. It is only ever called with no borrow of ours held.

use wasm_bindgen::prelude::*;

use crate::error::{error_object, set};

#[wasm_bindgen]
extern "C" {
    /// What the JavaScript face gives to `RealmCore.open`.
    #[derive(Clone)]
    #[wasm_bindgen(typescript_type = "Host")]
    pub type Host;

    #[wasm_bindgen(method, structural, catch)]
    fn notify(this: &Host, notices: &js_sys::Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch, js_name = syncError)]
    fn sync_error(this: &Host, error: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch, js_name = resetBefore)]
    fn reset_before(this: &Host, before: JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, structural, catch, js_name = resetAfter)]
    fn reset_after(this: &Host, before: JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, structural, catch, js_name = resetProgress)]
    fn reset_progress(this: &Host, progress: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn progress(this: &Host, progress: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch, js_name = connectionState)]
    fn connection_state(this: &Host, new_state: &str, old_state: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch, js_name = storageError)]
    fn storage_error(this: &Host, error: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = reportError, catch)]
    fn report_error(error: &JsValue) -> Result<(), JsValue>;
}

impl Host {
    /// Delivers the change sets of one turn.
    pub(crate) fn tell_notices(&self, notices: &js_sys::Array) {
        report(self.notify(notices));
    }

    /// Delivers an error of the sync session.
    pub(crate) fn tell_sync_error(&self, error: &JsValue) {
        report(self.sync_error(error));
    }

    /// Calls the app before a reset, and says with what it returned or threw.
    pub(crate) fn call_reset_before(&self, before: JsValue) -> Result<JsValue, JsValue> {
        self.reset_before(before)
    }

    /// Calls the app after a reset, and says with what it returned or threw.
    pub(crate) fn call_reset_after(&self, before: JsValue) -> Result<JsValue, JsValue> {
        self.reset_after(before)
    }

    /// Tells how a reset goes on.
    pub(crate) fn tell_reset_progress(&self, progress: &JsValue) {
        report(self.reset_progress(progress));
    }

    /// Tells how much has been transferred.
    pub(crate) fn tell_progress(&self, direction: &str, transferred: u64, transferable: u64) {
        let progress = js_sys::Object::new();
        set(&progress, "direction", &direction.into());
        set(&progress, "transferred", &(transferred as f64).into());
        set(&progress, "transferable", &(transferable as f64).into());
        report(self.progress(&progress));
    }

    /// Tells of the connection.
    pub(crate) fn tell_connection_state(&self, new_state: &str, old_state: &str) {
        report(self.connection_state(new_state, old_state));
    }

    /// Tells that something could not be stored.
    pub(crate) fn tell_storage_error(&self, error: &JsValue) {
        report(self.storage_error(error));
    }
}

/// An exception in a callback is the app's own; it goes where uncaught exceptions go.
fn report(outcome: Result<(), JsValue>) {
    if let Err(thrown) = outcome
        && report_error(&thrown).is_err()
    {
        let message = error_object("Error", "An exception in a callback could not be reported.", "CallbackFailed");
        wasm_bindgen::throw_val(message);
    }
}
