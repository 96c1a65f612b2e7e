//! The signing secret and the tokens are told nowhere: not in the log at its most talkative, not in
//! what the commands print, not in what they say when something is wrong with the secret itself.

#![cfg(unix)]

mod common;
#[path = "../../lifesign-server/tests/support/spellings.rs"]
mod spellings;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;

use common::{Server, bearer, call, lifesign};
use spellings::holds;
use tempfile::TempDir;

#[test]
fn a_talkative_server_and_its_commands_tell_neither_the_secret_nor_a_token() {
    for format in ["text", "json"] {
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("log");
        let flags = ["--log", "trace", "--log-format", format];
        let file = File::create(&log).unwrap();
        let server = Server::start_logging(lifesign(), folder, &flags, file.into());
        let token = server.token();
        let liveness = "POST /v2/face-recognition/liveness";
        let cut = &token[..token.len() - 1];
        for (request, token) in [
            (liveness, &*token),
            (liveness, cut),
            ("GET /v2/auth/session?origin=refresh", &token),
            ("GET /v2/auth/session?origin=refresh", cut),
            ("GET /version", &token),
            ("GET /readyz", &token),
        ] {
            let body = r#"{"os":"DESKTOP","image":"https://photos.invalid/a"}"#;
            call(server.address(), request, &[&bearer(token)], body).unwrap();
        }
        let printed: String = [&["config"][..], &["client", "list"], &["receipt", "keys"]]
            .map(|command| server.admin(command))
            .concat();
        let secret = fs::read(server.data_dir().join("secret.key")).unwrap();
        assert_eq!(secret.len(), 32);
        let greeting = server.greeting.clone();
        let stopped = server.stop();
        let log = fs::read(stopped.folder.path().join("log")).unwrap();
        assert!(log.len() > 1000, "the log is talkative");
        let log_text = String::from_utf8_lossy(&log);
        for cut in [&token, cut] {
            assert!(!log_text.contains(cut), "a token is in the log");
        }
        for told in [
            &log[..],
            printed.as_bytes(),
            greeting.as_bytes(),
            stopped.rest.as_bytes(),
        ] {
            assert!(!holds(told, &secret), "{}", String::from_utf8_lossy(told));
        }
    }
}

#[test]
fn what_is_wrong_with_a_secret_is_said_without_it() {
    // Only beside a database is a secret looked at.
    let server = Server::start();
    let data = server.data_dir();
    let _stopped = server.stop();
    let key = data.join("secret.key");
    let private = b"thirty-two bytes that are secret".to_vec();
    let damaged = b"too short, and a secret as well".to_vec();
    for (secret, mode, said) in [(&private, 0o644, "chmod 600"), (&damaged, 0o600, "damaged")] {
        fs::write(&key, secret).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        for command in [
            &["serve"][..],
            &["client", "list"],
            &["token", "revoke", "x"],
        ] {
            let output = lifesign()
                .args(command)
                .arg("--data-dir")
                .arg(&data)
                .env("LIFESIGN_LOG", "trace")
                .output()
                .unwrap();
            assert!(!output.status.success(), "{command:?}");
            let told = [output.stdout, output.stderr].concat();
            assert!(String::from_utf8_lossy(&told).contains(said), "{command:?}");
            assert!(!holds(&told, secret), "{}", String::from_utf8_lossy(&told));
        }
    }
}
