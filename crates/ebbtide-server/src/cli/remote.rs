//! Talking to the server that runs on a data directory, through its admin API.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::Failure;
use crate::data_dir::{DataDir, DirLock, RunningServer};

/// Who does what an operator's command asks.
pub enum Target {
    /// The server that runs on the directory.
    Server(Remote),
    /// This process: no server runs, and none can start before the lock is dropped.
    Files(DataDir, DirLock),
}

/// A running server and the right to command it.
pub struct Remote {
    server: RunningServer,
    token: String,
}

/// Finds out who owns the directory.
pub fn target(data: &Path) -> Result<Target, Failure> {
    owner(DataDir::existing(data).map_err(Failure::Input)?)
}

/// The same for a restore, which needs no database but the backup.
pub fn restore_target(data: &Path, name: &str) -> Result<Target, Failure> {
    owner(DataDir::with_backup(data, name).map_err(Failure::Input)?)
}

fn owner(dir: DataDir) -> Result<Target, Failure> {
    match dir.lock() {
        Ok(lock) => Ok(Target::Files(dir, lock)),
        Err(in_use) => match dir.running() {
            Some(server) => Ok(Target::Server(Remote { server, token: dir.existing_admin_token()? })),
            None => Err(Failure::Work(in_use)),
        },
    }
}

impl Remote {
    /// Posts a body; gives the answer.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = agent().post(format!("{}{path}", self.server.url));
        let answer = request.header("authorization", format!("Bearer {}", self.token)).send_json(body);
        self.read(answer)
    }

    /// Gets an answer.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut request = agent().get(format!("{}{path}", self.server.url));
        for (name, value) in query {
            request = request.query(*name, *value);
        }
        let answer = request.header("authorization", format!("Bearer {}", self.token)).call();
        self.read(answer)
    }

    fn read(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Failure> {
        let failed = |what: String| Failure::Work(format!("the server at {} {what}", self.server.url));
        let mut answer = answer.map_err(|error| failed(format!("cannot be reached: {error}")))?;
        let status = answer.status();
        let body: Value =
            answer.body_mut().read_json().map_err(|error| failed(format!("answered nonsense: {error}")))?;
        if status.is_success() {
            return Ok(body);
        }
        let reason = body.get("error").and_then(Value::as_str).unwrap_or("no reason");
        if status.as_u16() == 400 {
            Err(Failure::Input(reason.to_string()))
        } else {
            Err(failed(format!("refused: {reason}")))
        }
    }
}

fn agent() -> ureq::Agent {
    let connect = Some(Duration::from_secs(5));
    ureq::Agent::config_builder().timeout_connect(connect).http_status_as_error(false).build().into()
}
