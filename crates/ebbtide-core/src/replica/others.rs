//! Several engines on one store: what others have made of it is taken in, and what only we know goes on top. docs/tabs.md
//! tells the whole.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::log::{HistoryBody, HistoryEntry, LogEntry, decode_block};
use super::replica_state::{Authorship, Pending, Record, Replica, Sealed};
use super::root::Root;
use super::{Cursor, Identity};
use crate::batch::{Changes, CorruptStore, Head, open_sealed};
use crate::changeset::{Changeset, Instruction, ObjectId, ObjectRef, Renumbering};
use crate::clock::{Clock, EditTime, Millis};
use crate::codec::DecodeError;
use crate::ids::{ChangesetNumber, LogPosition, ObjectKey, ServerVersion};
use crate::merge::apply;
use crate::mutants::{Mutant, mutant};
use crate::objects::{KeySource, Snapshot, Synced};
use crate::reset::transfer;
use crate::schema::Schema;

/// What came of taking in what others have done.
#[derive(Clone, PartialEq, Debug)]
pub enum Taken {
    /// The replica is in step with the store.
    InStep(News),
    /// More was missed than the log has: the store must be read as a whole. The replica is as it was.
    Missed,
    /// Others and we have given the same key to different objects without a primary key. The replica is as it was.
    Collided,
}

/// What others have done.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct News {
    /// Whether the visible state may have changed.
    pub state: Moved,
    /// Our last changeset, of those that are in the base now, that the server is known to have.
    pub confirmed: Option<ChangesetNumber>,
    /// How many bytes our changesets have that were pending until then.
    pub confirmed_bytes: usize,
    /// How our changesets that the log does not have were moved.
    pub renumbered: Option<Renumbering>,
    /// How many changesets of others were passed over because a reset of ours has dropped the state that they belong to.
    pub passed_over: usize,
}

/// Whether something may have changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Moved {
    /// It is as it was.
    #[default]
    No,
    /// It may be another.
    Yes,
}

/// An entry of the log that is new to us.
enum Fresh {
    Own(Pending),
    Server(HistoryEntry, Option<Changeset>),
}

impl Fresh {
    /// The objects without a primary key that it creates: none if it is the server's, where there are no such classes.
    fn created(&self) -> impl Iterator<Item = (&str, ObjectKey)> {
        let own = match self {
            Fresh::Own(own) => Some(&own.changeset),
            Fresh::Server(..) => None,
        };
        own.into_iter().flat_map(created)
    }
}

/// The objects without a primary key that a changeset creates.
fn created(changeset: &Changeset) -> impl Iterator<Item = (&str, ObjectKey)> {
    changeset.instructions().filter_map(|instruction| match instruction {
        Instruction::CreateObject { object: ObjectRef { class, id: ObjectId::Local(key) }, .. } => {
            Some((changeset.name(class), key))
        }
        _ => None,
    })
}

impl Replica {
    /// Takes note that all that the log does not have, and the state as it is, are on their way into the store as one batch.
    pub fn seal(&mut self) {
        let sealed = Sealed { own: self.unlogged, current: self.current.clone(), records: None };
        self.sealed = Some(sealed);
    }

    /// Takes note that the batch is in the store.
    pub fn saved(&mut self) {
        let Some(sealed) = self.sealed.take() else { return };
        self.unlogged -= sealed.own;
        if self.synced == Synced::No {
            self.pending.drain(..sealed.own);
            self.base = sealed.current;
        }
    }

    /// Takes note that nothing of the batch is in the store.
    pub fn unsealed(&mut self) {
        if let Some(records) = self.sealed.take().and_then(|sealed| sealed.records) {
            self.records = records;
        }
    }

    /// Takes in what others have appended to the log beyond position `known`, and the root that they have written. Ours that
    /// the log does not have comes after it; `ahead` are the server's entries that we have and the log does not. No batch may be
    /// under way.
    pub fn take(
        &mut self,
        known: LogPosition,
        changes: &Changes,
        ahead: &[HistoryEntry],
    ) -> Result<Taken, CorruptStore> {
        let (root, entries) = read_changes(known, changes)?;
        if root.as_ref().is_some_and(|root| !self.has_seen(root)) {
            return Ok(Taken::Missed);
        }
        let mut places = entries.iter().filter_map(LogEntry::place).chain(root.as_ref().and_then(|root| root.cursor));
        if places.any(|at| self.contradicts(at, ahead)) {
            return Ok(Taken::Missed);
        }
        let Some(fresh) = self.fresh(entries).map_err(damaged)? else { return Ok(Taken::Missed) };
        let theirs: BTreeSet<(&str, ObjectKey)> = fresh.iter().flat_map(Fresh::created).collect();
        if !theirs.is_empty() && self.collides(|class, key| theirs.contains(&(class, key))) {
            return Ok(Taken::Collided);
        }
        drop(theirs);
        let mut news = News::default();
        if let Some(root) = root {
            news.state = self.adopt(&root);
        }
        self.append(fresh, &mut news);
        Ok(Taken::InStep(news))
    }

