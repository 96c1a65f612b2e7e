//! Capture sessions, for the client's back end: it asks for one, sends the person's browser to its
//! page, and asks what came of it. The access token never gets near the browser.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use reqwest::Url;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Fields, Id, Refusal};
use super::liveness::find_collection;
use super::{App, Failures, Refusals};
use crate::auth::Identity;
use crate::capture::{BrowserToken, CaptureRecord, nonce};
use crate::config::is_of_this_machine;
use crate::dialects::{joi, json};
use crate::error::ApiError;
use crate::json::Object;
use crate::store::NewCapture;

const LONGEST: u32 = 15 * 60;
const MOST_UPLOADS: u32 = 10;
const UPLOADS: u32 = 3;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(get))
}

/// What a capture in a browser is to be like. Unknown fields are tolerated.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `create` reads")]
struct NewCaptureSession {
    /// The `_id` or `code` of a collection of the client, in which the attempts are recorded.
    #[schema(nullable = false, min_length = 1, max_length = 1000)]
    collection_id: Option<String>,
    /// Origin of the captures; what the browser says where it is left out.
    #[schema(nullable = false, min_length = 1, max_length = 1000, example = "IOS")]
    os: Option<String>,
    /// The score must be above this to pass; that of the configuration unless it is given.
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    liveness_min_score: Option<f64>,
    /// Where the page leads when it is done, with the session's id as `capture_session` in the query: an
    /// https address, or http on this machine.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^https://[a-z]+\.example/[a-z]*$"
    )]
    return_url: Option<String>,
    /// For how many seconds the session takes photographs; 900 unless it is given.
    #[schema(nullable = false, minimum = 1, maximum = 900)]
    expires_in: Option<u32>,
    /// How many photographs may be uploaded; 3 unless it is given. A person who is refused, and an attacker as
    /// well, may try again until then.
    #[schema(nullable = false, minimum = 1, maximum = 10)]
    uploads: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OneCaptureSession)]
struct One {
    data: CaptureRecord,
}

/// A capture session that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeCaptureSession)]
struct Made {
    data: MadeRecord,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MadeCaptureSessionRecord)]
struct MadeRecord {
    #[serde(flatten)]
    session: CaptureRecord,
    /// What the browser shows to be let into this session; it is good for nothing else, and shown here alone.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    browser_token: String,
    /// The page to send the person's browser to. The token is in its fragment, which browsers send nowhere.
    url: String,
}

/// Make a capture session
///
/// Send the person's browser to its `url`; nothing else is needed. Then a webhook, or asking for the session, tells
/// what came of it.
#[utoipa::path(
    post,
    path = "/v1/capture-sessions",
    tag = "capture",
    request_body = NewCaptureSession,
    responses((status = 200, body = Made, description = "It was made"), Failures),
    security(("token" = []))
)]
async fn create(
    State(app): State<Arc<App>>,
    identity: Identity,
    uri: Uri,
    headers: HeaderMap,
    Fields(mut fields): Fields,
) -> Result<Response, Refusal> {
    let key = joi::storable("collection_id", joi::string(&mut fields, "collection_id")?)?;
    let os = joi::storable("os", joi::string(&mut fields, "os")?)?;
    let min_score = joi::threshold(&mut fields, "liveness_min_score")?;
    let return_url = return_url(&mut fields)?;
    let expires_in = joi::whole(&mut fields, "expires_in", 1..=LONGEST)?.unwrap_or(LONGEST);
    let uploads = joi::whole(&mut fields, "uploads", 1..=MOST_UPLOADS)?.unwrap_or(UPLOADS);
    let collection = find_collection(&app, &identity, key.as_deref()).await?;

    let (token, nonce) = (BrowserToken::generate(), nonce());
    let capture = NewCapture {
        client_id: &identity.client_id,
        token_sha256: token.sha256(),
        nonce: &nonce,
        collection_id: collection.as_deref(),
        os: os.as_deref(),
        min_score: min_score.map_or(app.min_score, |threshold| threshold.value()),
        return_url: return_url.as_ref().map(Url::as_str),
        uploads,
        lifetime: Duration::from_secs(expires_in.into()),
    };
    let capture = app.store.add_capture(&capture).await?;
    let mut page = match &app.public_url {
        Some(url) => url.clone(),
        None => own_address(&uri, &headers)?,
    };
    page.set_path(&format!("/capture/{}", capture.id));
    page.set_fragment(Some(token.expose()));
    let data = MadeRecord {
        session: CaptureRecord::new(&capture),
        browser_token: token.expose().to_owned(),
        url: page.into(),
    };
    Ok(json(StatusCode::OK, &Made { data }))
}

/// Get a capture session, with its photographs that were looked at
#[utoipa::path(
    get,
    path = "/v1/capture-sessions/{id}",
    tag = "capture",
    params(("id" = String, Path, description = "Its `id`")),
    responses((status = 200, body = One, description = "The session"), Refusals),
    security(("token" = []))
)]
async fn get(
    State(app): State<Arc<App>>,
    identity: Identity,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let capture = app.store.capture(&identity.client_id, &id).await?;
    let capture = capture.ok_or(ApiError::RecordNotFound)?;
    let attempts = app.store.attempts_of_capture(&capture.id).await?;
    let data = CaptureRecord::new(&capture).with(&attempts);
    Ok(json(StatusCode::OK, &One { data }))
}

/// This service as the request addressed it.
fn own_address(uri: &Uri, headers: &HeaderMap) -> Result<Url, ApiError> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has it elsewhere.
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str()));
    host.and_then(|host| Url::parse(&format!("http://{host}/")).ok())
        .ok_or(ApiError::BadRequest)
}

fn return_url(fields: &mut Object<'_>) -> Result<Option<Url>, ApiError> {
    const FIELD: &str = "return_url";
    let Some(text) = joi::storable(FIELD, joi::string(fields, FIELD)?)? else {
        return Ok(None);
    };
    match Url::parse(&text) {
        Ok(url) if may_return_to(&url) => Ok(Some(url)),
        _ => joi::invalid(FIELD, "must be an https address"),
    }
}

/// Over https, so that nobody on the way learns the session's id; or to the machine of whoever tries
/// it out.
fn may_return_to(url: &Url) -> bool {
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && is_of_this_machine(url));
    scheme && url.username().is_empty() && url.password().is_none()
}
