//! The languages that clients speak. A dialect reads a request into a [`LivenessRequest`] and
//! writes an [`Answer`] or an [`ApiError`] back; everything between is the same for all. A second
//! dialect is one more file here and its routes in the router.

pub mod verifik;

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Number, Value};

use crate::error::ApiError;

/// One client language.
pub trait Dialect: Send + Sync + 'static {
    /// The token in the request's headers, without its scheme; `None` where there is none.
    fn token(headers: &HeaderMap) -> Option<&str>;

    /// Reads the body.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    fn parse(body: Value) -> Result<LivenessRequest, ApiError>;

    /// Writes the answer to an assessed photograph.
    fn render(answer: &Answer) -> Response;

    /// Writes an error.
    fn render_error(error: &ApiError) -> Response;
}

/// What a client asks, whatever its dialect. Without `Debug`: the image must never be printed.
pub struct LivenessRequest {
    /// Origin of the capture, as sent.
    pub os: String,
    /// The image as sent: a data URI, base64 or a URL.
    pub image: String,
    /// The collection to record the attempt in.
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
}

/// A number as JavaScript writes it: `1`, not `1.0`, so that no client sees a difference.
fn json_number(value: f64) -> Number {
    if value == 0.0 || value == 1.0 {
        return Number::from(value as u64);
    }
    // Only NaN and infinity have no JSON form; scores and thresholds are checked to be neither.
    Number::from_f64(value).unwrap_or_else(|| Number::from(0))
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
