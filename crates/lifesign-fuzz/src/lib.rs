//! What the fuzz targets do with their bytes; a test replays their corpora.
//!
//! Each target is one function that takes any bytes and panics where something that must hold of
//! them does not. `fuzz/` runs them under libFuzzer, and `tests/corpus.rs` over the files in
//! `corpus/`, so that what a run found stays found.

mod picture;

pub use picture::exif::exif;
pub use picture::{jpeg, png, webp};

#[cfg(feature = "service")]
mod body;
#[cfg(feature = "service")]
mod source;
#[cfg(feature = "service")]
mod table;
#[cfg(feature = "service")]
mod token;

#[cfg(feature = "service")]
pub use body::json_body;
#[cfg(feature = "service")]
pub use source::image_source;
#[cfg(feature = "service")]
pub use table::{manifest_csv, scores_csv};
#[cfg(feature = "service")]
pub use token::jwt;
