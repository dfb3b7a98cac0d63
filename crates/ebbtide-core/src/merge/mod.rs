//! The merge rules: what a changeset does to a snapshot. docs/merge.md is the table, one row a rule.
//!
//! [`apply`] is total and deterministic: any decodable changeset applies to any snapshot, and what does not fit, an edit
//! of an object that is gone, a value of the wrong type, is dropped. So the server only orders changesets, and rebasing
//! is replaying.

mod apply;
mod apply_collection;
mod check;
mod place;

pub use apply::apply;
pub use check::{Violation, check};
