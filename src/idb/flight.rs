//! Transactions under way. What is under way keeps other tabs waiting for as long as it takes, which is for ever in a page that
//! is frozen, and a panic leaves nobody to take back what was written before the store's head was compared. So both abort what is
//! under way; after a freeze it is begun again, and so is what the browser has ended because the page was too busy to go on.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use futures_channel::oneshot;
use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::transaction::Transaction;
use wasm_bindgen::JsCast;
use web_sys::IdbTransaction;

use crate::error::{Fault, Result};
use crate::lifecycle::{Lifecycle, Turn};

thread_local! {
    static UNDER_WAY: RefCell<Vec<IdbTransaction>> = const { RefCell::new(Vec::new()) };
    /// How often the page was frozen, or kept for a navigation back.
    static RESTS: Cell<u64> = const { Cell::new(0) };
    static RESTING: RefCell<Option<Vec<oneshot::Sender<()>>>> = const { RefCell::new(None) };
    static LIFECYCLE: RefCell<Option<Lifecycle>> = const { RefCell::new(None) };
}

/// How often something is begun again that the browser has ended.
const INTERRUPTIONS_MAX: u32 = 5;

/// A transaction, known to be under way until it is dropped.
pub(super) struct Flight<'a> {
    transaction: Transaction<'a>,
    mark: Mark,
}

/// The place of a transaction among those under way.
pub(super) struct Mark(IdbTransaction);

impl<'a> Flight<'a> {
    /// Takes note of a transaction that has begun.
    pub(super) fn new(transaction: Transaction<'a>) -> Flight<'a> {
        let raw: IdbTransaction = transaction.as_sys().clone().unchecked_into();
        UNDER_WAY.with_borrow_mut(|all| all.push(raw.clone()));
        Flight { transaction, mark: Mark(raw) }
    }

    /// The transaction, and what says for how long it is under way.
    pub(super) fn split(self) -> (Transaction<'a>, Mark) {
        (self.transaction, self.mark)
    }
}

impl<'a> Deref for Flight<'a> {
    type Target = Transaction<'a>;

    fn deref(&self) -> &Transaction<'a> {
        &self.transaction
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        UNDER_WAY.with_borrow_mut(|all| all.retain(|other| *other != self.0));
    }
}

/// Aborts all that is under way, but for what is being committed already.
pub(crate) fn abort_all() {
    UNDER_WAY.with(|all| {
        // A panic may have come while the list was in use.
        for transaction in all.try_borrow().iter().flat_map(|all| all.iter()) {
            let _ = transaction.abort();
        }
    });
}

/// Does something in transactions, while the page is not frozen: some of what happens reaches it even then. If it was frozen
/// meanwhile, it is done once more afterwards: what was aborted has not happened, and what had happened does not fail. So it is,
/// a few times, if the browser ended it.
pub(super) async fn unfrozen<T, F: Future<Output = Result<T>>>(work: impl Fn() -> F) -> Result<T> {
    listen();
    let mut interruptions = 0;
    loop {
        awake().await;
        let rests = RESTS.get();
        let outcome = work().await;
        let is_interrupted = matches!(outcome, Err(Fault::Interrupted { .. })) && interruptions < INTERRUPTIONS_MAX;
        interruptions += u32::from(is_interrupted);
        if outcome.is_ok() || RESTS.get() == rests && !is_interrupted {
            return outcome;
        }
    }
}

/// Waits until the page runs.
async fn awake() {
    let waiting = RESTING.with_borrow_mut(|resting| {
        let resting = resting.as_mut()?;
        let (tell, told) = oneshot::channel();
        resting.push(tell);
        Some(told)
    });
    if let Some(told) = waiting {
        // That the other end is dropped is the message.
        let _ = told.await;
    }
}

/// Begins to listen to the page's turns, once.
fn listen() {
    LIFECYCLE.with_borrow_mut(|lifecycle| {
        lifecycle.get_or_insert_with(|| Lifecycle::listen(turn));
    });
}

fn turn(turn: Turn) {
    match turn {
        Turn::Rests | Turn::Leaves => {
            RESTS.set(RESTS.get() + 1);
            RESTING.with_borrow_mut(|resting| {
                resting.get_or_insert_default();
            });
            abort_all();
        }
        Turn::Wakes => drop(RESTING.take()),
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_core::batch::{Batch, Durability, Head, LoadedStore};
    use futures_util::future::join;
    use indexed_db_futures::transaction::TransactionDurability;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::error::Fault;
    use crate::idb::connection::Connection;
    use crate::idb::records::{self, Key};
    use crate::idb::schema::{META, SPACES};
    use crate::idb::{Outcome, Store, delete_database};

    async fn fresh(path: &str) -> Store {
        let name = format!("ebbtide:{path}");
        delete_database(path, &name).await.unwrap();
        Store::open(path, &name, None).await.unwrap().0
    }

    fn batch() -> Batch {
        Batch::new(Durability::Relaxed, None, Head::default())
    }

    #[wasm_bindgen_test]
    async fn a_panic_takes_back_what_was_written_before_the_head_was_compared() {
        let store = fresh("t-flight-panic").await;
        let (committed, ()) = join(store.commit(&batch()), async {
            assert_eq!(UNDER_WAY.with_borrow(Vec::len), 1);
            abort_all();
        })
        .await;
        assert!(matches!(committed, Err(Fault::Storage { .. })), "{committed:?}");
        assert_eq!(UNDER_WAY.with_borrow(Vec::len), 0);
        assert_eq!(store.load().await.unwrap(), LoadedStore::default());
    }

    #[wasm_bindgen_test]
    async fn what_is_under_way_when_the_page_is_frozen_happens_when_it_wakes_up() {
        let store = fresh("t-flight-frozen").await;
        let other = Store::open("t-flight-frozen", "ebbtide:t-flight-frozen", None).await.unwrap().0;
        let (committed, ()) = join(store.commit(&batch()), async {
            assert_eq!(UNDER_WAY.with_borrow(Vec::len), 1);
            turn(Turn::Rests);
            // As another tab would find it: nobody is in the way, and nothing was written.
            let (connection, _) = Connection::open("ebbtide:t-flight-frozen", &SPACES).await.unwrap();
            let transaction = connection.write(&SPACES, TransactionDurability::Relaxed).unwrap();
            let head = records::read_one(&transaction, META, &Key::Name("head".to_owned())).unwrap();
            assert!(head.await.unwrap().is_none());
            connection.finish("testing", transaction).await.unwrap();
            turn(Turn::Wakes);
        })
        .await;
        assert_eq!(committed, Ok(Outcome::Stored));
        assert_eq!(other.load().await.unwrap().head, Some(Head::default().encode()));
    }
}
