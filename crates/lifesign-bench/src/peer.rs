//! Ours against what one would write instead: `fastapi/`, with the same networks and crops.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use lifesign::{AssessOptions, Engine, EngineConfig};
use serde::Serialize;
use serde_json::Value;

use crate::assess::{self, SIZES};
use crate::clock::ProcessTime;
use crate::load;
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

/// Runs `peer`.
pub async fn peer(args: &PeerArgs) -> anyhow::Result<Compared> {
    let folder = tempfile::tempdir()?;
    let workers = args.service.workers;
    let ours = Server::lifesign(&args.service, folder.path(), None)?;
    let its = Server::fastapi(&args.python, workers, args.service.cpus.as_deref())?;
    let checked = check(&its).await?;
    let time = Duration::from_secs(args.seconds);
    let mut rows = Vec::new();
    for (picture, size) in SIZES {
        let body = assess::request(&assess::jpeg(size.0, size.1)?);
        let mut rates = [Vec::new(), Vec::new()];
        let mut costs = [Vec::new(), Vec::new()];
        for _ in 0..args.rounds {
            for (nth, server) in [&ours, &its].into_iter().enumerate() {
                let target = server.target(body.clone());
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
        rows.push(Row {
            picture,
            ratio: ratio(&rates[0], &rates[1]),
            cpu_ratio: ratio(&costs[1], &costs[0]),
            ours: spread(&rates[0]),
            its: spread(&rates[1]),
            our_cpu: spread(&costs[0]),
            its_cpu: spread(&costs[1]),
        });
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
        writeln!(f, "Lifesign to FastAPI, {} worker(s) each:\n", self.workers)?;
        writeln!(
            f,
            "| picture | answers/s | quartiles | processor time for a request, its to ours | ours, its answers/s | ours, its ms |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for row in &self.pictures {
            let Spread {
                lower,
                median,
                upper,
            } = row.ratio;
            writeln!(
                f,
                "| {} | **{median:.2}** | {lower:.2} to {upper:.2} | {:.2} | {:.1}, {:.1} | {:.1}, {:.1} |",
                row.picture,
                row.cpu_ratio.median,
                row.ours.median,
                row.its.median,
                row.our_cpu.median,
                row.its_cpu.median,
            )?;
        }
        writeln!(f, "\n| same picture | our score | its |\n|---|---|---|")?;
        for (name, ours, its) in &self.checked {
            writeln!(f, "| {name} | {ours:.4} | {its:.4} |")?;
        }
        Ok(())
    }
}
