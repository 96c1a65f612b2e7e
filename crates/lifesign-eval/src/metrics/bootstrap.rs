//! Percentile intervals by drawing whole units (sources, else subjects) with replacement: B. Efron
//! and R. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13; of clusters because
//! frames of one source are alike.

use fastrand::Rng;

use super::interval::CONFIDENCE;
use crate::evaluation::Estimate;

/// How often is drawn.
pub const REPLICATES: usize = 2000;
/// Seed of the generator: the same data give the same intervals.
pub const SEED: u64 = 30107;

/// How often each unit was drawn, one list for each replicate.
#[derive(Debug, Clone)]
pub struct Draws {
    counts: Vec<Vec<f64>>,
}

impl Draws {
    /// Draws from `units` units; from fewer than two there is nothing to learn, so none are drawn.
    pub fn new(units: usize) -> Draws {
        let replicates = if units < 2 { 0 } else { REPLICATES };
        let mut generator = Rng::with_seed(SEED);
        let draw = |_| {
            let mut counts = vec![0.0; units];
            for _ in 0..units {
                counts[generator.usize(0..units)] += 1.0;
            }
            counts
        };
        Draws {
            counts: (0..replicates).map(draw).collect(),
        }
    }

    /// Computes `figures` for every replicate; `None` where a replicate lacks a class.
    pub fn replicate<T>(&self, figures: impl Fn(&dyn Fn(usize) -> f64) -> Option<T>) -> Vec<T> {
        let each = self.counts.iter();
        each.filter_map(|counts| figures(&|unit| counts[unit]))
            .collect()
    }
}

/// `value` with the percentile interval of `replicates`, where at least half of the draws gave
/// one: an interval of the rest would tell of other data.
pub fn estimate(value: Option<f64>, mut replicates: Vec<f64>) -> Estimate {
    let enough = value.is_some() && replicates.len() * 2 >= REPLICATES;
    replicates.sort_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Estimate {
        value,
        low: enough.then(|| percentile(&replicates, tail)),
        high: enough.then(|| percentile(&replicates, 1.0 - tail)),
    }
}

/// The value below which a `share` of `sorted`, which is not empty, lies; between two, in
/// proportion.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let (below, above) = (position.floor() as usize, position.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replicate_draws_as_many_units_as_there_are() {
        let draws = Draws::new(7);
        assert_eq!(draws.counts.len(), REPLICATES);
        assert!(
            draws
                .counts
                .iter()
                .all(|one| one.iter().sum::<f64>() == 7.0)
        );
    }

    #[test]
    fn the_interval_of_a_mean_is_near_the_normal_approximation() {
        let values: Vec<f64> = (0..100).map(|nth| f64::from(nth % 10)).collect();
        let replicates = Draws::new(100).replicate(|weight| {
            Some(
                values
                    .iter()
                    .enumerate()
                    .map(|(unit, value)| weight(unit) * value)
                    .sum::<f64>()
                    / 100.0,
            )
        });
        let found = estimate(Some(4.5), replicates);
        // Standard deviation 2.872, of the mean 0.287; times 1.96.
        assert!(
            (found.low.unwrap() - (4.5 - 0.563)).abs() < 0.05,
            "{found:?}"
        );
        assert!(
            (found.high.unwrap() - (4.5 + 0.563)).abs() < 0.05,
            "{found:?}"
        );
    }

    #[test]
    fn one_unit_and_rare_replicates_give_no_interval() {
        let of_one = Draws::new(1).replicate(|_| Some(0.5));
        assert_eq!(estimate(Some(0.5), of_one).low, None);
        assert_eq!(estimate(Some(0.5), vec![0.5; REPLICATES / 4]).high, None);
    }

    #[test]
    fn percentiles_lie_between_neighbours_in_proportion() {
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.5), 2.0);
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(percentile(&[7.0], 0.99), 7.0);
    }
}
