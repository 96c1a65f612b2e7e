//! Name resolution that answers with permitted addresses or not at all. reqwest connects only to
//! what this returns, so a name cannot change its meaning between the check and the connection.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks a host name up.
pub trait Lookup: Send + Sync {
    /// All addresses of the host. A port of 0 is replaced by the URL's.
    fn lookup(&self, host: String) -> LookupFuture;
}

/// The addresses of a host, some time.
pub type LookupFuture = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// The operating system's resolver.
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: String) -> LookupFuture {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) })
    }
}

/// Whether a connection to an address is permitted.
pub type Permits = fn(IpAddr) -> bool;

pub(super) struct GuardedResolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) permits: Permits,
}

#[derive(Debug, thiserror::Error)]
#[error("the host resolves to {0}, which is not a permitted address")]
struct NotPermitted(IpAddr);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (looked_up, permits) = (self.lookup.lookup(name.as_str().to_owned()), self.permits);
        Box::pin(async move {
            let addresses = looked_up.await?;
            // One bad address among good ones is a rebinding attack, not a coincidence.
            if let Some(bad) = addresses.iter().find(|address| !permits(address.ip())) {
                return Err(NotPermitted(bad.ip()).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
