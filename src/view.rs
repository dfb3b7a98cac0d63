//! What a realm object looks at: the live state, or one that is pinned.

use std::cell::Cell;
use std::rc::Rc;

use ebbtide_core::Snapshot;

use crate::driver::Driver;
use crate::error::{Fault, Result};
use crate::poison;

/// A state that does not change.
pub(crate) struct Frozen {
    pub(crate) path: String,
    pub(crate) snapshot: Snapshot,
    pub(crate) version: u64,
    pub(crate) schema_version: u64,
    closed: Cell<bool>,
}

impl Frozen {
    /// Pins a state.
    pub(crate) fn new(path: &str, snapshot: Snapshot, version: u64, schema_version: u64) -> Rc<Frozen> {
        Rc::new(Frozen { path: path.to_owned(), snapshot, version, schema_version, closed: Cell::new(false) })
    }
}

/// A live realm or a pinned state of one.
#[derive(Clone)]
pub(crate) enum View {
    Live(Rc<Driver>),
    Frozen(Rc<Frozen>),
}

impl View {
    /// Looks at the state and its version.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Snapshot, u64) -> Result<T>) -> Result<T> {
        match self {
            View::Live(driver) => driver.engine(|engine| look(engine.current(), engine.version()))?,
            View::Frozen(frozen) => {
                poison::check()?;
                if frozen.closed.get() {
                    return Err(Fault::RealmClosed);
                }
                look(&frozen.snapshot, frozen.version)
            }
        }
    }

    /// The realm behind it, if it can be written to.
    pub(crate) fn live(&self) -> Result<&Rc<Driver>> {
        match self {
            View::Live(driver) => Ok(driver),
            View::Frozen(_) => Err(Fault::ReadOnly),
        }
    }

    /// Gives up a pinned state.
    pub(crate) fn close_frozen(&self) {
        if let View::Frozen(frozen) = self {
            frozen.closed.set(true);
        }
    }
}
