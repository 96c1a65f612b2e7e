//! The pages that the binary holds, and trying a photograph on one of them.

use reqwest::Response;
use serde_json::json;

use crate::harness::{Answer, Server, constant};

async fn get(server: &Server, route: &str) -> Response {
    server
        .client
        .get(format!("{}{route}", server.url))
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_no_script_that_is_no_file() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    for route in ["/", "/capture/0123456789abcdef01234567"] {
        let page = get(&server, route).await;
        assert_eq!(page.status(), 200);
        let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(header("permissions-policy").contains("camera=(self)"));
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        let html = page.text().await.unwrap();
        assert!(
            !html.contains("://") && !html.contains("style=") && !html.contains("onclick"),
            "{html}"
        );
        let files = html
            .split('"')
            .filter(|text| text.starts_with("/assets/") || text.starts_with("./assets/"));
        for file in files.map(|file| file.trim_start_matches('.').to_owned()) {
            let asset = get(&server, &file).await;
            assert_eq!(asset.status(), 200, "{file}");
            assert_eq!(asset.headers()["access-control-allow-origin"], "*");
        }
    }
}

#[tokio::test]
async fn a_browser_that_has_a_file_is_not_sent_it_again() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let url = format!("{}/assets/lifesign-capture.js", server.url);
    let first = server.client.get(&url).send().await.unwrap();
    assert_eq!(
        first.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    assert_eq!(first.headers()["cache-control"], "no-cache");
    let tag = first.headers()["etag"].clone();
    let again = server
        .client
        .get(&url)
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    assert!(again.bytes().await.unwrap().is_empty());
    for route in [
        "/assets/none.js",
        "/assets/..%2fcapture.html",
        "/assets/%2e%2e/x",
    ] {
        assert_eq!(get(&server, route).await.status(), 404, "{route}");
    }
}

async fn try_out(server: &Server, header: (&str, &str)) -> Answer {
    let request = server
        .post("/try")
        .header("content-type", "image/jpeg")
        .header("lifesign-try", "1")
        .header(header.0, header.1)
        .body("a photograph");
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn whoever_sits_at_the_machine_may_try_a_photograph_and_nothing_is_recorded() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    assert_eq!(
        Answer::of(get(&server, "/try").await).await.body,
        json!({"data": {"enabled": true}})
    );
    let answer = try_out(&server, ("sec-fetch-site", "same-origin")).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let data = &answer.body["data"];
    assert_eq!(
        (&data["liveness_score"], &data["decision"]),
        (&json!(0.9), &json!("live"))
    );
    assert_eq!(
        (&data["passed"], &data["face"]["width"]),
        (&json!(true), &json!(100.0))
    );
    assert!(
        server
            .admin
            .attempts(lifesign_server::FIRST_CLIENT)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn nobody_else_may() {
    let refused = |answer: Answer| answer.assert_error(404, "NotFound", "Route not found.");
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    for header in [
        ("x-forwarded-for", "192.0.2.7"),
        ("host", "rebound.example"),
        ("sec-fetch-site", "cross-site"),
        ("lifesign-try", "0"),
    ] {
        refused(try_out(&server, header).await);
    }
    for setting in [
        ("try_it", "false"),
        ("listen", "0.0.0.0:8080"),
        ("public_url", "https://liveness.example.org"),
    ] {
        let (_dir, server) = Server::fresh(constant(0.9), &[setting]).await;
        assert_eq!(
            Answer::of(get(&server, "/try").await).await.body,
            json!({"data": {"enabled": false}})
        );
        refused(try_out(&server, ("accept", "*/*")).await);
    }
}
