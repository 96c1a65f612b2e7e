//! Richer answers: additive, and only where they are asked for.

use std::sync::Arc;

use lifesign::AssessOptions;
use serde_json::{Value, json};

use crate::harness::{Answer, Fake, LIVENESS, Server, constant, request};

async fn ask(server: &Server, extensions: Option<&str>) -> Value {
    let mut post = server.post(LIVENESS).bearer_auth(&server.token);
    if let Some(value) = extensions {
        post = post.header("Lifesign-Extensions", value);
    }
    Answer::of(post.json(&request()).send().await.unwrap())
        .await
        .body["data"]
        .take()
}

#[tokio::test]
async fn the_header_adds_decision_quality_and_face_and_takes_nothing_away() {
    let (_dir, server) = Server::fresh(constant(0.95), &[]).await;
    let plain = json!({"passed": true, "min_score": 0.6, "liveness_score": 0.95});
    assert_eq!(ask(&server, None).await, plain);
    assert_eq!(ask(&server, Some("0")).await, plain);
    assert_eq!(
        ask(&server, Some("1")).await,
        json!({
            "passed": true, "min_score": 0.6, "liveness_score": 0.95,
            "decision": "live",
            "quality": {
                "face_width": 100.0, "face_height": 100.0, "eye_distance": 45.0, "yaw": -3.3,
                "pitch": 4.0, "sharpness": 120.0, "brightness": 0.5,
            },
            "face": {"x": 0.0, "y": 0.0, "width": 100.0, "height": 100.0},
        })
    );
}

#[tokio::test]
async fn the_configuration_can_ask_for_all() {
    let (_dir, server) = Server::fresh(constant(0.95), &[("extensions", "true")]).await;
    assert_eq!(ask(&server, None).await["decision"], "live");
}

#[tokio::test]
async fn nothing_is_measured_that_nobody_asked_for() {
    let engine = |_: &[u8], options: &AssessOptions| Ok(if options.quality { 0.1 } else { 0.9 });
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[]).await;
    assert_eq!(ask(&server, None).await["liveness_score"], 0.9);
    assert_eq!(ask(&server, Some("1")).await["liveness_score"], 0.1);
}

#[tokio::test]
async fn a_score_near_the_threshold_is_uncertain_within_the_configured_band() {
    for (score, band, decision, passed) in [
        (0.65, "0.2", "uncertain", true),
        (0.55, "0.2", "uncertain", false),
        (0.69, "0.2", "live", true),
        (0.47, "0.2", "spoof", false),
        (0.65, "0", "live", true),
        (0.6, "0", "spoof", false),
    ] {
        let (_dir, server) = Server::fresh(constant(score), &[("uncertain_band", band)]).await;
        let data = ask(&server, Some("1")).await;
        assert_eq!(data["decision"], decision, "{score} {band}");
        assert_eq!(data["passed"], passed, "the band changes no decision");
    }
}
