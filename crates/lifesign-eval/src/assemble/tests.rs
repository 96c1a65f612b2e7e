//! Small cases worked by hand, and properties of all cases.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::evaluation::{Evaluation, ScorerKind, ScorerReport, ThresholdOrigin};

/// An evaluation of `rows` (label, species, source, score), no score being a non-response.
fn evaluate(rows: &[(bool, &str, &str, Option<f64>)], options: &Options) -> Evaluation {
    let mut csv = "image,label,pai_species,source\n".to_owned();
    for (nth, (attack, species, source, _)) in rows.iter().enumerate() {
        let (label, species) = if *attack {
            ("attack", *species)
        } else {
            ("bona_fide", "")
        };
        csv.push_str(&format!("{nth}.jpg,{label},{species},{source}\n"));
    }
    let manifest = Manifest::parse(csv.as_bytes()).unwrap();
    let response = |score: &Option<f64>| match *score {
        Some(score) => Response::Score { score, raw: None },
        None => Response::NonResponse {
            reason: "no_face_detected".to_owned(),
        },
    };
    let scored = Scored {
        rows: manifest.rows.clone(),
        responses: vec![rows.iter().map(|row| response(&row.3)).collect()],
        times: vec![Vec::new()],
        unreadable: Vec::new(),
        took: Duration::ZERO,
    };
    let info = ScorerInfo {
        name: "scores".to_owned(),
        kind: ScorerKind::Scores,
        description: String::new(),
        files: Vec::new(),
    };
    let made = Made {
        lifesign: String::new(),
        command: String::new(),
        at: String::new(),
        seconds: 0.0,
        workers: 1,
    };
    assemble(
        &manifest,
        &Origin::default(),
        &scored,
        &[&info],
        options,
        made,
    )
    .unwrap()
}

/// Four bona fide, three prints, three screens, of two sources; one of each class without a score.
const BY_HAND: [(bool, &str, &str, Option<f64>); 10] = [
    (false, "", "a", Some(0.9)),
    (false, "", "a", Some(0.5)),
    (false, "", "b", Some(0.7)),
    (false, "", "b", None),
    (true, "print", "a", Some(0.8)),
    (true, "print", "a", Some(0.2)),
    (true, "print", "b", None),
    (true, "screen", "a", Some(0.1)),
    (true, "screen", "b", Some(0.6)),
    (true, "screen", "b", Some(0.3)),
];

fn grouped() -> Options {
    Options {
        group: Some("source".to_owned()),
        ..Options::default()
    }
}

fn counts(rate: &crate::evaluation::Rate) -> (usize, usize) {
    (rate.errors, rate.presentations)
}

#[test]
fn rates_at_the_default_threshold_by_hand() {
    let evaluation = evaluate(&BY_HAND, &grouped());
    let report = &evaluation.scorers[0];
    let point = &report.operating_points[0];
    assert_eq!(
        (point.origin, point.threshold),
        (ThresholdOrigin::Default, 0.6)
    );
    // Of the prints with a score 0.8 passes; of the screens none: 0.6 is not above 0.6.
    assert_eq!(counts(&point.apcer[0].rate), (1, 2));
    assert_eq!(counts(&point.apcer[1].rate), (0, 3));
    assert_eq!(point.apcer_max.as_ref().unwrap().species, "print");
    assert_eq!(counts(&point.apcer_pooled), (1, 5));
    assert_eq!(counts(&point.bpcer), (1, 3));
    assert_eq!(point.acer, Some((0.5 + 1.0 / 3.0) / 2.0));
    // Non-responses are rates of their own, and turn people away all the same.
    assert_eq!(counts(&report.bpnrr), (1, 4));
    assert_eq!(counts(&report.apnrr[0].rate), (1, 3));
    assert_eq!(counts(&report.apnrr[1].rate), (0, 3));
    assert_eq!(counts(&point.attacks_accepted), (1, 6));
    assert_eq!(counts(&point.bona_fide_turned_away), (2, 4));
    assert_eq!(report.non_responses[0].reason, "no_face_detected");
    assert_eq!(
        (
            report.non_responses[0].bona_fide,
            report.non_responses[0].attacks
        ),
        (1, 1)
    );
}

