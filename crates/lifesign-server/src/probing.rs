//! How often a day one client may have the same photograph judged, or nearly the same: whoever asks
//! for the score of one attack again and again, each time a little changed, learns what passes.
//! Counted here, in this process, by a hash from which no photograph can be made.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use lifesign::Likeness;

use crate::error::{ApiError, Limit};

/// Captures that are remembered for one client: 3 MiB. Beyond that the oldest are forgotten.
const MOST: usize = 100_000;

/// What was judged today.
#[derive(Debug)]
pub(crate) struct Probing {
    limit: usize,
    clients: Mutex<HashMap<String, Day>>,
}

#[derive(Debug)]
struct Day {
    date: Date,
    seen: VecDeque<Likeness>,
}

impl Probing {
    /// Nearly the same photograph may be judged `limit` times a day, UTC.
    pub(crate) fn new(limit: u32) -> Probing {
        Probing {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            clients: Mutex::default(),
        }
    }

    /// Counts a judged photograph of a client.
    ///
    /// # Errors
    /// 429 when nearly the same was judged often enough today.
    pub(crate) fn admit(
        &self,
        client_id: &str,
        likeness: Likeness,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let now = now.to_zoned_datetime(TimeZone::UTC);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let day = clients.entry(client_id.to_owned()).or_insert_with(|| Day {
            date: now.date(),
            seen: VecDeque::new(),
        });
        if day.date != now.date() {
            day.date = now.date();
            day.seen = VecDeque::new();
        }
        let alike = day.seen.iter().filter(|seen| seen.is_alike(likeness));
        if alike.take(self.limit).count() >= self.limit {
            let midnight = now.start_of_day().and_then(|day| day.checked_add(1.day()));
            let left = midnight.map(|midnight| now.duration_until(&midnight).unsigned_abs());
            return Err(ApiError::TooManyRequests {
                limit: Limit::SameImage,
                retry_after: left.unwrap_or(Duration::from_secs(86_400)),
            });
        }
        if day.seen.len() >= MOST {
            day.seen.pop_front();
        }
        day.seen.push_back(likeness);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_capture_is_judged_so_often_a_day_for_each_client() {
        let probing = Probing::new(2);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (one, other) = (Likeness::from_bits([0; 4]), Likeness::from_bits([!0; 4]));
        let nearly = Likeness::from_bits([0b111, 0, 0, 0]);
        let noon = at("2026-11-25T12:00:00Z");
        for _ in 0..2 {
            assert!(probing.admit("client", one, noon).is_ok());
        }
        let Err(ApiError::TooManyRequests { limit, retry_after }) =
            probing.admit("client", nearly, noon)
        else {
            panic!("admitted")
        };
        assert_eq!((limit, retry_after.as_secs()), (Limit::SameImage, 43_200));
        assert!(probing.admit("client", other, noon).is_ok());
        assert!(probing.admit("another", one, noon).is_ok());
        let next_day = at("2026-11-26T00:00:00Z");
        assert!(probing.admit("client", one, next_day).is_ok());
    }
}
