//! The entries of the log: what happened since the last checkpoint, in order.

use super::Cursor;
use crate::batch::{CorruptStore, open_sealed, seal};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{ChangesetNumber, Epoch, LogPosition, Salt, ServerVersion};

/// One entry of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogEntry {
    /// Our encoded changeset.
    Local(Vec<u8>),
    /// An entry of the server's history.
    Server(HistoryEntry),
}

impl LogEntry {
    /// Where it stands in the server's history, if it is the server's.
    pub(super) fn place(&self) -> Option<Cursor> {
        match self {
            LogEntry::Local(_) => None,
            LogEntry::Server(entry) => Some(entry.at),
        }
    }
}

/// One entry of a server's history, as a client gets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryEntry {
    /// Where it stands.
    pub at: Cursor,
    /// What it is.
    pub body: HistoryBody,
}

/// What an entry of a server's history is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryBody {
    /// An encoded changeset of somebody else.
    Full(Vec<u8>),
    /// Our own changeset of this number, which we have.
    Own(ChangesetNumber),
    /// Nothing for us: the cursor moves.
    Nothing,
}

/// The block of entries, the first of which stands at `first`: sealed.
pub fn encode_block(first: LogPosition, entries: &[LogEntry]) -> Vec<u8> {
    seal(|out| {
        out.u64(first.0);
        out.varint(entries.len() as u64);
        for entry in entries {
            encode_entry(entry, out);
        }
    })
}

/// The entries of a block that stands at `first`.
pub fn decode_block(first: LogPosition, block: &[u8]) -> Result<Vec<LogEntry>, CorruptStore> {
    open_sealed(&format!("log block {}", first.0), block, |input| {
        if input.u64()? != first.0 {
            return Err(input.invalid("the block's own position"));
        }
        let count = input.count(usize::MAX)?;
        (0..count).map(|_| decode_entry(input)).collect()
    })
}

fn encode_entry(entry: &LogEntry, out: &mut Writer) {
    match entry {
        LogEntry::Local(changeset) => {
            out.u8(0);
            out.run(changeset);
        }
        LogEntry::Server(HistoryEntry { at, body }) => {
            out.u8(match body {
                HistoryBody::Full(_) => 1,
                HistoryBody::Own(_) => 2,
                HistoryBody::Nothing => 3,
            });
            encode_cursor(*at, out);
            match body {
                HistoryBody::Full(changeset) => out.run(changeset),
                HistoryBody::Own(number) => out.varint(number.0),
                HistoryBody::Nothing => {}
            }
        }
    }
}

fn decode_entry(input: &mut Reader<'_>) -> Result<LogEntry, DecodeError> {
    let kind = input.u8()?;
    if kind == 0 {
        return Ok(LogEntry::Local(input.run(usize::MAX)?.to_vec()));
    }
    let at = decode_cursor(input)?;
    let body = match kind {
        1 => HistoryBody::Full(input.run(usize::MAX)?.to_vec()),
        2 => HistoryBody::Own(ChangesetNumber(input.varint()?)),
        3 => HistoryBody::Nothing,
        _ => return Err(input.invalid("a log entry")),
    };
    Ok(LogEntry::Server(HistoryEntry { at, body }))
}

pub(super) fn encode_cursor(cursor: Cursor, out: &mut Writer) {
    out.raw(&cursor.epoch.0);
    out.varint(cursor.version.0);
    out.u64(cursor.salt.0);
}

pub(super) fn decode_cursor(input: &mut Reader<'_>) -> Result<Cursor, DecodeError> {
    let epoch = Epoch(input.array()?);
    let version = ServerVersion(input.varint()?);
    Ok(Cursor { epoch, version, salt: Salt(input.u64()?) })
}
