//! Every row of the contract that a request's fields decide, with an engine that says what the row
//! needs.

use std::sync::Arc;
use std::time::Duration;

use lifesign::{AssessError, AssessOptions, Device, Rejection};
use lifesign_server::FIRST_CLIENT;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::harness::{Answer, Fake, LIVENESS, Server, constant, request, with};

const SCORE_ROUTE: &str = "/v2/face-recognition/liveness-score";

#[tokio::test]
async fn a_judged_photograph_is_answered_in_the_contracts_form() {
    let settings = [("issuer", "Acme"), ("time_zone", "America/Bogota")];
    let (_dir, server) = Server::fresh(constant(0.981_249), &settings).await;
    for route in [LIVENESS, SCORE_ROUTE] {
        let sent = server
            .post(route)
            .bearer_auth(&server.token)
            .json(&request())
            .send()
            .await;
        let answer = Answer::of(sent.unwrap()).await;
        assert_eq!(answer.status, 200);
        let id = answer.body["id"].as_str().unwrap();
        assert_eq!(id.len(), 5);
        assert!(
            id.bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        );
        let date_time = answer.body["signature"]["dateTime"].as_str().unwrap();
        assert!(
            jiff::fmt::strtime::parse("%B %d, %Y %I:%M %p", date_time).is_ok(),
            "{date_time}"
        );
        let receipt = answer.body["signature"]["receipt"].as_str().unwrap();
        assert_eq!(receipt.split('.').count(), 3, "{receipt}");
        assert_eq!(
            answer.body,
            json!({
                "id": id,
                "data": {"passed": true, "min_score": 0.6, "liveness_score": 0.9812},
                "signature": {
                    "message": "Certified by Acme", "dateTime": date_time, "receipt": receipt,
                },
            })
        );
    }
}

#[tokio::test]
async fn passed_is_strictly_above_the_threshold_on_the_rounded_score() {
    for (score, min_score, passed) in [
        (0.6, None, false),
        (0.600_04, None, false),
        (0.600_06, None, true),
        (0.5, Some(json!(0.4999)), true),
        (0.5, Some(json!("0.5")), false),
        (1.0, Some(json!(1)), false),
        (0.0, Some(json!(0)), false),
    ] {
        let (_dir, server) = Server::fresh(constant(score), &[]).await;
        let body = match &min_score {
            Some(min_score) => with("liveness_min_score", min_score.clone()),
            None => request(),
        };
        let answer = server.ask(&body).await;
        assert_eq!(
            answer.body["data"]["passed"],
            json!(passed),
            "{score} against {min_score:?}"
        );
        let echoed = match min_score {
            Some(Value::String(text)) => serde_json::from_str(&text).unwrap(),
            Some(number) => number,
            None => json!(0.6),
        };
        assert_eq!(answer.body["data"]["min_score"], echoed);
    }
}

#[tokio::test]
async fn os_is_matched_without_case_and_anything_else_is_an_unknown_device() {
    let engine = |_: &[u8], options: &AssessOptions| {
        Ok(match options.device {
            Device::Desktop => 0.1,
            Device::Ios => 0.2,
            Device::Android => 0.3,
            _ => 0.4,
        })
    };
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[]).await;
    for (os, score) in [
        ("desktop", 0.1),
        ("iOS", 0.2),
        ("ANDROID", 0.3),
        ("Nokia 3310", 0.4),
    ] {
        assert_eq!(
            server.ask(&with("os", os)).await.body["data"]["liveness_score"],
            json!(score)
        );
    }
}

