//! The dialect of OpenCV Face Recognition's liveness call, as its published client speaks it. The
//! developer key is an access token of this service.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::{Number, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::joi::MAX_LENGTH;
use super::{
    Answer, Dialect, FaceBox, LivenessRequest, QualityFigures, json as write, json_error,
    json_number, single,
};
use crate::error::{ApiError, Breach};
use crate::http::{App, judge};
use crate::json::{Object, Value};
use crate::store::can_hold;

/// `os` where a request names none.
const DEFAULT_OS: &str = "DESKTOP";
const API_KEY: &str = "x-api-key";

/// The OpenCV Face Recognition dialect.
pub struct OpenCv;

/// Its routes.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(liveness))
}

/// Judge a photograph, as OpenCV Face Recognition is asked
///
/// The client decides: OpenCV's documentation takes a face for live from a score of 0.5.
#[utoipa::path(
    post,
    path = "/liveness",
    tag = "liveness",
    params(("Lifesign-Extensions" = Option<String>, Header,
        description = "`1` asks for `id`, `receipt`, `decision`, `quality` and `face`")),
    request_body = RequestBody,
    responses(
        (status = 200, body = Body, description = "The photograph was judged"),
        (status = 400, body = Failure, description = "The photograph cannot be judged, or the body is no JSON"),
        (status = 401, body = Failure, description = "No API key, or one that is not ours"),
        (status = 403, body = Failure, description = "The API key expired or was revoked"),
        (status = 405, body = Failure, description = "Another method"),
        (status = 408, body = Failure, description = "The request took too long"),
        (status = 413, body = Failure, description = "The body is over the limit"),
        (status = 415, body = Failure, description = "The body is not declared as JSON"),
        (status = 422, body = Invalid, description = "Fields break their rules"),
        (status = 429, body = Failure, description = "The client asks for more than it may",
            headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 500, body = Failure, description = "A fault of the service"),
        (status = 503, body = Failure, description = "Too many requests are waiting",
            headers(("Retry-After" = u32, description = "Seconds"))),
    ),
    security(("api_key" = []))
)]
async fn liveness(State(app): State<Arc<App>>, request: Request) -> Response {
    judge::<OpenCv>(&app, request).await
}

impl Dialect for OpenCv {
    fn token(headers: &HeaderMap) -> Option<&str> {
        let token = single(headers, API_KEY)?.trim();
        (!token.is_empty()).then_some(token)
    }

    /// All fields are checked and all breaches told, in the words of the framework that clients of
    /// the original know.
    fn parse(body: Value<'_>) -> Result<LivenessRequest<'_>, ApiError> {
        let Value::Object(mut fields) = body else {
            return Err(ApiError::Invalid(vec![Breach {
                field: String::new(),
                message: "value is not a valid dict".to_owned(),
                kind: "type_error.dict",
            }]));
        };
        let mut breaches = Vec::new();
        let image = string(&mut fields, "image", &mut breaches);
        if image.is_none() && breaches.is_empty() {
            breaches.push(Breach {
                field: "image".to_owned(),
                message: "field required".to_owned(),
                kind: "value_error.missing",
            });
        }
        let os = string(&mut fields, "os", &mut breaches);
        let os = os.filter(|os| is_storable(os, "os", &mut breaches));
        if !breaches.is_empty() {
            return Err(ApiError::Invalid(breaches));
        }
        Ok(LivenessRequest {
            os: os.map_or_else(|| DEFAULT_OS.to_owned(), Cow::into_owned),
            image: image.unwrap_or_default(),
            collection_id: None,
            min_score: None,
        })
    }

    fn render(answer: &Answer) -> Response {
        // The original answers with the score alone.
        let extensions = answer.extensions.as_ref();
        let body = Body {
            liveness_score: json_number(answer.score),
            id: extensions.map(|_| answer.id.as_str()),
            receipt: extensions.and(answer.receipt.as_deref()),
            decision: extensions.map(|extensions| extensions.decision),
            quality: extensions.map(|extensions| &extensions.quality),
            face: extensions.map(|extensions| &extensions.face),
        };
        write(StatusCode::OK, &body)
    }

    fn render_error(error: &ApiError) -> Response {
        match error {
            ApiError::Invalid(breaches) => {
                let detail = breaches.iter().map(Detail::from).collect();
                json_error(StatusCode::UNPROCESSABLE_ENTITY, error, &Invalid { detail })
            }
            // The client reads every 422 as a list of fields, and a face is none.
            ApiError::Unjudgeable(_) => {
                json_error(StatusCode::BAD_REQUEST, error, &Failure::from(error))
            }
            _ => json_error(error.status(), error, &Failure::from(error)),
        }
    }
}

/// An optional string; `null` is as good as nothing.
fn string<'a>(
    fields: &mut Object<'a>,
    field: &str,
    breaches: &mut Vec<Breach>,
) -> Option<Cow<'a, str>> {
    match fields.remove(field) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            breaches.push(Breach {
                field: field.to_owned(),
                message: "str type expected".to_owned(),
                kind: "type_error.str",
            });
            None
        }
    }
}

