//! Sealing of what the database keeps for the service alone, such as signing keys: a stolen
//! database is of no use without the secret beside it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use aws_lc_rs::hkdf::{self, HKDF_SHA256, Salt};

use super::Secret;

/// AES-256-GCM with a random nonce, which stands before the ciphertext.
const NONCE: usize = 12;

/// Sealing or opening failed: what was sealed belongs to another secret, or is damaged.
#[derive(Debug, thiserror::Error)]
#[error(
    "what the database holds was sealed with another secret than secret.key, or is damaged; restore both \
     together"
)]
pub struct SealError;

/// Seals and opens for one purpose; what one purpose sealed no other can open.
pub struct Seal(RandomizedNonceKey);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        AES_256_GCM.key_len()
    }
}

impl Seal {
    /// The seal of `purpose`, by a key derived from the signing secret (HKDF, RFC 5869).
    ///
    /// # Errors
    /// The derivation failed, which it does not for a purpose of sane length.
    pub fn new(secret: &Secret, purpose: &str) -> Result<Seal, SealError> {
        let mut key = [0; 32];
        Salt::new(HKDF_SHA256, b"lifesign seal")
            .extract(secret.bytes())
            .expand(&[purpose.as_bytes()], KeyLength)
            .and_then(|derived| derived.fill(&mut key))
            .map_err(|_| SealError)?;
        RandomizedNonceKey::new(&AES_256_GCM, &key)
            .map(Seal)
            .map_err(|_| SealError)
    }

    /// Seals `clear`, bound to `name`: it opens only under the same name.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn seal(&self, name: &str, clear: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = clear.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(name.as_bytes()), &mut sealed)
            .map_err(|_| SealError)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens what was sealed under `name`.
    ///
    /// # Errors
    /// It was sealed by another secret, for another purpose or name, or is damaged.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(SealError)?;
        let mut body = body.to_vec();
        let clear = self
            .0
            .open_in_place(nonce.into(), Aad::from(name.as_bytes()), &mut body)
            .map_err(|_| SealError)?;
        Ok(clear.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_secret_purpose_and_name_open_what_was_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let secret = |name: &str| Secret::load_or_create(&dir.path().join(name)).unwrap();
        let (ours, theirs) = (secret("ours"), secret("theirs"));
        let seal = Seal::new(&ours, "keys").unwrap();
        let sealed = seal.seal("a", b"clear").unwrap();
        assert_ne!(
            sealed,
            seal.seal("a", b"clear").unwrap(),
            "a nonce of its own each time"
        );
        assert!(!sealed.windows(5).any(|window| window == b"clear"));
        assert_eq!(seal.open("a", &sealed).unwrap(), b"clear");
        assert!(seal.open("b", &sealed).is_err());
        assert!(
            Seal::new(&ours, "other")
                .unwrap()
                .open("a", &sealed)
                .is_err()
        );
        assert!(
            Seal::new(&theirs, "keys")
                .unwrap()
                .open("a", &sealed)
                .is_err()
        );
        for cut in 0..sealed.len() {
            assert!(seal.open("a", &sealed[..cut]).is_err());
        }
    }
}
