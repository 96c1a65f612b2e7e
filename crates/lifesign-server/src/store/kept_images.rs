//! The table of kept photographs: where each is, encrypted, and until when.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Store, StoreError, now, timestamp};

/// A kept photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptImage {
    /// The attempt that it was judged in.
    pub attempt_id: String,
    /// Where it is in the archive.
    pub location: String,
    /// Until when it is kept.
    pub expires_at: Timestamp,
}

fn read(row: &AnyRow) -> Result<KeptImage, sqlx::Error> {
    Ok(KeptImage {
        attempt_id: row.try_get("attempt_id")?,
        location: row.try_get("location")?,
        expires_at: timestamp("expires_at", row.try_get("expires_at")?)?,
    })
}

impl Store {
    /// Notes where a photograph is kept, and until when.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_kept_image(
        &self,
        attempt_id: &str,
        client_id: &str,
        location: &str,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO kept_images (attempt_id, client_id, location, expires_at)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(attempt_id)
        .bind(client_id)
        .bind(location)
        .bind(until.as_millisecond())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All kept photographs of a client, those that are kept longest last.
    ///
    /// # Errors
    /// The database failed.
    pub async fn kept_images(&self, client_id: &str) -> Result<Vec<KeptImage>, StoreError> {
        let sql = "SELECT * FROM kept_images WHERE client_id = $1 ORDER BY expires_at, attempt_id";
        let rows = sqlx::query(sql)
            .bind(client_id)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// At most `limit` photographs whose time is over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn expired_images(&self, limit: u32) -> Result<Vec<KeptImage>, StoreError> {
        let rows = sqlx::query("SELECT * FROM kept_images WHERE expires_at <= $1 LIMIT $2")
            .bind(now())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Notes that a photograph is kept no longer.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_kept_image(&self, attempt_id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM kept_images WHERE attempt_id = $1")
            .bind(attempt_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
