//! The commands to the server and to the proxy.

use std::sync::{MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{Reply, Scene};
use crate::failure::{Failure, Outcome};
use crate::proxy::{self, Direction, Mode};
use crate::server::Server;

/// The rest is asked of the admin API.
const OWN_ACTIONS: [&str; 5] = ["start", "stop", "kill", "reset-data", "state"];
const APP_ID: &str = "ebbtide-demo";
const INJECTED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Does what the part of the address after `/control/` says.
pub fn run(scene: &Scene, method: &str, command: &str, body: &str) -> Reply {
    let outcome = match (method, command.split_once('/')) {
        ("POST", Some(("server", action))) if OWN_ACTIONS.contains(&action) => command_process(scene, action),
        ("POST", Some(("proxy", action))) => command_proxy(scene, action, body),
        ("GET" | "POST", Some(("server", action))) => ask_admin(scene, method, action, body),
        ("GET", None) if command == "info" => Ok(Reply::json(200, &info(scene))),
        _ => Ok(unknown(command)),
    };
    outcome.unwrap_or_else(|failure| Reply::error(409, &failure.to_string()))
}

/// The addresses that a page needs.
fn info(scene: &Scene) -> Value {
    json!({
        "conductorUrl": format!("http://{}", scene.address),
        "serverUrl": format!("http://{}", server(scene).address()),
        "proxyUrl": format!("http://{}", scene.proxy.address()),
        "appId": APP_ID,
    })
}

fn ask_admin(scene: &Scene, method: &str, action: &str, body: &str) -> Outcome<Reply> {
    let answer = server(scene).admin(method, action, body)?;
    Ok(Reply { status: answer.status, mime: "application/json", body: answer.body.into_bytes() })
}

fn command_process(scene: &Scene, action: &str) -> Outcome<Reply> {
    let mut server = server(scene);
    match action {
        "start" => server.start()?,
        "stop" => server.stop()?,
        "kill" => server.kill()?,
        "reset-data" => server.reset_data()?,
        _ => {}
    }
    Ok(Reply::json(200, &server.state()))
}

fn command_proxy(scene: &Scene, action: &str, body: &str) -> Outcome<Reply> {
    match action {
        "drop" => scene.proxy.drop_connections(),
        "state" => {}
        "inject" => {
            let forged = Forged::read(body)?;
            let reached = scene.proxy.inject(forged.direction, &forged.bytes);
            return Ok(Reply::json(200, &json!({ "reached": reached })));
        }
        other => match Mode::named(other) {
            Some(mode) => scene.proxy.set_mode(mode),
            None => return Ok(unknown(other)),
        },
    }
    Ok(Reply::json(200, &scene.proxy.state()))
}

/// Bytes to be put between two frames.
#[derive(Debug, PartialEq, Eq)]
struct Forged {
    direction: Direction,
    bytes: Vec<u8>,
}

impl Forged {
    fn read(body: &str) -> Outcome<Forged> {
        let wrong = |what: &str| Failure::new(format!("to inject, {what}"));
        let value: Value = serde_json::from_str(body).map_err(|_| wrong("send JSON"))?;
        let direction = match value["direction"].as_str() {
            Some("up") => Direction::Up,
            Some("down") => Direction::Down,
            _ => return Err(wrong("`direction` must be \"up\" or \"down\"")),
        };
        let payload = match (value["hex"].as_str(), value["size"].as_u64()) {
            (Some(hex), None) => unhex(hex).ok_or_else(|| wrong("`hex` must be pairs of hexadecimal digits"))?,
            (None, Some(size)) if size <= INJECTED_BYTES_MAX => {
                vec![0xA5; usize::try_from(size).map_err(|_| wrong("`size` is too large"))?]
            }
            _ => return Err(wrong("give either `hex` or a `size` of at most 64 MiB")),
        };
        let is_raw = value["raw"].as_bool().unwrap_or(false);
        let bytes = if is_raw { payload } else { proxy::binary_frame(direction, &payload) };
        Ok(Forged { direction, bytes })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn unknown(command: &str) -> Reply {
    Reply::error(404, &format!("there is no command `{command}`"))
}

fn server(scene: &Scene) -> MutexGuard<'_, Server> {
    scene.server.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, direction: Direction, bytes: &[u8]) {
        assert_eq!(Forged::read(body).expect(body), Forged { direction, bytes: bytes.to_vec() });
    }

    fn check_refused(body: &str, expected: &str) {
        assert_eq!(Forged::read(body).expect_err(body).to_string(), expected);
    }

    #[test]
    fn forged_bytes_are_framed_unless_they_are_to_be_raw() {
        check(r#"{"direction":"down","hex":"00ff"}"#, Direction::Down, b"\x82\x02\x00\xff");
        check(r#"{"direction":"up","hex":"00ff"}"#, Direction::Up, b"\x82\x82\0\0\0\0\x00\xff");
        check(r#"{"direction":"down","hex":"0a","raw":true}"#, Direction::Down, b"\x0a");
        check(r#"{"direction":"down","size":1}"#, Direction::Down, b"\x82\x01\xa5");
    }

    #[test]
    fn what_cannot_be_injected_is_said() {
        check_refused("garbage", "to inject, send JSON");
        check_refused(r#"{"hex":"00"}"#, "to inject, `direction` must be \"up\" or \"down\"");
        check_refused(r#"{"direction":"up","hex":"0"}"#, "to inject, `hex` must be pairs of hexadecimal digits");
        check_refused(r#"{"direction":"up"}"#, "to inject, give either `hex` or a `size` of at most 64 MiB");
    }
}
