//! All cores at work on a sequence, while what comes next is fetched.

use std::any::Any;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

/// Items under way at once, for each core: one at work, the others being loaded or waiting, so
/// that a slow download does not leave a core idle. It bounds what is held in memory, too.
const AHEAD: usize = 4;

/// How many threads work.
pub fn workers() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Loads every item, ahead of need, runs `work` on what was loaded on all cores, and hands the
/// results to `take` in the items' order, until one of them is an error. However many items there
/// are, only a few for each core are held at once.
///
/// # Errors
/// The first error of `take`; what is under way is finished, nothing is begun after it.
pub fn in_order<T: Send, L: Send, R: Send, E>(
    items: impl Iterator<Item = T> + Send,
    load: impl Fn(T) -> L + Sync,
    work: impl Fn(L) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let workers = workers();
    let at_once = workers * AHEAD;
    let items = Mutex::new(items.enumerate());
    // An item is begun for a ticket, and its ticket comes back when its result was taken. So a
    // slow item holds back the others, rather than have their results pile up.
    let (give_back, tickets) = bounded(at_once);
    for _ in 0..at_once {
        let _ = give_back.send(());
    }
    let (loaded_out, loaded) = bounded::<(usize, Caught<L>)>(at_once);
    let (results_out, results) = unbounded::<(usize, Caught<R>)>();
    thread::scope(|scope| {
        for _ in 0..at_once - workers {
            let (tickets, loaded, items, load) =
                (tickets.clone(), loaded_out.clone(), &items, &load);
            scope.spawn(move || load_all(&tickets, items, load, &loaded));
        }
        for _ in 0..workers {
            let (loaded, results, work) = (loaded.clone(), results_out.clone(), &work);
            scope.spawn(move || {
                for (nth, item) in loaded {
                    let result = item.and_then(|item| caught(|| work(item)));
                    if results.send((nth, result)).is_err() {
                        break;
                    }
                }
            });
        }
        // Theirs alone now: each channel ends when those who fill it have ended.
        drop((tickets, loaded_out, loaded, results_out));
        // Dropped when this ends, early or not, and then nothing is begun any more.
        let give_back: Sender<()> = give_back;
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (nth, result) in results {
            early.insert(nth, result);
            while let Some(result) = early.remove(&due) {
                match result {
                    Ok(result) => take(result)?,
                    Err(panic) => panic::resume_unwind(panic),
                }
                due += 1;
                let _ = give_back.send(());
            }
        }
        Ok(())
    })
}

/// A value, or the panic that came instead: the thread that takes the results goes on with it, as
/// it would otherwise wait for ever for a result that never comes.
type Caught<T> = Result<T, Box<dyn Any + Send>>;

fn caught<T>(work: impl FnOnce() -> T) -> Caught<T> {
    panic::catch_unwind(AssertUnwindSafe(work))
}

fn load_all<T, L>(
    tickets: &Receiver<()>,
    items: &Mutex<impl Iterator<Item = (usize, T)>>,
    load: impl Fn(T) -> L,
    loaded: &Sender<(usize, Caught<L>)>,
) {
    while tickets.recv().is_ok() {
        // Poisoned by an iterator that panicked: its thread's panic ends the scope.
        let Ok(next) = items.lock().map(|mut items| items.next()) else {
            break;
        };
        let Some((nth, item)) = next else { break };
        if loaded.send((nth, caught(|| load(item)))).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_however_long_each_takes() {
        let pause = |item: u64| thread::sleep(Duration::from_millis(item * 3 % 7));
        let mut seen = Vec::new();
        let Ok(()) = in_order(
            0..100u64,
            |item| {
                pause(item + 1);
                item
            },
            |item| {
                pause(item);
                item * 2
            },
            |doubled| {
                seen.push(doubled);
                Ok::<(), Infallible>(())
            },
        );
        assert_eq!(seen, (0..100).map(|item| item * 2).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_ends_it_and_what_follows_is_not_begun() {
        let begun = AtomicUsize::new(0);
        let outcome = in_order(
            0..10_000,
            |item| {
                begun.fetch_add(1, Ordering::Relaxed);
                item
            },
            |item| item,
            |item| if item == 3 { Err("three") } else { Ok(()) },
        );
        assert_eq!(outcome, Err("three"));
        assert!(begun.load(Ordering::Relaxed) <= 4 + workers() * AHEAD);
    }

    #[test]
    fn only_a_few_items_are_held_while_one_is_slow() {
        let (begun, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let taken = AtomicUsize::new(0);
        let Ok(()) = in_order(
            0..200,
            |item| {
                let begun = begun.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(begun - taken.load(Ordering::SeqCst), Ordering::SeqCst);
                item
            },
            |item| {
                if item % 50 == 0 {
                    thread::sleep(Duration::from_millis(30));
                }
            },
            |()| {
                taken.fetch_add(1, Ordering::SeqCst);
                Ok::<(), Infallible>(())
            },
        );
        assert_eq!(taken.into_inner(), 200);
        assert!(most.into_inner() <= workers() * AHEAD);
    }

    #[test]
    fn loading_overlaps_with_work() {
        let loading = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let Ok(()) = in_order(
            0..40,
            |_| {
                let now = loading.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5));
                loading.fetch_sub(1, Ordering::SeqCst);
            },
            |()| (),
            |()| Ok::<(), Infallible>(()),
        );
        assert!(most.into_inner() > workers());
    }

    #[test]
    fn a_panic_comes_out_rather_than_waiting_for_ever() {
        for in_load in [true, false] {
            let outcome = panic::catch_unwind(|| {
                in_order(
                    0..100,
                    |item| assert!(!in_load || item != 7),
                    |()| assert!(in_load),
                    |()| Ok::<(), Infallible>(()),
                )
            });
            assert!(outcome.is_err());
        }
    }
}
