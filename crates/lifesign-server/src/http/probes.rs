//! What operators and orchestrators ask.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Refusal;
use super::{App, Faults};
use crate::dialects::json;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(version))
}

#[derive(Serialize, ToSchema)]
struct Status {
    /// `ok` or `ready`.
    #[schema(value_type = String)]
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Version<'a> {
    #[schema(value_type = String, example = "lifesign")]
    name: &'static str,
    #[schema(value_type = String)]
    version: &'static str,
    /// Which build, where whoever made it said so.
    #[schema(value_type = String)]
    build: &'static str,
    #[schema(value_type = Vec<Model>)]
    models: &'a [lifesign::ModelInfo],
}

/// A model that judges.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes lifesign::ModelInfo")]
struct Model {
    name: String,
    version: String,
    files: Vec<ModelFile>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "describes lifesign::models::ModelFile")]
struct ModelFile {
    name: String,
    /// In lower-case hexadecimal.
    sha256: String,
    /// What runs the network that it holds, if it holds one: `built-in`, `tract` or `onnxruntime`.
    #[schema(example = "built-in")]
    runtime: Option<String>,
}

/// Is the process alive?
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, body = Status, description = "It is"), Faults),
    security(())
)]
async fn healthz() -> Response {
    json(StatusCode::OK, &Status { status: "ok" })
}

/// Can requests be served?
///
/// The models are loaded, else nothing listens, and the database answers and takes writes.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses((status = 200, body = Status, description = "They can"), Faults),
    security(())
)]
async fn readyz(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    match app.store.ready().await {
        Ok(()) => Ok(json(StatusCode::OK, &Status { status: "ready" })),
        Err(cause) => Err(ApiError::NotReady(cause.into()).into()),
    }
}

/// Which build is this, and which models judge?
#[utoipa::path(
    get,
    path = "/version",
    tag = "operation",
    responses((status = 200, body = Version, description = "The version"), Faults),
    security(())
)]
async fn version(State(app): State<Arc<App>>) -> Response {
    let version = Version {
        name: "lifesign",
        version: env!("CARGO_PKG_VERSION"),
        build: crate::BUILD,
        models: app.engine.models(),
    };
    json(StatusCode::OK, &version)
}
