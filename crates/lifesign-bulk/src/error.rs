//! Why a file cannot be read or written.

use std::error::Error;
use std::io;

use crate::place::Place;

/// A file or folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there.
    #[error("there is no {0}")]
    Missing(Place),
    /// It is there, and was not to be.
    #[error("{0} is there already")]
    Exists(Place),
    /// It is larger than what is read.
    #[error("{place} has more than {limit} bytes")]
    TooLarge {
        /// The file.
        place: Place,
        /// The limit.
        limit: u64,
    },
    /// A folder of results that holds far more than results.
    #[error("{0} holds more than {most} files; give the results a folder of their own", most = crate::files::MOST_NAMES)]
    TooMany(Place),
    /// The system's answer.
    #[error("{place}: {cause}")]
    System {
        /// The file.
        place: Place,
        /// The answer.
        cause: io::Error,
    },
    /// The store's answer, or that there was none.
    #[error("{place}: {}", causes(.cause))]
    Store {
        /// The object.
        place: Place,
        /// The answer.
        cause: Box<object_store::Error>,
    },
    /// Access to stores cannot be set up.
    #[error("access to object stores cannot be set up: {0}")]
    Setup(io::Error),
}

impl FileError {
    pub(crate) fn system(place: &Place, cause: io::Error) -> FileError {
        match cause.kind() {
            io::ErrorKind::NotFound => FileError::Missing(place.clone()),
            io::ErrorKind::AlreadyExists => FileError::Exists(place.clone()),
            _ => FileError::System {
                place: place.clone(),
                cause,
            },
        }
    }

    pub(crate) fn store(place: &Place, cause: object_store::Error) -> FileError {
        match cause {
            object_store::Error::NotFound { .. } => FileError::Missing(place.clone()),
            object_store::Error::AlreadyExists { .. } => FileError::Exists(place.clone()),
            cause => FileError::Store {
                place: place.clone(),
                cause: Box::new(cause),
            },
        }
    }

    /// Whether the store or disk failed, rather than this one file being missing or too large:
    /// then the next file will hardly fare better.
    pub fn is_fault(&self) -> bool {
        matches!(
            self,
            FileError::System { .. } | FileError::Store { .. } | FileError::Setup(_)
        )
    }
}

/// An error and its causes on one line, those left out that repeat what was said.
fn causes(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text.replace('\n', " ")
}
