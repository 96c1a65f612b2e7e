//! What the service remembers, in one SQLite or PostgreSQL database: clients, tokens, collections, attempts, the
//! keys of receipts, webhooks and what is to be delivered to them. Photographs and tokens
//! themselves are never stored.
//!
//! Both databases get the same statements; the tables differ in the names of four types.

mod attempts;
mod captures;
mod clients;
mod collections;
mod deliveries;
mod dialect;
mod erase;
mod error;
mod file;
mod health;
mod kept_images;
#[cfg(test)]
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod secrets;
mod signing_keys;
mod steady;
mod tokens;
mod trouble;
mod usage;
mod webhooks;

pub use attempts::{Attempt, AttemptFilter, NewAttempt, Position, Recorded};
pub use captures::{BrowserCapture, Capture, CaptureResult, NewCapture};
pub use clients::Client;
pub use collections::Collection;
pub use deliveries::{Delivery, DeliveryState, Due};
pub use erase::Holdings;
pub use error::StoreError;
pub use kept_images::KeptImage;
pub use signing_keys::SigningKeyRow;
pub use tokens::Token;
pub use trouble::Trouble;
pub use webhooks::Webhook;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Url;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{
    AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _,
    SqlSafeStr as _,
};

use file::OpenFile;
use health::Health;
use steady::Steady;

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
    (4, "pulse", include_str!("../../migrations/0004_pulse.sql")),
    (
        5,
        "capture sessions",
        include_str!("../../migrations/0005_capture_sessions.sql"),
    ),
    (
        6,
        "attempts without a collection",
        include_str!("../../migrations/0006_attempts_without_a_collection.sql"),
    ),
];

/// Connections to SQLite beside the two of [`steady`]: one writes, the others read.
const SQLITE_CONNECTIONS: u32 = 4;
/// Connections to PostgreSQL, for each replica.
const POSTGRES_CONNECTIONS: u32 = 10;
/// How long a request waits for a connection: a database that is gone must not hold requests up.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a start waits for a PostgreSQL server that is starting, too.
const START_TIMEOUT: Duration = Duration::from_secs(10);

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

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    /// Of SQLite.
    steady: Option<Arc<Steady>>,
    /// Of SQLite.
    file: Option<Arc<OpenFile>>,
    health: Arc<Health>,
    last_seen: Option<Timestamp>,
}

impl Store {
    /// Opens the database, makes the file where it is SQLite and there is none, and migrates it.
    ///
    /// # Errors
    /// It cannot be opened or reached, or is not a database of this or an earlier version.
    pub async fn open(database: &Database) -> Result<Store, StoreError> {
        Store::open_or_make(database, true).await
    }

    /// As [`Store::open`], but a SQLite file must be there and hold something.
    ///
    /// # Errors
    /// As [`Store::open`], or there is no such file, or it is empty.
    pub async fn open_existing(database: &Database) -> Result<Store, StoreError> {
        Store::open_or_make(database, false).await
    }

    async fn open_or_make(database: &Database, make: bool) -> Result<Store, StoreError> {
        sqlx::any::install_default_drivers();
        let (pool, steady, file) = match database {
            Database::Sqlite(path) => {
                if !make && std::fs::metadata(path).is_err() {
                    return Err(StoreError::Empty);
                }
                let pool = sqlite(path, make).await;
                let (pool, steady) = pool.map_err(|error| file::explain(path, error))?;
                let file = OpenFile::at(path)?;
                (pool, Some(Arc::new(steady)), Some(Arc::new(file)))
            }
            Database::Postgres(url) => (postgres_pool(url).await?, None, None),
        };
        let mut store = Store {
            pool,
            steady,
            file,
            health: Arc::default(),
            last_seen: None,
        };
        if let Err(error) = store.prepare(database).await {
            return Err(match &store.file {
                Some(file) => file.explain(error),
                None => error,
            });
        }
        Ok(store)
    }

    async fn prepare(&mut self, database: &Database) -> Result<(), StoreError> {
        self.migrate(database).await?;
        self.last_seen = self.read_last_seen().await?;
        Ok(())
    }

    async fn migrate(&self, database: &Database) -> Result<(), StoreError> {
        let migrations = MIGRATIONS.iter().map(|&(version, name, sql)| {
            let sql = match database {
                Database::Sqlite(_) => sql.to_owned(),
                Database::Postgres(_) => dialect::postgres(sql),
            };
            let sql = AssertSqlSafe(sql).into_sql_str();
            Migration::new(version, name.into(), MigrationType::Simple, sql, false)
        });
        Ok(Migrator::with_migrations(migrations.collect())
            .run(&self.pool)
            .await?)
    }

    /// Waits for what is under way and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
        if let Some(steady) = &self.steady {
            steady.close().await;
        }
    }
}

fn options(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECTION_TIMEOUT)
        // A transaction that SQLite ended by itself, on a full disk for example, is one that sqlx
        // still counts: what comes after it on that connection would never be committed.
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        })
}

