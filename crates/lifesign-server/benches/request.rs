//! What the service does around an assessment.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use divan::Bencher;
use lifesign_server::auth::{Secret, TokenKeys};
use lifesign_server::image_source::ImageSource;
use lifesign_server::json;
use lifesign_server::receipt::{KeyRing, Statement};
use lifesign_server::store::{Database, NewAttempt, Store};
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

/// Of a photograph of 640x480, 2 and 12 megapixels, about.
const BYTES: [usize; 3] = [100_000, 600_000, 4_000_000];

fn base64(bytes: usize) -> String {
    let photograph: Vec<u8> = (0..bytes).map(|at| (at * 31 + at / 256) as u8).collect();
    BASE64_STANDARD.encode(photograph)
}

#[divan::bench(args = BYTES)]
fn json_body(bencher: Bencher, bytes: usize) {
    let body = serde_json::json!({ "os": "DESKTOP", "image": base64(bytes) }).to_string();
    bencher.bench(|| json::parse(black_box(body.as_bytes())).unwrap());
}

#[divan::bench(args = BYTES)]
fn base64_photograph(bencher: Bencher, bytes: usize) {
    let text = base64(bytes);
    bencher.bench(|| ImageSource::parse(black_box(&text), bytes).ok().unwrap());
}

fn secret() -> Secret {
    Secret::from_bytes(&[7; 32]).unwrap()
}

#[divan::bench]
fn verify_token(bencher: Bencher) {
    let keys = TokenKeys::new(&secret());
    let token = keys
        .issue("client", "Lifesign", Duration::from_secs(3600))
        .unwrap();
    bencher.bench(|| keys.verify(black_box(&token.token)).unwrap());
}

async fn store(folder: &Path) -> Store {
    Store::open(&Database::Sqlite(folder.join("bench.db")))
        .await
        .unwrap()
}

#[divan::bench]
fn sign_receipt(bencher: Bencher) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(store(folder.path()));
    let keys = KeyRing::new(store, &secret(), Duration::from_secs(86_400)).unwrap();
    let weights = [
        "centerface/centerface.onnx",
        "lifesign-pad/far.onnx",
        "lifesign-pad/tight.onnx",
    ];
    let statement = Statement {
        iss: "Lifesign".to_owned(),
        jti: "5CL7A".to_owned(),
        iat: 1_795_000_000,
        time: "2026-11-25T10:00:00.000Z".to_owned(),
        client_id: "0123456789abcdef".to_owned(),
        image_sha256: "00".repeat(32),
        os: "DESKTOP".to_owned(),
        liveness_score: 0.9968,
        min_score: 0.6,
        passed: true,
        decision: "live".to_owned(),
        version: "0.1.0".to_owned(),
        capture_session: None,
        nonce: None,
        weights: weights
            .map(|name| (name.to_owned(), "00".repeat(32)))
            .into(),
    };
    bencher.bench(|| runtime.block_on(keys.sign(black_box(&statement))).unwrap());
}

#[divan::bench]
fn record_attempt(bencher: Bencher) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(store(folder.path()));
    let client = runtime.block_on(store.add_client("bench")).unwrap();
    let attempt = NewAttempt {
        client_id: &client.id,
        collection_id: None,
        os: "DESKTOP",
        score: Some(0.9968),
        min_score: 0.6,
        passed: true,
        reason: None,
        model: "lifesign-pad 0.3.0",
        capture_session_id: None,
    };
    bencher.bench(|| {
        let recorded = store.record_attempt(black_box(&attempt), |_| String::new());
        runtime.block_on(recorded).unwrap()
    });
}
