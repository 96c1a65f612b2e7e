//! Bytes to an upright RGB picture, within limits that are checked before anything is decoded.

mod jpeg;
mod limits;
mod memory;
mod png;
mod source;
mod webp;

use std::time::Duration;

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat, RgbImage};

pub use self::limits::Limits;
use self::source::Deadline;

/// Why bytes could not be turned into a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The file is larger than [`Limits::max_bytes`].
    #[error("the image has {bytes} bytes; at most {limit} are accepted. Make it smaller")]
    TooManyBytes {
        /// The file's size.
        bytes: usize,
        /// The limit in force.
        limit: usize,
    },
    /// The header states more than [`Limits::max_pixels`].
    #[error(
        "the image is {width} x {height} pixels; at most {limit} pixels are accepted. Make it smaller"
    )]
    TooManyPixels {
        /// Stated width.
        width: u32,
        /// Stated height.
        height: u32,
        /// The limit in force.
        limit: u64,
    },
    /// Decoding would take more than [`Limits::max_memory`].
    #[error(
        "the image takes {needed} bytes of memory to decode; at most {limit} are given. Make it smaller, or save it anew as an ordinary JPEG"
    )]
    TooMuchMemory {
        /// What it would take, reckoned from the header.
        needed: u64,
        /// The limit in force.
        limit: usize,
    },
    /// Decoding took longer than [`Limits::timeout`], or would.
    #[error(
        "the image takes longer than {} seconds to decode. Make it smaller, or save it anew as an ordinary JPEG",
        timeout.as_secs_f64()
    )]
    TooSlow {
        /// The limit in force.
        timeout: Duration,
    },
    /// A JPEG in more scans than any encoder makes.
    #[error(
        "the image is a JPEG of {scans} scans; at most {limit} are decoded. Save it anew as an ordinary JPEG"
    )]
    TooManyScans {
        /// What the file has.
        scans: usize,
        /// The limit in force.
        limit: usize,
    },
    /// An animated PNG or WebP: several moments, of which none is the photograph.
    #[error("the image is an animation, and one still photograph is judged")]
    Animation,
    /// A JPEG of a kind that hardly anything writes or reads.
    #[error(
        "the image is a JPEG of a kind that is not read: {0}. Save it anew as an ordinary JPEG"
    )]
    UnreadKind(&'static str),
    /// The content is none of the accepted formats, whatever its name or media type says.
    #[error("the image is not a JPEG, PNG or WebP file")]
    UnknownFormat,
    /// The file starts like an accepted format, but cannot be decoded.
    #[error("the image file is damaged or incomplete")]
    Damaged,
    /// There was nothing to decode from, or what was given is no image source at all.
    #[error("{0}")]
    Unreadable(&'static str),
}

/// Memory of a picture that is no longer needed. Nothing is left of what was in it.
#[derive(Debug, Default)]
pub struct Room(Vec<u8>);

impl Room {
    /// The memory of `picture`.
    pub fn of(picture: RgbImage) -> Room {
        let mut samples = picture.into_raw();
        samples.fill(0);
        Room(samples)
    }

    /// How much it is, in bytes.
    pub fn size(&self) -> usize {
        self.0.capacity()
    }

    /// `len` zeros.
    fn blank(self, len: usize) -> Vec<u8> {
        let Room(mut samples) = self;
        if samples.capacity() < len {
            // Straight from the system, zeros cost nothing until they are touched.
            return vec![0; len];
        }
        samples.resize(len, 0);
        samples
    }
}

/// What a codec made of a file.
struct Decoded {
    picture: RgbImage,
    /// As EXIF states it, where it states one of the eight. A damaged EXIF block is no reason to
    /// refuse the picture around it.
    orientation: Option<Orientation>,
}

/// Decodes a JPEG, PNG or WebP file, recognised by its content, and turns it upright by its EXIF
/// orientation. Alpha is dropped: what is transparent has the colours that the file gives it. 16-bit
/// samples are reduced to 8. What follows the picture in the file is not looked at.
///
/// # Errors
/// [`ImageError`] when the file is over a limit, of another format, or damaged.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage, ImageError> {
    decode_in(bytes, limits, Room::default())
}

