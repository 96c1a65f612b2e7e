//! A real `lifesign serve` whose log is read, and clients that put it under load and remember what
//! they were told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::common::{bearer, exchange, image, lifesign};

pub const LIVENESS: &str = "POST /v2/face-recognition/liveness";
/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An address that is free and that the system gives nobody else, so that a restart gets it again.
pub fn free_address() -> String {
    // Below the ports that systems hand out; other runs begin elsewhere.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id().wrapping_mul(64) + NEXT.fetch_add(1, Ordering::SeqCst);
        let address = format!("127.0.0.1:{}", 12_000 + next % 20_000);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

/// `program`, or nothing before it, and `lifesign serve` on that data folder and address.
pub fn serve(prefix: &[&str], data: &Path, address: &str) -> Command {
    let plain = lifesign();
    let mut command = match prefix {
        [] => lifesign(),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(plain.get_program());
            for (name, _) in plain.get_envs() {
                command.env_remove(name);
            }
            command
        }
    };
    command
        .args(["serve", "--listen", address, "--data-dir"])
        .arg(data);
    command
}

/// What `lifesign` prints for a command on a data folder; it must succeed.
pub fn admin(prefix: &[&str], data: &Path, args: &[&str]) -> String {
    let mut words: Vec<&str> = prefix.to_vec();
    words.push(env!("CARGO_BIN_EXE_lifesign"));
    let output = Command::new(words[0])
        .args(&words[1..])
        .args(args)
        .arg("--data-dir")
        .arg(data)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

pub fn token(data: &Path) -> String {
    admin(&[], data, &["token", "issue", "--client", "default"])
}

/// A running server; killed when dropped.
pub struct Service {
    process: Child,
    pub address: String,
    log: Arc<Mutex<String>>,
}

/// How a server ended that did not start.
#[derive(Debug)]
pub struct Refused {
    pub code: Option<i32>,
    pub said: String,
}

impl Service {
    pub fn start(command: Command) -> Service {
        Service::try_start(command).unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    /// Waits until it listens, or ends.
    pub fn try_start(mut command: Command) -> Result<Service, Refused> {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let said = Arc::clone(&log);
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let reading = thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).unwrap_or(0) > 0 {
                said.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let (found, address) = mpsc::channel();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("listens on http://") {
                    let _ = found.send(address.to_owned());
                }
            }
        });
        match address.recv_timeout(PATIENCE) {
            Ok(address) => Ok(Service {
                process,
                address,
                log,
            }),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = process.kill();
                panic!("it neither starts nor ends: {}", log.lock().unwrap());
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let code = process.wait().unwrap().code();
                reading.join().unwrap();
                let said = log.lock().unwrap().clone();
                Err(Refused { code, said })
            }
        }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The log's lines from now on.
    pub fn forget_log(&self) {
        self.log.lock().unwrap().clear();
    }

    /// Waits for a line with these words, and returns it.
    pub fn says(&self, words: &str) -> String {
        until(&format!("the log says {words:?}"), || {
            let log = self.log();
            let line = log.lines().find(|line| line.contains(words));
            line.map(str::to_owned)
                .ok_or_else(|| log.chars().take(4000).collect())
        })
    }

    pub fn signal(&self, signal: &str) {
        signal_to(signal, self.process.id());
    }

    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// Waits for the end.
    pub fn ended(&mut self) -> ExitStatus {
        until("the server ends", || {
            self.process.try_wait().unwrap().ok_or(String::new())
        })
    }

    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Status of a `GET` without a token.
    pub fn status(&self, path: &str) -> u16 {
        let answer = ask(&self.address, &format!("GET {path}"), "", "");
        answer.map_or(0, |answer| answer.status)
    }

    pub fn until_status(&self, path: &str, status: u16) {
        until(&format!("{path} answers {status}"), || {
            let seen = self.status(path);
            if seen == status {
                Ok(())
            } else {
                Err(format!("{seen}: {}", self.log()))
            }
        });
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn signal_to(signal: &str, process: u32) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Tries until it is `Ok`; the error says what was seen instead.
pub fn until<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(seen) if started.elapsed() > PATIENCE => panic!("not so: {what}; {seen}"),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Value,
    pub took: Duration,
}

impl Answer {
    /// The contract's 503: its code, and when to try again.
    pub fn assert_unavailable(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        assert_eq!(self.body["code"], "ServiceUnavailable", "{self:?}");
        assert!(self.head.contains("retry-after: "), "{self:?}");
    }

    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }
}

