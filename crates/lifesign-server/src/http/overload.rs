//! What keeps more requests than the service can answer from taking it down: those that would only
//! wait in vain are refused before their bodies are read, and the bodies that are read are bounded
//! all together.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// A line for each refused request would be a load of its own.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Memory is counted in units of this many bytes.
const UNIT: usize = 1 << 10;

/// The memory of request bodies, and the log's word on what was refused.
pub(crate) struct Overload {
    free: Arc<Semaphore>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    last: Option<Instant>,
    since: u64,
}

impl Overload {
    /// With room for `memory` bytes of bodies.
    pub(crate) fn new(memory: usize) -> Overload {
        let units = (memory / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Overload {
            free: Arc::new(Semaphore::new(units)),
            told: Mutex::default(),
        }
    }

    /// Room for a body, which grows with what arrives: what a client only announces takes none, so
    /// that nobody can keep it from others by sending slowly.
    pub(super) fn room(&self) -> Room {
        Room {
            free: Arc::clone(&self.free),
            taken: None,
            bytes: 0,
        }
    }

    /// Counts a refused request, and says so in the log from time to time.
    pub(super) fn refused(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.since += 1;
        if told.last.is_none_or(|last| last.elapsed() >= TELL_EVERY) {
            tracing::warn!(
                requests = told.since,
                "more than can be answered: requests are refused with 503"
            );
            *told = Told {
                last: Some(Instant::now()),
                since: 0,
            };
        }
    }
}

/// The memory that one body takes, until this is dropped.
pub(crate) struct Room {
    free: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Room {
    /// Takes `bytes` more.
    ///
    /// # Errors
    /// Other bodies have the rest.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        self.bytes += bytes;
        let held = self.taken.as_ref().map_or(0, |taken| taken.num_permits());
        let more = self.bytes.div_ceil(UNIT).saturating_sub(held);
        let more = u32::try_from(more).map_err(|_| ApiError::Overloaded)?;
        if more == 0 {
            return Ok(());
        }
        let more = Arc::clone(&self.free)
            .try_acquire_many_owned(more)
            .map_err(|_| ApiError::Overloaded)?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_the_memory_and_give_it_back() {
        let overload = Overload::new(10 * UNIT);
        let (mut one, mut two) = (overload.room(), overload.room());
        assert!(one.grow(1).is_ok() && one.grow(UNIT - 1).is_ok());
        assert_eq!(
            overload.free.available_permits(),
            9,
            "parts of a unit add up"
        );
        assert!(two.grow(9 * UNIT).is_ok());
        assert!(matches!(one.grow(1), Err(ApiError::Overloaded)));
        drop(two);
        assert!(one.grow(9 * UNIT - 1).is_ok());
        drop(one);
        assert_eq!(overload.free.available_permits(), 10);
    }
}
