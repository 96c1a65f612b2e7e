//! Downloads a photograph from an https URL, and nothing else from nowhere else: only https, only
//! public addresses, a few redirects each checked anew, bounded time and bytes.
//!
//! Whatever goes wrong, the client reads the same sentence, so that the service cannot be used to
//! look around; the cause is in the log.

pub mod address;
mod resolver;

pub use resolver::{Lookup, LookupFuture, Permits, SystemLookup};

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client, Response, StatusCode, Url};
use tokio::sync::Semaphore;

use crate::error::{Unjudgeable, chain};
use crate::image_source;
use crate::outgoing::USER_AGENT;

/// Hops after the first address.
const MAX_REDIRECTS: usize = 3;
/// Downloads at the same time; each may hold a whole photograph in memory.
const MAX_DOWNLOADS: usize = 32;

/// How much a download may take.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for everything, from the look-up to the last byte.
    pub timeout: Duration,
    /// Most bytes of the photograph.
    pub max_bytes: usize,
}

/// The network as a fetcher sees it. Tests put a small one of their own in its place.
pub struct Network {
    /// How names are looked up.
    pub lookup: Arc<dyn Lookup>,
    /// To which addresses connections are permitted.
    pub permits: Permits,
    /// The certificate authorities to trust; `None` is the machine's own.
    pub roots: Option<Vec<Certificate>>,
}

impl Network {
    /// The public internet: the system's resolver and authorities, public addresses only.
    pub fn public() -> Network {
        Network {
            lookup: Arc::new(SystemLookup),
            permits: address::is_public,
            roots: None,
        }
    }
}

/// Downloads photographs.
pub struct Fetcher {
    client: Client,
    permits: Permits,
    max_bytes: usize,
    downloads: Semaphore,
}

/// Why a download failed; for the log alone.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the address is not permitted: {0}")]
    Refused(&'static str),
    #[error("the host answered {0}")]
    Status(StatusCode),
    #[error("the photograph is over the limit")]
    TooLarge,
    #[error("the download failed")]
    Transport(#[from] reqwest::Error),
}

impl Fetcher {
    /// A fetcher on a network.
    ///
    /// # Errors
    /// TLS cannot be set up, for example because the machine has no certificate authorities.
    pub fn new(limits: FetchLimits, network: Network) -> Result<Fetcher, reqwest::Error> {
        let Network {
            lookup,
            permits,
            roots,
        } = network;
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .https_only(true)
            .no_proxy()
            .referer(false)
            .redirect(Policy::custom(move |attempt| follow(attempt, permits)))
            .dns_resolver(Arc::new(resolver::GuardedResolver { lookup, permits }))
            .connect_timeout(limits.connect_timeout)
            .timeout(limits.timeout)
            // Every download looks its host up anew and checks what it finds.
            .pool_max_idle_per_host(0);
        if let Some(roots) = roots {
            builder = builder.tls_certs_only(roots);
        }
        Ok(Fetcher {
            client: builder.build()?,
            permits,
            max_bytes: limits.max_bytes,
            downloads: Semaphore::new(MAX_DOWNLOADS),
        })
    }

    /// Downloads the photograph.
    ///
    /// # Errors
    /// One sentence for every failure but a photograph over the limit.
    pub async fn fetch(&self, url: Url) -> Result<Vec<u8>, Unjudgeable> {
        let host = url.host_str().unwrap_or_default().to_owned();
        match self.download(url).await {
            Ok(bytes) => Ok(bytes),
            Err(FetchError::TooLarge) => Err(image_source::too_large(self.max_bytes)),
            Err(error) => {
                // The host alone: paths and query strings of storage URLs are credentials.
                tracing::warn!(host, cause = cause(error), "image not downloaded");
                Err(Unjudgeable::invalid_image(
                    "The image could not be downloaded from its URL. Check that it opens in a \
                     browser without logging in, or send the photograph itself as base64.",
                ))
            }
        }
    }

    async fn download(&self, url: Url) -> Result<Vec<u8>, FetchError> {
        check(&url, self.permits).map_err(FetchError::Refused)?;
        // The semaphore is never closed; were it, going on without a permit would do no harm.
        let _permit = self.downloads.acquire().await;
        let mut response = self.client.get(url).send().await?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        self.read(&mut response).await
    }

    async fn read(&self, response: &mut Response) -> Result<Vec<u8>, FetchError> {
        let announced = response.content_length().unwrap_or(0);
        if announced > self.max_bytes as u64 {
            return Err(FetchError::TooLarge);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > self.max_bytes {
                return Err(FetchError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// What can be seen from the URL alone. Names are checked when they are resolved; an address in
/// place of a name never reaches the resolver, so it is checked here.
fn check(url: &Url, permits: Permits) -> Result<(), &'static str> {
    if url.scheme() != "https" {
        return Err("not https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it carries a user name or a password");
    }
    let host = url.host_str().ok_or("it names no host")?;
    match host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
    {
        Ok(address) if !permits(address) => Err("its address is not public"),
        _ => Ok(()),
    }
}

fn follow(attempt: Attempt<'_>, permits: Permits) -> reqwest::redirect::Action {
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error("too many redirects");
    }
    match check(attempt.url(), permits) {
        Ok(()) => attempt.follow(),
        Err(why) => attempt.error(why),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_refused_for_its_scheme_its_user_or_its_address() {
        for url in [
            "http://example.org/",
            "https://user@example.org/",
            "https://:word@example.org/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
        ] {
            assert!(
                check(&Url::parse(url).unwrap(), address::is_public).is_err(),
                "{url}"
            );
        }
        for url in [
            "https://example.org:8443/a?b",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
        ] {
            assert_eq!(
                check(&Url::parse(url).unwrap(), address::is_public),
                Ok(()),
                "{url}"
            );
        }
    }
}
