//! Both sides of the conversation, told anything in any order.

use ebbtide_core::batch::LoadedStore;
use ebbtide_core::objects::Constraints;
use ebbtide_core::{ChangesetNumber, ClientId, Epoch, Millis, Salt, ServerVersion};
use ebbtide_sync::client::{
    Effect, Engine, Event, Kind, Migration, OpenError, OpenOptions, ResetMode, Role, SyncOptions,
};
use ebbtide_sync::wire::{
    Action, ClientMessage, Code, Cursor, Entry, EntryBody, ErrorMessage, FreshResume, Purpose, ServerMessage,
    SessionId, UploadCursor,
};

use super::corpus::{Corpus, mutate};
use crate::server::DeviceId;
use crate::sim::Random;

/// How many things an engine or a server is told.
const TOLD: usize = 24;

/// An engine on a store.
pub(super) fn open(seed: u64, store: LoadedStore) -> Result<Engine, OpenError> {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let options = OpenOptions {
        schema: None,
        schema_version: None,
        migration: Migration::Automatic,
        constraints: Constraints::Refuse,
        read_only: false,
        kind: Kind::Synced(SyncOptions { realm: "realm".into(), reset_mode: ResetMode::DiscardUnsyncedChanges }),
        role: Role::Leads,
        lane: 0,
        seed: bytes,
    };
    Engine::open(Millis(1_700_000_000_000), options, store)
}

/// An engine that is told anything: its state stays sound.
pub(super) fn client(corpus: &Corpus, random: &mut Random) {
    let store = Corpus::any(random, &corpus.stores).clone();
    let Ok(mut engine) = open(random.number(), store) else { return };
    let mut now = 1_700_000_000_000;
    let mut sessions = 0;
    for _ in 0..TOLD {
        let cursor = engine.replica().cursor();
        let event = match random.below(12) {
            0 => Event::LinkDown { reason: String::new() },
            1 => Event::Timer,
            2 => Event::ResetBeforeDone(Ok(())),
            3 => Event::ResetAfterDone(Ok(())),
            4 => Event::Lead,
            5 => Event::Follow,
            _ => Event::Message(server_message(corpus, random, SessionId(sessions), cursor)),
        };
        now += random.below(40_000) as u64;
        engine.handle(Millis(now), event);
        while let Some(effect) = engine.poll() {
            match effect {
                Effect::Commit(id, _) => engine.handle(Millis(now), Event::Committed(id)),
                Effect::Relink => {
                    sessions += 1;
                    engine.handle(Millis(now), Event::LinkUp { session: SessionId(sessions) });
                }
                _ => {}
            }
        }
        if random.once_in(4) {
            sessions += 1;
            engine.handle(Millis(now), Event::LinkUp { session: SessionId(sessions) });
        }
    }
    engine.current().audit().unwrap_or_else(|what| panic!("an engine was led to a state that is not sound: {what}"));
}

/// The server's rules: the state stays sound.
pub(super) fn server(corpus: &Corpus, random: &mut Random) {
    let mut server = Corpus::any(random, &corpus.servers).clone();
    for _ in 0..TOLD {
        let record = server.record();
        let clients: Vec<ClientId> = record.clients.keys().copied().collect();
        let client = match random.below(4) {
            0 => ClientId([random.below(3) as u8; 16]),
            _ if clients.is_empty() => ClientId([9; 16]),
            _ => *Corpus::any(random, &clients),
        };
        let last = record.clients.get(&client).and_then(|client| client.last());
        let head = record.head.cursor(record.epoch);
        let session = SessionId(random.below(4) as u32);
        let message = match random.below(8) {
            0..=2 => ClientMessage::Bind {
                session,
                realm: "realm".into(),
                client,
                schema: if random.once_in(2) { server.state().schema().clone() } else { Default::default() },
                cursor: random.once_in(3).then(|| any_cursor(random, head)).or(Some(head)),
                last: if random.once_in(3) { any_last(random) } else { last },
                purpose: match random.below(3) {
                    0 => Purpose::Fresh { resume: None },
                    1 => Purpose::Fresh {
                        resume: Some(FreshResume { at: any_cursor(random, head), next_chunk: random.number() as u32 }),
                    },
                    _ => Purpose::Sync,
                },
            },
            3..=5 => ClientMessage::Upload {
                session,
                changesets: (0..1 + random.below(3)).map(|_| any_changeset(corpus, random)).collect(),
            },
            6 => ClientMessage::Ack { session, version: ServerVersion(random.number() >> random.below(64)) },
            _ => ClientMessage::Mark { session, id: random.number() },
        };
        server.handle(Millis(1_700_000_000_000), DeviceId(random.below(2)), message);
    }
    server.state().audit().unwrap_or_else(|what| panic!("a server was led to a state that is not sound: {what}"));
}

