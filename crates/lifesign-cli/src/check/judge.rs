//! From an image's bytes to its record.

use std::time::Instant;

use anyhow::Context;
use lifesign::{AssessError, AssessOptions, Decision, Device, Engine, EngineConfig, Face, Profile};
use lifesign_bulk::parts::Settings;
use lifesign_bulk::record::{FaceBox, Outcome};
use lifesign_bulk::{FileError, Record};

use super::CheckArgs;

/// The engine, and what it is asked.
pub(super) struct Judge {
    engine: Engine,
    os: String,
    profile: Profile,
    min_score: f64,
}

/// What became of an image.
pub(super) struct Judged {
    pub record: Record,
    /// Whether it could not be read because storage failed, rather than by its own fault.
    pub storage_failed: bool,
}

impl Judge {
    pub(super) fn load(args: &CheckArgs, config: &EngineConfig) -> anyhow::Result<Judge> {
        Ok(Judge {
            engine: Engine::load(config).context("the engine cannot start")?,
            os: args.os.clone(),
            profile: args.profile,
            min_score: args.min_score,
        })
    }

    /// Everything that its records depend on besides the images.
    pub(super) fn settings(&self) -> Settings {
        let words = [
            ("lifesign", env!("CARGO_PKG_VERSION").to_owned()),
            ("min_score", self.min_score.to_string()),
            ("os", self.os.clone()),
            ("profile", self.profile.to_string()),
        ];
        let words = words.map(|(name, value)| (name.to_owned(), value));
        let models = lifesign::checksums(self.engine.models());
        words.into_iter().chain(models).collect()
    }

    /// Judges what was read of `image`; `os` is said of it, or else of all.
    pub(super) fn judge(
        &self,
        image: &str,
        os: Option<&str>,
        bytes: anyhow::Result<Vec<u8>>,
    ) -> Judged {
        let options = AssessOptions {
            device: Device::from_os(os.unwrap_or(&self.os)),
            profile: self.profile,
            ..AssessOptions::default()
        };
        let mut storage_failed = false;
        let start = Instant::now();
        let outcome = match bytes.map(|bytes| self.engine.assess(&bytes, &options)) {
            Ok(Ok(assessment)) => {
                let decision = Decision::new(assessment.score, self.min_score);
                Outcome::Assessed {
                    liveness_score: decision.liveness_score,
                    passed: decision.passed,
                    min_score: self.min_score,
                    face: face_box(&assessment.face),
                    elapsed_ms: (start.elapsed().as_secs_f64() * 1e4).round() / 10.0,
                }
            }
            Ok(Err(AssessError::Rejected(why))) => Outcome::Rejected {
                code: why.code().to_owned(),
                failure_reason: why.failure_reason().to_owned(),
                message: why.to_string(),
            },
            Ok(Err(AssessError::Inference(fault))) => Outcome::Error {
                message: fault.to_string(),
            },
            Err(error) => {
                let file = error.downcast_ref();
                storage_failed = file.is_some_and(FileError::is_fault);
                Outcome::Error {
                    message: format!("{error:#}"),
                }
            }
        };
        Judged {
            record: Record {
                image: image.to_owned(),
                outcome,
            },
            storage_failed,
        }
    }
}

fn face_box(face: &Face) -> FaceBox {
    let tenths = |pixels: f32| (pixels * 10.0).round() / 10.0;
    FaceBox {
        x: tenths(face.rect.x),
        y: tenths(face.rect.y),
        width: tenths(face.rect.width),
        height: tenths(face.rect.height),
    }
}
