//! Limits of one client: its rate, its requests under way, its quota; and those of all.

use std::sync::Arc;
use std::time::Duration;

use lifesign::{AssessError, AssessOptions, Rejection};
use lifesign_server::FIRST_CLIENT;
use lifesign_server::limits::ClientLimits;
use serde_json::json;

use crate::harness::{Answer, Fake, Server, begun, constant, gated, request, with};

fn number(answer: &Answer, header: &str) -> u64 {
    answer.header(header).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_429_and_told_when_to_come_back() {
    let settings = [("client_rate", "0.1"), ("client_burst", "2")];
    let (_dir, server) = Server::fresh(constant(0.9), &settings).await;
    for left in [1, 0] {
        let answer = server.ask(&request()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(number(&answer, "ratelimit-limit"), 2);
        assert_eq!(number(&answer, "ratelimit-remaining"), left);
        assert!((1..=20).contains(&number(&answer, "ratelimit-reset")));
    }
    let refused = server.ask(&request()).await;
    let message = "Too many requests. Try again in a moment.";
    refused.assert_error(429, "TooManyRequests", message);
    assert!((1..=10).contains(&number(&refused, "retry-after")));
    assert_eq!(number(&refused, "ratelimit-remaining"), 0);
    // The rate is that of all calls, in every dialect.
    for route in [
        "/v2/face-recognition/attempts",
        "/v2/auth/session?origin=refresh",
    ] {
        assert_eq!(server.get(route).await.status, 429, "{route}");
    }
    let opencv = server.post("/liveness").header("X-API-Key", &server.token);
    let opencv = Answer::of(opencv.json(&request()).send().await.unwrap()).await;
    assert_eq!(
        opencv.body,
        json!({"code": "TooManyRequests", "message": message})
    );
    assert!(number(&opencv, "retry-after") >= 1);
    // What nobody is known for has no limit, and no header of one.
    let probe = server.client.get(format!("{}/healthz", server.url));
    let probe = Answer::of(probe.send().await.unwrap()).await;
    assert_eq!((probe.status, probe.header("ratelimit-limit")), (200, None));
}

#[tokio::test]
async fn one_clients_limit_is_not_anothers_and_its_own_comes_first() {
    let settings = [("client_rate", "0.1"), ("client_burst", "1")];
    let (_dir, mut server) = Server::fresh(constant(0.9), &settings).await;
    assert_eq!(server.ask(&request()).await.status, 200);
    assert_eq!(server.ask(&request()).await.status, 429);
    server.admin.add_client("other").await.unwrap();
    let generous = ClientLimits {
        burst: Some(5),
        ..ClientLimits::default()
    };
    server.admin.limit_client("other", generous).await.unwrap();
    server.token = server.admin.issue_token("other", None).await.unwrap().token;
    for _ in 0..5 {
        assert_eq!(server.ask(&request()).await.status, 200);
    }
    assert_eq!(server.ask(&request()).await.status, 429);
}

#[tokio::test]
async fn only_so_many_requests_of_a_client_are_under_way() {
    let (engine, entered, open) = gated();
    let (_dir, server) = Server::fresh(engine, &[("client_concurrent", "1")]).await;
    let server = Arc::new(server);
    let first = begun(&server, &entered).await;
    let refused = server.ask(&request()).await;
    let message = "Too many requests at the same time. Try again in a moment.";
    refused.assert_error(429, "TooManyRequests", message);
    assert_eq!(number(&refused, "retry-after"), 1);
    drop(open);
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(server.ask(&request()).await.status, 200);
}

#[tokio::test]
async fn a_quota_counts_judged_photographs_and_ends_with_the_month() {
    let engine = |bytes: &[u8], _: &AssessOptions| match bytes {
        b"a photograph" => Ok(0.9),
        _ => Err(AssessError::Rejected(Rejection::NoFace)),
    };
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[("client_quota", "2")]).await;
    assert_eq!(server.ask(&request()).await.status, 200);
    // What a photograph took that cannot be judged is given back behind the answer, some time soon.
    let ask = async |image: &str| {
        for _ in 0..500 {
            let answer = server.ask(&with("image", image)).await;
            if answer.status != 429 {
                return answer.status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the quota is not given back");
    };
    for _ in 0..3 {
        assert_eq!(ask("AAAA").await, 422);
    }
    assert_eq!(ask("YSBwaG90b2dyYXBo").await, 200);
    let refused = server.ask(&request()).await;
    refused.assert_error(
        429,
        "TooManyRequests",
        "The quota of this month is used up.",
    );
    assert!((1..=31 * 86_400).contains(&number(&refused, "retry-after")));
    // Everything else goes on.
    assert_eq!(
        server.get("/v2/face-recognition/attempts").await.status,
        200
    );
    let more = ClientLimits {
        quota: Some(3),
        ..ClientLimits::default()
    };
    server.admin.limit_client(FIRST_CLIENT, more).await.unwrap();
    assert_eq!(server.ask(&request()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_requests_at_the_same_time_gets_more_than_the_quota() {
    let settings = [("client_quota", "5"), ("queue", "100")];
    let (_dir, server) = Server::fresh(constant(0.9), &settings).await;
    let server = Arc::new(server);
    let asked: Vec<_> = (0..30)
        .map(|_| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { server.ask(&request()).await.status })
        })
        .collect();
    let mut judged = 0;
    for answer in asked {
        match answer.await.unwrap() {
            200 => judged += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!(judged, 5);
}

#[tokio::test]
async fn a_photograph_that_waits_too_long_is_503() {
    let (engine, entered, open) = gated();
    let settings = [("workers", "1"), ("queue_timeout", "100ms")];
    let (_dir, server) = Server::fresh(engine, &settings).await;
    let server = Arc::new(server);
    let first = begun(&server, &entered).await;
    let late = server.ask(&request()).await;
    let message = "The service is busy. Try again in a moment.";
    late.assert_error(503, "ServiceUnavailable", message);
    assert_eq!(number(&late, "retry-after"), 1);
    drop(open);
    assert_eq!(first.await.unwrap().status, 200);
}

#[tokio::test]
async fn nearly_the_same_image_is_judged_only_so_often_a_day_and_no_score_is_told_beyond() {
    let settings = [("same_image_limit", "2"), ("client_quota", "10")];
    let (_dir, server) = Server::fresh(constant(0.9), &settings).await;
    for _ in 0..2 {
        assert_eq!(server.ask(&request()).await.status, 200);
    }
    let refused = server.ask(&request()).await;
    let message = "Nearly the same image was sent too often today. Take a new photograph.";
    refused.assert_error(429, "TooManyRequests", message);
    assert!((1..=86_400).contains(&number(&refused, "retry-after")));
    let another = server.ask(&with("image", "YW5vdGhlcg==")).await;
    assert_eq!(another.status, 200);
    let attempts = server.get("/v2/face-recognition/attempts").await;
    assert_eq!(attempts.body["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn bodies_beyond_the_memory_for_them_are_refused_until_there_is_room_again() {
    let (engine, entered, open) = gated();
    let settings = [
        ("workers", "1"),
        ("max_body_bytes", "300kB"),
        ("max_body_memory", "300kB"),
    ];
    let (_dir, server) = Server::fresh(engine, &settings).await;
    let server = Arc::new(server);
    let large = with("image", "A".repeat(200_000));
    let asking = Arc::clone(&server);
    let body = large.clone();
    let first = tokio::spawn(async move { asking.ask(&body).await });
    while !entered.load(std::sync::atomic::Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let refused = server.ask(&large).await;
    let message = "The service is busy. Try again in a moment.";
    refused.assert_error(503, "ServiceUnavailable", message);
    drop(open);
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(server.ask(&large).await.status, 200);
}
