//! Traces over OTLP: `cargo test -p lifesign-cli --features otel --test otel`.

#![cfg(feature = "otel")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::lifesign;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Takes what is exported and hands on the bodies.
fn collector() -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, bodies) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if sender.send(common::receive(&mut stream, "200 OK")).is_err() {
                return;
            }
        }
    });
    (url, bodies)
}

#[test]
fn a_request_is_exported_as_a_part_of_its_callers_trace() {
    let (collector, bodies) = collector();
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut server = lifesign()
        .args(["serve", "--listen", &address, "--data-dir"])
        .arg(folder.path().join("data"))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let ready = format!("http://{address}/readyz");
    let up = || {
        lifesign()
            .args(["probe", &ready])
            .output()
            .unwrap()
            .status
            .success()
    };
    for _ in 0..300 {
        if up() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let mut call = TcpStream::connect(&address).unwrap();
    write!(
        call,
        "GET /version?query-secret HTTP/1.1\r\nhost: lifesign\r\nconnection: close\r\n\
         traceparent: 00-{TRACE}-{CALLER}-01\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    call.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // The last spans are sent when the service stops.
    let pid = server.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert!(server.wait().unwrap().success());

    let (trace, caller) = (hex::decode(TRACE).unwrap(), hex::decode(CALLER).unwrap());
    let holds = |body: &[u8], part: &[u8]| body.windows(part.len()).any(|window| window == part);
    let exported: Vec<_> = bodies.try_iter().collect();
    assert!(
        exported
            .iter()
            .all(|(head, _)| head.starts_with("POST /v1/traces "))
    );
    let mut found = exported.iter().filter(|(_, body)| holds(body, &trace));
    let (_, body) = found.next().expect("the caller's trace");
    assert!(holds(body, &caller), "as a child of the caller's span");
    assert!(holds(body, b"/version") && holds(body, b"lifesign"));
    assert!(!holds(body, b"query-secret"));
}
