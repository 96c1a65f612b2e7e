//! All figures of one scorer.

use std::collections::BTreeMap;
use std::time::Duration;

use lifesign::DEFAULT_MIN_SCORE;

use super::rates::{non_response, operating_point, threshold_rows};
use super::{Cohort, Judged, groups};
use crate::evaluation::{
    AtLimit, DetPoint, Estimate, Histogram, Latency, NonResponseCount, OperatingPoint, ScorerInfo,
    ScorerReport, SpeciesFigures, SpeciesHistogram, SpeciesRate, ThresholdOrigin, Worst, WorstRow,
};
use crate::metrics::bootstrap::{estimate, percentile};
use crate::metrics::curve::{Point, RateAt};
use crate::metrics::{Curve, Figures, LIMITS, calibration};
use crate::scorer::Response;

/// Bins of the score histograms.
const BINS: usize = 20;
/// How many of the worst errors of each class are listed.
const WORST: usize = 20;

pub(super) fn report(
    cohort: &Cohort<'_>,
    info: &ScorerInfo,
    responses: &[Response],
    times: &[Duration],
) -> ScorerReport {
    let judged = &cohort.judge(responses)[..];
    let all = Read::new(cohort, judged, |_| true);
    let each_species: Vec<Read> = (0..cohort.species.len())
        .map(|nth| {
            Read::new(cohort, judged, |one| {
                one.species.is_none_or(|species| species == nth)
            })
        })
        .collect();
    let points = operating_points(cohort, judged, all.figures);
    let at_limits = |rate: fn(&Figures) -> &[RateAt; 3]| at_limits(&all, &each_species, rate);
    let species = cohort.species.iter().zip(&each_species);
    let probabilities: Vec<(f64, bool)> = judged
        .iter()
        .filter_map(|one| Some((one.given()?, !one.is_attack())))
        .collect();
    ScorerReport {
        scorer: info.clone(),
        bpnrr: non_response(judged, |one| !one.is_attack()),
        apnrr: (0..)
            .zip(cohort.species)
            .map(|(nth, species)| SpeciesRate {
                species: species.species.clone(),
                rate: non_response(judged, |one| one.species == Some(nth)),
            })
            .collect(),
        non_responses: non_responses(judged),
        auc: all.estimate(|figures| figures.auc),
        d_eer: all.estimate(|figures| figures.d_eer),
        bpcer_at_apcer: at_limits(|figures| &figures.bpcer_at_apcer),
        apcer_at_bpcer: at_limits(|figures| &figures.apcer_at_bpcer),
        species: species
            .map(|(species, read)| SpeciesFigures {
                species: species.species.clone(),
                presentations: species.presentations,
                auc: read.estimate(|figures| figures.auc),
                d_eer: read.estimate(|figures| figures.d_eer),
            })
            .collect(),
        groups: cohort
            .groups
            .map(|grouping| groups::table(cohort, grouping, judged, &points)),
        operating_points: points,
        thresholds: threshold_rows(cohort, judged),
        calibration: calibration::figures(&probabilities),
        det: det(&all.curve),
        histogram: histogram(cohort, judged),
        latency: latency(times),
        worst: Worst {
            attacks: worst(judged, true),
            bona_fide: worst(judged, false),
        },
    }
}

/// A curve, what is read off it, and off its bootstrap replicates.
struct Read {
    curve: Curve,
    figures: Option<Figures>,
    replicates: Vec<Figures>,
}

impl Read {
    fn new(cohort: &Cohort<'_>, judged: &[Judged<'_>], of: impl Fn(&Judged<'_>) -> bool) -> Read {
        let samples = judged.iter().filter(|one| of(one));
        let samples = samples.filter_map(Judged::sample);
        let curve = Curve::new(samples.collect());
        let replicates = cohort
            .draws
            .replicate(|weight| curve.weighted_figures(&weight));
        Read {
            figures: curve.figures(),
            curve,
            replicates,
        }
    }

    fn estimate(&self, figure: impl Fn(&Figures) -> f64) -> Estimate {
        let replicates = self.replicates.iter().map(&figure).collect();
        estimate(self.figures.as_ref().map(figure), replicates)
    }
}

