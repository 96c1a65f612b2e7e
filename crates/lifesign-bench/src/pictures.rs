//! The photographs that are measured: the portrait of `tests/images` on a canvas of any size, with grain over all,
//! as a camera's sensor makes it; without it a JPEG would be half the size and decode in half the time.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

/// A public-domain face; `tests/images/README.md` states its origin.
const PORTRAIT: &[u8] = include_bytes!("../../../tests/images/live_portrait.jpg");
/// As phones have it, more or less.
pub const QUALITY: u8 = 90;
/// How far grain takes a value up or down: with it a picture of 12 megapixels has 2.6 MB as a camera writes it.
const GRAIN: i32 = 10;

/// The portrait as high as the canvas, in its middle; the same for the same size, always.
pub fn draw(width: u32, height: u32) -> RgbImage {
    let portrait = image::load_from_memory(PORTRAIT).expect("it is a JPEG");
    let side = width.min(height);
    let portrait = imageops::resize(&portrait.into_rgb8(), side, side, FilterType::Triangle);
    let mut canvas = RgbImage::from_fn(width, height, |x, y| {
        let (across, down) = (100 * x / width, 60 * y / height);
        Rgb([(150 - down) as u8, (90 + across) as u8, (130 + down) as u8])
    });
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    imageops::replace(&mut canvas, &portrait, left.into(), top.into());
    let mut state = 1;
    for value in canvas.iter_mut() {
        let grain = (random(&mut state) % (2 * GRAIN as u64 + 1)) as i32 - GRAIN;
        *value = (i32::from(*value) + grain).clamp(0, 255) as u8;
    }
    canvas
}

/// A JPEG in which all colours have full resolution: the one kind that `image` writes.
pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    picture
        .write_with_encoder(encoder)
        .expect("a picture in memory is written to memory");
    bytes.into_inner()
}

/// xorshift64 (Marsaglia, 2003).
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
