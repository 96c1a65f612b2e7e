//! The table of tokens: which ids were issued to whom, and which are revoked.

use jiff::Timestamp;
use sqlx::Row as _;

use super::clients::limits;
use super::{Store, StoreError, flag, now, timestamp};
use crate::limits::ClientLimits;

/// An issued token, without the token.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// The token's id.
    pub jti: String,
    /// The client it was issued to.
    pub client_id: String,
    /// That client's name.
    pub client_name: String,
    /// That client's own limits.
    pub limits: ClientLimits,
    /// Until when it is valid.
    pub expires_at: Timestamp,
    /// Whether it was revoked, itself or through its client.
    pub revoked: bool,
}

impl Store {
    /// Records a token that is about to be issued.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_token(
        &self,
        jti: &str,
        client_id: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO tokens (jti, client_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(jti)
        .bind(client_id)
        .bind(now())
        .bind(expires_at.as_millisecond())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The token of that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn token(&self, jti: &str) -> Result<Option<Token>, StoreError> {
        let row = sqlx::query(
            "SELECT client_id, clients.name AS client_name, rate, burst, concurrent, quota, expires_at,
                    CASE WHEN revoked_at IS NULL AND disabled_at IS NULL THEN 0 ELSE 1 END AS revoked
             FROM tokens JOIN clients ON clients.id = tokens.client_id
             WHERE jti = $1",
        )
        .bind(jti)
        .fetch_optional(&mut *self.reading().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Token {
            jti: jti.to_owned(),
            client_id: row.try_get("client_id")?,
            client_name: row.try_get("client_name")?,
            limits: limits(&row)?,
            expires_at: timestamp("expires_at", row.try_get("expires_at")?)?,
            revoked: flag(&row, "revoked")?,
        }))
    }

    /// Revokes a token and records the one that takes its place, both or neither. Returns whether
    /// the old one was still good: of two renewals of one token, one gets a successor.
    ///
    /// # Errors
    /// The database failed.
    pub async fn replace_token(
        &self,
        old_jti: &str,
        jti: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let revoked =
            sqlx::query("UPDATE tokens SET revoked_at = $1 WHERE jti = $2 AND revoked_at IS NULL")
                .bind(now())
                .bind(old_jti)
                .execute(&mut *transaction)
                .await?;
        if revoked.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO tokens (jti, client_id, issued_at, expires_at)
             SELECT $1, client_id, $2, $3 FROM tokens WHERE jti = $4",
        )
        .bind(jti)
        .bind(now())
        .bind(expires_at.as_millisecond())
        .bind(old_jti)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Revokes a token. Returns whether there is one of that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn revoke_token(&self, jti: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE tokens SET revoked_at = coalesce(revoked_at, $1) WHERE jti = $2";
        let done = sqlx::query(sql)
            .bind(now())
            .bind(jti)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
