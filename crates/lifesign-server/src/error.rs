//! The one error type of the HTTP service, and the one place where errors become status, code and
//! message. How they are written on the wire is a dialect's matter.

use std::time::Duration;

use axum::http::StatusCode;
use lifesign::AssessError;

use crate::inference::PoolError;
use crate::receipt::KeyError;
use crate::store::{StoreError, Trouble};

/// When to try again where the service is not ready: what an operator has to do takes longer than a
/// queue.
const NOT_READY: Duration = Duration::from_secs(5);

/// The photograph cannot be judged, and the person can do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudgeable {
    /// The contract's code, such as `ERR_NO_FACE_DETECTED`.
    pub code: &'static str,
    /// The contract's `failureReason`, such as `no_face_detected`.
    pub reason: &'static str,
    /// What the person should do.
    pub message: String,
}

impl Unjudgeable {
    /// What was sent as the image is not one.
    pub fn invalid_image(message: impl Into<String>) -> Unjudgeable {
        let message = message.into();
        Unjudgeable {
            code: "ERR_INVALID_IMAGE",
            reason: "invalid_image",
            message,
        }
    }
}

impl From<lifesign::Rejection> for Unjudgeable {
    fn from(rejection: lifesign::Rejection) -> Self {
        Unjudgeable {
            code: rejection.code(),
            reason: rejection.failure_reason(),
            message: rejection.to_string(),
        }
    }
}

/// What a client asked for too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Requests per second.
    Rate,
    /// Requests at the same time.
    Concurrency,
    /// Judged photographs in a month.
    Quota,
    /// Judgements of nearly the same photograph in a day.
    SameImage,
    /// Preview frames of one capture session.
    Frames,
}

impl Limit {
    /// `rate`, `concurrency`, `quota`, `same_image` or `frames`.
    pub fn as_str(self) -> &'static str {
        match self {
            Limit::Rate => "rate",
            Limit::Concurrency => "concurrency",
            Limit::Quota => "quota",
            Limit::SameImage => "same_image",
            Limit::Frames => "frames",
        }
    }

    fn refusal(self) -> &'static str {
        match self {
            Limit::Rate | Limit::Frames => "Too many requests. Try again in a moment.",
            Limit::Concurrency => "Too many requests at the same time. Try again in a moment.",
            Limit::Quota => "The quota of this month is used up.",
            Limit::SameImage => {
                "Nearly the same image was sent too often today. Take a new photograph."
            }
        }
    }
}

/// Why a capture session takes no more photographs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureOver {
    /// A photograph passed, or all uploads are used up.
    Finished,
    /// Its time ran out.
    Expired,
}

impl CaptureOver {
    /// `session_finished` or `session_expired`.
    pub fn as_str(self) -> &'static str {
        match self {
            CaptureOver::Finished => "session_finished",
            CaptureOver::Expired => "session_expired",
        }
    }
}

/// A part of a request that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The field or parameter.
    pub field: String,
    /// What is wrong with it, in the words of the request's dialect.
    pub message: String,
    /// The kind of breach, for dialects that name it; such as `value_error.missing`.
    pub kind: &'static str,
}

