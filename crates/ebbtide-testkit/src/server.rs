//! A server without sockets or disk: the shipped rules over a history in memory.

use std::collections::BTreeMap;

use ebbtide_core::page::export;
use ebbtide_core::replica::Cursor;
use ebbtide_core::{ClientId, EditTime, Epoch, Millis, Salt, ServerVersion, Snapshot};
use ebbtide_sync::server::{
    Bind, BindRequest, BindRules, HistoryEntry, Integration, Position, Realm, RealmRecord, Refusal, SchemaRule, Start,
    Step, check_bind, entry_for, schema_entry,
};
use ebbtide_sync::wire::{ClientMessage, FreshResume, ServerMessage, SessionId};

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
        let mut epoch = self.realm.record().epoch.0;
        epoch[0] += 1;
        self.reshape(epoch, self.realm.state().clone());
    }

    /// Begins a new history with another state, as after a breaking schema change.
    pub fn replace_state(&mut self, state: Snapshot) {
        let mut epoch = self.realm.record().epoch.0;
        epoch[0] += 1;
        self.reshape(epoch, state);
    }

    fn reshape(&mut self, epoch: [u8; 16], state: Snapshot) {
        self.realm = empty_realm(Epoch(epoch), state);
        self.history.clear();
        self.sessions.clear();
    }

    /// Forgets the history up to the head.
    pub fn trim(&mut self) {
        let head = self.realm.record().head;
        self.realm.trimmed(head);
        self.history.clear();
    }

    /// Forgets every client.
    pub fn forget_clients(&mut self) {
        let record = RealmRecord { clients: BTreeMap::new(), ..self.realm.record().clone() };
        self.realm = Realm::new(record, self.realm.state().clone());
        self.sessions.clear();
    }

    /// A device's connection is gone.
    pub fn disconnect(&mut self, device: DeviceId) {
        self.sessions.retain(|(owner, _), _| *owner != device);
    }

    /// Takes a message and gives all messages that follow from it.
    pub fn handle(&mut self, now: Millis, device: DeviceId, message: ClientMessage) -> Answers {
        let mut answers = Vec::new();
        match message {
            ClientMessage::Hello { .. } | ClientMessage::Ping { .. } | ClientMessage::Ack { .. } => {}
            ClientMessage::Unbind { session } => {
                self.sessions.remove(&(device, session));
            }
            ClientMessage::Mark { session, id } => answers.push((device, ServerMessage::Mark { session, id })),
            ClientMessage::Upload { session, changesets } => {
                self.upload(now, (device, session), changesets, &mut answers);
            }
            ClientMessage::Bind { session, client, schema, cursor, last, purpose, .. } => {
                let request = BindRequest { user: "user".into(), client, schema, cursor, last, purpose };
                if let Err(refusal) = self.bind(now, (device, session), &request, &mut answers) {
                    answers.push((device, ServerMessage::Error(refusal.message(Some(session)))));
                }
            }
        }
        self.fan_out(&mut answers);
        answers
    }

    /// What the history gives to whom, after somebody else has changed it.
    pub fn deliver(&mut self) -> Answers {
        let mut answers = Vec::new();
        self.fan_out(&mut answers);
        answers
    }

    fn bind(
        &mut self,
        now: Millis,
        owner: (DeviceId, SessionId),
        request: &BindRequest,
        answers: &mut Answers,
    ) -> Result<(), Refusal> {
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
        let step = integration.finish();
        self.advance(step);
        let (device, session) = owner;
        let record = self.realm.record();
        let (epoch, head) = (record.epoch, record.head);
        answers.push((device, ServerMessage::Bound { session, epoch, head: head.version, last, now: Some(now) }));
        let sent = match start {
            Start::After(position) => position.version,
            Start::Snapshot { resume } => {
                self.send_snapshot(owner, head.cursor(epoch), resume, answers);
                head.version
            }
        };
        self.sessions.insert(owner, Session { client: request.client, sent });
        Ok(())
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

    fn upload(&mut self, now: Millis, owner: (DeviceId, SessionId), changesets: Vec<Vec<u8>>, answers: &mut Answers) {
        let (device, session) = owner;
        let Some(client) = self.sessions.get(&owner).map(|session| session.client) else { return };
        for bytes in changesets {
            let salt = self.salt();
            let mut integration = Integration::new(&self.realm, now);
            match integration.upload(client, bytes, salt) {
                Ok(accepted) => {
                    let step = integration.finish();
                    self.advance(step);
                    let (number, version) = (accepted.number, accepted.version);
                    answers.push((device, ServerMessage::Acked { session, number, version }));
                }
                Err(refusal) => {
                    answers.push((device, ServerMessage::Error(refusal.message(Some(session)))));
                    self.sessions.remove(&owner);
                    return;
                }
            }
        }
    }

    fn fan_out(&mut self, answers: &mut Answers) {
        let record = self.realm.record();
        let (epoch, head) = (record.epoch, record.head);
        for ((device, session), bound) in &mut self.sessions {
            if bound.sent >= head.version {
                continue;
            }
            let missing = self.history.iter().filter(|entry| entry.at.version > bound.sent);
            let entries = missing.map(|entry| entry_for(bound.client, entry)).collect();
            bound.sent = head.version;
            let upto = head.cursor(epoch);
            answers.push((*device, ServerMessage::Download { session: *session, entries, upto }));
        }
    }

    fn advance(&mut self, step: Step) {
        self.history.extend(step.append.entries.iter().cloned());
        self.realm.advance(step);
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
