//! Services that the bench starts itself, and ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};

use crate::load::Target;

/// How long any service may take until it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which Lifesign to start, and how.
#[derive(Args, Clone)]
pub struct LifesignArgs {
    /// The binary to measure
    #[arg(long, default_value = "target/release/lifesign")]
    pub lifesign: PathBuf,
    /// Workers of a service that is started
    #[arg(long, default_value_t = 1)]
    pub workers: usize,
    /// Cores it may use, as `taskset` names them
    #[arg(long)]
    pub cpus: Option<String>,
}

/// A service that runs; it ends when this is dropped.
pub struct Server {
    process: Child,
    url: String,
    token: Option<String>,
}

impl Server {
    /// Starts `lifesign serve` with its data in `folder`; `token` is one of an earlier start there.
    pub fn lifesign(
        args: &LifesignArgs,
        folder: &Path,
        token: Option<String>,
    ) -> anyhow::Result<Server> {
        let mut command = pinned(&args.lifesign, args.cpus.as_deref());
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--workers",
                &args.workers.to_string(),
            ])
            .arg("--data-dir")
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LIFESIGN_") {
                command.env_remove(name);
            }
        }
        let mut process = command
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let said = process.stdout.take().context("no output")?;
        let mut server = Server {
            process,
            url: String::new(),
            token,
        };
        for line in BufReader::new(said).lines() {
            let line = line?;
            if let Some((_, address)) = line.split_once("listens on ") {
                server.url = format!("{address}/v2/face-recognition/liveness");
            }
            if let Some((_, token)) = line.split_once("Authorization: Bearer ") {
                server.token = token.split('\'').next().map(str::to_owned);
            }
            if !server.url.is_empty() && server.token.is_some() {
                return Ok(server);
            }
        }
        bail!("the service ended before it listened")
    }

    /// Starts the service of `fastapi/` with `python`, which must have what its requirements.txt names.
    pub fn fastapi(python: &Path, workers: usize, cpus: Option<&str>) -> anyhow::Result<Server> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let port = free_port()?;
        let mut command = pinned(python, cpus);
        command
            .args([
                "-m",
                "uvicorn",
                "app:app",
                "--no-access-log",
                "--log-level",
                "warning",
            ])
            .args([
                "--port",
                &port.to_string(),
                "--workers",
                &workers.to_string(),
            ])
            .current_dir(own.join("fastapi"))
            .env("MODELS", own.join("../../models"));
        Server::spawned(command, format!("http://127.0.0.1:{port}/liveness"))
    }

    /// Starts DeepFace's own API with `python`, which must have what deepface/requirements.txt names, as DeepFace's
    /// container does: gunicorn with a process for each worker, each of which answers one request at a time.
    pub fn deepface(python: &Path, workers: usize, cpus: Option<&str>) -> anyhow::Result<Server> {
        let port = free_port()?;
        let mut command = pinned(python, cpus);
        command
            .args(["-m", "gunicorn", "deepface.api.src.app:create_app()"])
            .args([
                "--bind",
                &format!("127.0.0.1:{port}"),
                "--workers",
                &workers.to_string(),
            ])
            // Its first request may download weights, which gunicorn would else take for a worker that hangs.
            .args(["--timeout", "600", "--log-level", "warning"])
            .env_remove("DEEPFACE_AUTH_TOKEN");
        Server::spawned(command, format!("http://127.0.0.1:{port}/represent"))
    }

    fn spawned(mut command: Command, url: String) -> anyhow::Result<Server> {
        let process = command
            // What the bench prints is its tables or JSON alone: DeepFace logs there.
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Server {
            process,
            url,
            token: None,
        })
    }

    /// What asks this service about `body`'s photograph.
    pub fn target(&self, body: impl Into<Bytes>) -> Target {
        Target {
            url: self.url.clone(),
            token: self.token.clone(),
            body: body.into(),
            refuses_by: None,
        }
    }

    /// Its token, for a later start on the same data.
    pub fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// The process, or the one that started the others.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until `target` is answered.
    pub async fn answers(&self, target: &Target) -> anyhow::Result<()> {
        let client = reqwest::Client::new();
        let started = Instant::now();
        while target.ask(&client).await.is_err() {
            wait(target, started).await?;
        }
        Ok(())
    }

    /// Waits until there is any answer to `target`, then asks once more: what an answer that is an error says tells
    /// why, where waiting on would not.
    pub async fn answers_or_says_why(&self, target: &Target) -> anyhow::Result<()> {
        let client = reqwest::Client::new();
        let started = Instant::now();
        while target.send(&client).await.is_err() {
            wait(target, started).await?;
        }
        target.ask(&client).await?;
        Ok(())
    }
}

async fn wait(target: &Target, started: Instant) -> anyhow::Result<()> {
    if started.elapsed() > PATIENCE {
        bail!("{} does not answer", target.url);
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    Ok(())
}

/// Free now, and hardly taken by another until it is listened on.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked, not killed, so that one which started others can end them.
        if let Some(pid) = Pid::from_raw(self.process.id() as i32) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

/// `taskset` becomes the program it starts, so that the process's number stays.
fn pinned(program: &Path, cpus: Option<&str>) -> Command {
    match cpus {
        Some(cpus) => {
            let mut command = Command::new("taskset");
            command.args(["-c", cpus]).arg(program);
            command
        }
        None => Command::new(program),
    }
}
