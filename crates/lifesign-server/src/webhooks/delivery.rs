//! The courier: takes what is due out of the outbox and posts it, again and again with growing
//! pauses, until it arrives or is given up.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};

use super::WebhookSecret;
use crate::auth::{Seal, SealError, Secret};
use crate::error::chain;
use crate::metrics::Metrics;
use crate::outgoing;
use crate::store::{Due, Store, StoreError};

/// Deliveries at the same time, and to one webhook: those that do not answer must not keep the
/// others waiting.
const AT_ONCE: usize = 128;
const AT_ONCE_TO_ONE: u32 = 8;
/// How often the outbox is looked at without being told: for what others put there, and for what
/// is due again.
const POLL: Duration = Duration::from_secs(1);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// How deliveries are made.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryConfig {
    /// Time for one try.
    pub timeout: Duration,
    /// Pause before the second try; it doubles from try to try.
    pub first_pause: Duration,
    /// How long it is tried.
    pub give_up: Duration,
}

/// Delivers what the outbox holds.
pub struct Courier {
    store: Store,
    seal: Seal,
    client: Client,
    config: DeliveryConfig,
    metrics: Arc<Metrics>,
    posted: Notify,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Courier").field(&self.config).finish()
    }
}

/// The seal of webhooks' secrets.
pub(crate) fn seal(secret: &Secret) -> Result<Seal, SealError> {
    Seal::new(secret, "webhook secrets")
}

/// How many deliveries are under way to which webhook.
type UnderWay = HashMap<String, usize>;

/// Notes that a delivery is done. One that panicked does not say to which webhook it was: then all
/// count as done, or that webhook would be busy for ever.
fn free(to: &mut UnderWay, done: Result<String, JoinError>) {
    let Ok(webhook) = done else {
        to.clear();
        return;
    };
    if let Some(count) = to.get_mut(&webhook) {
        *count -= 1;
        if *count == 0 {
            to.remove(&webhook);
        }
    }
}

/// Why a try failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the webhook's secret cannot be opened")]
    Seal(#[from] SealError),
    #[error(transparent)]
    Secret(#[from] super::BadSecret),
    #[error("not reached")]
    Transport(#[from] reqwest::Error),
    #[error("answered {0}")]
    Status(reqwest::StatusCode),
}

impl Courier {
    /// A courier for the outbox of `store`.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn new(
        store: Store,
        seal: Seal,
        config: DeliveryConfig,
        metrics: Arc<Metrics>,
    ) -> Result<Courier, reqwest::Error> {
        Ok(Courier {
            store,
            seal,
            client: outgoing::client(config.timeout)?,
            config,
            metrics,
            posted: Notify::new(),
        })
    }

    /// Says that there is something new in the outbox.
    pub fn wake(&self) {
        self.posted.notify_one();
    }

    /// Delivers until `stop`, then finishes what is under way.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut under_way = JoinSet::new();
        let mut to = UnderWay::new();
        loop {
            for due in self.take(&to).await {
                *to.entry(due.webhook_id.clone()).or_default() += 1;
                let courier = Arc::clone(&self);
                under_way.spawn(async move {
                    courier.deliver(&due).await;
                    due.webhook_id
                });
            }
            tokio::select! {
                biased;
                // Asked to, or nobody is there to ask.
                _ = stop.wait_for(|stop| *stop) => break,
                // A free place, to this webhook or to any.
                Some(done) = under_way.join_next() => free(&mut to, done),
                () = self.posted.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            while let Some(done) = under_way.try_join_next() {
                free(&mut to, done);
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    /// Takes what is due and has a place; `to` says how many are under way to which webhook.
    async fn take(&self, to: &UnderWay) -> Vec<Due> {
        let places = AT_ONCE.saturating_sub(to.values().sum());
        if places == 0 {
            return Vec::new();
        }
        // One that has others under way gets no more before those are done, so that none has more
        // than its share.
        let busy: Vec<&str> = to.keys().map(String::as_str).collect();
        // Longer than a try can take: only a process that died leaves its lease to run out.
        let lease = self.config.timeout * 2 + POLL;
        let places = u32::try_from(places).unwrap_or(u32::MAX);
        let latest = lease + LONGEST_PAUSE * 2;
        let claimed = self
            .store
            .claim_deliveries(places, AT_ONCE_TO_ONE, &busy, lease, latest);
        match claimed.await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(cause = chain(&error), "the outbox cannot be read");
                Vec::new()
            }
        }
    }

    async fn deliver(&self, due: &Due) {
        let (id, webhook, tries) = (&due.id, &due.webhook_id, due.tries);
        let noted = match self.post(due).await {
            Ok(status) => {
                self.metrics.told("delivered");
                tracing::info!(delivery = id, webhook, tries, "webhook delivered");
                self.store
                    .delivered(id, &format!("answered {status}"))
                    .await
            }
            Err(failure) => {
                let outcome = outcome(&failure);
                let again = self.next_try(due.tries);
                let given_up = again.is_none();
                self.metrics
                    .told(if given_up { "given_up" } else { "retried" });
                tracing::warn!(
                    delivery = id,
                    webhook,
                    tries,
                    given_up,
                    cause = outcome,
                    "webhook not delivered"
                );
                self.store.not_delivered(id, &outcome, again).await
            }
        };
        if let Err(error) = noted {
            // It is due again when its lease runs out: told twice rather than never.
            let error: &StoreError = &error;
            tracing::warn!(
                delivery = id,
                cause = chain(error),
                "the outbox cannot be written"
            );
        }
    }

    async fn post(&self, due: &Due) -> Result<reqwest::StatusCode, Failure> {
        let secret = WebhookSecret::from_bytes(&self.seal.open(&due.webhook_id, &due.sealed)?)?;
        let timestamp = Timestamp::now().as_second();
        let response = self
            .client
            .post(&due.url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &due.id)
            .header("webhook-timestamp", timestamp)
            .header(
                "webhook-signature",
                secret.signature(&due.id, timestamp, &due.body),
            )
            .body(due.body.clone())
            .send()
            .await?;
        match response.status() {
            status if status.is_success() => Ok(status),
            status => Err(Failure::Status(status)),
        }
    }

    /// The pause before the next try; `None` when it is given up. How long it was tried is told from
    /// the pauses, not from a clock: one that jumps must not give a delivery up.
    fn next_try(&self, tries: u32) -> Option<Duration> {
        let pause = |tries: u32| {
            let doublings = tries.saturating_sub(1).min(20);
            let pause = self.config.first_pause.saturating_mul(1 << doublings);
            pause.clamp(Duration::from_millis(1), LONGEST_PAUSE)
        };
        let mut tried_for = Duration::ZERO;
        for tries in 1..=tries {
            tried_for = tried_for.saturating_add(pause(tries));
            if tried_for > self.config.give_up {
                return None;
            }
        }
        let pause = pause(tries);
        // Up to a tenth more, so that what failed together is not tried together again.
        Some(pause + pause.mul_f64(0.1 * rand::random::<f64>()))
    }
}

/// The failure in one line, without the address, which may hold a credential.
fn outcome(failure: &Failure) -> String {
    match failure {
        Failure::Transport(error) if error.is_timeout() => "timed out".to_owned(),
        Failure::Transport(error) => {
            let cause = std::error::Error::source(error).map(chain);
            format!("not reached: {}", cause.unwrap_or_default())
        }
        other => chain(other),
    }
}
