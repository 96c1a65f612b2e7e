//! The signing secret: 32 random bytes in a file that only its owner may read.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rand::TryRng as _;
use rand::rngs::SysRng;
use uuid::Uuid;

const LENGTH: usize = 32;

/// The signing secret.
#[derive(Clone)]
pub struct Secret([u8; LENGTH]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why there is no usable secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read or made.
    #[error("The signing secret {} cannot be read or made: {cause}.", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The system has no randomness.
    #[error("No signing secret can be made: {0}.")]
    Randomness(io::Error),
    /// The database does not hold a secret.
    #[error(
        "The signing secret in the database is damaged: it holds {0} bytes, not {LENGTH}. Restore it, \
         or delete it, which voids all tokens."
    )]
    DamagedInDatabase(usize),
    /// Others can read the file.
    #[error(
        "The signing secret {0} can be read by others (mode {mode:04o}). Run `chmod 600 {0}` if nobody \
         else has seen it; if somebody may have, delete it, which voids all tokens.",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold a secret.
    #[error(
        "The signing secret {} is damaged: it holds {found} bytes, not {LENGTH}. Restore it, or delete \
         it, which voids all tokens.",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How many bytes it holds.
        found: usize,
    },
}

impl Secret {
    /// Reads the secret, or makes a fresh one where there is no file.
    ///
    /// # Errors
    /// The file cannot be read or made, is open to others or is damaged.
    pub fn load_or_create(path: &Path) -> Result<Secret, SecretError> {
        let failed = |cause| SecretError::File {
            path: path.to_path_buf(),
            cause,
        };
        match fs::metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path)?,
            Err(error) => return Err(failed(error)),
        }
        refuse_if_exposed(path)?;
        let bytes = fs::read(path).map_err(failed)?;
        match bytes.as_slice().try_into() {
            Ok(secret) => Ok(Secret(secret)),
            Err(_) => Err(SecretError::Damaged {
                path: path.to_path_buf(),
                found: bytes.len(),
            }),
        }
    }

    /// A fresh secret, kept nowhere.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Secret, SecretError> {
        let mut secret = [0; LENGTH];
        SysRng
            .try_fill_bytes(&mut secret)
            .map_err(|cause| SecretError::Randomness(io::Error::other(cause)))?;
        Ok(Secret(secret))
    }

    /// A secret that is kept elsewhere.
    ///
    /// # Errors
    /// It is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Secret, SecretError> {
        let damaged = SecretError::DamagedInDatabase(bytes.len());
        bytes.try_into().map(Secret).map_err(|_| damaged)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Writes a fresh secret beside its place and links it there, so that it appears complete or not
/// at all, and never over one that another process made meanwhile.
fn create(path: &Path) -> Result<(), SecretError> {
    let Secret(secret) = Secret::generate()?;
    write(path, &secret).map_err(|cause| SecretError::File {
        path: path.to_path_buf(),
        cause,
    })
}

fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.tmp", Uuid::new_v4()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    let written = file.write_all(secret).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    fs::remove_file(&beside)?;
    linked
}

#[cfg(unix)]
fn refuse_if_exposed(path: &Path) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = fs::metadata(path).map_err(|cause| SecretError::File {
        path: path.to_path_buf(),
        cause,
    })?;
    match metadata.permissions().mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(SecretError::Exposed {
            path: path.to_path_buf(),
            mode,
        }),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn refuse_if_exposed(_: &Path) -> Result<(), SecretError> {
    // Elsewhere permissions are not mode bits; the data directory's own protection must do.
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_fresh_secret_is_private_random_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one.key"), dir.path().join("two.key"));
        let secret = Secret::load_or_create(&one).unwrap();
        assert_eq!(
            fs::metadata(&one).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(Secret::load_or_create(&one).unwrap().0, secret.0);
        assert_ne!(Secret::load_or_create(&two).unwrap().0, secret.0);
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            2,
            "nothing is left beside them"
        );
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn a_secret_that_others_can_read_stops_the_start_and_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        Secret::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let message = Secret::load_or_create(&path).unwrap_err().to_string();
        assert!(
            message.contains("chmod 600") && message.contains("0640"),
            "{message}"
        );
    }

    #[test]
    fn a_damaged_secret_is_not_replaced_silently() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        fs::write(&path, "short").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            Secret::load_or_create(&path),
            Err(SecretError::Damaged { found: 5, .. })
        ));
    }
}
