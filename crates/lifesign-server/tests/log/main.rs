//! What the log says, and what it never says. A process of its own: the subscriber of one test
//! must not be cached away by the others.

#[path = "../http/harness.rs"]
#[allow(dead_code)]
mod harness;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::{Answer, Fake, LIVENESS, Server, with};
use lifesign::AssessOptions;
use lifesign_server::store::DeliveryState;
use lifesign_server::{FIRST_CLIENT, archive};
use reqwest::header::AUTHORIZATION;
use tracing_subscriber::filter::LevelFilter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_cause_of_a_fault_is_logged_with_its_request_id_and_secrets_never_are() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let engine = |bytes: &[u8], _: &AssessOptions| match bytes {
        b"secret photograph" => panic!("on purpose"),
        _ => Ok(0.9),
    };
    let (_, public) = archive::generate_key();
    let images = tempfile::tempdir().unwrap();
    let settings = [
        ("webhook_pause", "10ms"),
        ("webhook_give_up", "50ms"),
        ("images_keep_in", images.path().to_str().unwrap()),
        ("images_keep_key", public.as_str()),
    ];
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &settings).await;
    // Nobody listens there; what fails is logged.
    let hook = "http://user-secret:word-secret@127.0.0.1:9/path-secret?query=hook-secret";
    let (_, hook_secret) = server.admin.add_webhook(FIRST_CLIENT, hook).await.unwrap();
    let hook_secret = hook_secret.to_string();
    let image = "c2VjcmV0IHBob3RvZ3JhcGg";
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let post = |route: String, image: &str| {
        server
            .post(&route)
            .header(AUTHORIZATION, server.token.as_str())
            .header("x-request-id", "traced-7")
            .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
            .json(&with("image", image))
    };
    let route = format!("{LIVENESS}?session=query-secret");
    let answer = Answer::of(post(route, image).send().await.unwrap()).await;
    answer.assert_error(500, "ERROR", "internal_error");
    let url = "https://127.0.0.1/photo?signature=url-secret";
    let answer = Answer::of(post(LIVENESS.to_owned(), url).send().await.unwrap()).await;
    answer.assert_quality("ERR_INVALID_IMAGE", "invalid_image");
    let judged = "anVkZ2VkIHBob3RvZ3JhcGg";
    let answer = Answer::of(post(LIVENESS.to_owned(), judged).send().await.unwrap()).await;
    let receipt = answer.body["signature"]["receipt"]
        .as_str()
        .unwrap()
        .to_owned();
    let session = server.get("/v2/auth/session?origin=refresh").await;
    let session = session.body["accessToken"].as_str().unwrap().to_owned();
    for _ in 0..200 {
        let state = Some(DeliveryState::Failed);
        let failed = server.admin.deliveries(FIRST_CLIENT, state, 10).await;
        if failed.unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let cause = log
        .lines()
        .find(|line| line.contains("the engine panicked"))
        .expect("the cause");
    assert!(
        cause.contains("ERROR") && cause.contains("traced-7"),
        "{cause}"
    );
    let answered = log
        .lines()
        .find(|line| line.contains("answered"))
        .expect("the answer");
    assert!(
        answered.contains("status=500") && answered.contains(LIVENESS),
        "{answered}"
    );
    assert!(answered.contains(trace), "{answered}");
    assert!(log.contains("webhook not delivered"), "{log}");
    for secret in [
        server.token.as_str(),
        &session,
        &receipt,
        &hook_secret,
        image,
        judged,
        "query-secret",
        "url-secret",
        "user-secret",
        "word-secret",
        "path-secret",
        "hook-secret",
        "judged photograph",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
