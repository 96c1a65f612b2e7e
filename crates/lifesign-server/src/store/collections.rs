//! The table of collections: named groups of a client's attempts.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::{Store, StoreError, name_taken, now, object_id, one, timestamp};

/// A named group of a client's attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// 24 hexadecimal characters; what a request gives as `collection_id`.
    pub id: String,
    /// The client it belongs to.
    pub client_id: String,
    /// Its name, unique within the client.
    pub name: String,
    /// What it is for, perhaps empty.
    pub description: String,
    /// A UUID.
    pub code: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a part of a name is like; its wildcards are characters like any other.
fn pattern(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in part.to_ascii_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern + "%"
}

fn read(row: &AnyRow) -> Result<Collection, sqlx::Error> {
    Ok(Collection {
        id: row.try_get("id")?,
        client_id: row.try_get("client_id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        code: row.try_get("code")?,
        created_at: timestamp("created_at", row.try_get("created_at")?)?,
        updated_at: timestamp("updated_at", row.try_get("updated_at")?)?,
    })
}

impl Store {
    /// Adds a collection.
    ///
    /// # Errors
    /// The client has one of that name, or the database failed.
    pub async fn add_collection(
        &self,
        client_id: &str,
        name: &str,
        description: &str,
    ) -> Result<Collection, StoreError> {
        let now = now();
        let rows = sqlx::query(
            "INSERT INTO collections (id, client_id, name, description, code, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *",
        )
        .bind(object_id())
        .bind(client_id)
        .bind(name)
        .bind(description)
        .bind(Uuid::new_v4().to_string())
        .bind(now)
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| name_taken(error, name))?;
        Ok(read(&one(rows)?)?)
    }

    /// All collections of a client, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn collections(&self, client_id: &str) -> Result<Vec<Collection>, StoreError> {
        let rows = sqlx::query("SELECT * FROM collections WHERE client_id = $1 ORDER BY name")
            .bind(client_id)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// A page of a client's collections, by name, and how many there are on all pages. `like_name`
    /// is a part of the name, in any case (of ASCII letters).
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_collections(
        &self,
        client_id: &str,
        like_name: Option<&str>,
        limit: u32,
        offset: u64,
    ) -> Result<(Vec<Collection>, u64), StoreError> {
        const MATCHING: &str = "client_id = $1 AND ($2 IS NULL OR lower(name) LIKE $2 ESCAPE '!')";
        let pattern = like_name.map(pattern);
        let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT count(*) FROM collections WHERE {MATCHING}"
        )))
        .bind(client_id)
        .bind(&pattern)
        .fetch_one(&self.pool)
        .await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT * FROM collections WHERE {MATCHING} ORDER BY name LIMIT $3 OFFSET $4"
        )))
        .bind(client_id)
        .bind(&pattern)
        .bind(i64::from(limit))
        .bind(i64::try_from(offset).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        let collections = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok((collections, u64::try_from(total).unwrap_or(0)))
    }

    /// The client's collection of that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn collection(
        &self,
        client_id: &str,
        id: &str,
    ) -> Result<Option<Collection>, StoreError> {
        let row = sqlx::query("SELECT * FROM collections WHERE client_id = $1 AND id = $2")
            .bind(client_id)
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// The id of the client's collection, given by its id or its code: clients of the hosted
    /// service send either.
    ///
    /// # Errors
    /// The database failed.
    pub async fn collection_id(
        &self,
        client_id: &str,
        id_or_code: &str,
    ) -> Result<Option<String>, StoreError> {
        let sql = "SELECT id FROM collections WHERE client_id = $1 AND (id = $2 OR code = $2)";
        Ok(sqlx::query_scalar(sql)
            .bind(client_id)
            .bind(id_or_code)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Renames or describes a client's collection anew; `None` leaves as it is.
    ///
    /// # Errors
    /// The client has another one of that name, or the database failed.
    pub async fn update_collection(
        &self,
        client_id: &str,
        id: &str,
        name: Option<&str>,
        description: Option<&str>,
    ) -> Result<Option<Collection>, StoreError> {
        let rows = sqlx::query(
            "UPDATE collections
             SET name = coalesce($3, name), description = coalesce($4, description), updated_at = $5
             WHERE client_id = $1 AND id = $2 RETURNING *",
        )
        .bind(client_id)
        .bind(id)
        .bind(name)
        .bind(description)
        .bind(now())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| name_taken(error, name.unwrap_or_default()))?;
        Ok(rows.first().map(read).transpose()?)
    }

    /// Deletes the client's collection of that id; its attempts stay, detached.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_collection(
        &self,
        client_id: &str,
        id: &str,
    ) -> Result<Option<Collection>, StoreError> {
        let sql = "DELETE FROM collections WHERE client_id = $1 AND id = $2 RETURNING *";
        let rows = sqlx::query(sql)
            .bind(client_id)
            .bind(id)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.first().map(read).transpose()?)
    }

    /// Removes a client's collection, given by name or id; its attempts stay, detached. Returns
    /// whether there was one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn remove_collection(&self, client_id: &str, key: &str) -> Result<bool, StoreError> {
        // A name wins over another collection's id, should anyone name one so.
        let done = sqlx::query(
            "DELETE FROM collections WHERE id = (
                 SELECT id FROM collections WHERE client_id = $1 AND (name = $2 OR id = $2)
                 ORDER BY name = $2 DESC LIMIT 1)",
        )
        .bind(client_id)
        .bind(key)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Attempt, NewAttempt};

    #[tokio::test]
    async fn collection_names_are_unique_within_a_client() {
        let (_dir, store) = super::super::scratch().await;
        let (one, two) = (
            store.add_client("one").await.unwrap(),
            store.add_client("two").await.unwrap(),
        );
        let collection = store.add_collection(&one.id, "gate", "").await.unwrap();
        assert_eq!(collection.id.len(), 24);
        assert!(collection.id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(matches!(
            store.add_collection(&one.id, "gate", "").await,
            Err(StoreError::NameTaken(_))
        ));
        store.add_collection(&two.id, "gate", "").await.unwrap();
        for key in [&collection.id, &collection.code] {
            let found = store.collection_id(&one.id, key).await.unwrap();
            assert_eq!(found.as_ref(), Some(&collection.id));
            assert_eq!(store.collection_id(&two.id, key).await.unwrap(), None);
        }
        assert!(
            !store
                .remove_collection(&two.id, &collection.id)
                .await
                .unwrap()
        );
        assert_eq!(store.collections(&one.id).await.unwrap(), [collection]);
    }

    #[tokio::test]
    async fn removing_a_collection_keeps_its_attempts_detached() {
        let (_dir, store) = super::super::scratch().await;
        let client = store.add_client("one").await.unwrap();
        let collection = store.add_collection(&client.id, "gate", "").await.unwrap();
        let attempt = NewAttempt {
            client_id: &client.id,
            collection_id: Some(&collection.id),
            os: "IOS",
            score: Some(0.9),
            min_score: 0.6,
            passed: true,
            reason: None,
            model: "m",
            capture_session_id: None,
        };
        let no_event = |_: &Attempt| String::new();
        let recorded = store.record_attempt(&attempt, no_event).await.unwrap();
        assert!(store.remove_collection(&client.id, "gate").await.unwrap());
        let attempts = store.attempts(&client.id).await.unwrap();
        assert_eq!(
            (attempts[0].id.as_str(), &attempts[0].collection_id),
            (recorded.attempt.id.as_str(), &None)
        );
        // A collection that goes away while its photograph is assessed leaves the attempt detached.
        store.record_attempt(&attempt, no_event).await.unwrap();
        assert_eq!(store.attempts(&client.id).await.unwrap().len(), 2);
    }
}
