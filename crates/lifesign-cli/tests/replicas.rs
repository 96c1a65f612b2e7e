//! Two replicas on one PostgreSQL behind a balancer, one of which is killed under load.

mod common;
#[path = "../../lifesign-server/tests/support/postgres.rs"]
mod postgres;

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::{bearer, image, lifesign};
use postgres::Postgres;
use serde_json::{Value, json};

/// A replica; killed when dropped.
struct Replica {
    process: Child,
    address: String,
}

impl Replica {
    fn start(database: &str) -> Replica {
        // A port that was free a moment ago.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let process = lifesign()
            .args(["serve", "--listen", &address, "--database", database])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let replica = Replica { process, address };
        let ready = format!("http://{}/readyz", replica.address);
        for _ in 0..300 {
            if lifesign()
                .args(["probe", &ready])
                .status()
                .unwrap()
                .success()
            {
                return replica;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the replica does not get ready");
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn admin(database: &str, args: &[&str]) -> String {
    let output = lifesign()
        .args(args)
        .args(["--database", database])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// Hands each connection to the next replica that takes it; returns its address.
fn balancer(replicas: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let turn = AtomicUsize::new(0);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let first = turn.fetch_add(1, Ordering::SeqCst);
            let server = (0..replicas.len())
                .find_map(|n| TcpStream::connect(&replicas[(first + n) % replicas.len()]).ok());
            let Some(server) = server else { continue };
            pipe(client.try_clone().unwrap(), server.try_clone().unwrap());
            pipe(server, client);
        }
    });
    address
}

fn pipe(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Both);
        let _ = from.shutdown(std::net::Shutdown::Both);
    });
}

/// Status and body of a call; `None` where it broke.
fn call(address: &str, call: &str, token: &str, body: &str) -> Option<(u16, Value)> {
    let (status, answer) = common::call(address, call, &[&bearer(token)], body).ok()?;
    Some((status, serde_json::from_str(&answer).ok()?))
}

#[test]
fn killing_one_of_two_replicas_under_load_loses_and_doubles_no_attempt() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let database = server.database("replicas");
    let first = Replica::start(&database);
    let second = Replica::start(&database);
    admin(&database, &["client", "add", "shop"]);
    let token = admin(&database, &["token", "issue", "--client", "shop"]);
    let address = balancer(vec![first.address.clone(), second.address.clone()]);

    let photograph = std::fs::read(image("live_portrait.jpg")).unwrap();
    let body = json!({"os": "IOS", "image": BASE64_STANDARD.encode(photograph)}).to_string();
    let (body, token, address) = (Arc::new(body), Arc::new(token), Arc::new(address));
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(Mutex::new(Vec::new()));
    let broken = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (body, token, address) = (body.clone(), token.clone(), address.clone());
            let (stop, answered, broken) = (stop.clone(), answered.clone(), broken.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let liveness = "POST /v2/face-recognition/liveness";
                    match call(&address, liveness, &token, &body) {
                        Some(answer) => answered.lock().unwrap().push(answer),
                        None => {
                            broken.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                }
            })
        })
        .collect();
    let until = |count: usize| {
        for _ in 0..600 {
            if answered.lock().unwrap().len() >= count {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("only {} answers", answered.lock().unwrap().len());
    };
    until(20);
    drop(first);
    let seen = answered.lock().unwrap().len();
    until(seen + 20);
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().unwrap();
    }

    let answered = answered.lock().unwrap();
    let broken = broken.load(Ordering::SeqCst);
    let mut told = HashMap::new();
    for (status, answer) in answered.iter() {
        assert_eq!(*status, 200, "{answer}");
        assert_eq!(answer["data"]["passed"], true, "{answer}");
        let score = answer["data"]["liveness_score"].clone();
        let twice = told.insert(answer["id"].as_str().unwrap().to_owned(), score);
        assert_eq!(twice, None, "an id was given twice");
    }
    assert!(
        broken <= 4,
        "{broken} calls broke: more than were under way at the replica"
    );

    // What the survivor says was recorded: everything that was answered, once, as it was answered,
    // and beside it at most what broke off between the record and the answer.
    let mut recorded = HashMap::new();
    let mut cursor = String::new();
    loop {
        let list = format!("GET /v2/face-recognition/attempts?limit=100{cursor}");
        let (status, page) = call(&second.address, &list, &token, "").unwrap();
        assert_eq!(status, 200, "{page}");
        for attempt in page["data"].as_array().unwrap() {
            let id = attempt["id"].as_str().unwrap().to_owned();
            recorded.insert(id, attempt["liveness_score"].clone());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    for (id, score) in &told {
        assert_eq!(recorded.get(id), Some(score), "{id}");
    }
    assert!(
        recorded.len() <= told.len() + broken,
        "{} {}",
        recorded.len(),
        told.len()
    );
}

#[test]
fn what_one_replica_learns_the_other_knows_at_once() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let database = server.database("shared");
    let (one, two) = (Replica::start(&database), Replica::start(&database));
    admin(&database, &["client", "add", "shop"]);
    let token = admin(&database, &["token", "issue", "--client", "shop"]);
    let collections = "/v2/face-recognition/collections";
    let made = call(
        &one.address,
        &format!("POST {collections}"),
        &token,
        r#"{"name":"gate"}"#,
    );
    let (status, made) = made.unwrap();
    assert_eq!(status, 200, "{made}");
    let get = format!(
        "GET {collections}/{}",
        made["data"]["_id"].as_str().unwrap()
    );
    assert_eq!(call(&two.address, &get, &token, "").unwrap(), (200, made));

    let (status, renewed) =
        call(&one.address, "POST /v2/auth/renew-and-revoke", &token, "").unwrap();
    assert_eq!(status, 200, "{renewed}");
    let renewed = renewed["token"].as_str().unwrap();
    assert_eq!(
        call(&two.address, &get, &token, "").unwrap().0,
        403,
        "revoked by the other"
    );
    assert_eq!(
        call(&two.address, &get, renewed, "").unwrap().0,
        200,
        "issued by the other"
    );

    // A receipt that one signed is verified with the keys that the other publishes.
    let photograph = std::fs::read(image("live_portrait.jpg")).unwrap();
    let body = json!({"os": "IOS", "image": BASE64_STANDARD.encode(photograph)}).to_string();
    let liveness = "POST /v2/face-recognition/liveness";
    let (_, answer) = call(&one.address, liveness, renewed, &body).unwrap();
    let keys = format!("http://{}/.well-known/jwks.json", two.address);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answer.json");
    std::fs::write(&file, answer.to_string()).unwrap();
    let verified = Command::new(env!("CARGO_BIN_EXE_lifesign"))
        .args(["receipt", "verify", file.to_str().unwrap(), "--jwks", &keys])
        .output()
        .unwrap();
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}
