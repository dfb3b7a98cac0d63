//! HTTP: login, the door to the sync service, the operator's API.
//!
//! ```text
//! POST /api/app/{app}/login      POST /api/app/{app}/session      GET /api/app/{app}/sync (WebSocket)
//! POST /admin/...                GET  /admin/state, /admin/objects, /admin/backups           GET /healthz
//! ```

mod admin;
mod cors;
mod login;
mod schema_json;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::json;

use crate::auth::{Origins, RealmRule, Tokens};
use crate::limits::{CONNECTIONS_PER_USER_MAX, HTTP_BODY_BYTES_MAX, Patience};
use crate::service::Service;
use crate::socket;

pub use schema_json::{parse_change, parse_property};

/// What the operator decided about clients, before they say what they want.
#[derive(Clone, Debug, Default)]
pub struct WebRules {
    /// Which pages may speak.
    pub origins: Origins,
    /// Who may open which realm.
    pub realms: RealmRule,
    /// How long clients are waited for.
    pub patience: Patience,
}

/// What every request may need.
pub struct Web {
    /// The realms.
    pub service: Arc<Service>,
    /// Makes and checks tokens.
    pub tokens: Tokens,
    /// What opens the operator's API.
    pub admin_token: String,
    /// What the operator decided.
    pub rules: WebRules,
    /// Open sockets.
    pub connections: Arc<AtomicUsize>,
    users: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// Counts one connection of a user for as long as it lives.
pub struct UserCount {
    users: Arc<Mutex<BTreeMap<String, usize>>>,
    key: String,
}

impl Drop for UserCount {
    fn drop(&mut self) {
        let mut users = self.users.lock().expect("invariant: no panic while users are counted");
        if let Some(count) = users.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                users.remove(&self.key);
            }
        }
    }
}

impl Web {
    /// Without connections.
    pub fn new(service: Arc<Service>, tokens: Tokens, admin_token: String, rules: WebRules) -> Arc<Web> {
        let (connections, users) = (Arc::default(), Arc::default());
        Arc::new(Web { service, tokens, admin_token, rules, connections, users })
    }

    /// Counts a connection of a user, if there may be another.
    pub fn count_user(&self, app: &str, user: &str) -> Option<UserCount> {
        let key = format!("{app}/{user}");
        let mut users = self.users.lock().expect("invariant: no panic while users are counted");
        let count = users.entry(key.clone()).or_default();
        if *count >= CONNECTIONS_PER_USER_MAX {
            return None;
        }
        *count += 1;
        Some(UserCount { users: Arc::clone(&self.users), key })
    }

    /// Writes down a user whose token we signed: a restored database may not have it.
    pub async fn remember_user(&self, app: &str, user: &str) {
        let (storage, now) = (Arc::clone(self.service.storage()), self.service.now());
        let (app, user) = (app.to_string(), user.to_string());
        let added = tokio::task::spawn_blocking(move || match storage.has_user(&app, &user) {
            Ok(true) => Ok(()),
            Ok(false) => storage.add_user(&app, &user, now),
            Err(error) => Err(error),
        });
        if let Ok(Err(error)) = added.await {
            tracing::error!(%error, "a user could not be written down; the token is good all the same");
        }
    }
}

/// All routes.
pub fn router(web: Arc<Web>) -> Router {
    let app = Router::new()
        .route("/api/app/{app}/login", post(login::login))
        .route("/api/app/{app}/session", post(login::renew))
        .route("/api/app/{app}/sync", any(socket::upgrade))
        .route("/healthz", get(|| async { "ok" }))
        .nest("/admin", admin::router(&web))
        .layer(DefaultBodyLimit::max(HTTP_BODY_BYTES_MAX));
    app.layer(from_fn_with_state(Arc::clone(&web), cors::guard)).with_state(web)
}

/// An error as JSON.
pub fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({ "error": message, "error_code": code }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
