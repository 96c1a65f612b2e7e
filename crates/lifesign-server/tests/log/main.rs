//! What the log says, and what it never says. A process of its own: the subscriber of one test
//! must not be cached away by the others.

#[path = "../http/harness.rs"]
#[allow(dead_code)]
mod harness;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use harness::{Answer, Fake, LIVENESS, Server, with};
use lifesign::AssessOptions;
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

    let engine = |_: &[u8], _: &AssessOptions| -> Result<f64, _> { panic!("on purpose") };
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &[]).await;
    let image = "c2VjcmV0IHBob3RvZ3JhcGg";
    let post = |route: String, image: &str| {
        server
            .post(&route)
            .header(AUTHORIZATION, server.token.as_str())
            .header("x-request-id", "traced-7")
            .json(&with("image", image))
    };
    let route = format!("{LIVENESS}?session=query-secret");
    let answer = Answer::of(post(route, image).send().await.unwrap()).await;
    answer.assert_error(500, "ERROR", "internal_error");
    let url = "https://127.0.0.1/photo?signature=url-secret";
    let answer = Answer::of(post(LIVENESS.to_owned(), url).send().await.unwrap()).await;
    answer.assert_quality("ERR_INVALID_IMAGE", "invalid_image");

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
    for secret in [server.token.as_str(), image, "query-secret", "url-secret"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
