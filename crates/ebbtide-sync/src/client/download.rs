//! History in both directions: entries that come, changesets that go, and what each side knows of the other.

use ebbtide_core::mutants::{Mutant, mutant};
use ebbtide_core::notify::Compare;
use ebbtide_core::replica::{Cursor, HistoryBody, HistoryEntry};
use ebbtide_core::{ChainHash, ChangesetNumber, EditTime, Epoch, Millis, ServerVersion};

use super::event::{Direction, Effect, Origin};
use super::flush::Replaced;
use super::session::{Link, Session};
use super::state::State;
use super::upload::UploadWindow;
use super::waits::Wait;
use crate::wire::{ClientMessage, Code, Entry, EntryBody, SessionId, UploadCursor};

/// By how much our clock may be ahead of the server's before it is corrected; a message takes its time.
const CLOCK_AHEAD_MS: u64 = 60 * 1_000;
/// Bytes of one UPLOAD, the changeset that fills it aside.
const UPLOAD_BYTES: usize = 256 * 1024;

impl Session {
    /// The server accepts the session: both sides compare what they have of each other once more.
    pub(super) fn bound(
        &mut self,
        state: &mut State,
        (now, server): (Millis, Option<Millis>),
        session: SessionId,
        (epoch, head): (Epoch, ServerVersion),
        last: Option<UploadCursor>,
    ) {
        self.answered();
        let cursor = state.replica.cursor().expect("invariant: SYNC is bound with a cursor");
        if epoch != cursor.epoch {
            let reason = "the server's history of this realm is another one".to_string();
            return self.begin_reset(state, now, Code::DIVERGING_HISTORIES, reason);
        }
        if head < cursor.version {
            let reason = format!("the client is at version {}, the server at {}", cursor.version.0, head.0);
            return self.begin_reset(state, now, Code::BAD_SERVER_VERSION, reason);
        }
        if let Err(reason) = check_chain(state, last) {
            return self.begin_reset(state, now, Code::BAD_CLIENT_VERSION, reason);
        }
        let number = last.map_or(ChangesetNumber(0), |last| last.number);
        if let Some(server) = server
            && self.corrects_times(state, (now, server), number)
        {
            return;
        }
        self.had = (head, number);
        if cursor.version >= head && self.finds_in_base(state, number) {
            return;
        }
        self.link = Link::Bound(session);
        self.doubted = false;
        self.window = UploadWindow::after(number);
        self.told_version = cursor.version;
        self.acknowledge(state, number);
    }

    /// Whether our base has changesets of ours that we still have as pending, up to this one, which the server has. It sends no
    /// entries for what was in the state that we began with: a store that was put back to what it was before its first
    /// download begins with its own changesets. Then the session begins anew when that is on disk.
    fn finds_in_base(&mut self, state: &mut State, number: ChangesetNumber) -> bool {
        if state.replica.pending().next().is_none_or(|first| first.changeset.number > number) {
            return false;
        }
        state.changing(Origin::Remote);
        state.replica.found_in_base(number);
        state.disk.replace(Replaced::Pending);
        self.rebind(state);
        true
    }

    /// Whether our clock is so far ahead of the server's that changesets which the server does not have had to be given other
    /// times. Then the session begins anew when they are on disk. From here on our clock is read as the server's.
    fn corrects_times(&mut self, state: &mut State, (now, server): (Millis, Millis), after: ChangesetNumber) -> bool {
        let latest = Millis(server.0.saturating_add(CLOCK_AHEAD_MS));
        state.ahead_ms = if now > latest { now.0 - server.0 } else { 0 };
        let is_early = |latest| {
            let mut pending = state.replica.pending();
            pending.all(|own| own.changeset.number <= after || own.changeset.time.millis() <= latest)
        };
        // What was made on a state that is ahead itself, as far as the server allows, cannot be earlier than that: neither
        // than what the base has nor than what the server has of us and has not sent back yet.
        let seen = || {
            let taken = state.replica.pending().take_while(|own| own.changeset.number <= after);
            taken.map(|own| own.changeset.time).fold(state.replica.latest(), EditTime::max).millis()
        };
        if is_early(latest) || is_early(latest.max(seen())) {
            return false;
        }
        state.changing_by(Origin::Local, Compare::Values);
        state.replica.restamp(after, server, latest);
        state.disk.replace(Replaced::Pending);
        self.rebind(state);
        true
    }

