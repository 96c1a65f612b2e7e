//! A client's recorded attempts; never with an image.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Id, Query, Refusal};
use super::{App, Refusals};
use crate::attempt_record::AttemptRecord;
use crate::auth::Identity;
use crate::dialects::{joi, json};
use crate::error::ApiError;
use crate::store::{Attempt, AttemptFilter, Position};

const PAGE_SIZE: u32 = 50;
const MAX_PAGE_SIZE: u32 = 500;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

#[derive(Serialize, ToSchema)]
#[schema(as = OneAttempt)]
struct One {
    data: AttemptRecord,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Attempts)]
struct Many {
    data: Vec<AttemptRecord>,
    /// What to give as `cursor` for the next page; null on the last.
    next: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `list` reads")]
struct Filter {
    /// In this collection, given by its `_id` or `code`.
    #[param(nullable = false, min_length = 1)]
    collection: Option<String>,
    /// With this `os`, in any case.
    #[param(nullable = false, min_length = 1)]
    os: Option<String>,
    /// That passed, or did not.
    #[param(nullable = false)]
    passed: Option<bool>,
    /// Recorded at or after this time (ISO 8601; a day is its first moment in UTC).
    #[param(nullable = false, format = DateTime)]
    from: Option<String>,
    /// Recorded before this time.
    #[param(nullable = false, format = DateTime)]
    to: Option<String>,
    /// The `next` of the page before.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    cursor: Option<String>,
    /// How many a page has; 50 unless said otherwise.
    #[param(nullable = false, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List the client's attempts, the newest first
#[utoipa::path(
    get,
    path = "/v2/face-recognition/attempts",
    tag = "attempts",
    params(Filter),
    responses((status = 200, body = Many, description = "A page of them"), Refusals),
    security(("token" = []))
)]
async fn list(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(parameters): Query,
) -> Result<Response, Refusal> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let filter = AttemptFilter {
        collection: owned(joi::parameter(&parameters, "collection")?),
        os: owned(joi::parameter(&parameters, "os")?),
        passed: joi::boolean(&parameters, "passed")?,
        from: joi::time(&parameters, "from")?,
        to: joi::time(&parameters, "to")?,
        after: joi::parameter(&parameters, "cursor")?
            .map(position)
            .transpose()?,
    };
    let limit = joi::integer(&parameters, "limit", 1..=MAX_PAGE_SIZE)?.unwrap_or(PAGE_SIZE);
    // One more than the page holds tells whether there is another page.
    let mut attempts = app
        .store
        .find_attempts(&identity.client_id, &filter, limit + 1)
        .await?;
    let more = attempts.len() > limit as usize;
    attempts.truncate(limit as usize);
    let next = attempts.last().filter(|_| more).map(cursor);
    let data = attempts.iter().map(AttemptRecord::from).collect();
    Ok(json(StatusCode::OK, &Many { data, next }))
}

/// Get an attempt
#[utoipa::path(
    get,
    path = "/v2/face-recognition/attempts/{id}",
    tag = "attempts",
    params(("id" = String, Path, description = "The `id` of the answer")),
    responses((status = 200, body = One, description = "The attempt"), Refusals),
    security(("token" = []))
)]
async fn get(
    State(app): State<Arc<App>>,
    identity: Identity,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let attempt = app.store.attempt(&identity.client_id, &id).await?;
    let data = AttemptRecord::from(&attempt.ok_or(ApiError::RecordNotFound)?);
    Ok(json(StatusCode::OK, &One { data }))
}

/// Where the page after `attempt` begins, as clients hand it back.
fn cursor(attempt: &Attempt) -> String {
    let position = format!("{}.{}", attempt.created_at.as_millisecond(), attempt.id);
    BASE64_URL_SAFE_NO_PAD.encode(position)
}

fn position(cursor: &str) -> Result<Position, ApiError> {
    let read = || {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (millisecond, id) = text.split_once('.')?;
        Some(Position {
            created_at: Timestamp::from_millisecond(millisecond.parse().ok()?).ok()?,
            id: id.to_owned(),
        })
    };
    match read() {
        Some(position) => Ok(position),
        None => joi::invalid("cursor", "must be the `next` of another page"),
    }
}
