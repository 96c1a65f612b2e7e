//! The table of webhooks: whom a client wants told of its attempts.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Store, StoreError, now, one, timestamp};

/// An address that is told of a client's attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// 24 hexadecimal characters.
    pub id: String,
    /// Whose attempts.
    pub client_id: String,
    /// Where events are posted to.
    pub url: String,
    /// When it was added.
    pub created_at: Timestamp,
}

fn read(row: &AnyRow) -> Result<Webhook, sqlx::Error> {
    Ok(Webhook {
        id: row.try_get("id")?,
        client_id: row.try_get("client_id")?,
        url: row.try_get("url")?,
        created_at: timestamp("created_at", row.try_get("created_at")?)?,
    })
}

impl Store {
    /// Adds a webhook under a fresh id of the caller's making, to which its secret is sealed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_webhook(
        &self,
        id: &str,
        client_id: &str,
        url: &str,
        sealed: &[u8],
    ) -> Result<Webhook, StoreError> {
        let row = sqlx::query(
            "INSERT INTO webhooks (id, client_id, url, sealed, created_at)
             VALUES ($1, $2, $3, $4, $5) RETURNING *",
        )
        .bind(id)
        .bind(client_id)
        .bind(url)
        .bind(sealed)
        .bind(now())
        .fetch_all(&self.pool)
        .await?;
        Ok(read(&one(row)?)?)
    }

    /// The webhooks of a client, the oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn webhooks(&self, client_id: &str) -> Result<Vec<Webhook>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM webhooks WHERE client_id = $1 ORDER BY created_at, id")
                .bind(client_id)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Removes a client's webhook, and what was to be delivered to it. Returns whether there was
    /// one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn remove_webhook(&self, client_id: &str, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM webhooks WHERE client_id = $1 AND id = $2")
            .bind(client_id)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
