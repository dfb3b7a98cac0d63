//! The real program as a process: its command line, what it leaves behind when it is killed, and how much it takes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use ebbtide_core::{Millis, Value};
use ebbtide_server::auth::Tokens;
use ebbtide_server::data_dir::DataDir;
use ebbtide_server::edge::{random_u64, system_clock};
use ebbtide_sync::wire::{ClientMessage, Purpose, ServerMessage};
use futures_util::SinkExt;
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::Message;

use crate::world::{APP, Peer, REALM, Store, tasks};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ebbtide-server");

/// A server process; killed when dropped.
struct Server {
    child: Child,
    url: String,
    log: std::path::PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(data: &Path) -> Server {
        let log = data.with_extension("log");
        let errors = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "debug", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_string();
        assert!(url.starts_with("http://"), "{line:?}: {}", std::fs::read_to_string(&log).unwrap());
        Server { child, url, log }
    }

    fn token(&self, data: &Path) -> String {
        let key = DataDir::existing(data).unwrap().token_key().unwrap();
        let Millis(now) = (system_clock())();
        Tokens::new(&key).access(APP, "ann", Millis(now))
    }

    async fn connect(&self, data: &Path) -> Peer {
        Peer::connect(&self.url, &self.token(data)).await
    }

    async fn fresh(&self, data: &Path) -> Store {
        let mut store = Store::new(tasks());
        let mut peer = self.connect(data).await;
        peer.bind(&store, Purpose::Fresh { resume: None }).await;
        store.install(&mut peer).await;
        store
    }

    fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap();
        status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
    }
}

