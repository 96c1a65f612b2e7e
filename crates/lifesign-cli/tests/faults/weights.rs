//! Weights that are not what their card says.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::common::repository;
use crate::support::{Refused, Service, serve};

/// A copy of the models with one file changed, and what the start says to it.
fn start_with(change: impl FnOnce(&Path)) -> (TempDir, Refused) {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    for kind in ["detector", "pad"] {
        let copy = models.join(kind);
        fs::create_dir_all(&copy).unwrap();
        for file in fs::read_dir(repository().join("models").join(kind)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    change(&models);
    let mut command = serve(&[], &folder.path().join("data"), "127.0.0.1:0");
    command.arg("--models-dir").arg(&models);
    let refused = Service::try_start(command).err().unwrap();
    assert_eq!(refused.code, Some(2), "{refused:?}");
    println!("start: {}", refused.said);
    (folder, refused)
}

fn assert_says(refused: &Refused, words: &[&str]) {
    for words in words {
        assert!(refused.said.contains(words), "{refused:?}");
    }
}

fn weights(models: &Path) -> PathBuf {
    models.join("pad/far.onnx")
}

#[test]
fn weights_with_one_bit_changed_stop_the_start_by_name_and_checksum() {
    let (_folder, refused) = start_with(|models| {
        let mut bytes = fs::read(weights(models)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(weights(models), bytes).unwrap();
    });
    let card = fs::read_to_string(repository().join("models/pad/card.toml")).unwrap();
    let stated = card.split("sha256 = \"").nth(1).unwrap();
    assert_says(&refused, &["pad/far.onnx has SHA-256", &stated[..64]]);
}

#[test]
fn weights_cut_off_stop_the_start_by_name_and_checksum() {
    let (_folder, refused) = start_with(|models| {
        let bytes = fs::read(weights(models)).unwrap();
        fs::write(weights(models), &bytes[..bytes.len() / 3]).unwrap();
    });
    assert_says(
        &refused,
        &["pad/far.onnx has SHA-256", "changed or damaged"],
    );
}

#[test]
fn weights_that_are_missing_stop_the_start_by_name() {
    let (_folder, refused) = start_with(|models| fs::remove_file(weights(models)).unwrap());
    assert_says(&refused, &["cannot read", "pad/far.onnx"]);
}

#[test]
fn a_card_of_another_model_or_of_none_stops_the_start_by_name() {
    let (_folder, refused) = start_with(|models| {
        fs::copy(
            models.join("detector/card.toml"),
            models.join("pad/card.toml"),
        )
        .unwrap();
    });
    assert_says(&refused, &["pad/card.toml"]);
    let (_folder, refused) = start_with(|models| {
        fs::write(models.join("detector/card.toml"), [0xff; 100]).unwrap();
    });
    assert_says(&refused, &["detector/card.toml", "not UTF-8"]);
}
