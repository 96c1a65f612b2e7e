//! The sentence with which a management command says why it did not do what it was asked.

use super::LONGEST_NAME;
use crate::archive::ArchiveError;
use crate::auth::SealError;
use crate::data_dir::DataDirError;
use crate::receipt::KeyError;
use crate::store::StoreError;

/// Why a management command did not do what it was asked; a sentence for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// There is no such client.
    #[error("There is no client `{0}`.")]
    NoSuchClient(String),
    /// The client was disabled.
    #[error("The client `{0}` is disabled.")]
    ClientDisabled(String),
    /// There is no such collection.
    #[error("The client `{client}` has no collection `{collection}`.")]
    NoSuchCollection {
        /// The client.
        client: String,
        /// The name or id as given.
        collection: String,
    },
    /// The token is not one of this service.
    #[error("That is neither a token of this service nor the id of one.")]
    NoSuchToken,
    /// The name cannot be used.
    #[error("A name has 1 to {LONGEST_NAME} characters, none of them a control character.")]
    BadName,
    /// The name is in use.
    #[error("The name `{0}` is already in use.")]
    NameTaken(String),
    /// The photograph of that attempt is not kept.
    #[error("No photograph of the attempt `{attempt}` of the client `{client}` is kept.")]
    NoSuchImage {
        /// The client.
        client: String,
        /// The attempt's id as given.
        attempt: String,
    },
    /// There are photographs, and nobody said where.
    #[error(
        "Photographs are kept, but where is not configured: see the keys `images_keep_in` and `images_keep_key`."
    )]
    NoArchive,
    /// The archive of photographs failed.
    #[error("{}.", crate::error::chain(.0))]
    Archive(#[from] ArchiveError),
    /// There is no such webhook.
    #[error("The client `{client}` has no webhook `{webhook}`.")]
    NoSuchWebhook {
        /// The client.
        client: String,
        /// The id as given.
        webhook: String,
    },
    /// There is no such delivery.
    #[error("The client `{client}` has no delivery `{delivery}`.")]
    NoSuchDelivery {
        /// The client.
        client: String,
        /// The id as given.
        delivery: String,
    },
    /// Events cannot be posted there.
    #[error("Expected {0}.")]
    BadAddress(&'static str),
    /// There is no such key.
    #[error("There is no receipt key `{0}`.")]
    NoSuchKey(String),
    /// The keys of receipts cannot be used.
    #[error("The keys of receipts cannot be used: {}.", crate::error::chain(.0))]
    Keys(#[from] KeyError),
    /// What the database keeps sealed cannot be used.
    #[error("The data directory cannot be used: {0}.")]
    Seal(#[from] SealError),
    /// The token could not be signed.
    #[error("The token could not be signed: {0}.")]
    Signature(#[from] jsonwebtoken::errors::Error),
    /// The database failed.
    #[error("The database failed: {}.", crate::error::chain(.0))]
    Store(StoreError),
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NameTaken(name) => AdminError::NameTaken(name),
            other => AdminError::Store(other),
        }
    }
}
