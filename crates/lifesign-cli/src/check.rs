//! `lifesign check`: the main job without a server.

mod inputs;
mod report;

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use lifesign::{
    AssessError, AssessOptions, DEFAULT_MIN_SCORE, Decision, Device, Engine, EngineConfig, Face,
    Profile, Rejection,
};
use lifesign_eval::parallel;
use lifesign_server::parse_score;

use crate::progress;
use inputs::{Input, Loader};

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
    /// A calibration to use instead of the model card's; `lifesign calibrate` writes it.
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
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
        calibration: args.calibration.clone(),
        ..Default::default()
    };
    let engine = Engine::load(&engine_config).context("the engine cannot start")?;
    let loader = Loader::new(engine_config.limits);
    let options = AssessOptions {
        device: Device::from_os(&args.os),
        profile: args.profile,
        ..AssessOptions::default()
    };

    let progress = progress::bar(inputs.len());
    let mut report = report::Report::new(args.json, args.min_score, &progress);
    let Ok(()) = parallel::in_order(
        &inputs,
        |input| check(&engine, &loader, input, &options, args.min_score),
        |checked| {
            report.add(checked);
            progress.inc(1);
            Ok::<(), Infallible>(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_outside_0_to_1_is_refused() {
        assert_eq!(parse_score("0.75"), Ok(0.75));
        for wrong in ["1.01", "-0.1", "NaN", "high"] {
            assert!(parse_score(wrong).is_err(), "{wrong}");
        }
    }
}
