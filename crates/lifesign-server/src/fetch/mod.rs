//! Downloads a photograph from an https URL, and nothing else from nowhere else: only https, only
//! public addresses, a few redirects each checked anew, bounded time and bytes.
//!
//! Whatever goes wrong, the client reads the same sentence, so that the service cannot be used to
//! look around; the cause is in the log. What remains to be seen from outside is how long an answer
//! takes: a refusal comes at once, a public host that drops packets only after a deadline. It tells
//! of hosts on the public internet what anybody can find out there.
//!
//! A photograph over the limit has a sentence of its own. It is only ever said of a permitted host
//! that showed a valid certificate and answered 200, of which the engine's own sentences ("no face
//! was found") tell as much.

pub mod address;
mod nat64;
mod resolver;
mod rules;

pub use nat64::{BadPrefix, Nat64};
pub use resolver::{Lookup, LookupFuture, SystemLookup};
pub use rules::{BadList, Hosts, Ports, Rules};

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION, TRANSFER_ENCODING,
};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode, Url};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::{ApiError, Unjudgeable, chain};
use crate::image_source;
use crate::outgoing::USER_AGENT;

/// Hops after the first address.
const MAX_REDIRECTS: usize = 3;

/// How much a download may take.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// Time to connect, TLS included. As long a free place among the downloads is waited for.
    pub connect_timeout: Duration,
    /// Time from asking one host until the head of its answer is there, connecting included.
    pub header_timeout: Duration,
    /// Time without any byte of the photograph.
    pub idle_timeout: Duration,
    /// Time for everything, from the wait for a place to the last byte.
    pub timeout: Duration,
    /// Most bytes of the photograph.
    pub max_bytes: usize,
    /// Downloads at the same time; each may hold a whole photograph in memory.
    pub concurrent: usize,
}

/// The network as a fetcher sees it. Tests put a small one of their own in its place.
pub struct Network {
    /// How names are looked up.
    pub lookup: Arc<dyn Lookup>,
    /// The certificate authorities to trust; `None` is the machine's own.
    pub roots: Option<Vec<Certificate>>,
}

impl Network {
    /// The public internet: the system's resolver and authorities.
    pub fn public() -> Network {
        Network {
            lookup: Arc::new(SystemLookup::default()),
            roots: None,
        }
    }
}

/// Downloads photographs.
pub struct Fetcher {
    client: Client,
    rules: Arc<Rules>,
    limits: FetchLimits,
    downloads: Semaphore,
}

