//! Collections over HTTP, in the hosted API's shape.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Server, constant, with};
use lifesign_server::FIRST_CLIENT;

const COLLECTIONS: &str = "/v2/face-recognition/collections";

fn one(id: &Value) -> String {
    format!("{COLLECTIONS}/{}", id.as_str().unwrap())
}

async fn create(server: &Server, name: &str) -> Value {
    let body = json!({"name": name, "description": "for a test", "project": "tolerated"});
    let answer = server.call(Method::POST, COLLECTIONS, Some(body)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body["data"].clone()
}

#[tokio::test]
async fn a_collection_is_made_read_changed_and_deleted_in_the_hosted_shape() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let made = create(&server, "signups").await;
    let text = |field: &str| made[field].as_str().unwrap();
    assert!(text("_id").len() == 24 && text("_id").bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(text("code").len(), 36);
    assert_eq!(text("client").len(), 24);
    assert!(text("createdAt").parse::<jiff::Timestamp>().is_ok());
    assert_eq!(
        made,
        json!({
            "_id": made["_id"], "code": made["code"], "client": made["client"],
            "name": "signups", "description": "for a test", "deleted": false,
            "createdAt": made["createdAt"], "updatedAt": made["createdAt"], "__v": 0,
        })
    );

    let route = one(&made["_id"]);
    assert_eq!(server.get(&route).await.body, json!({ "data": made }));
    let change = json!({"name": "  front door "});
    let changed = server.call(Method::PUT, &route, Some(change)).await.body["data"].take();
    assert_eq!(changed["name"], "front door");
    assert_eq!(
        changed["description"], "for a test",
        "what is left out stays"
    );

    let deleted = server.call(Method::DELETE, &route, None).await;
    assert_eq!(
        (deleted.status, &deleted.body["data"]["deleted"]),
        (200, &json!(true))
    );
    for method in [Method::GET, Method::DELETE] {
        let answer = server.call(method, &route, None).await;
        answer.assert_error(404, "NotFound", "Record not found.");
    }
}

#[tokio::test]
async fn a_list_is_filtered_by_name_and_read_page_by_page() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    assert_eq!(server.get(COLLECTIONS).await.body, json!({"data": []}));
    for name in ["gate b", "Gate A", "door", "gate c%"] {
        create(&server, name).await;
    }
    let names = |body: &Value| -> Vec<String> {
        let data = body["data"].as_array().unwrap();
        data.iter()
            .map(|c| c["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let answer = server
        .get(&format!("{COLLECTIONS}?like_name=GATE&limit=2"))
        .await;
    assert_eq!(
        answer.body.as_object().unwrap().len(),
        1,
        "data and nothing else"
    );
    assert_eq!(names(&answer.body), ["Gate A", "gate b"]);
    assert_eq!(answer.header("x-total-count"), Some("3"));
    let link = answer.header("link").unwrap();
    let next = link
        .strip_prefix('<')
        .and_then(|link| link.split_once('>'))
        .unwrap()
        .0;
    let last = server.get(next).await;
    assert_eq!(names(&last.body), ["gate c%"]);
    assert_eq!(last.header("link"), None);
    // A wildcard is a character like any other.
    let percent = server.get(&format!("{COLLECTIONS}?like_name=%25")).await;
    assert_eq!(names(&percent.body), ["gate c%"]);
}

#[tokio::test]
async fn what_breaks_a_rule_is_409_and_worded_as_joi_does() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let made = create(&server, "taken").await;
    create(&server, "other").await;
    for (body, message) in [
        (json!({}), "\"name\" is required"),
        (json!({"name": ""}), "\"name\" is not allowed to be empty"),
        (json!({"name": 7}), "\"name\" must be a string"),
        (json!({"name": " "}), "\"name\" contains an invalid value"),
        (
            json!({"name": "a\u{7}"}),
            "\"name\" contains an invalid value",
        ),
        (
            json!({"name": "x".repeat(101)}),
            "\"name\" length must be less than or equal to 100 characters long",
        ),
        (
            json!({"name": "x", "description": null}),
            "\"description\" must be a string",
        ),
        (json!([]), "\"value\" must be of type object"),
    ] {
        let answer = server.call(Method::POST, COLLECTIONS, Some(body)).await;
        answer.assert_error(409, "MissingParameter", message);
    }
    for (query, message) in [
        ("page=0", "\"page\" must be greater than or equal to 1"),
        ("limit=1001", "\"limit\" must be less than or equal to 1000"),
        ("limit=many", "\"limit\" must be a number"),
        ("like_name=", "\"like_name\" is not allowed to be empty"),
    ] {
        let answer = server.get(&format!("{COLLECTIONS}?{query}")).await;
        answer.assert_error(409, "MissingParameter", message);
    }
    let taken = Some(json!({"name": "taken"}));
    let answer = server.call(Method::POST, COLLECTIONS, taken).await;
    answer.assert_error(409, "Conflict", "\"name\" is already in use");
    let rename = Some(json!({"name": "other"}));
    let answer = server.call(Method::PUT, &one(&made["_id"]), rename).await;
    answer.assert_error(409, "Conflict", "\"name\" is already in use");
}

#[tokio::test]
async fn a_client_sees_its_own_collections_only() {
    let (_dir, mut server) = Server::fresh(constant(0.9), &[]).await;
    let ours = create(&server, "ours").await;
    server.admin.add_client("other").await.unwrap();
    server.token = server.admin.issue_token("other", None).await.unwrap().token;
    assert_eq!(server.get(COLLECTIONS).await.body, json!({"data": []}));
    let route = one(&ours["_id"]);
    let rename = Some(json!({"name": "theirs"}));
    for (method, body) in [
        (Method::GET, None),
        (Method::DELETE, None),
        (Method::PUT, rename),
    ] {
        let answer = server.call(method, &route, body).await;
        answer.assert_error(404, "NotFound", "Record not found.");
    }
    server.token.clear();
    let answer = server.get(COLLECTIONS).await;
    answer.assert_error(401, "UNAUTHORIZED", "Authentication required");
}

#[tokio::test]
async fn an_attempt_is_recorded_by_id_or_code_and_stays_when_its_collection_is_deleted() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let made = create(&server, "gate").await;
    for key in ["_id", "code"] {
        let answer = server.ask(&with("collection_id", made[key].clone())).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    }
    let collections = async || {
        let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
        attempts
            .into_iter()
            .map(|attempt| attempt.collection_id)
            .collect::<Vec<_>>()
    };
    let id = made["_id"].as_str().map(str::to_owned);
    assert_eq!(collections().await, [id.clone(), id]);
    server.call(Method::DELETE, &one(&made["_id"]), None).await;
    assert_eq!(collections().await, [None, None]);
}
