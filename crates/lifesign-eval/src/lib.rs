//! How good a face liveness detector is, by ISO/IEC 30107-3: ours or another's.
//!
//! A labelled [`manifest`] goes in, [`scorer`]s give scores ([`run`]), [`metrics`] turn them into
//! error rates with intervals ([`assemble`]), and an [`evaluation`] comes out, for programs (JSON)
//! and for people ([`report`]). [`fit`] adapts the calibration of the built-in models to one's own
//! cameras.

pub mod assemble;
mod cache;
pub mod evaluation;
pub mod fit;
pub mod listing;
pub mod manifest;
pub mod metrics;
pub mod parallel;
mod photograph;
pub mod report;
pub mod run;
pub mod scorer;
mod table;
pub mod units;

pub use evaluation::Evaluation;
pub use manifest::Manifest;
pub use photograph::{Images, ReadError};
pub use table::{RowProblem, TableError};
