//! `lifesign receipt`, as an auditor and an operator meet it.

mod common;

use std::process::{Output, Stdio};

use common::{Server, image, lifesign};
use serde_json::Value;

fn verify(args: &[&str]) -> Output {
    lifesign()
        .args(["receipt", "verify"])
        .args(args)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_receipt_is_verified_with_published_keys_from_an_address_a_file_or_the_data_folder() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let answer = folder.path().join("answer.json");
    std::fs::write(&answer, server.judge("live_portrait.jpg")).unwrap();
    let answer = answer.to_str().unwrap();

    let url = format!("{}/.well-known/jwks.json", server.url());
    let (live, other) = (image("live_portrait.jpg"), image("no_face.jpg"));
    let (live, other) = (live.to_str().unwrap(), other.to_str().unwrap());
    let output = verify(&[answer, "--jwks", &url, "--image", live]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stdout(&output).starts_with("The receipt is valid."),
        "{}",
        stdout(&output)
    );

    let output = verify(&[answer, "--jwks", &url, "--image", other]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("another photograph"),
        "{}",
        stderr(&output)
    );

    let data = server.data_dir().display().to_string();
    let output = verify(&[answer, "--data-dir", &data, "--json"]);
    let statement: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(statement["passed"], true, "{statement}");

    // The keys of another service, from a file, and the receipt from standard input.
    let stranger = Server::start();
    let strange = folder.path().join("keys.json");
    let keys = stranger.call("GET /.well-known/jwks.json", "", "");
    std::fs::write(&strange, keys).unwrap();
    let output = lifesign()
        .args([
            "receipt",
            "verify",
            "-",
            "--jwks",
            strange.to_str().unwrap(),
        ])
        .stdin(Stdio::from(std::fs::File::open(answer).unwrap()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("not among the given keys"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_is_no_receipt_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, "{\"keys\": []}").unwrap();
    let keys = keys.to_str().unwrap();
    for (given, code, said) in [
        ("a.b.c", 1, "no receipt"),
        ("missing.json", 2, "missing.json"),
        (keys, 2, "holds no receipt"),
    ] {
        let output = verify(&[given, "--jwks", keys]);
        assert_eq!(output.status.code(), Some(code), "{given}");
        assert!(
            stderr(&output).contains(said),
            "{given}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn keys_are_listed_rotated_and_withdrawn() {
    let server = Server::start();
    server.judge("live_portrait.jpg");
    let first = server.admin(&["receipt", "keys"]);
    assert!(
        first.lines().count() == 1 && first.ends_with("signs"),
        "{first}"
    );
    let next = server.admin(&["receipt", "rotate", "--lead", "2h"]);
    let keys = server.admin(&["receipt", "keys"]);
    let line = |kid: &str| {
        keys.lines()
            .find(|line| line.starts_with(kid))
            .unwrap()
            .to_owned()
    };
    assert!(line(&next).contains("signs from "), "{keys}");
    server.admin(&["receipt", "withdraw", &next]);
    assert_eq!(server.admin(&["receipt", "keys"]), first);
}
