//! The service as a whole: opened from its configuration, then served.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use lifesign::{Engine, EngineConfig, Limits, LoadError};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::admin::{Admin, AdminError, Parts};
use crate::archive::{Archive, ArchiveError};
use crate::auth::{Authenticator, IdentityProvider, ProviderError, Seal};
use crate::background::keep_going;
use crate::config::Config;
use crate::error::chain;
use crate::fetch::{FetchLimits, Fetcher, Network};
use crate::housekeeping::Housekeeper;
use crate::http::{self, App, ConnectionLimits, Guidance, Overload};
use crate::inference::{Assess, InferencePool, PoolConfig};
use crate::limits::Limiter;
use crate::metrics::Metrics;
use crate::probing::Probing;
use crate::signature::Signature;
use crate::store::Store;
use crate::webhooks::Courier;

/// The client that the first start makes.
pub const FIRST_CLIENT: &str = "default";

/// Connections of those who fetch figures: a Prometheus or two, and whoever looks.
const METRICS_CONNECTIONS: usize = 32;

/// Why the service does not start; a sentence for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The models cannot be loaded.
    #[error("The models cannot be loaded: {}.", chain(.0))]
    Models(#[from] LoadError),
    /// The data directory cannot be used, or the first client cannot be made.
    #[error(transparent)]
    Data(#[from] AdminError),
    /// The archive of photographs cannot be used.
    #[error("Photographs cannot be kept (key `images_keep_in`): {}.", chain(.0))]
    Archive(#[from] ArchiveError),
    /// The identity provider cannot be asked.
    #[error("The identity provider (key `idp_jwks_url`) cannot be asked: {}.", chain(.0))]
    Provider(#[from] ProviderError),
    /// The listener for Prometheus cannot be had.
    #[error("Cannot listen on {address} (key `metrics_listen`): {cause}.")]
    Metrics {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The inference threads cannot be started.
    #[error("The inference threads cannot be started: {0}.")]
    Threads(std::io::Error),
}

/// What the first start made, to be shown once.
pub struct FirstStart {
    /// The name of the client.
    pub client: String,
    /// A token for it; it is stored nowhere.
    pub token: String,
}

impl fmt::Debug for FirstStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstStart")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// The service, ready to serve.
pub struct Service {
    app: Arc<App>,
    limits: ConnectionLimits,
    metrics_listener: Option<TcpListener>,
    housekeeper: Housekeeper,
}

impl Service {
    /// Loads the models, opens the data directory and, where it has no client yet, makes the first
    /// client with a token. The address is not listened on yet.
    ///
    /// # Errors
    /// Any part that the service needs and does not get.
    pub async fn open(config: &Config) -> Result<(Service, Option<FirstStart>), StartError> {
        let engine = EngineConfig {
            limits: Limits {
                max_bytes: config.max_image_bytes,
                max_pixels: config.max_pixels,
                max_memory: config.max_image_memory,
                timeout: config.decode_timeout,
            },
            models_dir: config.models_dir.clone(),
            calibration: config.calibration.clone(),
        };
        // Most of a second of pure computation, once, before anything is served.
        let engine = Arc::new(Engine::load(&engine)?);
        Service::open_with(config, engine, Network::public()).await
    }

    /// As [`Service::open`], with an engine and a network of the caller's choice.
    ///
    /// # Errors
    /// As [`Service::open`].
    pub async fn open_with(
        config: &Config,
        engine: Arc<dyn Assess>,
        network: Network,
    ) -> Result<(Service, Option<FirstStart>), StartError> {
        let fetcher = if config.fetch {
            fetcher(config, network)
        } else {
            None
        };
        let admin = Admin::open_checked(config).await?;
        let first_start = first_start(config, &admin).await?;
        let Parts {
            store,
            keys,
            receipts,
            webhooks,
        } = admin.into_parts();
        let provider = config.identity_provider.clone();
        let auth = Authenticator {
            keys,
            store: store.clone(),
            provider: provider.map(IdentityProvider::new).transpose()?,
        };
        let model = model_names(engine.as_ref());
        let metrics = Arc::new(Metrics::new(&model));
        let pool = PoolConfig {
            workers: config.worker_count(),
            queue: config.queue_length(),
            deadline: config.queue_timeout,
        };
        let pool = InferencePool::start(Arc::clone(&engine), pool, Arc::clone(&metrics))
            .map_err(StartError::Threads)?;
        let archive = config.archive.as_ref().map(Archive::open).transpose()?;
        let archive = archive.map(Arc::new);
        let housekeeper = Housekeeper {
            store: store.clone(),
            archive: archive.clone(),
            keeping: config.keeping,
        };
        let metrics_listener = match config.metrics_listen {
            Some(address) => Some(
                TcpListener::bind(address)
                    .await
                    .map_err(|cause| StartError::Metrics { address, cause })?,
            ),
            None => None,
        };
        let app = App {
            archive,
            courier: courier(config, store.clone(), webhooks, &metrics),
            limiter: Limiter::new(config.client_limits),
            probing: config.same_image_limit.map(Probing::new),
            metrics,
            store,
            auth,
            token_lifetime: config.token_lifetime,
            model,
            weights: lifesign::checksums(engine.models()),
            engine,
            pool,
            overload: Overload::new(config.max_body_memory),
            guidance: Guidance::new(config.worker_count()),
            fetcher,
            signature: Signature {
                issuer: config.issuer.clone(),
                time_zone: config.time_zone.clone(),
            },
            receipts,
            with_receipts: config.receipts,
            extensions: config.extensions,
            uncertain_band: config.uncertain_band,
            profile: config.profile,
            min_score: config.min_score,
            max_body_bytes: config.max_body_bytes,
            max_image_bytes: config.max_image_bytes,
            request_timeout: config.request_timeout,
            api_page: config.api_page,
            public_url: config.public_url.clone(),
            page_policy: http::page_policy(&config.capture_origins),
            capture_origins: config.capture_origins.clone(),
            try_it: config.offers_try_out(),
        };
        let limits = ConnectionLimits {
            max_connections: config.max_connections,
            idle_timeout: http::IDLE_TIMEOUT,
            shutdown_timeout: config.request_timeout,
        };
        Ok((
            Service {
                app: Arc::new(app),
                limits,
                metrics_listener,
                housekeeper,
            },
            first_start,
        ))
    }

    /// Where Prometheus finds the figures.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_listener.as_ref()?.local_addr().ok()
    }

    /// What the handlers share, for the tests of a dialect on its own.
    #[cfg(test)]
    pub(crate) fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Serves until `shutdown` is ready, then finishes the requests and deliveries in flight, for at
    /// most the configured `request_timeout`, and closes the database.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let router = http::router(Arc::clone(&self.app));
        let figures = self.metrics_listener.map(|listener| {
            let router = http::metrics::router(Arc::clone(&self.app));
            // Until the very end: the last figures of a service that stops are telling.
            tokio::spawn(http::serve(
                listener,
                router,
                ConnectionLimits {
                    max_connections: METRICS_CONNECTIONS,
                    ..self.limits
                },
                std::future::pending(),
            ))
        });
        let housekeeper = Arc::new(self.housekeeper);
        let housekeeping = tokio::spawn(keep_going("housekeeping", move || {
            Arc::clone(&housekeeper).run()
        }));
        let (stop, stopped) = watch::channel(false);
        let delivering = self.app.courier.clone().map(|courier| {
            tokio::spawn(keep_going("webhooks", move || {
                Arc::clone(&courier).run(stopped.clone())
            }))
        });
        if !http::serve(listener, router, self.limits, shutdown).await {
            tracing::warn!("some requests were still in flight at the end of the shutdown");
        }
        let _ = stop.send(true);
        if let Some(delivering) = delivering {
            // What is cut off here is due again at the next start.
            let _ = tokio::time::timeout(self.limits.shutdown_timeout, delivering).await;
        }
        housekeeping.abort();
        if let Some(figures) = figures {
            figures.abort();
        }
        self.app.store.close().await;
    }
}

/// A machine without certificate authorities cannot download, and everything else it can.
fn fetcher(config: &Config, network: Network) -> Option<Fetcher> {
    match Fetcher::new(fetch_limits(config), config.fetch_rules.clone(), network) {
        Ok(fetcher) => Some(fetcher),
        Err(error) => {
            tracing::warn!(
                cause = chain(&error),
                "images given as URLs are refused: install the system's certificate authorities, \
                 or set `fetch` to false"
            );
            None
        }
    }
}

/// A machine without certificate authorities cannot post either; the outbox keeps what is to be
/// told until it can.
fn courier(
    config: &Config,
    store: Store,
    seal: Seal,
    metrics: &Arc<Metrics>,
) -> Option<Arc<Courier>> {
    match Courier::new(store, seal, config.webhooks, Arc::clone(metrics)) {
        Ok(courier) => Some(Arc::new(courier)),
        Err(error) => {
            tracing::warn!(
                cause = chain(&error),
                "webhooks are not told: install the system's certificate authorities"
            );
            None
        }
    }
}

fn fetch_limits(config: &Config) -> FetchLimits {
    FetchLimits {
        connect_timeout: config.fetch_connect_timeout,
        header_timeout: config.fetch_header_timeout,
        idle_timeout: config.fetch_idle_timeout,
        timeout: config.fetch_timeout,
        max_bytes: config.max_image_bytes,
        concurrent: config.fetch_concurrent,
    }
}

/// A data directory without any client is a new one. A PostgreSQL database is the operator's, who
/// adds clients; what replicas print is kept in logs, where no token belongs.
async fn first_start(config: &Config, admin: &Admin) -> Result<Option<FirstStart>, AdminError> {
    if config.database.is_some() || !admin.clients().await?.is_empty() {
        return Ok(None);
    }
    let client = admin.add_client(FIRST_CLIENT).await?.name;
    let token = admin.issue_token(&client, None).await?.token;
    Ok(Some(FirstStart { client, token }))
}

/// Such as `centerface 1, lifesign-pad 0.1`.
fn model_names(engine: &dyn Assess) -> String {
    let names = engine
        .models()
        .iter()
        .map(|model| format!("{} {}", model.name, model.version));
    names.collect::<Vec<_>>().join(", ")
}
