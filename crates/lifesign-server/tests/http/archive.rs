//! Photographs that are kept for disputes: encrypted, for a time, and only where the operator wants.

use std::path::{Path, PathBuf};

use lifesign_server::fetch::Network;
use lifesign_server::{AdminError, FIRST_CLIENT, archive};

use crate::harness::{Server, constant, request};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found
}

#[tokio::test]
async fn nothing_is_kept_unless_it_is_configured() {
    let (dir, server) = Server::fresh(constant(0.9), &[]).await;
    server.ask(&request()).await;
    assert!(
        server
            .admin
            .kept_images(FIRST_CLIENT)
            .await
            .unwrap()
            .is_empty()
    );
    for file in files(dir.path()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(
            !bytes.windows(12).any(|window| window == b"a photograph"),
            "{file:?}"
        );
    }
}

#[tokio::test]
async fn a_kept_photograph_is_encrypted_to_the_operators_key_and_had_back_with_it() {
    let (private, public) = archive::generate_key();
    let place = tempfile::tempdir().unwrap();
    let place = place.path().join("images");
    let settings = [
        ("images_keep_in", place.to_str().unwrap()),
        ("images_keep_key", public.as_str()),
    ];
    std::fs::create_dir(&place).unwrap();
    let (_dir, server) = Server::fresh(constant(0.9), &settings).await;
    let id = server.ask(&request()).await.body["id"].take();
    let id = id.as_str().unwrap();

    let kept = files(&place);
    assert_eq!(kept.len(), 1);
    let encrypted = std::fs::read(&kept[0]).unwrap();
    assert!(
        !encrypted
            .windows(12)
            .any(|window| window == b"a photograph")
    );
    let images = server.admin.kept_images(FIRST_CLIENT).await.unwrap();
    assert_eq!(images[0].attempt_id, id);
    let fetched = server.admin.kept_image(FIRST_CLIENT, id).await.unwrap();
    assert_eq!(fetched, encrypted);
    assert_eq!(
        archive::decrypt(&private, &fetched).unwrap(),
        b"a photograph"
    );
    let (stranger, _) = archive::generate_key();
    assert!(archive::decrypt(&stranger, &fetched).is_err());
    let other = server.admin.kept_image(FIRST_CLIENT, "ZZZZZ").await;
    assert!(matches!(other, Err(AdminError::NoSuchImage { .. })));
}

#[tokio::test]
async fn an_archive_that_fails_does_not_fail_the_check() {
    let (_, public) = archive::generate_key();
    let place = tempfile::tempdir().unwrap();
    // A file where the folder should be.
    let file = place.path().join("images");
    std::fs::write(&file, "").unwrap();
    let settings = [
        ("images_keep_in", file.to_str().unwrap()),
        ("images_keep_key", public.as_str()),
    ];
    let (_dir, server) = Server::fresh(constant(0.9), &settings).await;
    assert_eq!(server.ask(&request()).await.status, 200);
}

#[tokio::test]
async fn a_photograph_over_its_time_is_deleted() {
    let (_, public) = archive::generate_key();
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("images");
    std::fs::create_dir(&place).unwrap();
    let settings = [
        ("images_keep_in", place.to_str().unwrap()),
        ("images_keep_key", public.as_str()),
        // Longer than the first start looks for what is over its time.
        ("images_keep", "2s"),
    ];
    let start = || Server::start(dir.path(), constant(0.9), &settings, Network::public());
    let server = start().await;
    server.ask(&request()).await;
    assert_eq!(files(&place).len(), 1);
    server.stop().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    // It is looked for at every start, and every hour.
    let server = start().await;
    for _ in 0..500 {
        if files(&place).is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(files(&place).is_empty());
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(attempts.len(), 1, "the attempt itself stays");
}
