//! Whether two photographs show the same capture: a perceptual hash of the face and a little around
//! it. It knows a copy that was compressed, brightened, scaled or noised, so that whoever probes a
//! score with small changes to one photograph can be seen doing it; it does not know a person.

use crate::geometry::Rect;
use crate::network::InferenceError;
use crate::pad::crop::square_inside;
use crate::resample::Filter;
use crate::sampler::Sampler;

/// Comparisons in a row, and rows.
const SIDE: usize = 16;
/// Side of the square that is compared, in longer sides of the face box.
const AROUND: f64 = 1.5;
/// Most bits in which captures that are alike differ. Of 902 altered copies of web portraits
/// (compressed, scaled, cut, noised, brightened) 98 % are that close to their original, of 18,915
/// pairs of such portraits, nearly all of different people, two are: `tests/pad_data/likeness.rs`.
const ALIKE: u32 = 40;

/// The difference hash (Krawetz, 2013) of a capture: 256 bits, each of which says whether the luma
/// grows from one cell to its right neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likeness([u64; 4]);

impl Likeness {
    /// The likeness of the capture of `face`, its box in `picture`.
    ///
    /// # Errors
    /// The face lies outside the picture, which no checked face does.
    pub fn of(picture: &Sampler<'_>, face: &Rect) -> Result<Likeness, InferenceError> {
        let part = square_inside(face, AROUND, picture.dimensions());
        let (width, height) = (SIDE as u32 + 1, SIDE as u32);
        let copy = picture.part(part, Filter::Antialias, width, height)?;
        // ITU-R BT.601, in thousandths.
        let luma = |&[red, green, blue]: &[u8; 3]| {
            299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue)
        };
        let cells: Vec<u32> = copy.as_chunks().0.iter().map(luma).collect();
        let grows = cells
            .chunks(SIDE + 1)
            .flat_map(|row| row.windows(2).map(|pair| pair[1] > pair[0]));
        let mut bits = [0; 4];
        for (at, grows) in grows.enumerate() {
            bits[at / 64] |= u64::from(grows) << (at % 64);
        }
        Ok(Likeness(bits))
    }

    /// The likeness with these bits, for tests and whoever kept some.
    pub fn from_bits(bits: [u64; 4]) -> Likeness {
        Likeness(bits)
    }

    /// In how many of 256 bits the two differ.
    pub fn distance(self, other: Likeness) -> u32 {
        let differ = self.0.iter().zip(other.0).map(|(one, two)| one ^ two);
        differ.map(u64::count_ones).sum()
    }

    /// Whether both show the same capture, or nearly the same.
    pub fn is_alike(self, other: Likeness) -> bool {
        self.distance(other) <= ALIKE
    }
}

#[cfg(test)]
mod tests {
    use image::imageops::{FilterType, blur, brighten, resize};
    use image::{Rgb, RgbImage};

    use super::*;

    /// A face of sorts; the seed says whose.
    fn face(seed: u32) -> RgbImage {
        let wave = |a: u32, b: u32| ((a as f32 / (9.0 + b as f32)).sin() * 40.0) as i32;
        RgbImage::from_fn(320, 320, |x, y| {
            let grey = 128 + wave(x * (1 + seed % 3), seed) + wave(y + x / 3, 3 * seed);
            Rgb([grey.clamp(0, 255) as u8; 3])
        })
    }

    fn likeness(picture: &RgbImage) -> Likeness {
        let side = picture.width() as f32 / 2.0;
        let rect = Rect {
            x: side / 2.0,
            y: side / 2.0,
            width: side,
            height: side,
        };
        Likeness::of(&Sampler::new(picture), &rect).unwrap()
    }

    #[test]
    fn an_altered_copy_is_alike_and_another_picture_is_not() {
        let original = face(1);
        for altered in [
            brighten(&original, 20),
            blur(&original, 1.5),
            resize(&original, 160, 160, FilterType::Triangle),
        ] {
            assert!(likeness(&original).is_alike(likeness(&altered)));
        }
        for other in 2..6 {
            assert!(
                !likeness(&original).is_alike(likeness(&face(other))),
                "{other}"
            );
        }
    }

    #[test]
    fn the_distance_counts_bits() {
        assert_eq!(Likeness([0; 4]).distance(Likeness([u64::MAX; 4])), 256);
        assert_eq!(Likeness([5, 0, 0, 1]).distance(Likeness([4, 0, 0, 1])), 1);
    }
}
