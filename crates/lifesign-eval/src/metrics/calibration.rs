//! How well scores are probabilities: Brier score (G. Brier, *Verification of forecasts expressed
//! in terms of probability*, 1950), reliability diagram and expected calibration error (M. Naeini
//! et al., *Obtaining well calibrated probabilities using Bayesian binning*, 2015).

use super::interval::rate;
use crate::evaluation::{CalibrationFigures, ReliabilityBin};

/// Bins of the reliability diagram.
const BINS: usize = 10;

/// Figures of scores, each with whether it is of a bona fide presentation; `None` where there are
/// none or one is no probability.
pub fn figures(scores: &[(f64, bool)]) -> Option<CalibrationFigures> {
    let all_probabilities = scores.iter().all(|(score, _)| (0.0..=1.0).contains(score));
    if scores.is_empty() || !all_probabilities {
        return None;
    }
    let count = scores.len() as f64;
    let label = |bona_fide: bool| if bona_fide { 1.0 } else { 0.0 };
    let squares = scores
        .iter()
        .map(|&(score, bona_fide)| (score - label(bona_fide)).powi(2));
    let bins: Vec<ReliabilityBin> = (0..BINS).map(|nth| bin(scores, nth)).collect();
    let distances = bins.iter().filter_map(|bin| {
        let distance = (bin.mean_score? - bin.bona_fide.value?).abs();
        Some(distance * bin.presentations as f64 / count)
    });
    Some(CalibrationFigures {
        bona_fide_share: scores.iter().filter(|(_, bona_fide)| *bona_fide).count() as f64 / count,
        brier: squares.sum::<f64>() / count,
        ece: distances.sum(),
        bins,
    })
}

fn bin(scores: &[(f64, bool)], nth: usize) -> ReliabilityBin {
    let inside = scores
        .iter()
        .filter(|(score, _)| bin_of(*score, BINS) == nth);
    let (mut presentations, mut bona_fide, mut sum) = (0, 0, 0.0);
    for &(score, is_bona_fide) in inside {
        presentations += 1;
        bona_fide += usize::from(is_bona_fide);
        sum += score;
    }
    ReliabilityBin {
        low: nth as f64 / BINS as f64,
        high: (nth + 1) as f64 / BINS as f64,
        presentations,
        mean_score: (presentations > 0).then(|| sum / presentations as f64),
        bona_fide: rate(bona_fide, presentations),
    }
}

/// The bin of a score, 0 to 1, among `bins` of equal width; a score between two is in the upper.
pub fn bin_of(score: f64, bins: usize) -> usize {
    ((score * bins as f64) as usize).min(bins - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores 0.15 (attack), 0.15 (bona fide), 0.95 (bona fide), 1.0 (bona fide), by hand.
    #[test]
    fn a_case_worked_by_hand() {
        let found = figures(&[(0.15, false), (0.15, true), (0.95, true), (1.0, true)]).unwrap();
        let brier = (0.15f64.powi(2) + 0.85f64.powi(2) + 0.05f64.powi(2)) / 4.0;
        assert!((found.brier - brier).abs() < 1e-12);
        // Bin 1: mean 0.15, half bona fide. Bin 9: mean 0.975, all bona fide.
        let ece = (0.5 - 0.15) * 0.5 + (1.0 - 0.975) * 0.5;
        assert!((found.ece - ece).abs() < 1e-12);
        assert_eq!(found.bona_fide_share, 0.75);
        let sizes: Vec<usize> = found.bins.iter().map(|bin| bin.presentations).collect();
        assert_eq!(sizes, [0, 2, 0, 0, 0, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn scores_that_are_no_probabilities_have_no_calibration() {
        assert_eq!(figures(&[(1.2, true)]), None);
        assert_eq!(figures(&[(f64::NEG_INFINITY, true)]), None);
        assert_eq!(figures(&[]), None);
    }
}
