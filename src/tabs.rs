//! The right to open a realm: one exclusive Web Lock per path, held while the realm is open.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::error::{Fault, Result, describe, set};

/// How long an opening waits for the lock: a page that is being reloaded gives it back within this.
const WAIT_MS: u32 = 2_000;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request, catch)]
    fn request_lock(name: &str, options: &JsValue, callback: &JsValue)
    -> std::result::Result<js_sys::Promise, JsValue>;
}

/// The lock on one path; given back when dropped.
pub(crate) struct RealmLock {
    release: Option<js_sys::Function>,
}

impl RealmLock {
    /// Takes the lock, waiting a moment for a holder that is going away. Where the browser has no Web Locks the realm opens
    /// without one, and the store's own head check keeps two writers apart.
    pub(crate) async fn acquire(path: &str) -> Result<RealmLock> {
        if !supported() {
            return Ok(RealmLock { release: None });
        }
        let (granted, wait) = oneshot::channel::<js_sys::Function>();
        let granted = Rc::new(RefCell::new(Some(granted)));
        let on_grant = {
            let granted = Rc::clone(&granted);
            Closure::once_into_js(move |_lock: JsValue| -> js_sys::Promise {
                let mut release = None;
                let held = js_sys::Promise::new(&mut |resolve, _reject| release = Some(resolve));
                let sender = granted.borrow_mut().take();
                if let (Some(sender), Some(release)) = (sender, release)
                    && let Err(release) = sender.send(release)
                {
                    // Nobody waits for this grant any more: it is given back at once.
                    let _ = release.call0(&JsValue::UNDEFINED);
                }
                held
            })
        };
        let abort = web_sys::AbortController::new()
            .map_err(|e| Fault::Storage { doing: "preparing a lock request", cause: describe(&e) })?;
        let options = js_sys::Object::new();
        set(&options, "mode", &"exclusive".into());
        set(&options, "signal", &abort.signal());
        let request = request_lock(&format!("ebbtide:{path}"), &options, &on_grant)
            .map_err(|e| Fault::Storage { doing: "asking for the realm's lock", cause: describe(&e) })?;
        // The promise settles when the lock is given back or the request is aborted; neither needs an answer.
        spawn_local(async move {
            let _ = wasm_bindgen_futures::JsFuture::from(request).await;
        });
        match select(wait, TimeoutFuture::new(WAIT_MS)).await {
            Either::Left((Ok(release), _)) => Ok(RealmLock { release: Some(release) }),
            Either::Left((Err(_), _)) | Either::Right(_) => {
                abort.abort();
                Err(Fault::RealmOpenElsewhere { path: path.to_owned() })
            }
        }
    }
}

impl Drop for RealmLock {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

fn supported() -> bool {
    js_sys::Reflect::get(&js_sys::global(), &"navigator".into())
        .and_then(|navigator| js_sys::Reflect::get(&navigator, &"locks".into()))
        .is_ok_and(|locks| locks.is_object())
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn a_second_holder_is_told_and_the_next_one_gets_the_lock() {
        let first = RealmLock::acquire("t-lock").await.ok();
        assert!(first.is_some());
        let second = RealmLock::acquire("t-lock").await.err();
        assert_eq!(second, Some(Fault::RealmOpenElsewhere { path: "t-lock".to_owned() }));
        drop(first);
        assert!(RealmLock::acquire("t-lock").await.is_ok());
    }

    #[wasm_bindgen_test]
    async fn an_opening_waits_for_a_holder_that_goes_away() {
        let first = RealmLock::acquire("t-lock-wait").await;
        let (second, ()) = futures_util::future::join(RealmLock::acquire("t-lock-wait"), async move {
            TimeoutFuture::new(100).await;
            drop(first);
        })
        .await;
        assert!(second.is_ok());
    }
}