    /// Sends what is on disk for good, as much as may be under way.
    pub(super) fn upload(&mut self, state: &mut State, now: Millis, session: SessionId) {
        if !self.window.is_open() {
            return;
        }
        let durable = state.disk.durable().identity.last_number;
        let (mut changesets, mut bytes) = (Vec::new(), 0);
        for own in state.replica.pending() {
            let number = own.changeset.number;
            if number <= self.window.sent() {
                continue;
            }
            if (number > durable && !mutant(Mutant::UploadBeforeDurable)) || !self.window.has_room(own.bytes.len()) {
                break;
            }
            if bytes > 0 && bytes + own.bytes.len() > UPLOAD_BYTES {
                let changesets = std::mem::take(&mut changesets);
                state.effects.push_back(Effect::Send(ClientMessage::Upload { session, changesets }));
                bytes = 0;
            }
            self.window.send(number, own.bytes.len());
            bytes += own.bytes.len();
            changesets.push(own.bytes.clone());
        }
        if bytes > 0 {
            state.effect(Effect::Send(ClientMessage::Upload { session, changesets }));
            self.expect_answer(now);
        }
    }

    /// The server has our changesets up to here.
    pub(super) fn acked(&mut self, state: &mut State, now: Millis, number: ChangesetNumber) {
        if !self.window.acknowledge(number) {
            let reason = format!("the server acknowledged changeset {}, which it was not sent", number.0);
            return self.violation(state, now, Code::BAD_SYNTAX, reason);
        }
        if self.window.is_waiting() {
            self.expect_answer(now)
        } else {
            self.answered()
        }
        self.healthy();
        self.acknowledge(state, number);
    }

    pub(super) fn acknowledge(&mut self, state: &mut State, number: ChangesetNumber) {
        let number = ChangesetNumber(number.0 + u64::from(mutant(Mutant::AckOffByOne)));
        if number > self.acknowledged {
            let fresh = state.replica.pending().filter(|own| {
                let own = own.changeset.number;
                own > self.acknowledged && own <= number
            });
            self.uploaded += fresh.map(|own| own.bytes.len() as u64).sum::<u64>();
            self.acknowledged = number;
            self.moved(Direction::Upload);
        }
        let acknowledged = self.acknowledged;
        state.waits.settle(
            &mut state.effects,
            &Ok(()),
            |wait| matches!(wait, Wait::Upload { number } if *number <= acknowledged),
        );
    }

    /// Takes entries in: memory at once, disk with the next batch, the server hears of it when they are there.
    pub(super) fn download(&mut self, state: &mut State, now: Millis, entries: Vec<Entry>, upto: Cursor) {
        let cursor = state.replica.cursor().expect("invariant: SYNC is bound with a cursor");
        let (head, number) = self.had;
        // Ours come in their order: what is passed over is in the base.
        let next_own = entries.iter().find_map(|entry| match entry.body {
            EntryBody::Own(next) => Some(ChangesetNumber(next.0.saturating_sub(1))),
            EntryBody::Full(_) | EntryBody::Compensation(_) => None,
        });
        if next_own.is_some_and(|passed| passed <= number && self.finds_in_base(state, passed)) {
            return;
        }
        let bytes: usize = entries.iter().map(entry_bytes).sum();
        let prepared = self.check_entries(state, cursor, entries, upto).and_then(|entries| {
            let last_own = entries.iter().rev().find_map(|entry| match entry.body {
                HistoryBody::Own(number) => Some(number),
                HistoryBody::Full(_) | HistoryBody::Nothing => None,
            });
            let download = state.replica.prepare(entries).map_err(|error| error.to_string())?;
            Ok((download, last_own))
        });
        let (download, last_own) = match prepared {
            Ok(prepared) => prepared,
            Err(reason) => return self.violation(state, now, Code::BAD_CHANGESET, reason),
        };
        self.healthy();
        if let Some(number) = last_own {
            self.window.acknowledge(number);
            self.acknowledge(state, number);
            if !self.window.is_waiting() {
                self.answered();
            }
        }
        if upto.version == cursor.version {
            return;
        }
        state.changing(Origin::Remote);
        let log = state.replica.receive(download);
        state.disk.log(log);
        self.downloaded += bytes as u64;
        self.downloadable = self.downloadable.saturating_sub(bytes as u64);
        self.moved(Direction::Download);
        if upto.version >= head {
            self.finds_in_base(state, number);
        }
    }

