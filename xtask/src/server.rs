//! Watches over one `ebbtide-server` process: starts, stops and kills it on the same data and the same port, and speaks to
//! its admin API.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::{Failure, Outcome, While};
use crate::http::{self, Answer, Request};
use crate::process;
use crate::project::Project;

const START_PATIENCE: Duration = Duration::from_secs(20);
const STOP_PATIENCE: Duration = Duration::from_secs(10);
const LOG_LINES_SHOWN: usize = 30;

/// How the server is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// Quick to compile; shares its parts with the native tests.
    Dev,
    /// For measurements.
    Release,
}

/// A server, running or not.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    address: SocketAddr,
    data: PathBuf,
    log: PathBuf,
    admin_token: String,
    child: Option<Child>,
    starts: u32,
}

/// Compiles the server and says where it lies.
pub fn build(project: &Project, build: Build) -> Outcome<PathBuf> {
    let mut command = project.command("cargo");
    let folder = match build {
        // The same choice of crates as in the native tests, so that shared dependencies are compiled once.
        Build::Dev => {
            command.args(["build", "--workspace", "--exclude", "ebbtide", "--bins"]);
            "debug"
        }
        Build::Release => {
            command.args(["build", "--package", "ebbtide-server", "--release"]);
            "release"
        }
    };
    let log = project.build("logs/build-server.log");
    let _ = fs::remove_file(&log);
    process::run_logged(&mut command, &log)?;
    Ok(project.target.join(folder).join("ebbtide-server"))
}

impl Server {
    /// Describes a server; [`Server::start`] runs it.
    pub fn new(binary: PathBuf, address: SocketAddr, data: PathBuf, log: PathBuf) -> Server {
        Server { binary, address, data, log, admin_token: random_token(), child: None, starts: 0 }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it, unless it runs, and waits until it listens.
    pub fn start(&mut self) -> Outcome<()> {
        if self.is_running() {
            return Ok(());
        }
        fs::create_dir_all(&self.data).while_doing(|| format!("making {}", self.data.display()))?;
        let output = process::open_log(&self.log)?;
        let errors = output.try_clone().while_doing(|| "opening the server's log".to_owned())?;
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg("--data").arg(&self.data).arg("--listen").arg(self.address.to_string());
        command.env("EBBTIDE_ADMIN_TOKEN", &self.admin_token).stdout(output).stderr(errors);
        self.child = Some(process::spawn(&mut command)?);
        self.starts += 1;
        self.wait_until_it_listens()
    }

    /// Asks it to end, and waits.
    pub fn stop(&mut self) -> Outcome<()> {
        match self.child.take() {
            Some(mut child) => process::terminate(&mut child, STOP_PATIENCE).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Ends it at once, without a chance to put anything in order.
    pub fn kill(&mut self) -> Outcome<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        child.kill().while_doing(|| "killing the server".to_owned())?;
        child.wait().while_doing(|| "waiting for the killed server".to_owned()).map(|_| ())
    }

    /// Starts afresh on an empty folder.
    pub fn reset_data(&mut self) -> Outcome<()> {
        self.stop()?;
        clear(&self.data)?;
        self.start()
    }

    /// Asks the admin API; `action` is what comes after `/admin/`.
    pub fn admin(&mut self, method: &str, action: &str, body: &str) -> Outcome<Answer> {
        if !self.is_running() {
            return Err(Failure::new(format!("the server does not run, so `{action}` cannot be asked of it")));
        }
        let json = if method == "POST" && body.trim().is_empty() { "{}" } else { body };
        let path = format!("/admin/{action}");
        http::ask(self.address, Request { method, path: &path, token: &self.admin_token, json })
    }

    /// Whether it runs, for the conductor's answers.
    pub fn state(&mut self) -> Value {
        let running = self.is_running();
        json!({ "running": running, "pid": self.child.as_ref().map(Child::id), "starts": self.starts })
    }

    fn is_running(&mut self) -> bool {
        let runs = self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        if !runs {
            self.child = None;
        }
        runs
    }

    fn wait_until_it_listens(&mut self) -> Outcome<()> {
        let deadline = Instant::now() + START_PATIENCE;
        while Instant::now() < deadline {
            if !self.is_running() {
                return Err(Failure::new(format!("ebbtide-server ended at once:\n{}", self.log_tail())));
            }
            if TcpStream::connect_timeout(&self.address, START_PATIENCE).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill()?;
        let seconds = START_PATIENCE.as_secs();
        Err(Failure::new(format!("ebbtide-server did not listen within {seconds} s:\n{}", self.log_tail())))
    }

    fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// Empties a folder of server data.
pub fn clear(data: &Path) -> Outcome<()> {
    match fs::remove_dir_all(data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format!("removing {}: {error}", data.display())))
        }
        _ => Ok(()),
    }
}

/// 128 bits from the randomness that the standard library seeds its hash maps with.
fn random_token() -> String {
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher, Hasher};
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port;

    /// A server whose program is `echo`: it prints its arguments and ends.
    fn echo(name: &str) -> (PathBuf, Server) {
        let folder = std::env::temp_dir().join(format!("ebbtide-server-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let address = port::free(0).expect("some port is free");
        let server = Server::new(PathBuf::from("/bin/echo"), address, folder.join("data"), folder.join("log"));
        (folder, server)
    }

    #[test]
    fn a_server_that_ends_at_once_is_reported_with_its_words() {
        let (folder, mut server) = echo("ends");
        let failure = server.start().expect_err("it ends").to_string();
        let words = format!("serve --data {} --listen {}", folder.join("data").display(), server.address());
        assert_eq!(failure, format!("ebbtide-server ended at once:\n{words}"));
        assert_eq!(server.state()["running"], false);
        assert_eq!(server.state()["starts"], 1);
        let _ = fs::remove_dir_all(folder);
    }

    #[test]
    fn nothing_is_asked_of_a_server_that_does_not_run() {
        let (folder, mut server) = echo("down");
        let failure = server.admin("POST", "backup", "").expect_err("it does not run").to_string();
        assert_eq!(failure, "the server does not run, so `backup` cannot be asked of it");
        server.stop().expect("stopping twice is fine");
        server.kill().expect("and so is killing");
        let _ = fs::remove_dir_all(folder);
    }
}
