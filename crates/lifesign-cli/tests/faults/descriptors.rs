//! No file descriptors left.

use std::net::TcpStream;

use crate::support::{Service, free_address, judge, serve, token};

#[test]
fn without_descriptors_connections_wait_and_the_service_goes_on_when_there_are_some() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let address = free_address();
    let limited = ["sh", "-c", "ulimit -n 64 && exec \"$0\" \"$@\""];
    let server = Service::start(serve(&limited, &data, &address));
    let token = token(&data);
    assert_eq!(judge(&address, &token).status, 200);
    let idle: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(&address).unwrap())
        .collect();
    let line = server.says("connection not accepted");
    assert!(line.contains("Too many open files"), "{line}");
    println!("log: {line}");
    drop(idle);
    assert_eq!(judge(&address, &token).status, 200);
    server.until_status("/readyz", 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
