//! Webhooks: signed, retried, and never lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt as _;
use lifesign::{AssessError, AssessOptions, Rejection};
use lifesign_server::fetch::Network;
use lifesign_server::store::{Delivery, DeliveryState};
use lifesign_server::{AdminError, FIRST_CLIENT};
use serde_json::{Value, json};

use crate::harness::{Fake, Server, constant, request, serve};

const QUICK: &[(&str, &str)] = &[("webhook_pause", "20ms"), ("webhook_timeout", "500ms")];

/// A client's server: answers what the test says, and keeps what it got.
#[derive(Clone)]
struct Receiver {
    answer: Arc<Mutex<StatusCode>>,
    got: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    url: String,
}

impl Receiver {
    async fn start(answer: StatusCode) -> Receiver {
        let answer = Arc::new(Mutex::new(answer));
        let got = Arc::new(Mutex::new(Vec::new()));
        let (says, keeps) = (Arc::clone(&answer), Arc::clone(&got));
        let handler = move |request: Request| async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            keeps.lock().unwrap().push((head.headers, body));
            let status = *says.lock().unwrap();
            let elsewhere = [("location", "/elsewhere")];
            (status, elsewhere)
        };
        let url = serve(Router::new().route("/hook", post(handler))).await + "/hook";
        Receiver { answer, got, url }
    }

    fn says(&self, answer: StatusCode) {
        *self.answer.lock().unwrap() = answer;
    }

    fn got(&self) -> Vec<(HeaderMap, String)> {
        self.got.lock().unwrap().clone()
    }

    async fn has(&self, count: usize) -> Vec<(HeaderMap, String)> {
        until(async || self.got().len() >= count).await;
        self.got()
    }
}

/// Waits, for a time that no working delivery needs.
async fn until(condition: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never happened");
}

async fn deliveries(server: &Server, state: DeliveryState) -> Vec<Delivery> {
    server
        .admin
        .deliveries(FIRST_CLIENT, Some(state), 100)
        .await
        .unwrap()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

#[tokio::test]
async fn every_finished_attempt_is_told_signed_and_without_an_image() {
    let engine = |bytes: &[u8], _: &AssessOptions| match bytes {
        b"a photograph" => Ok(0.9),
        _ => Err(AssessError::Rejected(Rejection::NoFace)),
    };
    let receiver = Receiver::start(StatusCode::NO_CONTENT).await;
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), QUICK).await;
    assert_eq!(
        server.ask(&request()).await.status,
        200,
        "before there is a webhook"
    );
    let (webhook, secret) = server
        .admin
        .add_webhook(FIRST_CLIENT, &receiver.url)
        .await
        .unwrap();
    assert_eq!(webhook.id.len(), 24);

    let id = server.ask(&request()).await.body["id"].take();
    let (headers, body) = receiver.has(1).await.remove(0);
    let event: Value = serde_json::from_str(&body).unwrap();
    let route = format!("/v2/face-recognition/attempts/{}", id.as_str().unwrap());
    let attempt = server.get(&route).await.body["data"].take();
    assert_eq!(
        event,
        json!({"type": "attempt.finished", "timestamp": attempt["createdAt"], "data": attempt})
    );

    let key = BASE64_STANDARD
        .decode(secret.to_string().strip_prefix("whsec_").unwrap())
        .unwrap();
    let (id, timestamp) = (
        header(&headers, "webhook-id"),
        header(&headers, "webhook-timestamp"),
    );
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let tag = aws_lc_rs::hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    let expected = format!("v1,{}", BASE64_STANDARD.encode(tag));
    assert_eq!(header(&headers, "webhook-signature"), expected);
    let age = jiff::Timestamp::now().as_second() - timestamp.parse::<i64>().unwrap();
    assert!((0..60).contains(&age), "{age}");

    server.ask(&crate::harness::with("image", "AAAA")).await;
    let (_, refused) = receiver.has(2).await.remove(1);
    let refused: Value = serde_json::from_str(&refused).unwrap();
    assert_eq!(refused["data"]["failureReason"], "no_face_detected");
    until(async || deliveries(&server, DeliveryState::Delivered).await.len() == 2).await;
}

