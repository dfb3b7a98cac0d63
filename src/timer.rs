//! One alarm: the engine names the next moment at which it wants to be called, and gets one call.

use std::cell::RefCell;
use std::rc::Rc;

use ebbtide_core::Millis;
use gloo_timers::callback::Timeout;

use crate::clock;

/// The longest wait of one browser timer; a later moment is reached in several.
const WAIT_MS_MAX: u64 = 60_000;

/// A timer that is set to the latest wish and forgets earlier ones.
#[derive(Default)]
pub(crate) struct Alarm {
    pending: RefCell<Option<(Millis, Timeout)>>,
}

impl Alarm {
    /// Calls `ring` once, at or soon after `at`; `None` cancels.
    pub(crate) fn set(&self, at: Option<Millis>, ring: Rc<dyn Fn()>) {
        let Some(at) = at else {
            self.pending.borrow_mut().take();
            return;
        };
        if self.pending.borrow().as_ref().is_some_and(|(when, _)| *when == at) {
            return;
        }
        let wait_ms = at.0.saturating_sub(clock::now().0).min(WAIT_MS_MAX);
        let timeout = Timeout::new(wait_ms as u32, move || ring());
        self.pending.replace(Some((at, timeout)));
    }

    /// Forgets the alarm that has just rung, so that the same moment can be asked for again.
    pub(crate) fn rang(&self) {
        if let Some((_, timeout)) = self.pending.borrow_mut().take() {
            timeout.forget();
        }
    }
}
