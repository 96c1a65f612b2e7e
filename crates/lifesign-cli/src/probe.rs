//! `lifesign probe`: for container health checks, in images that have nothing else to ask with.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct ProbeArgs {
    /// An http address of a running service.
    #[arg(default_value = "http://127.0.0.1:8080/readyz")]
    url: String,
}

/// Runs `lifesign probe`.
pub fn run(args: &ProbeArgs) -> anyhow::Result<ExitCode> {
    let Some(rest) = args.url.strip_prefix("http://") else {
        bail!("expected an http address such as http://127.0.0.1:8080/readyz");
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let with_port = match host.rsplit_once(':') {
        Some(_) => host.to_owned(),
        None => format!("{host}:80"),
    };
    let address = with_port
        .to_socket_addrs()?
        .next()
        .with_context(|| format!("{host} has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)
        .with_context(|| format!("nobody listens on {address}"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )?;
    let mut status = [0; 12];
    stream
        .read_exact(&mut status)
        .context("there was no answer")?;
    match status.strip_prefix(b"HTTP/1.1 ") {
        Some(b"200") => Ok(ExitCode::SUCCESS),
        _ => {
            let status = String::from_utf8_lossy(&status).into_owned();
            anstream::eprintln!("{} answered {status}", args.url);
            Ok(ExitCode::from(1))
        }
    }
}