    /// Entries as the log keeps them, if they continue what we have.
    fn check_entries(
        &self,
        state: &State,
        cursor: Cursor,
        entries: Vec<Entry>,
        upto: Cursor,
    ) -> Result<Vec<HistoryEntry>, String> {
        let mut own = state.replica.pending().map(|own| own.changeset.number);
        let mut at = cursor;
        let mut log = Vec::with_capacity(entries.len() + 1);
        for entry in entries {
            if entry.version <= at.version {
                return Err(format!("entry {} came after entry {}", entry.version.0, at.version.0));
            }
            at = Cursor { epoch: cursor.epoch, version: entry.version, salt: entry.salt };
            let body = match entry.body {
                EntryBody::Full(bytes) | EntryBody::Compensation(bytes) => HistoryBody::Full(bytes),
                EntryBody::Own(number) if own.next() == Some(number) && number <= self.window.sent() => {
                    HistoryBody::Own(number)
                }
                EntryBody::Own(number) => {
                    return Err(format!("entry {} is called our changeset {}", entry.version.0, number.0));
                }
            };
            log.push(HistoryEntry { at, body });
        }
        let same_place = upto.version == at.version && upto.salt == at.salt;
        if upto.epoch != cursor.epoch || !(same_place || upto.version > at.version) {
            return Err(format!("a download up to {} does not continue version {}", upto.version.0, at.version.0));
        }
        if upto.version > at.version {
            log.push(HistoryEntry { at: upto, body: HistoryBody::Nothing });
        }
        Ok(log)
    }

    /// Everything that the server had when the mark was sent is in memory.
    pub(super) fn marked(&mut self, state: &mut State, mark: u64) {
        let moved = state.disk.moved();
        state.waits.update(|wait| {
            if matches!(wait, Wait::DownloadMarked { mark: asked } if *asked <= mark) {
                *wait = Wait::DownloadStored { moved };
            }
        });
        if state.disk.is_kept(moved) {
            let effects = &mut state.effects;
            state.waits.settle(effects, &Ok(()), |wait| matches!(wait, Wait::DownloadStored { .. }));
        }
    }
}

/// What the server has of us must be what we have: the hash of every changeset carries those before it.
fn check_chain(state: &State, last: Option<UploadCursor>) -> Result<(), String> {
    if mutant(Mutant::ChainUnchecked) {
        return Ok(());
    }
    let identity = state.replica.identity();
    let durable = state.disk.durable().identity.last_number;
    let first_pending = state.replica.pending().next();
    let confirmed = match first_pending {
        Some(own) => UploadCursor { number: ChangesetNumber(own.changeset.number.0 - 1), hash: own.changeset.parent },
        None => UploadCursor { number: identity.last_number, hash: identity.last_hash },
    };
    let theirs = last.unwrap_or(UploadCursor { number: ChangesetNumber(0), hash: ChainHash::default() });
    if theirs.number > durable {
        return Err(format!("the server has our changesets up to {}, we up to {}", theirs.number.0, durable.0));
    }
    if theirs.number < confirmed.number {
        return Err(format!(
            "the server has our changesets up to {} and had confirmed them up to {}",
            theirs.number.0, confirmed.number.0
        ));
    }
    let ours = match state.replica.pending().find(|own| own.changeset.number.0 == theirs.number.0 + 1) {
        Some(next) => next.changeset.parent,
        None => identity.last_hash,
    };
    if theirs.number.0 > 0 && ours != theirs.hash {
        return Err(format!("changeset {} of this client is another one on the server", theirs.number.0));
    }
    Ok(())
}

fn entry_bytes(entry: &Entry) -> usize {
    match &entry.body {
        EntryBody::Full(bytes) | EntryBody::Compensation(bytes) => bytes.len(),
        EntryBody::Own(_) => 0,
    }
}
