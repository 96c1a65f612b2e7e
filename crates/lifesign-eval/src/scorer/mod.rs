//! Who gives scores: Lifesign end to end, networks of a specification, or a file of scores.

pub mod engine;
pub mod network;
pub mod scores;

use std::time::Duration;

use lifesign::InferenceError;
use serde::{Deserialize, Serialize};

use crate::evaluation::ScorerInfo;
use crate::manifest::Row;
use crate::photograph::Photograph;

/// What a scorer makes of a presentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Response {
    /// It gave a score.
    Score {
        /// Higher is more bona fide.
        score: f64,
        /// Before calibration, of scorers that have one.
        #[serde(skip_serializing_if = "Option::is_none")]
        raw: Option<f64>,
    },
    /// It gave none: the standard's non-response.
    NonResponse {
        /// Why, such as `no_face_detected`.
        reason: String,
    },
}

/// Why there is no [`Response`].
#[derive(Debug)]
pub enum Failure {
    /// The image cannot be decoded.
    Unreadable(String),
    /// A network fails: the evaluation ends.
    Inference(InferenceError),
}

impl From<InferenceError> for Failure {
    fn from(fault: InferenceError) -> Self {
        Failure::Inference(fault)
    }
}

/// A scorer that looks at images.
pub trait Model: Send + Sync {
    /// Who it is.
    fn info(&self) -> &ScorerInfo;

    /// Everything besides the presentation that its responses depend on, for the cache.
    fn fingerprint(&self) -> &str;

    /// Everything besides the image's bytes that its response to `row` depends on.
    fn aspect(&self, row: &Row) -> String;

    /// Its response, and how long it took from the bytes to the score.
    ///
    /// # Errors
    /// [`Failure`]
    fn respond(&self, row: &Row, photograph: &Photograph) -> Result<(Response, Duration), Failure>;
}

/// Any scorer.
pub enum Scorer {
    /// One that looks at images.
    Model(Box<dyn Model>),
    /// Scores made elsewhere.
    Scores(scores::ScoreFile),
}

impl Scorer {
    /// Who it is.
    pub fn info(&self) -> &ScorerInfo {
        match self {
            Scorer::Model(model) => model.info(),
            Scorer::Scores(file) => &file.info,
        }
    }
}
