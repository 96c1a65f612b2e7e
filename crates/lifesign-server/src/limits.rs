//! How much one client may ask for: requests a second with a burst, and requests under way. Both
//! are counted here, in this process; the monthly quota is in the database, where replicas share it.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{ApiError, Limit};

/// What one client may ask for; `None` is no limit, or what the configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClientLimits {
    /// Requests per second, over time.
    pub rate: Option<f64>,
    /// Requests at once, after a pause.
    pub burst: Option<u32>,
    /// Requests under way at the same time.
    pub concurrent: Option<u32>,
    /// Judged photographs in a calendar month, UTC.
    pub quota: Option<u32>,
}

impl ClientLimits {
    /// These, and where they say nothing those.
    pub fn or(self, those: ClientLimits) -> ClientLimits {
        ClientLimits {
            rate: self.rate.or(those.rate),
            burst: self.burst.or(those.burst),
            concurrent: self.concurrent.or(those.concurrent),
            quota: self.quota.or(those.quota),
        }
    }
}

/// Where a client stands with its rate, for the `RateLimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Requests at once.
    pub(crate) limit: u32,
    /// How many are left now.
    pub(crate) remaining: u32,
    /// Seconds until all are there again.
    pub(crate) reset: u64,
}

/// Counts the requests of every client.
#[derive(Default)]
pub(crate) struct Limiter {
    defaults: ClientLimits,
    clients: Mutex<HashMap<String, Arc<Counter>>>,
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

struct Counter {
    limits: ClientLimits,
    rate: Option<Rate>,
    under_way: Option<Arc<Semaphore>>,
}

struct Rate {
    bucket: Bucket,
    per_second: f64,
    burst: u32,
}

impl Limiter {
    /// A limiter for clients that have no limits of their own.
    pub(crate) fn new(defaults: ClientLimits) -> Limiter {
        Limiter {
            defaults,
            clients: Mutex::default(),
        }
    }

    /// Counts a request of a client. Returns where the client stands, if it has a rate.
    pub(crate) fn admit(
        &self,
        client_id: &str,
        own: ClientLimits,
    ) -> (Option<Standing>, Result<(), ApiError>) {
        let counter = self.counter(client_id, own);
        match &counter.rate {
            Some(rate) => rate.take(),
            None => (None, Ok(())),
        }
    }

    /// Takes a place among the client's requests under way; it is free again when the permit is
    /// dropped.
    ///
    /// # Errors
    /// All places are taken.
    pub(crate) fn enter(
        &self,
        client_id: &str,
        own: ClientLimits,
    ) -> Result<Option<OwnedSemaphorePermit>, ApiError> {
        let counter = self.counter(client_id, own);
        let Some(places) = &counter.under_way else {
            return Ok(None);
        };
        Arc::clone(places)
            .try_acquire_owned()
            .map(Some)
            .map_err(|_| ApiError::TooManyRequests {
                limit: Limit::Concurrency,
                retry_after: Duration::from_secs(1),
            })
    }

    /// The client's monthly quota.
    pub(crate) fn quota(&self, own: ClientLimits) -> Option<u32> {
        own.or(self.defaults).quota
    }

    /// The counter of a client; a new one where its limits have changed. There are never more than
    /// clients, which only the operator makes.
    fn counter(&self, client_id: &str, own: ClientLimits) -> Arc<Counter> {
        let limits = own.or(self.defaults);
        // A counter is only ever replaced as a whole, so a panic elsewhere left nothing half-done.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        match clients.get(client_id) {
            Some(counter) if counter.limits == limits => Arc::clone(counter),
            _ => {
                let counter = Arc::new(Counter::new(limits));
                clients.insert(client_id.to_owned(), Arc::clone(&counter));
                counter
            }
        }
    }
}

impl Counter {
    fn new(limits: ClientLimits) -> Counter {
        let places = |count: u32| Arc::new(Semaphore::new(count as usize));
        Counter {
            limits,
            rate: limits.rate.and_then(|rate| Rate::new(rate, limits.burst)),
            under_way: limits.concurrent.map(places),
        }
    }
}

impl Rate {
    /// Without a burst of its own a rate has that of one second.
    fn new(per_second: f64, burst: Option<u32>) -> Option<Rate> {
        let burst = burst.unwrap_or(per_second.ceil() as u32);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let pause = Duration::try_from_secs_f64(1.0 / per_second).ok()?;
        let quota = Quota::with_period(pause)?.allow_burst(burst);
        Some(Rate {
            bucket: RateLimiter::direct(quota).with_middleware(),
            per_second,
            burst: burst.get(),
        })
    }

