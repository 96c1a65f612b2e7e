//! Management without a running server: what `lifesign client`, `token`, `collection`, `webhook` and
//! `receipt` do. It works on the same data directory, also beside a running server, which sees
//! changes at once, or within seconds where keys of receipts are concerned.

use std::time::Duration;

use serde_json::Value;

use crate::archive::{Archive, ArchiveConfig, ArchiveError};
use crate::auth::{IssuedToken, Seal, SealError, TokenKeys};
use crate::config::Config;
use crate::data_dir::{self, DataDirError};
use crate::limits::ClientLimits;
use crate::receipt::{KeyError, KeyRing, ReceiptKey};
use crate::store::{
    Attempt, Client, Collection, Delivery, DeliveryState, Holdings, KeptImage, Store, StoreError,
    Webhook, object_id,
};
use crate::webhooks::{self, WebhookSecret};

pub(crate) const LONGEST_NAME: usize = 100;

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

/// The management of one data directory.
pub struct Admin {
    store: Store,
    keys: TokenKeys,
    receipts: KeyRing,
    webhooks: Seal,
    archive: Option<ArchiveConfig>,
    issuer: String,
    token_lifetime: Duration,
}

/// What a service is made of that a data directory holds.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) keys: TokenKeys,
    pub(crate) receipts: KeyRing,
    /// The seal of webhooks' secrets.
    pub(crate) webhooks: Seal,
}

impl Admin {
    /// Opens the data directory, and makes what is missing of it.
    ///
    /// # Errors
    /// The directory, its database or its secret cannot be used.
    pub async fn open(config: &Config) -> Result<Admin, AdminError> {
        let (store, secret) = data_dir::open(config).await?;
        Ok(Admin {
            keys: TokenKeys::new(&secret),
            receipts: KeyRing::new(store.clone(), &secret, config.receipt_key_lifetime)?,
            webhooks: webhooks::seal(&secret)?,
            archive: config.archive.clone(),
            store,
            issuer: config.issuer.clone(),
            token_lifetime: config.token_lifetime,
        })
    }

    pub(crate) fn into_parts(self) -> Parts {
        Parts {
            store: self.store,
            keys: self.keys,
            receipts: self.receipts,
            webhooks: self.webhooks,
        }
    }

    /// Adds a client.
    ///
    /// # Errors
    /// The name cannot be used, or the database failed.
    pub async fn add_client(&self, name: &str) -> Result<Client, AdminError> {
        Ok(self.store.add_client(usable(name)?).await?)
    }

