//! Reading, listing and writing at any [`Place`].

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::OnceLock;

use crate::error::FileError;
use crate::local;
use crate::place::Place;
use crate::remote::Remote;

/// The most files that a folder of results may hold.
pub(crate) const MOST_NAMES: usize = 100_000;

/// Access to files here and in object stores, from any number of threads.
#[derive(Default)]
pub struct Files {
    /// Made for the first URL: paths need neither threads nor certificate authorities.
    remote: OnceLock<Remote>,
}

impl Files {
    /// Access with the environment's credentials, which are looked for when the first URL is used.
    pub fn new() -> Files {
        Files::default()
    }

    fn remote(&self) -> Result<&Remote, FileError> {
        if let Some(remote) = self.remote.get() {
            return Ok(remote);
        }
        let remote = Remote::new().map_err(FileError::Setup)?;
        Ok(self.remote.get_or_init(|| remote))
    }

    /// The first `most` bytes of a file.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn head(&self, place: &Place, most: u64) -> Result<Vec<u8>, FileError> {
        match place {
            Place::Local(path) => {
                local::read(path, most).map_err(|cause| FileError::system(place, cause))
            }
            Place::Remote(object) => self.remote()?.read(object, most),
        }
    }

    /// All bytes of a file that has at most `limit`.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn read(&self, place: &Place, limit: u64) -> Result<Vec<u8>, FileError> {
        let bytes = self.head(place, limit.saturating_add(1))?;
        if bytes.len() as u64 > limit {
            return Err(FileError::TooLarge {
                place: place.clone(),
                limit,
            });
        }
        Ok(bytes)
    }

    /// Opens a file of any length. One in a store is copied to a temporary file first, at most
    /// `limit` bytes of it: a connection would not stay open for as long as the work takes.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn open(&self, place: &Place, limit: u64) -> Result<File, FileError> {
        let system = |cause| FileError::system(place, cause);
        match place {
            Place::Local(path) => File::open(path).map_err(system),
            Place::Remote(object) => {
                let mut file = tempfile::tempfile().map_err(system)?;
                self.remote()?.copy(object, &mut file, limit)?;
                file.seek(SeekFrom::Start(0)).map_err(system)?;
                Ok(file)
            }
        }
    }

    /// The names of the files directly in a folder, sorted; none where there is no such folder.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn list(&self, folder: &Place) -> Result<Vec<String>, FileError> {
        let mut names = match folder {
            Place::Local(path) => local::list(path)?,
            Place::Remote(object) => self.remote()?.list(object)?,
        };
        names.sort_unstable();
        Ok(names)
    }

    /// Writes a file that is not there yet: all of it or nothing.
    ///
    /// # Errors
    /// [`FileError::Exists`] where it is there, with other bytes.
    pub fn create(&self, place: &Place, bytes: Vec<u8>) -> Result<(), FileError> {
        match place {
            Place::Local(path) => {
                local::create(path, &bytes).map_err(|cause| FileError::system(place, cause))
            }
            Place::Remote(object) => self.remote()?.create(object, bytes),
        }
    }

    /// Writes a file, whether or not it is there: all of it or nothing.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn replace(&self, place: &Place, bytes: Vec<u8>) -> Result<(), FileError> {
        match place {
            Place::Local(path) => {
                local::replace(path, &bytes).map_err(|cause| FileError::system(place, cause))
            }
            Place::Remote(object) => self.remote()?.replace(object, bytes),
        }
    }

    /// Removes what killed runs left half-written in a folder, of files whose name begins with
    /// `prefix`. In stores nothing ever is.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn clean(&self, folder: &Place, prefix: &str) -> Result<(), FileError> {
        match folder {
            Place::Local(path) => local::clean(path, prefix),
            Place::Remote(_) => Ok(()),
        }
    }
}
