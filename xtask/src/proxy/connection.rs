//! One browser, one server, and the two streams of bytes between them.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::framing::Framing;

const CHUNK: usize = 64 * 1024;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the browser to the server.
    Up,
    /// From the server to the browser.
    Down,
}

/// A pair of sockets.
#[derive(Debug)]
pub struct Connection {
    client: TcpStream,
    server: TcpStream,
    up: Mutex<Lane>,
    down: Mutex<Lane>,
    lossy: AtomicBool,
}

/// The sending end of one direction.
#[derive(Debug)]
struct Lane {
    to: TcpStream,
    framing: Framing,
    /// Forged bytes that wait for the end of a frame.
    waiting: Vec<u8>,
}

impl Connection {
    /// Takes both sockets.
    pub fn new(client: TcpStream, server: TcpStream) -> io::Result<Connection> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let lane = |to: &TcpStream| -> io::Result<Mutex<Lane>> {
            Ok(Mutex::new(Lane { to: to.try_clone()?, framing: Framing::default(), waiting: Vec::new() }))
        };
        Ok(Connection { up: lane(&server)?, down: lane(&client)?, client, server, lossy: AtomicBool::new(false) })
    }

    /// Carries bytes one way until either side ends; `passes` says of each run of bytes whether it arrives.
    pub fn pump(&self, direction: Direction, passes: impl Fn(usize) -> bool) {
        let mut from = match direction {
            Direction::Up => &self.client,
            Direction::Down => &self.server,
        };
        let mut buffer = vec![0; CHUNK];
        while let Ok(length) = from.read(&mut buffer) {
            if length == 0 {
                break;
            }
            if !passes(length) {
                self.lossy.store(true, Ordering::SeqCst);
            } else if self.lane(direction).forward(&buffer[..length]).is_err() {
                break;
            }
        }
        self.cut();
    }

    /// Ends both sockets; both pumps then return.
    pub fn cut(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    /// Whether bytes of this connection were lost, so that its frames no longer fit together.
    pub fn has_lost_bytes(&self) -> bool {
        self.lossy.load(Ordering::SeqCst)
    }

    /// Sends forged bytes at the next boundary between frames; false where there are no frames (yet).
    pub fn inject(&self, direction: Direction, bytes: &[u8]) -> bool {
        let mut lane = self.lane(direction);
        if !lane.framing.is_websocket() {
            return false;
        }
        lane.waiting.extend_from_slice(bytes);
        lane.flush_if_between_frames().is_ok()
    }

    fn lane(&self, direction: Direction) -> MutexGuard<'_, Lane> {
        let lane = match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        };
        lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn forward(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let length = self.framing.advance(bytes);
            self.to.write_all(&bytes[..length])?;
            self.flush_if_between_frames()?;
            bytes = &bytes[length..];
        }
        Ok(())
    }

    fn flush_if_between_frames(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() && self.framing.is_between_frames() {
            self.to.write_all(&self.waiting)?;
            self.waiting.clear();
        }
        Ok(())
    }
}
