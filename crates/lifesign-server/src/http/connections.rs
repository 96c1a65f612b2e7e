//! Accepting connections: a bounded number, HTTP/1.1 or HTTP/2 as the client begins, and all
//! finished gracefully at the end.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::slots::{Seat, Slots};
use super::tryout::Peer;

/// How long a connection without a request under way is kept: one that sends nothing, that trickles
/// the head of a request, that does not read its answer, or that waits for its next request. Neither
/// protocol's own timer knows all of these, so that none of those is used.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The same while the service ends: time for the last answer.
const FAREWELL: Duration = Duration::from_secs(1);

/// Most fields and bytes of a request's head; more is 431.
const MAX_HEADERS: usize = 100;
const MAX_HEAD: usize = 64 << 10;
/// Requests at the same time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 32;
/// What an HTTP/2 client may send before it is read: of one request, and of all of a connection. The
/// latter bounds what a connection holds beyond the bodies that are being read.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 512 << 10;
/// What is buffered of one answer while its reader is slow.
const SEND_BUFFER: usize = 64 << 10;
/// Requests taken back before they were looked at; a client with more is put off.
const MAX_TAKEN_BACK: usize = 20;

/// How many connections, and how long idle and last ones may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_connections: usize,
    pub(crate) idle_timeout: Duration,
    pub(crate) shutdown_timeout: Duration,
}

/// Serves until `shutdown`, then lets the requests in flight finish. Returns whether all did.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> bool {
    let slots = Slots::new(limits.max_connections);
    let (closing, open) = watch::channel(());
    tokio::select! {
        biased;
        () = shutdown => {}
        _ = slots.expire(limits.idle_timeout) => {}
        _ = accept(&listener, router, &slots, open) => {}
    }
    drop(listener);
    let _ = closing.send(());
    let ended = async {
        tokio::select! {
            // When the last connection has dropped its end.
            () = closing.closed() => {}
            _ = slots.expire(FAREWELL) => {}
        }
    };
    tokio::time::timeout(limits.shutdown_timeout, ended)
        .await
        .is_ok()
}

async fn accept(
    listener: &TcpListener,
    router: Router,
    slots: &Arc<Slots>,
    open: watch::Receiver<()>,
) -> Infallible {
    let protocols = Arc::new(protocols());
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(connected) => connected,
            Err(error) => {
                refused(&error, slots).await;
                continue;
            }
        };
        let seat = slots.take().await;
        let (protocols, router) = (Arc::clone(&protocols), router.clone());
        let seated = Seated {
            router: TowerToHyperService::new(router),
            peer: Peer(peer),
            seat: Arc::new(seat),
        };
        tokio::spawn(connection(protocols, stream, seated, open.clone()));
    }
}

/// One timer less than one might look for: see [`IDLE_TIMEOUT`].
fn protocols() -> Builder<TokioExecutor> {
    let mut protocols = Builder::new(TokioExecutor::new());
    protocols
        .http1()
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD);
    protocols
        .http2()
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MAX_TAKEN_BACK);
    protocols
}

async fn connection(
    protocols: Arc<Builder<TokioExecutor>>,
    stream: TcpStream,
    service: Seated,
    mut open: watch::Receiver<()>,
) {
    // Answers are small and single: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let seat = Arc::clone(&service.seat);
    let mut connection = pin!(protocols.serve_connection(TokioIo::new(stream), service));
    let mut ending = false;
    loop {
        tokio::select! {
            biased;
            () = seat.ousted() => {
                tracing::debug!("idle connection closed");
                // HTTP/2 says goodbye; then whatever is left is dropped.
                connection.as_mut().graceful_shutdown();
                let _ = tokio::time::timeout(Duration::ZERO, connection).await;
                return;
            }
            _ = open.changed(), if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    // Clients that break off are everyday business.
                    tracing::debug!(cause = crate::error::chain(error.as_ref()), "connection ended");
                }
                return;
            }
        }
    }
}

/// The router, whose connection it is, and the connection's seat that it makes busy.
struct Seated {
    router: TowerToHyperService<Router>,
    peer: Peer,
    seat: Arc<Seat>,
}

impl hyper::service::Service<Request<Incoming>> for Seated {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        let underway = self.seat.begin();
        let answer = self.router.call(request);
        Box::pin(async move {
            let Some(_underway) = underway else {
                // The connection is about to be closed: nothing is begun any more.
                return std::future::pending().await;
            };
            answer.await
        })
    }
}

