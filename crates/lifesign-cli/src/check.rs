//! `lifesign check`: the main job without a server.

mod bulk;
mod inputs;
mod judge;
mod report;
mod writer;

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use lifesign::{DEFAULT_MIN_SCORE, EngineConfig, Profile};
use lifesign_bulk::{Files, Format, Place, Shard};
use lifesign_eval::parallel;
use lifesign_server::parse_score;

use crate::progress;
use inputs::Loader;
use judge::Judge;
use report::Report;

#[derive(Args)]
pub struct CheckArgs {
    /// Photographs (JPEG, PNG, WebP), folders of them, or addresses: https, s3, gs, az, file.
    #[arg(required_unless_present = "manifest", value_name = "IMAGE|DIR|URL")]
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
    /// Check the images that a CSV file lists in its column `image`; a column `os` may say where
    /// each was taken. The file and the images may be in S3, GCS or Azure: docs/bulk.md.
    #[arg(long, value_name = "FILE|URL", conflicts_with = "images", help_heading = BULK)]
    manifest: Option<Place>,
    /// Folder that the manifest's images lie below [default: the manifest's own].
    #[arg(long = "images", value_name = "DIR|URL", help_heading = BULK)]
    images_below: Option<Place>,
    /// Write the results here, in parts, instead of printing them; begun again, go on after the
    /// parts that are there.
    #[arg(long, value_name = "DIR|URL", conflicts_with = "json", help_heading = BULK)]
    out: Option<Place>,
    /// What the parts are.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", requires = "out", help_heading = BULK)]
    format: FormatArg,
    /// The most rows of a part.
    #[arg(long, value_name = "ROWS", default_value_t = 10_000, value_parser = part_rows, requires = "out", help_heading = BULK)]
    part_rows: usize,
    /// Of N machines be number I, from 0, and take every Nth row.
    #[arg(long, value_name = "I/N", help_heading = BULK)]
    shard: Option<Shard>,
}

const BULK: &str = "Bulk work";
/// A part is held in memory until it is full.
const MOST_PART_ROWS: usize = 1_000_000;

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    Jsonl,
    Parquet,
}

fn part_rows(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rows @ 1..=MOST_PART_ROWS) => Ok(rows),
        _ => Err(format!("expected a number from 1 to {MOST_PART_ROWS}")),
    }
}

impl CheckArgs {
    fn engine_config(&self) -> EngineConfig {
        EngineConfig {
            models_dir: self.models_dir.clone(),
            calibration: self.calibration.clone(),
            ..Default::default()
        }
    }

    fn format(&self) -> Format {
        match self.format {
            FormatArg::Jsonl => Format::JsonLines,
            FormatArg::Parquet => Format::Parquet,
        }
    }
}

/// Checks all images on all cores and reports them in the order given. Exit code 0 when all
/// passed, 1 when any did not, 2 when any could not be read; of results in parts, 0 when every row
/// has one.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    if let Some(format) = args.out.as_ref().and_then(file_format) {
        bail!("--out names a folder; for parts in this format add --format {format}");
    }
    match &args.manifest {
        Some(manifest) => bulk::run(args, manifest),
        // clap would not say so where images are named: they stand against --manifest.
        None if args.out.is_some() || args.shard.is_some() || args.images_below.is_some() => {
            bail!("--out, --shard and --images need the rows of a --manifest")
        }
        None => named(args),
    }
}

/// The format of a place that looks like a file of results.
fn file_format(place: &Place) -> Option<&'static str> {
    let format = place.extension().and_then(Format::of_extension);
    format.map(Format::extension)
}

/// Checks the images that the command line names.
fn named(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let inputs = inputs::collect(&args.images)?;
    let config = args.engine_config();
    let judge = Judge::load(args, &config)?;
    let files = Files::new();
    let loader = Loader::new(&files, config.limits);
    let progress = progress::bar(inputs.len());
    let mut report = Report::new(args.json, &progress);
    let Ok(()) = parallel::in_order(
        inputs.iter(),
        |input| (input, loader.load(input)),
        |(input, bytes)| judge.judge(&input.to_string(), None, bytes),
        |judged| {
            report.add(&judged.record);
            progress.inc(1);
            Ok::<(), Infallible>(())
        },
    );
    progress.finish_and_clear();
    Ok(report.finish())
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
