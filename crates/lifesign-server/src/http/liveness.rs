//! The liveness call, from request to answer.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;

use super::judgement::{self, Asked, Outcome};
use super::{App, account, body, respond};
use crate::auth::Identity;
use crate::dialects::{Answer, Dialect, LivenessRequest, Threshold};
use crate::error::ApiError;
use crate::image_source::ImageSource;
use crate::json;

/// Asks for more than the contract's keys.
const EXTENSIONS: &str = "lifesign-extensions";

/// Answers the `POST` of a photograph, in any dialect.
pub(crate) async fn judge<D: Dialect>(app: &App, request: Request) -> Response {
    let answer = tokio::time::timeout(app.request_timeout, answer::<D>(app, request)).await;
    match answer.unwrap_or(Err(ApiError::RequestTimeout)) {
        Ok(answer) => D::render(&answer),
        Err(error) => {
            if matches!(error, ApiError::Overloaded) {
                app.overload.refused();
            }
            respond::<D>(&error)
        }
    }
}

async fn answer<D: Dialect>(app: &App, request: Request) -> Result<Answer, ApiError> {
    let (head, body) = request.into_parts();

    // Before the body: nobody without a token makes the service read megabytes.
    let identity = account::identify(app, &head, D::token(&head.headers)).await?;
    let _place = app.limiter.enter(&identity.client_id, identity.limits)?;
    // Where the queue is full, reading is work for nothing; and once more after a body that took its
    // time, before it is looked into.
    app.pool.has_room()?;
    let mut room = app.overload.room();
    let body = body::json(&head.headers, body, app.max_body_bytes, &mut room).await?;
    app.pool.has_room()?;
    let LivenessRequest {
        os,
        image,
        collection_id,
        min_score,
    } = D::parse(json::parse(&body)?)?;
    let photograph = ImageSource::parse(&image, app.max_image_bytes);
    // So that the photograph does not lie in memory twice while its turn is waited for.
    drop(image);
    drop(body);
    let collection = find_collection(app, &identity, collection_id.as_deref()).await?;

    let asked = Asked {
        identity: &identity,
        collection_id: collection.as_deref(),
        os: &os,
        threshold: min_score.unwrap_or_else(|| Threshold::chosen(app.min_score)),
        extensions: app.extensions || asks_for_extensions(&head.headers),
        capture: None,
    };
    match judgement::judge(app, asked, photograph).await? {
        Outcome::Judged { answer, .. } => Ok(answer),
        Outcome::Unjudgeable { why, .. } => Err(why.into()),
    }
}

fn asks_for_extensions(headers: &HeaderMap) -> bool {
    headers
        .get(EXTENSIONS)
        .is_some_and(|value| value.as_bytes().trim_ascii() == b"1")
}

/// The id of the collection that the request names by its id or code. Another client's collection
/// looks exactly like none.
pub(super) async fn find_collection(
    app: &App,
    identity: &Identity,
    key: Option<&str>,
) -> Result<Option<String>, ApiError> {
    let Some(key) = key else { return Ok(None) };
    let id = app.store.collection_id(&identity.client_id, key).await?;
    id.map(Some).ok_or(ApiError::RecordNotFound)
}
