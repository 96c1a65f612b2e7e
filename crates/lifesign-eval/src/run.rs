//! Scoring: every scorer on every image of a manifest.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lifesign::{InferenceError, Limits};

use crate::cache::{self, Known, Writer};
use crate::evaluation::Unreadable;
use crate::manifest::{Manifest, Row};
use crate::parallel;
use crate::photograph::{Images, Photograph};
use crate::scorer::scores::Given;
use crate::scorer::{Failure, Model, Response, Scorer};
use crate::table::TableError;

/// What all scorers made of the readable presentations.
#[derive(Debug)]
pub struct Scored {
    /// The presentations whose image could be read, in the manifest's order.
    pub rows: Vec<Row>,
    /// For each scorer its responses, in the order of `rows`.
    pub responses: Vec<Vec<Response>>,
    /// For each scorer the time of every response that did not come from the cache.
    pub times: Vec<Vec<Duration>>,
    /// The other presentations.
    pub unreadable: Vec<Unreadable>,
    /// How long it all took.
    pub took: Duration,
}

/// Scoring that could not be finished; what was scored so far is in the cache.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The cache cannot be used.
    #[error("the score cache in {folder} cannot be used: {cause}")]
    Cache {
        /// Its folder.
        folder: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// A network failed.
    #[error("{scorer} fails on {image}: {cause}")]
    Inference {
        /// The scorer.
        scorer: String,
        /// As the manifest names it.
        image: String,
        /// The runtime's answer.
        cause: InferenceError,
    },
    /// A file of scores lacks images.
    #[error("the scores of {scorer}: {cause}")]
    Scores {
        /// The scorer.
        scorer: String,
        /// What it lacks.
        cause: TableError,
    },
}

/// A response of one model.
struct Answer {
    response: Response,
    /// `None` where it came from the cache.
    fresh: Option<(String, Duration)>,
}

/// What became of one image.
enum Outcome {
    Answers(Vec<Answer>),
    Unreadable(String),
    Failed { model: usize, cause: InferenceError },
}

/// Runs `scorers` on the `images` of `manifest` on all cores, reading them ahead. `progress` is
/// called after each image; responses are kept in `folder`, if one is given. Where no scorer looks
/// at images none is read.
///
/// # Errors
/// [`RunError`]; what was scored until then is in the cache.
pub fn run(
    manifest: &Manifest,
    images: Images<'_>,
    scorers: &[Scorer],
    folder: Option<&Path>,
    mut progress: impl FnMut(),
) -> Result<Scored, RunError> {
    let start = Instant::now();
    let models = scorers.iter().enumerate();
    let (position, models): (Vec<usize>, Vec<&dyn Model>) = models
        .filter_map(|(nth, scorer)| Some((nth, model(scorer)?)))
        .unzip();
    // Before anything is scored, so that a missing row does not cost an hour first.
    let given = given(scorers, &manifest.rows)?;
    let cache_error = |cause| RunError::Cache {
        folder: folder.unwrap_or(Path::new("")).to_owned(),
        cause,
    };
    let caches = models.iter().map(|&model| cache::open(folder, model));
    let caches: Vec<(Known, Writer)> = caches.collect::<io::Result<_>>().map_err(cache_error)?;
    let (known, mut writers): (Vec<Known>, Vec<Writer>) = caches.into_iter().unzip();

    let mut scored = Scored {
        rows: Vec::new(),
        responses: scorers.iter().map(|_| Vec::new()).collect(),
        times: scorers.iter().map(|_| Vec::new()).collect(),
        unreadable: Vec::new(),
        took: Duration::ZERO,
    };
    let mut rows_seen = 0;
    parallel::in_order(
        manifest.rows.iter(),
        |row| {
            let read = || Photograph::read(images, &row.image, Limits::default());
            (row, (!models.is_empty()).then(read))
        },
        |(row, photograph)| match photograph {
            None => (row, Outcome::Answers(Vec::new())),
            Some(Err(why)) => (row, Outcome::Unreadable(why.to_string())),
            Some(Ok(photograph)) => (row, look(row, &photograph, &models, &known)),
        },
        |(row, outcome)| {
            progress();
            let nth_row = rows_seen;
            rows_seen += 1;
            // Read by somebody else, in vain: no scorer is held against another on such a row.
            let unread = given
                .iter()
                .find_map(|(_, all)| all[nth_row].as_ref().err());
            let outcome = match unread {
                Some(why) => Outcome::Unreadable(why.clone()),
                None => outcome,
            };
            match outcome {
                Outcome::Unreadable(reason) => scored.unreadable.push(Unreadable {
                    line: row.line,
                    image: row.image.clone(),
                    reason,
                }),
                Outcome::Failed { model, cause } => {
                    return Err(RunError::Inference {
                        scorer: models[model].info().name.clone(),
                        image: row.image.clone(),
                        cause,
                    });
                }
                Outcome::Answers(answers) => {
                    for (nth, answer) in answers.into_iter().enumerate() {
                        if let Some((key, took)) = answer.fresh {
                            writers[nth]
                                .put(key, &answer.response)
                                .map_err(cache_error)?;
                            scored.times[position[nth]].push(took);
                        }
                        scored.responses[position[nth]].push(answer.response);
                    }
                    for (position, responses) in &given {
                        scored.responses[*position].extend(responses[nth_row].clone());
                    }
                    scored.rows.push(row.clone());
                }
            }
            Ok(())
        },
    )?;
    scored.took = start.elapsed();
    Ok(scored)
}

fn model(scorer: &Scorer) -> Option<&dyn Model> {
    match scorer {
        Scorer::Model(model) => Some(&**model),
        Scorer::Scores(_) => None,
    }
}

/// The scores made elsewhere, each with its place among the scorers, for every row.
fn given(scorers: &[Scorer], rows: &[Row]) -> Result<Vec<(usize, Vec<Given>)>, RunError> {
    let mut given = Vec::new();
    for (nth, scorer) in scorers.iter().enumerate() {
        if let Scorer::Scores(file) = scorer {
            let responses = file.responses(rows).map_err(|cause| RunError::Scores {
                scorer: scorer.info().name.clone(),
                cause,
            })?;
            given.push((nth, responses));
        }
    }
    Ok(given)
}

fn look(row: &Row, photograph: &Photograph, models: &[&dyn Model], known: &[Known]) -> Outcome {
    let sha256 = photograph.sha256();
    let mut answers = Vec::new();
    for (nth, &model) in models.iter().enumerate() {
        let key = cache::key(model, row, &sha256);
        if let Some(response) = known[nth].get(&key) {
            answers.push(Answer {
                response: response.clone(),
                fresh: None,
            });
            continue;
        }
        match model.respond(row, photograph) {
            Ok((response, took)) => answers.push(Answer {
                response,
                fresh: Some((key, took)),
            }),
            Err(Failure::Unreadable(why)) => return Outcome::Unreadable(why),
            Err(Failure::Inference(cause)) => return Outcome::Failed { model: nth, cause },
        }
    }
    Outcome::Answers(answers)
}
