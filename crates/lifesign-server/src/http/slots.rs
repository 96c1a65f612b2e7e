//! How many connections there are at once, and which goes when another wants in: the one that has
//! been idle longest, and never one with a request under way.
//!
//! A connection is idle while it has no request under way: nothing came yet, the head of a request is
//! not complete, or the last answer was given. What an answer still needs to reach its reader is
//! idleness, too: else a client that reads nothing would have its slot for ever.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

/// For so long a connection keeps its slot after an answer, which is still on its way.
const DELIVERY: Duration = Duration::from_millis(100);

/// A bounded number of slots.
pub(super) struct Slots {
    free: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

/// The idle connections, longest first, by the turn in which they became idle.
#[derive(Default)]
struct Idle {
    turn: u64,
    connections: BTreeMap<u64, Resting>,
}

struct Resting {
    since: Instant,
    slot: OwnedSemaphorePermit,
    ousted: Arc<Notify>,
}

impl Slots {
    pub(super) fn new(most: usize) -> Arc<Slots> {
        Arc::new(Slots {
            free: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            idle: Mutex::default(),
        })
    }

    /// A seat for a new connection, which is idle. Waits while all are busy.
    pub(super) async fn take(self: &Arc<Self>) -> Seat {
        let slot = loop {
            if let Ok(slot) = Arc::clone(&self.free).try_acquire_owned() {
                break slot;
            }
            if let Some(slot) = self.oust() {
                break slot;
            }
            // Busy, or just answered: whichever is first, a free slot or an idle connection.
            let free = Arc::clone(&self.free).acquire_owned();
            if let Ok(Ok(slot)) = timeout(DELIVERY, free).await {
                break slot;
            }
        };
        let ousted = Arc::new(Notify::new());
        let turn = self.rest(slot, &ousted);
        Seat {
            slots: Arc::clone(self),
            standing: Mutex::new(Standing::Idle(turn)),
            ousted,
        }
    }

    /// The slot of the connection that has been idle longest, which has to go.
    pub(super) fn oust(&self) -> Option<OwnedSemaphorePermit> {
        self.oust_idle_for(DELIVERY)
    }

    /// Ends connections that are idle for longer than `patience`, for ever.
    pub(super) async fn expire(&self, patience: Duration) -> Infallible {
        loop {
            while self.oust_idle_for(patience).is_some() {}
            let first = self.idle().connections.values().next().map(|it| it.since);
            sleep_until(first.unwrap_or_else(Instant::now) + patience).await;
        }
    }

    fn oust_idle_for(&self, least: Duration) -> Option<OwnedSemaphorePermit> {
        let mut idle = self.idle();
        let longest = idle.connections.first_entry()?;
        if longest.get().since.elapsed() < least {
            return None;
        }
        let resting = longest.remove();
        resting.ousted.notify_one();
        Some(resting.slot)
    }

    fn rest(&self, slot: OwnedSemaphorePermit, ousted: &Arc<Notify>) -> u64 {
        let mut idle = self.idle();
        idle.turn += 1;
        let turn = idle.turn;
        let resting = Resting {
            since: Instant::now(),
            slot,
            ousted: Arc::clone(ousted),
        };
        idle.connections.insert(turn, resting);
        turn
    }

