//! Networks of a specification: anybody's, described by a TOML file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, io};

use lifesign::pad::View;
use lifesign::pad::card::{Colour, CropCard, InputCard, OutputCard, ViewCard};
use lifesign::{Engine, ImageError, InferenceError, Sampler, network};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Failure, Model, Response, engine};
use crate::evaluation::{FileInfo, ScorerInfo, ScorerKind};
use crate::manifest::Row;
use crate::photograph::Photograph;

/// A specification; `docs/evaluate.md` explains every key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    format: u32,
    name: Option<String>,
    #[serde(default)]
    combine: Combine,
    #[serde(rename = "network")]
    networks: Vec<NetworkSpec>,
}

/// What becomes of several networks' answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Combine {
    /// The weighted mean of their probabilities.
    #[default]
    Probabilities,
    /// The probability of the weighted mean of their log-odds.
    Logits,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkSpec {
    weights: String,
    sha256: Option<String>,
    #[serde(default = "one")]
    weight: f64,
    input: InputSpec,
    crop: CropCard,
    output: OutputCard,
}

fn one() -> f64 {
    1.0
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputSpec {
    width: u32,
    height: u32,
    colour: Colour,
    range: Option<[f32; 2]>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
}

/// A specification that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// A file could not be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// The specification cannot be understood.
    #[error("{0}")]
    Spec(String),
    /// The weights are not those that the specification names.
    #[error("{path} has SHA-256 {found}, but the specification says {stated}")]
    Checksum {
        /// The weights file.
        path: PathBuf,
        /// In the specification.
        stated: String,
        /// Of the file.
        found: String,
    },
    /// The runtime does not take the network.
    #[error("{path}: {cause}")]
    Network {
        /// The weights file.
        path: PathBuf,
        /// The runtime's answer.
        cause: InferenceError,
    },
}

impl InputSpec {
    fn card(&self) -> Result<InputCard, String> {
        let (mean, std) = match (self.range, self.mean, self.std) {
            (None, Some(mean), Some(std)) => (mean, std),
            // low + v * (high - low) is (v - mean) / std with these two, v being 0 to 1.
            (Some([low, high]), None, None) if low < high => {
                ([-low / (high - low); 3], [1.0 / (high - low); 3])
            }
            (Some(_), None, None) => return Err("input range must be [low, high]".to_owned()),
            _ => return Err("input takes either `range` or both `mean` and `std`".to_owned()),
        };
        Ok(InputCard {
            width: self.width,
            height: self.height,
            colour: self.colour,
            mean,
            std,
        })
    }
}

/// Networks as a scorer.
pub struct NetworkScorer {
    /// Finds the face where the manifest has no box.
    engine: Arc<Engine>,
    combine: Combine,
    views: Vec<(f64, View)>,
    info: ScorerInfo,
    fingerprint: String,
}

