//! Management without a running server: what `lifesign client`, `token`, `collection`, `webhook` and
//! `receipt` do. It works on the same data directory, also beside a running server, which sees
//! changes at once, or within seconds where keys of receipts are concerned.

mod erasure;
mod error;
mod receipts;
mod webhooks;

pub use error::AdminError;

use std::time::Duration;

use crate::archive::ArchiveConfig;
use crate::auth::{IssuedToken, Seal, Secret, TokenKeys};
use crate::config::Config;
use crate::data_dir;
use crate::limits::ClientLimits;
use crate::receipt::KeyRing;
use crate::store::{Attempt, Client, Collection, Store};

pub(crate) const LONGEST_NAME: usize = 100;

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
        Admin::of(config, store, &secret)
    }

    /// As [`Admin::open`], and reads the whole of a SQLite database, to find damage before a request
    /// does.
    pub(crate) async fn open_checked(config: &Config) -> Result<Admin, AdminError> {
        let (store, secret) = data_dir::open_checked(config).await?;
        Admin::of(config, store, &secret)
    }

    fn of(config: &Config, store: Store, secret: &Secret) -> Result<Admin, AdminError> {
        Ok(Admin {
            keys: TokenKeys::new(secret),
            receipts: KeyRing::new(store.clone(), secret, config.receipt_key_lifetime)?,
            webhooks: crate::webhooks::seal(secret)?,
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
