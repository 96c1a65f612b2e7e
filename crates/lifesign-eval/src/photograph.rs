//! An image of the manifest, read once for all scorers.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use image::RgbImage;
use lifesign::decode::{self, Limits};
use lifesign::geometry::Rect;
use lifesign::{Engine, ImageError, InferenceError};
use lifesign_bulk::{FileError, Files, Place, PlaceError};
use sha2::{Digest, Sha256};

/// An image's bytes, and what was made of them so far.
pub struct Photograph {
    /// The file's content.
    pub bytes: Vec<u8>,
    limits: Limits,
    picture: OnceCell<Timed<Result<RgbImage, ImageError>>>,
    face: OnceCell<Timed<Option<Rect>>>,
}

/// Where images are read from.
#[derive(Clone, Copy)]
pub struct Images<'a> {
    /// How.
    pub files: &'a Files,
    /// The folder that their names are relative to.
    pub folder: &'a Place,
}

/// An image that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Its name is none.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Its file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A value and how long it took: whoever shares it counts its time as their own.
struct Timed<T> {
    value: T,
    took: Duration,
}

fn timed<T>(work: impl FnOnce() -> T) -> Timed<T> {
    let start = Instant::now();
    let value = work();
    Timed {
        value,
        took: start.elapsed(),
    }
}

impl Photograph {
    /// Reads the file `name` below `folder`. Of one over the limit only so much that decoding sees
    /// it is too large.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(images: Images<'_>, name: &str, limits: Limits) -> Result<Photograph, ReadError> {
        let place = images.folder.join(name)?;
        let bytes = images.files.head(&place, limits.max_bytes as u64 + 1)?;
        Ok(Photograph {
            bytes,
            limits,
            picture: OnceCell::new(),
            face: OnceCell::new(),
        })
    }

    /// SHA-256 of the bytes, in hexadecimal.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.bytes))
    }

    /// The upright picture, and the time that decoding took whoever came first.
    ///
    /// # Errors
    /// [`ImageError`] when it cannot be decoded.
    pub fn picture(&self) -> Result<(&RgbImage, Duration), ImageError> {
        let timed = self
            .picture
            .get_or_init(|| timed(|| decode::decode(&self.bytes, &self.limits)));
        match &timed.value {
            Ok(picture) => Ok((picture, timed.took)),
            Err(why) => Err(why.clone()),
        }
    }

    /// The largest face of `picture`, and the time that finding it took whoever came first.
    ///
    /// # Errors
    /// [`InferenceError`] when the detector fails.
    pub fn face(
        &self,
        engine: &Engine,
        picture: &RgbImage,
    ) -> Result<(Option<Rect>, Duration), InferenceError> {
        if self.face.get().is_none() {
            let found = timed(|| engine.faces(picture));
            let largest = found.value?.first().map(|face| face.rect);
            let _ = self.face.set(Timed {
                value: largest,
                took: found.took,
            });
        }
        let face = self.face.get();
        Ok(face.map_or((None, Duration::ZERO), |face| (face.value, face.took)))
    }
}
