//! What the browser of a capture session may do, with the session's own token: see how far the session
//! is, have preview frames looked at, and upload a photograph.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Id, Query, Refusal};
use super::judgement::{self, Asked, Outcome};
use super::{App, CaptureFailures, Refusals, account, body, upload};
use crate::auth::{Credential, Identity};
use crate::capture::{self, CaptureStatus, is_token_of};
use crate::dialects::verifik::Verifik;
use crate::dialects::{Dialect as _, FaceBox, QualityFigures, Threshold, joi, json, single};
use crate::error::{ApiError, CaptureOver};
use crate::image_source::ImageSource;
use crate::store::{Attempt, Capture};

pub(super) const NONCE: HeaderName = HeaderName::from_static("lifesign-nonce");
/// Largest preview frame, in bytes: many times what one of 320 pixels takes.
const LARGEST_FRAME: usize = 128 << 10;
/// What is recorded where neither the session nor the browser says.
const UNKNOWN_OS: &str = "UNKNOWN";

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(state))
        .routes(routes!(frame))
        .routes(routes!(photo))
}

#[derive(Serialize, ToSchema)]
#[schema(as = CaptureState)]
struct Standing {
    data: StateRecord,
}

/// A capture session as its browser sees it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CaptureStateRecord)]
struct StateRecord {
    status: CaptureStatus,
    /// Whether a photograph passed; null until the session is finished.
    passed: Option<bool>,
    /// What is to be shown with a photograph.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    nonce: String,
    /// How many photographs may still be uploaded.
    #[schema(minimum = 0, maximum = 10)]
    uploads_left: u32,
    #[schema(format = DateTime)]
    expires_at: String,
    /// The same by a clock that need not be right.
    #[schema(minimum = 0, maximum = 900)]
    seconds_left: u64,
    /// Where to go when it is done.
    return_url: Option<String>,
    /// Whether the operator keeps photographs that were judged, which the person is to be told.
    photos_kept: bool,
}

/// The bytes of a JPEG, PNG or WebP file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes what `frame` and `photo` read")]
struct Picture(Vec<u8>);

#[derive(Serialize, ToSchema)]
#[schema(as = FrameAnswer)]
struct Seen {
    data: SeenRecord,
}

/// What is to be seen in a preview frame.
#[derive(Serialize, ToSchema)]
#[schema(as = FrameRecord)]
struct SeenRecord {
    /// How many people: a face counts from half the area of the largest.
    faces: usize,
    /// The largest face.
    face: Option<FaceBox>,
    /// Its measurements.
    quality: Option<QualityFigures>,
}

#[derive(Serialize, ToSchema)]
struct PhotoAnswer {
    data: PhotoRecord,
}

/// What came of a photograph. Without its score, which would tell an attacker how far he is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PhotoRecord {
    passed: bool,
    status: CaptureStatus,
    #[schema(minimum = 0, maximum = 10)]
    uploads_left: u32,
    return_url: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `photo` reads")]
struct Origin {
    /// Where the photograph was taken, unless the session says: `DESKTOP`, `IOS` or `ANDROID`.
    #[param(nullable = false, min_length = 1, max_length = 1000, example = "IOS")]
    os: Option<String>,
}

/// See how far a capture session is
#[utoipa::path(
    get,
    path = "/v1/capture-sessions/{id}/capture",
    tag = "capture",
    params(("id" = String, Path, description = "The session's `id`")),
    responses((status = 200, body = Standing, description = "How far it is, also when it is over"), Refusals),
    security(("browser_token" = []))
)]
async fn state(
    State(app): State<Arc<App>>,
    browser: Browser,
    request: Request,
) -> Result<Response, Refusal> {
    let Browser { capture, identity } = browser;
    account::admit(&app, request.extensions(), &identity)?;
    let now = Timestamp::now();
    let left = capture.expires_at.duration_since(now).as_secs();
    let data = StateRecord {
        status: CaptureStatus::of(&capture, now),
        passed: capture.result.map(|result| result.passed),
        nonce: capture.nonce,
        uploads_left: capture.uploads_left,
        expires_at: format!("{:.3}", capture.expires_at),
        seconds_left: u64::try_from(left).unwrap_or(0),
        return_url: capture.return_url,
        photos_kept: app.archive.is_some(),
    };
    Ok(json(StatusCode::OK, &Standing { data }))
}

/// Have a preview frame looked at
///
/// For guidance alone: nothing of it is recorded, and it is no upload. Where photographs wait to be judged the answer
/// is 503.
#[utoipa::path(
    post,
    path = "/v1/capture-sessions/{id}/frame",
    tag = "capture",
    params(("id" = String, Path, description = "The session's `id`")),
    request_body(content = Picture, content_type = "image/jpeg", description = "A small picture: at most 128 KiB"),
    responses((status = 200, body = Seen, description = "What is to be seen"), CaptureFailures),
    security(("browser_token" = []))
)]
async fn frame(
    State(app): State<Arc<App>>,
    browser: Browser,
    request: Request,
) -> Result<Response, Refusal> {
    // Not counted against the client's rate: frames have a limit of their own.
    let capture = browser.open()?.capture;
    let _place = app.guidance.admit(&capture.id)?;
    let (head, body) = request.into_parts();
    let mut room = app.overload.room();
    let frame = body::picture(&head.headers, body, LARGEST_FRAME, &mut room).await?;
    let survey = app.pool.survey(frame).await??;
    let (face, quality) = survey.largest.unzip();
    let data = SeenRecord {
        faces: survey.people,
        face: face.map(|face| face.rect.into()),
        quality: quality.map(QualityFigures::from),
    };
    Ok(json(StatusCode::OK, &Seen { data }))
}

