//! A real `lifesign serve` in a folder of its own, and the test pictures.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn image(name: &str) -> PathBuf {
    repository().join("tests/images").join(name)
}

/// The command under test, free of the caller's own configuration.
pub fn lifesign() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifesign"));
    for (name, _) in std::env::vars() {
        if name.starts_with("LIFESIGN_") {
            command.env_remove(name);
        }
    }
    command
}

/// Says that a test did not run, and why, past the test harness, which would keep it to itself.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// The header that shows a token.
pub fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// Status and body of a call, such as `GET /healthz`, on a connection of its own.
pub fn call(
    address: &str,
    call: &str,
    headers: &[&str],
    body: &str,
) -> std::io::Result<(u16, String)> {
    let (status, _, body) = exchange(address, call, headers, body, Duration::from_secs(30))?;
    Ok((status, body))
}

/// Status, head and body of a call, whose answer is waited for at most so long between two parts.
pub fn exchange(
    address: &str,
    call: &str,
    headers: &[&str],
    body: &str,
    patience: Duration,
) -> std::io::Result<(u16, String, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(patience))?;
    let more: String = headers
        .iter()
        .map(|header| format!("{header}\r\n"))
        .collect();
    write!(
        stream,
        "{call} HTTP/1.1\r\nhost: lifesign\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n{more}\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(broken)?, head.to_owned(), body.to_owned()))
}

/// Takes one request and answers with `status`; returns its head and its body.
pub fn receive(stream: &mut TcpStream, status: &str) -> (String, Vec<u8>) {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    let end = loop {
        let length = stream.read(&mut chunk).unwrap();
        read.extend_from_slice(&chunk[..length]);
        match read.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(end) => break end,
            None => assert_ne!(length, 0, "the request ended in its head"),
        }
    };
    let mut body = read.split_off(end + 4);
    let head = String::from_utf8(read).unwrap();
    let length = head
        .lines()
        .find_map(|line| {
            let line = line.to_ascii_lowercase();
            line.strip_prefix("content-length: ")?.parse().ok()
        })
        .unwrap_or(0);
    let there = body.len();
    body.resize(length, 0);
    stream.read_exact(&mut body[there..]).unwrap();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    (head, body)
}

/// A running server; killed when dropped.
pub struct Server {
    process: Child,
    stdout: BufReader<ChildStdout>,
    folder: TempDir,
    /// What it printed up to its address.
    pub greeting: String,
    url: String,
}

impl Server {
    pub fn start() -> Server {
        Server::start_in(TempDir::new().unwrap())
    }

    /// Starts in `folder` and waits until the address is printed.
    pub fn start_in(folder: TempDir) -> Server {
        Server::start_with(folder, &[])
    }

    /// Starts in `folder` with further flags.
    pub fn start_with(folder: TempDir, flags: &[&str]) -> Server {
        Server::start_as(lifesign(), folder, flags)
    }

    /// Starts what `command` runs, such as `lifesign` in an environment of its own.
    pub fn start_as(command: Command, folder: TempDir, flags: &[&str]) -> Server {
        Server::start_logging(command, folder, flags, Stdio::null())
    }

    /// Starts what `command` runs with its log in `log`.
    pub fn start_logging(
        mut command: Command,
        folder: TempDir,
        flags: &[&str],
        log: Stdio,
    ) -> Server {
        let mut process = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("http://") {
            assert_ne!(
                stdout.read_line(&mut greeting).unwrap(),
                0,
                "no address in: {greeting}"
            );
        }
        let start = greeting.find("http://").unwrap();
        let url = greeting[start..]
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned();
        Server {
            process,
            stdout,
            folder,
            greeting,
            url,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The next line that the server prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// A token of the client that the first start makes.
    pub fn token(&self) -> String {
        self.admin(&["token", "issue", "--client", "default"])
    }

    /// What a command on the server's data folder prints; it must succeed.
    pub fn admin(&self, args: &[&str]) -> String {
        let output = lifesign()
            .args(args)
            .arg("--data-dir")
            .arg(self.data_dir())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// The body of the answer to a test picture.
    pub fn judge(&self, picture: &str) -> String {
        let photograph = BASE64_STANDARD.encode(std::fs::read(image(picture)).unwrap());
        let body = serde_json::json!({"os": "DESKTOP", "image": photograph}).to_string();
        self.call("POST /v2/face-recognition/liveness", &self.token(), &body)
    }

    /// The body of a call's answer, which must be 200.
    pub fn call(&self, call: &str, token: &str, body: &str) -> String {
        let (status, answer) = self::call(self.address(), call, &[&bearer(token)], body).unwrap();
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Ends it as a crash does.
    pub fn kill(mut self) -> TempDir {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }

    /// Asks for a graceful stop and waits for it.
    pub fn stop(mut self) -> Stopped {
        let pid = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let status = self.process.wait().unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let folder = std::mem::replace(&mut self.folder, TempDir::new().unwrap());
        Stopped {
            status,
            rest,
            folder,
        }
    }
}

/// A server that was stopped.
pub struct Stopped {
    pub status: std::process::ExitStatus,
    /// What it printed and nobody read.
    pub rest: String,
    /// For another start.
    pub folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
