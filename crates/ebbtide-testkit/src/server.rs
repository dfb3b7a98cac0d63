//! A server without sockets or disk: the shipped rules over a history in memory.

use std::collections::BTreeMap;

use ebbtide_core::page::export;
use ebbtide_core::replica::Cursor;
use ebbtide_core::{ClientId, EditTime, Epoch, Millis, Salt, ServerVersion, Snapshot};
use ebbtide_sync::server::{
    Accepted, Bind, BindRequest, BindRules, HistoryEntry, Integration, Position, Realm, RealmRecord, Refusal,
    SchemaRule, Start, Step, check_bind, entry_for, schema_entry,
};
use ebbtide_sync::wire::{ClientMessage, Code, FreshResume, ServerMessage, SessionId, UploadCursor};

/// Which device a message comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeviceId(pub usize);

/// A server of one realm.
#[derive(Clone, Debug)]
pub struct TestServer {
    realm: Realm,
    history: Vec<HistoryEntry>,
    sessions: BTreeMap<(DeviceId, SessionId), Session>,
    salts: u64,
    /// The size of a snapshot's chunks.
    pub chunk_bytes: usize,
    /// What clients may do to the schema.
    pub schema_rule: SchemaRule,
    /// How many entries a DOWNLOAD has at most.
    pub entries_max: usize,
}

/// What a message leads to, once it is durable. Dropping it is what a crash does.
#[derive(Debug)]
pub struct Prepared {
    step: Option<Step>,
    reply: Reply,
}

#[derive(Debug)]
enum Reply {
    Nothing,
    /// The session begins.
    Bound {
        now: Millis,
        owner: (DeviceId, SessionId),
        client: ClientId,
        start: Start,
        last: Option<UploadCursor>,
    },
    /// Messages to the device, and perhaps the session's end.
    Say(Answers),
    /// The same, and the session ends.
    End((DeviceId, SessionId), Answers),
}

/// What a backup of the server holds.
#[derive(Clone, Debug)]
pub struct ServerBackup {
    realm: Realm,
    history: Vec<HistoryEntry>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    client: ClientId,
    sent: ServerVersion,
}

type Answers = Vec<(DeviceId, ServerMessage)>;

impl TestServer {
    /// A server with an empty realm.
    pub fn new() -> TestServer {
        TestServer {
            realm: empty_realm(Epoch([1; 16]), Snapshot::default()),
            history: Vec::new(),
            sessions: BTreeMap::new(),
            salts: 0,
            chunk_bytes: 700,
            schema_rule: SchemaRule::Extend,
            entries_max: usize::MAX,
        }
    }

    /// The realm's objects.
    pub fn state(&self) -> &Snapshot {
        self.realm.state()
    }

    /// How many entries the history has.
    pub fn history_len(&self) -> usize {
        self.history.len()
    }

    /// The clients that the server knows.
    pub fn known_clients(&self) -> Vec<ClientId> {
        self.realm.record().clients.keys().copied().collect()
    }

    /// Copies all that is durable.
    pub fn backup(&self) -> ServerBackup {
        ServerBackup { realm: self.realm.clone(), history: self.history.clone() }
    }

    /// Goes back to a backup, as an operator does who puts old files in place: same epoch, all connections lost.
    pub fn restore(&mut self, backup: &ServerBackup) {
        self.realm = backup.realm.clone();
        self.history = backup.history.clone();
        self.sessions.clear();
        // Salts are drawn at random: what is written from here on has others.
        self.salts += 1_000_000;
    }

    /// Ends sync and begins it again: a new history with the same data.
    pub fn terminate(&mut self) {
        self.replace_state(self.realm.state().clone());
    }

    /// Begins a new history with another state, as after a breaking schema change. Versions go on: what a tombstone says of
    /// them stays true.
    pub fn replace_state(&mut self, state: Snapshot) {
        let mut epoch = self.realm.record().epoch;
        epoch.0[0] += 1;
        let start = Position { version: self.realm.record().head.version, salt: self.salt() };
        let record = RealmRecord { epoch, head: start, floor: start, clients: BTreeMap::new() };
        self.realm = Realm::new(record, state);
        self.history.clear();
        self.sessions.clear();
    }

    /// Forgets the history up to the head.
    pub fn trim(&mut self) {
        self.trim_to(0);
    }

    /// Forgets the history but for the last entries.
    pub fn trim_to(&mut self, keep: usize) {
        let gone = self.history.len().saturating_sub(keep);
        let floor = match self.history.get(gone).is_none() {
            true => self.realm.record().head,
            false if gone == 0 => return,
            false => self.history[gone - 1].at,
        };
        self.realm.trimmed(floor);
        self.history.drain(..gone);
    }

