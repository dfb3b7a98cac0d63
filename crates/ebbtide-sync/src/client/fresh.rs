//! A fresh state on its way in: chunks in order, kept in `staging`, invisible until whole. Used by first downloads and by
//! resets alike.

use ebbtide_core::batch::LoadedStore;
use ebbtide_core::page::import;
use ebbtide_core::replica::Cursor;
use ebbtide_core::reset::{Takeover, plan};
use ebbtide_core::schema::{SchemaConflict, compare};
use ebbtide_core::{Millis, Snapshot};

use super::event::{Direction, Origin};
use super::flush::Replaced;
use super::mark::{FreshRecord, StagedSnapshot};
use super::reset::{ATTEMPTS_MAX, FreshState};
use super::session::{STRIKES_MAX, Session};
use super::state::State;
use crate::wire::Code;

/// What is staged, from the first chunk on without a gap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Staging {
    pub(super) snapshot: Option<StagedSnapshot>,
    pub(super) chunks: Vec<Vec<u8>>,
    bytes: u64,
}

/// One chunk as it came.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) at: Cursor,
    pub(super) index: u32,
    pub(super) count: u32,
    pub(super) total_bytes: u64,
    pub(super) bytes: Vec<u8>,
}

impl Staging {
    /// What a store holds of the snapshot that its record names.
    pub(crate) fn load(record: &FreshRecord, store: &LoadedStore) -> Staging {
        let mut staging = Staging { snapshot: record.staged, ..Staging::default() };
        let Some(snapshot) = record.staged else { return staging };
        for (index, chunk) in &store.staging {
            if *index as usize != staging.chunks.len() || *index >= snapshot.count {
                break;
            }
            staging.bytes += chunk.len() as u64;
            staging.chunks.push(chunk.clone());
        }
        staging
    }

    /// Bytes that are staged, and bytes altogether.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.bytes, self.snapshot.map_or(0, |snapshot| snapshot.total_bytes))
    }

    pub(super) fn is_whole(&self) -> bool {
        self.snapshot.is_some_and(|snapshot| snapshot.count as usize == self.chunks.len())
    }
}

impl Session {
    /// Takes a chunk in, and goes on when it was the last.
    pub(super) fn chunk(&mut self, state: &mut State, now: Millis, chunk: Chunk) {
        let Chunk { at, index, count, total_bytes, bytes } = chunk;
        let snapshot = StagedSnapshot { at, count, total_bytes };
        if self.staging.snapshot != Some(snapshot) {
            self.drop_staging(state);
            self.staging.snapshot = Some(snapshot);
            self.record.staged = Some(snapshot);
            state.disk.touch_record();
        }
        if index as usize != self.staging.chunks.len() {
            let expected = self.staging.chunks.len();
            return self.fresh_failed(state, now, format!("chunk {index} came where chunk {expected} was to come"));
        }
        self.staging.bytes += bytes.len() as u64;
        if self.staging.bytes > total_bytes {
            return self.fresh_failed(state, now, "the chunks are larger than announced".to_string());
        }
        state.disk.stage(index, bytes.clone());
        self.staging.chunks.push(bytes);
        self.expect_answer(now);
        self.downloadable = total_bytes - self.staging.bytes;
        self.moved(Direction::Download);
        self.staging_progress(state);
        if self.staging.is_whole() {
            self.unlink(state);
            self.take_fresh(state, now);
        }
    }

    /// All chunks are there.
    pub(super) fn take_fresh(&mut self, state: &mut State, now: Millis) {
        let at = self.staging.snapshot.expect("invariant: a whole snapshot has a name").at;
        match import(self.staging.chunks.iter().map(Vec::as_slice)) {
            Err(error) => self.fresh_failed(state, now, format!("the fresh state cannot be read: {error}")),
            Ok(snapshot) if self.record.mark.is_some() => self.check(state, now, FreshState { snapshot, at }),
            Ok(snapshot) => self.install_first(state, now, &snapshot, at),
        }
    }

    /// The first download becomes the base; what was written before it came stays pending.
    fn install_first(&mut self, state: &mut State, now: Millis, fresh: &Snapshot, at: Cursor) {
        let difference = compare(state.replica.base().schema(), fresh.schema());
        let words =
            |conflicts: &[SchemaConflict]| conflicts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        if !difference.conflicts.is_empty() {
            self.drop_staging(state);
            return self.fail(state, Code::INVALID_SCHEMA_CHANGE, words(&difference.conflicts));
        }
        if !difference.missing.is_empty() {
            // Ours has grown since it was bound: the next BIND adds to the server's.
            return self.fresh_failed(state, now, words(&difference.missing));
        }
        state.changing(Origin::Remote);
        let identity = state.replica.identity();
        state.replica.install(plan(&state.replica, fresh, at, identity, Takeover::KeepPending));
        self.downloaded += self.staging.bytes;
        self.downloadable = 0;
        self.moved(Direction::Download);
        self.staging = Staging::default();
        self.record.staged = None;
        state.disk.replace(Replaced::FirstDownload);
        self.bind_after = state.disk.moved();
        self.healthy();
        self.drive(state, now);
    }

    /// What came is of no use: another attempt, a bounded number of times.
    pub(super) fn fresh_failed(&mut self, state: &mut State, now: Millis, reason: String) {
        self.unlink(state);
        self.drop_staging(state);
        self.strikes += 1;
        match &mut self.record.mark {
            Some(mark) if mark.attempt >= ATTEMPTS_MAX => self.reset_failed(state, reason),
            Some(mark) => {
                mark.attempt += 1;
                state.disk.touch_record();
                self.hold(state, now, 0);
            }
            None if self.strikes >= STRIKES_MAX => self.fail(state, Code::BAD_CHANGESET, reason),
            None => self.hold(state, now, 0),
        }
    }

    pub(super) fn drop_staging(&mut self, state: &mut State) {
        if self.staging.snapshot.is_some() || self.record.staged.is_some() {
            self.staging = Staging::default();
            self.record.staged = None;
            state.disk.drop_staged();
            state.disk.touch_record();
        }
    }
}
