//! Ours against what one would run instead: `fastapi/`, with the same networks and crops, and DeepFace's own API.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use clap::Args;
use lifesign::{AssessOptions, Engine, EngineConfig};
use serde::Serialize;
use serde_json::Value;

use crate::assess::{self, SIZES};
use crate::clock::ProcessTime;
use crate::load::{self, Target};
use crate::server::{LifesignArgs, Server};
use crate::stats::{Spread, ms};

/// How far its score may be from ours: it shrinks pictures by OpenCV.
const SAME_SCORE: f64 = 0.02;

/// `peer`
#[derive(Args)]
pub struct PeerArgs {
    #[command(flatten)]
    service: LifesignArgs,
    /// A Python that has what fastapi/requirements.txt names
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Measure DeepFace's own API as well, with a Python that has what deepface/requirements.txt names
    #[arg(long, value_name = "PYTHON")]
    deepface: Option<PathBuf>,
    /// How long each load is offered
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often, ours and the other in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What `peer` found.
#[derive(Serialize)]
pub struct Compared {
    workers: usize,
    checked: Vec<(String, f64, f64)>,
    pictures: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    peer: &'static str,
    picture: &'static str,
    /// Our answers a second to its, round by round.
    ratio: Spread,
    /// Its processor time for a request to ours, which other load on the machine hardly moves.
    cpu_ratio: Spread,
    ours: Spread,
    its: Spread,
    our_cpu: Spread,
    its_cpu: Spread,
}

/// A service that runs, and how it is asked about a photograph.
struct Contender {
    name: &'static str,
    server: Server,
    target: fn(&Server, &[u8]) -> Target,
}

/// Ours and `fastapi/` take the same request.
fn same_request(server: &Server, photograph: &[u8]) -> Target {
    server.target(assess::request(photograph))
}

/// The least of DeepFace's API that checks whether a face is real. No endpoint does only that: this one finds an
/// embedding as well, here by the smallest of its networks and of one face. Alignment is left out: the check looks at
/// the picture as it came, and the detector would have to look at one four times as large.
fn deepface_request(server: &Server, photograph: &[u8]) -> Target {
    let image = BASE64_STANDARD.encode(photograph);
    let body = serde_json::json!({
        "img": format!("data:image/jpeg;base64,{image}"),
        "anti_spoofing": true,
        "detector_backend": "opencv",
        "model_name": "DeepID",
        "max_faces": 1,
        "align": false,
    });
    let mut target = server.target(body.to_string());
    target.refuses_by = Some("Spoof detected");
    target
}

/// Runs `peer`.
pub async fn peer(args: &PeerArgs) -> anyhow::Result<Compared> {
    let folder = tempfile::tempdir()?;
    let workers = args.service.workers;
    let cpus = args.service.cpus.as_deref();
    let ours = Server::lifesign(&args.service, folder.path(), None)?;
    let its = Server::fastapi(&args.python, workers, cpus)?;
    let checked = check(&its).await?;
    let mut contenders = vec![
        Contender {
            name: "Lifesign",
            server: ours,
            target: same_request,
        },
        Contender {
            name: "FastAPI",
            server: its,
            target: same_request,
        },
    ];
    if let Some(python) = &args.deepface {
        let its = Server::deepface(python, workers, cpus)?;
        let (_, size) = SIZES[0];
        let target = deepface_request(&its, &assess::jpeg(size.0, size.1)?);
        its.answers_or_says_why(&target).await?;
        contenders.push(Contender {
            name: "DeepFace",
            server: its,
            target: deepface_request,
        });
    }
    let time = Duration::from_secs(args.seconds);
    let mut rows = Vec::new();
    for (picture, size) in SIZES {
        let photograph = assess::jpeg(size.0, size.1)?;
        let mut rates = vec![Vec::new(); contenders.len()];
        let mut costs = vec![Vec::new(); contenders.len()];
        for _ in 0..args.rounds {
            for (nth, Contender { server, target, .. }) in contenders.iter().enumerate() {
                let target = target(server, &photograph);
                load::closed(&target, 2 * workers, Duration::from_millis(500)).await?;
                let before = ProcessTime::of(server.pid())?;
                let load = load::closed(&target, 2 * workers, time).await?;
                let used = ProcessTime::of(server.pid())?.since(before);
                rates[nth].push(load.per_second);
                costs[nth].push(ms(used.all) / load.answers as f64);
            }
        }
        let ratio = |of: &[f64], to: &[f64]| Spread::of(of.iter().zip(to).map(|(of, to)| of / to));
        let spread = |figures: &[f64]| Spread::of(figures.iter().copied());
        for (nth, peer) in contenders.iter().enumerate().skip(1) {
            rows.push(Row {
                peer: peer.name,
                picture,
                ratio: ratio(&rates[0], &rates[nth]),
                cpu_ratio: ratio(&costs[nth], &costs[0]),
                ours: spread(&rates[0]),
                its: spread(&rates[nth]),
                our_cpu: spread(&costs[0]),
                its_cpu: spread(&costs[nth]),
            });
        }
    }
    Ok(Compared {
        workers,
        checked,
        pictures: rows,
    })
}

/// That it judges the pictures of `tests/images` as our engine does.
async fn check(its: &Server) -> anyhow::Result<Vec<(String, f64, f64)>> {
    let engine = Engine::load(&EngineConfig::default())?;
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/images");
    let client = reqwest::Client::new();
    let mut checked = Vec::new();
    for entry in fs::read_dir(images)? {
        let path = entry?.path();
        let bytes = fs::read(&path)?;
        // What is no photograph, or cannot be judged, has no score to compare.
        let Ok(ours) = engine.assess(&bytes, &AssessOptions::default()) else {
            continue;
        };
        let target = its.target(assess::request(&bytes));
        its.answers(&target).await?;
        let answer = target.send(&client).await?.bytes().await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let score = answer["liveness_score"].as_f64().unwrap_or(f64::NAN);
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        ensure!(
            (score - ours.score).abs() < SAME_SCORE,
            "{name}: ours {:.4}, its {score:.4}",
            ours.score
        );
        checked.push((name, ours.score, score));
    }
    ensure!(!checked.is_empty(), "there was no picture to compare");
    checked.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(checked)
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Lifesign to what else could be run, {} worker(s) each:\n",
            self.workers
        )?;
        writeln!(
            f,
            "| to | picture | answers/s | quartiles | processor time for a request, its to ours | ours, its answers/s | ours, its ms |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for row in &self.pictures {
            let Spread {
                lower,
                median,
                upper,
            } = row.ratio;
            writeln!(
                f,
                "| {} | {} | **{median:.2}** | {lower:.2} to {upper:.2} | {:.2} | {:.1}, {:.1} | {:.1}, {:.1} |",
                row.peer,
                row.picture,
                row.cpu_ratio.median,
                row.ours.median,
                row.its.median,
                row.our_cpu.median,
                row.its_cpu.median,
            )?;
        }
        writeln!(
            f,
            "\n| same picture | our score | FastAPI's |\n|---|---|---|"
        )?;
        for (name, ours, its) in &self.checked {
            writeln!(f, "| {name} | {ours:.4} | {its:.4} |")?;
        }
        Ok(())
    }
}
