//! The field rules of the hosted API, worded as Joi words them: fields are checked in order, the
//! first failure is reported, numeric strings count as numbers, `null` is a wrong type and unknown
//! fields are tolerated.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Number;

use super::{Threshold, json_number};
use crate::error::{ApiError, Breach};
use crate::json::{Object, Value};
use crate::store::can_hold;

/// Most characters of a text that is stored.
pub(crate) const MAX_LENGTH: usize = 1000;
const CONTAINS_INVALID: &str = "contains an invalid value";

/// The parameters of a query string.
pub(crate) type Parameters = BTreeMap<String, String>;

/// The breach of a rule, such as `"os" is required`.
pub(crate) fn invalid<T>(field: &str, rule: impl AsRef<str>) -> Result<T, ApiError> {
    Err(ApiError::Invalid(vec![Breach {
        field: field.to_owned(),
        message: format!("\"{field}\" {}", rule.as_ref()),
        kind: "any.invalid",
    }]))
}

/// A body must be an object.
pub(crate) fn object(body: Value<'_>) -> Result<Object<'_>, ApiError> {
    match body {
        Value::Object(fields) => Ok(fields),
        _ => invalid("value", "must be of type object"),
    }
}

/// An optional string that is not empty.
pub(crate) fn string<'a>(
    fields: &mut Object<'a>,
    field: &str,
) -> Result<Option<Cow<'a, str>>, ApiError> {
    match text(fields, field)? {
        Some(text) if text.is_empty() => invalid(field, "is not allowed to be empty"),
        text => Ok(text),
    }
}

/// An optional string that may be empty.
pub(crate) fn text<'a>(
    fields: &mut Object<'a>,
    field: &str,
) -> Result<Option<Cow<'a, str>>, ApiError> {
    match fields.remove(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => invalid(field, "must be a string"),
    }
}

/// A string that must be there and is not empty.
pub(crate) fn required_string<'a>(
    fields: &mut Object<'a>,
    field: &str,
) -> Result<Cow<'a, str>, ApiError> {
    required(field, string(fields, field)?)
}

/// A field that must be there.
pub(crate) fn required<T>(field: &str, value: Option<T>) -> Result<T, ApiError> {
    match value {
        Some(value) => Ok(value),
        None => invalid(field, "is required"),
    }
}

/// A text, where there is one, that is stored or compared with what is: not of any length, and one that
/// the database can hold.
pub(crate) fn storable(
    field: &str,
    text: Option<Cow<'_, str>>,
) -> Result<Option<String>, ApiError> {
    match text {
        Some(text) if !can_hold(&text) => invalid(field, CONTAINS_INVALID),
        Some(text) if text.chars().count() > MAX_LENGTH => invalid(
            field,
            format!("length must be less than or equal to {MAX_LENGTH} characters long"),
        ),
        text => Ok(text.map(Cow::into_owned)),
    }
}

/// An optional number, which may be one in a string.
fn number(fields: &mut Object<'_>, field: &str) -> Result<Option<(Number, f64)>, ApiError> {
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
    Ok(Some((number, value)))
}

/// An optional number from 0 to 1.
pub(crate) fn threshold(
    fields: &mut Object<'_>,
    field: &str,
) -> Result<Option<Threshold>, ApiError> {
    let Some((number, value)) = number(fields, field)? else {
        return Ok(None);
    };
    if value < 0.0 {
        return invalid(field, "must be greater than or equal to 0");
    }
    match Threshold::given(number) {
        Some(threshold) => Ok(Some(threshold)),
        None => invalid(field, "must be less than or equal to 1"),
    }
}

/// An optional whole number within a range.
pub(crate) fn whole(
    fields: &mut Object<'_>,
    field: &str,
    range: RangeInclusive<u32>,
) -> Result<Option<u32>, ApiError> {
    match number(fields, field)? {
        Some((_, value)) => within(field, value, &range).map(Some),
        None => Ok(None),
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

/// A parameter that is not empty.
pub(crate) fn parameter<'a>(
    parameters: &'a Parameters,
    name: &str,
) -> Result<Option<&'a str>, ApiError> {
    match parameters.get(name).map(String::as_str) {
        Some("") => invalid(name, "is not allowed to be empty"),
        Some(text) if !can_hold(text) => invalid(name, CONTAINS_INVALID),
        text => Ok(text),
    }
}

/// A whole number within a range.
pub(crate) fn integer(
    parameters: &Parameters,
    name: &str,
    range: RangeInclusive<u32>,
) -> Result<Option<u32>, ApiError> {
    let Some(text) = parameter(parameters, name)? else {
        return Ok(None);
    };
    match text.parse::<f64>() {
        Ok(value) => within(name, value, &range).map(Some),
        Err(_) => invalid(name, "must be a number"),
    }
}

fn within(name: &str, value: f64, range: &RangeInclusive<u32>) -> Result<u32, ApiError> {
    let (least, most) = (*range.start(), *range.end());
    if value.fract() != 0.0 {
        invalid(name, "must be an integer")
    } else if value < f64::from(least) {
        invalid(name, format!("must be greater than or equal to {least}"))
    } else if value > f64::from(most) {
        invalid(name, format!("must be less than or equal to {most}"))
    } else {
        Ok(value as u32)
    }
}

/// `true` or `false`.
pub(crate) fn boolean(parameters: &Parameters, name: &str) -> Result<Option<bool>, ApiError> {
    match parameter(parameters, name)? {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => invalid(name, "must be a boolean"),
    }
}

/// A time in ISO 8601, such as `2026-11-24T09:30:00Z`; a day is its first moment in UTC.
pub(crate) fn time(parameters: &Parameters, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = parameter(parameters, name)? else {
        return Ok(None);
    };
    let day = || {
        // Read so that nothing may follow the day: a time without its zone is no moment.
        let day = Date::strptime("%Y-%m-%d", text).ok()?;
        Some(day.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
    };
    match text.parse().ok().or_else(day) {
        Some(time) => Ok(Some(time)),
        None => invalid(name, "must be in ISO 8601 date format"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(value: &str) -> Parameters {
        [("p".to_owned(), value.to_owned())].into()
    }

    #[test]
    fn a_whole_number_is_read_within_its_range() {
        let read = |text| integer(&parameters(text), "p", 1..=12).map_err(|e| e.to_string());
        assert_eq!(integer(&Parameters::new(), "p", 1..=12).unwrap(), None);
        assert_eq!(read("12"), Ok(Some(12)));
        for (text, rule) in [
            ("", "is not allowed to be empty"),
            ("x", "must be a number"),
            ("NaN", "must be an integer"),
            ("1.5", "must be an integer"),
            ("0", "must be greater than or equal to 1"),
            ("-1e99", "must be greater than or equal to 1"),
            ("13", "must be less than or equal to 12"),
            ("1e99", "must be less than or equal to 12"),
        ] {
            assert_eq!(read(text), Err(format!("\"p\" {rule}")), "{text}");
        }
    }

    #[test]
    fn a_time_is_a_moment_or_a_day() {
        let read = |text| time(&parameters(text), "p").map(|at| at.unwrap().to_string());
        for (text, moment) in [
            ("2026-11-24T09:30:00.5Z", "2026-11-24T09:30:00.5Z"),
            ("2026-11-24T09:30:00-05:00", "2026-11-24T14:30:00Z"),
            ("2026-11-24", "2026-11-24T00:00:00Z"),
        ] {
            assert_eq!(read(text).unwrap(), moment);
        }
        for text in [
            "yesterday",
            "2026-13-01",
            "2026-11-24T09:30:00",
            "1764000000",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
