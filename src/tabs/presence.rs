//! The right to have a realm open: a Web Lock that all who have it open share, and that whoever deletes or replaces its store
//! has alone.

use super::channel;
use super::locks::{self, Lock, Manner, Mode};
use crate::error::{Elsewhere, Fault, Result};

/// How long a deletion waits for others to go away: a page that is being reloaded does within this.
const ALONE_WAIT_MS: u32 = 2_000;
/// How long an opening waits for whoever has the realm alone, and for those who wait to have it alone.
const JOIN_WAIT_MS: u32 = 6_000;

/// Whether others have the realm open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Company {
    /// Nobody had it when we came, and until we go nobody else is told so.
    Alone,
    /// Somebody has it, or has had it a moment ago.
    Others,
}

/// The right to one path; given back when dropped.
pub(crate) struct Presence {
    company: Company,
    lock: Option<Lock>,
}

impl Presence {
    /// Joins those who have the realm open. Where the browser lacks what tabs need to share a realm, only one at a time gets
    /// it.
    pub(crate) async fn join(path: &str) -> Result<Presence> {
        match missing() {
            Some(why @ Elsewhere::NoLocks) => {
                return match channel::is_anybody_there(path).await {
                    true => Err(Fault::RealmOpenElsewhere { path: path.to_owned(), why }),
                    false => Ok(Presence { company: Company::Alone, lock: None }),
                };
            }
            Some(why) => return Presence::take(path, why).await,
            None => {}
        }
        if let Some(alone) = locks::request(&name(path), Mode::Exclusive, Manner::AtOnce).answer().await {
            // Asked for before the other is given back: nobody comes in between.
            let shared = locks::request(&name(path), Mode::Shared, Manner::InTurn);
            drop(alone);
            return Presence::wait(path, shared, Company::Alone, Elsewhere::Busy).await;
        }
        let shared = locks::request(&name(path), Mode::Shared, Manner::InTurn);
        Presence::wait(path, shared, Company::Others, Elsewhere::Busy).await
    }

    /// Has the realm's store alone, waiting a moment for holders that are going away. Where the browser has no Web Locks
    /// it is had without one, and those who have it open find out from the store.
    pub(crate) async fn alone(path: &str) -> Result<Presence> {
        if !locks::are_supported() {
            return Ok(Presence { company: Company::Alone, lock: None });
        }
        Presence::take(path, Elsewhere::InUse).await
    }

    /// Whether others had the realm open when we came.
    pub(crate) fn company(&self) -> Company {
        self.company
    }

    /// Goes; settles when others find that.
    pub(crate) async fn leave(self) {
        if let Some(lock) = self.lock {
            lock.give_back().await;
        }
    }

    async fn take(path: &str, why: Elsewhere) -> Result<Presence> {
        let exclusive = locks::request(&name(path), Mode::Exclusive, Manner::InTurn);
        Presence::wait(path, exclusive, Company::Alone, why).await
    }

    async fn wait(path: &str, request: locks::Request, company: Company, why: Elsewhere) -> Result<Presence> {
        let wait_ms = match why {
            Elsewhere::Busy => JOIN_WAIT_MS,
            Elsewhere::InUse | Elsewhere::NoLocks | Elsewhere::NoChannels => ALONE_WAIT_MS,
        };
        match request.within(wait_ms).await {
            Some(lock) => Ok(Presence { company, lock: Some(lock) }),
            None => Err(Fault::RealmOpenElsewhere { path: path.to_owned(), why }),
        }
    }
}

/// What the browser lacks for tabs to share a realm.
pub(crate) fn missing() -> Option<Elsewhere> {
    if !locks::are_supported() {
        return Some(Elsewhere::NoLocks);
    }
    let channels = js_sys::Reflect::has(&js_sys::global(), &"BroadcastChannel".into());
    if channels == Ok(true) { None } else { Some(Elsewhere::NoChannels) }
}

fn name(path: &str) -> String {
    format!("ebbtide:{path}")
}

#[cfg(test)]
mod tests {
    use gloo_timers::future::TimeoutFuture;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn refused(path: &str, why: Elsewhere) -> Option<Fault> {
        Some(Fault::RealmOpenElsewhere { path: path.to_owned(), why })
    }

    #[wasm_bindgen_test]
    async fn many_have_a_realm_open_and_only_the_first_found_nobody() {
        let path = "t-presence-join";
        let first = Presence::join(path).await.ok().unwrap();
        let second = Presence::join(path).await.ok().unwrap();
        assert_eq!((first.company(), second.company()), (Company::Alone, Company::Others));
        first.leave().await;
        let again = Presence::join(path).await.ok().unwrap();
        assert_eq!(again.company(), Company::Others);
        again.leave().await;
        second.leave().await;
        let third = Presence::join(path).await.ok().unwrap();
        assert_eq!(third.company(), Company::Alone);
    }

    #[wasm_bindgen_test]
    async fn two_who_come_at_once_do_not_both_find_nobody() {
        let path = "t-presence-race";
        let (first, second) = futures_util::future::join(Presence::join(path), Presence::join(path)).await;
        let found = [first.ok().unwrap(), second.ok().unwrap()];
        assert!(found.iter().filter(|presence| presence.company() == Company::Alone).count() <= 1);
    }

    #[wasm_bindgen_test]
    async fn nobody_has_a_realm_alone_while_it_is_open() {
        let path = "t-presence-alone";
        let open = Presence::join(path).await.ok();
        assert_eq!(Presence::alone(path).await.err(), refused(path, Elsewhere::InUse));
        drop(open);
        assert!(Presence::alone(path).await.is_ok());
    }

    #[wasm_bindgen_test]
    async fn a_deletion_waits_for_a_holder_that_goes_away() {
        let path = "t-presence-wait";
        let open = Presence::join(path).await;
        let (alone, ()) = futures_util::future::join(Presence::alone(path), async move {
            TimeoutFuture::new(100).await;
            drop(open);
        })
        .await;
        assert!(alone.is_ok());
    }
}
