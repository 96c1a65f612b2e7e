//! A database that is damaged.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{
    Answer, Service, assert_nothing_lost, free_address, judge, recorded, serve, token, until,
};

const PAGE: u64 = 4096;

/// A data folder with attempts in it, and what was acknowledged.
struct Used {
    folder: TempDir,
    address: String,
    token: String,
    answers: Vec<Answer>,
}

impl Used {
    /// Stopped as asked, or killed: then much is in the write-ahead log alone.
    fn make(signal: &str) -> Used {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let address = free_address();
        let mut server = Service::start(serve(&[], &data, &address));
        let token = token(&data);
        let answers = (0..3).map(|_| judge(&address, &token)).collect();
        server.signal(signal);
        server.ended();
        Used {
            folder,
            address,
            token,
            answers,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn database(&self) -> PathBuf {
        self.data().join("lifesign.db")
    }

    fn start(&self) -> Result<Service, String> {
        let started = Service::try_start(serve(&[], &self.data(), &self.address));
        started.map_err(|refused| {
            assert_eq!(refused.code, Some(2), "{refused:?}");
            println!("start: {}", refused.said);
            refused.said
        })
    }

    /// The start is refused with the database's name and these words, and changes nothing.
    fn assert_refused(&self, words: &[&str]) {
        let before = fs::read(self.database()).ok();
        let said = self.start().err().expect("refused");
        let name = self.database().display().to_string();
        for words in words.iter().copied().chain([name.as_str()]) {
            assert!(said.contains(words), "{said}");
        }
        assert!(before == fs::read(self.database()).ok(), "changed: {said}");
    }
}

fn overwrite(path: &Path, from: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
}

/// No two bytes in a row alike, and none of it SQLite's.
fn garbage(length: u64) -> Vec<u8> {
    (0..length)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 7) as u8)
        .collect()
}

#[test]
fn a_damaged_database_stops_the_start_with_its_name_and_what_to_do_and_is_left_as_it_is() {
    let used = Used::make("TERM");
    let whole = fs::read(used.database()).unwrap();
    let pages = whole.len() as u64 / PAGE;
    let backup = ["damaged", "restore it from a backup"];

    overwrite(&used.database(), 0, &garbage(100));
    used.assert_refused(&backup);
    fs::write(used.database(), "not a database at all".repeat(1000)).unwrap();
    used.assert_refused(&backup);
    for page in [pages / 3, pages / 2, pages - 2] {
        fs::write(used.database(), &whole).unwrap();
        overwrite(&used.database(), page * PAGE, &vec![0; PAGE as usize]);
        used.assert_refused(&backup);
    }
    fs::write(used.database(), &whole).unwrap();
    overwrite(&used.database(), pages / 2 * PAGE, &garbage(PAGE));
    used.assert_refused(&backup);
    fs::write(used.database(), &whole[..whole.len() / 2]).unwrap();
    used.assert_refused(&backup);

    // A file with nothing in it would be a database like any other to SQLite.
    fs::write(used.database(), "").unwrap();
    used.assert_refused(&["missing or empty", "secret.key", "backup"]);
    fs::remove_file(used.database()).unwrap();
    used.assert_refused(&["missing or empty", "secret.key", "backup"]);

    fs::write(used.database(), &whole).unwrap();
    let _server = used.start().unwrap();
    assert_nothing_lost(&used.address, &used.token, &used.answers);
}

/// SQLite takes a write-ahead log up to the first damage for all there was: it looks the same as one
/// that a crash cut off.
#[test]
fn a_damaged_write_ahead_log_costs_what_is_behind_the_damage_and_no_more() {
    let used = Used::make("KILL");
    let log = used.data().join("lifesign.db-wal");
    let length = fs::metadata(&log).unwrap().len();
    overwrite(&log, length - 100, &garbage(100));
    let server = used.start().unwrap();
    let there = recorded(&used.address, &used.token);
    println!("{} of {} are there", there.len(), used.answers.len());
    assert_eq!(server.status("/readyz"), 200);
    assert_eq!(judge(&used.address, &used.token).status, 200);
    assert!(there.len() >= used.answers.len() - 1, "{there:?}");
}

#[test]
fn a_write_ahead_log_damaged_from_its_beginning_leaves_no_silently_empty_database() {
    let used = Used::make("KILL");
    let log = used.data().join("lifesign.db-wal");
    let length = fs::metadata(&log).unwrap().len();
    overwrite(&log, 0, &garbage(length));
    used.assert_refused(&["missing or empty", "backup"]);
}

#[test]
fn damage_found_while_running_is_a_fault_in_the_log_and_ends_readiness_but_not_the_service() {
    let used = Used::make("TERM");
    let server = used.start().unwrap();
    // Nothing is in memory of what other connections write meanwhile.
    let length = fs::metadata(used.database()).unwrap().len();
    overwrite(&used.database(), PAGE, &garbage(length - PAGE));
    let fault = until("a fault", || {
        let answer = judge(&used.address, &used.token);
        match answer.status {
            200 => Err(format!("{answer:?}")),
            _ => Ok(answer),
        }
    });
    println!("client: {fault:?}");
    assert_eq!(fault.status, 500, "{fault:?}");
    assert_eq!(fault.body["message"], "internal_error", "{fault:?}");
    println!("log: {}", server.says("damaged; restore it from a backup"));
    server.until_status("/readyz", 503);
    assert_eq!(server.status("/healthz"), 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
