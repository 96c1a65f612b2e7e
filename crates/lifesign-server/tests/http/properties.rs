//! Whatever JSON comes in whichever fields, the answer is one of the contract and never a fault.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRunner};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::harness::{Answer, LIVENESS, Server, constant, request};

const COLLECTIONS: &str = "/v2/face-recognition/collections";

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0.0..1.0).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[A-Za-z0-9+/_=-]{0,40}".prop_map(Value::from),
        "(data:|https?://|DATA:image/png;base64,)[ -~]{0,20}".prop_map(Value::from),
        "[-+]?[0-9.]{0,6}(e[0-9]{1,3})?".prop_map(Value::from),
        "[\0\n\u{7f}a]{1,4}".prop_map(Value::from),
        (0..3000_usize).prop_map(|length| Value::from("é".repeat(length))),
    ]
    .boxed();
    let nested = leaf.clone().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    });
    // Most rules are about texts and numbers, and most of what is nested is refused at once.
    prop_oneof![3 => leaf, 1 => nested]
}

/// A valid body of which some fields are missing, others are anything, and more are there; or
/// anything at all.
fn any_body(valid: Value) -> impl Strategy<Value = Value> {
    let names: Vec<String> = valid.as_object().unwrap().keys().cloned().collect();
    let names = names.into_iter().chain(["other".to_owned(), String::new()]);
    let changed = prop::sample::select(names.collect::<Vec<_>>());
    let changes = prop::collection::vec((changed, prop::option::weighted(0.9, any_json())), 0..4);
    let object = changes.prop_map(move |changes| {
        let mut body = valid.clone();
        for (field, value) in changes {
            let fields = body.as_object_mut().unwrap();
            match value {
                Some(value) => fields.insert(field, value),
                None => fields.remove(&field),
            };
        }
        body
    });
    prop_oneof![9 => object, 1 => any_json()]
}

/// Whether a text is there and says something.
fn says(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map_or(Vec::new(), |fields| {
        fields.keys().map(String::as_str).collect()
    })
}

/// An answer of the Verifik dialect: 200, or an error of exactly the contract's keys and codes.
fn in_verifiks_form(answer: &Answer) -> TestCaseResult {
    let body = &answer.body;
    let code = body["code"].as_str().unwrap_or_default();
    let right = match (answer.status, keys(body).as_slice()) {
        (200, ["data", ..]) => true,
        (409, ["code", "message"]) => ["MissingParameter", "Conflict"].contains(&code),
        (404, ["code", "message"]) => code == "NotFound",
        (400, ["code", "message"]) => code == "BadRequest",
        (422, ["code", "failureKind", "failureReason", "message"]) => {
            code.starts_with("ERR_")
                && body["failureKind"] == "quality"
                && says(&body["failureReason"])
        }
        _ => false,
    };
    prop_assert!(right, "{} {body}", answer.status);
    prop_assert!(answer.status == 200 || says(&body["message"]), "{body}");
    prop_assert!(answer.header("x-request-id").is_some());
    Ok(())
}

/// An answer of the OpenCV dialect.
fn in_opencvs_form(answer: &Answer) -> TestCaseResult {
    let body = &answer.body;
    let right = match (answer.status, keys(body).as_slice()) {
        (200, ["liveness_score"]) => true,
        (400, ["code", "message"]) => says(&body["code"]) && says(&body["message"]),
        (422, ["detail"]) => {
            let details = body["detail"]
                .as_array()
                .ok_or_else(|| TestCaseError::fail("no list"))?;
            !details.is_empty()
                && details.iter().all(|detail| {
                    keys(detail) == ["loc", "msg", "type"]
                        && says(&detail["msg"])
                        && says(&detail["type"])
                })
        }
        _ => false,
    };
    prop_assert!(right, "{} {body}", answer.status);
    Ok(())
}

fn hold(cases: u32, bodies: impl Strategy<Value = Value>, check: impl Fn(Value) -> TestCaseResult) {
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    });
    runner.run(&bodies, check).unwrap();
}

fn start() -> (Runtime, tempfile::TempDir, Server) {
    let runtime = Runtime::new().unwrap();
    // No downloads: a test must not depend on what random host names resolve to.
    let (dir, server) = runtime.block_on(Server::fresh(constant(0.9), &[("fetch", "false")]));
    (runtime, dir, server)
}

#[test]
fn any_json_in_any_field_gets_an_answer_of_the_contract() {
    let (runtime, _dir, server) = start();
    let mut valid = request();
    valid["collection_id"] = json!("signups");
    valid["liveness_min_score"] = json!(0.5);
    for (cases, route) in [(400, LIVENESS), (50, "/v2/face-recognition/liveness-score")] {
        hold(cases, any_body(valid.clone()), |body| {
            let answer = runtime.block_on(server.call(Method::POST, route, Some(body)));
            in_verifiks_form(&answer)
        });
    }
    assert_eq!(runtime.block_on(server.ask(&request())).status, 200);
}

#[test]
fn any_json_in_any_field_gets_an_answer_in_opencvs_form() {
    let (runtime, _dir, server) = start();
    hold(300, any_body(request()), |body| {
        let post = server.post("/liveness").header("x-api-key", &server.token);
        let answer =
            runtime.block_on(async { Answer::of(post.json(&body).send().await.unwrap()).await });
        in_opencvs_form(&answer)
    });
}

#[test]
fn any_json_in_any_field_of_a_collection_gets_an_answer_of_the_contract() {
    let (runtime, _dir, server) = start();
    let valid = json!({"name": "signups", "description": "the front door"});
    let made = runtime.block_on(server.call(Method::POST, COLLECTIONS, Some(valid.clone())));
    let one = format!(
        "{COLLECTIONS}/{}",
        made.body["data"]["_id"].as_str().unwrap()
    );
    for (method, route) in [(Method::POST, COLLECTIONS), (Method::PUT, &one)] {
        hold(200, any_body(valid.clone()), |body| {
            let answer = runtime.block_on(server.call(method.clone(), route, Some(body)));
            in_verifiks_form(&answer)
        });
    }
}
