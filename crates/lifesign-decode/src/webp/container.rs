//! The chunks of a WebP file.

use crate::{ImageError, Limits};

/// How a picture is coded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Coding {
    /// `VP8 `
    Lossy,
    /// `VP8L`
    Lossless,
}

/// The picture of a file that is no animation.
pub(super) struct Still<'a> {
    pub width: u32,
    pub height: u32,
    pub coding: Coding,
    pub data: &'a [u8],
    pub exif: Option<&'a [u8]>,
}

impl<'a> Still<'a> {
    /// Finds the picture. Its size is the picture's own, whatever the container says; where they
    /// differ the file is damaged.
    pub(super) fn find(bytes: &'a [u8], limits: &Limits) -> Result<Still<'a>, ImageError> {
        let mut chunks = Chunks(bytes.get(12..).unwrap_or_default());
        let first = chunks.next().ok_or(ImageError::Damaged)?;
        let Chunk(b"VP8X", header) = first else {
            return Still::read(first, None);
        };
        let [flags, _, _, _, w0, w1, w2, h0, h1, h2, ..] = *header else {
            return Err(ImageError::Damaged);
        };
        let canvas = [[w0, w1, w2], [h0, h1, h2]]
            .map(|[low, middle, high]| u32::from_le_bytes([low, middle, high, 0]) + 1);
        limits.check_pixels(canvas[0], canvas[1])?;
        if flags & ANIMATION != 0 {
            return Err(ImageError::Animation);
        }
        let (mut picture, mut exif) = (None, None);
        for chunk in chunks {
            match chunk.0 {
                b"VP8 " | b"VP8L" if picture.is_none() => picture = Some(chunk),
                b"EXIF" if exif.is_none() => exif = Some(chunk.1),
                b"ANIM" | b"ANMF" => return Err(ImageError::Animation),
                _ => (),
            }
        }
        let still = Still::read(picture.ok_or(ImageError::Damaged)?, exif)?;
        match [still.width, still.height] == canvas {
            true => Ok(still),
            false => Err(ImageError::Damaged),
        }
    }

    fn read(Chunk(name, data): Chunk<'a>, exif: Option<&'a [u8]>) -> Result<Self, ImageError> {
        let (coding, width, height) = match (name, data) {
            (b"VP8 ", &[frame, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..]) if frame & 1 == 0 => {
                let size = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
                (Coding::Lossy, size(w0, w1), size(h0, h1))
            }
            (b"VP8L", &[0x2f, a, b, c, d, ..]) => {
                let bits = u32::from_le_bytes([a, b, c, d]);
                let size = |bits| (bits & 0x3fff) + 1;
                (Coding::Lossless, size(bits), size(bits >> 14))
            }
            _ => return Err(ImageError::Damaged),
        };
        match width == 0 || height == 0 {
            true => Err(ImageError::Damaged),
            false => Ok(Still {
                width,
                height,
                coding,
                data,
                exif,
            }),
        }
    }

    /// A file of this picture alone.
    pub(super) fn alone(&self) -> Vec<u8> {
        let name = match self.coding {
            Coding::Lossy => b"VP8 ",
            Coding::Lossless => b"VP8L",
        };
        let length = self.data.len() as u32;
        let mut file = Vec::with_capacity(self.data.len() + 21);
        file.extend(b"RIFF");
        file.extend((length + length % 2 + 12).to_le_bytes());
        file.extend(b"WEBP");
        file.extend(name);
        file.extend(length.to_le_bytes());
        file.extend(self.data);
        file.extend(&[0][..length as usize % 2]);
        file
    }
}

const ANIMATION: u8 = 0b10;

/// A chunk's name and content.
struct Chunk<'a>(&'a [u8; 4], &'a [u8]);

/// The whole chunks; one that is cut off ends them.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (name, rest) = self.0.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let content = rest.get(..length)?;
        // An odd one is followed by a byte that says nothing, and may be missing at the end.
        self.0 = rest.get(length + length % 2..).unwrap_or_default();
        Some(Chunk(name, content))
    }
}
