//! The moments at which a connection is worth another try: the network is back, the page is visible or restored.

use crate::listening::Listening;

/// Listens until dropped.
pub(crate) struct WakeEvents {
    _listening: Listening,
}

impl WakeEvents {
    /// Calls `on_wake` at each such moment.
    pub(crate) fn listen(on_wake: impl Fn() + 'static) -> WakeEvents {
        let listening = Listening::to(&["online", "pageshow"], &["visibilitychange"], move |event| {
            let is_hidden = || web_sys::window().and_then(|window| window.document()).is_some_and(|page| page.hidden());
            if event.type_() != "visibilitychange" || !is_hidden() {
                on_wake();
            }
        });
        WakeEvents { _listening: listening }
    }
}
