//! What the pages of an origin tell each other: that a realm was opened, created or deleted, or that a user has logged in or
//! out. Who hears it forgets what it has kept of that realm, and reads the catalogue again. Nobody depends on it: a page that hears nothing finds out when
//! it opens the store.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::api::App;
use crate::idb::Catalogue;
use crate::images;
use crate::lifecycle::{Lifecycle, Turn};
use crate::tabs::BroadcastChannel;

const CHANNEL: &str = "ebbtide";
/// The message about users; all others are paths, which begin with a slash.
const USERS: &str = "users";

thread_local! {
    static OPEN: RefCell<Option<BroadcastChannel>> = const { RefCell::new(None) };
    static LIFECYCLE: RefCell<Option<Lifecycle>> = const { RefCell::new(None) };
}

/// Begins to listen, once. Where the browser has no such channel nothing is heard.
pub(crate) fn listen() {
    let is_first = LIFECYCLE.with_borrow_mut(|lifecycle| {
        let is_first = lifecycle.is_none();
        lifecycle.get_or_insert_with(|| Lifecycle::listen(turn));
        is_first
    });
    if is_first {
        join();
    }
}

fn join() {
    OPEN.with_borrow_mut(|open| {
        if open.is_some() {
            return;
        }
        let Ok(channel) = BroadcastChannel::new(CHANNEL) else { return };
        let hear = Closure::<dyn FnMut(JsValue)>::new(|event: JsValue| {
            let data = js_sys::Reflect::get(&event, &"data".into()).ok().and_then(|data| data.as_string());
            match data.as_deref() {
                Some(USERS) => learn_users(),
                Some(path) => {
                    images::forget(path);
                    look_again();
                }
                None => {}
            }
        });
        channel.set_onmessage(&hear.into_js_value());
        *open = Some(channel);
    });
}

fn turn(turn: Turn) {
    match turn {
        Turn::Rests => {}
        Turn::Leaves => {
            if let Some(channel) = OPEN.take() {
                channel.close();
            }
        }
        Turn::Wakes if OPEN.with_borrow(Option::is_none) => {
            join();
            // What was told meanwhile was not heard.
            images::forget_all();
            look_again();
            learn_users();
        }
        Turn::Wakes => {}
    }
}

/// Reads the catalogue again, some time before the next opening, which does so in any case.
fn look_again() {
    spawn_local(async { drop(Catalogue::reload_realms().await) });
}

/// Reads again who is logged in, and ends the connections of those who are not.
fn learn_users() {
    spawn_local(async {
        if Catalogue::loaded() && Catalogue::reload_users().await.is_ok() {
            App::drop_strangers();
        }
    });
}

/// Tells the other pages that a user has logged in or out.
pub(crate) fn tell_users() {
    tell(USERS);
}

/// Tells the other pages that a realm is this page's now, or has come or gone.
pub(crate) fn tell(path: &str) {
    OPEN.with_borrow(|open| {
        if let Some(channel) = open {
            let _ = channel.post_message(&path.into());
        }
    });
}