    /// All clients, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn clients(&self) -> Result<Vec<Client>, AdminError> {
        Ok(self.store.clients().await?)
    }

    /// Gives a client limits of its own; what is `None` is as configured.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn limit_client(&self, name: &str, limits: ClientLimits) -> Result<(), AdminError> {
        let client = self.client(name).await?;
        self.store.limit_client(&client.id, limits).await?;
        Ok(())
    }

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

    /// Disables a client; all its tokens are refused from now on.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn disable_client(&self, name: &str) -> Result<(), AdminError> {
        match self.store.disable_client(name).await? {
            true => Ok(()),
            false => Err(AdminError::NoSuchClient(name.to_owned())),
        }
    }

    /// Issues a token to a client, valid for `lifetime` or for the configured time.
    ///
    /// # Errors
    /// There is no such client, it is disabled, or the database failed.
    pub async fn issue_token(
        &self,
        client: &str,
        lifetime: Option<Duration>,
    ) -> Result<IssuedToken, AdminError> {
        let client = self.client(client).await?;
        if client.disabled_at.is_some() {
            return Err(AdminError::ClientDisabled(client.name));
        }
        let lifetime = lifetime.unwrap_or(self.token_lifetime);
        let issued = self.keys.issue(&client.id, &self.issuer, lifetime)?;
        self.store
            .add_token(&issued.jti, &client.id, issued.expires_at)
            .await?;
        Ok(issued)
    }

    /// Revokes a token, given itself or by its id, and returns the id.
    ///
    /// # Errors
    /// It is not a token of this service, or the database failed.
    pub async fn revoke_token(&self, token_or_jti: &str) -> Result<String, AdminError> {
        let given = token_or_jti.trim();
        let jti = self
            .keys
            .verify(given)
            .map_or_else(|| given.to_owned(), |claims| claims.jti);
        match self.store.revoke_token(&jti).await? {
            true => Ok(jti),
            false => Err(AdminError::NoSuchToken),
        }
    }

    /// Adds a collection to a client.
    ///
    /// # Errors
    /// There is no such client, the name cannot be used, or the database failed.
    pub async fn add_collection(
        &self,
        client: &str,
        name: &str,
        description: &str,
    ) -> Result<Collection, AdminError> {
        let client = self.client(client).await?;
        Ok(self
            .store
            .add_collection(&client.id, usable(name)?, description)
            .await?)
    }

    /// The collections of a client, by name.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn collections(&self, client: &str) -> Result<Vec<Collection>, AdminError> {
        Ok(self
            .store
            .collections(&self.client(client).await?.id)
            .await?)
    }

    /// Removes a collection of a client, given by name or id; its attempts stay, detached.
    ///
    /// # Errors
    /// There is no such client or collection, or the database failed.
    pub async fn remove_collection(&self, client: &str, name: &str) -> Result<(), AdminError> {
        match self
            .store
            .remove_collection(&self.client(client).await?.id, name)
            .await?
        {
            true => Ok(()),
            false => Err(AdminError::NoSuchCollection {
                client: client.to_owned(),
                collection: name.to_owned(),
            }),
        }
    }

    /// The recorded attempts of a client, the oldest first.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn attempts(&self, client: &str) -> Result<Vec<Attempt>, AdminError> {
        Ok(self.store.attempts(&self.client(client).await?.id).await?)
    }

    /// Has a client's own server told of every finished attempt. The secret that its events are
    /// signed with can be read only now.
    ///
    /// # Errors
    /// There is no such client, events cannot be posted there, or the database failed.
    pub async fn add_webhook(
        &self,
        client: &str,
        url: &str,
    ) -> Result<(Webhook, WebhookSecret), AdminError> {
        let url = webhooks::address(url).map_err(AdminError::BadAddress)?;
        let client = self.client(client).await?;
        let (id, secret) = (object_id(), WebhookSecret::generate());
        let sealed = self.webhooks.seal(&id, secret.bytes())?;
        let webhook = self
            .store
            .add_webhook(&id, &client.id, url.as_str(), &sealed)
            .await?;
        Ok((webhook, secret))
    }

    /// The webhooks of a client, the oldest first.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn webhooks(&self, client: &str) -> Result<Vec<Webhook>, AdminError> {
        Ok(self.store.webhooks(&self.client(client).await?.id).await?)
    }

    /// Removes a webhook of a client, and what was to be delivered to it.
    ///
    /// # Errors
    /// There is no such client or webhook, or the database failed.
    pub async fn remove_webhook(&self, client: &str, id: &str) -> Result<(), AdminError> {
        match self
            .store
            .remove_webhook(&self.client(client).await?.id, id)
            .await?
        {
            true => Ok(()),
            false => Err(AdminError::NoSuchWebhook {
                client: client.to_owned(),
                webhook: id.to_owned(),
            }),
        }
    }

    /// The deliveries to a client's webhooks, the newest first, at most `limit`.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn deliveries(
        &self,
        client: &str,
        state: Option<DeliveryState>,
        limit: u32,
    ) -> Result<Vec<Delivery>, AdminError> {
        let client = self.client(client).await?;
        Ok(self.store.deliveries(&client.id, state, limit).await?)
    }

    /// Delivers once more: one delivery, whatever came of it before, or all that failed. Returns
    /// how many.
    ///
    /// # Errors
    /// There is no such client or delivery, or the database failed.
    pub async fn replay_deliveries(
        &self,
        client: &str,
        delivery: Option<&str>,
    ) -> Result<u64, AdminError> {
        let id = self.client(client).await?.id;
        match (self.store.replay_deliveries(&id, delivery).await?, delivery) {
            (0, Some(delivery)) => Err(AdminError::NoSuchDelivery {
                client: client.to_owned(),
                delivery: delivery.to_owned(),
            }),
            (replayed, _) => Ok(replayed),
        }
    }

    /// The keys that sign and signed receipts, the one that signs last first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn receipt_keys(&self) -> Result<Vec<ReceiptKey>, AdminError> {
        Ok(self.receipts.list().await?)
    }

    /// Their public halves, a JWK set.
    ///
    /// # Errors
    /// The database failed.
    pub async fn public_receipt_keys(&self) -> Result<Value, AdminError> {
        Ok(self.receipts.public().await?)
    }

    /// Makes another key, published at once, that signs after `lead`. Returns its id.
    ///
    /// # Errors
    /// The key cannot be made or kept.
    pub async fn rotate_receipt_key(&self, lead: Duration) -> Result<String, AdminError> {
        Ok(self.receipts.rotate(lead).await?)
    }

    /// Withdraws a key that others may have: its receipts are worth nothing from now on.
    ///
    /// # Errors
    /// There is no such key, or the database failed.
    pub async fn withdraw_receipt_key(&self, kid: &str) -> Result<(), AdminError> {
        match self.receipts.withdraw(kid).await? {
            true => Ok(()),
            false => Err(AdminError::NoSuchKey(kid.to_owned())),
        }
    }

    async fn client(&self, name: &str) -> Result<Client, AdminError> {
        let client = self.store.client_named(name).await?;
        client.ok_or_else(|| AdminError::NoSuchClient(name.to_owned()))
    }
}

/// Reads a token's lifetime such as `30d` or `12h`, as the command line gives it.
///
/// # Errors
/// What was expected instead.
pub fn parse_lifetime(text: &str) -> Result<Duration, String> {
    crate::config::lifetime(text).map_err(|expected| format!("expected {expected}"))
}

/// Reads a number of requests per second, as the command line gives it.
///
/// # Errors
/// What was expected instead.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    crate::config::rate(text).map_err(|expected| format!("expected {expected}"))
}

/// Reads how many at most, as the command line gives it.
///
/// # Errors
/// What was expected instead.
pub fn parse_limit(text: &str) -> Result<u32, String> {
    crate::config::limit(text).map_err(|expected| format!("expected {expected}"))
}

/// Reads a pass threshold, 0 to 1, as the command line gives it.
///
/// # Errors
/// What was expected instead.
pub fn parse_score(text: &str) -> Result<f64, String> {
    crate::config::score(text).map_err(|expected| format!("expected {expected}"))
}

fn usable(name: &str) -> Result<&str, AdminError> {
    usable_name(name).ok_or(AdminError::BadName)
}

/// The name without the white space around it, if it can be used.
pub(crate) fn usable_name(name: &str) -> Option<&str> {
    let name = name.trim();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
    (fits && !name.chars().any(char::is_control)).then_some(name)
}
