//! What is forgotten, and when.

use std::time::Duration;

use lifesign_server::fetch::Network;
use lifesign_server::{AdminError, FIRST_CLIENT, archive};
use reqwest::Method;
use serde_json::json;

use crate::harness::{Server, constant, request};

#[tokio::test]
async fn attempts_over_their_time_are_deleted_and_without_a_time_none_is() {
    let dir = tempfile::tempdir().unwrap();
    let start = |settings| Server::start(dir.path(), constant(0.9), settings, Network::public());
    let server = start(&[]).await;
    server.ask(&request()).await;
    server.stop().await.unwrap();
    let server = start(&[]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.admin.attempts(FIRST_CLIENT).await.unwrap().len(), 1);
    server.stop().await.unwrap();

    let server = start(&[("attempts_keep", "1ms")]).await;
    for _ in 0..500 {
        if server
            .admin
            .attempts(FIRST_CLIENT)
            .await
            .unwrap()
            .is_empty()
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the attempt is still there");
}

#[tokio::test]
async fn erasing_a_client_leaves_nothing_of_it_and_all_of_the_others() {
    let (_, public) = archive::generate_key();
    let images = tempfile::tempdir().unwrap();
    let settings = [
        ("images_keep_in", images.path().to_str().unwrap()),
        ("images_keep_key", public.as_str()),
        ("client_quota", "100"),
    ];
    let (_dir, mut server) = Server::fresh(constant(0.9), &settings).await;
    let kept = server.ask(&request()).await.body["id"].take();
    server.admin.add_client("leaving").await.unwrap();
    let unreachable = "http://127.0.0.1:9/hook";
    server
        .admin
        .add_webhook("leaving", unreachable)
        .await
        .unwrap();
    let others = std::mem::take(&mut server.token);
    server.token = server
        .admin
        .issue_token("leaving", None)
        .await
        .unwrap()
        .token;
    let collection = Some(json!({"name": "theirs"}));
    let collection = server
        .call(Method::POST, "/v2/face-recognition/collections", collection)
        .await;
    let mut body = request();
    body["collection_id"] = collection.body["data"]["_id"].clone();
    assert_eq!(server.ask(&body).await.status, 200);
    let holdings = server.admin.holdings("leaving").await.unwrap();
    let counts = (
        holdings.attempts,
        holdings.collections,
        holdings.webhooks,
        holdings.images,
    );
    assert_eq!((counts, holdings.tokens), ((1, 1, 1, 1), 1));

    server.admin.erase_client("leaving").await.unwrap();
    let again = server.admin.holdings("leaving").await;
    assert!(matches!(again, Err(AdminError::NoSuchClient(_))));
    server
        .ask(&request())
        .await
        .assert_error(401, "UNAUTHORIZED", "Authentication required");
    let left: Vec<_> = std::fs::read_dir(images.path())
        .unwrap()
        .flatten()
        .collect();
    let names: Vec<String> = left
        .iter()
        .flat_map(|client| std::fs::read_dir(client.path()).unwrap().flatten())
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, [format!("{}.age", kept.as_str().unwrap())]);
    server.token = others;
    assert_eq!(server.ask(&request()).await.status, 200);
    assert_eq!(server.admin.attempts(FIRST_CLIENT).await.unwrap().len(), 2);
}
