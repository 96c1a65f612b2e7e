//! The SQLite file itself: whether it can be written, and whether it is still the one that was
//! opened. SQLite notices neither that its file was removed nor that another took its place: it
//! would go on writing into a file that nobody finds any more.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::StoreError;

/// What a write takes at least, roughly: SQLite's shared memory has 32 KiB.
const A_WRITE: [u8; 64 << 10] = [0; 64 << 10];

/// A file that was opened.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    identity: Option<Identity>,
}

/// Device and number of a file, where the system has such things.
type Identity = (u64, u64);

impl OpenFile {
    /// Opens the file for writing, which says better than SQLite does why that cannot be done; it is
    /// made where it is not there.
    pub(super) fn open(path: &Path) -> Result<OpenFile, StoreError> {
        let failed = |cause| StoreError::File {
            path: path.to_path_buf(),
            cause,
        };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        Ok(OpenFile {
            path: path.to_path_buf(),
            identity: file.metadata().map(|file| identity(&file)).map_err(failed)?,
        })
    }

    /// Fails where the file is not at its place any more.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match fs::metadata(&self.path) {
            Ok(file) if identity(&file) == self.identity => Ok(()),
            Ok(_) => Err(StoreError::Replaced(self.path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::Replaced(self.path.clone()))
            }
            Err(cause) => Err(StoreError::File {
                path: self.path.clone(),
                cause,
            }),
        }
    }

    /// What the system says of a write beside the file: the reason behind SQLite's "disk I/O error"
    /// and "unable to open database file".
    pub(super) fn explain(&self, error: StoreError) -> StoreError {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let beside = folder.join(format!(".lifesign-{}.tmp", uuid::Uuid::new_v4()));
        let written = fs::File::create_new(&beside).and_then(|mut file| {
            let written = file.write_all(&A_WRITE).and_then(|()| file.sync_all());
            let removed = fs::remove_file(&beside);
            written.and(removed)
        });
        match written {
            Ok(()) => error,
            Err(cause) => StoreError::File {
                path: self.path.clone(),
                cause,
            },
        }
    }
}

#[cfg(unix)]
fn identity(file: &fs::Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<Identity> {
    None
}
