//! The data directory: the database and the signing secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::auth::{Secret, SecretError};
use crate::store::{Store, StoreError};

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The directory cannot be made.
    #[error("The data directory {} cannot be made: {cause}.", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The database cannot be opened.
    #[error("The database {} cannot be opened: {}.", path.display(), crate::error::chain(cause))]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database said.
        cause: StoreError,
    },
    /// There is no usable signing secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Opens the data directory, and makes what is missing of it.
pub(crate) async fn open(path: &Path) -> Result<(Store, Secret), DataDirError> {
    make(path).map_err(|cause| DataDirError::Directory {
        path: path.to_path_buf(),
        cause,
    })?;
    let database = path.join("lifesign.db");
    let store = match Store::open(&database).await {
        Ok(store) => store,
        Err(cause) => {
            return Err(DataDirError::Database {
                path: database,
                cause,
            });
        }
    };
    let secret = Secret::load_or_create(&path.join("secret.key"))?;
    Ok((store, secret))
}

/// A directory that was there keeps its mode: its owner chose it.
fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