impl NetworkScorer {
    /// Reads the specification at `path` and the weights it names, which lie in the folder
    /// `weights`, else beside it. `build` tells one build of the program from another.
    ///
    /// # Errors
    /// [`SpecError`] names the file or key at fault.
    pub fn load(
        path: &Path,
        weights: Option<&Path>,
        engine: Arc<Engine>,
        build: &str,
    ) -> Result<NetworkScorer, SpecError> {
        let text = fs::read_to_string(path).map_err(|cause| SpecError::Read {
            path: path.to_owned(),
            cause,
        })?;
        let spec = parse(&text).map_err(SpecError::Spec)?;
        let beside = path.parent().unwrap_or(Path::new(""));
        let folder = weights.unwrap_or(beside);
        let total: f64 = spec.networks.iter().map(|network| network.weight).sum();
        let mut views = Vec::new();
        let mut files = Vec::new();
        for network in &spec.networks {
            let (view, file) = load_view(&folder.join(&network.weights), network)?;
            views.push((network.weight / total, view));
            files.push(file);
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let detectors = engine::files(&engine);
        let hashes = files.iter().chain(&detectors).map(|file| &*file.sha256);
        let hashes: Vec<&str> = hashes.collect();
        let fingerprint = format!("network {build} {} {text}", hashes.join(" "));
        Ok(NetworkScorer {
            combine: spec.combine,
            info: ScorerInfo {
                name: spec.name.unwrap_or_else(|| stem.into_owned()),
                kind: ScorerKind::Network,
                description: match spec.combine {
                    _ if files.len() == 1 => "One network, its probability.".to_owned(),
                    Combine::Probabilities => "Weighted mean of their probabilities.".to_owned(),
                    Combine::Logits => "Probability of their weighted mean log-odds.".to_owned(),
                },
                files,
            },
            engine,
            views,
            fingerprint,
        })
    }
}

fn parse(text: &str) -> Result<Spec, String> {
    let spec: Spec = toml::from_str(text).map_err(|error| error.to_string())?;
    if spec.format != 1 {
        let format = spec.format;
        return Err(format!(
            "format {format} is not known; this version reads format 1"
        ));
    }
    if spec.networks.is_empty() {
        return Err("there is no [[network]]".to_owned());
    }
    if !spec.networks.iter().all(|network| network.weight > 0.0) {
        return Err("weight must be above 0".to_owned());
    }
    Ok(spec)
}

fn load_view(path: &Path, spec: &NetworkSpec) -> Result<(View, FileInfo), SpecError> {
    let bytes = fs::read(path).map_err(|cause| SpecError::Read {
        path: path.to_owned(),
        cause,
    })?;
    let found = hex::encode(Sha256::digest(&bytes));
    if let Some(stated) = &spec.sha256
        && !stated.eq_ignore_ascii_case(&found)
    {
        return Err(SpecError::Checksum {
            path: path.to_owned(),
            stated: stated.clone(),
            found,
        });
    }
    let card = ViewCard {
        name: spec.weights.clone(),
        weights: spec.weights.clone(),
        sha256: found.clone(),
        weight: spec.weight,
        input: spec.input.card().map_err(SpecError::Spec)?,
        crop: spec.crop.clone(),
        output: spec.output.clone(),
    };
    card.check().map_err(SpecError::Spec)?;
    let view = network::load(&bytes).and_then(|network| View::new(card, network));
    let view = view.map_err(|cause| SpecError::Network {
        path: path.to_owned(),
        cause,
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = FileInfo {
        name: name.into_owned(),
        sha256: found,
    };
    Ok((view, file))
}

impl Model for NetworkScorer {
    fn info(&self) -> &ScorerInfo {
        &self.info
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn aspect(&self, row: &Row) -> String {
        format!("{:?}", row.face)
    }

    fn respond(&self, row: &Row, photograph: &Photograph) -> Result<(Response, Duration), Failure> {
        let unreadable = |why: ImageError| Failure::Unreadable(why.to_string());
        let (picture, decoding) = photograph.picture().map_err(unreadable)?;
        let (face, finding) = match row.face {
            Some(face) => (Some(face), Duration::ZERO),
            None => photograph.face(&self.engine, picture)?,
        };
        let start = Instant::now();
        let response = match face {
            None => Response::NonResponse {
                reason: "no_face_detected".to_owned(),
            },
            Some(face) => {
                let picture = Sampler::new(picture);
                let mut sum = 0.0;
                for (weight, view) in &self.views {
                    let logit = view.logit(&picture, &face)?;
                    sum += weight
                        * match self.combine {
                            Combine::Probabilities => probability(logit),
                            Combine::Logits => logit,
                        };
                }
                Response::Score {
                    score: match self.combine {
                        Combine::Probabilities => sum,
                        Combine::Logits => probability(sum),
                    },
                    raw: None,
                }
            }
        };
        Ok((response, decoding + finding + start.elapsed()))
    }
}

fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = r#"
        format = 1
        name = "theirs"
        [[network]]
        weights = "theirs.onnx"
        input = { width = 80, height = 80, colour = "bgr", range = [0, 255] }
        crop = { rule = "box-inside", factor = 2.7, resample = "plain" }
        output = { kind = "softmax", index = 1 }
    "#;

    fn input(change: &str) -> Result<InputCard, String> {
        let text = SPEC.replace("range = [0, 255]", change);
        parse(&text).unwrap().networks[0].input.card()
    }

    #[test]
    fn a_value_range_says_what_black_and_white_become() {
        for (range, black, white) in [("[0, 255]", 0.0, 255.0), ("[-1, 1]", -1.0, 1.0)] {
            let card = input(&format!("range = {range}")).unwrap();
            let value = |v: f32| (v - card.mean[0]) / card.std[0];
            assert!((value(0.0) - black).abs() < 1e-3, "{card:?}");
            assert!((value(1.0) - white).abs() < 1e-3, "{card:?}");
        }
        let card = input("mean = [0.5, 0.5, 0.5], std = [0.25, 0.25, 0.25]").unwrap();
        assert_eq!((card.mean[1], card.std[2]), (0.5, 0.25));
    }

    #[test]
    fn an_input_that_cannot_be_meant_is_refused() {
        for wrong in ["range = [1, 1]", "mean = [0, 0, 0]", "colour_depth = 8"] {
            let text = SPEC.replace("range = [0, 255]", wrong);
            let refused = parse(&text).and_then(|spec| spec.networks[0].input.card());
            assert!(refused.is_err(), "{wrong}");
        }
        for (from, to) in [
            ("format = 1", "format = 9"),
            ("box-inside", "round"),
            ("weights =", "weight = -1\nweights ="),
        ] {
            assert!(parse(&SPEC.replace(from, to)).is_err(), "{to}");
        }
    }
}
