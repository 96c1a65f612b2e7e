//! Where the service keeps what it remembers: the database and the signing secret, by default both
//! in the data directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::auth::{Secret, SecretError};
use crate::config::Config;
use crate::store::{Database, Store, StoreError};

/// The name of the signing secret where the database holds it.
const SIGNING_SECRET: &str = "signing";

/// Why the data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The directory cannot be made.
    #[error("The data directory {} cannot be made: {cause}.", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The database cannot be opened.
    #[error(
        "The database {database} cannot be opened: {}.",
        crate::error::chain(cause)
    )]
    Database {
        /// Which.
        database: String,
        /// What the database said.
        cause: StoreError,
    },
    /// The secret is there and the database is not.
    #[error(
        "The database {} is missing or empty, but {} is there, so there was one: restore it from a \
         backup. To begin anew, without anything that was recorded, remove that file, too.",
        database.display(),
        secret.display()
    )]
    Lost {
        /// The database's file.
        database: PathBuf,
        /// The signing secret's.
        secret: PathBuf,
    },
    /// There is no usable signing secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Opens the database and reads the signing secret, and makes what is missing of them. With
/// PostgreSQL the secret is in the database, so that replicas share it, unless a file is named.
pub(crate) async fn open(config: &Config) -> Result<(Store, Secret), DataDirError> {
    open_database(config, false).await
}

/// As [`open`], and reads the whole of a SQLite file.
pub(crate) async fn open_checked(config: &Config) -> Result<(Store, Secret), DataDirError> {
    open_database(config, true).await
}

async fn open_database(config: &Config, check: bool) -> Result<(Store, Secret), DataDirError> {
    let database = match &config.database {
        Some(database) => database.clone(),
        None => {
            make(&config.data_dir).map_err(|cause| DataDirError::Directory {
                path: config.data_dir.clone(),
                cause,
            })?;
            Database::Sqlite(config.data_dir.join("lifesign.db"))
        }
    };
    let failed = |cause| DataDirError::Database {
        database: database.to_string(),
        cause,
    };
    let secret = config.data_dir.join("secret.key");
    let store = match &database {
        // The secret is made after the tables: where it is, an empty database is a lost one.
        Database::Sqlite(path) if secret.exists() => match Store::open_existing(&database).await {
            Err(StoreError::Empty) => {
                return Err(DataDirError::Lost {
                    database: path.clone(),
                    secret,
                });
            }
            other => other,
        },
        Database::Sqlite(path) => {
            make_private(path);
            Store::open(&database).await
        }
        Database::Postgres(_) => Store::open(&database).await,
    };
    let store = store.map_err(failed)?;
    if check {
        store.check_whole().await.map_err(failed)?;
    }
    let secret = match (&config.secret_file, &database) {
        (Some(file), _) => Secret::load_or_create(file)?,
        (None, Database::Sqlite(_)) => Secret::load_or_create(&secret)?,
        (None, Database::Postgres(_)) => {
            let fresh = Secret::generate()?;
            let shared = store.shared_secret(SIGNING_SECRET, fresh.bytes());
            Secret::from_bytes(&shared.await.map_err(failed)?)?
        }
    };
    Ok((store, secret))
}

/// SQLite would make its file as the umask says, also in a directory that others may read; the files
/// beside it get its mode. What keeps it from being made here is said when it is opened.
fn make_private(database: &Path) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(database);
}

/// A directory that was there keeps its mode: its owner chose it.
fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
