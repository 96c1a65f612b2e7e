//! Accepting connections: a bounded number, each with a time limit for the head of its requests,
//! and all finished gracefully at the end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Time for the head of a request, and for which an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How many connections, and how long the last ones may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_connections: usize,
    pub(crate) shutdown_timeout: Duration,
}

/// Serves until `shutdown`, then lets the requests in flight finish. Returns whether all did.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> bool {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = async {
            // Waiting for a slot before accepting leaves the surplus in the system's own queue.
            let slot = Arc::clone(&slots).acquire_owned().await;
            (listener.accept().await, slot)
        };
        let (stream, slot) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            (accepted, slot) = accepted => match accepted {
                Ok((stream, _)) => (stream, slot),
                Err(error) => {
                    refused(&error).await;
                    continue;
                }
            },
        };
        let connection = connection(&http, stream, &router);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // Clients that break off are everyday business.
                tracing::debug!(cause = crate::error::chain(&error), "connection ended");
            }
            drop(slot);
        });
    }
    drop(listener);
    tokio::time::timeout(limits.shutdown_timeout, graceful.shutdown())
        .await
        .is_ok()
}

type Connection = http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>>;

fn connection(http: &http1::Builder, stream: TcpStream, router: &Router) -> Connection {
    // Answers are small and single: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    http.serve_connection(
        TokioIo::new(stream),
        TowerToHyperService::new(router.clone()),
    )
}

async fn refused(error: &io::Error) {
    let by_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    );
    if !by_client {
        // Such as no free file descriptors: trying again at once would only burn the processor.
        tracing::error!(cause = %error, "connection not accepted");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
