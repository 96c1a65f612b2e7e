//! `lifesign check`: the main job without a server.

mod inputs;
mod report;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lifesign::{
    AssessError, AssessOptions, DEFAULT_MIN_SCORE, Decision, Device, Engine, EngineConfig, Face,
    Profile, Rejection,
};

use lifesign_server::parse_score;

use inputs::{Input, Loader};

/// A progress bar helps from this many images on.
const MANY: usize = 5;

#[derive(Args)]
pub struct CheckArgs {
    /// Photographs (JPEG, PNG, WebP), folders of them, or https addresses.
    #[arg(required = true, value_name = "IMAGE|DIR|URL")]
    images: Vec<String>,
    /// Print one line of JSON for each image.
    #[arg(long)]
    json: bool,
    /// Where the photographs were taken: DESKTOP, IOS, ANDROID or anything else.
    #[arg(long, default_value = "unknown")]
    os: String,
    /// A photograph passes when its score is above this, 0 to 1.
    #[arg(long, value_name = "X", default_value_t = DEFAULT_MIN_SCORE, value_parser = parse_score)]
    min_score: f64,
    /// Which captures are refused: `standard` or `strict`.
    #[arg(long, value_name = "P", default_value_t = Profile::Standard)]
    profile: Profile,
    /// A folder laid out like `models/` whose models replace the built-in ones.
    #[arg(long, value_name = "DIR")]
    models_dir: Option<PathBuf>,
}

/// What became of one image.
enum Outcome {
    Assessed { decision: Decision, face: Face },
    Rejected(Rejection),
    Failed(String),
}

struct Checked {
    image: String,
    outcome: Outcome,
    elapsed: Duration,
}

/// Checks all images on all cores and reports them in the order given. Exit code 0 when all
/// passed, 1 when any did not, 2 when any could not be read.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let inputs = inputs::collect(&args.images)?;
    let engine_config = EngineConfig {
        models_dir: args.models_dir.clone(),
        ..Default::default()
    };
    let engine = Engine::load(&engine_config).context("the engine cannot start")?;
    let loader = Loader::new(engine_config.limits);
    let options = AssessOptions {
        device: Device::from_os(&args.os),
        profile: args.profile,
    };

    let progress = progress_bar(inputs.len());
    let mut report = report::Report::new(args.json, args.min_score, &progress);
    in_order(
        &inputs,
        |input| check(&engine, &loader, input, &options, args.min_score),
        |checked| {
            report.add(checked);
            progress.inc(1);
        },
    );
    progress.finish_and_clear();
    Ok(report.finish())
}

fn check(
    engine: &Engine,
    loader: &Loader,
    input: &Input,
    options: &AssessOptions,
    min_score: f64,
) -> Checked {
    let bytes = loader.load(input);
    let start = Instant::now();
    let outcome = match bytes.map(|bytes| engine.assess(&bytes, options)) {
        Ok(Ok(assessment)) => Outcome::Assessed {
            decision: Decision::new(assessment.score, min_score),
            face: assessment.face,
        },
        Ok(Err(AssessError::Rejected(rejection))) => Outcome::Rejected(rejection),
        Ok(Err(AssessError::Inference(fault))) => Outcome::Failed(fault.to_string()),
        Err(error) => Outcome::Failed(format!("{error:#}")),
    };
    Checked {
        image: input.to_string(),
        outcome,
        elapsed: start.elapsed(),
    }
}

/// Runs `work` on every item on all cores and hands the results to `take` in the items' order.
fn in_order<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync, mut take: impl FnMut(R)) {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(items.len());
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(nth) else { break };
                    if sender.send((nth, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (nth, result) in results {
            early.insert(nth, result);
            while let Some(result) = early.remove(&due) {
                take(result);
                due += 1;
            }
        }
    });
}

fn progress_bar(images: usize) -> ProgressBar {
    let target = if images < MANY {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} images, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(images as u64), target).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_however_long_each_takes() {
        let items: Vec<u64> = (0..40).collect();
        let mut seen = Vec::new();
        in_order(
            &items,
            |&item| {
                thread::sleep(Duration::from_millis(if item % 7 == 0 { 5 } else { 0 }));
                item * 2
            },
            |doubled| seen.push(doubled),
        );
        assert_eq!(seen, items.iter().map(|item| item * 2).collect::<Vec<_>>());
    }

    #[test]
    fn a_threshold_outside_0_to_1_is_refused() {
        assert_eq!(parse_score("0.75"), Ok(0.75));
        for wrong in ["1.01", "-0.1", "NaN", "high"] {
            assert!(parse_score(wrong).is_err(), "{wrong}");
        }
    }
}
