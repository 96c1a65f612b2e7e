//! Name resolution that answers with permitted addresses or not at all. reqwest connects only to
//! what this returns, so a name cannot change its meaning between the check and the connection.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::Rules;

/// Look-ups of the operating system at the same time. They cannot be broken off: those of a name
/// server that does not answer go on after the download is over, and must not take all threads.
const MAX_LOOKUPS: usize = 64;

/// Looks a host name up.
pub trait Lookup: Send + Sync {
    /// All addresses of the host. A port of 0 is replaced by the URL's.
    fn lookup(&self, host: String) -> LookupFuture;

    /// Where an address that was looked up, and found to be permitted, is reached: there. A test has
    /// its own small network instead.
    fn reach(&self, address: SocketAddr) -> SocketAddr {
        address
    }
}

/// The addresses of a host, some time.
pub type LookupFuture = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// The operating system's resolver.
pub struct SystemLookup(Arc<Semaphore>);

impl Default for SystemLookup {
    fn default() -> SystemLookup {
        SystemLookup(Arc::new(Semaphore::new(MAX_LOOKUPS)))
    }
}

impl Lookup for SystemLookup {
    fn lookup(&self, host: String) -> LookupFuture {
        let places = Arc::clone(&self.0);
        Box::pin(async move {
            let place = places
                .acquire_owned()
                .await
                .map_err(std::io::Error::other)?;
            let lookup = tokio::task::spawn_blocking(move || {
                let _place = place;
                Ok((host.as_str(), 0).to_socket_addrs()?.collect())
            });
            lookup.await.map_err(std::io::Error::other)?
        })
    }
}

pub(super) struct GuardedResolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) rules: Arc<Rules>,
}

#[derive(Debug, thiserror::Error)]
#[error("the host resolves to {0}, which is not a permitted address")]
struct NotPermitted(IpAddr);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, rules) = (Arc::clone(&self.lookup), Arc::clone(&self.rules));
        Box::pin(async move {
            let addresses = lookup.lookup(name.as_str().to_owned()).await?;
            // One bad address among good ones is a rebinding attack, not a coincidence.
            if let Some(bad) = addresses.iter().find(|address| !rules.permit(address.ip())) {
                return Err(NotPermitted(bad.ip()).into());
            }
            let reached = addresses
                .into_iter()
                .map(move |address| lookup.reach(address));
            Ok(Box::new(reached) as Addrs)
        })
    }
}