    fn take(&self) -> (Option<Standing>, Result<(), ApiError>) {
        let standing = |remaining: u32, reset: u64| {
            Some(Standing {
                limit: self.burst,
                remaining,
                reset,
            })
        };
        match self.bucket.check() {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let missing = f64::from(self.burst.saturating_sub(remaining));
                let reset = (missing / self.per_second).ceil() as u64;
                (standing(remaining, reset), Ok(()))
            }
            Err(not_yet) => {
                let wait = not_yet.wait_time_from(DefaultClock::default().now());
                // In whole seconds, as the header has it, and never at once.
                let wait = Duration::from_secs(wait.as_secs_f64().ceil().max(1.0) as u64);
                let full = (f64::from(self.burst) / self.per_second).ceil() as u64;
                let refused = ApiError::TooManyRequests {
                    limit: Limit::Rate,
                    retry_after: wait,
                };
                (standing(0, full), Err(refused))
            }
        }
    }
}

/// The month that a quota is counted in, such as `2026-11`, and how long it still takes.
pub(crate) fn month(at: Timestamp) -> (String, Duration) {
    let now = at.to_zoned_datetime(TimeZone::UTC);
    let ends = now
        .first_of_month()
        .and_then(|first| first.start_of_day())
        .and_then(|first| first.checked_add(1.month()));
    let left = ends.map(|end| now.duration_until(&end).unsigned_abs());
    let month = now.strftime("%Y-%m").to_string();
    (month, left.unwrap_or(Duration::from_secs(86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(rate: Option<f64>, burst: Option<u32>, concurrent: Option<u32>) -> ClientLimits {
        ClientLimits {
            rate,
            burst,
            concurrent,
            quota: None,
        }
    }

    #[test]
    fn a_burst_is_admitted_and_what_is_over_it_refused_for_each_client_apart() {
        let limiter = Limiter::new(limits(Some(0.5), Some(3), None));
        let none = ClientLimits::default();
        for left in [2, 1, 0] {
            let (standing, admitted) = limiter.admit("one", none);
            assert!(admitted.is_ok());
            assert_eq!(standing.map(|standing| standing.remaining), Some(left));
        }
        let (standing, refused) = limiter.admit("one", none);
        let Err(ApiError::TooManyRequests { retry_after, .. }) = refused else {
            panic!("admitted")
        };
        assert!((1..=2).contains(&retry_after.as_secs()), "{retry_after:?}");
        assert_eq!(
            standing.map(|standing| (standing.limit, standing.reset)),
            Some((3, 6))
        );
        assert!(limiter.admit("two", none).1.is_ok());
    }

    #[test]
    fn a_clients_own_limits_come_first_and_changes_count_at_once() {
        let limiter = Limiter::new(limits(Some(1.0), Some(1), None));
        let own = limits(None, Some(2), None);
        assert!(limiter.admit("one", own).1.is_ok());
        assert!(limiter.admit("one", own).1.is_ok());
        assert!(limiter.admit("one", own).1.is_err());
        let more = limits(Some(100.0), Some(50), None);
        assert!(limiter.admit("one", more).1.is_ok());
    }

    #[test]
    fn a_place_is_free_again_when_its_request_is_done() {
        let limiter = Limiter::new(limits(None, None, Some(1)));
        let none = ClientLimits::default();
        let place = limiter.enter("one", none).unwrap();
        assert!(limiter.enter("one", none).is_err());
        assert!(limiter.enter("two", none).is_ok());
        drop(place);
        assert!(limiter.enter("one", none).is_ok());
    }

    #[test]
    fn without_limits_nobody_is_refused() {
        let limiter = Limiter::new(ClientLimits::default());
        for _ in 0..1000 {
            let (standing, admitted) = limiter.admit("one", ClientLimits::default());
            assert!(standing.is_none() && admitted.is_ok());
        }
    }

    #[test]
    fn a_month_ends_at_its_last_midnight() {
        for (at, name, left) in [
            ("2026-11-30T23:59:00Z", "2026-11", 60),
            ("2026-12-31T00:00:00Z", "2026-12", 86_400),
            ("2028-02-28T00:00:00Z", "2028-02", 2 * 86_400),
        ] {
            let (month, rest) = month(at.parse().unwrap());
            assert_eq!((month.as_str(), rest.as_secs()), (name, left), "{at}");
        }
    }
}
