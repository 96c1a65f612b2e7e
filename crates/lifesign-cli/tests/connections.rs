//! Ten thousand connections that idle, and clients that are answered all the same.

#![cfg(target_os = "linux")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::{Server, call, lifesign, skipped};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

const MANY: usize = 10_000;
/// For all else that a test process has open.
const OTHERS: usize = 200;
/// Both tests open as many as one process may.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How many connections this process may have, at most `MANY`.
fn allowed() -> usize {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let _ = setrlimit(Resource::Nofile, raised);
    let current = getrlimit(Resource::Nofile).current;
    let allowed = current.map_or(MANY, |limit| (limit as usize).saturating_sub(OTHERS));
    if allowed < MANY {
        skipped(&format!(
            "only {allowed} connections: this process may not open more"
        ));
    }
    allowed.min(MANY)
}

/// Resident memory in megabytes.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024
}

/// A connection that idles: without a word, in the middle of a head, or after its answer.
fn idle(server: &Server, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    match number % 3 {
        0 => {}
        1 => stream
            .write_all(b"POST /v2/face-recognition/liveness HTTP/1.1\r\nx-a: ")
            .unwrap(),
        _ => {
            stream
                .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
                .unwrap();
            let mut answer = [0; 15];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200 OK");
        }
    }
    stream
}

/// Whether the server has not closed it.
fn is_open(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

/// Opens them and asks in between; returns how many were open at the end.
fn besiege(server: &Server, most_megabytes: u64) -> usize {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let token = server.token();
    server.judge("live_portrait.jpg");
    let before = memory(server);
    let mut connections = Vec::new();
    for number in 0..allowed() {
        connections.push(idle(server, number));
        if number % 1000 == 999 {
            let (status, answer) = call(server.address(), "GET /healthz", &[], "").unwrap();
            assert_eq!(status, 200, "{answer}");
        }
    }
    let with = memory(server);
    assert!(
        server
            .judge("live_portrait.jpg")
            .contains("\"passed\":true")
    );
    server.call("GET /v2/face-recognition/attempts", &token, "");
    let open = connections
        .iter_mut()
        .filter_map(|it| is_open(it).then_some(()))
        .count();
    let opened = connections.len();
    drop(connections);
    server.judge("live_portrait.jpg");
    let after = memory(server);
    println!(
        "{opened} opened, {open} of them open at the end; {before} MB before, {with} MB with them, {after} MB after"
    );
    assert!(
        with < before + most_megabytes,
        "{before} MB before, {with} MB with them"
    );
    open
}

#[test]
fn ten_thousand_idle_connections_take_no_slot_from_those_that_ask() {
    let server = Server::start();
    // The default, or fewer while idle ones go anyway.
    assert!(besiege(&server, 100) <= 512);
}

#[test]
fn ten_thousand_connections_are_kept_where_the_operator_wants_that() {
    // What most systems give a process until it asks for more.
    let mut modest = Command::new("sh");
    let command = lifesign();
    modest
        .args(["-c", "ulimit -Sn 1024; exec \"$0\" \"$@\""])
        .arg(command.get_program());
    let folder = TempDir::new().unwrap();
    let server = Server::start_as(modest, folder, &["--max-connections", "12000"]);
    assert!(besiege(&server, 300) > 1024);
}
