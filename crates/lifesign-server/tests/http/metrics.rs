//! What Prometheus reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lifesign::{AssessError, AssessOptions, Rejection};

use crate::harness::{Fake, Server, request, with};

/// Every sample by its name and labels.
async fn scrape(server: &Server) -> BTreeMap<String, f64> {
    let address = server.metrics.as_deref().unwrap();
    let response = server.client.get(address).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let media = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(media.starts_with("application/openmetrics-text"), "{media}");
    let text = response.text().await.unwrap();
    assert!(text.ends_with("# EOF\n"));
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

fn sum(samples: &BTreeMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    samples
        .iter()
        .filter(|(sample, _)| {
            let (found, found_labels) = sample.split_once('{').unwrap_or((sample, ""));
            found == name && labels.iter().all(|label| found_labels.contains(label))
        })
        .map(|(_, value)| value)
        .sum()
}

#[tokio::test]
async fn requests_decisions_rejections_and_limits_are_counted_by_what_they_are() {
    let engine = |bytes: &[u8], _: &AssessOptions| match bytes {
        b"a photograph" => Ok(0.72),
        b"a spoof" => Ok(0.1),
        _ => Err(AssessError::Rejected(Rejection::NoFace)),
    };
    let settings = [
        ("metrics_listen", "127.0.0.1:0"),
        ("client_rate", "0.01"),
        ("client_burst", "5"),
    ];
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &settings).await;
    for (image, os, status) in [
        ("YSBwaG90b2dyYXBo", "iOS", 200),
        ("YSBwaG90b2dyYXBo", "toaster <script>", 200),
        ("YSBzcG9vZg==", "IOS", 200),
        ("AAAA", "IOS", 422),
        ("%%%", "IOS", 422),
        ("YSBzcG9vZg==", "IOS", 429),
    ] {
        let mut body = with("os", os);
        body["image"] = image.into();
        assert_eq!(server.ask(&body).await.status, status);
    }
    let nobody = server.post("/nothing/secret").send().await.unwrap();
    assert_eq!(nobody.status(), 404);

    let samples = scrape(&server).await;
    let requests = |labels: &[&str]| sum(&samples, "lifesign_http_requests_total", labels);
    let liveness = "route=\"/v2/face-recognition/liveness\"";
    assert_eq!(
        requests(&[
            liveness,
            "status=\"200\"",
            "client=\"default\"",
            "method=\"POST\""
        ]),
        3.0
    );
    assert_eq!(requests(&[liveness, "status=\"422\""]), 2.0);
    assert_eq!(
        requests(&["status=\"404\"", "route=\"none\"", "client=\"none\""]),
        1.0
    );
    assert_eq!(
        sum(&samples, "lifesign_http_request_seconds_count", &[liveness]),
        6.0
    );

    let decisions = |labels: &[&str]| sum(&samples, "lifesign_decisions_total", labels);
    assert_eq!(decisions(&["os=\"ios\"", "decision=\"passed\""]), 1.0);
    assert_eq!(decisions(&["os=\"ios\"", "decision=\"not_passed\""]), 1.0);
    assert_eq!(decisions(&["os=\"other\"", "decision=\"passed\""]), 1.0);
    let scores = |labels: &[&str]| sum(&samples, "lifesign_liveness_score_bucket", labels);
    assert_eq!(scores(&["os=\"ios\"", "le=\"0.1\""]), 1.0);
    assert_eq!(scores(&["os=\"ios\"", "le=\"0.8\""]), 2.0);

    let rejections = |reason| sum(&samples, "lifesign_rejections_total", &[reason]);
    assert_eq!(rejections("reason=\"no_face_detected\""), 1.0);
    assert_eq!(rejections("reason=\"invalid_image\""), 1.0);
    let limited = ["client=\"default\"", "limit=\"rate\""];
    assert_eq!(sum(&samples, "lifesign_limited_total", &limited), 1.0);
    assert_eq!(sum(&samples, "lifesign_queue_wait_seconds_count", &[]), 4.0);
    assert_eq!(
        sum(
            &samples,
            "lifesign_stage_seconds_count",
            &["stage=\"store\""]
        ),
        5.0
    );
    assert_eq!(sum(&samples, "lifesign_queue_length", &[]), 0.0);
    assert!(sum(&samples, "lifesign_workers", &[]) >= 1.0);
    assert_eq!(
        sum(
            &samples,
            "lifesign_build_info",
            &[env!("CARGO_PKG_VERSION")]
        ),
        1.0
    );
    // What dashboards and alerts are held against.
    let listed: BTreeSet<&str> = include_str!("../../../../tests/deploy/metrics.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let there: BTreeSet<&str> = samples
        .keys()
        .map(|sample| sample.split('{').next().unwrap())
        .map(|name| {
            let histogram = ["_bucket", "_sum", "_count"];
            let family = histogram.iter().find_map(|end| name.strip_suffix(end));
            family.unwrap_or(name)
        })
        .collect();
    assert_eq!(there, listed);
    let all = format!("{samples:?}");
    assert!(
        !all.contains("script") && !all.contains("secret"),
        "nothing that a client made up"
    );
}

#[tokio::test]
async fn the_figures_are_on_their_own_listener_alone() {
    let (_dir, server) = Server::fresh(crate::harness::constant(0.9), &[]).await;
    assert_eq!(
        server.metrics, None,
        "and there is none unless it is asked for"
    );
    let metrics = server.client.get(format!("{}/metrics", server.url));
    assert_eq!(metrics.send().await.unwrap().status(), 404);

    let settings = [("metrics_listen", "127.0.0.1:0")];
    let (_dir, server) = Server::fresh(crate::harness::constant(0.9), &settings).await;
    assert_eq!(server.ask(&request()).await.status, 200);
    let metrics = server.client.get(format!("{}/metrics", server.url));
    assert_eq!(metrics.send().await.unwrap().status(), 404);
    let api = server
        .metrics
        .as_deref()
        .unwrap()
        .replace("/metrics", "/healthz");
    assert_eq!(server.client.get(api).send().await.unwrap().status(), 404);
}
