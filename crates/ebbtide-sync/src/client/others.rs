//! Other engines on the same store: what they have written is taken in, and one of all speaks to the server. docs/tabs.md
//! tells the whole.

use ebbtide_core::batch::{Changes, CorruptStore, Head, LoadedStore};
use ebbtide_core::mutants::{Mutant, mutant};
use ebbtide_core::notify::Compare;
use ebbtide_core::objects::Synced;
use ebbtide_core::replica::{Cursor, Moved, News, Replica, Taken};
use ebbtide_core::schema::compare;
use ebbtide_core::{LogPosition, Millis};

use super::engine::{Engine, Life};
use super::error::{StoreFailure, StoreFailureKind};
use super::event::{BatchId, Effect, Look, Origin, Seen, WaitId};
use super::flush::{Followed, Replaced};
use super::fresh::Staging;
use super::mark::FreshRecord;
use super::options::Role;
use super::waits::Wait;

/// Looks at the store: one at a time, and one more after it if somebody has written meanwhile.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks {
    /// How many were begun.
    begun: u64,
    under_way: Option<Look>,
    wanted: Wanted,
    /// Whether this engine leads as soon as it has seen all.
    leads_then: bool,
}

/// What there is to look for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Wanted {
    #[default]
    Nothing,
    /// What the store has beyond what we know.
    More,
    /// All, before anything else is written.
    All,
}

impl Looks {
    /// Somebody has written.
    pub(super) fn nudge(&mut self) {
        self.wanted = self.wanted.max(Wanted::More);
    }

    /// Whether nothing may be written before the store has been seen as a whole.
    pub(super) fn must_see_all(&self) -> bool {
        self.wanted == Wanted::All || self.under_way == Some(Look::Whole)
    }

    /// The next look, if there is one to take now: not while a batch is under way, which finds out by itself.
    pub(super) fn next(&mut self, head: Option<Head>, failure: Option<&StoreFailure>) -> Option<Look> {
        if self.under_way.is_some() || failure.is_some() {
            return None;
        }
        let look = match (self.wanted, head) {
            (Wanted::Nothing, _) | (_, None) => return None,
            (Wanted::More, Some(head)) => Look::Since(head),
            (Wanted::All, Some(_)) => Look::Whole,
        };
        self.wanted = Wanted::Nothing;
        self.under_way = Some(look);
        self.begun += 1;
        Some(look)
    }

    /// The first look that sees what is there now.
    fn seeing_now(&self) -> u64 {
        self.begun + 1
    }
}

impl Engine {
    /// What the engine is to others on the same store.
    pub fn role(&self) -> Role {
        self.state.role
    }

    /// The lead is ours: what the leader before has left in the store is read first.
    pub(super) fn lead(&mut self) {
        if self.state.role == Role::Leads {
            return;
        }
        match self.session {
            Some(_) => {
                self.looks.wanted = Wanted::All;
                self.looks.leads_then = true;
            }
            None => self.state.role = Role::Leads,
        }
    }

    /// The lead is no longer ours.
    pub(super) fn follow(&mut self) {
        self.looks.leads_then = false;
        if self.state.role == Role::Leads {
            self.state.role = Role::Follows;
            if let Some(session) = &mut self.session {
                session.follow(&mut self.state);
            }
        }
    }

    /// The leader has answered: what it has stored is to be seen.
    pub(super) fn leader_answered(&mut self, id: WaitId, result: Result<(), String>) {
        let look = self.looks.seeing_now();
        let mut was_asked = false;
        self.state.waits.update_each(|other, wait| {
            if other == id && *wait == Wait::LeaderAsked {
                was_asked = true;
                *wait = Wait::DownloadLooked { look };
            }
        });
        match result {
            Ok(()) if was_asked => self.looks.nudge(),
            Ok(()) => {}
            Err(_) if was_asked => {
                self.state.waits.cancel(id);
                self.state.effect(Effect::WaitDone(id, result));
            }
            Err(_) => {}
        }
    }

    /// The batch is not in the store, because of what others have written.
    pub(super) fn overtaken(&mut self, now: Millis, id: BatchId, seen: Seen) {
        let Some(expected) = self.state.disk.overtaken(id) else { return };
        self.state.replica.unsealed();
        let known = expected.map_or(LogPosition(1), |head| head.next_position);
        match seen {
            Seen::Since(changes) => self.take(known, &changes),
            Seen::Whole(loaded) => self.take_whole(now, &loaded),
            Seen::Failed(failure) => self.fail(failure),
        }
    }

