//! The table of attempts: every photograph that an authenticated client had judged. What is to be
//! told to the client's webhooks is written in the same transaction.

use jiff::Timestamp;
use rand::RngExt as _;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection as _, Row as _};

use super::deliveries::put_in_outbox;
use super::{Store, StoreError, flag, now, real, timestamp};

const ID_LENGTH: usize = 5;
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// 36^5 is 60 million ids: even with half of them taken, 64 tries all fail once in 10^19.
const ID_TRIES: u32 = 64;
/// `os` is free text from outside; the record keeps this many characters of it.
const OS_LENGTH: usize = 64;

/// An attempt to be recorded.
#[derive(Debug, Clone)]
pub struct NewAttempt<'a> {
    /// Who asked.
    pub client_id: &'a str,
    /// In which collection, where one was given.
    pub collection_id: Option<&'a str>,
    /// Origin of the capture as sent; cut to 64 characters.
    pub os: &'a str,
    /// The rounded score; `None` where the photograph could not be judged.
    pub score: Option<f64>,
    /// The pass threshold.
    pub min_score: f64,
    /// Whether it passed.
    pub passed: bool,
    /// The `failureReason` where the photograph could not be judged.
    pub reason: Option<&'a str>,
    /// The models that judged.
    pub model: &'a str,
    /// The capture session that it is a part of.
    pub capture_session_id: Option<&'a str>,
}

/// A recorded attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// 5 characters of A-Z0-9.
    pub id: String,
    /// Who asked.
    pub client_id: String,
    /// The collection, unless none was given or it was removed since.
    pub collection_id: Option<String>,
    /// Origin of the capture.
    pub os: String,
    /// The score; `None` where the photograph could not be judged.
    pub score: Option<f64>,
    /// The pass threshold.
    pub min_score: f64,
    /// Whether it passed.
    pub passed: bool,
    /// Why the photograph could not be judged.
    pub reason: Option<String>,
    /// The models that judged.
    pub model: String,
    /// The capture session that it is a part of.
    pub capture_session_id: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// An attempt that was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// As it stands in the database.
    pub attempt: Attempt,
    /// Whether webhooks are to be told.
    pub to_deliver: bool,
}

/// Where a page of attempts begins: after this one, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Its time, to the millisecond.
    pub created_at: Timestamp,
    /// Its id.
    pub id: String,
}

/// Which attempts to list; `None` is all.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    /// In a collection, given by its id or code.
    pub collection: Option<String>,
    /// With this `os`, in any case.
    pub os: Option<String>,
    /// That passed, or did not.
    pub passed: Option<bool>,
    /// At or after this time.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// After this attempt in the order of the list: older ones.
    pub after: Option<Position>,
}

pub(super) fn read(row: &AnyRow) -> Result<Attempt, sqlx::Error> {
    Ok(Attempt {
        id: row.try_get("id")?,
        client_id: row.try_get("client_id")?,
        collection_id: row.try_get("collection_id")?,
        os: row.try_get("os")?,
        score: row.try_get("score")?,
        min_score: row.try_get("min_score")?,
        passed: flag(row, "passed")?,
        reason: row.try_get("reason")?,
        model: row.try_get("model")?,
        capture_session_id: row.try_get("capture_session_id")?,
        created_at: timestamp("created_at", row.try_get("created_at")?)?,
    })
}

impl Store {
    /// Records an attempt and, in the same transaction, what the client's webhooks are to be told
    /// of it: what `event` writes.
    ///
    /// # Errors
    /// The database failed, or no free id was found; then nothing is recorded.
    pub async fn record_attempt(
        &self,
        attempt: &NewAttempt<'_>,
        event: impl FnOnce(&Attempt) -> String,
    ) -> Result<Recorded, StoreError> {
        let recorded = self.record_attempt_as(attempt, event, fresh_id).await;
        self.health.note(&recorded);
        recorded
    }

    async fn record_attempt_as(
        &self,
        attempt: &NewAttempt<'_>,
        event: impl FnOnce(&Attempt) -> String,
        mut fresh_id: impl FnMut() -> String,
    ) -> Result<Recorded, StoreError> {
        let recorded = self.insert_untold(attempt, &mut fresh_id).await?;
        let recorded = match recorded {
            Some(attempt) => Recorded {
                attempt,
                to_deliver: false,
            },
            None => self.insert_and_tell(attempt, event, fresh_id).await?,
        };
        // What cannot be found again is not recorded.
        self.check_file()?;
        Ok(recorded)
    }

