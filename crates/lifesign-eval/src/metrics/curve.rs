//! Error rates over all thresholds: the DET curve and what is read off it.

use std::ops::Range;

/// One presentation that got a response.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Higher is more bona fide; negative infinity stands for "never accepted".
    pub score: f64,
    /// Whether it is an attack.
    pub attack: bool,
    /// The unit of the bootstrap it belongs to.
    pub unit: usize,
}

/// The other error rate's limits at which a rate is reported.
pub const LIMITS: [f64; 3] = [0.10, 0.05, 0.01];

/// A point of the curve: the error rates when scores above `threshold` are accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// `None` where everything is accepted.
    pub threshold: Option<f64>,
    /// Attacks accepted, of all attacks.
    pub apcer: f64,
    /// Bona fide presentations not accepted, of all.
    pub bpcer: f64,
}

/// A rate where the other one is at most a limit, and the threshold that gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateAt {
    /// The rate.
    pub rate: f64,
    /// `None` where everything is accepted.
    pub threshold: Option<f64>,
}

/// What is read off a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Probability that a bona fide presentation scores above an attack; ties count half.
    pub auc: f64,
    /// Mean of APCER and BPCER at the threshold where they are nearest.
    pub d_eer: f64,
    /// That threshold; the lowest one where several are as near.
    pub d_eer_threshold: Option<f64>,
    /// The lowest BPCER where APCER is at most each of [`LIMITS`].
    pub bpcer_at_apcer: [RateAt; 3],
    /// The lowest APCER where BPCER is at most each of [`LIMITS`].
    pub apcer_at_bpcer: [RateAt; 3],
}

/// Presentations in the order of their scores.
#[derive(Debug, Clone)]
pub struct Curve {
    samples: Vec<Sample>,
    /// Runs of equal scores.
    ties: Vec<Range<usize>>,
}

impl Curve {
    /// Sorts presentations.
    ///
    /// # Panics
    /// When a score is NaN.
    pub fn new(mut samples: Vec<Sample>) -> Curve {
        assert!(samples.iter().all(|sample| !sample.score.is_nan()));
        // Zeros of both signs are one score.
        for sample in &mut samples {
            sample.score += 0.0;
        }
        samples.sort_by(|a, b| a.score.total_cmp(&b.score));
        let mut ties = Vec::new();
        let mut start = 0;
        for tie in samples.chunk_by(|a, b| a.score == b.score) {
            ties.push(start..start + tie.len());
            start += tie.len();
        }
        Curve { samples, ties }
    }

    /// The curve from the lowest threshold to the highest, or `None` where a class is missing.
    pub fn points(&self) -> Option<Vec<Point>> {
        self.weighted_points(&|_| 1.0).map(Iterator::collect)
    }

    /// What is read off the curve, or `None` where a class is missing.
    pub fn figures(&self) -> Option<Figures> {
        self.weighted_figures(&|_| 1.0)
    }

    /// As [`Curve::figures`], with every presentation counted `weight(unit)` times.
    pub fn weighted_figures(&self, weight: &impl Fn(usize) -> f64) -> Option<Figures> {
        let mut points = self.weighted_points(weight)?;
        let mut last = points.next()?;
        let accept_all = RateAt {
            rate: 1.0,
            threshold: None,
        };
        let mut nearest = last;
        let mut auc = 0.0;
        let mut bpcer_at_apcer = [None; 3];
        let mut apcer_at_bpcer = [accept_all; 3];
        for point in points {
            // The trapezium under the ROC curve: ties between classes count half.
            auc += (last.apcer - point.apcer) * (2.0 - last.bpcer - point.bpcer) / 2.0;
            let gap = |point: &Point| (point.apcer - point.bpcer).abs();
            if gap(&point) < gap(&nearest) {
                nearest = point;
            }
            let threshold = point.threshold;
            for (nth, limit) in LIMITS.into_iter().enumerate() {
                // APCER falls and BPCER rises along the curve: the first point within an APCER
                // limit has the lowest BPCER, the last within a BPCER limit the lowest APCER.
                if point.apcer <= limit {
                    let rate = point.bpcer;
                    bpcer_at_apcer[nth].get_or_insert(RateAt { rate, threshold });
                }
                if point.bpcer <= limit {
                    let rate = point.apcer;
                    apcer_at_bpcer[nth] = RateAt { rate, threshold };
                }
            }
            last = point;
        }
        let reject_all = RateAt {
            rate: last.bpcer,
            threshold: last.threshold,
        };
        Some(Figures {
            auc,
            d_eer: f64::midpoint(nearest.apcer, nearest.bpcer),
            d_eer_threshold: nearest.threshold,
            bpcer_at_apcer: bpcer_at_apcer.map(|found| found.unwrap_or(reject_all)),
            apcer_at_bpcer,
        })
    }

