//! What a store remembers of a fresh state on its way in: the record [`MetaKey::Reset`](ebbtide_core::batch::MetaKey).
//! It is there while a first download or a reset is under way, and afterwards for as long as past resets matter.

use ebbtide_core::batch::{CorruptStore, open_sealed, seal};
use ebbtide_core::codec::{DecodeError, Reader, Writer};
use ebbtide_core::{ClientId, Epoch, Millis, Salt, ServerVersion};

use super::options::ResetMode;
use crate::wire::{CHUNKS_MAX, Code, Cursor, REASON_BYTES_MAX};

/// How many past resets are remembered.
const PAST_MAX: usize = 16;
/// The time in which resets count as following each other.
const LOOP_MS: u64 = 10 * 60 * 1_000;
/// Resets in that time for the same cause in the same history.
const SAME_CAUSE_MAX: usize = 3;
/// Resets in that time for any cause.
const ANY_CAUSE_MAX: usize = 10;

/// The record as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct FreshRecord {
    /// The resets that were completed, oldest first.
    pub(crate) past: Vec<PastReset>,
    /// The reset under way.
    pub(crate) mark: Option<Mark>,
    /// What the staged chunks belong to.
    pub(crate) staged: Option<StagedSnapshot>,
}

/// A reset that was completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PastReset {
    pub(crate) code: Code,
    /// The history it ended in.
    pub(crate) epoch: Epoch,
    pub(crate) at: Millis,
}

/// A reset under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) mode: ResetMode,
    pub(crate) path: Path,
    /// From 1.
    pub(crate) attempt: u32,
    pub(crate) started: Millis,
    /// Who the store will be afterwards.
    pub(crate) client: ClientId,
}

/// How a reset goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Path {
    /// In place.
    InPlace,
    /// By the app; an automatic reset was not asked for.
    Manual,
    /// By the app; an automatic reset has failed.
    Failed,
}

/// A snapshot whose chunks are being staged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StagedSnapshot {
    pub(crate) at: Cursor,
    pub(crate) count: u32,
    pub(crate) total_bytes: u64,
}

impl FreshRecord {
    /// Whether there is nothing to remember.
    pub(crate) fn is_empty(&self) -> bool {
        *self == FreshRecord::default()
    }

    /// Takes note of a completed reset.
    pub(crate) fn remember(&mut self, past: PastReset) {
        self.past.push(past);
        let over = self.past.len().saturating_sub(PAST_MAX);
        self.past.drain(..over);
    }

    /// Whether resets follow each other so closely that another would hardly help: several for the same cause in the
    /// same history, or many of any kind.
    pub(crate) fn is_looping(&self, code: Code, epoch: Option<Epoch>, now: Millis) -> bool {
        let since = Millis(now.0.saturating_sub(LOOP_MS));
        let recent = || self.past.iter().filter(|past| past.at >= since);
        let same = recent().filter(|past| past.code == code && Some(past.epoch) == epoch).count();
        same >= SAME_CAUSE_MAX || recent().count() >= ANY_CAUSE_MAX
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        seal(|out| {
            out.varint(self.past.len() as u64);
            for past in &self.past {
                out.u16(past.code.0);
                out.raw(&past.epoch.0);
                out.u64(past.at.0);
            }
            out.option(self.mark.as_ref(), write_mark);
            out.option(self.staged, write_staged);
        })
    }

    pub(crate) fn decode(record: &[u8]) -> Result<FreshRecord, CorruptStore> {
        open_sealed("reset record", record, |input| {
            let count = input.count(PAST_MAX)?;
            let past = (0..count)
                .map(|_| {
                    Ok(PastReset { code: Code(input.u16()?), epoch: Epoch(input.array()?), at: Millis(input.u64()?) })
                })
                .collect::<Result<Vec<_>, DecodeError>>()?;
            Ok(FreshRecord { past, mark: input.option(read_mark)?, staged: input.option(read_staged)? })
        })
    }
}