/// Why a request is not answered with 200.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No token, or one that is not ours or is damaged.
    #[error("Authentication required")]
    Unauthorized,
    /// A token of ours whose time is over.
    #[error("token_expired")]
    TokenExpired,
    /// A token of ours that was revoked, or whose client was disabled.
    #[error("token_revoked")]
    TokenRevoked,
    /// A token of somebody else's, which only they can renew.
    #[error("token_not_renewable")]
    TokenNotRenewable,
    /// Fields break their rules: at least one, and all that the dialect tells.
    #[error("{}", first(.0))]
    Invalid(Vec<Breach>),
    /// There is no such collection or attempt of this client.
    #[error("Record not found.")]
    RecordNotFound,
    /// Another collection of the client has that name.
    #[error("\"name\" is already in use")]
    NameTaken,
    /// The photograph cannot be judged.
    #[error("{}", .0.message)]
    Unjudgeable(Unjudgeable),
    /// The body is not JSON, or could not be read to its end.
    #[error("The request body is not valid JSON.")]
    BadRequest,
    /// The body is JSON of more values than any request needs.
    #[error("The request body has more than {limit} values.")]
    TooManyValues {
        /// How many it may have.
        limit: usize,
    },
    /// There is no such route.
    #[error("Route not found.")]
    RouteNotFound,
    /// The route does not know this method.
    #[error("Method not allowed.")]
    MethodNotAllowed,
    /// The request took longer than the service allows.
    #[error("The request took too long.")]
    RequestTimeout,
    /// The body is over the limit.
    #[error("The request body is larger than {limit} bytes.")]
    PayloadTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body is not declared as what it must be.
    #[error("Content-Type must be {expected}.")]
    UnsupportedMediaType {
        /// What it must be.
        expected: &'static str,
    },
    /// The capture session takes no more photographs.
    #[error("{}", .0.as_str())]
    CaptureOver(CaptureOver),
    /// The client asked for more than it may.
    #[error("{}", .limit.refusal())]
    TooManyRequests {
        /// Of what.
        limit: Limit,
        /// When it makes sense to try again.
        retry_after: Duration,
    },
    /// More assessments are waiting than the service accepts.
    #[error("The service is busy. Try again in a moment.")]
    Overloaded,
    /// A part that the service needs cannot be used for now. The cause is for the log alone.
    #[error("The service is not ready.")]
    NotReady(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A fault of the service. The cause is for the log alone.
    #[error("internal_error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ApiError {
    /// A fault of the service with its cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
        ApiError::Internal(cause.into())
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            ApiError::Unauthorized => StatusCode::UNAUTHORIZED,
            ApiError::TokenExpired | ApiError::TokenRevoked | ApiError::TokenNotRenewable => {
                StatusCode::FORBIDDEN
            }
            ApiError::Invalid(_) | ApiError::NameTaken => StatusCode::CONFLICT,
            ApiError::RecordNotFound | ApiError::RouteNotFound => StatusCode::NOT_FOUND,
            ApiError::Unjudgeable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ApiError::BadRequest | ApiError::TooManyValues { .. } => StatusCode::BAD_REQUEST,
            ApiError::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            ApiError::PayloadTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ApiError::CaptureOver(_) => StatusCode::GONE,
            ApiError::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            ApiError::Overloaded | ApiError::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The contract's code. The message is the error's `Display`.
    pub fn code(&self) -> &'static str {
        match self {
            ApiError::Unauthorized => "UNAUTHORIZED",
            ApiError::TokenExpired | ApiError::TokenRevoked | ApiError::TokenNotRenewable => {
                "FORBIDDEN"
            }
            ApiError::Invalid(_) => "MissingParameter",
            ApiError::NameTaken => "Conflict",
            ApiError::RecordNotFound | ApiError::RouteNotFound => "NotFound",
            ApiError::Unjudgeable(unjudgeable) => unjudgeable.code,
            ApiError::BadRequest | ApiError::TooManyValues { .. } => "BadRequest",
            ApiError::MethodNotAllowed => "MethodNotAllowed",
            ApiError::RequestTimeout => "RequestTimeout",
            ApiError::PayloadTooLarge { .. } => "PayloadTooLarge",
            ApiError::UnsupportedMediaType { .. } => "UnsupportedMediaType",
            ApiError::CaptureOver(_) => "Gone",
            ApiError::TooManyRequests { .. } => "TooManyRequests",
            ApiError::Overloaded | ApiError::NotReady(_) => "ServiceUnavailable",
            ApiError::Internal(_) => "ERROR",
        }
    }

    /// When it makes sense to try again, for the `Retry-After` header.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ApiError::TooManyRequests { retry_after, .. } => Some(*retry_after),
            ApiError::Overloaded => Some(Duration::from_secs(1)),
            ApiError::NotReady(_) => Some(NOT_READY),
            _ => None,
        }
    }
}

impl From<Unjudgeable> for ApiError {
    fn from(unjudgeable: Unjudgeable) -> Self {
        ApiError::Unjudgeable(unjudgeable)
    }
}

impl From<AssessError> for ApiError {
    fn from(error: AssessError) -> Self {
        match error {
            AssessError::Rejected(rejection) => Unjudgeable::from(rejection).into(),
            AssessError::Inference(fault) => ApiError::internal(fault),
        }
    }
}

impl From<StoreError> for ApiError {
    /// A service that cannot record cannot answer, and can again when the database is well. Damage
    /// does not go away by waiting.
    fn from(error: StoreError) -> Self {
        match (error.trouble(), error) {
            (_, StoreError::NameTaken(_)) => ApiError::NameTaken,
            (None | Some(Trouble::Damaged), error) => ApiError::internal(error),
            (Some(_), error) => ApiError::NotReady(error.into()),
        }
    }
}

impl From<PoolError> for ApiError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full | PoolError::Late => ApiError::Overloaded,
            PoolError::Panicked | PoolError::Gone => ApiError::internal(error),
        }
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            other => ApiError::internal(other),
        }
    }
}

fn first(breaches: &[Breach]) -> &str {
    breaches.first().map_or("", |breach| &breach.message)
}

/// An error with all its causes in one line, for the log and the terminal.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some say what their cause says.
        if !text.contains(said.trim()) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
