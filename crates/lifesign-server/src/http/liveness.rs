//! The liveness call, from request to answer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use jiff::Timestamp;
use lifesign::{AssessError, AssessOptions, Decision, Device};

use super::body::Incoming;
use super::{App, respond};
use crate::auth::{Identity, authenticate};
use crate::dialects::{Answer, Dialect, LivenessRequest, Threshold};
use crate::error::{ApiError, Unjudgeable};
use crate::image_source::ImageSource;
use crate::inference::PoolError;
use crate::store::NewAttempt;

/// `POST` of a photograph, in any dialect.
pub(super) async fn liveness<D: Dialect>(
    State(app): State<Arc<App>>,
    request: Request,
) -> Response {
    let answer = tokio::time::timeout(app.request_timeout, answer::<D>(&app, request)).await;
    match answer.unwrap_or(Err(ApiError::RequestTimeout)) {
        Ok(answer) => D::render(&answer),
        Err(error) => respond::<D>(&error),
    }
}

async fn answer<D: Dialect>(app: &App, request: Request) -> Result<Answer, ApiError> {
    let (head, body) = request.into_parts();
    let body = Incoming::new(body);

    // Before the body: nobody without a token makes the service read megabytes.
    let identity = authenticate(D::token(&head.headers), &app.keys, &app.store).await?;
    let body = body.json(&head.headers, app.max_body_bytes).await?;
    let mut request = D::parse(body)?;
    find_collection(app, &identity, &request).await?;

    let threshold = request
        .min_score
        .clone()
        .unwrap_or_else(|| Threshold::chosen(app.min_score));
    // Taken out, so that it does not lie in memory twice while its turn is waited for.
    let image = std::mem::take(&mut request.image);
    let attempt = NewAttempt {
        client_id: &identity.client_id,
        collection_id: request.collection_id.as_deref(),
        os: &request.os,
        score: None,
        min_score: threshold.value(),
        passed: false,
        reason: None,
        model: &app.model,
    };

    match judge(app, image, Device::from_os(&request.os)).await {
        Ok(score) => {
            let Decision {
                liveness_score: score,
                passed,
            } = Decision::new(score, threshold.value());
            let attempt = NewAttempt {
                score: Some(score),
                passed,
                ..attempt
            };
            let id = app.store.record_attempt(&attempt).await?;
            Ok(Answer {
                id,
                passed,
                min_score: threshold,
                score,
                issuer: app.signature.issuer.clone(),
                date_time: app.signature.date_time(Timestamp::now()),
            })
        }
        Err(ApiError::Unjudgeable(unjudgeable)) => {
            let attempt = NewAttempt {
                reason: Some(unjudgeable.reason),
                ..attempt
            };
            app.store.record_attempt(&attempt).await?;
            Err(unjudgeable.into())
        }
        Err(error) => Err(error),
    }
}

/// Another client's collection looks exactly like none.
async fn find_collection(
    app: &App,
    identity: &Identity,
    request: &LivenessRequest,
) -> Result<(), ApiError> {
    match &request.collection_id {
        Some(id) if !app.store.has_collection(&identity.client_id, id).await? => {
            Err(ApiError::CollectionNotFound)
        }
        _ => Ok(()),
    }
}

/// The score of the photograph, 0 to 1.
async fn judge(app: &App, image: String, device: Device) -> Result<f64, ApiError> {
    let source = ImageSource::parse(&image, app.max_image_bytes)?;
    drop(image);
    let photograph = match source {
        ImageSource::Bytes(bytes) => bytes,
        ImageSource::Url(url) => match &app.fetcher {
            Some(fetcher) => fetcher.fetch(url).await?,
            None => {
                return Err(ApiError::from(Unjudgeable::invalid_image(
                    "This service does not download images. Send the photograph itself as base64.",
                )));
            }
        },
    };
    let options = AssessOptions {
        device,
        profile: app.profile,
    };
    match app.pool.assess(photograph, options).await {
        Ok(Ok(assessment)) if (0.0..=1.0).contains(&assessment.score) => Ok(assessment.score),
        Ok(Ok(_)) => Err(ApiError::internal("the engine's score is not from 0 to 1")),
        Ok(Err(AssessError::Rejected(rejection))) => Err(Unjudgeable::from(rejection).into()),
        Ok(Err(AssessError::Inference(fault))) => Err(ApiError::internal(fault)),
        Err(PoolError::Full) => Err(ApiError::Overloaded),
        Err(error) => Err(ApiError::internal(error)),
    }
}
