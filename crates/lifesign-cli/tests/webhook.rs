//! `lifesign webhook`, and that a crash loses no event.

mod common;

use std::net::TcpListener;
use std::time::Duration;

use common::Server;
use serde_json::Value;

/// Takes one event and answers with `status`.
fn receive(listener: &TcpListener, status: &str) -> Value {
    let (mut stream, _) = listener.accept().unwrap();
    let (_, body) = common::receive(&mut stream, status);
    serde_json::from_slice(&body).unwrap()
}

/// Waits for a state that a working courier reaches soon.
fn wait_for(server: &Server, state: &str) -> String {
    let list = [
        "webhook",
        "deliveries",
        "--client",
        "default",
        "--state",
        state,
    ];
    for _ in 0..100 {
        let listed = server.admin(&list);
        if !listed.is_empty() {
            return listed;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("no delivery became {state}");
}

#[test]
fn an_event_survives_a_crash_and_is_delivered_by_the_next_start() {
    // An address at which nobody listens yet.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}/hook");
    let flags = ["--webhook-pause", "100ms", "--webhook-timeout", "2s"];

    let server = Server::start_with(tempfile::tempdir().unwrap(), &flags);
    server.admin(&["webhook", "add", "--client", "default", &url]);
    let answer: Value = serde_json::from_str(&server.judge("live_portrait.jpg")).unwrap();
    let pending = wait_for(&server, "pending");
    assert!(
        pending.contains(answer["id"].as_str().unwrap()),
        "{pending}"
    );
    let folder = server.kill();

    let listener = TcpListener::bind(address).unwrap();
    let server = Server::start_with(folder, &flags);
    let refused = receive(&listener, "503 Service Unavailable");
    let accepted = receive(&listener, "204 No Content");
    assert_eq!(refused, accepted, "the same event again");
    assert_eq!(accepted["data"]["id"], answer["id"]);
    let delivered = wait_for(&server, "delivered");
    assert!(delivered.contains("answered 204"), "{delivered}");
}

#[test]
fn webhooks_are_added_listed_replayed_and_removed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let server = Server::start();
    let secret = server.admin(&["webhook", "add", "--client", "default", &url]);
    assert!(
        secret.starts_with("whsec_") && secret.lines().count() == 1,
        "{secret}"
    );
    let listed = server.admin(&["webhook", "list", "--client", "default"]);
    assert!(
        listed.ends_with(&url) && !listed.contains(&secret),
        "{listed}"
    );

    server.judge("live_portrait.jpg");
    let first = receive(&listener, "200 OK");
    let delivered = wait_for(&server, "delivered");
    let id = delivered.split_whitespace().next().unwrap();
    let replayed = server.admin(&["webhook", "replay", "--client", "default", id]);
    assert_eq!(replayed, "1 delivery is due again.");
    assert_eq!(receive(&listener, "200 OK"), first);
    let replayed = server.admin(&["webhook", "replay", "--client", "default", "--failed"]);
    assert_eq!(replayed, "0 deliveries are due again.");

    let webhook = listed.split_whitespace().next().unwrap();
    server.admin(&["webhook", "remove", "--client", "default", webhook]);
    assert_eq!(
        server.admin(&["webhook", "list", "--client", "default"]),
        ""
    );
}
