//! Snapshots as bytes: page records, which a store keeps, and images, which a server sends. docs/format.md describes
//! both; a page record is the same bytes in either.

mod column;
mod group;
mod image;

pub use group::{decode_group, encode_group};
pub use image::{Manifest, TableManifest, assemble, export, import};
