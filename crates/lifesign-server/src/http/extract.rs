//! What handlers of the house's own routes take from a request, and how they refuse.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::{App, account, body, respond};
use crate::auth::Identity;
use crate::dialects::verifik::Verifik;
use crate::dialects::{Dialect as _, joi};
use crate::error::ApiError;
use crate::json::{self, Object};
use crate::store::can_hold;

/// Largest body where none holds a photograph.
const MAX_BODY: usize = 64 << 10;

/// An error on its way to the client, in the house's own dialect, which is Verifik's.
pub(crate) struct Refusal(ApiError);

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Refusal(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        respond::<Verifik>(&self.0)
    }
}

impl FromRequestParts<Arc<App>> for Identity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let token = Verifik::token(&parts.headers);
        Ok(account::identify(app, parts, token).await?)
    }
}

/// The fields of a JSON body.
pub(super) struct Fields(pub(super) Object<'static>);

impl FromRequest<Arc<App>> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        let mut room = app.overload.room();
        let body = body::json(&head.headers, body, MAX_BODY, &mut room).await?;
        Ok(Fields(joi::object(json::parse(&body)?.into_owned())?))
    }
}

/// The parameters of the query string; of one that is repeated the last counts.
pub(super) struct Query(pub(super) joi::Parameters);

impl FromRequestParts<Arc<App>> for Query {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Query(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        ))
    }
}

/// The id in the path. One that cannot be read is nobody's.
pub(super) struct Id(pub(super) String);

impl FromRequestParts<Arc<App>> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        match Path::<String>::from_request_parts(parts, app).await {
            Ok(Path(id)) if can_hold(&id) => Ok(Id(id)),
            _ => Err(ApiError::RecordNotFound.into()),
        }
    }
}
