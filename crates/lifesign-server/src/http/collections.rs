//! A client's collections, in the hosted API's shape.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::LINK;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Fields, Id, Query, Refusal};
use super::{App, Failures, Refusals};
use crate::admin::{LONGEST_NAME, usable_name};
use crate::auth::Identity;
use crate::dialects::{joi, json};
use crate::error::ApiError;
use crate::store::Collection;

const PAGE_SIZE: u32 = 100;
const MAX_PAGE_SIZE: u32 = 1000;
const MAX_PAGE: u32 = 1_000_000;
const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
}

/// A named group of a client's attempts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Collection)]
struct Record {
    /// What requests give as `collection_id`.
    #[serde(rename = "_id")]
    #[schema(pattern = "^[0-9a-f]{24}$")]
    id: String,
    /// A UUID, which requests may give as `collection_id` as well.
    #[schema(format = "uuid")]
    code: String,
    name: String,
    description: String,
    /// The id of the client it belongs to.
    client: String,
    /// Whether it was deleted: only in the answer to its deletion.
    deleted: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// Always 0; kept for clients of the hosted API.
    #[serde(rename = "__v")]
    version: u8,
}

impl From<Collection> for Record {
    fn from(collection: Collection) -> Self {
        Record {
            id: collection.id,
            code: collection.code,
            name: collection.name,
            description: collection.description,
            client: collection.client_id,
            deleted: false,
            created_at: format!("{:.3}", collection.created_at),
            updated_at: format!("{:.3}", collection.updated_at),
            version: 0,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = OneCollection)]
struct One {
    data: Record,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Collections)]
struct Many {
    data: Vec<Record>,
}

/// A collection to be made. Unknown fields are tolerated.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `create` reads")]
struct NewCollection {
    /// Unique among the client's; without control characters.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[ -~]*[!-~][ -~]*$",
        example = "signups"
    )]
    name: String,
    #[schema(nullable = false, max_length = 1000)]
    description: Option<String>,
}

/// What is to change; what is left out stays. Unknown fields are tolerated.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `update` reads")]
struct CollectionChange {
    /// Unique among the client's; without control characters.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        pattern = r"^[ -~]*[!-~][ -~]*$"
    )]
    name: Option<String>,
    #[schema(nullable = false, max_length = 1000)]
    description: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `list` reads")]
struct Page {
    /// A part of the name, in any case.
    #[param(nullable = false, min_length = 1)]
    like_name: Option<String>,
    /// Which page, from 1.
    #[param(nullable = false, minimum = 1, maximum = 1_000_000)]
    page: Option<u32>,
    /// How many a page has; 100 unless said otherwise.
    #[param(nullable = false, minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// List the client's collections, by name
#[utoipa::path(
    get,
    path = "/v2/face-recognition/collections",
    tag = "collections",
    params(Page),
    responses(
        (status = 200, body = Many, description = "A page of them", headers(
            ("x-total-count" = u64, description = "How many there are on all pages"),
            ("link" = String, description = "The next page, where there is one (RFC 8288)"),
        )),
        Refusals,
    ),
    security(("token" = []))
)]
async fn list(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(parameters): Query,
) -> Result<Response, Refusal> {
    let like_name = joi::parameter(&parameters, "like_name")?;
    let page = joi::integer(&parameters, "page", 1..=MAX_PAGE)?.unwrap_or(1);
    let limit = joi::integer(&parameters, "limit", 1..=MAX_PAGE_SIZE)?.unwrap_or(PAGE_SIZE);
    let offset = u64::from(page - 1) * u64::from(limit);
    let (collections, total) = app
        .store
        .find_collections(&identity.client_id, like_name, limit, offset)
        .await?;
    let more = offset + (collections.len() as u64) < total;
    let data = collections.into_iter().map(Record::from).collect();
    let mut response = json(StatusCode::OK, &Many { data });
    let headers = response.headers_mut();
    headers.insert(TOTAL, HeaderValue::from(total));
    if more {
        let next = next_page(like_name, page + 1, limit);
        if let Ok(link) = HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")) {
            headers.insert(LINK, link);
        }
    }
    Ok(response)
}

