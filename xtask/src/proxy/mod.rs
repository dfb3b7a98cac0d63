//! A bad network on request: a TCP proxy between the browser and the server that loses, cuts and forges.
//!
//! A connection that has lost bytes cannot go on, so it is cut as soon as the proxy passes everything again.

mod connection;
mod framing;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::failure::{Outcome, While};
use connection::Connection;
pub use connection::Direction;

/// What happens to bytes on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything arrives.
    Pass,
    /// Nobody gets through: open connections are cut and further ones closed at once.
    Cut,
    /// What the server says is lost.
    BlackholeDown,
    /// What the browser says is lost.
    BlackholeUp,
}

impl Mode {
    const ALL: [Mode; 4] = [Mode::Pass, Mode::Cut, Mode::BlackholeDown, Mode::BlackholeUp];

    /// The mode's name in the conductor's addresses.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Pass => "pass",
            Mode::Cut => "cut",
            Mode::BlackholeDown => "blackhole-down",
            Mode::BlackholeUp => "blackhole-up",
        }
    }

    /// The mode of that name.
    pub fn named(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|mode| mode.name() == name)
    }

    fn loses(self, direction: Direction) -> bool {
        match self {
            Mode::Pass | Mode::Cut => false,
            Mode::BlackholeDown => direction == Direction::Down,
            Mode::BlackholeUp => direction == Direction::Up,
        }
    }
}

/// The bytes that went one way, and those that were lost on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Traffic {
    passed: u64,
    lost: u64,
}

/// A running proxy; it lives as long as the program.
#[derive(Debug, Clone)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    up: Traffic,
    down: Traffic,
    accepted: u64,
    connections: BTreeMap<u64, Arc<Connection>>,
}

impl Proxy {
    /// Listens on a free loopback port and forwards to `upstream`.
    pub fn start(upstream: SocketAddr) -> Outcome<Proxy> {
        let doing = || "starting the proxy".to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).while_doing(doing)?;
        let address = listener.local_addr().while_doing(doing)?;
        let state = State {
            mode: Mode::Pass,
            up: Traffic::default(),
            down: Traffic::default(),
            accepted: 0,
            connections: BTreeMap::new(),
        };
        let shared = Arc::new(Shared { upstream, state: Mutex::new(state) });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accept(&accepting, client);
            }
        });
        Ok(Proxy { address, shared })
    }

    /// Where browsers connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what happens to bytes from now on.
    pub fn set_mode(&self, mode: Mode) {
        let mut state = self.shared.lock();
        state.mode = mode;
        for connection in state.connections.values() {
            if mode == Mode::Cut || (mode == Mode::Pass && connection.has_lost_bytes()) {
                connection.cut();
            }
        }
    }

    /// Cuts the open connections; new ones fare as the mode says.
    pub fn drop_connections(&self) {
        for connection in self.shared.lock().connections.values() {
            connection.cut();
        }
    }

    /// Puts bytes into every open WebSocket at the next boundary between frames, and says into how many.
    pub fn inject(&self, direction: Direction, bytes: &[u8]) -> usize {
        let connections: Vec<_> = self.shared.lock().connections.values().cloned().collect();
        connections.iter().filter(|connection| connection.inject(direction, bytes)).count()
    }

    /// Mode, connections and traffic, for the conductor's answers.
    pub fn state(&self) -> Value {
        let state = self.shared.lock();
        json!({
            "mode": state.mode.name(),
            "connections": state.connections.len(),
            "accepted": state.accepted,
            "bytesUp": state.up.passed,
            "bytesDown": state.down.passed,
            "lostUp": state.up.lost,
            "lostDown": state.down.lost,
        })
    }
}

/// Wraps a payload as one binary WebSocket message. Towards the server it is masked, with a mask of zeros.
pub fn binary_frame(direction: Direction, payload: &[u8]) -> Vec<u8> {
    framing::binary(direction, payload)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts bytes that have arrived from one side, and says whether they go on to the other.
    fn passes(&self, direction: Direction, bytes: usize) -> bool {
        let mut state = self.lock();
        let loses = state.mode.loses(direction);
        let traffic = match direction {
            Direction::Up => &mut state.up,
            Direction::Down => &mut state.down,
        };
        let counter = if loses { &mut traffic.lost } else { &mut traffic.passed };
        *counter += bytes as u64;
        !loses
    }
}

