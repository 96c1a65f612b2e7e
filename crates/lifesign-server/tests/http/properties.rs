//! Whatever JSON comes in whichever field, the answer is one of the contract and never a fault.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value};

use crate::harness::{Server, constant, request};

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
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[test]
fn any_json_in_any_field_gets_an_answer_of_the_contract() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // No downloads: a test must not depend on what random host names resolve to.
    let (_dir, server) = runtime.block_on(Server::fresh(constant(0.9), &[("fetch", "false")]));
    let fields = prop::sample::select(vec![
        "os",
        "image",
        "collection_id",
        "liveness_min_score",
        "other",
        "",
    ]);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(400)
    });
    runner
        .run(&(fields, any_json()), |(field, value)| {
            let body = match field {
                "" => value,
                field => {
                    let mut body = request();
                    body[field] = value;
                    body
                }
            };
            let answer = runtime.block_on(server.ask(&body));
            let contract: &[u16] = &[200, 404, 409, 422];
            prop_assert!(
                contract.contains(&answer.status),
                "{} {:?}",
                answer.status,
                answer.body
            );
            if answer.status != 200 {
                prop_assert!(answer.body["message"].is_string() && answer.body["code"].is_string());
            }
            Ok(())
        })
        .unwrap();
}
