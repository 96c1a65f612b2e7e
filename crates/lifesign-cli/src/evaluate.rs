//! `lifesign evaluate`: the ISO/IEC 30107-3 report of any detector.

mod scorers;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use lifesign::Profile;
use lifesign_eval::assemble::{self, Options};
use lifesign_eval::evaluation::{Made, NonResponseRule, ScorerInfo};
use lifesign_eval::parallel;
use lifesign_eval::report::{html, text, thumbnails};
use lifesign_eval::scorer::Scorer;

use crate::labelled::{self, LabelledArgs};

#[derive(Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    labelled: LabelledArgs,
    /// Who scores, side by side: `lifesign` (the built-in models end to end), a folder laid out
    /// like `models/` (the same with its models), a TOML specification of foreign networks, a CSV
    /// file of scores, or what `lifesign check` wrote: a folder of parts, a .jsonl or a .parquet
    /// file. Scores may be at a URL [default: lifesign].
    #[arg(long = "scorer", value_name = "lifesign|DIR|SPEC.toml|SCORES|URL")]
    scorers: Vec<String>,
    /// Folder of the weights that specifications name [default: the specification's own].
    #[arg(long, value_name = "DIR")]
    weights: Option<PathBuf>,
    /// Report error rates at this threshold too; may be given more than once.
    #[arg(long = "threshold", value_name = "X", allow_negative_numbers = true)]
    thresholds: Vec<f64>,
    /// Report figures for each value of this column, and their means.
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// What a presentation without a score counts as in the error rates: nothing, as the standard
    /// asks, or an attack.
    #[arg(long, value_name = "RULE", default_value = "apart")]
    non_response: Rule,
    /// Capture rules of `lifesign` and folders: `standard` or `strict`.
    #[arg(long, value_name = "P", default_value_t = Profile::Standard)]
    profile: Profile,
    /// Calibration of `lifesign` to use instead of its model card's.
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Write everything as JSON; docs/evaluate.md describes it.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a report as one self-contained HTML file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show small copies of the worst errors' images in the HTML report: they are faces, so mind
    /// who reads it.
    #[arg(long, requires = "html")]
    thumbnails: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rule {
    Apart,
    Attack,
}

/// Scores, computes, reports. Exit code 0, or 1 when an image could not be read.
pub fn run(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    for file in args.json.iter().chain(&args.html) {
        check_folder(file)?;
    }
    if let Some(wrong) = args.thresholds.iter().find(|x| !x.is_finite()) {
        bail!("--threshold {wrong} is no number");
    }
    let labelled = args.labelled.load()?;
    if let Some(group) = &args.group {
        labelled.manifest.column(group).context("--group")?;
    }
    let scorers = scorers::load(args, &labelled.files)?;
    let scored = labelled.score(&scorers)?;
    let infos: Vec<&ScorerInfo> = scorers.iter().map(Scorer::info).collect();
    let options = Options {
        thresholds: args.thresholds.clone(),
        group: args.group.clone(),
        non_response: match args.non_response {
            Rule::Apart => NonResponseRule::Apart,
            Rule::Attack => NonResponseRule::Attack,
        },
    };
    let made = Made {
        lifesign: env!("CARGO_PKG_VERSION").to_owned(),
        command: command(),
        at: labelled::now(),
        seconds: scored.took.as_secs_f64(),
        workers: parallel::workers(),
    };
    let (manifest, origin) = (&labelled.manifest, &labelled.origin);
    let evaluation = assemble::assemble(manifest, origin, &scored, &infos, &options, made)?;

    anstream::print!("{}", text::markdown(&evaluation));
    if let Some(file) = &args.json {
        let json = serde_json::to_string_pretty(&evaluation)?;
        write(file, &(json + "\n"))?;
    }
    if let Some(file) = &args.html {
        let pictures = match args.thumbnails {
            true => thumbnails::of_worst(&evaluation, labelled.images()),
            false => Default::default(),
        };
        write(file, &html::page(&evaluation, &pictures))?;
    }
    match evaluation.unreadable.len() {
        0 => Ok(ExitCode::SUCCESS),
        _ => Ok(ExitCode::from(1)),
    }
}

/// Now, rather than after everything is scored.
fn check_folder(file: &Path) -> anyhow::Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            bail!("cannot write {}: there is no such folder", file.display())
        }
        _ => Ok(()),
    }
}

pub(crate) fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    anstream::eprintln!("wrote {}", file.display());
    Ok(())
}

/// The command line, as a shell would take it.
fn command() -> String {
    let words = env::args().enumerate().map(|(nth, word)| match nth {
        0 => "lifesign".to_owned(),
        _ => quoted(&word),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell_again() {
        assert_eq!(quoted("split=dev"), "split=dev");
        assert_eq!(quoted("my faces.csv"), "'my faces.csv'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