#[test]
fn groups_and_their_means_by_hand() {
    let evaluation = evaluate(&BY_HAND, &grouped());
    let groups = evaluation.scorers[0].groups.as_ref().unwrap();
    let [a, b] = &groups.rows[..] else {
        panic!("{groups:?}")
    };
    // Source a: 0.9 and 0.5 against 0.8, 0.2, 0.1. Source b: 0.7 against 0.6 and 0.3.
    assert_eq!((a.auc, b.auc), (Some(5.0 / 6.0), Some(1.0)));
    assert_eq!(counts(&a.at[0].apcer), (1, 3));
    assert_eq!(counts(&b.at[0].bpcer), (0, 1));
    assert_eq!(counts(&b.bpnrr), (1, 2));
    assert_eq!(counts(&b.apnrr), (1, 3));
    let mean = groups.macro_average.at[0].apcer.value.unwrap();
    assert!((mean - (1.0 / 3.0 + 0.0) / 2.0).abs() < 1e-12);
    assert_eq!(groups.macro_average.groups_of_both, 2);
}

#[test]
fn a_non_response_that_counts_as_an_attack_is_below_every_threshold() {
    let options = Options {
        non_response: NonResponseRule::Attack,
        ..Options::default()
    };
    let evaluation = evaluate(&BY_HAND, &options);
    let report = &evaluation.scorers[0];
    let point = &report.operating_points[0];
    assert_eq!(counts(&point.apcer_pooled), (1, 6));
    assert_eq!(counts(&point.bpcer), (2, 4));
    // Non-response rates stay what they are.
    assert_eq!(counts(&report.bpnrr), (1, 4));
    assert_eq!(
        report.calibration.as_ref().map(|figures| figures
            .bins
            .iter()
            .map(|bin| bin.presentations)
            .sum()),
        Some(8)
    );
}

#[test]
fn tables_list_thresholds_and_the_worst_errors_first() {
    let evaluation = evaluate(&BY_HAND, &Options::default());
    let report = &evaluation.scorers[0];
    let thresholds: Vec<f64> = report.thresholds.iter().map(|row| row.threshold).collect();
    assert_eq!(
        (thresholds.len(), thresholds[0], thresholds[18]),
        (19, 0.05, 0.95)
    );
    assert_eq!(report.worst.attacks[0].image, "4.jpg");
    assert_eq!(report.worst.bona_fide[0].image, "1.jpg");
    let histogram = report.histogram.as_ref().unwrap();
    assert_eq!(histogram.bona_fide.iter().sum::<usize>(), 3);
    assert_eq!(histogram.attacks[1].counts.iter().sum::<usize>(), 3);
    assert!(report.groups.is_none() && report.latency.is_none());
}

#[test]
fn a_given_threshold_is_an_operating_point_unless_it_is_the_default() {
    let options = Options {
        thresholds: vec![0.25, 0.6],
        ..Options::default()
    };
    let evaluation = evaluate(&BY_HAND, &options);
    let points = evaluation.scorers[0].operating_points.iter();
    let origins: Vec<_> = points
        .map(|point| (point.origin, point.threshold))
        .collect();
    assert_eq!(
        origins[..2],
        [
            (ThresholdOrigin::Default, 0.6),
            (ThresholdOrigin::Given, 0.25)
        ]
    );
    assert_eq!(origins[2].0, ThresholdOrigin::DEer);
}

#[test]
fn a_class_that_is_missing_leaves_its_figures_empty() {
    let evaluation = evaluate(
        &[(false, "", "a", Some(0.9)), (false, "", "b", None)],
        &grouped(),
    );
    let report = &evaluation.scorers[0];
    assert_eq!((report.auc.value, report.d_eer.value), (None, None));
    assert_eq!(report.operating_points.len(), 1);
    assert_eq!(report.operating_points[0].apcer_max, None);
    assert_eq!(report.operating_points[0].acer, None);
    assert!(report.det.is_empty());
}

#[test]
fn scores_that_are_no_probabilities_have_neither_histogram_nor_calibration() {
    let rows = [
        (false, "", "a", Some(7.0)),
        (true, "print", "a", Some(-3.0)),
    ];
    let report = &evaluate(&rows, &Options::default()).scorers[0];
    assert!(report.histogram.is_none() && report.calibration.is_none());
    assert_eq!(report.auc.value, Some(1.0));
}

