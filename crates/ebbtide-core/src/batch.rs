//! What a store is asked to keep, and what it gives back: the boundary between the engine and IndexedDB or its double.
//!
//! A store has four parts: `meta` (a few named records), `pages` (records of pages by [`RecordId`]), `log` (blocks of
//! entries by the position of their first), and `staging` (chunks of a state being downloaded). One [`Batch`] is one
//! transaction: all of it or nothing. docs/format.md describes the bytes.

use xxhash_rust::xxh3::xxh3_64;

use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{LogPosition, RecordId};

/// The number of the store's format, the first byte of every record.
pub const FORMAT: u8 = 1;

/// When a batch counts as kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// When the operating system has it: survives a crash of the page or the browser.
    Relaxed,
    /// When the disk has it: survives a loss of power.
    Strict,
}

/// The named records of a store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MetaKey {
    /// The head: which state the store is in. Read and compared inside every transaction.
    Head,
    /// The root: identity, schema, cursor, and the list of page records.
    Root,
    /// The mark of a reset under way.
    Reset,
}

impl MetaKey {
    /// The record's key in the store.
    pub fn name(self) -> &'static str {
        match self {
            MetaKey::Head => "head",
            MetaKey::Root => "root",
            MetaKey::Reset => "reset",
        }
    }
}

/// Which state a store is in. Kept as the record [`MetaKey::Head`] and compared inside every transaction, so that a
/// writer that has missed another's commit is refused and never overwrites it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// Raised by every change that is no append: a reset, a bootstrap.
    pub generation: u64,
    /// Compared like the rest, and raised by nobody: what a writer has missed shows in the other numbers.
    pub fence: u64,
    /// The position that the next log entry will have.
    pub next_position: LogPosition,
    /// How often the root was written.
    pub roots: u64,
}

/// One transaction of a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// When it counts as kept.
    pub durability: Durability,
    /// The head that the store must have; `None` for a store that must be empty.
    pub expected: Option<Head>,
    /// The head that it has afterwards.
    pub head: Head,
    /// Named records to write or, if `None`, to delete. Never the head.
    pub meta: Vec<(MetaKey, Option<Vec<u8>>)>,
    /// Page records to write.
    pub pages: Vec<(RecordId, Vec<u8>)>,
    /// Page records to delete.
    pub dropped_pages: Vec<RecordId>,
    /// A log block to append.
    pub append: Option<(LogPosition, Vec<u8>)>,
    /// What becomes of the log blocks that are there, before the append.
    pub log: LogChange,
    /// Chunks to stage, by their index.
    pub staging: Vec<(u32, Vec<u8>)>,
    /// What becomes of the chunks that are there, before the new ones.
    pub staged: StagedChange,
}

/// What becomes of the log that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogChange {
    /// It stays.
    Keep,
    /// All its blocks are deleted.
    Clear,
}

/// What becomes of the staged chunks that are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StagedChange {
    /// They stay.
    Keep,
    /// They are deleted.
    Clear,
}

/// What a store has beyond a head that somebody knows: what other writers have made of it. docs/tabs.md tells the whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// The head record's bytes.
    pub head: Vec<u8>,
    /// The root record's bytes, if the root was written since.
    pub root: Option<Vec<u8>>,
    /// The log blocks from [`Head::log_from`] on, in ascending order.
    pub log: Vec<(LogPosition, Vec<u8>)>,
}

/// Everything in a store, as it was read at opening. Each run of records ascends by its key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoadedStore {
    /// The head record's bytes; `None` if the store is empty.
    pub head: Option<Vec<u8>>,
    /// The root record's bytes.
    pub root: Option<Vec<u8>>,
    /// The reset mark's bytes.
    pub reset: Option<Vec<u8>>,
    /// The page records.
    pub pages: Vec<(RecordId, Vec<u8>)>,
    /// The log blocks.
    pub log: Vec<(LogPosition, Vec<u8>)>,
    /// The staged chunks.
    pub staging: Vec<(u32, Vec<u8>)>,
}

/// Why a store's records cannot be used. Nothing is deleted because of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CorruptStore {
    /// A record is damaged.
    Damaged {
        /// Which.
        record: String,
        /// How.
        reason: String,
    },
    /// A record that the root or the log calls for is not there.
    Missing {
        /// Which.
        record: String,
    },
    /// The store was written by a later version.
    TooNew {
        /// Its format number.
        format: u8,
    },
}

impl std::fmt::Display for CorruptStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CorruptStore::Damaged { record, reason } => write!(f, "The {record} of the store is damaged: {reason}."),
            CorruptStore::Missing { record } => write!(f, "The {record} of the store is missing."),
            CorruptStore::TooNew { format } => write!(
                f,
                "The store has format {format} and this version of Ebbtide knows formats up to {FORMAT}; update the app."
            ),
        }
    }
}

