//! A clock that jumps, by way of libfaketime: it is set in a file, and the monotonic clock is left
//! as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::common::{receive, skipped};
use crate::support::{
    Answer, Service, ask, assert_nothing_lost, assert_receipt_is_good, free_address, judge, serve,
    until,
};

/// A clock of a test's own.
struct Clock {
    file: PathBuf,
    library: PathBuf,
}

impl Clock {
    fn new(folder: &Path) -> Option<Clock> {
        let found = ["x86_64", "aarch64"]
            .map(|machine| format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1"))
            .into_iter()
            .map(PathBuf::from)
            .find(|library| library.exists());
        let Some(library) = found else {
            skipped("libfaketime is not on this machine");
            return None;
        };
        let file = folder.join("clock");
        let clock = Clock { file, library };
        clock.set("+0");
        Some(clock)
    }

    /// How far it is ahead, such as `+1y`.
    fn set(&self, ahead: &str) {
        fs::write(&self.file, ahead).unwrap();
    }

    fn with(&self, mut command: Command) -> Command {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
        command
    }
}

struct Jumping {
    clock: Clock,
    data: PathBuf,
    address: String,
}

impl Jumping {
    fn start(&self, flags: &[&str]) -> Service {
        let mut command = serve(&[], &self.data, &self.address);
        command.args(flags);
        Service::start(self.clock.with(command))
    }

    /// What a command prints that has the same clock.
    fn admin(&self, args: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifesign"));
        command.args(args).arg("--data-dir").arg(&self.data);
        let output = self.clock.with(command).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn token(&self) -> String {
        self.admin(&["token", "issue", "--client", "default"])
    }

    fn judge(&self, token: &str) -> Answer {
        let answer = judge(&self.address, token);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_receipt_is_good(&self.address, &answer);
        answer
    }
}

fn jumping(folder: &Path) -> Option<Jumping> {
    Some(Jumping {
        clock: Clock::new(folder)?,
        data: folder.join("data"),
        address: free_address(),
    })
}

#[test]
fn a_clock_that_jumps_a_year_ahead_and_back_stops_no_attempt_receipt_or_webhook() {
    let folder = tempfile::tempdir().unwrap();
    let Some(all) = jumping(folder.path()) else {
        return;
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hook = format!("http://{}/hook", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let taking = Arc::new(Mutex::new("200 OK"));
    let (receiving, answering) = (Arc::clone(&told), Arc::clone(&taking));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let status = *answering.lock().unwrap();
            let (_, body) = receive(&mut stream, status);
            if status == "200 OK" {
                let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
                let id = body["data"]["id"].as_str().unwrap().to_owned();
                receiving.lock().unwrap().push(id);
            }
        }
    });

    // The first key of receipts lives for a year, so that the jump is one into the time of another.
    let server = all.start(&["--receipt-key-lifetime", "30d"]);
    all.admin(&["webhook", "add", "--client", "default", &hook]);
    let token = all.token();
    let before = all.judge(&token);

    all.clock.set("+400d");
    let expired = judge(&all.address, &token);
    assert_eq!(expired.status, 403, "{expired:?}");
    assert_eq!(expired.body["message"], "token_expired");
    println!("client, ahead: {expired:?}");
    let later = all.token();
    let ahead = all.judge(&later);
    // What is told in vain while the clock is ahead is to be told again when it is right.
    *taking.lock().unwrap() = "503 Service Unavailable";
    let untold = all.judge(&later);
    until("it was told in vain", || {
        let list = all.admin(&["webhook", "deliveries", "--client", "default"]);
        match list.contains("answered 503") {
            true => Ok(()),
            false => Err(list),
        }
    });

    all.clock.set("+0");
    *taking.lock().unwrap() = "200 OK";
    let back = all.judge(&token);
    let answers = [before, ahead, untold, back];
    assert_eq!(assert_nothing_lost(&all.address, &token, &answers), 4);
    assert_eq!(recorded_one_by_one(&all.address, &token), 4);
    until("all four are told", || {
        let told = told.lock().unwrap().clone();
        match answers
            .iter()
            .all(|answer| told.contains(&answer.id().to_owned()))
        {
            true => Ok(()),
            false => Err(format!("{told:?}: {}", server.log())),
        }
    });
    server.until_status("/readyz", 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// How many attempts pages of one each show.
fn recorded_one_by_one(address: &str, token: &str) -> usize {
    let mut seen = 0;
    let mut cursor = String::new();
    loop {
        let list = format!("GET /v2/face-recognition/attempts?limit=1{cursor}");
        let page = ask(address, &list, token, "").unwrap();
        seen += page.body["data"].as_array().unwrap().len();
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
    }
}

#[test]
fn a_machine_that_starts_with_a_clock_that_is_ahead_signs_receipts_when_it_is_set_right() {
    let folder = tempfile::tempdir().unwrap();
    let Some(all) = jumping(folder.path()) else {
        return;
    };
    all.clock.set("+1000d");
    let server = all.start(&[]);
    all.judge(&all.token());
    all.clock.set("+0");
    all.judge(&all.token());
    drop(server);
    all.start(&[]);
    all.clock.set("-1000d");
    let _server = all.start(&[]);
    all.judge(&all.token());
}

#[test]
fn a_start_with_a_clock_that_is_ahead_deletes_nothing_that_is_to_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let Some(all) = jumping(folder.path()) else {
        return;
    };
    let server = all.start(&["--attempts-keep", "90d"]);
    let answers = [all.judge(&all.token())];
    server.kill();

    all.clock.set("+1000d");
    let server = all.start(&["--attempts-keep", "90d"]);
    println!("log: {}", server.says("deleted in an hour"));
    let token = all.token();
    assert_eq!(assert_nothing_lost(&all.address, &token, &answers), 1);
}

#[test]
fn a_rate_is_counted_by_a_clock_that_does_not_jump() {
    let folder = tempfile::tempdir().unwrap();
    let Some(all) = jumping(folder.path()) else {
        return;
    };
    let _server = all.start(&["--client-rate", "0.01", "--client-burst", "2"]);
    let token = all.token();
    let list = || {
        let answer = ask(
            &all.address,
            "GET /v2/face-recognition/attempts",
            &token,
            "",
        );
        answer.unwrap().status
    };
    assert_eq!([list(), list(), list()], [200, 200, 429]);
    all.clock.set("+1d");
    assert_eq!(list(), 429);
    // By no more than clocks may be apart: a token from the future would be nobody's.
    all.clock.set("-50s");
    assert_eq!(list(), 429);
    all.clock.set("-1d");
    assert_eq!(list(), 401);
}
