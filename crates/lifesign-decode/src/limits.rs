//! What a photograph may cost: bytes, pixels, memory and time.

use std::time::Duration;

use super::ImageError;

/// What a photograph may cost. All but the time is checked before a pixel is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_bytes: usize,
    /// Largest picture, in pixels (width times height, as the file's header states them).
    pub max_pixels: u64,
    /// Most memory that one decoding may take, in bytes, beside the file. It is reckoned from the
    /// header: an upper bound, so that a little less may be needed than is refused.
    pub max_memory: usize,
    /// Longest time of one decoding, by the clock on the wall, which is no less than the
    /// processor's time. What is over it ends within a second.
    pub timeout: Duration,
}

impl Default for Limits {
    /// 12 MiB and 50 million pixels: twice what the hosted service takes, and any phone's camera.
    /// 512 MiB hold such a picture in its costliest ordinary form, a progressive JPEG in colour;
    /// 5 seconds are several times what it takes.
    fn default() -> Self {
        Limits {
            max_bytes: 12 * 1024 * 1024,
            max_pixels: 50_000_000,
            max_memory: 512 * 1024 * 1024,
            timeout: Duration::from_secs(5),
        }
    }
}

impl Limits {
    pub(super) fn check_pixels(&self, width: u32, height: u32) -> Result<(), ImageError> {
        match u64::from(width) * u64::from(height) > self.max_pixels {
            false => Ok(()),
            true => Err(ImageError::TooManyPixels {
                width,
                height,
                limit: self.max_pixels,
            }),
        }
    }

    pub(super) fn check_memory(&self, needed: u64) -> Result<(), ImageError> {
        match needed > self.max_memory as u64 {
            false => Ok(()),
            true => Err(ImageError::TooMuchMemory {
                needed,
                limit: self.max_memory,
            }),
        }
    }
}
