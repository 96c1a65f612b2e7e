//! Bilinear resampling of a part of a picture.

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::network::InferenceError;

/// A part of a picture, in its pixels; not necessarily whole ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Extent to the right.
    pub width: f64,
    /// Extent downwards.
    pub height: f64,
}

impl Part {
    /// The same part of a picture that is `divisor` times smaller.
    pub(crate) fn divided(self, divisor: f64) -> Part {
        Part {
            left: self.left / divisor,
            top: self.top / divisor,
            width: self.width / divisor,
            height: self.height / divisor,
        }
    }
}

/// What bilinear resampling does where it shrinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// The filter widens, as Pillow's does: all pixels count.
    #[default]
    Antialias,
    /// The four nearest pixels count, as in OpenCV's `INTER_LINEAR`.
    Plain,
}

/// The `part` of `picture` at `width` x `height`: interleaved RGB, row by row.
pub(crate) fn resample(
    picture: &RgbImage,
    part: Part,
    filter: Filter,
    width: u32,
    height: u32,
) -> Result<Vec<u8>, InferenceError> {
    let algorithm = match filter {
        Filter::Antialias => ResizeAlg::Convolution(FilterType::Bilinear),
        Filter::Plain => ResizeAlg::Interpolation(FilterType::Bilinear),
    };
    let options = ResizeOptions::new().resize_alg(algorithm).crop(
        part.left,
        part.top,
        part.width,
        part.height,
    );
    let mut copy = Image::new(width, height, PixelType::U8x3);
    Resizer::new()
        .resize(picture, &mut copy, &options)
        .map_err(InferenceError::new)?;
    Ok(copy.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_at_its_own_size_is_the_part_itself() {
        let picture = RgbImage::from_fn(6, 5, |x, y| image::Rgb([x as u8 * 9, y as u8 * 7, 3]));
        let part = Part {
            left: 2.0,
            top: 1.0,
            width: 3.0,
            height: 2.0,
        };
        let expected = image::imageops::crop_imm(&picture, 2, 1, 3, 2).to_image();
        for filter in [Filter::Antialias, Filter::Plain] {
            let copy = resample(&picture, part, filter, 3, 2).unwrap();
            assert_eq!(copy, *expected.as_raw());
        }
    }

    const ALL: Part = Part {
        left: 0.0,
        top: 0.0,
        width: 64.0,
        height: 64.0,
    };

    #[test]
    fn shrinking_averages_all_pixels_unless_told_to_pick_the_nearest() {
        // Stripes one pixel wide would alias to black or white when pixels were picked.
        let stripes = RgbImage::from_fn(64, 64, |x, _| image::Rgb([255 * (x % 2) as u8; 3]));
        let copy = resample(&stripes, ALL, Filter::Antialias, 8, 8).unwrap();
        assert!(
            copy.iter().all(|value| (120..=135).contains(value)),
            "{copy:?}"
        );
        // White only where the output's pixels have their centres.
        let lines = RgbImage::from_fn(64, 64, |x, _| {
            image::Rgb([if matches!(x % 8, 3 | 4) { 255 } else { 0 }; 3])
        });
        let picked = resample(&lines, ALL, Filter::Plain, 8, 8).unwrap();
        assert!(picked.iter().all(|&value| value == 255), "{picked:?}");
        let averaged = resample(&lines, ALL, Filter::Antialias, 8, 8).unwrap();
        assert!(averaged.iter().all(|&value| value < 128), "{averaged:?}");
    }
}
