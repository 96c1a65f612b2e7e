//! The table of clients: who may ask.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Store, StoreError, name_taken, now, object_id, one, real, timestamp};
use crate::limits::ClientLimits;

/// Someone who may ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// 24 hexadecimal characters; the `clientId` of its tokens.
    pub id: String,
    /// Its unique name.
    pub name: String,
    /// Its own limits.
    pub limits: ClientLimits,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was disabled, where it is.
    pub disabled_at: Option<Timestamp>,
}

fn read(row: &AnyRow) -> Result<Client, sqlx::Error> {
    let disabled_at: Option<i64> = row.try_get("disabled_at")?;
    Ok(Client {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        limits: limits(row)?,
        created_at: timestamp("created_at", row.try_get("created_at")?)?,
        disabled_at: disabled_at
            .map(|at| timestamp("disabled_at", at))
            .transpose()?,
    })
}

/// The limits of a client, in a row that has their columns.
pub(super) fn limits(row: &AnyRow) -> Result<ClientLimits, sqlx::Error> {
    let count = |column: &str| -> Result<Option<u32>, sqlx::Error> {
        let count: Option<i64> = row.try_get(column)?;
        Ok(count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)))
    };
    Ok(ClientLimits {
        rate: row.try_get("rate")?,
        burst: count("burst")?,
        concurrent: count("concurrent")?,
        quota: count("quota")?,
    })
}

impl Store {
    /// Adds a client.
    ///
    /// # Errors
    /// The name is taken, or the database failed.
    pub async fn add_client(&self, name: &str) -> Result<Client, StoreError> {
        let rows = sqlx::query(
            "INSERT INTO clients (id, name, created_at) VALUES ($1, $2, $3) RETURNING *",
        )
        .bind(object_id())
        .bind(name)
        .bind(now())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| name_taken(error, name))?;
        Ok(read(&one(rows)?)?)
    }

    /// All clients, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        let rows = sqlx::query("SELECT * FROM clients ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// The client of that name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn client_named(&self, name: &str) -> Result<Option<Client>, StoreError> {
        let row = sqlx::query("SELECT * FROM clients WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// The client that an identity provider calls so: by its id, else by its name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn client_known_as(&self, key: &str) -> Result<Option<Client>, StoreError> {
        let sql = "SELECT * FROM clients WHERE id = $1 OR name = $1 ORDER BY id = $1 DESC LIMIT 1";
        let row = sqlx::query(sql)
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// Gives a client limits of its own; `None` is the configured one. Returns whether there is such
    /// a client.
    ///
    /// # Errors
    /// The database failed.
    pub async fn limit_client(&self, id: &str, limits: ClientLimits) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE clients SET rate = CAST($1 AS DOUBLE PRECISION), burst = $2, concurrent = $3,
                                quota = $4
             WHERE id = $5",
        )
        .bind(real(limits.rate))
        .bind(limits.burst.map(i64::from))
        .bind(limits.concurrent.map(i64::from))
        .bind(limits.quota.map(i64::from))
        .bind(id)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Disables a client: all its tokens are refused from now on. Returns whether there is one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn disable_client(&self, name: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE clients SET disabled_at = coalesce(disabled_at, $1) WHERE name = $2";
        let done = sqlx::query(sql)
            .bind(now())
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn client_names_are_unique() {
        let (_dir, store) = super::super::scratch().await;
        let client = store.add_client("acme").await.unwrap();
        assert_eq!(client.id.len(), 24);
        assert!(matches!(
            store.add_client("acme").await,
            Err(StoreError::NameTaken(_))
        ));
        assert_eq!(store.clients().await.unwrap(), [client]);
    }
}
