//! Where networks come from: the files built into the binary, or a folder that replaces them, each
//! checked against its card.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::detect::Detector;
use crate::network::{self, InferenceError, Network};
use crate::pad::calibration::CalibrationFile;
use crate::pad::{Pad, View, card::Card};
use crate::pinned;

include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// A loaded model, for `/version` and records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelInfo {
    /// Name from the card.
    pub name: String,
    /// Version from the card.
    pub version: String,
    /// Weights, then the card, then the calibration file that replaces a part of it, if there is
    /// one: everything that its answers depend on.
    pub files: Vec<ModelFile>,
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelFile {
    /// File name, beside the card.
    pub name: String,
    /// SHA-256 of its content, in lower-case hexadecimal.
    pub sha256: String,
    /// What runs the network that it holds, if it holds one: `built-in`, `tract` or `onnxruntime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<&'static str>,
}

/// The SHA-256 of every file that answers of these models depend on, by its name such as
/// `lifesign-pad/far.onnx`.
pub fn checksums(models: &[ModelInfo]) -> BTreeMap<String, String> {
    let files = models.iter().flat_map(|model| {
        let named =
            |file: &ModelFile| (format!("{}/{}", model.name, file.name), file.sha256.clone());
        model.files.iter().map(named)
    });
    files.collect()
}

impl fmt::Display for ModelInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// A model could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file of the models folder, or a calibration, could not be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// The models folder replaces nothing.
    #[error("{0} holds neither detector/card.toml nor pad/card.toml, so it would replace nothing")]
    Empty(PathBuf),
    /// A card cannot be understood.
    #[error("the model card {path}: {problem}")]
    Card {
        /// The card.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A calibration file cannot be used.
    #[error("the calibration {path}: {problem}")]
    Calibration {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A weights file is not the one its card was written for.
    #[error(
        "{path} has SHA-256 {found}, but its card says {stated}: the file was changed or damaged"
    )]
    Checksum {
        /// The weights file.
        path: String,
        /// In the card.
        stated: String,
        /// Of the file.
        found: String,
    },
    /// Built-in weights are not those that the code names.
    #[error("{path} has SHA-256 {found}, which this program was not written for: see pinned.rs")]
    NotPinned {
        /// The weights file.
        path: String,
        /// Of the file.
        found: String,
    },
    /// The runtime does not take the network.
    #[error("{path}: {cause}")]
    Network {
        /// The weights file or card.
        path: String,
        /// The runtime's answer.
        cause: InferenceError,
    },
}

/// `card.toml` of a detector.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DetectorCard {
    name: String,
    version: String,
    weights: String,
    sha256: String,
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    info: toml::Table,
}

/// Finds model files.
pub(crate) struct ModelSource<'a> {
    folder: Option<&'a Path>,
    calibration: Option<&'a Path>,
}

/// The files of one model: `detector` or `pad`.
struct Files<'a> {
    kind: &'static str,
    folder: Option<&'a Path>,
}

impl<'a> ModelSource<'a> {
    /// Models of `folder` instead of the built-in ones, and the calibration of the file at
    /// `calibration` instead of the card's.
    pub(crate) fn new(
        folder: Option<&'a Path>,
        calibration: Option<&'a Path>,
    ) -> Result<Self, LoadError> {
        let source = ModelSource {
            folder,
            calibration,
        };
        match folder {
            Some(path) if !source.replaces("detector") && !source.replaces("pad") => {
                Err(LoadError::Empty(path.to_owned()))
            }
            _ => Ok(source),
        }
    }

    fn replaces(&self, kind: &str) -> bool {
        self.folder
            .is_some_and(|folder| folder.join(kind).join("card.toml").exists())
    }

    fn files(&self, kind: &'static str) -> Files<'a> {
        Files {
            kind,
            folder: self.folder.filter(|_| self.replaces(kind)),
        }
    }

    pub(crate) fn detector(&self) -> Result<(Detector, ModelInfo), LoadError> {
        let files = self.files("detector");
        let (text, card_file) = files.card()?;
        let card: DetectorCard =
            toml::from_str(&text).map_err(|error| files.card_error(error.to_string()))?;
        let (network, file) = files.network(&card.weights, &card.sha256)?;
        let detector = Detector::new(network).map_err(|cause| LoadError::Network {
            path: files.path(&card.weights),
            cause,
        })?;
        Ok((
            detector,
            ModelInfo {
                name: card.name,
                version: card.version,
                files: vec![file, card_file],
            },
        ))
    }

    /// The PAD networks, and their calibration as a file of its own.
    pub(crate) fn pad(&self) -> Result<(Pad, CalibrationFile, ModelInfo), LoadError> {
        let files = self.files("pad");
        let (text, card_file) = files.card()?;
        let card = Card::parse(&text).map_err(|problem| files.card_error(problem))?;
        let mut views = Vec::new();
        let mut model_files = Vec::new();
        for view in card.views {
            let (network, file) = files.network(&view.weights, &view.sha256)?;
            let path = files.path(&view.weights);
            let view =
                View::new(view, network).map_err(|cause| LoadError::Network { path, cause })?;
            views.push(view);
            model_files.push(file);
        }
        let weights = model_files.iter().map(|file| file.sha256.clone());
        let mut calibration = CalibrationFile::new(weights.collect(), card.calibration);
        model_files.push(card_file);
        if let Some(path) = self.calibration {
            let file = replace_calibration(path, &mut calibration)?;
            model_files.push(file);
        }
        Ok((
            Pad::new(views, calibration.calibration.clone()),
            calibration,
            ModelInfo {
                name: card.name,
                version: card.version,
                files: model_files,
            },
        ))
    }
}

/// Puts the calibration file at `path`, which must have been made for the same networks, in place
/// of the card's.
fn replace_calibration(path: &Path, card: &mut CalibrationFile) -> Result<ModelFile, LoadError> {
    let problem = |problem| LoadError::Calibration {
        path: path.to_owned(),
        problem,
    };
    let text = fs::read_to_string(path).map_err(|cause| LoadError::Read {
        path: path.to_owned(),
        cause,
    })?;
    let file = CalibrationFile::parse(&text).map_err(problem)?;
    if file.weights != card.weights {
        return Err(problem(
            "it was made for other networks than those loaded; run `lifesign calibrate` again"
                .to_owned(),
        ));
    }
    *card = file;
    let name = path.file_name().unwrap_or_default();
    Ok(ModelFile {
        name: name.to_string_lossy().into_owned(),
        sha256: hex::encode(Sha256::digest(&text)),
        runtime: None,
    })
}

impl Files<'_> {
    fn path(&self, name: &str) -> String {
        match self.folder {
            Some(folder) => folder.join(self.kind).join(name).display().to_string(),
            None => format!("built-in {}/{name}", self.kind),
        }
    }

