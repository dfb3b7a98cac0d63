//! Every limit of the data, by name. What exceeds one is refused where its author can still be told.

/// Rows in a page.
pub const PAGE_ROWS: usize = 256;
/// Pages in a record of the store.
pub const RECORD_PAGES: usize = 16;
/// Engines that may ever have used one store beside another: so many lanes have keys of 53 bits, which are whole numbers in
/// JavaScript.
pub const LANES_MAX: u64 = 1 << 21;
/// Bytes of one string or binary value.
pub const VALUE_BYTES: usize = 16 * 1024 * 1024;
/// Collections in collections of one mixed value.
pub const NESTED_COLLECTIONS: usize = 100;
/// Bytes of a dictionary's key.
pub const KEY_BYTES: usize = 4 * 1024;
/// Owners of an embedded object, one in another.
pub const EMBEDDED_DEPTH: usize = 100;
/// Elements of one list, set or dictionary.
pub const LIST_ELEMENTS: usize = 1_000_000;
/// Bytes of one encoded changeset of a synced realm, so that it fits a frame.
pub const CHANGESET_BYTES: usize = 3 * 1024 * 1024;
/// Instructions of one changeset.
pub const CHANGESET_INSTRUCTIONS: usize = 1_000_000;
/// Classes of a schema.
pub const CLASSES: usize = 1_024;
/// Properties of a class.
pub const PROPERTIES: usize = 1_024;
/// Bytes of a class or property name.
pub const NAME_BYTES: usize = 63;
/// Changeset bytes of a local realm over which a commit goes to the store as pages instead of a log entry.
pub const LOG_ENTRY_BYTES: usize = 512 * 1024;
