//! PNG: row by row into the picture, so that no form of it needs more memory than the picture.

use image::RgbImage;
use image::metadata::Orientation;
use png::{BitDepth, ColorType, DecodingError, InterlaceInfo, Reader, Transformations};

use super::source::{Deadline, Source};
use super::{Decoded, ImageError, Limits, memory};

/// All chunks but the picture's own: EXIF, a palette. Those that would be decompressed, colour
/// profiles and texts, are passed over.
const MAX_METADATA: usize = 16 << 20;

pub(super) fn decode(
    bytes: &[u8],
    limits: &Limits,
    deadline: &Deadline,
) -> Result<Decoded, ImageError> {
    let mut decoder = png::Decoder::new(Source::new(bytes, deadline));
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);

    let (width, height, row) = {
        let info = decoder.read_header_info().map_err(damaged)?;
        // Twice the bits, and a palette's index may become four samples.
        let row = u64::from(info.width) * 8;
        (info.width, info.height, row)
    };
    limits.check_pixels(width, height)?;
    // The codec holds up to five rows as they were compressed, and one as it is given out.
    limits.check_memory(memory::of_picture(width, height, 0) + 6 * row)?;
    decoder.set_limits(png::Limits {
        bytes: MAX_METADATA.saturating_add(row as usize),
    });

    let mut reader = decoder.read_info().map_err(damaged)?;
    let info = reader.info();
    if info.animation_control.is_some() || info.frame_control.is_some() {
        return Err(ImageError::Animation);
    }
    let orientation = info
        .exif_metadata
        .as_deref()
        .and_then(Orientation::from_exif_chunk);
    let mut picture = RgbImage::new(width, height);
    match info.interlaced {
        false => read_rows(&mut reader, &mut picture),
        true => read_passes(&mut reader, &mut picture),
    }
    .map_err(damaged)?;
    Ok(Decoded {
        picture,
        orientation,
    })
}

fn read_rows(reader: &mut Reader<Source>, picture: &mut RgbImage) -> Result<(), DecodingError> {
    let stride = picture.width() as usize * 3;
    let kind = reader.output_color_type();
    for row in picture.chunks_exact_mut(stride) {
        if kind == (ColorType::Rgb, BitDepth::Eight) {
            reader.read_row(row)?;
        } else if let Some(samples) = reader.next_row()? {
            to_rgb(kind, samples.data(), row);
        }
    }
    finish(reader)
}

fn read_passes(reader: &mut Reader<Source>, picture: &mut RgbImage) -> Result<(), DecodingError> {
    let stride = picture.width() as usize * 3;
    let kind = reader.output_color_type();
    let mut row = vec![0; stride];
    while let Some(samples) = reader.next_interlaced_row()? {
        let length = to_rgb(kind, samples.data(), &mut row);
        if let InterlaceInfo::Adam7(pass) = samples.interlace() {
            png::expand_interlaced_row(picture, stride, &row[..length], pass, 24);
        }
    }
    Ok(())
}

/// Reads to the end of the picture's chunks: their checksums are in question as well.
fn finish(reader: &mut Reader<Source>) -> Result<(), DecodingError> {
    while reader.next_row()?.is_some() {}
    Ok(())
}

/// Writes `samples` as RGB and tells how many bytes they became. Alpha is dropped; 16 bits are
/// rounded to 8, as `image` does.
fn to_rgb(kind: (ColorType, BitDepth), samples: &[u8], into: &mut [u8]) -> usize {
    let (channels, grey) = match kind.0 {
        ColorType::Grayscale | ColorType::Indexed => (1, true),
        ColorType::GrayscaleAlpha => (2, true),
        ColorType::Rgb => (3, false),
        ColorType::Rgba => (4, false),
    };
    match kind.1 {
        BitDepth::Sixteen => fill(samples, 2 * channels, into, |pixel| {
            let sample = |index: usize| {
                let value = u16::from_be_bytes([pixel[2 * index], pixel[2 * index + 1]]);
                ((u32::from(value) + 128) / 257) as u8
            };
            match grey {
                true => [sample(0); 3],
                false => [sample(0), sample(1), sample(2)],
            }
        }),
        _ => fill(samples, channels, into, |pixel| match grey {
            true => [pixel[0]; 3],
            false => [pixel[0], pixel[1], pixel[2]],
        }),
    }
}

fn fill(samples: &[u8], size: usize, into: &mut [u8], rgb: impl Fn(&[u8]) -> [u8; 3]) -> usize {
    let pixels = samples.chunks_exact(size);
    let length = pixels.len() * 3;
    for (pixel, target) in pixels.zip(into.chunks_exact_mut(3)) {
        target.copy_from_slice(&rgb(pixel));
    }
    length
}

fn damaged(_: DecodingError) -> ImageError {
    ImageError::Damaged
}
