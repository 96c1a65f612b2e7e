//! Small copies of parts of a picture, of which the large parts come by way of a smaller copy of all of it.
//!
//! Shrinking 12 megapixels to a detector's or a network's input reads 36 MB of memory each time and multiplies
//! every pixel by a weight. So a large picture is read once, when that first pays: squares of its pixels become their mean,
//! and what is shrunk much further comes from there. Pillow does the same where it is given a `reducing_gap`, and calls
//! what comes of a gap of 3 nearly indistinguishable.

use std::cell::OnceCell;

use image::RgbImage;

use crate::network::InferenceError;
use crate::resample::{Filter, Part, resample};

/// A copy is used for what is at least so many times smaller than itself.
const GAP: u32 = 3;
/// From this longer side on, in pixels, squares of 4 are averaged: the detector's first look, 192 pixels, is then
/// small enough to come from the copy. Smaller pictures are quick to read as they are.
const LARGE: u32 = GAP * 4 * 192;
/// And from here on squares of 8.
const HUGE: u32 = 2 * LARGE;

/// A picture as detector, PAD views and measurements take it: made once for all that is to be known of it, so that a
/// large one is shrunk once.
pub struct Sampler<'a> {
    picture: &'a RgbImage,
    /// How many pixels become one, in both directions.
    factor: Option<u8>,
    reduced: OnceCell<RgbImage>,
}

impl<'a> Sampler<'a> {
    /// Of `picture`.
    pub fn new(picture: &'a RgbImage) -> Sampler<'a> {
        let factor = match picture.width().max(picture.height()) {
            HUGE.. => Some(8),
            LARGE.. => Some(4),
            _ => None,
        };
        Sampler {
            picture,
            factor,
            reduced: OnceCell::new(),
        }
    }

    /// Width and height of the picture, in pixels.
    pub fn dimensions(&self) -> (u32, u32) {
        self.picture.dimensions()
    }

    /// All of the picture, at `width` x `height`: interleaved RGB, row by row.
    pub(crate) fn whole(
        &self,
        filter: Filter,
        width: u32,
        height: u32,
    ) -> Result<Vec<u8>, InferenceError> {
        let (full_width, full_height) = self.dimensions();
        let part = Part {
            left: 0.0,
            top: 0.0,
            width: full_width.into(),
            height: full_height.into(),
        };
        self.part(part, filter, width, height)
    }

    /// A part of the picture, as [`Sampler::whole`].
    pub(crate) fn part(
        &self,
        part: Part,
        filter: Filter,
        width: u32,
        height: u32,
    ) -> Result<Vec<u8>, InferenceError> {
        if let (Some(factor), Filter::Antialias) = (self.factor, filter) {
            let reduced = part.divided(factor.into());
            let least = |side: u32| f64::from(GAP) * f64::from(side);
            if reduced.width >= least(width) && reduced.height >= least(height) {
                return resample(self.reduced(factor), reduced, filter, width, height);
            }
        }
        resample(self.picture, part, filter, width, height)
    }

    fn reduced(&self, factor: u8) -> &RgbImage {
        self.reduced.get_or_init(|| match factor {
            4 => reduce::<4>(self.picture),
            _ => reduce::<8>(self.picture),
        })
    }
}

/// As little is left of the copy as of the picture.
impl Drop for Sampler<'_> {
    fn drop(&mut self) {
        if let Some(copy) = self.reduced.get_mut() {
            copy.fill(0);
        }
    }
}

/// The picture with the rounded mean of each square of `N` x `N` pixels as one. At the right and the lower border
/// there may be less than a square. `N` is at most 16: sums are of 16 bits.
fn reduce<const N: usize>(picture: &RgbImage) -> RgbImage {
    let (width, height) = (
        picture.width().div_ceil(N as u32),
        picture.height().div_ceil(N as u32),
    );
    let row = 3 * picture.width() as usize;
    let mut copy = RgbImage::new(width, height);
    if row == 0 {
        return copy;
    }
    // Of `N` pixels below each other.
    let mut sums = vec![0; row];
    let strips = picture.as_raw().chunks(N * row);
    for (strip, out) in strips.zip(copy.chunks_exact_mut(3 * width as usize)) {
        let rows = strip.len() / row;
        add_up::<N>(strip, &mut sums);
        let (out, _) = out.as_chunks_mut();
        if rows == N {
            let whole = row / (3 * N);
            means::<N>(&sums, &mut out[..whole]);
            border::<N>(&sums[whole * 3 * N..], rows, &mut out[whole..]);
        } else {
            border::<N>(&sums, rows, out);
        }
    }
    copy
}

/// The sum of a strip's rows, column by column.
fn add_up<const N: usize>(strip: &[u8], sums: &mut [u16]) {
    /// So many sums stay in registers while the rows go by.
    const AT_ONCE: usize = 32;
    let row = sums.len();
    if strip.len() < N * row {
        sums.fill(0);
        for row in strip.chunks_exact(row) {
            for (sum, &sample) in sums.iter_mut().zip(row) {
                *sum += u16::from(sample);
            }
        }
        return;
    }
    let rows: [&[u8]; N] = std::array::from_fn(|nth| &strip[nth * row..][..row]);
    let (blocks, rest) = sums.as_chunks_mut::<AT_ONCE>();
    let rest_from = row - rest.len();
    for (nth, block) in blocks.iter_mut().enumerate() {
        let mut sum = [0; AT_ONCE];
        for row in rows {
            let samples = &row[nth * AT_ONCE..][..AT_ONCE];
            for (sum, &sample) in sum.iter_mut().zip(samples) {
                *sum += u16::from(sample);
            }
        }
        *block = sum;
    }
    for (column, sum) in (rest_from..).zip(rest) {
        *sum = rows.iter().map(|row| u16::from(row[column])).sum();
    }
}

