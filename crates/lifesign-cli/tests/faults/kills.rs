//! `kill -9` while attempts are written.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::common::skipped;
use crate::support::{
    Load, Service, acknowledged, admin, assert_nothing_lost, assert_receipt_is_good, free_address,
    recorded, serve, token,
};

/// How often it is killed; a hundred times take minutes.
const KILLS: &str = "LIFESIGN_TEST_KILLS";

#[test]
fn a_server_killed_again_and_again_while_it_writes_loses_nothing_acknowledged() {
    let kills: u32 = std::env::var(KILLS).map_or(8, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let address = free_address();
    let start = || Service::start(serve(&[], &data, &address));

    let mut server = start();
    let limit = ["client", "limit", "default", "--quota", "1000000"];
    admin(&[], &data, &limit);
    let token = token(&data);
    let load = Load::start(&address, &token, 3);
    for kill in 0..kills {
        load.until_more(200, 1);
        // At any point of the few that a write has: no two waits are alike.
        let wait = Duration::from_micros(u64::from(kill) * 7_919 % 150_000);
        thread::sleep(wait);
        server.kill();
        server = start();
    }
    load.until_more(200, 1);
    let answers = load.stop();

    let told = assert_nothing_lost(&address, &token, &answers);
    let there = recorded(&address, &token).len();
    for answer in &answers {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let receipts = acknowledged(&answers);
    assert_receipt_is_good(&address, receipts[0]);
    assert_receipt_is_good(&address, receipts[receipts.len() - 1]);
    println!("{kills} kills: {told} attempts acknowledged, {there} recorded");

    let Some(database) = Sqlite::open(data.join("lifesign.db")) else {
        return;
    };
    assert_eq!(database.ask("PRAGMA integrity_check"), "ok");
    let used: usize = database
        .ask("SELECT sum(judged) FROM usage")
        .parse()
        .unwrap();
    assert!(
        used >= told,
        "{used} of the quota used, {told} acknowledged"
    );
}

/// SQLite's own command, beside the running server.
struct Sqlite(PathBuf);

impl Sqlite {
    fn open(path: PathBuf) -> Option<Sqlite> {
        if Command::new("sqlite3").arg("--version").output().is_err() {
            skipped("the quota and the whole of the file: there is no sqlite3 on this machine");
            return None;
        }
        Some(Sqlite(path))
    }

    fn ask(&self, sql: &str) -> String {
        let output = Command::new("sqlite3").arg(&self.0).arg(sql).output();
        String::from_utf8(output.unwrap().stdout)
            .unwrap()
            .trim()
            .to_owned()
    }
}