    /// Records an attempt of a client without webhooks, which is nearly every one: in one statement,
    /// a transaction by itself, where [`Store::insert_and_tell`] goes to the database and back four
    /// times. `None`: nothing was recorded, because there are webhooks or the id is taken.
    async fn insert_untold(
        &self,
        attempt: &NewAttempt<'_>,
        fresh_id: impl FnOnce() -> String,
    ) -> Result<Option<Attempt>, StoreError> {
        let mut connection = self.writing().await?;
        insert(&mut connection, attempt, fresh_id(), Only::Untold).await
    }

    async fn insert_and_tell(
        &self,
        attempt: &NewAttempt<'_>,
        event: impl FnOnce(&Attempt) -> String,
        fresh_id: impl FnMut() -> String,
    ) -> Result<Recorded, StoreError> {
        let mut connection = self.writing().await?;
        let mut transaction = connection.begin().await?;
        let attempt = insert_as_new(&mut transaction, attempt, fresh_id).await?;
        let to_deliver = put_in_outbox(&mut transaction, &attempt, || event(&attempt)).await?;
        transaction.commit().await?;
        Ok(Recorded {
            attempt,
            to_deliver,
        })
    }

    /// All attempts of a client, the oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn attempts(&self, client_id: &str) -> Result<Vec<Attempt>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM attempts WHERE client_id = $1 ORDER BY created_at, id")
                .bind(client_id)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// At most `limit` attempts of a client that the filter lets through, the newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_attempts(
        &self,
        client_id: &str,
        filter: &AttemptFilter,
        limit: u32,
    ) -> Result<Vec<Attempt>, StoreError> {
        let millisecond = |time: Option<Timestamp>| time.map(Timestamp::as_millisecond);
        let after = filter.after.as_ref();
        let rows = sqlx::query(
            "SELECT * FROM attempts
             WHERE client_id = $1
               AND ($2 IS NULL OR collection_id =
                    (SELECT id FROM collections WHERE client_id = $1 AND (id = $2 OR code = $2)))
               AND ($3 IS NULL OR lower(os) = lower($3))
               AND ($4 IS NULL OR passed = $4)
               AND ($5 IS NULL OR created_at >= $5)
               AND ($6 IS NULL OR created_at < $6)
               AND ($7 IS NULL OR created_at < $7 OR (created_at = $7 AND id < $8))
             ORDER BY created_at DESC, id DESC LIMIT $9",
        )
        .bind(client_id)
        .bind(filter.collection.as_deref())
        .bind(filter.os.as_deref())
        .bind(filter.passed.map(i64::from))
        .bind(millisecond(filter.from))
        .bind(millisecond(filter.to))
        .bind(after.map(|position| position.created_at.as_millisecond()))
        .bind(after.map(|position| position.id.as_str()))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// The client's attempt of that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn attempt(&self, client_id: &str, id: &str) -> Result<Option<Attempt>, StoreError> {
        let row = sqlx::query("SELECT * FROM attempts WHERE client_id = $1 AND id = $2")
            .bind(client_id)
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }
}

/// Which attempts a statement records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    /// Those of which no webhook is to be told.
    Untold,
    /// Every one.
    All,
}

/// Records an attempt under a fresh id.
async fn insert_as_new(
    connection: &mut AnyConnection,
    attempt: &NewAttempt<'_>,
    mut fresh_id: impl FnMut() -> String,
) -> Result<Attempt, StoreError> {
    for _ in 0..ID_TRIES {
        if let Some(attempt) = insert(connection, attempt, fresh_id(), Only::All).await? {
            return Ok(attempt);
        }
    }
    Err(StoreError::NoFreeId { tries: ID_TRIES })
}

