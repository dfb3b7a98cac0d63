//! The operator's API. Every call needs the admin token, and every change is written to the log.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ebbtide_core::ClientId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::login::bearer;
use super::{Web, parse_change, refuse};
use crate::auth::same_secret;
use crate::edge;
use crate::hub::RealmView;

/// The operator's routes.
pub fn router(web: &Arc<Web>) -> Router<Arc<Web>> {
    Router::new()
        .route("/backup", post(backup))
        .route("/backups", get(backups))
        .route("/restore", post(restore))
        .route("/terminate-sync", post(terminate_sync))
        .route("/trim-history", post(trim_history))
        .route("/schema", post(schema))
        .route("/forget-client", post(forget_client))
        .route("/state", get(state))
        .route("/objects", get(objects))
        .layer(from_fn_with_state(Arc::clone(web), authenticate))
}

async fn authenticate(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let given = bearer(request.headers()).unwrap_or_default();
    if !same_secret(given, &web.admin_token) {
        tracing::warn!(path = request.uri().path(), "admin call without the admin token");
        let reason = "the admin token is needed as bearer token; it is in admin.token of the data directory";
        return refuse(StatusCode::UNAUTHORIZED, "Unauthorized", reason);
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_string());
    let response = next.run(request).await;
    if method != axum::http::Method::GET {
        tracing::info!(path, status = response.status().as_u16(), "admin call");
    }
    response
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Named {
    name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct OneRealm {
    realm: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Trim {
    realm: Option<String>,
    #[serde(default)]
    keep: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaBody {
    realm: Option<String>,
    change: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forget {
    client: String,
}

#[derive(Deserialize)]
struct Objects {
    realm: String,
    class: String,
    #[serde(default)]
    from: usize,
}

/// What a change left of a realm.
#[derive(Serialize)]
struct Changed {
    realm: String,
    epoch: String,
    head: u64,
    floor: u64,
}

fn changed(realm: &str, view: RealmView) -> Changed {
    let (head, floor) = (view.head.version.0, view.floor.version.0);
    Changed { realm: realm.to_string(), epoch: edge::hex(&view.epoch.0), head, floor }
}

type Answer = Result<Response, String>;

fn done<T: Serialize>(value: &T) -> Answer {
    let body = serde_json::to_string(value).map_err(|error| error.to_string())?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

fn answer(result: Answer) -> Response {
    result.unwrap_or_else(|error| refuse(StatusCode::BAD_REQUEST, "Refused", &error))
}

/// Reads a body; an empty one is all defaults.
fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, String> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| format!("the body cannot be read: {error}"))
}

async fn backup(State(web): State<Arc<Web>>, body: Bytes) -> Response {
    let run = async {
        let named: Named = read(&body)?;
        let name = named.name.unwrap_or_else(|| stamp(&web));
        done(&web.service.backup(name).await?)
    };
    answer(run.await)
}

async fn backups(State(web): State<Arc<Web>>) -> Response {
    answer(done(&json!({ "backups": web.service.list_backups() })))
}

async fn restore(State(web): State<Arc<Web>>, body: Bytes) -> Response {
    let run = async {
        let named: Named = read(&body)?;
        let name = named.name.ok_or("the body must name the backup: {\"name\":\"...\"}")?;
        let service = Arc::clone(&web.service);
        let stamp = stamp(&web);
        // Goes on to its end even if whoever asked has gone.
        let restored = tokio::spawn(async move { service.restore(name, stamp).await }).await;
        done(&restored.map_err(|error| error.to_string())??)
    };
    answer(run.await)
}

async fn terminate_sync(State(web): State<Arc<Web>>, body: Bytes) -> Response {
    let run = async {
        let one: OneRealm = read(&body)?;
        let mut realms = Vec::new();
        for realm in web.service.resolve(one.realm.as_deref()).await? {
            let hub = web.service.hub(&realm).await.map_err(|refusal| refusal.reason)?;
            realms.push(changed(&realm, hub.terminate().await?));
        }
        done(&json!({ "realms": realms }))
    };
    answer(run.await)
}

async fn trim_history(State(web): State<Arc<Web>>, body: Bytes) -> Response {
    let run = async {
        let trim: Trim = read(&body)?;
        let mut realms = Vec::new();
        for realm in web.service.resolve(trim.realm.as_deref()).await? {
            let hub = web.service.hub(&realm).await.map_err(|refusal| refusal.reason)?;
            realms.push(changed(&realm, hub.trim(trim.keep).await?));
        }
        done(&json!({ "realms": realms }))
    };
    answer(run.await)
}

async fn schema(State(web): State<Arc<Web>>, body: Bytes) -> Response {
    let run = async {
        let body: SchemaBody = read(&body)?;
        let change = parse_change(&body.change)?;
        let mut realms = Vec::new();
        for realm in web.service.resolve(body.realm.as_deref()).await? {
            let hub = web.service.hub(&realm).await.map_err(|refusal| refusal.reason)?;
            realms.push(changed(&realm, hub.change_schema(change.clone()).await?));
        }
        done(&json!({ "realms": realms }))
    };
    answer(run.await)
}

async fn forget_client(State(web): State<Arc<Web>>, body: Bytes) -> Response {
    let run = async {
        let forget: Forget = read(&body)?;
        let bytes = edge::unhex(&forget.client).and_then(|bytes| bytes.try_into().ok());
        let client = ClientId(bytes.ok_or("a client's id has 32 hexadecimal digits")?);
        let mut realms = Vec::new();
        for realm in web.service.realms().await? {
            let hub = web.service.hub(&realm).await.map_err(|refusal| refusal.reason)?;
            if hub.forget(client).await? {
                realms.push(realm);
            }
        }
        if realms.is_empty() {
            return Err("no realm knows this client".to_string());
        }
        done(&json!({ "realms": realms }))
    };
    answer(run.await)
}

async fn state(State(web): State<Arc<Web>>, Query(one): Query<OneRealm>) -> Response {
    let run = async {
        let mut realms = Vec::new();
        for realm in web.service.resolve(one.realm.as_deref()).await? {
            let hub = web.service.hub(&realm).await.map_err(|refusal| refusal.reason)?;
            realms.push(hub.state().await?);
        }
        let connections = web.connections.load(std::sync::atomic::Ordering::Relaxed);
        done(&json!({ "connections": connections, "realms": realms }))
    };
    answer(run.await)
}

async fn objects(State(web): State<Arc<Web>>, Query(wanted): Query<Objects>) -> Response {
    let run = async {
        let realms = web.service.resolve(Some(&wanted.realm)).await?;
        let realm = realms.first().ok_or("there is no such realm")?;
        let hub = web.service.hub(realm).await.map_err(|refusal| refusal.reason)?;
        done(&hub.objects(wanted.class.clone(), wanted.from).await?)
    };
    answer(run.await)
}

/// A name made of the time.
fn stamp(web: &Web) -> String {
    format!("at-{}", web.service.now().0)
}
