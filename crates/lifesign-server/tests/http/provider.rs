//! Tokens of an external identity provider: a small one of the test's own, whose tokens are signed
//! here without the library that verifies them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use lifesign_server::FIRST_CLIENT;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Server, constant, request, serve};

pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    pub fn rsa() -> Key {
        Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn ec() -> Key {
        Key::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn ed() -> Key {
        Key::Ed(Ed25519KeyPair::generate().unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "RS256",
            Key::Ec(_) => "ES256",
            Key::Ed(_) => "EdDSA",
        }
    }

    pub fn jwk(&self, kid: &str) -> Value {
        match self {
            Key::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                json!({"kty": "RSA", "use": "sig", "kid": kid,
                       "n": base64(n.big_endian_without_leading_zero()),
                       "e": base64(e.big_endian_without_leading_zero())})
            }
            Key::Ec(pair) => {
                // An uncompressed point: 4, x, y.
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": kid,
                       "x": base64(&point[1..33]), "y": base64(&point[33..])})
            }
            Key::Ed(pair) => json!({"kty": "OKP", "crv": "Ed25519", "kid": kid,
                                    "x": base64(pair.public_key())}),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Key::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    pub fn token(&self, kid: &str, claims: &Value) -> String {
        let header = json!({"alg": self.algorithm(), "typ": "at+jwt", "kid": kid});
        self.token_with(&header, claims)
    }

    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            base64(header.to_string()),
            base64(claims.to_string())
        );
        format!("{message}.{}", base64(self.sign(message.as_bytes())))
    }
}

pub fn claims() -> Value {
    json!({"iss": "https://id.example/", "aud": ["liveness", "other"], "azp": FIRST_CLIENT,
           "exp": Timestamp::now().as_second() + 300})
}

fn claims_with(field: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[field] = value.into();
    claims
}

/// A provider whose keys can be changed, and how often it was asked.
pub struct Provider {
    keys: Arc<Mutex<Value>>,
    pub asked: Arc<AtomicUsize>,
    url: String,
}

impl Provider {
    pub async fn start(keys: Value) -> Provider {
        let (keys, asked) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let (published, counter) = (Arc::clone(&keys), Arc::clone(&asked));
        let answer = move || async move {
            counter.fetch_add(1, Ordering::SeqCst);
            json!({"keys": *published.lock().unwrap()}).to_string()
        };
        let url = serve(Router::new().route("/jwks", get(answer))).await + "/jwks";
        Provider { keys, asked, url }
    }

    pub async fn service(&self, refresh: &str) -> (TempDir, Server) {
        let settings = self.settings(refresh);
        Server::fresh(constant(0.9), &settings).await
    }

    pub fn settings<'a>(&'a self, refresh: &'a str) -> [(&'static str, &'a str); 5] {
        [
            ("idp_jwks_url", self.url.as_str()),
            ("idp_issuer", "https://id.example/"),
            ("idp_audience", "liveness"),
            ("idp_client_claim", "azp"),
            ("idp_refresh", refresh),
        ]
    }
}

async fn status(server: &mut Server, token: String) -> u16 {
    server.token = token;
    server.ask(&request()).await.status
}

#[tokio::test]
async fn tokens_of_the_three_algorithms_are_accepted_beside_our_own() {
    let keys = [("r", Key::rsa()), ("e", Key::ec()), ("d", Key::ed())];
    let set: Vec<Value> = keys.iter().map(|(kid, key)| key.jwk(kid)).collect();
    let provider = Provider::start(set.into()).await;
    let (_dir, mut server) = provider.service("10m").await;
    assert_eq!(server.ask(&request()).await.status, 200, "our own");
    assert_eq!(
        provider.asked.load(Ordering::SeqCst),
        0,
        "nobody needed the keys yet"
    );
    for (kid, key) in &keys {
        let token = key.token(kid, &claims());
        assert_eq!(status(&mut server, token).await, 200, "{kid}");
    }
    assert_eq!(
        provider.asked.load(Ordering::SeqCst),
        1,
        "the keys are kept"
    );

    // The client may be named by its id as well.
    let id = server.admin.clients().await.unwrap()[0].id.clone();
    let token = keys[0].1.token("r", &claims_with("azp", id));
    assert_eq!(status(&mut server, token).await, 200);
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(attempts.len(), 5);
}

