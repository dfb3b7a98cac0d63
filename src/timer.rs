//! One alarm: the engine names the next moment at which it wants to be called, and gets one call.

use std::cell::RefCell;

use ebbtide_core::Millis;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use crate::clock;

/// The longest wait of one browser timer; whoever asked for a later moment is called early and asks again.
const WAIT_MS_MAX: u64 = 60_000;

/// A timer that is set to the latest wish and forgets earlier ones.
#[derive(Default)]
pub(crate) struct Alarm {
    pending: RefCell<Option<(Millis, oneshot::Sender<()>)>>,
}

impl Alarm {
    /// Calls `ring` once, about at `at`; `None` cancels. `ring` first says [`Alarm::rang`].
    pub(crate) fn set(&self, at: Option<Millis>, ring: impl FnOnce() + 'static) {
        let Some(at) = at else {
            self.rang();
            return;
        };
        if self.pending.borrow().as_ref().is_some_and(|(when, _)| *when == at) {
            return;
        }
        let wait_ms = at.0.saturating_sub(clock::now().0).min(WAIT_MS_MAX);
        let (cancel, cancelled) = oneshot::channel::<()>();
        self.pending.replace(Some((at, cancel)));
        spawn_local(async move {
            match select(TimeoutFuture::new(wait_ms as u32), cancelled).await {
                Either::Left(_) => ring(),
                Either::Right(_) => {}
            }
        });
    }

    /// Forgets the alarm, so that the same moment can be asked for again.
    pub(crate) fn rang(&self) {
        self.pending.borrow_mut().take();
    }
}