    /// Forgets every client.
    pub fn forget_clients(&mut self) {
        let record = RealmRecord { clients: BTreeMap::new(), ..self.realm.record().clone() };
        self.realm = Realm::new(record, self.realm.state().clone());
        self.sessions.clear();
    }

    /// The realm's record.
    pub fn record(&self) -> &RealmRecord {
        self.realm.record()
    }

    /// The entries that are kept.
    pub fn history(&self) -> &[HistoryEntry] {
        &self.history
    }

    /// A device's connection is gone.
    pub fn disconnect(&mut self, device: DeviceId) {
        self.sessions.retain(|(owner, _), _| *owner != device);
    }

    /// The server's process ends: what was durable stays.
    pub fn crash(&mut self) {
        self.sessions.clear();
    }

    /// Takes a message and gives all messages that follow from it.
    pub fn handle(&mut self, now: Millis, device: DeviceId, message: ClientMessage) -> Answers {
        let prepared = self.prepare(now, device, message);
        self.complete(prepared)
    }

    /// Works out what a message leads to. None of it is true before it is completed.
    pub fn prepare(&mut self, now: Millis, device: DeviceId, message: ClientMessage) -> Prepared {
        match message {
            ClientMessage::Hello { .. } | ClientMessage::Ping { .. } => Prepared { step: None, reply: Reply::Nothing },
            ClientMessage::Ack { session, version } => {
                if let Some(bound) = self.sessions.get(&(device, session)) {
                    self.realm.note_seen(bound.client, version, now);
                }
                Prepared { step: None, reply: Reply::Nothing }
            }
            ClientMessage::Unbind { session } => {
                self.sessions.remove(&(device, session));
                Prepared { step: None, reply: Reply::Nothing }
            }
            ClientMessage::Mark { session, id } => {
                Prepared { step: None, reply: Reply::Say(vec![(device, ServerMessage::Mark { session, id })]) }
            }
            ClientMessage::Upload { session, changesets } => self.upload(now, (device, session), changesets),
            ClientMessage::Bind { session, client, schema, cursor, last, purpose, .. } => {
                let request = BindRequest { user: "user".into(), client, schema, cursor, last, purpose };
                self.bind(now, (device, session), &request).unwrap_or_else(|refusal| {
                    let mut answers = Answers::new();
                    if refusal.is_reset() {
                        let reason = "another session of the same client is to be reset";
                        self.end_others((device, session), client, reason, &mut answers);
                    }
                    answers.push((device, ServerMessage::Error(refusal.message(Some(session)))));
                    Prepared { step: None, reply: Reply::Say(answers) }
                })
            }
        }
    }

    /// What was prepared is durable: the realm moves, and everybody is told.
    pub fn complete(&mut self, prepared: Prepared) -> Answers {
        if let Some(step) = prepared.step {
            self.history.extend(step.append.entries.iter().cloned());
            self.realm.advance(step);
        }
        let mut answers = match prepared.reply {
            Reply::Nothing => Vec::new(),
            Reply::Say(answers) => answers,
            Reply::End(owner, answers) => {
                self.sessions.remove(&owner);
                answers
            }
            Reply::Bound { now, owner, client, start, last } => self.begin(now, owner, client, start, last),
        };
        self.fan_out(&mut answers);
        answers
    }

    /// What the history gives to whom, after somebody else has changed it.
    pub fn deliver(&mut self) -> Answers {
        let mut answers = Vec::new();
        self.fan_out(&mut answers);
        answers
    }

    fn bind(&mut self, now: Millis, owner: (DeviceId, SessionId), request: &BindRequest) -> Result<Prepared, Refusal> {
        let rules = BindRules { max_offline_ms: u64::MAX, schema: self.schema_rule };
        let salt = request.cursor.and_then(|cursor| {
            self.history.iter().find(|entry| entry.at.version == cursor.version).map(|entry| entry.at.salt)
        });
        let Bind { start, last, registration } = check_bind(&self.realm, rules, request, salt, now)?;
        let salt = self.salt();
        let mut integration = Integration::new(&self.realm, now);
        let head = integration.head().version;
        if let Some(grown) = schema_entry(self.realm.schema(), &request.schema, head, EditTime(now.0 << 16))? {
            integration.push_own(&grown, salt);
        }
        if let Some(registration) = registration {
            integration.register(request.client, registration);
        }
        let reply = Reply::Bound { now, owner, client: request.client, start, last };
        Ok(Prepared { step: Some(integration.finish()), reply })
    }

