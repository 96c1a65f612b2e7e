//! How requests fail, for the API's description: the statuses of [`crate::error::ApiError`], by the
//! kind of route.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema as _};

use crate::dialects::verifik::ErrorBody;

type Row = (&'static str, &'static str);

const FAULTS: &[Row] = &[
    ("405", "Another method"),
    ("408", "The request took too long"),
    (
        "500",
        "A fault of the service; the log has the cause under the answer's x-request-id",
    ),
    (
        BUSY,
        "The service is not ready, or too many requests are waiting",
    ),
];
const BUSY: &str = "503";
const LIMITED: &str = "429";
const REFUSALS: &[Row] = &[
    ("401", "No token, or one that is not ours or is damaged"),
    ("403", "The token expired or was revoked"),
    ("404", "No such record of this client"),
    (LIMITED, "The client asks for more than it may"),
    (
        "409",
        "A field or parameter breaks its rule, or a name is in use",
    ),
];
const OF_BODIES: &[Row] = &[
    ("400", "The body is no JSON, or has too many values"),
    ("413", "The body is over the limit"),
    ("415", "The body is not declared as JSON"),
];
const OF_PHOTOGRAPHS: &[Row] = &[(
    "422",
    "The photograph cannot be judged: `message` tells the person what to do, `failureReason` tells programs why",
)];

const OF_CAPTURES: &[Row] = &[(
    "410",
    "The capture session is over: `session_finished` or `session_expired`",
)];

/// Of every route.
pub(crate) struct Faults;

/// Of routes that want a token and take no body.
pub(crate) struct Refusals;

/// Of routes that want a token and a body.
pub(crate) struct Failures;

/// Of routes that judge a photograph.
pub(crate) struct LivenessFailures;

/// Of routes that take a picture of a capture session.
pub(crate) struct CaptureFailures;

impl IntoResponses for Faults {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        described(&[FAULTS])
    }
}

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        described(&[FAULTS, REFUSALS])
    }
}

impl IntoResponses for Failures {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        described(&[FAULTS, REFUSALS, OF_BODIES])
    }
}

impl IntoResponses for LivenessFailures {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        described(&[FAULTS, REFUSALS, OF_BODIES, OF_PHOTOGRAPHS])
    }
}

impl IntoResponses for CaptureFailures {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        described(&[FAULTS, REFUSALS, OF_BODIES, OF_PHOTOGRAPHS, OF_CAPTURES])
    }
}

fn described(tables: &[&[Row]]) -> BTreeMap<String, RefOr<Response>> {
    let rows = tables.iter().copied().flatten();
    rows.map(|&(status, description)| {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(ErrorBody::name())))
            .build();
        let mut response = ResponseBuilder::new()
            .description(description)
            .content("application/json", content);
        if [BUSY, LIMITED].contains(&status) {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).build();
            let header = HeaderBuilder::new()
                .schema(Some(seconds))
                .description(Some("Seconds after which to try again"))
                .build();
            response = response.header("Retry-After", header);
        }
        (status.to_owned(), response.build().into())
    })
    .collect()
}
