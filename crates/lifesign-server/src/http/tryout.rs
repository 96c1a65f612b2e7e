//! Trying a photograph on the welcome page: for whoever sits at the machine, without a token, and so for
//! nobody else.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{FORWARDED, HOST, VIA};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use lifesign::{AssessOptions, Decision, Device, Verdict};
use serde::Serialize;
use serde_json::Number;

use super::extract::Refusal;
use super::{App, body};
use crate::dialects::{Extensions, FaceBox, QualityFigures, json, json_number, single};
use crate::error::ApiError;

/// No form and no page of elsewhere can send it without asking first, which is refused.
const TRY: &str = "lifesign-try";
/// What proxies add: whoever asks through one is not at this machine.
const OF_PROXIES: [&str; 5] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
];

/// Whose connection a request came by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/try", get(enabled).post(judge))
}

#[derive(Serialize)]
struct Data<T> {
    data: T,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

#[derive(Serialize)]
struct Tried {
    passed: bool,
    min_score: Number,
    liveness_score: Number,
    decision: &'static str,
    quality: QualityFigures,
    face: FaceBox,
}

async fn enabled(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let enabled = app.try_it && is_here(&head);
    json(
        StatusCode::OK,
        &Data {
            data: Enabled { enabled },
        },
    )
}

/// Judges a photograph as the liveness call does, and records nothing.
async fn judge(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    if !(app.try_it && is_here(&head) && single(&head.headers, TRY) == Some("1")) {
        return Err(ApiError::RouteNotFound.into());
    }
    app.pool.has_room()?;
    let mut room = app.overload.room();
    let photograph = body::picture(&head.headers, body, app.max_image_bytes, &mut room).await?;
    let options = AssessOptions {
        device: Device::Desktop,
        profile: app.profile,
        quality: true,
        likeness: false,
    };
    let assessment = app.pool.assess(photograph, options).await?.outcome?;
    let decision = Decision::new(assessment.score, app.min_score);
    let verdict = Verdict::new(decision.liveness_score, app.min_score, app.uncertain_band);
    let measured = Extensions::new(verdict, &assessment);
    let measured = measured.ok_or_else(|| ApiError::internal("the face was not measured"))?;
    let data = Tried {
        passed: decision.passed,
        min_score: json_number(app.min_score),
        liveness_score: json_number(decision.liveness_score),
        decision: measured.decision,
        quality: measured.quality,
        face: measured.face,
    };
    Ok(json(StatusCode::OK, &Data { data }))
}

/// Whether whoever asks sits at this machine: the connection comes from it, the address is its own name
/// (another name may have been made to lead here), and no proxy and no other page stands between.
fn is_here(head: &Parts) -> bool {
    let peer = head.extensions.get::<Peer>();
    let proxied = head.headers.contains_key(FORWARDED)
        || head.headers.contains_key(VIA)
        || OF_PROXIES
            .iter()
            .any(|name| head.headers.contains_key(*name));
    peer.is_some_and(|Peer(address)| address.ip().to_canonical().is_loopback())
        && is_own_name(&head.headers)
        && !proxied
        && matches!(
            single(&head.headers, "sec-fetch-site"),
            None | Some("same-origin" | "none")
        )
}

fn is_own_name(headers: &HeaderMap) -> bool {
    let host = single(headers, HOST).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn head(peer: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().extension(Peer(peer.parse().unwrap()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap().into_parts().0
    }

    #[test]
    fn only_who_sits_at_the_machine_is_here() {
        const HERE: &str = "127.0.0.1:50000";
        let host = ("host", "127.0.0.1:8080");
        for (peer, headers, here) in [
            (HERE, vec![host], true),
            (HERE, vec![("host", "localhost:8080")], true),
            ("[::1]:5", vec![("host", "[::1]:8080")], true),
            ("[::1]:5", vec![("host", "[::1]")], true),
            ("[::ffff:127.0.0.1]:5", vec![host], true),
            (HERE, vec![host, ("sec-fetch-site", "same-origin")], true),
            (HERE, vec![host, ("sec-fetch-site", "cross-site")], false),
            (HERE, vec![host, ("sec-fetch-site", "same-site")], false),
            ("192.0.2.7:5", vec![host], false),
            (HERE, vec![], false),
            (HERE, vec![("host", "rebound.example:8080")], false),
            (HERE, vec![("host", "localhost.example")], false),
            (HERE, vec![host, host], false),
            (HERE, vec![host, ("x-forwarded-for", "192.0.2.7")], false),
            (HERE, vec![host, ("forwarded", "for=192.0.2.7")], false),
            (HERE, vec![host, ("via", "1.1 proxy")], false),
        ] {
            assert_eq!(is_here(&head(peer, &headers)), here, "{peer} {headers:?}");
        }
    }
}