/// Whether a text can be stored; as [`super::joi::storable`] says, in other words.
fn is_storable(text: &str, field: &str, breaches: &mut Vec<Breach>) -> bool {
    let (message, kind) = if !can_hold(text) {
        ("invalid value".to_owned(), "value_error.str")
    } else if text.chars().count() > MAX_LENGTH {
        let message = format!("ensure this value has at most {MAX_LENGTH} characters");
        (message, "value_error.any_str.max_length")
    } else {
        return true;
    };
    breaches.push(Breach {
        field: field.to_owned(),
        message,
        kind,
    });
    false
}

/// A photograph to judge. Unknown fields are tolerated.
#[derive(ToSchema)]
#[schema(as = OpenCvRequest)]
#[expect(dead_code, reason = "describes what `parse` reads")]
struct RequestBody {
    /// A JPEG, PNG or WebP photograph as base64, as a data URI, or as an https address.
    image: String,
    /// Where the photograph was taken: `DESKTOP` (the default), `IOS` or `ANDROID`.
    #[schema(max_length = 1000, example = "DESKTOP")]
    os: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OpenCvAnswer)]
struct Body<'a> {
    /// Probability that the face is a live person's, 0 to 1, rounded to 4 decimals.
    #[schema(value_type = f64, minimum = 0, maximum = 1)]
    liveness_score: Number,
    /// The id of the recorded attempt. Only with extensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<&'a str>,
    /// A compact JWS over what was judged and how. Only with extensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    receipt: Option<&'a str>,
    /// The score in words: `uncertain` is within the configured band around the threshold. Only
    /// with extensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, pattern = "^(live|spoof|uncertain)$")]
    decision: Option<&'static str>,
    /// Only with extensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    quality: Option<&'a QualityFigures>,
    /// Only with extensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    face: Option<&'a FaceBox>,
}

/// Fields that break their rules.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenCvInvalid)]
struct Invalid {
    detail: Vec<Detail>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OpenCvDetail)]
struct Detail {
    /// Where the field is, such as `["body", "image"]`.
    #[schema(value_type = Vec<String>)]
    loc: serde_json::Value,
    /// What is wrong with it.
    msg: String,
    /// The kind of breach.
    #[schema(value_type = String)]
    r#type: &'static str,
}

impl From<&Breach> for Detail {
    fn from(breach: &Breach) -> Self {
        let loc = match breach.field.as_str() {
            "" => json!(["body"]),
            field => json!(["body", field]),
        };
        Detail {
            loc,
            msg: breach.message.clone(),
            r#type: breach.kind,
        }
    }
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenCvFailure)]
struct Failure {
    /// For programs.
    #[schema(value_type = String)]
    code: &'static str,
    /// For people.
    message: String,
}

impl From<&ApiError> for Failure {
    fn from(error: &ApiError) -> Self {
        Failure {
            code: error.code(),
            message: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<LivenessRequest<'_>, ApiError> {
        OpenCv::parse(crate::json::parse(body.as_bytes())?)
    }

    fn breaches(body: &serde_json::Value) -> Vec<(String, String)> {
        match parse(&body.to_string()) {
            Err(ApiError::Invalid(breaches)) => breaches
                .into_iter()
                .map(|breach| (breach.field, breach.message))
                .collect(),
            Err(other) => panic!("unexpected {other:?}"),
            Ok(_) => panic!("accepted"),
        }
    }

    #[test]
    fn every_field_that_breaks_its_rule_is_told() {
        let told = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(field, message)| (field.to_string(), message.to_string()))
                .collect()
        };
        for (body, expected) in [
            (json!([]), &[("", "value is not a valid dict")][..]),
            (json!({}), &[("image", "field required")]),
            (json!({"image": null}), &[("image", "field required")]),
            (json!({"image": 7}), &[("image", "str type expected")]),
            (
                json!({"image": 7, "os": []}),
                &[("image", "str type expected"), ("os", "str type expected")],
            ),
            (
                json!({"image": "x", "os": "a\0"}),
                &[("os", "invalid value")],
            ),
            (
                json!({"image": "x", "os": "é".repeat(1001)}),
                &[("os", "ensure this value has at most 1000 characters")],
            ),
        ] {
            assert_eq!(breaches(&body), told(expected), "{body}");
        }
    }

    #[test]
    fn os_is_desktop_unless_the_request_says_otherwise() {
        for (os, expected) in [(json!(null), "DESKTOP"), (json!("IOS"), "IOS")] {
            let body = json!({"image": "x", "os": os}).to_string();
            let request = parse(&body);
            let request = request.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(request.os, expected);
        }
        let request = parse(r#"{"image": "x"}"#);
        assert_eq!(
            request.unwrap_or_else(|error| panic!("{error}")).os,
            "DESKTOP"
        );
    }
}
