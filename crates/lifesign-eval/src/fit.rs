//! Calibration on one's own cameras, without training.
//!
//! Platt scaling (J. Platt, *Probabilistic Outputs for Support Vector Machines*, 1999, with its
//! smoothed targets) or temperature scaling (C. Guo et al., *On Calibration of Modern Neural
//! Networks*, 2017). Both classes count alike, and inside a class
//! every source, so that the probability is that of a presentation which is as likely to be one as
//! the other, and a source with many frames does not decide for all.

mod logistic;

use std::collections::BTreeMap;

use lifesign::Device;
use lifesign::pad::calibration::{Calibration, Calibrations};

use logistic::{Point, logistic};

/// Fewest presentations of each class that a device needs for a calibration of its own.
pub const FEWEST: usize = 20;
/// Folds of [`cross_fitted`].
const FOLDS: usize = 10;

/// A scored presentation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The networks' log-odds, before calibration.
    pub raw: f64,
    /// Whether it is bona fide.
    pub bona_fide: bool,
    /// Where it was taken.
    pub device: Device,
    /// Number of its source: frames of one count together.
    pub source: usize,
}

/// What is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Slope and intercept.
    #[default]
    Platt,
    /// One factor for slope and intercept of the calibration in force: what scores 0.5 still does.
    Temperature,
}

/// The most bona fide presentations that may be lost at a threshold: a product's choice, made by
/// raising the intercept above the fitted one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BpcerLimit {
    /// At most this share, each source counting alike.
    pub bpcer: f64,
    /// Scores above it are accepted.
    pub threshold: f64,
}

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FitOptions {
    /// What is fitted.
    pub method: Method,
    /// Whether the intercept is raised afterwards.
    pub limit: Option<BpcerLimit>,
}

/// Samples that no calibration can be fitted on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Too few of a class.
    #[error(
        "{bona_fide} bona fide and {attacks} attack presentations have a score; at least {FEWEST} of each are needed"
    )]
    TooFew {
        /// Scored bona fide presentations.
        bona_fide: usize,
        /// Scored attacks.
        attacks: usize,
    },
    /// The scores do not rise from attacks to bona fide.
    #[error(
        "attacks score as high as bona fide presentations, so that no calibration can help; are the labels right?"
    )]
    Inverted,
}

/// Fits a calibration on all samples, and one more for each device that has enough of its own.
///
/// # Errors
/// [`FitError`] when all samples together are not enough.
pub fn fit(
    samples: &[Sample],
    in_force: &Calibrations,
    options: &FitOptions,
) -> Result<Calibrations, FitError> {
    let own = |device: Device| {
        let of_device = samples.iter().filter(|sample| sample.device == device);
        let of_device: Vec<Sample> = of_device.copied().collect();
        fit_one(&of_device, in_force.of(device), options).ok()
    };
    Ok(Calibrations {
        default: fit_one(samples, &in_force.default, options)?,
        desktop: own(Device::Desktop),
        ios: own(Device::Ios),
        android: own(Device::Android),
    })
}

/// The score of each sample by a calibration fitted without its tenth of the sources: what a
/// camera can expect that is not among them. `None` where that is not possible.
pub fn cross_fitted(
    samples: &[Sample],
    in_force: &Calibrations,
    options: &FitOptions,
) -> Option<Vec<f64>> {
    let mut position = BTreeMap::new();
    for sample in samples {
        let next = position.len();
        position.entry(sample.source).or_insert(next);
    }
    let fold = |sample: &Sample| position[&sample.source] % FOLDS;
    let mut scores = vec![0.0; samples.len()];
    for left_out in 0..FOLDS.min(position.len()) {
        let others = samples.iter().filter(|sample| fold(sample) != left_out);
        let others: Vec<Sample> = others.copied().collect();
        let calibrations = fit(&others, in_force, options).ok()?;
        for (sample, score) in samples.iter().zip(&mut scores) {
            if fold(sample) == left_out {
                *score = calibrations.of(sample.device).probability(sample.raw);
            }
        }
    }
    Some(scores)
}

