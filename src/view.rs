//! What a realm object looks at: the live state, or one that is pinned.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ebbtide_core::Snapshot;
use ebbtide_core::query::Names;

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
    names: RefCell<Rc<Names>>,
}

impl Frozen {
    /// Pins a state.
    pub(crate) fn new(path: &str, snapshot: Snapshot, version: u64, schema_version: u64) -> Rc<Frozen> {
        let (closed, names) = (Cell::new(false), RefCell::default());
        Rc::new(Frozen { path: path.to_owned(), snapshot, version, schema_version, closed, names })
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

    /// What else the app calls its properties.
    pub(crate) fn names(&self) -> Rc<Names> {
        match self {
            View::Live(driver) => driver.names(),
            View::Frozen(frozen) => Rc::clone(&frozen.names.borrow()),
        }
    }

    /// Takes note of the app's names for properties.
    pub(crate) fn set_names(&self, names: Names) {
        match self {
            View::Live(driver) => driver.set_names(names),
            View::Frozen(frozen) => drop(frozen.names.replace(Rc::new(names))),
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
