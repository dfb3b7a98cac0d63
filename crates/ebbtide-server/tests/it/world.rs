//! A server in this process with a clock that tests move, and clients that speak the protocol over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ebbtide_core::changeset::Changeset;
use ebbtide_core::objects::{KeySource, Synced, WriteContext};
use ebbtide_core::{
    ChainHash, ChangesetNumber, ClassSchema, ClientId, Collection, ColumnIndex, EditTime, Epoch, Millis, ObjectKey,
    Property, PropertyType, Salt, Schema, ServerVersion, Snapshot, Transaction, Value, merge, page,
};
use ebbtide_server::auth::{Origins, RealmRule, Tokens};
use ebbtide_server::cli::{Options, Running, start};
use ebbtide_server::data_dir::DataDir;
use ebbtide_server::edge::{Now, random_bytes};
use ebbtide_server::limits::Patience;
use ebbtide_server::web::WebRules;
use ebbtide_sync::server::{BindRules, SchemaRule};
use ebbtide_sync::wire::{
    ClientMessage, Cursor, EntryBody, ErrorMessage, FreshResume, PROTOCOL, Purpose, SUBPROTOCOL, ServerMessage,
    SessionId, Token, UploadCursor,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub const APP: &str = "demo";
pub const REALM: &str = "s_list";
pub const DAY_MS: u64 = 86_400_000;
const PATIENCE: Duration = Duration::from_secs(20);

pub struct TestServer {
    pub running: Option<Running>,
    pub dir: Arc<tempfile::TempDir>,
    pub clock: Arc<AtomicU64>,
    pub url: String,
}

pub struct Setup {
    pub schema: SchemaRule,
    pub realms: RealmRule,
    pub origins: Vec<String>,
    pub patience: Patience,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            schema: SchemaRule::Extend,
            realms: RealmRule::Everyone,
            origins: Vec::new(),
            patience: Patience::default(),
        }
    }
}