/// Why a download failed; for the log alone.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the address is not permitted: {0}")]
    Refused(&'static str),
    #[error("it was redirected more than {MAX_REDIRECTS} times")]
    Redirects,
    #[error("it was redirected to what is no address")]
    Redirect,
    #[error("the host answered {0}")]
    Status(StatusCode),
    #[error("the host answered in a content or transfer coding that was not asked for")]
    Coded,
    #[error("the photograph is over the limit")]
    TooLarge,
    #[error("{0} did not come in time")]
    Late(&'static str),
    #[error("all places for downloads are taken")]
    Busy,
    #[error("the download failed")]
    Transport(#[from] reqwest::Error),
}

impl Fetcher {
    /// A fetcher on a network.
    ///
    /// # Errors
    /// TLS cannot be set up, for example because the machine has no certificate authorities.
    pub fn new(
        limits: FetchLimits,
        rules: Rules,
        network: Network,
    ) -> Result<Fetcher, reqwest::Error> {
        let Network { lookup, roots } = network;
        let rules = Arc::new(rules);
        let resolver = resolver::GuardedResolver {
            lookup,
            rules: Arc::clone(&rules),
        };
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            // What is said of the photograph's bytes must be true of the bytes that arrive, and
            // without this header a host may choose any coding (RFC 9110, 12.5.3).
            .default_headers(HeaderMap::from_iter([(
                ACCEPT_ENCODING,
                HeaderValue::from_static("identity"),
            )]))
            // Also where another crate of the tree switches them on.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            // One photograph gains nothing from HTTP/2, which has more to attack.
            .http1_only()
            .https_only(true)
            // A proxy would resolve names itself, and connect where it likes.
            .no_proxy()
            .referer(false)
            // `answer` follows them, each as a download of its own.
            .redirect(Policy::none())
            .dns_resolver(Arc::new(resolver))
            .connect_timeout(limits.connect_timeout)
            // Every download looks its host up anew and checks what it finds.
            .pool_max_idle_per_host(0);
        if let Some(roots) = roots {
            builder = builder.tls_certs_only(roots);
        }
        Ok(Fetcher {
            client: builder.build()?,
            rules,
            downloads: Semaphore::new(limits.concurrent.min(Semaphore::MAX_PERMITS)),
            limits,
        })
    }

    /// Downloads the photograph.
    ///
    /// # Errors
    /// One sentence for every failure but a photograph over the limit; [`ApiError::Overloaded`] where
    /// the service has no place for another download, whatever the address.
    pub async fn fetch(&self, url: Url) -> Result<Vec<u8>, ApiError> {
        let host = url.host_str().unwrap_or_default();
        let host: String = host.chars().take(rules::LONGEST_HOST).collect();
        let downloaded = timeout(self.limits.timeout, self.download(url)).await;
        let error = match downloaded.unwrap_or(Err(FetchError::Late("the whole photograph"))) {
            Ok(bytes) => return Ok(bytes),
            Err(error) => error,
        };
        let refusal = match error {
            FetchError::TooLarge => image_source::too_large(self.limits.max_bytes).into(),
            FetchError::Busy => ApiError::Overloaded,
            _ => ApiError::from(Unjudgeable::invalid_image(
                "The image could not be downloaded from its URL. Check that it opens in a browser \
                 without logging in, or send the photograph itself as base64.",
            )),
        };
        // The host alone: paths and query strings of storage URLs are credentials.
        tracing::warn!(host, cause = cause(error), "image not downloaded");
        Err(refusal)
    }

    async fn download(&self, url: Url) -> Result<Vec<u8>, FetchError> {
        self.rules.check(&url).map_err(FetchError::Refused)?;
        let place = timeout(self.limits.connect_timeout, self.downloads.acquire()).await;
        // The semaphore is never closed; were it, going on without a place would do no harm.
        let _place = place.map_err(|_| FetchError::Busy)?;
        let mut response = self.answer(url).await?;
        self.read(&mut response).await
    }

    /// The answer of a checked address, at the end of the redirects. Every hop is a request of its own, which takes nothing
    /// along from the one before.
    async fn answer(&self, mut url: Url) -> Result<Response, FetchError> {
        for _ in 0..=MAX_REDIRECTS {
            let asked = self.client.get(url.clone()).send();
            let response = timeout(self.limits.header_timeout, asked)
                .await
                .map_err(|_| FetchError::Late("the head of the answer"))??;
            match response.status() {
                StatusCode::OK => return Ok(response),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let to = response.headers().get(LOCATION);
                    url = to
                        .and_then(|to| url.join(to.to_str().ok()?).ok())
                        .ok_or(FetchError::Redirect)?;
                    self.rules.check(&url).map_err(FetchError::Refused)?;
                }
                status => return Err(FetchError::Status(status)),
            }
        }
        Err(FetchError::Redirects)
    }

    async fn read(&self, response: &mut Response) -> Result<Vec<u8>, FetchError> {
        if coded(response.headers()) {
            return Err(FetchError::Coded);
        }
        let max_bytes = self.limits.max_bytes;
        if response.content_length().unwrap_or(0) > max_bytes as u64 {
            return Err(FetchError::TooLarge);
        }
        let mut bytes = Vec::new();
        loop {
            let chunk = timeout(self.limits.idle_timeout, response.chunk())
                .await
                .map_err(|_| FetchError::Late("the next part of the photograph"))??;
            let Some(chunk) = chunk else { return Ok(bytes) };
            if bytes.len() + chunk.len() > max_bytes {
                return Err(FetchError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
    }
}

/// Whether the body is in a coding, which nothing here undoes: what is compressed would be handed on
/// as a damaged photograph.
fn coded(headers: &HeaderMap) -> bool {
    let any_but = |name, plain: &str| {
        let values = headers.get_all(name).into_iter();
        let mut codings = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
        codings.any(|coding| {
            let coding = coding.trim_ascii();
            !coding.is_empty() && !coding.eq_ignore_ascii_case(plain.as_bytes())
        })
    };
    any_but(CONTENT_ENCODING, "identity") || any_but(TRANSFER_ENCODING, "chunked")
}

/// The causes in one line, without the URL that reqwest puts into its errors.
fn cause(error: FetchError) -> String {
    match error {
        FetchError::Transport(error) => {
            let error = error.without_url();
            let source = error.source().map(chain).unwrap_or_default();
            format!("the download failed: {error}: {source}")
        }
        other => other.to_string(),
    }
}
