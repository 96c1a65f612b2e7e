//! The request programs of `tests/clients`, each against a real server, where their runtime exists.

mod common;

use std::process::Command;

use common::{Server, image, repository, skipped};

/// Runs a request program and checks its answer; skips, saying so, where `probe` fails.
fn run(server: &Server, probe: &[&str], program: &[&str], script: &str) {
    let exists = Command::new(probe[0])
        .args(&probe[1..])
        .output()
        .is_ok_and(|o| o.status.success());
    if !exists {
        skipped(&format!("`{}` fails on this machine", probe.join(" ")));
        return;
    }
    let output = Command::new(program[0])
        .args(&program[1..])
        .arg(repository().join("tests/clients").join(script))
        .arg(image("live_portrait.jpg"))
        .env("LIFESIGN_URL", server.url())
        .env("LIFESIGN_TOKEN", server.token())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{script}: {error}{}",
        String::from_utf8_lossy(&output.stdout)
    );

    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["data"]["passed"].is_boolean(), "{script}: {answer}");
    assert!(
        answer["data"]["liveness_score"].is_number(),
        "{script}: {answer}"
    );
    assert_eq!(answer["data"]["min_score"], 0.6, "{script}");
    assert_eq!(answer["id"].as_str().map(str::len), Some(5), "{script}");
    assert_eq!(
        answer["signature"]["message"], "Certified by Lifesign",
        "{script}"
    );
}

#[test]
fn the_node_fetch_program_gets_an_answer() {
    run(
        &Server::start(),
        &["node", "--version"],
        &["node"],
        "liveness.mjs",
    );
}

#[test]
fn the_python_requests_program_gets_an_answer() {
    run(
        &Server::start(),
        &["python3", "-c", "import requests"],
        &["python3"],
        "liveness.py",
    );
}

#[test]
fn the_php_curl_program_gets_an_answer() {
    run(
        &Server::start(),
        &["php", "-r", "exit((int) !extension_loaded('curl'));"],
        &["php"],
        "liveness.php",
    );
}

#[test]
fn the_go_net_http_program_gets_an_answer() {
    run(
        &Server::start(),
        &["go", "version"],
        &["go", "run"],
        "liveness.go",
    );
}
