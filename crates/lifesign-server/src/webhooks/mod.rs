//! Webhooks: a client's own server is told of every finished attempt and capture session.
//!
//! What is to be told is written into the outbox in the transaction that records it, and
//! delivered from there until the server takes it: a crash or a restart loses nothing, and may
//! repeat one. The form is that of Standard Webhooks (<https://www.standardwebhooks.com>), for which
//! there are verifiers in many languages.

mod delivery;
mod secret;

pub(crate) use delivery::seal;
pub use delivery::{Courier, DeliveryConfig};
pub use secret::{BadSecret, WebhookSecret};

use jiff::Timestamp;
use reqwest::Url;
use serde::Serialize;

use crate::attempt_record::AttemptRecord;
use crate::store::Attempt;

/// The kind of event that tells of a photograph.
const ATTEMPT_FINISHED: &str = "attempt.finished";

#[derive(Serialize)]
struct Event<'a, T> {
    r#type: &'static str,
    timestamp: String,
    data: &'a T,
}

/// The body that tells of an attempt.
pub(crate) fn event(attempt: &Attempt) -> String {
    body(
        ATTEMPT_FINISHED,
        attempt.created_at,
        &AttemptRecord::from(attempt),
    )
}

/// The body of an event.
pub(crate) fn body(r#type: &'static str, at: Timestamp, data: &impl Serialize) -> String {
    let event = Event {
        r#type,
        timestamp: format!("{at:.3}"),
        data,
    };
    // Strings, numbers and booleans always serialize.
    serde_json::to_string(&event).unwrap_or_default()
}

/// An address that events may be posted to: http or https. The operator sets it, so it may well be
/// one of the operator's own network.
///
/// # Errors
/// What was expected instead.
pub fn address(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "an address such as https://shop.example/hooks/liveness";
    const LONGEST: usize = 2048;
    match Url::parse(text.trim()) {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.as_str().len() <= LONGEST =>
        {
            Ok(url)
        }
        _ => Err(EXPECTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_addresses_can_be_posted_to() {
        assert!(address(" https://shop.example/hooks ").is_ok());
        assert!(address("http://10.0.0.7:3000/hooks").is_ok());
        for text in [
            "",
            "shop.example",
            "ftp://shop.example",
            "file:///etc/passwd",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
