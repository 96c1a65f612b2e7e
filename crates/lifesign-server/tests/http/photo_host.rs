//! The public internet as a download meets it, on loopback: names that resolve to public addresses,
//! and what is reached there: https servers of the test's own that answer by a script.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lifesign_server::error::ApiError;
use lifesign_server::fetch::{FetchLimits, Fetcher, Lookup, LookupFuture, Network, Rules};
use reqwest::{Certificate, Url};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A host with a certificate, and another.
pub const HOST: &str = "photos.test";
pub const OTHER: &str = "other.test";
/// Names that have a certificate as well, so that it is not for the want of one that they are refused.
const MORE: &[&str] = &[
    "loopback.test",
    "metadata.google.internal",
    "localhost",
    "v6.test",
    "mapped.test",
    "mixed.test",
    "inside.test",
];
pub const PHOTOGRAPH: &[u8] = b"a photograph";

/// Where names lead to; all of them public, and all of them reached on loopback.
pub const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));

/// What a host does after it has read a request.
#[derive(Clone)]
pub enum Step {
    Send(Vec<u8>),
    /// Over and over, with a pause after each.
    Repeat(Vec<u8>, Duration),
    /// Nothing more, with the connection open.
    Hang,
    /// Closes the connection without the end that TLS has.
    Cut,
}

/// What a host answers to a path.
pub type Script = fn(&str) -> Vec<Step>;

/// An https server on loopback.
pub struct PhotoHost {
    pub address: SocketAddr,
    root: Certificate,
    /// The heads of the requests that it got.
    pub heads: Arc<Mutex<Vec<String>>>,
    /// The protocols that were agreed on.
    pub protocols: Arc<Mutex<Vec<Option<Vec<u8>>>>>,
}

impl PhotoHost {
    pub async fn start(script: Script) -> PhotoHost {
        let names = [HOST, OTHER]
            .iter()
            .chain(MORE)
            .map(|name| name.to_string());
        let key = rcgen::generate_simple_self_signed(names.collect::<Vec<_>>()).unwrap();
        let certificate = key.cert.der().clone();
        let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], private)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = PhotoHost {
            address: listener.local_addr().unwrap(),
            root: Certificate::from_der(&certificate).unwrap(),
            heads: Arc::default(),
            protocols: Arc::default(),
        };
        let (heads, protocols) = (Arc::clone(&host.heads), Arc::clone(&host.protocols));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, heads) = (acceptor.clone(), Arc::clone(&heads));
                let protocols = Arc::clone(&protocols);
                tokio::spawn(async move {
                    let stream = acceptor.accept(stream).await?;
                    let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
                    protocols.lock().unwrap().push(protocol);
                    serve(stream, script, &heads).await
                });
            }
        });
        host
    }

    /// The internet with this host under every name.
    pub fn internet(&self) -> Internet {
        Internet {
            names: HashMap::new(),
            hosts: HashMap::new(),
            everywhere: self.address,
            lookups: Arc::default(),
        }
    }

    /// A fetcher that trusts this host's certificate.
    pub fn fetcher(&self, limits: FetchLimits, internet: Internet) -> Fetcher {
        self.fetcher_with(limits, Rules::default(), internet)
    }

    pub fn fetcher_with(&self, limits: FetchLimits, rules: Rules, internet: Internet) -> Fetcher {
        Fetcher::new(limits, rules, self.network(internet)).unwrap()
    }

    pub fn network(&self, internet: Internet) -> Network {
        Network {
            lookup: Arc::new(internet),
            roots: Some(vec![self.root.clone()]),
        }
    }
}

async fn serve(
    mut stream: tokio_rustls::server::TlsStream<TcpStream>,
    script: Script,
    heads: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    heads.lock().unwrap().push(head);
    for step in script(&path) {
        match step {
            Step::Send(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
            }
            Step::Repeat(bytes, pause) => loop {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
                tokio::time::sleep(pause).await;
            },
            Step::Hang => std::future::pending::<()>().await,
            Step::Cut => return Ok(()),
        }
    }
    stream.shutdown().await
}

/// Names, their addresses, and where those are reached. A name that nobody gave an address is at
/// [`PUBLIC`].
pub struct Internet {
    names: HashMap<&'static str, Vec<Vec<IpAddr>>>,
    hosts: HashMap<IpAddr, SocketAddr>,
    everywhere: SocketAddr,
    /// How often a name was looked up.
    pub lookups: Arc<AtomicUsize>,
}

impl Internet {
    /// `name` has these addresses.
    pub fn with(self, name: &'static str, addresses: &[&str]) -> Internet {
        self.changing(name, &[addresses])
    }

    /// `name` has other addresses from look-up to look-up; at the end the last ones.
    pub fn changing(mut self, name: &'static str, addresses: &[&[&str]]) -> Internet {
        let parse = |addresses: &&[&str]| addresses.iter().map(|a| a.parse().unwrap()).collect();
        self.names
            .insert(name, addresses.iter().map(parse).collect());
        self
    }

    /// At `address` there is another host.
    pub fn at(mut self, address: &str, host: SocketAddr) -> Internet {
        self.hosts.insert(address.parse().unwrap(), host);
        self
    }
}

impl Lookup for Internet {
    fn lookup(&self, host: String) -> LookupFuture {
        let count = self.lookups.fetch_add(1, Ordering::SeqCst);
        if host == "unanswered.test" {
            return Box::pin(std::future::pending());
        }
        let addresses = match self.names.get(host.as_str()) {
            Some(answers) => answers[count.min(answers.len() - 1)].clone(),
            None => vec![PUBLIC],
        };
        Box::pin(async move {
            Ok(addresses
                .into_iter()
                .map(|address| SocketAddr::new(address, 0))
                .collect())
        })
    }

    fn reach(&self, address: SocketAddr) -> SocketAddr {
        let host = self.hosts.get(&address.ip());
        host.copied().unwrap_or(self.everywhere)
    }
}

/// Limits of which none is reached by accident.
pub fn limits() -> FetchLimits {
    let timeout = Duration::from_secs(60);
    FetchLimits {
        connect_timeout: timeout,
        header_timeout: timeout,
        idle_timeout: timeout,
        timeout,
        max_bytes: 1000,
        concurrent: 8,
    }
}

/// An address of a host; the test's internet has its own port for 443.
pub fn url(host: &str, path: &str) -> Url {
    Url::parse(&format!("https://{host}{path}")).unwrap()
}

/// The sentence of a download that must fail.
#[track_caller]
pub fn sentence(path: &str, fetched: Result<Vec<u8>, ApiError>) -> String {
    match fetched {
        Err(ApiError::Unjudgeable(why)) => {
            assert_eq!(why.reason, "invalid_image", "{path}");
            why.message
        }
        Err(error) => panic!("{path}: {error:?}"),
        Ok(bytes) => panic!("{path} gave {} bytes", bytes.len()),
    }
}

/// What every failed download says.
pub const FAILED: &str = "The image could not be downloaded from its URL. Check that it opens in a \
     browser without logging in, or send the photograph itself as base64.";

/// A complete answer with the photograph.
pub fn photograph() -> Vec<Step> {
    text(&format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\na photograph",
        PHOTOGRAPH.len()
    ))
}

pub fn text(text: &str) -> Vec<Step> {
    vec![Step::Send(text.into())]
}

pub fn redirect(to: &str) -> Vec<Step> {
    text(&format!(
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\nset-cookie: a=b; path=/\r\ncontent-length: 0\r\n\r\n"
    ))
}
