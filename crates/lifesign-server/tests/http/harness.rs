//! A service on a port of its own with an engine of the test's choice.

#[path = "../support/postgres.rs"]
pub mod postgres;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lifesign::geometry::{Point, Rect};
use lifesign::{
    AssessError, AssessOptions, Assessment, Face, ImageError, Likeness, ModelInfo, Quality,
    Rejection, Survey,
};
use lifesign_server::config::{Config, Layers};
use lifesign_server::fetch::Network;
use lifesign_server::inference::Assess;
use lifesign_server::{Admin, FIRST_CLIENT, Service};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const LIVENESS: &str = "/v2/face-recognition/liveness";

/// What a fake engine measures.
pub const QUALITY: Quality = Quality {
    face_width: 100.0,
    face_height: 100.0,
    eye_distance: 45.0,
    yaw: -3.25,
    pitch: 4.0,
    sharpness: 120.0,
    brightness: 0.5,
};

/// An engine that answers what a function says.
pub struct Fake<F>(pub F);

impl<F> Assess for Fake<F>
where
    F: Fn(&[u8], &AssessOptions) -> Result<f64, AssessError> + Send + Sync + 'static,
{
    fn assess(&self, bytes: &[u8], options: &AssessOptions) -> Result<Assessment, AssessError> {
        (self.0)(bytes, options).map(|score| Assessment {
            score,
            raw: score,
            face: face(),
            quality: options.quality.then_some(QUALITY),
            likeness: options.likeness.then(|| likeness(bytes)),
        })
    }

    /// Two people in a frame that says `two`, none in one that says `none`, and else one.
    fn survey(&self, bytes: &[u8]) -> Result<Survey, AssessError> {
        let people = match bytes {
            b"none" => 0,
            b"two" => 2,
            b"broken" => return Err(Rejection::from(ImageError::UnknownFormat).into()),
            _ => 1,
        };
        Ok(Survey {
            people,
            largest: (people > 0).then(|| (face(), QUALITY)),
        })
    }

    fn models(&self) -> &[ModelInfo] {
        &[]
    }
}

fn face() -> Face {
    let rect = Rect {
        x: 0.0,
        y: 0.0,
        width: 100.0,
        height: 100.0,
    };
    Face {
        rect,
        confidence: 1.0,
        landmarks: [Point { x: 50.0, y: 50.0 }; 5],
    }
}

/// Alike where the bytes are the same, and far apart where they are not.
fn likeness(bytes: &[u8]) -> Likeness {
    Likeness::from_bits([1, 2, 3, 4].map(|part: u64| {
        let mut hasher = DefaultHasher::new();
        (part, bytes).hash(&mut hasher);
        hasher.finish()
    }))
}

pub fn constant(score: f64) -> Arc<dyn Assess> {
    Arc::new(Fake(move |_: &[u8], _: &AssessOptions| Ok(score)))
}

/// An engine that answers 0.9 when it is let go: once for each message of the returned sender, and
/// always after that is dropped. The flag says that an assessment has begun.
pub fn gated() -> (Arc<dyn Assess>, Arc<AtomicBool>, mpsc::Sender<()>) {
    let (open, gate) = mpsc::channel();
    let (gate, entered) = (Mutex::new(gate), Arc::new(AtomicBool::new(false)));
    let inside = Arc::clone(&entered);
    let engine = move |_: &[u8], _: &AssessOptions| {
        inside.store(true, Ordering::SeqCst);
        let _ = gate.lock().unwrap().recv();
        Ok(0.9)
    };
    (Arc::new(Fake(engine)), entered, open)
}

pub struct Server {
    pub url: String,
    /// The listener for Prometheus, where the settings ask for one.
    pub metrics: Option<String>,
    pub token: String,
    pub admin: Admin,
    pub client: Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

pub fn config(dir: &Path, settings: &[(&str, &str)]) -> Config {
    let mut flags: BTreeMap<String, String> = settings
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    flags.insert("data_dir".into(), dir.join("data").display().to_string());
    if let Some(url) = postgres::database_of(dir) {
        flags.insert("database".into(), url);
    }
    Config::resolve(&Layers {
        flags,
        ..Layers::default()
    })
    .unwrap()
    .0
}

impl Server {
    /// Starts on a fresh data directory, which must be kept while the server runs.
    pub async fn fresh(engine: Arc<dyn Assess>, settings: &[(&str, &str)]) -> (TempDir, Server) {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(dir.path(), engine, settings, Network::public()).await;
        (dir, server)
    }

