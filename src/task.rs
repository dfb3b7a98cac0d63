//! Tasks of the browser's event loop: unlike a microtask, a task lets others come first, and unlike a timer it is delayed for no page.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{MessageChannel, MessagePort};

type Work = Box<dyn FnOnce()>;

thread_local! {
    static WAITING: RefCell<Vec<Work>> = const { RefCell::new(Vec::new()) };
    static PORT: Option<MessagePort> = port();
}

/// Calls `work` in the next task; where that cannot be had, in the next microtask.
pub(crate) fn next(work: impl FnOnce() + 'static) {
    let is_first = WAITING.with_borrow_mut(|waiting| {
        waiting.push(Box::new(work));
        waiting.len() == 1
    });
    let is_posted = || PORT.with(|port| port.as_ref().is_some_and(|port| port.post_message(&JsValue::NULL).is_ok()));
    if is_first && !is_posted() {
        spawn_local(async { work_off() });
    }
}

/// A message to this port is a task in which [`work_off`] is called.
fn port() -> Option<MessagePort> {
    let channel = MessageChannel::new().ok()?;
    let listener = Closure::<dyn FnMut()>::new(work_off).into_js_value();
    channel.port1().set_onmessage(Some(listener.unchecked_ref()));
    Some(channel.port2())
}

fn work_off() {
    for work in WAITING.take() {
        work();
    }
}
