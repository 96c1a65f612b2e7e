//! Antialiased bilinear resampling of a part of a picture: the filter widens when it shrinks, as
//! Pillow's does, which the training uses.

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use image::RgbImage;

use crate::network::InferenceError;

/// A square of a picture, in its pixels; not necessarily whole ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Square {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Both sides.
    pub side: f64,
}

/// All of `picture`, or the `part` of it, at `width` x `height`: interleaved RGB, row by row.
pub(crate) fn resample(
    picture: &RgbImage,
    part: Option<Square>,
    width: u32,
    height: u32,
) -> Result<Vec<u8>, InferenceError> {
    let mut options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    if let Some(Square { left, top, side }) = part {
        options = options.crop(left, top, side, side);
    }
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
        let part = Square {
            left: 2.0,
            top: 1.0,
            side: 3.0,
        };
        let copy = resample(&picture, Some(part), 3, 3).unwrap();
        let expected = image::imageops::crop_imm(&picture, 2, 1, 3, 3).to_image();
        assert_eq!(copy, expected.into_raw());
    }

    #[test]
    fn shrinking_averages_all_pixels_instead_of_picking_some() {
        // Stripes one pixel wide would alias to black or white when pixels were picked.
        let stripes = RgbImage::from_fn(64, 64, |x, _| image::Rgb([255 * (x % 2) as u8; 3]));
        let copy = resample(&stripes, None, 8, 8).unwrap();
        assert!(
            copy.iter().all(|value| (120..=135).contains(value)),
            "{copy:?}"
        );
    }
}
