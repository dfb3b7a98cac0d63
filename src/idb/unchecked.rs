//! Transactions in which a batch was issued before the store's head has been compared. A panic in between would leave nobody to
//! take back what was written on another tab's head, so it does that itself.

use std::cell::RefCell;

use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::transaction::Transaction;
use wasm_bindgen::JsCast;
use web_sys::IdbTransaction;

thread_local! {
    static UNCHECKED: RefCell<Vec<IdbTransaction>> = const { RefCell::new(Vec::new()) };
}

/// One such transaction, until it has been checked.
pub(super) struct Unchecked(IdbTransaction);

impl Unchecked {
    /// Takes note of a transaction.
    pub(super) fn new(transaction: &Transaction<'_>) -> Unchecked {
        let transaction: IdbTransaction = transaction.as_sys().clone().unchecked_into();
        UNCHECKED.with_borrow_mut(|all| all.push(transaction.clone()));
        Unchecked(transaction)
    }
}

impl Drop for Unchecked {
    fn drop(&mut self) {
        UNCHECKED.with_borrow_mut(|all| all.retain(|other| *other != self.0));
    }
}

/// Aborts all of them.
pub(crate) fn abort_unchecked() {
    UNCHECKED.with(|all| {
        // A panic may have come while the list was in use.
        for transaction in all.try_borrow().iter().flat_map(|all| all.iter()) {
            let _ = transaction.abort();
        }
    });
}

#[cfg(test)]
mod tests {
    use ebbtide_core::batch::{Batch, Durability, Head, LoadedStore};
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::error::Fault;
    use crate::idb::{Store, delete_database};

    #[wasm_bindgen_test]
    async fn a_panic_takes_back_what_was_written_before_the_head_was_compared() {
        let path = "t-unchecked";
        delete_database(path, "ebbtide:t-unchecked").await.unwrap();
        let (store, _) = Store::open(path, "ebbtide:t-unchecked", None).await.unwrap();
        let batch = Batch::new(Durability::Relaxed, None, Head::default());
        let commit = store.commit(&batch);
        let panic = async {
            assert_eq!(UNCHECKED.with_borrow(Vec::len), 1);
            abort_unchecked();
        };
        let (committed, ()) = futures_util::future::join(commit, panic).await;
        assert!(matches!(committed, Err(Fault::Storage { .. })), "{committed:?}");
        assert_eq!(UNCHECKED.with_borrow(Vec::len), 0);
        assert_eq!(store.load().await.unwrap(), LoadedStore::default());
    }
}
