//! Logging in and refreshing tokens, over HTTP.

use gloo_net::http::{Request, RequestBuilder};
use serde::Deserialize;
use wasm_bindgen::JsValue;

use crate::error::{Fault, Result, describe};

/// What the server answers to a login.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LoginAnswer {
    pub(crate) user_id: String,
    pub(crate) access_token: String,
    #[serde(default)]
    pub(crate) refresh_token: Option<String>,
}

/// What the server answers to a refresh.
#[derive(Clone, Debug, Deserialize)]
struct RefreshAnswer {
    access_token: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Exchanges credentials, a plain object with a `provider`, for a user and tokens.
pub(crate) async fn log_in(base_url: &str, app_id: &str, credentials: &JsValue) -> Result<LoginAnswer> {
    let body = js_sys::JSON::stringify(credentials)
        .map_err(|e| Fault::InvalidConfig { message: format!("The credentials cannot be sent: {}", describe(&e)) })?;
    let request = Request::post(&address(base_url, app_id, "login")).header("content-type", "application/json");
    answer("log in", request, Some(String::from(body))).await
}

/// Exchanges a refresh token for a new access token.
pub(crate) async fn refresh(base_url: &str, app_id: &str, refresh_token: &str) -> Result<String> {
    let request = Request::post(&address(base_url, app_id, "session"))
        .header("content-type", "application/json")
        .header("authorization", &format!("Bearer {refresh_token}"));
    let answer: RefreshAnswer = answer("refresh the access token", request, Some("{}".to_owned())).await?;
    Ok(answer.access_token)
}

/// The address at which the app's realms are synced.
pub(crate) fn sync_address(base_url: &str, app_id: &str) -> String {
    let address = address(base_url, app_id, "sync");
    match address.strip_prefix("http") {
        Some(rest) => format!("ws{rest}"),
        None => address,
    }
}

fn address(base_url: &str, app_id: &str, endpoint: &str) -> String {
    format!("{}/api/app/{}/{endpoint}", base_url.trim_end_matches('/'), js_sys::encode_uri_component(app_id))
}

async fn answer<T: serde::de::DeserializeOwned>(
    doing: &str,
    request: RequestBuilder,
    body: Option<String>,
) -> Result<T> {
    let unreachable = |e: gloo_net::Error| Fault::Network {
        message: format!("Could not {doing}: the server could not be reached ({e})."),
    };
    let request = match body {
        Some(body) => request.body(body),
        None => request.build(),
    };
    let response = request.map_err(unreachable)?.send().await.map_err(unreachable)?;
    let text = response.text().await.map_err(unreachable)?;
    let parsed = js_sys::JSON::parse(&text).unwrap_or(JsValue::NULL);
    if !response.ok() {
        let reason = serde_wasm_bindgen::from_value::<Refusal>(parsed).map_or(text, |refusal| refusal.error);
        let message = format!("Could not {doing}: the server answered {}: {reason}", response.status());
        return Err(match response.status() {
            400..=499 => Fault::AuthFailed { message },
            _ => Fault::Network { message },
        });
    }
    serde_wasm_bindgen::from_value(parsed).map_err(|e| Fault::Network {
        message: format!("Could not {doing}: the server's answer is not understood: {e}"),
    })
}
