//! HTTP: routes, the handlers behind them and what every answer has in common.

mod body;
mod connections;
mod liveness;
mod probes;
mod request_id;

pub(crate) use connections::{Limits as ConnectionLimits, serve};

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::TokenKeys;
use crate::dialects::Dialect;
use crate::dialects::verifik::Verifik;
use crate::error::{ApiError, chain};
use crate::fetch::Fetcher;
use crate::inference::{Assess, InferencePool};
use crate::signature::Signature;
use crate::store::Store;
use body::Incoming;

/// What the handlers share.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) keys: TokenKeys,
    pub(crate) engine: Arc<dyn Assess>,
    pub(crate) pool: InferencePool,
    /// `None`: image URLs are not accepted.
    pub(crate) fetcher: Option<Fetcher>,
    pub(crate) signature: Signature,
    /// The models' names, as recorded with every attempt.
    pub(crate) model: String,
    pub(crate) profile: lifesign::Profile,
    pub(crate) min_score: f64,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_image_bytes: usize,
    pub(crate) request_timeout: Duration,
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let liveness = || post(liveness::liveness::<Verifik>);
    Router::new()
        .route("/v2/face-recognition/liveness", liveness())
        .route("/v2/face-recognition/liveness-score", liveness())
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/version", get(probes::version))
        .fallback(|request| unserved(request, ApiError::RouteNotFound))
        .method_not_allowed_fallback(|request| unserved(request, ApiError::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(request_id::identify))
        .with_state(app)
}

/// Where no dialect is known the answer is in the house's own, which is Verifik's.
async fn unserved(request: Request, error: ApiError) -> Response {
    // Taken so that a body under way is read to its end; see `Incoming`.
    let _body = Incoming::new(request.into_body());
    respond::<Verifik>(&error)
}

/// Writes an error in a dialect, and the cause of a fault into the log.
fn respond<D: Dialect>(error: &ApiError) -> Response {
    match error {
        ApiError::Internal(cause) => {
            tracing::error!(cause = chain(cause.as_ref()), "internal error");
        }
        ApiError::NotReady | ApiError::Overloaded => tracing::warn!("{error}"),
        _ => {}
    }
    D::render_error(error)
}

// The panic's own message is printed by the panic hook; it may quote input, so it goes no further.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    respond::<Verifik>(&ApiError::internal("a handler panicked"))
}
