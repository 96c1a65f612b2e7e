//! How records are kept.

use crate::record::Record;
use crate::{jsonl, parquet};

/// A format of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON object on a line for each record.
    JsonLines,
    /// Apache Parquet, compressed by Snappy.
    Parquet,
}

/// Records that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A line is no record.
    #[error("line {line} is no line of `lifesign check --json`: {cause}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong.
        cause: serde_json::Error,
    },
    /// A record cannot be written as JSON.
    #[error(transparent)]
    Write(serde_json::Error),
    /// It is no Parquet file of records.
    #[error("no Parquet file of `lifesign check`: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

impl Format {
    /// Both.
    pub const ALL: [Format; 2] = [Format::JsonLines, Format::Parquet];

    /// What its files' names end with.
    pub fn extension(self) -> &'static str {
        match self {
            Format::JsonLines => "jsonl",
            Format::Parquet => "parquet",
        }
    }

    /// The format of files with this extension.
    pub fn of_extension(extension: &str) -> Option<Format> {
        let all = Format::ALL.into_iter();
        all.into_iter()
            .find(|format| format.extension() == extension)
    }

    /// Records as a file's content.
    ///
    /// # Errors
    /// [`FormatError`]
    pub fn encode(self, records: &[Record]) -> Result<Vec<u8>, FormatError> {
        match self {
            Format::JsonLines => jsonl::encode(records),
            Format::Parquet => Ok(parquet::encode(records)?),
        }
    }

    /// Records from a file's content.
    ///
    /// # Errors
    /// [`FormatError`]
    pub fn decode(self, bytes: Vec<u8>) -> Result<Vec<Record>, FormatError> {
        match self {
            Format::JsonLines => jsonl::decode(&bytes),
            Format::Parquet => Ok(parquet::decode(bytes)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FaceBox, Outcome};

    fn records() -> Vec<Record> {
        let outcomes = [
            Outcome::Assessed {
                liveness_score: 0.9968,
                passed: true,
                min_score: 0.6,
                face: FaceBox {
                    x: 12.3,
                    y: -0.1,
                    width: 100.0,
                    height: 120.5,
                },
                elapsed_ms: 61.4,
            },
            Outcome::Rejected {
                code: "ERR_NO_FACE_DETECTED".to_owned(),
                failure_reason: "no_face_detected".to_owned(),
                message: "No face was found.".to_owned(),
            },
            Outcome::Error {
                message: "there is no \"b\"\n".to_owned(),
            },
        ];
        let named = outcomes.into_iter().enumerate();
        named
            .map(|(nth, outcome)| Record {
                image: format!("ärger/{nth}, \"x\".jpg"),
                outcome,
            })
            .collect()
    }

    #[test]
    fn what_is_written_is_read_again_in_both_formats() {
        for format in Format::ALL {
            for records in [records(), Vec::new()] {
                let bytes = format.encode(&records).unwrap();
                assert_eq!(format.decode(bytes).unwrap(), records, "{format:?}");
            }
        }
    }

    #[test]
    fn what_is_no_record_is_refused_without_a_panic() {
        let whole = Format::Parquet.encode(&records()).unwrap();
        for cut in [0, 3, whole.len() / 2, whole.len() - 1] {
            assert!(Format::Parquet.decode(whole[..cut].to_vec()).is_err());
        }
        for text in [
            "{}",
            "{\"image\":\"a\",\"outcome\":\"assessed\"}",
            "\n\u{1}",
        ] {
            let error = Format::JsonLines.decode(text.into()).unwrap_err();
            assert!(error.to_string().contains("line "), "{error}");
        }
    }
}
