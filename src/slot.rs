//! Where a realm's store is: open, still being opened, or nowhere because the realm lives in memory.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared, ready};

use ebbtide_core::batch::Batch;
use ebbtide_sync::client::Look;

use crate::error::{Fault, Result};
use crate::idb::{Beyond, CloseCause, Store};
use crate::tabs::Presence;

/// A store and the right to it.
pub(crate) struct StoreGuard {
    store: Store,
    presence: RefCell<Option<Presence>>,
}

impl StoreGuard {
    /// Joins the two.
    pub(crate) fn new(store: Store, presence: Presence) -> Rc<StoreGuard> {
        Rc::new(StoreGuard { store, presence: RefCell::new(Some(presence)) })
    }

    /// Writes a batch, or the one that `next` makes when others have written before. False if there is none then.
    pub(crate) async fn commit_or(&self, batch: Batch, next: impl Fn(Beyond) -> Option<Batch>) -> Result<bool> {
        self.check()?;
        self.store.commit_or(batch, next).await
    }

    /// Reads what others have written.
    pub(crate) async fn look(&self, look: Look) -> Result<Beyond> {
        self.check()?;
        match look {
            Look::Since(head) => self.store.changes_since(&head).await.map(Beyond::Since),
            Look::Whole => self.store.load().await.map(Beyond::Whole),
        }
    }

    /// Names the one who is told when the store is closed without our asking.
    pub(crate) fn on_close(&self, tell: impl Fn(CloseCause) + 'static) {
        self.store.on_close(tell);
    }

    /// Closes the store and gives the right to it back; settles when others can have it.
    pub(crate) async fn release(&self) {
        self.store.close();
        let presence = self.presence.take();
        if let Some(presence) = presence {
            presence.leave().await;
        }
    }

    fn check(&self) -> Result<()> {
        if self.presence.borrow().is_some() { Ok(()) } else { Err(Fault::RealmClosed) }
    }
}

type Opening = Shared<LocalBoxFuture<'static, Result<Option<Rc<StoreGuard>>>>>;

/// A store, now or soon.
pub(crate) struct StoreSlot {
    opening: Opening,
    home: Home,
}

/// Where a realm stays when it is closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Home {
    /// Nowhere.
    Memory,
    /// In a store, with this encryption key.
    Store { key: Option<Vec<u8>> },
}

impl StoreSlot {
    /// No store: what is committed stays in memory.
    pub(crate) fn memory() -> StoreSlot {
        StoreSlot { opening: ready(Ok(None)).boxed_local().shared(), home: Home::Memory }
    }

    /// A store that is open.
    pub(crate) fn open(guard: Rc<StoreGuard>, key: Option<Vec<u8>>) -> StoreSlot {
        StoreSlot { opening: ready(Ok(Some(guard))).boxed_local().shared(), home: Home::Store { key } }
    }

    /// A store that is being opened; commits wait for it.
    pub(crate) fn opening(
        opening: impl Future<Output = Result<Rc<StoreGuard>>> + 'static,
        key: Option<Vec<u8>>,
    ) -> StoreSlot {
        let opening = opening.map(|outcome| outcome.map(Some)).boxed_local().shared();
        StoreSlot { opening, home: Home::Store { key } }
    }

    /// Where the realm stays when it is closed.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// The store, once it is open.
    pub(crate) fn store(&self) -> Opening {
        self.opening.clone()
    }
}