impl std::error::Error for CorruptStore {}

impl Batch {
    /// A batch that only moves the head.
    pub fn new(durability: Durability, expected: Option<Head>, head: Head) -> Batch {
        Batch {
            durability,
            expected,
            head,
            meta: Vec::new(),
            pages: Vec::new(),
            dropped_pages: Vec::new(),
            append: None,
            log: LogChange::Keep,
            staging: Vec::new(),
            staged: StagedChange::Keep,
        }
    }
}

impl LoadedStore {
    /// Whether nothing was ever written to the store. Every batch writes the head, so a store without one but with
    /// anything else is damaged.
    pub fn is_empty(&self) -> bool {
        let records = [&self.head, &self.root, &self.reset];
        records.iter().all(|record| record.is_none())
            && self.pages.is_empty()
            && self.log.is_empty()
            && self.staging.is_empty()
    }
}

impl Head {
    /// The bytes of the head record, sealed.
    pub fn encode(&self) -> Vec<u8> {
        seal(|out| {
            out.u64(self.generation);
            out.u64(self.fence);
            out.u64(self.next_position.0);
            out.u64(self.roots);
        })
    }

    /// Whether the root was written between `known` and this head, so that [`Changes`] since then include it.
    pub fn has_other_root(&self, known: &Head) -> bool {
        (self.generation, self.roots) != (known.generation, known.roots)
    }

    /// The position from which [`Changes`] since `known` include the log: all of it if the root was written since, for
    /// whoever writes the root begins the log anew.
    pub fn log_from(&self, known: &Head) -> LogPosition {
        if self.has_other_root(known) { LogPosition(0) } else { known.next_position }
    }

    /// Reads a head record.
    pub fn decode(record: &[u8]) -> Result<Head, CorruptStore> {
        open_sealed("head record", record, |input| {
            let (generation, fence, next_position) = (input.u64()?, input.u64()?, LogPosition(input.u64()?));
            // The first stores did not count roots.
            let roots = if input.is_empty() { 0 } else { input.u64()? };
            Ok(Head { generation, fence, next_position, roots })
        })
    }
}

/// Seals a record: the format number, what `write` writes, and xxh3-64 over both.
pub fn seal(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::new();
    out.u8(FORMAT);
    write(&mut out);
    let checksum = xxh3_64(out.bytes_so_far());
    out.u64(checksum);
    out.into_bytes()
}

/// The checksum at the end of a sealed record; zero for what is too short to have one.
pub fn checksum_of(record: &[u8]) -> u64 {
    record.last_chunk::<8>().map_or(0, |checksum| u64::from_le_bytes(*checksum))
}

/// Opens a sealed record: checks checksum and format, reads with `read`, and checks that nothing is left. `name` is for
/// the error.
pub fn open_sealed<T>(
    name: &str,
    record: &[u8],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<T, CorruptStore> {
    let damaged = |reason: String| CorruptStore::Damaged { record: name.to_string(), reason };
    let Some((body, checksum)) = record.split_last_chunk::<8>() else {
        return Err(damaged("it is too short".to_string()));
    };
    if xxh3_64(body).to_le_bytes() != *checksum {
        return Err(damaged("its checksum does not fit".to_string()));
    }
    let mut input = Reader::new(body);
    match input.u8() {
        Ok(FORMAT) => {}
        Ok(format) if format > FORMAT => return Err(CorruptStore::TooNew { format }),
        Ok(format) => return Err(damaged(format!("there is no format {format}"))),
        Err(error) => return Err(damaged(error.to_string())),
    }
    let value = read(&mut input).map_err(|error| damaged(error.to_string()))?;
    input.end().map_err(|error| damaged(error.to_string()))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_with_any_byte_changed_is_refused() {
        let head = Head { generation: 3, fence: 1, next_position: LogPosition(9), roots: 4 };
        let record = head.encode();
        assert_eq!(Head::decode(&record).unwrap(), head);
        for index in 0..record.len() {
            let mut bad = record.clone();
            bad[index] ^= 0x40;
            assert!(Head::decode(&bad).is_err(), "byte {index}");
        }
        assert!(Head::decode(&record[..5]).is_err());
    }

    #[test]
    fn a_later_format_is_called_by_its_name() {
        let mut out = Writer::new();
        out.u8(FORMAT + 1);
        let checksum = xxh3_64(out.bytes_so_far());
        out.u64(checksum);
        assert_eq!(Head::decode(&out.into_bytes()), Err(CorruptStore::TooNew { format: FORMAT + 1 }));
    }
}