    /// Takes note of what others have done to a store whose state is about to be replaced by ours: of their changesets, those
    /// that belong to the state before are passed over.
    pub fn supersede(&mut self, known: LogPosition, changes: &Changes) -> Result<Taken, CorruptStore> {
        let (root, entries) = read_changes(known, changes)?;
        let mut news = News { passed_over: self.count_superseded(entries).map_err(damaged)?, ..News::default() };
        if let Some(root) = root {
            if !fits(self.base.schema(), &root.manifest.schema) {
                return Ok(Taken::Missed);
            }
            news.state = self.adopt(&root);
        }
        Ok(Taken::InStep(news))
    }

    /// How many changesets of the author that we were before a reset are new to us.
    fn count_superseded(&self, entries: Vec<LogEntry>) -> Result<usize, DecodeError> {
        let Some(former) = self.former else { return Ok(0) };
        let mut count = 0;
        for entry in entries {
            if let LogEntry::Local(bytes) = entry {
                let changeset = Changeset::decode(&bytes)?;
                let is_new = changeset.client == former.client && changeset.number > former.last_number;
                count += usize::from(is_new);
            }
        }
        Ok(count)
    }

    /// Whether a store has objects without a primary key under keys that we have given to others since.
    pub fn collides_with(&self, theirs: &Replica) -> bool {
        let schema = theirs.base.schema();
        self.collides(|class, key| {
            schema.class_index(class).is_some_and(|index| theirs.base.table(index).contains(key))
        })
    }

    /// Whether something is true of an object without a primary key whose creation the log does not have.
    fn collides(&self, is_there: impl Fn(&str, ObjectKey) -> bool) -> bool {
        self.unlogged().any(|own| created(&own.changeset).any(|(class, key)| is_there(class, key)))
    }

    /// Makes this realm what a store has as a whole, by the difference; ours that the log does not have comes after it. The
    /// schemas have been compared: what both have is the same in both. No batch may be under way.
    pub fn take_whole(&mut self, theirs: Replica) -> News {
        let before = self.current.clone();
        let former = self.former_times(&theirs);
        let mut keys = KeySource::new(self.next_key, vec![&before]).with_former_times(former);
        let (mut base, latest) = transfer(&self.base, &theirs.base, &mut keys);
        base.author(theirs.identity.client);
        let shared = same_authors(&base, theirs.base.authors().ids())
            && (fits(base.schema(), theirs.base.schema()) || fits(theirs.base.schema(), base.schema()));
        let (from, unlogged) = self.split_unlogged();
        let confirmed = (from.client == theirs.identity.client).then(|| ChangesetNumber(theirs.first_pending().0 - 1));
        let confirmed_bytes = confirmed.map_or(0, |number| self.pending_bytes(number));
        self.base = base;
        self.pending = theirs.pending;
        self.identity = theirs.identity;
        self.clock.observe(latest);
        self.clock.observe(theirs.clock.last());
        self.cursor = theirs.cursor;
        self.schema_version = theirs.schema_version;
        self.main_key = self.main_key.max(theirs.main_key).max(theirs.next_key);
        self.records = theirs.records;
        self.records.of = if shared { Authorship::Shared } else { Authorship::Foreign };
        let renumbered = self.move_unlogged(from, unlogged);
        self.replay(&mut keys);
        News { state: Moved::Yes, confirmed, confirmed_bytes, renumbered, passed_over: 0 }
    }

    /// When the latest edit was made that the base has. Reads all of it.
    pub fn latest(&self) -> EditTime {
        self.base.latest()
    }

