//! The dialect of the Verifik API, worded exactly as its clients know it.
//!
//! The field rules are those of the Joi schema that clients were written against: fields are
//! checked in order, the first failure is reported, numeric strings count as numbers, `null` is a
//! wrong type and unknown fields are tolerated.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::{Answer, Dialect, LivenessRequest, Threshold, json_number};
use crate::error::ApiError;

/// The Verifik dialect.
pub struct Verifik;

impl Dialect for Verifik {
    /// `Bearer <t>`, `JWT <t>` and bare `<t>` are all in use by existing clients.
    fn token(headers: &HeaderMap) -> Option<&str> {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
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

    fn parse(body: Value) -> Result<LivenessRequest, ApiError> {
        let Value::Object(mut fields) = body else {
            return invalid("value", "must be of type object");
        };
        Ok(LivenessRequest {
            os: required_string(&mut fields, "os")?,
            image: required_string(&mut fields, "image")?,
            collection_id: string(&mut fields, "collection_id")?,
            min_score: threshold(&mut fields, "liveness_min_score")?,
        })
    }

    fn render(answer: &Answer) -> Response {
        json(
            StatusCode::OK,
            &Body {
                id: &answer.id,
                data: Data {
                    passed: answer.passed,
                    min_score: &answer.min_score.echo,
                    liveness_score: json_number(answer.score),
                },
                signature: Signature {
                    message: format!("Certified by {}", answer.issuer),
                    date_time: &answer.date_time,
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
        let mut response = json(error.status(), &body);
        if let Some(delay) = error.retry_after() {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(delay.as_secs()));
        }
        response
    }
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    data: Data<'a>,
    signature: Signature<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    passed: bool,
    min_score: &'a Number,
    liveness_score: Number,
}

#[derive(Serialize)]
struct Signature<'a> {
    message: String,
    #[serde(rename = "dateTime")]
    date_time: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    message: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            (status, [(CONTENT_TYPE, json)], bytes).into_response()
        }
        // Strings, numbers and booleans always serialize; an answer without a body would still
        // be better than a panic.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn invalid<T>(field: &str, rule: &str) -> Result<T, ApiError> {
    Err(ApiError::InvalidField(format!("\"{field}\" {rule}")))
}

fn string(fields: &mut Map<String, Value>, field: &str) -> Result<Option<String>, ApiError> {
    match fields.remove(field) {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => {
            invalid(field, "is not allowed to be empty")
        }
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => invalid(field, "must be a string"),
    }
}

fn required_string(fields: &mut Map<String, Value>, field: &str) -> Result<String, ApiError> {
    match string(fields, field)? {
        Some(text) => Ok(text),
        None => invalid(field, "is required"),
    }
}

fn threshold(fields: &mut Map<String, Value>, field: &str) -> Result<Option<Threshold>, ApiError> {
    /// Beyond this, JavaScript's numbers are no longer exact and Joi refuses them.
    const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
    let number = match fields.remove(field) {
        None => return Ok(None),
        Some(Value::Number(number)) => Some(number),
        Some(Value::String(text)) => numeric(&text),
        Some(_) => None,
    };
    let Some((number, value)) = number.and_then(|n| n.as_f64().map(|value| (n, value))) else {
        return invalid(field, "must be a number");
    };
    if value.is_infinite() {
        return invalid(field, "cannot be infinity");
    }
    if value.abs() > MAX_SAFE_INTEGER {
        return invalid(field, "must be a safe number");
    }
    if value < 0.0 {
        return invalid(field, "must be greater than or equal to 0");
    }
    match Threshold::given(number) {
        Some(threshold) => Ok(Some(threshold)),
        None => invalid(field, "must be less than or equal to 1"),
    }
}

/// A numeric string as Joi reads it: decimal, perhaps signed or with an exponent, no words.
fn numeric(text: &str) -> Option<Number> {
    let text = text.trim();
    let decimal = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    if !text.chars().all(decimal) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    // The echo is the number that the string means; beyond f64 it is no number at all.
    if value == 0.0 || value == 1.0 {
        Some(json_number(value.abs()))
    } else {
        Number::from_f64(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(body: Value) -> String {
        match Verifik::parse(body) {
            Err(error @ ApiError::InvalidField(_)) => error.to_string(),
            Err(other) => panic!("unexpected {other:?}"),
            Ok(_) => panic!("accepted"),
        }
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
        let body =
            json!({"os": "x", "image": "y", "liveness_min_score": " 0.25 ", "includeCost": 1});
        let request = Verifik::parse(body).unwrap_or_else(|error| panic!("{error}"));
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
