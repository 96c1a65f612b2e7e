//! An attempt as clients read it: over HTTP and in webhooks. Never with an image.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::Attempt;

/// A recorded attempt.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptRecord {
    /// The `id` of the answer.
    #[schema(
        min_length = 5,
        max_length = 5,
        pattern = "^[A-Z0-9]{5}$",
        example = "JQ4RM"
    )]
    id: String,
    /// The id of the client that asked.
    client: String,
    /// The `_id` of the collection, unless none was given or it was deleted since.
    collection: Option<String>,
    /// Origin of the capture as sent; cut to 64 characters.
    #[schema(example = "IOS")]
    os: String,
    /// Whether the score was above the threshold.
    passed: bool,
    /// The score; null where the photograph could not be judged.
    #[serde(rename = "liveness_score")]
    #[schema(minimum = 0, maximum = 1)]
    liveness_score: Option<f64>,
    /// The pass threshold.
    #[serde(rename = "min_score")]
    #[schema(minimum = 0, maximum = 1)]
    min_score: f64,
    /// Why the photograph could not be judged, such as `no_face_detected`; null where it was.
    failure_reason: Option<String>,
    /// The models that judged.
    model: String,
    /// When it was recorded.
    #[schema(format = DateTime)]
    created_at: String,
    /// The id of the capture session that it is a part of, where it is one of a browser's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9a-f]{24}$")]
    capture_session: Option<String>,
}

impl From<&Attempt> for AttemptRecord {
    fn from(attempt: &Attempt) -> Self {
        let attempt = attempt.clone();
        AttemptRecord {
            id: attempt.id,
            client: attempt.client_id,
            collection: attempt.collection_id,
            os: attempt.os,
            passed: attempt.passed,
            liveness_score: attempt.score,
            min_score: attempt.min_score,
            failure_reason: attempt.reason,
            model: attempt.model,
            created_at: format!("{:.3}", attempt.created_at),
            capture_session: attempt.capture_session_id,
        }
    }
}