/// Means of whole squares. That their size is known when this is compiled takes a quarter off the whole copy's time.
fn means<const N: usize>(sums: &[u16], out: &mut [[u8; 3]]) {
    for (out, square) in out.iter_mut().zip(sums.chunks_exact(3 * N)) {
        let mut sum = [0; 3];
        for x in 0..N {
            for channel in 0..3 {
                sum[channel] += square[3 * x + channel];
            }
        }
        let count = (N * N) as u32;
        *out = sum.map(|sum: u16| ((u32::from(sum) + count / 2) / count) as u8);
    }
}

/// Means of what may be less than a square: of as many `rows`.
fn border<const N: usize>(sums: &[u16], rows: usize, out: &mut [[u8; 3]]) {
    for (out, square) in out.iter_mut().zip(sums.chunks(3 * N)) {
        let (pixels, _) = square.as_chunks::<3>();
        let count = (rows * pixels.len()).max(1) as u32;
        *out = std::array::from_fn(|channel| {
            let sum: u32 = pixels.iter().map(|pixel| u32::from(pixel[channel])).sum();
            ((sum + count / 2) / count) as u8
        });
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use proptest::prelude::*;

    use super::*;

    fn noise(width: u32, height: u32) -> RgbImage {
        let mut state = 1_u32;
        RgbImage::from_fn(width, height, |_, _| {
            Rgb(std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            }))
        })
    }

    /// The definition, written out.
    fn means(picture: &RgbImage, side: u32) -> RgbImage {
        let (width, height) = picture.dimensions();
        RgbImage::from_fn(width.div_ceil(side), height.div_ceil(side), |x, y| {
            let columns = side * x..(side * x + side).min(width);
            let rows = side * y..(side * y + side).min(height);
            let count = columns.len() * rows.len();
            Rgb(std::array::from_fn(|channel| {
                let all = rows
                    .clone()
                    .flat_map(|y| columns.clone().map(move |x| (x, y)));
                let sum: usize = all
                    .map(|(x, y)| usize::from(picture[(x, y)][channel]))
                    .sum();
                ((sum + count / 2) / count) as u8
            }))
        })
    }

    proptest! {
        #[test]
        fn every_square_becomes_its_mean(width in 1_u32..70, height in 1_u32..40) {
            let picture = noise(width, height);
            prop_assert_eq!(reduce::<4>(&picture), means(&picture, 4));
            prop_assert_eq!(reduce::<8>(&picture), means(&picture, 8));
        }
    }

    #[test]
    fn the_brightest_picture_is_no_overflow() {
        let white = RgbImage::from_pixel(33, 17, Rgb([255; 3]));
        assert!(reduce::<8>(&white).iter().all(|&sample| sample == 255));
        assert!(reduce::<16>(&white).iter().all(|&sample| sample == 255));
    }

    #[test]
    fn what_is_shrunk_far_is_the_same_by_way_of_the_copy_within_two_levels() {
        for (width, height) in [(LARGE, 1731), (1731, HUGE + 3)] {
            // Waves of all lengths, and noise, as a photograph has them.
            let mut picture = noise(width, height);
            for (x, y, pixel) in picture.enumerate_pixels_mut() {
                let wave = ((x * x) as f32 / 9e5 + y as f32 / 77.0).sin() * 80.0 + 128.0;
                pixel.0 = pixel.0.map(|grain| (wave + f32::from(grain) / 8.0) as u8);
            }
            let sampler = Sampler::new(&picture);
            let part = Part {
                left: 11.3,
                top: 40.7,
                width: 1701.5,
                height: 1650.2,
            };
            let shrunk = sampler.part(part, Filter::Antialias, 60, 60).unwrap();
            assert!(sampler.reduced.get().is_some());
            let plain = resample(&picture, part, Filter::Antialias, 60, 60).unwrap();
            let most = shrunk
                .iter()
                .zip(&plain)
                .map(|(&one, &two)| one.abs_diff(two));
            assert!(most.max().unwrap() <= 2);
        }
    }

    #[test]
    fn what_is_hardly_shrunk_or_picked_comes_from_the_picture_itself() {
        let picture = noise(LARGE, 300);
        let sampler = Sampler::new(&picture);
        let part = Part {
            left: 20.0,
            top: 0.0,
            width: 300.0,
            height: 300.0,
        };
        for (filter, side) in [(Filter::Antialias, 30), (Filter::Plain, 10)] {
            let expected = resample(&picture, part, filter, side, side).unwrap();
            assert_eq!(sampler.part(part, filter, side, side).unwrap(), expected);
        }
        assert!(sampler.reduced.get().is_none());
    }
}
