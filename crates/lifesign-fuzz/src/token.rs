//! Tokens and receipts: what was not signed with the right key, for the right use, is nobody's.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use lifesign_server::auth::{IdentityProvider, ProviderConfig, Secret, TokenKeys};
use lifesign_server::dialects::{Dialect as _, verifik::Verifik};
use lifesign_server::receipt;
use serde_json::{Value, json};

const SECRET: [u8; 32] = [7; 32];
const SEED: [u8; 32] = [9; 32];
const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "lifesign";
const CLIENT_CLAIM: &str = "azp";
/// The key that the targets sign with, in the provider's set and in that of the receipts.
const SIGNING: &str = "ed";

/// All who verify, and the keys that they trust.
struct World {
    own: TokenKeys,
    provider: IdentityProvider,
    receipts: JwkSet,
    hmac: EncodingKey,
    ed25519: EncodingKey,
    /// The public halves as secrets of HMAC: the classical confusion.
    confused: Vec<EncodingKey>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// Any text as a token and as a receipt: as it is, and with its last part replaced by a signature
/// over the others, without which what follows the signature's check would never be reached.
pub fn jwt(bytes: &[u8]) {
    header(bytes);
    let text = String::from_utf8_lossy(bytes);
    let world = &*WORLD;
    assert!(!world.own(&text), "a token that was not signed is ours");
    assert!(
        !world.provider(&text),
        "a token that was not signed is the provider's"
    );
    assert!(!world.receipt(&text), "a receipt that was not signed holds");

    let message = text.rsplit_once('.').map_or(&*text, |(message, _)| message);
    let signed = |key: &EncodingKey, algorithm| {
        let signature = crypto::sign(message.as_bytes(), key, algorithm).expect("the key signs");
        format!("{message}.{signature}")
    };
    let hs256 = signed(&world.hmac, Algorithm::HS256);
    world.own(&hs256);
    assert!(!world.provider(&hs256) && !world.receipt(&hs256));
    assert!(!world.own(&signed(&world.hmac, Algorithm::HS512)));
    let eddsa = signed(&world.ed25519, Algorithm::EdDSA);
    world.provider(&eddsa);
    world.receipt(&eddsa);
    assert!(!world.own(&eddsa));
    for key in &world.confused {
        let confused = signed(key, Algorithm::HS256);
        assert!(!world.own(&confused) && !world.provider(&confused) && !world.receipt(&confused));
    }
}

/// Any bytes as the header that a token stands in.
fn header(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else {
        return;
    };
    let headers: HeaderMap = [(AUTHORIZATION, value)].into_iter().collect();
    if let Some(token) = Verifik::token(&headers) {
        assert!(!token.is_empty() && !token.contains(|c: char| c.is_ascii_control() && c != '\t'));
        assert_eq!(token, token.trim());
    }
}

impl World {
    fn new() -> World {
        // PKCS #8 (RFC 8410) of a seed.
        let prefix = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let ed25519 = EncodingKey::from_ed_der(&[&prefix[..], &SEED].concat());
        let mut jwk = Jwk::from_encoding_key(&ed25519, Algorithm::EdDSA).expect("a key is a JWK");
        jwk.common.key_id = Some(SIGNING.to_owned());
        let jwk = serde_json::to_value(jwk).expect("a JWK is JSON");
        let public = jwk["x"].as_str().expect("it has a public half").to_owned();
        let set = json!({"keys": [
            jwk,
            {"kid": "rsa", "kty": "RSA", "use": "sig", "e": "AQAB", "n": RSA},
            {"kid": "ec", "kty": "EC", "crv": "P-256", "x": EC[0], "y": EC[1]},
        ]})
        .to_string();
        let confused = [
            BASE64_URL_SAFE_NO_PAD
                .decode(&public)
                .expect("it is base64"),
            public.into_bytes(),
            RSA.as_bytes().to_vec(),
            Vec::new(),
        ];
        World {
            own: TokenKeys::new(&Secret::from_bytes(&SECRET).expect("32 bytes are a secret")),
            provider: provider(&set),
            receipts: receipt::read_keys(set.as_bytes()).expect("it is a set of keys"),
            hmac: EncodingKey::from_secret(&SECRET),
            ed25519,
            confused: confused
                .iter()
                .map(|key| EncodingKey::from_secret(key))
                .collect(),
        }
    }

    /// Whether it is a token of ours; one that is says what was read from it, under our algorithm.
    fn own(&self, token: &str) -> bool {
        let Some(claims) = self.own.verify(token) else {
            return false;
        };
        assert!(token.len() <= 4096);
        let (head, payload) = parts(token);
        assert_eq!(head["alg"], "HS256");
        let said = serde_json::to_value(&claims).expect("claims are JSON");
        for (name, value) in said.as_object().expect("claims are an object") {
            assert_eq!(&payload[name], value, "{name}");
        }
        assert!(self.own.verify(&damaged(token)).is_none());
        claims.expired();
        true
    }

    /// Whether it is a token of the provider's; one that is was meant for us.
    fn provider(&self, token: &str) -> bool {
        let Some(subject) = verdict(&self.provider, token) else {
            return false;
        };
        let (head, payload) = parts(token);
        assert_eq!(head["alg"], "EdDSA");
        assert!(head["kid"].is_null() || head["kid"] == SIGNING);
        assert!(names(&payload["iss"], ISSUER) && names(&payload["aud"], AUDIENCE));
        assert_eq!(payload[CLIENT_CLAIM], subject);
        assert!(payload["exp"].is_number());
        assert!(verdict(&self.provider, &damaged(token)).is_none());
        true
    }

