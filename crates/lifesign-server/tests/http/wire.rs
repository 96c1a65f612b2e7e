//! Bytes on a connection, for what no decent client sends.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{LIVENESS, Server};

/// Whoever waits for longer waits in vain, however busy the machine.
pub const IN_VAIN: Duration = Duration::from_secs(60);

/// A connection on which `sent` was sent, as far as the server took it.
pub async fn connect(server: &Server, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(&server.url["http://".len()..])
        .await
        .unwrap();
    let _ = stream.write_all(sent).await;
    stream
}

/// What comes until the server closes or breaks off.
pub async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = timeout(IN_VAIN, stream.read_to_end(&mut read))
        .await
        .expect("the server closes the connection");
    read
}

/// What a server answers to `sent` until it closes the connection.
pub async fn exchange(server: &Server, sent: impl AsRef<[u8]>) -> String {
    let read = rest(connect(server, sent.as_ref()).await).await;
    String::from_utf8_lossy(&read).into_owned()
}

/// The head of a liveness call with further header lines, each with its line end.
pub fn head(server: &Server, lines: &str) -> String {
    format!(
        "POST {LIVENESS} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\n\
         content-type: application/json\r\n{lines}\r\n",
        server.token
    )
}

/// The status of every answer in what was read.
pub fn statuses(read: &str) -> Vec<u16> {
    read.split("HTTP/1.")
        .skip(1)
        .filter_map(|answer| answer.get(2..5)?.parse().ok())
        .collect()
}
