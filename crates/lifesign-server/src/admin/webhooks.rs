//! Whom a client wants told of its attempts, and what they were told.

use super::{Admin, AdminError};
use crate::store::{Delivery, DeliveryState, Webhook, object_id};
use crate::webhooks::{self, WebhookSecret};

impl Admin {
    /// Has a client's own server told of every finished attempt. The secret that its events are
    /// signed with can be read only now.
    ///
    /// # Errors
    /// There is no such client, events cannot be posted there, or the database failed.
    pub async fn add_webhook(
        &self,
        client: &str,
        url: &str,
    ) -> Result<(Webhook, WebhookSecret), AdminError> {
        let url = webhooks::address(url).map_err(AdminError::BadAddress)?;
        let client = self.client(client).await?;
        let (id, secret) = (object_id(), WebhookSecret::generate());
        let sealed = self.webhooks.seal(&id, secret.bytes())?;
        let webhook = self
            .store
            .add_webhook(&id, &client.id, url.as_str(), &sealed)
            .await?;
        Ok((webhook, secret))
    }

    /// The webhooks of a client, the oldest first.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn webhooks(&self, client: &str) -> Result<Vec<Webhook>, AdminError> {
        Ok(self.store.webhooks(&self.client(client).await?.id).await?)
    }

    /// Removes a webhook of a client, and what was to be delivered to it.
    ///
    /// # Errors
    /// There is no such client or webhook, or the database failed.
    pub async fn remove_webhook(&self, client: &str, id: &str) -> Result<(), AdminError> {
        match self
            .store
            .remove_webhook(&self.client(client).await?.id, id)
            .await?
        {
            true => Ok(()),
            false => Err(AdminError::NoSuchWebhook {
                client: client.to_owned(),
                webhook: id.to_owned(),
            }),
        }
    }

    /// The deliveries to a client's webhooks, the newest first, at most `limit`.
    ///
    /// # Errors
    /// There is no such client, or the database failed.
    pub async fn deliveries(
        &self,
        client: &str,
        state: Option<DeliveryState>,
        limit: u32,
    ) -> Result<Vec<Delivery>, AdminError> {
        let client = self.client(client).await?;
        Ok(self.store.deliveries(&client.id, state, limit).await?)
    }

    /// Delivers once more: one delivery, whatever came of it before, or all that failed. Returns
    /// how many.
    ///
    /// # Errors
    /// There is no such client or delivery, or the database failed.
    pub async fn replay_deliveries(
        &self,
        client: &str,
        delivery: Option<&str>,
    ) -> Result<u64, AdminError> {
        let id = self.client(client).await?.id;
        match (self.store.replay_deliveries(&id, delivery).await?, delivery) {
            (0, Some(delivery)) => Err(AdminError::NoSuchDelivery {
                client: client.to_owned(),
                delivery: delivery.to_owned(),
            }),
            (replayed, _) => Ok(replayed),
        }
    }
}
