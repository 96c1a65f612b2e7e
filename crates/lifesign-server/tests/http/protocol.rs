//! Every row of the contract that HTTP itself decides, before or instead of a verdict.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lifesign::AssessOptions;
use reqwest::header::{ALLOW, CONTENT_TYPE};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Answer, Fake, LIVENESS, Server, begun, constant, gated, request, with};

#[tokio::test]
async fn what_is_not_json_is_400_or_415() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let post = |media: &'static str, body: &'static [u8]| {
        let post = server
            .post(LIVENESS)
            .bearer_auth(&server.token)
            .header(CONTENT_TYPE, media);
        async move { Answer::of(post.body(body).send().await.unwrap()).await }
    };
    for body in [&b"{"[..], b"", b"os=IOS", b"\xff\xfe", b"{} {}"] {
        let answer = post("application/json", body).await;
        answer.assert_error(400, "BadRequest", "The request body is not valid JSON.");
    }
    for media in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ] {
        let answer = post(media, b"{}").await;
        answer.assert_error(
            415,
            "UnsupportedMediaType",
            "Content-Type must be application/json.",
        );
    }
    for media in [
        "application/json; charset=utf-8",
        "application/vnd.acme+json",
    ] {
        assert_eq!(post(media, b"{}").await.status, 409);
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let post = server
        .post(LIVENESS)
        .bearer_auth(&server.token)
        .header(CONTENT_TYPE, "application/json");
    assert_eq!(post.body(deep).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_answered_in_json() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    for route in [
        "/nothing",
        "/v2/face-recognition/liveness/",
        "/v2/nothing?secret=1",
    ] {
        let answer = Answer::of(server.post(route).send().await.unwrap()).await;
        answer.assert_error(404, "NotFound", "Route not found.");
    }
    let get = server
        .client
        .get(format!("{}{LIVENESS}", server.url))
        .send()
        .await
        .unwrap();
    assert_eq!(get.headers()[ALLOW], "POST");
    Answer::of(get)
        .await
        .assert_error(405, "MethodNotAllowed", "Method not allowed.");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_the_client_reads_it_while_still_sending() {
    let (_dir, server) = Server::fresh(constant(0.9), &[("max_body_bytes", "1000")]).await;
    let message = "The request body is larger than 1000 bytes.";
    for size in [900, 20 << 20] {
        server
            .ask(&with("image", "A".repeat(size + 200)))
            .await
            .assert_error(413, "PayloadTooLarge", message);
    }
    // Without a length the limit is found while reading.
    let mut stream = tokio::net::TcpStream::connect(&server.url["http://".len()..])
        .await
        .unwrap();
    let head = format!(
        "POST {LIVENESS} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n",
        server.token,
        " ".repeat(2000)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 413 ") && answer.contains(message),
        "{answer}"
    );
}

#[tokio::test]
async fn a_bad_token_is_answered_before_the_body_is_looked_at() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let post = server
        .post(LIVENESS)
        .header(CONTENT_TYPE, "text/plain")
        .body(vec![b'x'; 30 << 20]);
    let answer = Answer::of(post.send().await.unwrap()).await;
    answer.assert_error(401, "UNAUTHORIZED", "Authentication required");
}

#[tokio::test]
async fn a_body_that_never_ends_is_408() {
    let (_dir, server) = Server::fresh(constant(0.9), &[("request_timeout", "200ms")]).await;
    let mut stream = tokio::net::TcpStream::connect(&server.url["http://".len()..])
        .await
        .unwrap();
    let head = format!(
        "POST {LIVENESS} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{{",
        server.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains("RequestTimeout"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_fault_is_500_without_details_and_the_service_goes_on() {
    let engine = |bytes: &[u8], _: &AssessOptions| match bytes {
        b"panic!" => panic!("secret detail"),
        b"broken" => Ok(f64::NAN),
        _ => Ok(0.9),
    };
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[("workers", "1")]).await;
    for image in ["cGFuaWMh", "YnJva2Vu"] {
        server
            .ask(&with("image", image))
            .await
            .assert_error(500, "ERROR", "internal_error");
    }
    assert_eq!(server.ask(&request()).await.status, 200);
}

#[tokio::test]
async fn a_full_queue_is_503_with_retry_after() {
    let (engine, entered, open) = gated();
    let settings = [("workers", "1"), ("queue", "0")];
    let (_dir, server) = Server::fresh(engine, &settings).await;
    let server = Arc::new(server);
    // With no queue, the one worker must be waiting to take the request: try until it is.
    let first = {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            loop {
                let answer = server.ask(&request()).await;
                if answer.status != 503 {
                    return answer;
                }
            }
        })
    };
    while !entered.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let refused = server.ask(&request()).await;
    refused.assert_error(
        503,
        "ServiceUnavailable",
        "The service is busy. Try again in a moment.",
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    open.send(()).unwrap();
    assert_eq!(first.await.unwrap().status, 200);
}

#[tokio::test]
async fn every_answer_carries_a_request_id_and_a_sane_one_is_echoed() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let get = |id: &'static str| {
        let get = server
            .client
            .get(format!("{}/healthz", server.url))
            .header("x-request-id", id);
        async move { Answer::of(get.send().await.unwrap()).await }
    };
    assert_eq!(
        get("trace-1.A_b").await.header("x-request-id"),
        Some("trace-1.A_b")
    );
    for insane in ["has space", "{\"a\":1}", "<script>"] {
        let answer = get(insane).await;
        assert_eq!(
            answer.header("x-request-id").unwrap().len(),
            36,
            "{insane} is replaced by a UUID"
        );
    }
}

