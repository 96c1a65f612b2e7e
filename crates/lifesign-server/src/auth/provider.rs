//! Tokens of an external identity provider, verified by the keys that it publishes (a JWK set,
//! RFC 7517).
//!
//! A key says with which algorithm it is used; the algorithm that a token names is not asked. Keys
//! are fetched when they are first needed, kept, and fetched again when they are old or when a
//! token names a key that is not among them; how often that may happen is limited, so that made-up
//! key names cannot be used to flood the provider.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::{CLOCK_SKEW, is_to_come, is_understood};
use crate::jwks;

/// Longest token that is looked at; providers put groups and roles into theirs.
const LONGEST: usize = 16 << 10;
const MAX_KEYS: usize = 100;
/// How long keys are trusted while the provider cannot be reached.
const LONGEST_UNREACHABLE: Duration = Duration::from_secs(24 * 3600);
/// The keys are asked for at most this often in one refresh time, whatever tokens name.
const FETCHES: u32 = 20;

/// An identity provider as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Where its keys are.
    pub jwks_url: Url,
    /// What its tokens must have as `iss`.
    pub issuer: String,
    /// What its tokens must have as, or among, `aud`.
    pub audience: String,
    /// The claim that holds the id or name of a client of this service.
    pub client_claim: String,
    /// How long keys are used before they are fetched again.
    pub refresh: Duration,
}

/// The provider cannot be asked: TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("the identity provider's keys cannot be fetched: {0}")]
pub struct ProviderError(#[from] reqwest::Error);

/// Whom a token of the provider speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The id or name of a client.
    pub client: String,
    /// Whether the token's time is over.
    pub expired: bool,
}

#[derive(Clone)]
struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

#[derive(Default)]
struct Keys {
    /// When they came, and when they were last asked for.
    fetched: Option<Instant>,
    asked: Option<Instant>,
    keys: Vec<Key>,
}

/// Verifies an identity provider's tokens.
pub struct IdentityProvider {
    config: ProviderConfig,
    client: Client,
    keys: RwLock<Arc<Keys>>,
    fetching: Mutex<()>,
}

impl fmt::Debug for IdentityProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdentityProvider")
            .field(&self.config)
            .finish()
    }
}

