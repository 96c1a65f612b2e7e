//! The request programs of `tests/clients`, each against a real server, where their runtime exists.

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use common::{Server, image, repository, skipped};
use serde_json::Value;
use tempfile::TempDir;

/// Whether `probe` succeeds; says so where it does not.
fn exists(probe: &[&str]) -> bool {
    let exists = Command::new(probe[0])
        .args(&probe[1..])
        .output()
        .is_ok_and(|o| o.status.success());
    if !exists {
        skipped(&format!("`{}` fails on this machine", probe.join(" ")));
    }
    exists
}

/// Runs a request program on pictures and returns what it prints; `None` where `probe` fails.
fn answer(
    server: &Server,
    probe: &[&str],
    program: &[&str],
    script: &str,
    images: &[&str],
) -> Option<Value> {
    if !exists(probe) {
        return None;
    }
    let output = Command::new(program[0])
        .args(&program[1..])
        .arg(repository().join("tests/clients").join(script))
        .args(images.iter().map(|name| image(name)))
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
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Runs a request program and checks its answer.
fn run(server: &Server, probe: &[&str], program: &[&str], script: &str) {
    let Some(answer) = answer(server, probe, program, script, &["live_portrait.jpg"]) else {
        return;
    };
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

#[test]
fn the_unmodified_opencv_client_gets_scores_and_errors_it_understands() {
    let server = Server::start();
    let probe = ["python3", "-c", "import opencv.fr"];
    let images = ["live_portrait.jpg", "no_face.jpg"];
    let Some(answer) = answer(&server, &probe, &["python3"], "opencv_fr.py", &images) else {
        return;
    };
    for os in ["desktop", "ios"] {
        let score = answer[os].as_f64().unwrap();
        assert!((0.6..=1.0).contains(&score), "{answer}");
    }
    assert_eq!(
        answer["no_face"]["code"], "ERR_NO_FACE_DETECTED",
        "{answer}"
    );
    assert!(answer["no_face"]["message"].as_str().unwrap().len() > 10);
    assert_eq!(answer["no_key"]["status"], 401, "{answer}");
}

#[test]
fn a_receipt_is_verified_by_a_jose_library_of_another_language() {
    let server = Server::start();
    let probe = [
        "python3",
        "-c",
        "import requests, jwt; jwt.algorithms.OKPAlgorithm",
    ];
    let images = ["live_portrait.jpg"];
    let Some(statement) = answer(&server, &probe, &["python3"], "receipt.py", &images) else {
        return;
    };
    assert_eq!(statement["iss"], "Lifesign");
    assert_eq!(statement["passed"], true, "{statement}");
    let weights = statement["weights"].as_object().unwrap();
    assert!(
        weights.keys().any(|name| name.ends_with(".onnx")),
        "{statement}"
    );
}

#[test]
fn a_webhook_is_verified_by_the_standard_library_of_another_language() {
    if !exists(&["python3", "-c", "import standardwebhooks"]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let secret = folder.path().join("secret");
    let mut receiver = Command::new("python3")
        .arg(repository().join("tests/clients/webhook.py"))
        .env("LIFESIGN_WEBHOOK_SECRET_FILE", &secret)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(receiver.stdout.take().unwrap()).lines();
    let address = printed.next().unwrap().unwrap();

    let server = Server::start();
    std::fs::write(
        &secret,
        server.admin(&["webhook", "add", "--client", "default", &address]),
    )
    .unwrap();
    server.judge("live_portrait.jpg");
    let event: Value = serde_json::from_str(&printed.next().unwrap().unwrap()).unwrap();
    receiver.kill().unwrap();
    receiver.wait().unwrap();
    assert_eq!(event["type"], "attempt.finished", "{event}");
    assert_eq!(event["data"]["passed"], true, "{event}");
}
