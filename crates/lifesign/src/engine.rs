//! The way of a photograph: decode, find the face, check the capture, score.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use image::RgbImage;

use crate::capture::{self, Profile, Quality};
use crate::decode::{self, Limits};
use crate::detect::{Detector, Face};
use crate::likeness::Likeness;
use crate::models::{LoadError, ModelInfo, ModelSource};
use crate::network::InferenceError;
use crate::pad::Pad;
use crate::pad::calibration::{CalibrationFile, Device};
use crate::rejection::Rejection;
use crate::rooms::{Picture, Rooms};
use crate::sampler::Sampler;

/// How an [`Engine`] is set up.
#[derive(Debug, Clone, Default)]
pub struct EngineConfig {
    /// What a photograph may cost.
    pub limits: Limits,
    /// A folder laid out like the repository's `models/`; what it holds (`detector/card.toml`,
    /// `pad/card.toml`) replaces the built-in model of that kind.
    pub models_dir: Option<PathBuf>,
    /// A file whose calibration replaces that of the PAD model's card: see
    /// [`CalibrationFile`](crate::pad::calibration::CalibrationFile).
    pub calibration: Option<PathBuf>,
}

/// What differs from one assessment to the next.
#[derive(Debug, Clone, Copy, Default)]
pub struct AssessOptions {
    /// Where the photograph was taken; selects the calibration.
    pub device: Device,
    /// Which captures are refused.
    pub profile: Profile,
    /// Whether to measure the face as well: [`Assessment::quality`].
    pub quality: bool,
    /// Whether to hash the capture as well: [`Assessment::likeness`].
    pub likeness: bool,
}

/// A photograph that was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Probability that the face is bona fide, 0 to 1.
    pub score: f64,
    /// What the PAD networks said before calibration: log-odds, any number.
    pub raw: f64,
    /// The face that was judged: the largest.
    pub face: Face,
    /// Measurements of the face, where [`AssessOptions::quality`] asks for them.
    pub quality: Option<Quality>,
    /// The capture's hash, where [`AssessOptions::likeness`] asks for it.
    pub likeness: Option<Likeness>,
}

/// What is to be seen in a frame of a camera's preview.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// How many people there are: faces that are no background to the largest.
    pub people: usize,
    /// The largest face and its measurements, where there is one.
    pub largest: Option<(Face, Quality)>,
}

/// Why there is no [`Assessment`].
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// The photograph cannot be judged; the person can do something about it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A network failed; the operator has to do something about it.
    #[error(transparent)]
    Inference(#[from] InferenceError),
}

/// A part of an assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From the file's bytes to pixels.
    Decode,
    /// Finding the faces.
    Detect,
    /// Checking the capture, and measuring it where that is asked for.
    Quality,
    /// The PAD networks and their calibration.
    Score,
}

fn timed<T>(stage: Stage, observe: &mut dyn FnMut(Stage, Duration), work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    observe(stage, started.elapsed());
    done
}

/// The loaded networks. Shared by reference between threads; one assessment uses one thread.
pub struct Engine {
    limits: Limits,
    detector: Detector,
    pad: Pad,
    calibration: CalibrationFile,
    models: Vec<ModelInfo>,
    rooms: Rooms,
}

impl Engine {
    /// Loads the networks and checks their files against their cards.
    ///
    /// # Errors
    /// [`LoadError`] names the file and what is wrong with it.
    pub fn load(config: &EngineConfig) -> Result<Engine, LoadError> {
        let source = ModelSource::new(config.models_dir.as_deref(), config.calibration.as_deref())?;
        let (detector, detector_info) = source.detector()?;
        let (pad, calibration, pad_info) = source.pad()?;
        Ok(Engine {
            limits: config.limits,
            detector,
            pad,
            calibration,
            models: vec![detector_info, pad_info],
            rooms: Rooms::default(),
        })
    }

    fn decode(&self, bytes: &[u8]) -> Result<Picture<'_>, Rejection> {
        let image = decode::decode_in(bytes, &self.limits, self.rooms.take())?;
        Ok(self.rooms.picture(image))
    }

    /// Judges one photograph: a JPEG, PNG or WebP file.
    ///
    /// # Errors
    /// [`AssessError::Rejected`] when the photograph cannot be judged,
    /// [`AssessError::Inference`] when a network fails.
    pub fn assess(&self, bytes: &[u8], options: &AssessOptions) -> Result<Assessment, AssessError> {
        self.assess_observed(bytes, options, &mut |_, _| {})
    }

    /// As [`Engine::assess`], and tells `observe` how long each stage took, also one that refused
    /// the photograph.
    ///
    /// # Errors
    /// As [`Engine::assess`].
    pub fn assess_observed(
        &self,
        bytes: &[u8],
        options: &AssessOptions,
        observe: &mut dyn FnMut(Stage, Duration),
    ) -> Result<Assessment, AssessError> {
        let picture = timed(Stage::Decode, observe, || self.decode(bytes))?;
        let picture = Sampler::new(&picture);
        let faces = timed(Stage::Detect, observe, || self.detector.find(&picture))?;
        let (face, quality, likeness) = timed(Stage::Quality, observe, || {
            let face = capture::check(faces, picture.dimensions(), options.profile)?;
            let quality = match options.quality {
                true => Some(Quality::measure(&picture, &face)?),
                false => None,
            };
            let likeness = match options.likeness {
                true => Some(Likeness::of(&picture, &face.rect)?),
                false => None,
            };
            Ok::<_, AssessError>((face, quality, likeness))
        })?;
        let score = timed(Stage::Score, observe, || {
            self.pad.score(&picture, &face.rect, options.device)
        })?;
        Ok(Assessment {
            score: score.probability,
            raw: score.raw,
            face,
            quality,
            likeness,
        })
    }

    /// Looks at a frame of a camera's preview without judging it: who is in it, and how the largest
    /// face stands. What a capture is refused for is no error here, but something to tell a person who
    /// can still move. Faces that are small in the frame are not seen ([`Detector::glance`]).
    ///
    /// # Errors
    /// [`AssessError::Rejected`] when the frame is no picture, [`AssessError::Inference`] when the
    /// network fails.
    pub fn survey(&self, bytes: &[u8]) -> Result<Survey, AssessError> {
        let picture = self.decode(bytes)?;
        let picture = Sampler::new(&picture);
        let faces = self.detector.glance(&picture)?;
        let people = capture::people(&faces);
        let Some(face) = faces.into_iter().next() else {
            return Ok(Survey {
                people,
                largest: None,
            });
        };
        let quality = Quality::measure(&picture, &face)?;
        Ok(Survey {
            people,
            largest: Some((face, quality)),
        })
    }

    /// All faces in `picture`, the largest first; what [`Engine::assess`] chooses from.
    ///
    /// # Errors
    /// [`InferenceError`] when the network fails.
    pub fn faces(&self, picture: &RgbImage) -> Result<Vec<Face>, InferenceError> {
        self.detector.find(&Sampler::new(picture))
    }

    /// The calibration in force: that of the model card, or of the file that replaces it.
    pub fn calibration(&self) -> &CalibrationFile {
        &self.calibration
    }

    /// The loaded models, with the SHA-256 of every file.
    pub fn models(&self) -> &[ModelInfo] {
        &self.models
    }
}
