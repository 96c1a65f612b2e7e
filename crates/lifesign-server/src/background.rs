//! Work that goes on beside the requests and must not end unnoticed.

use std::time::Duration;

/// The pause before work that panicked is taken up again: a fault that comes back at once must not
/// burn the processor.
const PAUSE: Duration = Duration::from_secs(1);

/// Does the work, and takes it up again whenever it panics. The panic itself is in the log by way of
/// the panic hook.
pub(crate) async fn keep_going<W>(name: &'static str, mut work: impl FnMut() -> W)
where
    W: Future<Output = ()> + Send + 'static,
{
    /// Aborts the work where nobody waits for it any more.
    struct Task(tokio::task::JoinHandle<()>);
    impl Drop for Task {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    loop {
        let mut task = Task(tokio::spawn(work()));
        match (&mut task.0).await {
            Err(error) if error.is_panic() => {
                tracing::error!(work = name, "panicked; it begins again");
                tokio::time::sleep(PAUSE).await;
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn work_that_panics_begins_again_and_work_that_ends_does_not() {
        let begun = Arc::new(AtomicUsize::new(0));
        keep_going("test", || {
            let begun = Arc::clone(&begun);
            async move {
                assert!(begun.fetch_add(1, Ordering::SeqCst) == 1, "on purpose");
            }
        })
        .await;
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn work_ends_with_whoever_waits_for_it() {
        let alive = Arc::new(());
        let held = Arc::clone(&alive);
        let waiting = tokio::spawn(keep_going("test", move || {
            let held = Arc::clone(&held);
            async move {
                std::future::pending::<()>().await;
                drop(held);
            }
        }));
        tokio::task::yield_now().await;
        waiting.abort();
        for _ in 0..1000 {
            if Arc::strong_count(&alive) == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it is still there");
    }
}
