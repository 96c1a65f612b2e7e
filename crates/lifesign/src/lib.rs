//! Face liveness from one still photograph: bytes in, assessment out.
//!
//! This crate is the engine of Lifesign. It decodes a photograph, finds the face, checks that the
//! capture can be judged, scores the face with presentation attack detection (PAD) networks and
//! calibrates the score to a probability of bona fide. It has no network access, no async code and
//! no database; the weights are part of the binary.
//!
//! ```no_run
//! use lifesign::{AssessError, AssessOptions, Engine, EngineConfig};
//!
//! let engine = Engine::load(&EngineConfig::default())?;
//! let photograph = std::fs::read("selfie.jpg")?;
//! match engine.assess(&photograph, &AssessOptions::default()) {
//!     Ok(assessment) => println!("bona fide with probability {:.4}", assessment.score),
//!     Err(AssessError::Rejected(why)) => println!("{}: {why}", why.code()),
//!     Err(AssessError::Inference(fault)) => return Err(fault.into()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A photograph's way through the engine is its way through the modules: [`decode`] -> [`detect`]
//! -> [`capture`] -> [`pad`] -> [`decision`].

pub mod capture;
pub mod decision;
pub mod detect;
pub mod engine;
pub mod geometry;
pub mod likeness;
pub mod models;
pub mod network;
pub mod pad;
mod pinned;
mod rejection;
pub mod resample;
mod rooms;
pub mod sampler;

pub use lifesign_decode as decode;

pub use capture::{Profile, Quality};
pub use decision::{DEFAULT_MIN_SCORE, Decision, Verdict};
pub use decode::{ImageError, Limits};
pub use detect::Face;
pub use engine::{AssessError, AssessOptions, Assessment, Engine, EngineConfig, Stage, Survey};
pub use likeness::Likeness;
pub use models::{LoadError, ModelInfo, checksums};
pub use network::InferenceError;
pub use pad::calibration::Device;
pub use rejection::Rejection;
pub use sampler::Sampler;