fn accept(shared: &Arc<Shared>, client: TcpStream) {
    let shared = Arc::clone(shared);
    // Connecting to the server can take a while; others need not wait for it.
    std::thread::spawn(move || {
        let Ok(server) = TcpStream::connect(shared.upstream) else {
            return;
        };
        let Ok(connection) = Connection::new(client, server) else {
            return;
        };
        let connection = Arc::new(connection);
        let mut state = shared.lock();
        if state.mode == Mode::Cut {
            connection.cut();
            return;
        }
        state.accepted += 1;
        let id = state.accepted;
        state.connections.insert(id, Arc::clone(&connection));
        drop(state);

        let (upward, sharing) = (Arc::clone(&connection), Arc::clone(&shared));
        let up = std::thread::spawn(move || upward.pump(Direction::Up, |bytes| sharing.passes(Direction::Up, bytes)));
        connection.pump(Direction::Down, |bytes| shared.passes(Direction::Down, bytes));
        let _ = up.join();
        shared.lock().connections.remove(&id);
    });
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    const REQUEST: &[u8] = b"GET /sync HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

    /// A browser and a server with the proxy between them.
    struct Bench {
        proxy: Proxy,
        listener: TcpListener,
    }

    impl Bench {
        fn new() -> Bench {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
            let proxy = Proxy::start(listener.local_addr().expect("it is bound")).expect("some port is free");
            Bench { proxy, listener }
        }

        fn connect(&self) -> (TcpStream, TcpStream) {
            let browser = TcpStream::connect(self.proxy.address()).expect("the proxy listens");
            let (server, _) = self.listener.accept().expect("the proxy connects");
            (browser, server)
        }

        fn websocket(&self) -> (TcpStream, TcpStream) {
            let (mut browser, mut server) = self.connect();
            send(&mut browser, &mut server, REQUEST);
            send(&mut server, &mut browser, ANSWER);
            (browser, server)
        }
    }

    fn send(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) {
        from.write_all(bytes).expect("connected");
        expect(to, bytes);
    }

    fn expect(stream: &mut TcpStream, bytes: &[u8]) {
        let mut got = vec![0; bytes.len()];
        stream.read_exact(&mut got).expect("connected");
        assert_eq!(got, bytes);
    }

    fn expect_end(stream: &mut TcpStream) {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert_eq!(rest, b"");
    }

    #[test]
    fn bytes_pass_both_ways() {
        let bench = Bench::new();
        let (mut browser, mut server) = bench.websocket();
        send(&mut browser, &mut server, b"\x82\x81\0\0\0\0x");
        send(&mut server, &mut browser, b"\x82\x01y");
    }

    #[test]
    fn a_cut_ends_connections_and_refuses_new_ones() {
        let bench = Bench::new();
        let (mut browser, mut server) = bench.websocket();
        bench.proxy.set_mode(Mode::Cut);
        expect_end(&mut browser);
        expect_end(&mut server);
        let mut refused = TcpStream::connect(bench.proxy.address()).expect("the proxy listens");
        expect_end(&mut refused);
    }

    #[test]
    fn dropped_connections_may_come_back() {
        let bench = Bench::new();
        let (mut browser, _server) = bench.websocket();
        bench.proxy.drop_connections();
        expect_end(&mut browser);
        bench.websocket();
    }

    #[test]
    fn a_lost_answer_never_arrives_though_the_request_did() {
        let bench = Bench::new();
        let (mut browser, mut server) = bench.websocket();
        bench.proxy.set_mode(Mode::BlackholeDown);
        send(&mut browser, &mut server, b"\x82\x81\0\0\0\0u");
        server.write_all(b"\x82\x01a").expect("connected");
        while bench.proxy.state()["lostDown"] != 3 {
            std::thread::yield_now();
        }
        bench.proxy.set_mode(Mode::Pass);
        expect_end(&mut browser);
    }

    #[test]
    fn garbage_waits_for_the_end_of_a_frame() {
        let bench = Bench::new();
        let (mut browser, mut server) = bench.websocket();
        send(&mut server, &mut browser, b"\x82\x04ab");
        assert_eq!(bench.proxy.inject(Direction::Down, &binary_frame(Direction::Down, b"zz")), 1);
        server.write_all(b"cd\x82\x01e").expect("connected");
        expect(&mut browser, b"cd\x82\x02zz\x82\x01e");
        bench.proxy.inject(Direction::Up, b"raw");
        expect(&mut server, b"raw");
    }

    #[test]
    fn nothing_is_injected_before_the_upgrade() {
        let bench = Bench::new();
        let (mut browser, mut server) = bench.connect();
        send(&mut browser, &mut server, b"POST /login HTTP/1.1\r\n\r\n");
        assert_eq!(bench.proxy.inject(Direction::Up, b"x"), 0);
        assert_eq!(bench.proxy.inject(Direction::Down, b"x"), 0);
    }

    #[test]
    fn modes_are_known_by_name() {
        for mode in Mode::ALL {
            assert_eq!(Mode::named(mode.name()), Some(mode));
        }
        assert_eq!(Mode::named("slow"), None);
    }
}
