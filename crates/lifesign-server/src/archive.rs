//! The archive of photographs for disputes: off unless the operator turns it on. A photograph is
//! encrypted to the operator's public key (age, <https://age-encryption.org/v1>) before it is
//! written, so that neither the service nor whoever has its disk can read it back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use age::x25519::{Identity, Recipient};
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, parse_url_opts};
use reqwest::Url;

use crate::store::{Attempt, Store, StoreError};

/// How photographs are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveConfig {
    /// A folder (`file:`) or an S3-compatible store (`s3:`); credentials come from the environment.
    pub url: Url,
    /// The operator's public key, such as `age1…`.
    pub recipient: String,
    /// How long photographs are kept.
    pub keep: Duration,
}

/// Why a photograph cannot be kept or had.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store cannot be used.
    #[error("the archive of photographs failed")]
    Store(#[from] object_store::Error),
    /// Encryption failed.
    #[error("the photograph cannot be encrypted")]
    Encrypt(#[from] age::EncryptError),
    /// Decryption failed.
    #[error("the photograph cannot be decrypted: it was encrypted to another key, or is damaged")]
    Decrypt(#[from] age::DecryptError),
    /// A key cannot be read.
    #[error("this is no {0}")]
    BadKey(&'static str),
    /// Nobody knows where it is.
    #[error("the database failed")]
    Database(#[from] StoreError),
}

/// The archive.
pub struct Archive {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    recipient: Recipient,
    keep: Duration,
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Archive(…)")
    }
}

impl Archive {
    /// Opens the archive; nothing is written yet.
    ///
    /// # Errors
    /// The address or the key cannot be used.
    pub fn open(config: &ArchiveConfig) -> Result<Archive, ArchiveError> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?.to_ascii_lowercase();
            Some((name, value.into_string().ok()?))
        });
        let (store, folder) = parse_url_opts(&config.url, variables)?;
        Ok(Archive {
            store: Arc::from(store),
            folder,
            recipient: recipient(&config.recipient)?,
            keep: config.keep,
        })
    }

    /// Keeps the photograph of an attempt.
    ///
    /// # Errors
    /// It cannot be encrypted or written.
    pub(crate) async fn keep(
        &self,
        store: &Store,
        attempt: &Attempt,
        photograph: Vec<u8>,
    ) -> Result<(), ArchiveError> {
        let location = self
            .folder
            .clone()
            .join(attempt.client_id.as_str())
            .join(format!("{}.age", attempt.id));
        let until = Timestamp::now()
            .checked_add(self.keep)
            .unwrap_or(Timestamp::MAX);
        // Noted first: what is noted and not there does no harm, what is there and not noted would
        // stay for ever.
        store
            .note_kept_image(&attempt.id, &attempt.client_id, location.as_ref(), until)
            .await?;
        let encrypted = age::encrypt(&self.recipient, &photograph)?;
        self.store.put(&location, encrypted.into()).await?;
        Ok(())
    }

    /// The encrypted photograph at a location.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn fetch(&self, location: &str) -> Result<Vec<u8>, ArchiveError> {
        let object = self.store.get(&Path::from(location)).await?;
        Ok(object.bytes().await?.to_vec())
    }

    /// Deletes what is at a location, if anything is.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub(crate) async fn delete(&self, location: &str) -> Result<(), ArchiveError> {
        match self.store.delete(&Path::from(location)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Reads a public key.
///
/// # Errors
/// It is none.
pub fn recipient(text: &str) -> Result<Recipient, ArchiveError> {
    text.trim()
        .parse()
        .map_err(|_| ArchiveError::BadKey("public key such as age1…"))
}

/// A fresh key pair: the private half, to be kept away from the service, and the public one.
pub fn generate_key() -> (String, String) {
    use age::secrecy::ExposeSecret as _;
    let identity = Identity::generate();
    let public = identity.to_public().to_string();
    (identity.to_string().expose_secret().to_owned(), public)
}

/// Decrypts a photograph with the private key, which is the line of the file that begins with
/// `AGE-SECRET-KEY-1`.
///
/// # Errors
/// There is no such line, or it is another key.
pub fn decrypt(key_file: &str, encrypted: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let identity: Identity = key_file
        .lines()
        .find_map(|line| line.trim().parse().ok())
        .ok_or(ArchiveError::BadKey(
            "private key such as AGE-SECRET-KEY-1…",
        ))?;
    Ok(age::decrypt(&identity, encrypted)?)
}
