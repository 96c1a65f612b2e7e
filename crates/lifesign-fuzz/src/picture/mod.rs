//! Pictures: whatever the bytes, `decode` keeps to its limits and to what the header states.

pub mod exif;

use std::borrow::Cow;

use image::RgbImage;
use lifesign_decode::{ImageError, Limits, decode};

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
    match decode(bytes, &limits) {
        Ok(picture) => {
            let (width, height) = picture.dimensions();
            let pixels = u64::from(width) * u64::from(height);
            assert!(
                (1..=MAX_PIXELS).contains(&pixels),
                "{width} x {height} pixels came out"
            );
            assert!(
                is_stated(bytes, (width, height)),
                "no header states {width} x {height}"
            );
            if pixels <= TWICE {
                match decode(bytes, &limits) {
                    // The time is the wall's, of a machine that may be busy.
                    Err(ImageError::TooSlow { .. }) => {}
                    again => assert!(
                        again.as_ref() == Ok(&picture),
                        "the same bytes gave two pictures"
                    ),
                }
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

/// Whether a header in the file states the size, before or after a turn by a quarter. Headers are found
/// wherever they are, so that this holds whatever else a file has that a codec passes over.
fn is_stated(bytes: &[u8], (width, height): (u32, u32)) -> bool {
    let states = |at: usize| {
        stated(&bytes[at..]).is_some_and(|size| size == (width, height) || size == (height, width))
    };
    (0..bytes.len()).any(states)
}

/// The size that a header of one of the formats states, where one begins here.
fn stated(bytes: &[u8]) -> Option<(u32, u32)> {
    match *bytes {
        [b'I', b'H', b'D', b'R', a, b, c, d, e, f, g, h, ..] => Some((
            u32::from_be_bytes([a, b, c, d]),
            u32::from_be_bytes([e, f, g, h]),
        )),
        [0xff, 0xc0..=0xc2, _, _, _, a, b, c, d, ..] => Some((
            u16::from_be_bytes([c, d]).into(),
            u16::from_be_bytes([a, b]).into(),
        )),
        [
            b'V',
            b'P',
            b'8',
            b'X',
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            a,
            b,
            c,
            d,
            e,
            f,
            ..,
        ] => Some((
            u32::from_le_bytes([a, b, c, 0]) + 1,
            u32::from_le_bytes([d, e, f, 0]) + 1,
        )),
        [b'V', b'P', b'8', b'L', _, _, _, _, 0x2f, a, b, c, d, ..] => {
            let bits = u32::from_le_bytes([a, b, c, d]);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        // The start of a lossy WebP frame.
        [0x9d, 0x01, 0x2a, a, b, c, d, ..] => Some((
            u32::from(u16::from_le_bytes([a, b]) & 0x3fff),
            u32::from(u16::from_le_bytes([c, d]) & 0x3fff),
        )),
        _ => None,
    }
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