async fn refused(error: &io::Error, slots: &Slots) {
    let by_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    );
    if !by_client {
        // Such as no free file descriptors: one that idles may have the one that is needed. Trying
        // again at once would only burn the processor.
        tracing::error!(cause = %error, "connection not accepted");
        drop(slots.oust());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    const IDLE: Duration = Duration::from_millis(300);
    /// Whoever waits for longer waits in vain, however busy the machine.
    const IN_VAIN: Duration = Duration::from_secs(20);
    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

    struct Running {
        address: std::net::SocketAddr,
        stop: oneshot::Sender<()>,
        ended: JoinHandle<bool>,
    }

    async fn start(max_connections: usize, idle_timeout: Duration) -> Running {
        let slow = || async {
            sleep(4 * IDLE).await;
            "slow"
        };
        let router = Router::new()
            .route("/", get(|| async { "quick" }))
            .route("/slow", get(slow));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let limits = Limits {
            max_connections,
            idle_timeout,
            shutdown_timeout: 3 * IN_VAIN,
        };
        let stopped = async {
            let _ = stopped.await;
        };
        let ended = tokio::spawn(serve(listener, router, limits, stopped));
        Running {
            address,
            stop,
            ended,
        }
    }

    impl Running {
        async fn connect(&self, sent: &[u8]) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(sent).await.unwrap();
            stream
        }
    }

    /// What comes until the other side closes or breaks off.
    async fn rest(mut stream: TcpStream) -> String {
        let mut read = Vec::new();
        let _ = timeout(IN_VAIN, stream.read_to_end(&mut read))
            .await
            .expect("the connection is closed");
        String::from_utf8_lossy(&read).into_owned()
    }

    /// All states in which a connection can be without a request under way.
    const IDLERS: [&[u8]; 7] = [
        b"",
        b"G",
        b"PRI * HTTP/2.0\r\n\r\nS",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-",
        GET,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        PREFACE,
    ];

    #[tokio::test]
    async fn a_connection_without_a_request_ends_after_its_time_whatever_it_sent() {
        let running = start(64, IDLE).await;
        for sent in IDLERS {
            let started = Instant::now();
            let read = rest(running.connect(sent).await).await;
            assert!(started.elapsed() >= IDLE, "{sent:?}");
            assert_eq!(read.ends_with("quick"), sent == GET, "{sent:?}: {read}");
        }
    }

    #[tokio::test]
    async fn a_head_that_trickles_has_no_more_time_than_one_that_stops() {
        let running = start(64, IDLE).await;
        let mut stream = running.connect(b"GET / HTTP/1.1\r\nx: ").await;
        let trickling = async {
            while stream.write_all(b"x").await.is_ok() {
                sleep(IDLE / 10).await;
            }
        };
        timeout(IN_VAIN, trickling).await.expect("it is closed");
    }

    #[tokio::test]
    async fn a_request_under_way_may_take_longer_than_idleness() {
        let running = start(64, IDLE).await;
        let request = b"GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        assert!(rest(running.connect(request).await).await.ends_with("slow"));
    }

    #[tokio::test]
    async fn idle_connections_make_room_for_newcomers() {
        let running = start(4, IN_VAIN * 9).await;
        let mut idlers = Vec::new();
        for sent in IDLERS.repeat(4) {
            idlers.push(running.connect(sent).await);
        }
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answer = rest(running.connect(request).await).await;
        assert!(answer.ends_with("quick"), "{answer}");
        // All but those that fit are closed, the first of them first.
        let stayed = idlers.split_off(idlers.len() - 3);
        for stream in idlers {
            rest(stream).await;
        }
        drop(stayed);
    }

    #[tokio::test]
    async fn the_end_waits_for_requests_under_way_and_not_for_idle_connections() {
        for request in [
            &b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"[..],
            // Stream 1: GET http /slow, the end of it.
            &[PREFACE, b"\0\0\x09\x01\x05\0\0\0\x01\x82\x86\x04\x05/slow"].concat(),
        ] {
            let running = start(64, IN_VAIN * 9).await;
            let mut idlers = Vec::new();
            for sent in IDLERS {
                idlers.push(running.connect(sent).await);
            }
            let under_way = running.connect(request).await;
            sleep(IDLE).await;
            running.stop.send(()).unwrap();
            assert!(rest(under_way).await.contains("slow"), "{request:?}");
            let all = timeout(IN_VAIN, running.ended).await.expect("it ends");
            assert!(all.unwrap(), "in time");
        }
    }
}
