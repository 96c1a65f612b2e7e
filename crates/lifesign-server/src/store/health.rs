//! Whether the database can do its work: read, and above all write, because an answer that is not
//! recorded is not given.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{Store, StoreError, Trouble, now, timestamp};

/// Whoever asks more often is told what was last seen: anyone may ask.
const SEEN_WITHIN: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Health {
    /// Until the next start: damage does not heal.
    damaged: AtomicBool,
    looked: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl Health {
    /// Remembers damage.
    pub(super) fn note<T>(&self, outcome: &Result<T, StoreError>) {
        if let Err(error) = outcome
            && error.trouble() == Some(Trouble::Damaged)
        {
            self.damaged.store(true, Ordering::Relaxed);
        }
    }
}

impl Store {
    /// Whether the database answers and takes writes, as of a second ago at most.
    ///
    /// # Errors
    /// Why it does not, for the log.
    pub async fn ready(&self) -> Result<(), String> {
        if self.health.damaged.load(Ordering::Relaxed) {
            return Err(Trouble::Damaged.to_string());
        }
        let mut looked = self.health.looked.lock().await;
        if let Some((at, seen)) = looked.as_ref()
            && at.elapsed() < SEEN_WITHIN
        {
            return seen.clone();
        }
        let outcome = self.pulse().await;
        self.health.note(&outcome);
        let seen = outcome.map_err(|error| crate::error::chain(&error));
        *looked = Some((Instant::now(), seen.clone()));
        seen
    }

    async fn pulse(&self) -> Result<(), StoreError> {
        self.check_file()?;
        let outcome = self.read_and_write().await;
        outcome.map_err(|error| match &self.file {
            Some(file) => file.explain(error),
            None => error,
        })
    }

    async fn read_and_write(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM clients LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        sqlx::query(
            "INSERT INTO pulse (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = $1",
        )
        .bind(now())
        .execute(&self.pool)
        .await?;
        self.check_file()
    }

    /// Fails where what is written goes into a file that nobody will find.
    pub(super) fn check_file(&self) -> Result<(), StoreError> {
        self.file.as_ref().map_or(Ok(()), |file| file.check())
    }

    /// The latest time that the database knew of when it was opened: of an attempt, or of a look at its
    /// readiness.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.last_seen
    }

    pub(super) async fn read_last_seen(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(
            "SELECT max(at) FROM (SELECT max(created_at) AS at FROM attempts
                                  UNION ALL SELECT max(at) FROM pulse) AS times",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(at.map(|at| timestamp("at", at)).transpose()?)
    }

    /// Reads the whole of a SQLite file, to find damage before a request does, and writes.
    ///
    /// # Errors
    /// It is damaged, or cannot be read or written.
    pub async fn check_whole(&self) -> Result<(), StoreError> {
        if self.file.is_none() {
            return Ok(());
        }
        let found: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&self.pool)
            .await?;
        match found.as_str() {
            // Only now: damage must not be written into.
            "ok" => self.pulse().await,
            _ => Err(StoreError::Damaged(found.replace('\n', " "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Database, Store};

    #[tokio::test]
    async fn a_file_that_was_removed_or_replaced_is_noticed_until_it_is_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.db");
        let store = Store::open(&Database::Sqlite(path.clone())).await.unwrap();
        assert!(store.pulse().await.is_ok());
        let aside = dir.path().join("aside.db");
        std::fs::rename(&path, &aside).unwrap();
        for replaced in [false, true] {
            if replaced {
                std::fs::copy(&aside, &path).unwrap();
            }
            let error = store.pulse().await.unwrap_err();
            let error = crate::error::chain(&error);
            assert!(error.contains("test.db"), "{error}");
        }
        std::fs::rename(&aside, &path).unwrap();
        assert!(store.pulse().await.is_ok());
    }

    #[tokio::test]
    async fn what_is_committed_is_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.db");
        let store = Store::open(&Database::Sqlite(path)).await.unwrap();
        let setting = async |name: &'static str| -> i64 {
            let setting = sqlx::query_scalar(name).fetch_one(&store.pool);
            setting.await.unwrap()
        };
        // 2 is FULL: a write-ahead log is synchronised at every commit, not at checkpoints alone.
        assert_eq!(setting("PRAGMA synchronous").await, 2);
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&store.pool)
            .await
            .unwrap();
        assert_eq!(mode, "wal");
    }
}
