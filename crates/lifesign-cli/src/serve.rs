//! `lifesign serve` and `lifesign config`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use anyhow::Context;
use lifesign_server::{Config, FirstStart, Service, logging};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::descriptors;
use crate::ending;
use crate::flags::ServiceFlags;

/// The photograph of the request that the first start shows; `tests/images/README.md` states its
/// origin.
const SAMPLE: &[u8] = include_bytes!("../../../tests/images/live_portrait.jpg");
const SAMPLE_REQUEST: &str = "sample-request.json";

/// Cores for each thread that talks to clients. A photograph is assessed, on a thread of its own, for ten
/// times as long or more; and threads of which one would do wake each other and hand requests around.
const CORES_A_TALKER: usize = 4;

/// Prints what is in force, as a configuration file.
pub fn config(flags: ServiceFlags) -> anyhow::Result<ExitCode> {
    let (_, effective) = flags.load()?;
    for line in effective {
        anstream::println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves until the process is asked to end.
pub fn serve(flags: ServiceFlags) -> anyhow::Result<ExitCode> {
    let (mut config, _) = flags.load()?;
    let _logging = logging::init(&config);
    descriptors::provide(&mut config);
    runtime()?.block_on(run(&config))?;
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> io::Result<Runtime> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread()
        .worker_threads(cores.div_ceil(CORES_A_TALKER))
        .enable_all()
        .build()
}

async fn run(config: &Config) -> anyhow::Result<()> {
    let asked = ending::asked_to_end()?;
    let shutdown = async {
        asked.await;
        tracing::info!("asked to end; finishing the requests in flight");
        ending::end_when_asked_again();
    };
    let (service, first_start) = Service::open(config).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {} (key `listen`)", config.listen))?;
    let address = listener.local_addr()?;
    anstream::println!(
        "Lifesign {} listens on http://{address}",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(first) = first_start {
        introduce(&first, address, &config.data_dir)?;
    }
    service.serve(listener, shutdown).await;
    Ok(())
}

/// Shows the one who starts Lifesign for the first time a request that works as it stands.
fn introduce(first: &FirstStart, address: SocketAddr, data_dir: &Path) -> anyhow::Result<()> {
    let request = data_dir.join(SAMPLE_REQUEST);
    let body = serde_json::json!({ "os": "DESKTOP", "image": base64(SAMPLE) });
    std::fs::write(&request, body.to_string())
        .with_context(|| format!("cannot write {}", request.display()))?;
    // "Any address" is one to listen on, not one to call.
    let host = if address.ip().is_unspecified() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        address.ip()
    };
    anstream::println!(
        r#"
This is its first start, so it made a client `{client}` with an access token. Try it:

  curl -s http://{address}/v2/face-recognition/liveness \
    -H 'Content-Type: application/json' \
    -H 'Authorization: Bearer {token}' \
    --data '@{request}'

or open http://{address}/ in a browser.

The token is shown only now; `lifesign token issue --client {client}` makes another.
"#,
        client = first.client,
        token = first.token,
        address = SocketAddr::new(host, address.port()),
        request = request.display(),
    );
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
