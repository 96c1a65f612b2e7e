//! The table of usage: how much of its monthly quota a client has used.

use super::{Store, StoreError};

impl Store {
    /// Takes one of the client's quota of that month. Returns whether there was one left; of any
    /// number of replicas none takes more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_from_quota(
        &self,
        client_id: &str,
        month: &str,
        quota: u32,
    ) -> Result<bool, StoreError> {
        if quota == 0 {
            return Ok(false);
        }
        let done = sqlx::query(
            "INSERT INTO usage (client_id, month, judged) VALUES ($1, $2, 1)
             ON CONFLICT (client_id, month) DO UPDATE SET judged = usage.judged + 1
             WHERE usage.judged < $3",
        )
        .bind(client_id)
        .bind(month)
        .bind(i64::from(quota))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives one back, because the photograph could not be judged.
    ///
    /// # Errors
    /// The database failed.
    pub async fn give_back_to_quota(&self, client_id: &str, month: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE usage SET judged = judged - 1
             WHERE client_id = $1 AND month = $2 AND judged > 0",
        )
        .bind(client_id)
        .bind(month)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_quota_is_used_up_given_back_and_counted_for_each_month_apart() {
        let (_dir, store) = super::super::scratch().await;
        let client = store.add_client("one").await.unwrap().id;
        let take = async |month: &str| store.take_from_quota(&client, month, 2).await.unwrap();
        assert!(take("2026-11").await && take("2026-11").await);
        assert!(!take("2026-11").await);
        assert!(take("2026-12").await);
        store.give_back_to_quota(&client, "2026-11").await.unwrap();
        assert!(take("2026-11").await);
        assert!(!take("2026-11").await);
        assert!(!store.take_from_quota(&client, "2027-01", 0).await.unwrap());
    }
}
