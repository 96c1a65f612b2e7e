//! Judging one photograph, whichever route it came by: quota, fetching, scoring, deciding, recording
//! and signing.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use lifesign::{AssessOptions, Assessment, Decision, Device, Verdict};

use super::{App, quota};
use crate::auth::Identity;
use crate::dialects::{Answer, Extensions, Threshold};
use crate::error::{ApiError, Unjudgeable, chain};
use crate::image_source::ImageSource;
use crate::inference::Judged;
use crate::receipt::Statement;
use crate::store::{Attempt, Capture, NewAttempt};
use crate::webhooks;

/// Longer than that no client waits for what is not its business.
const ARCHIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// What is asked about a photograph.
pub(super) struct Asked<'a> {
    /// By whom.
    pub(super) identity: &'a Identity,
    /// The id of the collection to record it in.
    pub(super) collection_id: Option<&'a str>,
    /// Where it was taken, as sent.
    pub(super) os: &'a str,
    pub(super) threshold: Threshold,
    /// Whether the face is to be measured as well.
    pub(super) extensions: bool,
    /// The capture session that it is a part of.
    pub(super) capture: Option<&'a Capture>,
}

/// What came of a photograph that was looked at, and recorded.
pub(super) enum Outcome {
    Judged { answer: Answer, attempt: Attempt },
    Unjudgeable { why: Unjudgeable, attempt: Attempt },
}

/// Judges a photograph.
///
/// # Errors
/// The photograph was not looked at, or the service failed; nothing is recorded then, unless it was
/// only the signing that failed.
pub(super) async fn judge(
    app: &App,
    asked: Asked<'_>,
    photograph: Result<ImageSource, Unjudgeable>,
) -> Result<Outcome, ApiError> {
    let options = AssessOptions {
        device: Device::from_os(asked.os),
        profile: app.profile,
        quality: asked.extensions,
        likeness: app.probing.is_some(),
    };
    let quota = quota::take(app, asked.identity).await?;
    let attempt = NewAttempt {
        client_id: &asked.identity.client_id,
        collection_id: asked.collection_id,
        os: asked.os,
        score: None,
        min_score: asked.threshold.value(),
        passed: false,
        reason: None,
        model: &app.model,
        capture_session_id: asked.capture.map(|capture| capture.id.as_str()),
    };

    let Scored {
        assessment,
        sha256,
        photograph,
    } = match assess(app, photograph, options).await {
        Ok(scored) => scored,
        Err(ApiError::Unjudgeable(why)) => {
            app.metrics.rejected(why.reason);
            let attempt = NewAttempt {
                reason: Some(why.reason),
                ..attempt
            };
            let attempt = record(app, &attempt).await?;
            return Ok(Outcome::Unjudgeable { why, attempt });
        }
        Err(error) => return Err(error),
    };
    if let (Some(probing), Some(likeness)) = (&app.probing, assessment.likeness) {
        probing.admit(&asked.identity.client_id, likeness, Timestamp::now())?;
    }
    let decision = Decision::new(assessment.score, asked.threshold.value());
    let attempt = NewAttempt {
        score: Some(decision.liveness_score),
        passed: decision.passed,
        ..attempt
    };
    let attempt = record(app, &attempt).await?;
    if let Some(quota) = quota {
        quota.used();
    }
    archive(app, &attempt, photograph).await;
    app.metrics
        .decided(options.device, decision.liveness_score, decision.passed);
    let verdict = Verdict::new(
        decision.liveness_score,
        attempt.min_score,
        app.uncertain_band,
    );
    let receipt = receipt(app, &attempt, asked.capture, decision, verdict, &sha256).await?;
    let answer = Answer {
        id: attempt.id.clone(),
        passed: decision.passed,
        min_score: asked.threshold,
        score: decision.liveness_score,
        issuer: app.signature.issuer.clone(),
        date_time: app.signature.date_time(attempt.created_at),
        receipt,
        extensions: Extensions::new(verdict, &assessment),
    };
    Ok(Outcome::Judged { answer, attempt })
}

/// A photograph that was judged.
struct Scored {
    assessment: Assessment,
    sha256: [u8; 32],
    photograph: Vec<u8>,
}

async fn assess(
    app: &App,
    source: Result<ImageSource, Unjudgeable>,
    options: AssessOptions,
) -> Result<Scored, ApiError> {
    let photograph = match source? {
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
    let assessment = outcome?;
    if !(0.0..=1.0).contains(&assessment.score) {
        return Err(ApiError::internal("the engine's score is not from 0 to 1"));
    }
    Ok(Scored {
        assessment,
        sha256,
        photograph,
    })
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
    capture: Option<&Capture>,
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
        capture_session: capture.map(|capture| capture.id.clone()),
        nonce: capture.map(|capture| capture.nonce.clone()),
        weights: app.weights.clone(),
    };
    Ok(Some(app.receipts.sign(&statement).await?))
}
