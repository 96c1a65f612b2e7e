//! The API's description in OpenAPI 3.1, made from the handlers, and a page to browse it. All of
//! the page is in the binary: it works without internet.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, openapi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::App;
use crate::dialects::verifik::ErrorBody;

const DESCRIPTION: &str = "/openapi.json";
const PAGE: &str = "/docs";

/// What the handlers do not say themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lifesign",
        description = "Self-hosted face liveness: was this photograph taken of a live person, or of a print, a \
            screen or a mask? Every answer carries an `x-request-id`, also those that fail.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "liveness", description = "Judging photographs"),
        (name = "capture", description = "Capturing in a browser"),
        (name = "attempts", description = "What was judged"),
        (name = "collections", description = "Named groups of attempts"),
        (name = "tokens", description = "Renewing access tokens"),
        (name = "receipts", description = "Verifying what an answer said"),
        (name = "operation", description = "What operators and orchestrators ask"),
    ),
    components(schemas(ErrorBody)),
    modifiers(&Credentials)
)]
pub(super) struct Outline;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "An access token, from `lifesign token issue` or the identity provider; `JWT <token>` and the \
                 bare token are accepted as well",
            ))
            .build();
        let browser_token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The `browserToken` of a capture session, good for that session alone",
            ))
            .build();
        let key = ApiKeyValue::with_description("X-API-Key", "An access token");
        if let Some(components) = api.components.as_mut() {
            components.add_security_scheme("browser_token", SecurityScheme::Http(browser_token));
            components.add_security_scheme("token", SecurityScheme::Http(token));
            components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
        }
    }
}

/// The description and its page.
pub(super) fn routes(api: openapi::OpenApi) -> Router<Arc<App>> {
    // Nothing on the page may go elsewhere: neither a validator nor a font nor what is typed.
    let config = Config::from(DESCRIPTION)
        .use_base_layout()
        .validator_url("none")
        .persist_authorization(false);
    let page = SwaggerUi::new(PAGE).config(config);
    // Written once: not a copy for everyone who asks, and perhaps never reads.
    let description = Bytes::from(serde_json::to_vec(&api).unwrap_or_default());
    Router::from(page)
        .route(DESCRIPTION, get(|| async { described(description) }))
        .layer(from_fn(confined))
}

fn described(description: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], description).into_response()
}

async fn confined(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 2] = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
             connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (REFERRER_POLICY, "no-referrer"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
