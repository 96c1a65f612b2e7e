//! What became of one image: a line of `lifesign check --json`, a row of its Parquet files.

use serde::{Deserialize, Serialize};

/// One image and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// As the manifest or the command line names it.
    pub image: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// It got a score.
    Assessed {
        /// 0 to 1, rounded to four decimals.
        liveness_score: f64,
        /// Whether the score is above the threshold.
        passed: bool,
        /// The threshold.
        min_score: f64,
        /// Where the face is.
        face: FaceBox,
        /// From the bytes to the score, in milliseconds.
        elapsed_ms: f64,
    },
    /// It cannot be judged.
    #[serde(rename_all = "camelCase")]
    Rejected {
        /// Of the HTTP contract.
        code: String,
        /// Of the HTTP contract.
        failure_reason: String,
        /// What the person should do.
        message: String,
    },
    /// It could not be read, or a network failed.
    Error {
        /// Why.
        message: String,
    },
}

/// In pixels of the upright picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FaceBox {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// How many images ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Got a score above the threshold.
    pub passed: u64,
    /// Got another score.
    pub failed: u64,
    /// Could not be judged.
    pub rejected: u64,
    /// Could not be read.
    pub unread: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Assessed { passed: true, .. } => self.passed += 1,
            Outcome::Assessed { .. } => self.failed += 1,
            Outcome::Rejected { .. } => self.rejected += 1,
            Outcome::Error { .. } => self.unread += 1,
        }
    }

    /// How many there are.
    pub fn all(&self) -> u64 {
        self.passed + self.failed + self.rejected + self.unread
    }
}