/// Records an attempt; `None` where the id is taken, or it is none of those that are asked for.
async fn insert(
    connection: &mut AnyConnection,
    attempt: &NewAttempt<'_>,
    id: String,
    only: Only,
) -> Result<Option<Attempt>, StoreError> {
    let os: String = attempt.os.chars().take(OS_LENGTH).collect();
    // The collection is looked up again because it may have gone since it was checked.
    let mut rows = sqlx::query(
        "INSERT INTO attempts (id, client_id, collection_id, os, score, min_score, passed,
                               reason, model, created_at, capture_session_id)
         SELECT $1, $2, (SELECT id FROM collections WHERE id = $3), $4,
                CAST($5 AS DOUBLE PRECISION), $6, $7, $8, $9, $10, $11
         WHERE $12 = 1 OR NOT EXISTS (SELECT 1 FROM webhooks WHERE client_id = $2)
         ON CONFLICT (id) DO NOTHING RETURNING *",
    )
    .bind(id)
    .bind(attempt.client_id)
    .bind(attempt.collection_id)
    .bind(&os)
    .bind(real(attempt.score))
    .bind(attempt.min_score)
    .bind(i64::from(attempt.passed))
    .bind(attempt.reason)
    .bind(attempt.model)
    .bind(now())
    .bind(attempt.capture_session_id)
    .bind(i64::from(only == Only::All))
    // All rows, as with `one`: after the first alone, sqlx would not hear that it was not committed.
    .fetch_all(connection)
    .await?;
    Ok(rows.pop().as_ref().map(read).transpose()?)
}

/// A uniformly random id; uniqueness is the primary key's task.
fn fresh_id() -> String {
    let mut rng = rand::rng();
    (0..ID_LENGTH)
        .map(|_| char::from(ID_ALPHABET[rng.random_range(0..ID_ALPHABET.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt<'a>(client_id: &'a str, os: &'a str) -> NewAttempt<'a> {
        NewAttempt {
            client_id,
            collection_id: None,
            os,
            score: None,
            min_score: 0.6,
            passed: false,
            reason: Some("no_face_detected"),
            model: "m",
            capture_session_id: None,
        }
    }

    fn no_event(_: &Attempt) -> String {
        panic!("the client has no webhook")
    }

    #[test]
    fn an_id_is_5_characters_of_its_alphabet() {
        for _ in 0..1000 {
            let id = fresh_id();
            assert_eq!(id.len(), 5);
            assert!(
                id.bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            );
        }
    }

    #[tokio::test]
    async fn a_taken_id_is_tried_again_and_a_full_table_is_an_error() {
        let (_dir, store) = super::super::scratch().await;
        let client = store.add_client("one").await.unwrap();
        let attempt = attempt(&client.id, "x");
        let first = store
            .record_attempt_as(&attempt, no_event, || "AAAAA".into())
            .await
            .unwrap();
        let mut ids = ["AAAAA", "AAAAA", "BBBBB"].into_iter();
        let second = store
            .record_attempt_as(&attempt, no_event, || ids.next().unwrap().into())
            .await
            .unwrap();
        assert_eq!(
            (first.attempt.id.as_str(), second.attempt.id.as_str()),
            ("AAAAA", "BBBBB")
        );
        let full = store
            .record_attempt_as(&attempt, no_event, || "AAAAA".into())
            .await;
        assert!(matches!(full, Err(StoreError::NoFreeId { .. })));
    }

    #[tokio::test]
    async fn attempts_with_and_without_a_score_follow_one_another() {
        let (_dir, store) = super::super::scratch().await;
        let client = store.add_client("one").await.unwrap();
        for score in [None, Some(0.1234), None, Some(1.0), Some(0.0)] {
            let attempt = NewAttempt {
                score,
                ..attempt(&client.id, "x")
            };
            let recorded = store.record_attempt(&attempt, no_event).await.unwrap();
            assert_eq!(recorded.attempt.score, score);
        }
    }

    #[tokio::test]
    async fn a_long_os_is_cut_not_refused() {
        let (_dir, store) = super::super::scratch().await;
        let client = store.add_client("one").await.unwrap();
        store
            .record_attempt(&attempt(&client.id, &"ä".repeat(10_000)), no_event)
            .await
            .unwrap();
        assert_eq!(
            store.attempts(&client.id).await.unwrap()[0].os,
            "ä".repeat(OS_LENGTH)
        );
    }
}
