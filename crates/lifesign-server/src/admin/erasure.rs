//! Kept photographs, and erasing all of a client.

use super::{Admin, AdminError};
use crate::archive::Archive;
use crate::store::{Holdings, KeptImage};

impl Admin {
    /// What there is of a client.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn holdings(&self, name: &str) -> Result<Holdings, AdminError> {
        Ok(self.store.holdings(&self.client(name).await?.id).await?)
    }

    /// Erases a client and all that there is of it: kept photographs first, then the rest at once.
    ///
    /// # Errors
    /// There is no such client, its photographs cannot be deleted, or the database failed.
    pub async fn erase_client(&self, name: &str) -> Result<(), AdminError> {
        let client = self.client(name).await?;
        let images = self.store.kept_images(&client.id).await?;
        if !images.is_empty() {
            let archive = self.archive()?;
            for image in images {
                archive.delete(&image.location).await?;
                self.store.forget_kept_image(&image.attempt_id).await?;
            }
        }
        Ok(self.store.erase_client(&client.id).await?)
    }

    /// The kept photographs of a client, those that are kept longest last.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn kept_images(&self, client: &str) -> Result<Vec<KeptImage>, AdminError> {
        Ok(self
            .store
            .kept_images(&self.client(client).await?.id)
            .await?)
    }

    /// The photograph of a client's attempt, encrypted as it is kept.
    ///
    /// # Errors
    /// There is no such client, its photograph is not kept, or the archive or the database failed.
    pub async fn kept_image(&self, client: &str, attempt: &str) -> Result<Vec<u8>, AdminError> {
        let images = self.kept_images(client).await?;
        let image = images
            .into_iter()
            .find(|image| image.attempt_id == attempt)
            .ok_or_else(|| AdminError::NoSuchImage {
                client: client.to_owned(),
                attempt: attempt.to_owned(),
            })?;
        Ok(self.archive()?.fetch(&image.location).await?)
    }

    fn archive(&self) -> Result<Archive, AdminError> {
        match &self.archive {
            Some(config) => Ok(Archive::open(config)?),
            None => Err(AdminError::NoArchive),
        }
    }
}