    /// Gives our changesets after number `after`, which nobody else has seen, other times if they were made later than
    /// `latest`: at `now`, in their order. Only a checkpoint can keep them, for the log has them as they were.
    pub fn restamp(&mut self, after: ChangesetNumber, now: Millis, latest: Millis) {
        let is_late = |own: &&Pending| own.changeset.number > after && own.changeset.time.millis() > latest;
        let late: Vec<EditTime> = self.pending.iter().filter(is_late).map(|own| own.changeset.time).collect();
        let Some(first) = late.first() else { return };
        let rest = self.pending.partition_point(|own| own.changeset.number <= after);
        // What the base has is not to win over what was made after it.
        let mut earlier = Clock::at(self.latest());
        for own in self.pending.iter().take_while(|own| own.changeset.time < *first) {
            earlier.observe(own.changeset.time);
        }
        let times: BTreeMap<EditTime, EditTime> = late.iter().map(|time| (*time, earlier.tick(now))).collect();
        self.clock = earlier;
        let before = self.current.clone();
        let former = times.iter().map(|(from, to)| (*to, *from)).collect();
        let mut keys = KeySource::new(self.next_key, vec![&before]).with_former_times(former);
        let moved = self.pending.split_off(rest);
        let client = self.identity.client;
        let number = ChangesetNumber(self.identity.last_number.0 - moved.len() as u64);
        self.identity.last_number = number;
        self.identity.last_hash = moved.front().map_or(self.identity.last_hash, |own| own.changeset.parent);
        let renumbering = Renumbering { from: client, after: number, to: client, to_after: number, base: None, times };
        self.push_renumbered(&renumbering, moved);
        self.replay(&mut keys);
    }

    /// Takes note that the base has our changesets up to this number: it is a state of the server's from after they had
    /// arrived. Only a checkpoint can keep that, for the log has them as pending.
    pub fn found_in_base(&mut self, number: ChangesetNumber) {
        let before = self.current.clone();
        let mut keys = KeySource::new(self.next_key, vec![&before]);
        let found = self.pending.partition_point(|own| own.changeset.number <= number);
        drop(self.pending.drain(..found));
        self.unlogged = self.unlogged.min(self.pending.len());
        self.replay(&mut keys);
    }

    /// Takes the log in, at opening.
    pub(super) fn reload(&mut self, entries: Vec<LogEntry>) -> Result<(), DecodeError> {
        let Some(fresh) = self.fresh(entries)? else {
            return Err(DecodeError { expected: "entries that continue what the root has", offset: 0 });
        };
        // The visible state is let go first, so that the base is changed in place.
        self.current = Snapshot::default();
        self.append(fresh, &mut News { state: Moved::Yes, ..News::default() });
        Ok(())
    }

    /// The times that our changesets had which have others in the store, by the latter.
    fn former_times(&self, theirs: &Replica) -> BTreeMap<EditTime, EditTime> {
        if self.identity.client != theirs.identity.client {
            return BTreeMap::new();
        }
        let times: BTreeMap<ChangesetNumber, EditTime> =
            self.pending().map(|own| (own.changeset.number, own.changeset.time)).collect();
        let pairs = theirs.pending().filter_map(|own| Some((own.changeset.time, *times.get(&own.changeset.number)?)));
        pairs.filter(|(now, then)| now != then).collect()
    }

    /// Who we are as the log has it: without the changesets that it does not have.
    pub fn logged(&self) -> Identity {
        match self.unlogged().next() {
            Some(first) => Identity {
                client: self.identity.client,
                last_number: ChangesetNumber(first.changeset.number.0 - 1),
                last_hash: first.changeset.parent,
            },
            None => self.identity,
        }
    }

    /// The bytes of our pending changesets up to this number.
    fn pending_bytes(&self, number: ChangesetNumber) -> usize {
        let until = self.pending.iter().take_while(|own| own.changeset.number <= number);
        until.map(|own| own.bytes.len()).sum()
    }

    /// The number of our first changeset that the server has not confirmed, or would have.
    fn first_pending(&self) -> ChangesetNumber {
        match self.pending().next() {
            Some(first) => first.changeset.number,
            None => ChangesetNumber(self.identity.last_number.0 + 1),
        }
    }

