//! A database that is gone, and back.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::lifesign;
use crate::postgres::Postgres;
use crate::support::{
    Answer, Load, Service, assert_nothing_lost, free_address, judge, serve, token, until,
};

/// What an answer may take while the database is gone: the wait for a connection, and a busy machine.
const BOUNDED: Duration = Duration::from_secs(15);

fn administer(database: &str, args: &[&str]) -> String {
    let output = lifesign()
        .args(args)
        .args(["--database", database])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn assert_refused_in_time(answers: &[Answer]) {
    let refused = answers.iter().filter(|answer| answer.status != 200);
    for answer in refused {
        answer.assert_unavailable();
        assert!(answer.took < BOUNDED, "{answer:?}");
    }
    let slowest = answers.iter().filter(|answer| answer.status != 200);
    let slowest = slowest.max_by_key(|answer| answer.took);
    println!("client, at the slowest: {slowest:?}");
}

#[test]
fn a_postgresql_that_stops_and_comes_back_costs_503s_and_nothing_acknowledged() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let database = postgres.database("gone");
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut command = serve(&[], folder.path(), &address);
    command.args(["--database", &database]);
    let server = Service::start(command);
    administer(&database, &["client", "add", "shop"]);
    let token = administer(&database, &["token", "issue", "--client", "shop"]);

    let load = Load::start(&address, &token, 3);
    for signal in ["INT", "QUIT"] {
        load.until_more(200, 3);
        server.until_status("/readyz", 200);
        server.forget_log();
        postgres.stop(signal);
        load.until_more(503, 3);
        server.until_status("/readyz", 503);
        assert_eq!(server.status("/healthz"), 200);
        println!(
            "log, {signal}: {}",
            server.says("the database cannot be reached")
        );
        postgres.resume();
        load.until_more(200, 3);
        server.until_status("/readyz", 200);
    }
    let answers = load.stop();
    assert_refused_in_time(&answers);
    let told = assert_nothing_lost(&address, &token, &answers);
    println!("{told} acknowledged, none lost");
}

#[cfg(target_os = "linux")]
#[test]
fn a_postgresql_that_hangs_holds_no_request_longer_than_its_time() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let database = postgres.database("hangs");
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut command = serve(&[], folder.path(), &address);
    command.args(["--database", &database, "--request-timeout", "5s"]);
    let server = Service::start(command);
    administer(&database, &["client", "add", "shop"]);
    let token = administer(&database, &["token", "issue", "--client", "shop"]);

    let load = Load::start(&address, &token, 2);
    load.until_more(200, 3);
    // Those that serve connections first: the first process would start others.
    let processes = || {
        let first = postgres.process();
        let children = format!("/proc/{first}/task/{first}/children");
        let children = fs::read_to_string(children).unwrap();
        let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
        children.chain([first]).collect::<Vec<u32>>()
    };
    let stopped = processes();
    let each = |signal: &str| {
        for &process in &stopped {
            // One may have ended meanwhile.
            let pid = process.to_string();
            let _ = Command::new("kill").args([signal, pid.as_str()]).output();
        }
    };
    each("-STOP");
    load.until_more(503, 2);
    server.until_status("/readyz", 503);
    assert_eq!(server.status("/healthz"), 200);
    each("-CONT");
    load.until_more(200, 3);
    server.until_status("/readyz", 200);
    let answers = load.stop();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        // The statement under way when it began to hang has the whole time of its request.
        match answer.status {
            408 => {}
            _ => answer.assert_unavailable(),
        }
        assert!(answer.took < BOUNDED, "{answer:?}");
    }
    assert_nothing_lost(&address, &token, &answers);
}

#[test]
fn a_sqlite_file_that_is_moved_away_or_replaced_while_in_use_is_noticed_and_can_be_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let address = free_address();
    let server = Service::start(serve(&[], &data, &address));
    let token = token(&data);
    let mut answers = vec![judge(&address, &token)];
    let file = data.join("lifesign.db");
    let aside = data.join("aside.db");
    let noticed = |answers: &mut Vec<Answer>| {
        let answer = judge(&address, &token);
        answer.assert_unavailable();
        println!("client: {answer:?}");
        answers.push(answer);
        server.until_status("/readyz", 503);
        let line = server.says("was removed or replaced");
        assert!(line.contains(&file.display().to_string()), "{line}");
        println!("log: {line}");
        server.forget_log();
    };

    fs::rename(&file, &aside).unwrap();
    noticed(&mut answers);
    assert!(!file.exists(), "it is not made anew");
    fs::copy(&aside, &file).unwrap();
    noticed(&mut answers);
    back(&aside, &file);
    let answer = until("it goes on", || {
        let answer = judge(&address, &token);
        match answer.status {
            200 => Ok(answer),
            _ => Err(format!("{answer:?}")),
        }
    });
    answers.push(answer);
    server.until_status("/readyz", 200);
    assert_nothing_lost(&address, &token, &answers);
    server.kill();
    let _server = Service::start(serve(&[], &data, &address));
    assert_eq!(assert_nothing_lost(&address, &token, &answers), 2);
}

fn back(aside: &Path, file: &Path) {
    fs::rename(aside, file).unwrap();
}