    pub async fn start(
        dir: &Path,
        engine: Arc<dyn Assess>,
        settings: &[(&str, &str)],
        network: Network,
    ) -> Server {
        let config = config(dir, settings);
        let (service, first) = Service::open_with(&config, engine, network).await.unwrap();
        let admin = Admin::open(&config).await.unwrap();
        if config.database.is_some() && admin.clients().await.unwrap().is_empty() {
            // With PostgreSQL that is the operator's part.
            admin.add_client(FIRST_CLIENT).await.unwrap();
        }
        let token = match first {
            Some(first) => first.token,
            None => admin.issue_token(FIRST_CLIENT, None).await.unwrap().token,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let metrics = service.metrics_address();
        let metrics = metrics.map(|address| format!("http://{address}/metrics"));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(service.serve(listener, async {
            let _ = stopped.await;
        }));
        let client = Client::builder().no_proxy().build().unwrap();
        Server {
            url,
            metrics,
            token,
            admin,
            client,
            stop,
            task,
        }
    }

    pub fn post(&self, route: &str) -> RequestBuilder {
        self.client.post(format!("{}{route}", self.url))
    }

    /// A call with the token, and a body where there is one.
    pub async fn call(&self, method: Method, route: &str, body: Option<Value>) -> Answer {
        let request = self.client.request(method, format!("{}{route}", self.url));
        let request = request.bearer_auth(&self.token);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        Answer::of(request.send().await.unwrap()).await
    }

    pub async fn get(&self, route: &str) -> Answer {
        self.call(Method::GET, route, None).await
    }

    /// A liveness call of the first client.
    pub async fn ask(&self, body: &Value) -> Answer {
        Answer::of(
            self.post(LIVENESS)
                .bearer_auth(&self.token)
                .json(body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Begins the shutdown; the task ends with it.
    pub fn stop(self) -> JoinHandle<()> {
        let _ = self.stop.send(());
        self.task
    }
}

/// A liveness call that a gated engine has begun with.
pub async fn begun(server: &Arc<Server>, entered: &AtomicBool) -> JoinHandle<Answer> {
    let asking = Arc::clone(server);
    let call = tokio::spawn(async move { asking.ask(&request()).await });
    while !entered.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    call
}

/// A response that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Answer {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.json().await.expect("every answer is JSON");
        Answer {
            status,
            headers,
            body,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// An error of the contract: exactly a message and a code, and a request id.
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str, message: &str) {
        assert_eq!(self.status, status, "{:?}", self.body);
        assert_eq!(self.body, json!({"message": message, "code": code}));
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()));
        assert!(
            self.header("content-type")
                .unwrap()
                .starts_with("application/json")
        );
    }

    /// A photograph that cannot be judged: the four keys, no id, something to do.
    #[track_caller]
    pub fn assert_quality(&self, code: &str, reason: &str) {
        assert_eq!(self.status, 422, "{:?}", self.body);
        let message = self.body["message"].as_str().unwrap();
        assert!(message.len() > 10, "says what to do: {message:?}");
        assert_eq!(
            self.body,
            json!({"message": message, "code": code, "failureKind": "quality", "failureReason": reason})
        );
        assert!(self.header("x-request-id").is_some());
    }
}

/// Serves `router` on a loopback port of its own for as long as the test runs; returns its address.
pub async fn serve(router: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// A valid request; the image is base64 of no photograph, which only a fake engine judges.
pub fn request() -> Value {
    json!({"os": "DESKTOP", "image": BASE64_STANDARD.encode(b"a photograph")})
}

pub fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut request = request();
    request[field] = value.into();
    request
}