#[tokio::test]
async fn the_token_may_come_in_three_forms() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let token = &server.token;
    for header in [
        format!("Bearer {token}"),
        format!("JWT {token}"),
        format!("bearer {token}"),
        token.clone(),
    ] {
        let sent = server
            .post(LIVENESS)
            .header(AUTHORIZATION, header)
            .json(&request())
            .send()
            .await;
        assert_eq!(sent.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn no_token_or_one_that_is_not_ours_is_401() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let (_other_dir, other) = Server::fresh(constant(0.9), &[]).await;
    let damaged = format!("Bearer {}x", server.token);
    for header in [
        None,
        Some("Bearer"),
        Some("Bearer x.y.z"),
        Some("Basic abc"),
        Some(damaged.as_str()),
        Some(other.token.as_str()),
    ] {
        let mut post = server.post(LIVENESS).json(&request());
        if let Some(header) = header {
            post = post.header(AUTHORIZATION, header);
        }
        let answer = Answer::of(post.send().await.unwrap()).await;
        answer.assert_error(401, "UNAUTHORIZED", "Authentication required");
    }
}

#[tokio::test]
async fn a_token_that_is_expired_or_revoked_is_403() {
    let (_dir, mut server) = Server::fresh(constant(0.9), &[]).await;
    let short = server
        .admin
        .issue_token(FIRST_CLIENT, Some(Duration::ZERO))
        .await
        .unwrap();
    server.token = short.token;
    server
        .ask(&request())
        .await
        .assert_error(403, "FORBIDDEN", "token_expired");

    let revoked = server.admin.issue_token(FIRST_CLIENT, None).await.unwrap();
    server.token = revoked.token.clone();
    assert_eq!(server.ask(&request()).await.status, 200);
    assert_eq!(
        server.admin.revoke_token(&revoked.token).await.unwrap(),
        revoked.jti
    );
    server
        .ask(&request())
        .await
        .assert_error(403, "FORBIDDEN", "token_revoked");

    server.token = server
        .admin
        .issue_token(FIRST_CLIENT, None)
        .await
        .unwrap()
        .token;
    assert_eq!(server.ask(&request()).await.status, 200);
    server.admin.disable_client(FIRST_CLIENT).await.unwrap();
    server
        .ask(&request())
        .await
        .assert_error(403, "FORBIDDEN", "token_revoked");
}

#[tokio::test]
async fn the_first_field_that_breaks_its_rule_is_409_worded_as_joi_does() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    for (body, message) in [
        (json!({}), "\"os\" is required"),
        (json!({"os": ""}), "\"os\" is not allowed to be empty"),
        (json!({"os": 1}), "\"os\" must be a string"),
        (json!({"os": "IOS"}), "\"image\" is required"),
        (
            json!({"os": "IOS", "image": ""}),
            "\"image\" is not allowed to be empty",
        ),
        (
            json!({"os": "IOS", "image": {}}),
            "\"image\" must be a string",
        ),
        (
            with("collection_id", 7),
            "\"collection_id\" must be a string",
        ),
        (
            with("liveness_min_score", "x"),
            "\"liveness_min_score\" must be a number",
        ),
        (
            with("liveness_min_score", 1.1),
            "\"liveness_min_score\" must be less than or equal to 1",
        ),
        (
            with("liveness_min_score", -1),
            "\"liveness_min_score\" must be greater than or equal to 0",
        ),
        (json!([1]), "\"value\" must be of type object"),
        (
            json!({"liveness_min_score": 9, "image": 1, "os": null}),
            "\"os\" must be a string",
        ),
    ] {
        server
            .ask(&body)
            .await
            .assert_error(409, "MissingParameter", message);
    }
    assert_eq!(server.ask(&with("includeCost", true)).await.status, 200);
}

#[tokio::test]
async fn a_collection_of_another_client_looks_exactly_like_none() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    server.admin.add_client("other").await.unwrap();
    let ours = server
        .admin
        .add_collection(FIRST_CLIENT, "gate", "")
        .await
        .unwrap();
    let theirs = server
        .admin
        .add_collection("other", "gate", "")
        .await
        .unwrap();
    assert_eq!(
        server
            .ask(&with("collection_id", ours.id.as_str()))
            .await
            .status,
        200
    );
    for id in [theirs.id.as_str(), "0123456789abcdef01234567", "nonsense"] {
        server.ask(&with("collection_id", id)).await.assert_error(
            404,
            "NotFound",
            "Record not found.",
        );
    }
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(
        attempts.len(),
        1,
        "what was refused before the image is no attempt"
    );
    assert_eq!(attempts[0].collection_id.as_deref(), Some(ours.id.as_str()));
}

#[tokio::test]
async fn a_photograph_that_cannot_be_judged_is_422_and_recorded_without_a_score() {
    let engine = |_: &[u8], _: &AssessOptions| Err(AssessError::Rejected(Rejection::NoFace));
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[]).await;
    server
        .ask(&request())
        .await
        .assert_quality("ERR_NO_FACE_DETECTED", "no_face_detected");
    for image in [
        "%%%",
        "http://example.org/a.jpg",
        "data:image/png,x",
        "https://127.0.0.1/a.jpg",
    ] {
        server
            .ask(&with("image", image))
            .await
            .assert_quality("ERR_INVALID_IMAGE", "invalid_image");
    }
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    let mut reasons: Vec<&str> = attempts
        .iter()
        .filter_map(|a| a.reason.as_deref())
        .collect();
    // Those of one millisecond are in no order.
    reasons.sort();
    assert_eq!(reasons[..4], ["invalid_image"; 4]);
    assert_eq!(reasons[4], "no_face_detected");
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt.score.is_none() && !attempt.passed)
    );
}

#[tokio::test]
async fn every_spelling_of_the_image_reaches_the_engine_as_the_same_bytes() {
    let engine = |bytes: &[u8], _: &AssessOptions| {
        Ok(if bytes == b"\xfb\xff\xbfphoto" {
            0.9
        } else {
            0.1
        })
    };
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[]).await;
    for image in [
        "+/+/cGhvdG8=",
        "-_-_cGhvdG8",
        "+/+/\r\ncGhv\ndG8=\n",
        "data:image/jpeg;base64,+/+/cGhvdG8=",
        "data:text/plain;base64,-_-_cGhvdG8",
    ] {
        let answer = server.ask(&with("image", image)).await;
        assert_eq!(
            answer.body["data"]["liveness_score"],
            json!(0.9),
            "{image:?}"
        );
    }
}
