//! A panic poisons the instance: what was half done in memory is never read again.

use std::cell::Cell;

use crate::error::{Fault, Result};
use crate::idb::abort_all;

thread_local! {
    static POISONED: Cell<bool> = const { Cell::new(false) };
}

/// Installs the panic hook that reports to the console, sets the flag, and takes back what is half done on disk. A second call changes nothing.
pub(crate) fn install() {
    use std::sync::Once;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            POISONED.with(|flag| flag.set(true));
            abort_all();
            console_error_panic_hook::hook(info);
        }));
    });
}

/// Refuses every call after a panic.
pub(crate) fn check() -> Result<()> {
    if POISONED.with(Cell::get) { Err(Fault::Poisoned) } else { Ok(()) }
}
