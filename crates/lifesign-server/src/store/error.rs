//! Why the database did not do what it was asked.

use std::path::PathBuf;

use sqlx::migrate::MigrateError;

use super::Trouble;

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said so.
    #[error("{}", what_failed(.0))]
    Database(#[from] sqlx::Error),
    /// The database could not be brought to this version's tables.
    #[error("the database could not be migrated")]
    Migration(#[source] MigrateError),
    /// A later version made it.
    #[error(
        "a newer version of Lifesign made it (its migration {0} is not known here); use that version, \
         or restore a backup from before it"
    )]
    Newer(i64),
    /// The path of the file cannot be written as an address.
    #[error("the path {} cannot be used", .0.display())]
    Path(PathBuf),
    /// The file cannot be opened or written.
    #[error("the file {} cannot be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The file was moved away while it was in use.
    #[error(
        "the file {} was removed or replaced while it was in use, and what is written now would be \
         lost; put it back, or restart the service",
        .0.display()
    )]
    Replaced(PathBuf),
    /// There should be something in it.
    #[error("it is empty")]
    Empty,
    /// What it holds is damaged.
    #[error("{}: {}", Trouble::Damaged, .0)]
    Damaged(String),
    /// No free attempt id was found in many tries.
    #[error("no free attempt id was found in {tries} tries; the table of attempts is full")]
    NoFreeId {
        /// How many ids were tried.
        tries: u32,
    },
    /// The name is taken.
    #[error("the name `{0}` is already in use")]
    NameTaken(String),
}

impl StoreError {
    /// What ails the database; `None` for everything that no operator can do anything about.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            StoreError::Database(error) => Trouble::of(error),
            StoreError::Migration(MigrateError::Execute(error)) => Trouble::of(error),
            StoreError::File { cause, .. } => Some(match cause.kind() {
                std::io::ErrorKind::StorageFull => Trouble::Full,
                std::io::ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
                _ => Trouble::Disk,
            }),
            StoreError::Replaced(_) => Some(Trouble::Disk),
            StoreError::Damaged(_) => Some(Trouble::Damaged),
            _ => None,
        }
    }
}

fn what_failed(error: &sqlx::Error) -> String {
    let trouble = Trouble::of(error).map(|trouble| trouble.to_string());
    trouble.unwrap_or_else(|| "the database failed".to_owned())
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => StoreError::Newer(version),
            other => StoreError::Migration(other),
        }
    }
}
