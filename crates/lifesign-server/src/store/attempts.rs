//! The table of attempts: every photograph that an authenticated client had judged.

use jiff::Timestamp;
use rand::RngExt as _;
use sqlx::Row as _;

use super::{Store, StoreError, now, timestamp};

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
    /// When.
    pub created_at: Timestamp,
}

impl Store {
    /// Records an attempt and returns its id.
    ///
    /// # Errors
    /// The database failed, or no free id was found.
    pub async fn record_attempt(&self, attempt: &NewAttempt<'_>) -> Result<String, StoreError> {
        self.record_attempt_as(attempt, fresh_id).await
    }

    async fn record_attempt_as(
        &self,
        attempt: &NewAttempt<'_>,
        mut fresh_id: impl FnMut() -> String,
    ) -> Result<String, StoreError> {
        let os: String = attempt.os.chars().take(OS_LENGTH).collect();
        for _ in 0..ID_TRIES {
            let id = fresh_id();
            // The collection is looked up again because it may have gone since it was checked.
            let done = sqlx::query(
                "INSERT INTO attempts (id, client_id, collection_id, os, score, min_score, passed,
                                       reason, model, created_at)
                 VALUES (?, ?, (SELECT id FROM collections WHERE id = ?), ?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(attempt.client_id)
            .bind(attempt.collection_id)
            .bind(&os)
            .bind(attempt.score)
            .bind(attempt.min_score)
            .bind(attempt.passed)
            .bind(attempt.reason)
            .bind(attempt.model)
            .bind(now())
            .execute(&self.pool)
            .await?;
            if done.rows_affected() == 1 {
                return Ok(id);
            }
        }
        Err(StoreError::NoFreeId { tries: ID_TRIES })
    }

    /// All attempts of a client, the oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn attempts(&self, client_id: &str) -> Result<Vec<Attempt>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM attempts WHERE client_id = ? ORDER BY created_at, rowid")
                .bind(client_id)
                .fetch_all(&self.pool)
                .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok::<_, sqlx::Error>(Attempt {
                id: row.try_get("id")?,
                client_id: row.try_get("client_id")?,
                collection_id: row.try_get("collection_id")?,
                os: row.try_get("os")?,
                score: row.try_get("score")?,
                min_score: row.try_get("min_score")?,
                passed: row.try_get("passed")?,
                reason: row.try_get("reason")?,
                model: row.try_get("model")?,
                created_at: timestamp("created_at", row.try_get("created_at")?)?,
            })
        };
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }
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
        }
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
            .record_attempt_as(&attempt, || "AAAAA".into())
            .await
            .unwrap();
        let mut ids = ["AAAAA", "AAAAA", "BBBBB"].into_iter();
        let second = store
            .record_attempt_as(&attempt, || ids.next().unwrap().into())
            .await
            .unwrap();
        assert_eq!((first.as_str(), second.as_str()), ("AAAAA", "BBBBB"));
        let full = store.record_attempt_as(&attempt, || "AAAAA".into()).await;
        assert!(matches!(full, Err(StoreError::NoFreeId { .. })));
    }

    #[tokio::test]
    async fn a_long_os_is_cut_not_refused() {
        let (_dir, store) = super::super::scratch().await;
        let client = store.add_client("one").await.unwrap();
        store
            .record_attempt(&attempt(&client.id, &"ä".repeat(10_000)))
            .await
            .unwrap();
        assert_eq!(
            store.attempts(&client.id).await.unwrap()[0].os,
            "ä".repeat(OS_LENGTH)
        );
    }
}
