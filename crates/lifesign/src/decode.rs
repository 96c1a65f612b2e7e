//! Bytes to an upright RGB picture, within limits that are checked before anything is decoded.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageError as CodecError, ImageFormat, ImageReader, RgbImage,
};

/// What a photograph may cost. Both are checked before a pixel is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_bytes: usize,
    /// Largest picture, in pixels (width times height, as the file's header states them).
    pub max_pixels: u64,
}

impl Default for Limits {
    /// 12 MiB and 50 million pixels: twice what the hosted service takes, and any phone's camera.
    fn default() -> Self {
        Limits {
            max_bytes: 12 * 1024 * 1024,
            max_pixels: 50_000_000,
        }
    }
}

/// Why bytes could not be turned into a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The file is larger than [`Limits::max_bytes`].
    #[error("the image has {bytes} bytes; at most {limit} are accepted")]
    TooManyBytes {
        /// The file's size.
        bytes: usize,
        /// The limit in force.
        limit: usize,
    },
    /// The header states more than [`Limits::max_pixels`].
    #[error("the image is {width} x {height} pixels; at most {limit} pixels are accepted")]
    TooManyPixels {
        /// Stated width.
        width: u32,
        /// Stated height.
        height: u32,
        /// The limit in force.
        limit: u64,
    },
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

/// Decodes a JPEG, PNG or WebP file, recognised by its content, and turns it upright by its EXIF
/// orientation. Alpha is dropped; 16-bit samples are reduced to 8.
///
/// # Errors
/// [`ImageError`] when the file is over a limit, of another format, or damaged.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Unreadable("the image is empty"));
    }
    if bytes.len() > limits.max_bytes {
        return Err(ImageError::TooManyBytes {
            bytes: bytes.len(),
            limit: limits.max_bytes,
        });
    }
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| ImageError::Damaged)?;
    if !matches!(
        reader.format(),
        Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)
    ) {
        return Err(ImageError::UnknownFormat);
    }
    let mut codec_limits = image::Limits::default();
    // The widest pixel a codec may produce is 16-bit RGBA; a decoder may hold one copy beside it.
    codec_limits.max_alloc = Some(limits.max_pixels.saturating_mul(16));
    reader.limits(codec_limits);

    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(ImageError::TooManyPixels {
            width,
            height,
            limit: limits.max_pixels,
        });
    }
    // A damaged EXIF block is no reason to refuse the picture around it.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

fn damaged(error: CodecError) -> ImageError {
    match error {
        CodecError::Unsupported(_) => ImageError::UnknownFormat,
        _ => ImageError::Damaged,
    }
}

#[cfg(test)]
mod tests {
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
