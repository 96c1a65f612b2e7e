//! The API's description against the real server, tried by schemathesis: no answer that it does not
//! describe, no 500.

mod common;

use std::process::Command;

use common::{Server, image, repository, skipped};

/// Runs schemathesis on the operations that `selection` selects.
fn run(server: &Server, selection: [&str; 2], token: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("schemathesis")
        .arg("--config-file")
        .arg(repository().join("tests/openapi/schemathesis.toml"))
        .arg("run")
        .arg(format!("{}/openapi.json", server.url()))
        .args(selection)
        // The same cases in every run.
        .args([
            "--max-examples",
            "50",
            "--seed",
            "1",
            "--generation-database",
            "none",
            "--no-color",
        ])
        .env(
            "SCHEMATHESIS_HOOKS",
            repository().join("tests/openapi/hooks.py"),
        )
        .env("LIFESIGN_URL", server.url())
        .env("LIFESIGN_TOKEN", token)
        .env("LIFESIGN_PHOTOGRAPH", image("live_portrait.jpg"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn schemathesis_finds_no_undocumented_answer_and_no_500() {
    let there = Command::new("schemathesis").arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        return skipped("schemathesis is not on this machine");
    }
    // No downloads: a test must not depend on what random host names resolve to.
    let server = Server::start_with(tempfile::tempdir().unwrap(), &["--fetch", "false"]);
    const RENEW: &str = "/v2/auth/renew-and-revoke";
    run(&server, ["--exclude-path", RENEW], &server.token());
    // On its own, because it revokes the token that the others need.
    run(&server, ["--include-path", RENEW], &server.token());

    // Answers with a score were among those that were compared: the photograph was sent.
    let attempts = server.call(
        "GET /v2/face-recognition/attempts?limit=500",
        &server.token(),
        "",
    );
    let attempts: serde_json::Value = serde_json::from_str(&attempts).unwrap();
    let scored = attempts["data"].as_array().unwrap().iter();
    let scored = scored.filter(|attempt| attempt["liveness_score"].is_number());
    assert!(scored.count() >= 10, "{attempts}");
}
