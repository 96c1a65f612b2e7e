//! The HTTP service of Lifesign: a drop-in replacement for the Verifik API's
//! `POST /v2/face-recognition/liveness`.
//!
//! A photograph's way is the modules' order: request -> [`dialects`] -> [`auth`] ->
//! [`image_source`] or [`fetch`] -> [`inference`] -> decision -> [`store`] -> [`receipt`] -> answer,
//! and [`webhooks`] tell of it. Errors of every step are one type, [`error::ApiError`].
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use lifesign_server::{Config, Service};
//!
//! let (config, _sources) = Config::load(Default::default(), None)?;
//! let (service, first_start) = Service::open(&config).await?;
//! if let Some(first) = first_start {
//!     println!("A token for the client {}: {}", first.client, first.token);
//! }
//! let listener = tokio::net::TcpListener::bind(config.listen).await?;
//! service.serve(listener, std::future::pending()).await;
//! # Ok(())
//! # }
//! ```

pub mod admin;
pub mod archive;
mod attempt_record;
pub mod auth;
mod background;
mod capture;
pub mod config;
mod data_dir;
pub mod dialects;
pub mod error;
pub mod fetch;
pub mod housekeeping;
mod http;
pub mod image_source;
pub mod inference;
pub mod json;
mod jwks;
pub mod limits;
pub mod logging;
mod metrics;
mod outgoing;
mod probing;
pub mod receipt;
mod service;
mod signature;
pub mod store;
pub mod webhooks;

/// Which build this is, where whoever made it said so: for example a commit.
const BUILD: &str = match option_env!("LIFESIGN_BUILD") {
    Some(build) => build,
    None => "unknown",
};

pub use admin::{Admin, AdminError, parse_lifetime, parse_limit, parse_rate, parse_score};
pub use config::{Config, ConfigError, Effective};
pub use data_dir::DataDirError;
pub use service::{FIRST_CLIENT, FirstStart, Service, StartError};
