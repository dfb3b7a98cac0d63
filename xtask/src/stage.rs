//! The stage on which pages play: a server, a proxy before it, and the conductor.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::conductor::{self, Mount, Pages, Scene};
use crate::failure::Outcome;
use crate::port;
use crate::project::Project;
use crate::proxy::Proxy;
use crate::server::{self, Build, Server};

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// Tests: the repository at `/`, an empty server.
    Tests,
    /// The same for somebody who writes a test, beside test runs.
    Rehearsal,
    /// Measurements: the same with an optimised server.
    Bench,
    /// The demo page at `/`, with the server's data of last time; the page's port is this one if it is free.
    Demo { port: u16 },
    /// The demo page at `/`, with an empty server.
    ScriptedDemo,
}

impl Play {
    fn name(self) -> &'static str {
        match self {
            Play::Tests => "tests",
            Play::Rehearsal => "rehearsal",
            Play::Bench => "bench",
            Play::Demo { .. } => "demo",
            Play::ScriptedDemo => "scripted-demo",
        }
    }

    fn pages(self, project: &Project) -> Pages {
        let mount = |prefix, folder: &str| Mount { prefix, folder: project.path(folder) };
        let root = match self {
            Play::Tests | Play::Rehearsal | Play::Bench => "",
            Play::Demo { .. } | Play::ScriptedDemo => "www",
        };
        Pages(vec![mount("/ebbtide/", "dist"), mount("/", root)])
    }
}

/// Builds the server, starts it, and opens the doors.
pub fn open(project: &Project, play: Play) -> Outcome<Arc<Scene>> {
    let build = if play == Play::Bench { Build::Release } else { Build::Dev };
    let binary = server::build(project, build)?;
    let name = play.name();
    let data: PathBuf = project.build(&format!("data/{name}"));
    if !matches!(play, Play::Demo { .. }) {
        server::clear(&data)?;
    }
    let address = port::remembered(project, &format!("{name}-server"))?;
    let log = project.build(&format!("logs/server-{name}.log"));
    let _ = std::fs::remove_file(&log);
    let mut server = Server::new(binary, address, data, log);
    server.start()?;
    let proxy = Proxy::start(address)?;
    let address = match play {
        Play::Demo { port } => port::free(port)?,
        Play::Tests | Play::Rehearsal | Play::Bench | Play::ScriptedDemo => {
            port::remembered(project, &format!("{name}-conductor"))?
        }
    };
    conductor::start(Scene { server: Mutex::new(server), proxy, pages: play.pages(project), address })
}

impl Scene {
    /// The conductor's address, as a browser takes it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the server; the conductor goes on answering, and says so.
    pub fn close(&self) {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(failure) = server.stop() {
            eprintln!("the server: {failure}");
        }
    }
}