    /// Whether it is a valid receipt; one that is has the type and the key of one.
    fn receipt(&self, text: &str) -> bool {
        match receipt::verify(text, &self.receipts) {
            Ok(statement) => {
                let (head, payload) = parts(text);
                assert_eq!(
                    (&head["typ"], &head["alg"]),
                    (&json!(receipt::TYPE), &json!("EdDSA"))
                );
                assert_eq!(head["kid"], SIGNING);
                assert_eq!(payload["image_sha256"], statement.image_sha256);
                assert!(!receipt::matches_image(&statement, b"another photograph"));
                assert!(receipt::verify(&damaged(text), &self.receipts).is_err());
                true
            }
            Err(why) => {
                assert!(!why.to_string().is_empty());
                false
            }
        }
    }
}

/// Whom the token speaks for. The provider is asked for nothing on the way, whatever key the token
/// names: it was a moment ago.
fn verdict(provider: &IdentityProvider, token: &str) -> Option<String> {
    let mut verified = pin!(provider.verify(token));
    match verified
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(subject) => subject.map(|subject| subject.client),
        Poll::Pending => panic!("a token had the provider asked again"),
    }
}

/// An identity provider whose keys were fetched, from an address of this machine.
fn provider(set: &str) -> IdentityProvider {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let answer = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{set}",
        set.len()
    );
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let request = BufReader::new(stream.try_clone()?).lines();
        request
            .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
            .count();
        stream.write_all(answer.as_bytes())
    });
    let url = format!("http://{address}/jwks.json");
    let provider = IdentityProvider::new(ProviderConfig {
        jwks_url: url.parse().expect("it is an address"),
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        client_claim: CLIENT_CLAIM.to_owned(),
        // Longer than any run.
        refresh: Duration::from_secs(10 * 365 * 24 * 3600),
    })
    .expect("TLS can be set up");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    // `{"alg":"EdDSA"}`: the first token that names an algorithm has the keys fetched.
    let first = provider.verify("eyJhbGciOiJFZERTQSJ9.e30.AA");
    assert!(runtime.expect("a runtime starts").block_on(first).is_none());
    serving
        .join()
        .expect("it served")
        .expect("the keys were fetched");
    provider
}

/// The header and the payload of a token that was accepted.
fn parts(token: &str) -> (Value, Value) {
    let part = |part: Option<&str>| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part?).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    let mut all = token.split('.');
    let (head, payload) = (part(all.next()), part(all.next()));
    head.zip(payload)
        .expect("what was accepted has a header and a payload")
}

/// Whether a claim is `name`, or has it among others.
fn names(claim: &Value, name: &str) -> bool {
    claim == name
        || claim
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one == name))
}

/// The same with the first character of its signature changed.
fn damaged(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').expect("a token has a signature");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let rest = signature.get(1..).unwrap_or_default();
    format!("{message}.{first}{rest}")
}

/// Public keys whose private halves nobody has: the number of an RSA key, and a point of P-256.
const RSA: &str = "6O16NY1Hw28T0Iiw7_PpyHnucz25JwKA3uo9pj6YchrwpdYUrnhocY8hV8dpIpuXeMLbdNfrMAwUAOlqUGDz323Grfumbgy5RNJ5PE-0RnKBPbVRCCiRXNX8VoxakU3kfvY8Vx5BZCkqM1x5TgqrfcNMJ5ngCHgo0nim_Fr1zB2MH1UzlXtXmzwi1VWWExyV8BaiTkI9dOGVC8t-jHUMeO5m-y88Xt2xVaBkcE1zlCHBBPcFQxsjUr-IRAiSIfUgqytBXgweEu23y887vWy8v6-j5QXfBlSlweQmCSQc1CltnhdXVTTrMH3a8uBX6W_1ms-mHi8Wsp9UXeItdX2c4w";
const EC: [&str; 2] = [
    "CiwI7yStCJAf3UF0QSMl4jnyGhDe1nRUMhw-y1ub4dI",
    "lxBMLh0SCMPGUiH5ul_jHL5OwJkQqrrWbxujosfJ4xg",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn part(json: Value) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
    }

    fn signed(head: Value, payload: Value, key: &EncodingKey, algorithm: Algorithm) -> String {
        let message = format!("{}.{}", part(head), part(payload));
        let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// Else the target would check nothing beyond the signatures.
    #[test]
    fn what_the_target_signs_is_accepted() {
        let world = &*WORLD;
        let own = json!({"clientId": "c", "jti": "j", "iat": 1, "exp": 2, "iss": "x"});
        let own = signed(json!({"alg": "HS256"}), own, &world.hmac, Algorithm::HS256);
        assert!(world.own(&own));
        let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": 1, CLIENT_CLAIM: "c"});
        for head in [
            json!({"alg": "EdDSA"}),
            json!({"alg": "EdDSA", "kid": SIGNING}),
        ] {
            let token = signed(head, claims.clone(), &world.ed25519, Algorithm::EdDSA);
            assert!(world.provider(&token));
        }
        let statement = json!({
            "iss": "x", "jti": "j", "iat": 1, "time": "", "client_id": "c", "image_sha256": "", "os": "",
            "liveness_score": 1, "min_score": 0, "passed": true, "decision": "live", "version": "",
            "weights": {},
        });
        let head = json!({"typ": receipt::TYPE, "alg": "EdDSA", "kid": SIGNING});
        let token = signed(head, statement, &world.ed25519, Algorithm::EdDSA);
        assert!(world.receipt(&token));
    }
}