    fn read(&self, name: &str) -> Result<Cow<'static, [u8]>, LoadError> {
        let Some(folder) = self.folder else {
            let path = format!("{}/{name}", self.kind);
            let built_in = FILES.iter().find(|(file, _)| *file == path);
            return built_in
                .map(|(_, bytes)| Cow::Borrowed(*bytes))
                .ok_or_else(|| LoadError::Read {
                    path: path.into(),
                    cause: io::ErrorKind::NotFound.into(),
                });
        };
        // A card names files beside it, never elsewhere.
        let name = Path::new(name).file_name().unwrap_or_default();
        let path = folder.join(self.kind).join(name);
        fs::read(&path)
            .map(Cow::Owned)
            .map_err(|cause| LoadError::Read { path, cause })
    }

    /// The card's text, and the card as a file of the model.
    fn card(&self) -> Result<(String, ModelFile), LoadError> {
        let bytes = self.read("card.toml")?.into_owned();
        let file = ModelFile {
            name: "card.toml".to_owned(),
            sha256: hex::encode(Sha256::digest(&bytes)),
            runtime: None,
        };
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| self.card_error("it is not UTF-8 text".to_owned()))?;
        Ok((text, file))
    }

    fn card_error(&self, problem: String) -> LoadError {
        LoadError::Card {
            path: self.path("card.toml"),
            problem,
        }
    }

    fn network(
        &self,
        name: &str,
        stated: &str,
    ) -> Result<(Box<dyn Network>, ModelFile), LoadError> {
        let bytes = self.read(name)?;
        let found = hex::encode(Sha256::digest(&bytes));
        if !found.eq_ignore_ascii_case(stated) {
            let stated = stated.to_owned();
            return Err(LoadError::Checksum {
                path: self.path(name),
                stated,
                found,
            });
        }
        let built_in = format!("{}/{name}", self.kind);
        if self.folder.is_none() && pinned::sha256(&built_in) != Some(found.as_str()) {
            let path = self.path(name);
            return Err(LoadError::NotPinned { path, found });
        }
        let network = network::load(&bytes).map_err(|cause| LoadError::Network {
            path: self.path(name),
            cause,
        })?;
        let runtime = Some(network.runtime());
        Ok((
            network,
            ModelFile {
                name: name.to_owned(),
                sha256: found,
                runtime,
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_models_match_their_cards() {
        let source = ModelSource::new(None, None).unwrap();
        let (_, detector) = source.detector().unwrap();
        let (_, _, pad) = source.pad().unwrap();
        assert!(
            detector
                .files
                .iter()
                .chain(&pad.files)
                .all(|file| file.sha256.len() == 64)
        );
    }

    #[test]
    fn a_folder_that_replaces_nothing_is_a_mistake_and_said_so() {
        let folder = std::env::temp_dir().join("lifesign-no-models-here");
        let error = ModelSource::new(Some(&folder), None).err().unwrap();
        assert!(
            error.to_string().contains("lifesign-no-models-here"),
            "{error}"
        );
    }

    #[test]
    fn a_calibration_file_replaces_the_cards_if_it_was_made_for_the_loaded_networks() {
        let (_, mut file, _) = ModelSource::new(None, None).unwrap().pad().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ours.toml");
        let weights = std::mem::take(&mut file.weights);
        let load = |file: &CalibrationFile| {
            fs::write(&path, file.to_toml()).unwrap();
            ModelSource::new(None, Some(&path)).unwrap().pad()
        };
        let error = load(&file).err().unwrap().to_string();
        assert!(
            error.contains("ours.toml") && error.contains("other networks"),
            "{error}"
        );

        file.weights = weights;
        file.calibration.default.slope = 0.5;
        let (_, used, calibrated) = load(&file).unwrap();
        assert_eq!(used.calibration.default.slope, 0.5);
        let names: Vec<&str> = calibrated.files.iter().map(|file| &*file.name).collect();
        assert_eq!(names, ["far.onnx", "tight.onnx", "card.toml", "ours.toml"]);
    }

    #[test]
    fn damaged_weights_are_refused_by_their_checksum() {
        let folder = tempfile::tempdir().unwrap();
        let detector = folder.path().join("detector");
        fs::create_dir(&detector).unwrap();
        for (path, bytes) in FILES {
            if let Some(name) = path.strip_prefix("detector/") {
                let mut bytes = bytes.to_vec();
                if name.ends_with(".onnx") {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                }
                fs::write(detector.join(name), bytes).unwrap();
            }
        }
        let outcome = ModelSource::new(Some(folder.path()), None)
            .unwrap()
            .detector();
        assert!(matches!(outcome, Err(LoadError::Checksum { .. })));
    }
}
