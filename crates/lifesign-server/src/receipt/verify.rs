//! Verifying a receipt: what an auditor does, with public keys alone.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use sha2::{Digest as _, Sha256};

use super::{Statement, TYPE};
use crate::config::trusted_url;
use crate::jwks;

/// Longest receipt that is looked at; ours are about 1,500 bytes.
const LONGEST: usize = 64 << 10;

/// Why a text is no valid receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is no compact JWS of a receipt's type.
    #[error("this is no receipt of Lifesign")]
    NotAReceipt,
    /// The key that it names is not among those given.
    #[error(
        "the receipt was signed with the key {0}, which is not among the given keys: it is of another service, \
         or the key was withdrawn"
    )]
    UnknownKey(String),
    /// The signature does not fit.
    #[error(
        "the signature does not fit: the receipt was altered, or was not signed with the key that it names"
    )]
    BadSignature,
    /// The keys cannot be read.
    #[error("the keys cannot be read: {0}")]
    BadKeys(String),
}

/// Reads a JWK set.
///
/// # Errors
/// It is none.
pub fn read_keys(json: &[u8]) -> Result<JwkSet, VerifyError> {
    serde_json::from_slice(json).map_err(|error| VerifyError::BadKeys(error.to_string()))
}

/// Fetches the JWK set of a service: https, or http on this machine.
///
/// # Errors
/// The address is neither, or answers with something else.
pub async fn fetch_keys(url: &str) -> Result<JwkSet, VerifyError> {
    let bad = |what: &str| VerifyError::BadKeys(what.to_owned());
    let url = trusted_url(url)
        .map_err(|expected| bad(&format!("expected {expected}")))?
        .ok_or_else(|| bad("no address"))?;
    let client = jwks::client().map_err(|error| bad(&error.to_string()))?;
    let bytes = jwks::download(&client, url)
        .await
        .map_err(|cause| bad(&cause))?;
    read_keys(&bytes)
}

/// What the receipt states, if one of the keys signed it.
///
/// # Errors
/// It is no receipt, or not a valid one.
pub fn verify(receipt: &str, keys: &JwkSet) -> Result<Statement, VerifyError> {
    if receipt.len() > LONGEST {
        return Err(VerifyError::NotAReceipt);
    }
    let header = jsonwebtoken::decode_header(receipt).map_err(|_| VerifyError::NotAReceipt)?;
    let (Some(TYPE), Some(kid), None) = (header.typ.as_deref(), header.kid, header.crit) else {
        return Err(VerifyError::NotAReceipt);
    };
    let key = keys
        .find(&kid)
        .filter(|key| {
            matches!(&key.algorithm, AlgorithmParameters::OctetKeyPair(pair)
                if pair.curve == EllipticCurve::Ed25519)
        })
        .and_then(|key| DecodingKey::from_jwk(key).ok())
        .ok_or(VerifyError::UnknownKey(kid))?;
    // The algorithm is ours to say; what the header names is only compared with it. A receipt has
    // no expiry and no audience: it states what was.
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims::<&str>(&[]);
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Statement>(receipt, &key, &validation)
        .map(|data| data.claims)
        .map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::Json(_) => VerifyError::NotAReceipt,
            _ => VerifyError::BadSignature,
        })
}

/// Whether `image` is the photograph that the receipt is about, byte for byte.
pub fn matches_image(statement: &Statement, image: &[u8]) -> bool {
    statement.image_sha256 == hex::encode(Sha256::digest(image))
}