async fn sqlite(path: &Path, make: bool) -> Result<(AnyPool, Steady), StoreError> {
    let address =
        |mode| AnyConnectOptions::from_url(&sqlite_url(path, mode)?).map_err(StoreError::from);
    // On a connection of its own: what fails here fails for good, where the pool would try again.
    let first = address(if make { "rwc" } else { "rw" })?;
    let mut first: AnyConnection = first.connect().await?;
    let prepared = prepare(&mut first, make).await;
    // A file that disappears must not come back empty.
    let rest = address("rw")?;
    // The pool's first connection comes before this one goes: SQLite tidies up after the last.
    let pool = match prepared {
        Ok(()) => options(SQLITE_CONNECTIONS)
            // What can be lost is a connection over a network: this one is a thread, and to ask it how it
            // is takes as long as to ask it for a row.
            .test_before_acquire(false)
            .connect_with(rest.clone())
            .await
            .map_err(StoreError::from),
        Err(error) => Err(error),
    };
    let closed = first.close().await;
    let pool = pool?;
    closed?;
    Ok((pool, Steady::new(&rest)))
}

async fn prepare(connection: &mut AnyConnection, make: bool) -> Result<(), StoreError> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master")
        .fetch_one(&mut *connection)
        .await?;
    if tables == 0 && !make {
        return Err(StoreError::Empty);
    }
    // Readers and the one writer do not block each other, also across processes: the command line
    // works beside a running server. The file remembers it. Foreign keys, waiting for the writer, and
    // synchronous FULL, without which a power failure would take commits, are the defaults.
    sqlx::query("PRAGMA journal_mode = WAL")
        .execute(connection)
        .await?;
    Ok(())
}

async fn postgres_pool(url: &Url) -> Result<AnyPool, StoreError> {
    let address = AnyConnectOptions::from_url(url)?;
    let pool = options(POSTGRES_CONNECTIONS).connect_lazy_with(address.clone());
    let started = Instant::now();
    loop {
        match pool.acquire().await {
            Ok(_) => return Ok(pool),
            Err(sqlx::Error::PoolTimedOut) if started.elapsed() < START_TIMEOUT => {}
            // The pool tried all that time and does not say what went wrong: one more try does.
            Err(timed_out @ sqlx::Error::PoolTimedOut) => {
                let cause = address.connect().await.err();
                return Err(cause.unwrap_or(timed_out).into());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The address of a SQLite file; the mode `rw` makes none, `rwc` does.
fn sqlite_url(path: &Path, mode: &str) -> Result<Url, StoreError> {
    let unusable = || StoreError::Path(path.to_path_buf());
    let path = std::path::absolute(path).map_err(|_| unusable())?;
    // By way of a file: address, which knows how to write any path.
    let file = Url::from_file_path(path).map_err(|()| unusable())?;
    format!("sqlite://{}?mode={mode}", file.path())
        .parse()
        .map_err(|_| unusable())
}

/// A number that may be NULL, to be bound where the statement says `CAST($n AS DOUBLE PRECISION)`: as
/// text, because sqlx 0.9 binds NULL for a double as a single float, which makes PostgreSQL refuse
/// the doubles that come after it on the same connection.
fn real(value: Option<f64>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// The row of a statement that wrote one. Such statements are asked for all their rows: after the
/// first one alone, sqlx would not hear that SQLite could not commit.
fn one(mut rows: Vec<AnyRow>) -> Result<AnyRow, sqlx::Error> {
    rows.pop().ok_or(sqlx::Error::RowNotFound)
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

/// Whether the database can hold such a text: PostgreSQL has none with NUL, not even to compare with,
/// and would call the question a fault of ours.
pub(crate) fn can_hold(text: &str) -> bool {
    !text.contains('\0')
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
            let url = sqlite_url(&Path::new("/tmp/folder").join(name), "rw").unwrap();
            let options = sqlx::sqlite::SqliteConnectOptions::from_url(&url).unwrap();
            assert_eq!(options.get_filename(), Path::new("/tmp/folder").join(name));
        }
    }

    #[tokio::test]
    async fn a_database_of_a_newer_version_is_refused_and_said_so() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(dir.path().join("test.db"));
        let store = Store::open(&database).await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (999, 'of tomorrow', 1, x'00', 0)",
        )
        .execute(&store.pool)
        .await
        .unwrap();
        store.close().await;
        let error = Store::open(&database).await.unwrap_err().to_string();
        assert!(
            error.contains("newer version of Lifesign") && error.contains("999"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn what_comes_after_a_transaction_that_the_database_ended_by_itself_is_committed() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(dir.path().join("test.db"));
        let store = Store::open(&database).await.unwrap();
        // On every connection: one that is ended as SQLite does by itself when the disk is full, then
        // one that is given up.
        for sql in ["ROLLBACK", "SELECT 1 FROM clients"] {
            let mut transactions = Vec::new();
            for _ in 0..SQLITE_CONNECTIONS {
                let mut transaction = store.pool.begin().await.unwrap();
                sqlx::query(sql).execute(&mut *transaction).await.unwrap();
                transactions.push(transaction);
            }
        }
        let mut transaction = store.pool.begin().await.unwrap();
        sqlx::query("INSERT INTO clients (id, name, created_at) VALUES ('kept', 'kept', 0)")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        // What others see.
        let other = Store::open(&database).await.unwrap();
        let clients = other.clients().await.unwrap();
        let names: Vec<&str> = clients.iter().map(|client| client.name.as_str()).collect();
        assert_eq!(names, ["kept"]);
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
