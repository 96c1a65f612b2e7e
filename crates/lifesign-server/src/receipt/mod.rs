//! Receipts: signed statements of what was judged and how, for auditors who trust neither the
//! client nor the database.
//!
//! A receipt is a compact JWS (RFC 7515) signed with Ed25519 (`EdDSA`, RFC 8037). Anyone can verify
//! it with the public keys at `/.well-known/jwks.json`.

mod keys;
mod verify;

pub use jsonwebtoken::jwk::JwkSet;
pub use keys::{KeyError, KeyRing, ReceiptKey};
pub use verify::{VerifyError, fetch_keys, matches_image, read_keys, verify};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The `typ` of a receipt's header (RFC 8725, 3.11), so that no other JWS passes for one.
pub const TYPE: &str = "lifesign-receipt+jwt";

/// What a receipt states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Who certifies: the `issuer` of the configuration.
    pub iss: String,
    /// The attempt's id.
    pub jti: String,
    /// When it was recorded, Unix seconds.
    pub iat: i64,
    /// When it was recorded, to the millisecond (RFC 3339, UTC).
    pub time: String,
    /// Who asked.
    pub client_id: String,
    /// SHA-256 of the photograph's bytes as they were judged, in lower-case hexadecimal.
    pub image_sha256: String,
    /// Origin of the capture as sent; cut to 64 characters.
    pub os: String,
    /// The score, rounded to 4 decimals.
    pub liveness_score: f64,
    /// The pass threshold.
    pub min_score: f64,
    /// Whether the score is above the threshold.
    pub passed: bool,
    /// `live`, `spoof` or `uncertain`.
    pub decision: String,
    /// The version of Lifesign.
    pub version: String,
    /// The capture session that the photograph was taken in, where it was one of a browser's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_session: Option<String>,
    /// The nonce of that session, which its photograph had to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// SHA-256 of every file that the score depends on, by its name such as
    /// `lifesign-pad/far.onnx`.
    pub weights: BTreeMap<String, String>,
}
