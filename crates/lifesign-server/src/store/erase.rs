//! Forgetting: attempts over their time, and all of a client.

use jiff::Timestamp;

use super::{Store, StoreError};

/// What there is of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Its attempts.
    pub attempts: u64,
    /// Its collections.
    pub collections: u64,
    /// Its tokens, expired and revoked ones included.
    pub tokens: u64,
    /// Its webhooks.
    pub webhooks: u64,
    /// Its capture sessions.
    pub captures: u64,
    /// Photographs of its attempts that are kept.
    pub images: u64,
}

impl Store {
    /// Deletes the attempts before a time. Returns how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn purge_attempts(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM attempts WHERE created_at < $1")
            .bind(before.as_millisecond())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }

    /// What there is of a client.
    ///
    /// # Errors
    /// The database failed.
    pub async fn holdings(&self, client_id: &str) -> Result<Holdings, StoreError> {
        let count = async |sql: &'static str| -> Result<u64, StoreError> {
            let count: i64 = sqlx::query_scalar(sql)
                .bind(client_id)
                .fetch_one(&self.pool)
                .await?;
            Ok(u64::try_from(count).unwrap_or(0))
        };
        Ok(Holdings {
            attempts: count("SELECT count(*) FROM attempts WHERE client_id = $1").await?,
            collections: count("SELECT count(*) FROM collections WHERE client_id = $1").await?,
            tokens: count("SELECT count(*) FROM tokens WHERE client_id = $1").await?,
            webhooks: count("SELECT count(*) FROM webhooks WHERE client_id = $1").await?,
            captures: count("SELECT count(*) FROM capture_sessions WHERE client_id = $1").await?,
            images: count("SELECT count(*) FROM kept_images WHERE client_id = $1").await?,
        })
    }

    /// Erases a client and all that there is of it, or nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn erase_client(&self, client_id: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for sql in [
            "DELETE FROM webhooks WHERE client_id = $1",
            "DELETE FROM kept_images WHERE client_id = $1",
            "DELETE FROM capture_sessions WHERE client_id = $1",
            "DELETE FROM attempts WHERE client_id = $1",
            "DELETE FROM collections WHERE client_id = $1",
            "DELETE FROM tokens WHERE client_id = $1",
            "DELETE FROM usage WHERE client_id = $1",
            "DELETE FROM clients WHERE id = $1",
        ] {
            sqlx::query(sql)
                .bind(client_id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