#[tokio::test]
async fn a_token_for_others_or_of_nobody_known_is_401_and_an_old_one_403() {
    let (key, stranger) = (Key::ec(), Key::ec());
    let provider = Provider::start(json!([key.jwk("k")])).await;
    let (_dir, mut server) = provider.service("10m").await;
    let now = Timestamp::now().as_second();
    for (claims, expected) in [
        (claims_with("iss", "https://evil.example/"), 401),
        (claims_with("aud", "other"), 401),
        (claims_with("aud", json!(null)), 401),
        (claims_with("azp", "nobody"), 401),
        (claims_with("azp", 7), 401),
        (claims_with("exp", json!(null)), 401),
        (claims_with("azp", "default\0"), 401),
        (claims_with("nbf", now + 3600), 401),
        (claims_with("nbf", "tomorrow"), 401),
        (claims_with("nbf", now + 5), 200),
        (claims_with("iat", now + 3600), 401),
        (claims_with("iat", 1e300), 401),
        (claims_with("iat", "yesterday"), 401),
        (claims_with("iat", json!(null)), 401),
        (claims_with("iat", now + 5), 200),
        (claims_with("iat", now - 3600), 200),
        (claims_with("exp", -1), 401),
        (claims_with("exp", 1e300), 401),
        (claims_with("exp", now - 3600), 403),
    ] {
        let token = key.token("k", &claims);
        assert_eq!(status(&mut server, token).await, expected, "{claims}");
    }
    assert_eq!(
        status(&mut server, stranger.token("k", &claims())).await,
        401
    );
    server.admin.disable_client(FIRST_CLIENT).await.unwrap();
    assert_eq!(status(&mut server, key.token("k", &claims())).await, 403);
}

#[tokio::test]
async fn the_algorithm_is_the_keys_and_not_the_tokens() {
    let key = Key::rsa();
    let jwk = key.jwk("k");
    let provider = Provider::start(json!([jwk, Key::ed().jwk("d")])).await;
    let (_dir, mut server) = provider.service("10m").await;
    let good = key.token("k", &claims());
    let [_, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!()
    };
    for algorithm in ["none", "HS256", "RS512", "EdDSA", "ES256"] {
        let header = base64(json!({"alg": algorithm, "kid": "k"}).to_string());
        for signature in [signature, ""] {
            let token = format!("{header}.{payload}.{signature}");
            assert_eq!(status(&mut server, token).await, 401, "{algorithm}");
        }
    }
    // Signed by the key of another kid.
    assert_eq!(status(&mut server, key.token("d", &claims())).await, 401);
    assert_eq!(status(&mut server, good).await, 200);
}

#[tokio::test]
async fn a_rotated_key_is_fetched_when_a_token_names_it() {
    let (old, new) = (Key::ed(), Key::ed());
    let provider = Provider::start(json!([old.jwk("old")])).await;
    let (_dir, mut server) = provider.service("2s").await;
    assert_eq!(status(&mut server, old.token("old", &claims())).await, 200);
    *provider.keys.lock().unwrap() = json!([new.jwk("new")]);
    // Unknown keys are asked for at most 20 times in the refresh time.
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(status(&mut server, new.token("new", &claims())).await, 200);
    assert_eq!(
        status(&mut server, old.token("old", &claims())).await,
        401,
        "no longer published"
    );
}

#[tokio::test]
async fn made_up_key_names_do_not_flood_the_provider_and_its_absence_is_survived() {
    let key = Key::ed();
    let provider = Provider::start(json!([key.jwk("k")])).await;
    let (_dir, mut server) = provider.service("10m").await;
    assert_eq!(status(&mut server, key.token("k", &claims())).await, 200);
    for n in 0..20 {
        let token = key.token(&format!("made up {n}"), &claims());
        assert_eq!(status(&mut server, token).await, 401);
    }
    assert_eq!(provider.asked.load(Ordering::SeqCst), 1);

    let (_dir, mut impatient) = provider.service("20ms").await;
    assert_eq!(status(&mut impatient, key.token("k", &claims())).await, 200);
    *provider.keys.lock().unwrap() = json!("gone mad");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(
        status(&mut impatient, key.token("k", &claims())).await,
        200,
        "the keys that were there stay"
    );
}

#[tokio::test]
async fn a_providers_token_is_not_turned_into_one_of_ours() {
    let key = Key::ed();
    let provider = Provider::start(json!([key.jwk("k")])).await;
    let (_dir, mut server) = provider.service("10m").await;
    server.token = key.token("k", &claims());
    for (method, route) in [
        (Method::GET, "/v2/auth/session?origin=refresh"),
        (Method::POST, "/v2/auth/renew-and-revoke"),
    ] {
        let answer = server.call(method, route, None).await;
        answer.assert_error(403, "FORBIDDEN", "token_not_renewable");
    }
}
