//! What `evaluate` and `calibrate` share: a labelled manifest, its images, and scoring them.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, bail};
use clap::Args;
use lifesign_bulk::{Files, Place};
use lifesign_eval::assemble::Origin;
use lifesign_eval::manifest::Condition;
use lifesign_eval::run::{self, RunError, Scored};
use lifesign_eval::scorer::Scorer;
use lifesign_eval::{Images, Manifest};
use sha2::{Digest, Sha256};

use crate::progress;

/// An evaluation holds its manifest in memory.
const LARGEST_MANIFEST: u64 = 1 << 30;

#[derive(Args)]
pub struct LabelledArgs {
    /// CSV file with the columns `image` and `label` (bona_fide or attack); may have pai_species,
    /// source, subject, os, face_x, face_y, face_w, face_h and any others. A path, or a URL of S3,
    /// GCS or Azure (docs/bulk.md).
    #[arg(value_name = "MANIFEST|URL")]
    manifest: Place,
    /// Folder that the manifest's images lie below [default: the manifest's own].
    #[arg(long, value_name = "DIR|URL")]
    images: Option<Place>,
    /// Take only rows with this value, such as split=dev; more than one must all hold.
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    conditions: Vec<Condition>,
    /// Where scores are kept, so that an interrupted run goes on where it stopped
    /// [default: lifesign/scores in the user's cache folder].
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,
    /// Score every image anew, and keep nothing.
    #[arg(long)]
    no_cache: bool,
}

/// A manifest that was read.
pub struct Labelled {
    pub manifest: Manifest,
    pub origin: Origin,
    pub files: Files,
    images: Place,
    cache: Option<PathBuf>,
}

impl LabelledArgs {
    /// Reads the manifest and chooses its rows.
    pub fn load(&self) -> anyhow::Result<Labelled> {
        let place = &self.manifest;
        let about = || format!("manifest {place}");
        let files = Files::new();
        let bytes = files.read(place, LARGEST_MANIFEST);
        let bytes = bytes.context("the manifest cannot be read")?;
        let mut manifest = Manifest::parse(&bytes).with_context(about)?;
        manifest.keep(&self.conditions).with_context(about)?;
        let images = self.images.clone().unwrap_or(place.parent());
        if let Place::Local(folder) = &images
            && !folder.as_os_str().is_empty()
            && !folder.is_dir()
        {
            bail!("--images {images}: there is no such folder");
        }
        Ok(Labelled {
            manifest,
            origin: Origin {
                file: place.to_string(),
                sha256: hex::encode(Sha256::digest(&bytes)),
                conditions: self.conditions.clone(),
            },
            files,
            images,
            cache: match (&self.cache, self.no_cache) {
                (_, true) => None,
                (Some(folder), false) => Some(folder.clone()),
                (None, false) => default_cache(),
            },
        })
    }
}

impl Labelled {
    /// Where its images are read from.
    pub fn images(&self) -> Images<'_> {
        Images {
            files: &self.files,
            folder: &self.images,
        }
    }

    /// Runs scorers on every image, with a progress bar.
    pub fn score(&self, scorers: &[Scorer]) -> anyhow::Result<Scored> {
        let bar = progress::bar(self.manifest.rows.len());
        let scored = run::run(
            &self.manifest,
            self.images(),
            scorers,
            self.cache.as_deref(),
            || bar.inc(1),
        );
        bar.finish_and_clear();
        let scored = match scored {
            Err(fault @ RunError::Inference { .. }) if self.cache.is_some() => {
                return Err(fault).context("what was scored so far is kept");
            }
            other => other?,
        };
        for image in &scored.unreadable {
            anstream::eprintln!(
                "lifesign: line {}: {}: {}",
                image.line,
                image.image,
                image.reason
            );
        }
        if scored.rows.is_empty() {
            bail!(
                "none of the {} images could be read below {}; does --images name their folder?",
                scored.unreadable.len(),
                self.images
            );
        }
        Ok(scored)
    }
}

fn default_cache() -> Option<PathBuf> {
    let folder = match env::var_os("XDG_CACHE_HOME") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => env::home_dir()?.join(".cache"),
    };
    Some(folder.join("lifesign").join("scores"))
}

/// What tells this build of the program from another, so that scores of an older one are not
/// taken for its own.
pub fn build() -> anyhow::Result<String> {
    let program = env::current_exe().and_then(fs::read);
    let program = program.context("cannot read the running program")?;
    Ok(hex::encode(Sha256::digest(program)))
}

/// Now, as reports say it.
pub fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
