//! The bounded pool between HTTP and the engine: assessments are CPU-bound and must neither run on
//! the async threads nor pile up without end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use lifesign::{AssessError, AssessOptions, Assessment, Engine, ModelInfo, Stage, Survey};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::metrics::Metrics;

/// What the service needs of an engine.
pub trait Assess: Send + Sync + 'static {
    /// Judges one photograph, on the calling thread.
    ///
    /// # Errors
    /// The photograph cannot be judged, or the engine failed.
    fn assess(&self, bytes: &[u8], options: &AssessOptions) -> Result<Assessment, AssessError>;

    /// As `assess`, and tells how long each stage took, if the engine knows.
    ///
    /// # Errors
    /// As `assess`.
    fn assess_observed(
        &self,
        bytes: &[u8],
        options: &AssessOptions,
        _observe: &mut dyn FnMut(Stage, Duration),
    ) -> Result<Assessment, AssessError> {
        self.assess(bytes, options)
    }

    /// Looks at a frame of a camera's preview, on the calling thread.
    ///
    /// # Errors
    /// The frame is no picture, or the engine failed.
    fn survey(&self, bytes: &[u8]) -> Result<Survey, AssessError>;

    /// The models that judge.
    fn models(&self) -> &[ModelInfo];
}

impl Assess for Engine {
    fn assess(&self, bytes: &[u8], options: &AssessOptions) -> Result<Assessment, AssessError> {
        Engine::assess(self, bytes, options)
    }

    fn assess_observed(
        &self,
        bytes: &[u8],
        options: &AssessOptions,
        observe: &mut dyn FnMut(Stage, Duration),
    ) -> Result<Assessment, AssessError> {
        Engine::assess_observed(self, bytes, options, observe)
    }

    fn survey(&self, bytes: &[u8]) -> Result<Survey, AssessError> {
        Engine::survey(self, bytes)
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
    /// No worker was free in time.
    #[error("no worker was free in time")]
    Late,
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
    /// The photograph, given back.
    pub photograph: Vec<u8>,
}

/// What a worker does. Nothing, where whoever asked for it went away.
type Work = Box<dyn FnOnce(&dyn Assess, &Metrics) + Send>;

struct Job {
    queued: Instant,
    /// Set by whoever is first: the worker that begins, or the one who waits no longer.
    taken: Arc<AtomicBool>,
    run: Work,
}

/// A fixed number of threads with a bounded queue before them. Dropping it lets the threads end
/// after what is queued.
pub struct InferencePool {
    jobs: Sender<Job>,
    workers: usize,
    deadline: Duration,
}

/// How large a pool is, and how long anyone waits before it.
#[derive(Debug, Clone, Copy)]
pub struct PoolConfig {
    /// Threads.
    pub workers: usize,
    /// Photographs that may wait.
    pub queue: usize,
    /// How long each may wait.
    pub deadline: Duration,
}

impl InferencePool {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        engine: Arc<dyn Assess>,
        config: PoolConfig,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<InferencePool> {
        let (jobs, waiting) = bounded(config.queue);
        let workers = config.workers.max(1);
        for number in 0..workers {
            let (engine, waiting) = (Arc::clone(&engine), waiting.clone());
            let metrics = Arc::clone(&metrics);
            thread::Builder::new()
                .name(format!("assess-{number}"))
                .spawn(move || {
                    // The engine's panics are caught where they are answered; no other may end a
                    // worker either.
                    let work = || work(engine.as_ref(), &waiting, &metrics);
                    while catch_unwind(AssertUnwindSafe(work)).is_err() {}
                })?;
        }
        Ok(InferencePool {
            jobs,
            workers,
            deadline: config.deadline,
        })
    }

    /// Whether one more photograph could wait now. It takes no place: by the time that it is there
    /// the queue may be full all the same.
    ///
    /// # Errors
    /// The pool is full.
    pub(crate) fn has_room(&self) -> Result<(), PoolError> {
        // A queue of none has room when a worker stands before it, which only trying tells.
        match self.jobs.capacity() != Some(0) && self.jobs.is_full() {
            true => Err(PoolError::Full),
            false => Ok(()),
        }
    }

    /// How many photographs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    /// How many are judged at the same time.
    pub(crate) fn workers(&self) -> usize {
        self.workers
    }