fn next_page(like_name: Option<&str>, page: u32, limit: u32) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(like_name) = like_name {
        query.append_pair("like_name", like_name);
    }
    query.append_pair("page", &page.to_string());
    query.append_pair("limit", &limit.to_string());
    format!("/v2/face-recognition/collections?{}", query.finish())
}

/// Make a collection
#[utoipa::path(
    post,
    path = "/v2/face-recognition/collections",
    tag = "collections",
    request_body = NewCollection,
    responses((status = 200, body = One, description = "It was made"), Failures),
    security(("token" = []))
)]
async fn create(
    State(app): State<Arc<App>>,
    identity: Identity,
    Fields(mut fields): Fields,
) -> Result<Response, Refusal> {
    let name = name(joi::required_string(&mut fields, "name")?)?;
    let description = joi::storable("description", joi::text(&mut fields, "description")?)?;
    let collection = app
        .store
        .add_collection(
            &identity.client_id,
            &name,
            description.as_deref().unwrap_or_default(),
        )
        .await?;
    Ok(one(collection))
}

/// Get a collection
#[utoipa::path(
    get,
    path = "/v2/face-recognition/collections/{id}",
    tag = "collections",
    params(("id" = String, Path, description = "Its `_id`")),
    responses((status = 200, body = One, description = "The collection"), Refusals),
    security(("token" = []))
)]
async fn get(
    State(app): State<Arc<App>>,
    identity: Identity,
    Id(id): Id,
) -> Result<Response, Refusal> {
    found(app.store.collection(&identity.client_id, &id).await?)
}

/// Rename a collection, or describe it anew
#[utoipa::path(
    put,
    path = "/v2/face-recognition/collections/{id}",
    tag = "collections",
    params(("id" = String, Path, description = "Its `_id`")),
    request_body = CollectionChange,
    responses((status = 200, body = One, description = "As it is now"), Failures),
    security(("token" = []))
)]
async fn update(
    State(app): State<Arc<App>>,
    identity: Identity,
    Id(id): Id,
    Fields(mut fields): Fields,
) -> Result<Response, Refusal> {
    let name = joi::string(&mut fields, "name")?.map(name).transpose()?;
    let description = joi::storable("description", joi::text(&mut fields, "description")?)?;
    let changed = app
        .store
        .update_collection(
            &identity.client_id,
            &id,
            name.as_deref(),
            description.as_deref(),
        )
        .await?;
    found(changed)
}

/// Delete a collection; its attempts stay, detached
#[utoipa::path(
    delete,
    path = "/v2/face-recognition/collections/{id}",
    tag = "collections",
    params(("id" = String, Path, description = "Its `_id`")),
    responses((status = 200, body = One, description = "As it was"), Refusals),
    security(("token" = []))
)]
async fn delete(
    State(app): State<Arc<App>>,
    identity: Identity,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let deleted = app
        .store
        .delete_collection(&identity.client_id, &id)
        .await?
        .ok_or(ApiError::RecordNotFound)?;
    let mut data = Record::from(deleted);
    data.deleted = true;
    Ok(json(StatusCode::OK, &One { data }))
}

fn one(collection: Collection) -> Response {
    let data = Record::from(collection);
    json(StatusCode::OK, &One { data })
}

fn found(collection: Option<Collection>) -> Result<Response, Refusal> {
    Ok(collection.map(one).ok_or(ApiError::RecordNotFound)?)
}

fn name(name: Cow<'_, str>) -> Result<String, ApiError> {
    if name.chars().count() > LONGEST_NAME {
        return joi::invalid(
            "name",
            format!("length must be less than or equal to {LONGEST_NAME} characters long"),
        );
    }
    match usable_name(&name) {
        Some(name) => Ok(name.to_owned()),
        None => joi::invalid("name", "contains an invalid value"),
    }
}
