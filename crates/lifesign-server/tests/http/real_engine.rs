//! The rows of the contract that a real photograph decides, with the real engine.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use lifesign::{Engine, EngineConfig};
use lifesign_server::FIRST_CLIENT;
use lifesign_server::inference::Assess;
use serde_json::Value;

use crate::harness::{Answer, Server, with};

/// Loading takes a while and the engine is immutable: once for all tests.
static ENGINE: LazyLock<Arc<Engine>> =
    LazyLock::new(|| Arc::new(Engine::load(&EngineConfig::default()).unwrap()));

fn engine() -> Arc<dyn Assess> {
    ENGINE.clone()
}

fn photograph(name: &str) -> Vec<u8> {
    let images = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/images");
    std::fs::read(images.join(name)).unwrap()
}

async fn ask(server: &Server, name: &str) -> Answer {
    server
        .ask(&with("image", BASE64_STANDARD.encode(photograph(name))))
        .await
}

fn score(answer: &Answer) -> f64 {
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body["data"]["liveness_score"].as_f64().unwrap()
}

#[tokio::test]
async fn a_live_face_is_scored_above_the_same_face_on_a_screen() {
    let (_dir, server) = Server::fresh(engine(), &[]).await;
    let (live, spoof) = (
        ask(&server, "live_portrait.jpg").await,
        ask(&server, "spoof_screen.jpg").await,
    );
    assert!(score(&live) > score(&spoof), "{} {}", live.body, spoof.body);
    assert_eq!(
        live.body["data"]["passed"],
        Value::Bool(true),
        "{}",
        live.body
    );
    assert_eq!(
        spoof.body["data"]["passed"],
        Value::Bool(false),
        "{}",
        spoof.body
    );
}

#[tokio::test]
async fn the_same_photograph_has_the_same_score_however_it_is_spelled() {
    let (_dir, server) = Server::fresh(engine(), &[]).await;
    let bytes = photograph("live_portrait.jpg");
    let expected = score(&ask(&server, "live_portrait.jpg").await);
    for image in [
        format!("data:image/png;base64,{}", BASE64_STANDARD.encode(&bytes)),
        BASE64_URL_SAFE_NO_PAD.encode(&bytes),
    ] {
        assert_eq!(score(&server.ask(&with("image", image)).await), expected);
    }
    for name in [
        "live_portrait.png",
        "live_portrait.webp",
        "live_portrait_exif6.jpg",
    ] {
        score(&ask(&server, name).await);
    }
}

#[tokio::test]
async fn each_photograph_that_cannot_be_judged_has_its_own_code() {
    let (_dir, server) = Server::fresh(engine(), &[]).await;
    for (name, code, reason) in [
        ("no_face.jpg", "ERR_NO_FACE_DETECTED", "no_face_detected"),
        (
            "two_faces.jpg",
            "ERR_MULTIPLE_FACES_DETECTED",
            "multiple_faces_detected",
        ),
        (
            "small_face.jpg",
            "ERR_LIVENESS_FACE_TOO_SMALL",
            "face_too_far",
        ),
        (
            "border_face.jpg",
            "ERR_LIVENESS_FACE_CLOSE_TO_BORDER",
            "face_close_to_border",
        ),
        ("README.md", "ERR_INVALID_IMAGE", "invalid_image"),
    ] {
        ask(&server, name).await.assert_quality(code, reason);
    }
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(attempts.len(), 5);
    assert!(attempts.iter().all(|attempt| !attempt.model.is_empty()));
}

#[tokio::test]
async fn a_photograph_over_the_pixel_limit_is_refused() {
    let engine = Engine::load(&EngineConfig {
        limits: lifesign::Limits {
            max_pixels: 1000,
            ..lifesign::Limits::default()
        },
        ..EngineConfig::default()
    });
    let (_dir, server) = Server::fresh(Arc::new(engine.unwrap()), &[]).await;
    ask(&server, "live_portrait.jpg")
        .await
        .assert_quality("ERR_INVALID_IMAGE", "invalid_image");
}

#[tokio::test]
async fn version_names_the_models_with_their_checksums() {
    let (_dir, server) = Server::fresh(engine(), &[]).await;
    let got = server
        .client
        .get(format!("{}/version", server.url))
        .send()
        .await
        .unwrap();
    let models = Answer::of(got).await.body["models"].take();
    for model in models.as_array().unwrap() {
        assert!(model["name"].is_string());
        for file in model["files"].as_array().unwrap() {
            assert_eq!(file["sha256"].as_str().unwrap().len(), 64);
        }
    }
    assert!(models.as_array().unwrap().len() >= 2);
}

/// A PNG that states 50,000 x 50,000 pixels, with a checksum that is right.
fn huge_png() -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    file.extend(50_000u32.to_be_bytes().repeat(2));
    file.extend([8, 2, 0, 0, 0, 0xc4, 0xcd, 0xaa, 0x9d]);
    file.extend([0; 5000]);
    file
}

/// A progressive JPEG whose scans are three bytes each and go over the whole picture.
fn many_scans() -> Vec<u8> {
    let mut file = b"\xff\xd8\xff\xdb\0\x43\0".to_vec();
    file.extend([1; 64]);
    file.extend(b"\xff\xc2\0\x0b\x08\x10\0\x10\0\x01\x01\x11\0");
    file.extend(b"\xff\xc4\0\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    file.extend(b"\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
    file.extend(b"\xff\xda\0\x08\x01\x01\0\0\0\0\0\0\0");
    file.extend(b"\xff\xda\0\x08\x01\x01\0\x01\x3f\x10\0\0\0".repeat(3000));
    file.extend(b"\xff\xd9");
    file
}

/// An animated WebP of two empty frames.
fn animation() -> Vec<u8> {
    let mut chunks =
        b"WEBPVP8X\x0a\0\0\0\x02\0\0\0\x3f\0\0\x3f\0\0ANIM\x06\0\0\0\0\0\0\0\0\0".to_vec();
    chunks.extend([&b"ANMF\x18\0\0\0"[..], &[0; 24]].concat().repeat(2));
    let length = (chunks.len() as u32).to_le_bytes();
    [b"RIFF", &length[..], &chunks].concat()
}

#[tokio::test]
async fn bombs_and_animations_are_refused_with_what_to_do_instead() {
    let (_dir, server) = Server::fresh(engine(), &[]).await;
    for (file, said) in [
        (huge_png(), "50000 x 50000 pixels; at most 50000000"),
        (many_scans(), "3001 scans; at most 100"),
        (animation(), "one still photograph is judged"),
        (
            b"GIF89a\x01\0\x01\0\0\0\0".to_vec(),
            "Send a JPEG, PNG or WebP photograph",
        ),
    ] {
        let image = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(file));
        let answer = server.ask(&with("image", image)).await;
        answer.assert_quality("ERR_INVALID_IMAGE", "invalid_image");
        let message = answer.body.to_string();
        assert!(message.contains(said), "{message}");
    }
}
