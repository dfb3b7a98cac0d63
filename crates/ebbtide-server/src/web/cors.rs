//! Cross-origin requests: pages of allowed origins may read answers; others, and `null`, are refused before anything is
//! done. Requests without an origin do not come from a page of another site.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Web, refuse};

/// Lets requests of allowed origins through and marks their answers.
pub async fn guard(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
        return secure(next.run(request).await);
    };
    if !origin.to_str().is_ok_and(|origin| web.rules.origins.allows(origin)) {
        return secure(refuse(StatusCode::FORBIDDEN, "OriginNotAllowed", "this origin is not allowed"));
    }
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let private = request.headers().contains_key("access-control-request-private-network");
    let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if preflight {
        allow(headers, private);
    }
    secure(response)
}

fn allow(headers: &mut HeaderMap, private: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if private {
        headers.insert("access-control-allow-private-network", HeaderValue::from_static("true"));
    }
}

fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
