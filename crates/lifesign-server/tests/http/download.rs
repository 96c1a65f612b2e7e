//! Downloads over real TLS from a small server of the test's own. The network is injected: nothing
//! in the service can be told to trust a test authority or to reach loopback.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lifesign::AssessOptions;
use lifesign_server::fetch::{FetchLimits, Fetcher, Lookup, LookupFuture, Network, address};
use reqwest::{Certificate, Url};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::harness::{Fake, Server, with};

const HOST: &str = "photos.test";
const PHOTOGRAPH: &[u8] = b"a photograph";

/// Every name has the same addresses.
struct Fixed(Vec<SocketAddr>);

impl Lookup for Fixed {
    fn lookup(&self, _: String) -> LookupFuture {
        let addresses = self.0.clone();
        Box::pin(async move { Ok(addresses) })
    }
}

fn everywhere(_: IpAddr) -> bool {
    true
}

/// An https server on loopback: its address, and the authority to trust.
async fn photo_host() -> io::Result<(SocketAddr, Certificate)> {
    let key = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let certificate = key.cert.der().clone();
    let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await?;
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let head = String::from_utf8_lossy(&head);
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                for part in answer(&path) {
                    stream.write_all(&part).await?;
                }
                if path == "/slow" {
                    std::future::pending::<()>().await;
                }
                stream.shutdown().await
            });
        }
    });
    Ok((address, Certificate::from_der(&certificate).unwrap()))
}

fn answer(path: &str) -> Vec<Vec<u8>> {
    let redirect = |to: &str| {
        vec![
            format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
                .into_bytes(),
        ]
    };
    match path {
        "/photo" => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                PHOTOGRAPH.len()
            );
            vec![head.into_bytes(), PHOTOGRAPH.to_vec()]
        }
        "/announced" => vec![b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n".to_vec()],
        "/endless" => {
            let mut parts = vec![b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec()];
            parts.resize(100, vec![b'x'; 1000]);
            parts
        }
        "/slow" => vec![b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nx".to_vec()],
        "/moved" => redirect("/photo"),
        "/loop" => redirect("/loop"),
        "/to-http" => redirect("http://photos.test/photo"),
        "/to-metadata" => redirect("https://169.254.169.254/latest"),
        _ => vec![b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec()],
    }
}

fn limits() -> FetchLimits {
    let timeout = Duration::from_secs(20);
    FetchLimits {
        connect_timeout: timeout,
        timeout,
        max_bytes: 1000,
    }
}

fn network(addresses: Vec<SocketAddr>, permits: fn(IpAddr) -> bool, root: Certificate) -> Network {
    Network {
        lookup: Arc::new(Fixed(addresses)),
        permits,
        roots: Some(vec![root]),
    }
}

#[tokio::test]
async fn a_photograph_is_downloaded_within_its_limits_and_nothing_else_is() {
    let (address, root) = photo_host().await.unwrap();
    let fetcher =
        |permits| Fetcher::new(limits(), network(vec![address], permits, root.clone())).unwrap();
    let url = |path: &str| Url::parse(&format!("https://{HOST}:{}{path}", address.port())).unwrap();

    let open = fetcher(everywhere);
    for path in ["/photo", "/moved"] {
        assert_eq!(
            open.fetch(url(path)).await.as_deref(),
            Ok(PHOTOGRAPH),
            "{path}"
        );
    }
    for path in ["/announced", "/endless"] {
        assert!(
            open.fetch(url(path))
                .await
                .unwrap_err()
                .message
                .contains("larger than 1000"),
            "{path}"
        );
    }

    // A host with a public and a private address is refused as a whole.
    let public: SocketAddr = "8.8.8.8:0".parse().unwrap();
    let mixed = Fetcher::new(
        limits(),
        network(vec![public, address], address::is_public, root.clone()),
    )
    .unwrap();
    let guarded = fetcher(address::is_public);
    let short = FetchLimits {
        timeout: Duration::from_millis(300),
        ..limits()
    };
    let impatient = Fetcher::new(short, network(vec![address], everywhere, root.clone())).unwrap();
    let stranger = {
        let other = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let other = Certificate::from_der(other.cert.der()).unwrap();
        Fetcher::new(limits(), network(vec![address], everywhere, other)).unwrap()
    };
    // Metadata addresses must stay refused even where names may lead to loopback.
    fn loopback(address: IpAddr) -> bool {
        address.is_loopback()
    }
    let local = fetcher(loopback);

    let mut messages = Vec::new();
    for (fetcher, path) in [
        (&open, "/missing"),
        (&open, "/loop"),
        (&open, "/to-http"),
        (&local, "/to-metadata"),
        (&guarded, "/photo"),
        (&mixed, "/photo"),
        (&impatient, "/slow"),
        (&stranger, "/photo"),
    ] {
        let refused = fetcher.fetch(url(path)).await;
        messages.push(refused.expect_err(path).message);
    }
    messages.dedup();
    assert_eq!(
        messages.len(),
        1,
        "the client cannot tell failures apart: {messages:?}"
    );
}

#[tokio::test]
async fn an_image_url_is_judged_like_the_image_itself() {
    let (address, root) = photo_host().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let engine = |bytes: &[u8], _: &AssessOptions| Ok(if bytes == PHOTOGRAPH { 0.75 } else { 0.0 });
    let network = network(vec![address], everywhere, root);
    let server = Server::start(dir.path(), Arc::new(Fake(engine)), &[], network).await;
    let url = |path: &str| with("image", format!("https://{HOST}:{}{path}", address.port()));
    assert_eq!(
        server.ask(&url("/photo")).await.body["data"]["liveness_score"],
        0.75
    );
    server
        .ask(&url("/missing"))
        .await
        .assert_quality("ERR_INVALID_IMAGE", "invalid_image");
}
