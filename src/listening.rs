//! Event listeners that end with their owner.

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

/// Listens until dropped.
pub(crate) struct Listening {
    listener: Closure<dyn FnMut(web_sys::Event)>,
    attached: Vec<(EventTarget, &'static str)>,
}

impl Listening {
    /// Calls `on_event` at each of these events. Where there is no document, as in a worker, its events are left out.
    pub(crate) fn to(
        of_global: &[&'static str],
        of_document: &[&'static str],
        on_event: impl Fn(&web_sys::Event) + 'static,
    ) -> Listening {
        let listener = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| on_event(&event));
        let global: EventTarget = js_sys::global().unchecked_into();
        let document = web_sys::window().and_then(|window| window.document());
        let mut targets: Vec<(EventTarget, &'static str)> =
            of_global.iter().map(|event| (global.clone(), *event)).collect();
        if let Some(document) = document {
            targets.extend(of_document.iter().map(|event| (document.clone().unchecked_into(), *event)));
        }
        let function = listener.as_ref().unchecked_ref();
        targets.retain(|(target, event)| target.add_event_listener_with_callback(event, function).is_ok());
        Listening { listener, attached: targets }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        for (target, event) in &self.attached {
            let _ = target.remove_event_listener_with_callback(event, self.listener.as_ref().unchecked_ref());
        }
    }
}
