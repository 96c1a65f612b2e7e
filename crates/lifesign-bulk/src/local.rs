//! Files on this machine, written so that none is ever there by half.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::error::FileError;
use crate::files::MOST_NAMES;
use crate::place::Place;

/// What half-written files begin with; what a killed run leaves of them is nobody's.
const UNFINISHED: &str = ".unfinished-";

pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The names of the files in a folder; none where there is no such folder.
pub(crate) fn list(folder: &Path) -> Result<Vec<String>, FileError> {
    let place = || Place::Local(folder.to_owned());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(FileError::system(&place(), cause)),
    };
    let mut names = Vec::new();
    for entry in entries.take(MOST_NAMES + 1) {
        let entry = entry.map_err(|cause| FileError::system(&place(), cause))?;
        names.extend(entry.file_name().into_string());
    }
    if names.len() > MOST_NAMES {
        return Err(FileError::TooMany(place()));
    }
    Ok(names)
}

pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    unfinished(path, bytes)?.persist_noclobber(path)?;
    Ok(())
}

pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    unfinished(path, bytes)?.persist(path)?;
    Ok(())
}

/// The bytes in a file beside `path`, safe on the disk, so that only the name is left to give.
fn unfinished(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{UNFINISHED}{name}-");
    let mut builder = Builder::new();
    builder.prefix(&prefix);
    // As any file that a program writes: the umask decides who reads it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Removes what killed runs left of files whose name begins with `prefix`.
pub(crate) fn clean(folder: &Path, prefix: &str) -> Result<(), FileError> {
    for name in list(folder)? {
        let unfinished = name.strip_prefix(UNFINISHED);
        if unfinished.is_some_and(|name| name.starts_with(prefix)) {
            let path = folder.join(name);
            fs::remove_file(&path)
                .map_err(|cause| FileError::system(&Place::Local(path), cause))?;
        }
    }
    Ok(())
}
