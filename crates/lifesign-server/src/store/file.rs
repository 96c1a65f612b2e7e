//! The SQLite file itself: whether it can be written, and whether it is still the one that was
//! opened. SQLite notices neither that its file was removed nor that another took its place: it
//! would go on writing into a file that nobody finds any more.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{StoreError, Trouble};

/// What a write takes at least, roughly: SQLite's shared memory has 32 KiB.
const A_WRITE: usize = 64 << 10;

/// A file that was opened.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    identity: Option<Identity>,
}

/// Device and number of a file, where the system has such things.
type Identity = (u64, u64);

impl OpenFile {
    /// The file that was opened just now.
    pub(super) fn at(path: &Path) -> Result<OpenFile, StoreError> {
        let file = fs::metadata(path).map_err(|cause| StoreError::File {
            path: path.to_path_buf(),
            cause,
        })?;
        Ok(OpenFile {
            path: path.to_path_buf(),
            identity: identity(&file),
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

    /// As [`explain`].
    pub(super) fn explain(&self, error: StoreError) -> StoreError {
        explain(&self.path, error)
    }
}

/// What the system says of a write beside the file at `path`: the reason behind SQLite's "disk I/O
/// error" and "unable to open database file". Never of the file itself: to close it anywhere in the
/// process would end SQLite's locks on it.
pub(super) fn explain(path: &Path, error: StoreError) -> StoreError {
    let of_the_disk = [Trouble::Disk, Trouble::Full, Trouble::ReadOnly];
    if !error
        .trouble()
        .is_some_and(|trouble| of_the_disk.contains(&trouble))
    {
        return error;
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let beside = folder.join(format!(".lifesign-{}.tmp", uuid::Uuid::new_v4()));
    let written = fs::File::create_new(&beside).and_then(|mut file| {
        let written = file
            .write_all(&vec![0; A_WRITE])
            .and_then(|()| file.sync_all());
        let removed = fs::remove_file(&beside);
        written.and(removed)
    });
    match written {
        Ok(()) => error,
        Err(cause) => StoreError::File {
            path: path.to_path_buf(),
            cause,
        },
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