fn fit_one(
    samples: &[Sample],
    in_force: &Calibration,
    options: &FitOptions,
) -> Result<Calibration, FitError> {
    let bona_fide = samples.iter().filter(|sample| sample.bona_fide).count();
    let attacks = samples.len() - bona_fide;
    if bona_fide < FEWEST || attacks < FEWEST {
        return Err(FitError::TooFew { bona_fide, attacks });
    }
    let weights = weights(samples);
    // Platt's targets: what a uniform prior on the labels' errors makes of so many of each.
    let target = |sample: &Sample| match sample.bona_fide {
        true => (bona_fide as f64 + 1.0) / (bona_fide as f64 + 2.0),
        false => 1.0 / (attacks as f64 + 2.0),
    };
    let point = |sample: &Sample, weight: f64, features: [f64; 2]| Point {
        features,
        target: target(sample),
        weight,
    };
    let each = samples.iter().zip(&weights);
    let mut calibration = match options.method {
        Method::Platt => {
            let points = each.map(|(sample, &weight)| point(sample, weight, [sample.raw, 1.0]));
            let [slope, intercept] = logistic(&points.collect::<Vec<_>>());
            Calibration { slope, intercept }
        }
        Method::Temperature => {
            let Calibration { slope, intercept } = *in_force;
            let points = each.map(|(sample, &weight)| {
                let log_odds = slope * sample.raw + intercept;
                point(sample, weight, [log_odds, 0.0])
            });
            let [factor, _] = logistic(&points.collect::<Vec<_>>());
            Calibration {
                slope: slope * factor,
                intercept: intercept * factor,
            }
        }
    };
    if calibration.slope <= 0.0 {
        return Err(FitError::Inverted);
    }
    if let Some(limit) = options.limit {
        raise(&mut calibration, samples, &weights, limit);
    }
    Ok(calibration)
}

/// Both classes weigh 1/2, and inside a class all sources alike.
fn weights(samples: &[Sample]) -> Vec<f64> {
    let mut sizes: BTreeMap<(bool, usize), f64> = BTreeMap::new();
    for sample in samples {
        *sizes.entry((sample.bona_fide, sample.source)).or_default() += 1.0;
    }
    let sources = |bona_fide| sizes.keys().filter(|key| key.0 == bona_fide).count() as f64;
    let sources = [sources(false), sources(true)];
    let weight = |sample: &Sample| {
        let size = sizes[&(sample.bona_fide, sample.source)];
        0.5 / sources[usize::from(sample.bona_fide)] / size
    };
    samples.iter().map(weight).collect()
}

