//! Fetching a JWK set: the keys of an identity provider, or those that receipts are verified with.

use std::time::Duration;

use reqwest::{Client, Response, Url};

use crate::error::chain;
use crate::outgoing;

/// A set of keys is a few kilobytes.
const MAX_BYTES: usize = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(5);

/// A client for key sets.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    outgoing::client(TIMEOUT)
}

/// The bytes at `url`; the error is for a log or a terminal, and does not name the address.
pub(crate) async fn download(client: &Client, url: Url) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| chain(&error.without_url());
    let mut response = client
        .get(url)
        .send()
        .await
        .and_then(Response::error_for_status)
        .map_err(failed)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(format!("the key set is over {MAX_BYTES} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
