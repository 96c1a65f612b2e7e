//! The table of secrets that replicas share.

use super::{Store, StoreError};

impl Store {
    /// The secret of that name; `fresh` becomes it where there is none yet. All replicas get the
    /// same.
    ///
    /// # Errors
    /// The database failed.
    pub async fn shared_secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        sqlx::query("INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(name)
            .bind(fresh)
            .execute(&self.pool)
            .await?;
        Ok(
            sqlx::query_scalar("SELECT value FROM secrets WHERE name = $1")
                .bind(name)
                .fetch_one(&self.pool)
                .await?,
        )
    }
}
