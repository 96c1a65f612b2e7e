//! The keys that sign receipts: made, sealed in the database, succeeded by new ones, and published
//! for as long as their receipts are to be verified.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use jiff::Timestamp;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{Statement, TYPE};
use crate::auth::{Seal, SealError, Secret};
use crate::store::{SigningKeyRow, Store, StoreError};

/// How soon a change of the keys is seen by a running service.
const SEEN_WITHIN: Duration = Duration::from_secs(5);
/// How long a succeeded key's private half is kept, so that everyone has seen its successor.
const GRACE: Duration = Duration::from_secs(60);
/// How long a key is published before it signs, where it succeeds another: time for those who
/// verify to fetch it.
const LEAD: Duration = Duration::from_secs(3600);

/// Why a receipt cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key cannot be opened.
    #[error("the signing key cannot be opened")]
    Seal(#[from] SealError),
    /// The key cannot be used.
    #[error("the signing key cannot be used")]
    Jws(#[from] jsonwebtoken::errors::Error),
    /// The key cannot be written or read as JSON.
    #[error("the signing key cannot be read")]
    Json(#[from] serde_json::Error),
    /// The system makes no key.
    #[error("the system makes no key")]
    Generation,
    /// There is none, although one was just made.
    #[error("there is no signing key")]
    Missing,
}

/// A signing key as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptKey {
    /// Its id, in the header of every receipt it signed.
    pub kid: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// Whether it signs now.
    pub signing: bool,
    /// Whether its private half is still there.
    pub can_sign: bool,
}

struct Signing {
    read: Instant,
    kid: String,
    key: EncodingKey,
}

/// The keys of one database.
pub struct KeyRing {
    store: Store,
    seal: Seal,
    lifetime: Duration,
    signing: Mutex<Option<Arc<Signing>>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(…)")
    }
}

impl KeyRing {
    /// The keys in `store`, sealed by `secret`; a key signs for `lifetime`, then the next does.
    ///
    /// # Errors
    /// The seal cannot be derived.
    pub fn new(store: Store, secret: &Secret, lifetime: Duration) -> Result<KeyRing, SealError> {
        Ok(KeyRing {
            store,
            seal: Seal::new(secret, "receipt keys")?,
            lifetime,
            signing: Mutex::default(),
        })
    }

    /// Signs a statement.
    ///
    /// # Errors
    /// There is no usable key.
    pub async fn sign(&self, statement: &Statement) -> Result<String, KeyError> {
        let signing = self.signing().await?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(signing.kid.clone());
        Ok(jsonwebtoken::encode(&header, statement, &signing.key)?)
    }

    /// The public halves of all keys, as a JWK set: also of those that sign no more, whose receipts
    /// are still good, and of the one that will sign next.
    ///
    /// # Errors
    /// The database failed.
    pub async fn public(&self) -> Result<Value, KeyError> {
        // Makes the first key where there is none, so that what is published can be relied on.
        self.signing().await?;
        let keys = self.store.signing_keys().await?;
        let keys: Vec<Value> = keys
            .iter()
            .map(|key| serde_json::from_str(&key.jwk))
            .collect::<Result<_, _>>()?;
        Ok(json!({ "keys": keys }))
    }