    /// What a look has found.
    pub(super) fn seen(&mut self, now: Millis, seen: Seen) {
        let Some(look) = self.looks.under_way.take() else { return };
        let number = self.looks.begun;
        match (seen, look) {
            (Seen::Failed(failure), _) => return self.fail(failure),
            // A batch is under way: it finds out for itself, or has moved us beyond what was seen.
            (Seen::Since(_), _) if self.state.disk.head().is_none() || self.state.disk.replaced().is_some() => {
                self.looks.nudge();
                return;
            }
            (Seen::Since(changes), Look::Since(head)) => self.take(head.next_position, &changes),
            (Seen::Since(_), Look::Whole) => self.looks.wanted = Wanted::All,
            (Seen::Whole(loaded), _) => self.take_whole(now, &loaded),
        }
        if !self.looks.must_see_all() {
            let is_seen = |wait: &Wait| matches!(wait, Wait::DownloadLooked { look } if *look <= number);
            let state = &mut self.state;
            state.waits.settle(&mut state.effects, &Ok(()), is_seen);
        }
    }

    /// Takes in what others have written since.
    fn take(&mut self, known: LogPosition, changes: &Changes) {
        let before = Told::by(&self.state.replica);
        match self.try_take(known, changes) {
            Ok(Taken::InStep(news)) => {
                self.tell_server(before);
                self.took(&news);
            }
            Ok(Taken::Missed) => self.looks.wanted = Wanted::All,
            Ok(Taken::Collided) => self.fail(collision()),
            Err(corrupt) => self.fail(unreadable(&corrupt)),
        }
    }

    fn try_take(&mut self, known: LogPosition, changes: &Changes) -> Result<Taken, CorruptStore> {
        let head = Head::decode(&changes.head)?;
        let state = &mut self.state;
        let is_other_state = state.disk.head().is_some_and(|ours| ours.generation != head.generation);
        if is_other_state {
            return Ok(Taken::Missed);
        }
        state.changing(Origin::Remote);
        let taken = match state.disk.replaced() {
            Some(Replaced::Reset) => state.replica.supersede(known, changes)?,
            Some(Replaced::Migration) => {
                self.fail(conflict());
                return Ok(Taken::InStep(News::default()));
            }
            // What others have appended continues the chain as it was.
            Some(Replaced::Pending) => return Ok(Taken::Missed),
            Some(Replaced::FirstDownload) | None => state.replica.take(known, changes, state.disk.unlogged())?,
        };
        if let Taken::InStep(_) = taken {
            let bytes = changes.log.iter().map(|(_, block)| block.len()).sum();
            let log = if changes.root.is_some() { Followed::Anew(bytes) } else { Followed::Appended(bytes) };
            state.disk.follow(head, log, &state.replica);
            if state.role == Role::Leads && state.disk.has_long_log(&state.replica) {
                state.disk.checkpoint();
            }
        }
        Ok(taken)
    }

    fn took(&mut self, news: &News) {
        if news.state == Moved::No && news.confirmed.is_none() && news.passed_over == 0 {
            return;
        }
        if let Some(session) = &mut self.session {
            session.others_have(&mut self.state, news);
        }
    }

    /// Makes the realm what the store is as a whole.
    fn take_whole(&mut self, now: Millis, loaded: &LoadedStore) {
        let before = Told::by(&self.state.replica);
        if let Err(failure) = self.try_take_whole(loaded) {
            return self.fail(failure);
        }
        self.tell_server(before);
        if std::mem::take(&mut self.looks.leads_then)
            && let Some(session) = &mut self.session
        {
            self.state.role = Role::Leads;
            let record = match loaded.reset.as_deref().map(FreshRecord::decode).transpose() {
                Ok(record) => record.unwrap_or_default(),
                Err(corrupt) => return self.fail(unreadable(&corrupt)),
            };
            let staging = Staging::load(&record, loaded);
            if self.life == Life::Open {
                session.lead(&mut self.state, now, record, staging);
            }
        }
    }

