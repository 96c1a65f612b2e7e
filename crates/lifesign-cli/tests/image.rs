//! Photographs that are kept for disputes, in an S3-compatible store, as an operator meets them.

mod common;
#[path = "common/s3.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod s3;

use std::process::Command;

use common::{Server, image, lifesign};
use s3::S3;
use serde_json::Value;

#[test]
fn a_photograph_is_kept_encrypted_in_a_store_fetched_for_a_dispute_and_erased_with_its_client() {
    let s3 = S3::start();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("dispute.key");
    let made = lifesign()
        .args(["image", "keygen", "--out"])
        .arg(&key)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let public = String::from_utf8(made.stdout)
        .unwrap()
        .trim_end()
        .to_owned();
    assert!(public.starts_with("age1"), "{public}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    let place = [
        "--images-keep-in",
        "s3://faces/disputes",
        "--images-keep-key",
        &public,
    ];
    let mut command = lifesign();
    s3.serve(&mut command);
    let server = Server::start_as(command, tempfile::tempdir().unwrap(), &place);
    let answer: Value = serde_json::from_str(&server.judge("live_portrait.jpg")).unwrap();
    let id = answer["id"].as_str().unwrap();
    let kept = s3.keys();
    assert!(
        kept.len() == 1 && kept[0].ends_with(&format!("/{id}.age")),
        "{kept:?}"
    );
    assert!(kept[0].starts_with("disputes/"), "{kept:?}");
    assert!(s3.get(&kept[0]).starts_with(b"age-encryption.org/v1"));

    let run = |args: &[&str]| {
        let mut command: Command = lifesign();
        s3.serve(&mut command);
        command
            .args(args)
            .args(place)
            .arg("--data-dir")
            .arg(server.data_dir());
        command.output().unwrap()
    };
    let out = folder.path().join("dispute.jpg");
    let (out_path, key_path) = (out.to_str().unwrap(), key.to_str().unwrap());
    let fetch = [
        "image",
        "fetch",
        id,
        "--client",
        "default",
        "--identity",
        key_path,
        "--out",
        out_path,
    ];
    let fetched = run(&fetch);
    assert!(
        fetched.status.success(),
        "{}",
        String::from_utf8_lossy(&fetched.stderr)
    );
    let original = std::fs::read(image("live_portrait.jpg")).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), original);
    assert!(
        !run(&fetch).status.success(),
        "a file that is there is not written over"
    );

    let asked = run(&["client", "erase", "default"]);
    assert_eq!(asked.status.code(), Some(2));
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(
        said.contains("kept photographs (1)") && said.contains("--yes"),
        "{said}"
    );
    assert_eq!(s3.keys().len(), 1);
    let erased = run(&["client", "erase", "default", "--yes"]);
    assert!(
        erased.status.success(),
        "{}",
        String::from_utf8_lossy(&erased.stderr)
    );
    assert!(s3.keys().is_empty());
}
