//! Bona fide frames score above attacks.

use lifesign::{AssessError, AssessOptions, Engine, EngineConfig};

use crate::{frames, judged, spread};

/// Frames of each class to judge: enough to notice a broken crop or colour order, which no single
/// picture shows, and few enough for every run of the tests.
const OF_EACH: usize = 40;

#[test]
fn bona_fide_frames_score_above_attacks_and_hardly_any_is_rejected() {
    let Some(all) = frames() else { return };
    let dev = |bona_fide| {
        all.iter()
            .filter(move |frame| frame.split == "dev" && frame.bona_fide == bona_fide)
    };
    let mut frames = spread(dev(true), OF_EACH);
    frames.extend(spread(dev(false), OF_EACH));
    let engine = Engine::load(&EngineConfig::default()).unwrap();
    let scores: Vec<(bool, f64)> = judged(&frames, |frame, bytes| {
        match engine.assess(bytes, &AssessOptions::default()) {
            Ok(assessment) => Some((frame.bona_fide, assessment.score)),
            Err(AssessError::Rejected(_)) => None,
            Err(AssessError::Inference(fault)) => panic!("{}: {fault}", frame.path.display()),
        }
    });

    let rejected = frames.len() - scores.len();
    assert!(
        rejected * 10 <= frames.len(),
        "{rejected} of {} frames rejected",
        frames.len()
    );
    let scores_of = |class| {
        scores
            .iter()
            .filter(move |(bona_fide, _)| *bona_fide == class)
    };
    let pairs =
        scores_of(true).flat_map(|live| scores_of(false).map(move |attack| (live.1, attack.1)));
    let (won, all) = pairs.fold((0.0, 0.0), |(won, all), (live, attack)| {
        let win = if live > attack {
            1.0
        } else if live == attack {
            0.5
        } else {
            0.0
        };
        (won + win, all + 1.0)
    });
    let auc: f64 = won / all;
    // The networks reach more (docs/accuracy.md); this is where something must be broken.
    assert!(auc > 0.9, "AUC {auc:.3} on {} frames", scores.len());
}