    /// Whether the pages of a root have nothing that we have not, and its schema can be ours.
    fn has_seen(&self, root: &Root) -> bool {
        let ours = self.logged();
        let schema = self.base.schema();
        let cursor = match (root.cursor, self.cursor) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(theirs), Some(ours)) => theirs.epoch == ours.epoch && theirs.version <= ours.version,
        };
        cursor
            && root.synced == self.synced
            && root.identity.client == ours.client
            && root.identity.last_number <= ours.last_number
            && (fits(schema, &root.manifest.schema) || fits(&root.manifest.schema, schema))
    }

    /// Whether we have another place in the server's history under the same version. A server that was restored from a backup
    /// gives the version to something else, with another salt.
    fn contradicts(&self, at: Cursor, ahead: &[HistoryEntry]) -> bool {
        let found = ahead.binary_search_by_key(&at.version, |entry| entry.at.version);
        let ours = found.map_or(self.cursor, |index| Some(ahead[index].at));
        ours.is_some_and(|ours| ours.version == at.version && ours.salt != at.salt)
    }

    /// Takes over a root that others have written: its page records, and what its schema has beyond ours.
    fn adopt(&mut self, root: &Root) -> Moved {
        let schema = &root.manifest.schema;
        let grows = fits(self.base.schema(), schema) && self.base.schema() != schema;
        if grows {
            self.extend_schema(schema);
        }
        self.schema_version = self.schema_version.max(root.schema_version);
        if root.next_key.lane() == 0 {
            self.main_key = self.main_key.max(root.next_key);
        }
        self.clock.observe(root.clock);
        let known = root.records.iter().flatten().map(|saved| {
            let seen = self.records.known.get(&saved.record).filter(|record| record.checksum == saved.checksum);
            (saved.record, Record { bytes: seen.map_or(0, |seen| seen.bytes), checksum: saved.checksum })
        });
        self.records.known = known.collect();
        self.records.next = root.next_record;
        let shared = same_authors(&self.base, root.manifest.authors.ids());
        self.records.of = if shared { Authorship::Shared } else { Authorship::Foreign };
        if grows { Moved::Yes } else { Moved::No }
    }

    /// The entries that are new to us; `None` if they do not continue what we have.
    fn fresh(&self, entries: Vec<LogEntry>) -> Result<Option<Vec<Fresh>>, DecodeError> {
        let Identity { client, mut last_number, .. } = self.logged();
        let mut cursor = self.cursor;
        let mut fresh = Vec::new();
        for entry in entries {
            match entry {
                LogEntry::Local(bytes) => {
                    let changeset = Changeset::decode(&bytes)?;
                    if changeset.client != client || changeset.number.0 > last_number.0 + 1 {
                        return Ok(None);
                    }
                    if changeset.number > last_number || mutant(Mutant::RepeatTaken) {
                        last_number = changeset.number;
                        fresh.push(Fresh::Own(Pending { changeset, bytes }));
                    }
                }
                LogEntry::Server(entry) => {
                    match cursor {
                        Some(Cursor { epoch, .. }) if epoch != entry.at.epoch => return Ok(None),
                        Some(Cursor { version, .. }) if entry.at.version <= version => continue,
                        Some(_) | None => {}
                    }
                    cursor = Some(entry.at);
                    let changeset = match &entry.body {
                        HistoryBody::Full(bytes) => Some(Changeset::decode(bytes)?),
                        HistoryBody::Own(_) | HistoryBody::Nothing => None,
                    };
                    fresh.push(Fresh::Server(entry, changeset));
                }
            }
        }
        Ok(Some(fresh))
    }

    /// Puts new entries between what the log had and ours that it has not.
    fn append(&mut self, fresh: Vec<Fresh>, news: &mut News) {
        if fresh.is_empty() && news.state == Moved::No {
            return;
        }
        news.state = Moved::Yes;
        let before = self.current.clone();
        let mut keys = KeySource::new(self.next_key, vec![&before]);
        let (from, unlogged) = self.split_unlogged();
        // Changesets of the store's own that come alone are applied on top of what is there.
        let on_top = unlogged.is_empty()
            && self.synced == Synced::Yes
            && self.current.has_schema_of(&self.base)
            && fresh.iter().all(|entry| matches!(entry, Fresh::Own(_)));
        for entry in fresh {
            match entry {
                Fresh::Own(own) => {
                    self.clock.observe(own.changeset.time);
                    self.identity.last_number = own.changeset.number;
                    self.identity.last_hash = self.hash_of(&own.bytes);
                    match self.synced {
                        Synced::No => apply(&mut self.base, &own.changeset, ServerVersion(0), &mut keys),
                        Synced::Yes => {
                            if on_top {
                                apply(&mut self.current, &own.changeset, ServerVersion::PENDING, &mut keys);
                            }
                            self.pending.push_back(own);
                        }
                    }
                }
                Fresh::Server(entry, changeset) => {
                    if let HistoryBody::Own(number) = entry.body {
                        news.confirmed = Some(number);
                        news.confirmed_bytes += self.pending_bytes(number);
                    }
                    self.integrate(&entry, changeset.as_ref(), &mut keys);
                }
            }
        }
        news.renumbered = self.move_unlogged(from, unlogged);
        if on_top { self.keep_keys(&keys) } else { self.replay(&mut keys) }
    }

    /// Takes what the log does not have off the end of pending. Gives who we are without it, and it.
    fn split_unlogged(&mut self) -> (Identity, VecDeque<Pending>) {
        self.identity = self.logged();
        let unlogged = self.pending.split_off(self.pending.len() - self.unlogged);
        self.unlogged = 0;
        (self.identity, unlogged)
    }

    /// Puts back what was taken off, so that it continues the chain as it is now.
    fn move_unlogged(&mut self, from: Identity, unlogged: VecDeque<Pending>) -> Option<Renumbering> {
        let to = self.identity;
        self.unlogged = unlogged.len();
        if from == to || unlogged.is_empty() {
            if let Some(last) = unlogged.back() {
                self.identity.last_number = last.changeset.number;
                self.identity.last_hash = self.hash_of(&last.bytes);
            }
            self.pending.extend(unlogged);
            return None;
        }
        let renumbering = Renumbering {
            from: from.client,
            after: from.last_number,
            to: to.client,
            to_after: to.last_number,
            // Versions of a history that is no more mean nothing in the next.
            base: (from.client != to.client).then(|| self.cursor.map_or(ServerVersion(0), |cursor| cursor.version)),
            times: unlogged.iter().map(|own| (own.changeset.time, own.changeset.time)).collect(),
        };
        self.push_renumbered(&renumbering, unlogged);
        Some(renumbering)
    }

    fn push_renumbered(&mut self, renumbering: &Renumbering, moved: VecDeque<Pending>) {
        for own in moved {
            let changeset = own.changeset.renumbered(renumbering, self.identity.last_hash);
            let bytes = changeset.encode();
            self.identity.last_number = changeset.number;
            self.identity.last_hash = self.hash_of(&bytes);
            self.pending.push_back(Pending { changeset, bytes });
        }
    }
}

