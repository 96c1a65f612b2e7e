//! Tokens: JWTs signed with HS256 and nothing else.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CLOCK_SKEW, Secret, is_understood};

/// Longest token that is looked at; ours are about 350 bytes.
const LONGEST: usize = 4096;

/// What a token says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The client it was issued to. Clients of the hosted service read it under this name.
    #[serde(rename = "clientId")]
    pub client_id: String,
    /// The token's id.
    pub jti: String,
    /// When it was issued, Unix seconds.
    pub iat: i64,
    /// When its time is over, Unix seconds.
    pub exp: i64,
    /// Who issued it. Informative: changing the issuer's name must not void the tokens.
    pub iss: String,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(…)")
    }
}

impl Claims {
    /// Whether its time is over, to the second.
    pub fn expired(&self) -> bool {
        self.exp <= Timestamp::now().as_second()
    }
}

/// A freshly signed token.
pub struct IssuedToken {
    /// What goes into `Authorization: Bearer`.
    pub token: String,
    /// Its id, to revoke it by.
    pub jti: String,
    /// Until when it is valid.
    pub expires_at: Timestamp,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IssuedToken {
            token: _,
            jti,
            expires_at,
        } = self;
        f.debug_struct("IssuedToken")
            .field("jti", jti)
            .field("expires_at", expires_at)
            .finish_non_exhaustive()
    }
}

/// Signs and verifies.
pub struct TokenKeys {
    sign: EncodingKey,
    verify: DecodingKey,
    validation: Validation,
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKeys(…)")
    }
}

impl TokenKeys {
    /// Keys from the signing secret.
    pub fn new(secret: &Secret) -> TokenKeys {
        let mut validation = Validation::new(Algorithm::HS256);
        // Expiry is checked after the signature by `Claims::expired`, because the answer differs:
        // 403 for a token of ours that is too old, 401 for everything else.
        validation.validate_exp = false;
        validation.validate_nbf = true;
        validation.leeway = u64::from(CLOCK_SKEW);
        TokenKeys {
            sign: EncodingKey::from_secret(secret.bytes()),
            verify: DecodingKey::from_secret(secret.bytes()),
            validation,
        }
    }

    /// Signs a fresh token. It is worth nothing until its id is in the database.
    ///
    /// # Errors
    /// The signature failed.
    pub fn issue(
        &self,
        client_id: &str,
        issuer: &str,
        lifetime: Duration,
    ) -> Result<IssuedToken, jsonwebtoken::errors::Error> {
        let now = Timestamp::now().as_second();
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let expires_at =
            Timestamp::from_second(now.saturating_add(lifetime)).unwrap_or(Timestamp::MAX);
        let claims = Claims {
            client_id: client_id.to_owned(),
            jti: Uuid::new_v4().to_string(),
            iat: now,
            exp: expires_at.as_second(),
            iss: issuer.to_owned(),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)?;
        Ok(IssuedToken {
            token,
            jti: claims.jti,
            expires_at,
        })
    }

    /// What the token says, if we signed it; when it was issued and when it expires is not looked at.
    ///
    /// The signature is compared in constant time: jsonwebtoken leaves it to `aws_lc_rs::hmac::verify`,
    /// which is `CRYPTO_memcmp`. Nothing else of a token is compared with a secret.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        if token.len() > LONGEST {
            return None;
        }
        let data = jsonwebtoken::decode::<Claims>(token, &self.verify, &self.validation).ok()?;
        is_understood(&data.header).then_some(data.claims)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    fn keys(dir: &tempfile::TempDir, name: &str) -> TokenKeys {
        TokenKeys::new(&Secret::load_or_create(&dir.path().join(name)).unwrap())
    }

    #[test]
    fn only_our_own_undamaged_hs256_tokens_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, theirs) = (keys(&dir, "ours"), keys(&dir, "theirs"));
        let issued = ours
            .issue("client", "Lifesign", Duration::from_secs(60))
            .unwrap();
        let claims = ours.verify(&issued.token).unwrap();
        assert_eq!(
            (claims.client_id.as_str(), &claims.jti),
            ("client", &issued.jti)
        );
        assert!(!claims.expired());

        let foreign = theirs
            .issue("client", "Lifesign", Duration::from_secs(60))
            .unwrap()
            .token;
        assert_eq!(ours.verify(&foreign), None);
        for cut in 0..issued.token.len() {
            assert_eq!(ours.verify(&issued.token[..cut]), None);
        }
        // The same claims under another algorithm, with our signature and with none.
        let [_, payload, signature] = issued.token.split('.').collect::<Vec<_>>()[..] else {
            panic!()
        };
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":"RS256"}"#,
        ] {
            let header = BASE64_URL_SAFE_NO_PAD.encode(header);
            assert_eq!(
                ours.verify(&format!("{header}.{payload}.{signature}")),
                None
            );
            assert_eq!(ours.verify(&format!("{header}.{payload}.")), None);
        }
        let hs512 =
            jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &ours.sign).unwrap();
        assert_eq!(ours.verify(&hs512), None);
    }

    #[test]
    fn a_token_is_over_in_the_second_of_its_expiry() {
        let now = Timestamp::now().as_second();
        let claims = |exp| Claims {
            client_id: "c".into(),
            jti: "j".into(),
            iat: now,
            exp,
            iss: "i".into(),
        };
        assert!(claims(now).expired());
        assert!(!claims(now + 60).expired());
    }

    #[test]
    fn neither_keys_nor_claims_nor_tokens_can_be_printed() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys(&dir, "ours");
        let issued = keys
            .issue("client-1", "Lifesign", Duration::from_secs(60))
            .unwrap();
        let claims = keys.verify(&issued.token).unwrap();
        assert_eq!(format!("{keys:?} {claims:?}"), "TokenKeys(…) Claims(…)");
        assert!(!format!("{issued:?}").contains(&issued.token));
    }
}