impl IdentityProvider {
    /// A verifier that fetches nothing yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(config: ProviderConfig) -> Result<IdentityProvider, ProviderError> {
        Ok(IdentityProvider {
            config,
            client: jwks::client()?,
            keys: RwLock::default(),
            fetching: Mutex::default(),
        })
    }

    /// Whom the token speaks for, if the provider signed it for this service; its expiry is told,
    /// not judged.
    pub async fn verify(&self, token: &str) -> Option<Subject> {
        if token.len() > LONGEST {
            return None;
        }
        let kid = jsonwebtoken::decode_header(token).ok()?.kid;
        let mut keys = self.current();
        let wanted =
            |keys: &Keys| keys.older_than(self.config.refresh) || !keys.knows(kid.as_deref());
        if wanted(&keys) && keys.asked_before(self.config.refresh / FETCHES) {
            keys = self.fetch(&keys).await;
        }
        if keys.older_than(LONGEST_UNREACHABLE) {
            return None;
        }
        let claims = keys
            .named(kid.as_deref())
            .find_map(|key| self.claims(token, key))?;
        let expires_at = claims.get("exp")?.as_f64()?;
        match claims.get("iat") {
            Some(issued_at) if is_to_come(issued_at.as_f64()?) => return None,
            _ => {}
        }
        Some(Subject {
            client: claims.get(&self.config.client_claim)?.as_str()?.to_owned(),
            expired: expires_at + f64::from(CLOCK_SKEW) <= Timestamp::now().as_second() as f64,
        })
    }

    fn claims(&self, token: &str, key: &Key) -> Option<Map<String, Value>> {
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[&self.config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = u64::from(CLOCK_SKEW);
        // Told apart by `verify`: 403 for a token that was good, 401 for everything else.
        validation.validate_exp = false;
        let data = jsonwebtoken::decode(token, &key.key, &validation).ok()?;
        is_understood(&data.header).then_some(data.claims)
    }

    fn current(&self) -> Arc<Keys> {
        // Only ever replaced as a whole, so a panic elsewhere left nothing half-done.
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Fetches the keys anew unless somebody else did since `seen`; those that were there stay when
    /// the provider cannot be reached.
    async fn fetch(&self, seen: &Arc<Keys>) -> Arc<Keys> {
        let _one_at_a_time = self.fetching.lock().await;
        let before = self.current();
        if !Arc::ptr_eq(&before, seen) {
            return before;
        }
        let now = Some(Instant::now());
        let keys = match self.download().await {
            Ok(keys) => Keys {
                fetched: now,
                asked: now,
                keys,
            },
            Err(cause) => {
                tracing::warn!(cause, "the identity provider's keys could not be fetched");
                Keys {
                    fetched: before.fetched,
                    asked: now,
                    keys: before.keys.clone(),
                }
            }
        };
        let keys = Arc::new(keys);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        keys
    }

    async fn download(&self) -> Result<Vec<Key>, String> {
        let keys = read(&jwks::download(&self.client, self.config.jwks_url.clone()).await?)?;
        if keys.is_empty() {
            return Err("the key set holds no RS256, ES256 or EdDSA key".to_owned());
        }
        Ok(keys)
    }
}

impl Keys {
    fn older_than(&self, age: Duration) -> bool {
        self.fetched.is_none_or(|at| at.elapsed() > age)
    }

    fn asked_before(&self, age: Duration) -> bool {
        self.asked.is_none_or(|at| at.elapsed() > age)
    }

    fn knows(&self, kid: Option<&str>) -> bool {
        self.named(kid).next().is_some()
    }

    /// The keys that may have signed a token: all of them where it names none.
    fn named(&self, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        self.keys
            .iter()
            .filter(move |key| kid.is_none() || key.kid.as_deref() == kid)
    }
}

/// The keys of a set that can be used here; those of other kinds are passed over.
fn read(set: &[u8]) -> Result<Vec<Key>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(set)
        .map_err(|error| format!("the answer is no key set: {error}"))?;
    let keys = set.keys.into_iter().take(MAX_KEYS);
    Ok(keys.filter_map(usable).collect())
}

fn usable(key: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    let for_signatures = matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    );
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        // Above all no symmetric key: what is published is no secret.
        _ => return None,
    };
    let as_named = jwk
        .common
        .key_algorithm
        .is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    if !for_signatures || !as_named {
        return None;
    }
    Some(Key {
        kid: jwk.common.key_id.clone(),
        algorithm,
        key: DecodingKey::from_jwk(&jwk).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_grow_old_even_when_the_provider_is_asked_in_vain() {
        let long_ago = Instant::now();
        std::thread::sleep(Duration::from_millis(3));
        let keys = Keys {
            fetched: Some(long_ago),
            asked: Some(Instant::now()),
            keys: Vec::new(),
        };
        assert!(keys.older_than(Duration::from_millis(1)));
        assert!(!keys.asked_before(Duration::from_secs(60)));
        assert!(Keys::default().older_than(LONGEST_UNREACHABLE));
    }

    #[test]
    fn only_public_signature_keys_of_the_three_algorithms_are_used() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let set = json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "good"},
            {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "named", "alg": "EdDSA", "use": "sig"},
            {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "other use", "use": "enc"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "other algorithm", "alg": "RS512"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "symmetric", "alg": "HS256"},
            {"kty": "EC", "crv": "P-384", "x": x, "y": x, "kid": "other curve"},
            {"kty": "new", "kid": "unknown"},
            7,
        ]});
        let keys = read(set.to_string().as_bytes()).unwrap();
        let kids: Vec<_> = keys.iter().filter_map(|key| key.kid.as_deref()).collect();
        assert_eq!(kids, ["good", "named"]);
        assert!(read(b"[]").is_err());
    }
}
