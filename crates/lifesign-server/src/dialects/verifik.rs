//! The dialect of the Verifik API, worded exactly as its clients know it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    Answer, Dialect, FaceBox, LivenessRequest, QualityFigures, joi, json, json_error, json_number,
    single,
};
use crate::error::ApiError;
use crate::http::{App, LivenessFailures, judge};
use crate::json::Value;

/// The Verifik dialect.
pub struct Verifik;

/// Its routes.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(liveness))
        .routes(routes!(liveness_score))
}

/// Judge a photograph
///
/// Says whether one still photograph was taken of a live person. The fields are checked in the order
/// of this list, and the first that breaks its rule is reported.
#[utoipa::path(
    post,
    path = "/v2/face-recognition/liveness",
    tag = "liveness",
    params(("Lifesign-Extensions" = Option<String>, Header,
        description = "`1` asks for `decision`, `quality` and `face` in `data`")),
    request_body = RequestBody,
    responses((status = 200, body = Body, description = "The photograph was judged"), LivenessFailures),
    security(("token" = []))
)]
async fn liveness(State(app): State<Arc<App>>, request: Request) -> Response {
    judge::<Verifik>(&app, request).await
}

/// Judge a photograph: the same under its other name
#[utoipa::path(
    post,
    path = "/v2/face-recognition/liveness-score",
    tag = "liveness",
    params(("Lifesign-Extensions" = Option<String>, Header,
        description = "`1` asks for `decision`, `quality` and `face` in `data`")),
    request_body = RequestBody,
    responses((status = 200, body = Body, description = "The photograph was judged"), LivenessFailures),
    security(("token" = []))
)]
async fn liveness_score(State(app): State<Arc<App>>, request: Request) -> Response {
    judge::<Verifik>(&app, request).await
}

impl Dialect for Verifik {
    /// `Bearer <t>`, `JWT <t>` and bare `<t>` are all in use by existing clients.
    fn token(headers: &HeaderMap) -> Option<&str> {
        let value = single(headers, AUTHORIZATION)?.trim();
        let token = match value.split_once(|c: char| c.is_ascii_whitespace()) {
            Some((scheme, token))
                if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("jwt") =>
            {
                token.trim()
            }
            // Another scheme, such as Basic: not a token of ours.
            Some(_) => return None,
            None => value,
        };
        (!token.is_empty()).then_some(token)
    }

    fn parse(body: Value<'_>) -> Result<LivenessRequest<'_>, ApiError> {
        let mut fields = joi::object(body)?;
        Ok(LivenessRequest {
            os: joi::required("os", joi::storable("os", joi::string(&mut fields, "os")?)?)?,
            image: joi::required_string(&mut fields, "image")?,
            collection_id: joi::storable(
                "collection_id",
                joi::string(&mut fields, "collection_id")?,
            )?,
            min_score: joi::threshold(&mut fields, "liveness_min_score")?,
        })
    }

    fn render(answer: &Answer) -> Response {
        let extensions = answer.extensions.as_ref();
        json(
            StatusCode::OK,
            &Body {
                id: &answer.id,
                data: Data {
                    passed: answer.passed,
                    min_score: &answer.min_score.echo,
                    liveness_score: json_number(answer.score),
                    decision: extensions.map(|extensions| extensions.decision),
                    quality: extensions.map(|extensions| &extensions.quality),
                    face: extensions.map(|extensions| &extensions.face),
                },
                signature: Signature {
                    message: format!("Certified by {}", answer.issuer),
                    date_time: &answer.date_time,
                    receipt: answer.receipt.as_deref(),
                },
            },
        )
    }

    fn render_error(error: &ApiError) -> Response {
        let reason = match error {
            ApiError::Unjudgeable(unjudgeable) => Some(unjudgeable.reason),
            _ => None,
        };
        let body = ErrorBody {
            message: error.to_string(),
            code: error.code(),
            failure_kind: reason.map(|_| "quality"),
            failure_reason: reason,
        };
        json_error(error.status(), error, &body)
    }
}

/// A photograph to judge. Unknown fields are tolerated.
#[derive(ToSchema)]
#[schema(as = LivenessRequest)]
#[expect(dead_code, reason = "describes what `parse` reads")]
struct RequestBody {
    /// Where the photograph was taken: `DESKTOP`, `IOS` or `ANDROID`, in any case; anything else is an
    /// unknown device.
    #[schema(min_length = 1, max_length = 1000, example = "DESKTOP")]
    os: String,
    /// A JPEG, PNG or WebP photograph as base64, as a data URI, or as an https address.
    #[schema(min_length = 1)]
    image: String,
    /// The `_id` or `code` of a collection of the client, in which the attempt is recorded.
    #[schema(nullable = false, min_length = 1, max_length = 1000)]
    collection_id: Option<String>,
    #[schema(schema_with = score_or_text, required = false)]
    liveness_min_score: f64,
}

/// Numeric strings count as numbers.
fn score_or_text() -> Schema {
    let number = ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0))
        .maximum(Some(1));
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(r"^(0(\.[0-9]{1,9})?|1(\.0{1,9})?)$"));
    AnyOfBuilder::new()
        .item(number)
        .item(text)
        .description(Some(
            "The score must be above this to pass; 0.6 unless the service is configured otherwise.",
        ))
        .build()
        .into()
}

