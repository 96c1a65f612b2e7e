//! Tokens for tokens: a client renews its own before it expires.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Query, Refusal};
use super::{App, Refusals};
use crate::auth::{Credential, Identity, IssuedToken};
use crate::dialects::{joi, json};
use crate::error::ApiError;

const MAX_MONTHS: u32 = 12;
const ORIGIN: &str = "refresh";

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(session))
        .routes(routes!(renew_and_revoke))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Session {
    access_token: String,
    #[schema(value_type = String, example = "bearer")]
    token_type: &'static str,
}

#[derive(Serialize, ToSchema)]
struct RenewedToken {
    token: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `session` reads")]
struct Refresh {
    /// `refresh`.
    #[param(pattern = "^refresh$", example = "refresh")]
    origin: String,
    /// For how many months the token is valid; the configured time unless said otherwise.
    #[param(nullable = false, minimum = 1, maximum = 12)]
    #[param(rename = "expiresIn")]
    expires_in: Option<u32>,
}

/// Get another token; the one that was shown stays valid
#[utoipa::path(
    get,
    path = "/v2/auth/session",
    tag = "tokens",
    params(Refresh),
    responses((status = 200, body = Session, description = "Another token"), Refusals),
    security(("token" = []))
)]
async fn session(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(parameters): Query,
) -> Result<Response, Refusal> {
    match joi::parameter(&parameters, "origin")? {
        Some(ORIGIN) => {}
        Some(_) => joi::invalid("origin", format!("must be one of [{ORIGIN}]"))?,
        None => joi::invalid("origin", "is required")?,
    }
    let lifetime = match joi::integer(&parameters, "expiresIn", 1..=MAX_MONTHS)? {
        Some(count) => months(count).map_err(ApiError::internal)?,
        None => app.token_lifetime,
    };
    renewable(&identity)?;
    let issued = issue(&app, &identity, lifetime)?;
    app.store
        .add_token(&issued.jti, &identity.client_id, issued.expires_at)
        .await?;
    let session = Session {
        access_token: issued.token,
        token_type: "bearer",
    };
    Ok(json(StatusCode::OK, &session))
}

/// Get another token in place of the one that was shown, which is revoked
#[utoipa::path(
    post,
    path = "/v2/auth/renew-and-revoke",
    tag = "tokens",
    responses((status = 200, body = RenewedToken, description = "The token to use from now on"), Refusals),
    security(("token" = []))
)]
async fn renew_and_revoke(
    State(app): State<Arc<App>>,
    identity: Identity,
) -> Result<Response, Refusal> {
    let old = renewable(&identity)?;
    let issued = issue(&app, &identity, app.token_lifetime)?;
    let replaced = app
        .store
        .replace_token(old, &issued.jti, issued.expires_at)
        .await?;
    if !replaced {
        // Another renewal of the same token was faster.
        return Err(ApiError::TokenRevoked.into());
    }
    let token = issued.token;
    Ok(json(StatusCode::OK, &RenewedToken { token }))
}

/// The id of the shown token. One of the identity provider's cannot be turned into one of ours,
/// which would outlive what the provider says of its client.
fn renewable(identity: &Identity) -> Result<&str, ApiError> {
    match &identity.credential {
        Credential::Own { jti } => Ok(jti),
        Credential::External | Credential::Capture => Err(ApiError::TokenNotRenewable),
    }
}

fn issue(app: &App, identity: &Identity, lifetime: Duration) -> Result<IssuedToken, ApiError> {
    app.auth
        .keys
        .issue(&identity.client_id, &app.signature.issuer, lifetime)
        .map_err(ApiError::internal)
}

/// Calendar months from now on.
fn months(count: u32) -> Result<Duration, jiff::Error> {
    let now = Timestamp::now().to_zoned_datetime(TimeZone::UTC);
    let then = now.checked_add(i64::from(count).months())?;
    Ok(now.duration_until(&then).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        let days = |count| months(count).unwrap().as_secs() / 86_400;
        assert!((28..=31).contains(&days(1)));
        assert!((365..=366).contains(&days(12)));
    }
}
