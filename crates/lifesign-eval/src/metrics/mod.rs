//! The metrics of ISO/IEC 30107-3:2023 and of the literature, from scores and labels.
//!
//! Everywhere a score *above* the threshold is taken for bona fide, as the service decides.
//! Definitions, one by one, are in `docs/evaluate.md`.

pub mod bootstrap;
pub mod calibration;
pub mod curve;
pub mod interval;

pub use curve::{Curve, Figures, LIMITS, Sample};
pub use interval::rate;