#[derive(Serialize, ToSchema)]
#[schema(as = LivenessAnswer)]
struct Body<'a> {
    /// The id of the recorded attempt.
    #[schema(
        min_length = 5,
        max_length = 5,
        pattern = "^[A-Z0-9]{5}$",
        example = "JQ4RM"
    )]
    id: &'a str,
    data: Data<'a>,
    signature: Signature<'a>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = LivenessData)]
struct Data<'a> {
    /// Whether the score is above the threshold.
    passed: bool,
    /// The threshold, as it was given.
    #[schema(value_type = f64, minimum = 0, maximum = 1)]
    min_score: &'a Number,
    /// Probability that the face is a live person's, 0 to 1, rounded to 4 decimals.
    #[schema(value_type = f64, minimum = 0, maximum = 1)]
    liveness_score: Number,
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

#[derive(Serialize, ToSchema)]
#[schema(as = LivenessSignature)]
struct Signature<'a> {
    /// Who certifies.
    #[schema(example = "Certified by Lifesign")]
    message: String,
    /// When, in the service's time zone.
    #[serde(rename = "dateTime")]
    #[schema(example = "January 16, 2024 3:44 PM")]
    date_time: &'a str,
    /// A compact JWS over what was judged and how, unless the configuration switches it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    receipt: Option<&'a str>,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorBody {
    /// For people.
    message: String,
    /// For programs.
    #[schema(value_type = String, example = "NotFound")]
    code: &'static str,
    /// `quality` where the photograph cannot be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    failure_kind: Option<&'static str>,
    /// Why the photograph cannot be judged, such as `no_face_detected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    failure_reason: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn refusal(body: serde_json::Value) -> String {
        let body = body.to_string();
        match parse(&body) {
            Err(error @ ApiError::Invalid(_)) => error.to_string(),
            Err(other) => panic!("unexpected {other:?}"),
            Ok(_) => panic!("accepted"),
        }
    }

    fn parse(body: &str) -> Result<LivenessRequest<'_>, ApiError> {
        Verifik::parse(crate::json::parse(body.as_bytes())?)
    }

    #[test]
    fn every_field_rule_is_worded_as_joi_words_it() {
        for (body, message) in [
            (json!([]), "\"value\" must be of type object"),
            (json!(null), "\"value\" must be of type object"),
            (json!({}), "\"os\" is required"),
            (json!({"os": ""}), "\"os\" is not allowed to be empty"),
            (json!({"os": null}), "\"os\" must be a string"),
            (json!({"os": "IOS"}), "\"image\" is required"),
            (
                json!({"os": "IOS", "image": ""}),
                "\"image\" is not allowed to be empty",
            ),
            (
                json!({"os": "IOS", "image": 1}),
                "\"image\" must be a string",
            ),
            (
                json!({"os": "IOS", "image": "x", "collection_id": 1}),
                "\"collection_id\" must be a string",
            ),
            (
                json!({"os": "IOS", "image": "x", "collection_id": ""}),
                "\"collection_id\" is not allowed to be empty",
            ),
            (json!({"os": "a\0"}), "\"os\" contains an invalid value"),
            (
                json!({"os": "é".repeat(1001)}),
                "\"os\" length must be less than or equal to 1000 characters long",
            ),
            (
                json!({"os": "é".repeat(1000), "image": "x", "collection_id": "\0"}),
                "\"collection_id\" contains an invalid value",
            ),
        ] {
            assert_eq!(refusal(body), message);
        }
        for (score, rule) in [
            (json!("high"), "must be a number"),
            (json!(""), "must be a number"),
            (json!("NaN"), "must be a number"),
            (json!("Infinity"), "must be a number"),
            (json!(null), "must be a number"),
            (json!(true), "must be a number"),
            (json!(-0.1), "must be greater than or equal to 0"),
            (json!("-1"), "must be greater than or equal to 0"),
            (json!(1.0001), "must be less than or equal to 1"),
            (json!("2"), "must be less than or equal to 1"),
            (json!(1e300), "must be a safe number"),
        ] {
            let body = json!({"os": "IOS", "image": "x", "liveness_min_score": score});
            assert_eq!(
                refusal(body),
                format!("\"liveness_min_score\" {rule}"),
                "{score}"
            );
        }
    }

    #[test]
    fn the_first_failing_field_in_order_is_the_one_reported() {
        let body = json!({"liveness_min_score": 7, "collection_id": 1, "image": 1, "os": 1});
        assert_eq!(refusal(body), "\"os\" must be a string");
        let body = json!({"liveness_min_score": 7, "collection_id": 1, "os": "x"});
        assert_eq!(refusal(body), "\"image\" is required");
    }

    #[test]
    fn a_numeric_string_is_a_number_and_unknown_fields_are_tolerated() {
        let body = r#"{"os": "x", "image": "y", "liveness_min_score": " 0.25 ", "includeCost": 1}"#;
        let request = parse(body).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(request.min_score.unwrap().value(), 0.25);
    }

    #[test]
    fn the_token_is_found_in_all_three_forms() {
        for (header, token) in [
            ("Bearer a.b.c", Some("a.b.c")),
            ("bearer  a.b.c ", Some("a.b.c")),
            ("JWT a.b.c", Some("a.b.c")),
            ("jwt a.b.c", Some("a.b.c")),
            ("a.b.c", Some("a.b.c")),
            ("Basic abc", None),
            ("", None),
        ] {
            let headers = [(AUTHORIZATION, HeaderValue::from_static(header))]
                .into_iter()
                .collect();
            assert_eq!(Verifik::token(&headers), token, "{header:?}");
        }
        assert_eq!(Verifik::token(&HeaderMap::new()), None);
    }
}
