//! Management without a running server: what `lifesign client`, `token` and `collection` do. It
//! works on the same data directory, also beside a running server, which sees changes at once.

use std::time::Duration;

use crate::auth::{IssuedToken, TokenKeys};
use crate::config::Config;
use crate::data_dir::{self, DataDirError};
use crate::store::{Attempt, Client, Collection, Store, StoreError};

const LONGEST_NAME: usize = 100;

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
    issuer: String,
    token_lifetime: Duration,
}

impl Admin {
    /// Opens the data directory, and makes what is missing of it.
    ///
    /// # Errors
    /// The directory, its database or its secret cannot be used.
    pub async fn open(config: &Config) -> Result<Admin, AdminError> {
        let (store, secret) = data_dir::open(&config.data_dir).await?;
        Ok(Admin::new(store, TokenKeys::new(&secret), config))
    }

    pub(crate) fn new(store: Store, keys: TokenKeys, config: &Config) -> Admin {
        let (issuer, token_lifetime) = (config.issuer.clone(), config.token_lifetime);
        Admin {
            store,
            keys,
            issuer,
            token_lifetime,
        }
    }

    pub(crate) fn into_parts(self) -> (Store, TokenKeys) {
        (self.store, self.keys)
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

/// Reads a pass threshold, 0 to 1, as the command line gives it.
///
/// # Errors
/// What was expected instead.
pub fn parse_score(text: &str) -> Result<f64, String> {
    crate::config::score(text).map_err(|expected| format!("expected {expected}"))
}

fn usable(name: &str) -> Result<&str, AdminError> {
    let name = name.trim();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        Ok(name)
    } else {
        Err(AdminError::BadName)
    }
}
