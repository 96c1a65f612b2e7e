//! Being asked to end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Ready when the process is asked to end: Ctrl-C, or SIGTERM where there is such a thing.
pub fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// The exit code of a process that was asked to end again while it was ending.
const AT_ONCE: i32 = 130;

/// From now on the process ends at once when it is asked to: whoever asks twice does not want to wait.
pub fn end_when_asked_again() {
    tokio::spawn(async {
        if let Ok(again) = asked_to_end() {
            again.await;
            std::process::exit(AT_ONCE);
        }
    });
}

/// Becomes true when the process is asked to end, for work that is not async. Who asks twice does
/// not want to wait: then the process ends at once.
pub fn when_asked(tell: impl FnOnce() + Send + 'static) -> io::Result<Arc<AtomicBool>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let first = {
        let _inside = runtime.enter();
        asked_to_end()?
    };
    let asked = Arc::new(AtomicBool::new(false));
    let flag = asked.clone();
    thread::spawn(move || {
        runtime.block_on(first);
        flag.store(true, Ordering::Relaxed);
        tell();
        // Listened for only now: else the first request would be the second one as well.
        let again = runtime.block_on(async {
            asked_to_end()?.await;
            io::Result::Ok(())
        });
        if again.is_ok() {
            std::process::exit(AT_ONCE);
        }
    });
    Ok(asked)
}
