//! Realms that were closed in this page a while ago, as they were in memory: what lets `new Realm(config)` open them
//! without waiting. The least recently closed go first; one that another page writes to goes at once.

use std::cell::RefCell;
use std::collections::VecDeque;

use ebbtide_sync::client::Image;

/// How many bytes the stores of all kept realms may have together.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// A realm that was closed.
#[derive(Clone)]
pub(crate) struct ClosedRealm {
    pub(crate) image: Image,
    /// The lane of object keys that it had.
    pub(crate) lane: u64,
    /// The encryption key that it was opened with.
    pub(crate) key: Option<Vec<u8>>,
}

thread_local! {
    static KEPT: RefCell<VecDeque<(String, ClosedRealm)>> = const { RefCell::new(VecDeque::new()) };
}

/// Keeps a realm that has just been closed.
pub(crate) fn keep(path: &str, realm: ClosedRealm) {
    forget(path);
    KEPT.with_borrow_mut(|kept| {
        kept.push_back((path.to_owned(), realm));
        while kept.iter().map(|(_, realm)| realm.image.bytes()).sum::<usize>() > BYTES_MAX {
            kept.pop_front();
        }
    });
}

/// The realm that was closed at a path, if it is still kept.
pub(crate) fn find(path: &str) -> Option<ClosedRealm> {
    KEPT.with_borrow(|kept| kept.iter().find(|(kept, _)| kept == path).map(|(_, realm)| realm.clone()))
}

/// Forgets all: what others have done to them is not known.
pub(crate) fn forget_all() {
    KEPT.with_borrow_mut(VecDeque::clear);
}

/// Forgets a realm: it is open again, or somebody else has it.
pub(crate) fn forget(path: &str) {
    KEPT.with_borrow_mut(|kept| kept.retain(|(kept, _)| kept != path));
}