    /// A session begins. An older one of the same client is a connection that died unnoticed, or a copied store.
    fn begin(
        &mut self,
        now: Millis,
        owner: (DeviceId, SessionId),
        client: ClientId,
        start: Start,
        last: Option<UploadCursor>,
    ) -> Answers {
        let mut answers = Vec::new();
        self.end_others(owner, client, "another session of the same client began", &mut answers);
        let (device, session) = owner;
        let record = self.realm.record();
        let (epoch, head) = (record.epoch, record.head);
        answers.push((device, ServerMessage::Bound { session, epoch, head: head.version, last, now: Some(now) }));
        let sent = match start {
            Start::After(position) => position.version,
            Start::Snapshot { resume } => {
                self.send_snapshot(owner, head.cursor(epoch), resume, &mut answers);
                head.version
            }
        };
        self.sessions.insert(owner, Session { client, sent });
        answers
    }

    /// Ends the sessions of a client but one.
    fn end_others(&mut self, owner: (DeviceId, SessionId), client: ClientId, reason: &str, answers: &mut Answers) {
        self.sessions.retain(|other, bound| {
            let stays = bound.client != client || *other == owner;
            if !stays {
                let refusal = Refusal::later(Code::SESSION_CLOSED, reason, 10_000);
                answers.push((other.0, ServerMessage::Error(refusal.message(Some(other.1)))));
            }
            stays
        });
    }

    fn send_snapshot(
        &self,
        (device, session): (DeviceId, SessionId),
        at: Cursor,
        resume: Option<FreshResume>,
        answers: &mut Answers,
    ) {
        let chunks = export(self.realm.state(), self.chunk_bytes);
        let total_bytes = chunks.iter().map(Vec::len).sum::<usize>() as u64;
        let count = chunks.len() as u32;
        let first = resume.filter(|resume| resume.at == at).map_or(0, |resume| resume.next_chunk);
        for (index, bytes) in chunks.into_iter().enumerate().skip(first as usize) {
            let index = index as u32;
            answers.push((device, ServerMessage::Snapshot { session, at, index, count, total_bytes, bytes }));
        }
    }

    fn upload(&mut self, now: Millis, owner: (DeviceId, SessionId), changesets: Vec<Vec<u8>>) -> Prepared {
        let (device, session) = owner;
        let Some(client) = self.sessions.get(&owner).map(|session| session.client) else {
            return Prepared { step: None, reply: Reply::Nothing };
        };
        let salts: Vec<Salt> = changesets.iter().map(|_| self.salt()).collect();
        let mut integration = Integration::new(&self.realm, now);
        let mut answers = Vec::new();
        let mut refused = None;
        let mut accepted = None;
        for (bytes, salt) in changesets.into_iter().zip(salts) {
            match integration.upload(client, bytes, salt) {
                Ok(taken) => accepted = Some(taken),
                Err(refusal) => {
                    refused = Some(refusal);
                    break;
                }
            }
        }
        if let Some(Accepted { number, version }) = accepted {
            answers.push((device, ServerMessage::Acked { session, number, version }));
        }
        let step = Some(integration.finish());
        let Some(refusal) = refused else { return Prepared { step, reply: Reply::Say(answers) } };
        answers.push((device, ServerMessage::Error(refusal.message(Some(session)))));
        Prepared { step, reply: Reply::End(owner, answers) }
    }

    fn fan_out(&mut self, answers: &mut Answers) {
        let record = self.realm.record();
        let (epoch, head) = (record.epoch, record.head);
        for ((device, session), bound) in &mut self.sessions {
            let missing: Vec<&HistoryEntry> =
                self.history.iter().filter(|entry| entry.at.version > bound.sent).collect();
            for entries in missing.chunks(self.entries_max.max(1)) {
                let Some(last) = entries.last() else { continue };
                let upto = last.at.cursor(epoch);
                let entries = entries.iter().map(|entry| entry_for(bound.client, entry)).collect();
                answers.push((*device, ServerMessage::Download { session: *session, entries, upto }));
            }
            bound.sent = head.version;
        }
    }

    fn salt(&mut self) -> Salt {
        self.salts += 1;
        Salt(self.salts.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Default for TestServer {
    fn default() -> TestServer {
        TestServer::new()
    }
}

fn empty_realm(epoch: Epoch, state: Snapshot) -> Realm {
    let (head, floor) = (Position::default(), Position::default());
    Realm::new(RealmRecord { epoch, head, floor, clients: BTreeMap::new() }, state)
}
