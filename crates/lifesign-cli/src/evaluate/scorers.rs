//! From `--scorer` arguments to scorers.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, bail};
use lifesign::{Engine, EngineConfig};
use lifesign_eval::scorer::Scorer;
use lifesign_eval::scorer::engine::EngineScorer;
use lifesign_eval::scorer::network::NetworkScorer;
use lifesign_eval::scorer::scores::ScoreFile;

use super::EvaluateArgs;
use crate::labelled;

const BUILT_IN: &str = "lifesign";

/// Loads every scorer that is named.
pub(super) fn load(args: &EvaluateArgs) -> anyhow::Result<Vec<Scorer>> {
    let names = match &args.scorers[..] {
        [] => &[BUILT_IN.to_owned()],
        names => names,
    };
    let build = labelled::build()?;
    let built_in = OnceLock::new();
    let mut scorers = Vec::new();
    for name in names {
        let scorer = load_one(name, args, &build, &built_in);
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
    build: &str,
    built_in: &OnceLock<Arc<Engine>>,
) -> anyhow::Result<Scorer> {
    let path = Path::new(name);
    let extension = path.extension().and_then(|extension| extension.to_str());
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let the_built_in = || -> anyhow::Result<Arc<Engine>> {
        if let Some(engine) = built_in.get() {
            return Ok(engine.clone());
        }
        let engine = engine(None, args.calibration.clone())?;
        Ok(built_in.get_or_init(|| engine).clone())
    };
    Ok(match extension {
        _ if name == BUILT_IN => Scorer::Model(Box::new(EngineScorer::new(
            "Lifesign",
            the_built_in()?,
            args.profile,
            build,
        ))),
        _ if path.is_dir() => Scorer::Model(Box::new(EngineScorer::new(
            &format!("Lifesign with {name}"),
            engine(Some(path.to_owned()), None)?,
            args.profile,
            build,
        ))),
        Some("toml") => Scorer::Model(Box::new(NetworkScorer::load(
            path,
            args.weights.as_deref(),
            the_built_in()?,
            build,
        )?)),
        Some("csv") => {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let bytes = fs::read(path)?;
            Scorer::Scores(ScoreFile::parse(&stem, &file, &bytes)?)
        }
        _ => bail!("expected `lifesign`, a folder of models, a .toml specification or a .csv file"),
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
