//! Pictures: whatever the bytes, `decode` keeps to its limits and to what the header states.

pub mod exif;

use std::borrow::Cow;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{ImageDecoder as _, ImageReader, RgbImage};
use lifesign::{ImageError, Limits};

/// So small that a run decodes many pictures a second.
const MAX_PIXELS: u64 = 1_000_000;
/// Pictures up to this size are decoded twice.
const TWICE: u64 = 4096;

fn limits() -> Limits {
    Limits {
        max_pixels: MAX_PIXELS,
        ..Limits::default()
    }
}

/// Any bytes as a JPEG file.
pub fn jpeg(bytes: &[u8]) {
    decoded(bytes);
}

/// Any bytes as a PNG file: as they are, and with the checksums that its chunks should have, without
/// which hardly a changed file would be read beyond its first chunk.
pub fn png(bytes: &[u8]) {
    decoded(bytes);
    if let Cow::Owned(mended) = with_checksums(bytes) {
        decoded(&mended);
    }
}

/// Any bytes as a WebP file.
pub fn webp(bytes: &[u8]) {
    decoded(bytes);
}

/// Decodes, and checks what must hold of any outcome.
fn decoded(bytes: &[u8]) -> Option<RgbImage> {
    let limits = limits();
    match lifesign::decode::decode(bytes, &limits) {
        Ok(picture) => {
            let (width, height) = picture.dimensions();
            let pixels = u64::from(width) * u64::from(height);
            assert!(
                (1..=MAX_PIXELS).contains(&pixels),
                "{width} x {height} pixels came out"
            );
            let stated = stated(bytes).expect("a picture came out of a file without a header");
            assert_eq!((width, height), stated, "the header states another size");
            if pixels <= TWICE {
                let again = lifesign::decode::decode(bytes, &limits);
                assert!(
                    again.as_ref() == Ok(&picture),
                    "the same bytes gave two pictures"
                );
            }
            Some(picture)
        }
        Err(why) => {
            assert!(!why.to_string().is_empty());
            match why {
                ImageError::TooManyPixels {
                    width,
                    height,
                    limit,
                } => {
                    assert_eq!(limit, MAX_PIXELS);
                    assert!(u64::from(width) * u64::from(height) > limit);
                }
                ImageError::TooManyBytes { bytes: told, limit } => {
                    assert!(told == bytes.len() && told > limit);
                }
                _ => {}
            }
            None
        }
    }
}

/// The size that the header states, after the turn that the EXIF block asks for.
fn stated(bytes: &[u8]) -> Option<(u32, u32)> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut decoder = reader.ok()?.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Some(match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        _ => (width, height),
    })
}

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The same PNG file with every chunk's checksum right; borrowed where it is so already.
fn with_checksums(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut file = Cow::Borrowed(bytes);
    if !bytes.starts_with(PNG_SIGNATURE) {
        return file;
    }
    let mut at = PNG_SIGNATURE.len();
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let (kind, end) = (at + 4, at + 8 + length);
        let Some(found) = bytes.get(end..end + 4) else {
            break;
        };
        let right = crc32fast::hash(&bytes[kind..end]).to_be_bytes();
        if found != right {
            file.to_mut()[end..end + 4].copy_from_slice(&right);
        }
        at = end + 4;
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else the targets would check nothing but refusals.
    #[test]
    fn the_drawn_pictures_come_out() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        for name in [
            "jpeg/baseline.jpg",
            "jpeg/progressive-420.jpg",
            "png/rgb-16.png",
            "png/interlaced.png",
            "png/just-within.png",
            "webp/lossy-alpha.webp",
            "webp/lossless.webp",
            "webp/animated.webp",
        ] {
            assert!(
                decoded(&std::fs::read(corpus.join(name)).unwrap()).is_some(),
                "{name}"
            );
        }
        let over = std::fs::read(corpus.join("png/just-over.png")).unwrap();
        assert!(decoded(&over).is_none());
    }

    #[test]
    fn a_damaged_checksum_is_mended_and_a_right_one_left() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/png");
        let damaged = std::fs::read(corpus.join("bad-checksum.png")).unwrap();
        let right = std::fs::read(corpus.join("rgb.png")).unwrap();
        assert!(matches!(with_checksums(&right), Cow::Borrowed(_)));
        assert_eq!(with_checksums(&damaged), right);
    }
}
