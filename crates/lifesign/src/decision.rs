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

/// A score in words, for those who send the doubtful ones to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Above the threshold, and beyond the band around it.
    Live,
    /// Not above the threshold, and beyond the band around it.
    Spoof,
    /// Within the band around the threshold.
    Uncertain,
}

impl Verdict {
    /// The verdict on a rounded score. The band reaches from the threshold `band` of the way to 1
    /// and `band` of the way to 0, so that neither end becomes unreachable; 0 is no band.
    ///
    /// ```
    /// use lifesign::Verdict;
    /// // With a threshold of 0.6, a band of 0.2 is 0.48 to 0.68.
    /// assert_eq!(Verdict::new(0.69, 0.6, 0.2), Verdict::Live);
    /// assert_eq!(Verdict::new(0.65, 0.6, 0.2), Verdict::Uncertain);
    /// assert_eq!(Verdict::new(0.47, 0.6, 0.2), Verdict::Spoof);
    /// ```
    pub fn new(liveness_score: f64, min_score: f64, band: f64) -> Verdict {
        if liveness_score > min_score + band * (1.0 - min_score) {
            Verdict::Live
        } else if liveness_score <= min_score - band * min_score {
            Verdict::Spoof
        } else {
            Verdict::Uncertain
        }
    }

    /// `live`, `spoof` or `uncertain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Live => "live",
            Verdict::Spoof => "spoof",
            Verdict::Uncertain => "uncertain",
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

    #[test]
    fn without_a_band_the_verdict_is_the_decision() {
        for (score, min_score) in [
            (0.6, 0.6),
            (0.6001, 0.6),
            (0.0, 0.0),
            (1.0, 1.0),
            (0.2, 0.9),
        ] {
            let passed = Decision::new(score, min_score).passed;
            let verdict = if passed {
                Verdict::Live
            } else {
                Verdict::Spoof
            };
            assert_eq!(
                Verdict::new(score, min_score, 0.0),
                verdict,
                "{score} {min_score}"
            );
        }
    }

    #[test]
    fn certain_verdicts_stay_reachable_at_extreme_thresholds() {
        assert_eq!(Verdict::new(1.0, 0.99, 0.5), Verdict::Live);
        assert_eq!(Verdict::new(0.0, 0.01, 0.5), Verdict::Spoof);
    }
}
