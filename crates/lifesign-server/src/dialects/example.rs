//! A third dialect, for `docs/dialects.md`: small, made up, and compiled and tested so that the
//! guide stays true.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, Dialect, LivenessRequest, joi, json as write, json_error, single};
use crate::error::ApiError;
use crate::http::{App, judge};
use crate::json::Value;

/// `{"photo": …}` in, `{"live": …, "probability": …}` out; errors are 200 with an `error`.
pub struct Example;

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(check))
}

/// Judge a photograph, as Example is asked
#[utoipa::path(
    post,
    path = "/example/check",
    tag = "liveness",
    request_body = RequestBody,
    responses(
        (status = 200, body = Body, description = "The photograph was judged, or `error` says why not"),
        (status = 503, description = "Too many requests are waiting")
    )
)]
async fn check(State(app): State<Arc<App>>, request: Request) -> Response {
    judge::<Example>(&app, request).await
}

#[derive(ToSchema)]
#[schema(as = ExampleRequest)]
#[expect(dead_code, reason = "describes what `parse` reads")]
struct RequestBody {
    photo: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ExampleAnswer)]
struct Body {
    live: bool,
    probability: f64,
}

impl Dialect for Example {
    fn token(headers: &HeaderMap) -> Option<&str> {
        single(headers, AUTHORIZATION)?.strip_prefix("Key ")
    }

    fn parse(body: Value<'_>) -> Result<LivenessRequest<'_>, ApiError> {
        let mut fields = joi::object(body)?;
        Ok(LivenessRequest {
            image: joi::required_string(&mut fields, "photo")?,
            os: "unknown".to_owned(),
            collection_id: None,
            min_score: None,
        })
    }

    fn render(answer: &Answer) -> Response {
        let body = Body {
            live: answer.passed,
            probability: answer.score,
        };
        write(StatusCode::OK, &body)
    }

    fn render_error(error: &ApiError) -> Response {
        let status = match error {
            ApiError::Overloaded => error.status(),
            _ => StatusCode::OK,
        };
        json_error(status, error, &json!({"error": error.to_string()}))
    }
}

mod tests {
    use lifesign::geometry::{Point, Rect};
    use lifesign::{AssessError, AssessOptions, Assessment, Face, ModelInfo, Survey};

    use super::*;
    use crate::config::{Config, Layers};
    use crate::fetch::Network;
    use crate::inference::Assess;
    use crate::service::Service;

    struct Certain;

    impl Assess for Certain {
        fn assess(&self, _: &[u8], _: &AssessOptions) -> Result<Assessment, AssessError> {
            let rect = Rect {
                x: 0.0,
                y: 0.0,
                width: 100.0,
                height: 100.0,
            };
            Ok(Assessment {
                score: 0.9,
                raw: 2.2,
                face: Face {
                    rect,
                    confidence: 1.0,
                    landmarks: [Point { x: 50.0, y: 50.0 }; 5],
                },
                quality: None,
                likeness: None,
            })
        }

        fn survey(&self, _: &[u8]) -> Result<Survey, AssessError> {
            Ok(Survey {
                people: 0,
                largest: None,
            })
        }

        fn models(&self) -> &[ModelInfo] {
            &[]
        }
    }

    #[tokio::test]
    async fn a_third_dialect_is_a_parser_a_renderer_and_a_route() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("data").display().to_string();
        let layers = Layers {
            flags: [("data_dir".to_owned(), data_dir)].into(),
            ..Layers::default()
        };
        let (config, _) = Config::resolve(&layers).unwrap();
        let opened = Service::open_with(&config, Arc::new(Certain), Network::public());
        let (service, first) = opened.await.unwrap();
        let router = routes().split_for_parts().0.with_state(service.app());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/example/check", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });

        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let ask = async |key: &str, body: serde_json::Value| -> serde_json::Value {
            let post = client
                .post(&url)
                .header(AUTHORIZATION, format!("Key {key}"));
            post.json(&body).send().await.unwrap().json().await.unwrap()
        };
        let token = first.unwrap().token;
        let live = json!({"live": true, "probability": 0.9});
        assert_eq!(ask(&token, json!({"photo": "AAAA"})).await, live);
        let missing = json!({"error": "\"photo\" is required"});
        assert_eq!(ask(&token, json!({})).await, missing);
        let nobody = json!({"error": "Authentication required"});
        assert_eq!(ask("x", json!({"photo": "AAAA"})).await, nobody);
    }

    #[test]
    fn the_guide_shows_this_dialect_as_it_is() {
        let (guide, source) = (
            include_str!("../../../../docs/dialects.md"),
            include_str!("example.rs"),
        );
        let blocks: Vec<&str> = guide
            .split("```rust\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        assert!(blocks.len() >= 2);
        for block in blocks {
            assert!(source.contains(block), "not in example.rs:\n{block}");
        }
    }
}