impl TestServer {
    pub async fn start() -> TestServer {
        TestServer::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> TestServer {
        let clock = Arc::new(AtomicU64::new(1_700_000_000_000));
        TestServer::on(Arc::new(tempfile::tempdir().unwrap()), clock, setup).await
    }

    pub async fn on(dir: Arc<tempfile::TempDir>, clock: Arc<AtomicU64>, setup: Setup) -> TestServer {
        let ticking = Arc::clone(&clock);
        let now: Now = Arc::new(move || Millis(ticking.load(Ordering::Relaxed)));
        let options = Options {
            data: dir.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            web: WebRules {
                origins: Origins::new(&setup.origins).unwrap(),
                realms: setup.realms,
                patience: setup.patience,
            },
            bind: BindRules { max_offline_ms: 30 * DAY_MS, schema: setup.schema },
            now,
        };
        let running = start(options).await.unwrap();
        let url = format!("http://{}", running.address);
        TestServer { running: Some(running), dir, clock, url }
    }

    pub fn pass(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    pub async fn stop(&mut self) {
        self.running.take().unwrap().stop().await;
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    pub fn admin_token(&self) -> String {
        std::fs::read_to_string(self.data().join("admin.token")).unwrap()
    }

    pub async fn login(&self) -> Json {
        login(&self.url).await
    }

    pub async fn post(&self, path: &str, body: Json) -> (u16, Json) {
        post(&format!("{}{path}", self.url), &[("authorization", &format!("Bearer {}", self.admin_token()))], body)
            .await
    }

    pub async fn get(&self, path: &str) -> (u16, Json) {
        let (url, bearer) = (format!("{}{path}", self.url), format!("Bearer {}", self.admin_token()));
        let answer = tokio::task::spawn_blocking(move || {
            let mut answer = agent().get(url).header("authorization", bearer).call().unwrap();
            (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
        });
        answer.await.unwrap()
    }

    /// An access token of a user, good now.
    pub fn token(&self, user: &str) -> String {
        let key = DataDir::existing(&self.data()).unwrap().token_key().unwrap();
        Tokens::new(&key).access(APP, user, Millis(self.clock.load(Ordering::Relaxed)))
    }

    /// Ann's connection, greeted.
    pub async fn connect(&self) -> Peer {
        Peer::connect(&self.url, &self.token("ann")).await
    }

    /// Binds a store and expects that it may go on.
    pub async fn bound(&self, store: &Store) -> Peer {
        let mut peer = self.connect().await;
        peer.bind(store, Purpose::Sync).await;
        peer.expect_bound().await;
        peer
    }

    /// A store that has downloaded everything.
    pub async fn fresh(&self) -> Store {
        let mut store = Store::new(tasks());
        let mut peer = self.connect().await;
        peer.bind(&store, Purpose::Fresh { resume: None }).await;
        store.install(&mut peer).await;
        peer.close().await;
        store
    }

    /// Binds and gives the error that comes instead of BOUND.
    pub async fn refused(&self, store: &Store, purpose: Purpose) -> ErrorMessage {
        let mut peer = self.connect().await;
        peer.bind(store, purpose).await;
        peer.expect_error().await
    }
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

pub async fn post(url: &str, headers: &[(&str, &str)], body: Json) -> (u16, Json) {
    let (url, headers) =
        (url.to_string(), headers.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect::<Vec<_>>());
    let answer = tokio::task::spawn_blocking(move || {
        let mut request = agent().post(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut answer = request.send_json(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap_or(Json::Null))
    });
    answer.await.unwrap()
}

pub async fn login(url: &str) -> Json {
    let (status, body) = post(&format!("{url}/api/app/{APP}/login"), &[], json!({"provider": "anon-user"})).await;
    assert_eq!(status, 200, "{body}");
    body
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub async fn open_socket(
    url: &str,
    origin: Option<&str>,
    protocol: Option<&str>,
) -> Result<Socket, tungstenite::Error> {
    let address = format!("{}/api/app/{APP}/sync", url.replacen("http", "ws", 1));
    let mut request = address.into_client_request()?;
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    }
    Ok(connect_async(request).await?.0)
}

/// One connection.
pub struct Peer {
    pub socket: Socket,
    pub session: SessionId,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed(pub u16);

impl Peer {
    pub async fn open(url: &str) -> Peer {
        let socket = open_socket(url, Some("http://localhost:8080"), Some(SUBPROTOCOL)).await.unwrap();
        Peer { socket, session: SessionId(0) }
    }

    pub async fn connect(url: &str, token: &str) -> Peer {
        let mut peer = Peer::open(url).await;
        peer.hello(token).await;
        assert!(matches!(peer.next().await.unwrap(), ServerMessage::Welcome { .. }));
        peer
    }

    pub async fn hello(&mut self, token: &str) {
        let token = Token(token.to_string());
        self.say(ClientMessage::Hello { protocol: PROTOCOL, token, client_info: "test".to_string() }).await;
    }

    pub async fn say(&mut self, message: ClientMessage) {
        self.frame(message.encode()).await;
    }

    pub async fn frame(&mut self, frame: Vec<u8>) {
        self.socket.send(Message::Binary(frame.into())).await.unwrap();
    }

    pub async fn next(&mut self) -> Result<ServerMessage, Closed> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("the server answers in time") {
                Some(Ok(Message::Binary(frame))) => return Ok(ServerMessage::decode(&frame).unwrap()),
                Some(Ok(Message::Close(Some(close)))) => return Err(Closed(close.code.into())),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("unexpected {other:?}"),
                Some(Err(_)) | None => return Err(Closed(1006)),
            }
        }
    }

    /// The next message that is no PROGRESS and no DOWNLOAD of another session.
    pub async fn news(&mut self) -> ServerMessage {
        loop {
            match self.next().await.expect("the connection lives") {
                ServerMessage::Progress { .. } => {}
                ServerMessage::Download { session, .. } if session != self.session => {}
                message => return message,
            }
        }
    }

    pub async fn bind(&mut self, store: &Store, purpose: Purpose) {
        self.bind_realm(store, purpose, REALM).await;
    }

    pub async fn bind_realm(&mut self, store: &Store, purpose: Purpose, realm: &str) {
        self.session = SessionId(self.session.0 + 1);
        self.say(ClientMessage::Bind {
            session: self.session,
            realm: realm.to_string(),
            client: store.client,
            schema: store.wanted.clone(),
            cursor: store.cursor,
            last: store.last(),
            purpose,
        })
        .await;
    }

    pub async fn upload(&mut self, changesets: Vec<Vec<u8>>) {
        self.say(ClientMessage::Upload { session: self.session, changesets }).await;
    }

    pub async fn expect_bound(&mut self) -> (Epoch, ServerVersion, Option<UploadCursor>) {
        match self.news().await {
            ServerMessage::Bound { epoch, head, last, .. } => (epoch, head, last),
            other => panic!("expected BOUND: {other:?}"),
        }
    }

    pub async fn expect_error(&mut self) -> ErrorMessage {
        loop {
            match self.news().await {
                ServerMessage::Error(error) => return error,
                ServerMessage::Download { .. } | ServerMessage::Acked { .. } => {}
                other => panic!("expected ERROR: {other:?}"),
            }
        }
    }

    /// The ACKED that comes next; downloads in between go to the store.
    pub async fn acked(&mut self, store: &mut Store) -> (ChangesetNumber, ServerVersion) {
        loop {
            match self.news().await {
                ServerMessage::Acked { number, version, .. } => return (number, version),
                ServerMessage::Download { entries, upto, .. } => store.download(entries, upto),
                other => panic!("expected ACKED: {other:?}"),
            }
        }
    }

    /// Downloads until the server says that this is all.
    pub async fn settle(&mut self, store: &mut Store) {
        self.say(ClientMessage::Mark { session: self.session, id: 77 }).await;
        loop {
            match self.news().await {
                ServerMessage::Mark { id: 77, .. } => return,
                ServerMessage::Download { entries, upto, .. } => store.download(entries, upto),
                ServerMessage::Acked { .. } => {}
                other => panic!("expected MARK: {other:?}"),
            }
        }
    }

    /// Waits until what was said before is done: a PING is answered in turn.
    pub async fn settle_session_end(&mut self) {
        self.say(ClientMessage::Ping { id: 99 }).await;
        while !matches!(self.news().await, ServerMessage::Pong { id: 99 }) {}
    }

    pub async fn expect_closed(&mut self) -> u16 {
        loop {
            match self.next().await {
                Ok(_) => {}
                Err(Closed(code)) => return code,
            }
        }
    }

    pub async fn close(mut self) {
        // The other side may have closed already.
        let _ = self.socket.close(None).await;
    }
}

/// What a client keeps of one realm.
#[derive(Clone)]
pub struct Store {
    pub client: ClientId,
    pub wanted: Schema,
    pub cursor: Option<Cursor>,
    pub number: u64,
    pub hash: ChainHash,
    pub state: Snapshot,
    pub next_key: u64,
    pub own: Vec<u64>,
    pub log: Vec<Vec<u8>>,
}

impl Store {
    pub fn new(wanted: Schema) -> Store {
        Store {
            client: ClientId(random_bytes()),
            state: Snapshot::empty(&wanted),
            wanted,
            cursor: None,
            number: 0,
            hash: ChainHash::default(),
            next_key: 1_000_000,
            own: Vec::new(),
            log: Vec::new(),
        }
    }

    pub fn last(&self) -> Option<UploadCursor> {
        (self.number > 0).then_some(UploadCursor { number: ChangesetNumber(self.number), hash: self.hash })
    }

    /// Writes and gives the encoded changeset.
    pub fn write(&mut self, write: impl FnOnce(&mut Transaction)) -> Vec<u8> {
        let context = WriteContext {
            client: self.client,
            number: ChangesetNumber(self.number + 1),
            base: self.cursor.map_or(ServerVersion(0), |cursor| cursor.version),
            parent: self.hash,
            time: EditTime((1_700_000_000_000 + self.number) << 16),
            next_key: ObjectKey(self.next_key),
            synced: Synced::Yes,
        };
        let mut transaction = Transaction::begin(&self.state, context);
        write(&mut transaction);
        let (state, changeset, next_key) = transaction.finish().unwrap();
        let changeset = changeset.expect("something was written");
        self.state = state;
        self.next_key = next_key.0;
        self.number += 1;
        self.hash = changeset.hash();
        self.log.push(changeset.encode());
        changeset.encode()
    }

    /// Writes a task.
    pub fn task(&mut self, id: &str, title: &str) -> Vec<u8> {
        let (id, title) = (id.to_string(), title.to_string());
        self.write(|tx| {
            let class = tx.snapshot().schema().class_index("Task").unwrap();
            let column = tx.snapshot().schema().class(class).column("title").unwrap();
            let key = tx.create(class, Some(Value::String(id))).unwrap();
            tx.set(class, key, column, Value::String(title)).unwrap();
        })
    }

    pub fn download(&mut self, entries: Vec<ebbtide_sync::wire::Entry>, upto: Cursor) {
        let mut version = self.cursor.map_or(0, |cursor| cursor.version.0);
        for entry in entries {
            assert_eq!(entry.version.0, version + 1, "entries come without a gap");
            version = entry.version.0;
            match entry.body {
                EntryBody::Full(bytes) | EntryBody::Compensation(bytes) => {
                    let changeset = Changeset::decode(&bytes).unwrap();
                    assert_ne!(changeset.client, self.client, "one's own come as stubs");
                    let mut keys = KeySource::new(ObjectKey(self.next_key), Vec::new());
                    merge::apply(&mut self.state, &changeset, entry.version, &mut keys);
                    self.next_key = keys.next().0;
                }
                EntryBody::Own(number) => self.own.push(number.0),
            }
        }
        assert_eq!(upto.version.0, version);
        self.cursor = Some(upto);
    }

    /// Downloads the whole state, bound FRESH.
    pub async fn install(&mut self, peer: &mut Peer) {
        let mut chunks: Vec<Vec<u8>> = Vec::new();
        peer.expect_bound().await;
        loop {
            match peer.news().await {
                ServerMessage::Snapshot { at, index, count, bytes, total_bytes, .. } => {
                    assert_eq!(index as usize, chunks.len());
                    assert!(bytes.len() <= ebbtide_sync::wire::CHUNK_BYTES_MAX);
                    chunks.push(bytes);
                    self.cursor = Some(at);
                    if index + 1 == count {
                        assert_eq!(chunks.iter().map(Vec::len).sum::<usize>() as u64, total_bytes);
                        break;
                    }
                }
                other => panic!("expected SNAPSHOT: {other:?}"),
            }
        }
        self.state = page::import(chunks.iter().map(Vec::as_slice)).unwrap();
        for class in &self.wanted.classes {
            if self.state.schema().class_index(&class.name).is_none() {
                self.state = with_class(&self.state, class);
            }
        }
    }

    pub fn titles(&self) -> Vec<(String, String)> {
        titles(&self.state)
    }
}

pub fn titles(state: &Snapshot) -> Vec<(String, String)> {
    let Some(class) = state.schema().class_index("Task") else { return Vec::new() };
    let column = |name: &str| state.schema().class(class).column(name).unwrap();
    let text = |row: &ebbtide_core::objects::Row<'_>, column: ColumnIndex| match row.value(column).to_owned() {
        Value::String(text) => text,
        other => panic!("expected a string: {other:?}"),
    };
    let (id, title) = (column("_id"), column("title"));
    let mut found: Vec<_> = state.table(class).rows().map(|row| (text(&row, id), text(&row, title))).collect();
    found.sort();
    found
}

/// What the server's first download will do anyway: the class, added by a schema entry.
fn with_class(state: &Snapshot, class: &ClassSchema) -> Snapshot {
    let mut builder = ebbtide_core::changeset::Builder::new(ClientId::default());
    builder.push(ebbtide_core::changeset::Instruction::AddClass(class.clone()));
    let changeset = builder.finish(ChangesetNumber(1), ServerVersion(0), ChainHash::default(), EditTime(0));
    let mut state = state.clone();
    merge::apply(&mut state, &changeset, ServerVersion(0), &mut KeySource::new(ObjectKey(1), Vec::new()));
    state
}

pub fn property(name: &str, kind: PropertyType) -> Property {
    Property {
        name: name.to_string(),
        kind,
        collection: Collection::None,
        optional: false,
        target: None,
        indexed: ebbtide_core::IndexKind::None,
    }
}

pub fn class(name: &str, properties: Vec<Property>) -> ClassSchema {
    ClassSchema {
        kind: ebbtide_core::ClassKind::TopLevel,
        name: name.to_string(),
        primary_key: Some(ColumnIndex(0)),
        properties,
    }
}

pub fn tasks() -> Schema {
    let id = property("_id", PropertyType::String);
    Schema::of([class("Task", vec![id, property("title", PropertyType::String), property("count", PropertyType::Int)])])
}

pub fn resume(at: Cursor, next_chunk: u32) -> Purpose {
    Purpose::Fresh { resume: Some(FreshResume { at, next_chunk }) }
}

pub fn salted(cursor: Option<Cursor>) -> Option<Cursor> {
    cursor.map(|cursor| Cursor { salt: Salt(cursor.salt.0 ^ 1), ..cursor })
}
