//! Who asks: tokens of our own making, checked against the database, and those of an identity
//! provider where one is configured.

mod provider;
mod seal;
mod secret;
mod token;

pub use provider::{IdentityProvider, ProviderConfig, ProviderError};
pub use seal::{Seal, SealError};
pub use secret::{Secret, SecretError};
pub use token::{Claims, IssuedToken, TokenKeys};

use jiff::Timestamp;
use jsonwebtoken::Header;

use crate::error::ApiError;
use crate::limits::ClientLimits;
use crate::store::{Store, can_hold};

/// How far the clocks of those that issue tokens may be ahead of ours or behind, in seconds: other
/// replicas, an identity provider.
const CLOCK_SKEW: u32 = 60;

/// Whether a time, in Unix seconds, is still to come, whatever the clocks.
fn is_to_come(time: f64) -> bool {
    time > Timestamp::now().as_second() as f64 + f64::from(CLOCK_SKEW)
}

/// Whether a token asks for nothing that is not understood here (RFC 7515, 4.1.11). No other header
/// than the algorithm and the key's name is looked at: not the keys that a token brings along (`jwk`,
/// `x5c`), nor those that it points to (`jku`, `x5u`).
fn is_understood(header: &Header) -> bool {
    header.crit.is_none()
}

/// The client that a request was authenticated as.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The client's id.
    pub client_id: String,
    /// The client's name.
    pub client_name: String,
    /// The client's own limits.
    pub limits: ClientLimits,
    /// What the client showed.
    pub credential: Credential,
}

/// What a client showed to be who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A token that this service issued.
    Own {
        /// Its id.
        jti: String,
    },
    /// A token of the identity provider.
    External,
    /// The token of a capture session's browser, which acts for the client within it.
    Capture,
}

/// Authenticates tokens.
#[derive(Debug)]
pub struct Authenticator {
    /// For tokens of our own.
    pub keys: TokenKeys,
    /// Where tokens and clients are known.
    pub store: Store,
    /// Whose tokens are accepted beside our own.
    pub provider: Option<IdentityProvider>,
}

impl Authenticator {
    /// Authenticates a token.
    ///
    /// # Errors
    /// 401 for a token that is missing, damaged or nobody's that is trusted here, 403 for one that
    /// is expired or revoked, or whose client was disabled.
    pub async fn authenticate(&self, token: Option<&str>) -> Result<Identity, ApiError> {
        let token = token.ok_or(ApiError::Unauthorized)?;
        match (self.keys.verify(token), &self.provider) {
            (Some(claims), _) => self.own(claims).await,
            (None, Some(provider)) => self.external(provider, token).await,
            (None, None) => Err(ApiError::Unauthorized),
        }
    }

    async fn own(&self, claims: Claims) -> Result<Identity, ApiError> {
        if is_to_come(claims.iat as f64) || !can_hold(&claims.jti) {
            return Err(ApiError::Unauthorized);
        }
        // Signed by our key but unknown here: from another database that shared the key.
        let known = self
            .store
            .token(&claims.jti)
            .await?
            .ok_or(ApiError::Unauthorized)?;
        if known.client_id != claims.client_id {
            return Err(ApiError::Unauthorized);
        }
        if known.revoked {
            return Err(ApiError::TokenRevoked);
        }
        if claims.expired() {
            return Err(ApiError::TokenExpired);
        }
        Ok(Identity {
            client_id: known.client_id,
            client_name: known.client_name,
            limits: known.limits,
            credential: Credential::Own { jti: claims.jti },
        })
    }

    async fn external(
        &self,
        provider: &IdentityProvider,
        token: &str,
    ) -> Result<Identity, ApiError> {
        let subject = provider.verify(token).await.ok_or(ApiError::Unauthorized)?;
        if !can_hold(&subject.client) {
            return Err(ApiError::Unauthorized);
        }
        let client = self
            .store
            .client_known_as(&subject.client)
            .await?
            .ok_or(ApiError::Unauthorized)?;
        if client.disabled_at.is_some() {
            return Err(ApiError::TokenRevoked);
        }
        if subject.expired {
            return Err(ApiError::TokenExpired);
        }
        Ok(Identity {
            client_id: client.id,
            client_name: client.name,
            limits: client.limits,
            credential: Credential::External,
        })
    }
}
