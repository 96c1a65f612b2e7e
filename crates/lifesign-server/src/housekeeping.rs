//! What is not to be kept any longer goes: attempts, photographs and deliveries over their time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::archive::Archive;
use crate::error::chain;
use crate::store::{Store, StoreError};

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(3600);
/// How many photographs are deleted between two looks at what is there.
const AT_ONCE: u32 = 100;

/// How far the clock may drift, or be set, in an hour.
const DRIFT: Duration = Duration::from_secs(300);
/// A start at which nothing was recorded for longer may be one with a wrong clock.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(24);

/// For how long what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// Attempts; `None` is for ever.
    pub attempts: Option<Duration>,
    /// What was delivered to webhooks or given up.
    pub deliveries: Duration,
    /// Capture sessions, after their end.
    pub captures: Duration,
}

pub(crate) struct Housekeeper {
    pub(crate) store: Store,
    pub(crate) archive: Option<Arc<Archive>>,
    pub(crate) keeping: Keeping,
}

impl Housekeeper {
    /// Tidies up now and every hour, unless the clock jumped meanwhile: a wrong clock must not delete
    /// what is to be kept, and an hour is time to set it right.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut hours = tokio::time::interval(EVERY);
        hours.tick().await;
        let mut clock = Clock::now();
        let seen = self.store.last_seen();
        let mut steady = seen.is_none_or(|seen| clock.said.duration_since(seen) < LONG_AGO);
        loop {
            if !steady {
                tracing::warn!(
                    "the clock jumped, or nothing happened here for long; what is over its time is \
                     deleted in an hour, unless the clock jumps again"
                );
            } else if let Err(error) = self.tidy().await {
                tracing::error!(
                    cause = chain(&error),
                    "what is over its time cannot be deleted"
                );
            }
            hours.tick().await;
            let before = std::mem::replace(&mut clock, Clock::now());
            steady = clock.agrees_with(&before);
        }
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        let deliveries = self
            .store
            .purge_deliveries(before(self.keeping.deliveries))
            .await?;
        let captures = self
            .store
            .purge_captures(before(self.keeping.captures))
            .await?;
        let attempts = match self.keeping.attempts {
            Some(time) => self.store.purge_attempts(before(time)).await?,
            None => 0,
        };
        let images = self.tidy_images().await?;
        if deliveries + captures + attempts + images > 0 {
            tracing::info!(
                deliveries,
                captures,
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

/// What the clock said, and when that was by one that cannot be set.
struct Clock {
    said: Timestamp,
    at: Instant,
}

impl Clock {
    fn now() -> Clock {
        Clock {
            said: Timestamp::now(),
            at: Instant::now(),
        }
    }

    /// Whether as much time passed since `before` by either.
    fn agrees_with(&self, before: &Clock) -> bool {
        let passed = self.at.saturating_duration_since(before.at);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        let off = self.said.duration_since(before.said).saturating_sub(passed);
        off.unsigned_abs() < DRIFT
    }
}

fn before(time: Duration) -> Timestamp {
    Timestamp::now().checked_sub(time).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_told_from_one_that_ran() {
        let before = Clock::now();
        let hour = Duration::from_secs(3600);
        for (set, steady) in [
            (SignedDuration::ZERO, true),
            (SignedDuration::from_mins(4), true),
            (SignedDuration::from_mins(-4), true),
            (SignedDuration::from_hours(24), false),
            (SignedDuration::from_hours(-24 * 365), false),
        ] {
            let now = Clock {
                said: before.said + hour + set,
                at: before.at + hour,
            };
            assert_eq!(now.agrees_with(&before), steady, "{set:?}");
        }
    }
}
