//! Our AUC, curve and Brier score beside scikit-learn's, on random data. Skips, saying so, where
//! Python or scikit-learn is not installed.

use std::io::Write;
use std::process::{Command, Stdio};

use lifesign_eval::metrics::{Curve, Sample, calibration};
use serde::Deserialize;

#[derive(Deserialize)]
struct Theirs {
    auc: f64,
    brier: f64,
    apcer: Vec<f64>,
    bpcer: Vec<f64>,
}

fn scikit_learn(samples: &[Sample]) -> Option<Theirs> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scikit_learn.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let lines: String = samples
        .iter()
        .map(|sample| format!("{} {}\n", u8::from(!sample.attack), sample.score))
        .collect();
    // Python without scikit-learn ends before it reads, with this exit code.
    let _ = python.stdin.take()?.write_all(lines.as_bytes());
    let output = python.wait_with_output().ok()?;
    match output.status.code() {
        Some(3) => None,
        Some(0) => Some(serde_json::from_slice(&output.stdout).unwrap()),
        other => panic!("{script} ended with {other:?}"),
    }
}

/// Scores of overlapping classes, in `steps` levels, so that few levels make many ties.
fn random(seed: u64, bona_fide: usize, attacks: usize, steps: f64) -> Vec<Sample> {
    let mut generator = fastrand::Rng::with_seed(seed);
    let mut sample = |attack: bool| {
        let shift = if attack { 0.0 } else { 0.25 };
        let score = (generator.f64() + generator.f64()) * 0.375 + shift;
        Sample {
            score: (score * steps).round() / steps,
            attack,
            unit: 0,
        }
    };
    let mut samples: Vec<Sample> = (0..bona_fide).map(|_| sample(false)).collect();
    samples.extend((0..attacks).map(|_| sample(true)));
    samples
}

#[test]
fn auc_curve_and_brier_score_are_those_of_scikit_learn() {
    for (seed, bona_fide, attacks, steps) in [
        (1, 500, 300, 1e6),
        (2, 40, 900, 25.0),
        (3, 7, 5, 4.0),
        (4, 1, 1, 2.0),
    ] {
        let samples = random(seed, bona_fide, attacks, steps);
        let Some(theirs) = scikit_learn(&samples) else {
            // Written past the test harness, which would keep it to itself.
            let _ = std::io::stderr()
                .write_all(b"skipped: python3 with scikit-learn is not installed\n");
            return;
        };
        let labelled: Vec<(f64, bool)> = samples
            .iter()
            .map(|sample| (sample.score, !sample.attack))
            .collect();
        let curve = Curve::new(samples);
        let ours = curve.figures().unwrap();
        assert!(
            (ours.auc - theirs.auc).abs() < 1e-12,
            "AUC {} and {}",
            ours.auc,
            theirs.auc
        );
        let brier = calibration::figures(&labelled).unwrap().brier;
        assert!((brier - theirs.brier).abs() < 1e-12);

        // Theirs runs from the highest threshold to the lowest.
        let points = curve.points().unwrap();
        assert_eq!(points.len(), theirs.apcer.len());
        for (nth, point) in points.iter().rev().enumerate() {
            assert!(
                (point.apcer - theirs.apcer[nth]).abs() < 1e-12,
                "APCER {nth}"
            );
            assert!(
                (point.bpcer - theirs.bpcer[nth]).abs() < 1e-12,
                "BPCER {nth}"
            );
        }
    }
}
