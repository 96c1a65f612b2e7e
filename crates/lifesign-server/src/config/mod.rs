//! What the service can be told, and how it is resolved: flags over `LIFESIGN_*` environment
//! variables over a TOML file over defaults.
//!
//! Every key is a scalar, so each layer is a map of key to text and one parser per key reads the
//! text whichever layer it came from. A bad value stops the start with one sentence.

mod error;
mod keys;
mod resolve;
mod value;

pub use error::ConfigError;
pub use keys::{KEYS, Key};
pub use resolve::{ConfigFile, Effective, Layers, Source};
pub use value::LogFormat;
pub(crate) use value::{is_of_this_machine, lifetime, limit, rate, score, trusted_url};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::HeaderValue;
use jiff::tz::TimeZone;
use lifesign::Profile;
use reqwest::Url;

use crate::archive::ArchiveConfig;
use crate::auth::ProviderConfig;
use crate::fetch::Rules;
use crate::housekeeping::Keeping;
use crate::limits::ClientLimits;
use crate::store::Database;
use crate::webhooks::DeliveryConfig;

/// Photographs that wait for each worker where `queue` says nothing: about half a second of work,
/// so that whoever waits is answered soon and a burst is over soon after it ends.
const WAIT_FOR_EACH: usize = 16;

/// The effective configuration of a service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Directory of the database and of the signing secret.
    pub data_dir: PathBuf,
    /// PostgreSQL database to use instead of SQLite in the data directory.
    pub database: Option<Database>,
    /// File of the signing secret, where it is not in its usual place.
    pub secret_file: Option<PathBuf>,
    /// Who certifies: `Certified by {issuer}` in every answer.
    pub issuer: String,
    /// Time zone of the answer's `dateTime`.
    pub time_zone: TimeZone,
    /// Capture rules that a photograph must satisfy before it is scored.
    pub profile: Profile,
    /// Pass threshold where a request gives none, 0 to 1.
    pub min_score: f64,
    /// How long an issued token is valid.
    pub token_lifetime: Duration,
    /// Whether answers carry a signed receipt.
    pub receipts: bool,
    /// How long one key signs receipts before another does.
    pub receipt_key_lifetime: Duration,
    /// Whether all answers carry the extensions, not only those to requests that ask.
    pub extensions: bool,
    /// How far from the threshold a decision is uncertain: share of the way to 1, and to 0.
    pub uncertain_band: f64,
    /// Whether `/openapi.json` and the page `/docs` are served.
    pub api_page: bool,
    /// Where browsers reach this service; `None` is where a request did.
    pub public_url: Option<Url>,
    /// Origins whose pages may use or frame capture sessions.
    pub capture_origins: Vec<HeaderValue>,
    /// Whether the welcome page judges photographs without a token; see [`Config::offers_try_out`].
    pub try_it: bool,
    /// Most bytes of a request body.
    pub max_body_bytes: usize,
    /// Most bytes of all request bodies that are held at the same time; more are answered 503.
    pub max_body_memory: usize,
    /// Most bytes of a photograph, decoded from base64 or downloaded.
    pub max_image_bytes: usize,
    /// Most pixels of a photograph.
    pub max_pixels: u64,
    /// Most bytes of memory that decoding one photograph may take.
    pub max_image_memory: usize,
    /// Time to decode one photograph.
    pub decode_timeout: Duration,
    /// Assessments that run at the same time; 0 is one per core.
    pub workers: usize,
    /// Assessments that may wait for a worker, or 16 for each worker; more are answered 503.
    pub queue: Option<usize>,
    /// How long an assessment may wait for a worker; longer is answered 503.
    pub queue_timeout: Duration,
    /// What one client may ask for, unless it has limits of its own.
    pub client_limits: ClientLimits,
    /// How often a day nearly the same image of one client is judged.
    pub same_image_limit: Option<u32>,
    /// Address and port of the listener for Prometheus.
    pub metrics_listen: Option<SocketAddr>,
    /// Connections served at the same time; for more, idle ones are closed, and while none is idle they
    /// wait.
    pub max_connections: usize,
    /// Time for one whole request, from its head to its answer.
    pub request_timeout: Duration,
    /// Whether `image` may be an https URL.
    pub fetch: bool,
    /// From where it may be.
    pub fetch_rules: Rules,
    /// Downloads at the same time; more are answered 503.
    pub fetch_concurrent: usize,
    /// Time to connect to an image's host, and to wait for a place among the downloads.
    pub fetch_connect_timeout: Duration,
    /// Time until an image's host has begun to answer, connecting included.
    pub fetch_header_timeout: Duration,
    /// Time without any byte of an image.
    pub fetch_idle_timeout: Duration,
    /// Time for one whole download.
    pub fetch_timeout: Duration,
    /// Whose tokens are accepted beside our own.
    pub identity_provider: Option<ProviderConfig>,
    /// How webhooks are told.
    pub webhooks: DeliveryConfig,
    /// For how long attempts and deliveries are kept.
    pub keeping: Keeping,
    /// How judged photographs are kept; `None` is not at all.
    pub archive: Option<ArchiveConfig>,
    /// Directory of models to use instead of the built-in ones.
    pub models_dir: Option<PathBuf>,
    /// File of a calibration to use instead of the model card's.
    pub calibration: Option<PathBuf>,
    /// Which events are logged, as a `tracing` filter.
    pub log: String,
    /// Form of the log lines.
    pub log_format: LogFormat,
}

impl Config {
    /// Resolves the three layers over the defaults, and reports where each value came from.
    ///
    /// # Errors
    /// A value that cannot be read, in whichever layer, or an unknown key in the file.
    pub fn resolve(layers: &Layers) -> Result<(Config, Vec<Effective>), ConfigError> {
        let effective = resolve::effective(layers)?;
        let config = resolve::typed(&effective)?;
        Ok((config, effective))
    }

    /// Reads the environment of this process and the configuration file, then resolves them under
    /// `flags` (key name to text, only the flags that were given).
    ///
    /// The file is `file`, else what `LIFESIGN_CONFIG` names, else `lifesign.toml` in the working
    /// directory where there is one.
    ///
    /// # Errors
    /// As [`Config::resolve`], and a named file that cannot be read.
    pub fn load(
        flags: BTreeMap<String, String>,
        file: Option<&Path>,
    ) -> Result<(Config, Vec<Effective>), ConfigError> {
        // Variables that are not UTF-8 cannot be ours: every value we know is text.
        let env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = file.map(Path::to_path_buf).or_else(|| {
            env.get("LIFESIGN_CONFIG")
                .filter(|p| !p.is_empty())
                .map(PathBuf::from)
        });
        let file = match named {
            Some(path) => Some(ConfigFile::read(&path)?),
            None if Path::new("lifesign.toml").is_file() => {
                Some(ConfigFile::read(Path::new("lifesign.toml"))?)
            }
            None => None,
        };
        Config::resolve(&Layers { flags, env, file })
    }

    /// The number of worker threads: `workers`, or one per core where that is 0.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            given => given,
        }
    }

    /// Whether the welcome page judges photographs without a token: only where nobody but this machine
    /// reaches it, so that it is neither on a network nor, by its `public_url`, behind a proxy.
    pub fn offers_try_out(&self) -> bool {
        let public = self.public_url.as_ref();
        self.try_it && self.listen.ip().is_loopback() && public.is_none_or(is_of_this_machine)
    }

    /// How many photographs may wait: `queue`, or 16 for each worker.
    pub fn queue_length(&self) -> usize {
        self.queue
            .unwrap_or_else(|| self.worker_count().saturating_mul(WAIT_FOR_EACH))
    }
}
