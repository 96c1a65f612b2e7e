//! The table of signing keys: with which receipts are and were signed.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Store, StoreError, now, timestamp};

/// A signing key as it is kept.
#[derive(Debug, Clone)]
pub struct SigningKeyRow {
    /// Its id: the thumbprint of the public half.
    pub kid: String,
    /// The public half, a JWK.
    pub jwk: String,
    /// The sealed private half; `None` once another key has taken over.
    pub sealed: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
}

fn read(row: &AnyRow) -> Result<SigningKeyRow, sqlx::Error> {
    Ok(SigningKeyRow {
        kid: row.try_get("kid")?,
        jwk: row.try_get("jwk")?,
        sealed: row.try_get("sealed")?,
        created_at: timestamp("created_at", row.try_get("created_at")?)?,
        signs_from: timestamp("signs_from", row.try_get("signs_from")?)?,
    })
}

impl Store {
    /// All keys, the one that signs last first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM signing_keys ORDER BY signs_from DESC, kid")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Adds a key. Unless `in_any_case`, only where none was made after `newest`: of several
    /// processes that see the need for a new key at the same time, one makes it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_signing_key(
        &self,
        key: &SigningKeyRow,
        newest: Option<Timestamp>,
        in_any_case: bool,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO signing_keys (kid, jwk, sealed, created_at, signs_from)
             SELECT $1, $2, $3, $4, $5
             WHERE $7 OR NOT EXISTS (SELECT 1 FROM signing_keys WHERE created_at > coalesce($6, -1))",
        )
        .bind(&key.kid)
        .bind(&key.jwk)
        .bind(key.sealed.as_deref())
        .bind(key.created_at.as_millisecond())
        .bind(key.signs_from.as_millisecond())
        .bind(newest.map(Timestamp::as_millisecond))
        .bind(in_any_case)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Removes a key. Returns whether there was one of that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn remove_signing_key(&self, kid: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM signing_keys WHERE kid = $1")
            .bind(kid)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets the private halves of keys that sign no more, because another signs since before
    /// `before`: what is not there cannot be stolen.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_succeeded_keys(&self, before: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE signing_keys SET sealed = NULL
             WHERE sealed IS NOT NULL AND signs_from < (
                 SELECT max(signs_from) FROM signing_keys WHERE signs_from <= $1)",
        )
        .bind(before.as_millisecond().min(now()))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
