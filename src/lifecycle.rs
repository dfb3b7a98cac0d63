//! The moments at which a page stops running and runs again. A worker is told of neither.

use crate::listening::Listening;

/// What becomes of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// It is about to be frozen.
    Rests,
    /// It is about to be kept for a navigation back, and may not run again: what reaches it there throws it away.
    Leaves,
    /// It runs again.
    Wakes,
}

/// Listens until dropped.
pub(crate) struct Lifecycle {
    _listening: Listening,
}

impl Lifecycle {
    /// Calls `on_turn` at each turn.
    pub(crate) fn listen(on_turn: impl Fn(Turn) + 'static) -> Lifecycle {
        let listening = Listening::to(&["pagehide", "pageshow"], &["freeze", "resume"], move |event| {
            // A page that is hidden for good is gone by itself, and one that is shown for the first time was never away.
            let is_kept = js_sys::Reflect::get(event, &"persisted".into()).is_ok_and(|kept| kept.is_truthy());
            match event.type_().as_str() {
                "freeze" => on_turn(Turn::Rests),
                "resume" => on_turn(Turn::Wakes),
                "pagehide" if is_kept => on_turn(Turn::Leaves),
                "pageshow" if is_kept => on_turn(Turn::Wakes),
                _ => {}
            }
        });
        Lifecycle { _listening: listening }
    }
}