#[tokio::test]
async fn no_answer_is_kept_on_the_way_or_taken_for_a_page() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    for answer in [
        server.ask(&request()).await,
        server.get("/v2/auth/session?origin=refresh").await,
        server.get("/nothing").await,
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let keys = server.get("/.well-known/jwks.json").await;
    assert_ne!(
        keys.header("cache-control"),
        Some("no-store"),
        "keys are for all"
    );
}

#[tokio::test]
async fn the_probes_answer_without_a_token() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let get = |route: &'static str| {
        let get = server.client.get(format!("{}{route}", server.url));
        async move { Answer::of(get.send().await.unwrap()).await }
    };
    assert_eq!(get("/healthz").await.body, json!({"status": "ok"}));
    assert_eq!(get("/readyz").await.body, json!({"status": "ready"}));
    let version = get("/version").await;
    assert_eq!(version.body["version"], env!("CARGO_PKG_VERSION"));
    assert!(version.body["models"].is_array());
}

#[tokio::test]
async fn a_full_queue_refuses_before_the_body_is_there() {
    let (engine, entered, open) = gated();
    let settings = [("workers", "1"), ("queue", "1")];
    let (_dir, server) = Server::fresh(engine, &settings).await;
    let server = Arc::new(server);
    let judged = begun(&server, &entered).await;
    let waiting = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.ask(&request()).await })
    };
    // Only the head of a request is sent: until the other one waits, nothing is answered to it.
    let head = format!(
        "POST {LIVENESS} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
         content-length: 100000\r\n\r\n",
        server.token
    );
    let answer = loop {
        let mut stream = tokio::net::TcpStream::connect(&server.url["http://".len()..])
            .await
            .unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 1024];
        let read = tokio::time::timeout(Duration::from_millis(300), stream.read(&mut answer)).await;
        if let Ok(length) = read {
            break String::from_utf8_lossy(&answer[..length.unwrap()]).into_owned();
        }
    };
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer
            .to_ascii_lowercase()
            .contains("\r\nretry-after: 1\r\n"),
        "{answer}"
    );
    drop(open);
    assert_eq!(judged.await.unwrap().status, 200);
    assert_eq!(waiting.await.unwrap().status, 200);
}
