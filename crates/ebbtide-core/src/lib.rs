//! The database: values, schemas, snapshots, changesets, merge rules, queries, resets and change sets as plain functions
//! of values.
//!
//! Knows nothing of storage, sockets, clocks, randomness, async or JavaScript: time, identity and bytes come in as
//! arguments, and the same input always gives the same output, byte for byte.

pub mod batch;
pub mod changeset;
pub mod clock;
pub mod codec;
pub mod decimal;
pub mod ids;
pub mod limits;
pub mod merge;
pub mod migration;
pub mod mutants;
pub mod notify;
pub mod number;
pub mod objects;
pub mod page;
pub mod query;
pub mod replica;
pub mod reset;
pub mod schema;
pub mod value;
mod words;

pub use clock::{Clock, EditTime, Millis};
pub use decimal::Decimal;
pub use ids::{
    ChainHash, ChangesetNumber, ClassIndex, ClientId, ColumnIndex, Epoch, LogPosition, ObjectKey, RecordId, Salt,
    ServerVersion,
};
pub use objects::{Snapshot, Transaction, WriteError};
pub use schema::{ClassKind, ClassSchema, Collection, IndexKind, Property, PropertyType, Schema};
pub use value::{Value, ValueRef};
