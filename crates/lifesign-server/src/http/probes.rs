//! What operators and orchestrators ask.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{App, respond};
use crate::dialects::verifik::Verifik;
use crate::error::{ApiError, chain};

/// The process is alive.
pub(super) async fn healthz() -> Response {
    ok(&json!({"status": "ok"}))
}

/// Requests can be served: the models are loaded, else nothing listens, and the database answers.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    match app.store.ping().await {
        Ok(()) => ok(&json!({"status": "ready"})),
        Err(error) => {
            tracing::warn!(cause = chain(&error), "database not reachable");
            respond::<Verifik>(&ApiError::NotReady)
        }
    }
}

/// Which build this is, and which models judge.
pub(super) async fn version(State(app): State<Arc<App>>) -> Response {
    ok(&json!({
        "name": "lifesign",
        "version": env!("CARGO_PKG_VERSION"),
        // Set by whoever builds a release, for example to the commit.
        "build": option_env!("LIFESIGN_BUILD").unwrap_or("unknown"),
        "models": app.engine.models(),
    }))
}

fn ok(body: &Value) -> Response {
    (
        [(CONTENT_TYPE, "application/json; charset=utf-8")],
        body.to_string(),
    )
        .into_response()
}
