//! Holds the engine to the training: `models/pad/golden.json` says what PyTorch, with Pillow's
//! crops, makes of a picture given by a formula; crops, inputs, logits and scores must agree.

use image::{Rgb, RgbImage};
use serde::Deserialize;

use super::calibration::Device;
use super::{crop, live_logit};
use crate::geometry::Rect;
use crate::models::ModelSource;

#[derive(Deserialize)]
struct Golden {
    width: u32,
    height: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "box")]
    face: [f32; 4],
    views: Vec<Seen>,
    raw: f64,
    score: f64,
}

#[derive(Deserialize)]
struct Seen {
    name: String,
    /// Left, top, right, bottom.
    crop: [f64; 4],
    input_first_8: [f32; 8],
    input_mean: f64,
    logit: f64,
}

/// The formula in the file's `formula`, spelled out.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(std::array::from_fn(|c| {
            let c = c as u32;
            let waves = x * (2 + c) / 5 + y * (4 - c) / 7;
            let checks = (x / 8 + y / 8) % 2 * 24;
            let texture = (x * 7 + y * 13 + c * 29) % 17;
            ((waves + checks + texture) % 256) as u8
        }))
    })
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found}, PyTorch says {expected}"
    );
}

#[test]
fn the_engine_scores_as_the_training_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pad/golden.json");
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (pad, _) = ModelSource::new(None).unwrap().pad().unwrap();
    let picture = picture(golden.width, golden.height);

    for case in &golden.cases {
        let [x, y, width, height] = case.face;
        let face = Rect {
            x,
            y,
            width,
            height,
        };
        for ((view, network), seen) in pad.views.iter().zip(&case.views) {
            let what = format!("view {} of the face at {face:?}", view.name);
            assert_eq!(view.name, seen.name);
            let square = crop::square_inside(&face, view.crop.factor, picture.dimensions());
            for (found, expected) in [
                (square.left, seen.crop[0]),
                (square.top, seen.crop[1]),
                (square.left + square.side, seen.crop[2]),
                (square.top + square.side, seen.crop[3]),
            ] {
                close(found, expected, 1e-3, &format!("crop, {what}"));
            }
            let input = crop::input(&picture, &face, view).unwrap();
            for (&found, expected) in input.data.iter().zip(seen.input_first_8) {
                close(
                    found.into(),
                    expected.into(),
                    1e-5,
                    &format!("input, {what}"),
                );
            }
            let sum: f64 = input.data.iter().map(|&value| f64::from(value)).sum();
            close(
                sum / input.data.len() as f64,
                seen.input_mean,
                1e-5,
                &format!("mean, {what}"),
            );
            let logit = live_logit(&network.run(input).unwrap(), view).unwrap();
            close(logit, seen.logit, 1e-4, &format!("logit, {what}"));
        }
        close(
            pad.raw_score(&picture, &face).unwrap(),
            case.raw,
            1e-4,
            "raw score",
        );
        close(
            pad.score(&picture, &face, Device::Unknown).unwrap(),
            case.score,
            1e-4,
            "score",
        );
    }
}