fn at_limits(
    all: &Read,
    each_species: &[Read],
    rate: fn(&Figures) -> &[RateAt; 3],
) -> Vec<AtLimit> {
    let at = |(nth, limit): (usize, f64)| AtLimit {
        limit,
        rate: all.estimate(|figures| rate(figures)[nth].rate),
        threshold: all
            .figures
            .as_ref()
            .and_then(|figures| rate(figures)[nth].threshold),
        worst_species: each_species
            .iter()
            .filter_map(|read| Some(rate(read.figures.as_ref()?)[nth].rate))
            .max_by(f64::total_cmp),
    };
    LIMITS.into_iter().enumerate().map(at).collect()
}

fn operating_points(
    cohort: &Cohort<'_>,
    judged: &[Judged<'_>],
    figures: Option<Figures>,
) -> Vec<OperatingPoint> {
    let mut thresholds = vec![(ThresholdOrigin::Default, DEFAULT_MIN_SCORE)];
    for &given in &cohort.options.thresholds {
        if thresholds.iter().all(|&(_, threshold)| threshold != given) {
            thresholds.push((ThresholdOrigin::Given, given));
        }
    }
    let d_eer = figures.and_then(|figures| figures.d_eer_threshold);
    thresholds.extend(d_eer.map(|threshold| (ThresholdOrigin::DEer, threshold)));
    let thresholds = thresholds.into_iter();
    thresholds
        .map(|(origin, threshold)| operating_point(cohort, judged, origin, threshold))
        .collect()
}

fn non_responses(judged: &[Judged<'_>]) -> Vec<NonResponseCount> {
    let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for one in judged {
        if let Response::NonResponse { reason } = one.response {
            counts.entry(reason).or_default()[usize::from(one.is_attack())] += 1;
        }
    }
    let counts = counts.into_iter();
    counts
        .map(|(reason, [bona_fide, attacks])| NonResponseCount {
            reason: reason.to_owned(),
            bona_fide,
            attacks,
        })
        .collect()
}

/// The curve without the points that lie on a straight line between their neighbours.
fn det(curve: &Curve) -> Vec<DetPoint> {
    let points = curve.points().unwrap_or_default();
    let on_a_line = |nth: usize| {
        let around = nth
            .checked_sub(1)
            .and_then(|before| points.get(before..=nth + 1));
        around.is_some_and(|around| {
            let same = |value: fn(&Point) -> f64| {
                around.iter().all(|point| value(point) == value(&around[0]))
            };
            same(|point| point.apcer) || same(|point| point.bpcer)
        })
    };
    let corners = (0..points.len()).filter(|&nth| !on_a_line(nth));
    corners
        .map(|nth| DetPoint {
            threshold: points[nth].threshold,
            apcer: points[nth].apcer,
            bpcer: points[nth].bpcer,
        })
        .collect()
}

fn histogram(cohort: &Cohort<'_>, judged: &[Judged<'_>]) -> Option<Histogram> {
    let mut bona_fide = vec![0; BINS];
    let mut attacks = vec![vec![0; BINS]; cohort.species.len()];
    for one in judged {
        let Some(score) = one.given() else { continue };
        if !(0.0..=1.0).contains(&score) {
            return None;
        }
        let counts = one.species.map_or(&mut bona_fide, |nth| &mut attacks[nth]);
        counts[calibration::bin_of(score, BINS)] += 1;
    }
    let attacks = cohort.species.iter().zip(attacks);
    Some(Histogram {
        bona_fide,
        attacks: attacks
            .map(|(species, counts)| SpeciesHistogram {
                species: species.species.clone(),
                counts,
            })
            .collect(),
    })
}

fn latency(times: &[Duration]) -> Option<Latency> {
    let mut times: Vec<f64> = times.iter().map(|took| took.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let max = *times.last()?;
    Some(Latency {
        images: times.len(),
        p50: percentile(&times, 0.50),
        p90: percentile(&times, 0.90),
        p95: percentile(&times, 0.95),
        p99: percentile(&times, 0.99),
        max,
    })
}

fn worst(judged: &[Judged<'_>], attacks: bool) -> Vec<WorstRow> {
    let of_class = judged.iter().filter(|one| one.is_attack() == attacks);
    let mut scored: Vec<(f64, &Judged<'_>)> = of_class
        .filter_map(|one| Some((one.given()?, one)))
        .collect();
    scored.sort_by(|(a, _), (b, _)| {
        if attacks {
            b.total_cmp(a)
        } else {
            a.total_cmp(b)
        }
    });
    let worst = scored.into_iter().take(WORST);
    worst
        .map(|(score, one)| WorstRow {
            image: one.row.image.clone(),
            species: one.row.label.species().map(str::to_owned),
            source: one.row.source.clone(),
            score,
        })
        .collect()
}