    fn try_take_whole(&mut self, loaded: &LoadedStore) -> Result<(), StoreFailure> {
        let state = &mut self.state;
        let Some(head) =
            loaded.head.as_deref().map(Head::decode).transpose().map_err(|corrupt| unreadable(&corrupt))?
        else {
            let message = "The store was emptied while the realm was open.".to_string();
            return Err(StoreFailure { kind: StoreFailureKind::Closed, message });
        };
        if state.disk.head() == Some(head) && state.disk.replaced().is_none() {
            return Ok(());
        }
        if state.disk.replaced() == Some(Replaced::Migration) {
            return Err(conflict());
        }
        let theirs = Replica::load(loaded).map_err(|corrupt| unreadable(&corrupt))?;
        if state.replica.collides_with(&theirs) {
            return Err(collision());
        }
        let ours = state.replica.base().schema();
        let difference = compare(ours, theirs.base().schema());
        let adds = state.disk.wants_pages() || state.disk.head().is_none();
        if theirs.synced() != state.replica.synced()
            || !difference.conflicts.is_empty()
            || (!difference.missing.is_empty() && !adds)
        {
            let mut problems: Vec<String> =
                difference.conflicts.iter().chain(&difference.missing).map(ToString::to_string).collect();
            if problems.is_empty() {
                problems.push(kind_problem(theirs.synced()).to_string());
            }
            return Err(outdated(&problems));
        }
        let author = state.replica.identity().client;
        let is_other_state = state.disk.head().is_some_and(|ours| ours.generation != head.generation);
        let had_state = state.disk.replaced().is_some() || is_other_state;
        state.changing_by(Origin::Remote, Compare::Values);
        let news = state.replica.take_whole(theirs);
        let log_bytes = loaded.log.iter().map(|(_, block)| block.len()).sum();
        state.disk.restart(head, log_bytes, &state.replica);
        // What was downloaded and waited for its batch is not written any more; the store may not have it.
        state.waits.update(|wait| {
            if let Wait::DownloadStored { .. } = wait {
                *wait = Wait::DownloadAsked;
            }
        });
        if !difference.missing.is_empty() {
            state.disk.checkpoint();
        }
        if let Some(session) = &mut self.session {
            session.others_have(state, &news);
            // Numbers of the author before mean nothing any more: what waits for one waits for all that is there now.
            if state.replica.identity().client != author {
                session.has_other_author(state);
            }
            if state.role == Role::Leads && had_state {
                // What was to replace the store's state, or a mark to replace one that somebody has replaced since, is
                // nothing any more: the session begins where the store is.
                session.begin_anew(state);
                self.looks.leads_then = true;
            }
        }
        Ok(())
    }

    /// If another engine has made the schema larger than it was, the server is to hear of it from whoever leads; if it has
    /// taken us to another place in the history, the server is to go on from there.
    fn tell_server(&mut self, before: Told) {
        let now = Told::by(&self.state.replica);
        let grown = now.schema_size > before.schema_size && !mutant(Mutant::SchemaUntold);
        if let Some(session) = self.session.as_mut().filter(|_| self.state.role == Role::Leads)
            && (grown || now.cursor != before.cursor)
        {
            session.rebind(&mut self.state);
        }
    }

    fn fail(&mut self, failure: StoreFailure) {
        if self.state.disk.failure().is_none() {
            self.state.disk.fail(failure.clone());
            self.store_failed(failure);
        }
    }
}

/// What the server knows of a realm from the last BIND on.
#[derive(Clone, Copy)]
struct Told {
    /// How many classes and properties there are: a schema only grows.
    schema_size: usize,
    cursor: Option<Cursor>,
}

impl Told {
    fn by(replica: &Replica) -> Told {
        let classes = &replica.base().schema().classes;
        let schema_size = classes.iter().map(|class| 1 + class.properties.len()).sum();
        Told { schema_size, cursor: replica.cursor() }
    }
}

fn unreadable(corrupt: &CorruptStore) -> StoreFailure {
    StoreFailure { kind: StoreFailureKind::Other, message: corrupt.to_string() }
}

fn conflict() -> StoreFailure {
    let message =
        "Somebody else has written to the realm while its schema was being changed here. Nothing of the change \
                   was stored; open the realm again."
            .to_string();
    StoreFailure { kind: StoreFailureKind::Conflict, message }
}

fn collision() -> StoreFailure {
    let message = "Another tab has created the same realm at the same time, and both have given the same keys to objects. What this one \
                   has written since is not stored; load the page again."
        .to_string();
    StoreFailure { kind: StoreFailureKind::Conflict, message }
}

fn outdated(problems: &[String]) -> StoreFailure {
    let message = format!(
        "A later version of the app has changed the realm's schema in another tab, and this one cannot follow; load the \
         page again. {}",
        problems.join(" ")
    );
    StoreFailure { kind: StoreFailureKind::Outdated, message }
}

fn kind_problem(theirs: Synced) -> &'static str {
    match theirs {
        Synced::Yes => "It is a synced realm now.",
        Synced::No => "It is a local realm now.",
    }
}
