//! Whose request it is: found out by whoever authenticates it, and needed again by what every
//! answer has in common.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::App;
use crate::auth::Identity;
use crate::error::ApiError;
use crate::limits::Standing;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Filled in when the request is authenticated.
#[derive(Debug, Clone, Default)]
struct Account(Arc<OnceLock<Known>>);

#[derive(Debug)]
struct Known {
    client: String,
    standing: Option<Standing>,
}

/// Authenticates a request and counts it against its client's rate.
///
/// # Errors
/// 401 and 403 as the token deserves, 429 where the client asks too often.
pub(super) async fn identify(
    app: &App,
    head: &Parts,
    token: Option<&str>,
) -> Result<Identity, ApiError> {
    let identity = app.auth.authenticate(token).await?;
    admit(app, &head.extensions, &identity)?;
    Ok(identity)
}

/// Counts the request of whoever was authenticated against its client's rate.
///
/// # Errors
/// 429 where the client asks too often.
pub(super) fn admit(app: &App, request: &Extensions, identity: &Identity) -> Result<(), ApiError> {
    let (standing, admitted) = app.limiter.admit(&identity.client_id, identity.limits);
    if let Some(account) = request.get::<Account>() {
        // A request is authenticated once.
        let _ = account.0.set(Known {
            client: identity.client_name.clone(),
            standing,
        });
    }
    admitted
}

/// Counts the answer, and tells the client where it stands.
pub(super) async fn account(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let account = Account::default();
    request.extensions_mut().insert(account.clone());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    // A method that is none of HTTP's own would be one more series for each that is made up.
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "PATCH") => known,
        _ => "other",
    }
    .to_owned();

    let mut response = next.run(request).await;
    let known = account.0.get();
    if let Some(standing) = known.and_then(|known| known.standing) {
        tell(response.headers_mut(), standing);
    }
    let client = known.map_or("none", |known| known.client.as_str());
    if let Some(refused) = response.extensions().get::<crate::error::Limit>() {
        app.metrics.limited(client, *refused);
    }
    let status = response.status().as_u16();
    app.metrics
        .answered(&route, &method, status, client, started.elapsed());
    response
}

fn tell(headers: &mut HeaderMap, standing: Standing) {
    headers.insert(LIMIT, HeaderValue::from(standing.limit));
    headers.insert(REMAINING, HeaderValue::from(standing.remaining));
    headers.insert(RESET, HeaderValue::from(standing.reset));
}
