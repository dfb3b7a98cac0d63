//! A count that rises whenever an engine of this module may have changed. While it stays, so do the addresses of all values,
//! and JavaScript reads them out of the module's memory without a call.

use std::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(1);

/// Something is about to change.
pub(crate) fn pass() {
    COUNT.fetch_add(1, Ordering::Relaxed);
}

/// Where the count is.
pub(crate) fn address() -> usize {
    COUNT.as_ptr().addr()
}