    fn weighted_points(
        &self,
        weight: &impl Fn(usize) -> f64,
    ) -> Option<impl Iterator<Item = Point>> {
        let sum = |samples: &[Sample]| {
            samples.iter().fold([0.0, 0.0], |mut sum, sample| {
                sum[usize::from(sample.attack)] += weight(sample.unit);
                sum
            })
        };
        let [bona_fide, attacks] = sum(&self.samples);
        if bona_fide == 0.0 || attacks == 0.0 {
            return None;
        }
        let mut below = [0.0, 0.0];
        let points = self.ties.iter().map(move |tie| {
            let samples = &self.samples[tie.clone()];
            let [tied_bona_fide, tied_attacks] = sum(samples);
            below[0] += tied_bona_fide;
            below[1] += tied_attacks;
            Point {
                threshold: Some(samples[0].score).filter(|score| score.is_finite()),
                // Not 1 - below / attacks, which would round 1 / 20 to above 5 %.
                apcer: (attacks - below[1]) / attacks,
                bpcer: below[0] / bona_fide,
            }
        });
        let accept_all = Point {
            threshold: None,
            apcer: 1.0,
            bpcer: 0.0,
        };
        Some(std::iter::once(accept_all).chain(points))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn curve(bona_fide: &[f64], attacks: &[f64]) -> Curve {
        let sample = |attack| {
            move |&score: &f64| Sample {
                score,
                attack,
                unit: 0,
            }
        };
        let bona_fide = bona_fide.iter().map(sample(false));
        Curve::new(bona_fide.chain(attacks.iter().map(sample(true))).collect())
    }

    #[test]
    fn separated_classes_have_no_errors() {
        let figures = curve(&[0.8, 0.9], &[0.1, 0.2, 0.3]).figures().unwrap();
        assert_eq!((figures.auc, figures.d_eer), (1.0, 0.0));
        assert_eq!(figures.d_eer_threshold, Some(0.3));
        assert!(figures.bpcer_at_apcer.iter().all(|at| at.rate == 0.0));
        assert!(figures.apcer_at_bpcer.iter().all(|at| at.rate == 0.0));
    }

    /// Bona fide 0.4, 0.6, 0.8, 0.9 and attacks 0.1, 0.2, 0.5, 0.7, by hand: of 16 pairs 13 are
    /// in order. At 0.5 one attack (0.7) passes and one bona fide (0.4) does not: both 1/4.
    #[test]
    fn a_case_worked_by_hand() {
        let curve = curve(&[0.4, 0.6, 0.8, 0.9], &[0.1, 0.2, 0.5, 0.7]);
        let figures = curve.figures().unwrap();
        assert_eq!(figures.auc, 13.0 / 16.0);
        assert_eq!(figures.d_eer, 0.25);
        assert_eq!(figures.d_eer_threshold, Some(0.5));
        // No attack may pass: the threshold is 0.7, which costs 0.4 and 0.6.
        assert_eq!(
            figures.bpcer_at_apcer[0],
            RateAt {
                rate: 0.5,
                threshold: Some(0.7)
            }
        );
        // No bona fide may be lost: the threshold is 0.2, and 0.5 and 0.7 pass.
        assert_eq!(
            figures.apcer_at_bpcer[0],
            RateAt {
                rate: 0.5,
                threshold: Some(0.2)
            }
        );
        let points = curve.points().unwrap();
        assert_eq!(points.len(), 9);
        assert_eq!((points[0].apcer, points[0].bpcer), (1.0, 0.0));
        assert_eq!((points[8].apcer, points[8].bpcer), (0.0, 1.0));
    }

    #[test]
    fn ties_between_classes_count_half_and_are_accepted_or_not_together() {
        let figures = curve(&[0.5, 0.5], &[0.5, 0.5]).figures().unwrap();
        assert_eq!((figures.auc, figures.d_eer), (0.5, 0.5));
        assert_eq!(figures.bpcer_at_apcer[0].rate, 1.0);
        let everything = figures.apcer_at_bpcer[0];
        assert_eq!((everything.rate, everything.threshold), (1.0, None));
        // One order right, one tie: (1 + 1/2) / 2.
        assert_eq!(curve(&[0.5], &[0.5, 0.1]).figures().unwrap().auc, 0.75);
    }

    #[test]
    fn a_presentation_that_is_never_accepted_lies_below_every_threshold() {
        let figures = curve(&[0.9, f64::NEG_INFINITY], &[0.1]).figures().unwrap();
        assert_eq!(figures.auc, 0.5);
        let points = curve(&[0.9, f64::NEG_INFINITY], &[0.1]).points().unwrap();
        assert_eq!((points[1].threshold, points[1].bpcer), (None, 0.5));
    }

    #[test]
    fn a_missing_class_has_no_curve() {
        assert_eq!(curve(&[0.5], &[]).figures(), None);
        assert_eq!(curve(&[], &[0.5]).points(), None);
    }

    #[test]
    fn a_weight_counts_a_presentation_as_often() {
        let sample = |score, attack, unit| Sample {
            score,
            attack,
            unit,
        };
        let weighted = Curve::new(vec![
            sample(0.9, false, 0),
            sample(0.3, false, 1),
            sample(0.5, true, 0),
            sample(0.1, true, 1),
        ]);
        let found = weighted.weighted_figures(&|unit| [1.0, 3.0][unit]).unwrap();
        let repeated = curve(&[0.9, 0.3, 0.3, 0.3], &[0.5, 0.1, 0.1, 0.1]);
        assert_eq!(found, repeated.figures().unwrap());
    }
}
