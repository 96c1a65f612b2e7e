//! Captures in a browser: what the session's own token can do, and what no number of tries can.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::post;
use http_body_util::BodyExt as _;
use lifesign::{AssessOptions, Rejection};
use lifesign_server::inference::Assess;
use lifesign_server::receipt::{fetch_keys, matches_image, verify};
use lifesign_server::{AdminError, FIRST_CLIENT};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::harness::{Answer, Fake, Server, begun, constant, gated, serve};

const SESSIONS: &str = "/v1/capture-sessions";

/// A capture session, and what its browser knows.
struct Session {
    route: String,
    token: String,
    nonce: String,
    made: Value,
}

async fn session(server: &Server, asked: Value) -> Session {
    let made = server.call(Method::POST, SESSIONS, Some(asked)).await;
    assert_eq!(made.status, 200, "{:?}", made.body);
    let made = made.body["data"].clone();
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    Session {
        route: format!("{SESSIONS}/{}", text("id")),
        token: text("browserToken"),
        nonce: text("nonce"),
        made,
    }
}

impl Session {
    fn photo(&self, server: &Server, bytes: &'static str) -> RequestBuilder {
        self.file(server, "image/jpeg", bytes)
    }

    fn file(&self, server: &Server, kind: &str, bytes: &'static str) -> RequestBuilder {
        server
            .post(&format!("{}/photo?os=IOS", self.route))
            .bearer_auth(&self.token)
            .header("content-type", kind)
            .header("lifesign-nonce", &self.nonce)
            .body(bytes)
    }

    async fn upload(&self, server: &Server, bytes: &'static str) -> Answer {
        Answer::of(self.photo(server, bytes).send().await.unwrap()).await
    }

    async fn frame(&self, server: &Server, bytes: &'static str) -> Answer {
        let frame = server
            .post(&format!("{}/frame", self.route))
            .bearer_auth(&self.token)
            .header("content-type", "image/jpeg")
            .body(bytes);
        Answer::of(frame.send().await.unwrap()).await
    }

    /// As the browser sees it.
    async fn state(&self, server: &Server) -> Value {
        let state = server
            .client
            .get(format!("{}{}/capture", server.url, self.route))
            .bearer_auth(&self.token);
        let answer = Answer::of(state.send().await.unwrap()).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body["data"].clone()
    }

    /// As the client sees it.
    async fn result(&self, server: &Server) -> Value {
        let answer = server.get(&self.route).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body["data"].clone()
    }
}

/// Judges by what the photograph says: `live`, `spoof`, or `nobody`.
fn by_word() -> Arc<dyn Assess> {
    Arc::new(Fake(|bytes: &[u8], _: &AssessOptions| match bytes {
        b"live" => Ok(0.95),
        b"spoof" => Ok(0.05),
        _ => Err(Rejection::NoFace.into()),
    }))
}

#[tokio::test]
async fn a_live_photograph_finishes_the_session_and_its_receipt_names_session_and_nonce() {
    let (_dir, server) = Server::fresh(by_word(), &[]).await;
    let collection = json!({"name": "signups"});
    let collection = server
        .call(
            Method::POST,
            "/v2/face-recognition/collections",
            Some(collection),
        )
        .await
        .body["data"]["_id"]
        .clone();
    let asked = json!({
        "collection_id": collection, "liveness_min_score": 0.8, "return_url": "https://shop.example/done?step=2",
        "expires_in": 60, "uploads": 2,
    });
    let session = session(&server, asked).await;
    assert_eq!(
        session.made["url"].as_str().unwrap(),
        format!(
            "{}/capture/{}#{}",
            server.url,
            session.made["id"].as_str().unwrap(),
            session.token
        )
    );
    assert_eq!(
        (&session.made["status"], &session.made["passed"]),
        (&json!("open"), &Value::Null)
    );

    let state = session.state(&server).await;
    assert_eq!(state["nonce"], session.nonce);
    assert_eq!(state["uploadsLeft"], 2);
    assert_eq!(state["photosKept"], false);
    assert!(
        (50..=60).contains(&state["secondsLeft"].as_u64().unwrap()),
        "{state}"
    );

    let answer = session.upload(&server, "live").await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(
        answer.body["data"],
        json!({"passed": true, "status": "finished", "uploadsLeft": 1, "returnUrl": "https://shop.example/done?step=2"}),
        "no score: it would help an attacker"
    );

    let result = session.result(&server).await;
    assert_eq!(
        (&result["status"], &result["passed"]),
        (&json!("finished"), &json!(true))
    );
    assert!(result["finishedAt"].is_string());
    let attempt = &result["attempts"][0];
    assert_eq!(attempt["captureSession"], result["id"]);
    assert_eq!(
        (&attempt["os"], &attempt["collection"]),
        (&json!("IOS"), &collection)
    );
    assert_eq!(
        (&attempt["liveness_score"], &attempt["min_score"]),
        (&json!(0.95), &json!(0.8))
    );
    let keys = fetch_keys(&format!("{}/.well-known/jwks.json", server.url))
        .await
        .unwrap();
    let statement = verify(result["receipt"].as_str().unwrap(), &keys).unwrap();
    assert_eq!(statement.capture_session.as_deref(), result["id"].as_str());
    assert_eq!(statement.nonce, Some(session.nonce.clone()));
    assert!(matches_image(&statement, b"live"));

    session
        .upload(&server, "live")
        .await
        .assert_error(410, "Gone", "session_finished");
    session
        .frame(&server, "one")
        .await
        .assert_error(410, "Gone", "session_finished");
    assert_eq!(session.state(&server).await["passed"], true);
}

