//! A disk that the system makes read-only, as it does with a file system in which it finds errors.

use std::path::PathBuf;
use std::process::Command;

use crate::common::skipped;
use crate::namespace::Disk;
use crate::support::{Load, Service, admin, assert_nothing_lost, free_address, serve};

/// Where the system can be told that it found an error on the disk.
fn trigger(disk: &Disk) -> Option<PathBuf> {
    let enter = disk.enter();
    let output = Command::new(enter[0])
        .args(&enter[1..])
        .args(["findmnt", "--noheadings", "--output", "SOURCE"])
        .arg(disk.inside())
        .output()
        .ok()?;
    let device = String::from_utf8(output.stdout).ok()?;
    let device = device.trim().strip_prefix("/dev/")?;
    let trigger = PathBuf::from(format!("/sys/fs/ext4/{device}/trigger_fs_error"));
    trigger.exists().then_some(trigger)
}

#[test]
fn on_a_disk_gone_read_only_nothing_is_acknowledged_and_nothing_lost() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    std::fs::File::create(&image)
        .and_then(|file| file.set_len(32 << 20))
        .unwrap();
    let made = Command::new("mkfs.ext4")
        .args(["-q", "-F"])
        .arg(&image)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        return skipped("there is no mkfs.ext4 on this machine");
    }
    let Some(disk) = Disk::mount(folder, "-o loop,errors=remount-ro image") else {
        return;
    };
    let Some(trigger) = trigger(&disk) else {
        return skipped("this machine cannot make a disk fail");
    };
    let enter = disk.enter();
    let data = disk.inside().join("data");
    let address = free_address();
    let start = || Service::try_start(serve(&enter, &data, &address));
    let server = start().unwrap();
    let token = admin(&enter, &data, &["token", "issue", "--client", "default"]);

    let load = Load::start(&address, &token, 2);
    load.until_more(200, 3);
    std::fs::write(trigger, "a test makes it read-only").unwrap();
    load.until_more(503, 3);
    server.until_status("/readyz", 503);
    assert_eq!(server.status("/healthz"), 200);
    let answers = load.stop();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.assert_unavailable();
    }
    println!("log: {}", server.says("Read-only file system"));
    println!(
        "client: {:?}",
        answers.iter().find(|answer| answer.status == 503)
    );
    server.kill();

    let refused = start().err().unwrap();
    println!("start: {refused:?}");
    assert_eq!(refused.code, Some(2));
    let file = data.join("lifesign.db").display().to_string();
    assert!(refused.said.contains(&file), "{refused:?}");
    assert!(
        refused.said.contains("Read-only file system"),
        "{refused:?}"
    );

    disk.run("umount", &[]);
    disk.run("mount", &["-o", "loop", image.to_str().unwrap()]);
    let server = start().unwrap();
    let told = assert_nothing_lost(&address, &token, &answers);
    println!("{told} acknowledged, none lost");
    drop(server);
}
