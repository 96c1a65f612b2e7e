//! The languages that clients speak. A dialect reads a request into a [`LivenessRequest`] and
//! writes an [`Answer`] or an [`ApiError`] back; everything between is the same for all. Each is
//! one file here and one line in the router; `docs/dialects.md` shows how to add another.

#[cfg(test)]
mod example;
pub(crate) mod joi;
pub mod opencv;
pub mod verifik;

use std::borrow::Cow;

use axum::http::header::{AsHeaderName, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use lifesign::geometry::Rect;
use lifesign::{Assessment, Quality, Verdict};
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::json::Value;

/// One client language.
pub trait Dialect: Send + Sync + 'static {
    /// The token in the request's headers, without its scheme; `None` where there is none.
    fn token(headers: &HeaderMap) -> Option<&str>;

    /// Reads the body.
    ///
    /// # Errors
    /// The fields that break their rules, or the first of them.
    fn parse(body: Value<'_>) -> Result<LivenessRequest<'_>, ApiError>;

    /// Writes the answer to an assessed photograph.
    fn render(answer: &Answer) -> Response;

    /// Writes an error.
    fn render_error(error: &ApiError) -> Response;
}

/// What a client asks, whatever its dialect. Without `Debug`: the image must never be printed.
pub struct LivenessRequest<'a> {
    /// Origin of the capture, as sent.
    pub os: String,
    /// The image as sent: a data URI, base64 or a URL. Megabytes, which are those of the body itself where
    /// they can be.
    pub image: Cow<'a, str>,
    /// The collection to record the attempt in, by its id or code.
    pub collection_id: Option<String>,
    /// The pass threshold, where the request gives one.
    pub min_score: Option<Threshold>,
}

/// A pass threshold: a number from 0 to 1 that is echoed as it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    echo: Number,
    value: f64,
}

impl Threshold {
    /// A threshold to be echoed as `echo`; `None` where that is not a number from 0 to 1.
    pub fn given(echo: Number) -> Option<Threshold> {
        let value = echo.as_f64().filter(|value| (0.0..=1.0).contains(value))?;
        Some(Threshold { echo, value })
    }

    /// A threshold that the service chose; out of range it is brought into it.
    pub fn chosen(value: f64) -> Threshold {
        let value = if value.is_nan() {
            1.0
        } else {
            value.clamp(0.0, 1.0)
        };
        Threshold {
            echo: json_number(value),
            value,
        }
    }

    /// Its value.
    pub fn value(&self) -> f64 {
        self.value
    }
}

/// The answer to an assessed and recorded photograph.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The recorded attempt.
    pub id: String,
    /// Whether the score is above the threshold.
    pub passed: bool,
    /// The threshold.
    pub min_score: Threshold,
    /// The score, rounded to 4 decimals.
    pub score: f64,
    /// Who certifies.
    pub issuer: String,
    /// When, in the contract's form and the service's time zone.
    pub date_time: String,
    /// The signed receipt, unless it is switched off.
    pub receipt: Option<String>,
    /// What more there is to say, where the request or the configuration asks for it.
    pub extensions: Option<Extensions>,
}

/// What an answer says beyond the contract. Written as optional fields of each dialect's answer, for
/// which an option of this whole has no schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Extensions {
    /// `live`, `spoof` or `uncertain`.
    pub(crate) decision: &'static str,
    pub(crate) quality: QualityFigures,
    pub(crate) face: FaceBox,
}

/// Measurements of the face that was judged.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QualityFigures {
    /// Width of the face box, in pixels.
    face_width: f64,
    /// Height of the face box, in pixels.
    face_height: f64,
    /// Distance between the eyes, in pixels.
    eye_distance: f64,
    /// Rotation to the side in degrees; positive when the nose points to the picture's right.
    yaw: f64,
    /// Rotation up or down in degrees; positive downwards.
    pitch: f64,
    /// Variance of the Laplacian of the face at 128 x 128 pixels; below about 20 it is blurred.
    sharpness: f64,
    /// Mean luma of the face, 0 (black) to 1 (white).
    brightness: f64,
}

/// The box of the face that was judged, in pixels of the upright picture; it may reach outside it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FaceBox {
    /// Left edge.
    x: f64,
    /// Top edge.
    y: f64,
    width: f64,
    height: f64,
}

impl Extensions {
    /// The extensions of an assessment that was measured.
    pub(crate) fn new(verdict: Verdict, assessment: &Assessment) -> Option<Extensions> {
        Some(Extensions {
            decision: verdict.as_str(),
            quality: assessment.quality?.into(),
            face: assessment.face.rect.into(),
        })
    }
}

impl From<Quality> for QualityFigures {
    fn from(quality: Quality) -> Self {
        QualityFigures {
            face_width: rounded(quality.face_width, 1),
            face_height: rounded(quality.face_height, 1),
            eye_distance: rounded(quality.eye_distance, 1),
            yaw: rounded(quality.yaw, 1),
            pitch: rounded(quality.pitch, 1),
            sharpness: rounded(quality.sharpness, 1),
            brightness: rounded(quality.brightness, 3),
        }
    }
}

impl From<Rect> for FaceBox {
    fn from(rect: Rect) -> Self {
        FaceBox {
            x: rounded(rect.x, 1),
            y: rounded(rect.y, 1),
            width: rounded(rect.width, 1),
            height: rounded(rect.height, 1),
        }
    }
}

fn rounded(value: f32, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    (f64::from(value) * factor).round() / factor
}

/// The value of a header that is there once. Of two, something before the service may have looked
/// at the other.
pub(crate) fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// A number as JavaScript writes it: `1`, not `1.0`, so that no client sees a difference.
pub(crate) fn json_number(value: f64) -> Number {
    if value == 0.0 || value == 1.0 {
        return Number::from(value as u64);
    }
    // Only NaN and infinity have no JSON form; scores and thresholds are checked to be neither.
    Number::from_f64(value).unwrap_or_else(|| Number::from(0))
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
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

/// An error in JSON, with the time to wait where there is one.
pub(crate) fn json_error(status: StatusCode, error: &ApiError, body: &impl Serialize) -> Response {
    let mut response = json(status, body);
    if let Some(delay) = error.retry_after() {
        let seconds = HeaderValue::from(delay.as_secs());
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (value, text) in [(0.98, "0.98"), (0.1235, "0.1235"), (1.0, "1"), (0.0, "0")] {
            assert_eq!(json_number(value).to_string(), text);
        }
    }

    #[test]
    fn a_threshold_is_echoed_as_given() {
        let given: Number = serde_json::from_str("0.123456789").unwrap();
        assert_eq!(
            Threshold::given(given).unwrap().echo.to_string(),
            "0.123456789"
        );
        assert!(Threshold::given(Number::from(2)).is_none());
    }
}
