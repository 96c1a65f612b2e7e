//! What a token says and how it is shown: claims that the service did not issue are refused even where
//! they are signed with its secret, and what is no token is never a fault.

use jiff::Timestamp;
use lifesign_server::FIRST_CLIENT;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::{Value, json};

use crate::forgery::{Target, header, hs256, payload};
use crate::harness::{Answer, LIVENESS, request};

/// What even a stolen secret does not give: a token that this service did not issue to this client.
#[tokio::test]
async fn claims_that_do_not_fit_what_was_issued_are_refused() {
    let target = Target::start(&[]).await;
    let now = Timestamp::now().as_second();
    let other = target.server.admin.add_client("other").await.unwrap();
    let theirs = target
        .server
        .admin
        .issue_token("other", None)
        .await
        .unwrap();
    let revoked = target
        .server
        .admin
        .issue_token(FIRST_CLIENT, None)
        .await
        .unwrap();
    target
        .server
        .admin
        .revoke_token(&revoked.jti)
        .await
        .unwrap();
    let with = |field: &str, value: Value| target.claims_with(field, value);
    let without = |field: &str| {
        let mut claims = target.claims.clone();
        claims.as_object_mut().unwrap().remove(field);
        claims
    };
    for (what, claims, status) in [
        ("another client", with("clientId", json!(other.id)), 401),
        ("a client's name", with("clientId", json!("default")), 401),
        ("no client", without("clientId"), 401),
        ("a client that is a number", with("clientId", json!(7)), 401),
        ("another's token", with("jti", json!(theirs.jti)), 401),
        (
            "an unknown token",
            with("jti", json!("00000000-0000-4000-8000-000000000000")),
            401,
        ),
        ("no token", without("jti"), 401),
        ("a list of tokens", with("jti", json!([theirs.jti])), 401),
        ("a NUL", with("jti", json!("\0")), 401),
        ("expired", with("exp", json!(now - 1)), 403),
        ("expired before time", with("exp", json!(-1)), 401),
        ("no expiry", without("exp"), 401),
        ("an expiry in words", with("exp", json!("never")), 401),
        ("no expiry at all", with("exp", json!(null)), 401),
        ("a broken expiry", with("exp", json!(1e300)), 401),
        (
            "a fraction of an expiry",
            with("exp", json!(now as f64 + 9.5)),
            401,
        ),
        ("issued tomorrow", with("iat", json!(now + 86_400)), 401),
        ("issued in two minutes", with("iat", json!(now + 120)), 401),
        ("issued never", without("iat"), 401),
        ("issued in words", with("iat", json!("now")), 401),
        ("not before tomorrow", with("nbf", json!(now + 86_400)), 401),
        ("not before words", with("nbf", json!("now")), 401),
        ("revoked", payload(&revoked.token), 403),
    ] {
        target
            .assert_refused(what, &target.signed(&claims), status)
            .await;
    }
    // Clocks of replicas need not agree to the second.
    for (what, claims) in [
        ("issued in ten seconds", with("iat", json!(now + 10))),
        ("not before ten seconds", with("nbf", json!(now + 10))),
        ("extended", with("exp", json!(now + 86_400))),
    ] {
        target.assert_accepted(what, &target.signed(&claims)).await;
    }
    let stranger = Target::start(&[]).await;
    target
        .assert_refused("another service's", &stranger.server.token, 401)
        .await;
    target
        .server
        .admin
        .disable_client(FIRST_CLIENT)
        .await
        .unwrap();
    target
        .assert_refused("a disabled client's", &target.server.token, 403)
        .await;
}

