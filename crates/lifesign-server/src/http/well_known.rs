//! The public keys that receipts are verified with.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Refusal;
use super::{App, Faults};
use crate::dialects::json;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(keys))
}

/// A JWK set (RFC 7517).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the key ring writes")]
struct KeySet {
    keys: Vec<PublicKey>,
}

/// An Ed25519 key (RFC 8037).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the key ring writes")]
struct PublicKey {
    #[schema(example = "OKP")]
    kty: String,
    #[schema(example = "Ed25519")]
    crv: String,
    /// The key itself.
    x: String,
    /// What a receipt's header names.
    kid: String,
    #[schema(example = "EdDSA")]
    alg: String,
    #[schema(example = "sig")]
    r#use: String,
}

/// Get the public keys of receipts
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "receipts",
    responses((status = 200, body = KeySet, description = "All keys whose receipts are good"), Faults),
    security(())
)]
async fn keys(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let keys = app.receipts.public().await?;
    let mut response = json(StatusCode::OK, &keys);
    // A new key is published an hour before it signs.
    let caching = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(CACHE_CONTROL, caching);
    Ok(response)
}
