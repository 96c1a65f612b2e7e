//! Lifesign end to end, as the service runs it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lifesign::{AssessError, AssessOptions, Decision, Engine, Profile, Rejection};

use super::{Failure, Model, Response};
use crate::evaluation::{FileInfo, ScorerInfo, ScorerKind};
use crate::manifest::Row;
use crate::photograph::Photograph;

/// The engine as a scorer.
pub struct EngineScorer {
    engine: Arc<Engine>,
    profile: Profile,
    info: ScorerInfo,
    fingerprint: String,
}

impl EngineScorer {
    /// Takes a loaded engine. `build` tells one build of the program from another.
    pub fn new(name: &str, engine: Arc<Engine>, profile: Profile, build: &str) -> EngineScorer {
        let files: Vec<FileInfo> = files(&engine);
        let models: Vec<String> = engine.models().iter().map(ToString::to_string).collect();
        let hashes: Vec<&str> = files.iter().map(|file| &*file.sha256).collect();
        let info = ScorerInfo {
            name: name.to_owned(),
            kind: ScorerKind::Engine,
            description: format!(
                "Models {}, capture profile {profile}.",
                models.join(" and ")
            ),
            files: files.clone(),
        };
        EngineScorer {
            fingerprint: format!("engine {build} {profile} {}", hashes.join(" ")),
            engine,
            profile,
            info,
        }
    }
}

/// The files that an engine's answers depend on.
pub(super) fn files(engine: &Engine) -> Vec<FileInfo> {
    let models = engine.models().iter();
    let files = models.flat_map(|model| model.files.iter().map(move |file| (model, file)));
    files
        .map(|(model, file)| FileInfo {
            name: format!("{}/{}", model.name, file.name),
            sha256: file.sha256.clone(),
        })
        .collect()
}

impl Model for EngineScorer {
    fn info(&self) -> &ScorerInfo {
        &self.info
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn aspect(&self, row: &Row) -> String {
        format!("{:?}", row.device())
    }

    fn respond(&self, row: &Row, photograph: &Photograph) -> Result<(Response, Duration), Failure> {
        let options = AssessOptions {
            device: row.device(),
            profile: self.profile,
            ..AssessOptions::default()
        };
        let start = Instant::now();
        let outcome = self.engine.assess(&photograph.bytes, &options);
        let took = start.elapsed();
        let response = match outcome {
            Ok(assessment) => Response::Score {
                // As it is told, because that is what is decided on.
                score: Decision::new(assessment.score, 0.0).liveness_score,
                raw: Some(assessment.raw),
            },
            Err(AssessError::Rejected(Rejection::InvalidImage(why))) => {
                return Err(Failure::Unreadable(why.to_string()));
            }
            Err(AssessError::Rejected(why)) => Response::NonResponse {
                reason: why.failure_reason().to_owned(),
            },
            Err(AssessError::Inference(fault)) => return Err(fault.into()),
        };
        Ok((response, took))
    }
}
