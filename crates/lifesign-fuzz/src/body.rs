//! The JSON body of a liveness call, in each dialect.

use std::task::{Context, Poll, Waker};

use axum::response::Response;
use http_body_util::BodyExt as _;
use lifesign_server::dialects::opencv::OpenCv;
use lifesign_server::dialects::verifik::Verifik;
use lifesign_server::dialects::{Dialect, LivenessRequest};
use lifesign_server::error::ApiError;
use lifesign_server::json;
use serde_json::Value;

/// Any bytes as the body of a request.
pub fn json_body(bytes: &[u8]) {
    let plain = serde_json::from_slice::<Value>(bytes);
    let read = match json::parse(bytes) {
        Ok(read) => read,
        Err(ApiError::TooManyValues { .. }) => return,
        Err(_) => return assert!(plain.is_err(), "JSON was refused"),
    };
    let body = serde_json::to_value(&read).expect("what was read is JSON");
    assert_eq!(plain.ok().as_ref(), Some(&body), "read as something else");
    if let Some(request) = parsed::<Verifik>(&read) {
        let field = |name: &str| body[name].as_str();
        assert!(!request.os.is_empty() && !request.image.is_empty());
        assert_eq!(field("os"), Some(&*request.os));
        assert_eq!(field("image"), Some(&*request.image));
        assert_eq!(field("collection_id"), request.collection_id.as_deref());
        assert_ne!(request.collection_id.as_deref(), Some(""));
        let given = body.get("liveness_min_score");
        assert_eq!(given.is_some(), request.min_score.is_some());
        if let Some(threshold) = &request.min_score {
            let value = threshold.value();
            assert!((0.0..=1.0).contains(&value), "a threshold of {value}");
            let meant = match given {
                Some(Value::String(text)) => text.trim().parse().ok(),
                Some(number) => number.as_f64(),
                None => None,
            };
            assert_eq!(meant, Some(value));
        }
    }
    if let Some(request) = parsed::<OpenCv>(&read) {
        let os = body["os"].as_str().unwrap_or("DESKTOP");
        assert_eq!(os, request.os);
        assert_eq!(body["image"].as_str(), Some(&*request.image));
        assert!(request.collection_id.is_none() && request.min_score.is_none());
    }
}

/// The request; or none, and then the refusal is an answer that the dialect's client can read.
fn parsed<'a, D: Dialect>(body: &json::Value<'a>) -> Option<LivenessRequest<'a>> {
    match D::parse(body.clone()) {
        Ok(request) => Some(request),
        Err(error) => {
            let answer = D::render_error(&error);
            assert!(answer.status().is_client_error(), "{}", answer.status());
            assert!(whole(answer).is_object());
            None
        }
    }
}

/// The JSON of an answer, all of which is there already.
fn whole(answer: Response) -> Value {
    let mut body = std::pin::pin!(answer.into_body().collect());
    let Poll::Ready(Ok(body)) = body.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("an answer of JSON has to be waited for");
    };
    serde_json::from_slice(&body.to_bytes()).expect("a refusal is JSON")
}
