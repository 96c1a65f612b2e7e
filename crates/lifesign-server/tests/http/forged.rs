//! Forged tokens: what an attacker may try without the keys. Each is shown to every route that wants a
//! token, in both dialects, and is a 401 of the contract there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::KeyPair as _;
use axum::Router;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use lifesign_server::receipt::{self, VerifyError};
use reqwest::Method;
use serde_json::json;

use crate::forgery::{Target, header, hs, hs256, payload};
use crate::harness::{request, serve};
use crate::provider::{self, Key, Provider, base64};

#[tokio::test]
async fn no_algorithm_but_ours_is_taken_and_no_key_but_ours() {
    let target = Target::start(&[]).await;
    let claims = target.claims.to_string();
    target
        .assert_accepted("as ours", &target.signed(&target.claims))
        .await;
    let [_, body, signature] = target.server.token.split('.').collect::<Vec<_>>()[..] else {
        panic!()
    };
    for algorithm in [
        "none", "None", "NONE", "nOnE", "", "hs256", "HS384", "HS512", "RS256", "PS256", "ES256",
        "EdDSA", "dir",
    ] {
        let head = base64(json!({"typ": "JWT", "alg": algorithm}).to_string());
        for signature in [signature, ""] {
            let token = format!("{head}.{body}.{signature}");
            target.assert_refused(algorithm, &token, 401).await;
        }
    }
    for (name, algorithm) in [("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
        let header = json!({"alg": name}).to_string();
        let token = hs(algorithm, &target.secret, &header, &claims);
        target.assert_refused(name, &token, 401).await;
    }
    let no_algorithm = hs256(&target.secret, r#"{"typ":"JWT"}"#, &claims);
    target.assert_refused("no alg", &no_algorithm, 401).await;
    let two = hs256(&target.secret, r#"{"alg":"none","alg":"HS256"}"#, &claims);
    target.assert_refused("two algs", &two, 401).await;
    for (what, secret) in [
        ("the empty secret", Vec::new()),
        ("a guess", b"secret".to_vec()),
        ("zeros", vec![0; 32]),
        ("the secret in hex", hex::encode(&target.secret).into()),
        ("the secret in base64", base64(&target.secret).into()),
        (
            "the client's id",
            target.claims["clientId"].as_str().unwrap().into(),
        ),
        ("half the secret", target.secret[..16].to_vec()),
    ] {
        let token = hs256(&secret, &header(), &claims);
        target.assert_refused(what, &token, 401).await;
    }
}

/// The classic: what the provider publishes, taken as if it were a shared secret.
#[tokio::test]
async fn the_providers_public_key_is_no_secret_for_hs256() {
    let key = Key::rsa();
    let Key::Rsa(pair) = &key else { panic!() };
    let jwk = key.jwk("k");
    let pkcs1 = pair.public_key().as_ref().to_vec();
    let spki = AsDer::<PublicKeyX509Der>::as_der(pair.public_key()).unwrap();
    let pem = |kind: &str, der: &[u8]| {
        let text = BASE64_STANDARD.encode(der).into_bytes();
        let lines: Vec<_> = text.chunks(64).map(String::from_utf8_lossy).collect();
        let lines = lines.join("\n");
        format!("-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n")
    };
    let n = jwk["n"].as_str().unwrap();
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(n).unwrap();
    let secrets: Vec<(&str, Vec<u8>)> = vec![
        ("n", modulus),
        ("n as it is written", n.into()),
        ("the JWK", jwk.to_string().into()),
        ("the key set", json!({"keys": [jwk]}).to_string().into()),
        ("SubjectPublicKeyInfo", spki.as_ref().to_vec()),
        ("its PEM", pem("PUBLIC KEY", spki.as_ref()).into()),
        (
            "its PEM, cut",
            pem("PUBLIC KEY", spki.as_ref()).trim_end().into(),
        ),
        ("PKCS #1", pkcs1.clone()),
        ("its PEM", pem("RSA PUBLIC KEY", &pkcs1).into()),
    ];

    let provider = Provider::start(json!([jwk])).await;
    let target = Target::start(&provider.settings("10m")).await;
    let token = key.token("k", &provider::claims());
    target.assert_accepted("the provider's own", &token).await;
    for (what, secret) in &secrets {
        for claims in [&target.claims, &provider::claims()] {
            for header in [json!({"alg": "HS256"}), json!({"alg": "HS256", "kid": "k"})] {
                let token = hs256(secret, &header.to_string(), claims.to_string());
                target.assert_refused(what, &token, 401).await;
            }
        }
    }
    // And the other way round: our claims by the provider's key.
    let token = key.token("k", &target.claims);
    target.assert_refused("our claims", &token, 401).await;
}

/// A header cannot bring its own key along, nor point to one.
#[tokio::test]
async fn keys_that_a_token_brings_along_or_points_to_are_not_looked_at() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let theirs = Key::rsa();
    let key_set = json!({"keys": [theirs.jwk("k")]}).to_string();
    let answer = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let key_set = key_set.clone();
        async move { key_set }
    };
    let url = serve(Router::new().fallback(answer)).await + "/jwks.json";

    let ours = Key::rsa();
    let provider = Provider::start(json!([ours.jwk("k")])).await;
    let target = Target::start(&provider.settings("10m")).await;
    let shared = b"a secret of the attacker's own".as_slice();
    let octets = json!({"kty": "oct", "k": base64(shared), "alg": "HS256"});
    let inserted = [
        ("jwk", octets),
        ("jwk", theirs.jwk("k")),
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("x5c", json!([BASE64_STANDARD.encode(b"no certificate")])),
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("' UNION SELECT value FROM secrets --")),
        ("kid", json!("k\0")),
        ("kid", json!(7)),
        ("kid", json!("x".repeat(2000))),
    ];
    for (name, value) in &inserted {
        let mut header = json!({"typ": "JWT", "alg": "HS256", "kid": "k"});
        header[name] = value.clone();
        for secret in [shared, b""] {
            let token = hs256(secret, &header.to_string(), target.claims.to_string());
            target.assert_refused(name, &token, 401).await;
        }
        header["alg"] = json!("RS256");
        for claims in [&target.claims, &provider::claims()] {
            let token = theirs.token_with(&header, claims);
            target.assert_refused(name, &token, 401).await;
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nobody went there");
    // They are ignored, and not held against a token that is good without them.
    let header = json!({"alg": "HS256", "kid": "any", "jku": url, "x5u": url}).to_string();
    let token = hs256(&target.secret, &header, target.claims.to_string());
    target.assert_accepted("ours", &token).await;
}

#[tokio::test]
async fn a_header_that_must_be_understood_is_refused() {
    let key = Key::rsa();
    let provider = Provider::start(json!([key.jwk("k")])).await;
    let target = Target::start(&provider.settings("10m")).await;
    for (crit, more) in [
        (json!(["exp"]), json!(7)),
        (json!(["b64"]), json!(false)),
        (json!([]), json!(null)),
        (json!("exp"), json!(null)),
    ] {
        let mut header = json!({"alg": "HS256", "kid": "k", "crit": crit, "b64": more, "exp": 7});
        let token = hs256(
            &target.secret,
            &header.to_string(),
            target.claims.to_string(),
        );
        target.assert_refused("ours", &token, 401).await;
        header["alg"] = json!("RS256");
        let token = key.token_with(&header, &provider::claims());
        target.assert_refused("the provider's", &token, 401).await;
    }
}

#[tokio::test]
async fn a_receipt_with_a_header_that_must_be_understood_is_none() {
    let target = Target::start(&[]).await;
    let answer = target.server.ask(&request()).await;
    let statement = payload(answer.body["signature"]["receipt"].as_str().unwrap());
    let key = Key::ed();
    let keys = receipt::read_keys(json!({"keys": [key.jwk("k")]}).to_string().as_bytes()).unwrap();
    let mut header = json!({"typ": receipt::TYPE, "alg": "EdDSA", "kid": "k"});
    assert!(receipt::verify(&key.token_with(&header, &statement), &keys).is_ok());
    header["crit"] = json!(["exp"]);
    let refused = receipt::verify(&key.token_with(&header, &statement), &keys);
    assert_eq!(refused.unwrap_err(), VerifyError::NotAReceipt);
}

#[tokio::test]
async fn a_token_with_any_character_changed_is_refused() {
    let target = Target::start(&[]).await;
    let token = target.server.token.clone();
    for at in 0..token.len() {
        for by in [b'A', b'_', b'.', b'='] {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == by { b'B' } else { by };
            let changed = String::from_utf8(changed).unwrap();
            let route = "/v2/face-recognition/attempts";
            let answer = target.call(&Method::GET, route, &changed).await;
            answer.assert_error(401, "UNAUTHORIZED", "Authentication required");
        }
    }
    target.assert_accepted("unchanged", &token).await;
}
