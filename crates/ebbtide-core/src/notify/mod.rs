//! Change sets: what lies between two snapshots, for whoever listens.
//!
//! [`diff`] compares two states and skips the pages they share; [`sequence_changes`] turns two orders of the same
//! collection into the positions that a listener is told. Local writes, downloads, other tabs and resets all notify
//! through these two.

mod collection;
mod diff;
mod key_list;
mod key_path;
mod nested;
mod sequence;
mod touched;

pub use collection::{DictionaryChanges, dictionary_changes, set_changes};
pub use diff::{Compare, Difference, TableDifference, diff};
pub use key_list::KeyList;
pub use key_path::{KeyPaths, PathStep};
pub use nested::{array_changes, map_changes};
pub use sequence::{CollectionChanges, key_changes, list_changes, sequence_changes};
pub use touched::Touched;
