//! `lifesign calibrate`: the calibration of the built-in models for one's own cameras.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use lifesign::pad::calibration::{Calibration, CalibrationFile, Calibrations};
use lifesign::{DEFAULT_MIN_SCORE, Decision, Device, Engine, EngineConfig, Profile};
use lifesign_eval::Manifest;
use lifesign_eval::fit::{self, BpcerLimit, FitOptions, Method, Sample};
use lifesign_eval::metrics::calibration;
use lifesign_eval::report::text::aligned;
use lifesign_eval::run::Scored;
use lifesign_eval::scorer::engine::EngineScorer;
use lifesign_eval::scorer::{Response, Scorer};
use lifesign_eval::units::Units;
use lifesign_server::parse_score;

use crate::evaluate::write;
use crate::labelled::{self, LabelledArgs};

#[derive(Args)]
pub struct CalibrateArgs {
    #[command(flatten)]
    labelled: LabelledArgs,
    /// What is fitted: `platt` (slope and intercept) or `temperature` (one factor for both).
    #[arg(long, value_name = "METHOD", default_value = "platt")]
    method: MethodArg,
    /// Raise the intercept until at most this share of bona fide presentations, each source
    /// counting alike, is lost at the default threshold.
    #[arg(long, value_name = "SHARE", value_parser = parse_score)]
    max_bpcer: Option<f64>,
    /// A folder laid out like `models/` whose models replace the built-in ones.
    #[arg(long, value_name = "DIR")]
    models_dir: Option<PathBuf>,
    /// The file to write; the service takes it as `--calibration FILE`.
    #[arg(long, value_name = "FILE", default_value = "calibration.toml")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum MethodArg {
    Platt,
    Temperature,
}

/// Scores, fits, writes the file and says what it changes.
pub fn run(args: &CalibrateArgs) -> anyhow::Result<ExitCode> {
    let labelled = args.labelled.load()?;
    let config = EngineConfig {
        models_dir: args.models_dir.clone(),
        ..Default::default()
    };
    let engine = Arc::new(Engine::load(&config).context("the engine cannot start")?);
    let build = labelled::build()?;
    let scorer = EngineScorer::new("Lifesign", engine.clone(), Profile::Standard, &build);
    let scored = labelled.score(&[Scorer::Model(Box::new(scorer))])?;
    let samples = samples(&labelled.manifest, &scored);
    let options = FitOptions {
        method: match args.method {
            MethodArg::Platt => Method::Platt,
            MethodArg::Temperature => Method::Temperature,
        },
        limit: args.max_bpcer.map(|bpcer| BpcerLimit {
            bpcer,
            threshold: DEFAULT_MIN_SCORE,
        }),
    };
    let in_force = engine.calibration();
    let fitted = fit::fit(&samples, &in_force.calibration, &options)?;
    let unseen = fit::cross_fitted(&samples, &in_force.calibration, &options);

    let scores = |calibrations: &Calibrations| -> Vec<f64> {
        let score = |sample: &Sample| calibrations.of(sample.device).probability(sample.raw);
        samples.iter().map(score).collect()
    };
    let columns = [
        ("in force", Some(scores(&in_force.calibration))),
        ("fitted", Some(scores(&fitted))),
        ("fitted on other sources", unseen),
    ];
    let columns: Vec<(&str, Figures)> = columns
        .into_iter()
        .filter_map(|(name, scores)| Some((name, Figures::new(&samples, &scores?)?)))
        .collect();
    let without = scored.rows.len() - samples.len();
    anstream::println!(
        "{} presentations with a score, {without} without.\n",
        samples.len()
    );
    anstream::println!("{}", aligned(&parameters(&in_force.calibration, &fitted)));
    anstream::println!("{}", aligned(&comparison(&columns)));

    let mut file = CalibrationFile::new(in_force.weights.clone(), fitted);
    file.info = info(args, &labelled.origin, &samples, &columns);
    write(&args.out, &file.to_toml())?;
    Ok(ExitCode::SUCCESS)
}

/// The presentations that got a score.
fn samples(manifest: &Manifest, scored: &Scored) -> Vec<Sample> {
    let units = Units::of(manifest, &scored.rows);
    let each = scored.rows.iter().zip(&units.of_row);
    let each = each.zip(&scored.responses[0]);
    each.filter_map(|((row, &source), response)| match response {
        Response::Score { raw: Some(raw), .. } => Some(Sample {
            raw: *raw,
            bona_fide: !row.label.is_attack(),
            device: row.device(),
            source,
        }),
        _ => None,
    })
    .collect()
}

/// What a calibration gives on the samples.
struct Figures {
    brier: f64,
    ece: f64,
    apcer: f64,
    bpcer: f64,
}

