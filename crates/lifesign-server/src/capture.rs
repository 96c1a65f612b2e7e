//! A capture session as clients read it, over HTTP and in webhooks, and the token that its browser
//! shows.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::attempt_record::AttemptRecord;
use crate::store::{Attempt, Capture};
use crate::webhooks;

/// The kind of event that tells of a finished session.
const FINISHED: &str = "capture_session.finished";

/// What a browser may show to be let into one session, and nothing else: 256 random bits. Only its
/// hash is kept.
pub(crate) struct BrowserToken(String);

impl BrowserToken {
    pub(crate) fn generate() -> BrowserToken {
        BrowserToken(BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    pub(crate) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether `token` is the one of which the hash was kept.
pub(crate) fn is_token_of(token: &str, kept_sha256: &[u8]) -> bool {
    verify_slices_are_equal(&Sha256::digest(token), kept_sha256).is_ok()
}

/// A fresh nonce: 128 random bits in hexadecimal.
pub(crate) fn nonce() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CaptureStatus {
    /// It takes photographs.
    Open,
    /// A photograph passed, or all uploads are used up.
    Finished,
    /// Its time ran out before.
    Expired,
}

impl CaptureStatus {
    pub(crate) fn of(capture: &Capture, now: Timestamp) -> CaptureStatus {
        match capture.result {
            Some(_) => CaptureStatus::Finished,
            None if capture.expires_at <= now => CaptureStatus::Expired,
            None => CaptureStatus::Open,
        }
    }
}

/// A capture session.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CaptureSession)]
pub(crate) struct CaptureRecord {
    #[schema(pattern = "^[0-9a-f]{24}$")]
    id: String,
    status: CaptureStatus,
    /// Whether a photograph passed; null until the session is finished.
    passed: Option<bool>,
    /// What the receipts of this session's photographs name as `nonce`.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    nonce: String,
    /// The id of the client that asked for it.
    client: String,
    /// The `_id` of the collection, unless none was given or it was deleted since.
    collection: Option<String>,
    /// Origin of the capture; null is what the browser says.
    os: Option<String>,
    /// The pass threshold.
    #[serde(rename = "min_score")]
    #[schema(minimum = 0, maximum = 1)]
    min_score: f64,
    /// Where the page leads when it is done.
    return_url: Option<String>,
    /// How many photographs may still be uploaded.
    #[schema(minimum = 0, maximum = 10)]
    uploads_left: u32,
    #[schema(format = DateTime)]
    created_at: String,
    /// Until when photographs are taken.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it was finished, where it is.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// The receipt of the last photograph that was judged.
    receipt: Option<String>,
    /// Its photographs that were looked at, the oldest first; not in webhooks, which told of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    attempts: Option<Vec<AttemptRecord>>,
}

impl CaptureRecord {
    pub(crate) fn new(capture: &Capture) -> CaptureRecord {
        let capture = capture.clone();
        CaptureRecord {
            status: CaptureStatus::of(&capture, Timestamp::now()),
            passed: capture.result.map(|result| result.passed),
            finished_at: capture.result.map(|result| format!("{:.3}", result.at)),
            id: capture.id,
            nonce: capture.nonce,
            client: capture.client_id,
            collection: capture.collection_id,
            os: capture.os,
            min_score: capture.min_score,
            return_url: capture.return_url,
            uploads_left: capture.uploads_left,
            created_at: format!("{:.3}", capture.created_at),
            expires_at: format!("{:.3}", capture.expires_at),
            receipt: capture.receipt,
            attempts: None,
        }
    }

    pub(crate) fn with(mut self, attempts: &[Attempt]) -> CaptureRecord {
        self.attempts = Some(attempts.iter().map(AttemptRecord::from).collect());
        self
    }
}

/// The body that tells webhooks of a finished session.
pub(crate) fn event(capture: &Capture) -> String {
    let at = capture
        .result
        .map_or(capture.created_at, |result| result.at);
    webhooks::body(FINISHED, at, &CaptureRecord::new(capture))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_alone() {
        let (one, other) = (BrowserToken::generate(), BrowserToken::generate());
        assert_eq!(one.expose().len(), 43);
        assert!(is_token_of(one.expose(), &one.sha256()));
        assert!(!is_token_of(other.expose(), &one.sha256()));
        assert!(!is_token_of("", &one.sha256()));
        assert!(!is_token_of(one.expose(), &[]));
    }
}
