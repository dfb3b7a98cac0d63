//! The browser's Web Locks: a lock is asked for, granted, and given back or taken away.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

use crate::error::set;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request, catch)]
    fn request_lock(name: &str, options: &JsValue, callback: &JsValue)
    -> std::result::Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = query, catch)]
    fn query_locks() -> std::result::Result<js_sys::Promise, JsValue>;
}

/// Who else may have a lock at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// Others that share it.
    Shared,
    /// Nobody.
    Exclusive,
}

/// What is done if somebody has the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    /// Nothing: it is refused.
    AtOnce,
    /// The request waits for its turn.
    InTurn,
    /// It is taken away from whoever has it.
    ByForce,
}

/// A lock that is held; given back when dropped.
pub(super) struct Lock {
    release: js_sys::Function,
    lost: Option<oneshot::Receiver<()>>,
    over: Option<oneshot::Receiver<()>>,
}

impl Lock {
    /// Settles when the lock is taken away by force: with an error if it was given back before. To be asked for once.
    pub(super) fn lost(&mut self) -> Option<oneshot::Receiver<()>> {
        self.lost.take()
    }

    /// Gives the lock back; settles when others can have it.
    pub(super) async fn give_back(mut self) {
        let over = self.over.take();
        drop(self);
        if let Some(over) = over {
            // Nothing is ever sent: that it is dropped is the message.
            let _ = over.await;
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// Whether the browser has Web Locks.
pub(super) fn are_supported() -> bool {
    js_sys::Reflect::get(&js_sys::global(), &"navigator".into())
        .and_then(|navigator| js_sys::Reflect::get(&navigator, &"locks".into()))
        .is_ok_and(|locks| locks.is_object())
}

/// A request that was made; given up when dropped before its answer.
pub(super) struct Request {
    answer: oneshot::Receiver<Option<Lock>>,
    place: Option<Place>,
}

/// A place in the queue for a lock; given up when dropped. Once the lock is granted it is nothing.
pub(super) struct Place(AbortController);

impl Request {
    /// The lock; `None` if it was refused.
    pub(super) async fn answer(self) -> Option<Lock> {
        let (answer, _place) = self.split();
        answer.await
    }

    /// The lock, unless it is refused or does not come within this time: then the request is given up.
    pub(super) async fn within(self, wait_ms: u32) -> Option<Lock> {
        match select(std::pin::pin!(self.answer()), TimeoutFuture::new(wait_ms)).await {
            Either::Left((lock, _)) => lock,
            Either::Right(_) => None,
        }
    }

    /// The answer, and the place in the queue if the request has one.
    pub(super) fn split(self) -> (impl Future<Output = Option<Lock>>, Option<Place>) {
        let Request { answer, place } = self;
        (async move { answer.await.ok().flatten() }, place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks for a lock. The request is made in this very call, so that two calls are in order.
pub(super) fn request(name: &str, mode: Mode, manner: Manner) -> Request {
    let (grant, answer) = oneshot::channel::<Option<Lock>>();
    let (tell_lost, lost) = oneshot::channel::<()>();
    let (keep_over, over) = oneshot::channel::<()>();
    let grant = Rc::new(RefCell::new(Some((grant, lost, over))));
    let on_grant = {
        let grant = Rc::clone(&grant);
        Closure::once_into_js(move |granted: JsValue| -> js_sys::Promise {
            let waiting = grant.borrow_mut().take();
            let mut release = None;
            let held = js_sys::Promise::new(&mut |resolve, _reject| release = Some(resolve));
            let release = release.expect("invariant: a promise calls its executor");
            match waiting {
                Some((grant, ..)) if granted.is_null() => {
                    let _ = grant.send(None);
                    let _ = release.call0(&JsValue::UNDEFINED);
                }
                // If nobody waits for it any more, the lock is dropped, and with that given back.
                Some((grant, lost, over)) => {
                    drop(grant.send(Some(Lock { release, lost: Some(lost), over: Some(over) })));
                }
                None => drop(Lock { release, lost: None, over: None }),
            }
            held
        })
    };
    let options = js_sys::Object::new();
    let mode = match mode {
        Mode::Shared => "shared",
        Mode::Exclusive => "exclusive",
    };
    set(&options, "mode", &mode.into());
    let place = match manner {
        Manner::AtOnce => {
            set(&options, "ifAvailable", &JsValue::TRUE);
            None
        }
        Manner::InTurn => {
            let place = AbortController::new().ok().map(Place);
            place.inspect(|Place(abort)| set(&options, "signal", &abort.signal()))
        }
        Manner::ByForce => {
            set(&options, "steal", &JsValue::TRUE);
            None
        }
    };
    let requested = request_lock(name, &options, &on_grant);
    spawn_local(async move {
        let outcome = match requested {
            Ok(promise) => JsFuture::from(promise).await,
            Err(thrown) => Err(thrown),
        };
        // Refused before it was granted: who waits for the answer gets none.
        drop(grant.borrow_mut().take());
        // Taken away after it was granted: the promise ends with an AbortError before the lock was given back.
        if outcome.is_err() {
            let _ = tell_lost.send(());
        }
        drop(keep_over);
    });
    Request { answer, place }
}

/// The client that has an exclusive lock, as the browser names it.
pub(super) async fn holder(name: &str) -> Option<String> {
    let snapshot = JsFuture::from(query_locks().ok()?).await.ok()?;
    let get = |object: &JsValue, key: &str| js_sys::Reflect::get(object, &key.into()).ok();
    let held = js_sys::Array::from(&get(&snapshot, "held")?);
    held.iter()
        .find(|lock| get(lock, "name").and_then(|found| found.as_string()).as_deref() == Some(name))
        .and_then(|lock| get(&lock, "clientId")?.as_string())
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn a_lock_is_refused_while_another_has_it_and_granted_after() {
        let name = "t-locks-at-once";
        let first = request(name, Mode::Exclusive, Manner::AtOnce).answer().await;
        assert!(first.is_some());
        assert!(request(name, Mode::Shared, Manner::AtOnce).answer().await.is_none());
        let waiting = request(name, Mode::Shared, Manner::InTurn);
        drop(first);
        assert!(waiting.answer().await.is_some());
        assert!(holder("t-locks-nobody").await.is_none());
    }

    #[wasm_bindgen_test]
    async fn who_loses_a_lock_to_force_is_told_and_who_gives_it_back_is_not() {
        let name = "t-locks-force";
        let mut first = request(name, Mode::Exclusive, Manner::AtOnce).answer().await.unwrap();
        let lost = first.lost().unwrap();
        let mut second = request(name, Mode::Exclusive, Manner::ByForce).answer().await.unwrap();
        assert_eq!(lost.await, Ok(()));
        assert!(holder(name).await.is_some());
        let lost = second.lost().unwrap();
        drop(second);
        assert!(lost.await.is_err());
    }

    #[wasm_bindgen_test]
    async fn a_request_whose_time_is_up_is_given_up_and_holds_nobody_up() {
        let name = "t-locks-within";
        let first = request(name, Mode::Exclusive, Manner::AtOnce).within(1_000).await;
        assert!(first.is_some());
        assert!(request(name, Mode::Exclusive, Manner::InTurn).within(1).await.is_none());
        let next = request(name, Mode::Exclusive, Manner::InTurn);
        drop(first);
        assert!(next.answer().await.is_some());
    }

    #[wasm_bindgen_test]
    async fn a_request_that_nobody_waits_for_any_more_holds_nobody_up() {
        let name = "t-locks-given-up";
        let first = request(name, Mode::Exclusive, Manner::AtOnce).answer().await;
        let given_up = request(name, Mode::Exclusive, Manner::InTurn);
        let third = request(name, Mode::Exclusive, Manner::InTurn);
        drop(given_up);
        drop(first);
        assert!(third.answer().await.is_some());
    }
}
