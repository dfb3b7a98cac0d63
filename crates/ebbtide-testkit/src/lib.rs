//! The world of tests: a store that keeps its promises exactly, and breaks the others when told to.
//!
//! Knows nothing of browsers; only tests depend on it.

mod store;

pub use store::{MemoryStore, StoreRefusal};
