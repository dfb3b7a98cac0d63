//! Where a realm's store is: open, still being opened, or nowhere because the realm lives in memory.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared, ready};

use ebbtide_core::batch::Batch;

use crate::error::{Fault, Result};
use crate::idb::{CloseCause, Store};
use crate::tabs::RealmLock;

/// A store and the right to it.
pub(crate) struct StoreGuard {
    store: Store,
    lock: RefCell<Option<RealmLock>>,
}

impl StoreGuard {
    /// Joins the two.
    pub(crate) fn new(store: Store, lock: RealmLock) -> Rc<StoreGuard> {
        Rc::new(StoreGuard { store, lock: RefCell::new(Some(lock)) })
    }

    /// Writes a batch.
    pub(crate) async fn commit(&self, batch: &Batch) -> Result<()> {
        if self.lock.borrow().is_none() {
            return Err(Fault::RealmClosed);
        }
        self.store.commit(batch).await
    }

    /// Names the one who is told when the store is closed without our asking.
    pub(crate) fn on_close(&self, tell: impl Fn(CloseCause) + 'static) {
        self.store.on_close(tell);
    }

    /// Closes the store and gives the lock back.
    pub(crate) fn release(&self) {
        self.store.close();
        self.lock.borrow_mut().take();
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
