//! What the service remembers, in one SQLite database: clients, tokens, collections, attempts, the
//! keys of receipts, webhooks and what is to be delivered to them. Photographs and tokens
//! themselves are never stored.

mod attempts;
mod clients;
mod collections;
mod deliveries;
mod signing_keys;
mod tokens;
mod webhooks;

pub use attempts::{Attempt, AttemptFilter, NewAttempt, Position, Recorded};
pub use clients::Client;
pub use collections::Collection;
pub use deliveries::{Delivery, DeliveryState, Due};
pub use signing_keys::SigningKeyRow;
pub use tokens::Token;
pub use webhooks::Webhook;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

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
];

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said so.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The database could not be brought to this version's tables.
    #[error("the database could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
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
    pool: SqlitePool,
}

impl Store {
    /// Opens the database file, makes it where there is none, and migrates it.
    ///
    /// # Errors
    /// The file cannot be opened or is not a database of this or an earlier version.
    pub async fn open(path: &Path) -> Result<Store, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            // Readers and the one writer do not block each other, also across processes: the
            // command line works beside a running server.
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await?;
        let migrations = MIGRATIONS.iter().map(|&(version, name, sql)| {
            let sql = sql.into_sql_str();
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
    let store = Store::open(&dir.path().join("test.db")).await.unwrap();
    (dir, store)
}