#[tokio::test]
async fn a_client_is_told_of_its_own_attempts_only() {
    let receiver = Receiver::start(StatusCode::OK).await;
    let (_dir, mut server) = Server::fresh(constant(0.9), QUICK).await;
    server.admin.add_client("other").await.unwrap();
    server
        .admin
        .add_webhook("other", &receiver.url)
        .await
        .unwrap();
    server.ask(&request()).await;
    server.token = server.admin.issue_token("other", None).await.unwrap().token;
    let id = server.ask(&request()).await.body["id"].take();
    let got = receiver.has(1).await;
    let event: Value = serde_json::from_str(&got[0].1).unwrap();
    assert_eq!((event["data"]["id"].clone(), got.len()), (id, 1));
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_with_the_same_id_and_body() {
    let receiver = Receiver::start(StatusCode::INTERNAL_SERVER_ERROR).await;
    let (_dir, server) = Server::fresh(constant(0.9), QUICK).await;
    server
        .admin
        .add_webhook(FIRST_CLIENT, &receiver.url)
        .await
        .unwrap();
    server.ask(&request()).await;
    receiver.has(2).await;
    // A redirect is no acceptance, and is not followed.
    receiver.says(StatusCode::TEMPORARY_REDIRECT);
    let seen = receiver.got().len();
    receiver.has(seen + 2).await;
    receiver.says(StatusCode::OK);
    until(async || deliveries(&server, DeliveryState::Delivered).await.len() == 1).await;
    let delivery = deliveries(&server, DeliveryState::Delivered)
        .await
        .remove(0);
    let got = receiver.got();
    assert_eq!(delivery.tries as usize, got.len());
    assert_eq!(delivery.outcome.as_deref(), Some("answered 200 OK"));
    for (headers, body) in &got {
        assert_eq!(header(headers, "webhook-id"), delivery.id);
        assert_eq!(body, &got[0].1);
    }
}

#[tokio::test]
async fn retries_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Server::start(dir.path(), constant(0.9), QUICK, Network::public());
    let receiver = Receiver::start(StatusCode::SERVICE_UNAVAILABLE).await;
    let server = start().await;
    server
        .admin
        .add_webhook(FIRST_CLIENT, &receiver.url)
        .await
        .unwrap();
    let ids = [server.ask(&request()).await, server.ask(&request()).await];
    receiver.has(3).await;
    server.stop().await.unwrap();

    let before = receiver.got().len();
    receiver.says(StatusCode::OK);
    let server = start().await;
    until(async || deliveries(&server, DeliveryState::Delivered).await.len() == 2).await;
    let mut told: Vec<Value> = receiver.got()[before..]
        .iter()
        .map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["data"]["id"].take())
        .collect();
    let mut expected = ids.map(|answer| answer.body["id"].clone());
    told.sort_by_key(Value::to_string);
    expected.sort_by_key(Value::to_string);
    assert_eq!(told, expected, "each once");
}

#[tokio::test]
async fn what_was_given_up_is_listed_and_can_be_replayed() {
    let settings = [QUICK, &[("webhook_give_up", "100ms")]].concat();
    let receiver = Receiver::start(StatusCode::BAD_GATEWAY).await;
    let (_dir, server) = Server::fresh(constant(0.9), &settings).await;
    server
        .admin
        .add_webhook(FIRST_CLIENT, &receiver.url)
        .await
        .unwrap();
    server.ask(&request()).await;
    until(async || deliveries(&server, DeliveryState::Failed).await.len() == 1).await;
    let failed = deliveries(&server, DeliveryState::Failed).await.remove(0);
    assert_eq!(failed.outcome.as_deref(), Some("answered 502 Bad Gateway"));
    assert_eq!(
        (failed.due_at, failed.url.as_str()),
        (None, receiver.url.as_str())
    );

    receiver.says(StatusCode::OK);
    assert_eq!(
        server
            .admin
            .replay_deliveries(FIRST_CLIENT, None)
            .await
            .unwrap(),
        1
    );
    until(async || deliveries(&server, DeliveryState::Delivered).await.len() == 1).await;
    assert_eq!(
        server
            .admin
            .replay_deliveries(FIRST_CLIENT, None)
            .await
            .unwrap(),
        0
    );
    // One that arrived can be sent once more, too: the receiver may have lost it.
    let seen = receiver.got().len();
    let replayed = server
        .admin
        .replay_deliveries(FIRST_CLIENT, Some(&failed.id))
        .await;
    assert_eq!(replayed.unwrap(), 1);
    receiver.has(seen + 1).await;
    let unknown = server
        .admin
        .replay_deliveries(FIRST_CLIENT, Some("unknown"))
        .await;
    assert!(matches!(unknown, Err(AdminError::NoSuchDelivery { .. })));
}

#[tokio::test]
async fn a_webhook_that_nobody_answers_delays_neither_requests_nor_other_webhooks() {
    // Accepts connections, and never says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", silent.local_addr().unwrap());
    let receiver = Receiver::start(StatusCode::OK).await;
    let (_dir, server) = Server::fresh(constant(0.9), &[("webhook_timeout", "1h")]).await;
    server
        .admin
        .add_webhook(FIRST_CLIENT, &silent)
        .await
        .unwrap();
    server
        .admin
        .add_webhook(FIRST_CLIENT, &receiver.url)
        .await
        .unwrap();
    for _ in 0..100 {
        assert_eq!(server.ask(&request()).await.status, 200);
    }
    receiver.has(100).await;
}

#[tokio::test]
async fn a_removed_webhook_is_told_nothing_more_and_addresses_are_checked() {
    let receiver = Receiver::start(StatusCode::INTERNAL_SERVER_ERROR).await;
    let (_dir, server) = Server::fresh(constant(0.9), QUICK).await;
    let (webhook, _) = server
        .admin
        .add_webhook(FIRST_CLIENT, &receiver.url)
        .await
        .unwrap();
    assert_eq!(
        server.admin.webhooks(FIRST_CLIENT).await.unwrap(),
        std::slice::from_ref(&webhook)
    );
    server.ask(&request()).await;
    receiver.has(1).await;
    server
        .admin
        .remove_webhook(FIRST_CLIENT, &webhook.id)
        .await
        .unwrap();
    assert!(
        server
            .admin
            .deliveries(FIRST_CLIENT, None, 100)
            .await
            .unwrap()
            .is_empty()
    );
    let again = server.admin.remove_webhook(FIRST_CLIENT, &webhook.id).await;
    assert!(matches!(again, Err(AdminError::NoSuchWebhook { .. })));
    let bad = server
        .admin
        .add_webhook(FIRST_CLIENT, "ftp://shop.example")
        .await;
    assert!(matches!(bad, Err(AdminError::BadAddress(_))));
}