fn server_message(corpus: &Corpus, random: &mut Random, session: SessionId, at: Option<Cursor>) -> ServerMessage {
    let at = at.unwrap_or(Cursor { epoch: Epoch([1; 16]), version: ServerVersion(0), salt: Salt(0) });
    match random.below(10) {
        0 | 1 => ServerMessage::Bound {
            session,
            epoch: if random.once_in(4) { Epoch([3; 16]) } else { at.epoch },
            head: ServerVersion(at.version.0.saturating_add(random.below(4) as u64)),
            last: any_last(random),
            now: random.once_in(2).then(|| Millis(random.number() >> random.below(64))),
        },
        2 | 3 => {
            let image = Corpus::any(random, &corpus.images);
            let mut bytes = image.clone();
            if random.once_in(3) {
                mutate(random, &mut bytes, image);
            }
            let (count, index) = (1 + random.below(2) as u32, random.below(2) as u32);
            ServerMessage::Snapshot {
                session,
                at: any_cursor(random, at),
                index,
                count,
                total_bytes: bytes.len() as u64,
                bytes,
            }
        }
        4..=6 => {
            let mut version = at.version.0;
            let mut entries = Vec::new();
            for _ in 0..random.below(4) {
                version = version.saturating_add(random.below(3) as u64);
                let body = match random.below(4) {
                    0 => EntryBody::Own(ChangesetNumber(random.below(6) as u64)),
                    1 => EntryBody::Compensation(any_changeset(corpus, random)),
                    _ => EntryBody::Full(any_changeset(corpus, random)),
                };
                entries.push(Entry { version: ServerVersion(version), salt: Salt(random.number()), body });
            }
            let last = entries.last().map_or(at, |last| Cursor { version: last.version, salt: last.salt, ..at });
            let upto = if random.once_in(4) { any_cursor(random, last) } else { last };
            ServerMessage::Download { session, entries, upto }
        }
        7 => ServerMessage::Acked { session, number: ChangesetNumber(random.below(9) as u64), version: at.version },
        8 => ServerMessage::Mark { session, id: random.below(3) as u64 },
        _ => ServerMessage::Error(ErrorMessage {
            session: Some(session),
            code: Code([208, 209, 210, 211, 212, 222, 225, 231, 113][random.below(9)]),
            action: random.one_of(&[
                Action::Warning,
                Action::Transient,
                Action::ClientReset,
                Action::ClientResetNoRecovery,
                Action::SessionFatal,
            ]),
            reason: "chance".into(),
            backoff_ms: random.number() as u32,
        }),
    }
}

fn any_cursor(random: &mut Random, near: Cursor) -> Cursor {
    Cursor {
        epoch: if random.once_in(4) { Epoch([5; 16]) } else { near.epoch },
        version: ServerVersion(near.version.0.wrapping_add(random.below(5) as u64).wrapping_sub(2)),
        salt: if random.once_in(3) { Salt(random.number()) } else { near.salt },
    }
}

fn any_last(random: &mut Random) -> Option<UploadCursor> {
    let number = ChangesetNumber(random.below(5) as u64);
    random.once_in(2).then(|| UploadCursor { number, hash: Default::default() })
}

fn any_changeset(corpus: &Corpus, random: &mut Random) -> Vec<u8> {
    let mut bytes = Corpus::any(random, &corpus.changesets).clone();
    if random.once_in(3) {
        let other = Corpus::any(random, &corpus.changesets);
        mutate(random, &mut bytes, other);
    }
    bytes
}
