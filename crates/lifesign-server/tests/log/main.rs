//! What the log says, and what it never says. A process of its own: the subscriber of one test
//! must not be cached away by the others.

#[path = "../http/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "../http/photo_host.rs"]
#[allow(dead_code)]
mod photo_host;
#[path = "../support/spellings.rs"]
mod spellings;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::{Answer, Fake, LIVENESS, Server, with};
use lifesign::AssessOptions;
use lifesign_server::store::DeliveryState;
use lifesign_server::{FIRST_CLIENT, archive};
use photo_host::PhotoHost;
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
    let dir = tempfile::tempdir().unwrap();
    let signing = dir.path().join("signing.key");
    let settings = [
        ("secret_file", signing.to_str().unwrap()),
        ("metrics_listen", "127.0.0.1:0"),
        ("webhook_pause", "10ms"),
        ("webhook_give_up", "50ms"),
        ("images_keep_in", images.path().to_str().unwrap()),
        ("images_keep_key", public.as_str()),
    ];
    let photos = PhotoHost::start(|path| match path {
        "/photo" => photo_host::photograph(),
        _ => photo_host::redirect("https://other.test/photo?signature=redirect-secret"),
    });
    let photos = photos.await;
    let network = photos.network(photos.internet());
    let server = Server::start(dir.path(), Arc::new(Fake(engine)), &settings, network).await;
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
    let url = "https://photos.test/moved?signature=url-secret";
    let answer = Answer::of(post(LIVENESS.to_owned(), url).send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
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
        if failed.unwrap().len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let mut answers = Vec::new();
    let metrics = server.metrics.clone().unwrap();
    let own = |route: &str| format!("{}{route}", server.url);
    for url in [
        own("/version"),
        own("/healthz"),
        own("/readyz"),
        own("/openapi.json"),
        own("/.well-known/jwks.json"),
        own("/nowhere"),
        metrics,
    ] {
        let answer = server.client.get(&url).bearer_auth("x.y.z").send().await;
        answers.extend(answer.unwrap().bytes().await.unwrap());
    }
    let log = log.0.lock().unwrap().clone();
    let signing = std::fs::read(signing).unwrap();
    for told in [&log, &answers] {
        assert!(
            !spellings::holds(told, &signing),
            "the signing secret is told"
        );
    }
    assert!(!String::from_utf8_lossy(&answers).contains(&server.token));

    let log = String::from_utf8(log).unwrap();
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
        "redirect-secret",
        "user-secret",
        "word-secret",
        "path-secret",
        "hook-secret",
        "judged photograph",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
