//! EXIF blocks: whatever they hold, the picture around them is read, and turned as they say.

use std::sync::LazyLock;

use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageEncoder as _, RgbImage, codecs};

use super::{PNG_SIGNATURE, decoded};

const WIDTH: u32 = 3;
const HEIGHT: u32 = 2;
/// What a JPEG segment holds beside its length and the name of the block.
const LARGEST: usize = 0xffff - 2 - NAME.len();
const NAME: &[u8] = b"Exif\0\0";

/// Every pixel differs, so that any turn or flip shows.
static PICTURE: LazyLock<RgbImage> = LazyLock::new(|| {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        image::Rgb([60 * x as u8, 120 * y as u8, 200])
    })
});

static JPEG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut file = Vec::new();
    let encoder = codecs::jpeg::JpegEncoder::new(&mut file);
    written(encoder.write_image(PICTURE.as_raw(), WIDTH, HEIGHT, ExtendedColorType::Rgb8));
    file
});

static PNG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut file = Vec::new();
    let encoder = codecs::png::PngEncoder::new(&mut file);
    written(encoder.write_image(PICTURE.as_raw(), WIDTH, HEIGHT, ExtendedColorType::Rgb8));
    file
});

/// The `VP8L` chunk of a lossless WebP file.
static VP8L: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut file = Vec::new();
    let encoder = codecs::webp::WebPEncoder::new_lossless(&mut file);
    written(encoder.write_image(PICTURE.as_raw(), WIDTH, HEIGHT, ExtendedColorType::Rgb8));
    file[12..].to_vec()
});

fn written(outcome: image::ImageResult<()>) {
    outcome.expect("a picture of six pixels is written");
}

/// Any bytes as the EXIF block of a JPEG, a PNG and a WebP file.
pub fn exif(bytes: &[u8]) {
    let block = &bytes[..bytes.len().min(LARGEST)];
    let png = decoded(&in_png(block)).expect("a PNG file was refused for its EXIF block");
    let webp = decoded(&in_webp(block)).expect("a WebP file was refused for its EXIF block");
    let jpeg = decoded(&in_jpeg(block)).expect("a JPEG file was refused for its EXIF block");
    let way = Orientation::from_exif_chunk(block).unwrap_or(Orientation::NoTransforms);
    let mut upright = DynamicImage::ImageRgb8(PICTURE.clone());
    upright.apply_orientation(way);
    let upright = upright.into_rgb8();
    assert_eq!(png, upright, "the PNG file is not as {way:?} has it");
    assert_eq!(webp, upright, "the WebP file is not as {way:?} has it");
    assert_eq!(jpeg.dimensions(), upright.dimensions());
}

fn in_jpeg(block: &[u8]) -> Vec<u8> {
    let (start, rest) = JPEG.split_at(2);
    let length = (2 + NAME.len() + block.len()) as u16;
    [start, b"\xff\xe1", &length.to_be_bytes(), NAME, block, rest].concat()
}

fn in_png(block: &[u8]) -> Vec<u8> {
    // After the signature and the header's chunk of 13 bytes.
    let (start, rest) = PNG.split_at(PNG_SIGNATURE.len() + 25);
    let chunk = [b"eXIf", block].concat();
    let length = (block.len() as u32).to_be_bytes();
    let checksum = crc32fast::hash(&chunk).to_be_bytes();
    [start, &length, &chunk, &checksum, rest].concat()
}

fn in_webp(block: &[u8]) -> Vec<u8> {
    const EXIF_FLAG: u8 = 1 << 3;
    let size = |edge: u32| (edge - 1).to_le_bytes();
    let mut chunks = b"WEBPVP8X\x0a\0\0\0".to_vec();
    chunks.extend([EXIF_FLAG, 0, 0, 0]);
    chunks.extend(&size(WIDTH)[..3]);
    chunks.extend(&size(HEIGHT)[..3]);
    chunks.extend(&*VP8L);
    chunks.extend(b"EXIF");
    chunks.extend((block.len() as u32).to_le_bytes());
    chunks.extend(block);
    if block.len() % 2 == 1 {
        chunks.push(0);
    }
    [b"RIFF", &(chunks.len() as u32).to_le_bytes()[..], &chunks].concat()
}