/// One call on a connection of its own; an error where it broke.
pub fn ask(address: &str, call: &str, token: &str, body: &str) -> std::io::Result<Answer> {
    let started = Instant::now();
    let authorization = (!token.is_empty()).then(|| bearer(token));
    let headers: Vec<&str> = authorization.iter().map(String::as_str).collect();
    let (status, head, body) = exchange(address, call, &headers, body, PATIENCE)?;
    Ok(Answer {
        status,
        head: head.to_ascii_lowercase(),
        body: serde_json::from_str(&body)
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::UnexpectedEof))?,
        took: started.elapsed(),
    })
}

/// The body of a liveness request.
pub fn photograph(picture: &str) -> String {
    let photograph = BASE64_STANDARD.encode(std::fs::read(image(picture)).unwrap());
    json!({"os": "IOS", "image": photograph}).to_string()
}

/// Has a photograph judged; it must be answered.
pub fn judge(address: &str, token: &str) -> Answer {
    ask(address, LIVENESS, token, &photograph("live_portrait.jpg")).unwrap()
}

/// What clients were told, until they are stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    answers: Arc<Mutex<Vec<Answer>>>,
    clients: Vec<thread::JoinHandle<()>>,
}

impl Load {
    pub fn start(address: &str, token: &str, clients: usize) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let answers = Arc::new(Mutex::new(Vec::new()));
        let body = Arc::new(photograph("live_portrait.jpg"));
        let clients = (0..clients).map(|_| {
            let (stop, answers, body) = (stop.clone(), answers.clone(), body.clone());
            let (address, token) = (address.to_owned(), token.to_owned());
            thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    match ask(&address, LIVENESS, &token, &body) {
                        Ok(answer) => answers.lock().unwrap().push(answer),
                        Err(_) => thread::sleep(Duration::from_millis(5)),
                    }
                }
            })
        });
        Load {
            clients: clients.collect(),
            stop,
            answers,
        }
    }

    /// How many answers of that status there were.
    pub fn count(&self, status: u16) -> usize {
        let answers = self.answers.lock().unwrap();
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    }

    /// Waits for more answers of that status.
    pub fn until_more(&self, status: u16, more: usize) {
        let before = self.count(status);
        until(&format!("{more} more answers {status}"), || {
            let count = self.count(status) - before;
            let last = || format!("{count}; {:?}", self.answers.lock().unwrap().last());
            if count >= more { Ok(()) } else { Err(last()) }
        });
    }

    /// All answers.
    pub fn stop(self) -> Vec<Answer> {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.join().unwrap();
        }
        Arc::try_unwrap(self.answers).unwrap().into_inner().unwrap()
    }
}

/// Those that were acknowledged.
pub fn acknowledged(answers: &[Answer]) -> Vec<&Answer> {
    let acknowledged = answers.iter().filter(|answer| answer.status == 200);
    acknowledged.collect()
}

/// Every attempt of the client by its id, page by page, none twice.
pub fn recorded(address: &str, token: &str) -> HashMap<String, Value> {
    let mut recorded = HashMap::new();
    let mut cursor = String::new();
    loop {
        let list = format!("GET /v2/face-recognition/attempts?limit=100{cursor}");
        let page = ask(address, &list, token, "").unwrap();
        assert_eq!(page.status, 200, "{page:?}");
        for attempt in page.body["data"].as_array().unwrap() {
            let id = attempt["id"].as_str().unwrap().to_owned();
            assert!(recorded.insert(id, attempt.clone()).is_none(), "{attempt}");
        }
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return recorded,
        }
    }
}

/// Everything that was acknowledged is recorded as it was told. Returns how much was.
pub fn assert_nothing_lost(address: &str, token: &str, answers: &[Answer]) -> usize {
    let recorded = recorded(address, token);
    let acknowledged = acknowledged(answers);
    for answer in &acknowledged {
        let attempt = recorded
            .get(answer.id())
            .unwrap_or_else(|| panic!("lost: {answer:?}"));
        for key in ["liveness_score", "passed"] {
            assert_eq!(attempt[key], answer.body["data"][key], "{answer:?}");
        }
        assert_eq!(attempt["failureReason"], Value::Null);
    }
    acknowledged.len()
}

/// The receipt of an answer is verified by the keys that the service publishes now.
pub fn assert_receipt_is_good(address: &str, answer: &Answer) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answer.json");
    std::fs::write(&file, answer.body.to_string()).unwrap();
    let keys = format!("http://{address}/.well-known/jwks.json");
    let output = lifesign()
        .args(["receipt", "verify"])
        .arg(&file)
        .args(["--jwks", &keys])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
}
