//! Tokens for tokens.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::Value;

use crate::harness::{Server, constant, request};

const SESSION: &str = "/v2/auth/session";
const RENEW: &str = "/v2/auth/renew-and-revoke";

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_session_gives_another_token_for_the_asked_months_and_keeps_the_old_one() {
    let (_dir, mut server) = Server::fresh(constant(0.9), &[("token_lifetime", "2d")]).await;
    let answer = server
        .get(&format!("{SESSION}?origin=refresh&expiresIn=3"))
        .await;
    assert_eq!(answer.status, 200);
    let token = answer.body["accessToken"].as_str().unwrap();
    assert_eq!(
        answer.body,
        serde_json::json!({"accessToken": token, "tokenType": "bearer"})
    );
    let lifetime = |token: &str| {
        let claims = claims(token);
        (claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()) / 86_400
    };
    assert!((89..=92).contains(&lifetime(token)), "{}", lifetime(token));
    assert_eq!(claims(token)["clientId"], claims(&server.token)["clientId"]);

    let default = server.get(&format!("{SESSION}?origin=refresh")).await;
    assert_eq!(lifetime(default.body["accessToken"].as_str().unwrap()), 2);

    assert_eq!(server.ask(&request()).await.status, 200, "the old one");
    server.token = token.to_owned();
    assert_eq!(server.ask(&request()).await.status, 200, "the new one");
}

#[tokio::test]
async fn a_session_wants_its_parameters() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    for (query, message) in [
        ("", "\"origin\" is required"),
        ("?origin=login", "\"origin\" must be one of [refresh]"),
        (
            "?origin=refresh&expiresIn=0",
            "\"expiresIn\" must be greater than or equal to 1",
        ),
        (
            "?origin=refresh&expiresIn=13",
            "\"expiresIn\" must be less than or equal to 12",
        ),
        (
            "?origin=refresh&expiresIn=1.5",
            "\"expiresIn\" must be an integer",
        ),
    ] {
        let answer = server.get(&format!("{SESSION}{query}")).await;
        answer.assert_error(409, "MissingParameter", message);
    }
}

#[tokio::test]
async fn renewing_revokes_the_old_token_and_only_it() {
    let (_dir, mut server) = Server::fresh(constant(0.9), &[]).await;
    let old = server.token.clone();
    let other = server.get(&format!("{SESSION}?origin=refresh")).await;
    let other = other.body["accessToken"].as_str().unwrap().to_owned();

    let answer = server.call(Method::POST, RENEW, None).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let renewed = answer.body["token"].as_str().unwrap().to_owned();
    assert_eq!(answer.body.as_object().unwrap().len(), 1);
    for (token, status) in [(&old, 403), (&renewed, 200), (&other, 200)] {
        server.token.clone_from(token);
        assert_eq!(server.ask(&request()).await.status, status);
    }
    server.token = old;
    let again = server.call(Method::POST, RENEW, None).await;
    again.assert_error(403, "FORBIDDEN", "token_revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_renewals_at_the_same_time_one_gets_the_successor() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let renewals: Vec<_> = (0..8)
        .map(|_| server.post(RENEW).bearer_auth(&server.token))
        .map(|post| tokio::spawn(async move { post.send().await.unwrap().status().as_u16() }))
        .collect();
    let mut statuses = Vec::new();
    for renewal in renewals {
        statuses.push(renewal.await.unwrap());
    }
    statuses.sort();
    assert_eq!(statuses, [200, 403, 403, 403, 403, 403, 403, 403]);
}

#[tokio::test]
async fn without_a_valid_token_there_is_no_other() {
    let (_dir, mut server) = Server::fresh(constant(0.9), &[]).await;
    server.token = "x.y.z".to_owned();
    let answer = server.get(&format!("{SESSION}?origin=refresh")).await;
    answer.assert_error(401, "UNAUTHORIZED", "Authentication required");
    let answer = server.call(Method::POST, RENEW, None).await;
    answer.assert_error(401, "UNAUTHORIZED", "Authentication required");
}
