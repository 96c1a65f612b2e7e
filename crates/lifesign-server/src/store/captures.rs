//! The table of capture sessions: what a browser may upload, and what came of it.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::attempts::Attempt;
use super::clients::limits;
use super::deliveries::put_in_outbox;
use super::{Store, StoreError, count, flag, now, object_id, one, timestamp};
use crate::limits::ClientLimits;

/// A capture session to be made.
#[derive(Debug, Clone)]
pub struct NewCapture<'a> {
    /// Who asks for it.
    pub client_id: &'a str,
    /// SHA-256 of the browser's token.
    pub token_sha256: [u8; 32],
    /// What a photograph of this session must show, and its receipt names.
    pub nonce: &'a str,
    /// The collection of its attempts.
    pub collection_id: Option<&'a str>,
    /// Origin of the capture; `None` is what the browser says.
    pub os: Option<&'a str>,
    /// The pass threshold.
    pub min_score: f64,
    /// Where the page leads when it is done.
    pub return_url: Option<&'a str>,
    /// How many photographs may be uploaded.
    pub uploads: u32,
    /// For how long.
    pub lifetime: Duration,
}

/// A capture session.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// 24 hexadecimal characters.
    pub id: String,
    /// Who asked for it.
    pub client_id: String,
    /// What a photograph of this session must show, and its receipt names.
    pub nonce: String,
    /// The collection of its attempts, unless none was given or it was removed since.
    pub collection_id: Option<String>,
    /// Origin of the capture; `None` is what the browser says.
    pub os: Option<String>,
    /// The pass threshold.
    pub min_score: f64,
    /// Where the page leads when it is done.
    pub return_url: Option<String>,
    /// How many photographs may still be uploaded.
    pub uploads_left: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when photographs are taken.
    pub expires_at: Timestamp,
    /// What came of it, once it is finished.
    pub result: Option<CaptureResult>,
    /// The receipt of the last photograph that was judged.
    pub receipt: Option<String>,
}

/// What came of a capture session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureResult {
    /// Whether a photograph passed.
    pub passed: bool,
    /// When it was finished.
    pub at: Timestamp,
}

/// A capture session as its browser finds it.
#[derive(Debug, Clone)]
pub struct BrowserCapture {
    /// The session.
    pub capture: Capture,
    /// SHA-256 of the browser's token.
    pub token_sha256: Vec<u8>,
    /// The name of the client that asked for it.
    pub client_name: String,
    /// The client's own limits.
    pub limits: ClientLimits,
    /// Whether the client was disabled.
    pub disabled: bool,
}

fn read(row: &AnyRow) -> Result<Capture, sqlx::Error> {
    let finished_at: Option<i64> = row.try_get("finished_at")?;
    let result = match finished_at {
        Some(at) => Some(CaptureResult {
            passed: flag(row, "passed")?,
            at: timestamp("finished_at", at)?,
        }),
        None => None,
    };
    Ok(Capture {
        id: row.try_get("id")?,
        client_id: row.try_get("client_id")?,
        nonce: row.try_get("nonce")?,
        collection_id: row.try_get("collection_id")?,
        os: row.try_get("os")?,
        min_score: row.try_get("min_score")?,
        return_url: row.try_get("return_url")?,
        uploads_left: count(row, "uploads_left")?,
        created_at: timestamp("created_at", row.try_get("created_at")?)?,
        expires_at: timestamp("expires_at", row.try_get("expires_at")?)?,
        result,
        receipt: row.try_get("receipt")?,
    })
}

