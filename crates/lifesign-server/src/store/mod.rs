//! What the service remembers, in one SQLite or PostgreSQL database: clients, tokens, collections, attempts, the
//! keys of receipts, webhooks and what is to be delivered to them. Photographs and tokens
//! themselves are never stored.
//!
//! Both databases get the same statements; the tables differ in the names of four types.

mod attempts;
mod clients;
mod collections;
mod deliveries;
mod dialect;
mod erase;
mod kept_images;
#[cfg(test)]
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod secrets;
mod signing_keys;
mod tokens;
mod usage;
mod webhooks;

pub use attempts::{Attempt, AttemptFilter, NewAttempt, Position, Recorded};
pub use clients::Client;
pub use collections::Collection;
pub use deliveries::{Delivery, DeliveryState, Due};
pub use erase::Holdings;
pub use kept_images::KeptImage;
pub use signing_keys::SigningKeyRow;
pub use tokens::Token;
pub use webhooks::Webhook;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, AssertSqlSafe, ConnectOptions as _, Row as _, SqlSafeStr as _};

/// The migrations in order; those that a release has shipped never change again.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "initial",
        include_str!("../../migrations/0001_initial.sql"),
    ),
    (
        2,
        "receipts and webhooks",
        include_str!("../../migrations/0002_receipts_and_webhooks.sql"),
    ),
    (
        3,
        "operation",
        include_str!("../../migrations/0003_operation.sql"),
    ),
];

/// Connections to SQLite: one writes, the others read.
const SQLITE_CONNECTIONS: u32 = 4;
/// Connections to PostgreSQL, for each replica.
const POSTGRES_CONNECTIONS: u32 = 10;

/// Which database, and where.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server, with its password where it has one.
    Postgres(Url),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Without the password.
impl std::fmt::Display for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Database::Sqlite(path) => write!(f, "{}", path.display()),
            Database::Postgres(url) => {
                let (host, port) = (
                    url.host_str().unwrap_or_default(),
                    url.port().unwrap_or(5432),
                );
                write!(f, "postgres://{host}:{port}{}", url.path())
            }
        }
    }
}

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said so.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The database could not be brought to this version's tables.
    #[error("the database could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The path of the file cannot be written as an address.
    #[error("the path {} cannot be used", .0.display())]
    Path(PathBuf),
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

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
}

impl Store {
    /// Opens the database, makes the file where it is SQLite and there is none, and migrates it.
    ///
    /// # Errors
    /// It cannot be opened or reached, or is not a database of this or an earlier version.
    pub async fn open(database: &Database) -> Result<Store, StoreError> {
        sqlx::any::install_default_drivers();
        let pool = match database {
            Database::Sqlite(path) => {
                // Readers and the one writer do not block each other, also across processes: the
                // command line works beside a running server. Foreign keys, and waiting for the
                // writer, are the driver's defaults.
                let write_ahead = AnyPoolOptions::new().after_connect(|connection, _| {
                    Box::pin(async move {
                        sqlx::query("PRAGMA journal_mode = WAL")
                            .execute(connection)
                            .await?;
                        Ok(())
                    })
                });
                connect(write_ahead, SQLITE_CONNECTIONS, sqlite_url(path)?).await?
            }
            Database::Postgres(url) => {
                connect(AnyPoolOptions::new(), POSTGRES_CONNECTIONS, url.clone()).await?
            }
        };
        let migrations = MIGRATIONS.iter().map(|&(version, name, sql)| {
            let sql = match database {
                Database::Sqlite(_) => sql.to_owned(),
                Database::Postgres(_) => dialect::postgres(sql),
            };
            let sql = AssertSqlSafe(sql).into_sql_str();
            Migration::new(version, name.into(), MigrationType::Simple, sql, false)
        });
        Migrator::with_migrations(migrations.collect())
            .run(&pool)
            .await?;
        Ok(Store { pool })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM clients LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        Ok(())
    }

    /// Waits for what is under way and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn connect(
    options: AnyPoolOptions,
    connections: u32,
    url: Url,
) -> Result<AnyPool, sqlx::Error> {
    let address = AnyConnectOptions::from_url(&url)?;
    let connected = options
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(address.clone())
        .await;
    match connected {
        // The pool tried all that time and does not say what went wrong: one more try does.
        Err(timed_out @ sqlx::Error::PoolTimedOut) => {
            Err(address.connect().await.err().unwrap_or(timed_out))
        }
        other => other,
    }
}

/// The address of a SQLite file that is made where it is not there.
fn sqlite_url(path: &Path) -> Result<Url, StoreError> {
    let unusable = || StoreError::Path(path.to_path_buf());
    let path = std::path::absolute(path).map_err(|_| unusable())?;
    // By way of a file: address, which knows how to write any path.
    let file = Url::from_file_path(path).map_err(|()| unusable())?;
    format!("sqlite://{}?mode=rwc", file.path())
        .parse()
        .map_err(|_| unusable())
}

/// A number that may be NULL, to be bound where the statement says `CAST($n AS DOUBLE PRECISION)`: as
/// text, because sqlx 0.9 binds NULL for a double as a single float, which makes PostgreSQL refuse
/// the doubles that come after it on the same connection.
fn real(value: Option<f64>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// A stored flag: 0 or 1.
fn flag(row: &AnyRow, column: &str) -> Result<bool, sqlx::Error> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

/// A stored count.
fn count(row: &AnyRow, column: &str) -> Result<u32, sqlx::Error> {
    Ok(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX))
}

/// Now, as stored: Unix milliseconds.
fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A stored time.
fn timestamp(column: &str, millisecond: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(millisecond).map_err(|cause| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: cause.into(),
    })
}

/// A fresh identifier in the form of the hosted service's: 24 hexadecimal characters.
pub(crate) fn object_id() -> String {
    hex::encode(rand::random::<[u8; 12]>())
}

/// Turns the breach of a unique name into the error that says so.
fn name_taken(error: sqlx::Error, name: &str) -> StoreError {
    match error {
        sqlx::Error::Database(cause) if cause.is_unique_violation() => {
            StoreError::NameTaken(name.to_owned())
        }
        other => StoreError::Database(other),
    }
}

#[cfg(test)]
pub(crate) async fn scratch() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let database = match postgres::database_of(dir.path()) {
        Some(url) => Database::Postgres(url.parse().unwrap()),
        None => Database::Sqlite(dir.path().join("test.db")),
    };
    let store = Store::open(&database).await.unwrap();
    (dir, store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_keeps_its_promises_on_postgresql_as_well() {
        postgres::run_again(&["store::"]);
    }

    #[test]
    fn a_file_is_opened_whatever_its_name() {
        for name in ["plain.db", "with space?#%41&.db", "ünï.db"] {
            let url = sqlite_url(&Path::new("/tmp/folder").join(name)).unwrap();
            let options = sqlx::sqlite::SqliteConnectOptions::from_url(&url).unwrap();
            assert_eq!(options.get_filename(), Path::new("/tmp/folder").join(name));
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let url = "postgres://user:hunter2@host/name".parse().unwrap();
        let printed = format!("{0} {0:?}", Database::Postgres(url));
        assert_eq!(
            printed,
            "postgres://host:5432/name postgres://host:5432/name"
        );
    }
}
