//! Holds the engine to the training: `models/pad/golden.json` says what PyTorch makes of a picture
//! given by a formula, and the training's own crops and resampling of it.
//!
//! Crops and pixels must be the same, logits and scores agree to 1e-4.

use std::collections::HashMap;

use image::{Rgb, RgbImage, imageops};
use serde::Deserialize;

use super::calibration::Device;
use super::{View, crop, live_logit};
use crate::geometry::Rect;
use crate::models::ModelSource;
use crate::sampler::Sampler;

#[derive(Deserialize)]
struct Golden {
    width: u32,
    height: u32,
    cases: Vec<Case>,
    corner_logits: HashMap<String, f64>,
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

/// What sums in another order may differ by.
const ROUNDING: f64 = 1e-4;

fn golden() -> Golden {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pad/golden.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn networks_and_normalisation_agree_with_pytorch_exactly() {
    let golden = golden();
    let (pad, ..) = ModelSource::new(None, None).unwrap().pad().unwrap();
    let picture = picture(golden.width, golden.height);
    assert_eq!(pad.views.len(), golden.corner_logits.len());
    for View {
        card: view,
        network,
    } in &pad.views
    {
        let card = &view.input;
        let corner = imageops::crop_imm(&picture, 0, 0, card.width, card.height).to_image();
        let outputs = network.run(crop::normalise(corner.as_raw(), card)).unwrap();
        let logit = live_logit(&outputs, view).unwrap();
        close(
            logit,
            golden.corner_logits[&view.name],
            ROUNDING,
            &format!("logit of {}", view.name),
        );
    }
}

#[test]
fn crops_and_scores_agree_with_the_training_exactly() {
    let golden = golden();
    let (pad, ..) = ModelSource::new(None, None).unwrap().pad().unwrap();
    let picture = picture(golden.width, golden.height);

    for case in &golden.cases {
        let [x, y, width, height] = case.face;
        let face = Rect {
            x,
            y,
            width,
            height,
        };
        for (
            View {
                card: view,
                network,
            },
            seen,
        ) in pad.views.iter().zip(&case.views)
        {
            let what = format!("view {} of the face at {face:?}", view.name);
            assert_eq!(view.name, seen.name);
            let square = crop::square_inside(&face, view.crop.factor, picture.dimensions());
            for (found, expected) in [
                (square.left, seen.crop[0]),
                (square.top, seen.crop[1]),
                (square.left + square.width, seen.crop[2]),
                (square.top + square.height, seen.crop[3]),
            ] {
                close(found, expected, 1e-3, &format!("crop, {what}"));
            }
            let input = crop::input(&Sampler::new(&picture), &face, view).unwrap();
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
            close(logit, seen.logit, ROUNDING, &format!("logit, {what}"));
        }
        let score = pad
            .score(&Sampler::new(&picture), &face, Device::Unknown)
            .unwrap();
        close(score.raw, case.raw, ROUNDING, "raw score");
        close(score.probability, case.score, ROUNDING, "score");
    }
}
