//! The moments at which a connection is worth another try: the network is back, the page is visible or restored.

use crate::listening::Listening;

/// Listens until dropped.
pub(crate) struct WakeEvents {
    _listening: Listening,
}

impl WakeEvents {
    /// Calls `on_wake` at each such moment.
    pub(crate) fn listen(on_wake: impl Fn() + 'static) -> WakeEvents {
        let listening = Listening::to(&["online", "pageshow"], &["visibilitychange"], move |_event| on_wake());
        WakeEvents { _listening: listening }
    }
}
