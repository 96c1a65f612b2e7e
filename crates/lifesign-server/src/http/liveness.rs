//! The liveness call, from request to answer.

use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use lifesign::{AssessError, AssessOptions, Assessment, Decision, Device, Verdict};

use super::quota::Quota;
use super::{App, account, body, respond};
use crate::auth::Identity;
use crate::dialects::{Answer, Dialect, Extensions, LivenessRequest, Threshold};
use crate::error::{ApiError, Unjudgeable, chain};
use crate::image_source::ImageSource;
use crate::inference::Judged;
use crate::receipt::Statement;
use crate::store::{Attempt, NewAttempt};
use crate::webhooks;

/// Asks for more than the contract's keys.
const EXTENSIONS: &str = "lifesign-extensions";
/// Longer than that no client waits for what is not its business.
const ARCHIVE_TIMEOUT: Duration = Duration::from_secs(5);

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
    let mut request = D::parse(body)?;
    let collection = find_collection(app, &identity, &request).await?;

    let threshold = request
        .min_score
        .clone()
        .unwrap_or_else(|| Threshold::chosen(app.min_score));
    // Taken out, so that it does not lie in memory twice while its turn is waited for.
    let image = std::mem::take(&mut request.image);
    let options = AssessOptions {
        device: Device::from_os(&request.os),
        profile: app.profile,
        quality: app.extensions || asks_for_extensions(&head.headers),
        likeness: app.probing.is_some(),
    };
    let quota = Quota::take(app, &identity).await?;
    let attempt = NewAttempt {
        client_id: &identity.client_id,
        collection_id: collection.as_deref(),
        os: &request.os,
        score: None,
        min_score: threshold.value(),
        passed: false,
        reason: None,
        model: &app.model,
    };

    match assess(app, image, options).await {
        Ok(Scored {
            assessment,
            sha256,
            photograph,
        }) => {
            if let (Some(probing), Some(likeness)) = (&app.probing, assessment.likeness) {
                probing.admit(&identity.client_id, likeness, Timestamp::now())?;
            }
            let decision = Decision::new(assessment.score, threshold.value());
            let attempt = NewAttempt {
                score: Some(decision.liveness_score),
                passed: decision.passed,
                ..attempt
            };
            let attempt = record(app, &attempt).await?;
            quota.used();
            archive(app, &attempt, photograph).await;
            app.metrics
                .decided(options.device, decision.liveness_score, decision.passed);
            let verdict = Verdict::new(
                decision.liveness_score,
                attempt.min_score,
                app.uncertain_band,
            );
            Ok(Answer {
                passed: decision.passed,
                min_score: threshold,
                score: decision.liveness_score,
                issuer: app.signature.issuer.clone(),
                date_time: app.signature.date_time(attempt.created_at),
                receipt: receipt(app, &attempt, decision, verdict, &sha256).await?,
                extensions: Extensions::new(verdict, &assessment),
                id: attempt.id,
            })
        }
        Err(ApiError::Unjudgeable(unjudgeable)) => {
            app.metrics.rejected(unjudgeable.reason);
            let attempt = NewAttempt {
                reason: Some(unjudgeable.reason),
                ..attempt
            };
            record(app, &attempt).await?;
            Err(unjudgeable.into())
        }
        Err(error) => Err(error),
    }
}

fn asks_for_extensions(headers: &HeaderMap) -> bool {
    headers
        .get(EXTENSIONS)
        .is_some_and(|value| value.as_bytes().trim_ascii() == b"1")
}

/// The id of the collection that the request names by its id or code. Another client's collection
/// looks exactly like none.
async fn find_collection(
    app: &App,
    identity: &Identity,
    request: &LivenessRequest,
) -> Result<Option<String>, ApiError> {
    let Some(key) = &request.collection_id else {
        return Ok(None);
    };
    let id = app.store.collection_id(&identity.client_id, key).await?;
    id.map(Some).ok_or(ApiError::RecordNotFound)
}

/// A photograph that was judged.
struct Scored {
    assessment: Assessment,
    sha256: [u8; 32],
    photograph: Vec<u8>,
}

async fn assess(app: &App, image: String, options: AssessOptions) -> Result<Scored, ApiError> {
    let source = ImageSource::parse(&image, app.max_image_bytes)?;
    drop(image);
    let photograph = match source {
        ImageSource::Bytes(bytes) => bytes,
        ImageSource::Url(url) => match &app.fetcher {
            Some(fetcher) => {
                let started = Instant::now();
                let fetched = fetcher.fetch(url).await;
                app.metrics.staged("fetch", started.elapsed());
                fetched?
            }
            None => {
                return Err(ApiError::from(Unjudgeable::invalid_image(
                    "This service does not download images. Send the photograph itself as base64.",
                )));
            }
        },
    };
    let Judged {
        outcome,
        sha256,
        photograph,
    } = app.pool.assess(photograph, options).await?;
    match outcome {
        Ok(assessment) if (0.0..=1.0).contains(&assessment.score) => Ok(Scored {
            assessment,
            sha256,
            photograph,
        }),
        Ok(_) => Err(ApiError::internal("the engine's score is not from 0 to 1")),
        Err(AssessError::Rejected(rejection)) => Err(Unjudgeable::from(rejection).into()),
        Err(AssessError::Inference(fault)) => Err(ApiError::internal(fault)),
    }
}

/// Records an attempt, and lets the client's webhooks know.
async fn record(app: &App, attempt: &NewAttempt<'_>) -> Result<Attempt, ApiError> {
    let started = Instant::now();
    let recorded = app.store.record_attempt(attempt, webhooks::event).await?;
    app.metrics.staged("store", started.elapsed());
    if let (true, Some(courier)) = (recorded.to_deliver, &app.courier) {
        courier.wake();
    }
    Ok(recorded.attempt)
}

/// Keeps the photograph, where the operator wants that. It is in the archive before the answer is on
/// its way; an archive that fails is the operator's trouble and not the client's.
async fn archive(app: &App, attempt: &Attempt, photograph: Vec<u8>) {
    let Some(archive) = &app.archive else { return };
    let keep = archive.keep(&app.store, attempt, photograph);
    let cause = match tokio::time::timeout(ARCHIVE_TIMEOUT, keep).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => chain(&error),
        Err(_) => "the archive does not answer".to_owned(),
    };
    tracing::error!(attempt = attempt.id, cause, "the photograph is not kept");
}

/// The signed receipt of a recorded attempt, unless receipts are switched off.
async fn receipt(
    app: &App,
    attempt: &Attempt,
    decision: Decision,
    verdict: Verdict,
    sha256: &[u8; 32],
) -> Result<Option<String>, ApiError> {
    if !app.with_receipts {
        return Ok(None);
    }
    let statement = Statement {
        iss: app.signature.issuer.clone(),
        jti: attempt.id.clone(),
        iat: attempt.created_at.as_second(),
        time: format!("{:.3}", attempt.created_at),
        client_id: attempt.client_id.clone(),
        image_sha256: hex::encode(sha256),
        os: attempt.os.clone(),
        liveness_score: decision.liveness_score,
        min_score: attempt.min_score,
        passed: decision.passed,
        decision: verdict.as_str().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        weights: app.weights.clone(),
    };
    Ok(Some(app.receipts.sign(&statement).await?))
}
