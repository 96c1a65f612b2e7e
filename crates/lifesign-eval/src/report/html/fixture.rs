//! An evaluation to test the report with: two scorers, three species, two groups, unreadable
//! images. Scores are drawn, figures counted from them; intervals only have to look like some.

mod drawn;

use std::collections::BTreeMap;

use crate::evaluation::*;
use drawn::{Shown, counts, det, errors, estimate, shown};

pub(crate) use drawn::rate;

const SPECIES: [(&str, usize); 3] = [("print", 38), ("replay", 120), ("mask_paper", 64)];
const BONA_FIDE: usize = 290;
const GROUPS: [&str; 3] = ["", "kiosk", "phone"];

pub(crate) fn evaluation() -> Evaluation {
    let species = |(species, presentations): (&str, usize)| SpeciesCount {
        species: species.to_owned(),
        presentations,
    };
    Evaluation {
        schema: SCHEMA,
        made: Made {
            lifesign: "0.1.0".to_owned(),
            command: "lifesign evaluate faces.csv --where 'split=test' --weights \
                      models/minifasnet.onnx --threshold 0.5 --group-by device --html report.html"
                .to_owned(),
            at: "2026-11-23T17:00:00Z".to_owned(),
            seconds: 192.4,
            workers: 4,
        },
        data: Data {
            manifest: "faces.csv".to_owned(),
            manifest_sha256: "0f".repeat(32),
            conditions: vec!["split=test".to_owned()],
            bona_fide: BONA_FIDE,
            attacks: SPECIES.iter().map(|species| species.1).sum(),
            species: SPECIES.into_iter().map(species).collect(),
            sources: Some(71),
            subjects: None,
        },
        settings: Settings {
            confidence: 0.95,
            bootstrap: Bootstrap {
                unit: "source".to_owned(),
                units: 71,
                replicates: 1000,
                seed: 7,
            },
            non_response: NonResponseRule::Apart,
            group_by: Some("device".to_owned()),
        },
        unreadable: vec![Unreadable {
            line: 17,
            image: "frames/broken.jpg".to_owned(),
            reason: "the image file is damaged or incomplete".to_owned(),
        }],
        scorers: vec![
            scorer("lifesign engine", ScorerKind::Engine, 3.2, 1),
            scorer("MiniFASNetV2 alone", ScorerKind::Network, 1.6, 2),
        ],
        not_applicable: vec![NotApplicable {
            metric: "IAPAR",
            name: "Impostor attack presentation accept rate",
            why: "It is of a whole recognition system, and nobody is recognised here.",
        }],
    }
}

/// Of one image only.
pub(crate) fn thumbnails() -> BTreeMap<String, String> {
    let pixel =
        "data:image/gif;base64,R0lGODlhAQABAIAAAHCAkAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==";
    BTreeMap::from([("frames/attack-00.jpg".to_owned(), pixel.to_owned())])
}

