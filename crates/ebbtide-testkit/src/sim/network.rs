//! Sockets: two queues of frames and two ends that notice at different times that it is over.
//!
//! A WebSocket keeps its frames in order and whole, so the world loses, delays and cuts, and reorders between sockets: what a
//! device had sent on a socket that it believes dead may still reach the server, after what it says on the next.

use std::collections::VecDeque;

/// One end of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It is being opened.
    Opening,
    /// It is open.
    Open,
    /// It is over, and this end does not know yet.
    Lost,
    /// It is over.
    Closed,
}

/// One socket of one tab.
#[derive(Debug)]
pub struct Socket {
    /// The device.
    pub device: usize,
    /// The tab's name.
    pub tab: u32,
    /// The tab's number for it.
    pub number: u64,
    /// Frames on their way to the server.
    pub up: VecDeque<Vec<u8>>,
    /// Frames on their way to the tab.
    pub down: VecDeque<Vec<u8>>,
    /// The tab's end.
    pub client: End,
    /// The server's end.
    pub server: End,
    /// Whether what the tab says is lost.
    pub loses_up: bool,
    /// Whether what the server says is lost.
    pub loses_down: bool,
}

impl Socket {
    /// A socket that a tab has asked for.
    pub fn new(device: usize, tab: u32, number: u64) -> Socket {
        Socket {
            device,
            tab,
            number,
            up: VecDeque::new(),
            down: VecDeque::new(),
            client: End::Opening,
            server: End::Closed,
            loses_up: false,
            loses_down: false,
        }
    }

    /// The tab sends.
    pub fn send_up(&mut self, frame: Vec<u8>) {
        if self.client == End::Open && !self.loses_up {
            self.up.push_back(frame);
        }
    }

    /// The server sends.
    pub fn send_down(&mut self, frame: Vec<u8>) {
        if self.server == End::Open && !self.loses_down && matches!(self.client, End::Open) {
            self.down.push_back(frame);
        }
    }

    /// It is cut: the tab will notice, and of what it has sent so many frames still arrive.
    pub fn cut(&mut self, arrive: usize) {
        self.down.clear();
        self.up.truncate(arrive);
        if matches!(self.client, End::Opening | End::Open) {
            self.client = End::Lost;
        }
        if self.server == End::Open {
            self.server = End::Lost;
        }
    }

    /// The tab has closed it, or is gone.
    pub fn close(&mut self) {
        self.down.clear();
        self.client = End::Closed;
        if self.server == End::Open {
            self.server = End::Lost;
        }
    }

    /// The server has closed it, or is gone.
    pub fn end(&mut self) {
        self.up.clear();
        self.server = End::Closed;
        if matches!(self.client, End::Opening | End::Open) {
            self.client = End::Lost;
        }
    }
}