impl Figures {
    fn new(samples: &[Sample], scores: &[f64]) -> Option<Figures> {
        let labelled = samples.iter().zip(scores);
        let labelled: Vec<(f64, bool)> = labelled
            .map(|(sample, &score)| (score, sample.bona_fide))
            .collect();
        let calibration = calibration::figures(&labelled)?;
        let wrong = |bona_fide: bool| {
            let of_class = labelled.iter().filter(|(_, label)| *label == bona_fide);
            let passed = |score: f64| Decision::new(score, DEFAULT_MIN_SCORE).passed;
            let wrong = of_class
                .clone()
                .filter(|(score, _)| passed(*score) != bona_fide);
            wrong.count() as f64 / of_class.count() as f64
        };
        Some(Figures {
            brier: calibration.brier,
            ece: calibration.ece,
            apcer: wrong(false),
            bpcer: wrong(true),
        })
    }
}

fn parameters(before: &Calibrations, after: &Calibrations) -> Vec<Vec<String>> {
    let head = [
        "calibration",
        "slope before",
        "intercept before",
        "slope",
        "intercept",
    ];
    let devices = [
        ("default", Device::Unknown, Some(after.default)),
        ("desktop", Device::Desktop, after.desktop),
        ("ios", Device::Ios, after.ios),
        ("android", Device::Android, after.android),
    ];
    let rows = devices.into_iter().filter_map(|(name, device, after)| {
        let numbers = |calibration: &Calibration| {
            [calibration.slope, calibration.intercept].map(|number| format!("{number:.4}"))
        };
        let cells = [numbers(before.of(device)), numbers(&after?)].concat();
        Some(std::iter::once(name.to_owned()).chain(cells).collect())
    });
    std::iter::once(head.map(str::to_owned).to_vec())
        .chain(rows)
        .collect()
}

fn comparison(columns: &[(&str, Figures)]) -> Vec<Vec<String>> {
    let row = |name: String, cell: &dyn Fn(&Figures) -> String| {
        let cells = columns.iter().map(|(_, figures)| cell(figures));
        std::iter::once(name).chain(cells).collect()
    };
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let names = columns.iter().map(|(name, _)| (*name).to_owned());
    vec![
        std::iter::once(String::new()).chain(names).collect(),
        row("Brier score".to_owned(), &|figures| {
            format!("{:.4}", figures.brier)
        }),
        row("expected calibration error, %".to_owned(), &|figures| {
            percent(figures.ece)
        }),
        row(
            format!("APCER at {DEFAULT_MIN_SCORE}, all attacks, %"),
            &|figures| percent(figures.apcer),
        ),
        row(format!("BPCER at {DEFAULT_MIN_SCORE}, %"), &|figures| {
            percent(figures.bpcer)
        }),
    ]
}

/// Where the file comes from, for whoever finds it later.
fn info(
    args: &CalibrateArgs,
    origin: &lifesign_eval::assemble::Origin,
    samples: &[Sample],
    columns: &[(&str, Figures)],
) -> toml::Table {
    let mut info = toml::Table::new();
    let mut say = |key: &str, value: String| {
        info.insert(key.to_owned(), toml::Value::String(value));
    };
    let bona_fide = samples.iter().filter(|sample| sample.bona_fide).count();
    say(
        "made",
        format!(
            "{} by lifesign {}",
            labelled::now(),
            env!("CARGO_PKG_VERSION")
        ),
    );
    say("manifest_sha256", origin.sha256.clone());
    let conditions: Vec<String> = origin.conditions.iter().map(ToString::to_string).collect();
    say(
        "rows",
        if conditions.is_empty() {
            "all".to_owned()
        } else {
            conditions.join(" and ")
        },
    );
    say(
        "presentations",
        format!(
            "{bona_fide} bona fide, {} attacks",
            samples.len() - bona_fide
        ),
    );
    let method = match args.method {
        MethodArg::Platt => "Platt scaling, classes and sources weighted alike",
        MethodArg::Temperature => "temperature scaling, classes and sources weighted alike",
    };
    say(
        "method",
        match args.max_bpcer {
            Some(limit) => format!(
                "{method}; intercept raised for a BPCER of at most {limit} at {DEFAULT_MIN_SCORE}"
            ),
            None => method.to_owned(),
        },
    );
    for (name, figures) in columns {
        let Figures {
            brier,
            ece,
            apcer,
            bpcer,
        } = figures;
        let figures = format!(
            "Brier {brier:.4}, ECE {ece:.4}, at {DEFAULT_MIN_SCORE} APCER {apcer:.4} over all attacks and BPCER {bpcer:.4}"
        );
        say(&name.replace(' ', "_"), figures);
    }
    info
}
