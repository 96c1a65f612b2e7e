//! The markers of a JPEG: how many scans there are, where they end, and what kind it is.

use memchr::memchr;

use crate::ImageError;

/// The scans of a file.
#[derive(Debug, PartialEq)]
pub(super) struct Scans {
    pub count: usize,
    /// Where the end marker is, or else the file's end.
    pub end: usize,
}

impl Scans {
    /// `first` is where the first scan's data begin.
    pub(super) fn find(bytes: &[u8], first: usize) -> Scans {
        let mut count = 1;
        for (marker, start) in Markers::from(bytes, first) {
            match marker {
                START_OF_SCAN => count += 1,
                END_OF_IMAGE => return Scans { count, end: start },
                _ => (),
            }
        }
        Scans {
            count,
            end: bytes.len(),
        }
    }
}

/// Why the codec cannot read the header.
pub(super) fn refusal(bytes: &[u8]) -> ImageError {
    let kind = Markers::from(bytes, 2).find(|(marker, _)| {
        // Three of them begin no frame: tables, an extension, and arithmetic conditioning.
        (0xc0..=0xcf).contains(marker) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
    });
    match kind {
        Some((0xc0..=0xc2, start)) => match bytes.get(start + 4) {
            None | Some(8) => ImageError::Damaged,
            Some(_) => ImageError::UnreadKind("its samples have more than 8 bits"),
        },
        Some((0xc9..=0xcb | 0xcd..=0xcf, _)) => {
            ImageError::UnreadKind("it is coded arithmetically")
        }
        Some((0xc3, _)) => ImageError::UnreadKind("it is a lossless JPEG"),
        Some(_) => ImageError::UnreadKind("it is a hierarchical JPEG"),
        None => ImageError::Damaged,
    }
}

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// The markers that begin a segment, and the end marker, each with where it stands. Data between
/// them are passed over.
struct Markers<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Markers<'a> {
    fn from(bytes: &'a [u8], position: usize) -> Markers<'a> {
        Markers { bytes, position }
    }
}

impl Iterator for Markers<'_> {
    type Item = (u8, usize);

    fn next(&mut self) -> Option<(u8, usize)> {
        loop {
            let rest = self.bytes.get(self.position..)?;
            let start = self.position + memchr(0xff, rest)?;
            let marker = *self.bytes.get(start + 1)?;
            self.position = start + 2;
            match marker {
                // A fill byte: the marker may follow.
                0xff => self.position = start + 1,
                // Part of the data, and markers without a segment.
                0x00 | 0x01 | 0xd0..=0xd8 => (),
                END_OF_IMAGE => return Some((marker, start)),
                _ => {
                    if let Some(&[high, low]) = self.bytes.get(start + 2..start + 4) {
                        self.position += usize::from(u16::from_be_bytes([high, low]));
                    }
                    return Some((marker, start));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_are_counted_between_data_segments_and_restarts() {
        let data =
            b"\x01\xff\x00\xff\xd0\x02\xff\xc4\0\x04\xff\xd9\xff\xff\xda\0\x02\x03\xff\xd9\xff\xda";
        assert_eq!(Scans::find(data, 0), Scans { count: 2, end: 18 });
        assert_eq!(Scans::find(&data[..18], 0), Scans { count: 2, end: 18 });
        assert_eq!(Scans::find(b"", 7), Scans { count: 1, end: 0 });
    }
}
