//! What bulk work reads and writes.
//!
//! A [`Place`] names a file or folder, by a path or by the URL of an object store; [`Files`] reads,
//! lists and writes there. What became of an image is a [`Record`], kept as JSON Lines or Parquet
//! ([`Format`]). A [`Shard`] is one machine's share of the rows, and its records are written in
//! [`parts`], so that an interrupted run goes on where it stopped.

mod error;
mod files;
mod format;
mod jsonl;
mod local;
mod parquet;
pub mod parts;
mod place;
pub mod record;
mod remote;
mod shard;

pub use error::FileError;
pub use files::Files;
pub use format::{Format, FormatError};
pub use place::{Place, PlaceError};
pub use record::Record;
pub use shard::Shard;
