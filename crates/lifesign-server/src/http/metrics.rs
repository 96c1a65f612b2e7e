//! The listener for Prometheus: apart from the API, because its figures name the clients.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::App;
use crate::metrics::MEDIA_TYPE;

/// Its one route.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(app)
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let text = app.metrics.render(app.pool.waiting(), app.pool.workers());
    ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response()
}
