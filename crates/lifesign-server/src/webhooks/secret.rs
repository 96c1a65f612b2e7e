//! The secret that a webhook's events are signed with, and the signature.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

const PREFIX: &str = "whsec_";

/// A webhook's secret. `Display` shows it, in the form that verifiers take: `whsec_` and base64.
/// Without `PartialEq`, which takes longer the more of it is right.
#[derive(Clone)]
pub struct WebhookSecret([u8; 32]);

/// What was kept is no secret of a webhook.
#[derive(Debug, thiserror::Error)]
#[error("the webhook's secret is damaged")]
pub struct BadSecret;

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl fmt::Display for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", BASE64_STANDARD.encode(self.0))
    }
}

impl WebhookSecret {
    /// A fresh one.
    pub fn generate() -> WebhookSecret {
        WebhookSecret(rand::random())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<WebhookSecret, BadSecret> {
        bytes.try_into().map(WebhookSecret).map_err(|_| BadSecret)
    }

    /// The value of the `webhook-signature` header: HMAC-SHA256 over id, timestamp (Unix seconds)
    /// and body, with dots between them.
    pub(crate) fn signature(&self, id: &str, timestamp: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_only_on_purpose() {
        let secret = WebhookSecret::generate();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        let shown = secret.to_string();
        let bytes = BASE64_STANDARD.decode(shown.strip_prefix(PREFIX).unwrap());
        let again = WebhookSecret::from_bytes(&bytes.unwrap()).unwrap();
        assert_eq!(again.bytes(), secret.bytes());
        assert!(WebhookSecret::from_bytes(b"short").is_err());
    }

    #[test]
    fn the_signature_is_hmac_sha256_of_id_timestamp_and_body() {
        // Made with Python: hmac.new(bytes(range(32)), b"msg_1.1700000000.{}", sha256).
        let secret = WebhookSecret(std::array::from_fn(|n| n as u8));
        assert_eq!(
            secret.signature("msg_1", 1_700_000_000, "{}"),
            "v1,fhksJF5ElKjlPoT/jtefCO5XjQPvhf7Dhf/8R1ad9yU="
        );
    }
}
