//! JPEG: the pixels are those of `image`, which uses the same codec; but a file that ends too early
//! is refused instead of filled up with grey, and the codec can be stopped.

mod markers;

use image::RgbImage;
use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use self::markers::Scans;
use super::source::{Deadline, Source};
use super::{Decoded, ImageError, Limits, Room, memory};

/// Encoders write ten or so. Each is a walk over the whole picture that costs the file nothing.
pub(super) const MAX_SCANS: usize = 100;

/// What the file says before its first scan.
struct Header {
    width: u32,
    height: u32,
    components: u8,
    sequential: bool,
    /// Where the first scan's data begin.
    data: usize,
    orientation: Option<Orientation>,
}

pub(super) fn decode(
    bytes: &[u8],
    limits: &Limits,
    deadline: &Deadline,
    room: Room,
) -> Result<Decoded, ImageError> {
    let header = Header::read(bytes, deadline)?;
    limits.check_pixels(header.width, header.height)?;
    let scans = Scans::find(bytes, header.data);
    if scans.count > MAX_SCANS {
        return Err(ImageError::TooManyScans {
            scans: scans.count,
            limit: MAX_SCANS,
        });
    }
    limits.check_memory(header.memory(bytes))?;
    // The codec fills up what is missing before the end marker. So it never gets to the marker of a
    // sequential picture, which is complete when it has all its data; a progressive one needs it.
    let source = match header.sequential {
        true => Source::endless(&bytes[..scans.end], deadline),
        false => Source::new(bytes, deadline),
    };
    Ok(Decoded {
        picture: pixels(source, &header, room)?,
        orientation: header.orientation,
    })
}

impl Header {
    fn read(bytes: &[u8], deadline: &Deadline) -> Result<Header, ImageError> {
        let mut source = Source::new(bytes, deadline);
        let info = {
            let mut decoder = JpegDecoder::new_with_options(&mut source, options());
            decoder
                .decode_headers()
                .map_err(|_| markers::refusal(bytes))?;
            decoder.info().ok_or(ImageError::Damaged)?
        };
        Ok(Header {
            width: info.width.into(),
            height: info.height.into(),
            components: info.components,
            // The one other kind that the codec knows is progressive.
            sequential: info.sof == Default::default(),
            data: source.position(),
            orientation: info
                .exif_data
                .as_deref()
                .and_then(Orientation::from_exif_chunk),
        })
    }

    fn memory(&self, bytes: &[u8]) -> u64 {
        // Unless all components come in one scan, the codec holds two bytes for each of each pixel.
        let beside = match self.sequential && self.components < 4 && self.is_interleaved(bytes) {
            true => 0,
            false => 2 * u64::from(self.components),
        };
        // Pictures are held in blocks of up to 32 pixels, and some bands of them beside: for four
        // components 16 bits for 32 rows, and as many again for 128 when they are scaled up.
        let (width, height) = (
            self.width.next_multiple_of(32),
            self.height.next_multiple_of(32),
        );
        memory::of_picture(width, height, beside) + u64::from(width) * 4 * 2 * (32 + 128)
    }

    /// Whether the first scan has all components.
    fn is_interleaved(&self, bytes: &[u8]) -> bool {
        let length = 6 + 2 * self.components;
        self.data
            .checked_sub(length.into())
            .is_some_and(|start| bytes[start..].starts_with(&[0, length, self.components]))
    }
}

fn options() -> DecoderOptions {
    // Cameras leave stray bytes between the header's segments. The size is ours to check.
    DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_max_scans(MAX_SCANS)
}

fn pixels(source: Source, header: &Header, room: Room) -> Result<RgbImage, ImageError> {
    let mut decoder = JpegDecoder::new_with_options(source, options());
    decoder.decode_headers().map_err(|_| ImageError::Damaged)?;
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let colours = match grey {
        true => ColorSpace::Luma,
        false => ColorSpace::RGB,
    };
    // In the picture's data an error is an error.
    decoder.set_options(
        options()
            .set_strict_mode(true)
            .jpeg_set_out_colorspace(colours),
    );
    let samples = header.width as usize * header.height as usize * colours.num_components();
    let mut samples = room.blank(samples);
    decoder
        .decode_into(&mut samples)
        .map_err(|_| ImageError::Damaged)?;
    if grey {
        samples = samples.iter().flat_map(|&grey| [grey; 3]).collect();
    }
    RgbImage::from_raw(header.width, header.height, samples).ok_or(ImageError::Damaged)
}
