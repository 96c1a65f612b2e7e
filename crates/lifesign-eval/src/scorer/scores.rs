//! Scores made elsewhere: a CSV file with the columns `image` and `score`, or what `lifesign check`
//! wrote.

use std::collections::HashMap;

use lifesign_bulk::parts::{self, PartsError};
use lifesign_bulk::record::Outcome;
use lifesign_bulk::{Files, Format, Place, Record};
use sha2::{Digest, Sha256};

use super::Response;
use crate::evaluation::{FileInfo, ScorerInfo, ScorerKind};
use crate::manifest::Row;
use crate::table::{Table, TableError};

/// Reason of a non-response whose row gives none.
const NO_SCORE: &str = "no_score";
/// What is no photograph at all is unreadable, not refused.
const INVALID_IMAGE: &str = "invalid_image";

/// A response that was given before, or why the image could not be read then.
pub type Given = Result<Response, String>;

/// A file of scores.
pub struct ScoreFile {
    pub(super) info: ScorerInfo,
    given: HashMap<String, Given>,
}

impl ScoreFile {
    /// Reads the bytes of the file called `file`. An empty `score` is a non-response; a column
    /// `reason` may say why.
    ///
    /// # Errors
    /// [`TableError`] names every bad row by line and reason.
    pub fn parse(name: &str, file: &str, bytes: &[u8]) -> Result<ScoreFile, TableError> {
        let table = Table::parse(bytes, &["image", "score"])?;
        let rows = table.rows(|record| {
            let response = match record.value("score") {
                Some(text) => Response::Score {
                    score: score(text)?,
                    raw: None,
                },
                None => Response::NonResponse {
                    reason: record.value("reason").unwrap_or(NO_SCORE).to_owned(),
                },
            };
            Ok((record.image.to_owned(), Ok(response)))
        })?;
        Ok(ScoreFile {
            info: ScorerInfo {
                name: name.to_owned(),
                kind: ScorerKind::Scores,
                description: "Higher means bona fide; an empty score is a non-response.".to_owned(),
                files: vec![FileInfo {
                    name: file.to_owned(),
                    sha256: hex::encode(Sha256::digest(bytes)),
                }],
            },
            given: rows.into_iter().collect(),
        })
    }

    /// Reads what `lifesign check` wrote at `place`: a file, or a folder of parts. Refused captures
    /// are non-responses; an image that could not be read then is unreadable now.
    ///
    /// # Errors
    /// [`CheckedError`]
    pub fn of_check(name: &str, files: &Files, place: &Place) -> Result<ScoreFile, CheckedError> {
        let mut given = HashMap::new();
        let mut count = 0;
        // As `sha256sum part-* | sha256sum` gives it; of one file, its own.
        let mut sha256 = String::new();
        let mut sums = Sha256::new();
        parts::read_all(files, place, |file, bytes, records| {
            count += 1;
            sha256 = hex::encode(Sha256::digest(bytes));
            sums.update(format!("{sha256}  {file}\n"));
            for record in records {
                let Record { image, outcome } = record;
                if given.insert(image.clone(), response(outcome)).is_some() {
                    let file = file.to_owned();
                    return Err(CheckedError::Twice { image, file });
                }
            }
            Ok(())
        })?;
        let name_of_all = match count {
            0 => return Err(CheckedError::Empty),
            1 => place.name().to_owned(),
            parts => format!("{} ({parts} parts)", place.name()),
        };
        let whole = place.extension().and_then(Format::of_extension).is_some();
        Ok(ScoreFile {
            info: ScorerInfo {
                name: name.to_owned(),
                kind: ScorerKind::Scores,
                description: "Results of `lifesign check`; a refused capture is a non-response."
                    .to_owned(),
                files: vec![FileInfo {
                    name: name_of_all,
                    sha256: if whole {
                        sha256
                    } else {
                        hex::encode(sums.finalize())
                    },
                }],
            },
            given,
        })
    }

    /// The response to each row.
    ///
    /// # Errors
    /// [`TableError::Missing`] names the images that have none.
    pub fn responses(&self, rows: &[Row]) -> Result<Vec<Given>, TableError> {
        let of = |row: &Row| self.given.get(&row.image).cloned();
        let missing: Vec<String> = rows
            .iter()
            .filter(|row| !self.given.contains_key(&row.image))
            .map(|row| row.image.clone())
            .collect();
        if missing.is_empty() {
            Ok(rows.iter().filter_map(of).collect())
        } else {
            Err(TableError::Missing(missing))
        }
    }
}

