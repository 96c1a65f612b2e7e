//! WebP: the one still picture of the container, without its alpha.

mod codes;
mod container;

use std::time::Duration;

use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ImageDecoder as _, RgbImage};

use self::container::{Coding, Still};
use super::source::{Deadline, Source};
use super::{Decoded, ImageError, Limits, memory};

pub(super) fn decode(
    bytes: &[u8],
    limits: &Limits,
    deadline: &Deadline,
) -> Result<Decoded, ImageError> {
    let still = Still::find(bytes, limits)?;
    let (width, height) = (still.width, still.height);
    limits.check_pixels(width, height)?;
    // The codec copies the data once or twice.
    let copies = 3 * still.data.len() as u64;
    match still.coding {
        Coding::Lossy => {
            check_pace(&still, limits)?;
            // Brightness, and two colours at a quarter of the size.
            limits.check_memory(memory::of_picture(width, height, 2) + copies)?;
        }
        Coding::Lossless => {
            // With alpha, and what transforms say of blocks of 16 pixels.
            let needed = memory::of_picture(width, height, 5) + copies;
            limits.check_memory(needed)?;
            let most = limits.max_memory as u64 - needed;
            let tables = codes::memory(still.data, (width, height), most, deadline)?;
            limits.check_memory(needed + tables)?;
        }
    }
    Ok(Decoded {
        picture: pixels(&still, deadline)?,
        orientation: still.exif.and_then(Orientation::from_exif_chunk),
    })
}

/// The lossy codec reads all its data at once and then cannot be stopped, so what it would take is
/// reckoned beforehand.
fn check_pace(still: &Still, limits: &Limits) -> Result<(), ImageError> {
    /// 1.6 times the longest measured: 40 and 80.
    const PER_PIXEL: Duration = Duration::from_nanos(64);
    const PER_BYTE: Duration = Duration::from_nanos(128);
    let nanos = u128::from(still.width) * u128::from(still.height) * PER_PIXEL.as_nanos()
        + still.data.len() as u128 * PER_BYTE.as_nanos();
    match nanos > limits.timeout.as_nanos() {
        true => Err(ImageError::TooSlow {
            timeout: limits.timeout,
        }),
        false => Ok(()),
    }
}

fn pixels(still: &Still, deadline: &Deadline) -> Result<RgbImage, ImageError> {
    // Alone in a container: whatever else the file has is neither decoded nor held.
    let file = still.alone();
    let damaged = |_| ImageError::Damaged;
    let decoder = WebPDecoder::new(Source::new(&file, deadline)).map_err(damaged)?;
    let mut samples = vec![0; decoder.total_bytes() as usize];
    let alpha = decoder.color_type().has_alpha();
    decoder.read_image(&mut samples).map_err(damaged)?;
    if alpha {
        // In place: each pixel moves to the left.
        let pixels = samples.len() / 4;
        for index in 1..pixels {
            samples.copy_within(4 * index..4 * index + 3, 3 * index);
        }
        samples.truncate(3 * pixels);
    }
    RgbImage::from_raw(still.width, still.height, samples).ok_or(ImageError::Damaged)
}
