//! Two connections to SQLite that every liveness call uses: one looks up its token, the other records
//! what came of it.
//!
//! From the pool it would be a different one each time, of which none has in memory what another one
//! wrote: SQLite reads it all again. And the pool wakes a connection's thread once more for each
//! that is given back, to hear that it is well. They are two so that nobody's token waits for a disk.

use std::ops::{Deref, DerefMut};

use sqlx::any::AnyConnectOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, ConnectOptions as _, Connection as _};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
use tokio::time::timeout;

use super::{CONNECTION_TIMEOUT, Store};

/// The two.
#[derive(Debug)]
pub(super) struct Steady {
    reading: Kept,
    writing: Kept,
}

impl Steady {
    /// Connections to that address, each made when it is first needed.
    pub(super) fn new(address: &AnyConnectOptions) -> Steady {
        Steady {
            reading: Kept::new(address),
            writing: Kept::new(address),
        }
    }

    /// Waits for what is under way and closes both.
    pub(super) async fn close(&self) {
        self.reading.close().await;
        self.writing.close().await;
    }
}

/// A connection that one after the other uses.
#[derive(Debug)]
struct Kept {
    address: AnyConnectOptions,
    connection: Mutex<Option<AnyConnection>>,
}

impl Kept {
    fn new(address: &AnyConnectOptions) -> Kept {
        Kept {
            address: address.clone(),
            connection: Mutex::default(),
        }
    }

    async fn get(&self) -> Result<MappedMutexGuard<'_, AnyConnection>, sqlx::Error> {
        let mut kept = timeout(CONNECTION_TIMEOUT, self.connection.lock())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?;
        if let Some(connection) = kept.as_mut()
            && connection.is_in_transaction()
        {
            // Whoever gave one up has its end queued before this. Where it is open after that, it is
            // one that SQLite ended by itself, as on a full disk, and that sqlx still counts: what
            // comes after it on that connection would never be committed.
            let pinged = connection.ping().await;
            if pinged.is_err() || connection.is_in_transaction() {
                *kept = None;
            }
        }
        if kept.is_none() {
            *kept = Some(self.address.connect().await?);
        }
        MutexGuard::try_map(kept, Option::as_mut).map_err(|_| sqlx::Error::WorkerCrashed)
    }

    async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take() {
            // It is gone either way.
            let _ = connection.close().await;
        }
    }
}

/// A connection for one statement or transaction.
pub(super) enum Lease<'a> {
    Pooled(PoolConnection<Any>),
    Kept(MappedMutexGuard<'a, AnyConnection>),
}

impl Deref for Lease<'_> {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        match self {
            Lease::Pooled(connection) => connection,
            Lease::Kept(connection) => connection,
        }
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        match self {
            Lease::Pooled(connection) => connection,
            Lease::Kept(connection) => connection,
        }
    }
}

impl Store {
    /// The connection that looks up tokens.
    pub(super) async fn reading(&self) -> Result<Lease<'_>, sqlx::Error> {
        self.lease(|steady| &steady.reading).await
    }

    /// The connection that records attempts.
    pub(super) async fn writing(&self) -> Result<Lease<'_>, sqlx::Error> {
        self.lease(|steady| &steady.writing).await
    }

    async fn lease(&self, which: impl FnOnce(&Steady) -> &Kept) -> Result<Lease<'_>, sqlx::Error> {
        match &self.steady {
            Some(_) if self.pool.is_closed() => Err(sqlx::Error::PoolClosed),
            Some(steady) => which(steady).get().await.map(Lease::Kept),
            None => self.pool.acquire().await.map(Lease::Pooled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Database;
    use super::*;

    async fn add_client(store: &Store, name: &'static str) {
        let mut connection = store.writing().await.unwrap();
        let mut transaction = connection.begin().await.unwrap();
        sqlx::query("INSERT INTO clients (id, name, created_at) VALUES ($1, $1, 0)")
            .bind(name)
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    #[tokio::test]
    async fn what_comes_after_a_transaction_that_ended_otherwise_is_committed() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(dir.path().join("test.db"));
        let store = Store::open(&database).await.unwrap();
        // Given up; and ended as SQLite does by itself when the disk is full.
        for (sql, name) in [("SELECT 1 FROM clients", "one"), ("ROLLBACK", "two")] {
            let mut connection = store.writing().await.unwrap();
            let mut transaction = connection.begin().await.unwrap();
            sqlx::query(sql).execute(&mut *transaction).await.unwrap();
            drop(transaction);
            drop(connection);
            add_client(&store, name).await;
        }
        // What others see.
        let other = Store::open(&database).await.unwrap();
        assert_eq!(other.clients().await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_closed_database_is_not_opened_again() {
        let (_dir, store) = super::super::scratch().await;
        assert_eq!(store.token("none").await.unwrap(), None);
        store.close().await;
        assert!(store.token("none").await.is_err());
    }
}
