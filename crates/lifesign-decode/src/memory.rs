//! How much memory a decoding takes, reckoned before it is taken.

/// A picture in RGB, `beside` more bytes a pixel held while it is made, and then its second copy
/// when it is turned.
pub(super) fn of_picture(width: u32, height: u32, beside: u64) -> u64 {
    u64::from(width) * u64::from(height) * (3 + beside.max(3))
}