/// Presentations of two classes, two species, four sources; scores with ties; some without.
fn presentations() -> impl Strategy<Value = Vec<(bool, &'static str, &'static str, Option<f64>)>> {
    let score = prop::option::weighted(0.9, (0..=20u8).prop_map(|score| f64::from(score) / 20.0));
    let one = (
        any::<bool>(),
        prop::sample::select(vec!["print", "screen"]),
        prop::sample::select(vec!["a", "b", "c", "d"]),
        score,
    );
    prop::collection::vec(one, 1..60)
}

fn rates(report: &ScorerReport) -> Vec<crate::evaluation::Rate> {
    let points = report.operating_points.iter().flat_map(|point| {
        let species = point.apcer.iter().map(|species| species.rate);
        species.chain([
            point.apcer_pooled,
            point.bpcer,
            point.attacks_accepted,
            point.bona_fide_turned_away,
        ])
    });
    points.chain([report.bpnrr]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_rate_lies_between_0_and_1_inside_its_interval(rows in presentations()) {
        let evaluation = evaluate(&rows, &grouped());
        let report = &evaluation.scorers[0];
        for rate in rates(report) {
            if let (Some(value), Some(low), Some(high)) = (rate.value, rate.low, rate.high) {
                prop_assert!(0.0 <= low && low <= value && value <= high && high <= 1.0, "{rate:?}");
            }
        }
        for estimate in [report.auc, report.d_eer] {
            for value in [estimate.value, estimate.low, estimate.high].into_iter().flatten() {
                prop_assert!((-1e-12..=1.0 + 1e-12).contains(&value), "{estimate:?}");
            }
        }
    }

    #[test]
    fn apcer_falls_and_bpcer_rises_with_the_threshold(rows in presentations()) {
        let evaluation = evaluate(&rows, &Options::default());
        let report = &evaluation.scorers[0];
        for pair in report.thresholds.windows(2) {
            prop_assert!(pair[0].apcer_max >= pair[1].apcer_max);
            prop_assert!(pair[0].apcer_pooled >= pair[1].apcer_pooled);
            prop_assert!(pair[0].bpcer <= pair[1].bpcer);
        }
        for pair in report.det.windows(2) {
            prop_assert!(pair[0].apcer >= pair[1].apcer && pair[0].bpcer <= pair[1].bpcer);
        }
        for at in [&report.bpcer_at_apcer, &report.apcer_at_bpcer] {
            prop_assert!(at.windows(2).all(|pair| pair[0].rate.value <= pair[1].rate.value));
        }
    }

    #[test]
    fn an_at_figure_is_what_its_threshold_gives(rows in presentations()) {
        let first = evaluate(&rows, &Options::default());
        let thresholds: Vec<f64> = first.scorers[0].bpcer_at_apcer.iter().filter_map(|at| at.threshold).collect();
        let again = evaluate(&rows, &Options { thresholds, ..Options::default() });
        for at in &first.scorers[0].bpcer_at_apcer {
            let points = &again.scorers[0].operating_points;
            let point = points.iter().find(|point| Some(point.threshold) == at.threshold);
            if let Some(point) = point {
                prop_assert_eq!(point.bpcer.value, at.rate.value);
                prop_assert!(point.apcer_pooled.value.unwrap() <= at.limit);
            }
        }
    }

    #[test]
    fn figures_do_not_depend_on_the_order_of_rows(
        (rows, shuffled) in presentations().prop_flat_map(|rows| {
            (Just(rows.clone()), Just(rows).prop_shuffle())
        })
    ) {
        let report = |rows: &[_]| {
            let mut report = evaluate(rows, &grouped()).scorers.remove(0);
            // Images are named by their position here.
            report.worst.attacks.clear();
            report.worst.bona_fide.clear();
            report
        };
        let (first, second) = (report(&rows), report(&shuffled));
        // Sums of floats differ in their last digits.
        let near = |a: Option<f64>, b: Option<f64>| a.zip(b).is_none_or(|(a, b)| (a - b).abs() < 1e-9);
        let calibrations = first.calibration.iter().zip(&second.calibration);
        for (a, b) in calibrations {
            prop_assert!(near(Some(a.brier), Some(b.brier)) && near(Some(a.ece), Some(b.ece)));
        }
        let rest = |report: &ScorerReport| ScorerReport { calibration: None, ..report.clone() };
        prop_assert_eq!(rest(&first), rest(&second));
    }
}