fn scorer(name: &str, kind: ScorerKind, quality: f64, seed: u64) -> ScorerReport {
    let shown = shown(quality, seed);
    let bona_fide = |s: &Shown| s.species.is_none();
    let of = |nth: usize| move |s: &Shown| s.species == Some(nth);
    let by_species = |rate: &dyn Fn(usize) -> Rate| {
        let rates = SPECIES.iter().enumerate();
        let rates = rates.map(|(nth, (species, _))| SpeciesRate {
            species: (*species).to_owned(),
            rate: rate(nth),
        });
        rates.collect::<Vec<_>>()
    };
    let unscored = |which: &dyn Fn(&Shown) -> bool| {
        let of: Vec<&Shown> = shown.iter().filter(|s| which(s)).collect();
        rate(of.iter().filter(|s| s.score.is_none()).count(), of.len())
    };
    let point = |origin, threshold: f64| {
        let accepted = |which: &dyn Fn(&Shown) -> bool| errors(&shown, which, |s| s > threshold);
        let apcer = by_species(&|nth| accepted(&of(nth)));
        let pooled = accepted(&|s| s.species.is_some());
        let bpcer = errors(&shown, &bona_fide, |s| s <= threshold);
        let turned_away = bpcer.errors + unscored(&bona_fide).errors;
        let highest = |a: &&SpeciesRate, b: &&SpeciesRate| {
            let [a, b] = [a, b].map(|s| s.rate.value.unwrap_or_default());
            a.total_cmp(&b)
        };
        let apcer_max = apcer.iter().max_by(highest).cloned();
        let highest = apcer_max.as_ref().and_then(|highest| highest.rate.value);
        OperatingPoint {
            origin,
            threshold,
            acer: highest.zip(bpcer.value).map(|(a, b)| (a + b) / 2.0),
            apcer,
            apcer_max,
            apcer_pooled: pooled,
            bpcer,
            attacks_accepted: pooled,
            bona_fide_turned_away: rate(turned_away, BONA_FIDE),
        }
    };
    let det = det(&shown);
    let apart = |point: &DetPoint| (point.apcer - point.bpcer).abs();
    let equal = det.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)));
    let equal = equal.expect("there are scores");
    let d_eer = (equal.apcer + equal.bpcer) / 2.0;
    let operating_points = vec![
        point(ThresholdOrigin::Default, 0.6),
        point(ThresholdOrigin::Given, 0.5),
        point(ThresholdOrigin::DEer, equal.threshold.unwrap_or_default()),
    ];
    let limits = |best: &dyn Fn(&DetPoint, f64) -> Option<f64>| {
        let limits = [0.1, 0.05, 0.01].map(|limit| {
            let known = det
                .iter()
                .filter_map(|point| Some((best(point, limit)?, point)));
            let (value, point) = known.min_by(|a, b| a.0.total_cmp(&b.0)).expect("one end");
            AtLimit {
                limit,
                rate: estimate(value),
                threshold: point.threshold,
                worst_species: Some((1.6 * value).min(1.0)),
            }
        });
        limits.to_vec()
    };
    let worst = |class: &str, score: f64, step: f64| {
        let rows = (0..4).map(|nth| WorstRow {
            image: format!("frames/{class}-{nth:02}.jpg"),
            species: (class == "attack").then(|| "print".to_owned()),
            source: Some(format!("clip{nth}")),
            score: score + step * f64::from(nth),
        });
        rows.collect()
    };
    ScorerReport {
        scorer: ScorerInfo {
            name: name.to_owned(),
            kind,
            description: "Profile standard, threshold 0.6.".to_owned(),
            files: vec![FileInfo {
                name: "minifasnet.onnx".to_owned(),
                sha256: "5a".repeat(32),
            }],
        },
        bpnrr: unscored(&bona_fide),
        apnrr: by_species(&|nth| unscored(&of(nth))),
        non_responses: vec![NonResponseCount {
            reason: "no_face_detected".to_owned(),
            bona_fide: unscored(&bona_fide).errors,
            attacks: unscored(&|s| s.species.is_some()).errors,
        }],
        auc: estimate(1.0 - d_eer / 3.0),
        d_eer: estimate(d_eer),
        bpcer_at_apcer: limits(&|p, limit| (p.apcer <= limit).then_some(p.bpcer)),
        apcer_at_bpcer: limits(&|p, limit| (p.bpcer <= limit).then_some(p.apcer)),
        species: SPECIES
            .iter()
            .map(|&(species, presentations)| SpeciesFigures {
                species: species.to_owned(),
                presentations,
                auc: estimate(1.0 - d_eer / 2.0),
                d_eer: estimate(1.1 * d_eer),
            })
            .collect(),
        groups: Some(groups(&shown, &operating_points, d_eer)),
        thresholds: (1..20)
            .map(|nth| {
                let threshold = f64::from(nth) / 20.0;
                let point = point(ThresholdOrigin::Given, threshold);
                ThresholdRow {
                    threshold,
                    apcer_max: point.apcer_max.and_then(|max| max.rate.value),
                    apcer_pooled: point.apcer_pooled.value,
                    bpcer: point.bpcer.value,
                }
            })
            .collect(),
        operating_points,
        calibration: Some(calibration(&shown)),
        det,
        histogram: Some(Histogram {
            bona_fide: counts(&shown, &bona_fide),
            attacks: SPECIES
                .iter()
                .enumerate()
                .map(|(nth, (species, _))| SpeciesHistogram {
                    species: (*species).to_owned(),
                    counts: counts(&shown, &of(nth)),
                })
                .collect(),
        }),
        latency: Some(Latency {
            images: 512,
            p50: 61.2,
            p90: 74.9,
            p95: 88.0,
            p99: 140.3,
            max: 402.7,
        }),
        worst: Worst {
            attacks: worst("attack", 0.97, -0.02),
            bona_fide: worst("live", 0.000_021, 0.03),
        },
    }
}

fn groups(shown: &[Shown], points: &[OperatingPoint], d_eer: f64) -> Groups {
    let row = |(nth, group): (usize, &&str)| GroupRow {
        group: (*group).to_owned(),
        bpnrr: rate(nth, 97),
        apnrr: rate(1, 74),
        auc: (nth > 0).then_some(0.99 - 0.03 * nth as f64),
        d_eer: (nth > 0).then_some(d_eer * nth as f64),
        at: points
            .iter()
            .map(|point| GroupRates {
                threshold: point.threshold,
                apcer: errors(
                    shown,
                    &|s| nth > 0 && s.group == nth && s.species.is_some(),
                    |s| s > point.threshold,
                ),
                bpcer: errors(shown, &|s| s.group == nth && s.species.is_none(), |s| {
                    s <= point.threshold
                }),
            })
            .collect(),
    };
    Groups {
        by: "device".to_owned(),
        rows: GROUPS.iter().enumerate().map(row).collect(),
        macro_average: MacroAverage {
            groups_of_both: GROUPS.len() - 1,
            auc: estimate(0.95),
            d_eer: estimate(d_eer),
            at: points
                .iter()
                .map(|point| MacroRates {
                    threshold: point.threshold,
                    apcer: estimate(0.05),
                    bpcer: estimate(0.07),
                })
                .collect(),
        },
    }
}

fn calibration(shown: &[Shown]) -> CalibrationFigures {
    let bin = |nth: u32| {
        let (low, high) = (f64::from(nth) / 10.0, f64::from(nth + 1) / 10.0);
        let inside = |s: &&Shown| s.score.is_some_and(|s| (low..high).contains(&s));
        let inside: Vec<&Shown> = shown.iter().filter(inside).collect();
        let bona_fide = inside.iter().filter(|s| s.species.is_none()).count();
        let sum: f64 = inside.iter().filter_map(|s| s.score).sum();
        ReliabilityBin {
            low,
            high,
            presentations: inside.len(),
            mean_score: (!inside.is_empty()).then(|| sum / inside.len() as f64),
            bona_fide: rate(bona_fide, inside.len()),
        }
    };
    CalibrationFigures {
        bona_fide_share: 0.566,
        brier: 0.0312,
        ece: 0.0149,
        bins: (0..10).map(bin).collect(),
    }
}
