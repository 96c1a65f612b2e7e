//! Responses kept from run to run, so that an interrupted evaluation goes on where it stopped and
//! a repeated one takes seconds.
//!
//! One file for each scorer, named by a hash of everything its responses depend on (weights,
//! settings, the build of the program); in it a line of JSON for each response, keyed by a hash of
//! the image's bytes and of what the manifest says that matters to the scorer. No image is kept.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::manifest::Row;
use crate::scorer::{Model, Response};

/// The responses of one scorer that are known already.
#[derive(Default)]
pub struct Known(HashMap<String, Response>);

/// Keeps further responses of one scorer.
#[derive(Default)]
pub struct Writer(Option<File>);

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    #[serde(flatten)]
    response: Response,
}

/// Opens the responses of `model` in `folder`, which is made where it is missing; without a folder
/// nothing is known or kept.
///
/// # Errors
/// The system's answer.
pub fn open(folder: Option<&Path>, model: &dyn Model) -> io::Result<(Known, Writer)> {
    let Some(folder) = folder else {
        return Ok(Default::default());
    };
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.jsonl", short_hash(model.fingerprint())));
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    // A line that an interruption cut is computed again.
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let known = lines
        .map(|Line { key, response }| (key, response))
        .collect();
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    if !text.is_empty() && !text.ends_with('\n') {
        file.write_all(b"\n")?;
    }
    Ok((Known(known), Writer(Some(file))))
}

/// The key of a model's response to a presentation.
pub fn key(model: &dyn Model, row: &Row, image_sha256: &str) -> String {
    short_hash(&format!("{image_sha256} {}", model.aspect(row)))
}

fn short_hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..16])
}

impl Known {
    /// The response kept under `key`.
    pub fn get(&self, key: &str) -> Option<&Response> {
        self.0.get(key)
    }
}

impl Writer {
    /// Keeps a response.
    ///
    /// # Errors
    /// The system's answer.
    pub fn put(&mut self, key: String, response: &Response) -> io::Result<()> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        let response = response.clone();
        let mut line = serde_json::to_vec(&Line { key, response })?;
        line.push(b'\n');
        // One write, so that two evaluations at once do not mix their lines.
        file.write_all(&line)
    }
}
