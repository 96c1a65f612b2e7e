//! From a face box to a network's input. Training does the same with Pillow; the golden test in
//! `golden_test.rs` holds the two together.

use super::card::{Colour, CropRule, InputCard, ViewCard};
use crate::geometry::Rect;
use crate::network::{InferenceError, Tensor};
use crate::resample::Part;
use crate::sampler::Sampler;

/// The input of `view`'s network for the face at `face`.
pub(super) fn input(
    picture: &Sampler<'_>,
    face: &Rect,
    view: &ViewCard,
) -> Result<Tensor, InferenceError> {
    let crop = &view.crop;
    let part = match crop.rule {
        CropRule::SquareInside => square_inside(face, crop.factor, picture.dimensions()),
        CropRule::BoxInside => box_inside(face, crop.factor, picture.dimensions()),
    };
    let (width, height) = (view.input.width, view.input.height);
    let copy = picture.part(part, crop.resample, width, height)?;
    Ok(normalise(&copy, &view.input))
}

/// A square of `factor` times the longer side of `face` about its centre, reduced so that it fits
/// a picture of `(width, height)` pixels, then shifted inside it.
pub fn square_inside(face: &Rect, factor: f64, (width, height): (u32, u32)) -> Part {
    let longer = f64::from(face.width.max(face.height));
    let side = (factor * longer)
        .max(1.0)
        .min(f64::from(width))
        .min(f64::from(height));
    shifted_inside(face, (side, side), (width, height))
}

/// `face` enlarged by `factor` about its centre, reduced, keeping its aspect, so that it fits a
/// picture of `(width, height)` pixels, then shifted inside it.
pub fn box_inside(face: &Rect, factor: f64, (width, height): (u32, u32)) -> Part {
    let face_width = f64::from(face.width.max(1.0));
    let face_height = f64::from(face.height.max(1.0));
    let factor = factor
        .max(1.0 / face_width.min(face_height))
        .min(f64::from(width) / face_width)
        .min(f64::from(height) / face_height);
    // What was divided and multiplied again may be larger by a rounding error, and the resampler
    // takes no part that reaches outside.
    let size = (
        (factor * face_width).min(f64::from(width)),
        (factor * face_height).min(f64::from(height)),
    );
    shifted_inside(face, size, (width, height))
}

/// A part of `size` about the centre of `face`, shifted inside the picture.
fn shifted_inside(face: &Rect, size: (f64, f64), picture: (u32, u32)) -> Part {
    let (width, height) = size;
    let centre_x = f64::from(face.x) + f64::from(face.width) / 2.0;
    let centre_y = f64::from(face.y) + f64::from(face.height) / 2.0;
    let last_left = (f64::from(picture.0) - width).max(0.0);
    let last_top = (f64::from(picture.1) - height).max(0.0);
    Part {
        left: (centre_x - width / 2.0).clamp(0.0, last_left),
        top: (centre_y - height / 2.0).clamp(0.0, last_top),
        width,
        height,
    }
}

/// Interleaved RGB bytes to normalised planes in the card's colour order.
pub(super) fn normalise(rgb: &[u8], card: &InputCard) -> Tensor {
    let plane = (card.width * card.height) as usize;
    let mut data = Vec::with_capacity(3 * plane);
    for channel in 0..3 {
        let source = match card.colour {
            Colour::Rgb => channel,
            Colour::Bgr => 2 - channel,
        };
        let (mean, std) = (card.mean[channel], card.std[channel]);
        // There are fewer values than pixels to divide.
        let normalised: [f32; 256] =
            std::array::from_fn(|value| (value as f32 / 255.0 - mean) / std);
        let (pixels, _) = rgb.as_chunks::<3>();
        data.extend(
            pixels
                .iter()
                .map(|pixel| normalised[usize::from(pixel[source])]),
        );
    }
    Tensor {
        shape: card.shape(),
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: Rect = Rect {
        x: 300.0,
        y: 200.0,
        width: 100.0,
        height: 120.0,
    };

    fn square(left: f64, top: f64, side: f64) -> Part {
        Part {
            left,
            top,
            width: side,
            height: side,
        }
    }

    #[test]
    fn a_crop_far_from_the_borders_is_centred_on_the_face() {
        assert_eq!(
            square_inside(&FACE, 1.5, (1000, 800)),
            square(260.0, 170.0, 180.0)
        );
    }

    #[test]
    fn a_crop_over_the_border_is_shifted_inside() {
        let face = Rect {
            x: -10.0,
            y: 700.0,
            ..FACE
        };
        assert_eq!(
            square_inside(&face, 1.5, (1000, 800)),
            square(0.0, 620.0, 180.0)
        );
    }

    #[test]
    fn a_crop_larger_than_the_picture_is_reduced_to_its_shorter_side() {
        assert_eq!(
            square_inside(&FACE, 20.0, (640, 480)),
            square(110.0, 0.0, 480.0)
        );
    }

    #[test]
    fn a_crop_of_a_face_outside_the_picture_still_lies_inside_it() {
        let face = Rect {
            x: 5000.0,
            y: -900.0,
            width: 0.1,
            height: 0.1,
        };
        assert_eq!(square_inside(&face, 1.0, (64, 48)), square(63.0, 0.0, 1.0));
    }

    #[test]
    fn a_box_crop_keeps_the_faces_aspect_and_is_reduced_and_shifted_inside() {
        let crop = |factor, picture| box_inside(&FACE, factor, picture);
        let inside = Part {
            left: 250.0,
            top: 140.0,
            width: 200.0,
            height: 240.0,
        };
        assert_eq!(crop(2.0, (1000, 800)), inside);
        let reduced = Part {
            left: 150.0,
            top: 0.0,
            width: 400.0,
            height: 480.0,
        };
        assert_eq!(crop(20.0, (640, 480)), reduced);
        let shifted = Part {
            top: 60.0,
            ..inside
        };
        assert_eq!(crop(2.0, (1000, 300)), shifted);
    }

    #[test]
    fn a_box_crop_of_any_box_lies_inside_the_picture() {
        for (x, y, width, height) in [
            (5000.0, -900.0, 0.1, 0.1),
            (0.0, 0.0, 1e6, 3.0),
            (10.0, 10.0, 0.0, 0.0),
            (3.0, 2.0, 27.7, 41.9),
        ] {
            let face = Rect {
                x,
                y,
                width,
                height,
            };
            for factor in [1e-9, 1.0, 1e9] {
                let part = box_inside(&face, factor, (64, 48));
                assert!(part.left >= 0.0 && part.top >= 0.0, "{part:?}");
                assert!(part.width > 0.0 && part.left + part.width <= 64.0);
                assert!(part.height > 0.0 && part.top + part.height <= 48.0);
            }
        }
    }

    #[test]
    fn planes_follow_the_cards_colour_order_and_normalisation() {
        let mut card = InputCard {
            width: 2,
            height: 1,
            colour: Colour::Rgb,
            mean: [0.0, 0.5, 1.0],
            std: [1.0, 0.5, 1.0],
        };
        let rgb = [255, 0, 51, 0, 255, 102];
        assert_eq!(
            normalise(&rgb, &card).data,
            [1.0, 0.0, -1.0, 1.0, -0.8, -0.6]
        );
        card.colour = Colour::Bgr;
        assert_eq!(
            normalise(&rgb, &card).data,
            [0.2, 0.4, -1.0, 1.0, 0.0, -1.0]
        );
    }
}