/// Results of `lifesign check` that cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum CheckedError {
    /// A file cannot be read.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// There is no file.
    #[error("there is no part of `lifesign check`")]
    Empty,
    /// An image stands in them twice.
    #[error("{file} has {image}, which has a result already; each image may have one")]
    Twice {
        /// The image.
        image: String,
        /// Where it is the second time.
        file: String,
    },
}

fn response(outcome: Outcome) -> Given {
    match outcome {
        Outcome::Assessed { liveness_score, .. } => Ok(Response::Score {
            score: liveness_score,
            raw: None,
        }),
        // As the engine does when it looks itself.
        Outcome::Rejected {
            failure_reason,
            message,
            ..
        } if failure_reason == INVALID_IMAGE => Err(message),
        Outcome::Rejected { failure_reason, .. } => Ok(Response::NonResponse {
            reason: failure_reason,
        }),
        Outcome::Error { message } => Err(message),
    }
}

fn score(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(score) if score.is_finite() => Ok(score),
        _ => Err(format!(
            "`{text}` is no score; leave it empty where there is none"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    #[test]
    fn an_empty_score_is_a_non_response_and_a_missing_row_a_mistake() {
        let scores = "image,score,reason\na.jpg,0.25,\nb.jpg,,no_face\nextra.jpg,1,\n";
        let file = ScoreFile::parse("ours", "s.csv", scores.as_bytes()).unwrap();
        let rows = |text: &str| Manifest::parse(text.as_bytes()).unwrap().rows;
        let responses = file.responses(&rows("image,label\nb.jpg,attack\na.jpg,attack\n"));
        assert_eq!(
            responses.unwrap(),
            [
                Ok(Response::NonResponse {
                    reason: "no_face".to_owned()
                }),
                Ok(Response::Score {
                    score: 0.25,
                    raw: None
                })
            ]
        );
        let error = file
            .responses(&rows("image,label\nc.jpg,attack\n"))
            .unwrap_err();
        assert!(error.to_string().contains("c.jpg"), "{error}");
    }

    #[test]
    fn scores_that_are_no_numbers_are_named_by_line() {
        let error = ScoreFile::parse("x", "s.csv", b"image,score\na,1\nb,NaN\nc,high\n");
        let message = error.err().unwrap().to_string();
        assert!(message.contains("line 3: `NaN`") && message.contains("line 4: `high`"));
    }

    #[test]
    fn what_check_wrote_gives_scores_non_responses_and_unreadable_images() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        let score = "\"outcome\":\"assessed\",\"liveness_score\":0.75,\"passed\":true,\
            \"min_score\":0.6,\"face\":{\"x\":1,\"y\":1,\"width\":9,\"height\":9},\"elapsed_ms\":1.5";
        let refused = |reason: &str| {
            format!(
                "\"outcome\":\"rejected\",\"code\":\"E\",\"failureReason\":\"{reason}\",\"message\":\"M\""
            )
        };
        let parts = [
            format!("{{\"image\":\"a.jpg\",{score}}}\n"),
            format!(
                "{{\"image\":\"b.jpg\",{}}}\n{{\"image\":\"c.jpg\",{}}}\n",
                refused("no_face_detected"),
                refused("invalid_image")
            ),
        ];
        write("part-0-of-2-00000.jsonl", &parts[0]).unwrap();
        write("part-1-of-2-00000.jsonl", &parts[1]).unwrap();
        write("_part-0-of-2.json", "{}").unwrap();
        let (files, place) = (Files::new(), Place::Local(folder.path().to_owned()));
        let scores = ScoreFile::of_check("ours", &files, &place).unwrap();
        assert!(scores.info.files[0].name.ends_with("(2 parts)"));
        let manifest = "image,label\nc.jpg,attack\nb.jpg,attack\na.jpg,attack\n";
        let rows = Manifest::parse(manifest.as_bytes()).unwrap().rows;
        let [c, b, a] = scores.responses(&rows).unwrap().try_into().unwrap();
        assert_eq!(c, Err("M".to_owned()));
        assert!(matches!(b, Ok(Response::NonResponse { reason }) if reason == "no_face_detected"));
        assert!(matches!(a, Ok(Response::Score { score, .. }) if score == 0.75));

        write("part-0-of-2-00001.jsonl", &parts[0]).unwrap();
        let error = ScoreFile::of_check("ours", &files, &place).err().unwrap();
        assert!(error.to_string().contains("a.jpg"), "{error}");
    }
}