/// The root, if it was written since position `known`, and the entries since.
fn read_changes(known: LogPosition, changes: &Changes) -> Result<(Option<Root>, Vec<LogEntry>), CorruptStore> {
    let head = Head::decode(&changes.head)?;
    let root = changes.root.as_deref().map(|root| open_sealed("root record", root, Root::decode)).transpose()?;
    let start = root.as_ref().map_or(known, |root| root.log_start);
    let entries = read_log(&changes.log, (start, head.next_position))?;
    Ok((root, entries))
}

/// The entries of blocks that go from one position to another, with none missing.
pub(super) fn read_log(
    blocks: &[(LogPosition, Vec<u8>)],
    (start, end): (LogPosition, LogPosition),
) -> Result<Vec<LogEntry>, CorruptStore> {
    let missing = |at: LogPosition| CorruptStore::Missing { record: format!("log block {}", at.0) };
    let mut entries = Vec::new();
    let mut next = start;
    for (first, block) in blocks {
        if *first != next {
            return Err(missing(next));
        }
        entries.extend(decode_block(*first, block)?);
        next = LogPosition(start.0 + entries.len() as u64);
    }
    if next == end { Ok(entries) } else { Err(missing(next)) }
}

pub(super) fn damaged(error: DecodeError) -> CorruptStore {
    CorruptStore::Damaged { record: "log".into(), reason: error.to_string() }
}

/// Whether every class and property of `first` has the same place and type in `longer`.
fn fits(first: &Schema, longer: &Schema) -> bool {
    first.classes.len() <= longer.classes.len()
        && first.classes.iter().zip(&longer.classes).all(|(class, same)| {
            class.name == same.name
                && class.kind == same.kind
                && class.primary_key == same.primary_key
                && class.properties.len() <= same.properties.len()
                && class.properties.iter().zip(&same.properties).all(|(property, same)| property == same)
        })
}

/// Whether a state numbers authors as a list does, as far as both go.
fn same_authors(state: &Snapshot, authors: &[crate::ids::ClientId]) -> bool {
    state.authors().ids().iter().zip(authors).all(|(ours, theirs)| ours == theirs)
}
