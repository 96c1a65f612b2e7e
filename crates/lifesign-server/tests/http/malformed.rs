//! What is no decent HTTP/1.1: each has its answer, and the next request on a new connection is
//! served as ever.

use tokio::io::AsyncReadExt as _;

use crate::harness::{LIVENESS, Server, constant, request};
use crate::wire::{connect, exchange, head, statuses};

async fn server() -> (tempfile::TempDir, Server) {
    Server::fresh(constant(0.9), &[]).await
}

#[tokio::test]
async fn what_is_no_http_is_400_or_closed() {
    let (_dir, server) = server().await;
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let garbage: Vec<u8> = (0..4096).map(|n: u32| (n * 7919 % 251) as u8).collect();
    for (sent, statuses_) in [
        // TLS on the plain port, HTTP/0.9, a version of the future, bytes of no meaning.
        (&hello[..], &[400][..]),
        (b"GET /healthz\r\n", &[400]),
        (b"GET /healthz HTTP/3.0\r\n\r\n", &[400]),
        (&garbage, &[400]),
        (b"\0\0\0\0\r\n\r\n", &[400]),
        (b"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n", &[400]),
        (b"GET /healthz HTTP/1.1\r\nx\0y: 1\r\n\r\n", &[400]),
        (b"GET /healthz HTTP/1.1\r\nx: a\0b\r\n\r\n", &[400]),
        (b"GET /healthz HTTP/1.1\r\n folded: 1\r\n\r\n", &[400]),
        (b"GET /health z HTTP/1.1\r\n\r\n", &[400]),
        (b"GET /\xff\xfe HTTP/1.1\r\n\r\n", &[400]),
        (b"G@T /healthz HTTP/1.1\r\n\r\n", &[400]),
        // The preface of HTTP/2, and then none of it.
        (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", &[400]),
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n",
            &[],
        ),
    ] {
        let read = exchange(&server, sent).await;
        assert_eq!(
            statuses(&read),
            statuses_,
            "{:?}: {read}",
            String::from_utf8_lossy(sent)
        );
    }
    assert_eq!(server.ask(&request()).await.status, 200);
}

#[tokio::test]
async fn unusual_requests_have_defined_answers() {
    let (_dir, server) = server().await;
    let close = "connection: close\r\n\r\n";
    for (line, expected) in [
        ("GET /healthz HTTP/1.0\r\n", 200),
        (
            "GET http://elsewhere.example/healthz HTTP/1.1\r\nhost: x\r\n",
            200,
        ),
        ("GET /healthz HTTP/1.1\r\n", 200),
        ("HEAD /healthz HTTP/1.1\r\nhost: x\r\n", 200),
        ("GET /healthz?a=1&a=2&%00=%ff HTTP/1.1\r\nhost: x\r\n", 200),
        ("BREW /healthz HTTP/1.1\r\nhost: x\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nhost: x\r\n", 404),
        ("CONNECT elsewhere.example:443 HTTP/1.1\r\nhost: x\r\n", 404),
        ("TRACE /healthz HTTP/1.1\r\nhost: x\r\n", 405),
        ("GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\n", 404),
        ("GET /docs/../../etc/passwd HTTP/1.1\r\nhost: x\r\n", 404),
        (
            "GET /docs/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nhost: x\r\n",
            404,
        ),
        (
            "GET /docs/..%2f..%2fetc/passwd HTTP/1.1\r\nhost: x\r\n",
            404,
        ),
        ("GET //healthz HTTP/1.1\r\nhost: x\r\n", 404),
        ("GET /healthz/ HTTP/1.1\r\nhost: x\r\n", 404),
        ("GET /%68ealthz HTTP/1.1\r\nhost: x\r\n", 404),
        ("GET /healthz%00 HTTP/1.1\r\nhost: x\r\n", 404),
        ("GET /%ff%fe HTTP/1.1\r\nhost: x\r\n", 404),
        (
            "GET /healthz HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
            200,
        ),
    ] {
        let read = exchange(&server, format!("{line}{close}")).await;
        assert_eq!(statuses(&read), [expected], "{line}: {read}");
        assert!(!read.contains("root:"), "{read}");
    }
    let token = &server.token;
    for (target, expected) in [
        ("attempts/%00", 404),
        ("attempts/%ff", 404),
        ("attempts/..%2f..%2f", 404),
        ("collections/%00", 404),
        ("collections/%c3%28", 404),
        ("collections?like_name=%00", 409),
        ("collections?like_name=%ff", 200),
        ("collections?page=1e400", 409),
        ("attempts?collection=%00", 409),
        ("attempts?os=%00&from=%00", 409),
    ] {
        let line = format!(
            "GET /v2/face-recognition/{target} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n"
        );
        let read = exchange(&server, format!("{line}{close}")).await;
        assert_eq!(statuses(&read), [expected], "{target}: {read}");
    }
}