#[tokio::test]
async fn a_session_takes_a_limited_number_of_photographs() {
    let (_dir, server) = Server::fresh(by_word(), &[]).await;
    let session = session(&server, json!({"uploads": 3})).await;
    session
        .upload(&server, "nobody")
        .await
        .assert_quality("ERR_NO_FACE_DETECTED", "no_face_detected");
    let answer = session.upload(&server, "spoof").await.body;
    assert_eq!(
        answer["data"],
        json!({"passed": false, "status": "open", "uploadsLeft": 1, "returnUrl": null})
    );
    let answer = session.upload(&server, "spoof").await.body;
    assert_eq!(answer["data"]["status"], "finished");
    session
        .upload(&server, "live")
        .await
        .assert_error(410, "Gone", "session_finished");

    let result = session.result(&server).await;
    assert_eq!(
        (&result["passed"], &result["uploadsLeft"]),
        (&json!(false), &json!(0))
    );
    let reasons: Vec<&Value> = result["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["failureReason"])
        .collect();
    assert_eq!(
        reasons,
        [&json!("no_face_detected"), &Value::Null, &Value::Null]
    );
}

#[tokio::test]
async fn photographs_at_the_same_time_are_no_more_than_may_be_uploaded() {
    let (_dir, server) = Server::fresh(by_word(), &[]).await;
    let session = session(&server, json!({"uploads": 2})).await;
    let uploads = (0..20).map(|_| session.photo(&server, "spoof").send());
    let uploads: Vec<_> = uploads.map(tokio::spawn).collect();
    let mut judged = 0;
    for upload in uploads {
        match upload.await.unwrap().unwrap().status().as_u16() {
            200 => judged += 1,
            status => assert_eq!(status, 410),
        }
    }
    assert_eq!(judged, 2);
    assert_eq!(server.admin.attempts(FIRST_CLIENT).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_photograph_that_was_not_looked_at_is_no_upload() {
    let settings = [
        ("workers", "1"),
        ("queue", "0"),
        ("max_image_bytes", "1KiB"),
    ];
    let (engine, entered, open) = gated();
    let (_dir, server) = Server::fresh(engine, &settings).await;
    let server = Arc::new(server);
    let session = session(&server, json!({"uploads": 1})).await;
    let busy = begun(&server, &entered).await;
    let answer = session.upload(&server, "live").await;
    answer.assert_error(
        503,
        "ServiceUnavailable",
        "The service is busy. Try again in a moment.",
    );
    assert!(answer.header("retry-after").is_some());
    drop(open);
    assert_eq!(busy.await.unwrap().status, 200);

    let large: &'static str = "x".repeat(2000).leak();
    assert_eq!(session.upload(&server, large).await.status, 413);
    let text = session.file(&server, "text/plain", "live");
    // Given back in the background, as soon as the answer is on its way.
    while session.state(&server).await["uploadsLeft"] != 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(text.send().await.unwrap().status(), 415);
    while session.state(&server).await["uploadsLeft"] != 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(
        session.upload(&server, "live").await.body["data"]["passed"],
        true
    );
}

#[tokio::test]
async fn a_session_ends_with_its_time() {
    let (_dir, server) = Server::fresh(by_word(), &[]).await;
    let session = session(&server, json!({"expires_in": 1})).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    session
        .upload(&server, "live")
        .await
        .assert_error(410, "Gone", "session_expired");
    session
        .frame(&server, "one")
        .await
        .assert_error(410, "Gone", "session_expired");
    let state = session.state(&server).await;
    assert_eq!(
        (&state["status"], &state["secondsLeft"]),
        (&json!("expired"), &json!(0))
    );
    let result = session.result(&server).await;
    assert_eq!(
        (&result["status"], &result["passed"]),
        (&json!("expired"), &Value::Null)
    );
}

#[tokio::test]
async fn a_photograph_must_show_the_nonce_of_its_session() {
    let (_dir, server) = Server::fresh(by_word(), &[]).await;
    let (one, other) = (
        session(&server, json!({})).await,
        session(&server, json!({})).await,
    );
    let confused = Session {
        nonce: other.nonce.clone(),
        ..one
    };
    let answer = confused.upload(&server, "live").await;
    answer.assert_error(
        409,
        "MissingParameter",
        "\"Lifesign-Nonce\" must be the nonce of the session",
    );
    assert_eq!(
        confused.state(&server).await["uploadsLeft"],
        3,
        "no upload was used up"
    );
}

#[tokio::test]
async fn a_browsers_token_opens_its_session_and_nothing_else() {
    let (_dir, mut server) = Server::fresh(by_word(), &[]).await;
    let (one, other) = (
        session(&server, json!({})).await,
        session(&server, json!({})).await,
    );
    let refused =
        |answer: Answer| answer.assert_error(401, "UNAUTHORIZED", "Authentication required");
    for (route, token) in [
        (&other.route, one.token.as_str()),
        (&one.route, &server.token),
        (&one.route, ""),
        (&format!("{SESSIONS}/{}", "0".repeat(24)), &one.token),
        (&format!("{SESSIONS}/%00"), &one.token),
    ] {
        let strange = Session {
            route: route.clone(),
            token: token.to_owned(),
            nonce: one.nonce.clone(),
            made: Value::Null,
        };
        match route.ends_with("%00") {
            true => assert_eq!(strange.upload(&server, "live").await.status, 404),
            false => {
                refused(strange.upload(&server, "live").await);
                refused(strange.frame(&server, "one").await);
            }
        }
    }
    server.token = one.token.clone();
    for (method, route) in [
        (Method::GET, one.route.as_str()),
        (Method::POST, SESSIONS),
        (Method::GET, "/v2/face-recognition/attempts"),
        (Method::GET, "/v2/auth/session?origin=refresh"),
        (Method::POST, "/v2/auth/renew-and-revoke"),
    ] {
        let body = (method == Method::POST).then(|| json!({}));
        refused(server.call(method, route, body).await);
    }
    refused(server.ask(&crate::harness::request()).await);
}

#[tokio::test]
async fn another_client_finds_no_session_and_a_disabled_one_lets_no_browser_in() {
    let (_dir, mut server) = Server::fresh(by_word(), &[]).await;
    let session = session(&server, json!({})).await;
    server.admin.add_client("other").await.unwrap();
    let own = std::mem::take(&mut server.token);
    server.token = server.admin.issue_token("other", None).await.unwrap().token;
    server
        .get(&session.route)
        .await
        .assert_error(404, "NotFound", "Record not found.");
    server.token = own;
    assert_eq!(server.get(&session.route).await.status, 200);
    server.admin.disable_client(FIRST_CLIENT).await.unwrap();
    session
        .upload(&server, "live")
        .await
        .assert_error(403, "FORBIDDEN", "token_revoked");
}

#[tokio::test]
async fn what_a_session_is_to_be_like_is_checked_field_by_field() {
    let (_dir, server) = Server::fresh(by_word(), &[]).await;
    for (asked, message) in [
        (
            json!({"collection_id": 1}),
            "\"collection_id\" must be a string",
        ),
        (json!({"os": ""}), "\"os\" is not allowed to be empty"),
        (
            json!({"liveness_min_score": 2}),
            "\"liveness_min_score\" must be less than or equal to 1",
        ),
        (
            json!({"return_url": "shop.example"}),
            "\"return_url\" must be an https address",
        ),
        (
            json!({"return_url": "http://shop.example"}),
            "\"return_url\" must be an https address",
        ),
        (
            json!({"return_url": "javascript:alert(1)"}),
            "\"return_url\" must be an https address",
        ),
        (
            json!({"return_url": "https://a:b@shop.example"}),
            "\"return_url\" must be an https address",
        ),
        (
            json!({"expires_in": 901}),
            "\"expires_in\" must be less than or equal to 900",
        ),
        (
            json!({"expires_in": 0}),
            "\"expires_in\" must be greater than or equal to 1",
        ),
        (
            json!({"expires_in": 1.5}),
            "\"expires_in\" must be an integer",
        ),
        (
            json!({"expires_in": true}),
            "\"expires_in\" must be a number",
        ),
        (
            json!({"uploads": "11"}),
            "\"uploads\" must be less than or equal to 10",
        ),
    ] {
        let answer = server.call(Method::POST, SESSIONS, Some(asked)).await;
        answer.assert_error(409, "MissingParameter", message);
    }
    let unknown = json!({"collection_id": "none"});
    let answer = server.call(Method::POST, SESSIONS, Some(unknown)).await;
    answer.assert_error(404, "NotFound", "Record not found.");
    let asked =
        json!({"return_url": "http://localhost:3000/done", "uploads": "1", "os": "ANDROID"});
    let session = session(&server, asked).await;
    session.upload(&server, "live").await;
    assert_eq!(
        session.result(&server).await["attempts"][0]["os"],
        "ANDROID",
        "not what the browser says"
    );
}

#[tokio::test]
async fn the_page_is_where_the_operator_says() {
    let settings = [("public_url", "https://liveness.example.org")];
    let (_dir, server) = Server::fresh(by_word(), &settings).await;
    let session = session(&server, json!({})).await;
    let url = session.made["url"].as_str().unwrap();
    assert!(
        url.starts_with("https://liveness.example.org/capture/"),
        "{url}"
    );
}

#[tokio::test]
async fn preview_frames_are_looked_at_and_neither_recorded_nor_counted_as_uploads() {
    let (_dir, server) = Server::fresh(by_word(), &[]).await;
    let session = session(&server, json!({})).await;
    let one = session.frame(&server, "one").await.body["data"].clone();
    assert_eq!(one["faces"], 1);
    assert_eq!(
        one["face"],
        json!({"x": 0.0, "y": 0.0, "width": 100.0, "height": 100.0})
    );
    assert_eq!(
        (&one["quality"]["yaw"], &one["quality"]["sharpness"]),
        (&json!(-3.3), &json!(120.0))
    );
    let none = session.frame(&server, "none").await.body["data"].clone();
    assert_eq!(none, json!({"faces": 0, "face": null, "quality": null}));
    assert_eq!(session.frame(&server, "two").await.body["data"]["faces"], 2);
    session
        .frame(&server, "broken")
        .await
        .assert_quality("ERR_INVALID_IMAGE", "invalid_image");
    let large: &'static str = "x".repeat(200 << 10).leak();
    assert_eq!(session.frame(&server, large).await.status, 413);
    let answer = session.frame(&server, "one").await;
    answer.assert_error(
        429,
        "TooManyRequests",
        "Too many requests. Try again in a moment.",
    );
    assert_eq!(session.state(&server).await["uploadsLeft"], 3);
    assert!(
        server
            .admin
            .attempts(FIRST_CLIENT)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn frames_give_way_to_photographs() {
    let (engine, entered, open) = gated();
    let (_dir, server) = Server::fresh(engine, &[("workers", "1"), ("queue", "4")]).await;
    let server = Arc::new(server);
    let session = session(&server, json!({})).await;
    let judged = begun(&server, &entered).await;
    let waiting = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.ask(&crate::harness::request()).await })
    };
    // Until the second photograph waits, the frame itself would.
    let refused = loop {
        let frame = session.frame(&server, "one");
        match tokio::time::timeout(Duration::from_millis(300), frame).await {
            Ok(answer) if answer.status != 429 => break answer,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    assert_eq!(refused.status, 503, "{:?}", refused.body);
    drop(open);
    assert_eq!(judged.await.unwrap().status, 200);
    assert_eq!(waiting.await.unwrap().status, 200);
}

#[tokio::test]
async fn webhooks_are_told_of_each_photograph_and_of_the_end() {
    let (told, mut events) = mpsc::unbounded_channel();
    let hook = move |request: Request| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let _ = told.send(serde_json::from_slice::<Value>(&body).unwrap());
    };
    let url = serve(Router::new().route("/hook", post(hook))).await + "/hook";
    let (_dir, server) = Server::fresh(by_word(), &[]).await;
    server.admin.add_webhook(FIRST_CLIENT, &url).await.unwrap();
    let session = session(&server, json!({})).await;
    session.upload(&server, "spoof").await;
    session.upload(&server, "live").await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let event = tokio::time::timeout(Duration::from_secs(20), events.recv());
        seen.push(event.await.expect("it is told").unwrap());
    }
    let of_kind = |kind: &str| {
        seen.iter()
            .filter(|event| event["type"] == kind)
            .collect::<Vec<_>>()
    };
    for attempt in of_kind("attempt.finished") {
        assert_eq!(attempt["data"]["captureSession"], session.made["id"]);
    }
    let [finished] = of_kind("capture_session.finished")[..] else {
        panic!("{seen:?}")
    };
    let mut result = session.result(&server).await;
    result.as_object_mut().unwrap().remove("attempts");
    assert_eq!(finished["data"], result);
    assert_eq!(result["passed"], true);
}

#[tokio::test]
async fn only_pages_of_named_origins_may_use_a_session() {
    let preflight = async |server: &Server, route: String, origin: &str| {
        let request = server
            .client
            .request(Method::OPTIONS, format!("{}{route}", server.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type,lifesign-nonce",
            );
        let response = request.send().await.unwrap();
        let allowed = response.headers().get("access-control-allow-origin");
        (
            response.status().as_u16(),
            allowed.map(|origin| origin.to_str().unwrap().to_owned()),
        )
    };
    let (_dir, strict) = Server::fresh(by_word(), &[]).await;
    let closed = session(&strict, json!({})).await;
    let photo = format!("{}/photo", closed.route);
    assert_eq!(
        preflight(&strict, photo, "https://shop.example").await,
        (405, None)
    );

    let settings = [("capture_origins", "https://shop.example")];
    let (_dir, server) = Server::fresh(by_word(), &settings).await;
    let session = session(&server, json!({})).await;
    let photo = format!("{}/photo", session.route);
    let allowed = Some("https://shop.example".to_owned());
    assert_eq!(
        preflight(&server, photo.clone(), "https://shop.example").await,
        (200, allowed)
    );
    assert_eq!(
        preflight(&server, photo, "https://evil.example").await.1,
        None
    );
    // The client's own routes are for its back end.
    for route in [
        SESSIONS.to_owned(),
        session.route.clone(),
        crate::harness::LIVENESS.to_owned(),
    ] {
        assert_eq!(
            preflight(&server, route, "https://shop.example").await,
            (405, None)
        );
    }
    let sent = session
        .photo(&server, "live")
        .header("origin", "https://shop.example");
    let headers = sent.send().await.unwrap().headers().clone();
    assert_eq!(
        headers["access-control-allow-origin"],
        "https://shop.example"
    );
    assert!(
        headers["access-control-expose-headers"]
            .to_str()
            .unwrap()
            .contains("retry-after")
    );
    let page = server
        .client
        .get(format!("{}/capture/x", server.url))
        .send()
        .await
        .unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("frame-ancestors https://shop.example"),
        "{policy}"
    );
}

#[tokio::test]
async fn erasing_a_client_erases_its_sessions() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let session = session(&server, json!({})).await;
    session.upload(&server, "live").await;
    assert_eq!(
        server.admin.holdings(FIRST_CLIENT).await.unwrap().captures,
        1
    );
    server.admin.erase_client(FIRST_CLIENT).await.unwrap();
    let gone = server.admin.holdings(FIRST_CLIENT).await;
    assert!(matches!(gone, Err(AdminError::NoSuchClient(_))));
    session.upload(&server, "live").await.assert_error(
        401,
        "UNAUTHORIZED",
        "Authentication required",
    );
}
