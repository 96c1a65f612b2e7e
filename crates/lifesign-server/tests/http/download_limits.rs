//! What a download may take, and what a host may answer: hosts that are slow, endless, odd or many.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lifesign_server::error::ApiError;
use lifesign_server::fetch::FetchLimits;
use tokio::net::TcpListener;

use crate::harness::{Server, constant, with};
use crate::photo_host::{
    FAILED, HOST, PHOTOGRAPH, PhotoHost, Step, limits, photograph, sentence, text, url,
};

const DRIP: Duration = Duration::from_millis(50);
/// No busy machine is that slow; the limits that a test does not lower are of 60 s.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers that are a photograph.
fn good(path: &str) -> Vec<Step> {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked";
    match path {
        "/length" => photograph(),
        "/chunked" => text(&format!(
            "{chunked}\r\n\r\n2\r\na \r\na;x=y\r\nphotograph\r\n0\r\ntrailer: x\r\n\r\n"
        )),
        "/identity" => text(&format!(
            "{chunked}\r\ncontent-encoding: Identity\r\n\r\nc\r\na photograph\r\n0\r\n\r\n"
        )),
        "/until-closed" => text("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\na photograph"),
        "/http-1.0" => text("HTTP/1.0 200 OK\r\n\r\na photograph"),
        "/continue" => text(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n\
             HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\na photograph",
        ),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn a_photograph_arrives_however_http_1_frames_it() {
    let host = PhotoHost::start(good).await;
    let fetcher = host.fetcher(limits(), host.internet());
    for path in [
        "/length",
        "/chunked",
        "/identity",
        "/until-closed",
        "/http-1.0",
        "/continue",
    ] {
        let fetched = fetcher.fetch(url(HOST, path)).await;
        assert_eq!(fetched.unwrap(), PHOTOGRAPH, "{path}");
    }
}

/// Answers that are none, each a path and what is sent.
const ODD: &[(&str, &str)] = &[
    ("/silent-close", ""),
    ("/garbage", "SSH-2.0-OpenSSH_9.6\r\n"),
    ("/http-0.9", "a photograph"),
    ("/http-2-preface", "HTTP/2 200\r\n\r\na photograph"),
    (
        "/switching",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ),
    (
        "/created",
        "HTTP/1.1 201 Created\r\ncontent-length: 12\r\n\r\na photograph",
    ),
    ("/no-content", "HTTP/1.1 204 No Content\r\n\r\n"),
    (
        "/partial",
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 0-11/99\r\ncontent-length: 12\r\n\r\na photograph",
    ),
    (
        "/choices",
        "HTTP/1.1 300 Multiple Choices\r\nlocation: /photo\r\ncontent-length: 0\r\n\r\n",
    ),
    ("/not-modified", "HTTP/1.1 304 Not Modified\r\n\r\n"),
    (
        "/use-proxy",
        "HTTP/1.1 305 Use Proxy\r\nlocation: https://other.test/\r\ncontent-length: 0\r\n\r\n",
    ),
    (
        "/log-in",
        "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\ncontent-length: 0\r\n\r\n",
    ),
    (
        "/fault",
        "HTTP/1.1 500 Oops\r\ncontent-length: 12\r\n\r\na photograph",
    ),
    (
        "/length-of-letters",
        "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\na photograph",
    ),
    (
        "/negative-length",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\na photograph",
    ),
    (
        "/two-lengths",
        "HTTP/1.1 200 OK\r\ncontent-length: 12\r\ncontent-length: 5\r\n\r\na photograph",
    ),
    (
        "/too-short",
        "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\na photograph",
    ),
    (
        "/no-chunk",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\na photograph",
    ),
    (
        "/half-chunk",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nc\r\na photo",
    ),
    (
        "/huge-chunk",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
    ),
    (
        "/no-last-chunk",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nc\r\na photograph\r\n",
    ),
    (
        "/gzip",
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 12\r\n\r\na photograph",
    ),
    (
        "/gzip-too",
        "HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: identity,GZIP\r\ncontent-length: 12\r\n\r\na photograph",
    ),
    (
        "/gzip-below",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\nc\r\na photograph\r\n0\r\n\r\n",
    ),
];

fn odd(path: &str) -> Vec<Step> {
    let head = "HTTP/1.1 200 OK\r\n";
    match path {
        // The connection ends as if somebody on the way had ended it.
        "/cut" => vec![
            Step::Send(format!("{head}\r\na photograph").into()),
            Step::Cut,
        ],
        "/many-headers" => text(&format!("{head}{}\r\n", "a: b\r\n".repeat(10_000))),
        "/long-header" => text(&format!("{head}a: {}\r\n\r\n", "b".repeat(10 << 20))),
        "/endless-header" => vec![
            Step::Send(format!("{head}a: ").into()),
            Step::Repeat(vec![b'b'; 1 << 16], Duration::ZERO),
        ],
        "/endless-headers" => vec![
            Step::Send(head.into()),
            Step::Repeat(b"a: b\r\n".repeat(1000), Duration::ZERO),
        ],
        path => match ODD.iter().find(|(known, _)| *known == path) {
            Some((_, answer)) => text(answer),
            None => Vec::new(),
        },
    }
}

#[tokio::test]
async fn every_other_answer_fails_with_the_same_sentence() {
    let host = PhotoHost::start(odd).await;
    let fetcher = host.fetcher(limits(), host.internet());
    let more = [
        "/cut",
        "/many-headers",
        "/long-header",
        "/endless-header",
        "/endless-headers",
    ];
    let started = Instant::now();
    let mut sentences = BTreeSet::new();
    for path in ODD.iter().map(|(path, _)| *path).chain(more) {
        let fetched = fetcher.fetch(url(HOST, path)).await;
        sentences.insert(sentence(path, fetched));
    }
    assert_eq!(sentences, BTreeSet::from([FAILED.to_owned()]));
    assert!(started.elapsed() < PATIENCE, "none was waited for");
}

fn large(path: &str) -> Vec<Step> {
    let chunk = |size: usize| format!("{size:x}\r\n{}\r\n", "x".repeat(size));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let closed = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    match path {
        "/exactly" => text(&format!("{closed}{}", "x".repeat(1000))),
        "/exactly-in-chunks" => text(&format!("{chunked}{}{}0\r\n\r\n", chunk(999), chunk(1))),
        "/announced" => vec![
            Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n".to_vec()),
            Step::Hang,
        ],
        "/announced-absurdly" => {
            text("HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\n")
        }
        "/one-more" => text(&format!("{closed}{}", "x".repeat(1001))),
        "/one-more-in-chunks" => text(&format!("{chunked}{}{}", chunk(1000), chunk(1))),
        "/endless" => vec![
            Step::Send(closed.into()),
            Step::Repeat(vec![b'x'; 1 << 16], Duration::ZERO),
        ],
        "/endless-in-chunks" => vec![
            Step::Send(chunked.into()),
            Step::Repeat(chunk(1).into(), Duration::ZERO),
        ],
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn bytes_are_counted_as_they_arrive_and_not_as_they_are_announced() {
    let host = PhotoHost::start(large).await;
    let fetcher = host.fetcher(limits(), host.internet());
    for path in ["/exactly", "/exactly-in-chunks"] {
        let fetched = fetcher.fetch(url(HOST, path)).await;
        assert_eq!(fetched.unwrap(), [b'x'; 1000], "{path}");
    }
    for path in [
        "/announced",
        "/announced-absurdly",
        "/one-more",
        "/one-more-in-chunks",
        "/endless",
        "/endless-in-chunks",
    ] {
        let said = sentence(path, fetcher.fetch(url(HOST, path)).await);
        assert!(said.contains("larger than 1000 bytes"), "{path}: {said}");
    }
}

fn slow(path: &str) -> Vec<Step> {
    match path {
        "/photo" => photograph(),
        "/silent" => vec![Step::Hang],
        "/dripping-head" => vec![
            Step::Send(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
            Step::Repeat(b"x".to_vec(), DRIP),
        ],
        "/always-continue" => vec![Step::Repeat(
            b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(),
            DRIP,
        )],
        "/stalled" => vec![
            Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nx".to_vec()),
            Step::Hang,
        ],
        "/dripping" => vec![
            Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n".to_vec()),
            Step::Repeat(b"x".to_vec(), DRIP),
        ],
        _ => Vec::new(),
    }
}

/// A host that takes connections and says nothing, not even in TLS.
async fn dumb() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn every_stage_of_a_download_has_a_deadline_of_its_own() {
    let host = PhotoHost::start(slow).await;
    let dumb = dumb().await;
    let short = Duration::from_millis(500);
    let limits = limits();
    let (connect, header, idle, total) = (
        FetchLimits {
            connect_timeout: short,
            ..limits
        },
        FetchLimits {
            header_timeout: short,
            ..limits
        },
        FetchLimits {
            idle_timeout: short,
            ..limits
        },
        FetchLimits {
            timeout: short,
            ..limits
        },
    );
    for (limits, name, path) in [
        (connect, "unanswered.test", "/photo"),
        (connect, "dumb.test", "/photo"),
        (header, "dumb.test", "/photo"),
        (header, HOST, "/silent"),
        (header, HOST, "/dripping-head"),
        (header, HOST, "/always-continue"),
        (idle, HOST, "/stalled"),
        (total, "unanswered.test", "/photo"),
        (total, "dumb.test", "/photo"),
        (total, HOST, "/silent"),
        (total, HOST, "/dripping-head"),
        (total, HOST, "/stalled"),
        (total, HOST, "/dripping"),
    ] {
        let internet = host.internet().with("dumb.test", &["9.9.9.9"]);
        let internet = internet.at("9.9.9.9", dumb.local_addr().unwrap());
        let started = Instant::now();
        let fetched = host.fetcher(limits, internet).fetch(url(name, path)).await;
        assert_eq!(sentence(path, fetched), FAILED, "{name}{path}");
        assert!(started.elapsed() >= short, "{name}{path} was waited for");
        assert!(started.elapsed() < PATIENCE, "{name}{path}");
    }
}

#[tokio::test]
async fn while_slow_hosts_hold_every_place_others_are_told_to_come_again_and_then_served() {
    let host = PhotoHost::start(slow).await;
    let limits = FetchLimits {
        connect_timeout: Duration::from_secs(2),
        concurrent: 2,
        ..limits()
    };
    let fetcher = Arc::new(host.fetcher(limits, host.internet()));
    let slow: Vec<_> = (0..2)
        .map(|_| {
            let fetcher = Arc::clone(&fetcher);
            tokio::spawn(async move { fetcher.fetch(url(HOST, "/silent")).await })
        })
        .collect();
    while host.heads.lock().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let started = Instant::now();
    let fetched = fetcher.fetch(url(HOST, "/photo")).await;
    assert!(matches!(fetched, Err(ApiError::Overloaded)), "{fetched:?}");
    assert!(started.elapsed() < PATIENCE);
    // What is refused needs no place.
    let refused = fetcher.fetch(url("127.0.0.1", "/")).await;
    assert_eq!(sentence("refused", refused), FAILED);
    for task in slow {
        // As when the client goes away: the place is free again.
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    let fetched = fetcher.fetch(url(HOST, "/photo")).await;
    assert_eq!(fetched.unwrap(), PHOTOGRAPH);
}

#[tokio::test]
async fn the_wait_for_a_place_counts_as_time_of_the_download() {
    let host = PhotoHost::start(slow).await;
    let limits = FetchLimits {
        timeout: Duration::from_secs(2),
        concurrent: 1,
        ..limits()
    };
    let fetcher = Arc::new(host.fetcher(limits, host.internet()));
    let started = Instant::now();
    let downloads: Vec<_> = (0..20)
        .map(|_| {
            let fetcher = Arc::clone(&fetcher);
            tokio::spawn(async move { fetcher.fetch(url(HOST, "/silent")).await })
        })
        .collect();
    for download in downloads {
        assert!(download.await.unwrap().is_err());
    }
    // One after the other they would take 40 s.
    assert!(started.elapsed() < PATIENCE);
}

#[tokio::test]
async fn without_a_place_for_another_download_the_service_is_busy_and_base64_is_judged() {
    let host = PhotoHost::start(slow).await;
    let dir = tempfile::tempdir().unwrap();
    let settings = [
        ("fetch_concurrent", "1"),
        ("fetch_connect_timeout", "100ms"),
    ];
    let network = host.network(host.internet());
    let server = Server::start(dir.path(), constant(0.9), &settings, network).await;
    let server = Arc::new(server);
    let slow = tokio::spawn({
        let server = Arc::clone(&server);
        async move {
            server
                .ask(&with("image", "https://photos.test/silent"))
                .await
        }
    });
    while host.heads.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answer = server
        .ask(&with("image", "https://photos.test/photo"))
        .await;
    let message = "The service is busy. Try again in a moment.";
    answer.assert_error(503, "ServiceUnavailable", message);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(server.ask(&crate::harness::request()).await.status, 200);
    slow.abort();
}
