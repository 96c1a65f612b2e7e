//! A panic inside a worker: what the client sees, and what the log of the whole process says. A
//! process of its own, because log and panic hook are the process's.

#[path = "../http/harness.rs"]
#[allow(dead_code)]
mod harness;

use std::process::Command;
use std::sync::Arc;

use harness::{Fake, Server, config, with};
use lifesign::AssessOptions;
use lifesign_server::logging;
use serde_json::Value;

/// Set in the process that panics.
const INSIDE: &str = "LIFESIGN_TEST_PANICS";
const TEST: &str = "a_panic_in_a_worker_is_a_line_of_the_log_without_what_it_quotes_and_a_500_for_its_request_alone";

#[test]
fn a_panic_in_a_worker_is_a_line_of_the_log_without_what_it_quotes_and_a_500_for_its_request_alone()
{
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(INSIDE, "yes")
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}{log}");
    assert!(
        !log.contains("cXVvdGVk") && !log.contains("quoted"),
        "{log}"
    );
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let told = |message: &str| -> Vec<&Value> {
        let lines = lines.iter().map(|line| &line["fields"]);
        lines.filter(|line| line["message"] == message).collect()
    };
    // One that quotes, and one that stands in the source as it is.
    for (message, count) in [("panicked", 1), ("as it stands", 1)] {
        let panics = told(message);
        assert_eq!(panics.len(), count, "{log}");
        assert_eq!(panics[0]["thread"], "assess-0", "{log}");
        let location = panics[0]["location"].as_str().unwrap();
        assert!(location.contains("tests/panics/main.rs:"), "{location}");
    }
    let faults = told("internal error");
    assert_eq!(faults.len(), 2, "{log}");
    assert_eq!(faults[0]["cause"], "the engine panicked", "{log}");
}

/// Serves, and panics twice.
fn inside() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [("log_format", "json"), ("workers", "1")];
    let _logging = logging::init(&config(dir.path(), &settings));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let engine = |bytes: &[u8], _: &AssessOptions| match bytes {
            b"quoted" => panic!("on {}", String::from_utf8_lossy(bytes)),
            b"plain" => panic!("as it stands"),
            _ => Ok(0.9),
        };
        let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &settings).await;
        for image in ["cXVvdGVk", "cGxhaW4"] {
            let answer = server.ask(&with("image", image)).await;
            answer.assert_error(500, "ERROR", "internal_error");
        }
        // The worker that panicked is the only one there is.
        let answer = server.ask(&with("image", "YW5vdGhlcg")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(server.get("/readyz").await.status, 200);
        server.stop().await.unwrap();
    });
}
