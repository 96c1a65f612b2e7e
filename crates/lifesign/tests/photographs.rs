//! The whole engine on real photographs: `tests/images`, whose README states their origin.

use std::path::PathBuf;
use std::sync::LazyLock;

use lifesign::{AssessError, AssessOptions, Assessment, Engine, EngineConfig, Limits, Profile};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::load(&EngineConfig::default()).unwrap());

fn photograph(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/images")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn assess(name: &str, profile: Profile) -> Result<Assessment, AssessError> {
    ENGINE.assess(
        &photograph(name),
        &AssessOptions {
            profile,
            ..Default::default()
        },
    )
}

/// The rejection's code, or `score` when the photograph was judged.
fn code(name: &str, profile: Profile) -> &'static str {
    match assess(name, profile) {
        Ok(assessment) => {
            assert!(
                (0.0..=1.0).contains(&assessment.score),
                "{name}: {}",
                assessment.score
            );
            "score"
        }
        Err(AssessError::Rejected(why)) => why.code(),
        Err(AssessError::Inference(fault)) => panic!("{name}: {fault}"),
    }
}

#[test]
fn a_live_portrait_scores_higher_than_its_replay_on_a_screen() {
    let live = assess("live_portrait.jpg", Profile::Standard)
        .unwrap()
        .score;
    let spoof = assess("spoof_screen.jpg", Profile::Standard).unwrap().score;
    assert!(
        live > 0.6 && spoof < 0.6,
        "live {live:.4}, spoof {spoof:.4}"
    );
}

#[test]
fn a_portrait_is_judged_alike_in_every_format_and_orientation() {
    let jpeg = assess("live_portrait.jpg", Profile::Standard).unwrap();
    for name in ["live_portrait.webp", "live_portrait_exif6.jpg"] {
        let other = assess(name, Profile::Standard).unwrap();
        assert!(
            other.face.rect.iou(&jpeg.face.rect) > 0.95,
            "{name}: {:?}",
            other.face.rect
        );
        assert!(
            (other.score - jpeg.score).abs() < 0.1,
            "{name}: {} {}",
            other.score,
            jpeg.score
        );
    }
    assert_eq!(code("live_portrait.png", Profile::Standard), "score");
}

#[test]
fn the_face_is_found_where_it_is() {
    // Eileen Collins' face in the 512 x 512 portrait, by eye: 180..275 across, 65..180 down.
    let face = assess("live_portrait.jpg", Profile::Standard).unwrap().face;
    let seen = lifesign::geometry::Rect {
        x: 180.0,
        y: 65.0,
        width: 95.0,
        height: 115.0,
    };
    assert!(face.rect.iou(&seen) > 0.7, "{:?}", face.rect);
    let [left_eye, right_eye, ..] = face.landmarks;
    assert!(left_eye.x < right_eye.x);
}

#[test]
fn what_cannot_be_judged_is_rejected_for_its_reason() {
    for (name, expected) in [
        ("no_face.jpg", "ERR_NO_FACE_DETECTED"),
        ("two_faces.jpg", "ERR_MULTIPLE_FACES_DETECTED"),
        ("small_face.jpg", "ERR_LIVENESS_FACE_TOO_SMALL"),
        ("border_face.jpg", "ERR_LIVENESS_FACE_CLOSE_TO_BORDER"),
        ("make.py", "ERR_INVALID_IMAGE"),
    ] {
        assert_eq!(code(name, Profile::Standard), expected, "{name}");
    }
}

#[test]
fn a_preview_frame_is_described_whatever_a_photograph_would_be_refused_for() {
    for (name, people) in [
        ("live_portrait.jpg", 1),
        // Seen by the second look alone, which a preview does not wait for.
        ("small_face.jpg", 0),
        ("border_face.jpg", 1),
        ("two_faces.jpg", 2),
        ("no_face.jpg", 0),
    ] {
        let survey = ENGINE.survey(&photograph(name)).unwrap();
        assert_eq!(survey.people, people, "{name}");
        assert_eq!(survey.largest.is_some(), people > 0, "{name}");
    }
    let (face, quality) = ENGINE
        .survey(&photograph("live_portrait.jpg"))
        .unwrap()
        .largest
        .unwrap();
    let judged = assess("live_portrait.jpg", Profile::Standard).unwrap();
    assert_eq!(face, judged.face);
    assert_eq!(quality.face_width, face.rect.width);
    assert!(
        quality.yaw.abs() < 10.0 && quality.sharpness > 22.0,
        "{quality:?}"
    );
    assert!(matches!(
        ENGINE.survey(b"no picture"),
        Err(AssessError::Rejected(_))
    ));
}

#[test]
fn the_strict_profile_asks_for_the_hosted_services_capture_rules() {
    assert_eq!(code("strict_portrait.jpg", Profile::Strict), "score");
    assert_eq!(
        code("live_portrait.jpg", Profile::Strict),
        "ERR_LIVENESS_FACE_TOO_SMALL"
    );
}

#[test]
fn the_engine_gives_the_same_answer_from_many_threads() {
    let expected = assess("live_portrait.jpg", Profile::Standard).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert_eq!(
                    assess("live_portrait.jpg", Profile::Standard).unwrap(),
                    expected
                )
            });
        }
    });
}

#[test]
fn limits_of_the_configuration_are_kept() {
    let limits = Limits {
        max_pixels: 100_000,
        ..Limits::default()
    };
    let engine = Engine::load(&EngineConfig {
        limits,
        ..Default::default()
    })
    .unwrap();
    let outcome = engine.assess(&photograph("live_portrait.jpg"), &AssessOptions::default());
    assert!(
        matches!(outcome, Err(AssessError::Rejected(why)) if why.code() == "ERR_INVALID_IMAGE")
    );
}
