//! The objects of a realm: immutable snapshots of columnar pages, shared copy-on-write, and the transaction that makes
//! the next one.
//!
//! A [`Snapshot`] holds a [`Table`] per class. A table is an ordered run of groups of up to
//! [`crate::limits::RECORD_PAGES`] pages; a page holds up to [`crate::limits::PAGE_ROWS`] rows as columns. Cloning a
//! snapshot is a few reference counts; changing one copies only the pages on the way.

mod audit;
mod bits;
mod canonical;
mod chunks;
mod column;
mod dictionary;
mod edit;
mod edit_collection;
mod key_source;
mod latest;
mod leaving;
mod list;
mod map;
mod page;
mod primary_index;
mod renewal;
mod set;
mod snapshot;
mod table;
mod transaction;

pub use bits::Bits;
pub use chunks::Chunks;
pub use column::{Column, ColumnData, Fixed, Runs};
pub use dictionary::{Dictionary, Entry};
pub(crate) use edit_collection::{Place, Slot};
pub use key_source::KeySource;
pub use list::{Element, ElementId, List};
pub use map::CowMap;
pub use page::{Group, Page, Row, Saved};
pub use renewal::Renewal;
pub(crate) use set::ascends;
pub use set::{Set, SetElement};
pub use snapshot::{AuthorIndex, Authors, Snapshot, Stamp};
pub use table::{BacklinkKey, Table, Tombstone};
pub use transaction::{Cell, Constraints, Embedding, NestedEdit, Step, Synced, Transaction, WriteContext, WriteError};