fn write_mark(out: &mut Writer, mark: &Mark) {
    out.u16(mark.code.0);
    out.string(&mark.message);
    out.u8(match mark.mode {
        ResetMode::Manual => 0,
        ResetMode::DiscardUnsyncedChanges => 1,
        ResetMode::RecoverUnsyncedChanges => 2,
        ResetMode::RecoverOrDiscardUnsyncedChanges => 3,
    });
    out.u8(match mark.path {
        Path::InPlace => 0,
        Path::Manual => 1,
        Path::Failed => 2,
    });
    out.varint(u64::from(mark.attempt));
    out.u64(mark.started.0);
    out.raw(&mark.client.0);
}

fn read_mark(input: &mut Reader<'_>) -> Result<Mark, DecodeError> {
    let code = Code(input.u16()?);
    let message = input.string(2 * REASON_BYTES_MAX)?.to_string();
    let mode = match input.u8()? {
        0 => ResetMode::Manual,
        1 => ResetMode::DiscardUnsyncedChanges,
        2 => ResetMode::RecoverUnsyncedChanges,
        3 => ResetMode::RecoverOrDiscardUnsyncedChanges,
        _ => return Err(input.invalid("a reset mode")),
    };
    let path = match input.u8()? {
        0 => Path::InPlace,
        1 => Path::Manual,
        2 => Path::Failed,
        _ => return Err(input.invalid("a path")),
    };
    let attempt = read_u32(input)?;
    let started = Millis(input.u64()?);
    Ok(Mark { code, message, mode, path, attempt, started, client: ClientId(input.array()?) })
}

fn write_staged(out: &mut Writer, staged: StagedSnapshot) {
    out.raw(&staged.at.epoch.0);
    out.varint(staged.at.version.0);
    out.u64(staged.at.salt.0);
    out.varint(u64::from(staged.count));
    out.varint(staged.total_bytes);
}

fn read_staged(input: &mut Reader<'_>) -> Result<StagedSnapshot, DecodeError> {
    let at = Cursor { epoch: Epoch(input.array()?), version: ServerVersion(input.varint()?), salt: Salt(input.u64()?) };
    let count = read_u32(input)?;
    if count > CHUNKS_MAX {
        return Err(input.invalid("a bounded count of chunks"));
    }
    Ok(StagedSnapshot { at, count, total_bytes: input.varint()? })
}

fn read_u32(input: &mut Reader<'_>) -> Result<u32, DecodeError> {
    u32::try_from(input.varint()?).map_err(|_| input.invalid("a 32-bit number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_a_damaged_one_is_refused() {
        let mut record = FreshRecord {
            past: Vec::new(),
            mark: Some(Mark {
                code: Code::DIVERGING_HISTORIES,
                message: "sync was terminated".into(),
                mode: ResetMode::DiscardUnsyncedChanges,
                path: Path::InPlace,
                attempt: 2,
                started: Millis(77),
                client: ClientId([4; 16]),
            }),
            staged: Some(StagedSnapshot {
                at: Cursor { epoch: Epoch([1; 16]), version: ServerVersion(9), salt: Salt(8) },
                count: 3,
                total_bytes: 1 << 40,
            }),
        };
        for at in 0..40 {
            record.remember(PastReset { code: Code::DIVERGING_HISTORIES, epoch: Epoch([at; 16]), at: Millis(5) });
        }
        assert_eq!(record.past.len(), PAST_MAX);
        let bytes = record.encode();
        assert_eq!(FreshRecord::decode(&bytes), Ok(record));
        assert!(FreshRecord::decode(&bytes[1..]).is_err());
    }

    #[test]
    fn resets_that_follow_each_other_closely_are_a_loop() {
        let mut record = FreshRecord::default();
        let (code, epoch) = (Code::BAD_SERVER_VERSION, Epoch([1; 16]));
        let looping = |record: &FreshRecord, now| record.is_looping(code, Some(epoch), Millis(now));
        for at in 0..3 {
            assert!(!looping(&record, at));
            record.remember(PastReset { code, epoch, at: Millis(at) });
        }
        assert!(looping(&record, 10));
        assert!(!looping(&record, 11 * 60 * 1_000));
        assert!(!record.is_looping(code, Some(Epoch([2; 16])), Millis(10)));
        for _ in 0..7 {
            record.remember(PastReset { code, epoch: Epoch([3; 16]), at: Millis(9) });
        }
        assert!(record.is_looping(code, Some(Epoch([2; 16])), Millis(10)));
    }
}
