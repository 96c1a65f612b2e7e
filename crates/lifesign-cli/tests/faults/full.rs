//! A full disk.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::namespace::Disk;
use crate::support::{Load, Service, admin, assert_nothing_lost, free_address, serve};

/// Fills the disk to its last byte.
fn fill(disk: &Disk) {
    let mut file = File::create(filling(disk)).unwrap();
    for size in [64 << 10, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

fn free(disk: &Disk) {
    std::fs::remove_file(filling(disk)).unwrap();
}

fn filling(disk: &Disk) -> std::path::PathBuf {
    disk.outside().join("filling")
}

#[test]
fn on_a_full_disk_nothing_is_acknowledged_and_the_service_goes_on_when_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(folder, "-t tmpfs -o size=8m tmpfs") else {
        return;
    };
    let enter = disk.enter();
    let data = disk.inside().join("data");
    let address = free_address();
    let start = || Service::try_start(serve(&enter, &data, &address));
    let mut server = start().unwrap();
    let token = admin(&enter, &data, &["token", "issue", "--client", "default"]);

    let load = Load::start(&address, &token, 2);
    load.until_more(200, 3);
    assert_eq!(server.status("/readyz"), 200);
    fill(&disk);
    load.until_more(503, 3);
    server.until_status("/readyz", 503);
    assert_eq!(server.status("/healthz"), 200);
    let line = server.says("no space left");
    println!("log: {line}");
    free(&disk);
    load.until_more(200, 3);
    server.until_status("/readyz", 200);
    let answers = load.stop();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.assert_unavailable();
    }
    println!(
        "client: {:?}",
        answers.iter().find(|answer| answer.status == 503)
    );
    assert_nothing_lost(&address, &token, &answers);
    server.signal("TERM");
    assert!(server.ended().success());

    // A start on a full disk.
    fill(&disk);
    let refused = start().err().unwrap();
    println!("start: {refused:?}");
    assert_eq!(refused.code, Some(2));
    let file = data.join("lifesign.db");
    assert_names(&refused.said, &file, "No space left");
    free(&disk);
    let server = start().unwrap();
    let again = assert_nothing_lost(&address, &token, &answers);
    println!("{again} acknowledged, none lost");
    drop(server);
}

fn assert_names(said: &str, file: &Path, why: &str) {
    let named = said.contains(&file.display().to_string());
    assert!(named && said.contains(why), "{said}");
}
