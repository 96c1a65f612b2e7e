//! From a score to an answer.

/// Threshold where none is given: the operating point that the calibration is made for.
pub const DEFAULT_MIN_SCORE: f64 = 0.6;

/// A score as it is told, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// The score rounded to 4 decimals.
    pub liveness_score: f64,
    /// Whether the rounded score is above the threshold, so that whoever reads an answer can
    /// repeat its decision.
    pub passed: bool,
}

impl Decision {
    /// Decides on `score`, 0 to 1: it passes when it is strictly above `min_score`.
    ///
    /// ```
    /// use lifesign::Decision;
    /// let decision = Decision::new(0.981_249, 0.6);
    /// assert_eq!((decision.liveness_score, decision.passed), (0.9812, true));
    /// ```
    pub fn new(score: f64, min_score: f64) -> Decision {
        let liveness_score = (score * 1e4).round() / 1e4;
        Decision {
            liveness_score,
            passed: liveness_score > min_score,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_equal_to_the_threshold_does_not_pass() {
        assert!(!Decision::new(0.6, 0.6).passed);
        assert!(Decision::new(0.6001, 0.6).passed);
    }

    #[test]
    fn the_decision_is_made_on_the_score_that_is_told() {
        let decision = Decision::new(0.600_04, 0.6);
        assert_eq!(
            decision,
            Decision {
                liveness_score: 0.6,
                passed: false
            }
        );
        assert!(!Decision::new(1.0, 1.0).passed);
    }
}
