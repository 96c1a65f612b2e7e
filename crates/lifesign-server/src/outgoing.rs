//! Requests to addresses that the operator named: a provider's keys, a client's webhook. Those that
//! requests name go through [`crate::fetch`], which trusts none of them.

use std::time::Duration;

use reqwest::{Client, redirect};

/// Who asks.
pub(crate) const USER_AGENT: &str = concat!("lifesign/", env!("CARGO_PKG_VERSION"));

/// A client that goes nowhere but where it is sent: a redirect would have keys come from elsewhere,
/// or hand an event to another host.
pub(crate) fn client(timeout: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(USER_AGENT)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(timeout)
        .build()
}
