//! The outbox: what webhooks are to be told, and what came of it.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::attempts::Attempt;
use super::{Store, StoreError, count, now, object_id, timestamp};

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It will be tried, for the first time or again.
    Pending,
    /// The webhook took it.
    Delivered,
    /// It was given up; it can be replayed.
    Failed,
}

impl DeliveryState {
    /// `pending`, `delivered` or `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
        }
    }
}

/// A delivery, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// 24 hexadecimal characters; the event's id.
    pub id: String,
    /// Where to.
    pub url: String,
    /// The attempt that it tells of.
    pub attempt_id: String,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub tries: u32,
    /// When it will be tried next, where it is pending.
    pub due_at: Option<Timestamp>,
    /// What came of the last try.
    pub outcome: Option<String>,
    /// When the attempt was recorded.
    pub created_at: Timestamp,
}

/// A delivery whose time has come.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its id.
    pub id: String,
    /// The webhook.
    pub webhook_id: String,
    /// Where to.
    pub url: String,
    /// The webhook's sealed secret.
    pub sealed: Vec<u8>,
    /// What is posted.
    pub body: String,
    /// How often it was tried, this time included.
    pub tries: u32,
}

fn read(row: &AnyRow) -> Result<Delivery, sqlx::Error> {
    let due_at: Option<i64> = row.try_get("due_at")?;
    let delivered_at: Option<i64> = row.try_get("delivered_at")?;
    Ok(Delivery {
        id: row.try_get("id")?,
        url: row.try_get("url")?,
        attempt_id: row.try_get("attempt_id")?,
        state: match (due_at, delivered_at) {
            (Some(_), _) => DeliveryState::Pending,
            (None, Some(_)) => DeliveryState::Delivered,
            (None, None) => DeliveryState::Failed,
        },
        tries: count(row, "tries")?,
        due_at: due_at.map(|at| timestamp("due_at", at)).transpose()?,
        outcome: row.try_get("outcome")?,
        created_at: timestamp("created_at", row.try_get("created_at")?)?,
    })
}

fn read_due(row: &AnyRow) -> Result<Due, sqlx::Error> {
    Ok(Due {
        id: row.try_get("id")?,
        webhook_id: row.try_get("webhook_id")?,
        url: row.try_get("url")?,
        sealed: row.try_get("sealed")?,
        body: row.try_get("body")?,
        tries: count(row, "tries")?,
    })
}

fn millisecond(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Puts what `event` writes into the outbox of each of the attempt's client's webhooks, in the
/// transaction of what it tells. Returns whether there are any.
pub(super) async fn put_in_outbox(
    connection: &mut AnyConnection,
    attempt: &Attempt,
    event: impl FnOnce() -> String,
) -> Result<bool, StoreError> {
    let webhooks: Vec<String> = sqlx::query_scalar("SELECT id FROM webhooks WHERE client_id = $1")
        .bind(&attempt.client_id)
        .fetch_all(&mut *connection)
        .await?;
    if webhooks.is_empty() {
        return Ok(false);
    }
    let body = event();
    for webhook in &webhooks {
        sqlx::query(
            "INSERT INTO deliveries (id, webhook_id, attempt_id, body, created_at,
                                     queued_at, due_at)
             VALUES ($1, $2, $3, $4, $5, $5, $5)",
        )
        .bind(object_id())
        .bind(webhook)
        .bind(&attempt.id)
        .bind(&body)
        .bind(now())
        .execute(&mut *connection)
        .await?;
    }
    Ok(true)
}

impl Store {
    /// Takes at most `limit` deliveries whose time has come, none of them to the `busy` webhooks, and
    /// at most `share` to any one. Nobody else gets them for `lease`; should this process die
    /// meanwhile, they are due again after that. One that is due `latest` from now or later was
    /// written when the clock was ahead, and its time has come as well.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim_deliveries(
        &self,
        limit: u32,
        share: u32,
        busy: &[&str],
        lease: Duration,
        latest: Duration,
    ) -> Result<Vec<Due>, StoreError> {
        // The time is compared again where it is written: another replica may have been faster.
        // Looked for before it is written: an empty outbox costs no write lock.
        let due: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM deliveries WHERE due_at <= $1 OR due_at > $2 LIMIT 1",
        )
        .bind(now())
        .bind(now().saturating_add(millisecond(latest)))
        .fetch_optional(&self.pool)
        .await?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "UPDATE deliveries SET tries = tries + 1, due_at = $1 + $2
             WHERE id IN (
                 SELECT id FROM (
                     SELECT id, due_at,
                            row_number() OVER (PARTITION BY webhook_id ORDER BY due_at) AS place
                     FROM deliveries
                     WHERE (due_at <= $1 OR due_at > $6) AND $5 NOT LIKE '%' || webhook_id || '%') AS places
                 WHERE place <= $4 ORDER BY due_at LIMIT $3)
               AND (due_at <= $1 OR due_at > $6)
             RETURNING id, webhook_id, body, tries,
                 (SELECT url FROM webhooks WHERE webhooks.id = webhook_id) AS url,
                 (SELECT sealed FROM webhooks WHERE webhooks.id = webhook_id) AS sealed",
        )
        .bind(now())
        .bind(millisecond(lease))
        .bind(i64::from(limit))
        .bind(i64::from(share))
        .bind(busy.join(","))
        .bind(now().saturating_add(millisecond(latest)))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(read_due).collect::<Result<_, _>>()?)
    }

    /// Notes that a delivery arrived.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delivered(&self, id: &str, outcome: &str) -> Result<(), StoreError> {
        let sql =
            "UPDATE deliveries SET due_at = NULL, delivered_at = $1, outcome = $2 WHERE id = $3";
        sqlx::query(sql)
            .bind(now())
            .bind(outcome)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes that a delivery did not arrive, and is due again after `again`, or never.
    ///
    /// # Errors
    /// The database failed.
    pub async fn not_delivered(
        &self,
        id: &str,
        outcome: &str,
        again: Option<Duration>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE deliveries SET due_at = $1, outcome = $2 WHERE id = $3")
            .bind(again.map(|after| now().saturating_add(millisecond(after))))
            .bind(outcome)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The deliveries of a client, the newest first, at most `limit`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn deliveries(
        &self,
        client_id: &str,
        state: Option<DeliveryState>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows = sqlx::query(
            "SELECT deliveries.*, webhooks.url FROM deliveries
             JOIN webhooks ON webhooks.id = deliveries.webhook_id
             WHERE client_id = $1 AND ($2 IS NULL OR $2 = CASE
                 WHEN due_at IS NOT NULL THEN 'pending'
                 WHEN delivered_at IS NOT NULL THEN 'delivered'
                 ELSE 'failed' END)
             ORDER BY deliveries.created_at DESC, deliveries.id DESC LIMIT $3",
        )
        .bind(client_id)
        .bind(state.map(DeliveryState::as_str))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Makes one delivery of a client due now, whatever came of it before; with `None`, all that
    /// failed. Returns how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn replay_deliveries(
        &self,
        client_id: &str,
        id: Option<&str>,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE deliveries SET due_at = $1, tries = 0, delivered_at = NULL, queued_at = $1
             WHERE webhook_id IN (SELECT id FROM webhooks WHERE client_id = $2)
               AND (id = $3 OR ($3 IS NULL AND due_at IS NULL AND delivered_at IS NULL))",
        )
        .bind(now())
        .bind(client_id)
        .bind(id)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Deletes deliveries that were done with before `before`. Returns how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn purge_deliveries(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM deliveries WHERE due_at IS NULL AND queued_at < $1")
            .bind(before.as_millisecond())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }
}
