//! The bounded pool between HTTP and the engine: assessments are CPU-bound and must neither run on
//! the async threads nor pile up without end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use lifesign::{AssessError, AssessOptions, Assessment, Engine, ModelInfo};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

/// What the service needs of an engine.
pub trait Assess: Send + Sync + 'static {
    /// Judges one photograph, on the calling thread.
    ///
    /// # Errors
    /// The photograph cannot be judged, or the engine failed.
    fn assess(&self, bytes: &[u8], options: &AssessOptions) -> Result<Assessment, AssessError>;

    /// The models that judge.
    fn models(&self) -> &[ModelInfo];
}

impl Assess for Engine {
    fn assess(&self, bytes: &[u8], options: &AssessOptions) -> Result<Assessment, AssessError> {
        Engine::assess(self, bytes, options)
    }

    fn models(&self) -> &[ModelInfo] {
        Engine::models(self)
    }
}

/// Why the pool gave no verdict.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// All workers are busy and the queue is full.
    #[error("the queue of assessments is full")]
    Full,
    /// The engine panicked on this photograph.
    #[error("the engine panicked")]
    Panicked,
    /// The workers are gone: the service is shutting down.
    #[error("the inference workers are gone")]
    Gone,
}

/// What came of a photograph.
#[derive(Debug)]
pub struct Judged {
    /// The assessment, or why there is none.
    pub outcome: Result<Assessment, AssessError>,
    /// SHA-256 of the photograph's bytes.
    pub sha256: [u8; 32],
}

struct Job {
    photograph: Vec<u8>,
    options: AssessOptions,
    answer: oneshot::Sender<Result<Judged, PoolError>>,
}

/// A fixed number of threads with a bounded queue before them. Dropping it lets the threads end
/// after what is queued.
pub struct InferencePool {
    jobs: Sender<Job>,
}

impl InferencePool {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        engine: Arc<dyn Assess>,
        workers: usize,
        queue: usize,
    ) -> std::io::Result<InferencePool> {
        let (jobs, waiting) = bounded(queue);
        for number in 0..workers.max(1) {
            let (engine, waiting) = (Arc::clone(&engine), waiting.clone());
            thread::Builder::new()
                .name(format!("assess-{number}"))
                .spawn(move || work(engine.as_ref(), &waiting))?;
        }
        Ok(InferencePool { jobs })
    }

    /// Has a photograph judged. Dropping the future before its turn comes takes it off the queue.
    ///
    /// # Errors
    /// The pool is full, or the engine panicked.
    pub async fn assess(
        &self,
        photograph: Vec<u8>,
        options: AssessOptions,
    ) -> Result<Judged, PoolError> {
        let (answer, judged) = oneshot::channel();
        self.jobs
            .try_send(Job {
                photograph,
                options,
                answer,
            })
            .map_err(|error| match error {
                TrySendError::Full(_) => PoolError::Full,
                TrySendError::Disconnected(_) => PoolError::Gone,
            })?;
        judged.await.unwrap_or(Err(PoolError::Gone))
    }
}

fn work(engine: &dyn Assess, waiting: &Receiver<Job>) {
    for Job {
        photograph,
        options,
        answer,
    } in waiting
    {
        if answer.is_closed() {
            // The client went away while its photograph waited.
            continue;
        }
        // The engine is shared and immutable: a panic leaves nothing half-done behind.
        let judged = catch_unwind(AssertUnwindSafe(|| engine.assess(&photograph, &options)))
            .map(|outcome| Judged {
                outcome,
                sha256: Sha256::digest(&photograph).into(),
            })
            .map_err(|_| PoolError::Panicked);
        // Nobody waiting any more is no error.
        let _ = answer.send(judged);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use lifesign::Rejection;

    use super::*;

    /// Waits for a word of the test before each answer; panics on the photograph `panic`.
    struct Gated {
        gate: Mutex<mpsc::Receiver<()>>,
        seen: AtomicUsize,
    }

    impl Assess for Gated {
        fn assess(&self, bytes: &[u8], _: &AssessOptions) -> Result<Assessment, AssessError> {
            self.seen.fetch_add(1, Ordering::SeqCst);
            assert_ne!(bytes, b"panic");
            let _ = self.gate.lock().unwrap().recv();
            Err(AssessError::Rejected(Rejection::NoFace))
        }

        fn models(&self) -> &[ModelInfo] {
            &[]
        }
    }

    fn gated(queue: usize) -> (Arc<InferencePool>, Arc<Gated>, mpsc::Sender<()>) {
        let (open, gate) = mpsc::channel();
        let engine = Arc::new(Gated {
            gate: Mutex::new(gate),
            seen: AtomicUsize::new(0),
        });
        let pool = InferencePool::start(engine.clone(), 1, queue).unwrap();
        (Arc::new(pool), engine, open)
    }

    async fn until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::task::yield_now().await;
        }
    }

    fn ask(
        pool: &Arc<InferencePool>,
        bytes: &[u8],
    ) -> tokio::task::JoinHandle<Result<Judged, PoolError>> {
        let (pool, bytes) = (Arc::clone(pool), bytes.to_vec());
        tokio::spawn(async move { pool.assess(bytes, AssessOptions::default()).await })
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_departed_client_is_skipped() {
        let (pool, engine, open) = gated(1);
        let running = ask(&pool, b"running");
        until(|| engine.seen.load(Ordering::SeqCst) == 1).await;
        let waiting = ask(&pool, b"waiting");
        until(|| pool.jobs.len() == 1).await;
        let refused = pool
            .assess(b"refused".to_vec(), AssessOptions::default())
            .await;
        assert!(matches!(refused, Err(PoolError::Full)));

        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        open.send(()).unwrap();
        assert!(running.await.unwrap().unwrap().outcome.is_err());
        until(|| pool.jobs.is_empty()).await;
        let next = ask(&pool, b"next");
        open.send(()).unwrap();
        next.await.unwrap().unwrap().outcome.unwrap_err();
        assert_eq!(
            engine.seen.load(Ordering::SeqCst),
            2,
            "the departed one was never assessed"
        );
    }

    #[tokio::test]
    async fn a_panic_in_the_engine_is_answered_and_the_worker_goes_on() {
        let (pool, _engine, open) = gated(1);
        let panicked = pool
            .assess(b"panic".to_vec(), AssessOptions::default())
            .await;
        assert!(matches!(panicked, Err(PoolError::Panicked)));
        open.send(()).unwrap();
        let next = pool
            .assess(b"next".to_vec(), AssessOptions::default())
            .await;
        assert!(matches!(
            next.unwrap().outcome,
            Err(AssessError::Rejected(Rejection::NoFace))
        ));
    }
}
