//! The OpenCV Face Recognition dialect, row by row.

use std::sync::Arc;

use lifesign::{AssessError, AssessOptions, Device, Rejection};
use lifesign_server::FIRST_CLIENT;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::harness::{Answer, Fake, Server, constant, request};

const ROUTE: &str = "/liveness";

async fn ask(server: &Server, body: &Value) -> Answer {
    let post = server.post(ROUTE).header("X-API-Key", &server.token);
    Answer::of(post.json(body).send().await.unwrap()).await
}

#[tokio::test]
async fn a_judged_photograph_is_answered_with_its_score_alone() {
    let (_dir, server) = Server::fresh(constant(0.981_249), &[]).await;
    let answer = ask(&server, &request()).await;
    assert_eq!(
        (answer.status, answer.body),
        (200, json!({"liveness_score": 0.9812}))
    );
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(
        (attempts[0].score, attempts[0].passed),
        (Some(0.9812), true)
    );
}

#[tokio::test]
async fn os_is_optional_and_desktop_by_default() {
    let engine = |_: &[u8], options: &AssessOptions| {
        Ok(match options.device {
            Device::Desktop => 0.1,
            Device::Ios => 0.2,
            _ => 0.3,
        })
    };
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[]).await;
    let image = &request()["image"];
    for (body, score) in [
        (json!({"image": image}), 0.1),
        (json!({"image": image, "os": null}), 0.1),
        (json!({"image": image, "os": "IOS"}), 0.2),
    ] {
        assert_eq!(ask(&server, &body).await.body["liveness_score"], score);
    }
}

#[tokio::test]
async fn fields_that_break_their_rules_are_422_with_all_details() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let answer = ask(&server, &json!({"os": 7})).await;
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.body,
        json!({"detail": [
            {"loc": ["body", "image"], "msg": "field required", "type": "value_error.missing"},
            {"loc": ["body", "os"], "msg": "str type expected", "type": "type_error.str"},
        ]})
    );
    let answer = ask(&server, &json!("text")).await;
    assert_eq!(answer.body["detail"][0]["loc"], json!(["body"]));
}

#[tokio::test]
async fn every_other_error_has_a_code_and_a_message() {
    let engine = |bytes: &[u8], _: &AssessOptions| match bytes {
        b"broken" => Ok(f64::NAN),
        _ => Err(AssessError::Rejected(Rejection::NoFace)),
    };
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[]).await;
    let code = |answer: &Answer| {
        assert_eq!(
            answer.body.as_object().unwrap().len(),
            2,
            "{:?}",
            answer.body
        );
        assert!(answer.body["message"].is_string());
        (
            answer.status,
            answer.body["code"].as_str().unwrap().to_owned(),
        )
    };
    let answer = ask(&server, &request()).await;
    assert_eq!(code(&answer), (400, "ERR_NO_FACE_DETECTED".into()));
    let answer = ask(&server, &json!({"image": "%%%"})).await;
    assert_eq!(code(&answer), (400, "ERR_INVALID_IMAGE".into()));
    let answer = ask(&server, &json!({"image": "YnJva2Vu"})).await;
    assert_eq!(code(&answer), (500, "ERROR".into()));

    let post = || server.post(ROUTE).header(CONTENT_TYPE, "application/json");
    let keyed = post().header("X-API-Key", &server.token).body("{");
    let answer = Answer::of(keyed.send().await.unwrap()).await;
    assert_eq!(code(&answer), (400, "BadRequest".into()));
    // A bearer token is another dialect's.
    for post in [
        post(),
        post().header("X-API-Key", "made up"),
        post().bearer_auth(&server.token),
    ] {
        let answer = Answer::of(post.body("{}").send().await.unwrap()).await;
        assert_eq!(code(&answer), (401, "UNAUTHORIZED".into()));
    }
    let get = server.client.get(format!("{}{ROUTE}", server.url));
    let answer = Answer::of(get.send().await.unwrap()).await;
    assert_eq!(code(&answer), (405, "MethodNotAllowed".into()));
}

#[tokio::test]
async fn a_busy_service_says_when_to_come_back_in_whole_seconds() {
    let (engine, entered, open) = crate::harness::gated();
    let (_dir, server) = Server::fresh(engine, &[("workers", "1"), ("queue", "0")]).await;
    let server = Arc::new(server);
    let first = {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            loop {
                let answer = ask(&server, &request()).await;
                if answer.status != 503 {
                    return answer;
                }
            }
        })
    };
    while !entered.load(std::sync::atomic::Ordering::SeqCst) {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let refused = ask(&server, &request()).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.body["code"], "ServiceUnavailable");
    assert!(
        refused
            .header("retry-after")
            .unwrap()
            .parse::<u32>()
            .unwrap()
            >= 1
    );
    open.send(()).unwrap();
    assert_eq!(first.await.unwrap().status, 200);
}

#[tokio::test]
async fn extensions_add_the_id_and_the_receipt_as_well() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let post = server
        .post(ROUTE)
        .header("X-API-Key", &server.token)
        .header("Lifesign-Extensions", "1");
    let body = Answer::of(post.json(&request()).send().await.unwrap())
        .await
        .body;
    assert_eq!(body["id"].as_str().unwrap().len(), 5);
    assert_eq!(body["decision"], "live");
    assert!(body["receipt"].is_string() && body["quality"].is_object() && body["face"].is_object());
}