fn run(arguments: &[&str], data: &Path) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).arg("--data").arg(data).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Uploads what the server lacks, then more, until it dies; gives how many were acknowledged.
async fn upload_until_killed(mut peer: Peer, mut store: Store, kept: u64) -> (Store, u64) {
    let mut acknowledged = kept;
    // The last that it has goes along once more, as after a lost acknowledgement.
    let mut batch = store.log[(kept as usize).saturating_sub(1)..].to_vec();
    for n in 0_usize.. {
        for _ in 0..1 + n % 4 {
            let id = format!("{}-{}", store.client, store.number);
            batch.push(store.task(&id, &"x".repeat(n % 700)));
        }
        let changesets = std::mem::take(&mut batch);
        let frame = ClientMessage::Upload { session: peer.session, changesets }.encode();
        if peer.socket.send(Message::Binary(frame.into())).await.is_err() {
            return (store, acknowledged);
        }
        while acknowledged < store.number {
            match peer.next().await {
                Ok(ServerMessage::Acked { number, .. }) => acknowledged = number.0,
                Ok(ServerMessage::Download { entries, upto, .. }) => store.download(entries, upto),
                Ok(ServerMessage::Progress { .. }) => {}
                Ok(other) => panic!("{other:?}"),
                Err(_) => return (store, acknowledged),
            }
        }
    }
    unreachable!("numbers do not run out")
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_at_any_moment_loses_no_acknowledged_changeset() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data);
    let mut stores = vec![server.fresh(&data).await, server.fresh(&data).await];
    let mut acknowledged_in_all = 0;
    for round in 0..24 {
        let mut writers = Vec::new();
        for store in stores.drain(..) {
            let mut peer = server.connect(&data).await;
            peer.bind(&store, Purpose::Sync).await;
            let (_, _, last) = peer.expect_bound().await;
            writers.push(tokio::spawn(upload_until_killed(peer, store, last.map_or(0, |last| last.number.0))));
        }
        tokio::time::sleep(Duration::from_millis(20 + random_u64() % 150)).await;
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        let mut after = Vec::new();
        for writer in writers {
            after.push(writer.await.unwrap());
        }
        server = Server::start(&data);
        let fresh = server.fresh(&data).await;
        for (store, acknowledged) in after {
            let mut peer = server.connect(&data).await;
            peer.bind(&store, Purpose::Sync).await;
            let (_, _, last) = peer.expect_bound().await;
            let kept = last.map_or(0, |last| last.number.0);
            assert!(kept >= acknowledged, "round {round}: {kept} kept, {acknowledged} acknowledged");
            assert!(kept <= store.number);
            let id = store.client.to_string();
            let of_store = fresh.titles().iter().filter(|(title, _)| title.contains(&id)).count() as u64;
            assert_eq!(of_store, kept, "round {round}: the state shows what the chain says");
            acknowledged_in_all = acknowledged_in_all.max(acknowledged);
            stores.push(store);
        }
    }
    assert!(acknowledged_in_all > 24, "{acknowledged_in_all} acknowledged in 24 rounds");
    let mut cursors = Vec::new();
    for mut store in stores {
        let mut peer = server.connect(&data).await;
        peer.bind(&store, Purpose::Sync).await;
        peer.expect_bound().await;
        peer.settle(&mut store).await;
        cursors.push(store.cursor);
    }
    assert_eq!(cursors[0], cursors[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_leaves_the_one_or_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data);
    let mut store = server.fresh(&data).await;
    let mut peer = server.connect(&data).await;
    peer.bind(&store, Purpose::Sync).await;
    peer.expect_bound().await;
    let mut states = Vec::new();
    for name in ["early", "late"] {
        for n in 0..6 {
            let changeset = store.task(&format!("{name} {n}"), &name.repeat(200_000));
            peer.upload(vec![changeset]).await;
            peer.acked(&mut store).await;
        }
        assert!(run(&["backup", "--name", name], &data).status.success());
        states.push(server.fresh(&data).await.titles());
    }
    let mut seen = [0, 0];
    for round in 0..10 {
        let name = ["early", "late"][round % 2];
        let mut restoring = Command::new(PROGRAM)
            .args(["restore", "--name", name, "--data"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(20 + random_u64() % 250)).await;
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        restoring.wait().unwrap();
        server = Server::start(&data);
        let titles = server.fresh(&data).await.titles();
        let found = states.iter().position(|state| *state == titles);
        seen[found.unwrap_or_else(|| panic!("round {round}: {} objects", titles.len()))] += 1;
    }
    assert_eq!(seen[0] + seen[1], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_is_paused_and_costs_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let (mut store, mut slow_store) = (server.fresh(&data).await, server.fresh(&data).await);
    let mut writer = server.connect(&data).await;
    writer.bind(&store, Purpose::Sync).await;
    writer.expect_bound().await;
    let mut slow = server.connect(&data).await;
    slow.bind(&slow_store, Purpose::Sync).await;
    slow.expect_bound().await;
    slow.settle(&mut slow_store).await;
    let text = "x".repeat(1_000_000);
    let mut before = 0;
    for n in 0..80 {
        let changeset = store.write(|tx| {
            let class = tx.snapshot().schema().class_index("Task").unwrap();
            let column = tx.snapshot().schema().class(class).column("title").unwrap();
            let id = Value::String("big".to_string());
            let found = tx.snapshot().find(class, &id);
            let key = found.unwrap_or_else(|| tx.create(class, Some(id)).unwrap());
            tx.set(class, key, column, Value::String(format!("{n}{text}"))).unwrap();
        });
        writer.upload(vec![changeset]).await;
        writer.acked(&mut store).await;
        if n == 19 {
            before = server.resident_bytes();
        }
    }
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 20 * 1024 * 1024, "{grown} bytes for 60 MB that one does not read");
    slow.settle(&mut slow_store).await;
    assert_eq!(slow_store.titles(), store.titles(), "what it missed was read again from the history");
}

#[test]
fn bad_input_is_one_line_and_exit_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let absent = dir.path().join("absent");
    drop(Server::start(&data));
    for (arguments, data) in [
        (vec!["dance"], &data),
        (vec!["backup"], &absent),
        (vec!["backup", "--name", "../x"], &data),
        (vec!["restore"], &data),
        (vec!["restore", "--name", "never"], &data),
        (vec!["terminate-sync", "--realm", "s_nobody"], &data),
        (vec!["trim-history", "--keep", "-3"], &data),
        (vec!["schema", "--change", "{"], &data),
        (vec!["schema", "--change", r#"{"op":"explode"}"#], &data),
        (vec!["forget-client", "--client", "xyz"], &data),
        (vec!["serve", "--listen", "nowhere"], &data),
        (vec!["serve", "--allow-origin", "*"], &data),
        (vec!["serve", "--max-offline", "-1"], &data),
        (vec!["serve", "--realms", "nobody"], &data),
    ] {
        let output = run(&arguments, data);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.starts_with("ebbtide-server: ") && error.lines().count() == 1, "{arguments:?}: {error:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert!(!absent.exists(), "a mistyped directory is not made");
    assert_eq!(run(&["state"], &data).status.code(), Some(0));
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    for command in ["serve", "backup", "restore", "terminate-sync", "trim-history", "schema", "forget-client", "state"]
    {
        assert!(text(&help.stdout).contains(command));
    }
}

#[test]
fn secrets_are_for_the_owner_alone_and_one_server_owns_a_directory() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    for secret in ["token.key", "admin.token"] {
        assert_eq!(std::fs::metadata(data.join(secret)).unwrap().permissions().mode() & 0o777, 0o600, "{secret}");
    }
    let second = run(&["serve", "--listen", "127.0.0.1:0"], &data);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("in use"), "{}", text(&second.stderr));
    let key = std::fs::read(data.join("token.key")).unwrap();
    drop(server);
    std::fs::set_permissions(data.join("token.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = run(&["serve", "--listen", "127.0.0.1:0"], &data);
    assert_eq!(open.status.code(), Some(1));
    assert!(text(&open.stderr).contains("chmod 600"));
    assert_eq!(std::fs::read(data.join("token.key")).unwrap(), key);
}

fn json(output: &Output) -> Json {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn one_task(server: &Server, data: &Path, id: &str) -> Store {
    let mut store = server.fresh(data).await;
    let mut peer = server.connect(data).await;
    peer.bind(&store, Purpose::Sync).await;
    peer.expect_bound().await;
    let changeset = store.task(id, "a secret title");
    peer.upload(vec![changeset]).await;
    peer.settle(&mut store).await;
    store
}

/// The same story through the running server and on the files of one that is stopped.
#[tokio::test(flavor = "multi_thread")]
async fn the_operators_commands_work_on_a_running_server_and_on_files() {
    for running in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let mut server = Some(Server::start(&data));
        let store = one_task(server.as_ref().unwrap(), &data, "first").await;
        if !running {
            server = None;
        }
        let taken = run(&["backup", "--name", "one"], &data);
        assert!(taken.status.success(), "{}", text(&taken.stderr));
        assert!(text(&taken.stdout).contains("'one' is complete"), "{}", text(&taken.stdout));
        let state = json(&run(&["state", "--realm", REALM], &data));
        let epoch = state["realms"][0]["epoch"].clone();
        assert_eq!(state["realms"][0]["head"], json!(2));
        assert_eq!(state["realms"][0]["clients"][0]["client"], json!(store.client.to_string()));

        let trimmed = json(&run(&["trim-history", "--keep", "1"], &data));
        assert_eq!((&trimmed["realms"][0]["floor"], &trimmed["realms"][0]["epoch"]), (&json!(1), &epoch));
        let terminated = json(&run(&["terminate-sync", "--realm", "demo/s_list"], &data));
        assert_ne!(terminated["realms"][0]["epoch"], epoch);
        let change = r#"{"op":"drop-property","class":"Task","property":"count"}"#;
        let dropped = json(&run(&["schema", "--change", change], &data));
        assert_ne!(dropped["realms"][0]["epoch"], terminated["realms"][0]["epoch"]);
        let change = r#"{"op":"add-property","class":"Task","property":"due","type":"date?"}"#;
        let added = json(&run(&["schema", "--realm", REALM, "--change", change], &data));
        assert_eq!(added["realms"][0]["epoch"], dropped["realms"][0]["epoch"]);
        let state = json(&run(&["state"], &data));
        assert_eq!(
            state["realms"][0]["classes"][0]["properties"],
            json!([["_id", "string"], ["title", "string"], ["due", "date?"]])
        );
        assert_eq!(state["realms"][0]["clients"], json!([]));

        let restored = run(&["restore", "--name", "one"], &data);
        assert!(restored.status.success(), "{}", text(&restored.stderr));
        assert!(text(&restored.stdout).contains("what it replaced is in"));
        let state = json(&run(&["state"], &data));
        assert_eq!((&state["realms"][0]["epoch"], &state["realms"][0]["head"]), (&epoch, &json!(2)));
        let forgotten = json(&run(&["forget-client", "--client", &store.client.to_string()], &data));
        assert_eq!(forgotten["realms"], json!(["demo/s_list"]));

        let server = server.unwrap_or_else(|| Server::start(&data));
        assert_eq!(server.fresh(&data).await.titles(), store.titles());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_holds_no_tokens_values_or_keys() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let store = one_task(&server, &data, "secret key").await;
    let mut peer = Peer::open(&server.url).await;
    peer.hello("eyJub3QiOiJhIHRva2VuIn0.eyJ.wrong").await;
    peer.expect_closed().await;
    let mut bad = store.clone();
    bad.number += 5;
    let mut peer = server.connect(&data).await;
    peer.bind(&bad, Purpose::Sync).await;
    peer.expect_bound().await;
    let changeset = bad.task("another secret key", "another secret title");
    peer.upload(vec![changeset]).await;
    peer.expect_error().await;
    let admin = std::fs::read_to_string(data.join("admin.token")).unwrap();
    let log = std::fs::read_to_string(&server.log).unwrap();
    assert!(log.contains("connected") && log.contains("210"), "{log}");
    for secret in ["secret", "eyJ", admin.as_str()] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_takes_the_place_of_a_database_that_is_damaged_or_lost_and_keeps_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = one_task(&Server::start(&data), &data, "first").await;
    assert!(run(&["backup", "--name", "one"], &data).status.success());
    let database = data.join("ebbtide.sqlite3");
    let damages: [fn(&Path); 3] = [
        |file| std::fs::write(file, b"no database any more").unwrap(),
        |file| {
            let mut bytes = std::fs::read(file).unwrap();
            bytes[4096..].fill(0xee);
            std::fs::write(file, bytes).unwrap();
        },
        |file| std::fs::remove_file(file).unwrap(),
    ];
    for (index, damage) in damages.into_iter().enumerate() {
        damage(&database);
        let damaged = std::fs::read(&database).ok();
        if index == 0 {
            let started = run(&["serve", "--listen", "127.0.0.1:0"], &data);
            let error = text(&started.stderr);
            assert_eq!(started.status.code(), Some(1));
            let words = ["ebbtide.sqlite3: the database is damaged", "`ebbtide-server restore`"];
            assert!(words.iter().all(|words| error.contains(words)), "{error}");
        }
        let restored = run(&["restore", "--name", "one"], &data);
        assert!(restored.status.success(), "{}", text(&restored.stderr));
        if let Some(damaged) = damaged {
            let kept = text(&restored.stdout).trim().rsplit(' ').next().unwrap().to_string();
            assert!(std::fs::read(kept).unwrap() == damaged, "what was damaged is kept as it was");
        }
        let server = Server::start(&data);
        assert_eq!(server.fresh(&data).await.titles(), store.titles());
    }
}
