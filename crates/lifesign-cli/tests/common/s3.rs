//! A small S3: one bucket in memory that is read, listed and written as object stores are.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

#[derive(Clone, Default)]
struct Bucket {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    /// Whether it denies reading pictures.
    denies: Arc<AtomicBool>,
}

/// A server with one bucket, `faces`; gone when dropped.
pub struct S3 {
    bucket: Bucket,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl S3 {
    pub fn start() -> S3 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let bucket = Bucket::default();
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = runtime.block_on(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/faces", get(list).post(delete))
            .route("/faces/", get(list))
            .route("/faces/{*key}", get(read).put(write))
            .layer(DefaultBodyLimit::max(1 << 26))
            .with_state(bucket.clone());
        runtime.spawn(async move { axum::serve(listener, routes).await });
        S3 {
            bucket,
            address,
            _runtime: runtime,
        }
    }

    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        let mut objects = self.bucket.objects.lock().unwrap();
        objects.insert(key.to_owned(), bytes.into());
    }

    pub fn keys(&self) -> Vec<String> {
        let objects = self.bucket.objects.lock().unwrap();
        objects.keys().cloned().collect()
    }

    pub fn get(&self, key: &str) -> Bytes {
        self.bucket.objects.lock().unwrap()[key].clone()
    }

    pub fn deny_pictures(&self, denies: bool) {
        self.bucket.denies.store(denies, Ordering::SeqCst);
    }

    /// Has a command use it.
    pub fn serve(&self, command: &mut Command) {
        command
            .env("AWS_ENDPOINT", format!("http://{}", self.address))
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_ACCESS_KEY_ID", "x")
            .env("AWS_SECRET_ACCESS_KEY", "x")
            .env("AWS_REGION", "x");
    }
}

async fn read(State(bucket): State<Bucket>, Path(key): Path<String>) -> Response {
    if key.ends_with(".jpg") && bucket.denies.load(Ordering::SeqCst) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match bucket.objects.lock().unwrap().get(&key).cloned() {
        Some(bytes) => ([("etag", "\"x\""), ("last-modified", TIME)], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

const TIME: &str = "Tue, 24 Nov 2026 10:00:00 GMT";

async fn write(
    State(bucket): State<Bucket>,
    Path(key): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let mut objects = bucket.objects.lock().unwrap();
    if headers.contains_key("if-none-match") && objects.contains_key(&key) {
        return StatusCode::PRECONDITION_FAILED.into_response();
    }
    objects.insert(key, bytes);
    [("etag", "\"x\"")].into_response()
}

/// Deletes what a list names.
async fn delete(State(bucket): State<Bucket>, named: String) -> String {
    let mut objects = bucket.objects.lock().unwrap();
    let keys = named.split("<Key>").skip(1);
    let deleted: String = keys
        .filter_map(|rest| rest.split("</Key>").next())
        .map(|key| {
            objects.remove(key);
            format!("<Deleted><Key>{key}</Key></Deleted>")
        })
        .collect();
    format!("<DeleteResult>{deleted}</DeleteResult>")
}

async fn list(
    State(bucket): State<Bucket>,
    Query(query): Query<HashMap<String, String>>,
) -> String {
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let objects = bucket.objects.lock().unwrap();
    let found = objects.iter().filter(|(key, _)| key.starts_with(&prefix));
    let contents: String = found
        .map(|(key, bytes)| {
            format!(
                "<Contents><Key>{key}</Key><Size>{}</Size>\
                 <LastModified>2026-11-24T10:00:00.000Z</LastModified></Contents>",
                bytes.len()
            )
        })
        .collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>")
}