/// Raises the intercept until few enough bona fide presentations are lost; never lowers it.
fn raise(calibration: &mut Calibration, samples: &[Sample], weights: &[f64], limit: BpcerLimit) {
    let each = samples.iter().zip(weights);
    let bona_fide = each.filter(|(sample, _)| sample.bona_fide);
    let mut bona_fide: Vec<(f64, f64)> = bona_fide
        .map(|(sample, weight)| (sample.raw, 2.0 * weight))
        .collect();
    bona_fide.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lost = 0.0;
    let first_to_pass = bona_fide.iter().find(|(_, weight)| {
        lost += weight;
        lost > limit.bpcer + 1e-9
    });
    if let Some((raw, _)) = first_to_pass {
        let log_odds = (limit.threshold / (1.0 - limit.threshold)).ln();
        // The score is told with four decimals and has to be above the threshold.
        let margin = 1e-3;
        let needed = log_odds - calibration.slope * raw + margin;
        calibration.intercept = calibration.intercept.max(needed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: Calibrations = Calibrations {
        default: Calibration {
            slope: 1.0,
            intercept: 0.0,
        },
        desktop: None,
        ios: None,
        android: None,
    };

    /// Presentations whose chance of being bona fide is `truth` of their raw score, one class as
    /// frequent as the other.
    fn drawn(count: usize, truth: Calibration, device: Device) -> Vec<Sample> {
        let mut generator = fastrand::Rng::with_seed(7);
        let mut samples = Vec::new();
        for nth in 0..count {
            // Raw scores symmetric about the midpoint make both classes alike frequent.
            let raw = -truth.intercept / truth.slope + (generator.f64() - 0.5) * 8.0 / truth.slope;
            samples.push(Sample {
                raw,
                bona_fide: generator.f64() < truth.probability(raw),
                device,
                source: nth % 17,
            });
        }
        samples
    }

    fn platt(samples: &[Sample]) -> Calibration {
        fit(samples, &IDENTITY, &FitOptions::default())
            .unwrap()
            .default
    }

    #[test]
    fn the_calibration_that_labels_were_drawn_by_is_found_again() {
        let truth = Calibration {
            slope: 1.7,
            intercept: -0.8,
        };
        let found = platt(&drawn(20_000, truth, Device::Unknown));
        assert!((found.slope - 1.7).abs() < 0.1, "{found:?}");
        assert!((found.intercept + 0.8).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn a_temperature_scales_the_calibration_in_force_and_keeps_its_midpoint() {
        let truth = Calibration {
            slope: 0.5,
            intercept: 1.0,
        };
        let too_sure = Calibrations {
            default: Calibration {
                slope: 2.0,
                intercept: 4.0,
            },
            ..IDENTITY
        };
        let options = FitOptions {
            method: Method::Temperature,
            limit: None,
        };
        let samples = drawn(20_000, truth, Device::Unknown);
        let found = fit(&samples, &too_sure, &options).unwrap().default;
        assert!((found.slope - 0.5).abs() < 0.05, "{found:?}");
        assert!((found.intercept / found.slope - 2.0).abs() < 1e-9);
    }

    #[test]
    fn separated_classes_give_a_finite_calibration() {
        let sample = |nth: usize| Sample {
            raw: if nth.is_multiple_of(2) { 3.0 } else { -3.0 },
            bona_fide: nth.is_multiple_of(2),
            device: Device::Unknown,
            source: 0,
        };
        let found = platt(&(0..100).map(sample).collect::<Vec<_>>());
        // Platt's targets for 50 of each are 51/52 and 1/52.
        assert!((found.probability(3.0) - 51.0 / 52.0).abs() < 1e-6);
        assert!((found.probability(-3.0) - 1.0 / 52.0).abs() < 1e-6);
    }

    #[test]
    fn a_device_with_enough_presentations_gets_its_own_and_others_share_the_default() {
        let near = Calibration {
            slope: 2.0,
            intercept: 0.0,
        };
        let far = Calibration {
            slope: 2.0,
            intercept: 3.0,
        };
        let mut samples = drawn(2000, near, Device::Unknown);
        samples.extend(drawn(2000, far, Device::Android));
        samples.extend(drawn(10, far, Device::Ios));
        let found = fit(&samples, &IDENTITY, &FitOptions::default()).unwrap();
        assert!(found.android.unwrap().intercept > found.default.intercept);
        assert_eq!((found.ios, found.desktop), (None, None));
    }

    #[test]
    fn the_intercept_is_raised_until_few_enough_bona_fide_are_lost() {
        let truth = Calibration {
            slope: 1.0,
            intercept: 0.0,
        };
        let samples = drawn(5000, truth, Device::Unknown);
        let limit = BpcerLimit {
            bpcer: 0.05,
            threshold: 0.6,
        };
        let options = FitOptions {
            method: Method::Platt,
            limit: Some(limit),
        };
        let raised = fit(&samples, &IDENTITY, &options).unwrap().default;
        let fitted = platt(&samples);
        assert!(raised.intercept > fitted.intercept && raised.slope == fitted.slope);
        let bona_fide: Vec<&Sample> = samples.iter().filter(|sample| sample.bona_fide).collect();
        let lost = |sample: &&&Sample| raised.probability(sample.raw) <= 0.6;
        let lost = bona_fide.iter().filter(lost).count() as f64 / bona_fide.len() as f64;
        assert!((0.03..0.07).contains(&lost), "{lost}");
    }

    #[test]
    fn what_cannot_be_calibrated_is_refused() {
        let truth = Calibration {
            slope: 1.0,
            intercept: 0.0,
        };
        let options = FitOptions::default();
        let mut samples = drawn(2000, truth, Device::Unknown);
        let few = fit(&samples[..10], &IDENTITY, &options);
        assert!(matches!(few, Err(FitError::TooFew { .. })));
        for sample in &mut samples {
            sample.bona_fide = !sample.bona_fide;
        }
        assert_eq!(fit(&samples, &IDENTITY, &options), Err(FitError::Inverted));
    }

    #[test]
    fn cross_fitting_needs_other_sources_to_learn_from() {
        let truth = Calibration {
            slope: 1.0,
            intercept: 0.0,
        };
        let mut samples = drawn(2000, truth, Device::Unknown);
        let scores = cross_fitted(&samples, &IDENTITY, &FitOptions::default()).unwrap();
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
        for sample in &mut samples {
            sample.source = 3;
        }
        assert_eq!(
            cross_fitted(&samples, &IDENTITY, &FitOptions::default()),
            None
        );
    }
}
