//! The conductor: a small HTTP service on this machine that serves pages, and by which pages and scripts command the
//! server and the proxy.
//!
//! ```text
//! GET  /control/info                                       { conductorUrl, serverUrl, proxyUrl, appId }
//! POST /control/server/{start,stop,kill,state,reset-data}  { running, pid, starts }
//! GET, POST /control/server/... (backup, restore, ...)     the same of /admin/..., with its body and its answer
//! POST /control/proxy/{pass,cut,blackhole-down,blackhole-up}  { mode, connections, ... }: from now on
//! POST /control/proxy/drop                                 cuts what is open, once
//! POST /control/proxy/inject  { direction: "up" | "down", hex | size, raw?: true }
//! POST /control/proxy/state
//! GET  anything else                                       a file
//! ```

mod control;
mod pages;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tiny_http::{Method, Request, StatusCode};

use crate::failure::{Failure, Outcome};
use crate::proxy::Proxy;
use crate::server::Server;

pub use pages::{Mount, Pages};

const WORKERS: usize = 8;
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What the conductor commands.
#[derive(Debug)]
pub struct Scene {
    /// The server under test.
    pub server: Mutex<Server>,
    /// The way to it that can be disturbed.
    pub proxy: Proxy,
    /// The files that it serves.
    pub pages: Pages,
    /// The address under which the conductor is reached.
    pub address: SocketAddr,
}

/// What one request is answered with.
#[derive(Debug, PartialEq, Eq)]
struct Reply {
    status: u16,
    mime: &'static str,
    body: Vec<u8>,
}

impl Reply {
    fn json(status: u16, value: &serde_json::Value) -> Reply {
        Reply { status, mime: "application/json", body: value.to_string().into_bytes() }
    }

    fn error(status: u16, sentence: &str) -> Reply {
        Reply::json(status, &serde_json::json!({ "error": sentence }))
    }
}

/// Serves until the program ends.
pub fn start(scene: Scene) -> Outcome<Arc<Scene>> {
    let listener = tiny_http::Server::http(scene.address)
        .map_err(|error| Failure::new(format!("listening on {}: {error}", scene.address)))?;
    let (listener, scene) = (Arc::new(listener), Arc::new(scene));
    for _ in 0..WORKERS {
        let (listener, scene) = (Arc::clone(&listener), Arc::clone(&scene));
        std::thread::spawn(move || {
            while let Ok(request) = listener.recv() {
                answer(&scene, request);
            }
        });
    }
    Ok(scene)
}

fn answer(scene: &Scene, mut request: Request) {
    let origin = header(&request, "Origin");
    let reply = if is_allowed(header(&request, "Host").as_deref(), origin.as_deref()) {
        reply_to(scene, &mut request)
    } else {
        Reply::error(403, "only pages of this machine may ask the conductor")
    };
    let mut headers = vec![
        ("Content-Type", reply.mime),
        ("Cache-Control", "no-cache"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
    ];
    if let Some(origin) = &origin {
        headers.push(("Access-Control-Allow-Origin", origin));
        headers.push(("Access-Control-Allow-Methods", "GET, POST, OPTIONS"));
        headers.push(("Access-Control-Allow-Headers", "Content-Type"));
        headers.push(("Vary", "Origin"));
    }
    // A browser that has gone away needs no answer.
    let _ = send(request, &reply, &headers);
}

/// Answers and asks the other side to close. tiny_http gives every open connection a thread and may queue another one
/// behind it, so a connection that a browser keeps open could keep another one waiting for ever.
fn send(request: Request, reply: &Reply, headers: &[(&str, &str)]) -> std::io::Result<()> {
    let has_body = *request.method() != Method::Head;
    let reason = StatusCode(reply.status).default_reason_phrase();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", reply.status);
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", reply.body.len()));
    let mut writer = request.into_writer();
    writer.write_all(head.as_bytes())?;
    if has_body {
        writer.write_all(&reply.body)?;
    }
    writer.flush()
}

fn reply_to(scene: &Scene, request: &mut Request) -> Reply {
    let address = request.url().to_owned();
    let method = request.method().clone();
    let Some(command) = address.strip_prefix("/control/") else {
        return match method {
            Method::Get | Method::Head => scene.pages.reply(address.split(['?', '#']).next().unwrap_or_default()),
            _ => Reply::error(405, "files can only be read"),
        };
    };
    if method == Method::Options {
        return Reply { status: 204, mime: "text/plain", body: Vec::new() };
    }
    let mut body = String::new();
    match request.as_reader().take(BODY_BYTES_MAX).read_to_string(&mut body) {
        Ok(_) => control::run(scene, method.as_str(), command, &body),
        Err(error) => Reply::error(400, &format!("the body cannot be read: {error}")),
    }
}

fn header(request: &Request, name: &str) -> Option<String> {
    let found = request.headers().iter().find(|header| header.field.as_str().as_str().eq_ignore_ascii_case(name));
    found.map(|header| header.value.as_str().to_owned())
}

/// The conductor can kill processes and wipe data, so no page from elsewhere may ask it, whatever name it goes by.
fn is_allowed(host: Option<&str>, origin: Option<&str>) -> bool {
    let origin_host = origin.map(|origin| origin.strip_prefix("http://").unwrap_or(origin));
    [host, origin_host].into_iter().flatten().all(is_loopback)
}

fn is_loopback(host_and_port: &str) -> bool {
    let host = match host_and_port.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host_and_port,
    };
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_ask() {
        let check = |host: &str, origin: Option<&str>, expected: bool| {
            assert_eq!(is_allowed(Some(host), origin), expected, "{host} {origin:?}");
        };
        check("127.0.0.1:8787", None, true);
        check("localhost:8787", Some("http://127.0.0.1:4000"), true);
        check("127.0.0.1:8787", Some("http://localhost"), true);
        check("127.0.0.1:8787", Some("https://example.org"), false);
        check("127.0.0.1:8787", Some("http://localhost.example.org"), false);
        check("127.0.0.1:8787", Some("null"), false);
        check("rebound.example.org:8787", None, false);
    }
}