    /// Has a photograph judged. Dropping the future before its turn comes takes it off the queue.
    ///
    /// # Errors
    /// The pool is full, no worker was free in time, or the engine panicked.
    pub async fn assess(
        &self,
        photograph: Vec<u8>,
        options: AssessOptions,
    ) -> Result<Judged, PoolError> {
        self.submit(move |engine, metrics| {
            let mut observe = |stage, took| metrics.stage(stage, took);
            Judged {
                outcome: engine.assess_observed(&photograph, &options, &mut observe),
                sha256: Sha256::digest(&photograph).into(),
                photograph,
            }
        })
        .await
    }

    /// Has a frame of a camera's preview looked at, where no photograph waits for a worker: those are
    /// what the service is for, and the next frame comes at once.
    ///
    /// # Errors
    /// As [`InferencePool::assess`].
    pub async fn survey(&self, frame: Vec<u8>) -> Result<Result<Survey, AssessError>, PoolError> {
        if self.waiting() > 0 {
            return Err(PoolError::Full);
        }
        self.submit(move |engine, _| engine.survey(&frame)).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Assess, &Metrics) -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let (answer, mut done) = oneshot::channel();
        let taken = Arc::new(AtomicBool::new(false));
        let run = move |engine: &dyn Assess, metrics: &Metrics| {
            if answer.is_closed() {
                return;
            }
            // The engine is shared and immutable: a panic leaves nothing half-done behind.
            let result = catch_unwind(AssertUnwindSafe(|| work(engine, metrics)));
            // Nobody waiting any more is no error.
            let _ = answer.send(result.map_err(|_| PoolError::Panicked));
        };
        self.jobs
            .try_send(Job {
                queued: Instant::now(),
                taken: Arc::clone(&taken),
                run: Box::new(run),
            })
            .map_err(|error| match error {
                TrySendError::Full(_) => PoolError::Full,
                TrySendError::Disconnected(_) => PoolError::Gone,
            })?;
        let done = match tokio::time::timeout(self.deadline, &mut done).await {
            Ok(done) => done,
            Err(_) if !taken.swap(true, Ordering::SeqCst) => return Err(PoolError::Late),
            // It is being worked on: what it waited for is nearly done.
            Err(_) => done.await,
        };
        done.unwrap_or(Err(PoolError::Gone))
    }
}

fn work(engine: &dyn Assess, waiting: &Receiver<Job>, metrics: &Metrics) {
    for Job { queued, taken, run } in waiting {
        metrics.waited(queued.elapsed());
        if !taken.swap(true, Ordering::SeqCst) {
            run(engine, metrics);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;
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

        fn survey(&self, _: &[u8]) -> Result<Survey, AssessError> {
            Ok(Survey {
                people: 0,
                largest: None,
            })
        }

        fn models(&self) -> &[ModelInfo] {
            &[]
        }
    }

    fn gated(
        queue: usize,
        deadline: Duration,
    ) -> (Arc<InferencePool>, Arc<Gated>, mpsc::Sender<()>) {
        let (open, gate) = mpsc::channel();
        let engine = Arc::new(Gated {
            gate: Mutex::new(gate),
            seen: AtomicUsize::new(0),
        });
        let config = PoolConfig {
            workers: 1,
            queue,
            deadline,
        };
        let metrics = Arc::new(Metrics::new(""));
        let pool = InferencePool::start(engine.clone(), config, metrics).unwrap();
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
        let (pool, engine, open) = gated(1, Duration::from_secs(60));
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
        let (pool, _engine, open) = gated(1, Duration::from_secs(60));
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

    #[tokio::test]
    async fn one_that_waits_too_long_is_told_so_and_never_judged() {
        let (pool, engine, open) = gated(4, Duration::from_millis(50));
        let running = ask(&pool, b"running");
        until(|| engine.seen.load(Ordering::SeqCst) == 1).await;
        let late = pool
            .assess(b"late".to_vec(), AssessOptions::default())
            .await;
        assert!(matches!(late, Err(PoolError::Late)));
        open.send(()).unwrap();
        // The one that was being judged meanwhile is answered all the same.
        assert!(running.await.unwrap().is_ok());
        until(|| pool.jobs.is_empty()).await;
        assert_eq!(engine.seen.load(Ordering::SeqCst), 1);
    }
}