impl Store {
    /// Adds a capture session.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_capture(&self, new: &NewCapture<'_>) -> Result<Capture, StoreError> {
        let now = Timestamp::now();
        let expires_at = now.checked_add(new.lifetime).unwrap_or(Timestamp::MAX);
        let rows = sqlx::query(
            "INSERT INTO capture_sessions (id, client_id, token_sha256, nonce, collection_id, os, min_score,
                                           return_url, uploads_left, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *",
        )
        .bind(object_id())
        .bind(new.client_id)
        .bind(new.token_sha256.as_slice())
        .bind(new.nonce)
        .bind(new.collection_id)
        .bind(new.os)
        .bind(new.min_score)
        .bind(new.return_url)
        .bind(i64::from(new.uploads))
        .bind(now.as_millisecond())
        .bind(expires_at.as_millisecond())
        .fetch_all(&self.pool)
        .await?;
        Ok(read(&one(rows)?)?)
    }

    /// The client's capture session of that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn capture(&self, client_id: &str, id: &str) -> Result<Option<Capture>, StoreError> {
        let row = sqlx::query("SELECT * FROM capture_sessions WHERE client_id = $1 AND id = $2")
            .bind(client_id)
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// The capture session of that id, for whoever can show its token.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browser_capture(&self, id: &str) -> Result<Option<BrowserCapture>, StoreError> {
        let row = sqlx::query(
            "SELECT capture_sessions.*, clients.name AS client_name, rate, burst, concurrent, quota,
                    CASE WHEN disabled_at IS NULL THEN 0 ELSE 1 END AS disabled
             FROM capture_sessions JOIN clients ON clients.id = capture_sessions.client_id
             WHERE capture_sessions.id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(BrowserCapture {
            capture: read(&row)?,
            token_sha256: row.try_get("token_sha256")?,
            client_name: row.try_get("client_name")?,
            limits: limits(&row)?,
            disabled: flag(&row, "disabled")?,
        }))
    }

    /// Takes one of the session's uploads. Returns how many are left then, or `None` where it is over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_upload(&self, id: &str) -> Result<Option<u32>, StoreError> {
        let rows = sqlx::query(
            "UPDATE capture_sessions SET uploads_left = uploads_left - 1
             WHERE id = $1 AND uploads_left > 0 AND finished_at IS NULL AND expires_at > $2
             RETURNING uploads_left",
        )
        .bind(id)
        .bind(now())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .first()
            .map(|row| count(row, "uploads_left"))
            .transpose()?)
    }

    /// Gives one back, because the photograph was not looked at.
    ///
    /// # Errors
    /// The database failed.
    pub async fn give_back_upload(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE capture_sessions SET uploads_left = uploads_left + 1 WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps the receipt of a photograph that does not end its session.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_receipt(&self, id: &str, receipt: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE capture_sessions SET receipt = $2 WHERE id = $1 AND finished_at IS NULL",
        )
        .bind(id)
        .bind(receipt)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Finishes a session with its last attempt, unless it is finished, and puts what `event` writes of it
    /// into the outbox, in one transaction. Returns whether webhooks are to be told. Where the last
    /// photograph could not be judged there is no receipt, and the one before it stays.
    ///
    /// # Errors
    /// The database failed; then the session is as it was.
    pub async fn finish_capture(
        &self,
        last: &Attempt,
        id: &str,
        receipt: Option<&str>,
        event: impl FnOnce(&Capture) -> String,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query(
            "UPDATE capture_sessions
             SET finished_at = $2, passed = $3, receipt = COALESCE($4, receipt)
             WHERE id = $1 AND finished_at IS NULL RETURNING *",
        )
        .bind(id)
        .bind(now())
        .bind(i64::from(last.passed))
        .bind(receipt)
        .fetch_all(&mut *transaction)
        .await?;
        let Some(row) = rows.first() else {
            return Ok(false);
        };
        let capture = read(row)?;
        let told = put_in_outbox(&mut transaction, last, || event(&capture)).await?;
        transaction.commit().await?;
        self.check_file()?;
        Ok(told)
    }

    /// The attempts of a session, the oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn attempts_of_capture(&self, id: &str) -> Result<Vec<Attempt>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM attempts WHERE capture_session_id = $1 ORDER BY created_at, id",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .iter()
            .map(super::attempts::read)
            .collect::<Result<_, _>>()?)
    }

    /// Deletes the sessions that ended before a time. Returns how many. Their attempts stay.
    ///
    /// # Errors
    /// The database failed.
    pub async fn purge_captures(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM capture_sessions WHERE expires_at < $1")
            .bind(before.as_millisecond())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }
}
