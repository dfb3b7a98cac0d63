//! The sync service on WebSockets.
//!
//! ```text
//!   socket --> Connection (reads frames, owns the sessions) --> Session task --> Hub
//!   socket <-- writer task <-- Outbox (bounded in bytes) <----------'
//! ```
//!
//! A session sends from the history what fits the outbox and waits for room: a slow reader is paused, never buffered.

mod connection;
mod outbox;
mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ebbtide_sync::wire::{FRAME_BYTES_MAX, SUBPROTOCOL};

use crate::auth::check_app_id;
use crate::limits::CONNECTIONS_MAX;
use crate::web::Web;

pub use outbox::{Outbox, Outgoing};

/// WebSocket close codes.
pub mod close {
    /// Done.
    pub const NORMAL: u16 = 1000;
    /// A message that the protocol does not allow.
    pub const PROTOCOL: u16 = 4400;
    /// No HELLO in time, a bad token, or an expired one.
    pub const UNAUTHENTICATED: u16 = 4401;
    /// Silent for too long.
    pub const IDLE: u16 = 4408;
    /// A frame over the limit.
    pub const TOO_BIG: u16 = 1009;
    /// The server is restarting.
    pub const RESTART: u16 = 1012;
    /// Too much to do, or a reader that does not read.
    pub const TRY_LATER: u16 = 1013;
}

/// Counts one connection for as long as it lives.
pub struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(counter: &Arc<AtomicUsize>) -> Option<Counted> {
        let counted = Counted(Arc::clone(counter));
        if counter.fetch_add(1, Ordering::Relaxed) < CONNECTIONS_MAX { Some(counted) } else { None }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Opens a socket for a page of an allowed origin that speaks the protocol.
pub async fn upgrade(
    State(web): State<Arc<Web>>,
    Path(app): Path<String>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if let Err(reason) = check_app_id(&app) {
        return (StatusCode::NOT_FOUND, reason).into_response();
    }
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if !origin.is_some_and(|origin| web.rules.origins.allows(origin)) {
        return (StatusCode::FORBIDDEN, "this origin is not allowed").into_response();
    }
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return (StatusCode::BAD_REQUEST, format!("the subprotocol must be {SUBPROTOCOL}")).into_response();
    }
    let Some(counted) = Counted::new(&web.connections) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many connections").into_response();
    };
    upgrade
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .max_write_buffer_size(4 * FRAME_BYTES_MAX)
        .on_upgrade(move |socket| connection::serve(web, app, socket, counted))
}
