//! Recorded attempts over HTTP.

use std::sync::Arc;
use std::time::Duration;

use lifesign::{AssessError, AssessOptions, Device, Rejection};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Fake, Server, constant, request, with};

const ATTEMPTS: &str = "/v2/face-recognition/attempts";

fn ids(body: &Value) -> Vec<&str> {
    let data = body["data"].as_array().unwrap();
    data.iter()
        .map(|attempt| attempt["id"].as_str().unwrap())
        .collect()
}

/// By device: a live face, a spoof, or no face.
fn by_device(_: &[u8], options: &AssessOptions) -> Result<f64, AssessError> {
    match options.device {
        Device::Ios => Ok(0.95),
        Device::Android => Ok(0.1),
        _ => Err(AssessError::Rejected(Rejection::NoFace)),
    }
}

#[tokio::test]
async fn an_attempt_is_told_with_everything_but_the_image() {
    let (_dir, server) = Server::fresh(Arc::new(Fake(by_device)), &[]).await;
    let id = server.ask(&with("os", "iOS")).await.body["id"].take();
    let answer = server
        .get(&format!("{ATTEMPTS}/{}", id.as_str().unwrap()))
        .await;
    let data = &answer.body["data"];
    assert_eq!(
        answer.body,
        json!({"data": {
            "id": id, "client": data["client"], "collection": null, "os": "iOS", "passed": true,
            "liveness_score": 0.95, "min_score": 0.6, "failureReason": null,
            "model": data["model"], "createdAt": data["createdAt"],
        }})
    );
    assert!(
        data["createdAt"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .is_ok()
    );
    for unknown in ["ZZZZZ", "x", "%FF"] {
        let answer = server.get(&format!("{ATTEMPTS}/{unknown}")).await;
        answer.assert_error(404, "NotFound", "Record not found.");
    }
}

#[tokio::test]
async fn a_photograph_that_could_not_be_judged_is_listed_with_its_reason() {
    let (_dir, server) = Server::fresh(Arc::new(Fake(by_device)), &[]).await;
    assert_eq!(server.ask(&request()).await.status, 422);
    let data = server.get(ATTEMPTS).await.body["data"][0].take();
    assert_eq!(data["failureReason"], "no_face_detected");
    assert_eq!(
        (&data["passed"], &data["liveness_score"]),
        (&json!(false), &json!(null))
    );
}

#[tokio::test]
async fn every_filter_lets_through_what_it_says() {
    let (_dir, server) = Server::fresh(Arc::new(Fake(by_device)), &[]).await;
    let collections = "/v2/face-recognition/collections";
    let gate = Some(json!({"name": "gate"}));
    let gate = server.call(Method::POST, collections, gate).await.body["data"].take();

    let mut body = with("os", "IOS");
    body["collection_id"] = gate["_id"].clone();
    let live = server.ask(&body).await.body["id"].take();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let spoof = server.ask(&with("os", "android")).await.body["id"].take();
    let (live, spoof) = (live.as_str().unwrap(), spoof.as_str().unwrap());
    let at = server.get(&format!("{ATTEMPTS}/{spoof}")).await.body["data"]["createdAt"].take();
    let at = at.as_str().unwrap();

    for (query, expected) in [
        (String::new(), &[spoof, live][..]),
        (
            format!("collection={}", gate["_id"].as_str().unwrap()),
            &[live],
        ),
        (
            format!("collection={}", gate["code"].as_str().unwrap()),
            &[live],
        ),
        ("collection=0123456789abcdef01234567".to_owned(), &[]),
        ("os=ios".to_owned(), &[live]),
        ("passed=true".to_owned(), &[live]),
        ("passed=false".to_owned(), &[spoof]),
        (format!("from={at}"), &[spoof]),
        (format!("to={at}"), &[live]),
        (format!("to={at}&passed=false"), &[]),
        ("from=2020-01-01".to_owned(), &[spoof, live]),
        ("to=2020-01-01".to_owned(), &[]),
    ] {
        let answer = server.get(&format!("{ATTEMPTS}?{query}")).await;
        assert_eq!(ids(&answer.body), expected, "{query}");
    }
    for (query, message) in [
        ("passed=yes", "\"passed\" must be a boolean"),
        ("from=yesterday", "\"from\" must be in ISO 8601 date format"),
        ("limit=0", "\"limit\" must be greater than or equal to 1"),
        (
            "cursor=%21",
            "\"cursor\" must be the `next` of another page",
        ),
        (
            "cursor=AAAA",
            "\"cursor\" must be the `next` of another page",
        ),
    ] {
        let answer = server.get(&format!("{ATTEMPTS}?{query}")).await;
        answer.assert_error(409, "MissingParameter", message);
    }
}

#[tokio::test]
async fn pages_hold_every_attempt_once_even_while_others_are_recorded() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        let id = server.ask(&request()).await.body["id"].take();
        expected.insert(0, id.as_str().unwrap().to_owned());
    }
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("{ATTEMPTS}?limit=3{next}")).await.body;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
        // A newer one belongs to no later page.
        server.ask(&request()).await;
    }
    // Those of one millisecond are in the order of their ids, not of their making.
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_client_sees_its_own_attempts_only() {
    let (_dir, mut server) = Server::fresh(constant(0.9), &[]).await;
    let id = server.ask(&request()).await.body["id"].take();
    server.admin.add_client("other").await.unwrap();
    server.token = server.admin.issue_token("other", None).await.unwrap().token;
    assert_eq!(
        server.get(ATTEMPTS).await.body,
        json!({"data": [], "next": null})
    );
    let answer = server
        .get(&format!("{ATTEMPTS}/{}", id.as_str().unwrap()))
        .await;
    answer.assert_error(404, "NotFound", "Record not found.");
}
