//! From a face box to a network's input. Training does the same with Pillow; the golden test in
//! `golden_test.rs` holds the two together.

use image::RgbImage;

use super::card::{Colour, CropRule, InputCard, ViewCard};
use crate::geometry::Rect;
use crate::network::{InferenceError, Tensor};
use crate::resample::{Square, resample};

/// The input of `view`'s network for the face at `face`.
pub(super) fn input(
    picture: &RgbImage,
    face: &Rect,
    view: &ViewCard,
) -> Result<Tensor, InferenceError> {
    let square = match view.crop.rule {
        CropRule::SquareInside => square_inside(face, view.crop.factor, picture.dimensions()),
    };
    let copy = resample(picture, Some(square), view.input.width, view.input.height)?;
    Ok(normalise(&copy, &view.input))
}

/// A square of `factor` times the longer side of `face` about its centre, reduced so that it fits
/// a picture of `(width, height)` pixels, then shifted inside it.
pub fn square_inside(face: &Rect, factor: f64, (width, height): (u32, u32)) -> Square {
    let (width, height) = (f64::from(width), f64::from(height));
    let longer = f64::from(face.width.max(face.height));
    let side = (factor * longer).max(1.0).min(width).min(height);
    let centre_x = f64::from(face.x) + f64::from(face.width) / 2.0;
    let centre_y = f64::from(face.y) + f64::from(face.height) / 2.0;
    Square {
        left: (centre_x - side / 2.0).clamp(0.0, width - side),
        top: (centre_y - side / 2.0).clamp(0.0, height - side),
        side,
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
        let values = rgb.iter().skip(source).step_by(3);
        data.extend(values.map(|&value| (f32::from(value) / 255.0 - mean) / std));
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

    #[test]
    fn a_crop_far_from_the_borders_is_centred_on_the_face() {
        let square = square_inside(&FACE, 1.5, (1000, 800));
        assert_eq!(
            square,
            Square {
                left: 260.0,
                top: 170.0,
                side: 180.0
            }
        );
    }

    #[test]
    fn a_crop_over_the_border_is_shifted_inside() {
        let face = Rect {
            x: -10.0,
            y: 700.0,
            ..FACE
        };
        let square = square_inside(&face, 1.5, (1000, 800));
        assert_eq!(
            square,
            Square {
                left: 0.0,
                top: 620.0,
                side: 180.0
            }
        );
    }

    #[test]
    fn a_crop_larger_than_the_picture_is_reduced_to_its_shorter_side() {
        let square = square_inside(&FACE, 20.0, (640, 480));
        assert_eq!(
            square,
            Square {
                left: 110.0,
                top: 0.0,
                side: 480.0
            }
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
        let square = square_inside(&face, 1.0, (64, 48));
        assert_eq!(
            square,
            Square {
                left: 63.0,
                top: 0.0,
                side: 1.0
            }
        );
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
