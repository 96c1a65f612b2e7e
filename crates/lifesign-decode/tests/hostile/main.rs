//! Files that mean harm, and files that are merely odd: each has one answer. They are made here,
//! byte by byte, but for the photographs that are cut and patched.

mod build;
mod exif;
mod formats;
mod jpeg;
mod png;
mod webp;

use std::time::{Duration, Instant};

use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};
use lifesign_decode::{ImageError, Limits, decode};

/// A photograph of the repository's.
fn photograph(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/images/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

fn decoded(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    decode(bytes, &Limits::default())
}

/// What `image` alone makes of a file.
fn by_image(bytes: &[u8]) -> RgbImage {
    let reader = ImageReader::new(std::io::Cursor::new(bytes));
    let mut decoder = reader
        .with_guessed_format()
        .unwrap()
        .into_decoder()
        .unwrap();
    let orientation = decoder.orientation().unwrap();
    let mut picture = DynamicImage::from_decoder(decoder).unwrap();
    picture.apply_orientation(orientation);
    picture.into_rgb8()
}

/// How long this thread has computed; the time on the wall where the system does not tell.
fn computed(since: Instant) -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|line| line.split(' ').next()?.parse().ok())
        .map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// The file is given up within a second of the time that it has.
fn assert_stopped(bytes: &[u8], timeout: Duration) {
    let limits = Limits {
        timeout,
        ..Limits::default()
    };
    let (start, before) = (Instant::now(), computed(Instant::now()));
    assert_eq!(decode(bytes, &limits), Err(ImageError::TooSlow { timeout }));
    let took = computed(start) - before;
    assert!(took < timeout + Duration::from_secs(1), "{took:?}");
}

/// Cut where a part of the file is missing, the file is refused.
fn assert_damaged_wherever_cut(bytes: &[u8], lengths: impl Iterator<Item = usize>) {
    for length in lengths {
        let outcome = decoded(&bytes[..length]);
        assert!(
            matches!(
                outcome,
                Err(ImageError::Damaged | ImageError::UnknownFormat)
            ),
            "{length} of {}: {:?}",
            bytes.len(),
            outcome.map(|picture| picture.dimensions())
        );
    }
}
