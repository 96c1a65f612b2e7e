//! HTTP: routes, the handlers behind them and what every answer has in common.

mod account;
mod attempts;
mod body;
mod browser;
mod captures;
mod collections;
mod connections;
mod documentation;
mod extract;
mod failures;
mod guidance;
mod judgement;
mod liveness;
pub(crate) mod metrics;
mod overload;
mod pages;
mod probes;
mod quota;
mod request_id;
mod session;
mod slots;
mod taken;
mod trace_context;
mod tryout;
mod upload;
mod well_known;

pub(crate) use connections::{IDLE_TIMEOUT, Limits as ConnectionLimits, serve};
pub(crate) use failures::{CaptureFailures, Failures, Faults, LivenessFailures, Refusals};
pub(crate) use guidance::Guidance;
pub(crate) use liveness::judge;
pub(crate) use overload::Overload;
pub(crate) use pages::policy as page_policy;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::options;
use reqwest::Url;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::archive::Archive;
use crate::auth::Authenticator;
use crate::dialects::verifik::Verifik;
use crate::dialects::{Dialect, opencv, verifik};
use crate::error::{ApiError, chain};
use crate::fetch::Fetcher;
use crate::inference::{Assess, InferencePool};
use crate::limits::Limiter;
use crate::metrics::Metrics;
use crate::probing::Probing;
use crate::receipt::KeyRing;
use crate::signature::Signature;
use crate::store::Store;
use crate::webhooks::Courier;

/// What the handlers share.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) auth: Authenticator,
    pub(crate) token_lifetime: Duration,
    pub(crate) limiter: Limiter,
    /// `None`: the same photograph is judged as often as it is sent.
    pub(crate) probing: Option<Probing>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) engine: Arc<dyn Assess>,
    pub(crate) pool: InferencePool,
    pub(crate) overload: Overload,
    pub(crate) guidance: Guidance,
    /// `None`: image URLs are not accepted.
    pub(crate) fetcher: Option<Fetcher>,
    pub(crate) signature: Signature,
    pub(crate) receipts: KeyRing,
    /// Whether answers carry a receipt; the keys are published all the same.
    pub(crate) with_receipts: bool,
    /// `None`: photographs are forgotten, as they are unless the operator wants otherwise.
    pub(crate) archive: Option<Arc<Archive>>,
    /// `None`: webhooks cannot be told.
    pub(crate) courier: Option<Arc<Courier>>,
    /// Whether all answers carry the extensions.
    pub(crate) extensions: bool,
    pub(crate) uncertain_band: f64,
    /// The models' names, as recorded with every attempt.
    pub(crate) model: String,
    /// The models' files, as stated in every receipt.
    pub(crate) weights: BTreeMap<String, String>,
    pub(crate) profile: lifesign::Profile,
    pub(crate) min_score: f64,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_image_bytes: usize,
    pub(crate) request_timeout: Duration,
    /// Whether the API's description and its page are served.
    pub(crate) api_page: bool,
    /// Where browsers reach this service; `None` is where the request did.
    pub(crate) public_url: Option<Url>,
    /// The origins whose pages may use capture sessions, beside our own.
    pub(crate) capture_origins: Vec<HeaderValue>,
    /// The Content-Security-Policy of our pages.
    pub(crate) page_policy: HeaderValue,
    /// Whether the welcome page judges photographs, for whoever sits at this machine.
    pub(crate) try_it: bool,
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let house = OpenApiRouter::new()
        .merge(collections::routes())
        .merge(attempts::routes())
        .merge(session::routes())
        .merge(well_known::routes())
        .merge(probes::routes())
        .merge(captures::routes())
        .merge(across_origins(browser::routes(), &app.capture_origins))
        .route_layer(from_fn_with_state(Arc::clone(&app), within_time));
    let (mut router, api) = OpenApiRouter::with_openapi(documentation::Outline::openapi())
        // One line for each dialect; they keep time themselves, to say so in their own words.
        .merge(verifik::routes())
        .merge(opencv::routes())
        .merge(house)
        .split_for_parts();
    router = router
        .merge(pages::routes())
        .merge(tryout::routes().route_layer(from_fn_with_state(Arc::clone(&app), within_time)));
    if app.api_page {
        router = router.merge(documentation::routes(api));
    }
    router
        .fallback(|| unserved(ApiError::RouteNotFound))
        .method_not_allowed_fallback(|| unserved(ApiError::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(map_response(harden))
        .layer(from_fn(body::drain_unread))
        .layer(from_fn_with_state(Arc::clone(&app), account::account))
        .layer(from_fn(request_id::identify))
        .with_state(app)
}

/// Lets the pages of other origins use the routes of browsers. What they show is a token in a header,
/// which no browser adds by itself.
fn across_origins(
    routes: OpenApiRouter<Arc<App>>,
    origins: &[HeaderValue],
) -> OpenApiRouter<Arc<App>> {
    if origins.is_empty() {
        return routes;
    }
    let cors = CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, browser::NONCE])
        .expose_headers([RETRY_AFTER, request_id::X_REQUEST_ID])
        .max_age(Duration::from_secs(600));
    // The layer answers what browsers ask beforehand, but only on routes that take the question.
    let paths: Vec<String> = routes.get_openapi().paths.paths.keys().cloned().collect();
    let asked_before = paths.iter().fold(routes, |routes, path| {
        routes.route(path, options(|| async {}))
    });
    asked_before.layer(cors)
}

/// Where no dialect is known the answer is in the house's own, which is Verifik's.
async fn unserved(error: ApiError) -> Response {
    respond::<Verifik>(&error)
}

/// Answers hold scores and tokens: nobody keeps them on the way, and no browser takes them for a page.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn within_time(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    tokio::time::timeout(app.request_timeout, next.run(request))
        .await
        .unwrap_or_else(|_| respond::<Verifik>(&ApiError::RequestTimeout))
}

/// Writes an error in a dialect, and the cause of a fault into the log.
fn respond<D: Dialect>(error: &ApiError) -> Response {
    match error {
        ApiError::Internal(cause) => {
            tracing::error!(cause = chain(cause.as_ref()), "internal error");
        }
        ApiError::NotReady(cause) => {
            tracing::error!(cause = chain(cause.as_ref()), "not ready");
        }
        _ => {}
    }
    let mut response = D::render_error(error);
    if let ApiError::TooManyRequests { limit, .. } = error {
        response.extensions_mut().insert(*limit);
    }
    response
}

// The panic's own message is printed by the panic hook; it may quote input, so it goes no further.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    respond::<Verifik>(&ApiError::internal("a handler panicked"))
}
