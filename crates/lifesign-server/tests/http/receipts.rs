//! Receipts: what they state, that nothing else passes for one, and how their keys change.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lifesign_server::FIRST_CLIENT;
use lifesign_server::fetch::Network;
use lifesign_server::receipt::{
    JwkSet, Statement, VerifyError, fetch_keys, matches_image, read_keys, verify,
};
use serde_json::{Value, json};
use std::time::Duration;

use crate::harness::{Server, constant, request, with};

const KEYS: &str = "/.well-known/jwks.json";

async fn receipt(server: &Server) -> String {
    let answer = server.ask(&request()).await;
    answer.body["signature"]["receipt"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn keys(server: &Server) -> JwkSet {
    let answer = server.get(KEYS).await;
    assert!(answer.header("cache-control").unwrap().contains("max-age"));
    read_keys(answer.body.to_string().as_bytes()).unwrap()
}

fn kid(receipt: &str) -> String {
    let header = BASE64_URL_SAFE_NO_PAD
        .decode(receipt.split('.').next().unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["typ"], "lifesign-receipt+jwt");
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_receipt_states_what_was_judged_and_how() {
    let (_dir, server) = Server::fresh(constant(0.65), &[("issuer", "Acme")]).await;
    let mut body = with("os", "iOS");
    body["liveness_min_score"] = json!(0.62);
    let answer = server.ask(&body).await.body;
    let receipt = answer["signature"]["receipt"].as_str().unwrap();
    let statement = verify(receipt, &keys(&server).await).unwrap();
    let attempt = server.admin.attempts(FIRST_CLIENT).await.unwrap().remove(0);
    assert_eq!(
        statement,
        Statement {
            iss: "Acme".into(),
            jti: answer["id"].as_str().unwrap().into(),
            iat: attempt.created_at.as_second(),
            time: format!("{:.3}", attempt.created_at),
            client_id: attempt.client_id,
            // `printf 'a photograph' | sha256sum`
            image_sha256: "a249e87e1e6113da81cdd8a154c222283fbcceff6dd3727a63bf97eee562dfb3".into(),
            os: "iOS".into(),
            liveness_score: 0.65,
            min_score: 0.62,
            passed: true,
            decision: "uncertain".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            capture_session: None,
            nonce: None,
            weights: Default::default(),
        }
    );
    assert!(matches_image(&statement, b"a photograph"));
    assert!(!matches_image(&statement, b"another photograph"));
}

#[tokio::test]
async fn the_plain_answer_gains_the_receipt_and_nothing_else_and_it_can_be_switched_off() {
    for (switch, fields) in [("true", 3), ("false", 2)] {
        let (_dir, server) = Server::fresh(constant(0.9), &[("receipts", switch)]).await;
        let body = server.ask(&request()).await.body;
        assert_eq!(body.as_object().unwrap().len(), 3);
        assert_eq!(body["signature"].as_object().unwrap().len(), fields);
    }
}

#[tokio::test]
async fn an_altered_receipt_or_one_of_another_kind_is_refused() {
    let (_dir, server) = Server::fresh(constant(0.1), &[]).await;
    let (_other_dir, other) = Server::fresh(constant(0.9), &[]).await;
    let (receipt, keys) = (receipt(&server).await, keys(&server).await);
    verify(&receipt, &keys).unwrap();
    let [header, payload, signature] = receipt.split('.').collect::<Vec<_>>()[..] else {
        panic!()
    };
    let statement = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
    let forged = String::from_utf8(statement).unwrap().replace("0.1", "0.9");
    let forged = BASE64_URL_SAFE_NO_PAD.encode(forged);
    let refused = |text: &str| verify(text, &keys).unwrap_err();
    assert_eq!(
        refused(&format!("{header}.{forged}.{signature}")),
        VerifyError::BadSignature
    );
    assert_eq!(
        refused(&format!("{header}.{payload}.")),
        VerifyError::BadSignature
    );
    for cut in 0..receipt.len() {
        refused(&receipt[..cut]);
    }
    let foreign = self::receipt(&other).await;
    assert_eq!(refused(&foreign), VerifyError::UnknownKey(kid(&foreign)));
    // An access token is a JWS of ours, too.
    assert_eq!(refused(&server.token), VerifyError::NotAReceipt);
    for algorithm in ["none", "HS256"] {
        let header = json!({"alg": algorithm, "typ": "lifesign-receipt+jwt", "kid": kid(&receipt)});
        let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
        refused(&format!("{header}.{payload}.{signature}"));
    }
}

#[tokio::test]
async fn a_rotated_key_is_published_at_once_signs_later_and_old_receipts_stay_good() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Server::start(dir.path(), constant(0.9), &[], Network::public());
    let server = start().await;
    let before = receipt(&server).await;

    let later = server
        .admin
        .rotate_receipt_key(Duration::from_secs(3600))
        .await
        .unwrap();
    let published = keys(&server).await;
    assert!(published.find(&later).is_some() && published.keys.len() == 2);
    // A fresh start reads the keys anew, as a running service does after seconds.
    server.stop().await.unwrap();
    let server = start().await;
    assert_eq!(kid(&receipt(&server).await), kid(&before), "not yet");

    let now = server
        .admin
        .rotate_receipt_key(Duration::ZERO)
        .await
        .unwrap();
    server.stop().await.unwrap();
    let server = start().await;
    let after = receipt(&server).await;
    assert_eq!(kid(&after), now);
    let published = keys(&server).await;
    for receipt in [&before, &after] {
        verify(receipt, &published).unwrap();
    }

    server
        .admin
        .withdraw_receipt_key(&kid(&before))
        .await
        .unwrap();
    let published = keys(&server).await;
    assert!(matches!(
        verify(&before, &published),
        Err(VerifyError::UnknownKey(_))
    ));
    verify(&after, &published).unwrap();
    assert!(server.admin.withdraw_receipt_key("unknown").await.is_err());
}

#[tokio::test]
async fn a_running_service_sees_a_new_key_within_seconds() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let before = kid(&receipt(&server).await);
    server
        .admin
        .rotate_receipt_key(Duration::ZERO)
        .await
        .unwrap();
    // Not a measurement of speed: the bound is what the operator's guide promises, and then some.
    for _ in 0..100 {
        if kid(&receipt(&server).await) != before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the old key still signs");
}

#[tokio::test]
async fn a_key_that_is_old_is_succeeded_without_being_told() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [("receipt_key_lifetime", "1s")];
    let start = || Server::start(dir.path(), constant(0.9), &settings, Network::public());
    let server = start().await;
    let first = kid(&receipt(&server).await);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.stop().await.unwrap();
    let server = start().await;
    assert_eq!(
        kid(&receipt(&server).await),
        first,
        "its successor is only published yet"
    );
    assert_eq!(keys(&server).await.keys.len(), 2);
}

#[tokio::test]
async fn signing_keys_are_of_no_use_without_the_secret() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), constant(0.9), &[], Network::public()).await;
    receipt(&server).await;
    server.stop().await.unwrap();
    std::fs::remove_file(dir.path().join("data/secret.key")).unwrap();
    let server = Server::start(dir.path(), constant(0.9), &[], Network::public()).await;
    let answer = server.ask(&request()).await;
    answer.assert_error(500, "ERROR", "internal_error");
}

#[tokio::test]
async fn public_keys_are_fetched_from_where_nobody_can_change_them() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let receipt = receipt(&server).await;
    let fetched = fetch_keys(&format!("{}{KEYS}", server.url)).await.unwrap();
    verify(&receipt, &fetched).unwrap();
    for url in [
        "http://liveness.example/.well-known/jwks.json",
        "ftp://x/",
        "",
    ] {
        assert!(
            matches!(fetch_keys(url).await, Err(VerifyError::BadKeys(_))),
            "{url}"
        );
    }
    let wrong = fetch_keys(&format!("{}/healthz", server.url)).await;
    assert!(matches!(wrong, Err(VerifyError::BadKeys(_))));
}
