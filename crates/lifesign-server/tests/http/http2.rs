//! HTTP/2 by prior knowledge, on the same port: the same answers, and limits of its own.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lifesign::AssessOptions;
use reqwest::{Client, Version};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::harness::{Answer, Fake, LIVENESS, Server, constant, request, with};
use crate::wire::{IN_VAIN, connect, rest};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn client() -> Client {
    let client = Client::builder().no_proxy().http2_prior_knowledge();
    client.build().unwrap()
}

async fn ask(client: &Client, server: &Server, body: &Value) -> Answer {
    let post = client.post(format!("{}{LIVENESS}", server.url));
    let response = post
        .bearer_auth(&server.token)
        .json(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    Answer::of(response).await
}

/// A connection that has begun with HTTP/2 and these settings.
fn begun(settings: &[u8]) -> Vec<u8> {
    [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &frame(4, 0, 0, settings),
    ]
    .concat()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET` of a path, as HPACK has it.
fn get(path: &str) -> Vec<u8> {
    [&[0x82, 0x86, 0x04, path.len() as u8], path.as_bytes()].concat()
}

/// Whether there is a frame of that kind.
fn has(mut read: &[u8], kind: u8) -> bool {
    while let [a, b, c, found, ..] = *read {
        if found == kind {
            return true;
        }
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        read = read.get(9 + length..).unwrap_or_default();
    }
    false
}

#[tokio::test]
async fn both_protocols_are_answered_alike() {
    let settings = [("max_body_bytes", "100000"), ("receipts", "false")];
    let (_dir, server) = Server::fresh(constant(0.9), &settings).await;
    let client = client();
    let answer = ask(&client, &server, &request()).await;
    assert_eq!(
        (answer.status, &answer.body["data"]["passed"]),
        (200, &json!(true))
    );
    for body in [
        json!({}),
        json!([]),
        with("image", "!"),
        with("liveness_min_score", 7),
        with("image", "A".repeat(150_000)),
    ] {
        let (first, second) = (server.ask(&body).await, ask(&client, &server, &body).await);
        assert!(first.status >= 400);
        assert_eq!((first.status, first.body), (second.status, second.body));
    }
    for (method, route) in [
        ("GET", LIVENESS),
        ("POST", LIVENESS),
        ("GET", "/nothing"),
        ("POST", "/liveness"),
    ] {
        let both = [&server.client, &client].map(async |client| {
            let method = method.parse().unwrap();
            let url = format!("{}{route}", server.url);
            // More than is read without being wanted.
            let request = client.request(method, url).body("x".repeat(300_000));
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert!(answer.header("x-request-id").is_some());
            (answer.status, answer.body)
        });
        let [first, second] = both;
        let first = first.await;
        assert!(first.0 >= 400);
        assert_eq!(first, second.await);
    }
}

#[tokio::test]
async fn photographs_of_megabytes_fit_through_and_many_at_once() {
    let engine =
        |bytes: &[u8], _: &AssessOptions| Ok(if bytes.len() == 8 << 20 { 0.9 } else { 0.1 });
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[("queue", "200")]).await;
    let client = client();
    let large = with("image", BASE64_STANDARD.encode(vec![7; 8 << 20]));
    let answer = timeout(IN_VAIN, ask(&client, &server, &large))
        .await
        .expect("answered");
    assert_eq!(answer.body["data"]["liveness_score"], 0.9);

    // More than one connection has streams for.
    let server = Arc::new(server);
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let (client, server) = (client.clone(), Arc::clone(&server));
            tokio::spawn(async move { ask(&client, &server, &request()).await })
        })
        .collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_head_over_the_limit_is_431() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let client = client();
    for (headers, length, status) in [
        (10, 3000, 200),
        (1500, 1, 200),
        (2, 40_000, 431),
        (3000, 1, 431),
    ] {
        let mut get = client.get(format!("{}/healthz", server.url));
        for number in 0..headers {
            get = get.header(format!("x-{number}"), "y".repeat(length));
        }
        let response = get.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{headers} of {length}");
    }
}

#[tokio::test]
async fn a_head_that_never_ends_ends_the_connection() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    for piece in [&b""[..], b"\x40\x01x\x01y", &[b'x'; 16_000]] {
        let mut stream = connect(&server, &begun(b"")).await;
        let flooding = async {
            let head = frame(HEADERS, END_STREAM, 1, &get("/healthz"));
            stream.write_all(&head).await?;
            loop {
                stream.write_all(&frame(CONTINUATION, 0, 1, piece)).await?;
            }
        };
        let ended: std::io::Result<()> = timeout(IN_VAIN, flooding).await.expect("it is closed");
        assert!(ended.is_err());
    }
    assert_eq!(server.ask(&request()).await.status, 200);
}

#[tokio::test]
async fn requests_that_are_taken_back_at_once_take_nothing_from_others() {
    let settings = [("max_connections", "4"), ("client_concurrent", "2")];
    let (_dir, server) = Server::fresh(constant(0.9), &settings).await;
    let head = [
        &[0x83, 0x86, 0x04, LIVENESS.len() as u8],
        LIVENESS.as_bytes(),
        // Literals with the names content-type and authorization of the static table.
        &[0x0f, 0x10, 16],
        b"application/json",
        &[0x0f, 0x08, 0x7f],
        &length_beyond_127(server.token.len()),
        server.token.as_bytes(),
    ]
    .concat();
    for _ in 0..8 {
        let mut stream = connect(&server, &begun(b"")).await;
        for number in 0..2000 {
            let stream_id = 2 * number + 1;
            let both = [
                frame(HEADERS, END_HEADERS, stream_id, &head),
                frame(RST_STREAM, 0, stream_id, &8_u32.to_be_bytes()),
            ];
            if stream.write_all(&both.concat()).await.is_err() {
                break;
            }
        }
        // Read what there is, and leave.
        let mut read = vec![0; 1 << 16];
        let _ = timeout(Duration::from_millis(100), stream.read(&mut read)).await;
    }
    // Neither slots nor places of the client are lost.
    let client = client();
    let both = || async { ask(&client, &server, &request()).await.status };
    let served = async {
        loop {
            let (first, second) = tokio::join!(both(), both());
            if (first, second) == (200, 200) {
                break;
            }
        }
    };
    timeout(IN_VAIN, served).await.expect("both are served");
    let attempts = server
        .admin
        .attempts(lifesign_server::FIRST_CLIENT)
        .await
        .unwrap();
    assert!(attempts.iter().all(|attempt| attempt.score.is_some()));
}

/// The rest of a length in HPACK's integers of seven bits.
fn length_beyond_127(length: usize) -> Vec<u8> {
    let mut rest = length - 127;
    let mut bytes = Vec::new();
    while rest >= 128 {
        bytes.push((rest % 128) as u8 | 0x80);
        rest /= 128;
    }
    bytes.push(rest as u8);
    bytes
}

#[tokio::test]
async fn a_client_that_reads_no_answer_has_no_slot_for_ever() {
    let (_dir, server) = Server::fresh(constant(0.9), &[("max_connections", "2")]).await;
    // SETTINGS_INITIAL_WINDOW_SIZE: no byte of any answer may be sent.
    let settings = b"\0\x04\0\0\0\0";
    let head = frame(
        HEADERS,
        END_STREAM | END_HEADERS,
        1,
        &get("/docs/swagger-ui-bundle.js"),
    );
    let mut silent = Vec::new();
    for _ in 0..2 {
        silent.push(connect(&server, &[begun(settings), head.clone()].concat()).await);
    }
    let answer = timeout(IN_VAIN, server.ask(&request())).await;
    assert_eq!(answer.expect("answered").status, 200);
    assert!(has(&rest(silent.remove(0)).await, GOAWAY), "says goodbye");
}
