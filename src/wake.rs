//! The moments at which a connection is worth another try: the network is back, the page is visible or restored.

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

/// Listens until dropped.
pub(crate) struct WakeEvents {
    listener: Closure<dyn FnMut(web_sys::Event)>,
    attached: Vec<(EventTarget, &'static str)>,
}

impl WakeEvents {
    /// Calls `on_wake` at each such moment.
    pub(crate) fn listen(on_wake: impl Fn() + 'static) -> WakeEvents {
        let listener = Closure::<dyn FnMut(web_sys::Event)>::new(move |_event: web_sys::Event| on_wake());
        let mut attached = Vec::new();
        let global: EventTarget = js_sys::global().unchecked_into();
        let document = web_sys::window().and_then(|window| window.document());
        let mut targets = vec![(global.clone(), "online"), (global, "pageshow")];
        targets.extend(document.map(|document| (document.unchecked_into(), "visibilitychange")));
        for (target, event) in targets {
            let function = listener.as_ref().unchecked_ref();
            if target.add_event_listener_with_callback(event, function).is_ok() {
                attached.push((target, event));
            }
        }
        WakeEvents { listener, attached }
    }
}

impl Drop for WakeEvents {
    fn drop(&mut self) {
        for (target, event) in &self.attached {
            let _ = target.remove_event_listener_with_callback(event, self.listener.as_ref().unchecked_ref());
        }
    }
}
