//! Traces over OTLP: `cargo test -p lifesign-cli --features otel --test otel`.

#![cfg(feature = "otel")]

mod common;

use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use common::{Server, lifesign};

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
    let mut command = lifesign();
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
    let server = Server::start_as(command, tempfile::tempdir().unwrap(), &[]);
    let parent = format!("traceparent: 00-{TRACE}-{CALLER}-01");
    let version = "GET /version?query-secret";
    let (status, answer) = common::call(server.address(), version, &[&parent], "").unwrap();
    assert_eq!(status, 200, "{answer}");
    // The last spans are sent when the service stops.
    assert!(server.stop().status.success());

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
