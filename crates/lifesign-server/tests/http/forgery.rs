//! What it takes to forge a token, and every route that one is shown to.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lifesign_server::fetch::Network;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Answer, LIVENESS, Server, constant, request};
use crate::provider::base64;

const ROUTES: &[(Method, &str)] = &[
    (Method::POST, LIVENESS),
    (Method::POST, "/v2/face-recognition/liveness-score"),
    (Method::GET, "/v2/auth/session?origin=refresh"),
    (Method::POST, "/v2/auth/renew-and-revoke"),
    (Method::GET, "/v2/face-recognition/attempts"),
    (Method::GET, "/v2/face-recognition/attempts/ABCDE"),
    (Method::GET, "/v2/face-recognition/collections"),
    (Method::POST, "/v2/face-recognition/collections"),
    (Method::DELETE, "/v2/face-recognition/collections/x"),
    (Method::POST, "/liveness"),
];

/// A service, the secret that it signs with, and the claims of a token that it issued.
pub struct Target {
    pub server: Server,
    pub secret: Vec<u8>,
    pub claims: Value,
    _dir: TempDir,
}

impl Target {
    pub async fn start(settings: &[(&str, &str)]) -> Target {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("signing.key");
        let settings = [settings, &[("secret_file", file.to_str().unwrap())]].concat();
        let network = Network::public();
        let server = Server::start(dir.path(), constant(0.9), &settings, network).await;
        Target {
            secret: std::fs::read(&file).unwrap(),
            claims: payload(&server.token),
            server,
            _dir: dir,
        }
    }

    pub fn claims_with(&self, field: &str, value: impl Into<Value>) -> Value {
        let mut claims = self.claims.clone();
        claims[field] = value.into();
        claims
    }

    /// A token with the service's own secret, as only one who stole it could make.
    pub fn signed(&self, claims: &Value) -> String {
        hs256(&self.secret, &header(), claims.to_string())
    }

    /// Calls with a token where it belongs: in `X-API-Key` for OpenCV's clients.
    pub async fn call(&self, method: &Method, route: &str, token: &str) -> Answer {
        let (name, value) = match route {
            "/liveness" => (HeaderName::from_static("x-api-key"), token.to_owned()),
            _ => (AUTHORIZATION, format!("Bearer {token}")),
        };
        let url = format!("{}{route}", self.server.url);
        let call = self.server.client.request(method.clone(), url);
        let call = call.header(name, value).json(&request());
        Answer::of(call.send().await.unwrap()).await
    }

    pub async fn assert_refused(&self, what: &str, token: &str, status: u16) {
        let (code, messages): (_, &[_]) = match status {
            401 => ("UNAUTHORIZED", &["Authentication required"]),
            _ => ("FORBIDDEN", &["token_expired", "token_revoked"]),
        };
        for (method, route) in ROUTES {
            let answer = self.call(method, route, token).await;
            assert_eq!(
                answer.status, status,
                "{what} at {route}: {:?}",
                answer.body
            );
            let message = answer.body["message"].as_str().unwrap();
            assert!(messages.contains(&message), "{what} at {route}: {message}");
            answer.assert_error(status, code, message);
        }
    }

    pub async fn assert_accepted(&self, what: &str, token: &str) {
        for (method, route) in [(Method::POST, LIVENESS), (Method::POST, "/liveness")] {
            let answer = self.call(&method, route, token).await;
            assert_eq!(answer.status, 200, "{what} at {route}: {:?}", answer.body);
        }
    }
}

pub fn header() -> String {
    json!({"typ": "JWT", "alg": "HS256"}).to_string()
}

pub fn payload(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&payload.unwrap()).unwrap()
}

pub fn hs256(secret: &[u8], header: &str, payload: impl AsRef<[u8]>) -> String {
    hs(hmac::HMAC_SHA256, secret, header, payload)
}

pub fn hs(
    algorithm: hmac::Algorithm,
    secret: &[u8],
    header: &str,
    payload: impl AsRef<[u8]>,
) -> String {
    let message = format!("{}.{}", base64(header), base64(payload));
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
    format!("{message}.{}", base64(tag))
}
