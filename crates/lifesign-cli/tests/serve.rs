//! `lifesign serve` and the commands around it, as an operator meets them.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{Server, lifesign, skipped};
use serde_json::Value;
use tempfile::TempDir;

fn run(data_dir: &Path, args: &[&str]) -> Output {
    lifesign()
        .args(args)
        .arg("--data-dir")
        .arg(data_dir)
        .output()
        .unwrap()
}

/// Standard output of a command that must succeed, without the last line break.
fn stdout(data_dir: &Path, args: &[&str]) -> String {
    let output = run(data_dir, args);
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

/// Status and body of a request made with curl, as the README shows it.
fn call(server: &Server, token: &str, body: &str) -> (u16, Value) {
    let output = Command::new("curl")
        .args([
            "-s",
            "-w",
            "\n%{http_code}",
            "-H",
            "Content-Type: application/json",
            "-H",
        ])
        .arg(format!("Authorization: Bearer {token}"))
        .args(["--data", body])
        .arg(format!("{}/v2/face-recognition/liveness", server.url()))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn curl_is_missing() -> bool {
    let missing = Command::new("curl").arg("--version").output().is_err();
    if missing {
        skipped("curl is not on this machine");
    }
    missing
}

#[test]
fn the_request_that_the_first_start_prints_works_as_it_stands() {
    if curl_is_missing() {
        return;
    }
    let mut server = Server::start();
    let mut command = String::new();
    while !command.contains("--data") {
        command.push_str(&server.line());
    }
    let command = &command[command.find("curl").unwrap()..];
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["data"]["passed"], true, "{answer}");
}

#[test]
fn a_later_start_prints_the_address_only_and_keeps_tokens() {
    if curl_is_missing() {
        return;
    }
    let server = Server::start();
    let token = server.token();
    let stopped = server.stop();
    assert!(stopped.status.success(), "{}", stopped.status);

    let server = Server::start_in(stopped.folder);
    assert_eq!(call(&server, &token, "{}").0, 409);
    let printed = server.greeting.clone() + &server.stop().rest;
    assert_eq!(printed.lines().count(), 1, "{printed}");
}

#[test]
fn clients_tokens_and_collections_are_managed_beside_a_running_server() {
    if curl_is_missing() {
        return;
    }
    let server = Server::start();
    let data = server.data_dir();
    stdout(&data, &["client", "add", "shop"]);
    let token = stdout(
        &data,
        &["token", "issue", "--client", "shop", "--expires", "1d"],
    );
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert_eq!(call(&server, &token, "{}").0, 409);

    let id = stdout(&data, &["collection", "add", "--client", "shop", "signups"]);
    assert!(
        id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    assert!(stdout(&data, &["collection", "list", "--client", "shop"]).contains("signups"));
    let elsewhere = format!(r#"{{"os":"IOS","image":"AAAA","collection_id":"{id}"}}"#);
    assert_eq!(call(&server, &server.token(), &elsewhere).0, 404);
    assert_eq!(call(&server, &token, &elsewhere).0, 422);
    stdout(
        &data,
        &["collection", "remove", "--client", "shop", "signups"],
    );
    assert_eq!(call(&server, &token, &elsewhere).0, 404);

    stdout(&data, &["token", "revoke", &token]);
    let (status, answer) = call(&server, &token, "{}");
    assert_eq!((status, &answer["message"]), (403, &"token_revoked".into()));

    let other = stdout(&data, &["token", "issue", "--client", "shop"]);
    stdout(&data, &["client", "disable", "shop"]);
    assert_eq!(call(&server, &other, "{}").0, 403);
    assert!(stdout(&data, &["client", "list"]).contains("disabled"));
}

#[test]
fn commands_on_what_does_not_exist_fail_with_a_sentence_that_names_it() {
    let folder = TempDir::new().unwrap();
    for args in [
        &["token", "issue", "--client", "nobody"][..],
        &["client", "disable", "nobody"],
        &["collection", "list", "--client", "nobody"],
    ] {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("nobody"),
            "{args:?}"
        );
    }
}

#[test]
fn a_data_folder_that_is_not_there_is_named_and_not_made() {
    let folder = TempDir::new().unwrap();
    let typo = folder.path().join("liefsign-data");
    let output = run(&typo, &["client", "list"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("liefsign-data"));
    assert!(!typo.exists());
}

#[test]
fn config_prints_every_value_with_its_source_flags_over_environment_over_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("lifesign.toml");
    std::fs::write(&file, "issuer = \"File\"\nmin_score = 0.7\nqueue = 9\n").unwrap();
    let output = lifesign()
        .args(["config", "--issuer", "Flag", "--config"])
        .arg(&file)
        .env("LIFESIGN_ISSUER", "Environment")
        .env("LIFESIGN_MIN_SCORE", "0.8")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |key: &str| {
        text.lines()
            .find(|line| line.starts_with(key))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("issuer").contains("Flag") && line("issuer").contains("--issuer"),
        "{text}"
    );
    assert!(
        line("min_score").contains("0.8") && line("min_score").contains("LIFESIGN_MIN_SCORE"),
        "{text}"
    );
    assert!(
        line("queue").contains('9') && line("queue").contains("lifesign.toml"),
        "{text}"
    );
    assert!(
        line("time_zone").contains("UTC") && line("time_zone").contains("default"),
        "{text}"
    );
}

#[test]
fn a_bad_configuration_stops_the_start_with_a_sentence_that_names_the_key() {
    let folder = TempDir::new().unwrap();
    for (args, named) in [
        (&["--min-score", "7"][..], "min_score"),
        (&["--time-zone", "Mars/Olympus"], "time_zone"),
        (&["--listen", "everywhere"], "listen"),
    ] {
        let output = run(folder.path(), &[&["serve"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(named),
            "{args:?}"
        );
    }
}
