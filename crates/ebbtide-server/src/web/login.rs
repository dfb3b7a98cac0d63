//! Login and renewal of tokens.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::{Web, refuse};
use crate::auth::{TokenKind, check_app_id};
use crate::edge;

#[derive(Deserialize)]
struct Login {
    provider: String,
}

/// `POST /api/app/{app}/login` with `{"provider":"anon-user"}`: makes a user and its tokens.
pub async fn login(State(web): State<Arc<Web>>, Path(app): Path<String>, body: Bytes) -> Response {
    if let Err(reason) = check_app_id(&app) {
        return refuse(StatusCode::NOT_FOUND, "AppNotFound", &reason);
    }
    let Ok(login) = serde_json::from_slice::<Login>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "BadRequest", r#"the body must be JSON like {"provider":"anon-user"}"#);
    };
    if login.provider != "anon-user" {
        let reason = "the login provider is not known: this server knows 'anon-user'";
        return refuse(StatusCode::UNAUTHORIZED, "AuthProviderNotFound", reason);
    }
    let now = web.service.now();
    let user = edge::hex(&edge::random_bytes::<12>());
    let storage = Arc::clone(web.service.storage());
    let (for_app, new_user) = (app.clone(), user.clone());
    let added = tokio::task::spawn_blocking(move || storage.add_user(&for_app, &new_user, now)).await;
    if !matches!(added, Ok(Ok(()))) {
        tracing::error!("a user could not be written down");
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "StorageFailed", "the user could not be stored; try again");
    }
    let pair = web.tokens.make(&app, &user, now);
    tracing::info!(%app, "logged in");
    answer(json!({ "user_id": user, "access_token": pair.access, "refresh_token": pair.refresh }))
}

/// `POST /api/app/{app}/session` with the refresh token as bearer, or as `{"refresh_token":"..."}`: a new access token.
pub async fn renew(State(web): State<Arc<Web>>, Path(app): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let bearer = bearer(&headers).map(str::to_string);
    let in_body = || {
        let body = serde_json::from_slice::<serde_json::Value>(&body).ok()?;
        Some(body.get("refresh_token")?.as_str()?.to_string())
    };
    let Some(token) = bearer.or_else(in_body) else {
        return refuse(StatusCode::UNAUTHORIZED, "InvalidSession", "a refresh token is needed as bearer token");
    };
    let now = web.service.now();
    match web.tokens.check(&app, &token, TokenKind::Refresh, now) {
        Ok(claims) => {
            web.remember_user(&app, &claims.sub).await;
            let access = web.tokens.access(&app, &claims.sub, now);
            answer(json!({ "user_id": claims.sub, "access_token": access }))
        }
        Err(error) => refuse(StatusCode::UNAUTHORIZED, "InvalidSession", &error.to_string()),
    }
}

/// The token of an `Authorization: Bearer` header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn answer(body: serde_json::Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
