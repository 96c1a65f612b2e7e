//! From `--scorer` arguments to scorers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, bail};
use lifesign::{Engine, EngineConfig};
use lifesign_bulk::parts;
use lifesign_bulk::{Files, Format, Place};
use lifesign_eval::scorer::Scorer;
use lifesign_eval::scorer::engine::EngineScorer;
use lifesign_eval::scorer::network::NetworkScorer;
use lifesign_eval::scorer::scores::ScoreFile;

use super::EvaluateArgs;
use crate::labelled;

const BUILT_IN: &str = "lifesign";
/// Scores are held in memory.
const LARGEST_SCORES: u64 = 1 << 30;

/// Loads every scorer that is named.
pub(super) fn load(args: &EvaluateArgs, files: &Files) -> anyhow::Result<Vec<Scorer>> {
    let names = match &args.scorers[..] {
        [] => &[BUILT_IN.to_owned()],
        names => names,
    };
    let build = labelled::build()?;
    let built_in = OnceLock::new();
    let mut scorers = Vec::new();
    for name in names {
        let scorer = load_one(name, args, files, &build, &built_in);
        let scorer = scorer.with_context(|| format!("--scorer {name}"))?;
        let known = scorers.iter().map(Scorer::info);
        if known
            .into_iter()
            .any(|info| info.name == scorer.info().name)
        {
            bail!("two scorers are called `{}`", scorer.info().name);
        }
        scorers.push(scorer);
    }
    Ok(scorers)
}

fn load_one(
    name: &str,
    args: &EvaluateArgs,
    files: &Files,
    build: &str,
    built_in: &OnceLock<Arc<Engine>>,
) -> anyhow::Result<Scorer> {
    let place = Place::parse(name)?;
    let path = match &place {
        Place::Local(path) => path,
        Place::Remote(_) => Path::new(""),
    };
    let checked = || -> anyhow::Result<Scorer> {
        let file = ScoreFile::of_check(place.stem(), files, &place)?;
        Ok(Scorer::Scores(file))
    };
    let the_built_in = || -> anyhow::Result<Arc<Engine>> {
        if let Some(engine) = built_in.get() {
            return Ok(engine.clone());
        }
        let engine = engine(None, args.calibration.clone())?;
        Ok(built_in.get_or_init(|| engine).clone())
    };
    Ok(match place.extension() {
        _ if name == BUILT_IN => Scorer::Model(Box::new(EngineScorer::new(
            "Lifesign",
            the_built_in()?,
            args.profile,
            build,
        ))),
        Some(extension) if Format::of_extension(extension).is_some() => checked()?,
        _ if path.is_dir() && parts::any(files, &place)? => checked()?,
        _ if path.is_dir() => Scorer::Model(Box::new(EngineScorer::new(
            &format!("Lifesign with {name}"),
            engine(Some(path.to_owned()), None)?,
            args.profile,
            build,
        ))),
        Some("toml") if !path.as_os_str().is_empty() => Scorer::Model(Box::new(
            NetworkScorer::load(path, args.weights.as_deref(), the_built_in()?, build)?,
        )),
        Some("csv") => {
            let bytes = files.read(&place, LARGEST_SCORES)?;
            Scorer::Scores(ScoreFile::parse(place.stem(), place.name(), &bytes)?)
        }
        None if matches!(place, Place::Remote(_)) => checked()?,
        _ => bail!(
            "expected `lifesign`, a folder of models or of results, a .toml specification, or a \
             .csv, .jsonl or .parquet file"
        ),
    })
}

fn engine(
    models_dir: Option<PathBuf>,
    calibration: Option<PathBuf>,
) -> anyhow::Result<Arc<Engine>> {
    let config = EngineConfig {
        models_dir,
        calibration,
        ..Default::default()
    };
    let engine = Engine::load(&config).context("the engine cannot start")?;
    Ok(Arc::new(engine))
}
