//! What is not to be kept any longer goes: attempts, photographs and deliveries over their time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::archive::Archive;
use crate::error::chain;
use crate::store::{Store, StoreError};

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(3600);
/// How many photographs are deleted between two looks at what is there.
const AT_ONCE: u32 = 100;

/// For how long what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// Attempts; `None` is for ever.
    pub attempts: Option<Duration>,
    /// What was delivered to webhooks or given up.
    pub deliveries: Duration,
}

pub(crate) struct Housekeeper {
    pub(crate) store: Store,
    pub(crate) archive: Option<Arc<Archive>>,
    pub(crate) keeping: Keeping,
}

impl Housekeeper {
    /// Tidies up now and every hour.
    pub(crate) async fn run(self) {
        let mut hours = tokio::time::interval(EVERY);
        loop {
            hours.tick().await;
            if let Err(error) = self.tidy().await {
                tracing::error!(
                    cause = chain(&error),
                    "what is over its time cannot be deleted"
                );
            }
        }
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        let deliveries = self
            .store
            .purge_deliveries(before(self.keeping.deliveries))
            .await?;
        let attempts = match self.keeping.attempts {
            Some(time) => self.store.purge_attempts(before(time)).await?,
            None => 0,
        };
        let images = self.tidy_images().await?;
        if deliveries + attempts + images > 0 {
            tracing::info!(
                deliveries,
                attempts,
                images,
                "deleted what was over its time"
            );
        }
        Ok(())
    }

    async fn tidy_images(&self) -> Result<u64, StoreError> {
        let Some(archive) = &self.archive else {
            return Ok(0);
        };
        let mut deleted = 0;
        loop {
            let expired = self.store.expired_images(AT_ONCE).await?;
            for image in &expired {
                if let Err(error) = archive.delete(&image.location).await {
                    tracing::error!(cause = chain(&error), "an expired photograph stays");
                    return Ok(deleted);
                }
                self.store.forget_kept_image(&image.attempt_id).await?;
                deleted += 1;
            }
            if expired.is_empty() {
                return Ok(deleted);
            }
        }
    }
}

fn before(time: Duration) -> Timestamp {
    Timestamp::now().checked_sub(time).unwrap_or(Timestamp::MIN)
}
