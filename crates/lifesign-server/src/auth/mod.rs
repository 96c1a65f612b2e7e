//! Who asks: tokens of our own making, checked against the database.

mod secret;
mod token;

pub use secret::{Secret, SecretError};
pub use token::{Claims, IssuedToken, TokenKeys};

use crate::error::ApiError;
use crate::store::Store;

/// The client that a request was authenticated as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The client's id.
    pub client_id: String,
}

/// Authenticates a token.
///
/// # Errors
/// 401 for a token that is missing, damaged or not ours, 403 for one that is expired or revoked.
pub async fn authenticate(
    token: Option<&str>,
    keys: &TokenKeys,
    store: &Store,
) -> Result<Identity, ApiError> {
    let claims = token
        .and_then(|token| keys.verify(token))
        .ok_or(ApiError::Unauthorized)?;
    // Signed by our key but unknown here: from another database that shared the key.
    let known = store
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
    })
}
