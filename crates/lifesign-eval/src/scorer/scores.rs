//! Scores made elsewhere: a CSV file with the columns `image` and `score`.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::Response;
use crate::evaluation::{FileInfo, ScorerInfo, ScorerKind};
use crate::manifest::Row;
use crate::table::{Table, TableError};

/// Reason of a non-response whose row gives none.
const NO_SCORE: &str = "no_score";

/// A file of scores.
pub struct ScoreFile {
    pub(super) info: ScorerInfo,
    responses: HashMap<String, Response>,
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
            Ok((record.image.to_owned(), response))
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
            responses: rows.into_iter().collect(),
        })
    }

    /// The response to each row.
    ///
    /// # Errors
    /// [`TableError::Missing`] names the images that have none.
    pub fn responses(&self, rows: &[Row]) -> Result<Vec<Response>, TableError> {
        let of = |row: &Row| self.responses.get(&row.image).cloned();
        let missing: Vec<String> = rows
            .iter()
            .filter(|row| !self.responses.contains_key(&row.image))
            .map(|row| row.image.clone())
            .collect();
        if missing.is_empty() {
            Ok(rows.iter().filter_map(of).collect())
        } else {
            Err(TableError::Missing(missing))
        }
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
                Response::NonResponse {
                    reason: "no_face".to_owned()
                },
                Response::Score {
                    score: 0.25,
                    raw: None
                }
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
}