    /// All keys, the one that signs last first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list(&self) -> Result<Vec<ReceiptKey>, KeyError> {
        let rows = self.store.signing_keys().await?;
        let signing = current(&rows).map(|row| row.kid.clone());
        let keys = rows.into_iter().map(|row| ReceiptKey {
            signing: Some(&row.kid) == signing.as_ref(),
            kid: row.kid,
            created_at: row.created_at,
            signs_from: row.signs_from,
            can_sign: row.sealed.is_some(),
        });
        Ok(keys.collect())
    }

    /// Makes a key that is published at once and signs after `lead`, or at once where it is the
    /// first. Returns its id.
    ///
    /// # Errors
    /// The key cannot be made or kept.
    pub async fn rotate(&self, lead: Duration) -> Result<String, KeyError> {
        let newest = newest(&self.store.signing_keys().await?);
        let lead = newest.map_or(Duration::ZERO, |_| lead);
        let key = self.generate(lead)?;
        self.store.add_signing_key(&key, None, true).await?;
        Ok(key.kid)
    }

    /// Withdraws a key whose private half others may have: it is published no more, so that its
    /// receipts are worth nothing, and where it was signing another does from now on. Returns
    /// whether there was such a key.
    ///
    /// # Errors
    /// The database failed, or no other key can be made.
    pub async fn withdraw(&self, kid: &str) -> Result<bool, KeyError> {
        if !self.store.remove_signing_key(kid).await? {
            return Ok(false);
        }
        if current(&self.store.signing_keys().await?).is_none() {
            let key = self.generate(Duration::ZERO)?;
            self.store.add_signing_key(&key, None, true).await?;
        }
        Ok(true)
    }

    async fn signing(&self) -> Result<Arc<Signing>, KeyError> {
        let mut cached = self.signing.lock().await;
        if let Some(signing) = cached.as_ref()
            && signing.read.elapsed() < SEEN_WITHIN
        {
            return Ok(Arc::clone(signing));
        }
        let signing = Arc::new(self.read().await?);
        *cached = Some(Arc::clone(&signing));
        Ok(signing)
    }

    /// Reads the key that signs now; makes the first one, or the next where the newest is old.
    async fn read(&self) -> Result<Signing, KeyError> {
        let mut rows = self.store.signing_keys().await?;
        let newest = newest(&rows);
        let old = |at: Timestamp| at.checked_add(self.lifetime).unwrap_or(Timestamp::MAX);
        if newest.is_none_or(|at| old(at) <= Timestamp::now()) {
            let key = self.generate(newest.map_or(Duration::ZERO, |_| LEAD))?;
            // Whoever is first makes it; all read what is there then.
            self.store.add_signing_key(&key, newest, false).await?;
            rows = self.store.signing_keys().await?;
        }
        let row = current(&rows).ok_or(KeyError::Missing)?;
        let succeeded = |other: &SigningKeyRow| other.signs_from < row.signs_from;
        if rows
            .iter()
            .any(|other| other.sealed.is_some() && succeeded(other))
        {
            let grace = Timestamp::now() - GRACE;
            self.store.forget_succeeded_keys(grace).await?;
        }
        let sealed = row.sealed.as_deref().ok_or(KeyError::Missing)?;
        Ok(Signing {
            read: Instant::now(),
            kid: row.kid.clone(),
            key: EncodingKey::from_ed_der(&self.seal.open(&row.kid, sealed)?),
        })
    }

    fn generate(&self, lead: Duration) -> Result<SigningKeyRow, KeyError> {
        let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new())
            .map_err(|_| KeyError::Generation)?;
        let key = EncodingKey::from_ed_der(document.as_ref());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let now = Timestamp::now();
        Ok(SigningKeyRow {
            jwk: serde_json::to_string(&jwk)?,
            sealed: Some(self.seal.seal(&kid, document.as_ref())?),
            kid,
            created_at: now,
            signs_from: now.checked_add(lead).unwrap_or(Timestamp::MAX),
        })
    }
}

/// The key that signs now. The rows are sorted, the one that signs last first. Where the clock went
/// back behind them all, the one that signs first: there is no other.
fn current(rows: &[SigningKeyRow]) -> Option<&SigningKeyRow> {
    let now = Timestamp::now();
    let mut able = rows.iter().filter(|row| row.sealed.is_some());
    able.clone()
        .find(|row| row.signs_from <= now)
        .or_else(|| able.next_back())
}

fn newest(rows: &[SigningKeyRow]) -> Option<Timestamp> {
    rows.iter().map(|row| row.created_at).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str, signs_in: i64, sealed: bool) -> SigningKeyRow {
        let at = Timestamp::now() + Duration::from_secs(1_000_000);
        let at = at - Duration::from_secs(u64::try_from(1_000_000 - signs_in).unwrap());
        SigningKeyRow {
            kid: kid.to_owned(),
            jwk: String::new(),
            sealed: sealed.then(Vec::new),
            created_at: at,
            signs_from: at,
        }
    }

    #[test]
    fn a_clock_that_goes_back_behind_all_keys_stops_no_receipt() {
        let signing = |rows: &[SigningKeyRow]| current(rows).map(|row| row.kid.clone());
        let old = key("old", -60, true);
        let next = key("next", 60, true);
        let spent = key("spent", -60, false);
        assert_eq!(
            signing(&[next.clone(), old.clone()]),
            Some("old".to_owned())
        );
        let later = key("later", 120, true);
        assert_eq!(signing(&[later, next, spent]), Some("next".to_owned()));
        assert_eq!(signing(&[key("spent", -60, false)]), None);
    }
}
