//! How much looking at preview frames may take: a few a second for each capture session, and never more
//! at the same time than leaves workers to photographs that are to be judged.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{ApiError, Limit};

/// Frames of one session in a second, which is about twice what the component sends.
const RATE: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// From so many sessions on, those that sent nothing for a while are forgotten.
const MANY: usize = 1000;

/// Admits preview frames.
pub(crate) struct Guidance {
    sessions: RateLimiter<String, HashMapStateStore<String>, DefaultClock>,
    places: Semaphore,
}

impl Guidance {
    /// Beside as many workers.
    pub(crate) fn new(workers: usize) -> Guidance {
        Guidance {
            sessions: RateLimiter::hashmap(Quota::per_second(RATE)),
            places: Semaphore::new((workers / 2).max(1)),
        }
    }

    /// Admits a frame of a session; its place is free again when the permit is dropped.
    ///
    /// # Errors
    /// 429 where the session sends too many, 503 where other sessions have all places.
    pub(super) fn admit(&self, session: &str) -> Result<SemaphorePermit<'_>, ApiError> {
        if self.sessions.len() > MANY {
            self.sessions.retain_recent();
        }
        self.sessions
            .check_key(&session.to_owned())
            .map_err(|_| ApiError::TooManyRequests {
                limit: Limit::Frames,
                retry_after: Duration::from_secs(1),
            })?;
        self.places.try_acquire().map_err(|_| ApiError::Overloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_may_send_a_few_frames_a_second_and_all_together_half_the_workers() {
        let guidance = Guidance::new(4);
        for _ in 0..RATE.get() {
            assert!(guidance.admit("one").is_ok());
        }
        let refused = guidance.admit("one").err();
        assert!(matches!(refused, Some(ApiError::TooManyRequests { .. })));
        let _held = (
            guidance.admit("two").unwrap(),
            guidance.admit("two").unwrap(),
        );
        let refused = guidance.admit("three").err();
        assert!(matches!(refused, Some(ApiError::Overloaded)));
    }
}