/// Upload a photograph
///
/// It is judged as the liveness call judges. The session is finished at the first that passes, or with its last
/// upload.
#[utoipa::path(
    post,
    path = "/v1/capture-sessions/{id}/photo",
    tag = "capture",
    params(
        ("id" = String, Path, description = "The session's `id`"),
        ("Lifesign-Nonce" = String, Header, description = "The session's `nonce`"),
        Origin,
    ),
    request_body(content = Picture, content_type = "image/jpeg", description = "The photograph: JPEG, PNG or WebP"),
    responses((status = 200, body = PhotoAnswer, description = "It was judged"), CaptureFailures),
    security(("browser_token" = []))
)]
async fn photo(
    State(app): State<Arc<App>>,
    browser: Browser,
    Query(parameters): Query,
    request: Request,
) -> Result<Response, Refusal> {
    let Browser { capture, identity } = browser.open()?;
    let (head, body) = request.into_parts();
    account::admit(&app, &head.extensions, &identity)?;
    let sent = joi::parameter(&parameters, "os")?.map(Cow::Borrowed);
    let sent = joi::storable("os", sent)?;
    if single(&head.headers, NONCE) != Some(capture.nonce.as_str()) {
        joi::invalid("Lifesign-Nonce", "must be the nonce of the session")?;
    }
    let _busy = app.limiter.enter(&identity.client_id, identity.limits)?;
    let (upload, uploads_left) = upload::take(&app.store, &capture.id).await?;
    // As with the liveness call: no reading for nothing.
    app.pool.has_room()?;
    let mut room = app.overload.room();
    let photograph = body::picture(&head.headers, body, app.max_image_bytes, &mut room).await?;
    app.pool.has_room()?;

    let os = capture.os.as_deref().or(sent.as_deref());
    let asked = Asked {
        identity: &identity,
        collection_id: capture.collection_id.as_deref(),
        os: os.unwrap_or(UNKNOWN_OS),
        threshold: Threshold::chosen(capture.min_score),
        extensions: false,
        capture: Some(&capture),
    };
    let outcome = judgement::judge(&app, asked, Ok(ImageSource::Bytes(photograph))).await?;
    upload.used();
    match outcome {
        Outcome::Judged { answer, attempt } => {
            let receipt = answer.receipt.as_deref();
            let status = note(&app, &capture, &attempt, uploads_left, receipt).await?;
            let data = PhotoRecord {
                passed: answer.passed,
                status,
                uploads_left,
                return_url: capture.return_url,
            };
            Ok(json(StatusCode::OK, &PhotoAnswer { data }))
        }
        Outcome::Unjudgeable { why, attempt } => {
            note(&app, &capture, &attempt, uploads_left, None).await?;
            Err(why.into())
        }
    }
}

/// Notes what came of an attempt: the session is finished where this one ends it, and the client's
/// webhooks are told.
async fn note(
    app: &App,
    capture: &Capture,
    last: &Attempt,
    uploads_left: u32,
    receipt: Option<&str>,
) -> Result<CaptureStatus, ApiError> {
    if !last.passed && uploads_left > 0 {
        if let Some(receipt) = receipt {
            app.store.keep_receipt(&capture.id, receipt).await?;
        }
        return Ok(CaptureStatus::Open);
    }
    let finished = app
        .store
        .finish_capture(last, &capture.id, receipt, capture::event);
    if let (true, Some(courier)) = (finished.await?, &app.courier) {
        courier.wake();
    }
    Ok(CaptureStatus::Finished)
}

/// A browser that showed the token of the capture session in the path.
struct Browser {
    capture: Capture,
    /// Of the client that asked for the session.
    identity: Identity,
}

impl Browser {
    /// # Errors
    /// The session takes no more photographs.
    fn open(self) -> Result<Browser, ApiError> {
        match CaptureStatus::of(&self.capture, Timestamp::now()) {
            CaptureStatus::Open => Ok(self),
            CaptureStatus::Finished => Err(ApiError::CaptureOver(CaptureOver::Finished)),
            CaptureStatus::Expired => Err(ApiError::CaptureOver(CaptureOver::Expired)),
        }
    }
}

impl FromRequestParts<Arc<App>> for Browser {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let Id(id) = Id::from_request_parts(parts, app).await?;
        let token = Verifik::token(&parts.headers).ok_or(ApiError::Unauthorized)?;
        // What there is not, and what is another's, looks the same.
        let known = app.store.browser_capture(&id).await?;
        let known = known
            .filter(|known| is_token_of(token, &known.token_sha256))
            .ok_or(ApiError::Unauthorized)?;
        if known.disabled {
            return Err(ApiError::TokenRevoked.into());
        }
        Ok(Browser {
            identity: Identity {
                client_id: known.capture.client_id.clone(),
                client_name: known.client_name,
                limits: known.limits,
                credential: Credential::Capture,
            },
            capture: known.capture,
        })
    }
}
