//! Many connections, of which few ask for anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::harness::{Answer, Server, begun, constant, gated, request};
use crate::wire::{IN_VAIN, connect};

#[tokio::test]
async fn clients_that_ask_are_answered_however_many_connections_idle() {
    let (_dir, server) = Server::fresh(constant(0.9), &[("max_connections", "4")]).await;
    let mut idle = Vec::new();
    for round in 0..4 {
        for sent in [
            &b""[..],
            b"POST /v2/face-recognition/live",
            b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
            b"POST /liveness HTTP/1.1\r\ncontent-length: 1000\r\n\r\n{",
        ] {
            idle.push(connect(&server, sent).await);
        }
        // Without the connections that the client has kept.
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let asked = client.get(format!("{}/healthz", server.url)).send();
        let asked = timeout(IN_VAIN, asked).await.expect("answered");
        assert_eq!(Answer::of(asked.unwrap()).await.status, 200, "{round}");
        let asked = timeout(IN_VAIN, server.ask(&request())).await;
        assert_eq!(asked.expect("answered").status, 200, "{round}");
    }
}

#[tokio::test]
async fn no_request_under_way_is_given_up_for_a_newcomer() {
    let (engine, entered, open) = gated();
    let (_dir, server) = Server::fresh(engine, &[("max_connections", "2"), ("workers", "1")]).await;
    let server = Arc::new(server);
    let calls = [
        begun(&server, &entered).await,
        begun(&server, &entered).await,
    ];
    let newcomer = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.get("/healthz").await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!newcomer.is_finished(), "it waits for a slot");
    drop(open);
    for call in calls {
        assert_eq!(call.await.unwrap().status, 200);
    }
    let answer = timeout(IN_VAIN, newcomer).await.expect("answered");
    assert_eq!(answer.unwrap().status, 200);
}