/// As [`decode`], in the memory of a picture that is no longer needed: to get that of a large one from the system anew takes
/// a quarter of the time that decoding takes. A JPEG goes there; other formats let it go.
///
/// # Errors
/// As [`decode`].
pub fn decode_in(bytes: &[u8], limits: &Limits, room: Room) -> Result<RgbImage, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Unreadable("the image is empty"));
    }
    if bytes.len() > limits.max_bytes {
        return Err(ImageError::TooManyBytes {
            bytes: bytes.len(),
            limit: limits.max_bytes,
        });
    }
    let deadline = Deadline::after(limits.timeout);
    let decoded = match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => jpeg::decode(bytes, limits, &deadline, room),
        Ok(ImageFormat::Png) => png::decode(bytes, limits, &deadline),
        Ok(ImageFormat::WebP) => webp::decode(bytes, limits, &deadline),
        _ => return Err(ImageError::UnknownFormat),
    };
    // A codec that is stopped calls the file damaged, and one may come to an end all the same.
    if deadline.is_over() && matches!(decoded, Ok(_) | Err(ImageError::Damaged)) {
        return Err(ImageError::TooSlow {
            timeout: limits.timeout,
        });
    }
    let Decoded {
        picture,
        orientation,
    } = decoded?;
    let mut picture = DynamicImage::ImageRgb8(picture);
    picture.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    Ok(picture.into_rgb8())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ExtendedColorType, ImageEncoder, codecs, imageops};

    use super::*;

    /// Three by two, every pixel different, so that any turn or flip shows.
    fn picture() -> RgbImage {
        RgbImage::from_fn(3, 2, |x, y| image::Rgb([60 * x as u8, 120 * y as u8, 200]))
    }

    fn encode(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A PNG whose EXIF chunk states `orientation`.
    fn with_orientation(orientation: u8) -> Vec<u8> {
        let mut exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let mut bytes = Vec::new();
        let mut encoder = codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        encoder
            .write_image(picture().as_raw(), 3, 2, ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    }

    #[test]
    fn nothing_is_left_of_the_picture_whose_memory_is_used_again() {
        let file = encode(ImageFormat::Jpeg);
        let limits = Limits::default();
        let expected = decode(&file, &limits).unwrap();
        for side in [1, 2, 100] {
            let room = Room::of(RgbImage::from_pixel(side, side, image::Rgb([200; 3])));
            assert!(room.0.iter().all(|&sample| sample == 0));
            let found = decode_in(&file, &limits, room).unwrap();
            assert_eq!(found, expected, "{side}");
        }
    }

    #[test]
    fn png_and_webp_come_back_exactly_and_jpeg_in_its_size() {
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            assert_eq!(
                decode(&encode(format), &Limits::default()).unwrap(),
                picture()
            );
        }
        let jpeg = decode(&encode(ImageFormat::Jpeg), &Limits::default()).unwrap();
        assert_eq!(jpeg.dimensions(), (3, 2));
    }

    #[test]
    fn all_eight_exif_orientations_are_turned_upright() {
        use imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
        let p = picture();
        let upright = [
            p.clone(),
            flip_horizontal(&p),
            rotate180(&p),
            flip_vertical(&p),
            flip_horizontal(&rotate90(&p)),
            rotate90(&p),
            flip_horizontal(&rotate270(&p)),
            rotate270(&p),
        ];
        for (stated, expected) in (1u8..).zip(upright) {
            let decoded = decode(&with_orientation(stated), &Limits::default()).unwrap();
            assert_eq!(decoded, expected, "orientation {stated}");
        }
    }

    #[test]
    fn a_senseless_orientation_leaves_the_picture_as_it_is() {
        assert_eq!(
            decode(&with_orientation(77), &Limits::default()).unwrap(),
            picture()
        );
    }

    #[test]
    fn limits_are_checked_from_size_and_header() {
        let png = encode(ImageFormat::Png);
        let bytes = Limits {
            max_bytes: png.len() - 1,
            ..Limits::default()
        };
        assert!(matches!(
            decode(&png, &bytes),
            Err(ImageError::TooManyBytes { .. })
        ));
        let pixels = Limits {
            max_pixels: 5,
            ..Limits::default()
        };
        assert_eq!(
            decode(&png, &pixels),
            Err(ImageError::TooManyPixels {
                width: 3,
                height: 2,
                limit: 5
            })
        );
    }

    #[test]
    fn a_header_that_claims_a_huge_picture_is_refused_without_decoding_it() {
        // A PNG of 33 bytes that states 50,000 x 50,000 pixels.
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend(50_000u32.to_be_bytes());
        png.extend(50_000u32.to_be_bytes());
        png.extend([8, 2, 0, 0, 0]);
        png.extend([0x12, 0x34, 0x56, 0x78]); // whatever the checksum, it must not be decoded
        let outcome = decode(&png, &Limits::default());
        assert!(
            matches!(
                outcome,
                Err(ImageError::TooManyPixels { .. } | ImageError::Damaged)
            ),
            "{outcome:?}"
        );
    }

    #[test]
    fn other_formats_text_and_torn_files_are_told_apart() {
        assert_eq!(
            decode(b"GIF89a\x01\0\x01\0", &Limits::default()),
            Err(ImageError::UnknownFormat)
        );
        assert_eq!(
            decode(b"hello", &Limits::default()),
            Err(ImageError::UnknownFormat)
        );
        assert!(matches!(
            decode(b"", &Limits::default()),
            Err(ImageError::Unreadable(_))
        ));
        let png = encode(ImageFormat::Png);
        assert_eq!(
            decode(&png[..png.len() / 2], &Limits::default()),
            Err(ImageError::Damaged)
        );
    }
}