#[tokio::test]
async fn a_head_of_too_many_fields_or_bytes_is_431() {
    let (_dir, server) = server().await;
    let lines = |count: usize| "x: 1\r\n".repeat(count);
    let get = |lines: &str| {
        format!("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n")
    };
    for (sent, expected) in [
        (get(&lines(98)), 200),
        (get(&lines(99)), 431),
        (get(&lines(1_000_000)), 431),
        (get(&format!("x: {}\r\n", "y".repeat(60_000))), 200),
        (get(&format!("x: {}\r\n", "y".repeat(70_000))), 431),
        (get(&format!("{}: y\r\n", "x".repeat(70_000))), 431),
        (
            format!(
                "GET /{} HTTP/1.1\r\nconnection: close\r\n\r\n",
                "x".repeat(60_000)
            ),
            404,
        ),
        (
            format!(
                "GET /{} HTTP/1.1\r\nconnection: close\r\n\r\n",
                "x".repeat(5_000_000)
            ),
            431,
        ),
        (format!("{} / HTTP/1.1\r\n\r\n", "X".repeat(5_000_000)), 431),
    ] {
        let read = exchange(&server, &sent).await;
        assert_eq!(statuses(&read), [expected], "{}: {read}", &sent[..60]);
    }
}

/// Two servers in a row that read one request's length differently let one client's bytes become
/// another's request. So whatever has two meanings is refused, or the connection ends with it.
#[tokio::test]
async fn a_length_of_two_meanings_ends_the_connection() {
    let (_dir, server) = server().await;
    let smuggled = "GET /version HTTP/1.1\r\nhost: x\r\n\r\n";
    for (lines, body, expected) in [
        ("content-length: 2\r\ncontent-length: 3\r\n", "{}", 400),
        ("content-length: 2, 3\r\n", "{}", 400),
        ("content-length: -1\r\n", "{}", 400),
        ("content-length: +2\r\n", "{}", 400),
        ("content-length: 0x2\r\n", "{}", 400),
        ("content-length: 99999999999999999999999\r\n", "{}", 400),
        ("content-length: 18446744073709551615\r\n", "{}", 431),
        ("transfer-encoding: gzip, chunked, x\r\n", "0\r\n\r\n", 400),
        ("transfer-encoding: xchunked\r\n", "0\r\n\r\n", 400),
        ("transfer-encoding : chunked\r\n", "0\r\n\r\n", 400),
        // Read as chunked, as RFC 9112 has it, and the connection ends after the answer.
        (
            "content-length: 4\r\ntransfer-encoding: chunked\r\n",
            "2\r\n{}\r\n0\r\n\r\n",
            409,
        ),
        (
            "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
            "2\r\n{}\r\n0\r\n\r\n",
            409,
        ),
        // Chunks of no sane size.
        (
            "transfer-encoding: chunked\r\n",
            "zz\r\n{}\r\n0\r\n\r\n",
            400,
        ),
        (
            "transfer-encoding: chunked\r\n",
            "-2\r\n{}\r\n0\r\n\r\n",
            400,
        ),
        (
            "transfer-encoding: chunked\r\n",
            "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
            400,
        ),
        (
            "transfer-encoding: chunked\r\n",
            "2\r\n{}}\r\n0\r\n\r\n",
            400,
        ),
        ("transfer-encoding: chunked\r\n", "2\n{}\n0\n\n", 400),
    ] {
        let sent = format!("{}{body}{smuggled}", head(&server, lines));
        let read = exchange(&server, sent).await;
        assert_eq!(statuses(&read), [expected], "{lines}{body}: {read}");
    }
    let sent = format!(
        "POST {LIVENESS} HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
    );
    assert_eq!(statuses(&exchange(&server, sent).await), [400]);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let (_dir, server) = server().await;
    let call = |body: &str| {
        format!(
            "{}{body}",
            head(&server, &format!("content-length: {}\r\n", body.len()))
        )
    };
    let sent = format!(
        "{}{}{}GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        call(&request().to_string()),
        call("{"),
        call("{}"),
    );
    assert_eq!(
        statuses(&exchange(&server, sent).await),
        [200, 400, 409, 200]
    );
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told_to_go_on_or_why_not() {
    let (_dir, server) = server().await;
    let mut stream = connect(
        &server,
        head(
            &server,
            "content-length: 2\r\nexpect: 100-continue\r\nconnection: close\r\n",
        )
        .as_bytes(),
    )
    .await;
    let mut read = vec![0; 25];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(read, b"HTTP/1.1 100 Continue\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"{}")
        .await
        .unwrap();
    let read = String::from_utf8(crate::wire::rest(stream).await).unwrap();
    assert_eq!(statuses(&read), [409]);

    let refused = format!(
        "POST {LIVENESS} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n"
    );
    let read = exchange(&server, refused).await;
    assert_eq!(statuses(&read).last(), Some(&401), "{read}");
}