    fn rouse(&self, turn: u64) -> Option<OwnedSemaphorePermit> {
        let resting = self.idle().connections.remove(&turn)?;
        Some(resting.slot)
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's; its slot is free again when this is dropped, unless another has it by then.
pub(super) struct Seat {
    slots: Arc<Slots>,
    standing: Mutex<Standing>,
    ousted: Arc<Notify>,
}

enum Standing {
    /// With the turn under which the slot lies with the idle ones, unless it was taken.
    Idle(u64),
    /// HTTP/2 has many requests under way on one connection.
    Busy {
        requests: usize,
        slot: OwnedSemaphorePermit,
    },
    Ousted,
}

impl Seat {
    /// A request begins. `None`: too late, another connection has the slot.
    pub(super) fn begin(self: &Arc<Self>) -> Option<Underway> {
        let mut standing = self.standing();
        match &mut *standing {
            Standing::Idle(turn) => match self.slots.rouse(*turn) {
                Some(slot) => *standing = Standing::Busy { requests: 1, slot },
                None => {
                    *standing = Standing::Ousted;
                    return None;
                }
            },
            Standing::Busy { requests, .. } => *requests += 1,
            Standing::Ousted => return None,
        }
        Some(Underway(Arc::clone(self)))
    }

    /// Waits until the connection has to go.
    pub(super) async fn ousted(&self) {
        self.ousted.notified().await;
    }

    fn end(&self) {
        let mut standing = self.standing();
        match std::mem::replace(&mut *standing, Standing::Ousted) {
            Standing::Busy { requests: 1, slot } => {
                *standing = Standing::Idle(self.slots.rest(slot, &self.ousted));
            }
            Standing::Busy { requests, slot } => {
                let requests = requests - 1;
                *standing = Standing::Busy { requests, slot };
            }
            other => *standing = other,
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Standing::Idle(turn) = *self.standing() {
            self.slots.rouse(turn);
        }
    }
}

/// A request that is under way until this is dropped.
pub(super) struct Underway(Arc<Seat>);

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(time: Duration) {
        tokio::time::advance(time).await;
    }

    async fn seat(slots: &Arc<Slots>) -> Arc<Seat> {
        Arc::new(slots.take().await)
    }

    async fn has_to_go(seat: &Seat) -> bool {
        timeout(Duration::ZERO, seat.ousted()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_gets_the_slot_of_the_longest_idle_and_never_of_a_busy_one() {
        let slots = Slots::new(3);
        let (busy, first, second) = (seat(&slots).await, seat(&slots).await, seat(&slots).await);
        let request = busy.begin().unwrap();
        pass(DELIVERY).await;
        // A request in between: it is idle from now on.
        drop(first.begin().unwrap());
        pass(DELIVERY).await;
        let newcomer = seat(&slots).await;
        assert!(has_to_go(&second).await);
        assert!(!has_to_go(&first).await && !has_to_go(&busy).await);
        assert!(second.begin().is_none(), "its slot is another's");

        let _working = newcomer.begin().unwrap();
        let _last = seat(&slots).await.begin().unwrap();
        assert!(has_to_go(&first).await);
        let waiting = timeout(10 * DELIVERY, slots.take()).await;
        assert!(waiting.is_err(), "all are busy");
        drop(request);
        slots.take().await;
        assert!(has_to_go(&busy).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_time_to_reach_its_reader() {
        let slots = Slots::new(1);
        let answered = seat(&slots).await;
        pass(DELIVERY).await;
        drop(answered.begin().unwrap());
        assert!(slots.oust().is_none());
        pass(DELIVERY).await;
        assert!(slots.oust().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_busy_until_its_last_request_ends() {
        let slots = Slots::new(1);
        let seat = seat(&slots).await;
        let requests = (seat.begin().unwrap(), seat.begin().unwrap());
        drop(requests.0);
        pass(DELIVERY).await;
        assert!(slots.oust().is_none());
        drop(requests.1);
        pass(DELIVERY).await;
        assert!(slots.oust().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_is_free_again_when_its_connection_ends_idle_or_busy() {
        let slots = Slots::new(1);
        for _ in 0..3 {
            drop(seat(&slots).await);
            let seat = seat(&slots).await;
            let request = seat.begin();
            drop(seat);
            assert_eq!(slots.free.available_permits(), 0);
            drop(request);
            assert_eq!(slots.free.available_permits(), 1);
        }
        assert!(slots.idle().connections.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_idle_go_when_patience_ends() {
        let slots = Slots::new(3);
        let (idle, busy) = (seat(&slots).await, seat(&slots).await);
        let _request = busy.begin().unwrap();
        let patience = Duration::from_secs(30);
        let expiring = tokio::spawn({
            let slots = Arc::clone(&slots);
            async move { slots.expire(patience).await }
        });
        pass(patience / 2).await;
        let later = seat(&slots).await;
        tokio::time::sleep(patience / 2 + DELIVERY).await;
        assert!(has_to_go(&idle).await);
        assert!(!has_to_go(&busy).await && !has_to_go(&later).await);
        expiring.abort();
    }
}