#[tokio::test]
async fn what_is_no_set_of_claims_is_refused() {
    let target = Target::start(&[]).await;
    let claims = target.claims.to_string();
    let twice = |field: &str| {
        let value = &target.claims[field];
        claims.replacen('{', &format!("{{\"{field}\":{value},"), 1)
    };
    let padded = |length: usize| {
        let mut claims = target.claims.clone();
        claims["padding"] = "x".repeat(length).into();
        claims.to_string()
    };
    let mut payloads: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("null", b"null".to_vec()),
        ("a number", b"7".to_vec()),
        ("a string", b"\"claims\"".to_vec()),
        ("a list", format!("[{claims}]").into()),
        ("cut", claims[..claims.len() - 1].into()),
        ("followed by more", format!("{claims}{{}}").into()),
        ("no text", vec![0xff; 40]),
        ("a byte order mark", format!("\u{feff}{claims}").into()),
        ("nested", "[".repeat(2000).into()),
        ("over the limit", padded(4096).into()),
        ("far over the limit", padded(30 << 10).into()),
    ];
    for field in ["clientId", "jti", "exp", "iat", "iss"] {
        payloads.push((field, twice(field).into()));
    }
    for (what, payload) in &payloads {
        let token = hs256(&target.secret, &header(), payload);
        target.assert_refused(what, &token, 401).await;
    }
    for (what, token) in [
        ("one part", "x".to_owned()),
        ("two parts", "x.y".to_owned()),
        ("empty parts", "..".to_owned()),
        ("four parts", format!("{}.x", target.server.token)),
        ("five parts, as if encrypted", "a.b.c.d.e".to_owned()),
        ("padded", format!("{}==", target.server.token)),
        ("quoted", format!("\"{}\"", target.server.token)),
        (
            "a JSON serialization",
            json!({"payload": "x", "signatures": []}).to_string(),
        ),
        (
            "a client's id",
            target.claims["clientId"].as_str().unwrap().to_owned(),
        ),
        (
            "a token's id",
            target.claims["jti"].as_str().unwrap().to_owned(),
        ),
        ("null", "null".to_owned()),
        ("dots", ".".repeat(10_000)),
    ] {
        target.assert_refused(what, &token, 401).await;
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_in_no_other_scheme() {
    let target = Target::start(&[]).await;
    let token = target.server.token.as_str();
    let value = |text: String| vec![HeaderValue::from_bytes(text.as_bytes()).unwrap()];
    let good = |text: &str| value(text.replace("TOKEN", token));
    let both = |first: &str, second: &str| [good(first), good(second)].concat();
    for (values, status) in [
        (good("Bearer TOKEN"), 200),
        (good("bearer  \t TOKEN  "), 200),
        (good("JWT TOKEN"), 200),
        (good("TOKEN"), 200),
        (Vec::new(), 401),
        (good(""), 401),
        (good("Bearer"), 401),
        (good("Bearer "), 401),
        (good("Basic TOKEN"), 401),
        (good("Token TOKEN"), 401),
        (good("Digest username=\"TOKEN\""), 401),
        (good("Bearer Bearer TOKEN"), 401),
        (good("Bearer TOKEN TOKEN"), 401),
        (good("Bearer TOKEN, Bearer TOKEN"), 401),
        (good("Bearer \"TOKEN\""), 401),
        (good("Bearer TOKEN\u{e9}"), 401),
        (good("B\u{e9}arer TOKEN"), 401),
        (good("Bearer\u{a0}TOKEN"), 401),
        (
            vec![HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap()],
            401,
        ),
        (both("Bearer TOKEN", "Bearer TOKEN"), 401),
        (both("Bearer TOKEN", "Bearer x.y.z"), 401),
        (both("Bearer x.y.z", "Bearer TOKEN"), 401),
        (both("", "Bearer TOKEN"), 401),
    ] {
        let url = format!("{}/v2/face-recognition/attempts", target.server.url);
        let mut call = target.server.client.get(url);
        for value in &values {
            call = call.header(AUTHORIZATION, value);
        }
        let answer = Answer::of(call.send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{values:?}");
    }
    let keys = |values: &[&str]| {
        let post = target.server.post("/liveness").json(&request());
        values
            .iter()
            .fold(post, |post, value| post.header("x-api-key", *value))
    };
    for (values, status) in [
        (&[token][..], 200),
        (&[token, token], 401),
        (&["", token], 401),
        (&[&format!("Bearer {token}")], 401),
    ] {
        let answer = Answer::of(keys(values).send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{values:?}");
    }
    // Nor where it would be logged on its way.
    for place in ["access_token", "token", "authorization", "api_key"] {
        let url = format!("{}{LIVENESS}?{place}={token}", target.server.url);
        let call = target
            .server
            .client
            .post(url)
            .header("cookie", format!("{place}={token}"));
        let answer = Answer::of(call.json(&request()).send().await.unwrap()).await;
        answer.assert_error(401, "UNAUTHORIZED", "Authentication required");
    }
}
