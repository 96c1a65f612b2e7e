//! The pages that the binary holds: the one that a capture session's browser is sent to, and a welcome
//! for the operator. `web/` has their source.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

use super::{App, unserved};
use crate::error::ApiError;

/// Built from `web/` by `web/check`, which continuous integration runs and compares.
#[derive(RustEmbed)]
#[folder = "pages/"]
struct Files;

const CAPTURE: &str = "capture.html";
const WELCOME: &str = "welcome.html";

/// Nothing from elsewhere, nothing to elsewhere, and no script that is not a file of ours.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    media-src 'self' blob: mediastream:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors ";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(welcome))
        .route("/capture/{session}", get(capture))
        .route("/assets/{name}", get(asset))
}

/// What the pages may be framed by.
pub(crate) fn policy(frame_ancestors: &[HeaderValue]) -> HeaderValue {
    let mut policy = POLICY.as_bytes().to_vec();
    match frame_ancestors {
        [] => policy.extend(b"'none'"),
        origins => {
            for origin in origins {
                policy.extend(origin.as_bytes());
                policy.push(b' ');
            }
        }
    }
    // Of header values, and so one itself.
    HeaderValue::from_bytes(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

async fn welcome(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    page(&app, WELCOME, &headers, "camera=(self)").await
}

/// The same for every session: which it is, only the browser knows.
async fn capture(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    page(
        &app,
        CAPTURE,
        &headers,
        "camera=(self), microphone=(), geolocation=()",
    )
    .await
}

async fn page(app: &App, name: &str, headers: &HeaderMap, permissions: &'static str) -> Response {
    let mut response = file(name, headers).await;
    let more = response.headers_mut();
    more.insert(CONTENT_SECURITY_POLICY, app.page_policy.clone());
    more.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    more.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(permissions),
    );
    response
}

/// Scripts and styles may be used by other pages as well: they hold no secrets.
async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let mut response = file(&format!("assets/{name}"), &headers).await;
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

async fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some(file) = Files::get(name) else {
        return unserved(ApiError::RouteNotFound).await;
    };
    let tag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    let known = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|tags| tags.as_bytes() == tag.as_bytes());
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes).into_response(),
            Cow::Owned(bytes) => bytes.into_response(),
        },
    };
    let more = response.headers_mut();
    more.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    // Names stay from one version to the next: browsers ask each time, and are told at once.
    more.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        more.insert(ETAG, tag);
    }
    response
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_media_type_that_browsers_take_it_for() {
        let names: Vec<String> = Files::iter().map(String::from).collect();
        for needed in [CAPTURE, WELCOME, "assets/lifesign-capture.js"] {
            assert!(names.iter().any(|name| name == needed), "{names:?}");
        }
        for name in names {
            assert_ne!(media_type(&name), "application/octet-stream", "{name}");
        }
    }

    #[test]
    fn pages_are_framed_by_nobody_unless_the_operator_says_by_whom() {
        let policy_of = |origins: &[HeaderValue]| policy(origins).to_str().unwrap().to_owned();
        assert!(policy_of(&[]).ends_with("frame-ancestors 'none'"));
        let shop = HeaderValue::from_static("https://shop.example");
        assert!(policy_of(&[shop]).ends_with("frame-ancestors https://shop.example "));
    }
}
