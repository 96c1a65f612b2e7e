//! The API's description and its page.

use serde_json::Value;

use crate::harness::{Answer, Server, constant};

#[tokio::test]
async fn the_description_is_openapi_3_1_and_names_every_route() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let api = server.get("/openapi.json").await.body;
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(api["info"]["version"], env!("CARGO_PKG_VERSION"));
    let operations: Vec<String> = api["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    for operation in [
        "POST /v2/face-recognition/liveness",
        "POST /v2/face-recognition/liveness-score",
        "POST /liveness",
        "POST /v1/capture-sessions",
        "GET /v1/capture-sessions/{id}",
        "GET /v1/capture-sessions/{id}/capture",
        "POST /v1/capture-sessions/{id}/frame",
        "POST /v1/capture-sessions/{id}/photo",
        "GET /v2/face-recognition/collections",
        "POST /v2/face-recognition/collections",
        "GET /v2/face-recognition/collections/{id}",
        "PUT /v2/face-recognition/collections/{id}",
        "DELETE /v2/face-recognition/collections/{id}",
        "GET /v2/face-recognition/attempts",
        "GET /v2/face-recognition/attempts/{id}",
        "GET /v2/auth/session",
        "POST /v2/auth/renew-and-revoke",
        "GET /.well-known/jwks.json",
        "GET /healthz",
        "GET /readyz",
        "GET /version",
    ] {
        assert!(
            operations.iter().any(|known| known == operation),
            "{operation}: {operations:?}"
        );
    }
    assert_eq!(operations.len(), 21, "{operations:?}");
}

#[tokio::test]
async fn the_page_and_all_it_loads_come_from_the_service() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let get = async |route: &str| {
        let response = server
            .client
            .get(format!("{}{route}", server.url))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{route}");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("http"), "{policy}");
        response.text().await.unwrap()
    };
    let page = get("/docs/").await;
    let loaded: Vec<&str> = page
        .split(['"', '\''])
        .filter(|text| {
            [".js", ".css", ".png"]
                .iter()
                .any(|end| text.ends_with(end))
        })
        .collect();
    assert!(loaded.len() >= 4, "{page}");
    for path in loaded {
        assert!(!path.contains("//"), "{path}");
        get(&format!("/docs/{}", path.trim_start_matches("./"))).await;
    }
    assert!(
        get("/docs/swagger-initializer.js")
            .await
            .contains("/openapi.json")
    );
}

#[tokio::test]
async fn both_can_be_switched_off() {
    let (_dir, server) = Server::fresh(constant(0.9), &[("api_page", "false")]).await;
    for route in ["/openapi.json", "/docs", "/docs/"] {
        let get = server.client.get(format!("{}{route}", server.url));
        let answer = Answer::of(get.send().await.unwrap()).await;
        answer.assert_error(404, "NotFound", "Route not found.");
    }
}

#[test]
fn the_description_promises_no_field_that_answers_lack() {
    // The other direction, answers that the description lacks, is schemathesis' part.
    let required = |api: &Value, schema: &str| -> Vec<String> {
        let required = api["components"]["schemas"][schema]["required"].as_array();
        let names = required.into_iter().flatten();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (_dir, server) = Server::fresh(constant(0.9), &[("receipts", "false")]).await;
        let api = server.get("/openapi.json").await.body;
        let answer = server.ask(&crate::harness::request()).await.body;
        for (schema, part) in [
            ("LivenessAnswer", &answer),
            ("LivenessData", &answer["data"]),
            ("LivenessSignature", &answer["signature"]),
        ] {
            let fields = required(&api, schema);
            assert!(!fields.is_empty());
            for field in fields {
                assert!(!part[&field].is_null(), "{schema} {field}");
            }
        }
    });
}
