//! The progress bar of commands that judge many images.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar helps from this many images on.
const MANY: usize = 5;

/// A bar on stderr for so many images.
pub fn bar(images: usize) -> ProgressBar {
    let target = if images < MANY {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} images, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(images as u64), target).with_style(style)
}
